//! What happens: four sessions, from their start to their records.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::checks::{self, Difference};
use super::narrator::Narrator;
use crate::cloud::{APPLICATION, LocalCloud, OTHER_LOCATION, PRIMARY_LOCATION, STREAM_GROUP};
use crate::streams::alarms::{Alarm, Dimensions, Statistic};
use crate::streams::{ServiceError, SessionId, StartOptions};

/// How long the four sessions may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// The alarm that notices a game that hangs. Its name begins with the template's default `AlarmPrefix`.
pub(super) const ALARM: &str = "gamelift-streams-no-frames";

/// One of the four games.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chapter {
    /// Crashes after a while.
    Crash,
    /// Exits as it should.
    Clean,
    /// Crashes before anything could arm its session.
    Early,
    /// Presents no more frames, until its player gives up.
    Hang,
}

impl Chapter {
    /// All four.
    pub const ALL: [Self; 4] = [Self::Crash, Self::Clean, Self::Early, Self::Hang];

    /// What its game does.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Crash => "crashes",
            Self::Clean => "exits cleanly",
            Self::Early => "crashes at once",
            Self::Hang => "hangs",
        }
    }

    /// The arguments of its game: seconds count from its start, one before the session is live.
    fn arguments(self) -> [&'static str; 2] {
        match self {
            Self::Crash => ["--crash-after", "6"],
            Self::Clean => ["--exit-after", "5"],
            Self::Early => ["--crash-after", "1.1"],
            Self::Hang => ["--hang-after", "4"],
        }
    }

    /// The game that hangs has a location of its own, so that the alarm selects it alone.
    fn location(self) -> &'static str {
        if self == Self::Hang { OTHER_LOCATION } else { PRIMARY_LOCATION }
    }
}

/// A session that was played, and what became of it.
#[derive(Debug)]
pub struct Played {
    /// Its game.
    pub chapter: Chapter,
    /// The session.
    pub session: SessionId,
    /// Its record.
    pub record: Value,
    /// Requests and bytes that reading its export took, as S3 counted them.
    pub reads: (usize, u64),
}

/// Plays the four games and waits for their records; tells each step in a line. Gives what became of them, and where that
/// differs from what it should be.
pub async fn play(
    cloud: &LocalCloud,
    tell: impl FnMut(String),
) -> Result<(Vec<Played>, Vec<Difference>), ServiceError> {
    let mut narrator = Narrator::new(cloud, tell);
    after_a_sweep(cloud).await;
    cloud.streams.add_alarm(alarm());
    let mut sessions = Vec::new();
    for chapter in Chapter::ALL {
        let mut options =
            StartOptions::new(STREAM_GROUP, APPLICATION).arguments(chapter.arguments()).with_client();
        options.request.locations = Some(vec![chapter.location().to_owned()]);
        sessions.push((chapter, cloud.streams.start_session(options)?));
    }
    narrator.meet(&sessions);
    let started = Instant::now();
    let mut gave_up = false;
    while started.elapsed() < PATIENCE {
        narrator.look();
        if !gave_up && hang_is_noticed(cloud, &sessions).await {
            gave_up = give_up(cloud, &sessions, &mut narrator)?;
        }
        if all_settled(cloud, &sessions).await {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    cloud.bus.settled().await;
    narrator.look();
    let played = gather(cloud, sessions).await;
    let differences = checks::compare(cloud, &played).await;
    Ok((played, differences))
}

/// The sessions start just after a sweep, so that the one that crashes at once is over when the next one comes.
async fn after_a_sweep(cloud: &LocalCloud) {
    while cloud.lambda.invocations().is_empty() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn alarm() -> Alarm {
    Alarm {
        name: ALARM.to_owned(),
        description: "A game presents no frames any more.".to_owned(),
        namespace: "AWS/GameLiftStreams".to_owned(),
        dimensions: Dimensions::StreamGroup {
            stream_group_id: STREAM_GROUP.to_owned(),
            location: OTHER_LOCATION.to_owned(),
        },
        statistic: Statistic::Average,
        threshold: 0.0,
        period: 1,
        datapoints: 2,
    }
}

async fn hang_is_noticed(cloud: &LocalCloud, sessions: &[(Chapter, SessionId)]) -> bool {
    let Some((_, session)) = sessions.iter().find(|(chapter, _)| *chapter == Chapter::Hang) else {
        return false;
    };
    cloud.marker(session).await.is_some_and(|marker| marker["alarms"].is_array())
}

/// The player of the game that hangs gives up; the backend terminates the session.
fn give_up(
    cloud: &LocalCloud,
    sessions: &[(Chapter, SessionId)],
    narrator: &mut Narrator<'_, impl FnMut(String)>,
) -> Result<bool, ServiceError> {
    for (_, session) in sessions.iter().filter(|(chapter, _)| *chapter == Chapter::Hang) {
        narrator.say("the player of the game that hangs gives up: its session is terminated");
        cloud.streams.terminate(session)?;
    }
    Ok(true)
}

async fn all_settled(cloud: &LocalCloud, sessions: &[(Chapter, SessionId)]) -> bool {
    for (_, session) in sessions {
        if cloud.record(session).await.is_none() {
            return false;
        }
    }
    true
}

async fn gather(cloud: &LocalCloud, sessions: Vec<(Chapter, SessionId)>) -> Vec<Played> {
    let mut played = Vec::new();
    for (chapter, session) in sessions {
        let record = cloud.record(&session).await.unwrap_or_default();
        let key = record["export"]["key"].as_str().unwrap_or_default();
        let reads = cloud.reads("IndexExportFunction", key);
        played.push(Played { chapter, session, record, reads });
    }
    played
}
