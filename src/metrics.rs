//! Metrics, in CloudWatch's embedded metric format: log lines of which CloudWatch Logs makes metrics.
//!
//! User guide, "Specification: Embedded metric format". Each line is one JSON object by itself on standard output: what a
//! custom runtime writes there reaches CloudWatch Logs as it is, also with the log format JSON.

use std::io::{self, Write};

use jiff::Timestamp;
use serde_json::{Map, Value, json};

/// The namespace of this system's metrics.
pub const NAMESPACE: &str = "CrashCapture";

/// The one metric that is no count of things.
pub const BYTES: &str = "bytes";

/// One line: counts, for each of the sets of dimensions.
///
/// `dimensions` are names and values; each of the `sets` names some of them.
#[must_use]
pub fn document(
    at: Timestamp,
    dimensions: &[(&str, &str)],
    sets: &[&[&str]],
    counts: &[(&str, u64)],
) -> Value {
    let unit = |name| if name == BYTES { "Bytes" } else { "Count" };
    let metrics: Vec<_> = counts.iter().map(|(name, _)| json!({"Name": name, "Unit": unit(*name)})).collect();
    let directive = json!({"Namespace": NAMESPACE, "Dimensions": sets, "Metrics": metrics});
    // Lambda drops lines below the function's log level, and takes a line without level and time for INFO.
    let level = std::env::var("AWS_LAMBDA_LOG_LEVEL").unwrap_or_else(|_| "INFO".to_owned());
    let mut document = Map::new();
    document
        .insert("_aws".into(), json!({"Timestamp": at.as_millisecond(), "CloudWatchMetrics": [directive]}));
    document.insert("level".into(), level.into());
    document.insert("timestamp".into(), at.to_string().into());
    document.extend(dimensions.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())));
    document.extend(counts.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())));
    Value::Object(document)
}

/// Writes documents to standard output, each on its line.
pub fn write(documents: &[Value]) -> io::Result<()> {
    let mut lines = Vec::new();
    for document in documents {
        serde_json::to_writer(&mut lines, document)?;
        lines.push(b'\n');
    }
    io::stdout().lock().write_all(&lines)
}

#[cfg(test)]
pub(crate) mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    /// Asserts the structure that the specification asks for, and its limits.
    pub(crate) fn assert_embedded_metrics(document: &Value) {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let metadata = document["_aws"].as_object().unwrap();
        assert!(metadata["Timestamp"].as_i64().unwrap() > 1_700_000_000_000, "milliseconds");
        let directives = metadata["CloudWatchMetrics"].as_array().unwrap();
        assert!(!directives.is_empty());
        for directive in directives {
            let keys: BTreeSet<_> = directive.as_object().unwrap().keys().map(String::as_str).collect();
            assert_eq!(keys, BTreeSet::from(["Dimensions", "Metrics", "Namespace"]));
            assert!((1..=1024).contains(&text(&directive["Namespace"]).len()));
            for set in directive["Dimensions"].as_array().unwrap() {
                for dimension in set.as_array().unwrap() {
                    // The target is a member of the root, a text of 1 to 1024 characters.
                    assert!((1..=1024).contains(&text(&document[text(dimension)]).len()));
                }
            }
            let metrics = directive["Metrics"].as_array().unwrap();
            assert!((1..=100).contains(&metrics.len()));
            for metric in metrics {
                let unit = if metric["Name"] == "bytes" { "Bytes" } else { "Count" };
                assert_eq!(metric["Unit"], unit);
                assert!(document[text(&metric["Name"])].is_number(), "{metric}");
            }
        }
    }
}
