"""The straightforward way: the whole object to a file, and that opened as a zip."""

import tempfile
import zipfile

from common import place, read, record, s3


def handler(event, _context):
    object = place(event)
    with tempfile.NamedTemporaryFile() as file:
        s3.download_fileobj(*object.values(), file)
        with zipfile.ZipFile(file) as archive:
            return record(object, archive.infolist(), read(archive))
