//! The sweep, the sessions that are open, and the stream groups that are watched.

use std::pin::pin;

use aws_sdk_cloudwatch::Client as CloudWatch;
use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::{Dimension, Metric, MetricDataQuery, MetricStat};
use crash_capture::config::StreamGroups;
use crash_capture::layout::RecordName;
use crash_capture::record::{Marker, OVERDUE};
use crash_capture::service::{Fault, ServiceError};
use crash_capture::session::LIVE_STATUSES;
use crash_capture::streams::Streams;
use futures_util::TryStreamExt as _;
use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};

use crate::captures::Filter;
use crate::failure::Failure;

use super::functions::stream_groups;
use super::{Finding, Patient};

/// The sweep comes every minute, and its metrics a little later.
const SILENCE: SignedDuration = SignedDuration::from_mins(5);

/// How far back the last sweep is looked for.
const LOOKED_BACK: SignedDuration = SignedDuration::from_hours(24);

/// Whoever asks GameLift Streams by hand leaves most of the quota to others.
const CALLS_PER_SECOND: u32 = 4;

/// How many sessions a finding names.
const NAMED: usize = 5;

pub(super) async fn look(patient: &Patient) -> Vec<Finding> {
    let (sweep, open, groups) = tokio::join!(sweep(patient), open(patient), groups(patient));
    let mut findings = vec![sweep];
    findings.extend(open);
    findings.push(groups);
    findings
}

async fn sweep(patient: &Patient) -> Finding {
    const CHECK: &str = "sweep";
    let last = match last_sweep(patient).await {
        Ok(last) => last,
        Err(error) => return Finding::unknown(CHECK, error),
    };
    let ago = last.map(|last| Timestamp::now().duration_since(last));
    match ago {
        Some(ago) if ago < SILENCE => Finding::good(CHECK, format!("ended well {} min ago", ago.as_mins())),
        ago => Finding::bad(
            CHECK,
            match ago {
                Some(ago) => format!("ended well {} min ago for the last time", ago.as_mins()),
                None => "has not ended well for a day, or never".to_owned(),
            },
            "Sessions are armed only if something else tells of them. start-export's log says what went wrong; is the \
             account's Lambda concurrency used up? A stack that was deployed a minute ago has had no sweep yet.",
        ),
    }
}

/// The beginning of the last minute in which a sweep ended well.
async fn last_sweep(patient: &Patient) -> Result<Option<Timestamp>, ServiceError> {
    let now = Timestamp::now();
    let seconds = |at: Timestamp| DateTime::from_secs(at.as_second());
    let stack = Dimension::builder().name("Stack").value(&patient.stack.name).build();
    let metric = Metric::builder().namespace("CrashCapture").metric_name("sweeps").dimensions(stack).build();
    let sum = MetricStat::builder().metric(metric).period(60).stat("Sum").build();
    let query = MetricDataQuery::builder().id("sweeps").metric_stat(sum).build();
    let request = CloudWatch::new(&patient.config).get_metric_data().metric_data_queries(query);
    let answer = request.start_time(seconds(now - LOOKED_BACK)).end_time(seconds(now)).send().await;
    let answer = answer.map_err(|error| ServiceError::new("GetMetricData", &error))?;
    let result = answer.metric_data_results().first();
    let times = result.into_iter().flat_map(|result| result.timestamps().iter().zip(result.values()));
    let swept = times.filter(|(_, sum)| **sum > 0.0);
    Ok(swept.filter_map(|(at, _)| Timestamp::from_second(at.secs()).ok()).max())
}

