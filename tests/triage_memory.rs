//! What a crafted dump can make the functions hold: measured, in a process of its own.

#![expect(unsafe_code, reason = "an allocator that counts, around the system's")]

#[path = "fixtures/bombs.rs"]
mod bombs;
#[path = "fixtures/dumps.rs"]
mod dumps;

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

use crash_capture::triage::{Rules, examine_file};

struct Counting;

static HELD: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let held = HELD.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        MOST.fetch_max(held, Ordering::Relaxed);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Ordering::Relaxed);
        unsafe { System.dealloc(pointer, layout) };
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The most that was held at a time beyond what was held before, in bytes.
fn most_held(action: impl FnOnce()) -> usize {
    let before = HELD.load(Ordering::Relaxed);
    MOST.store(before, Ordering::Relaxed);
    action();
    MOST.load(Ordering::Relaxed) - before
}

const MIB: usize = 1024 * 1024;

/// One test, so that nothing else allocates meanwhile.
#[test]
fn what_is_held_is_bounded_whatever_a_file_declares() {
    let rules = Rules::default();
    // Whatever is made once is made now.
    drop(examine_file("x.dmp", &dumps::Dump::windows(0x1_4000_0000, 0x1234).bytes(), &rules));

    for (name, bomb, _) in bombs::all() {
        let held = most_held(|| drop(examine_file("x.dmp", &bomb, &rules)));
        assert!(held < MIB, "{name}: {held} bytes of a dump of {}", bomb.len());
    }

    // The most that the guard lets through: 1 MiB of names, which become strings.
    let name = [&8000_u32.to_le_bytes()[..], &vec![b'x'; 8000]].concat();
    let entries = |at: u32| dumps::list(&vec![dumps::entry(108, &[(8, 1), (20, at)]); 125]);
    let mut dump = dumps::Dump::windows(0x1_4000_0000, 0x1234);
    dump.streams = vec![(dumps::MODULE_LIST, entries(0))];
    let at = dump.bytes().len();
    dump.streams[0].1 = entries(u32::try_from(at).unwrap());
    let bytes = [dump.bytes(), name].concat();
    let held = most_held(|| drop(examine_file("x.dmp", &bytes, &rules)));
    assert!((MIB..4 * MIB).contains(&held), "{held} bytes");

    // A log of one endless line, and one of nothing but reports.
    let line = vec![b'x'; 8 * MIB];
    let reports =
        "Assertion failed: x [File:a.cpp] [Line: 1]\n0x0000000000001234 a!b\n".repeat(50_000).into_bytes();
    for log in [line, reports] {
        let held = most_held(|| drop(examine_file("x.log", &log, &rules)));
        assert!(held < 4 * MIB, "{held} bytes of a log of {}", log.len());
    }

    // A context of 4 MiB in UTF-16, of nothing but an element that never ends.
    let context = format!("<FGenericCrashContext><ErrorMessage>{}", "&amp;".repeat(400_000));
    let utf16: Vec<_> = context.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let held = most_held(|| drop(examine_file("CrashContext.runtime-xml", &utf16, &rules)));
    assert!(held < 8 * MIB, "{held} bytes");
}
