"""Bad input: one line that names the file and says what was found and what was expected (exit code 2)."""
import argparse
import reprlib
import sys

SHORT = reprlib.Repr()
SHORT.maxstring = SHORT.maxother = SHORT.maxlong = 60
SHORT.maxlist = SHORT.maxdict = 3
SHORT.maxlevel = 2


class InputError(Exception):
    pass


class Arguments(argparse.ArgumentParser):
    """A command line whose errors are one line as all others; --help has the usage."""

    def error(self, message):
        raise InputError(f"{message} (--help shows the options)")


def as_program(name, work):
    """Runs a script's work, which takes nothing, and ends the process: one line and exit code 2 for bad input."""
    try:
        work()
    except InputError as error:
        print(f"{name}: {one_line(error)}", file=sys.stderr)
        sys.exit(2)


def found(value):
    """A value of an input in a message: short, and with what cannot be printed as escapes."""
    return SHORT.repr(value)


def one_line(text):
    """A message that stays one line and leaves the terminal alone, whatever names and values it quotes."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in str(text))
