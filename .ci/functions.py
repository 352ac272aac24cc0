"""Checks that Lambda can run what `sam build` made, and puts it where the local cloud takes its functions from.

    functions.py BUILD FOLDER

BUILD is SAM's build folder. In FOLDER, each executable gets the name of its cargo binary.
"""

import re
import shutil
import struct
import sys
import zlib
from pathlib import Path

from samtranslator.yaml_helper import yaml_parse

# Amazon Linux 2023's, which is what `provided.al2023` runs.
NEWEST_GLIBC = (2, 34)
LIBRARIES = {"libc.so.6", "libm.so.6", "libpthread.so.0", "libdl.so.2", "libgcc_s.so.1", "ld-linux-x86-64.so.2"}

# Every cold start loads the binary: in bytes, what it may have, and what a zip of it may.
LARGEST = {"start-export": 7_000_000, "index-export": 10_000_000}
LARGEST_ZIPPED = 5_000_000

# Source paths of crates, as panics name them: what only `local/` and `cli/` depend on.
UNWANTED = [b"/clap_builder-", b"/s3s-", b"/axum-", b"/minidump-writer-", b"/tempfile-", b"local/src/", b"cli/src/"]
EXPECTED = [b"/lambda_runtime-", b"/aws-sdk-s3-"]

SHT_DYNAMIC, SHT_VERNEED = 6, 0x6FFFFFFE
DT_NEEDED = 1
EM_X86_64, ET_EXEC, ET_DYN = 62, 2, 3


def text(strings: bytes, offset: int) -> str:
    return strings[offset : strings.index(b"\0", offset)].decode()


def needs(elf: bytes) -> tuple[set[str], set[str]]:
    """The shared libraries and the symbol versions that a 64-bit little-endian ELF file needs."""
    [sections] = struct.unpack_from("<Q", elf, 0x28)
    entry_size, count = struct.unpack_from("<HH", elf, 0x3A)
    headers = [struct.unpack_from("<IIQQQQIIQQ", elf, sections + index * entry_size) for index in range(count)]
    libraries, versions = set(), set()
    for _, kind, _, _, offset, size, link, info, _, _ in headers:
        if kind not in (SHT_DYNAMIC, SHT_VERNEED):
            continue
        strings = elf[headers[link][4] : headers[link][4] + headers[link][5]]
        if kind == SHT_DYNAMIC:
            for tag, value in struct.iter_unpack("<QQ", elf[offset : offset + size]):
                libraries |= {text(strings, value)} if tag == DT_NEEDED else set()
            continue
        for _ in range(info):
            _, parts, _, part, following = struct.unpack_from("<HHIII", elf, offset)
            part += offset
            for _ in range(parts):
                _, _, _, name, next_part = struct.unpack_from("<IHHII", elf, part)
                versions.add(text(strings, name))
                part += next_part
            offset += following
    return libraries, versions


def findings(binary: str, elf: bytes) -> list[str]:
    """Why Lambda would not run what was built of a cargo binary, or should not."""
    if elf[:6] != b"\x7fELF\x02\x01":
        return ["is no 64-bit little-endian ELF file"]
    kind, machine = struct.unpack_from("<HH", elf, 0x10)
    found = []
    if kind not in (ET_EXEC, ET_DYN) or machine != EM_X86_64:
        found.append(f"is no x86_64 executable (type {kind}, machine {machine})")
    libraries, versions = needs(elf)
    if unknown := libraries - LIBRARIES:
        found.append(f"needs libraries that are not in provided.al2023: {', '.join(sorted(unknown))}")
    glibc = [tuple(map(int, it.split("."))) for v in versions for it in re.findall(r"^GLIBC_([\d.]+)$", v)]
    if not glibc:
        found.append("needs no version of glibc: is it read correctly?")
    elif max(glibc) > NEWEST_GLIBC:
        found.append(f"needs glibc {'.'.join(map(str, max(glibc)))}, and provided.al2023 has 2.34")
    if len(elf) > LARGEST[binary]:
        found.append(f"has {len(elf)} bytes, of {LARGEST[binary]}: is it a release build?")
    if (size := zipped(elf)) > LARGEST_ZIPPED:
        found.append(f"has {size} bytes when it is zipped, of {LARGEST_ZIPPED}")
    found += [f"contains {it.decode()}" for it in UNWANTED if it in elf]
    found += [f"does not contain {it.decode()}: what was built?" for it in EXPECTED if it not in elf]
    return found


def zipped(elf: bytes) -> int:
    """How many bytes a zip holds of it."""
    return len(zlib.compress(elf, 9))


def main(build: str, folder: str) -> int:
    template = yaml_parse((Path(build) / "template.yaml").read_text(encoding="utf-8"))
    functions = {k: v for k, v in template["Resources"].items() if v["Type"] == "AWS::Serverless::Function"}
    Path(folder).mkdir(parents=True)
    wrong = 0
    for name, function in functions.items():
        bootstrap = Path(build) / function["Properties"]["CodeUri"] / "bootstrap"
        elf = bootstrap.read_bytes()
        binary = function["Metadata"]["BuildProperties"]["Binary"]
        for finding in findings(binary, elf):
            print(f"{bootstrap} {finding}", file=sys.stderr)
            wrong += 1
        shutil.copy(bootstrap, Path(folder) / binary)
        print(f"{binary}: {len(elf)} bytes, {zipped(elf)} when it is zipped, {', '.join(sorted(needs(elf)[1]))}")
    return 1 if wrong or not functions else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
