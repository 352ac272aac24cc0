//! What the API answers, in the words of [`session`](crate::session).

use aws_sdk_gameliftstreams::operation::get_stream_session::GetStreamSessionOutput;
use aws_sdk_gameliftstreams::primitives::DateTime;
use aws_sdk_gameliftstreams::types::{ExportFilesMetadata, StreamSessionSummary};
use jiff::Timestamp;

use crate::session::{Export, Id, ResourceType, Session, SessionName};
use crate::user::UserIds;

pub(super) fn from_output(name: &SessionName, output: GetStreamSessionOutput, user_ids: UserIds) -> Session {
    Session {
        name: name.clone(),
        arn: output.arn,
        application: application(output.application_arn.as_deref()),
        location: output.location,
        created_at: timestamp(output.created_at),
        updated_at: timestamp(output.last_updated_at),
        status: output.status.map(|status| status.as_str().to_owned()).unwrap_or_default(),
        end_reason: output.status_reason.map(|reason| reason.as_str().to_owned()),
        user_id: user_ids.kept(output.user_id.as_deref()),
        export: output.export_files_metadata.map(from_metadata),
    }
}

/// An item of a listing. It names its session by ARN; one that cannot be read is no session that could be armed.
pub(super) fn from_summary(item: &StreamSessionSummary, user_ids: UserIds) -> Option<Session> {
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
        user_id: user_ids.kept(item.user_id()),
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

#[cfg(test)]
mod tests {
    use aws_sdk_gameliftstreams::types::{StreamSessionStatus, StreamSessionStatusReason};

    use super::*;
    use crate::session::Phase;

    const ARN: &str = "arn:aws:gameliftstreams:us-west-2:111122223333:streamsession/sg-1/abc";

    #[test]
    fn a_status_and_an_end_reason_of_a_later_version_are_carried_as_they_are() {
        let status = || StreamSessionStatus::from("HIBERNATED");
        let reason = || StreamSessionStatusReason::from("machineOnFire");
        let item = StreamSessionSummary::builder().arn(ARN).status(status()).status_reason(reason()).build();
        let listed = from_summary(&item, UserIds::Off).unwrap();
        let output = GetStreamSessionOutput::builder().arn(ARN).status(status()).status_reason(reason());
        let told = from_output(&listed.name, output.build(), UserIds::Off);
        for session in [listed, told] {
            assert_eq!((session.status.as_str(), session.phase()), ("HIBERNATED", Phase::Ending));
            assert_eq!(session.end_reason.as_deref(), Some("machineOnFire"));
        }
    }

    #[test]
    fn an_item_that_cannot_be_named_is_left_out_and_the_others_are_not() {
        for arn in [None, Some("arn:aws:gameliftstreams:us-west-2:111122223333:streamsession/sg-1/../x")] {
            let item = StreamSessionSummary::builder().set_arn(arn.map(ToOwned::to_owned)).build();
            assert_eq!(from_summary(&item, UserIds::Plain), None);
        }
    }
}
