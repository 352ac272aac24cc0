//! The record's shape is told four times: by its type, by Athena's table, and twice by `docs/record.md`. They agree.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::collections::{BTreeMap, BTreeSet};

use crash_capture::record::{
    AlarmNote, Build, Evidence, Exception, ExportObject, Files, Judgement, LastMinute, Performance, Problem,
    Reason, Record, ReportObject, Roots, SessionFacts, Signature, State, TriggerNote, Verdict,
};
use crash_capture::redacted::Redacted;
use crash_capture::session::Id;
use crash_capture_local::executables::workspace;
use crash_capture_local::template::Table;
use serde_json::Value;

use support::stack_with;

/// What table and documentation have, and the type does not yet.
const NOT_WRITTEN_YET: &[&str] = &[];

/// A record with every field. No `..`: a new field has to be filled in here.
fn full() -> Record {
    let text = || Some("text".to_owned());
    let redacted = || Some(Redacted::new("text"));
    let id = |text: &str| Id::try_from(text.to_owned()).unwrap();
    let at = "2026-11-23T10:15:02Z".parse().unwrap();
    Record {
        schema: 1,
        state: State::Indexed,
        judgement: Judgement {
            verdict: Some(Verdict::Crash),
            reason: Some(Reason::new("code", "detail")),
            triage_version: Some(1),
            signature: Some(Signature {
                version: 1,
                id: "9f".into(),
                title: "title".into(),
                fingerprint: "c0".into(),
                confidence: "high".into(),
                first_seen: Some(true),
                regressed: Some(true),
                first_regressed: Some(true),
                muted: Some(true),
            }),
            exception: Some(Exception {
                kind: redacted(),
                message: redacted(),
                address: text(),
                module: redacted(),
                offset: text(),
                thread: redacted(),
            }),
            build: Some(Build {
                id: text(),
                version: redacted(),
                engine: text(),
                engine_version: redacted(),
                configuration: redacted(),
            }),
            evidence: vec![Evidence {
                kind: "minidump".into(),
                path: "a.dmp".into(),
                size: 1,
                tells: redacted(),
            }],
            performance: Some(Performance {
                seconds: Some(1),
                peak_memory_mib: Some(1),
                peak_memory_share: Some(0.5),
                peak_cpu_share: Some(0.5),
                peak_vram_percent: Some(1),
                last_minute: Some(LastMinute {
                    memory_share: Some(0.5),
                    cpu_share: Some(0.5),
                    vram_percent: Some(1),
                }),
                pressure: vec!["memory".into()],
            }),
            files: Some(Files {
                count: 1,
                bytes: 1,
                roots: Roots { application: 1, profile: 1, temp: 1, stats: 1, other: 1 },
            }),
            problems: vec![Problem::new("code", "detail")],
        },
        session: SessionFacts {
            arn: text(),
            id: id("abc"),
            stream_group_id: id("sg-1"),
            application_id: Some(id("a-1")),
            location: text(),
            created_at: Some(at),
            status: text(),
            end_reason: text(),
            user_id: text(),
        },
        trigger: Some(TriggerNote { kind: "sweep".into(), at }),
        alarms: vec![AlarmNote { name: "alarm".into(), at }],
        armed_at: Some(at),
        indexed_at: Some(at),
        indexed_by: text(),
        export: Some(ExportObject {
            bucket: "b".into(),
            key: "k".into(),
            version_id: text(),
            etag: text(),
            size: Some(1),
            expires_on: Some("2026-11-30".parse().unwrap()),
        }),
        report: Some(ReportObject { key: "k".into() }),
    }
}

/// Every leaf of a JSON value: `a.b`, `list[].c`, each with `text`, `number` or `boolean`.
fn leaves(value: &Value, path: &str, found: &mut BTreeMap<String, &'static str>) {
    let kind = match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                leaves(value, &path, found);
            }
            return;
        }
        Value::Array(items) => {
            assert!(!items.is_empty(), "{path} is empty");
            return items.iter().for_each(|item| leaves(item, &format!("{path}[]"), found));
        }
        Value::String(_) => "text",
        Value::Number(_) => "number",
        Value::Bool(_) => "boolean",
        Value::Null => panic!("{path} is null"),
    };
    found.insert(path.to_owned(), kind);
}

