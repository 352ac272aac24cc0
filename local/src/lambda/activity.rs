//! How much is going on.

use std::sync::Arc;

use tokio::sync::watch;

/// Counts what is queued or running.
#[derive(Debug, Clone)]
pub(crate) struct Activity {
    count: Arc<watch::Sender<usize>>,
}

/// Something that is queued or running, until this is dropped.
#[derive(Debug)]
pub(crate) struct Busy {
    count: Arc<watch::Sender<usize>>,
}

impl Activity {
    pub(super) fn new() -> Self {
        Self { count: Arc::new(watch::Sender::new(0)) }
    }

    pub(crate) fn begin(&self) -> Busy {
        self.count.send_modify(|count| *count += 1);
        Busy { count: Arc::clone(&self.count) }
    }

    pub(crate) fn is_idle(&self) -> bool {
        *self.count.borrow() == 0
    }

    /// Waits until nothing is queued or running.
    pub(crate) async fn idle(&self) {
        // It fails only without a sender, and `self` has one.
        self.count.subscribe().wait_for(|count| *count == 0).await.ok();
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.count.send_modify(|count| *count -= 1);
    }
}
