#!/usr/bin/env python3
"""An MPI call that fails on one rank ends the job within seconds, with one line that names rank and call.

usage: test_mpi_failures.py TUNGSTEN_MD SPARSE_LLAMA MODEL MPIEXEC LIBRARY (failing_mpi.cpp, for LD_PRELOAD)
"""
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

DECK = """title = "tiny"
[structure]
lattice_constant_angstrom = 3.1652
cells = [8, 8, 8]
[run]
steps = 40
timestep_ps = 0.003
[temperature]
initial_k = 2000.0
[output]
final_state = true
"""
SLAB = DECK.replace("cells = [8, 8, 8]", 'cells = [8, 8, 3]\nboundary = ["periodic", "periodic", "open"]')
SECONDS = 25  # two of patience, the rest for two loaded cores


def end_of(name, command, call, number):
    """What is to be said of one run whose rank 1 of 2 has a failing call."""
    with tempfile.TemporaryDirectory() as folder:
        for file, text in (("case.toml", DECK), ("slab.toml", SLAB)):
            (Path(folder) / file).write_text(text)
        environment = dict(os.environ, LD_PRELOAD=library, WAFERMARK_FAIL_MPI=f"{call}:{number}:1",
                           ASAN_OPTIONS=os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0")
        begin = time.monotonic()
        try:
            done = subprocess.run([mpiexec, "-np", "2", *command], cwd=folder, env=environment, timeout=120,
                                  stdin=subprocess.DEVNULL, capture_output=True, text=True)
        except subprocess.TimeoutExpired:
            return f"FAIL {name}, {call} {number}: still there after 120 s", False
        seconds = time.monotonic() - begin
    program = Path(command[0]).name
    lines = [line for line in done.stderr.splitlines() if line.startswith(f"{program}: ")]
    wanted = f"rank 1 of 2: {call}: "
    good = done.returncode == 1 and len(lines) == 1 and wanted in lines[0] and seconds < SECONDS
    what = lines[0] if lines else done.stderr[-600:]
    return f"{'ok  ' if good else 'FAIL'} {name}, {call} {number}: exit {done.returncode}, {seconds:.0f} s: {what}", good


md, llama, model, mpiexec, library = sys.argv[1:6]
run = [md, "run", "case.toml", "--out", "out"]
tile_run = [md, "run", "slab.toml", "--out", "out", "--target", "wafer", "--set", "run.steps=10"]
decode = [llama, "run", "--model", model, "--prompt-tokens", "4", "--tokens", "8", "--out", "out"]
cases = [("start", run, "MPI_Comm_dup", 2), ("first distribution", run, "MPI_Alltoallv", 1),
         ("migration", run, "MPI_Isend", 1), ("number of ghosts", run, "MPI_Irecv", 2), ("ghosts", run, "MPI_Waitall", 7),
         ("ghosts of a run", run, "MPI_Isend", 30), ("ghosts of a run", run, "MPI_Irecv", 30),
         ("ghosts of a run", run, "MPI_Waitall", 30), ("sums over ranks", run, "MPI_Allreduce", 30),
         ("tiles' borders", tile_run, "MPI_Isend", 5), ("tiles' borders", tile_run, "MPI_Irecv", 5),
         ("tiles' borders", tile_run, "MPI_Waitall", 5), ("broadcast", decode, "MPI_Bcast", 1),
         ("weights", decode, "MPI_Allreduce", 12), ("sums of a layer", decode, "MPI_Allreduce", 40)]
with ThreadPoolExecutor(4) as pool:
    ends = list(pool.map(lambda case: end_of(*case), cases))
    # A file that cannot be written is told by all ranks together.
    ends.append(end_of("final state", run, "MPI_File_write_at_all", 1))
print("\n".join(text for text, _ in ends))
sys.exit(not all(good for _, good in ends))
