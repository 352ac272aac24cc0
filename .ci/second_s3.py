"""Runs tests and .ci/client on moto's S3, and the command on a versioned bucket there, and makes sure that it was moto's. See .ci/second-s3."""

import collections
import json
import logging
import os
import re
import subprocess
import sys

import boto3
from moto.server import ThreadedMotoServer

from not_on_moto import NOT_ON_MOTO

TESTS = ["whole_path", "undocumented", "answers"]
# What the tests leave behind, by the keys' beginnings: at least one object each.
EXPECTED = ("exports/", "index/v1/", "open/")

# A bucket that keeps versions, which our own S3 has not: a session that was indexed twice, and one whose id begins like its own.
VERSIONED = "versioned"
SESSION, OTHER = "ABC123def4567", "ABC123def45678"
DELETE = ["cargo", "run", "--locked", "--quiet", "--bin=crash-capture", "--", "--bucket", VERSIONED, "delete", SESSION, "--yes", "--json"]
CALLER = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_REGION": "us-west-2"}


class Requests(logging.Handler):
    """Counts what the server logs: a line for each request."""

    LINE = re.compile(r'"(\w+) /(\S*) HTTP/[\d.]+" (\d+)')

    def __init__(self):
        super().__init__()
        self.counts = collections.Counter()

    def emit(self, record):
        line = self.LINE.search(re.sub(r"\x1b\[\d*m", "", record.getMessage()))
        if line:
            method, _, status = line.groups()
            self.counts[method, status] += 1


def run(endpoint):
    """Runs the tests, and what boto3 states; gives how many tests there were."""
    environment = {**os.environ, "CRASH_CAPTURE_S3": endpoint}
    command = ["cargo", "test", "--locked", *(f"--test={name}" for name in TESTS), "--"]
    command += [f"--skip={name}" for name in NOT_ON_MOTO]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    passed = 0
    for line in process.stdout:
        print(line, end="", flush=True)
        if result := re.match(r"test result: ok\. (\d+) passed", line):
            passed += int(result[1])
    if process.wait() != 0:
        sys.exit("second-s3: tests fail on moto's S3")
    if subprocess.run([".ci/client"], env=environment).returncode != 0:
        sys.exit("second-s3: boto3 finds moto's S3 otherwise than ours")
    return passed


def client(endpoint):
    return boto3.client("s3", endpoint_url=endpoint, aws_access_key_id="x", aws_secret_access_key="x", region_name="us-west-2")


def objects_of(session):
    """What is kept of a session, by key."""
    place = f"a-9ZY8X7Wv6/sg-1AB2C3De4/2026-11-23/{session}"
    record = {
        "schema": 1, "state": "indexed", "verdict": "clean", "indexedAt": "2026-11-23T10:46:10Z",
        "session": {"id": session, "streamGroupId": "sg-1AB2C3De4", "applicationId": "a-9ZY8X7Wv6", "createdAt": "2026-11-23T10:15:02Z"},
        "export": {"bucket": VERSIONED, "key": f"exports/{place}.zip", "size": 3},
    }
    return {
        f"exports/{place}.zip": b"zip",
        f"reports/{place}.html": b"<p>report",
        f"index/v1/dt=2026-11-23/a-9ZY8X7Wv6/sg-1AB2C3De4/{session}.json": json.dumps(record).encode(),
    }


def versions(s3):
    """Each version and each delete marker of the versioned bucket: its key and its id."""
    listed = s3.list_object_versions(Bucket=VERSIONED)
    return {(it["Key"], it["VersionId"]) for it in listed.get("Versions", []) + listed.get("DeleteMarkers", [])}


def delete_of_versions(endpoint):
    """The command deletes every version of what is kept of a session, the delete markers too, and nothing of others."""
    s3 = client(endpoint)
    s3.create_bucket(Bucket=VERSIONED, CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
    s3.put_bucket_versioning(Bucket=VERSIONED, VersioningConfiguration={"Status": "Enabled"})
    for key, body in objects_of(OTHER).items():
        s3.put_object(Bucket=VERSIONED, Key=key, Body=body)
    others = versions(s3)
    for key, body in [*objects_of(SESSION).items()] * 2:
        s3.put_object(Bucket=VERSIONED, Key=key, Body=body)
    s3.delete_object(Bucket=VERSIONED, Key=next(key for key in objects_of(SESSION) if key.startswith("reports/")))
    its = versions(s3) - others
    environment = {**os.environ, **CALLER, "AWS_ENDPOINT_URL_S3": endpoint}
    told = subprocess.run(DELETE, env=environment, stdout=subprocess.PIPE, text=True, check=True).stdout
    deleted = {(it["key"], it["versionId"]) for it in map(json.loads, told.splitlines())}
    left = versions(s3)
    print(f"second-s3: delete: {len(its)} versions and delete markers, {len(deleted)} told of, {len(left - others)} left")
    if len(its) != 7 or deleted != its or left != others:
        sys.exit(f"second-s3: delete leaves {left - others}, and takes {others - left} that is not the session's")


def look(endpoint, passed):
    """What is in moto after the tests: that they used it."""
    s3 = client(endpoint)
    buckets = [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]
    found, tagged = collections.Counter(), 0
    for bucket in buckets:
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
            for key in (item["Key"] for item in page.get("Contents", [])):
                found[next((prefix for prefix in EXPECTED if key.startswith(prefix)), "elsewhere")] += 1
                if key.startswith("exports/"):
                    tags = s3.get_object_tagging(Bucket=bucket, Key=key)["TagSet"]
                    tagged += any(tag["Key"] == "Verdict" for tag in tags)
    print(f"second-s3: {passed} tests, {len(buckets)} buckets, objects: {dict(found)}, {tagged} of them with a verdict")
    if not passed or len(buckets) < passed or not tagged or not all(found[prefix] for prefix in EXPECTED):
        sys.exit("second-s3: the tests did not use moto's S3")


def main():
    requests = Requests()
    logging.getLogger("werkzeug").setLevel(logging.INFO)
    logging.getLogger("werkzeug").addHandler(requests)
    logging.getLogger("werkzeug").propagate = False
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    endpoint = "http://{}:{}".format(*server.get_host_and_port())
    print(f"second-s3: moto serves at {endpoint}", flush=True)
    for name, reason in NOT_ON_MOTO.items():
        print(f"second-s3: not on moto: {name}: {reason}")
    try:
        passed = run(endpoint)
        answered = ", ".join(f"{count} {method} {status}" for (method, status), count in sorted(requests.counts.items()))
        print(f"second-s3: moto answered: {answered}")
        look(endpoint, passed)
        delete_of_versions(endpoint)
    finally:
        server.stop()
    print("second-s3: no findings")


main()
