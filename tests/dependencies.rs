//! What the deployed binaries are made of.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeSet;
use std::process::Command;

/// The crates that the package `crash-capture` is built from when it is deployed: each as `name version`.
fn deployed() -> BTreeSet<String> {
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
    text.lines().map(|line| line.split(" (").next().unwrap_or(line).to_owned()).collect()
}

/// How many versions of a crate are among them.
fn versions(deployed: &BTreeSet<String>, name: &str) -> usize {
    deployed.iter().filter(|package| package.split(' ').next() == Some(name)).count()
}

#[test]
fn nothing_of_the_local_cloud_or_the_command_line_is_deployed() {
    let deployed = deployed();
    for needed in ["crash-capture", "lambda_runtime", "aws-sdk-s3", "rawzip", "minidump"] {
        assert_eq!(versions(&deployed, needed), 1, "{needed} is missing: is the list right?");
    }
    for unwanted in
        ["crash-capture-local", "crash-capture-cli", "s3s", "axum", "clap", "zip", "minidump-writer"]
    {
        assert_eq!(versions(&deployed, unwanted), 0, "{unwanted} is deployed");
    }
}

#[test]
fn there_is_one_tls_stack_and_one_http_stack() {
    let deployed = deployed();
    for needed in ["ring", "rustls", "hyper", "http"] {
        assert_eq!(versions(&deployed, needed), 1, "{needed}");
    }
    for unwanted in ["aws-lc-rs", "aws-lc-sys", "native-tls", "openssl"] {
        assert_eq!(versions(&deployed, unwanted), 0, "{unwanted} is deployed");
    }
}
