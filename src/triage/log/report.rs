//! A crash as a log reports it: the line that tells of it, and the lines that follow.

use super::around::Around;
use super::compiled::Groups;
use super::patterns::{Class, Weight};
use crate::triage::crash::{AddressClass, Cause, Crash, Frame, MAX_FRAMES, hex, reason};
use crate::triage::modules::{file_name, is_helper, stem};

/// How many lines of a report are read.
const MAX_LINES: usize = 800;

/// A report is over after so many lines that tell nothing.
const MAX_IDLE: usize = 24;

/// The shell's words on how a process ended: they tell less than whatever the process itself said.
pub(super) const SHELL: &str = "linux.seg";

/// How many modules' places are kept.
const MAX_MODULES: usize = 512;

/// A report of a crash, as far as it was read.
#[derive(Debug, Clone)]
pub(super) struct Report {
    pub(super) crash: Crash,
    pub(super) weight: Weight,
    /// Where the last line that told something ends, in bytes from the beginning of what was scanned.
    pub(super) end: u64,
    pub(super) version: Option<String>,
    /// Its lines, and some before them.
    pub(super) around: Around,
    wants_message: bool,
    lines: usize,
    idle: usize,
    modules: Vec<(String, u64, u64)>,
}

impl Report {
    /// Begins with a line that told of a crash, which ends and lies there.
    pub(super) fn new(
        name: &'static str,
        class: Class,
        weight: Weight,
        groups: &Groups,
        (end, around): (u64, Around),
    ) -> Self {
        let mut report = Self {
            crash: Crash { cause: Cause::Line, told_by: name, ..Crash::default() },
            weight,
            end,
            version: None,
            around,
            wants_message: false,
            lines: 0,
            idle: 0,
            modules: Vec::new(),
        };
        report.absorb(name, class, weight, groups, end);
        report
    }

    /// Whether a line that tells of a crash tells of this one. What a report of the same kind says otherwise begins a new one.
    pub(super) fn takes(&self, name: &str, class: Class, weight: Weight, groups: &Groups) -> bool {
        if self.weight == Weight::LastWords && weight != Weight::LastWords {
            return false;
        }
        let Some(cause) = cause(class).filter(|_| name != SHELL) else { return true };
        if cause != self.crash.cause || self.crash.cause == Cause::Line {
            return weight != Weight::LastWords || self.weight == Weight::LastWords;
        }
        let differs = |mine: &Option<String>, theirs: Option<&str>| {
            mine.as_deref().zip(theirs).is_some_and(|(mine, theirs)| mine != theirs)
        };
        match cause {
            Cause::Assert | Cause::Fatal => {
                !differs(&self.crash.file, groups.get("file"))
                    && !differs(&self.crash.message, groups.get("cond"))
            }
            Cause::Native | Cause::Gpu | Cause::OutOfMemory => true,
            _ => false,
        }
    }

    /// Takes in a line that tells of the crash.
    pub(super) fn absorb(
        &mut self,
        name: &'static str,
        class: Class,
        weight: Weight,
        groups: &Groups,
        end: u64,
    ) {
        (self.end, self.idle) = (end, 0);
        self.weight = self.weight.max(weight);
        let Some(cause) = cause(class) else { return };
        let crash = &mut self.crash;
        if name == SHELL && crash.message.is_some() {
            return;
        }
        if rank(cause) > rank(crash.cause) {
            crash.cause = cause;
            crash.told_by = name;
            crash.reason = None;
            crash.address = None;
            crash.file = None;
        } else if cause != crash.cause {
            return;
        }
        let code = groups.get("code").or_else(|| groups.get("sig")).or_else(|| groups.get("what"));
        match cause {
            Cause::Native => {
                // Unreal has words for reading and writing only (`WindowsPlatformCrashContext.cpp`): what is neither was executing.
                let unsaid = (name == "ue.unhandled" && groups.get("addr").is_some()).then_some("execute");
                let access = groups.get("op").or(unsaid);
                crash.reason = crash.reason.take().or(code.map(|code| reason(code, access)));
            }
            Cause::Gpu => {
                let device = groups.get("code").map(|code| dxgi(code).unwrap_or_else(|| code.to_owned()));
                crash.reason = crash.reason.take().or(device);
            }
            _ => crash.reason = crash.reason.take().or(groups.owned("type")),
        }
        if matches!(cause, Cause::Native)
            && let Some(address) = groups.get("addr").map(|text| hex(text).unwrap_or(0))
        {
            crash.address = Some(AddressClass::of(address));
        }
        crash.message = groups.owned("cond").or_else(|| groups.owned("msg")).or(crash.message.take());
        crash.file = groups.get("file").map(|file| file_name(file).to_owned()).or(crash.file.take());
        crash.thread = groups.owned("thread").or(crash.thread.take());
        crash.executable = groups.get("exe").map(|exe| file_name(exe).to_owned()).or(crash.executable.take());
        self.wants_message = crash.message.is_none() && (class == Class::Fatal || name == "rust.panic");
    }

