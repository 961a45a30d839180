#!/usr/bin/env python3
"""Takes the parameter file out of an OpenKIM portable model (a shared library that holds it as data).

    extract_kim_parameters.py LIBRARY [--output FILE]

KIM's build turns each parameter file NAME into two symbols, NAME (the bytes) and NAME_len (their number), with
dots as underscores; files about the model itself (citation, provenance, specification) have fixed names. Reads
the ELF symbol table with nothing but the standard library. Without --output: lists what there is.
"""
import argparse
import os
import struct
import sys
import tempfile

ABOUT_THE_MODEL = ("item_compiled_with_version_txt", "kimcite_", "kimprovenance_edn", "kimspec_edn")


class Library:
    """The dynamic symbols of a 64-bit ELF file of either byte order."""

    def __init__(self, path):
        with open(path, "rb") as file:
            self.data = file.read()
        if self.data[:5] != b"\x7fELF\x02":
            raise ValueError("found no 64-bit ELF file, expected a KIM portable model")
        self.order = "<" if self.data[5] == 1 else ">"
        start, = self.read("Q", 0x28)
        size, count = self.read("HH", 0x3A)
        # name, type, flags, address, offset, size, link, info, alignment, entry size
        sections = [self.read("IIQQQQIIQQ", start + k * size) for k in range(count)]
        self.loaded = [(s[3], s[4], s[5]) for s in sections if s[3] and s[1] != 8]  # 8: no bytes in the file
        self.symbols = {}
        for section in sections:
            if section[1] == 11:  # SHT_DYNSYM
                names = sections[section[6]][4]
                for at in range(section[4], section[4] + section[5], section[9]):
                    name, _, _, index, address, length = self.read("IBBHQQ", at)
                    if index:
                        end = self.data.index(b"\0", names + name)
                        self.symbols[self.data[names + name:end].decode()] = (address, length)

    def read(self, fields, at):
        return struct.unpack_from(self.order + fields, self.data, at)

    def offset(self, name):
        address = self.symbols[name][0]
        for first, offset, size in self.loaded:
            if first <= address < first + size:
                return address - first + offset
        raise ValueError(f"found symbol {name} outside the file, expected data")

    def files(self):
        """Name (with underscores) and bytes of each parameter file."""
        for name in sorted(self.symbols):
            if name + "_len" in self.symbols and not name.startswith(ABOUT_THE_MODEL):
                length, = self.read("I", self.offset(name + "_len"))
                at = self.offset(name)
                content = self.data[at:at + length]
                if not length or len(content) != length:
                    raise ValueError(f"found {len(content)} bytes of {name}, expected {length}")
                yield name, content


def write_whole(path, content):
    handle, temporary = tempfile.mkstemp(dir=os.path.dirname(os.path.abspath(path)), suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("library")
    parser.add_argument("--output")
    args = parser.parse_args()
    try:
        files = list(Library(args.library).files())
        if not args.output:
            for name, content in files:
                print(f"{name} {len(content)}")
        elif len(files) != 1:
            raise ValueError(f"found {len(files)} parameter files, expected one")
        else:
            write_whole(args.output, files[0][1])
    except (OSError, ValueError, struct.error) as error:
        sys.exit(f"{args.library}: {error}")


if __name__ == "__main__":
    main()
