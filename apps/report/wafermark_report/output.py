"""Files that the report writes: under a temporary name beside them, then renamed; never in place of an input."""
import contextlib
import os
import stat
import tempfile
from pathlib import Path

from . import documents
from .errors import InputError

PAGES = (".html", ".htm", ".pdf", ".svg", ".png")  # beside a result these are the report's own


def check_output(path, option="-o"):
    """What can be known before any work: the folder is there, and nothing but a regular file is replaced. Returns the
    path that is written to: a symbolic link stays, and the file that it names is written."""
    target = Path(os.path.realpath(path))
    if not target.parent.is_dir():
        raise InputError(f"{option} {path}: found no folder {target.parent}, expected one that is there")
    try:
        status = os.lstat(target)
    except FileNotFoundError:
        return target
    except OSError as error:
        raise InputError(f"{option} {path}: {error.strerror}") from None
    if not stat.S_ISREG(status.st_mode):
        kind = documents.kind_of_file(status.st_mode) if not stat.S_ISLNK(status.st_mode) else "a link in a circle"
        raise InputError(f"{option} {path}: found {kind}, expected a regular file or a new name")
    if (status.st_dev, status.st_ino) in documents.read_here:
        raise InputError(f"{option} {path}: found a file that is read here, expected another name")
    if (target.parent / "result.json").exists() and target.suffix not in PAGES:
        raise InputError(f"{option} {path}: found a file of a result, expected another name")
    return target


@contextlib.contextmanager
def replacing(path, option="-o"):
    """Yields a temporary path in the same folder, of the same ending; it takes the place of `path` when the block ends
    without an error, and is gone otherwise."""
    target = check_output(path, option)
    temporary = None
    try:
        handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=".wafermark-", suffix=target.suffix)
        os.close(handle)
        yield temporary
        os.chmod(temporary, mode_of(target))
        os.replace(temporary, target)
    except OSError as error:
        raise InputError(f"{option} {path}: cannot be written: {error.strerror or error}") from None
    finally:
        if temporary is not None:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(temporary)


def save_picture(figure, path, **how):
    """Writes a matplotlib figure in the format that the ending of `path` names."""
    formats = figure.canvas.get_supported_filetypes()
    ending = path.suffix[1:].lower()
    if ending not in formats:
        raise InputError(f"-o {path}: found ending {ending!r}, expected one of {', '.join(sorted(formats))}")
    with replacing(path) as temporary:
        figure.savefig(temporary, format=ending, **how)


def mode_of(target):
    """Permissions of the file that is replaced, or those that a new one gets."""
    try:
        return stat.S_IMODE(os.stat(target).st_mode)
    except FileNotFoundError:
        mask = os.umask(0)
        os.umask(mask)
        return 0o666 & ~mask


def write_text(path, text, option="-o"):
    with replacing(path, option) as temporary:
        with open(temporary, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
