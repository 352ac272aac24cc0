//! Object tags and their limits: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html>.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use percent_encoding::percent_decode_str;
use regex::Regex;
use s3s::dto::{Tag, Tagging};
use s3s::{S3Error, S3Result, s3_error};

use super::error::bad_request;

/// Tags by key. Keys and values tell upper from lower case.
pub(super) type Tags = BTreeMap<String, String>;

const MOST_TAGS: usize = 10;
/// In UTF-16 code units, as S3 counts.
const LONGEST_KEY: usize = 128;
/// In UTF-16 code units, as S3 counts.
const LONGEST_VALUE: usize = 256;

static ALLOWED: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$").expect("a constant pattern"));

/// The tags of a `PutObjectTagging` request.
pub(super) fn from_xml(tagging: Tagging) -> S3Result<Tags> {
    let mut tags = Tags::new();
    for tag in tagging.tag_set {
        let (Some(key), Some(value)) = (tag.key, tag.value) else {
            return Err(s3_error!(
                MalformedXML,
                "The XML you provided was not well-formed or did not validate against our published schema"
            ));
        };
        if tags.insert(key, value).is_some() {
            return Err(s3_error!(InvalidTag, "Cannot provide multiple Tags with the same key"));
        }
    }
    within_limits(tags)
}

/// The tags of an `x-amz-tagging` header: `key=value&key=value`, form-encoded.
pub(super) fn from_header(header: &str) -> S3Result<Tags> {
    let mut tags = Tags::new();
    for pair in header.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (Some(key), Some(value)) = (form_decode(key), form_decode(value)) else {
            return Err(malformed_header());
        };
        if tags.insert(key, value).is_some() {
            return Err(malformed_header());
        }
    }
    within_limits(tags)
}

/// Tags for an answer.
pub(super) fn to_xml(tags: &Tags) -> Vec<Tag> {
    tags.iter().map(|(key, value)| Tag { key: Some(key.clone()), value: Some(value.clone()) }).collect()
}

fn within_limits(tags: Tags) -> S3Result<Tags> {
    if tags.len() > MOST_TAGS {
        return Err(bad_request("BadRequest", "Object tags cannot be greater than 10"));
    }
    for (key, value) in &tags {
        if key.is_empty() || utf16_length(key) > LONGEST_KEY || !ALLOWED.is_match(key) {
            return Err(s3_error!(InvalidTag, "The TagKey you have provided is invalid"));
        }
        if key.starts_with("aws:") {
            return Err(s3_error!(InvalidTag, "Your TagKey cannot be prefixed with aws:"));
        }
        if utf16_length(value) > LONGEST_VALUE || !ALLOWED.is_match(value) {
            return Err(s3_error!(InvalidTag, "The TagValue you have provided is invalid"));
        }
    }
    Ok(tags)
}

fn utf16_length(text: &str) -> usize {
    text.encode_utf16().count()
}

fn form_decode(text: &str) -> Option<String> {
    percent_decode_str(&text.replace('+', " ")).decode_utf8().ok().map(std::borrow::Cow::into_owned)
}

fn malformed_header() -> S3Error {
    s3_error!(
        InvalidArgument,
        "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name \
         duplicates."
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(result: S3Result<Tags>) -> String {
        result.expect_err("refused").code().as_str().to_owned()
    }

    #[test]
    fn a_header_is_form_decoded() {
        let tags = from_header("Verdict=crash&End+Reason=a%2Fb%20c&Empty=&Bare").expect("good tags");
        let expected = [("Bare", ""), ("Empty", ""), ("End Reason", "a/b c"), ("Verdict", "crash")];
        assert_eq!(tags, expected.map(|(key, value)| (key.to_owned(), value.to_owned())).into());
    }

    #[test]
    fn a_header_with_a_key_twice_is_an_invalid_argument() {
        assert_eq!(code(from_header("a=1&a=2")), "InvalidArgument");
    }

    #[test]
    fn ten_tags_are_the_most() {
        let header = |count: usize| (0..count).map(|n| format!("k{n}=v")).collect::<Vec<_>>().join("&");
        assert_eq!(from_header(&header(10)).expect("good tags").len(), 10);
        assert_eq!(code(from_header(&header(11))), "BadRequest");
    }

    #[test]
    fn lengths_are_counted_in_utf_16_units() {
        // U+20000 is a letter of two units.
        assert!(from_header(&format!("{}={}", "𠀀".repeat(64), "𠀀".repeat(128))).is_ok());
        assert_eq!(code(from_header(&format!("{}=v", "𠀀".repeat(65)))), "InvalidTag");
        assert_eq!(code(from_header(&format!("k={}", "v".repeat(257)))), "InvalidTag");
    }

    #[test]
    fn only_letters_digits_spaces_and_a_few_signs_are_allowed() {
        assert!(from_header("ключ=Größe+1%2B2%3D3._:/@-").is_ok());
        for bad in ["k=a%7Cb", "k=a%23", "k=a%0A", "a%26b=v", "=v", "aws:k=v"] {
            assert_eq!(code(from_header(bad)), "InvalidTag", "{bad}");
        }
    }
}
