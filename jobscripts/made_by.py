"""What a result of a sweep was made by, and whether it is what would be made now: site, build, inputs, deck and ranks.

The folder of a run holds `sweep.json`, written before the run starts: the site, the build as the program's --version says it,
and a hash of every file that the run reads. The result itself says its build, its deck and its ranks.
"""
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

BUILD = ("version", "commit", "compiler", "flags", "kokkos", "backend", "mpi")
HASHED_WHOLE = 2**26  # bytes; of larger files (model weights) size and time stand for the content


class InputError(Exception):
    """Bad input: one line, exit code 2."""


def as_program(name, main):
    """Runs a script's main() and ends the process with its exit code."""
    try:
        sys.exit(main())
    except (InputError, OSError) as error:
        print(f"{name}: " + "".join(c if c.isprintable() else repr(c)[1:-1] for c in str(error)), file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)


def build_of(binary):
    """What `BINARY --version` says: {"version", "commit", ..., "backend"}; and the hash of the program itself, which alone
    tells two builds of changed sources apart."""
    environment = os.environ | {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
    try:
        done = subprocess.run([binary, "--version"], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
                              env=environment, errors="replace")
    except (OSError, subprocess.TimeoutExpired) as error:
        raise InputError(f"{binary} --version: {error}, expected a program that runs here") from None
    build = dict(line.split(": ", 1) for line in done.stdout.splitlines() if ": " in line)
    missing = [key for key in BUILD if key not in build]
    if done.returncode != 0 or missing:
        said = (done.stderr or done.stdout).strip().splitlines()[:1]
        raise InputError(f"{binary} --version: found no {', '.join(missing) or 'success'}{f' ({said[0]})' if said else ''}, "
                         "expected what this build is")
    return {key: build[key] for key in BUILD} | {"sha256": hash_of_program(Path(binary))}


def hash_of_program(binary):
    """Of a portable build, whose programs of each CPU level lie beside their launcher: of all of them."""
    launcher = binary.resolve()
    levels = sorted(launcher.parent.parent.glob(f"libexec/wafermark/*/{launcher.name}"))
    hashes = [hash_of(program) for program in (binary, *levels)]
    return hashlib.sha256("".join(hashes).encode()).hexdigest() if levels else hashes[0]


def hash_of(path):
    """Of a file's content; of a folder's files; of what a path says where there is nothing."""
    if path.is_dir():
        return hashlib.sha256(json.dumps([[p.name, hash_of(p)] for p in sorted(path.iterdir()) if p.is_file()]).encode()).hexdigest()
    try:
        status = path.stat()
        if status.st_size > HASHED_WHOLE:
            return f"{status.st_size} bytes of {status.st_mtime_ns}"
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return "not there"


def texts_in(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, (dict, list)):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from texts_in(inner)


def inputs_of(deck_file, deck, words):
    """{name: hash} of all files and folders that the deck or the command line name."""
    places = [Path(deck_file).resolve().parent, Path.cwd()] if deck_file else [Path.cwd()]
    found = {}
    for text in [*texts_in(deck), *(part for word in words for part in (word, word.partition("=")[2].strip("'\"")))]:
        if not text or "\0" in text or len(text) > 4000:
            continue
        for place in places:
            path = place / text
            if path.exists() and path.resolve() not in (place, Path("/")):
                found[text] = hash_of(path)
                break
    return found


def read_json(path):
    """A JSON object, None where there is none to be read."""
    try:
        document = json.loads(path.read_text())
    except (OSError, ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def first_difference(wanted, found, where=""):
    """Where `found` does not say what `wanted` says, in words; None where all of it stands there. Files may lie elsewhere:
    their content is compared by its hash."""
    if isinstance(wanted, dict) and isinstance(found, dict):
        for key, value in wanted.items():
            if key not in found:
                return f"{where}{key} is not set"
            problem = first_difference(value, found[key], f"{where}{key}.")
            if problem:
                return problem
        return None
    if isinstance(wanted, str) and isinstance(found, str):
        wanted, found = Path(wanted).name, Path(found).name
    return None if wanted == found else f"{where[:-1]} is {found!r}, not {wanted!r}"


def why_not_done(folder, record, ranks, deck, any_build=False):
    """Why there is no result here that can stand for what would be run now, in one line; "" where there is one."""
    result = read_json(folder / "result.json")
    if result is None:
        there = (folder / "result.json").exists()
        return "its result.json cannot be read" if there else "no result"
    build, machine = result.get("build"), result.get("machine")
    if not isinstance(build, dict) or not isinstance(machine, dict):
        return "its result.json does not say what made it"
    if result.get("status", "complete") != "complete":
        return f"incomplete ({result.get('status_note') or 'the run ended early'})"
    if result.get("valid") is not True:
        return "not valid"
    return (why_other_record(folder, record, any_build)
            or next((f"{key} is {build.get(key)!r}, not {record['build'][key]!r}" for key in BUILD
                     if key in record["build"] and build.get(key) != record["build"][key] and not any_build), "")
            or other_cpu_level(build, any_build)
            or ("" if machine.get("ranks") == ranks else f"it has {machine.get('ranks')} ranks, not {ranks}")
            or deck_difference(result, deck))


def other_cpu_level(build, any_build):
    wanted, found = os.environ.get("WAFERMARK_CPU_LEVEL"), build.get("cpu_level")
    return f"made by the program for {found}, not {wanted}" if wanted and found != wanted and not any_build else ""


def why_other_record(folder, record, any_build=False):
    """What `sweep.json` says of the start of this run against what would be started now."""
    made = read_json(folder / "sweep.json")
    if made is None:
        return "no sweep.json says where and by what it was made"
    if made.get("site") != record["site"]:
        return f"made on site {made.get('site')!r}, not {record['site']!r}"
    old, new = made.get("build"), record["build"]
    if not isinstance(old, dict):
        return "its sweep.json does not say what made it"
    for key in () if any_build else BUILD:
        if key in new and old.get(key) != new[key]:
            return f"{key} was {old.get(key)!r}, not {new[key]!r}"
    # The commit is that of the last configuration: sources may have changed since.
    if old.get("sha256") != new["sha256"] and not any_build:
        return f"made by another build of {new.get('commit', 'build/cluster-sim')}: the program has changed since"
    inputs = made.get("inputs") if isinstance(made.get("inputs"), dict) else {}
    changed = [name for name, value in record["inputs"].items() if inputs.get(name) != value]
    return f"{changed[0]} has changed since" if changed else ""


def deck_difference(result, deck):
    if not deck:
        return ""
    try:
        effective = tomllib.loads(result["deck"]["toml"])
    except (KeyError, TypeError, ValueError):
        return "its result.json has no deck"
    problem = first_difference(deck, effective)
    return f"its deck differs: {problem}" if problem else ""


def set_aside(folder):
    """Renames the folder to the first free NAME.old1, NAME.old2 ...; returns the new path."""
    number = 1
    while os.path.lexists(f"{folder}.old{number}"):
        number += 1
    return Path(shutil.move(folder, f"{folder}.old{number}"))


def write_record(folder, record):
    temporary = folder / "sweep.json.tmp"
    temporary.write_text(json.dumps(record, indent=1) + "\n")
    os.replace(temporary, folder / "sweep.json")
