"""What start-export does of one session: marker, export, marker updated."""

import json
import os
from datetime import datetime, timezone

import boto3

s3, streams = boto3.client("s3"), boto3.client("gameliftstreams")


def handler(event, _context):
    group, session = event["streamGroupId"], event["streamSessionId"]
    known = streams.get_stream_session(Identifier=group, StreamSessionIdentifier=session)
    bucket, created = os.environ["CAPTURE_BUCKET"], known["CreatedAt"].astimezone(timezone.utc)
    application = known["ApplicationArn"].rsplit("/", 1)[1]
    uri = f"s3://{bucket}/exports/{application}/{group}/{created:%Y-%m-%d}/{session}.zip"
    marker = {"session": {"id": session, "createdAt": created.isoformat()}, "outputUri": uri}
    place = {"Bucket": bucket, "Key": f"open/{group}/{session}.json"}
    written = s3.put_object(**place, Body=json.dumps(marker).encode(), IfNoneMatch="*")
    streams.export_stream_session_files(Identifier=group, StreamSessionIdentifier=session, OutputUri=uri)
    marker["armedAt"] = datetime.now(timezone.utc).isoformat()
    s3.put_object(**place, Body=json.dumps(marker).encode(), IfMatch=written["ETag"])
    return {"counts": {"armed": 1}}
