"""index-export's plan of requests, in Python: the end, the rest of the directory, one request for each file, eight at a time."""

import io
import struct
import zipfile
import zlib
from concurrent.futures import ThreadPoolExecutor

from common import DUMP_INFLATED, kind, place, record, s3

WHOLE, TAIL = 5 * 1024 * 1024, 512 * 1024
DUMP_HEAD, LOG_TAIL, LOCAL_HEADER = 256 * 1024, 8 * 1024 * 1024, 30
pool = ThreadPoolExecutor(8)


class Ranges(io.RawIOBase):
    """The object's end as a file; what lies before it is fetched once it is read."""

    def __init__(self, event):
        object = event["detail"]["object"]
        self.place = place(event) | {"IfMatch": object["etag"]}
        first = s3.get_object(**self.place, Range=f"bytes=-{WHOLE if object['size'] <= WHOLE else TAIL}")
        self.size = int(first["ContentRange"].rsplit("/", 1)[1])
        self.end = first["Body"].read()
        self.start = self.size - len(self.end)
        self.at = 0

    def fetch(self, start, stop):
        if start >= self.start:
            return self.end[start - self.start : stop - self.start]
        return s3.get_object(**self.place, Range=f"bytes={start}-{stop - 1}")["Body"].read()

    def seekable(self):
        return True

    def seek(self, offset, whence=0):
        self.at = offset + (0, self.at, self.size)[whence]
        return self.at

    def tell(self):
        return self.at

    def read(self, size=-1):
        if self.at < self.start:
            self.end = self.fetch(self.at, self.start) + self.end
            self.start = self.at
        stop = self.size if size < 0 else min(self.size, self.at + size)
        self.at, begin = stop, self.at
        return self.end[begin - self.start : stop - self.start]


def examine(source, entry):
    """Reads an entry as far as it matters; says whether it is a minidump."""
    is_dump = kind(entry.filename) == "dump"
    # Central names and local extra lengths may differ: 512 bytes more than the directory tells.
    data = entry.header_offset + LOCAL_HEADER + len(entry.orig_filename.encode()) + 512
    if not is_dump and entry.compress_type == zipfile.ZIP_STORED and entry.compress_size > LOG_TAIL:
        source.fetch(data + entry.compress_size - LOG_TAIL - 512, min(data + entry.compress_size, source.size))
        return False
    length = min(entry.compress_size, DUMP_HEAD) if is_dump else entry.compress_size
    bytes = source.fetch(entry.header_offset, min(data + length, source.size))
    name, extra = struct.unpack_from("<HH", bytes, 26)
    packed = bytes[LOCAL_HEADER + name + extra :][:length]
    if entry.compress_type == zipfile.ZIP_STORED:
        return packed.startswith(b"MDMP")
    if is_dump:
        return zlib.decompressobj(-15).decompress(packed, DUMP_INFLATED).startswith(b"MDMP")
    inflater, crc = zlib.decompressobj(-15), 0
    for at in range(0, len(packed), 64 * 1024):
        crc = zlib.crc32(inflater.decompress(packed[at : at + 64 * 1024]), crc)
    assert crc == entry.CRC, entry.filename
    return False


def handler(event, _context):
    source = Ranges(event)
    entries = zipfile.ZipFile(source).infolist()
    targets = [entry for entry in entries if kind(entry.filename)]
    dumps = pool.map(lambda entry: examine(source, entry), targets)
    return record(place(event), entries, [entry.filename for entry, is_dump in zip(targets, dumps) if is_dump])
