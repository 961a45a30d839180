"""The fitted cluster model finds what made-up data were made from, and refuses data that cannot tell."""
import importlib
import unittest

import numpy as np

importlib.import_module("made_results")  # which puts wafermark_report where Python finds it
from wafermark_report import cluster_model  # noqa: E402

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


if __name__ == "__main__":
    unittest.main()
