"""What the local cloud does, as statements that boto3 checks. See .ci/client.

Every answer of GameLift Streams is compared with botocore's model of the service (model.py), as it came over the wire,
for botocore itself reads leniently.
"""

import json
import os
import tempfile
import time
from collections import Counter
from contextlib import contextmanager

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import ClientError

import management
from model import Model
from not_on_moto import NOT_ON_MOTO

BUCKET, GROUP, APPLICATION = (os.environ[name] for name in ("CAPTURE_BUCKET", "STREAM_GROUP", "APPLICATION"))
# One attempt: what fails once has failed.
CONFIG = Config(retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=30)
MIB = 1024 * 1024


@contextmanager
def statement(text):
    try:
        yield
    except BaseException:
        print(f"client: NOT SO: {text}", flush=True)
        raise
    print(f"client: {text}", flush=True)


def holds(text):
    """Whether a statement is to hold on the S3 that the local cloud uses."""
    reason = NOT_ON_MOTO[text]
    if "CRASH_CAPTURE_S3" in os.environ:
        print(f"client: left out: {text}: {reason}", flush=True)
        return False
    return True


@contextmanager
def refused(status, *codes):
    """The call in this block is refused with this status and one of these codes."""
    try:
        yield
    except ClientError as error:
        answer = (error.response["ResponseMetadata"]["HTTPStatusCode"], error.response["Error"]["Code"])
        assert answer in [(status, code) for code in codes], f"{answer}, not {status} and one of {codes}"
    else:
        raise AssertionError(f"not refused with {status} {codes}")


