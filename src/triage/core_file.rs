//! Linux core files: which signal, in which program, where. Only the notes are read; memory, arguments and environment are not.

use std::ops::Range;

use super::crash::{AddressClass, Crash, Frame, signal_name};
use super::modules::file_name;

/// How much of a core file is looked at, in bytes: its notes come first.
pub(super) const READ: u64 = 1024 * 1024;

/// How many notes are looked at, and how many mapped files.
const MAX_NOTES: usize = 4096;
const MAX_FILES: usize = 16 * 1024;

/// Note types (`elf.h`): `NT_PRSTATUS`, `NT_PRPSINFO`, `NT_SIGINFO`, `NT_FILE`.
const PRSTATUS: u32 = 1;
const PRPSINFO: u32 = 3;
const SIGINFO: u32 = 0x5349_4749;
const FILE: u32 = 0x4649_4c45;

/// Programs' names are cut to this length (`TASK_COMM_LEN`), in bytes.
const CUT: usize = 15;

/// Where the instruction pointer is in `NT_PRSTATUS`: `pr_reg` is at 112, and of its registers `rip` is the 17th on x86-64, `pc` the 33rd
/// on `AArch64` (`e_machine` 62 and 183).
const INSTRUCTION_POINTERS: [(u16, usize); 2] = [(62, 112 + 16 * 8), (183, 112 + 32 * 8)];

/// Whether a file begins as a 64-bit little-endian core file does: ELF, of type `ET_CORE`.
pub(super) fn is_core(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\x7fELF\x02\x01") && bytes.get(16..18) == Some(&[4, 0])
}

/// Reads a core file's notes, as far as they are there.
pub(super) fn read(bytes: &[u8]) -> Crash {
    let mut crash = Crash { told_by: "core", ..Crash::default() };
    let machine = number::<2>(bytes, 18).map_or(0, u16::from_le_bytes);
    let (mut pointer, mut mapped) = (None, Vec::new());
    for (kind, note) in notes(bytes).take(MAX_NOTES) {
        match kind {
            // `pr_cursig`, behind the three integers of `elf_siginfo`. The first thread's is the one that crashed.
            PRSTATUS if crash.reason.is_none() => {
                crash.reason =
                    number::<2>(note, 12).map(|bytes| signal_name(u16::from_le_bytes(bytes).into()));
                let place = INSTRUCTION_POINTERS.iter().find(|(known, _)| *known == machine);
                pointer = place.and_then(|(_, at)| long(note, *at));
            }
            // `pr_fname`
            PRPSINFO => {
                let name = note.get(40..56).and_then(|name| name.split(|byte| *byte == 0).next());
                crash.executable = name
                    .map(|name| String::from_utf8_lossy(name).into_owned())
                    .filter(|name| !name.is_empty());
            }
            // `si_addr` of `siginfo_t`.
            SIGINFO => crash.address = long(note, 16).map(AddressClass::of),
            FILE => mapped = mapped_files(note),
            _ => {}
        }
    }
    if !matches!(crash.reason.as_deref(), Some("SIGSEGV" | "SIGBUS")) {
        crash.address = None;
    }
    if let Some(cut) = crash.executable.as_mut().filter(|name| name.len() == CUT)
        && let Some((_, whole)) = mapped.iter().find(|(_, name)| name.starts_with(cut.as_str()))
    {
        whole.clone_into(cut);
    }
    crash.frames = pointer.and_then(|at| frame(&mapped, at)).into_iter().collect();
    crash
}

/// Where an address lies, from where its file was mapped first.
fn frame(mapped: &[(Range<u64>, String)], at: u64) -> Option<Frame> {
    let (_, module) = mapped.iter().find(|(range, _)| range.contains(&at))?;
    let base = mapped.iter().filter(|(_, name)| name == module).map(|(range, _)| range.start).min()?;
    Some(Frame { module: module.clone(), offset: Some(at - base), function: None })
}

/// The mapped files and their names, without their folders: a count, the size of a page; for each start, end and the offset in the file;
/// then the paths.
fn mapped_files(note: &[u8]) -> Vec<(Range<u64>, String)> {
    let count = long(note, 0).and_then(|count| usize::try_from(count).ok()).unwrap_or(0).min(note.len() / 24);
    let mut paths = note.get(16 + 24 * count..).unwrap_or_default().split(|byte| *byte == 0);
    let range = |n: usize| Some(long(note, 16 + 24 * n)?..long(note, 24 + 24 * n)?);
    let files = (0..count).map_while(|n| {
        let path = String::from_utf8_lossy(paths.next()?);
        Some((range(n)?, file_name(&path).to_owned()))
    });
    files.take(MAX_FILES).collect()
}

