//! Statements about the whole path, each under each setting of what AWS does not document: one test for each pair.

use std::future::Future;
use std::pin::Pin;
use std::process::ExitCode;

use crash_capture_local::cloud::Options;
use libtest_mimic::{Arguments, Trial};

use crate::settings::{SEED, SEED_VARIABLE, SETTINGS, Setting};
use crate::support::{Cloud, FAILED_INVOCATIONS, UNDELIVERED_EVENTS};

/// How many tests run at once. Mostly they wait.
const AT_ONCE: usize = 12;

/// A statement about the whole path.
pub(crate) struct Statement {
    pub(crate) name: &'static str,
    pub(crate) holds: for<'a> fn(&'a Cloud) -> Pin<Box<dyn Future<Output = ()> + 'a>>,
    /// What it asks of the cloud, whatever the setting.
    pub(crate) asks: fn(&mut Options),
    /// Settings under which it need not hold, and why.
    pub(crate) except: &'static [(&'static str, &'static str)],
}

/// A statement that is an async function of its own name, which takes a `&Cloud`.
macro_rules! statement {
    ($name:ident) => {
        $crate::trials::Statement {
            name: stringify!($name),
            holds: |cloud| Box::pin($name(cloud)),
            asks: |_| {},
            except: &[],
        }
    };
}
pub(crate) use statement;

/// Runs each statement under each setting, as far as the command line asks for it.
pub(crate) fn run(statements: &'static [Statement]) -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(AT_ONCE);
    let trials = SETTINGS
        .iter()
        .flat_map(|setting| statements.iter().map(move |statement| trial(statement, setting)))
        .collect();
    let conclusion = libtest_mimic::run(&arguments, trials);
    if conclusion.has_failed() {
        println!("events were in the disorder of {SEED_VARIABLE}={}", *SEED);
    }
    conclusion.exit_code()
}

fn trial(statement: &'static Statement, setting: &'static Setting) -> Trial {
    for (name, _) in statement.except {
        assert!(SETTINGS.iter().any(|setting| setting.name == *name), "there is no setting {name}");
    }
    let exception = statement.except.iter().find(|(name, _)| *name == setting.name);
    let name = format!("{}::{}", setting.name, statement.name);
    let trial = Trial::test(name, || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(check(statement, setting));
        Ok(())
    });
    match exception {
        Some((_, why)) => trial.with_kind(*why).with_ignored_flag(true),
        None => trial,
    }
}

/// The statement itself; and that no event was lost on the way.
async fn check(statement: &Statement, setting: &Setting) {
    let cloud = Cloud::start_with(|options| {
        (setting.apply)(options);
        (statement.asks)(options);
    })
    .await;
    (statement.holds)(&cloud).await;
    cloud.bus.settled().await;
    for queue in [FAILED_INVOCATIONS, UNDELIVERED_EVENTS] {
        let lost = cloud.dead_letters(queue);
        assert!(lost.is_empty(), "{queue} holds {lost:#?}");
    }
}
