#!/usr/bin/env python3
"""The words of a job reach the program as they were given, whatever they hold, and none reaches a shell: job.sh and submit.sh
without a Slurm, with a program that writes down its words.

usage: test_words.py
"""
import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

SLURM = Path(__file__).resolve().parents[2] / "jobscripts/slurm"
RECORDER = """#!/bin/sh
printf '%s\\0' "$@" >"$RECORD"
"""
AWKWARD = ["plain", "two words", "", "it's", 'a "b"', "$HOME", "$(touch ran)", "`touch ran`", "; touch ran", "*", "a\\b", "\\",
           "title='x; touch ran'", "run.steps=1#c", "grün", "-n", "%s"]


def main():
    problems = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        recorder, record, site = folder / "recorder", folder / "record", folder / "site.sh"
        recorder.write_text(RECORDER)
        recorder.chmod(0o755)
        site.write_text(f"launch=({shlex.quote(str(recorder))})\nranks_per_node=1\nsbatch_options=()\n")
        environment = {**os.environ, "RECORD": str(record), "SLURM_ARRAY_TASK_ID": "1"}

        def call(script, *words):
            record.unlink(missing_ok=True)
            done = subprocess.run(["bash", SLURM / script, *words], cwd=folder, env=environment, stdin=subprocess.DEVNULL,
                                  capture_output=True, text=True)
            got = record.read_bytes().decode().split("\0")[:-1] if record.exists() else None
            return done, got

        command = ["program", "run", *AWKWARD, "--out", "o ut"]
        (folder / "cases").write_text("other words --out x\n" + shlex.join(command) + "\n")
        for words in (command, ["--cases", "cases"]):
            done, got = call("job.sh", str(site), *words)
            if got != command:
                problems.append(f"job.sh {words[0]}: the program got {got}: {done.stderr}")
        done, got = call("job.sh", str(site), "program", "--out=o")
        if got != ["program", "--out=o"]:
            problems.append(f"job.sh --out=o: the program got {got}: {done.stderr}")

        bad = ["program", "run", "--set", "title=a\n touch ran", "--out", "o"]
        (folder / "bad").write_text("first\n" + shlex.join(bad) + "\n")
        (folder / "quote").write_text("first\nprogram 'run --out o\n")
        for script, words in (("job.sh", [str(site), *bad]), ("job.sh", [str(site), "--cases", "bad"]),
                              ("job.sh", [str(site), "--cases", "quote"]),
                              ("submit.sh", [str(site), "--dry-run", "--ranks", "1", "--", *bad]),
                              ("submit.sh", [str(site), "--dry-run", "--ranks", "1", "--comment=a\nb", "--", "run"])):
            done, got = call(script, *words)
            said = [line for line in done.stderr.splitlines() if line.startswith(script)]
            if done.returncode != 2 or got is not None or len(said) != 1:
                problems.append(f"{script} {words}: exit code {done.returncode}, ran {got}: {done.stderr}")
        done, got = call("submit.sh", str(site), "--dry-run", "--ranks", "1", "--", *command)
        if done.returncode != 0 or shlex.split(done.stdout.replace("$'gr\\303\\274n'", "grün"))[-len(command):] != command:
            problems.append(f"submit.sh --dry-run prints {done.stdout} {done.stderr}")
        if (folder / "ran").exists():
            problems.append("a word was run by a shell")
    for problem in problems:
        print("FAIL", problem)
    print("all words as they were given" if not problems else f"{len(problems)} problems")
    sys.exit(bool(problems))


main()
