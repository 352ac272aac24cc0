//! The ways in which AWS may be: each switch of undocumented behaviour in each of its positions, in mixtures.

use std::time::Duration;

use crash_capture_local::cloud::Options;
use crash_capture_local::streams::{
    EndReason, ExportAfterError, ExportedWhile, GeneratedName, Listings, PageOrder, SecondExport, Switches,
    WrongStatus,
};

/// One way for AWS to be, and how many schedules of a hundred it gets.
pub(crate) struct Way {
    pub(crate) name: &'static str,
    of_a_hundred: usize,
    switches: fn(&mut Switches),
}

/// How long things lag that lag.
const LAG: Duration = Duration::from_millis(300);

/// What takes time in the lives of real games is a step of its own in the schedules: a session is `TERMINATING` until a step ends
/// it, and where `pending_after_delivery` is not zero an export is `PENDING` until a step says otherwise. CloudTrail's source is
/// the whole path's.
pub(crate) const WAYS: &[Way] = &[
    // What takes longest begins first: a service that never tells why a session ended is asked for ten seconds.
    Way { name: "no-reasons", of_a_hundred: 2, switches: |it| it.end_reason = EndReason::Never },
    Way {
        name: "forgetful",
        of_a_hundred: 6,
        switches: |it| {
            it.forgotten_after = Some(Duration::ZERO);
            it.generated_name = GeneratedName::Ended;
        },
    },
    Way { name: "as-assumed", of_a_hundred: 20, switches: |_| {} },
    Way {
        name: "lagging-listings",
        of_a_hundred: 12,
        switches: |it| {
            it.listings = Listings::Lag(LAG);
            it.second_export = SecondExport::Refused;
            it.pending_after_delivery = LAG;
        },
    },
    Way {
        name: "doubling-listings",
        of_a_hundred: 12,
        switches: |it| {
            it.listings = Listings::Double(LAG);
            it.wrong_status = WrongStatus::ResourceNotFound;
            it.export_after_error = ExportAfterError::Fails;
            it.generated_name = GeneratedName::Ended;
        },
    },
    Way {
        name: "missing-listings",
        of_a_hundred: 12,
        switches: |it| {
            it.listings = Listings::Miss(LAG);
            it.second_export = SecondExport::Ignored;
            it.export_after_error = ExportAfterError::StaysPending;
            it.exported_while = ExportedWhile::Terminating;
            it.generated_name = GeneratedName::Ended;
        },
    },
    Way {
        name: "shifting-pages",
        of_a_hundred: 12,
        switches: |it| {
            it.page_order = PageOrder::LastChangedFirst;
            it.filtered_by_page = Some(2);
            it.wrong_status = WrongStatus::ResourceNotFound;
            it.exported_while = ExportedWhile::Terminating;
            it.generated_name = GeneratedName::Ended;
            it.pending_after_delivery = LAG;
        },
    },
    Way { name: "late-metadata", of_a_hundred: 12, switches: |it| it.metadata_after = LAG },
    Way {
        name: "late-reasons",
        of_a_hundred: 12,
        switches: |it| {
            it.end_reason = EndReason::After(LAG);
            it.generated_name = GeneratedName::Ended;
            it.second_export = SecondExport::Refused;
            it.export_after_error = ExportAfterError::Fails;
            it.exported_while = ExportedWhile::Terminating;
        },
    },
];

impl Way {
    /// How many of all schedules are its.
    pub(crate) fn share(&self, schedules: usize) -> usize {
        (schedules * self.of_a_hundred).div_ceil(100)
    }

    pub(crate) fn apply(&self, options: &mut Options) {
        (self.switches)(&mut options.switches);
        // Throttling shall slow calls down, not stop them.
        options.parameters.insert("ApiCallsPerSecond".to_owned(), "500".to_owned());
    }
}

const _: () = {
    let (mut sum, mut index) = (0, 0);
    while index < WAYS.len() {
        sum += WAYS[index].of_a_hundred;
        index += 1;
    }
    assert!(sum == 100);
};
