//! Texts without what differs between two runs of the same crash: addresses, numbers, ids, paths, times.

use std::sync::LazyLock;

use regex::Regex;

use crate::redacted::Redacted;

/// The longest text that is kept, in characters.
const LONGEST: usize = 160;

/// In this order. Unreal's asset paths (`/Game/…`) are the same in every run, and stay.
const RULES: [(&str, &str); 11] = [
    (r"(?i)\{?\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b\}?", "<id>"),
    (r"(?i)\b[0-9a-f]{32,64}\b", "<id>"),
    // A path of Windows or Unix, as far as its last part.
    (r#"(?:\b[A-Za-z]:[\\/]|\\\\)(?:[^\\/:*?"<>|\r\n]+[\\/])*"#, ""),
    (r#"(?:^|[\s"'(=\[:])/(?:home|usr|opt|tmp|var|mnt|root|proc|local|data)/(?:[^/\s:"'<>|]+/)*"#, " "),
    (r"\[ip\]|\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b", "<ip>"),
    (r"\b\d{4}[-./]\d{2}[-./]\d{2}(?:[T \-]\d{2}[:.]\d{2}(?:[:.]\d{2})?(?:[:.,]\d+)?Z?)?", "<time>"),
    (r"(?i)\b0x[0-9a-f]+\b", "<n>"),
    (r"\b[0-9A-F]{8,16}\b", "<n>"),
    // What Unreal appends to the names of spawned objects.
    (r"_C_\d+\b", "_C"),
    (r"[-+]?\b\d+(?:\.\d+)*", "<n>"),
    (r"\s+", " "),
];

static COMPILED: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    #[expect(clippy::expect_used, reason = "the patterns are fixed, and every test uses them")]
    let compile = |(pattern, replacement)| (Regex::new(pattern).expect("a valid pattern"), replacement);
    RULES.into_iter().map(compile).collect()
});

/// A text as a signature has it.
pub(super) fn normalize(text: &str) -> String {
    let mut text = Redacted::new(text).to_string();
    for (pattern, replacement) in COMPILED.iter() {
        text = pattern.replace_all(&text, *replacement).into_owned();
    }
    text.trim().chars().take(LONGEST).collect::<String>().trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_between_two_runs_is_gone() {
        for (text, expected) in [
            ("Object 0x00007FF6A1B2 at index 17 of 20", "Object <n> at index <n> of <n>"),
            ("failed: 3f2504e0-4f89-11d3-9a0c-0305e82c3301", "failed: <id>"),
            (r"cannot open C:\Users\jane\Saved Games\slot1.sav", "cannot open slot1.sav"),
            ("cannot open /home/joe/.config/x/slot.sav", "cannot open slot.sav"),
            ("lost 10.1.2.3:7777", "lost <ip>"),
            ("BP_Enemy_C_2147482466 is not valid", "BP_Enemy_C is not valid"),
            ("at 2026-11-23T10:00:01.250Z it broke", "at <time> it broke"),
            ("RIP 0000000140BA9E31", "RIP <n>"),
        ] {
            assert_eq!(normalize(text), expected);
        }
    }

    #[test]
    fn what_is_the_same_in_every_run_stays() {
        for text in ["Failed to load /Game/Maps/Arena.Arena", "IsValid(Component) && !bDestroyed"] {
            assert_eq!(normalize(text), text);
        }
    }

    #[test]
    fn it_is_cut() {
        assert_eq!(normalize(&"long ".repeat(100)).len(), 159);
    }
}
