//! CloudWatch alarms on the sessions' frame rate.
//!
//! CloudWatch would be told of `FrameCaptureRate` once a minute; here an alarm counts the frames itself, once in each
//! of its periods, which may be as short as a second.

mod evaluation;
mod event;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval};

use self::evaluation::Evaluation;
use super::service::Service;
use super::session::{SessionId, StreamSession};

/// The metric: frames a second.
pub const METRIC: &str = "FrameCaptureRate";

/// An alarm that goes off when the frame rate is too low: in each of the last `datapoints` periods, the statistic of
/// the selected sessions' rates was less than or equal to the threshold. Missing data is not breaching.
#[derive(Debug, Clone, PartialEq)]
pub struct Alarm {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// The metric's namespace. AWS does not document it; `AWS/GameLiftStreams` is a guess.
    pub namespace: String,
    /// Which sessions it watches.
    pub dimensions: Dimensions,
    /// What it makes of several sessions' rates.
    pub statistic: Statistic,
    /// In frames a second.
    pub threshold: f64,
    /// In seconds, at least 1.
    pub period: u32,
    /// How many periods in a row have to be breaching, at least 1.
    pub datapoints: usize,
}

/// The two pairs of dimensions that the service's metrics have.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "AWS's own names; their meaning is in the service's documentation")]
pub enum Dimensions {
    StreamGroup { stream_group_id: String, location: String },
    Application { application_id: String, stream_class: String },
}

impl Dimensions {
    /// The dimensions by name.
    fn pairs(&self) -> [(&'static str, &str); 2] {
        match self {
            Self::StreamGroup { stream_group_id, location } => {
                [("StreamGroupId", stream_group_id), ("Location", location)]
            }
            Self::Application { application_id, stream_class } => {
                [("ApplicationId", application_id), ("StreamClass", stream_class)]
            }
        }
    }

    fn select(&self, session: &StreamSession, class_of_session: &str) -> bool {
        match self {
            Self::StreamGroup { stream_group_id, location } => {
                session.id.stream_group_id == *stream_group_id && session.location == *location
            }
            Self::Application { application_id, stream_class } => {
                session.application_id == *application_id && class_of_session == stream_class
            }
        }
    }
}

/// A statistic of CloudWatch's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Statistic {
    /// The mean of all sessions: notices when most of them are in trouble.
    Average,
    /// The lowest of all sessions: notices when one of them is.
    Minimum,
}

impl Statistic {
    fn name(self) -> &'static str {
        match self {
            Self::Average => "Average",
            Self::Minimum => "Minimum",
        }
    }

    /// The statistic of some rates; none if there are none.
    fn of(self, rates: &[f64]) -> Option<f64> {
        let count = u32::try_from(rates.len()).ok().filter(|count| *count > 0)?;
        Some(match self {
            Self::Average => rates.iter().sum::<f64>() / f64::from(count),
            Self::Minimum => rates.iter().copied().fold(f64::INFINITY, f64::min),
        })
    }
}

/// Watches for as long as the service runs, and tells EventBridge of each change of state.
pub(super) async fn watch(service: Arc<Service>, alarm: Alarm) {
    let mut evaluation = Evaluation::new(alarm.clone());
    let mut rates = Rates::default();
    let mut periods = interval(Duration::from_secs(alarm.period.max(1).into()));
    periods.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        periods.tick().await;
        let rates = rates.next(&service, &alarm.dimensions);
        if let Some(change) =
            evaluation.add(u32::try_from(rates.len()).unwrap_or(u32::MAX), alarm.statistic.of(&rates))
        {
            event::put(&service, &alarm, &change);
        }
    }
}

/// Frame rates, from counts at the ends of periods.
#[derive(Debug)]
struct Rates {
    counted_at: Instant,
    frames: HashMap<SessionId, u64>,
}

impl Default for Rates {
    fn default() -> Self {
        Self { counted_at: Instant::now(), frames: HashMap::new() }
    }
}

impl Rates {
    /// The rates of the selected live sessions that had presented a frame when the period began.
    fn next(&mut self, service: &Service, dimensions: &Dimensions) -> Vec<f64> {
        let now = Instant::now();
        let seconds = now.duration_since(std::mem::replace(&mut self.counted_at, now)).as_secs_f64();
        let frames = presented(service, dimensions);
        let before = std::mem::replace(&mut self.frames, frames);
        self.frames
            .iter()
            .filter_map(|(session, frames)| {
                let new = u32::try_from(frames.saturating_sub(*before.get(session)?)).ok()?;
                Some((f64::from(new) / seconds * 100.0).round() / 100.0)
            })
            .collect()
    }
}

/// How many frames the selected live sessions have presented, of those that have presented any.
fn presented(service: &Service, dimensions: &Dimensions) -> HashMap<SessionId, u64> {
    let books = service.books();
    let selected = books.sessions.iter().filter(|(id, entry)| {
        let session = entry.state.borrow();
        let class = books.groups.get(&id.stream_group_id).map_or("", |capacity| &capacity.group.stream_class);
        session.status.is_live() && dimensions.select(&session, class)
    });
    selected
        .map(|(id, entry)| (id.clone(), entry.frames.load(Ordering::Relaxed)))
        .filter(|(_, frames)| *frames > 0)
        .collect()
}
