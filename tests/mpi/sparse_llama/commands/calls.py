"""What tests of sparse_llama's commands share: SPARSE_LLAMA MPIEXEC on the command line, calls, outcomes."""
import json
import os
import subprocess
import sys
from pathlib import Path

binary, mpiexec = sys.argv[1:3]
failures = 0


def check(good, what):
    global failures
    print(("ok    " if good else "FAIL  ") + what, flush=True)
    failures += not good


def finish():
    print(f"{failures} failed")
    sys.exit(1 if failures else 0)


def call(*words, ranks=1):
    start = [mpiexec, "-np", str(ranks)] if ranks > 1 else []
    return subprocess.run([*start, binary, *map(str, words)], capture_output=True, text=True, stdin=subprocess.DEVNULL, env=os.environ)


def called(command, out, *words, ranks=1):
    """(result or None, its figures by name, how the program ended)"""
    done = call(command, *words, "--out", out, ranks=ranks)
    if done.returncode != 0:
        return None, {}, done
    record = json.loads((Path(out) / "result.json").read_text())
    return record, {f["name"]: f["value"] for f in record["figures"]}, done
