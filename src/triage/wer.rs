//! `Report.wer`: what Windows Error Reporting noted of a crash.

use super::crash::{Cause, Crash, Frame, hex, reason};
use super::text::decode;

/// How many lines are looked at.
const MAX_LINES: usize = 4096;

/// The parts of a signature that are wanted, and where they are, whatever the language of their names is: of an `APPCRASH`, and of a
/// `BEX` and `BEX64`, which are ended by the system's own checks.
const PARTS: [(&str, usize, usize); 4] = [
    ("Application Name", 0, 0),
    ("Fault Module Name", 3, 3),
    ("Exception Code", 6, 7),
    ("Exception Offset", 7, 6),
];

/// Whether a file begins as a report does.
pub(super) fn is_report(beginning: &[u8]) -> bool {
    decode(&beginning[..beginning.len().min(256)]).trim_start().starts_with("Version=1")
}

/// Reads a report of a crash; nothing if it reports something else (a hang's end, an installation).
pub(super) fn report(bytes: &[u8]) -> Option<Crash> {
    let text = decode(bytes);
    let fields: Vec<(&str, &str)> =
        text.lines().take(MAX_LINES).filter_map(|line| line.trim().split_once('=')).collect();
    let field =
        |name: &str| fields.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| *value);
    let event = field("EventType")?;
    let value = |index: usize| field(&format!("Sig[{index}].Value")).filter(|value| !value.is_empty());
    if event == "CLR20r3" {
        return Some(managed(value));
    }
    if !matches!(event, "APPCRASH" | "BEX" | "BEX64" | "StackHash") {
        return None;
    }
    let signature = |name: &str| {
        let named =
            fields.iter().find(|(key, value)| key.ends_with("].Name") && value.eq_ignore_ascii_case(name));
        match (named, PARTS.iter().find(|(known, ..)| *known == name)?) {
            (Some((key, _)), _) => field(&format!("{}Value", key.trim_end_matches("Name"))),
            (None, (_, index, _)) if event == "APPCRASH" => value(*index),
            (None, (.., index)) if event.starts_with("BEX") => value(*index),
            _ => None,
        }
    };
    let module = signature("Fault Module Name").filter(|module| !module.is_empty());
    Some(Crash {
        reason: signature("Exception Code").map(|code| reason(&format!("0x{code}"), None)),
        frames: module
            .map(|module| Frame {
                module: module.to_owned(),
                offset: signature("Exception Offset").and_then(hex),
                function: None,
            })
            .into_iter()
            .collect(),
        executable: signature("Application Name").map(ToOwned::to_owned),
        told_by: "wer-report",
        ..Crash::default()
    })
}

/// An exception that nobody caught in .NET: `Problem Signature 01` to `09` are program, its version and time, assembly, its version and
/// time, method, offset, and the exception's type.
fn managed<'f>(value: impl Fn(usize) -> Option<&'f str>) -> Crash {
    let owned = |index| value(index).map(ToOwned::to_owned);
    Crash {
        cause: Cause::Managed,
        reason: owned(8),
        message: owned(3),
        executable: owned(0),
        told_by: "wer-report",
        ..Crash::default()
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::triage::text::utf16;

    pub(in crate::triage) fn report_of(module: &str, offset: &str) -> Vec<u8> {
        utf16(&format!(
            "Version=1\r\nEventType=APPCRASH\r\nEventTime=133770000000000000\r\nReportType=2\r\n\
             Sig[0].Name=Application Name\r\nSig[0].Value=Skylark-Win64-Shipping.exe\r\n\
             Sig[1].Name=Application Version\r\nSig[1].Value=1.0.0.0\r\n\
             Sig[3].Name=Fault Module Name\r\nSig[3].Value={module}\r\n\
             Sig[6].Name=Exception Code\r\nSig[6].Value=c0000005\r\n\
             Sig[7].Name=Exception Offset\r\nSig[7].Value={offset}\r\n\
             LoadedModule[0]=C:\\Users\\jane\\Skylark\\Skylark-Win64-Shipping.exe\r\n"
        ))
    }

    #[test]
    fn a_report_tells_program_module_offset_and_code() {
        let bytes = report_of("Skylark-Win64-Shipping.exe", "00000000008d8b1a");
        assert!(is_report(&bytes));
        let crash = report(&bytes).unwrap();
        assert_eq!(crash.reason.as_deref(), Some("EXCEPTION_ACCESS_VIOLATION"));
        assert_eq!(crash.frames[0].offset, Some(0x008d_8b1a));
        assert_eq!(crash.executable.as_deref(), Some("Skylark-Win64-Shipping.exe"));
    }

    #[test]
    fn in_another_language_the_places_count() {
        let german = "Version=1\nEventType=APPCRASH\nSig[0].Name=Anwendungsname\nSig[0].Value=a.exe\n\
                      Sig[3].Name=Fehlermodulname\nSig[3].Value=b.dll\nSig[6].Name=Ausnahmecode\nSig[6].Value=c00000fd\n";
        let crash = report(german.as_bytes()).unwrap();
        assert_eq!(crash.reason.as_deref(), Some("EXCEPTION_STACK_OVERFLOW"));
        assert_eq!(crash.frames[0].module, "b.dll");
    }

    #[test]
    fn what_the_systems_own_checks_ended_has_its_code_in_another_place() {
        let bex = "Version=1\nEventType=BEX64\nSig[0].Name=Anwendungsname\nSig[0].Value=a.exe\nSig[3].Value=ucrtbase.dll\n\
                   Sig[6].Value=000000000007286e\nSig[7].Value=c0000409\nSig[8].Value=0000000000000007\n";
        let crash = report(bex.as_bytes()).unwrap();
        assert_eq!(crash.reason.as_deref(), Some("EXCEPTION_STACK_BUFFER_OVERRUN"));
        assert_eq!(crash.frames[0].offset, Some(0x7286e));
    }

    #[test]
    fn an_exception_of_dotnet_is_told_by_its_type() {
        let clr = "Version=1\nEventType=CLR20r3\nSig[0].Name=Problem Signature 01\nSig[0].Value=Skylark.exe\nSig[3].Value=Shield\n\
                   Sig[6].Value=4f\nSig[7].Value=1\nSig[8].Value=System.NullReferenceException\n";
        let crash = report(clr.as_bytes()).unwrap();
        assert_eq!(
            (crash.cause, crash.reason.as_deref(), crash.message.as_deref()),
            (Cause::Managed, Some("System.NullReferenceException"), Some("Shield"))
        );
    }

    #[test]
    fn what_reports_something_else_is_no_crash() {
        assert_eq!(report(b"Version=1\nEventType=AppHangB1\nSig[0].Value=a.exe\n"), None);
        assert_eq!(report(b"Version=1\n"), None);
        assert!(!is_report(b"no report"));
    }
}
