#!/usr/bin/env python3
"""Injected faults: one call of a running program fails, or the process is killed there. The run then ends right, bit for
bit, or in one line with exit code 1 or 2; no result says valid and complete that is not; and going on afterwards ends bit
for bit as a run without the fault. Prints a table for docs/reliability.md.

usage: test_faults.py INJECT.so TUNGSTEN_MD SPARSE_LLAMA MPIEXEC [--long] [--seed N] [--only WORD] [--fault WORD]
       [--keep FOLDER]
"""
import argparse
import concurrent.futures
import itertools
import random
import shutil
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

from fault_runs import Fault, Program, chain, difference, fresh, goes_on, judge, outputs_of, run

DECK = """[structure]
lattice_constant_angstrom = 3.1652
cells = [4, 4, 4]
[run]
steps = 40
timestep_ps = 0.001
[temperature]
initial_k = 300.0
draw_k = 600.0
[stopping]
kind = "sqrt"
[[pka]]
energy_ev = 40.0
time_ps = 0.005
[output]
thermo_every_steps = 5
trajectory_every_steps = 10
trajectory_formats = ["h5md", "dump", "xyz"]
defects_every_steps = 10
checkpoint_every_steps = 10
start_state = true
final_state = true
[check]
energy_tolerance_ev_per_atom = 1.0
"""
TRAINING = """[text]
train = "text.txt"
heldout = "text.txt"
tokenizer = "{source}/inputs/llama/dense/tokenizer.model"
[model]
dim = 16
layers = 1
heads = 2
kv_heads = 2
hidden = 32
context = 32
[training]
steps = 6
batch_sequences = 2
sequence_tokens = 32
learning_rate = 5e-3
warmup_steps = 1
final_rate = 0.1
weight_decay = 0.1
seed = 1
"""
SOURCE = Path(__file__).resolve().parents[2]
FILE_CALLS = ("open", "write", "fsync", "rename", "close")
SHORT_TRIES = 3  # of each kind of fault, spread over all calls; --long: LONG_TRIES
LONG_TRIES = 25
FULL_DISK_TRIES = 8  # at least, on several ranks: of few places HDF5 leaves a file that can be read but not written on
CHAINS = {False: 4, True: 50}
WORKERS = 4  # a run that fails waits for mpiexec more than it computes


class Outcomes:
    """Counts by row of the table, and what failed."""

    def __init__(self):
        self.rows, self.failures = defaultdict(lambda: [0, 0]), []

    def add(self, program, what, detail, problem):
        row = self.rows[program.name, what]
        row[0] += 1
        row[1] += bool(problem)
        if problem:
            self.failures.append(f"{program.name}, {detail}: {problem}")
            print(f"FAIL {self.failures[-1]}", flush=True)

    def table(self):
        lines = ["| run | fault | tried | not right |", "|---|---|---|---|"]
        return "\n".join(lines + [f"| {p} | {w} | {n} | {bad} |" for (p, w), (n, bad) in self.rows.items()])


def spread(count, tries):
    """So many numbers from 1 to `count`, the first and the last among them."""
    if count <= tries:
        return list(range(1, count + 1))
    return sorted({1 + round(i * (count - 1) / (tries - 1)) for i in range(tries)})


