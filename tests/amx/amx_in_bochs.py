#!/usr/bin/env python3
"""Runs the check of AMX (check.cpp) on the Sapphire Rapids that Bochs emulates; exit code 77 where there is no Bochs with AMX.

Bochs 3.0 or newer with its terminal display: Debian's packages bochs and bochs-term, installed, or unpacked with ncurses-base and
what they depend on (`dpkg-deb -x FILE.deb FOLDER` for each, links bin, lib and lib64 to those in usr) into the folder that
WAFERMARK_BOCHS names, in which it is then started by chroot (as root).

usage: amx_in_bochs.py CMAKE BUILD_FOLDER DISK_IMAGE
"""
import os
import pty
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

cmake, build, disk = sys.argv[1], sys.argv[2], Path(sys.argv[3])
folder = Path(os.environ.get("WAFERMARK_BOCHS", "/"))
program = "/usr/bin/bochs-bin"  # Debian's own name; bochs starts it
SECTORS, HEADS, CYLINDERS = 63, 16, 4
CONFIGURATION = """
display_library: term
cpu: model=sapphire_rapids, count=1, ips=50000000, reset_on_triple_fault=0
memory: guest=256, host=256
romimage: file=/usr/share/bochs/BIOS-bochs-latest, options=fastboot
vgaromimage: file=/usr/share/bochs/VGABIOS-lgpl-latest
ata0-master: type=disk, path={disk}, mode=flat, cylinders={cylinders}, heads={heads}, spt={sectors}
boot: disk
com1: enabled=1, mode=file, dev={serial}
log: {log}
panic: action=fatal
error: action=report
"""


def skip(why):
    print(f"skipped: {why}")
    sys.exit(77)


def words(*arguments):
    return ([] if folder == Path("/") else ["chroot", folder]) + [program, *arguments]


def inside(path):
    """As Bochs sees it."""
    return f"/{Path(path).relative_to(folder)}"


environment = dict(os.environ, TERM="linux")
if not Path(f"{folder}/{program}").exists():
    skip(f"{folder}/{program}: not found, expected Bochs 3.0 or newer (WAFERMARK_BOCHS=FOLDER)")
models = subprocess.run(words("--help", "cpu"), env=environment, capture_output=True, text=True, stdin=subprocess.DEVNULL)
if "sapphire_rapids" not in models.stdout + models.stderr:
    skip(f"{program}: knows no sapphire_rapids, expected Bochs 3.0 or newer")
subprocess.run([cmake, "--build", build, "--target", "amx_disk"], check=True)

with tempfile.TemporaryDirectory(dir=folder / "tmp") as scratch:
    image, serial, log = (Path(scratch) / name for name in ("disk", "serial", "log"))
    image.write_bytes(disk.read_bytes().ljust(512 * SECTORS * HEADS * CYLINDERS, b"\0"))
    configuration = Path(scratch) / "bochsrc"
    configuration.write_text(CONFIGURATION.format(disk=inside(image), serial=inside(serial), log=inside(log), cylinders=CYLINDERS,
                                                  heads=HEADS, sectors=SECTORS))
    commands = Path(scratch) / "commands"
    commands.write_text("c\nq\n")  # of Bochs' debugger
    display, terminal = pty.openpty()

    def drain():
        try:
            while os.read(display, 65536):
                pass
        except OSError:
            pass

    threading.Thread(target=drain, daemon=True).start()
    bochs = subprocess.Popen(words("-q", "-f", inside(configuration), "-rc", inside(commands)), env=environment, stdin=terminal, stdout=terminal, stderr=terminal,
                             start_new_session=True)
    os.close(terminal)
    try:
        bochs.wait(timeout=1500)
    except subprocess.TimeoutExpired:
        bochs.kill()
        bochs.wait()
    said = serial.read_text(errors="replace") if serial.exists() else ""
    print(said, end="")
    if not said.endswith("passed\n"):
        print(log.read_text(errors="replace")[-4000:] if log.exists() else "no log of Bochs")
        sys.exit("expected 'passed' as the last line")
