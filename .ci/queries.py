"""Runs Athena's saved queries in DuckDB.

    queries.py BUCKET

BUCKET is the folder that the local cloud keeps as a bucket, after `cargo demo`. Where DuckDB differs from Athena, it is
told in DIFFERENCES, in `hive_to_duckdb` and in `as_the_serde_reads`, and nowhere else: the queries run as they are.
"""

import copy
import json
import re
import sys
import tempfile
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path

import duckdb
import yaml

ROOT = Path(__file__).parent.parent

# Functions of Athena (Trino) that DuckDB calls otherwise.
DIFFERENCES = [
    "CREATE MACRO date_format(time, format) AS strftime(time, format)",
    "CREATE MACRO cardinality(list) AS len(list)",
]

TODAY = datetime.now(timezone.utc)


class Template(yaml.SafeLoader):
    """Short forms of intrinsic functions become their arguments."""


Template.add_multi_constructor("!", lambda loader, suffix, node: getattr(loader, {
    yaml.ScalarNode: "construct_scalar", yaml.SequenceNode: "construct_sequence", yaml.MappingNode: "construct_mapping",
}[type(node)])(node))  # fmt: skip


def hive_to_duckdb(kind: str) -> str:
    """A type of Glue's in DuckDB's notation."""
    if kind.startswith("array<"):
        return hive_to_duckdb(kind[len("array<") : -1]) + "[]"
    if kind.startswith("struct<"):
        fields, depth, start = [], 0, len("struct<")
        for at, character in enumerate(kind[start:-1] + ",", start):
            depth += (character == "<") - (character == ">")
            if character == "," and depth == 0:
                name, _, of = kind[start:at].partition(":")
                fields.append(f'"{name}" {hive_to_duckdb(of)}')
                start = at + 1
        return f"STRUCT({', '.join(fields)})"
    return {"string": "VARCHAR", "int": "INTEGER", "bigint": "BIGINT", "double": "DOUBLE", "boolean": "BOOLEAN"}[kind]


def as_the_serde_reads(value):
    """Athena's JSON SerDe does not care for the case of names."""
    if isinstance(value, dict):
        return {name.lower(): as_the_serde_reads(it) for name, it in value.items()}
    return [as_the_serde_reads(it) for it in value] if isinstance(value, list) else value


class Index:
    """The table `records` over a folder of objects."""

    def __init__(self, columns: list[dict], folder: Path):
        self.columns, self.folder = columns, folder

    def put(self, key: str, line: str):
        assert line.endswith("\n") and line.count("\n") == 1, f"{key} is not one line"
        path = self.folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(as_the_serde_reads(json.loads(line))))

    def query(self, sql: str) -> list[dict]:
        types = {column["Name"]: hive_to_duckdb(column["Type"]) for column in self.columns}
        with duckdb.connect() as database:
            for difference in DIFFERENCES:
                database.execute(difference)
            database.execute(
                f"CREATE VIEW records AS SELECT * FROM read_json('{self.folder}/dt=*/**/*.json', columns={types}, "
                "hive_partitioning=true, hive_types={'dt': VARCHAR})"
            )
            cursor = database.execute(sql)
            names = [column[0] for column in cursor.description]
            return [dict(zip(names, row)) for row in cursor.fetchall()]


@contextmanager
def statement(text: str):
    yield
    print(f"queries: {text}", flush=True)


def example() -> dict:
    text = (ROOT / "docs/record.md").read_text()
    return json.loads(re.search(r"```json\n(.*?)```", text, re.DOTALL).group(1))


def made_up(index: Index):
    """Records of every verdict and state. Each is the documentation's example, with fields changed or taken away."""
    count = 0

    def put(days_ago: float, changes: dict, gone=()):
        nonlocal count
        count += 1
        record, created = copy.deepcopy(example()), TODAY - timedelta(days=days_ago)
        changes = {"session.createdAt": created.isoformat(), "session.id": f"session{count}"} | changes
        for path, value in changes.items():
            *above, last = path.split(".")
            place = record
            for step in above:
                place = place[step]
            place[last] = value
        for name in gone:
            del record[name]
        session = record["session"]
        folder = f"dt={created:%Y-%m-%d}/{session['applicationId']}/{session['streamGroupId']}"
        index.put(f"{folder}/{session['id']}.json", json.dumps(record) + "\n")

    other = {"signature.id": "b", "signature.title": "B", "build.id": "2", "session.location": "us-east-1"}
    put(1, {"signature.id": "a", "signature.title": "A", "build.id": "1"})
    put(2, {"signature.id": "a", "signature.title": "A", "build.id": "2", "signature.firstSeen": False}, ["performance"])
    put(3, other | {"performance.pressure": [], "performance.peakMemoryMiB": 100})
    put(20, other | {"signature.firstSeen": False, "performance.pressure": ["memory", "vram"],
                     "performance.peakMemoryMiB": 9000})  # fmt: skip
    put(60, {"signature.id": "old"})
    not_a_crash = ["signature", "exception", "report", "performance"]
    for verdict in ("suspect", "exited", "exited", "clean", "unreadable", "a verdict of next year"):
        put(1, {"verdict": verdict, "build.id": "1"}, not_a_crash)
    nothing = [*not_a_crash, "verdict", "export", "build", "files", "evidence", "problems", "alarms", "trigger"]
    for code in ("never-armed", "never-armed", "never-seen"):
        put(1, {"state": "missed", "reason": {"code": code, "detail": f"missed {count}"}}, nothing)
    put(2, {"state": "failed", "reason": {"code": "export-stuck", "detail": "stuck"}}, nothing)


