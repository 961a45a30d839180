"""Runs of the programs with a fault in them (inject.cpp), and what is to be said of how they end."""
import hashlib
import json
import os
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

import h5py

LAUNCHER_SECONDS = 40  # that mpiexec may take when no rank is there (any more)
LIMIT_SECONDS = 120  # of one run, on a loaded machine; all of them take a second or two
TRACES = ("terminate called", "what():", "Segmentation fault", "Process received signal", "Assertion", "HDF5-DIAG",
          "bad_alloc", "Traceback", "AddressSanitizer", "stack smashing", "double free", "corrupted")  # fmt: skip
RUN_FILES = ("result.json", "checkpoint", "state", "lock", ".")  # beginnings of names of what is no output
MPI_ENVIRONMENT = {
    "OMPI_ALLOW_RUN_AS_ROOT": "1",
    "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
    "OMPI_MCA_rmaps_base_oversubscribe": "1",
    "OMPI_MCA_btl_vader_single_copy_mechanism": "none",
    "OMPI_MCA_mpi_yield_when_idle": "1",
    "OMP_NUM_THREADS": "1",
    "OMP_PROC_BIND": "false",
}


@dataclass(frozen=True)
class Program:
    """A command line with `{out}` for its folder; `restart`: what it is given to go on."""

    name: str
    words: tuple
    restart: tuple
    ranks: int
    mpiexec: str
    folder: Path  # where it runs

    def command(self, out, going_on=False):
        words = [w.replace("{out}", str(out)) for w in (*self.words, *(self.restart if going_on else ()))]
        return words if self.ranks == 1 else [self.mpiexec, "-np", str(self.ranks), *words]

    @property
    def process_name(self):
        return Path(self.words[0]).name


@dataclass(frozen=True)
class Fault:
    """What inject.cpp is told; `k` 0 only counts."""

    library: str
    call: str
    k: int
    how: str = "error"
    rank: int = 0
    more: dict = field(default_factory=dict)

    def environment(self, program, out, count_file=""):
        return {"LD_PRELOAD": self.library, "FAULT_PROGRAM": program.process_name[:15], "FAULT_CALL": self.call,
                "FAULT_K": str(self.k), "FAULT_HOW": self.how, "FAULT_RANK": str(self.rank), "FAULT_PATH": str(out),
                "FAULT_COUNT": str(count_file)} | self.more  # fmt: skip

    def __str__(self):
        more = "".join(f", {k.removeprefix('FAULT_').lower()} {v}" for k, v in self.more.items())
        return f"{self.how} at {self.call} {self.k} on rank {self.rank}{more}"


@dataclass
class Ended:
    """How a run ended and what it said on stderr. `code` None: it hung and was killed."""

    code: int | None
    text: str

    def message(self, program):
        """Lines that the program itself printed as its error."""
        return [line for line in self.text.splitlines() if line.startswith(f"{program.process_name}: ")]


def start(program, out, environment=None, going_on=False):
    return subprocess.Popen(program.command(out, going_on), cwd=program.folder, stdin=subprocess.DEVNULL,
                            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True,
                            env=os.environ | MPI_ENVIRONMENT | (environment or {}))  # fmt: skip


def finish(process, program, seconds=LIMIT_SECONDS):
    """`code` 143 where all ranks are gone and mpiexec alone hangs: Open MPI's now and then does, in
    PMIx_server_finalize, when ranks are killed (a lock of its own); a batch system would see the job end."""
    end, gone = time.time() + seconds, None
    while True:
        try:
            _, text = process.communicate(timeout=0.5 if program.ranks > 1 else seconds)
            return Ended(process.returncode, text.decode(errors="replace"))
        except subprocess.TimeoutExpired:
            gone = None if ranks_of(process, program) else gone or time.time()
            launcher_alone = program.ranks > 1 and gone is not None and time.time() - gone > LAUNCHER_SECONDS
            if not launcher_alone and time.time() < end:
                continue
            os.killpg(process.pid, signal.SIGKILL)
            _, text = process.communicate()
            text = text.decode(errors="replace")
            if launcher_alone:
                print(f"note: mpiexec hung after its ranks had ended: {program.name}", flush=True)
                return Ended(128 + signal.SIGTERM, text)
            return Ended(None, text)


def run(program, out, environment=None, going_on=False):
    return finish(start(program, out, environment, going_on), program)


