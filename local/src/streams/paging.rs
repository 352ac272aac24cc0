//! `NextToken`: where the next page begins.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::error::ServiceError;
use super::session::SessionId;
use super::switches::PageOrder;

/// What a token stands for. As text it is opaque: JSON in hexadecimal digits.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct PageToken {
    /// The list and the filters for which the token was made.
    pub(super) scope: String,
    /// Where the page begins.
    pub(super) place: Place,
}

/// A place in a listing.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Place {
    /// Its beginning.
    First,
    /// After this session, the last one that the page before looked at.
    After(SessionId),
    /// Behind so many sessions, whichever they are by then.
    Behind(usize),
}

impl Place {
    /// The place after a page that began at this one and looked at so many sessions, of which this was the last.
    pub(super) fn after(&self, seen: usize, last: &SessionId, order: PageOrder) -> Self {
        match (order, self) {
            (PageOrder::Fixed, _) => Self::After(last.clone()),
            (PageOrder::LastChangedFirst, Self::Behind(before)) => Self::Behind(before + seen),
            (PageOrder::LastChangedFirst, _) => Self::Behind(seen),
        }
    }
}

impl PageToken {
    /// Reads a token that a client sends back. One that was never handed out for this list is an error.
    pub(super) fn read(token: &str, scope: &str) -> Result<Self, ServiceError> {
        unhex(token)
            .and_then(|json| serde_json::from_slice::<Self>(&json).ok())
            .filter(|token| token.scope == scope)
            .ok_or_else(|| ServiceError::Validation("The provided NextToken is not valid.".into()))
    }
}

impl fmt::Display for PageToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let json = serde_json::to_vec(self).map_err(|_| fmt::Error)?;
        json.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let pairs = text.as_bytes().chunks(2);
    pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token() -> PageToken {
        let last = SessionId { stream_group_id: "sg-1AB2C3De4".into(), id: "ABC123def4567".into() };
        PageToken { scope: "all".into(), place: Place::After(last) }
    }

    #[test]
    fn a_token_comes_back_as_it_went_out() {
        assert_eq!(PageToken::read(&token().to_string(), "all"), Ok(token()));
    }

    #[test]
    fn a_token_for_another_list_is_refused() {
        assert!(PageToken::read(&token().to_string(), "other").is_err());
    }

    #[test]
    fn a_made_up_token_is_refused() {
        for made_up in ["", "x", "7b7d", "äö", &token().to_string()[2..]] {
            assert!(PageToken::read(made_up, "all").is_err(), "{made_up}");
        }
    }
}