def main(bucket: str):
    resources = yaml.load((ROOT / "template.yaml").read_text(), Template)["Resources"]
    queries = {name: it["Properties"]["QueryString"] for name, it in resources.items()
               if it["Type"] == "AWS::Athena::NamedQuery"}  # fmt: skip
    columns = resources["RecordTable"]["Properties"]["TableInput"]["StorageDescriptor"]["Columns"]

    with statement("the workgroup bounds a query, and keeps its answer encrypted and outside the index"):
        workgroup = resources["QueryWorkGroup"]["Properties"]["WorkGroupConfiguration"]
        assert workgroup["EnforceWorkGroupConfiguration"] and workgroup["BytesScannedCutoffPerQuery"] <= 10 << 30, workgroup
        kept = workgroup["ResultConfiguration"]
        assert kept["OutputLocation"] == "s3://${CaptureBucket}/athena/", kept
        assert [it["EncryptionOption"] for it in kept["EncryptionConfiguration"][1:]] == ["SSE_KMS", "SSE_S3"], kept
        names = {it["Properties"]["WorkGroup"] for it in resources.values() if it["Type"] == "AWS::Athena::NamedQuery"}
        assert names == {"QueryWorkGroup"}, names

    with tempfile.TemporaryDirectory() as folder, statement("made-up records of every verdict and state"):
        index = Index(columns, Path(folder))
        made_up(index)
        answers = {name: index.query(sql) for name, sql in queries.items()}
    expected = {
        "TopSignatures": [
            {"signature": "a", "title": "A", "sessions": 2, "builds": 2, "locations": 1},
            {"signature": "b", "title": "B", "sessions": 1, "builds": 1, "locations": 1},
        ],
        "FirstSeen": [{"signature": "a", "session": "session1"}, {"signature": "b", "session": "session3"}],
        "CrashRate": [
            {"build": "1", "location": "us-west-2", "sessions": 7, "crashes": 1, "suspects": 1, "crash_percent": 14.29,
             "not_captured": 0},
            {"build": "2", "location": "us-east-1", "sessions": 1, "crashes": 1, "crash_percent": 100.0},
            {"build": "2", "location": "us-west-2", "sessions": 1, "crashes": 1, "crash_percent": 100.0},
            {"build": None, "sessions": 0, "crashes": 0, "crash_percent": None, "not_captured": 4},
        ],
        "NotCaptured": [
            {"state": "missed", "reason": "never-armed", "sessions": 2},
            {"state": "failed", "reason": "export-stuck", "sessions": 1, "latest_detail": "stuck"},
            {"state": "missed", "reason": "never-seen", "sessions": 1},
        ],
        "MemoryPressure": [
            {"signature": "a", "crashes": 2, "under_pressure": 1, "peak_memory_mib": 6144},
            {"signature": "b", "crashes": 2, "under_pressure": 1, "average_peak_memory_mib": 4550},
        ],
    }  # fmt: skip
    assert queries.keys() == expected.keys(), queries.keys()
    for name, rows in expected.items():
        with statement(f"{name} answers what it should"):
            # Rows that are equal in what a query orders by come in any order.
            known = sorted(rows, key=lambda row: str(list(row.values())[:2]))
            columns_of = {row_name for row in rows for row_name in row}
            found = sorted(answers[name], key=lambda row: str([row[it] for it in list(known[0])[:2]]))
            assert columns_of <= found[0].keys(), found
            picked = [{it: row[it] for it in expectation} for row, expectation in zip(found, known)]
            assert picked == known and len(found) == len(known), found

    with tempfile.TemporaryDirectory() as folder, statement("records that the local cloud wrote"):
        index = Index(columns, Path(folder))
        records = sorted((Path(bucket) / "index/v1").rglob("*.json"))
        for path in records:
            index.put(str(path.relative_to(Path(bucket) / "index/v1")), path.read_text())
        answers = {name: index.query(sql) for name, sql in queries.items()}
        assert len(records) == 4
        rate = answers["CrashRate"]
        assert [sum(row[it] for row in rate) for it in ("sessions", "crashes", "suspects", "not_captured")] == [3, 1, 1, 1], rate
        assert [(row["reason"], row["sessions"]) for row in answers["NotCaptured"]] == [("never-armed", 1)], answers
        assert [row["sessions"] for row in answers["TopSignatures"]] == [1], answers

        with statement("a query fails without a column that it reads"):
            for name, sql in queries.items():
                index.columns = [column for column in columns if column["Name"] not in ("verdict", "state")]
                try:
                    index.query(sql)
                except duckdb.BinderException:
                    continue
                raise AssertionError(f"{name} reads neither verdict nor state")


if __name__ == "__main__":
    main(*sys.argv[1:])
