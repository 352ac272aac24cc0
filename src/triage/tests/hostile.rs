//! Files that are crafted, cut off or damaged: nothing panics, and little is held.

use std::sync::LazyLock;

use proptest::prelude::*;

use super::bombs;
use super::stories::{NULL_READ, PROTON, UNREAL_ON_LINUX, context, dump, log as unreal_log, unity};
use super::*;
use crate::triage::core_file::tests::core;
use crate::triage::performance::tests::csv;
use crate::triage::wer::tests::report_of;

#[test]
fn a_dump_that_would_blow_up_in_the_parser_is_not_given_to_it() {
    for (name, bomb, refusal) in bombs::all() {
        let found = findings(&[("temp/bomb.dmp", bomb)]);
        let problem = found.problems.iter().find(|problem| problem.code == "minidump-unreadable");
        let told = problem.map(|problem| problem.detail.as_str()).unwrap_or_default();
        match refusal {
            Some(refusal) => assert!(told.contains(refusal), "{name}: {told}"),
            None => assert_eq!(found.crash.unwrap().decision.row.number, 6, "{name}: {told}"),
        }
    }
}

/// One faithful file of each kind, with a name by which it is read.
static SEEDS: LazyLock<Vec<(&str, Vec<u8>)>> = LazyLock::new(|| {
    let mut seeds = vec![
        ("x.dmp", dump(&NULL_READ, true)),
        ("x.runtime-xml", context(&NULL_READ).into_bytes()),
        ("y.runtime-xml", text::utf16(&context(&NULL_READ))),
        ("Report.wer", report_of("a.exe", "1")),
        ("core", core(11, "skylark", 0x20)),
        ("x.log", unreal_log(&NULL_READ).into_bytes()),
        ("y.log", text::utf16(UNREAL_ON_LINUX)),
        ("z.log", PROTON.as_bytes().to_vec()),
        ("perf_stats_v1.csv", csv(&[(0.5, 0.5, 50.0); 90])),
    ];
    seeds.extend(unity(0x1_4000_0000).into_iter().map(|(_, bytes)| ("error.log", bytes)));
    for name in ["test.dmp", "linux-mini.dmp", "simple-crashpad.dmp"] {
        seeds.extend(sample(name).map(|bytes| ("x.dmp", bytes)));
    }
    seeds
});

#[test]
fn files_that_are_cut_off_anywhere_are_read_as_far_as_they_go() {
    for (name, bytes) in SEEDS.iter() {
        let step = (bytes.len() / 97).max(1);
        for end in (0..bytes.len()).step_by(step) {
            drop(examine_file(name, &bytes[..end], &Rules::default()));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn faithful_files_with_damaged_bytes_never_panic(
        which in 0..14_usize,
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..24),
    ) {
        let (name, mut bytes) = SEEDS[which % SEEDS.len()].clone();
        for (place, value) in damage {
            let place = place.index(bytes.len().min(8192));
            bytes[place] = value;
        }
        drop(examine_file(name, &bytes, &Rules::default()));
    }

    #[test]
    fn any_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..2048), magic in 0..6_usize) {
        let magic: &[u8] = [b"MDMP\x93\xa7\0\0".as_slice(), b"<FGenericCrashContext>", b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x04\0", b"Version=1\n", b"\xff\xfe", b""][magic];
        let bytes = [magic, &bytes].concat();
        for name in ["x.dmp", "x.runtime-xml", "Report.wer", "core", "x.log", "perf_stats_v1.csv", "x"] {
            drop(examine_file(name, &bytes, &Rules::default()));
        }
    }

    #[test]
    fn a_log_tells_the_same_however_it_arrives(pieces in prop::collection::vec(1..700_usize, 1..40)) {
        let rules = Rules::default();
        for text in [unreal_log(&NULL_READ).into_bytes(), text::utf16(&unreal_log(&NULL_READ)), PROTON.as_bytes().to_vec()] {
            let whole = scanned(&text, &rules);
            let mut scan = log::Scan::new(rules.patterns());
            let mut rest = text.as_slice();
            for piece in pieces.iter().cycle() {
                let (now, later) = rest.split_at(rest.len().min(*piece));
                scan.push(now);
                rest = later;
                if rest.is_empty() {
                    break;
                }
            }
            prop_assert_eq!(scan.finish(), whole);
        }
    }
}
