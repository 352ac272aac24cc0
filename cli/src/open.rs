//! `crash-capture open`: a link to a session's report, or to its zip, that works for a while.

use std::ffi::OsStr;
use std::process::{Command, Stdio};
use std::time::Duration;

use aws_sdk_s3::presigning::PresigningConfig;
use crash_capture::service::{Fault, ServiceError};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::captures::{Capture, Captures, SessionArgument};
use crate::failure::Failure;
use crate::format::minute;
use crate::output::{Output, note};

/// The longest that S3 lets a link work (user guide, "Sharing objects with presigned URLs").
const LONGEST: SignedDuration = SignedDuration::from_hours(7 * 24);

/// What to open.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Arguments {
    /// The session: its id or the beginning of it, group/id, or its ARN
    session: SessionArgument,
    /// The zip, instead of the report
    #[arg(long)]
    zip: bool,
    /// Open it in the browser, too
    #[arg(long)]
    browser: bool,
    /// For how long the link works: 15m, 2h, at most 7d; never longer than the credentials do
    #[arg(long, value_name = "TIME", default_value = "15m", value_parser = time)]
    expires: Duration,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Link {
    url: String,
    bucket: String,
    key: String,
    expires_at: Timestamp,
}

/// Prints a link, whose reader needs no credentials.
pub(crate) async fn run(captures: &Captures, arguments: &Arguments, output: Output) -> Result<(), Failure> {
    let key = if arguments.zip {
        captures.export(&arguments.session).await?.key
    } else {
        report(captures, &arguments.session).await?
    };
    let link = link(captures, key, arguments.expires).await?;
    if arguments.browser {
        browse(&link.url)?;
    }
    if output.is_json() {
        return output.json(&link);
    }
    output.text(&link.url)?;
    note(format!("Whoever has this link can read it until {} UTC.", minute(link.expires_at)));
    Ok(())
}

/// The key of a session's report, which is there.
async fn report(captures: &Captures, session: &SessionArgument) -> Result<String, Failure> {
    let Capture::Settled(record) = captures.find(session).await? else {
        return Err(Failure::not_found(format!(
            "{session} has no report yet: it is written when the session is settled"
        )));
    };
    let id = &record.name.session.id;
    let missing = || {
        Failure::not_found(format!(
            "{id} has no report, or it has expired: crash-capture show {id} tells what is known, open --zip links its zip"
        ))
    };
    let report = record.summary.report.as_ref().ok_or_else(missing)?;
    let request = captures.s3().head_object().bucket(captures.bucket()).key(&report.key);
    match Box::pin(request.send()).await.map_err(|error| ServiceError::new("HeadObject", &error)) {
        Ok(_) => Ok(report.key.clone()),
        Err(error) if error.fault == Fault::NotFound => Err(missing()),
        Err(error) => Err(error.into()),
    }
}

async fn link(captures: &Captures, key: String, expires: Duration) -> Result<Link, Failure> {
    let config = PresigningConfig::expires_in(expires).map_err(Failure::other)?;
    let expires_at = Timestamp::now() + expires;
    let request = captures.s3().get_object().bucket(captures.bucket()).key(&key).presigned(config);
    let presigned = Box::pin(request).await.map_err(|error| ServiceError::new("GetObject", &error))?;
    let bucket = captures.bucket().to_owned();
    Ok(Link { url: presigned.uri().to_owned(), bucket, key, expires_at })
}

/// Hands a link to the browser that the system, or `BROWSER`, says.
fn browse(url: &str) -> Result<(), Failure> {
    let told = std::env::var_os("BROWSER").filter(|browser| !browser.is_empty());
    let usual = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    let browser = told.as_deref().unwrap_or(OsStr::new(usual));
    let started = Command::new(browser).arg(url).stdin(Stdio::null()).stdout(Stdio::null()).status();
    match started {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(Failure::other(format!("{}: {status}", browser.display()))),
        Err(error) => Err(Failure::other(format!(
            "{} cannot be started: {error}. BROWSER names another; without --browser the link is printed",
            browser.display()
        ))),
    }
}

fn time(text: &str) -> Result<Duration, String> {
    let expected = || "expected a time of 1 second to 7 days, such as 15m, 2h or 1d".to_owned();
    let span: jiff::Span = text.parse().map_err(|_| expected())?;
    let time = span.to_duration(jiff::SpanRelativeTo::days_are_24_hours()).map_err(|_| expected())?;
    if time < SignedDuration::from_secs(1) || time > LONGEST {
        return Err(expected());
    }
    time.try_into().map_err(|_| expected())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_works_for_a_second_to_a_week() {
        assert_eq!(time("15m"), Ok(Duration::from_mins(15)));
        assert_eq!(time("7d"), Ok(Duration::from_hours(7 * 24)));
        for wrong in ["", "0s", "-5m", "8d", "soon", "15"] {
            assert!(time(wrong).unwrap_err().contains("15m"), "{wrong}");
        }
    }
}
