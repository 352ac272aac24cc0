//! What AWS does not document, or does not promise, in all the ways that it may be.

use std::sync::LazyLock;
use std::time::Duration;

use crash_capture_local::cloud::Options;
use crash_capture_local::eventbridge::Disorder;
use crash_capture_local::streams::{
    EndReason, ExportAfterError, ExportedWhile, GeneratedName, Listings, PageOrder, SecondExport, WrongStatus,
};

/// One way for AWS to be.
pub(crate) struct Setting {
    pub(crate) name: &'static str,
    pub(crate) apply: fn(&mut Options),
}

/// How long things lag that lag: longer than the steps of a test take on a busy machine, so that it meets the lag.
const LAG: Duration = Duration::from_secs(2);

/// How late late events are.
const LATE: Duration = Duration::from_secs(1);

/// The variable that sets [`SEED`].
pub(crate) const SEED_VARIABLE: &str = "DISORDER_SEED";

/// Decides which events are how late. Another one in each run, unless it is set.
pub(crate) static SEED: LazyLock<u64> = LazyLock::new(|| {
    let given = std::env::var(SEED_VARIABLE).ok().and_then(|seed| seed.parse().ok());
    given.unwrap_or_else(|| u64::from(std::process::id()))
});

/// The name of the default.
pub(crate) const DEFAULT: &str = "as_assumed";

/// The default, each of the switches by itself, and two mixtures.
pub(crate) const SETTINGS: &[Setting] = &[
    Setting { name: DEFAULT, apply: |_| {} },
    Setting {
        name: "second_export_refused",
        apply: |options| options.switches.second_export = SecondExport::Refused,
    },
    Setting {
        name: "second_export_ignored",
        apply: |options| options.switches.second_export = SecondExport::Ignored,
    },
    Setting {
        name: "ended_sessions_not_found",
        apply: |options| options.switches.wrong_status = WrongStatus::ResourceNotFound,
    },
    Setting {
        name: "export_fails_after_error",
        apply: |options| options.switches.export_after_error = ExportAfterError::Fails,
    },
    Setting {
        name: "export_stays_pending_after_error",
        apply: |options| options.switches.export_after_error = ExportAfterError::StaysPending,
    },
    Setting {
        name: "pending_after_delivery",
        apply: |options| options.switches.pending_after_delivery = LAG,
    },
    Setting { name: "long_terminating", apply: |options| options.switches.terminating = LAG },
    Setting {
        name: "exported_while_terminating",
        apply: |options| {
            options.switches.exported_while = ExportedWhile::Terminating;
            options.switches.terminating = LATE;
        },
    },
    Setting { name: "zip_takes_long", apply: |options| options.timings.export_takes = LAG },
    Setting { name: "name_by_end", apply: |options| options.switches.generated_name = GeneratedName::Ended },
    Setting { name: "listings_lag", apply: |options| options.switches.listings = Listings::Lag(LAG) },
    Setting { name: "listings_double", apply: |options| options.switches.listings = Listings::Double(LAG) },
    Setting { name: "listings_miss", apply: |options| options.switches.listings = Listings::Miss(LAG) },
    Setting {
        name: "listings_shift",
        apply: |options| {
            options.switches.page_order = PageOrder::LastChangedFirst;
            options.switches.filtered_by_page = Some(1);
        },
    },
    Setting { name: "metadata_late", apply: |options| options.switches.metadata_after = LAG },
    Setting { name: "end_reason_late", apply: |options| options.switches.end_reason = EndReason::After(LAG) },
    Setting { name: "end_reason_never", apply: |options| options.switches.end_reason = EndReason::Never },
    Setting {
        name: "ended_sessions_forgotten",
        apply: |options| options.switches.forgotten_after = Some(Duration::ZERO),
    },
    Setting {
        name: "cloudtrail_of_another_source",
        apply: |options| options.switches.cloudtrail_source = "aws.gamelift",
    },
    Setting { name: "events_twice", apply: |options| options.disorder.twice = true },
    Setting { name: "events_late", apply: |options| options.disorder.late = LATE..=LATE },
    Setting {
        name: "events_in_disorder",
        apply: |options| {
            options.disorder = Disorder { twice: true, late: Duration::ZERO..=LATE, seed: *SEED, lost: None };
        },
    },
    Setting { name: "invoked_twice", apply: |options| options.invoked_twice = true },
    Setting {
        name: "everything_lags",
        apply: |options| {
            options.switches.listings = Listings::Lag(LAG);
            options.switches.metadata_after = LAG;
            options.switches.end_reason = EndReason::After(LAG);
            options.switches.pending_after_delivery = LAG;
            options.switches.terminating = LATE;
            options.disorder = Disorder { twice: true, late: Duration::ZERO..=LATE, seed: *SEED, lost: None };
        },
    },
    Setting {
        name: "everything_refuses",
        apply: |options| {
            options.switches.second_export = SecondExport::Refused;
            options.switches.wrong_status = WrongStatus::ResourceNotFound;
            options.switches.export_after_error = ExportAfterError::Fails;
            options.switches.listings = Listings::Miss(LAG);
            options.switches.exported_while = ExportedWhile::Terminating;
            options.switches.filtered_by_page = Some(1);
            options.invoked_twice = true;
        },
    },
];
