//! The studio's own key of who played (`UserId` of `StartStreamSession`), as far as it is to be kept.

use std::fmt::Write;

use sha2::{Digest, Sha256};

/// Goes before what is hashed, so that the same key has another hash elsewhere.
const DOMAIN: &str = "crash-capture user\n";

/// How many bytes of the hash are kept: 16 hexadecimal digits.
const KEPT: usize = 8;

/// `USER_IDS`: in which form the `UserId` of a session gets into its marker and its record.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum UserIds {
    /// `off`: in none.
    #[default]
    Off,
    /// `hashed`: see [`hashed`].
    Hashed,
    /// `plain`: as it is.
    Plain,
}

impl UserIds {
    /// The form that a word of the environment names.
    #[must_use]
    pub fn of_word(word: &str) -> Option<Self> {
        match word {
            "off" => Some(Self::Off),
            "hashed" => Some(Self::Hashed),
            "plain" => Some(Self::Plain),
            _ => None,
        }
    }

    /// What is kept of a session's `UserId`.
    #[must_use]
    pub fn kept(self, user_id: Option<&str>) -> Option<String> {
        let user_id = user_id.filter(|user_id| !user_id.is_empty())?;
        match self {
            Self::Off => None,
            Self::Hashed => Some(hashed(user_id)),
            Self::Plain => Some(user_id.to_owned()),
        }
    }
}

/// The hashed form of a `UserId`: the first 16 hexadecimal digits of the SHA-256 of `crash-capture user`, a line feed, and
/// the id, in UTF-8. The same in every stack and version, so that whoever knows an id finds its sessions. There is no
/// secret in it: an id that can be guessed can be recognised.
#[must_use]
pub fn hashed(user_id: &str) -> String {
    let digest = Sha256::new().chain_update(DOMAIN).chain_update(user_id).finalize();
    digest.iter().take(KEPT).fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").ok();
        hex
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_can_be_computed_again_by_anybody() {
        // printf 'crash-capture user\nplayer-4711' | sha256sum | cut -c -16
        assert_eq!(hashed("player-4711"), "41985fe8b3594bbd");
    }

    #[test]
    fn only_what_was_asked_for_is_kept() {
        let kept = |form: UserIds| form.kept(Some("player-4711"));
        assert_eq!(kept(UserIds::default()), None);
        assert_eq!(kept(UserIds::Hashed), Some(hashed("player-4711")));
        assert_eq!(kept(UserIds::Plain).as_deref(), Some("player-4711"));
        for form in [UserIds::Off, UserIds::Hashed, UserIds::Plain] {
            assert_eq!((form.kept(None), form.kept(Some(""))), (None, None));
        }
    }
}
