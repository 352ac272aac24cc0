//! Names of entries: bytes that anybody may have written.

/// The upper half of code page 437, in which zips without a UTF-8 name are written (APPNOTE.TXT, appendix D).
const CP437: [char; 128] = [
    'Ç', 'ü', 'é', 'â', 'ä', 'à', 'å', 'ç', 'ê', 'ë', 'è', 'ï', 'î', 'ì', 'Ä', 'Å', 'É', 'æ', 'Æ', 'ô', 'ö',
    'ò', 'û', 'ù', 'ÿ', 'Ö', 'Ü', '¢', '£', '¥', '₧', 'ƒ', 'á', 'í', 'ó', 'ú', 'ñ', 'Ñ', 'ª', 'º', '¿', '⌐',
    '¬', '½', '¼', '¡', '«', '»', '░', '▒', '▓', '│', '┤', '╡', '╢', '╖', '╕', '╣', '║', '╗', '╝', '╜', '╛',
    '┐', '└', '┴', '┬', '├', '─', '┼', '╞', '╟', '╚', '╔', '╩', '╦', '╠', '═', '╬', '╧', '╨', '╤', '╥', '╙',
    '╘', '╒', '╓', '╫', '╪', '┘', '┌', '█', '▄', '▌', '▐', '▀', 'α', 'ß', 'Γ', 'π', 'Σ', 'σ', 'µ', 'τ', 'Φ',
    'Θ', 'Ω', 'δ', '∞', 'φ', 'ε', '∩', '≡', '±', '≥', '≤', '⌠', '⌡', '÷', '≈', '°', '∙', '·', '√', 'ⁿ', '²',
    '■', '\u{a0}',
];

/// Decodes a name for people: UTF-8 where the entry's flag says so or the bytes are valid, else code page 437. Whatever could
/// disturb a terminal, a log line or the reading order of a text becomes `\u{fffd}`. It is written over what `shown` held.
pub(super) fn display(raw: &[u8], says_utf8: bool, shown: &mut String) {
    shown.clear();
    match std::str::from_utf8(raw) {
        // Nearly all there are.
        Ok(text) if raw.iter().all(|byte| matches!(byte, b' '..=b'~')) => shown.push_str(text),
        Ok(text) => shown.extend(text.chars().map(harmless)),
        Err(_) if says_utf8 => shown.extend(String::from_utf8_lossy(raw).chars().map(harmless)),
        Err(_) => shown.extend(raw.iter().map(|&byte| harmless(from_cp437(byte)))),
    }
}

fn from_cp437(byte: u8) -> char {
    byte.checked_sub(0x80).map_or(char::from(byte), |upper| CP437[usize::from(upper)])
}

fn harmless(c: char) -> char {
    let is_bidirectional = matches!(
        c,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
    );
    let breaks_lines = matches!(c, '\u{2028}' | '\u{2029}');
    if c.is_control() || is_bidirectional || breaks_lines { char::REPLACEMENT_CHARACTER } else { c }
}

/// Whether a name could leave the folder that somebody extracts it to, or cannot be a file's.
pub(super) fn is_unsafe(raw: &[u8]) -> bool {
    let is_separator = |byte: &u8| matches!(byte, b'/' | b'\\');
    raw.is_empty()
        || raw.contains(&0)
        || raw.first().is_some_and(is_separator)
        || (raw.len() > 1 && raw[0].is_ascii_alphabetic() && raw[1] == b':')
        || raw.split(is_separator).any(|part| part == b"..")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn display(raw: &[u8], says_utf8: bool) -> String {
        let mut shown = "what was shown before".to_owned();
        super::display(raw, says_utf8, &mut shown);
        shown
    }

    #[test]
    fn names_are_utf8_or_code_page_437() {
        for says_utf8 in [false, true] {
            assert_eq!(display("profile/Spieler Ä.log".as_bytes(), says_utf8), "profile/Spieler Ä.log");
        }
        assert_eq!(display(b"Spieler \x8e.log", false), "Spieler Ä.log");
        assert_eq!(display(b"\xff\x80\xe1", false), "\u{a0}Çß");
        assert_eq!(display(b"\xff\x80.log", true), "\u{fffd}\u{fffd}.log");
    }

    #[test]
    fn what_could_disturb_a_terminal_is_replaced() {
        let name = "a\u{1b}[31m\n\u{202e}gpj\u{2028}\u{9b}";
        assert_eq!(display(name.as_bytes(), true), "a\u{fffd}[31m\u{fffd}\u{fffd}gpj\u{fffd}\u{fffd}");
    }

    #[test]
    fn paths_that_lead_elsewhere_are_unsafe() {
        for name in
            ["", "/etc/passwd", "\\\\host\\share", "C:\\x", "c:x", "a/../b", "..", "a\\..\\..\\b", "a\0b"]
        {
            assert!(is_unsafe(name.as_bytes()), "{name:?}");
        }
        for name in ["a/b.log", "a..b/..c", "...", "profile/C:x", "ä"] {
            assert!(!is_unsafe(name.as_bytes()), "{name:?}");
        }
    }
}
