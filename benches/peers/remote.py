"""remotezip: the zip stays where it is, and what is read of it is fetched."""

from common import place, read, record, s3
from remotezip import RemoteZip


def handler(event, _context):
    object = place(event)
    with RemoteZip(s3.generate_presigned_url("get_object", Params=object)) as archive:
        return record(object, archive.infolist(), read(archive))
