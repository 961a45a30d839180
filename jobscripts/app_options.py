"""What the apps say of themselves, asked before anything is queued."""
import difflib
import re
import subprocess

from made_by import InputError

OWN_OPTIONS = ("--ranks", "--app", "--target", "--weak", "--grow", "--repeats", "--out", "--binary", "--site", "--machine", "--sbatch",
               "--any-build", "--prepare", "--collect", "--report", "--parallel")


def known_to_the_app(binary, app, deck, passed):
    """Refuses options that `run` of the app has not, and a deck that `info` refuses: a slip of the pen fails here, not in a queue."""
    known = set(re.findall(r"--[\w-]+", subprocess.run([binary, "run", "--help"], capture_output=True, text=True).stdout))
    for word in passed if known else ():
        name = word.split("=")[0]
        if name.startswith("--") and name not in known:
            near = difflib.get_close_matches(name, [*known, *OWN_OPTIONS], 1)
            raise InputError(f"{name}: unknown here and to {app} run" + (f", expected {near[0]}?" if near else ""))
    if deck and known and "info" in subprocess.run([binary, "--help"], capture_output=True, text=True).stdout:
        settings = [w for k, w in enumerate(passed) if w == "--set" or w.startswith("--set=") or k and passed[k - 1] == "--set"]
        done = subprocess.run([binary, "info", deck, *settings], stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if done.returncode == 2:
            raise InputError((done.stderr.strip().splitlines() or ["the deck is refused"])[-1])
