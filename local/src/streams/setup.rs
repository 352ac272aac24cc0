//! What an account has set up before any session starts: stream groups and applications.

use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::Semaphore;

/// A stream group: capacity to run sessions, in one or more locations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamGroup {
    /// For example `sg-1AB2C3De4`.
    pub id: String,
    /// Where sessions can run; the first is where they run unless a request says otherwise.
    pub locations: Vec<String>,
    /// How many sessions can run at a time, in each location.
    pub capacity: usize,
    /// The kind of machine: a dimension of the service's metrics.
    pub stream_class: String,
}

impl StreamGroup {
    /// A stream group of one hundred sessions in one location.
    #[must_use]
    pub fn new(id: &str, location: &str) -> Self {
        Self {
            id: id.into(),
            locations: vec![location.into()],
            capacity: 100,
            stream_class: "gen4n_high".into(),
        }
    }
}

/// An application: what a session runs. Every stream group may run every application.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Application {
    /// For example `a-9ZY8X7Wv6`.
    pub id: String,
    /// The program.
    pub executable: PathBuf,
    /// Its arguments, before a request's `AdditionalLaunchArgs`.
    pub arguments: Vec<String>,
    /// A folder whose files are in each session's application folder before the game starts.
    pub content: Option<PathBuf>,
}

impl Application {
    /// An application without arguments and content.
    #[must_use]
    pub fn new(id: &str, executable: impl Into<PathBuf>) -> Self {
        Self { id: id.into(), executable: executable.into(), arguments: Vec::new(), content: None }
    }
}

/// A stream group and its free capacity.
#[derive(Debug, Clone)]
pub(super) struct Capacity {
    pub(super) group: StreamGroup,
    /// One for each of the group's locations, in the same order.
    free: Vec<Arc<Semaphore>>,
}

impl Capacity {
    pub(super) fn new(group: StreamGroup) -> Self {
        let free = group.locations.iter().map(|_| Arc::new(Semaphore::new(group.capacity))).collect();
        Self { group, free }
    }

    /// The free capacity of a location, if the group has that location.
    pub(super) fn at(&self, location: &str) -> Option<Arc<Semaphore>> {
        let index = self.group.locations.iter().position(|known| known == location)?;
        self.free.get(index).cloned()
    }
}
