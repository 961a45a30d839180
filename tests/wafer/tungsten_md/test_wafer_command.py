#!/usr/bin/env python3
"""tungsten_md run --target wafer as users run it: mistakes, ranks, one tile per rank, a signal, a kill, the files.

usage: test_wafer_command.py TUNGSTEN_MD MPIEXEC
"""
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

DECK = """title = "wafer"
wafer.machine = "wse2"
wafer.swap_every_steps = 50
wafer.margin_angstrom = 1.0
[[wafer.trace]]
x = 3
y = 4
[structure]
lattice_constant_angstrom = 3.1652
cells = [CELLS]
boundary = ["open", "open", "open"]
[run]
steps = STEPS
timestep_ps = 0.001
[temperature]
initial_k = 300.0
draw_k = 300.0
[output]
thermo_every_steps = 100
checkpoint_every_steps = 200
final_state = true
[check]
energy_tolerance_ev_per_atom = 1e-3
"""


def main():
    binary, mpiexec = sys.argv[1:3]
    outcomes = []

    def check(good, what):
        print(("ok   " if good else "FAIL ") + what, flush=True)
        outcomes.append(bool(good))

    with tempfile.TemporaryDirectory() as name:
        folder = Path(os.path.realpath(name))
        (folder / "case.toml").write_text(DECK.replace("CELLS", "12, 12, 4").replace("STEPS", "2000"))
        (folder / "small.toml").write_text(DECK.replace("CELLS", "4, 4, 2").replace("STEPS", "5"))

        def run(ranks, deck, out, *more):
            done = subprocess.run([mpiexec, "-np", str(ranks), binary, "run", deck, "--target", "wafer", "--out", out, *more],
                                  cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            return done.returncode, done.stdout

        def figure(out, name):
            result = json.loads((folder / out / "result.json").read_text())
            return next(f for f in result["figures"] if f["name"] == name)

        def same(one, other):
            return (folder / one / "final.data").read_bytes() == (folder / other / "final.data").read_bytes() and \
                figure(one, "cycles_per_step")["value"] == figure(other, "cycles_per_step")["value"]

        for options, words in ((("--set", "wafer.machin=1"), ("wafer.machin",)),
                               (("--machine", "wse99"), ("wse99",)),
                               (("--tiles", "4x4"), ("4 x 4",)),
                               (("--set", "wafer.tiles_per_atom=2"), ("wafer.tiles_per_atom", "2")),
                               (("--set", "wafer.changes=[\"core.clok.value=1\"]",), ("core.clok",)),
                               (("--set", "wafer.changes=[\"core.sram_bytes.value=8000\"]",), ("neighbour list", "8000")),
                               (("--set", "wafer.blocks=[3, 5]"), ("3 x 5",))):
            code, text = run(1, "small.toml", "wrong", *options)
            check(code == 2 and all(w in text for w in words) and not (folder / "wrong/result.json").exists(),
                  f"{' '.join(options)} is refused with exit code {code}: {text.strip().splitlines()[0][:110] if text else ''}")

        for ranks in (1, 2, 3, 64):
            code, text = run(ranks, "small.toml", f"ranks{ranks}", "--tiles", "8x8")
            check(code == 0, f"8 x 8 tiles on {ranks} ranks (exit code {code}){'' if code == 0 else text[-400:]}")
        for ranks in (2, 3, 64):
            check(same(f"ranks{ranks}", "ranks1"), f"{ranks} ranks: the same bits and cycles as one")

        result = json.loads((folder / "ranks1/result.json").read_text())
        value = {f["name"]: f["value"] for f in result["figures"]}
        charged = sum(result["wafer"]["tile_memory_bytes"].values())
        check(value["sram_high_water"] == charged <= 48 * 1024, f"a tile's memory: {charged} bytes at most")
        check(0 < value["utilisation"] < 1 and 0 < value["link_load"] < 1, "utilisation and link load are parts of one")
        check(0 < value["words_per_link_mean"] < value["words_per_link_max"], "words per link")
        check({"forces", "multicast_positions", "wait_for_neighbours"} <=
              {p["phase"] for p in result["wafer"]["phases_cycles_per_step"]}, "cycles by phase")

        told = subprocess.run([binary, "info", "small.toml", "--target", "wafer"], cwd=folder, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, text=True).stdout
        predicted = re.search(r"predicted step +(\d+) cycles", told)
        # No tile of 8 x 8 has the whole neighbourhood that the prediction is for.
        check(predicted and 0.85 < value["cycles_per_step"] / int(predicted[1]) <= 1.0 and
              f"b = {value['neighbourhood_b']:.0f}:" in told and f"{charged} of 49152 B" in told,
              "info tells mapping, memory and the step's cycles before the run")

        # A long run, by the predicted rate and by those of results on as many atoms.
        def plan(*words):
            done = subprocess.run([binary, "info", "small.toml", "--target", "wafer", *words], cwd=folder, stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            return done.returncode, done.stdout
        code, text = plan("--physical-us", "2", "--rates", "ranks1/result.json")
        lines = re.findall(r"^  \S+ \((predicted|emulated)\): ([\d.e+-]+) \(([\d.e+-]+) \.\.\. ([\d.e+-]+)\) us a day, ([\d.e+-]+) \(", text, re.M)
        check(code == 0 and [line[0] for line in lines] == ["predicted", "emulated"] and
              all(float(low) <= float(a_day) <= float(high) and abs(float(a_day) * float(days) / 2 - 1) < 0.01
                  for _, a_day, low, high, days in lines), "info tells physical time a day and the days of a long run, with bands")
        altered = json.loads((folder / "ranks1/result.json").read_text())
        next(f for f in altered["figures"] if f["name"] == "atoms")["value"] += 1
        (folder / "other.json").write_text(json.dumps(altered))
        (folder / "list.json").write_text("[1, {}]")
        for file, expected in (("other.json", "of this deck"), ("list.json", "expected the result.json"),
                               ("small.toml", "expected the result.json"), ("none.json", "none.json")):
            code, text = plan("--rates", file)
            check(code == 2 and expected in text and text.count("\n") == 1, f"--rates {file} is refused: {text.strip()[:110]}")
        check(plan("--physical-us", "0")[0] == 2, "a run of no length is refused")

        # The fastest way to lay a thick sample out: in the log, in the result, in info, and the same again.
        thick = ("--set", "structure.cells=[8, 8, 14]", "--set", "wafer.layer_cells=auto")
        code, text = run(2, "small.toml", "thick", *thick)
        wafer = json.loads((folder / "thick/result.json").read_text())["wafer"]
        fastest = min((m for m in wafer["mappings"] if "refused" not in m), key=lambda m: m["predicted_cycles_per_step"])
        check(code == 0 and wafer["mappings"][0] == fastest and wafer["layer_cells"] == fastest["layer_cells"] > 0 and
              wafer["layers"] == fastest["layers"] and {0, 1} <= {m["layer_cells"] for m in wafer["mappings"]},
              f"wafer.layer_cells = auto: layers of {wafer['layer_cells']} of {len(wafer['mappings'])} mappings (exit code {code})")
        check(re.search(r"\(layers of \d cells?, \d+ cycles predicted, whole columns: \d+", text), "the log says what was chosen and why")
        told = subprocess.run([binary, "info", "small.toml", "--target", "wafer", *thick], cwd=folder, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, text=True).stdout
        check(re.search(rf"mapping +layers of {fastest['layer_cells']} .*:\n  layers of.*\n(  .*\n)*  whole columns +\d+ cycles", told),
              "info shows the others")
        code, text = run(1, "small.toml", "thick", *thick, "--restart", "auto", "--set", "run.steps=9")
        check(code == 0 and figure("thick", "steps")["value"] == 9, f"a restart finds the same mapping (exit code {code}) {text[-200:] if code else ''}")
        code, text = run(1, "small.toml", "thick", *thick, "--restart", "auto", "--set", "run.steps=9", "--set", "wafer.layer_cells=0")
        check(code == 2 and "wafer.layer_cells" in text, f"and refuses another: {text.strip()[:110]}")
        for wrong in ("Auto", "-1", "1.5", "[1]"):
            code, text = run(1, "small.toml", "wrong", "--set", f"wafer.layer_cells={wrong}")
            check(code == 2 and 'expected a whole number from 0 to 1000000, or "auto"' in text,
                  f"wafer.layer_cells={wrong} is refused: {text.strip().splitlines()[0][:110]}")

        # A cube's neighbourhood takes more than a tile's memory at once: in batches it fits.
        changes = ('potential.file=""', "potential.table_points=0", "potential.core=zbl_dft",
                   "structure.lattice_constant_angstrom=3.1652", "wafer.margin_angstrom=6")
        cube = subprocess.run([binary, "info", Path(__file__).resolve().parents[3] / "inputs/tungsten/quickstart.toml", "--target",
                               "wafer", *(word for change in changes for word in ("--set", change))], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, text=True)
        check(cube.returncode == 0 and re.search(r"candidates +in \d+ batches", cube.stdout), "candidates in batches")

        native = subprocess.run([binary, "run", "small.toml", "--out", "native"], cwd=folder, stdin=subprocess.DEVNULL,
                                stdout=subprocess.DEVNULL)
        table = subprocess.run([sys.executable, Path(__file__).resolve().parents[3] / "apps/report/side_by_side.py", "native",
                                "ranks1"], cwd=folder, stdout=subprocess.PIPE, text=True).stdout
        rates = re.search(r"^steps_per_second +\S+ 1/s \((\w+)\) +\S+ 1/s \((\w+)\)", table, re.M)
        check(native.returncode == 0 and table.split()[:2] == ["native", "wafer"] and rates and
              rates.groups() == ("measured", "emulated"), "both targets side by side, measured and emulated marked")

        for metal in ("Ta", "Cu", "W"):
            (folder / f"sc24_{metal}.toml").write_text((folder / "small.toml").read_text())
        refused = subprocess.run([binary, "validate", "--target", "wafer", "--decks", ".", "--steps", "1", "--out", "validation",
                                  "--set", "wafer.swap_every_steps=0"], cwd=folder, stdin=subprocess.DEVNULL,
                                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        check(refused.returncode == 3 and re.search("outside their tolerance:.*steps_per_second_W", refused.stdout),
              f"validate with other crystals than the published ones ends with exit code {refused.returncode}")

        kind = figure("ranks1", "steps_per_second")["kind"]
        check(kind == "emulated", f"its rate is {kind}")
        trace = json.loads((folder / "ranks1/trace.json").read_text())
        events = trace["traceEvents"] if isinstance(trace, dict) else trace
        spans = [e for e in events if e.get("ph") == "X"]
        check({"tile 3,4"} == {str(e["tid"]) for e in spans} and {"forces", "embedding"} <= {e["name"] for e in spans},
              f"the trace follows one tile through {len(spans)} phases")
        ordered = sorted((e["ts"], e["ts"] + e["dur"]) for e in spans)
        check(all(b[0] >= a[1] - 1e-6 for a, b in zip(ordered, ordered[1:])), "whose phases do not overlap")
        check((folder / "ranks1/wafer.h5").exists(), "the heat map is there")

        code, text = run(1, "case.toml", "whole")
        check(code == 0, f"an uninterrupted run ends well (exit code {code})")
        for number, name in ((signal.SIGTERM, "SIGTERM"), (signal.SIGKILL, "SIGKILL")):
            cut = subprocess.Popen([binary, "run", "case.toml", "--target", "wafer", "--out", name], cwd=folder,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            for _ in range(3000):
                if (folder / name / "checkpoint.h5").exists() or cut.poll() is not None:
                    break
                time.sleep(0.01)
            cut.send_signal(number)
            code = cut.wait(timeout=100)
            status = json.loads((folder / name / "result.json").read_text())["status"]
            check(status == "incomplete" and (code == 0) == (number == signal.SIGTERM),
                  f"{name} ends a run (exit code {code}), and its result says {status}")
            code, text = run(2, "case.toml", name, "--restart", "auto")
            check(code == 0 and (folder / name / "final.data").read_bytes() == (folder / "whole/final.data").read_bytes(),
                  f"which goes on, on two ranks, to the same bits (exit code {code})")
    print(f"{sum(outcomes)} passed, {len(outcomes) - sum(outcomes)} failed")
    sys.exit(not all(outcomes))


main()
