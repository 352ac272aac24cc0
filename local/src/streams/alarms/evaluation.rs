//! What state an alarm is in, and why.

use std::collections::VecDeque;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::Alarm;

/// CloudWatch's names for an alarm's states.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AlarmState {
    /// Nothing is known yet.
    InsufficientData,
    /// All is well.
    Ok,
    /// It is not.
    Alarm,
}

impl AlarmState {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::InsufficientData => "INSUFFICIENT_DATA",
            Self::Ok => "OK",
            Self::Alarm => "ALARM",
        }
    }
}

/// A state, and why the alarm is in it.
#[derive(Debug, Clone)]
pub(super) struct State {
    pub(super) value: AlarmState,
    pub(super) reason: String,
    pub(super) reason_data: Option<Value>,
    pub(super) since: Timestamp,
}

/// The step from one state to another.
#[derive(Debug)]
pub(super) struct Change {
    pub(super) before: State,
    pub(super) now: State,
}

/// What was measured in one period. Without a value there was nobody to measure.
#[derive(Debug, Clone, Copy)]
struct Datapoint {
    begin: Timestamp,
    sessions: u32,
    value: Option<f64>,
}

/// An alarm's latest datapoints, and the state that they mean.
#[derive(Debug)]
pub(super) struct Evaluation {
    alarm: Alarm,
    datapoints: VecDeque<Datapoint>,
    state: State,
}

impl Evaluation {
    pub(super) fn new(alarm: Alarm) -> Self {
        let state = State {
            value: AlarmState::InsufficientData,
            reason: "Unchecked: Initial alarm creation".into(),
            reason_data: None,
            since: Timestamp::now(),
        };
        Self { alarm, datapoints: VecDeque::new(), state }
    }

    /// Takes the period that has just ended into account.
    pub(super) fn add(&mut self, sessions: u32, value: Option<f64>) -> Option<Change> {
        let needed = self.alarm.datapoints.max(1);
        let period = std::time::Duration::from_secs(self.alarm.period.into());
        let now = Timestamp::now();
        let begin = now.saturating_sub(period).unwrap_or(now);
        self.datapoints.push_back(Datapoint { begin, sessions, value });
        if self.datapoints.len() > needed {
            self.datapoints.pop_front();
        }
        let breaching = self.datapoints.iter().filter(|datapoint| self.breaches(datapoint)).count();
        let value = if breaching == needed { AlarmState::Alarm } else { AlarmState::Ok };
        if value == self.state.value {
            return None;
        }
        let now =
            State { value, reason: self.reason(value), reason_data: Some(self.reason_data(now)), since: now };
        let before = std::mem::replace(&mut self.state, now.clone());
        Some(Change { before, now })
    }

    fn breaches(&self, datapoint: &Datapoint) -> bool {
        datapoint.value.is_some_and(|value| value <= self.alarm.threshold)
    }

    /// In CloudWatch's words.
    fn reason(&self, value: AlarmState) -> String {
        let threshold = format!("the threshold ({:?})", self.alarm.threshold);
        let shown = |datapoint: &Datapoint| {
            Some(format!("{:?} ({})", datapoint.value?, datapoint.begin.strftime("%d/%m/%y %H:%M:%S")))
        };
        if value == AlarmState::Alarm {
            let all: Vec<_> = self.datapoints.iter().rev().filter_map(shown).collect();
            let (count, all) = (all.len(), all.join(", "));
            return if count == 1 {
                format!("Threshold Crossed: 1 datapoint [{all}] was less than or equal to {threshold}.")
            } else {
                format!(
                    "Threshold Crossed: {count} out of the last {count} datapoints [{all}] were less than or \
                     equal to {threshold} (minimum {count} datapoints for OK -> ALARM transition)."
                )
            };
        }
        let good = self.datapoints.iter().rev().find(|datapoint| !self.breaches(datapoint));
        match good.and_then(shown) {
            Some(good) => {
                format!("Threshold Crossed: 1 datapoint [{good}] was not less than or equal to {threshold}.")
            }
            None => {
                "Threshold Crossed: no datapoints were received for 1 period and 1 missing datapoint was \
                     treated as [NonBreaching]."
                    .into()
            }
        }
    }

    fn reason_data(&self, now: Timestamp) -> Value {
        let known = || self.datapoints.iter().filter(|datapoint| datapoint.value.is_some());
        let evaluated = |datapoint: &Datapoint| {
            let mut evaluated = json!({ "timestamp": timestamp(datapoint.begin) });
            if let Some(value) = datapoint.value {
                evaluated["sampleCount"] = f64::from(datapoint.sessions).into();
                evaluated["value"] = value.into();
            }
            evaluated
        };
        let mut data = json!({
            "version": "1.0",
            "queryDate": timestamp(now),
            "statistic": self.alarm.statistic.name(),
            "period": self.alarm.period,
            "recentDatapoints": known().map(|datapoint| datapoint.value).collect::<Vec<_>>(),
            "threshold": self.alarm.threshold,
            "evaluatedDatapoints": self.datapoints.iter().rev().map(evaluated).collect::<Vec<_>>(),
        });
        if let Some(first) = known().next() {
            data["startDate"] = timestamp(first.begin).into();
        }
        data
    }
}

/// CloudWatch's own form of a time.
pub(super) fn timestamp(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S.%3f+0000").to_string()
}

#[cfg(test)]
mod tests {
    use super::super::{Dimensions, Statistic};
    use super::*;

    fn evaluation(datapoints: usize) -> Evaluation {
        Evaluation::new(Alarm {
            name: "no-frames".into(),
            description: String::new(),
            namespace: "AWS/GameLiftStreams".into(),
            dimensions: Dimensions::StreamGroup {
                stream_group_id: "sg-1".into(),
                location: "us-west-2".into(),
            },
            statistic: Statistic::Minimum,
            threshold: 1.0,
            period: 60,
            datapoints,
        })
    }

    fn states(evaluation: &mut Evaluation, values: &[Option<f64>]) -> Vec<Option<&'static str>> {
        let add = |value: &Option<f64>| evaluation.add(1, *value).map(|change| change.now.value.name());
        values.iter().map(add).collect()
    }

    #[test]
    fn an_alarm_goes_off_after_enough_breaching_datapoints_in_a_row() {
        let changes =
            states(&mut evaluation(2), &[Some(30.0), Some(0.0), Some(30.0), Some(1.0), Some(0.5), Some(0.0)]);
        assert_eq!(changes, [Some("OK"), None, None, None, Some("ALARM"), None]);
    }

    #[test]
    fn missing_data_is_not_breaching() {
        let changes = states(&mut evaluation(1), &[None, Some(0.0), None]);
        assert_eq!(changes, [Some("OK"), Some("ALARM"), Some("OK")]);
    }

    #[test]
    fn the_reason_is_in_cloudwatchs_words() {
        let mut evaluation = evaluation(2);
        states(&mut evaluation, &[Some(30.0), Some(0.0)]);
        let change = evaluation.add(1, Some(0.5)).expect("the alarm goes off");
        let reason = &change.now.reason;
        assert!(reason.starts_with("Threshold Crossed: 2 out of the last 2 datapoints [0.5 ("), "{reason}");
        assert!(reason.ends_with(
            "were less than or equal to the threshold (1.0) (minimum 2 datapoints for OK -> ALARM transition)."
        ));
        assert_eq!(change.before.value, AlarmState::Ok);
        assert_eq!(change.now.reason_data.expect("data")["recentDatapoints"], json!([0.0, 0.5]));
    }
}
