"""Documents that the report reads (JSON, TOML): text in, checked values out. Nothing behind this file meets a value
that its schema (schemas/, common/results) does not allow: not a number that is not finite, nor a key of another type.
"""
import functools
import json
import os
import stat
import tomllib
from pathlib import Path

import jsonschema

from .errors import InputError, found

SCHEMAS = Path(__file__).resolve().parent / "schemas"
LARGEST_FILE = 2**30  # bytes
LARGEST_NUMBER = 1e30  # more than there is of anything in a result, and far from overflow in products of a few
DEEPEST = 40
TYPES = {
    "number": "a number",
    "integer": "a whole number",
    "string": "a text",
    "boolean": "true or false",
    "array": "a list",
    "object": "a table",
    "null": "null",
}
read_here = set()  # (device, inode) of every file read: what an output must not replace


def opened(path):
    """A regular file, open for reading; it is noted as an input. A pipe without a writer would be waited for."""
    try:
        file = open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK))
    except IsADirectoryError:
        raise InputError(f"{path}: found a folder, expected a regular file") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from None
    status = os.fstat(file.fileno())
    problem = ""
    if not stat.S_ISREG(status.st_mode):
        problem = f"found {kind_of_file(status.st_mode)}, expected a regular file"
    elif status.st_size > LARGEST_FILE:
        problem = f"found {status.st_size:,} bytes, expected at most {LARGEST_FILE:,}"
    if problem:
        file.close()
        raise InputError(f"{path}: {problem}")
    read_here.add((status.st_dev, status.st_ino))
    return file


def kind_of_file(mode):
    for test, name in (
        (stat.S_ISDIR, "a folder"),
        (stat.S_ISFIFO, "a pipe"),
        (stat.S_ISSOCK, "a socket"),
        (stat.S_ISCHR, "a device"),
        (stat.S_ISBLK, "a device"),
    ):
        if test(mode):
            return name
    return "a regular file"


def each_key_once(pairs):
    table = dict(pairs)
    if len(table) < len(pairs):
        names = [key for key, _ in pairs]
        raise ValueError(f"key {found(next(k for k in names if names.count(k) > 1))} appears twice")
    return table


def whole_number(digits):
    """Of so many digits that Python refuses it: out of range, which check_values says with the key."""
    return int(digits) if len(digits) < 40 else float(digits)


def parse_json(text, source):
    """`source`: what a message names."""
    try:
        return json.loads(text, object_pairs_hook=each_key_once, parse_int=whole_number)
    except json.JSONDecodeError as error:
        raise InputError(f"{source}:{error.lineno}: {error.msg}, expected JSON") from None
    except ValueError as error:
        raise InputError(f"{source}: {error}") from None
    except RecursionError:
        raise InputError(f"{source}: found tables in more than {DEEPEST} others, expected fewer") from None


def parse_toml(text, source):
    try:
        return tomllib.loads(text)
    except ValueError as error:  # TOMLDecodeError, and Python's own of numbers with thousands of digits
        raise InputError(f"{source}: {error}, expected TOML") from None
    except RecursionError:
        raise InputError(f"{source}: found tables in more than {DEEPEST} others, expected fewer") from None


def check_values(document, source):
    """Every number is finite and of a size that can be computed with; every text can be written."""
    left = [((), document)]
    while left:
        place, value = left.pop()
        if isinstance(value, (dict, list)):
            if len(place) > DEEPEST:
                raise InputError(f"{source}: {place_of(place[:4])}...: found more than {DEEPEST} tables in each other")
            inner = value.items() if isinstance(value, dict) else enumerate(value)
            left += [((*place, key), v) for key, v in inner if not isinstance(v, (bool, type(None)))]
            if isinstance(value, dict):
                left += [((*place, "name of a key"), key) for key in value]
        elif isinstance(value, (int, float)) and not abs(value) <= LARGEST_NUMBER:
            expected = f"a finite number of at most {LARGEST_NUMBER:g}"
            raise InputError(f"{source}: {place_of(place)}: found {found(value)}, expected {expected}")
        elif isinstance(value, str) and any(0xD800 <= ord(c) < 0xE000 for c in value):
            raise InputError(f"{source}: {place_of(place)}: found {found(value)}, expected text (half a character)")


def place_of(keys):
    return ".".join(str(key) for key in keys) or "the file"


def expectation(schema):
    """A schema in words; its own under the key `expected`."""
    if "expected" in schema:
        return schema["expected"]
    if "const" in schema:
        return repr(schema["const"])
    if "enum" in schema:
        return "one of " + ", ".join(map(str, schema["enum"]))
    kinds = schema.get("type", "something else")
    words = " or ".join(TYPES.get(k, k) for k in ([kinds] if isinstance(kinds, str) else kinds))
    for key, sign in (("minimum", ">="), ("exclusiveMinimum", ">"), ("maximum", "<="), ("exclusiveMaximum", "<")):
        if key in schema:
            words += f" {sign} {schema[key]:g}"
    if "minItems" in schema:
        words += f" of {'' if schema.get('maxItems') == schema['minItems'] else 'at least '}{schema['minItems']}"
    return words + (f" like {schema['pattern']}" if "pattern" in schema else "")


@functools.cache
def validator(path):
    return jsonschema.Draft7Validator(json.loads(Path(path).read_text()))


def check_schema(document, schema, source):
    """Raises InputError with the place of the first thing that is wrong."""
    check_values(document, source)
    error = next(iter(validator(schema).iter_errors(document)), None)
    if error is None:
        return document
    place = list(error.absolute_path)
    if error.validator == "required":
        missing = next(key for key in error.validator_value if key not in error.instance)
        expected = expectation(error.schema.get("properties", {}).get(missing, {}))
        raise InputError(f"{source}: {place_of([*place, missing])}: not found, expected {expected}")
    if error.validator == "additionalProperties" and isinstance(error.validator_value, bool):
        unknown = next(key for key in error.instance if key not in error.schema["properties"])
        known = ", ".join(error.schema["properties"])
        raise InputError(f"{source}: {place_of([*place, unknown])}: unknown key, expected {known}")
    value = found(error.instance)
    raise InputError(f"{source}: {place_of(place)}: found {value}, expected {expectation(error.schema)}")


def read_json(path, schema):
    """A JSON file that its schema (a path) allows."""
    return check_schema(parse_json(text_of(path), path), schema, path)


def read_toml(path, schema):
    return check_schema(parse_toml(text_of(path), path), schema, path)


def text_of(path):
    with opened(path) as file:
        try:
            return file.read(LARGEST_FILE).decode("utf-8")
        except OSError as error:
            raise InputError(f"{path}: cannot be read: {error.strerror}") from None
        except UnicodeDecodeError as error:
            raise InputError(f"{path}: found bytes that are not UTF-8 at {error.start}, expected text") from None
