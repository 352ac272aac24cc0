//! Names of modules: which are the game's, and which processes are not the game at all.

/// Whose a module is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Owner {
    /// The game's: its executable, its libraries.
    Game,
    /// The system's, the engine's runtime's, a driver's, an overlay's: wherever they crash, it is not their doing alone.
    Other,
}

/// Modules that a signature skips, by their stems.
const OTHERS: &[&str] = &[
    // Windows, and Wine in its place
    "ntdll",
    "kernel32",
    "kernelbase",
    "ucrtbase",
    "ucrtbased",
    "win32u",
    "user32",
    "gdi32",
    "gdi32full",
    "combase",
    "ole32",
    "oleaut32",
    "rpcrt4",
    "advapi32",
    "sechost",
    "ws2_32",
    "mswsock",
    "crypt32",
    "bcrypt",
    "shell32",
    "shlwapi",
    "imm32",
    "dbghelp",
    "dbgcore",
    "winmm",
    "setupapi",
    "msvcrt",
    "opengl32",
    "wine",
    "wine64",
    "wine-preloader",
    "wine64-preloader",
    "wineserver",
    "winevulkan",
    // Linux
    "libc",
    "libm",
    "libdl",
    "librt",
    "libpthread",
    "libgcc_s",
    "libstdc++",
    "libc++",
    "libc++abi",
    "linux-vdso",
    "linux-gate",
    "[vdso]",
    // macOS
    "dyld",
    "libdyld",
    "coreaudio",
    "appkit",
    "corefoundation",
    "foundation",
    "metal",
    "libobjc.a",
    "libsystem",
    // Engines' runtimes, overlays
    "unityplayer",
    "dxgi",
    "dxcore",
    "libcef",
    "chrome_elf",
    "discordhook64",
    "unknown",
];

/// The same by how the stem begins.
const OTHERS_BEGIN: &[&str] = &[
    "api-ms-win-",
    "vcruntime",
    "msvcp",
    "msvcr1",
    "wow64",
    "ld-linux",
    "ld-2.",
    "ld-musl",
    "libc-2.",
    "libpthread-2.",
    "libm-2.",
    "libdl-2.",
    "libsystem_",
    "com.apple.",
    "mono-2.0",
    "monobleedingedge",
    "libmono",
    "d3d9",
    "d3d10",
    "d3d11",
    "d3d12",
    "d3dcompiler",
    "nvwgf",
    "nvogl",
    "nvapi",
    "nvcuda",
    "nvd3d",
    "nvngx",
    "nvgpucomp",
    "libnvidia",
    "amdxc",
    "amdvlk",
    "atidxx",
    "igd",
    "vulkan-1",
    "libvulkan",
    "gameoverlayrenderer",
];

/// Executables that are not the game: crash handlers, embedded browsers, overlays, Wine's services. By their stems, exactly.
pub(super) const HELPERS: &[&str] = &[
    // Crash handlers
    "crashreportclient",
    "crashreportclienteditor",
    "crashpad_handler",
    "crashpad_wer",
    "unitycrashhandler32",
    "unitycrashhandler64",
    "sentry-crash",
    "bssndrpt",
    "bssndrpt64",
    "werfault",
    "winedbg",
    // Embedded browsers
    "unrealcefsubprocess",
    "epicwebhelper",
    "cefsharp.browsersubprocess",
    "cefprocess",
    "qtwebengineprocess",
    "msedgewebview2",
    "zfgamebrowser",
    "steamwebhelper",
    // Overlays and launchers' services
    "eosoverlayrenderer-win64-shipping",
    "eosoverlayrenderer-win32-shipping",
    "gameoverlayui",
    "gameoverlayui64",
    "steamservice",
    "epiconlineservicesuserhelper",
    "discord",
    "discordptb",
    "rtss",
    "rtsshookslloader",
    // Wine's own
    "explorer",
    "services",
    "winedevice",
    "plugplay",
    "rpcss",
    "svchost",
    "wineboot",
    "start",
    "conhost",
    "tabtip",
    "xalia",
];

/// A module's name without folder, version and extension, in lower case: `libc.so.6` and `/lib/libc.so` are both `libc`.
pub(super) fn stem(name: &str) -> String {
    let name = file_name(name).to_lowercase();
    if let Some((stem, _)) =
        name.split_once(".so").filter(|(_, rest)| rest.is_empty() || rest.starts_with('.'))
    {
        return stem.to_owned();
    }
    match name.rsplit_once('.') {
        Some((stem, "exe" | "dll" | "dylib" | "elf" | "x86_64" | "ocx" | "sys")) if !stem.is_empty() => {
            stem.to_owned()
        }
        _ => name,
    }
}

/// The part of a path behind its last separator, of whichever kind.
pub(super) fn file_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

/// Whose a module is, by its stem.
pub(super) fn owner(stem: &str) -> Owner {
    let is_other =
        stem.is_empty() || OTHERS.contains(&stem) || OTHERS_BEGIN.iter().any(|begin| stem.starts_with(begin));
    if is_other { Owner::Other } else { Owner::Game }
}

/// Whether an executable is not the game.
pub(super) fn is_helper(executable: &str) -> bool {
    HELPERS.contains(&stem(executable).as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stem_has_neither_folder_nor_version_nor_extension() {
        for (name, expected) in [
            (r"C:\Games\Skylark-Win64-Shipping.exe", "skylark-win64-shipping"),
            ("/usr/lib/libc.so.6", "libc"),
            ("libstdc++.so.6.0.30", "libstdc++"),
            ("GameAssembly.dll", "gameassembly"),
            ("game.x86_64", "game"),
            ("my.game", "my.game"),
            ("libsoda.something", "libsoda.something"),
        ] {
            assert_eq!(stem(name), expected);
        }
    }

    #[test]
    fn systems_and_engines_modules_are_told_from_the_games() {
        for name in [
            "ntdll.dll",
            "libc.so.6",
            "UnityPlayer.dll",
            "VCRUNTIME140_1.dll",
            "nvwgf2umx.dll",
            "d3d12core.dll",
            "ld-linux-x86-64.so.2",
        ] {
            assert_eq!(owner(&stem(name)), Owner::Other, "{name}");
        }
        for name in ["GameAssembly.dll", "Skylark", "navigation.dll", "libgame.so", "vulkanicity"] {
            assert_eq!(owner(&stem(name)), Owner::Game, "{name}");
        }
    }

    #[test]
    fn helpers_are_an_exact_list() {
        assert!(is_helper(r"C:\x\CrashReportClient.exe") && is_helper("crashpad_handler"));
        assert!(!is_helper("Explorers.exe") && !is_helper("Skylark.exe"));
    }
}
