//! Schedule expressions.

use std::str::FromStr;
use std::time::Duration;

/// `rate(value unit)`: fires at this interval, counted from the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    minutes: u32,
}

/// An expression that EventBridge would refuse, or that the local cloud does not run.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
    /// `cron(…)` and `at(…)`.
    #[error("the local cloud runs rate(…) schedules alone, not `{0}`")]
    NotRun(String),
    /// Neither.
    #[error("`{0}` is no schedule expression: expected rate(1 minute), rate(5 hours) or the like")]
    Syntax(String),
    /// `rate(1 minutes)`, `rate(5 minute)`.
    #[error("`{expression}` is refused by EventBridge: write {value} {unit}")]
    Plural {
        /// As it was given.
        expression: String,
        /// How many.
        value: u32,
        /// The right word.
        unit: String,
    },
}

impl FromStr for Rate {
    type Err = ScheduleError;

    /// From <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html>: a positive
    /// number, and `minute`, `hour` or `day`, in the singular for 1 and in the plural for anything else.
    fn from_str(expression: &str) -> Result<Self, ScheduleError> {
        if expression.starts_with("cron(") || expression.starts_with("at(") {
            return Err(ScheduleError::NotRun(expression.to_owned()));
        }
        let syntax = || ScheduleError::Syntax(expression.to_owned());
        let inner =
            expression.strip_prefix("rate(").and_then(|rest| rest.strip_suffix(')')).ok_or_else(syntax)?;
        let (value, unit) = inner.split_once(' ').ok_or_else(syntax)?;
        let value: u32 = value.parse().ok().filter(|value| *value > 0).ok_or_else(syntax)?;
        let (singular, minutes) = match unit {
            "minute" | "minutes" => ("minute", 1),
            "hour" | "hours" => ("hour", 60),
            "day" | "days" => ("day", 24 * 60),
            _ => return Err(syntax()),
        };
        let right = if value == 1 { singular.to_owned() } else { format!("{singular}s") };
        if unit != right {
            return Err(ScheduleError::Plural { expression: expression.to_owned(), value, unit: right });
        }
        value.checked_mul(minutes).map(|minutes| Self { minutes }).ok_or_else(syntax)
    }
}

impl Rate {
    /// The interval, if a minute lasts this long.
    #[must_use]
    pub fn interval(self, minute: Duration) -> Duration {
        minute * self.minutes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_counts_minutes_hours_or_days() {
        let minute = Duration::from_mins(1);
        for (expression, minutes) in [("rate(1 minute)", 1), ("rate(5 minutes)", 5), ("rate(2 days)", 2880)] {
            let rate: Rate = expression.parse().unwrap();
            assert_eq!(rate.interval(minute), minute * minutes, "{expression}");
        }
    }

    #[test]
    fn a_minute_can_last_less() {
        let rate: Rate = "rate(1 hour)".parse().unwrap();
        assert_eq!(rate.interval(Duration::from_millis(10)), Duration::from_millis(600));
    }

    #[test]
    fn the_wrong_plural_is_refused_as_on_aws() {
        for expression in ["rate(1 minutes)", "rate(5 minute)", "rate(1 hours)"] {
            assert!(matches!(expression.parse::<Rate>(), Err(ScheduleError::Plural { .. })), "{expression}");
        }
    }

    #[test]
    fn what_is_no_rate_is_refused() {
        for expression in
            ["rate(0 minutes)", "rate(1minute)", "rate(1 second)", "rate(1 minute) ", "1 minute", ""]
        {
            assert!(matches!(expression.parse::<Rate>(), Err(ScheduleError::Syntax(_))), "{expression}");
        }
        for expression in ["cron(0 12 * * ? *)", "at(2026-01-01T00:00:00)"] {
            assert!(matches!(expression.parse::<Rate>(), Err(ScheduleError::NotRun(_))), "{expression}");
        }
    }
}
