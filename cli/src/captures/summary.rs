//! What lists and filters need of a record. Reading no more makes reading ten thousand quick.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Deserialize;

/// The parts of a record, as far as they are there. Words are open.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Summary {
    pub(crate) state: String,
    pub(crate) verdict: Option<String>,
    pub(crate) reason: Option<Reason>,
    pub(crate) session: Session,
    pub(crate) signature: Option<Signature>,
    pub(crate) build: Option<Build>,
    pub(crate) export: Option<Export>,
    pub(crate) report: Option<Report>,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Reason {
    pub(crate) code: String,
    #[serde(default)]
    pub(crate) detail: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Session {
    pub(crate) id: String,
    pub(crate) application_id: Option<String>,
    pub(crate) user_id: Option<String>,
    pub(crate) created_at: Option<Timestamp>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Signature {
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) title: String,
    #[serde(default)]
    pub(crate) first_seen: Option<bool>,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Build {
    pub(crate) id: Option<String>,
    pub(crate) version: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Export {
    pub(crate) key: String,
    pub(crate) expires_on: Option<Date>,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Report {
    pub(crate) key: String,
}

impl Summary {
    /// What became of the session, in a word: the verdict, or the state of one that has none.
    pub(crate) fn word(&self) -> &str {
        self.verdict.as_deref().unwrap_or(&self.state)
    }

    /// What the game calls its build, or else the build's id.
    pub(crate) fn build(&self) -> Option<&str> {
        let build = self.build.as_ref()?;
        build.version.as_deref().or(build.id.as_deref())
    }

    /// What happened, on one line.
    pub(crate) fn title(&self) -> &str {
        let title =
            self.signature.as_ref().map(|signature| signature.title.as_str()).filter(|it| !it.is_empty());
        let detail = || self.reason.as_ref().map_or("", |reason| &reason.detail);
        title.unwrap_or_else(detail)
    }
}
