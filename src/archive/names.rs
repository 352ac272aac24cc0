//! Names of entries: bytes that anybody may have written.

/// The upper half of code page 437, in which zips without a UTF-8 name are written (APPNOTE.TXT, appendix D).
const CP437: &str = "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀\
                     αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{a0}";

/// Decodes a name for people: UTF-8 where it is valid, else code page 437; separators become `/`, and whatever could
/// disturb a terminal, a log line or the reading order of a text becomes `\u{fffd}`.
pub(super) fn display(raw: &[u8]) -> String {
    let text = match std::str::from_utf8(raw) {
        Ok(text) => text.to_owned(),
        Err(_) => raw.iter().map(|&byte| from_cp437(byte)).collect(),
    };
    text.chars().map(|c| if c == '\\' { '/' } else { harmless(c) }).collect()
}

fn from_cp437(byte: u8) -> char {
    match byte.checked_sub(0x80) {
        None => char::from(byte),
        Some(upper) => CP437.chars().nth(usize::from(upper)).unwrap_or(char::REPLACEMENT_CHARACTER),
    }
}

fn harmless(c: char) -> char {
    let is_bidirectional = matches!(
        c,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
    );
    if c.is_control() || is_bidirectional { char::REPLACEMENT_CHARACTER } else { c }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_utf8_or_code_page_437() {
        assert_eq!(display("profile/Spieler Ä.log".as_bytes()), "profile/Spieler Ä.log");
        assert_eq!(display(b"Spieler \x8e.log"), "Spieler Ä.log");
        assert_eq!(display(b"\xff\x80\xe1"), "\u{a0}Çß");
    }

    #[test]
    fn separators_become_slashes_and_dangerous_characters_are_replaced() {
        assert_eq!(display(b"profile\\AppData\\x.dmp"), "profile/AppData/x.dmp");
        assert_eq!(display("a\u{1b}[31m\n\u{202e}gpj".as_bytes()), "a\u{fffd}[31m\u{fffd}\u{fffd}gpj");
    }
}