fn leaves_of(value: &Value) -> BTreeMap<String, &'static str> {
    let mut found = BTreeMap::new();
    leaves(value, "", &mut found);
    found
}

/// The leaves of a column by its type in Hive's notation. Gives what is left of the notation.
fn column<'a>(kind: &'a str, path: &str, found: &mut BTreeMap<String, &'static str>) -> &'a str {
    if let Some(item) = kind.strip_prefix("array<") {
        return column(item, &format!("{path}[]"), found).strip_prefix('>').unwrap();
    }
    if let Some(mut fields) = kind.strip_prefix("struct<") {
        loop {
            let (name, rest) = fields.split_once(':').unwrap();
            let rest = column(rest, &format!("{path}.{name}"), found);
            match rest.strip_prefix(',') {
                Some(next) => fields = next,
                None => return rest.strip_prefix('>').unwrap(),
            }
        }
    }
    let end = kind.find([',', '>']).unwrap_or(kind.len());
    let leaf = match &kind[..end] {
        "string" => "text",
        "int" | "bigint" | "double" => "number",
        "boolean" => "boolean",
        other => panic!("{path} is of the unknown type {other}"),
    };
    found.insert(path.to_owned(), leaf);
    &kind[end..]
}

fn table() -> Table {
    stack_with(&[]).tables.remove(0)
}

fn columns(table: &Table) -> BTreeMap<String, &'static str> {
    let mut found = BTreeMap::new();
    for (name, kind) in &table.columns {
        assert_eq!(column(kind, name, &mut found), "", "{name}: {kind}");
    }
    found
}

fn documentation() -> String {
    std::fs::read_to_string(workspace().join("docs/record.md")).unwrap()
}

/// The example in `docs/record.md`.
fn example() -> Value {
    let text = documentation();
    let (_, text) = text.split_once("```json\n").unwrap();
    serde_json::from_str(text.split_once("```").unwrap().0).unwrap()
}

fn lower_case(leaves: &BTreeMap<String, &'static str>) -> BTreeMap<String, &'static str> {
    leaves.iter().map(|(path, kind)| (path.to_lowercase(), *kind)).collect()
}

#[test]
fn the_documentation_has_every_field_of_the_record_and_no_other() {
    let written = leaves_of(&serde_json::to_value(full()).unwrap());
    let mut expected: BTreeSet<_> = written.keys().map(String::as_str).collect();
    for path in NOT_WRITTEN_YET {
        assert!(expected.insert(path), "{path} is written: take it off the list");
    }
    let text = documentation();
    let (fields, _) = text.split_once("\n## ").unwrap();
    let rows = fields.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`'));
    assert_eq!(rows.map(|(path, _)| path).collect::<BTreeSet<_>>(), expected);
    let example = leaves_of(&example());
    assert_eq!(example.keys().map(String::as_str).collect::<BTreeSet<_>>(), expected);
    for (path, kind) in written {
        assert_eq!(example[&path], kind, "{path}");
    }
}

#[test]
fn the_example_of_the_documentation_is_read_and_written_as_it_is() {
    let example = example();
    let record: Record = serde_json::from_value(example.clone()).unwrap();
    let again = leaves_of(&serde_json::to_value(record).unwrap());
    let lost: Vec<_> = leaves_of(&example).into_keys().filter(|path| !again.contains_key(path)).collect();
    assert_eq!(lost, NOT_WRITTEN_YET);
}

#[test]
fn athenas_table_has_every_field_of_the_record_and_no_other() {
    assert_eq!(columns(&table()), lower_case(&leaves_of(&example())));
}

#[test]
fn the_table_lies_where_records_are_written_in_folders_by_day() {
    let (table, bucket) = (table(), stack_with(&[]).buckets.remove(0).name);
    assert_eq!(table.location, format!("s3://{bucket}/index/v1/"));
    assert_eq!(table.partition_keys, [("dt".to_owned(), "string".to_owned())]);
    let key = full().session.record_key();
    let folder = table.parameters["storage.location.template"].replace("${dt}", "2026-11-23");
    assert!(format!("s3://{bucket}/{key}").starts_with(&folder), "{key} is not in {folder}");
}
