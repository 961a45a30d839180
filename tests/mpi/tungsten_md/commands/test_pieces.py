#!/usr/bin/env python3
"""What `tungsten_md run` does about what it finds in its folder: an earlier run, one of another case, one under way, damaged or
torn files, a full disk; and what signals leave at any moment.

usage: test_pieces.py TUNGSTEN_MD MPIEXEC KILL_AT_RENAME [names of checks]
"""
import json
import os
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

DECK = """title = "pieces"
[structure]
lattice_constant_angstrom = 3.1652
cells = [6, 6, 6]
[run]
steps = 40
timestep_ps = 0.001
[temperature]
initial_k = 300.0
draw_k = 600.0
[output]
thermo_every_steps = 5
checkpoint_every_steps = 10
trajectory_every_steps = 5
trajectory_formats = ["h5md", "dump", "xyz"]
final_state = true
"""
# Files that must be the same whether a run came in pieces or not.
SAME = ("thermo.csv", "final.data", "trajectory.dump", "trajectory.xyz")


class Folder:
    """A folder of its own for one check, with a deck, and runs on one rank or more in it."""

    def __init__(self, binary, mpiexec):
        self.binary, self.mpiexec = binary, mpiexec
        self.temporary = tempfile.TemporaryDirectory()
        self.path = Path(os.path.realpath(self.temporary.name))
        self.deck(DECK)

    def deck(self, text):
        (self.path / "case.toml").write_text(text)

    def command(self, *more, ranks=1, out="out"):
        first = [self.mpiexec, "-np", str(ranks)] if ranks > 1 else []
        return [*first, self.binary, "run", "case.toml", "--out", out, *more]

    def start(self, *more, **options):
        return subprocess.Popen(self.command(*more, **options), cwd=self.path, stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def run(self, *more, **options):
        done = subprocess.run(self.command(*more, **options), cwd=self.path, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=200)
        return done.returncode, done.stdout

    def result(self, out="out"):
        return json.loads((self.path / out / "result.json").read_text())

    def content(self, out="out"):
        return {p.name: p.read_bytes() for p in (self.path / out).iterdir() if p.name != ".lock"}

    def same(self, one, other):
        """Names of files that differ."""
        return [n for n in SAME if (self.path / one / n).read_bytes() != (self.path / other / n).read_bytes()]


def one_line(text):
    lines = [line for line in text.splitlines() if line.startswith("tungsten_md: ")]
    return lines[0][13:] if len(lines) == 1 else f"{len(lines)} lines: {text[-400:]}"


def an_earlier_run_is_left_alone(f):
    code, _ = f.run()
    yield code == 0, f"a run ends well (exit code {code})"
    before = f.content()
    code, text = f.run()
    yield code == 2 and "result.json" in one_line(text) and "--overwrite" in text and f.content() == before, \
        f"a second one is refused and changes nothing: {one_line(text)[:90]}"
    code, text = f.run("--restart", "auto")
    yield code == 0 and "complete (40 steps" in text and f.content() == before, \
        f"--restart auto says that it is complete and changes nothing (exit code {code}): {text.strip()[-80:]}"
    code, text = f.run("--restart", "auto", "--overwrite")
    yield code == 2 and f.content() == before, f"with --overwrite too it is refused: {one_line(text)[:90]}"
    code, text = f.run("--restart", "auto", "--set", "run.steps=50")
    f.run("--set", "run.steps=50", out="whole")
    figures = {x["name"]: x["value"] for x in f.result()["figures"]}
    yield code == 0 and figures["steps"] == 50 and not f.same("out", "whole"), \
        f"a longer run goes on, to where one that was never stopped ends ({f.same('out', 'whole')})"
    code, text = f.run("--overwrite", "--set", "run.seed=2", "--set", "output.checkpoint_every_steps=0", "--set",
                       "output.trajectory_every_steps=0")
    left = sorted(f.content())
    yield code == 0 and left == ["final.data", "result.json", "thermo.csv"], f"--overwrite removes the old files first: {left}"


def another_case_is_refused(f):
    f.run("--set", "run.steps=20")
    checkpoint = "out/checkpoint.h5"
    before = f.content()
    for change, there, now in (("run.seed=2", "run.seed = 1", "now 2"),
                               ("run.precision=mixed", 'run.precision = "double"', 'now "mixed"'),
                               ("structure.lattice_constant_angstrom=3.2", "= 3.1652", "now 3.2"),
                               ("structure.cells=[6,6,7]", "[6,6,6]", "[6,6,7]"),
                               ("potential.model=zhou_2004", "ackland_thetford_1987", "zhou_2004"),
                               ("run.timestep_ps=0.002", "run.timestep_ps = 0.001", "0.002"),
                               ("thermostat.kind=langevin", "thermostat.kind", "langevin"),
                               ("temperature.draw_k=300", "temperature.draw_k = 600.0", "now 300.0")):
        for restart, more in ((checkpoint, ["--out", "elsewhere"]), ("auto", [])):
            code, text = f.run("--restart", restart, "--set", change, *more[2:], out=more[1] if more else "out")
            yield code == 2 and there in one_line(text) and now in one_line(text), f"{restart}, {change}: {one_line(text)[:110]}"
    code, text = f.run("--restart", "auto", "--target", "wafer")  # elsewhere it may: test_wafer_materials.py
    yield code == 2, f"the other target: {one_line(text)[:110]}"
    yield f.content() == before, "nothing of it was touched"
    pka = "[[pka]]\nenergy_ev = 60.0\ntime_ps = "
    f.deck(DECK + pka + "0.01\n")
    code, text = f.run("--restart", "auto")
    yield code == 2 and "pka.0" in one_line(text), f"a recoil in the past: {one_line(text)[:110]}"
    f.deck(DECK.replace("initial_k = 300.0", "initial_k = 300") + pka + "0.03\n[relax]\nmax_steps = 0\n")
    code, text = f.run("--restart", "auto", "--set", "title=other", "--set", "run.steps=45", "--set",
                       "check.energy_tolerance_ev_per_atom=0.1", "--set", "output.thermo_every_steps=15", "--set",
                       "run.skin_angstrom=0.4", ranks=2)
    yield code == 0 and len(f.result()["recoils"]) == 1, \
        f"length, output, ranks, a later recoil and defaults written out may change (exit code {code}) {text[-200:] if code else ''}"


def a_recoil_after_the_last_step_is_told(f):
    f.deck(DECK + "[[pka]]\nenergy_ev = 60.0\ntime_ps = 0.042\n")
    code, text = f.run(ranks=2)
    yield code == 0 and text.count("1 of 1 recoils did not happen") == 1 and f.result()["recoils_not_fired"] == 1, \
        f"a run that is too short for it (exit code {code})"
    code, text = f.run("--restart", "auto", "--set", "run.steps=45")
    yield code == 0 and "did not happen" not in text and f.result()["recoils_not_fired"] == 0 and len(f.result()["recoils"]) == 1, \
        f"a longer run fires it (exit code {code})"


def a_crystal_at_rest_passes_its_checks(f):
    f.deck(DECK.replace("initial_k = 300.0\ndraw_k = 600.0", "initial_k = 0.0"))
    for target, precision in (("cluster", "double"), ("cluster", "mixed"), ("wafer", "double")):
        code, text = f.run("--target", target, "--set", f"run.precision={precision}", out=f"{target}_{precision}")
        yield code == 0, f"{target}, {precision}: {text[-200:] if code else 'nothing but rounding moves it'}"


def launches_of_steps_leave_the_same_files(f):
    f.run("--set", "run.neighbour_list=full", out="kernels")
    whole = {x["name"]: x["value"] for x in f.result("kernels")["figures"]}
    yield whole["lanes_per_atom"] == 1, "on CPUs an atom has one lane"
    for launch in ("graph", "persistent"):
        code, text = f.run("--set", f"run.launch={launch}", "--set", "output.checkpoint_every_steps=20", out=launch)
        figures = {x["name"]: x["value"] for x in f.result(launch)["figures"]}
        steps, launches = figures["steps_launched_together"], figures["launches_of_steps"]
        yield code == 0 and not f.same("kernels", launch) and figures["list_rebuilds"] == whole["list_rebuilds"], \
            f"{launch}: exit code {code}, files that differ: {f.same('kernels', launch)}"
        yield 0 < launches <= steps <= 40 and (launch == "graph" or launches <= 8 + figures["list_rebuilds"]), \
            f"{launch}: {steps} steps by {launches} launches"
    code, text = f.run("--set", "run.lanes_per_atom=8", out="lanes")
    yield code == 0 and "8 lanes an atom" in text, f"8 lanes: exit code {code}, {text[:300]}"
    figures = {x["name"]: x["value"] for x in f.result("lanes")["figures"]}
    yield figures["lanes_per_atom"] == 8, f"in the result: {figures['lanes_per_atom']}"


def the_older_checkpoint_stands_in(f):
    f.run(out="whole")
    f.run("--set", "run.steps=30")
    for name, damage, expected in (
            ("flipped", lambda p: p.write_bytes(flip(p.read_bytes(), 0.4)), 0),
            ("cut off", lambda p: p.write_bytes(p.read_bytes()[:3000]), 0),
            ("empty", lambda p: p.write_bytes(b""), 0),
            ("not there (killed between two renames)", lambda p: p.unlink(), 0)):
        shutil.copytree(f.path / "out", f.path / name)
        damage(f.path / name / "checkpoint.h5")
        explicit, said = f.run("--restart", f"{name}/checkpoint.h5", out="elsewhere")
        code, text = f.run("--restart", "auto", out=name)
        yield code == expected and not f.same(name, "whole"), \
            f"newest checkpoint {name}: the older one stands in ({[l for l in text.splitlines() if 'note' in l][:1]})"
        yield explicit == 2, f"asked for by name it is refused: {one_line(said)[:100]}"
    for path in (f.path / "out").glob("checkpoint*"):
        path.write_bytes(flip(path.read_bytes(), 0.4))
    before = f.content()
    code, text = f.run("--restart", "auto")
    yield code == 2 and f.content() == before, f"both damaged: {one_line(text)[:100]}"


def flip(data, place):
    at = int(place * len(data))
    return data[:at] + bytes([data[at] ^ 0x10]) + data[at + 1:]


def torn_files_are_cut(f):
    """What a run leaves that is killed after its checkpoint, in the middle of a frame."""
    f.run(out="whole")
    f.run("--set", "run.steps=25", "--set", "output.checkpoint_every_steps=0", out="longer")
    f.run("--set", "run.steps=20")
    for name in ("trajectory.dump", "trajectory.xyz"):
        text = (f.path / "longer" / name).read_bytes()
        (f.path / "out" / name).write_bytes(text[:len(text) - 777])
    shutil.copy(f.path / "longer/thermo.csv", f.path / "out/thermo.csv")
    (f.path / "out/result.json").write_text(json.dumps(f.result() | {"status": "incomplete"}))
    code, text = f.run("--restart", "auto")
    yield code == 0 and not f.same("out", "whole"), f"text trajectories and tables end as those of a whole run ({f.same('out', 'whole')})"


def a_damaged_trajectory_is_set_aside(f):
    """What a full disk can leave: the run goes on, what can be read stays, and nothing goes without a note."""
    f.run("--set", "run.steps=20")
    (f.path / "out/result.json").write_text(json.dumps(f.result() | {"status": "incomplete"}))
    whole = (f.path / "out/trajectory.h5").read_bytes()
    row = (f.path / "out/trajectory.dump").read_text().splitlines()[-1].split()
    place = whole.find(struct.pack("<d", float(row[2])))  # a coordinate of the last of five frames
    for name, data, said in (("one bit", whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1:], "4 of its 5 frames"),
                             ("cut off", whole[:len(whole) // 2], "without its 5 frames"),
                             ("empty", b"", "without its 5 frames"), ("no HDF5", b"nothing" * 100, "without its 5 frames")):
        for ranks in (1, 2):
            out = f"{name}{ranks}"
            shutil.copytree(f.path / "out", f.path / out)
            (f.path / out / "trajectory.h5").write_bytes(data)
            code, text = f.run("--restart", "auto", ranks=ranks, out=out)
            notes = [line for line in text.splitlines() if line.startswith("note: ")]
            aside = f.path / out / "trajectory.damaged.h5"
            yield code == 0 and len(notes) == 1 and said in notes[0] and aside.read_bytes() == data, \
                f"{name}, {ranks} ranks (exit code {code}): {notes}"
    (f.path / "out/trajectory.h5").unlink()
    code, text = f.run("--restart", "auto")
    yield code == 0 and text.count("its 5 frames up to step 20 are missing") == 1, f"none: told (exit code {code})"


def a_flipped_bit_of_a_trajectory_is_found(f):
    f.run("--set", "structure.cells=[5,5,5]", "--set", "run.steps=10")
    whole = (f.path / "out/trajectory.h5").read_bytes()
    silent = []
    reference = None
    for k in range(30):
        (f.path / "t.h5").write_bytes(whole if k == 0 else flip(whole, (k + 0.37) / 30))
        done = subprocess.run([f.binary, "defects", "t.h5", "--out", f"d{k}"], cwd=f.path, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=60)
        if k == 0:
            reference = (f.path / "d0/defects.csv").read_bytes()
        elif done.returncode == 0:
            silent += [k] if (f.path / f"d{k}/defects.csv").read_bytes() != reference else []
        elif done.returncode != 2 or len(done.stderr.strip().splitlines()) != 1:
            silent.append((k, done.returncode, done.stderr[-200:]))
    yield not silent, f"29 flipped bits: found in one line, or of no consequence ({silent})"
    row = (f.path / "out/trajectory.dump").read_text().splitlines()[-1].split()
    place = whole.find(struct.pack("<d", float(row[2])))  # a coordinate of the last frame
    data = bytearray(whole)
    data[place] ^= 1
    (f.path / "t.h5").write_bytes(bytes(data))
    done = subprocess.run([f.binary, "defects", "t.h5", "--out", "one"], cwd=f.path, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True)
    yield place > 0 and done.returncode == 2 and "damaged" in done.stderr, f"one bit of a position: {done.stderr.strip()[:100]}"


def a_kill_at_any_rename_leaves_a_good_state(f):
    """Through the second checkpoint, when there is a former one to put aside, to the result."""
    f.run(out="whole")
    bad, kills = [], 0
    for when in [f"{sign}{n}" for n in (1, 2, 3, 4, 5, 6, 7, 8, 12, 13, 15) for sign in ("", "+")]:
        done = subprocess.run(f.command(out=when), cwd=f.path, stdin=subprocess.DEVNULL, capture_output=True,
                              env=dict(os.environ, LD_PRELOAD=sys.argv[3], WAFERMARK_KILL_AT_RENAME=when))
        kills += done.returncode == -signal.SIGKILL
        code, text = f.run("--restart", "auto", out=when)
        if code != 0 or f.same(when, "whole"):
            bad.append((when, code, f.same(when, "whole"), text[-200:]))
    yield not bad and kills > 15, f"{kills} kills before and after renames: the run goes on to the same end ({bad})"


def two_runs_do_not_mix(f):
    first = f.start("--set", "run.steps=1000000000")
    wait_for(lambda: (f.path / "out/checkpoint.h5").exists(), first)
    code, text = f.run("--overwrite")
    yield code == 2 and f"process {first.pid} on" in one_line(text), f"a second run is refused: {one_line(text)[:100]}"
    result = f.result()
    yield result["status"] == "incomplete" and not result["valid"], "the result of a run under way is incomplete"
    first.kill()
    first.communicate()
    yield f.result()["status"] == "incomplete", "that of a killed one too"
    code, text = f.run("--restart", "auto", "--set", "run.steps=40")
    yield code == 2 and "expected" in one_line(text) or code == 0, f"its lock died with it (exit code {code})"


def wait_for(condition, process, seconds=60):
    for _ in range(int(seconds / 0.02)):
        if condition() or process.poll() is not None:
            return
        time.sleep(0.02)


def signals_end_a_run_cleanly(f):
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGXCPU, signal.SIGUSR1):
        run = f.start("--set", "run.steps=1000000000", "--set", "output.checkpoint_every_steps=0", "--set",
                      "output.trajectory_every_steps=0", out=number.name)
        wait_for(lambda: (f.path / number.name / "result.json").exists(), run)
        time.sleep(0.3)
        run.send_signal(number)
        text, _ = run.communicate(timeout=30)
        result = f.result(number.name)
        yield run.returncode == 0 and "stopped by a signal after step" in text and result["status"] == "incomplete" \
            and (f.path / number.name / "checkpoint.h5").exists(), f"{number.name}: {result['status_note']}"
    f.deck(DECK + "[relax]\nmax_steps = 100000000\nforce_tolerance_ev_per_angstrom = 1e-300\n")
    run = f.start(ranks=1, out="relaxing")
    wait_for(lambda: (f.path / "relaxing/result.json").exists(), run)
    time.sleep(0.5)
    run.send_signal(signal.SIGTERM)
    text, _ = run.communicate(timeout=30)
    yield run.returncode == 0 and f.result("relaxing")["status"] == "incomplete", \
        f"SIGTERM during relaxation (exit code {run.returncode}): {text.strip().splitlines()[-1]}"


def full_disks(f):
    """Wherever the room ends, one line, and an earlier checkpoint is whole."""
    f.deck(DECK.replace("steps = 40", "steps = 60"))
    f.run(out="whole", ranks=1)
    disk = f.path / "disk"
    disk.mkdir()
    for ranks, kilobytes in ((1, 40), (2, 110), (1, 200), (2, 330), (1, 520)):
        if subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "none", disk], capture_output=True).returncode:
            yield True, "SKIPPED full disks: this user may not mount a small tmpfs"
            return
        try:
            code, text = f.run(out="disk/out", ranks=ranks)
            yield code in ((1, 2) if kilobytes < 100 else (1,)) and text.count("tungsten_md: ") == 1 and "egmentation" not in text, \
                f"{kilobytes} kB: exit code {code}, {one_line(text)[:100]}"
            left = [p.name for p in disk.rglob("*.tmp")]
            yield not left, f"{kilobytes} kB: nothing half-written is left ({left})"
            if code == 1 and list((disk / "out").glob("checkpoint*.h5")):
                shutil.copytree(disk / "out", f.path / f"moved{kilobytes}")
                code, text = f.run("--restart", "auto", out=f"moved{kilobytes}", ranks=ranks)
                yield code == 0 and "note" not in text, f"{kilobytes} kB: its checkpoint goes on elsewhere (exit code {code})"
        finally:
            subprocess.run(["umount", disk], check=False)


CHECKS = (an_earlier_run_is_left_alone, another_case_is_refused, a_recoil_after_the_last_step_is_told,
          a_crystal_at_rest_passes_its_checks, launches_of_steps_leave_the_same_files, the_older_checkpoint_stands_in, torn_files_are_cut, a_damaged_trajectory_is_set_aside, a_flipped_bit_of_a_trajectory_is_found,
          a_kill_at_any_rename_leaves_a_good_state, two_runs_do_not_mix, signals_end_a_run_cleanly, full_disks)


def outcomes_of(check):
    try:
        return [(check.__name__, good, what) for good, what in check(Folder(*sys.argv[1:3]))]
    except Exception as error:  # a check that breaks off has failed
        return [(check.__name__, False, f"{type(error).__name__}: {error}")]


def main():
    chosen = [c for c in CHECKS if len(sys.argv) < 5 or c.__name__ in sys.argv[4:]]
    failed = total = 0
    with ThreadPoolExecutor(3) as pool:
        for outcomes in pool.map(outcomes_of, chosen):
            for name, good, what in outcomes:
                print(f"{'ok  ' if good else 'FAIL'} {name}: {what}", flush=True)
                total += 1
                failed += not good
    print(f"{total - failed} passed, {failed} failed")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
