//! The event about an alarm's change of state, as CloudWatch's user guide has it ("Alarm events and EventBridge").

use serde_json::{Map, Value, json};

use super::super::service::Service;
use super::evaluation::{Change, State, timestamp};
use super::{Alarm, METRIC};

pub(super) fn put(service: &Service, alarm: &Alarm, change: &Change) {
    let arn = service.account.arn("cloudwatch", &format!("alarm:{}", alarm.name));
    service.events.put("aws.cloudwatch", "CloudWatch Alarm State Change", &[arn], &detail(alarm, change));
}

fn detail(alarm: &Alarm, change: &Change) -> Value {
    let dimensions: Map<String, Value> =
        alarm.dimensions.pairs().into_iter().map(|(name, value)| (name.into(), value.into())).collect();
    json!({
        "alarmName": alarm.name,
        "configuration": {
            "description": alarm.description,
            "metrics": [{
                "id": "m1",
                "metricStat": {
                    "metric": { "namespace": alarm.namespace, "name": METRIC, "dimensions": dimensions },
                    "period": alarm.period,
                    "stat": alarm.statistic.name(),
                },
                "returnData": true,
            }],
        },
        "previousState": state(&change.before),
        "state": state(&change.now),
    })
}

fn state(state: &State) -> Value {
    let mut json = json!({
        "value": state.value.name(),
        "reason": state.reason,
        "timestamp": timestamp(state.since),
    });
    if let Some(data) = &state.reason_data {
        // JSON within JSON, as a string.
        json["reasonData"] = data.to_string().into();
    }
    json
}
