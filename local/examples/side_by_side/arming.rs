//! What a sweep costs: the first, which arms every session, and those that follow, which find nothing to do.

use std::collections::BTreeMap;
use std::time::Duration;

use crash_capture_local::streams::Status;
use serde_json::{Value, json};

use super::Failure;
use super::money::of_sweeps;
use super::start_up::START_EXPORT;
use super::table::{head, mib, ms, row};
use super::world::{Invocation, Programs, World};

/// Two sweeps over so many sessions.
pub(crate) struct Sweeps {
    pub(crate) sessions: usize,
    pub(crate) first: Sweep,
    pub(crate) next: Sweep,
}

/// One sweep.
pub(crate) struct Sweep {
    pub(crate) took: Duration,
    cpu: Duration,
    pub(crate) memory: Option<u64>,
    /// By operation.
    pub(crate) calls: BTreeMap<String, usize>,
}

impl Sweep {
    /// Calls and requests in all.
    pub(crate) fn requests(&self) -> usize {
        self.calls.values().sum()
    }
}

/// Prints a table for one number of sessions.
#[expect(clippy::print_stdout, reason = "that is what it is for")]
pub(crate) async fn run(programs: &Programs, sessions: usize) -> Result<(), Failure> {
    let measured = sweeps(programs, sessions).await?;
    println!("\n**{sessions} live sessions in one stream group**, without a pace\n");
    println!("{}", head(&["", "took", "sessions a second", "CPU", "peak memory", "calls and requests"]));
    for (name, sweep) in [("the first sweep", &measured.first), ("each that follows", &measured.next)] {
        let calls: Vec<_> = sweep.calls.iter().map(|(name, count)| format!("{count} {name}")).collect();
        #[expect(clippy::cast_precision_loss, reason = "sessions a second")]
        let a_second = sessions as f64 / sweep.took.as_secs_f64();
        println!(
            "{}",
            row(&[
                name.to_owned(),
                ms(sweep.took),
                format!("{a_second:.0}"),
                ms(sweep.cpu),
                mib(sweep.memory),
                calls.join(", "),
            ])
        );
    }
    println!("\nA month of sweeps that find nothing to do: ${:.2}", of_sweeps(&measured.next.calls));
    Ok(())
}

/// Sweeps twice over so many live sessions.
pub(crate) async fn sweeps(programs: &Programs, sessions: usize) -> Result<Sweeps, Failure> {
    let world = World::start(programs, &[START_EXPORT]).await?;
    world.write_down((0..sessions).map(|number| format!("session{number:06}")), Status::Active);
    let (first, used) = sweep(&world, Duration::ZERO).await?;
    let (next, _) = sweep(&world, used).await?;
    for (sweep, outcome) in [(&first, "armed"), (&next, "already-armed")] {
        if sweep.1[outcome] != json!(sessions) {
            return Err(format!("not all of {sessions} sessions are {outcome}: {}", sweep.1).into());
        }
    }
    Ok(Sweeps { sessions, first: first.0, next: next.0 })
}

/// Sweeps once; gives the sweep with its counts, and what the process has used by then.
async fn sweep(world: &World, used: Duration) -> Result<((Sweep, Value), Duration), Failure> {
    let event = json!({
        "version": "0", "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa", "detail-type": "Scheduled Event", "source": "aws.events",
        "account": "111122223333", "time": "2026-11-23T10:00:00Z", "region": "us-west-2", "resources": [], "detail": {},
    });
    let before = world.streams.call_log().len();
    let Invocation { outcome, answer, requests, .. } = world.invoke(START_EXPORT, &event).await?;
    let mut calls = BTreeMap::new();
    for call in &world.streams.call_log()[before..] {
        *calls.entry(format!("{:?}", call.operation)).or_default() += 1;
    }
    for request in requests {
        *calls.entry(request.operation).or_default() += 1;
    }
    let cpu = outcome.processor_time.unwrap_or_default();
    let sweep =
        Sweep { took: outcome.duration, cpu: cpu.saturating_sub(used), memory: outcome.max_memory, calls };
    Ok(((sweep, answer["counts"].clone()), cpu))
}