/// The notes of the first segment that has any (`PT_NOTE`): type and contents.
fn notes(bytes: &[u8]) -> impl Iterator<Item = (u32, &[u8])> {
    const NOTE: u32 = 4;
    let place = |at: usize| long(bytes, at).and_then(|place| usize::try_from(place).ok());
    let headers = place(32).unwrap_or(usize::MAX);
    let count = number::<2>(bytes, 56).map_or(0, u16::from_le_bytes);
    let header = (0..usize::from(count))
        .map(|n| headers.saturating_add(n * 56))
        .find(|header| word(bytes, *header) == Some(NOTE));
    let segment = header.and_then(|header| {
        let (start, size) = (place(header.checked_add(8)?)?, place(header.checked_add(32)?)?);
        bytes.get(start..start.saturating_add(size).min(bytes.len()))
    });
    Notes(segment.unwrap_or_default())
}

struct Notes<'a>(&'a [u8]);

impl<'a> Iterator for Notes<'a> {
    type Item = (u32, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let length = |at| word(self.0, at).and_then(|length| usize::try_from(length).ok());
        let padded = |length: usize| length.checked_next_multiple_of(4);
        let (name, size, kind) = (length(0)?, length(4)?, word(self.0, 8)?);
        let start = 12_usize.checked_add(padded(name)?)?;
        let note = self.0.get(start..start.checked_add(size)?)?;
        self.0 = self.0.get(start.checked_add(padded(size)?)?..).unwrap_or_default();
        Some((kind, note))
    }
}

fn number<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at.checked_add(N)?)?.try_into().ok()
}

fn long(bytes: &[u8], at: usize) -> Option<u64> {
    number::<8>(bytes, at).map(u64::from_le_bytes)
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    number::<4>(bytes, at).map(u32::from_le_bytes)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// The beginning of a core file, as Linux writes it on x86-64. The instruction pointer is in the program.
    pub(in crate::triage) fn core(signal: u16, program: &str, address: u64) -> Vec<u8> {
        let note = |kind: u32, content: &[u8]| {
            let mut note =
                [5_u32, u32::try_from(content.len()).unwrap(), kind].map(u32::to_le_bytes).concat();
            note.extend(b"CORE\0\0\0\0");
            note.extend(content);
            note.resize(note.len().next_multiple_of(4), 0);
            note
        };
        let mut status = vec![0; 336];
        status[12..14].copy_from_slice(&signal.to_le_bytes());
        status[240..248].copy_from_slice(&0x5555_0000_2345_u64.to_le_bytes());
        let mut info = vec![0; 136];
        let name = &program.as_bytes()[..program.len().min(CUT)];
        info[40..40 + name.len()].copy_from_slice(name);
        info[56..80].copy_from_slice(b"--token=secret-argument\0");
        let mut cause = vec![0; 128];
        cause[16..24].copy_from_slice(&address.to_le_bytes());
        let mapped = [2, 4096, 0x5555_0000_0000, 0x5555_0000_1000, 0, 0x5555_0000_1000, 0x5555_0000_9000, 1];
        let paths = format!("/home/jane/{program}\0").repeat(2);
        let files = [&mapped.map(u64::to_le_bytes).concat(), paths.as_bytes()].concat();
        let notes =
            [note(1, &status), note(3, &info), note(0x5349_4749, &cause), note(0x4649_4c45, &files)].concat();
        let mut file = b"\x7fELF\x02\x01\x01".to_vec();
        file.resize(64 + 56, 0);
        (file[16], file[18]) = (4, 62);
        file[32] = 64;
        file[56] = 1;
        file[64] = 4;
        file[72] = 120;
        file[96..104].copy_from_slice(&(notes.len() as u64).to_le_bytes());
        [file, notes].concat()
    }

    #[test]
    fn a_core_file_tells_signal_program_and_address() {
        let file = core(11, "skylark", 0x20);
        assert!(is_core(&file));
        let crash = read(&file);
        assert_eq!(crash.reason.as_deref(), Some("SIGSEGV"));
        assert_eq!(crash.executable.as_deref(), Some("skylark"));
        assert_eq!(crash.address, Some(AddressClass::Null));
        assert!(!format!("{crash:?}").contains("secret-argument"));
    }

    #[test]
    fn a_core_file_tells_where_it_happened_and_the_programs_whole_name() {
        let crash = read(&core(11, "Skylark-Linux-Shipping", 0x20));
        assert_eq!(crash.executable.as_deref(), Some("Skylark-Linux-Shipping"));
        assert_eq!(
            (crash.frames[0].module.as_str(), crash.frames[0].offset),
            ("Skylark-Linux-Shipping", Some(0x2345))
        );
    }

    #[test]
    fn a_cut_off_core_file_tells_what_is_there() {
        let file = core(6, "skylark", 0);
        for end in 0..file.len() {
            read(&file[..end]);
        }
        assert_eq!(read(&file[..600]).reason.as_deref(), Some("SIGABRT"));
        assert!(!is_core(b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0"));
    }
}
