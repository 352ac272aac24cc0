//! A game for the local cloud's sessions: a process that presents frames, writes files, and ends as it is told.
//!
//! One byte on standard output is one presented frame, thirty a second. When nobody takes them any more, the local
//! cloud is gone, and so is the game.
//!
//! | argument | what the game does |
//! | --- | --- |
//! | `--crash-after SECONDS` | crashes with a real SIGSEGV, and a minidump of it |
//! | `--exit-after SECONDS` | exits, and its log says so as Unreal's does |
//! | `--quit-after SECONDS` | exits with status 0; its log just stops |
//! | `--hang-after SECONDS` | presents no more frames, but stays alive |
//! | none of these | exits after ten minutes |
//!
//! A file `now` in its working directory makes it do so at once, and is gone then.
//!
//! Arguments that it does not know go into its log and change nothing, as with any game.

use std::env;
use std::error::Error;
use std::ffi::OsString;
use std::fs;
use std::hint::black_box;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use crash_capture_local::game::crash_reporter::{self, MONITOR_ARGUMENT};
use crash_capture_local::game::log::Log;
use crash_capture_local::game::{PROJECT, saved_folder};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::retry_on_intr;
use rustix::process::{Resource, Rlimit, setrlimit};

const FRAME: Duration = Duration::from_nanos(1_000_000_000 / 30);
const FRAMES_PER_SECOND: u64 = 30;
/// The file whose appearance ends the wait.
const NOW: &str = "now";
const LONGEST_LIFE: Duration = Duration::from_mins(10);

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<OsString> = env::args_os().skip(1).collect();
    if let [first, folder, log] = arguments.as_slice()
        && first == MONITOR_ARGUMENT
    {
        return Ok(crash_reporter::monitor(Path::new(folder), Path::new(log))?);
    }
    leave_with_the_local_cloud();
    leave_no_core_file()?;
    play(&arguments)
}

/// How a game ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    Crash,
    Exit,
    Quit,
    Hang,
}

/// When a game ends, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Plan {
    ending: Ending,
    after: Duration,
}

impl Plan {
    /// The last ending that the arguments ask for, and the arguments that mean nothing to the game.
    fn read(arguments: &[OsString]) -> Result<(Self, Vec<String>), String> {
        let mut plan = Self { ending: Ending::Exit, after: LONGEST_LIFE };
        let mut unknown = Vec::new();
        let mut rest = arguments.iter().map(|argument| argument.to_string_lossy());
        while let Some(argument) = rest.next() {
            let ending = match &*argument {
                "--crash-after" => Ending::Crash,
                "--exit-after" => Ending::Exit,
                "--quit-after" => Ending::Quit,
                "--hang-after" => Ending::Hang,
                _ => {
                    unknown.push(argument.into_owned());
                    continue;
                }
            };
            let seconds = rest.next().and_then(|value| value.parse().ok());
            let after = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
            plan =
                Self { ending, after: after.ok_or_else(|| format!("{argument} needs a number of seconds"))? };
        }
        Ok((plan, unknown))
    }
}

fn play(arguments: &[OsString]) -> Result<(), Box<dyn Error>> {
    let (plan, unknown) = Plan::read(arguments)?;
    let profile = PathBuf::from(env::var_os("HOME").ok_or("HOME, the profile folder, is not set")?);
    let mut log = Log::create(&profile)?;
    for argument in unknown {
        log.line(0, format_args!("LogInit: Warning: Unknown argument {argument}"))?;
    }
    let _reporter = crash_reporter::attach(&profile, &log)?;
    save_files(&profile)?;
    log.line(0, "LogLoad: Game class is 'SkylarkGameMode'")?;
    let frames = present_frames(plan.after, &mut log)?;
    match plan.ending {
        Ending::Crash => {
            // No memory is mapped here. Not null: a debug build would notice that, and abort.
            let hit_points = apply_damage_to_shield(black_box(0x20 as *const u32));
            Err(format!("the crash did not happen: {hit_points} hit points").into())
        }
        Ending::Exit => Ok(log.close(frames)?),
        Ending::Quit => Ok(()),
        Ending::Hang => {
            thread::sleep(LONGEST_LIFE.saturating_sub(plan.after));
            Ok(())
        }
    }
}

/// Reads through a pointer that leads nowhere. Its name stays in the symbol table, so that a dump of the crash can be
/// compared with it.
#[expect(unsafe_code, reason = "a real crash needs a real fault; the name must be found in the symbol table")]
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn apply_damage_to_shield(shield: *const u32) -> u32 {
    unsafe { *shield }
}

/// Writes one byte a frame, and a line into the log each second. Returns the number of frames.
fn present_frames(until: Duration, log: &mut Log) -> io::Result<u64> {
    let start = Instant::now();
    let mut screen = io::stdout().lock();
    let mut frames = 0;
    let mut next = start;
    while start.elapsed() < until && fs::remove_file(NOW).is_err() {
        screen.write_all(b".")?;
        screen.flush()?;
        if frames % FRAMES_PER_SECOND == 0 {
            log.line(frames, format_args!("LogSkylark: Display: World tick {}", frames / FRAMES_PER_SECOND))?;
        }
        frames += 1;
        next += FRAME;
        let end = (start + until).min(next);
        thread::sleep(end.saturating_duration_since(Instant::now()));
    }
    Ok(frames)
}

/// Something in each of the three folders that a session's export is made of.
fn save_files(profile: &Path) -> io::Result<()> {
    let saves = saved_folder(profile).join("SaveGames");
    fs::create_dir_all(&saves)?;
    fs::write(saves.join("Autosave.sav"), b"GVAS\x02\0\0\0Skylark level 3")?;
    let cache = Path::new("GLCache");
    fs::create_dir_all(cache)?;
    fs::write(cache.join("shaders.bin"), [0x42; 4096])?;
    fs::write(env::temp_dir().join(format!("{PROJECT}-{}.tmp", std::process::id())), b"scratch\n")
}

/// Ends the process when whoever reads its standard output has gone: a game must not outlive the local cloud, not
/// even if that was killed.
///
/// (`PR_SET_PDEATHSIG` would not do: it fires when the *thread* that started the game ends.)
fn leave_with_the_local_cloud() {
    thread::spawn(|| {
        let stdout = io::stdout();
        // No event is asked for, so all that can end the wait is that the reader has gone.
        let _ = retry_on_intr(|| poll(&mut [PollFd::new(&stdout, PollFlags::empty())], None));
        std::process::exit(1);
    });
}

/// What the kernel would write into the application folder is no part of what a game writes.
fn leave_no_core_file() -> io::Result<()> {
    Ok(setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(arguments: &[&str]) -> Result<(Plan, Vec<String>), String> {
        Plan::read(&arguments.iter().map(OsString::from).collect::<Vec<_>>())
    }

    #[test]
    fn unknown_arguments_change_nothing() {
        let (plan, unknown) = read(&["-windowed", "--hang-after", "0.5", "-log"]).expect("a plan");
        assert_eq!(plan, Plan { ending: Ending::Hang, after: Duration::from_millis(500) });
        assert_eq!(unknown, ["-windowed", "-log"]);
    }

    #[test]
    fn an_ending_needs_its_seconds() {
        assert_eq!(read(&["--crash-after"]), Err("--crash-after needs a number of seconds".into()));
        assert!(read(&["--crash-after", "-1"]).is_err());
    }
}
