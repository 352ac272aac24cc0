//! The log: lines on standard output, in the form and from the level that Lambda's logging controls ask for.

use std::env;
use std::str::FromStr;

use tracing::level_filters::LevelFilter;
use tracing::subscriber::set_global_default;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt;
use tracing_subscriber::layer::SubscriberExt;

/// Begins to log. `AWS_LAMBDA_LOG_FORMAT` decides between text and JSON; `RUST_LOG` which targets log from which level
/// on, and `AWS_LAMBDA_LOG_LEVEL` from which those do that it does not name (Lambda developer guide, "Configuring JSON and plain
/// text log formats"). What is built for release has no TRACE (docs/decisions/0050).
///
/// As `lambda_runtime` has it, but for its filter, which knows spans and fields and brings another regular expression engine.
pub fn init() {
    let variable = |name| env::var(name).unwrap_or_default();
    let filter = filter(&variable("RUST_LOG"), &variable("AWS_LAMBDA_LOG_LEVEL"));
    let lines = || fmt::layer().with_target(false).without_time();
    let set = if variable("AWS_LAMBDA_LOG_FORMAT").eq_ignore_ascii_case("json") {
        set_global_default(tracing_subscriber::registry().with(filter).with(lines().json()))
    } else {
        set_global_default(tracing_subscriber::registry().with(filter).with(lines()))
    };
    // Whoever was first may go on.
    set.ok();
}

/// The filter of these two variables. What cannot be read is left out.
fn filter(targets: &str, level: &str) -> Targets {
    // Nothing at all would be read as ERROR.
    let level = Some(level).filter(|level| !level.is_empty()).and_then(|level| level.parse().ok());
    let named = targets.split(',').map(str::trim).filter(|one| !one.is_empty());
    let named = named.filter_map(|one| Targets::from_str(one).ok());
    let filter = named.fold(Targets::new(), |all, one| match one.default_level() {
        Some(level) => all.with_default(level),
        None => all.with_targets(one),
    });
    if filter.default_level().is_none() {
        filter.with_default(level.unwrap_or(LevelFilter::INFO))
    } else {
        filter
    }
}

#[cfg(test)]
mod tests {
    use tracing::Level;

    use super::*;

    #[test]
    fn targets_log_from_the_level_that_is_named_for_them_and_others_from_the_default() {
        let enabled = |targets, level| {
            let filter = filter(targets, level);
            [
                ("crash_capture::arming", Level::DEBUG),
                ("aws_config", Level::DEBUG),
                ("aws_config", Level::INFO),
            ]
            .map(|(target, level)| filter.would_enable(target, &level))
        };
        assert_eq!(enabled("info,crash_capture=DEBUG", "DEBUG"), [true, false, true]);
        assert_eq!(enabled("crash_capture=debug", "WARN"), [true, false, false]);
        assert_eq!(enabled("", "DEBUG"), [true, true, true]);
        assert_eq!(enabled("", ""), [false, false, true]);
        // A mistake does not silence the rest.
        assert_eq!(enabled("crash_capture=loud,warn", ""), [false, false, false]);
        assert_eq!(enabled("a=b=c,crash_capture=debug", ""), [true, false, true]);
    }
}
