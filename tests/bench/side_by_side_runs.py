"""Programs that the comparisons of this folder run in turn: one that fails ends the comparison with a line."""
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

SPARSE_LLAMA = Path(__file__).resolve().parents[2] / "build/release/apps/sparse_llama/sparse_llama"


def launch(command, environment=None):
    """What the command prints."""
    done = subprocess.run(command, capture_output=True, text=True, env=environment, stdin=subprocess.DEVNULL)
    if done.returncode:
        sys.exit(f"{Path(sys.argv[0]).stem}: {' '.join(command)} ended with exit code {done.returncode}: {done.stderr.strip()}")
    return done.stdout


def sparse_llama(binary, words, threads, ranks=1):
    """(result.json, what it prints) of `sparse_llama WORDS` on the cluster, `threads` for each rank."""
    binding = "spread" if ranks == 1 else "false"  # ranks know nothing of each other's cores
    environment = dict(os.environ, OMP_NUM_THREADS=str(threads), OMP_PROC_BIND=binding, OMP_PLACES="cores",
                       OMPI_MCA_hwloc_base_binding_policy="none", OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1")
    environment.pop("OPENBLAS_CORETYPE", None)  # prompts of dense matrices deserve the kernels of this CPU
    with tempfile.TemporaryDirectory() as out:
        printed = launch(["mpirun", "-np", str(ranks), binary, *map(str, words), "--out", out], environment)
        return json.loads(Path(out, "result.json").read_text()), printed
