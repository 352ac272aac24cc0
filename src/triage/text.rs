//! Small texts, whole: whatever encoding they claim, or do not.

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};

/// How much of a text's beginning its encoding is guessed from, in bytes.
pub(super) const GUESSED_FROM: usize = 512;

/// The encoding that a text's beginning tells, by a mark or by the zero bytes that Latin letters have in UTF-16; else UTF-8. And the
/// length of the mark.
pub(super) fn encoding(beginning: &[u8]) -> (&'static Encoding, usize) {
    if let Some(told) = Encoding::for_bom(beginning) {
        return told;
    }
    let guessed_from = &beginning[..beginning.len().min(GUESSED_FROM)];
    let zeros = |first| guessed_from.iter().skip(first).step_by(2).filter(|byte| **byte == 0).count();
    let many = guessed_from.len() / 4;
    match (zeros(0), zeros(1)) {
        (even, odd) if odd > many && odd > 2 * even => (UTF_16LE, 0),
        (even, odd) if even > many && even > 2 * odd => (UTF_16BE, 0),
        _ => (UTF_8, 0),
    }
}

/// Decodes a text; what is not valid in its encoding becomes `\u{fffd}`.
pub(super) fn decode(bytes: &[u8]) -> Cow<'_, str> {
    let (encoding, mark) = encoding(bytes);
    encoding.decode_without_bom_handling(&bytes[mark..]).0
}

#[cfg(test)]
pub(super) fn utf16(text: &str) -> Vec<u8> {
    [&[0xff, 0xfe][..], &text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_decoded_as_what_it_is() {
        let marked = utf16("Grüße");
        assert_eq!(decode(&marked), "Grüße");
        assert_eq!(decode(&utf16("LogInit: Build")[2..]), "LogInit: Build");
        assert_eq!(decode(b"\xef\xbb\xbfLog"), "Log");
        assert_eq!(decode(b"Log \xff"), "Log \u{fffd}");
        assert_eq!(decode(b""), "");
    }
}
