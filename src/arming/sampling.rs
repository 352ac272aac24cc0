//! Sampling: which sessions are armed when not all are to be.

use sha2::{Digest, Sha256};

use crate::session::SessionName;

/// Whether `ARM_PERCENT` takes a session. It depends on nothing but the session's id, so that every pass, process and
/// version decides alike; and who is in at a low percentage is in at a higher one.
#[must_use]
pub(super) fn takes(percent: u8, session: &SessionName) -> bool {
    let digest = Sha256::digest(session.id.as_str());
    let number = digest.iter().take(8).fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    number % 100 < u64::from(percent)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::Id;

    fn sessions() -> impl Iterator<Item = SessionName> {
        let id = |text: String| Id::try_from(text).unwrap();
        (0..10_000).map(move |number| SessionName {
            stream_group: id("sg-1".into()),
            id: id(format!("session-{number}")),
        })
    }

    #[test]
    fn a_quarter_is_a_quarter() {
        let taken = sessions().filter(|session| takes(25, session)).count();
        assert!((2_300..=2_700).contains(&taken), "{taken}");
        assert_eq!(sessions().filter(|session| takes(0, session)).count(), 0);
        assert_eq!(sessions().filter(|session| takes(100, session)).count(), 10_000);
    }

    #[test]
    fn who_is_in_stays_in_at_a_higher_percentage_and_in_every_version() {
        assert!(sessions().filter(|session| takes(25, session)).all(|session| takes(26, &session)));
        let taken: Vec<_> = sessions().take(20).filter(|session| takes(25, session)).collect();
        let ids: Vec<_> = taken.iter().map(|session| session.id.as_str()).collect();
        assert_eq!(ids, ["session-1", "session-2", "session-5", "session-11", "session-18"]);
    }
}
