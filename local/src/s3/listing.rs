//! `ListObjectsV2`: a page of keys in the order of their UTF-8 bytes.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use base64_simd::URL_SAFE_NO_PAD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::object::Object;

/// What a page may hold at most.
pub(super) const LARGEST_PAGE: usize = 1000;

/// Which keys a page holds.
#[derive(Debug)]
pub(super) struct Query<'a> {
    pub(super) prefix: &'a str,
    /// Keys that share what comes before it, behind the prefix, are rolled up. Never empty.
    pub(super) delimiter: Option<&'a str>,
    /// Where to go on.
    pub(super) after: Option<Position>,
    pub(super) max_keys: usize,
}

/// One entry of a page.
#[derive(Debug)]
pub(super) enum Entry {
    Object(Arc<Object>),
    CommonPrefix(String),
}

impl Entry {
    /// The object, if it is one.
    pub(super) fn object(self) -> Option<Arc<Object>> {
        match self {
            Self::Object(object) => Some(object),
            Self::CommonPrefix(_) => None,
        }
    }
}

/// A page, and where the next one begins, if there is one.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) entries: Vec<Entry>,
    pub(super) next: Option<Position>,
}

/// A place in the order of keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Position {
    /// Behind this key.
    Key(String),
    /// Behind all keys that begin like this.
    CommonPrefix(String),
}

impl Position {
    /// As an opaque continuation token.
    pub(super) fn to_token(&self) -> String {
        URL_SAFE_NO_PAD.encode_to_string(match self {
            Self::Key(key) => format!("k{key}"),
            Self::CommonPrefix(prefix) => format!("p{prefix}"),
        })
    }

    /// Reads a token that [`to_token`](Self::to_token) made.
    pub(super) fn from_token(token: &str) -> Option<Self> {
        let text = String::from_utf8(URL_SAFE_NO_PAD.decode_to_vec(token).ok()?).ok()?;
        match text.split_at_checked(1)? {
            ("k", key) => Some(Self::Key(key.to_owned())),
            ("p", prefix) => Some(Self::CommonPrefix(prefix.to_owned())),
            _ => None,
        }
    }

    /// The keys behind it; `None` if there can be none.
    fn bound(&self) -> Option<Bound<String>> {
        match self {
            Self::Key(key) => Some(Bound::Excluded(key.clone())),
            Self::CommonPrefix(prefix) => successor(prefix).map(Bound::Included),
        }
    }
}

/// Takes a page from a bucket. Each entry costs one search in the tree, however many keys it rolls up.
pub(super) fn page(objects: &BTreeMap<String, Arc<Object>>, query: &Query<'_>) -> Page {
    let mut page = Page { entries: Vec::new(), next: None };
    if query.max_keys == 0 {
        return page;
    }
    let mut position = query.after.clone();
    loop {
        let from = match &position {
            // A position before the prefix would make the search begin too early.
            Some(position) => match position.bound() {
                Some(Bound::Excluded(key)) if key.as_str() >= query.prefix => Bound::Excluded(key),
                Some(Bound::Included(key)) if key.as_str() >= query.prefix => Bound::Included(key),
                Some(_) => Bound::Included(query.prefix.to_owned()),
                None => return page,
            },
            None => Bound::Included(query.prefix.to_owned()),
        };
        let found = objects.range((from, Bound::Unbounded)).next();
        let Some((key, object)) = found.filter(|(key, _)| key.starts_with(query.prefix)) else { return page };
        if page.entries.len() == query.max_keys {
            page.next = position;
            return page;
        }
        let (entry, behind) = match common_prefix(key, query) {
            Some(prefix) => {
                (Entry::CommonPrefix(prefix.to_owned()), Position::CommonPrefix(prefix.to_owned()))
            }
            None => (Entry::Object(Arc::clone(object)), Position::Key(key.clone())),
        };
        page.entries.push(entry);
        position = Some(behind);
    }
}

/// What a key is rolled up under.
fn common_prefix<'a>(key: &'a str, query: &Query<'_>) -> Option<&'a str> {
    let delimiter = query.delimiter?;
    let at = key[query.prefix.len()..].find(delimiter)?;
    Some(&key[..query.prefix.len() + at + delimiter.len()])
}

/// The first string behind all strings that begin with `prefix`. UTF-8 bytes sort as the characters do.
fn successor(prefix: &str) -> Option<String> {
    let mut rest = prefix.to_owned();
    while let Some(last) = rest.pop() {
        if let Some(next) = (last..=char::MAX).nth(1) {
            rest.push(next);
            return Some(rest);
        }
    }
    None
}

/// `encoding-type=url`: form encoding that leaves slashes, as in S3's own example `test_file%283%29.png`.
pub(super) fn url_encode(text: &str) -> String {
    const ENCODED: &AsciiSet =
        &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'*').remove(b'/');
    utf8_percent_encode(text, ENCODED).to_string().replace("%20", "+")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_successor_of_a_prefix_is_behind_all_that_begin_with_it() {
        assert_eq!(successor("a/").as_deref(), Some("a0"));
        assert_eq!(successor("a\u{10FFFF}").as_deref(), Some("b"));
        assert_eq!(successor("\u{D7FF}").as_deref(), Some("\u{E000}"));
        assert_eq!(successor("\u{10FFFF}"), None);
    }

    #[test]
    fn tokens_come_back_as_the_position_that_they_stand_for() {
        for position in [Position::Key("a b/ü".into()), Position::CommonPrefix("x/".into())] {
            assert_eq!(Position::from_token(&position.to_token()), Some(position));
        }
        assert_eq!(Position::from_token("not a token"), None);
    }

    #[test]
    fn keys_are_form_encoded_but_for_slashes() {
        assert_eq!(url_encode("a/test file(3)+.png"), "a/test+file%283%29%2B.png");
    }
}
