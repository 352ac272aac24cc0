//! The GameLift Streams API, in the words of [`session`](crate::session).

use aws_sdk_gameliftstreams::Client;
use aws_sdk_gameliftstreams::operation::get_stream_session::GetStreamSessionOutput;
use aws_sdk_gameliftstreams::primitives::DateTime;
use aws_sdk_gameliftstreams::types::{ExportFilesMetadata, StreamSessionStatus, StreamSessionSummary};
use jiff::Timestamp;

use crate::service::{Fault, ServiceError};
use crate::session::{Export, Id, ResourceType, Session, SessionName};

/// How many sessions a page of a listing holds (API reference: 1 to 100).
const PAGE: i32 = 100;

/// The GameLift Streams API of one Region.
#[derive(Debug, Clone)]
pub struct Streams {
    client: Client,
}

impl Streams {
    /// The API that a client speaks to.
    #[must_use]
    pub fn new(client: Client) -> Self {
        Self { client }
    }

    /// `GetStreamSession`: what the service tells of a session; nothing if it knows none of this name.
    pub async fn get(&self, name: &SessionName) -> Result<Option<Session>, ServiceError> {
        let request = self
            .client
            .get_stream_session()
            .identifier(name.stream_group.as_str())
            .stream_session_identifier(name.id.as_str());
        match request.send().await {
            Ok(output) => Ok(Some(from_output(name, output))),
            Err(error) => match ServiceError::new("GetStreamSession", &error) {
                error if error.fault == Fault::NotFound => Ok(None),
                error => Err(error),
            },
        }
    }

    /// `ExportStreamSessionFiles`: asks for a live session's files to be put at an `s3://….zip` URI when it ends.
    pub async fn export(&self, name: &SessionName, output_uri: &str) -> Result<(), ServiceError> {
        self.client
            .export_stream_session_files()
            .identifier(name.stream_group.as_str())
            .stream_session_identifier(name.id.as_str())
            .output_uri(output_uri)
            .send()
            .await
            .map_err(|error| ServiceError::new("ExportStreamSessionFiles", &error))?;
        Ok(())
    }

    /// The sessions of a group, or of the account where no group is given, that have one status. A listing is no snapshot:
    /// that a session is absent proves nothing.
    pub async fn list(&self, group: Option<&Id>, status: &str) -> Result<Vec<Session>, ServiceError> {
        let status = StreamSessionStatus::from(status);
        let Some(group) = group else { return self.list_by_account(status).await };
        let request =
            self.client.list_stream_sessions().identifier(group.as_str()).status(status).max_results(PAGE);
        let mut pages = request.into_paginator().send();
        let mut sessions = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| ServiceError::new("ListStreamSessions", &error))?;
            sessions.extend(page.items().iter().filter_map(from_summary));
        }
        Ok(sessions)
    }

    async fn list_by_account(&self, status: StreamSessionStatus) -> Result<Vec<Session>, ServiceError> {
        let mut pages = self
            .client
            .list_stream_sessions_by_account()
            .status(status)
            .max_results(PAGE)
            .into_paginator()
            .send();
        let mut sessions = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| ServiceError::new("ListStreamSessionsByAccount", &error))?;
            sessions.extend(page.items().iter().filter_map(from_summary));
        }
        Ok(sessions)
    }
}

fn from_output(name: &SessionName, output: GetStreamSessionOutput) -> Session {
    Session {
        name: name.clone(),
        arn: output.arn,
        application: application(output.application_arn.as_deref()),
        location: output.location,
        created_at: timestamp(output.created_at),
        updated_at: timestamp(output.last_updated_at),
        status: output.status.map(|status| status.as_str().to_owned()).unwrap_or_default(),
        end_reason: output.status_reason.map(|reason| reason.as_str().to_owned()),
        export: output.export_files_metadata.map(from_metadata),
    }
}

/// An item of a listing. It names its session by ARN; one that cannot be read is no session that could be armed.
fn from_summary(item: &StreamSessionSummary) -> Option<Session> {
    let arn = item.arn()?;
    let name = match SessionName::from_arn(arn) {
        Ok(name) => name,
        Err(error) => {
            tracing::error!(%error, "a listing holds a session that cannot be named");
            return None;
        }
    };
    Some(Session {
        name,
        arn: Some(arn.to_owned()),
        application: application(item.application_arn()),
        location: item.location.clone(),
        created_at: timestamp(item.created_at),
        updated_at: timestamp(item.last_updated_at),
        status: item.status.as_ref().map(|status| status.as_str().to_owned()).unwrap_or_default(),
        end_reason: item.status_reason.as_ref().map(|reason| reason.as_str().to_owned()),
        export: item.export_files_metadata.clone().map(from_metadata),
    })
}

fn from_metadata(metadata: ExportFilesMetadata) -> Export {
    Export {
        status: metadata.status.map(|status| status.as_str().to_owned()).unwrap_or_default(),
        status_reason: metadata.status_reason,
        output_uri: metadata.output_uri,
    }
}

fn application(arn: Option<&str>) -> Option<Id> {
    Id::from_id_or_arn(arn?, ResourceType::Application).ok()
}

fn timestamp(at: Option<DateTime>) -> Option<Timestamp> {
    // The service writes seconds as a floating-point number, in which milliseconds are not exact.
    let at = at?;
    let milliseconds = i64::from(at.subsec_nanos()).saturating_add(500_000) / 1_000_000;
    Timestamp::from_millisecond(at.secs().checked_mul(1000)?.checked_add(milliseconds)?).ok()
}