def ranks_of(process, program):
    """Process numbers of the ranks, by the session that they run in."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            name, rest = (entry / "stat").read_text().rsplit(")", 1)
            words = rest.split()
            if name.partition("(")[2] == program.process_name[:15] and int(words[3]) == process.pid and words[0] != "Z":
                found.append(int(entry.name))
        except (OSError, ValueError, IndexError):
            continue
    return sorted(found)


def content_of(path):
    """A hash of a file; of an HDF5 file of what its datasets hold, since its layout knows of restarts."""
    digest = hashlib.sha256()
    if path.suffix != ".h5":
        return hashlib.sha256(path.read_bytes()).hexdigest()
    try:
        with h5py.File(path) as file:
            found = []
            file.visititems(lambda name, item: found.append(name) if isinstance(item, h5py.Dataset) else None)
            for name in sorted(found):
                digest.update(name.encode() + str(file[name].shape).encode() + file[name][...].tobytes())
    except (OSError, RuntimeError, KeyError):
        return "unreadable"
    return digest.hexdigest()


def outputs_of(out):
    """{name: content} of all that a run leaves for its user, and the physics of its result."""
    files = {}
    for path in sorted(Path(out).rglob("*")):
        if path.is_file() and not path.name.startswith(RUN_FILES):
            files[str(path.relative_to(out))] = content_of(path)
    result = read_result(out)
    for key in ("recoils", "defects", "energy_ledger_ev", "tokens"):
        if key in result:
            files[f"result.json: {key}"] = json.dumps(result[key])
    for figure in result.get("figures", []):
        if figure["name"] in ("energy_per_atom_end_ev", "perplexity", "atoms"):
            files[f"result.json: {figure['name']}"] = figure["value"]
    return files


def read_result(out):
    try:
        return json.loads((Path(out) / "result.json").read_text())
    except FileNotFoundError:
        return {}


def says_done(out):
    """Whether result.json passes for that of a run that did all it was to do."""
    result = read_result(out)
    return bool(result) and result["valid"] and result.get("status", "complete") == "complete"


def difference(found, wanted):
    """The first output that is not as in the reference; "" where all are."""
    for name in sorted(set(found) | set(wanted)):
        if found.get(name) != wanted.get(name):
            return f"{name} {'is missing' if name not in found else 'was not there' if name not in wanted else 'differs'}"
    return ""


def judge(program, out, ended, reference, killed=False):
    """What is wrong with how a run with a fault ended; "" where nothing is."""
    right = not difference(outputs_of(out), reference)
    if ended.code is None:
        return "it hung"
    if ended.code == 0:
        return "" if right else f"exit code 0, and {difference(outputs_of(out), reference)}"
    if says_done(out) and not right:
        return f"exit code {ended.code}, and the result says valid and complete"
    if killed:
        return ""
    trace = next((t for t in TRACES if t in ended.text), None)
    if ended.code not in (1, 2) or trace:
        return f"exit code {ended.code}{f', and {trace!r}' if trace else ''}"
    lines = ended.message(program)
    return "" if len(lines) == 1 else f"{len(lines)} lines of its own in place of one"


def goes_on(program, out, reference):
    """What is wrong with going on after a fault; "" where the run ends bit for bit as one without."""
    ended = run(program, out, going_on=True)
    if ended.code != 0:
        return f"going on: exit code {ended.code}: {' / '.join(ended.message(program)) or ended.text[-300:]}"
    if not says_done(out):
        return "going on: the result is not valid and complete"
    problem = difference(outputs_of(out), reference)
    return f"going on: {problem}" if problem else ""


def fresh(out):
    shutil.rmtree(out, ignore_errors=True)
    return out


def chain(program, out, reference, random, longest):
    """Signals at random moments until the run is done: (signals sent, what is wrong or "")."""
    sent = 0
    fresh(out)
    while True:
        process = start(program, out, going_on=sent > 0)
        time.sleep(random.uniform(0, longest * (1 + sent / 4)))
        number = random.choice((signal.SIGTERM, signal.SIGKILL))
        ranks = ranks_of(process, program)
        chosen = ranks if number == signal.SIGTERM or random.random() < 0.5 else ranks[-1:]
        for rank in chosen:
            try:
                os.kill(rank, number)
            except ProcessLookupError:
                pass
        ended = finish(process, program)
        sent += bool(chosen)
        if ended.code is None:
            return sent, "it hung"
        if number == signal.SIGTERM and chosen and ended.code not in (0, 1, 2, 143, 128 + signal.SIGTERM, -signal.SIGTERM):
            return sent, f"exit code {ended.code} after SIGTERM: {ended.text[-200:]}"
        if ended.code in (1, 2) and number == signal.SIGTERM and len(ended.message(program)) != 1:
            return sent, f"exit code {ended.code} without one line: {ended.text[-300:]}"
        if says_done(out):
            problem = difference(outputs_of(out), reference)
            return sent, problem
        if sent > 60:
            return sent, "it never ends"
