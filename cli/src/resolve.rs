//! `crash-capture resolve` and `mute`: what people decide about a signature. The command line alone writes it down;
//! index-export reads it.

use std::collections::BTreeSet;
use std::pin::pin;

use crash_capture::layout::SIGNATURES;
use crash_capture::record::{Record, now};
use crash_capture::service::ServiceError;
use crash_capture::store::{FirstSight, KnownBuild, Resolution, Resolved};
use futures_util::TryStreamExt as _;

use crate::captures::{Captures, Filter};
use crate::failure::Failure;
use crate::output::Output;

/// Which signature.
#[derive(Debug, clap::Args)]
pub(crate) struct SignatureArgument {
    /// The signature: its id, or the beginning of it
    #[arg(value_name = "SIGNATURE", value_parser = signature_id)]
    signature: String,
    /// Of this application, where several have it: equal ids of two applications mean nothing
    #[arg(long, short, value_name = "ID")]
    application: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ResolveArguments {
    #[command(flatten)]
    signature: SignatureArgument,
    /// A build that has the crash, by what the game calls it or by its build id: only in others has it come back. May be
    /// given several times [default: those in which it was seen in the last 30 days, and the first]
    #[arg(long, short, value_name = "BUILD", conflicts_with = "undo")]
    build: Vec<String>,
    /// It is not resolved after all
    #[arg(long)]
    undo: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct MuteArguments {
    #[command(flatten)]
    signature: SignatureArgument,
    /// Tell of it again
    #[arg(long)]
    undo: bool,
}

/// Resolves a signature, or takes that back.
pub(crate) async fn resolve(
    captures: &Captures,
    arguments: &ResolveArguments,
    output: Output,
) -> Result<(), Failure> {
    let sight = find(captures, &arguments.signature).await?;
    let resolved = if arguments.undo {
        None
    } else if arguments.build.is_empty() {
        Some(Resolved { at: now(), builds: builds_with(captures, &sight).await? })
    } else {
        let builds = arguments.build.iter().flat_map(|name| KnownBuild::named(name)).collect();
        Some(Resolved { at: now(), builds })
    };
    let decided = decide(captures, &sight, |resolution| resolution.resolved.clone_from(&resolved)).await?;
    if output.is_json() {
        return output.json(&decided);
    }
    output.text(&sight.title.to_string())?;
    let Some(resolved) = &decided.resolved else { return output.text("It is open again.") };
    output.text(
        "It is resolved. A session that begins from now on shows that it has come back, in any build but:",
    )?;
    let names: BTreeSet<_> = resolved.builds.iter().map(name_of).collect();
    if names.is_empty() {
        return output.text("  (none: no session with it tells its build)");
    }
    names.into_iter().try_for_each(|name| output.text(&format!("  {name}")))
}

/// Mutes a signature, or takes that back.
pub(crate) async fn mute(
    captures: &Captures,
    arguments: &MuteArguments,
    output: Output,
) -> Result<(), Failure> {
    let sight = find(captures, &arguments.signature).await?;
    let muted_at = (!arguments.undo).then(now);
    let decided = decide(captures, &sight, |resolution| resolution.muted_at = muted_at).await?;
    if output.is_json() {
        return output.json(&decided);
    }
    output.text(&sight.title.to_string())?;
    output.text(if arguments.undo {
        "It is told of again."
    } else {
        "It is muted: it is recorded and counted, and nobody is told."
    })
}

async fn decide(
    captures: &Captures,
    sight: &FirstSight,
    change: impl Fn(&mut Resolution),
) -> Result<Resolution, Failure> {
    let FirstSight { application_id, version, signature, .. } = sight;
    Ok(captures.store().decide(application_id, *version, signature, change).await?)
}

/// The builds in which a signature was seen: in the last 30 days, and first.
async fn builds_with(captures: &Captures, sight: &FirstSight) -> Result<BTreeSet<KnownBuild>, Failure> {
    let mut builds: BTreeSet<_> =
        sight.build.clone().map(|id| KnownBuild { id: Some(id), version: None }).into_iter().collect();
    let filter =
        Filter::of_signature(sight.application_id.clone(), &sight.signature).map_err(Failure::other)?;
    let mut records = pin!(captures.records(&filter));
    while let Some(recorded) = records.try_next().await? {
        let record: Record = serde_json::from_slice(&recorded.text).map_err(Failure::other)?;
        builds.extend(record.judgement.build.as_ref().and_then(KnownBuild::of));
    }
    // The first sight knows the id alone, which a record has beside the version.
    let known: BTreeSet<_> =
        builds.iter().filter(|build| build.version.is_some()).filter_map(|it| it.id.clone()).collect();
    builds.retain(|build| build.version.is_some() || build.id.as_ref().is_none_or(|id| !known.contains(id)));
    Ok(builds)
}

fn name_of(build: &KnownBuild) -> String {
    match (&build.version, &build.id) {
        (Some(version), Some(id)) => format!("{version} ({id})"),
        (Some(name), None) | (None, Some(name)) => name.clone(),
        (None, None) => String::new(),
    }
}

/// The one signature that is meant: its first sight.
async fn find(captures: &Captures, wanted: &SignatureArgument) -> Result<FirstSight, Failure> {
    let applications = match &wanted.application {
        Some(application) => vec![application.clone()],
        None => applications(captures).await?,
    };
    let mut found = Vec::new();
    for application in applications {
        found.extend(keys(captures, &format!("{SIGNATURES}{application}/v{}", wanted.signature)).await?);
    }
    match found.as_slice() {
        [key] => {
            let text = captures.read(key).await?.unwrap_or_default();
            serde_json::from_slice(&text).map_err(|error| Failure::other(format!("{key}: {error}")))
        }
        [] => Err(Failure::not_found(format!(
            "no crash with the signature {} was ever seen: crash-capture top shows those that were",
            wanted.signature.trim_start_matches("1-")
        ))),
        several => Err(Failure::Ambiguous(format!(
            "several signatures may be meant; give more of the id, or --application:\n  {}",
            several.join("\n  ")
        ))),
    }
}

/// The applications that have signatures.
async fn applications(captures: &Captures) -> Result<Vec<String>, Failure> {
    let mut applications = Vec::new();
    let list = captures.s3().list_objects_v2().bucket(captures.bucket()).prefix(SIGNATURES).delimiter("/");
    let mut pages = list.into_paginator().send();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| captures.explained(ServiceError::new("ListObjectsV2", &error)))?;
        let folders = page.common_prefixes().iter().filter_map(|folder| folder.prefix());
        let names = folders.filter_map(|folder| folder.strip_prefix(SIGNATURES)?.strip_suffix('/'));
        applications.extend(names.map(ToOwned::to_owned));
    }
    Ok(applications)
}

/// Keys that begin like this: all of them, or two of many.
async fn keys(captures: &Captures, prefix: &str) -> Result<Vec<String>, Failure> {
    let list = captures.s3().list_objects_v2().bucket(captures.bucket()).prefix(prefix).max_keys(20);
    let page =
        list.send().await.map_err(|error| captures.explained(ServiceError::new("ListObjectsV2", &error)))?;
    Ok(page.contents().iter().filter_map(|object| object.key().map(ToOwned::to_owned)).collect())
}

/// A signature's id, or the beginning of it, with the version of its rules: `1-9f86d0`. Tags have `v1-9f86d0…`.
fn signature_id(text: &str) -> Result<String, String> {
    let id = text.strip_prefix("v1-").unwrap_or(text).to_ascii_lowercase();
    let is_hexadecimal = id.bytes().all(|byte| byte.is_ascii_hexdigit());
    if (4..=16).contains(&id.len()) && is_hexadecimal {
        Ok(format!("1-{id}"))
    } else {
        Err("expected the id of a signature, 16 hexadecimal digits, or at least its first four".to_owned())
    }
}
