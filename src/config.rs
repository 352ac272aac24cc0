//! The environment, read once at start. All mistakes are reported together.

use std::fmt;
use std::ops::RangeInclusive;
use std::time::Duration;

use jiff::SignedDuration;

use crate::retention::Retention;
use crate::session::{Id, ResourceType, region_of};
use crate::triage::Rules;
use crate::user::UserIds;

/// Which stream groups are swept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StreamGroups {
    /// `*`: every group of the account in this Region.
    All,
    /// These; none means that only events arm sessions.
    Listed(Vec<Id>),
}

impl StreamGroups {
    /// Whether a group is one of them.
    #[must_use]
    pub fn contains(&self, group: &Id) -> bool {
        match self {
            Self::All => true,
            Self::Listed(groups) => groups.contains(group),
        }
    }
}

/// What the environment says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// `CAPTURE_BUCKET`: the bucket that holds everything.
    pub bucket: String,
    /// `STREAM_GROUPS`: comma-separated ids or ARNs, or `*`.
    pub stream_groups: StreamGroups,
    /// `ARM_PERCENT`: how many sessions of a hundred are armed of those that only the sweep or CloudTrail told of.
    pub arm_percent: u8,
    /// `SWEEP_EVERY_SECONDS`: from one pass of the sweep to the next, 5 to 60 s.
    pub sweep_every: Duration,
    /// `API_CALLS_PER_SECOND`: the pace of calls to GameLift Streams, for each operation.
    pub calls_per_second: u32,
    /// `REARM_AFTER_HOURS`: how old a request for an export gets until it is made again; nothing: it is not.
    pub rearm_after: Option<SignedDuration>,
    /// `USER_IDS`: what is kept of who played.
    pub user_ids: UserIds,
    /// `CRASH_RETENTION_DAYS` and its like, where they are set: for how long the bucket keeps what.
    pub retention: Option<Retention>,
    /// `STACK_NAME`: the dimension `Stack` of the metrics.
    pub stack: String,
}

/// Everything that is wrong with the environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError(Vec<String>);

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the function's environment is wrong: {}", self.0.join("; "))
    }
}

impl std::error::Error for ConfigError {}

impl Config {
    /// Reads the process's environment.
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::from_lookup(from_env)
    }

    /// Reads the process's environment, and what the studio teaches of its own engine: `CRASH_FILES`, `CRASH_PATTERN`,
    /// `CLEAN_EXIT_PATTERN`. Who needs no rules does not read them: regular expressions are a good part of the binary.
    pub fn with_rules_from_env() -> Result<(Self, Rules), ConfigError> {
        Self::with_rules_from_lookup(from_env)
    }

    /// Reads variables from wherever they are. Surrounding white space is dropped; an empty value counts as none.
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let mut mistakes = Vec::new();
        let config = Self::read(&lookup, &mut mistakes);
        if mistakes.is_empty() { Ok(config) } else { Err(ConfigError(mistakes)) }
    }

    /// The same with the studio's rules.
    pub fn with_rules_from_lookup(
        lookup: impl Fn(&str) -> Option<String>,
    ) -> Result<(Self, Rules), ConfigError> {
        let mut mistakes = Vec::new();
        let config = Self::read(&lookup, &mut mistakes);
        let teaching = ["CRASH_FILES", "CRASH_PATTERN", "CLEAN_EXIT_PATTERN"]
            .map(|name| trimmed(&lookup, name).unwrap_or_default());
        let [files, crash, exit] = &teaching;
        match Rules::new(files, crash, exit) {
            Ok(rules) if mistakes.is_empty() => Ok((config, rules)),
            rules => {
                mistakes.extend(rules.err().unwrap_or_default());
                Err(ConfigError(mistakes))
            }
        }
    }

    /// Reads what both functions are told, and adds what is wrong with it.
    fn read(lookup: &impl Fn(&str) -> Option<String>, mistakes: &mut Vec<String>) -> Self {
        let read = |name: &str| trimmed(lookup, name);
        let bucket = read("CAPTURE_BUCKET").unwrap_or_else(|| {
            mistakes.push("CAPTURE_BUCKET is not set: it names the capture bucket".to_owned());
            String::new()
        });
        let region = read("AWS_REGION");
        let groups = read("STREAM_GROUPS").unwrap_or_default();
        let stream_groups = parse_stream_groups(&groups, region.as_deref(), mistakes);
        let mut number = |name: &str, default: u32, allowed: RangeInclusive<u32>| match read(name) {
            None => default,
            Some(text) => text.parse().ok().filter(|number| allowed.contains(number)).unwrap_or_else(|| {
                let (least, most) = (allowed.start(), allowed.end());
                mistakes.push(format!("{name} is {text:?}: expected a whole number from {least} to {most}"));
                default
            }),
        };
        let arm_percent = number("ARM_PERCENT", 100, 0..=100);
        let sweep_every = number("SWEEP_EVERY_SECONDS", 15, 5..=60);
        let calls_per_second = number("API_CALLS_PER_SECOND", 8, 1..=99_999);
        // A session lasts 24 hours at most.
        let rearm_after = number("REARM_AFTER_HOURS", 0, 0..=23);
        let user_ids = read("USER_IDS").map_or(Some(UserIds::Off), |word| UserIds::of_word(&word));
        if user_ids.is_none() {
            mistakes.push("USER_IDS: expected off, hashed or plain".to_owned());
        }
        let retention = Retention::from_lookup(read, mistakes);
        Self {
            retention,
            bucket,
            stream_groups,
            arm_percent: u8::try_from(arm_percent).unwrap_or(100),
            sweep_every: Duration::from_secs(u64::from(sweep_every)),
            calls_per_second,
            rearm_after: (rearm_after > 0).then(|| SignedDuration::from_hours(rearm_after.into())),
            user_ids: user_ids.unwrap_or_default(),
            stack: read("STACK_NAME").unwrap_or_else(|| "crash-capture".to_owned()),
        }
    }
}

