"""functions.py finds what makes an executable unfit for Lambda: each mutation of what SAM built must be found."""

import os
import unittest
from pathlib import Path

from functions import findings, needs

BUILT = {path.name: path.read_bytes() for path in sorted(Path(os.environ["FUNCTIONS"]).iterdir())}
NAME, ELF = next(iter(BUILT.items()))


class Functions(unittest.TestCase):
    def assert_found(self, old: bytes, new: bytes, expected: str):
        for name, elf in BUILT.items():
            self.assertIn(old, elf)
            found = findings(name, elf.replace(old, new))
            self.assertTrue(any(expected in it for it in found), f"not found: {expected} in {found}")

    def test_what_sam_built_has_no_findings(self):
        self.assertEqual([findings(name, elf) for name, elf in BUILT.items()], [[], []])

    def test_another_processor_is_found(self):
        self.assertIn("no x86_64 executable", findings(NAME, ELF[:0x12] + b"\xb7\0" + ELF[0x14:])[0])

    def test_a_script_is_found(self):
        self.assertIn("no 64-bit little-endian ELF file", findings(NAME, b"#!/bin/sh\n")[0])

    def test_a_newer_glibc_is_found(self):
        newest = max(needs(ELF)[1], key=lambda it: [int(part) for part in it.removeprefix("GLIBC_").split(".")])
        newer = b"GLIBC_9." + b"9" * (len(newest) - len("GLIBC_9."))
        self.assert_found(newest.encode() + b"\0", newer + b"\0", "needs glibc 9.9")

    def test_a_library_that_is_not_there_is_found(self):
        self.assert_found(b"libm.so.6\0", b"libz.so.1\0", "libz.so.1")

    def test_another_program_is_found(self):
        self.assert_found(b"/lambda_runtime-", b"/lambda_something-", "does not contain /lambda_runtime-")

    def test_what_only_the_command_line_uses_is_found(self):
        self.assert_found(b"/lambda_runtime-", b"/lambda_runtime-/clap_builder-", "contains /clap_builder-")

    def test_a_debug_build_is_found(self):
        self.assertIn("is it a release build?", findings(NAME, ELF + bytes(10_000_000))[0])

    def test_what_does_not_compress_is_found(self):
        self.assertIn("when it is zipped", findings(NAME, ELF + os.urandom(5_000_000))[-1])


if __name__ == "__main__":
    unittest.main()
