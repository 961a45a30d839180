"""The fitted cluster model finds what made-up data were made from, and refuses data that cannot tell."""
import tempfile
import unittest

import numpy as np

import made_results
from wafermark_report import cluster_machines, cluster_model
from wafermark_report.errors import InputError

TRUE = np.array([2e-7, 3e-5, 1e-5, 6e-7])


def data(noise=0.0, workers=(1, 2, 4, 8, 16), repeats=1):
    random = np.random.default_rng(3)
    points = [(2 * c**3, p) for c in (8, 12, 16, 24, 32) for p in workers for _ in range(repeats)]
    atoms, ranks = np.array(points).T
    exact = cluster_model.terms(atoms, ranks) @ TRUE
    return atoms, ranks, exact * (1 + noise * random.standard_normal(len(exact)))


class Fit(unittest.TestCase):
    def test_exact_data_give_the_coefficients_back(self):
        model = cluster_model.fit(*data())
        np.testing.assert_allclose(model.coefficients, TRUE, rtol=1e-6)

    def test_noisy_data_give_them_back_within_the_noise_and_the_band_holds_the_truth(self):
        model = cluster_model.fit(*data(noise=0.03, repeats=3))
        self.assertLess(abs(model.coefficients[0] / TRUE[0] - 1), 0.05)
        for workers in (1, 8, 64):
            truth = 1 / float(cluster_model.terms(16384, workers) @ TRUE)
            self.assertLess(abs(float(model.rate(16384, workers)) / truth - 1), 0.1)
        low, high = model.band(16384, 16)
        self.assertTrue(low < 1 / float(cluster_model.terms(16384, 16) @ TRUE) < high)

    def test_the_band_is_wider_for_noisier_data(self):
        widths = []
        for noise in (0.01, 0.1):
            low, high = cluster_model.fit(*data(noise=noise)).band(16384, 256)
            widths.append(high / low)
        self.assertGreater(widths[1], widths[0])

    def test_no_coefficient_is_negative(self):
        atoms, ranks, seconds = data(noise=0.3)
        model = cluster_model.fit(atoms, ranks, seconds)
        self.assertTrue(np.all(model.coefficients >= 0) and np.all(model.draws >= 0))

    def test_the_fit_is_the_best_non_negative_one(self):
        random = np.random.default_rng(1)
        for _ in range(20):
            a, b = random.random((12, 4)), random.standard_normal(12)
            x = cluster_model.nonnegative_least_squares(a, b)
            residual = a.T @ (a @ x - b)  # Kuhn-Tucker: zero where x > 0, not negative where x = 0
            self.assertTrue(np.all(residual > -1e-9) and np.all(np.abs(residual[x > 0]) < 1e-9))

    def test_saturation_follows_from_the_fixed_cost(self):
        model = cluster_model.fit(*data())
        best = model.best_workers(2000, 2**20)
        self.assertLess(best, 2048)
        self.assertLess(float(model.rate(2000, 2 * best)), float(model.rate(2000, best)))

    def test_too_few_runs_are_refused(self):
        for workers, cells in (((1, 2), (10, 10, 10)), ((1, 1), (8, 12, 16, 24)), ((1, 2), (10,))):
            atoms, ranks = np.array([(2 * c**3, p) for c in cells for p in workers]).T
            with self.assertRaisesRegex(cluster_model.TooFewPoints, "found [0-9]+ .*expected at least [0-9]"):
                cluster_model.fit(atoms, ranks, np.ones(len(atoms)))

    def test_foretelling_the_largest_runs_is_exact_for_exact_data_and_unknown_without_enough(self):
        self.assertAlmostEqual(cluster_model.error_left_out(*data()), 0.0, places=5)
        self.assertIsNone(cluster_model.error_left_out(*data(workers=(1, 2))))


class Machines(unittest.TestCase):
    def test_every_number_of_the_shipped_files_has_kind_and_source(self):
        machines = cluster_machines.read_machines()
        self.assertLessEqual({"frontier", "quartz"}, {m.name for m in machines})
        for machine in machines:
            for key, number in machine.numbers.items():
                self.assertIn(number["kind"], ("measured", "published", "estimated"), key)
                self.assertTrue(number["source"], key)

    def test_published_rates_are_those_of_the_paper_and_enter_nothing(self):
        machines = {m.name: m for m in cluster_machines.read_machines()}
        published = {
            n: {p["case"]: p["steps_per_second"] for p in machines[n].published} for n in ("frontier", "quartz")
        }
        self.assertEqual((published["frontier"]["Ta"], published["quartz"]["Ta"]), (1530, 4938))
        box = cluster_machines.SC24["Ta"]
        bare = cluster_machines.ClusterMachine(
            *[getattr(machines["quartz"], f) for f in ("name", "title", "worker", "file", "numbers")], ()
        )
        self.assertEqual(bare.best(box), machines["quartz"].best(box))

    def test_one_worker_costs_its_atoms_and_launches(self):
        machine = next(m for m in cluster_machines.read_machines() if m.name == "frontier")
        box = cluster_machines.SC24["Cu"]
        expected = (
            1e-9 * box.atoms * (machine["compute.atom_ns"] + 42 * machine["compute.pair_ns"])
            + 1e-6 * machine["step.launches"] * machine["step.launch_us"]
        )
        self.assertAlmostEqual(machine.seconds(box, 1) / expected, 1.0)

    def test_ghosts_of_a_halved_box(self):
        volume, messages = cluster_machines.cuts((100.0, 50.0, 20.0), 5.0, 2)
        self.assertAlmostEqual(volume, 2 * 5.0 * 50.0 * 20.0)  # cut across the longest edge
        self.assertEqual(messages, 2)

    def test_bad_files_are_refused_with_the_key(self):
        good = (made_results.SOURCE / "inputs/clusters/quartz.toml").read_text()
        for change, message in (
            (("count            = { value = 2988", "count            = { value = -1"), "nodes.count"),
            (
                ('kind = "estimated", source = "the same two rates"', 'kind = "guessed", source = "x"'),
                "compute.pair_ns.*guessed",
            ),
            (("[step]", "[step]\nspeed = 1"), "step.speed: unknown"),
            (('case = "Cu"', 'case = "Fe"'), "published"),
            (("[nodes]", "[nodes"), "TOML"),
        ):
            with tempfile.NamedTemporaryFile("w", suffix=".toml") as file:
                self.assertIn(change[0], good)
                file.write(good.replace(*change))
                file.flush()
                with self.assertRaisesRegex(InputError, message):
                    cluster_machines.read_machine(file.name)


if __name__ == "__main__":
    unittest.main()
