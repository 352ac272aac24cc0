//! Faults that a test injects into a service: requests that are answered late, never, with an error of the service, or with
//! what breaks off.

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
    /// It is not performed, and the connection breaks.
    Reset,
    /// It is performed, and the connection breaks before the answer.
    Unanswered,
    /// It is performed, and the connection breaks in the middle of the answer's body.
    CutOff,
}

/// What a fault does to a request that has waited for what it had to wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Blow<E> {
    Refuse(E),
    Reset,
    Unanswer,
    CutOff,
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

    /// Lets a request wait as the script says, and gives what else befalls it.
    pub(crate) async fn strike(&self, request: &R) -> Option<Blow<E>> {
        match self.of(request)? {
            Fault::Late(time) => {
                tokio::time::sleep(time).await;
                None
            }
            Fault::Never => std::future::pending().await,
            Fault::Refused(error) => Some(Blow::Refuse(error)),
            Fault::Reset => Some(Blow::Reset),
            Fault::Unanswered => Some(Blow::Unanswer),
            Fault::CutOff => Some(Blow::CutOff),
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
