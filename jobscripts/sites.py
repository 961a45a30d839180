"""What a site's file (slurm/sites/SITE.sh) says to sweep.py: its back ends and its scheduler."""
import os
import subprocess
from pathlib import Path

from made_by import InputError
from schedulers import SCHEDULERS

JOBSCRIPTS = Path(__file__).resolve().parent


def setting_of(site, name, default):
    """A setting of the site's file, in words."""
    path = Path(site) if os.path.exists(site) else JOBSCRIPTS / f"slurm/sites/{site}.sh"
    if not path.is_file():
        known = ", ".join(sorted(p.stem for p in (JOBSCRIPTS / "slurm/sites").glob("*.sh")))
        raise InputError(f"--site {site}: not found, expected a file or one of: {known}")
    script = f'{name}="{default}"; . "$0" 2>/dev/null; printf %s "${name}"'
    done = subprocess.run(["bash", "-c", script, str(path.resolve())], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    return done.stdout.split()


def backends_of(site):
    """Back ends that a build for this site may have: the site file's, else those of CPUs."""
    return None if site is None else setting_of(site, "backends", "OpenMP Threads Serial")


def scheduler_of(site):
    (name,) = setting_of(site, "scheduler", "slurm") or [""]
    if name not in SCHEDULERS:
        raise InputError(f"--site {site}: found scheduler {name!r}, expected one of: {', '.join(SCHEDULERS)}")
    return SCHEDULERS[name]
