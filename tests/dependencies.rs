//! What the deployed binaries are made of.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::process::Command;

/// The crates that the package `crash-capture` is built from when it is deployed, on the machine that it runs on.
fn deployed() -> Vec<String> {
    let output = Command::new(env!("CARGO"))
        .args([
            "tree",
            "--package",
            "crash-capture",
            "--edges",
            "normal",
            "--prefix",
            "none",
            "--format",
            "{p}",
        ])
        .args(["--target", "x86_64-unknown-linux-gnu"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().filter_map(|line| line.split_whitespace().next()).map(ToOwned::to_owned).collect()
}

#[test]
fn nothing_of_the_local_cloud_or_the_command_line_is_deployed() {
    let deployed = deployed();
    for needed in ["crash-capture", "lambda_runtime", "aws-sdk-s3", "rawzip", "minidump"] {
        assert!(deployed.iter().any(|found| found == needed), "{needed} is missing: is the list right?");
    }
    for unwanted in
        ["crash-capture-local", "crash-capture-cli", "s3s", "axum", "clap", "zip", "minidump-writer"]
    {
        assert!(!deployed.iter().any(|found| found == unwanted), "{unwanted} is deployed");
    }
}

#[test]
fn there_is_one_tls_stack_and_one_http_stack() {
    let deployed = deployed();
    assert!(deployed.iter().any(|found| found == "ring"));
    for unwanted in ["aws-lc-rs", "aws-lc-sys", "native-tls", "openssl", "h2"] {
        assert!(!deployed.iter().any(|found| found == unwanted), "{unwanted} is deployed");
    }
}