async fn open(patient: &Patient) -> Vec<Finding> {
    const OPEN: &str = "open sessions";
    let everything = Filter::default();
    let markers: Result<Vec<Marker>, Failure> =
        pin!(patient.captures.markers(&everything)).map_ok(|open| open.marker).try_collect().await;
    let markers = match markers {
        Ok(markers) => markers,
        Err(failure) => return vec![Finding::unknown(OPEN, failure)],
    };
    let now = Timestamp::now();
    let armed = markers.iter().filter(|marker| marker.armed_at.is_some()).count();
    let late = markers.iter().filter_map(|marker| Some((marker, marker.settling.as_ref()?.ended_at)));
    let late = late.filter(|(_, ended)| now.duration_since(*ended) >= OVERDUE);
    let overdue = match unsettled(patient, late.collect()).await {
        Ok(overdue) => {
            named(&overdue, |(marker, ended)| format!("{} ended at {ended}", marker.session.name()))
        }
        Err(failure) => return vec![Finding::unknown(OPEN, failure)],
    };
    let denied: Vec<_> = markers.iter().filter_map(|it| Some((it, it.denied.as_deref()?))).collect();
    let denied = named(&denied, |(marker, why)| format!("{}: {why}", marker.session.name()));
    vec![
        Finding::of_list(
            OPEN,
            format!("{}, of which {armed} are armed", markers.len()),
            &denied,
            "GameLift Streams refused to export them, with this text. Access denied: did somebody change the role of \
             start-export, or the bucket's policy?",
        ),
        Finding::of_list(
            "overdue sessions",
            "none",
            &overdue,
            "Their exports have neither come nor failed. GetStreamSession tells what GameLift Streams makes of them; they \
             settle by themselves after a day.",
        ),
    ]
}

/// Markers stay for a while after their sessions are settled: these have no record.
async fn unsettled<'a>(
    patient: &Patient,
    late: Vec<(&'a Marker, Timestamp)>,
) -> Result<Vec<(&'a Marker, Timestamp)>, Failure> {
    let mut unsettled = Vec::new();
    for (marker, ended) in late {
        let facts = &marker.session;
        let (date, application, session) = (facts.date(), facts.application(), facts.name());
        if patient.captures.recorded(RecordName { date, application, session }).await?.is_none() {
            unsettled.push((marker, ended));
        }
    }
    Ok(unsettled)
}

/// The first few, and how many there are more.
fn named<T>(all: &[T], name: impl Fn(&T) -> String) -> Vec<String> {
    let more = all.len().saturating_sub(NAMED);
    all.iter().take(NAMED).map(name).chain((more > 0).then(|| format!("and {more} more"))).collect()
}

async fn groups(patient: &Patient) -> Finding {
    const CHECK: &str = "stream groups";
    const ADVICE: &str = "No session of it is ever seen. Deploy again with StreamGroups mended; stream groups of another \
                          Region need a stack there.";
    let groups = match stream_groups(patient).await {
        Ok(StreamGroups::Listed(groups)) => groups,
        Ok(StreamGroups::All) => return all_groups(patient, CHECK).await,
        Err(error) => return Finding::unknown(CHECK, error),
    };
    let streams = Streams::new(&patient.config, CALLS_PER_SECOND);
    let pages = join_all(groups.iter().map(|group| streams.page(Some(group), LIVE_STATUSES[0], None))).await;
    let mut wrong = Vec::new();
    for (group, page) in groups.iter().zip(pages) {
        match page {
            Ok(_) => {}
            Err(error) if error.fault == Fault::NotFound => wrong.push(format!("there is no {group}")),
            Err(error) => return Finding::unknown(CHECK, error),
        }
    }
    if groups.is_empty() {
        wrong.push("none is watched".to_owned());
    }
    let good = format!("{} watched, all of which exist", groups.len());
    Finding::of_list(CHECK, good, &wrong, ADVICE)
}

async fn all_groups(patient: &Patient, check: &'static str) -> Finding {
    let streams = Streams::new(&patient.config, CALLS_PER_SECOND);
    match streams.page(None, LIVE_STATUSES[0], None).await {
        Ok(_) => Finding::good(check, "all of the account in this Region are watched"),
        Err(error) => Finding::unknown(check, error),
    }
}