fn from_env(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

fn trimmed(lookup: impl Fn(&str) -> Option<String>, name: &str) -> Option<String> {
    lookup(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
}

fn parse_stream_groups(list: &str, region: Option<&str>, mistakes: &mut Vec<String>) -> StreamGroups {
    if list == "*" {
        return StreamGroups::All;
    }
    let mut groups = Vec::new();
    for text in list.split(',').map(str::trim).filter(|text| !text.is_empty()) {
        match (Id::from_id_or_arn(text, ResourceType::StreamGroup), region_of(text)) {
            (Err(error), _) => mistakes.push(format!("STREAM_GROUPS: {error}")),
            (Ok(_), found @ Some(_)) if region.is_some() && found != region => mistakes.push(format!(
                "STREAM_GROUPS: {text} is of another Region; this stack serves {}",
                region.unwrap_or_default()
            )),
            (Ok(group), _) if !groups.contains(&group) => groups.push(group),
            _ => {}
        }
    }
    StreamGroups::Listed(groups)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lookup(variables: &[(&str, &str)]) -> impl Fn(&str) -> Option<String> {
        |name| variables.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned())
    }

    fn read(variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
        Config::from_lookup(lookup(variables))
    }

    #[test]
    fn groups_are_ids_or_arns_or_all() {
        let arn = "arn:aws:gameliftstreams:us-west-2:111122223333:streamgroup/sg-1AB2C3De4";
        let list = format!(" sg-1AB2C3De4, {arn} ,sg-2,");
        let config =
            read(&[("CAPTURE_BUCKET", "b"), ("STREAM_GROUPS", &list), ("AWS_REGION", "us-west-2")]).unwrap();
        let StreamGroups::Listed(groups) = &config.stream_groups else { panic!("{config:?}") };
        assert_eq!(groups.iter().map(Id::as_str).collect::<Vec<_>>(), ["sg-1AB2C3De4", "sg-2"]);
        let all = read(&[("CAPTURE_BUCKET", "b"), ("STREAM_GROUPS", "*")]).unwrap();
        assert_eq!(all.stream_groups, StreamGroups::All);
    }

    #[test]
    fn what_is_not_said_has_a_default() {
        let config = read(&[("CAPTURE_BUCKET", "b"), ("ARM_PERCENT", " ")]).unwrap();
        assert_eq!((config.arm_percent, config.sweep_every.as_secs(), config.calls_per_second), (100, 15, 8));
        assert_eq!(config.stream_groups, StreamGroups::Listed(Vec::new()));
        assert_eq!((config.rearm_after, config.user_ids), (None, UserIds::Off));
    }

    #[test]
    fn what_is_said_counts() {
        let config =
            read(&[("CAPTURE_BUCKET", "b"), ("REARM_AFTER_HOURS", "10"), ("USER_IDS", "hashed")]).unwrap();
        assert_eq!(
            (config.rearm_after, config.user_ids),
            (Some(SignedDuration::from_hours(10)), UserIds::Hashed)
        );
        let config =
            read(&[("CAPTURE_BUCKET", "b"), ("REARM_AFTER_HOURS", "0"), ("USER_IDS", "plain")]).unwrap();
        assert_eq!((config.rearm_after, config.user_ids), (None, UserIds::Plain));
    }

    #[test]
    fn all_mistakes_are_reported_together() {
        let elsewhere = "arn:aws:gameliftstreams:eu-central-1:111122223333:streamgroup/sg-9";
        let list = format!("s g,{elsewhere},sg-1");
        let variables = [
            ("STREAM_GROUPS", list.as_str()),
            ("AWS_REGION", "us-west-2"),
            ("ARM_PERCENT", "101"),
            ("SWEEP_EVERY_SECONDS", "0.5"),
            ("API_CALLS_PER_SECOND", "many"),
            ("REARM_AFTER_HOURS", "24"),
            ("USER_IDS", "Plain"),
            ("CRASH_FILES", "crash[.txt"),
            ("CRASH_PATTERN", "boom("),
            ("CLEAN_EXIT_PATTERN", "*"),
        ];
        let error = Config::with_rules_from_lookup(lookup(&variables)).unwrap_err().to_string();
        for part in [
            "CAPTURE_BUCKET is not set",
            "\"s g\" is not a stream group",
            "sg-9 is of another Region",
            "ARM_PERCENT is \"101\": expected a whole number from 0 to 100",
            "SWEEP_EVERY_SECONDS is \"0.5\": expected a whole number from 5 to 60",
            "API_CALLS_PER_SECOND is \"many\": expected a whole number from 1 to 99999",
            "REARM_AFTER_HOURS is \"24\": expected a whole number from 0 to 23",
            "USER_IDS: expected off, hashed or plain",
            "CRASH_FILES: \"crash[.txt\" is no glob",
            "CRASH_PATTERN: \"boom(\" is no regular expression",
            "CLEAN_EXIT_PATTERN: \"*\" is no regular expression",
        ] {
            assert!(error.contains(part), "{error}");
        }
    }
}
