//! `crash-capture doctor`: looks at a deployment, changes nothing, and says what is wrong and what to do about it.
//!
//! - [`bucket`]: the bucket's settings
//! - [`functions`]: what the functions are told
//! - [`events`]: rules, the schedule, dead letters
//! - [`sessions`]: the sweep, what is open, stream groups

mod bucket;
mod events;
mod functions;
mod sessions;

use std::fmt::Display;

use aws_config::SdkConfig;
use serde::Serialize;

use crate::captures::Captures;
use crate::deployment::{Deployment, Stack};
use crate::failure::Failure;
use crate::output::{BAD, Cell, Column, DOUBTFUL, GOOD, Output, note};

/// How it is with one thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Health {
    Good,
    Bad,
    /// It could not be looked at.
    Unknown,
}

/// What was found about one thing.
#[derive(Debug, Serialize)]
struct Finding {
    check: &'static str,
    health: Health,
    detail: String,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    advice: Option<&'static str>,
}

impl Finding {
    fn good(check: &'static str, detail: impl Into<String>) -> Self {
        Self { check, health: Health::Good, detail: detail.into(), advice: None }
    }

    fn bad(check: &'static str, detail: impl Into<String>, advice: &'static str) -> Self {
        Self { check, health: Health::Bad, detail: detail.into(), advice: Some(advice) }
    }

    fn unknown(check: &'static str, error: impl Display) -> Self {
        let advice = "Could not be looked at. docs/managing.md has the permissions that doctor needs.";
        Self { check, health: Health::Unknown, detail: error.to_string(), advice: Some(advice) }
    }

    /// Good, if nothing is listed that is wrong.
    fn of_list(check: &'static str, good: impl Into<String>, wrong: &[String], advice: &'static str) -> Self {
        if wrong.is_empty() { Self::good(check, good) } else { Self::bad(check, wrong.join("; "), advice) }
    }
}

/// What is looked at.
struct Patient {
    config: SdkConfig,
    stack: Stack,
    captures: Captures,
}

/// Looks at a deployment.
pub(crate) async fn run(deployment: &Deployment, output: Output) -> Result<(), Failure> {
    let config = deployment.sdk_config().await?;
    let stack = deployment.describe(&config).await?;
    let captures = Captures::new(&config, stack.output(crate::deployment::BUCKET_OUTPUT)?.to_owned());
    let patient = Patient { config, stack, captures };
    let (bucket, functions, events, sessions) = tokio::join!(
        Box::pin(bucket::look(&patient)),
        Box::pin(functions::look(&patient)),
        Box::pin(events::look(&patient)),
        Box::pin(sessions::look(&patient)),
    );
    let findings: Vec<_> = [bucket, functions, events, sessions].into_iter().flatten().collect();
    if output.is_json() {
        findings.iter().try_for_each(|finding| output.json(finding))?;
    } else {
        show(&findings, output)?;
    }
    let ill = findings.iter().filter(|finding| finding.health != Health::Good).count();
    if ill == 0 { Ok(()) } else { Err(Failure::Unwell { ill, all: findings.len() }) }
}

fn show(findings: &[Finding], output: Output) -> Result<(), Failure> {
    let columns = [Column::whole(""), Column::whole("what"), Column::text("how it is")];
    let row = |finding: &Finding| {
        let (style, word) = match finding.health {
            Health::Good => (GOOD, "ok"),
            Health::Bad => (BAD, "WRONG"),
            Health::Unknown => (DOUBTFUL, "?"),
        };
        [Cell::styled(style, word), finding.check.into(), finding.detail.as_str().into()]
    };
    output.rows(columns, findings.iter().map(row))?;
    for finding in findings {
        if let Some(advice) = finding.advice {
            note(format!("\n{}: {}\n  {advice}", finding.check, finding.detail));
        }
    }
    Ok(())
}
