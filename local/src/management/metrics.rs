//! CloudWatch's `GetMetricData`, of the metrics that the functions have logged in the embedded metric format. It speaks
//! CBOR (Smithy's protocol rpcv2Cbor), as the SDK for Rust does, and AWS JSON, as boto3 does.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use ciborium::Value as Cbor;
use ciborium::tag::Required;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Managed;
use super::json::Refusal;

/// Where the operation is asked for.
pub(super) const PATH: &str = "/service/GraniteServiceVersion20100801/operation/GetMetricData";

/// How the protocol marks its answers.
const CBOR: [(&str, &str); 2] = [("content-type", "application/cbor"), ("smithy-protocol", "rpc-v2-cbor")];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Input {
    metric_data_queries: Vec<Query>,
    start_time: Cbor,
    end_time: Cbor,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Query {
    id: String,
    metric_stat: MetricStat,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct MetricStat {
    metric: Metric,
    period: u32,
    stat: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Metric {
    namespace: String,
    #[serde(rename = "MetricName")]
    name: String,
    #[serde(default)]
    dimensions: Vec<Dimension>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Dimension {
    name: String,
    value: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Output {
    metric_data_results: Vec<Found>,
    messages: Vec<String>,
}

/// Seconds since 1970: tag 1.
type Time = Required<f64, 1>;

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Found {
    id: String,
    label: String,
    timestamps: Vec<Time>,
    values: Vec<f64>,
    status_code: &'static str,
}

pub(super) async fn answer(State(managed): State<Arc<Managed>>, body: Bytes) -> Response {
    let input: Input = match ciborium::from_reader(&*body) {
        Ok(input) => input,
        Err(error) => return (StatusCode::BAD_REQUEST, error.to_string()).into_response(),
    };
    let (Some(from), Some(to)) = (seconds(&input.start_time), seconds(&input.end_time)) else {
        return (StatusCode::BAD_REQUEST, "StartTime and EndTime are times").into_response();
    };
    let results = input.metric_data_queries.iter().map(|query| find(&managed, query, from, to)).collect();
    let mut answer = Vec::new();
    match ciborium::into_writer(&Output { metric_data_results: results, messages: Vec::new() }, &mut answer) {
        Ok(()) => (CBOR, answer).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

/// The same in AWS JSON.
pub(super) fn answer_json(managed: &Managed, input: &Value) -> Result<Value, Refusal> {
    let input = Input::deserialize(input).map_err(|error| ("SerializationException", error.to_string()))?;
    let (Some(from), Some(to)) = (seconds(&input.start_time), seconds(&input.end_time)) else {
        return Err(("InvalidParameterValueException", "StartTime and EndTime are times".to_owned()));
    };
    let results = input.metric_data_queries.iter().map(|query| find(managed, query, from, to));
    let results: Vec<_> = results.map(Found::into_json).collect();
    Ok(json!({"MetricDataResults": results, "Messages": []}))
}

fn seconds(time: &Cbor) -> Option<f64> {
    match time {
        Cbor::Tag(1, time) => seconds(time),
        Cbor::Float(seconds) => Some(*seconds),
        #[expect(clippy::cast_precision_loss, reason = "seconds since 1970")]
        Cbor::Integer(seconds) => i64::try_from(*seconds).ok().map(|seconds| seconds as f64),
        _ => None,
    }
}

/// The newest period first, as CloudWatch has it unless it is told otherwise. Sums alone: that is what is asked for.
fn find(managed: &Managed, query: &Query, from: f64, to: f64) -> Found {
    let MetricStat { metric, period, stat } = &query.metric_stat;
    let period = f64::from(*period);
    let mut sums = BTreeMap::<u64, f64>::new();
    let lines = managed.stack.functions.iter().flat_map(|it| managed.lambda.logs(&it.logical_id));
    for document in lines.filter_map(|line| serde_json::from_str(&line.text).ok()) {
        let Some((at, value)) = metric.value(&document) else { continue };
        // A period counts by its beginning.
        if stat == "Sum" && (from..to).contains(&((at / period).floor() * period)) {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "periods since 1970")]
            let begun = (at / period).floor() as u64;
            *sums.entry(begun).or_default() += value;
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "periods since 1970")]
    let timestamps = sums.keys().rev().map(|begun| Required(*begun as f64 * period)).collect();
    let values = sums.into_values().rev().collect();
    Found { id: query.id.clone(), label: metric.name.clone(), timestamps, values, status_code: "Complete" }
}

impl Found {
    fn into_json(self) -> Value {
        let timestamps: Vec<_> = self.timestamps.into_iter().map(|Required(at)| at).collect();
        json!({
            "Id": self.id, "Label": self.label, "Timestamps": timestamps, "Values": self.values,
            "StatusCode": self.status_code,
        })
    }
}

impl Metric {
    /// When, in seconds since 1970, and what a log line says of the metric.
    fn value(&self, document: &Value) -> Option<(f64, f64)> {
        let at = document.pointer("/_aws/Timestamp")?.as_f64()? / 1000.0;
        let directive = document.pointer("/_aws/CloudWatchMetrics/0")?;
        let of_it = |names: &Value| {
            let names: Vec<_> = names.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            let has = |it: &Dimension| names.contains(&&*it.name) && document[&it.name] == *it.value;
            names.len() == self.dimensions.len() && self.dimensions.iter().all(has)
        };
        let is_it = directive["Namespace"] == *self.namespace
            && directive["Dimensions"].as_array().is_some_and(|sets| sets.iter().any(of_it));
        let value = document[&self.name].as_f64().filter(|_| is_it)?;
        Some((at, value))
    }
}
