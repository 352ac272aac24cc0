use super::*;
use crate::triage::crash::reason;

fn native(module: &str, offset: u64) -> Crash {
    Crash {
        reason: Some(reason("0xc0000005", Some("read"))),
        frames: vec![Frame { module: module.to_owned(), offset: Some(offset), function: None }],
        executable: Some("Skylark.exe".to_owned()),
        told_by: "minidump",
        ..Crash::default()
    }
}

fn decide(crash: &Crash) -> Decision {
    of(crash, &Build::default())
}

#[test]
fn systems_modules_are_skipped() {
    let mut crash = native("ntdll.dll", 0x99);
    let decision = decide(&crash);
    assert_eq!(
        (decision.row.number, decision.signature.title.as_str()),
        (7, "EXCEPTION_ACCESS_VIOLATION_READ | skylark")
    );
    assert_eq!((decision.signature.confidence.as_str(), decision.place.as_str()), ("low", "ntdll+0x99"));
    crash.frames.push(Frame { module: "GameAssembly.dll".to_owned(), offset: Some(1), function: None });
    let decision = decide(&crash);
    assert_eq!(
        (decision.row.number, decision.signature.title.as_str()),
        (6, "EXCEPTION_ACCESS_VIOLATION_READ | gameassembly")
    );
}

#[test]
fn a_fingerprint_tells_places_and_builds_apart_and_an_id_does_not() {
    let (one, two) =
        (decide(&native("Skylark.exe", 1)).signature, decide(&native("Skylark.exe", 2)).signature);
    assert_eq!(one.id, two.id);
    assert_ne!(one.fingerprint, two.fingerprint);
    let build = Build { id: Some("A1".to_owned()), ..Build::default() };
    let other = of(&native("Skylark.exe", 1), &build).signature;
    assert_eq!(one.id, other.id);
    assert_ne!(one.fingerprint, other.fingerprint);
}

#[test]
fn a_managed_crash_is_told_by_the_games_own_function() {
    let frame = |name: &str| Frame { function: Some(name.to_owned()), ..Frame::default() };
    let crash = Crash {
        cause: Cause::Managed,
        reason: Some("System.InvalidOperationException".to_owned()),
        message: Some("shield 17 is gone".to_owned()),
        frames: vec![frame("System.Linq.Throw"), frame("Skylark.Shield.Apply")],
        ..Crash::default()
    };
    assert_eq!(decide(&crash).signature.title, "System.InvalidOperationException | Skylark.Shield.Apply");
    let without = Crash { frames: Vec::new(), ..crash };
    assert_eq!(decide(&without).signature.title, "System.InvalidOperationException | shield <n> is gone");
}

#[test]
fn ids_are_stable() {
    let signature = decide(&native("Skylark.exe", 1)).signature;
    assert_eq!(
        (signature.id.as_str(), signature.fingerprint.as_str()),
        ("aee3f5848aef66f0", "901214cd381001bf")
    );
}

#[test]
fn a_title_is_short() {
    let crash = Crash {
        cause: Cause::Assert,
        message: Some("x > y ".repeat(100)),
        file: Some("f".repeat(400)),
        ..Crash::default()
    };
    assert!(decide(&crash).signature.title.as_str().chars().count() <= 255);
}

#[test]
fn the_documentation_has_the_same_table() {
    let page = include_str!("../../../docs/triage.md");
    for row in ROWS {
        let line =
            format!("| {} | {} | {} | {} | {} |", row.number, row.crash, row.id, row.place, row.confidence);
        assert!(page.contains(&line), "docs/triage.md lacks\n{line}");
    }
}
