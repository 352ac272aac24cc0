//! Constraints of the service's model, and the words that AWS has for broken ones.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::sync::OnceLock;

use regex::Regex;

use super::error::ServiceError;

/// A pattern of the model. A value matches it as a whole.
#[derive(Debug)]
pub(super) struct Pattern {
    source: &'static str,
    compiled: OnceLock<Regex>,
}

impl Pattern {
    pub(super) const fn new(source: &'static str) -> Self {
        Self { source, compiled: OnceLock::new() }
    }

    fn matches(&self, value: &str) -> bool {
        let whole = || Regex::new(&format!("^(?:{})$", self.source)).expect("the model's patterns are sound");
        self.compiled.get_or_init(whole).is_match(value)
    }
}

/// All the constraints that a request breaks; AWS reports them together.
#[derive(Debug, Default)]
pub(super) struct Violations(Vec<String>);

impl Violations {
    /// A member that has to be there.
    pub(super) fn required(&mut self, member: &str, present: bool) {
        if !present {
            self.add("Value null", member, "Member must not be null");
        }
    }

    /// A text's length in characters, and its pattern.
    pub(super) fn text(
        &mut self,
        member: &str,
        value: &str,
        length: RangeInclusive<usize>,
        pattern: Option<&Pattern>,
    ) {
        self.check(&format!("Value '{value}'"), member, value, length, pattern);
    }

    /// The same for a text that may be missing.
    pub(super) fn optional_text(
        &mut self,
        member: &str,
        value: Option<&str>,
        length: RangeInclusive<usize>,
        pattern: Option<&Pattern>,
    ) {
        if let Some(value) = value {
            self.text(member, value, length, pattern);
        }
    }

    /// The same for a text that no message may show.
    pub(super) fn secret(
        &mut self,
        member: &str,
        value: Option<&str>,
        length: RangeInclusive<usize>,
        pattern: Option<&Pattern>,
    ) {
        if let Some(value) = value {
            self.check("Value", member, value, length, pattern);
        }
    }

    /// A number's bounds.
    pub(super) fn number(&mut self, member: &str, value: Option<i64>, bounds: RangeInclusive<i64>) {
        if let Some(value) = value {
            self.bounds(&format!("Value '{value}'"), member, "value", &value, &bounds);
        }
    }

    /// How many items a list or map has.
    pub(super) fn count(&mut self, member: &str, count: usize, bounds: RangeInclusive<usize>) {
        self.bounds("Value", member, "length", &count, &bounds);
    }

    /// One of an enumeration's words.
    pub(super) fn optional_one_of(&mut self, member: &str, value: Option<&str>, words: &[&str]) {
        if let Some(value) = value.filter(|value| !words.contains(value)) {
            let set = words.join(", ");
            self.add(
                &format!("Value '{value}'"),
                member,
                &format!("Member must satisfy enum value set: [{set}]"),
            );
        }
    }

    /// The error that names them all, if there are any.
    pub(super) fn into_result(self) -> Result<(), ServiceError> {
        let count = self.0.len();
        if count == 0 {
            return Ok(());
        }
        let plural = if count == 1 { "" } else { "s" };
        let all = self.0.join("; ");
        Err(ServiceError::Validation(format!("{count} validation error{plural} detected: {all}")))
    }

    fn check(
        &mut self,
        shown: &str,
        member: &str,
        value: &str,
        length: RangeInclusive<usize>,
        pattern: Option<&Pattern>,
    ) {
        self.bounds(shown, member, "length", &value.chars().count(), &length);
        if let Some(pattern) = pattern.filter(|pattern| !pattern.matches(value)) {
            let source = pattern.source;
            self.add(shown, member, &format!("Member must satisfy regular expression pattern: {source}"));
        }
    }

    fn bounds<N: PartialOrd + Display>(
        &mut self,
        shown: &str,
        member: &str,
        quantity: &str,
        actual: &N,
        bounds: &RangeInclusive<N>,
    ) {
        let (least, most) = (bounds.start(), bounds.end());
        if actual < least {
            self.add(shown, member, &format!("Member must have {quantity} greater than or equal to {least}"));
        }
        if actual > most {
            self.add(shown, member, &format!("Member must have {quantity} less than or equal to {most}"));
        }
    }

    fn add(&mut self, shown: &str, member: &str, constraint: &str) {
        self.0.push(format!("{shown} at '{member}' failed to satisfy constraint: {constraint}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_takes_the_whole_value() {
        static LETTERS: Pattern = Pattern::new("[a-z]+|x");
        assert!(LETTERS.matches("abc"));
        assert!(!LETTERS.matches("abc1"));
        assert!(!LETTERS.matches("abc\n"));
    }

    #[test]
    fn all_broken_constraints_are_told_at_once() {
        let mut violations = Violations::default();
        violations.required("protocol", false);
        violations.number("maxResults", Some(101), 1..=100);
        let error = violations.into_result().expect_err("two constraints are broken");
        assert_eq!(
            error.to_string(),
            "2 validation errors detected: \
             Value null at 'protocol' failed to satisfy constraint: Member must not be null; \
             Value '101' at 'maxResults' failed to satisfy constraint: \
             Member must have value less than or equal to 100"
        );
    }

    #[test]
    fn a_secret_is_never_shown() {
        static DIGITS: Pattern = Pattern::new("[0-9]+");
        let mut violations = Violations::default();
        violations.secret("roleArn", Some("hunter2"), 0..=3, Some(&DIGITS));
        let error = violations.into_result().expect_err("too long, and no digits").to_string();
        assert!(error.starts_with("2 validation errors") && !error.contains("hunter2"), "{error}");
    }
}