class Faults:
    def __init__(self, options, folder):
        self.options, self.folder, self.outcomes = options, folder, Outcomes()
        self.number = itertools.count()
        self.pool = concurrent.futures.ThreadPoolExecutor(WORKERS)

    def new_folder(self):
        return self.folder / f"out{next(self.number)}"

    def programs(self):
        o = self.options
        (self.folder / "case.toml").write_text(DECK)
        (self.folder / "text.txt").write_text("In the beginning was the word, and a second one. " * 40)
        (self.folder / "train.toml").write_text(TRAINING.format(source=SOURCE))
        model = str(SOURCE / "inputs/llama/sparse70")

        def md(ranks):
            words = (o.tungsten_md, "run", "case.toml", "--out", "{out}")
            return Program(f"tungsten_md run, {ranks} rank{'s' * (ranks > 1)}", words, ("--restart", "auto"), ranks,
                           o.mpiexec, self.folder)  # fmt: skip

        def llama(name, words, restart=()):
            return Program(f"sparse_llama {name}", (o.sparse_llama, *words), restart, 1, o.mpiexec, self.folder)

        # A run that failed in its last moment may have left a result, which is not written over unasked.
        overwrite = ("--overwrite",)
        return [
            md(1),
            md(2),
            llama("train", ("train", "train.toml", "--out", "{out}"), ("--restart",)),
            llama("run", ("run", "--model", model, "--prompt", "And", "--tokens", "4", "--out", "{out}"), overwrite),
            llama("prune", ("prune", model, "--sparsity", "0.8", "--method", "magnitude", "--out", "{out}"), overwrite),
        ]

    def reference(self, program):
        out = self.new_folder()
        ended = run(program, out)
        outputs = outputs_of(out)
        again = self.new_folder()
        run(program, again)
        problem = difference(outputs_of(again), outputs)
        if ended.code != 0 or problem:
            self.outcomes.add(program, "no fault", "no fault", f"exit code {ended.code}, {problem}: {ended.text[-300:]}")
            return None
        return outputs

    def count(self, program, call, rank, more):
        """How many calls of a kind a whole run makes on a rank."""
        out, file = self.new_folder(), self.folder / f"count{next(self.number)}"
        fault = Fault(self.options.inject, call, 0, rank=rank, more=more)
        run(program, out, fault.environment(program, out, file))
        fresh(out)
        return int(file.read_text()) if file.exists() else 0

    def try_one(self, program, reference, fault, what):
        out = self.new_folder()
        ended = run(program, out, fault.environment(program, out))
        problem = judge(program, out, ended, reference, fault.how == "kill")
        if not problem and ended.code != 0:
            problem = goes_on(program, out, reference)
        if not (problem and self.options.keep):
            fresh(out)
        self.outcomes.add(program, what, f"{fault}{f' ({out})' if self.options.keep else ''}", problem)

    def kinds(self, program):
        """(call, how, rank, more environment, what the table calls it)."""
        last = program.ranks - 1
        for call in FILE_CALLS:
            yield call, "error", 0, {}, f"{call} fails"
        yield "write", "full", 0, {}, "disk full from a write on"
        yield "write", "full", 0, {"FAULT_ERRNO": "5"}, "I/O errors from a write on"
        yield "rename", "kill", 0, {}, "SIGKILL at a rename"
        yield "write", "kill", last, {}, "SIGKILL at a write"
        yield "allocate", "error", last, {"FAULT_BYTES": "65536"}, "allocation fails"
        if program.ranks > 1:
            yield "mpi", "error", 0, {}, "MPI call fails on rank 0"
            yield "mpi", "error", last, {}, f"MPI call fails on rank {last}"
            yield "write", "error", last, {}, f"write fails on rank {last}"

    def faults(self, program, reference):
        tries = LONG_TRIES if self.options.long else SHORT_TRIES
        waiting = []
        for call, how, rank, more, what in self.kinds(program):
            if self.options.fault and self.options.fault not in what:
                continue
            calls = self.count(program, call, rank, more)
            everything = call == "rename" and self.options.long
            more_tries = FULL_DISK_TRIES if how == "full" and program.ranks > 1 else 0
            for k in spread(calls, 10**6 if everything else max(tries, more_tries)):
                fault = Fault(self.options.inject, call, k, how, rank, more)
                waiting.append(self.pool.submit(self.try_one, program, reference, fault, what))
        for done in waiting:
            done.result()

    def chains(self, program, reference, count):
        def one(seed):
            out = self.new_folder()
            sent, problem = chain(program, out, reference, random.Random(seed), 1.0)
            self.outcomes.add(program, "chain of SIGTERM and SIGKILL at random", f"seed {seed}, {sent} signals", problem)
            if not (problem and self.options.keep):
                fresh(out)

        list(self.pool.map(one, range(self.options.seed, self.options.seed + count)))

    def all(self):
        for program in self.programs():
            if self.options.only and self.options.only not in program.name:
                continue
            reference = self.reference(program)
            if reference is None:
                continue
            self.faults(program, reference)
            if "tungsten_md" in program.name and (self.options.fault or "chain") in "chain":
                self.chains(program, reference, CHAINS[self.options.long] // 2)
        return self.outcomes


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("inject", "tungsten_md", "sparse_llama", "mpiexec"):
        parser.add_argument(name)
    parser.add_argument("--long", action="store_true", help="many more places of each fault, and all renames: minutes")
    parser.add_argument("--seed", type=int, default=1, help="of the first chain")
    parser.add_argument("--only", help="programs whose name holds this word")
    parser.add_argument("--fault", help="kinds of fault whose name in the table holds this word")
    parser.add_argument("--keep", type=Path, help="leave the folders of what is not right here")
    options = parser.parse_args()
    folder = Path(options.keep or tempfile.mkdtemp(prefix="wafermark-faults-")).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    try:
        outcomes = Faults(options, folder).all()
    finally:
        if not options.keep:
            shutil.rmtree(folder, ignore_errors=True)
    print(outcomes.table())
    print(f"{sum(n for n, _ in outcomes.rows.values())} tried, {len(outcomes.failures)} not right")
    return 1 if outcomes.failures or not outcomes.rows else 0


if __name__ == "__main__":
    sys.exit(main())