    /// Takes in a line that follows.
    pub(super) fn follow(&mut self, name: &str, groups: &Groups, end: u64) {
        (self.end, self.idle) = (end, 0);
        self.lines += 1;
        let crash = &mut self.crash;
        match name {
            "unity.module" => {
                let place = groups
                    .get("base")
                    .and_then(hex)
                    .zip(groups.get("size").and_then(|size| size.parse().ok()));
                let program = groups.get("mod").filter(|name| name.to_ascii_lowercase().ends_with(".exe"));
                if let Some(program) = program.filter(|_| self.version.is_none()) {
                    self.version = groups.owned("version");
                    crash.executable = Some(program.to_owned());
                }
                if let (Some((base, size)), Some(module), true) =
                    (place, groups.get("mod"), self.modules.len() < MAX_MODULES)
                {
                    self.modules.push((stem(module), base, size));
                }
            }
            "unity.access" => {
                crash.address = groups.get("addr").and_then(hex).map(AddressClass::of);
                if let Some(code) = &crash.reason {
                    crash.reason = Some(reason(code, groups.get("op")));
                }
            }
            "winedbg.exe" => crash.executable = groups.get("exe").map(|exe| file_name(exe).to_owned()),
            "cxx.what" => crash.message = groups.owned("msg"),
            "gm.event" | "gm.object" if crash.told_by == "gm" => {
                let event = groups.owned("msg").or(crash.message.take()).unwrap_or_default();
                let object = groups.get("obj").map(|object| format!(" for object {object}"));
                crash.message = Some(event + &object.unwrap_or_default());
            }
            "gm.event" | "gm.object" => {}
            "py.error" if crash.told_by == "py" => {
                crash.reason = groups.owned("type");
                crash.message = groups.owned("msg");
            }
            _ => self.add_frame(groups),
        }
    }

    /// Takes in a line that matches nothing; says whether the report goes on.
    pub(super) fn other(&mut self, line: &str, end: u64) -> bool {
        self.lines += 1;
        let text = content(line).trim();
        if self.wants_message && !text.is_empty() {
            self.crash.message = Some(text.chars().take(1024).collect());
            self.wants_message = false;
            (self.end, self.idle) = (end, 0);
        } else if text.is_empty() {
            // Nothing was said.
            self.end = end;
            self.idle += 1;
        } else {
            self.idle += 1;
        }
        self.idle < MAX_IDLE && self.lines < MAX_LINES
    }

    /// What was reported, all in all.
    pub(super) fn finish(mut self) -> Self {
        // A report with a stack, and without a reason.
        if self.crash.cause == Cause::Line && !self.crash.frames.is_empty() && self.crash.message.is_none() {
            self.crash.cause = Cause::Native;
        }
        self
    }

    /// How much it tells, for comparison.
    pub(super) fn telling(&self) -> u8 {
        match &self.crash {
            crash if crash.is_telling() => 3,
            crash if crash.cause == Cause::Native => 2,
            crash if crash.message.is_some() && crash.told_by != SHELL => 1,
            _ => 0,
        }
    }

    /// Whether it is of a process that is not the game.
    pub(super) fn is_helpers(&self) -> bool {
        self.crash.executable.as_deref().is_some_and(is_helper)
    }

    fn add_frame(&mut self, groups: &Groups) {
        if self.crash.frames.len() >= MAX_FRAMES {
            return;
        }
        let module = groups.get("mod").unwrap_or_default();
        let address = groups.get("addr").and_then(hex);
        let base = || {
            let (_, base, size) = self.modules.iter().find(|(known, ..)| *known == stem(module))?;
            address?.checked_sub(*base).filter(|offset| offset < size)
        };
        let function = groups
            .owned("fn")
            .filter(|name| !name.contains("not available") && !name.starts_with("UnknownFunction"));
        self.crash.frames.push(Frame {
            module: module.to_owned(),
            offset: groups.get("off").and_then(hex).or_else(base),
            function,
        });
    }
}

/// A line without what Unreal puts before each: time, frame, category, verbosity.
fn content(line: &str) -> &str {
    let mut rest = line;
    while let Some((_, after)) = rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        rest = after;
    }
    if rest.starts_with("Log")
        && let Some((category, after)) = rest.split_once(": ")
        && category.bytes().all(|byte| byte.is_ascii_alphanumeric())
    {
        rest = after;
        for verbosity in ["Fatal: ", "Error: ", "Warning: ", "Display: "] {
            rest = rest.strip_prefix(verbosity).unwrap_or(rest);
        }
        // A line that has nothing behind its verbosity.
        rest = rest.strip_prefix("Error:").unwrap_or(rest);
    }
    rest
}

fn cause(class: Class) -> Option<Cause> {
    match class {
        Class::Native => Some(Cause::Native),
        Class::Assert => Some(Cause::Assert),
        Class::Fatal => Some(Cause::Fatal),
        Class::Gpu => Some(Cause::Gpu),
        Class::OutOfMemory => Some(Cause::OutOfMemory),
        Class::Managed => Some(Cause::Managed),
        Class::Script => Some(Cause::Script),
        Class::Line => Some(Cause::Line),
        Class::Header | Class::CleanExit | Class::Engine(_) | Class::BuildVersion | Class::Configuration => {
            None
        }
    }
}

/// Which of two causes in one report is the cause of the other.
fn rank(cause: Cause) -> u8 {
    match cause {
        Cause::File => 0,
        Cause::Line => 1,
        Cause::Script => 2,
        Cause::Managed => 3,
        Cause::Native => 4,
        Cause::Hang => 5,
        Cause::Fatal => 6,
        Cause::Assert => 7,
        Cause::OutOfMemory => 8,
        Cause::Gpu => 9,
    }
}

/// Direct3D's names of its errors (`winerror.h`).
fn dxgi(code: &str) -> Option<String> {
    let name = match hex(code)? {
        0x887a_0005 => "DXGI_ERROR_DEVICE_REMOVED",
        0x887a_0006 => "DXGI_ERROR_DEVICE_HUNG",
        0x887a_0007 => "DXGI_ERROR_DEVICE_RESET",
        0x887a_0020 => "DXGI_ERROR_DRIVER_INTERNAL_ERROR",
        _ => return None,
    };
    Some(name.to_owned())
}
