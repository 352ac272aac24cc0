use super::*;
use crate::triage::crash::AddressClass;

fn of(elements: &str) -> Context {
    context(format!("<FGenericCrashContext><RuntimeProperties>{elements}").as_bytes()).unwrap()
}

#[test]
fn frames_have_modules_and_offsets() {
    let stack = "<PCallStack>\nSkylark-Win64 Shipping 0x00007ff612340000 + 8d8b1a \nKERNEL32  0x00007ff9a0000000 + 1257d\nUnknown 0x0000000000000000 + \
                 ffffffff\n</PCallStack>";
    let crash = of(stack).crash.unwrap();
    let frames: Vec<_> = crash.frames.iter().map(|frame| (frame.module.as_str(), frame.offset)).collect();
    assert_eq!(frames, [("Skylark-Win64 Shipping", Some(0x8d_8b1a)), ("KERNEL32", Some(0x1257d))]);
}

#[test]
fn without_offsets_the_readable_stack_counts() {
    let stack = "<CallStack>Skylark!FDebug::AssertFailed() [f:\\x.cpp:1]\nkernel32</CallStack><PCallStack>0x00000000ffffffff + ffffffff</PCallStack>";
    let frames = of(stack).crash.unwrap().frames;
    assert_eq!(frames[0].function.as_deref(), Some("FDebug::AssertFailed()"));
    assert_eq!((frames[1].module.as_str(), &frames[1].function), ("kernel32", &None));
}

#[test]
fn what_is_escaped_once_or_twice_is_unescaped_and_nothing_is_expanded() {
    for (escaped, expected) in [
        ("a &amp;amp;&amp;amp; b", "a && b"),
        ("a &lt; b", "a < b"),
        ("a &amp;lt; b", "a < b"),
        ("&#65;&#x42;", "AB"),
        ("&lol; &verylongname; &", "&lol; &verylongname; &"),
        ("&#xffffffff;&#0;x", "&#xffffffff;\0x"),
    ] {
        assert_eq!(element(&format!("<E>{escaped}</E>"), "E").as_deref(), Some(expected));
    }
}

#[test]
fn a_native_crash_tells_reason_and_address() {
    let message = "<ErrorMessage>Unhandled Exception: EXCEPTION_ACCESS_VIOLATION writing address 0xffffffffffffffff</ErrorMessage>";
    let crash = of(message).crash.unwrap();
    assert_eq!(
        (crash.cause, crash.reason.as_deref()),
        (Cause::Native, Some("EXCEPTION_ACCESS_VIOLATION_WRITE"))
    );
    assert_eq!(crash.address, Some(AddressClass::NonCanonical));
}

#[test]
fn ensures_and_stalls_are_no_crashes() {
    for element in [
        "<IsEnsure>true</IsEnsure>",
        "<IsStall>1</IsStall>",
        "<CrashType>Ensure</CrashType>",
        "<CrashType>Stall</CrashType>",
    ] {
        let context = of(element);
        assert!(context.went_on && context.crash.is_none(), "{element}");
    }
}

#[test]
fn in_a_dump_it_ends_where_its_buffer_does() {
    let text = "<FGenericCrashContext><CrashType>Assert</CrashType>\0\0<IsEnsure>true</IsEnsure>";
    let utf16: Vec<_> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(context(&utf16).unwrap().crash.unwrap().cause, Cause::Assert);
}
