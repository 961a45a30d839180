"""Bad input: one line that names the file and says what was found and what was expected (exit code 2)."""


class InputError(Exception):
    pass