def until(what, condition, seconds=30):
    """What the condition gives, as soon as that is something."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.1)
    raise AssertionError(f"not within {seconds} seconds: {what}")


model = Model()
seen = Counter()


def judge(operation_model, response_dict, **_):
    status, body = response_dict["status_code"], response_dict["body"].decode()
    headers = {name.lower(): value for name, value in response_dict["headers"].items()}
    seen[operation_model.name, model.check(operation_model.name, status, headers, body)] += 1


streams = boto3.client("gameliftstreams", config=CONFIG)
streams.meta.events.register("before-parse.gameliftstreams", judge)
s3 = boto3.client("s3", config=CONFIG)


def start(**more):
    request = {"Identifier": GROUP, "ApplicationIdentifier": APPLICATION, "Protocol": "WebRTC",
               "SignalRequest": "NO_CLIENT_CONNECTION", **more}  # fmt: skip
    return streams.start_stream_session(**request)


def get(session, group=GROUP):
    return streams.get_stream_session(Identifier=group, StreamSessionIdentifier=session)


def export(session, uri, group=GROUP):
    body = streams.export_stream_session_files(Identifier=group, StreamSessionIdentifier=session, OutputUri=uri)
    assert set(body) == {"ResponseMetadata"}, body


def terminate(session):
    streams.terminate_stream_session(Identifier=GROUP, StreamSessionIdentifier=session)


def status_becomes(session, status):
    until(f"{session} is {status}", lambda: get(session)["Status"] == status)


def id_of(session):
    return session["Arn"].rsplit("/", 1)[1]


def keys(prefix):
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=prefix)
    return [item["Key"] for page in pages for item in page.get("Contents", [])]


def content(key, **more):
    answer = s3.get_object(Bucket=BUCKET, Key=key, **more)
    return answer["Body"].read(), answer


def tags(key):
    return {tag["Key"]: tag["Value"] for tag in s3.get_object_tagging(Bucket=BUCKET, Key=key)["TagSet"]}


def is_armed(session):
    """Whether Crash Capture has asked for the export, as the service has it. From then on, it asks no more."""
    return "ExportFilesMetadata" in get(session)


with statement("a session is started with all that a request can say, and once for each ClientToken"):
    request = {
        "Description": "Played by boto3", "UserId": "player/1", "ConnectionTimeoutSeconds": 900, "ClientToken": "a" * 32,
        "AdditionalLaunchArgs": ["--exit-after", "300"], "AdditionalEnvironmentVariables": {"QUALITY": "high"},
        "DisplayConfiguration": {"Resolution": {"Width": 1280, "Height": 720}}, "Locations": ["us-west-2"],
    }  # fmt: skip
    session = start(**request)
    assert session["Status"] == "ACTIVATING" and start(**request)["Arn"] == session["Arn"], session
with statement("a session is got by its id and by its ARN, and says what was asked for"):
    by_id, by_arn, by_hand = id_of(session), start()["Arn"], id_of(start())
    for identifier in (by_id, by_arn, by_hand):
        status_becomes(identifier, "ACTIVE")
    got = get(by_id)
    assert {name: got.get(name) for name in request if name in got} == {
        name: value for name, value in request.items() if name not in ("ClientToken", "Locations")
    }, got
    assert abs(time.time() - got["CreatedAt"].timestamp()) < 600, got
    group_arn = by_arn.rsplit("/", 1)[0].replace(":streamsession/", ":streamgroup/")
    assert get(by_arn, group_arn)["Arn"] == get(by_arn)["Arn"] == get(id_of({"Arn": by_arn}), group_arn)["Arn"] == by_arn
with statement("sessions are listed with a filter, in two pages, for a stream group and for the account"):
    ours = {session["Arn"], by_arn, get(by_hand)["Arn"]}
    for operation, scope in (("list_stream_sessions", {"Identifier": GROUP}),
                             ("list_stream_sessions", {"Identifier": group_arn}),
                             ("list_stream_sessions_by_account", {})):  # fmt: skip
        pages = streams.get_paginator(operation).paginate(Status="ACTIVE", PaginationConfig={"PageSize": 2}, **scope)
        items = [page["Items"] for page in pages]
        assert [len(page) for page in items] == [2, 1], items
        assert {item["Arn"] for page in items for item in page} == ours, items
    assert streams.list_stream_sessions(Identifier=GROUP, Status="ERROR")["Items"] == []
with statement("a list is refused whose NextToken or MaxResults is wrong"):
    for wrong in ({"NextToken": "made up"}, {"MaxResults": 101}):
        with refused(400, "ValidationException"):
            streams.list_stream_sessions(Identifier=GROUP, **wrong)
with statement("an unknown session and an unknown stream group are not found"):
    for call in (lambda: get("nosuchsession"), lambda: terminate("nosuchsession"),
                 lambda: export("nosuchsession", f"s3://{BUCKET}/x.zip"),
                 lambda: export(by_id, f"s3://{BUCKET}/x.zip", "sg-nosuchgroup")):  # fmt: skip
        with refused(404, "ResourceNotFoundException"):
            call()
with statement("a malformed OutputUri is refused"):
    for uri in (f"s3://{BUCKET}/x.tar", f"https://{BUCKET}/x.zip", "s3:///x.zip", ""):
        with refused(400, "ValidationException"):
            export(by_id, uri)
with statement("an export is requested by ids, by the ARNs of group and session, and by hand to a folder"):
    # Only when Crash Capture has armed a session is it certain that the last request is ours.
    for identifier in (by_id, by_arn.rsplit("/", 1)[1], by_hand):
        until(f"{identifier} is armed", lambda: is_armed(identifier))
    # And when whoever listed it before that has made its request too: the event and the sweep may both have armed it.
    time.sleep(3)
    uris = {by_id: f"s3://{BUCKET}/exports/by id.zip", by_arn: f"s3://{BUCKET}/exports/by-arn.ZIP"}
    uris[by_hand] = f"s3://{BUCKET}/exports/by hand/"
    for identifier, uri in uris.items():
        export(identifier, uri, group_arn if identifier == by_arn else GROUP)
        assert get(identifier)["ExportFilesMetadata"] == {"Status": "PENDING", "OutputUri": uri}
with statement("a client connects to a session, once"):
    connection = {"Identifier": GROUP, "StreamSessionIdentifier": by_id, "SignalRequest": "an offer"}
    assert streams.create_stream_session_connection(**connection)["SignalResponse"]
    status_becomes(by_id, "CONNECTED")
    with refused(409, "ConflictException"):
        streams.create_stream_session_connection(**connection)
with statement("sessions end when they are terminated, and say why; then an export is requested too late"):
    for identifier in uris:
        terminate(identifier)
        status_becomes(identifier, "TERMINATED")
        assert get(identifier)["StatusReason"] == "apiTerminated"
        with refused(400, "ValidationException"):
            export(identifier, uris[identifier])
        with refused(400, "ValidationException"):
            export(get(identifier)["Arn"], uris[identifier], group_arn)
with statement("an export made by hand is indexed, and its zip has the tag Verdict"):
    record_key = until("a record", lambda: [key for key in keys("index/") if key.endswith(f"/{by_hand}.json")])[0]
    until("an indexed record", lambda: json.loads(content(record_key)[0])["state"] == "indexed")
    record = json.loads(content(record_key)[0])
    (zip_key,) = keys("exports/by hand/")
    assert record["export"]["key"] == zip_key and zip_key.endswith(f"-{APPLICATION}-{GROUP}-{by_hand}.zip"), record
    assert until("a tag", lambda: tags(zip_key).get("Verdict")) == record["verdict"], tags(zip_key)
    assert get(by_hand)["ExportFilesMetadata"]["Status"] == "SUCCEEDED"
with statement(f"{sum(seen.values())} answers of GameLift Streams are as the service's model has them"):
    assert {name for name, outcome in seen if isinstance(outcome, int)} == {
        "StartStreamSession", "GetStreamSession", "ListStreamSessions", "ListStreamSessionsByAccount",
        "TerminateStreamSession", "ExportStreamSessionFiles", "CreateStreamSessionConnection",
    }, seen  # fmt: skip

KEY = "client/a b+c.txt"
here = {"Bucket": BUCKET, "Key": KEY}
with statement("S3 creates an object once, and replaces only the one that was read"):
    etag = s3.put_object(Body=b"0123456789", IfNoneMatch="*", ContentType="text/plain", **here)["ETag"]
    with refused(412, "PreconditionFailed"):
        s3.put_object(Body=b"other", IfNoneMatch="*", **here)
    stale, etag = etag, s3.put_object(Body=b"abcdefghij", IfMatch=etag, **here)["ETag"]
    with refused(412, "PreconditionFailed"):
        s3.put_object(Body=b"other", IfMatch=stale, **here)
    with refused(404, "NoSuchKey"):
        s3.put_object(Bucket=BUCKET, Key="client/none", Body=b"other", IfMatch=etag)
with statement("S3 gives an object whole, in part, from its end, and only if it is the one that is meant"):
    body, answer = content(KEY, IfMatch=etag)
    assert (body, answer["ETag"], answer["ContentLength"]) == (b"abcdefghij", etag, 10), answer
    assert answer["ContentType"] == "binary/octet-stream", answer
    assert abs(time.time() - answer["LastModified"].timestamp()) < 600, answer
    for asked, part, range_ in (("2-4", b"cde", "2-4"), ("-3", b"hij", "7-9"), ("-1000", b"abcdefghij", "0-9")):
        body, answer = content(KEY, Range=f"bytes={asked}", IfMatch=etag)
        assert (body, answer["ContentRange"]) == (part, f"bytes {range_}/10"), answer
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == 206
    for status, code, more in ((412, "PreconditionFailed", {"IfMatch": stale}), (416, "InvalidRange", {"Range": "bytes=10-"})):
        with refused(status, code):
            content(KEY, **more)
    with refused(404, "NoSuchKey"):
        content("client/none")
    s3.put_object(Bucket=BUCKET, Key="client/empty", Body=b"", ContentType="application/json")
    body, answer = content("client/empty")
    assert (body, answer["ContentType"]) == (b"", "application/json"), answer
    body, answer = content("client/empty", Range="bytes=-5")
    assert (body, answer["ResponseMetadata"]["HTTPStatusCode"]) == (b"", 200), answer
    with refused(416, "InvalidRange"):
        content("client/empty", Range="bytes=0-")
    s3.delete_object(Bucket=BUCKET, Key="client/empty")
with statement("S3 keeps ten tags, and refuses an eleventh"):
    tagging = [{"Key": f"k{n}", "Value": "a value"} for n in range(11)]
    s3.put_object_tagging(Tagging={"TagSet": tagging[:10]}, **here)
    with refused(400, "InvalidTag", "BadRequest"):
        s3.put_object_tagging(Tagging={"TagSet": tagging}, **here)
    assert tags(KEY) == {f"k{n}": "a value" for n in range(10)}
    nothing = {"Bucket": BUCKET, "Key": "client/none"}
    for call in (lambda: tags("client/none"), lambda: s3.put_object_tagging(Tagging={"TagSet": tagging[:1]}, **nothing)):
        with refused(404, "NoSuchKey"):
            call()
with statement("S3 takes a file in three parts"), tempfile.NamedTemporaryFile() as file:
    file.write(os.urandom(12 * MIB))
    file.flush()
    in_parts = TransferConfig(multipart_threshold=5 * MIB, multipart_chunksize=5 * MIB)
    s3.upload_file(file.name, BUCKET, "client/large", Config=in_parts)
    body, answer = content("client/large")
    assert answer["ETag"].endswith('-3"'), answer
    file.seek(0)
    assert body == file.read()
with statement("S3 lists a prefix in two pages, and no longer what was deleted"):
    s3.put_object(Bucket=BUCKET, Key="client/third", Body=b"")
    pages = s3.get_paginator("list_objects_v2").paginate(
        Bucket=BUCKET, Prefix="client/", PaginationConfig={"PageSize": 2}
    )
    found = [[item["Key"] for item in page["Contents"]] for page in pages]
    assert found == [[KEY, "client/large"], ["client/third"]], found
    for key in [*sum(found, []), KEY]:
        s3.delete_object(Bucket=BUCKET, Key=key)
    assert keys("client/") == []
    # Whoever deletes what is gone already has what was wanted.
    assert s3.delete_object(**here)["ResponseMetadata"]["HTTPStatusCode"] == 204
if holds("S3 knows its callers by their secrets"):
    with statement("S3 knows its callers by their secrets"), refused(403, "SignatureDoesNotMatch"):
        boto3.client("s3", config=CONFIG, aws_secret_access_key="wrong", aws_access_key_id=os.environ["AWS_ACCESS_KEY_ID"],
                     aws_session_token=os.environ["AWS_SESSION_TOKEN"]).list_objects_v2(Bucket=BUCKET)  # fmt: skip

management.check(statement, until, CONFIG, os.environ["CRASH_CAPTURE_STACK"])
if holds("S3 tells how a bucket is set up"):
    management.check_bucket(statement, s3, BUCKET)
