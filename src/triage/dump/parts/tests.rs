use proptest::prelude::*;

use super::*;
use crate::triage::dump::read;
use crate::triage::tests::dumps::Dump;

/// The small dump that is made of a whole one, of which a beginning is there, and how much was kept beside it.
fn of(whole: &[u8], beginning: usize, jumps: bool) -> (Vec<u8>, u64) {
    let mut parts = Parts::new(whole[..beginning.min(whole.len())].to_vec());
    while let Some(range) = parts.next(jumps) {
        let at = |offset: u64| usize::try_from(offset).unwrap().min(whole.len());
        // As it arrives.
        for piece in whole[at(range.start)..at(range.end)].chunks(7000) {
            parts.take(piece);
        }
    }
    (parts.dump(), parts.kept)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_made_of_the_parts_tells_what_the_whole_tells(
        gap in 0..3_000_000_usize,
        beginning in 80..5000_usize,
        modules in 1..60_usize,
        is_linux in any::<bool>(),
    ) {
        let mut dump = if is_linux { Dump::linux(0x5555_0000_0000, 0x1234) } else { Dump::windows(0x1_4000_0000, 0x1234) };
        dump.gaps.0 = gap;
        let last = dump.modules.last().unwrap().clone();
        dump.modules.resize(modules, last);
        let whole = dump.bytes();
        let expected = read(&whole);
        prop_assert!(expected.as_ref().is_ok_and(|it| it.has_place));
        for jumps in [false, true] {
            let (small, kept) = of(&whole, beginning, jumps);
            prop_assert!(small.len() <= 40_000 && kept <= 2_500_000, "{} {kept}", small.len());
            prop_assert_eq!(read(&small), expected.clone());
        }
    }

    #[test]
    fn whatever_a_dump_declares_little_is_kept_of_it(
        damage in prop::collection::vec((0..4000_usize, any::<u8>()), 1..60),
        beginning in 0..3000_usize,
    ) {
        let mut dump = Dump::windows(0x1_4000_0000, 0x1234);
        dump.gaps.1 = 100;
        let mut bytes = dump.bytes();
        for (place, value) in damage {
            let place = place % bytes.len();
            bytes[place] = value;
        }
        bytes.resize(100_000, 1);
        for jumps in [false, true] {
            let (small, kept) = of(&bytes, beginning, jumps);
            prop_assert!(kept <= KEPT && small.len() as u64 <= 2 * KEPT);
            drop(read(&small));
        }
    }
}

#[test]
fn what_lies_before_the_stream_that_points_at_it_is_kept() {
    let mut dump = Dump::windows(0x1_4000_0000, 0x1234);
    dump.gaps.1 = 150_000;
    let whole = dump.bytes();
    for jumps in [false, true] {
        assert_eq!(read(&of(&whole, 100_000, jumps).0), read(&whole));
    }
}

#[test]
fn thousands_of_pointers_to_one_place_are_followed_within_the_limit() {
    for (name, bomb, _) in crate::triage::tests::bombs::all() {
        let begun = std::time::Instant::now();
        let (small, kept) = of(&bomb, 2000, true);
        assert!(kept <= KEPT && small.len() as u64 <= 2 * KEPT, "{name}: {kept}, {}", small.len());
        // Unoptimised, on a machine that others use.
        assert!(begun.elapsed().as_secs() < 20, "{name}: {:?}", begun.elapsed());
    }
}
