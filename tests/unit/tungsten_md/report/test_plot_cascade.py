"""plot_cascade.py draws every series that a run can leave, and says what is wrong with what is not one."""
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

SOURCE = pathlib.Path(__file__).resolve().parents[4]
SCRIPT = SOURCE / "apps/report/plot_cascade.py"
sys.path.insert(0, str(SOURCE / "tests/report"))
from made_results import result as made_result  # noqa: E402

BOX = {"lo_angstrom": [0, 0, 0], "hi_angstrom": [80, 80, 80], "periodic": [True, True, False]}


def snapshot(time, pairs):
    """Vacancies around the corner of the box, so that they lie on both sides of periodic faces."""
    places = [[(4 * k) % 13 - 6.0, (7 * k) % 11 - 5.0, 2.0 * k] for k in range(pairs)]
    wrapped = [[c % 80 for c in p] for p in places]
    kind = {"site": list(range(pairs)), "position": wrapped, "cluster": [0] * pairs, "cluster_sizes": [pairs]}
    return {"row": {"time_ps": time}, "drift": [0, 0, 0], "vacancies": kind, "interstitials": kind}


def document(counts, **more):
    times = [0.1 * k for k in range(len(counts))]
    columns = {"step": list(range(len(counts))), "time_ps": times, "vacancies": counts, "interstitials": counts}
    peak = max(range(len(counts)), key=counts.__getitem__)
    return {"box": BOX, "series": {"columns": columns}, "peak_snapshot": snapshot(times[peak], counts[peak]),
            "last_snapshot": snapshot(times[-1], counts[-1])} | more


class PlotCascade(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def draw(self, defects, result=None, output="cascade.svg"):
        if defects is not None:
            (self.folder / "defects.json").write_text(defects if isinstance(defects, str) else json.dumps(defects))
        if result is not None:
            (self.folder / "result.json").write_text(json.dumps(result))
        return subprocess.run([sys.executable, SCRIPT, self.folder, "-o", self.folder / output], capture_output=True,
                              text=True)

    def drawn(self, *arguments, **more):
        done = self.draw(*arguments, **more)
        self.assertEqual(done.returncode, 0, done.stderr)
        return (self.folder / more.get("output", "cascade.svg")).read_bytes()

    def test_a_cascade_with_all_there_is(self):
        deck = 'title = "A recoil for $3 or ${4"\n[[pka]]\nenergy_ev = 1000.0\ntime_ps = 0.15\n'
        result = made_result(recoils=[{"position_angstrom": [79.0, 1.0, 5.0]}], deck={"file": "x", "toml": deck})
        defects = document([0, 1, 9, 6, 3], predicted_frenkel_pairs={"NRT": 3.8, "arc-dpa": 2.4})
        self.assertTrue(self.drawn(defects, result, output="cascade.png").startswith(b"\x89PNG"))
        svg = self.drawn(defects, result).decode()
        for text in ("A recoil for $3 or ${4", "9 vacancies", "3 interstitials", "arc-dpa: 2.4", "peak 9", "3 pairs at the end"):
            self.assertIn(f"<!-- {text} -->", svg)

    def test_series_without_recoil_peak_positions_or_defects(self):
        self.drawn(document([0, 0, 0]))
        self.drawn(document([5]))
        self.assertIn("positions were not recorded", self.drawn(document([0, 4, 1], peak_snapshot=None)).decode())
        self.assertIn("<!-- 1 vacancy -->", self.drawn(document([0, 4, 1])).decode())

    def test_what_is_wrong_is_said_in_one_line(self):
        bare = document([1])
        for defects, message in (
            (None, "defects.json: cannot be read"),
            ("{", "defects.json:1: "),
            (bare | {"series": {"columns": {k: [] for k in bare["series"]["columns"]}}}, "found no rows"),
            (bare | {"box": BOX | {"hi_angstrom": [1, 2]}}, r"defects.json: box.hi_angstrom: found [1, 2], expected"),
        ):
            done = self.draw(defects)
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertIn(message, done.stderr)
            self.assertEqual(done.stderr.count("\n"), 1)
        for output, message in (("no/such/folder.png", "found no folder"), ("x.gif", "expected one of"),
                                ("defects.json", "expected one of"), ("there.png", "found a folder")):
            (self.folder / "there.png").mkdir(exist_ok=True)
            done = self.draw(document([1]), output=output)
            self.assertEqual((done.returncode, done.stderr.count("\n")), (2, 1), done.stderr)
            self.assertIn(message, done.stderr)


if __name__ == "__main__":
    unittest.main()
