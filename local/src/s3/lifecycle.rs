//! Lifecycle rules: when S3 would delete an object. Nothing is deleted here.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/intro-lifecycle-rules.html>

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan, tz::TimeZone};

/// A rule that is enabled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LifecycleRule {
    /// Its `Id`.
    pub id: String,
    /// What an object's key has to begin with.
    pub prefix: String,
    /// Tags that an object has to have, all of them.
    pub tags: Vec<(String, String)>,
    /// `ExpirationInDays`; nothing for a rule that is about unfinished uploads or old versions.
    pub days: Option<i32>,
    /// `AbortIncompleteMultipartUpload`: after how many days unfinished uploads go.
    pub unfinished_days: Option<i32>,
    /// `NoncurrentVersionExpiration`: after how many days old versions go.
    pub noncurrent_days: Option<i32>,
}

impl LifecycleRule {
    /// Whether the rule is about an object.
    #[must_use]
    pub fn applies(&self, key: &str, tags: &BTreeMap<String, String>) -> bool {
        key.starts_with(&self.prefix) && self.tags.iter().all(|(key, value)| tags.get(key) == Some(value))
    }
}

/// The day at whose beginning, in UTC, S3 deletes an object, and the rule that makes it do so. Of several, the one that
/// deletes first ("Amazon S3 generally honors the shorter expiration").
#[must_use]
pub fn expiry<'a>(
    rules: &'a [LifecycleRule],
    key: &str,
    tags: &BTreeMap<String, String>,
    last_modified: Timestamp,
) -> Option<(Date, &'a LifecycleRule)> {
    let rules = rules.iter().filter(|rule| rule.applies(key, tags));
    let days = rules.filter_map(|rule| Some((midnight_after(last_modified, rule.days?), rule)));
    days.min_by_key(|(day, _)| *day)
}

/// "Adding the number of days specified in the rule to the object creation time and rounding up the resulting time to
/// the next day at midnight UTC".
fn midnight_after(time: Timestamp, days: i32) -> Date {
    let later = time.to_zoned_datetime(TimeZone::UTC).datetime().saturating_add(days.days());
    if later.time() == jiff::civil::Time::midnight() {
        later.date()
    } else {
        later.date().saturating_add(1.day())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(prefix: &str, tag: Option<(&str, &str)>, days: Option<i32>) -> LifecycleRule {
        let tags = tag.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
        let (id, prefix) = (prefix.to_owned(), prefix.to_owned());
        LifecycleRule { id, prefix, tags, days, unfinished_days: None, noncurrent_days: None }
    }

    fn expires(rules: &[LifecycleRule], key: &str, tag: &str, time: &str) -> Option<String> {
        let tags = BTreeMap::from([("V".to_owned(), tag.to_owned())]);
        expiry(rules, key, &tags, time.parse().unwrap()).map(|(day, _)| day.to_string())
    }

    #[test]
    fn an_object_goes_at_the_midnight_after_its_days_are_over() {
        let rules = [rule("a/", None, Some(3))];
        // The user guide's own example: 1/15/2014 10:30 AM UTC and 3 days.
        assert_eq!(expires(&rules, "a/x", "", "2014-01-15T10:30:00Z").as_deref(), Some("2014-01-19"));
        assert_eq!(expires(&rules, "a/x", "", "2014-01-15T00:00:00Z").as_deref(), Some("2014-01-18"));
        assert_eq!(expires(&rules, "b/x", "", "2014-01-15T10:30:00Z"), None);
    }

    #[test]
    fn of_two_rules_the_shorter_wins_and_one_without_expiry_counts_for_nothing() {
        let rules = [rule("a/", None, Some(9)), rule("a/", Some(("V", "x")), Some(2)), rule("", None, None)];
        assert_eq!(expires(&rules, "a/1", "x", "2026-11-24T00:00:00Z").as_deref(), Some("2026-11-26"));
        assert_eq!(expires(&rules, "a/1", "y", "2026-11-24T00:00:00Z").as_deref(), Some("2026-12-03"));
    }
}
