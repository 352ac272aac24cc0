//! Faults that a test injects into a service: requests that are answered late, never, or with an error of the service.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// What becomes of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault<E> {
    /// It is performed and answered, but only after this time.
    Late(Duration),
    /// It is not performed, and not answered as long as the client waits.
    Never,
    /// It is not performed, and answered with this error.
    Refused(E),
}

type Script<R, E> = Arc<dyn Fn(&R) -> Option<Fault<E>> + Send + Sync>;

/// The faults of one service, for requests `R` and its errors `E`. None, until there is a script.
pub(crate) struct Faults<R, E> {
    script: Mutex<Option<Script<R, E>>>,
}

impl<R, E> Faults<R, E> {
    /// Asks the script about each request from now on, as it arrives.
    pub(crate) fn script(&self, script: impl Fn(&R) -> Option<Fault<E>> + Send + Sync + 'static) {
        *self.script.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(script));
    }

    /// What the script says of a request.
    pub(crate) fn of(&self, request: &R) -> Option<Fault<E>> {
        let script = self.script.lock().unwrap_or_else(PoisonError::into_inner).clone();
        script.and_then(|script| script(request))
    }

    /// Lets a request wait as the script says, and gives the error that it is to be answered with.
    pub(crate) async fn strike(&self, request: &R) -> Option<E> {
        match self.of(request) {
            None => None,
            Some(Fault::Late(time)) => {
                tokio::time::sleep(time).await;
                None
            }
            Some(Fault::Never) => std::future::pending().await,
            Some(Fault::Refused(error)) => Some(error),
        }
    }
}

impl<R, E> Default for Faults<R, E> {
    fn default() -> Self {
        Self { script: Mutex::default() }
    }
}

impl<R, E> fmt::Debug for Faults<R, E> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Faults").finish_non_exhaustive()
    }
}
