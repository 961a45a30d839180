#!/usr/bin/env python3
"""Every mistake gets one clear line, exit code 2, before any work, and leaves nothing half-written.

usage: test_bad_input.py TUNGSTEN_MD MPIEXEC RANKS
"""
import json
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

DECK = """title = "tiny"
[structure]
lattice = "bcc"
element = "W"
lattice_constant_angstrom = 3.1652
cells = [6, 6, 6]
[run]
steps = 20
timestep_ps = 0.001
[temperature]
initial_k = 300.0
"""


def setfl(lines=None):
    """A small valid setfl file, or one with lines replaced: {number: text}."""
    rows = ["comment"] * 3 + ["1 W", "5 0.5 5 1.0 4.0", "74 183.84 3.165 bcc", "0 -1 -1.4 -1.7 -2", "4 3 2 1 0", "9 4 2 1 0"]
    for number, text in (lines or {}).items():
        rows[number - 1] = text
    return "\n".join(r for r in rows if r is not None) + "\n"


class Tests:
    """Runs of the program, several at a time: mpirun takes two seconds, most of them asleep, to end a failed one."""

    def __init__(self, binary, mpiexec, ranks):
        self.binary, self.mpiexec, self.ranks = binary, mpiexec, ranks
        self.pool = ThreadPoolExecutor(4)
        self.runs = []

    def run(self, name, arguments, expected, files=(), deck=DECK, ranks=None, code=2):
        """A future: what is to be said of the run, and whether it ended as expected."""
        self.runs.append(self.pool.submit(self.run_now, name, arguments, expected, dict(files), deck, ranks or self.ranks, code))
        return self.runs[-1]

    def run_now(self, name, arguments, expected, files, deck, ranks, code):
        with tempfile.TemporaryDirectory() as name_of_folder:
            folder = Path(name_of_folder)
            for file, content in {"case.toml": deck, **files}.items():
                (folder / file).write_bytes(content if isinstance(content, bytes) else content.encode())
            command = [self.mpiexec, "-np", str(ranks), self.binary, *arguments]
            result = subprocess.run(command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
            leftovers = [p.name for p in folder.rglob("*") if p.name.endswith(".tmp") or
                         p.name == "result.json" and json.loads(p.read_text())["status"] != "incomplete"]
        lines = [line for line in result.stderr.splitlines() if line.startswith("tungsten_md: ")]
        problems = []
        if result.returncode != code:
            problems.append(f"exit code {result.returncode}, expected {code}")
        if len(lines) != 1:
            problems.append(f"{len(lines)} lines, expected one")
        elif expected not in lines[0]:
            problems.append(f"expected '{expected}' in it")
        if leftovers:
            problems.append(f"left behind: {leftovers}")
        if problems:
            return f"FAIL {name}: {'; '.join(problems)}\n  {' '.join(arguments)}\n  stderr: {result.stderr[-800:]}", False
        return f"ok   {name}: {lines[0][13:]}", True

    def deck(self, name, expected, sets=(), files=(), deck=DECK, extra=(), **more):
        arguments = ["run", "case.toml", "--out", "out"]
        for s in sets:
            arguments += ["--set", s]
        self.run(name, [*arguments, *extra], expected, files, deck=deck, **more)

    def potential(self, name, expected, content, **more):
        self.deck(name, expected, ["potential.file=p.eam.alloy"], {"p.eam.alloy": content}, **more)


def small_tmpfs(folder):
    """A full disk, where this user may mount one."""
    mount = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", folder], capture_output=True)
    return mount.returncode == 0


def main():
    t = Tests(*sys.argv[1:3], int(sys.argv[3]))
    # Decks
    t.deck("deck is not TOML", "case.toml:1: not TOML", deck="[run\n")
    t.deck("unknown key", "unknown key 'run.timestep': the nearest known key is 'run.timestep_ps'", ["run.timestep=1"])
    t.deck("unknown table", "unknown key 'runs.steps'", deck=DECK + "[runs]\nsteps = 3\n")
    t.deck("wrong type", "--set: key 'run.steps' = many: expected a whole number from 0 to 1e15", ["run.steps=many"])
    t.deck("negative skin", "key 'run.skin_angstrom' = -1: expected a number above 0", ["run.skin_angstrom=-1"])
    t.deck("negative time step", "= -0.001: expected a number from 1e-12 to 1000", ["run.timestep_ps=-0.001"])
    t.deck("unknown precision", "expected one of double, mixed", ["run.precision=half"])
    t.deck("unknown boundary", "expected three words", ['structure.boundary=["periodic","walls","open"]'])
    t.deck("two cells", "expected three whole numbers", ["structure.cells=[6,6]"])
    t.deck("no cells", "expected three whole numbers", ["structure.cells=[6,6,0]"])
    t.deck("missing lattice constant", "'structure.lattice_constant_angstrom' is missing",
           deck=DECK.replace("lattice_constant_angstrom = 3.1652\n", ""))
    t.deck("two lines where TOML has one", "case.toml:13: not TOML", deck=DECK + "[output]\nfinal_state = t\n")
    t.deck("a deck of two lines in an option", "title=a\\n\\x1b[31mb: expected one line", ["title=a\n\x1b[31mb"])
    t.deck("infinite number", "case.toml:11: key 'temperature.initial_k' = inf: expected a number from 0 to 1000000",
           deck=DECK.replace("300.0", "inf"))
    t.deck("a trajectory format twice", "each once", ['output.trajectory_formats=["xyz","xyz"]'])
    t.deck("recoil of no direction in floating point", "not all zero",
           deck=DECK + "[[pka]]\nenergy_ev = 100.0\ndirection = [1e300, 1e300, 0]\n")
    t.deck("bad override", "--set run.steps: expected key=value", ["run.steps"])
    t.deck("element without a potential", "'Au'", ["structure.element=Au"])
    t.deck("box below two cut-offs", "expected at least two cut-offs", ["structure.cells=[2,6,6]"])
    t.deck("rank grid that does not fit the ranks", "does not fit", ["run.rank_grid=[7,1,1]"])
    t.deck("subdomains thinner than the ghosts reach", "ghosts reach", ["run.rank_grid=[8,1,1]"], ranks=8)
    t.deck("more atoms than memory", " GB on a rank, ", ["structure.cells=[1000,1000,1000]"])
    t.deck("as many cells as can be written", "4000000000000000000 atoms",
           ["structure.cells=[1000000,1000000,1000000]", "structure.lattice=fcc"])
    t.deck("small lattice constant", "expected a number", ["structure.lattice_constant_angstrom=1e-9"])
    t.deck("long neighbour lists", " GB on a rank, ", ["structure.cells=[150,150,150]", "run.skin_angstrom=100"])
    pka = "[[pka]]\nenergy_ev = 100.0\n"
    t.deck("PKA outside the box", "pka.position_angstrom: found 999", deck=DECK + pka + "position_angstrom = [999, 1, 1]\n")
    t.deck("PKA without energy", "key 'pka.0.energy_ev' is missing", deck=DECK + "[[pka]]\ntime_ps = 0.0\n")
    t.deck("PKA without direction", "not all zero", deck=DECK + pka + "direction = [0, 0, 0]\n")
    t.deck("thermostat that ends before it starts", "a time after thermostat.start_ps",
           ["thermostat.start_ps=2", "thermostat.stop_ps=1"])
    t.deck("a barostat beside a surface", "box with an open axis",
           ["barostat.kind=berendsen", 'structure.boundary=["periodic","periodic","open"]'])
    t.deck("an expansion of another word", "from 0.1 to 10, or \"measure\"", ["structure.thermal_expansion=measured"])
    t.deck("an expansion of no number", "from 0.1 to 10, or \"measure\"", ["structure.thermal_expansion=-1"])
    t.deck("an expansion at no temperature", "temperature.initial_k above 0",
           ["structure.thermal_expansion=measure", "temperature.initial_k=0"])
    two = ["electrons.model=two_temperature"]
    t.deck("electrons without a heat capacity", "electrons.heat_capacity_j_per_m3_k", two)
    t.deck("electrons with a table of negative numbers", "m.txt:2: found '5 -1 2'", [*two, "electrons.file=m.txt"],
           {"m.txt": "# T C k\n5 -1 2\n"})
    t.deck("electrons with a table out of order", "m.txt:2: found 300 K, expected more than 300", [*two, "electrons.file=m.txt"],
           {"m.txt": "300 1 2\r\n300 2 3\r\n"})
    t.deck("electrons with a table of one line", "found 1 lines of numbers", [*two, "electrons.file=m.txt"], {"m.txt": "300 1 2\n"})
    t.deck("electrons with too many cells", "at most 262144 cells",
           [*two, "electrons.heat_capacity_j_per_m3_k=1", "electrons.cells=[100,100,100]"])
    recoils = ["dose.method=recoils", "dose.recoil_energy_ev=100"]
    t.deck("a dose of an unknown way", "dose.method", ["dose.method=electrons"])
    t.deck("a dose without an energy", "dose.recoil_energy_ev", ["dose.method=recoils"])
    t.deck("a dose of two energies", "dose.recoil_energy_ev", [*recoils, "dose.spectrum_file=s.txt"], {"s.txt": "10 20 1\n"})
    t.deck("a dose with a spectrum that is not there", "nothere.txt: cannot be read", [recoils[0], "dose.spectrum_file=nothere.txt"])
    t.deck("a dose with a spectrum out of order", "s.txt:2: found a bin from 15 eV", [recoils[0], "dose.spectrum_file=s.txt"],
           {"s.txt": "10 20 1\r\n15 30 1\r\n"})
    t.deck("a dose that ended before it began", "dose.stop_dpa", [*recoils, "dose.before_dpa=0.1", "dose.stop_dpa=0.1"])
    t.deck("a dose beside a recoil", "recoils come from one of the two", recoils, deck=DECK + pka)
    t.deck("a dose that ends at no time", "dose.most_hot_ps", [*recoils, "dose.most_hot_ps=inf"])
    t.deck("an insertion without relaxation", "relax.max_steps", ["dose.method=insertion"])
    t.deck("an insertion beside heat", "nothing that moves or heats atoms", ["dose.method=insertion", "relax.max_steps=10"])
    t.deck("an insertion in a crystal without room", "found no place 1 Angstrom from all atoms",
           ["dose.method=insertion", "relax.max_steps=1", "structure.lattice_constant_angstrom=1.5", "structure.cells=[8,8,8]"],
           deck=DECK.partition("[temperature]")[0], code=1)  # nothing of the input alone says so
    t.deck("keys of a dose that is none", "dose.stop_dpa", ["dose.stop_dpa=0.1"])
    t.deck("a dose on the wafer", "dose.method", recoils, extra=["--target", "wafer"])
    t.deck("recoils of an element that there is not", "dose.recoil_element: found Re, expected an element among", [*recoils, "dose.recoil_element=Re"])
    both = ["potential.model=zhou_2004", 'potential.elements=["W","Ta"]']
    t.deck("recoils of an element without atoms", "recoils of Ta: found no such atom", [*both, *recoils, "dose.threshold_ev=90", "dose.recoil_element=Ta"])
    t.deck("swaps of one element", "0 with a potential of one element", ["swaps.every_steps=5"])
    t.deck("swaps without a second element", "found atoms of one element", [*both, "swaps.every_steps=5"])
    t.deck("swaps in frames that do not tell of them", "format h5md", [*both, "swaps.every_steps=5", "output.trajectory_every_steps=5"])
    t.deck("swaps on the wafer", "atoms keep their elements on the wafer", [*both, "swaps.every_steps=5"], extra=["--target", "wafer"])
    t.deck("stopping table missing", "nothere.dat: cannot be read", ["stopping.kind=table", "stopping.file=nothere.dat"])
    t.deck("recoil above the stopping table", "this one ends at 90 eV", ["stopping.kind=table", "stopping.file=s.dat"],
           {"s.dat": "10 1\n90 2\n"}, deck=DECK + pka)
    t.deck("stopping of another element", "the atoms are Ta",
           ["structure.element=Ta", "potential.model=zhou_2004", "stopping.kind=sqrt"])
    alloy = ["potential.model=zhou_2004", 'potential.elements=["W","Ta"]']
    t.deck("one coefficient for an alloy", "a column for each of W, Ta",
           [*alloy, "stopping.kind=sqrt", "stopping.coefficient_sqrt_ev_per_angstrom=0.2"])
    table = ["stopping.kind=table", "stopping.file=s.dat"]
    t.deck("one column for an alloy", "a table with 2 stopping powers a line, of W, Ta; this one has 1", [*alloy, *table],
           {"s.dat": "10 1\n90 2\n"})
    t.deck("two columns for one element", "a table with 1 stopping power a line, of W; this one has 2", table,
           {"s.dat": "10 1 1\n90 2 2\n"})
    t.deck("a stopping table whose columns change", "s.dat:2: found 1 stopping powers, expected 2", [*alloy, *table],
           {"s.dat": "10 1 1\n90 2\n"})
    t.deck("stopping table out of order", "s.dat:2: found energy 5", ["stopping.kind=table", "stopping.file=s.dat"],
           {"s.dat": "10 1\n5 2\n"})
    t.deck("stopping table of words", "s.dat:1: found 'ten 1'", ["stopping.kind=table", "stopping.file=s.dat"],
           {"s.dat": "ten 1\n"})
    t.deck("time step too long", "atoms lost", ["run.timestep_ps=100"])
    # Potentials
    t.deck("potential missing", "nothere.eam.alloy", ["potential.file=nothere.eam.alloy"])
    t.deck("file and model", "either a file or an analytic model", ["potential.file=p.eam.alloy", "potential.model=zhou_2004"])
    t.potential("potential truncated", "p.eam.alloy:10: found the end of the file", setfl({9: "9 4 2"}))
    t.potential("potential with NaN", "p.eam.alloy:8: found 'nan'", setfl({8: "4 nan 2 1 0"}))
    t.potential("potential of words", "p.eam.alloy:7: found 'zero'", setfl({7: "zero -1 -1.4 -1.7 -2"}))
    t.potential("negative cut-off", "p.eam.alloy:5: found -4", setfl({5: "5 0.5 5 1.0 -4.0"}))
    t.potential("negative table length", "p.eam.alloy:5: found -5", setfl({5: "5 0.5 -5 1.0 4.0"}))
    t.potential("cut-off beyond the table", "p.eam.alloy:5: found a cut-off of 99", setfl({5: "5 0.5 5 1.0 99"}))
    t.potential("wrong element", "found no element 'W', expected one of Ta", setfl({4: "1 Ta"}))
    t.potential("a number too many", "p.eam.alloy:7: found 6 numbers up to the end of this line", setfl({7: "0 -1 -1.4 -1.7 -2 0"}))
    t.potential("binary potential", "p.eam.alloy:1: found binary data", b"\x00\x01\x02" * 100)
    t.deck("format unknown from the name", "found a name that tells no format", ["potential.file=p.txt"], {"p.txt": setfl()})
    uf3 = {"p.uf3": "#UF3 POT UNITS: metal\n2B W W 0 3 uk\n4 8\n1 1 1 1 4 4 4 4\n4\n5 0 0 0\n#\n"}
    splines = ["potential.file=p.uf3"]
    t.deck("UF3 truncated", "p.uf3:7: found '2B', expected coefficients", splines, {"p.uf3": uf3["p.uf3"].replace("5 0 0 0\n#", "5 0 0\n2B")})
    t.deck("UF3 with a core", "potential.core", [*splines, "potential.core=zbl"], uf3)
    t.deck("UF3 resampled", "potential.table_points", [*splines, "potential.table_points=1000"], uf3)
    t.deck("UF3 on the wafer", "found a uf3 potential, whose ", splines, uf3, extra=["--target", "wafer"])
    t.deck("UF3 of another element", "found no element 'W', expected one of Ta", splines, {"p.uf3": uf3["p.uf3"].replace("W W", "Ta Ta")})
    lj = ["structure.element=Ar", "structure.lattice_constant_angstrom=5.3", "potential.model=lj/cut", "potential.sigma_angstrom=3.4"]
    t.deck("Lennard-Jones without a depth", "expected potential.epsilon_ev above 0", lj)
    t.deck("Lennard-Jones on the wafer", "found lj/cut, expected tables", [*lj, "potential.epsilon_ev=0.01"], extra=["--target", "wafer"])
    t.deck("Lennard-Jones whose lists come too late", "lists are too far apart (run.list_every_steps)",
           [*lj, "potential.epsilon_ev=0.01", "run.list_every_steps=1000", "run.steps=1000", "temperature.initial_k=100000"])
    persistent = ["run.launch=persistent"]
    t.deck("many steps a kernel on two ranks", 'run.launch = "persistent": found 2 ranks, expected one', persistent, ranks=2)
    t.deck("a graph a step with a thermostat", 'run.launch = "graph": found a thermostat, expected thermostat.kind',
           ["run.launch=graph", "thermostat.kind=langevin", "thermostat.temperature_k=300"], ranks=1)
    t.deck("many steps a kernel of triplets", "found a UF3 potential, expected embedded atoms", [*splines, *persistent], uf3, ranks=1)
    t.deck("many steps a kernel by half lists", "expected full or auto with run.launch", [*persistent, "run.neighbour_list=half"])
    lanes = "run.lanes_per_atom"
    t.deck("lanes that are no power of two", f"key '{lanes}' = 12: expected 0, 1, 2, 4, 8, 16 or 32", [f"{lanes}=12"])
    t.deck("more lanes than a warp has", f"key '{lanes}' = 64: expected", [f"{lanes}=64"])
    t.deck("lanes for half lists", f"expected full or auto with {lanes}", [f"{lanes}=8", "run.neighbour_list=half"])
    # States and checkpoints
    forces = ["forces", "state.data", "--potential", "p.eam.alloy", "--elements", "W", "--out", "out"]
    data = "t\n\n1 atoms\n1 atom types\n0 20 xlo xhi\n0 20 ylo yhi\n0 20 zlo zhi\n\nAtoms # atomic\n\n1 {} 1 1 1\n"
    for name, state, expected in [
            ("data file cut off", data.format(1).replace("1 atoms", "2 atoms"), "state.data"),
            ("data file with a type too many", data.format(2), "state.data"),
            ("two atoms in one place", data.format("1 1 1 1\n2 1").replace("1 atoms", "2 atoms"), "atoms 1 and 2 are 0 Angstrom apart"),
            ("an atom on another's image", data.format("1 21 1 -19\n2 1").replace("1 atoms", "2 atoms"), "atoms 1 and 2 are 0 Angstrom apart"),
            ("mass of another element", data.format(1).replace("\n\nAtoms", "\n\nMasses\n\n1 4.0026\n\nAtoms"),
             "found a mass of 4.0026 for type 1 (of He), expected 183.84"),
            ("name of another element", data.format(1).replace("\n\nAtoms", "\n\nMasses\n\n1 183.84 # Ta\n\nAtoms"),
             "found type 1 to be Ta, expected W"),
            ("triclinic data file", data.format(1).replace("\n\nAtoms", "\n1 0 0 xy xz yz\n\nAtoms"), "state.data")]:
        t.run(name, forces, expected, {"state.data": state, "p.eam.alloy": setfl()})
    far_apart = data.format("1 9e8 9e8 9e8\n2 1").replace("1 atoms", "2 atoms").replace("0 20", "0 1e9")
    t.run("atoms of a rank beyond what its lists can tell apart", forces, "expected at most 2e+07",
          {"state.data": far_apart, "p.eam.alloy": setfl()}, ranks=1)
    t.deck("checkpoint missing", "nothere.h5", extra=["--restart", "nothere.h5"])
    t.deck("checkpoint of another kind", "found another kind of file", files={"c.h5": "text"}, extra=["--restart", "c.h5"])
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "case.toml").write_text(DECK)
        subprocess.run([t.mpiexec, "-np", str(t.ranks), t.binary, "run", "case.toml", "--out", "good", "--set",
                        "output.checkpoint_every_steps=10"], cwd=folder, check=True, capture_output=True, stdin=subprocess.DEVNULL)
        whole = Path(folder, "good/checkpoint.h5").read_bytes()
    t.deck("checkpoint cut off", "c.h5", files={"c.h5": whole[:len(whole) // 2]}, extra=["--restart", "c.h5"])
    damaged = bytearray(whole)
    damaged[len(whole) // 2] ^= 0x10
    t.deck("checkpoint with a flipped bit", "c.h5", files={"c.h5": bytes(damaged)}, extra=["--restart", "c.h5"])
    # Output
    t.run("output folder is a file", ["run", "case.toml", "--out", "taken"], "--out taken: cannot be made", {"taken": "x"})
    t.run("output cannot be made", ["run", "case.toml", "--out", "/proc/nothing/here"], "--out /proc/nothing/here")
    half_written = []
    with tempfile.TemporaryDirectory() as full:
        if small_tmpfs(full):
            try:
                t.run("full disk", ["run", "case.toml", "--out", full + "/out", "--set", "output.checkpoint_every_steps=10",
                                    "--set", "structure.cells=[12,12,12]"], full + "/out/checkpoint.h5", code=1).result()  # no mistake in the input
                half_written = [*Path(full).rglob("*.tmp"), *Path(full).rglob("*.h5")]
                if half_written:
                    print("FAIL full disk: something was left half-written:", half_written)
            finally:
                subprocess.run(["umount", full], check=False)
        else:
            print("SKIPPED full disk: this user may not mount a small tmpfs")
    # Command lines
    t.run("option of the other target", ["run", "case.toml", "--out", "o", "--tiles", "8x8"], "--tiles: found --target cluster")
    t.run("option without a value", ["run", "case.toml", "--out", ""], "--out: found '', expected a folder")
    t.run("option of a word for a number", [*forces, "--skin", "1e999"], "--skin: found '1e999', expected a number above 0")
    t.run("unknown option", ["run", "case.toml", "--out", "o", "--speed", "fast"], "--speed")
    t.run("command unknown", ["rn", "case.toml"], "found 'rn', expected one of run, forces")
    t.run("no subcommand", [], "subcommand is required")
    t.run("deck missing", ["run", "nothere.toml", "--out", "o"], "nothere.toml: cannot be read")
    wafer = ["--target", "wafer"]
    t.deck("more atoms than the wafer has tiles", "at most 0 (or 0 with the crystal turned)",
           ["structure.cells=[1000,1000,1000]"], extra=wafer)
    t.deck("a column of a million cells", "structure.cells: found 2000000 atoms in a column", ["structure.cells=[1,1,1000000]"],
           extra=wafer)
    t.deck("a column that is too long to search", "expected at most 2000", ["structure.cells=[1,1,2000]"], extra=wafer)
    t.deck("more tiles than the emulator has memory for", "tiles, emulated by ",
           ["structure.cells=[2500,3300,6]", "wafer.changes=[\"grid.width.value=10000\",\"grid.height.value=10000\"]"], extra=wafer)
    two = ("two\n\n2 atoms\n1 atom types\n0 9 xlo xhi\n0 9 ylo yhi\n0 20 zlo zhi\n\nMasses\n\n1 183.84\n\nAtoms # atomic\n\n"
           "1 1 1 1 1\n2 1 1 1 4\n")
    in_a_file = '[structure]\nfile = "a.data"\nboundary = ["open", "open", "open"]\n'
    t.deck("a file with more atoms than tiles", "structure: found 2 atoms, expected at most 1", ["wafer.tiles=[1,1]"],
           files={"a.data": two}, deck=in_a_file, extra=wafer)
    t.deck("a file in a narrow box on the wafer", "structure: found 9 Angstrom along periodic axis x",
           ['structure.boundary=["periodic","periodic","periodic"]'], files={"a.data": two}, deck=in_a_file, extra=wafer)
    t.deck("a composition beside a file", "no structure.file beside it", ['structure.composition=["Re 0.1"]'],
           files={"a.data": two}, deck=in_a_file)
    t.deck("relaxation that fp32 does not reach", "relax.force_tolerance_ev_per_angstrom: found 1e-06", ["relax.max_steps=5"],
           extra=wafer)
    t.run("target unknown", ["run", "case.toml", "--out", "o", "--target", "moon"], "--target")
    good = []
    for run in t.runs:
        report, as_expected = run.result()
        print(report, flush=True)
        good.append(as_expected)
    print(f"{sum(good)} passed, {len(good) - sum(good)} failed")
    sys.exit(0 if all(good) and not half_written else 1)


if __name__ == "__main__":
    main()
