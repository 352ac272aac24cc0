//! Multipart uploads: parts on disk, and how they become one object.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html>

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::ops::RangeInclusive;
use std::sync::Arc;

use base64_simd::STANDARD;
use jiff::Timestamp;
use s3s::dto::{Checksum, ChecksumType, CompletedPart, ETag};
use s3s::{S3Result, s3_error};
use tempfile::TempPath;

use super::checksums::{Algorithm, Digests, Hasher, hex};
use super::files::Files;
use super::object::Headers;
use super::tags::Tags;

/// Part numbers that S3 takes.
pub(super) const PART_NUMBERS: RangeInclusive<i32> = 1..=10_000;

/// Bytes that every part but the last has at least.
const SMALLEST_PART: u64 = 5 * 1024 * 1024;

/// An upload in progress.
#[derive(Debug, Clone)]
pub(super) struct Upload {
    pub(super) key: String,
    pub(super) headers: Headers,
    pub(super) tags: Tags,
    pub(super) checksum: Option<PartChecksums>,
    pub(super) parts: BTreeMap<i32, Arc<Part>>,
}

/// How an upload is checksummed.
#[derive(Debug, Clone, Copy)]
pub(super) struct PartChecksums {
    pub(super) algorithm: Algorithm,
    /// The checksum of the whole object, instead of one of the parts' checksums.
    pub(super) full_object: bool,
}

impl PartChecksums {
    /// As `x-amz-checksum-type` names it.
    pub(super) fn kind(self) -> ChecksumType {
        ChecksumType::from_static(if self.full_object {
            ChecksumType::FULL_OBJECT
        } else {
            ChecksumType::COMPOSITE
        })
    }
}

/// A part that has arrived.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) content: TempPath,
    pub(super) size: u64,
    pub(super) digests: Digests,
    pub(super) last_modified: Timestamp,
}

impl Part {
    pub(super) fn etag(&self) -> String {
        hex(&self.digests.md5)
    }

    /// The `ETag` as s3s wants it, which adds the quotes.
    pub(super) fn etag_header(&self) -> ETag {
        ETag::Strong(self.etag())
    }
}

/// An upload whose parts are in one file.
#[derive(Debug)]
pub(super) struct Assembled {
    pub(super) content: TempPath,
    pub(super) size: u64,
    pub(super) etag: String,
    pub(super) checksum: Checksum,
}

/// The parts that the client lists, if the list is one that S3 takes.
pub(super) fn chosen_parts(upload: &Upload, list: &[CompletedPart]) -> S3Result<Vec<Arc<Part>>> {
    if list.is_empty() {
        return Err(s3_error!(
            MalformedXML,
            "The XML you provided was not well-formed or did not validate against our published schema"
        ));
    }
    if !list.is_sorted_by(|one, next| one.part_number < next.part_number) {
        return Err(s3_error!(
            InvalidPartOrder,
            "The list of parts was not in ascending order. Parts must be ordered by part number."
        ));
    }
    let parts: Vec<_> = list.iter().map(|listed| chosen_part(upload, listed)).collect::<S3Result<_>>()?;
    if parts.iter().rev().skip(1).any(|part| part.size < SMALLEST_PART) {
        return Err(s3_error!(
            EntityTooSmall,
            "Your proposed upload is smaller than the minimum allowed size"
        ));
    }
    Ok(parts)
}

fn chosen_part(upload: &Upload, listed: &CompletedPart) -> S3Result<Arc<Part>> {
    let claimed = Checksum {
        checksum_crc32: listed.checksum_crc32.clone(),
        checksum_crc32c: listed.checksum_crc32c.clone(),
        checksum_crc64nvme: listed.checksum_crc64nvme.clone(),
        checksum_sha1: listed.checksum_sha1.clone(),
        checksum_sha256: listed.checksum_sha256.clone(),
        checksum_type: None,
    };
    let part = listed.part_number.and_then(|number| upload.parts.get(&number)).filter(|part| {
        let same_etag = listed.e_tag.as_ref().is_some_and(|etag| etag.value() == part.etag());
        let same_checksum = Algorithm::set_in(&claimed)
            .is_none_or(|(algorithm, value)| algorithm.value_in(&part.digests.checksum) == Some(value));
        same_etag && same_checksum
    });
    part.cloned().ok_or_else(|| {
        s3_error!(
            InvalidPart,
            "One or more of the specified parts could not be found.  The part may not have been uploaded, or the \
             specified entity tag may not match the part's entity tag."
        )
    })
}

/// Puts the parts together. They stay as they are, so that it can be done again.
pub(super) fn assemble(
    files: &Files,
    parts: &[Arc<Part>],
    checksums: Option<PartChecksums>,
) -> io::Result<Assembled> {
    let (mut file, content) = files.stage()?;
    for part in parts {
        io::copy(&mut File::open(&part.content)?, &mut file)?;
    }
    let md5s: Vec<u8> = parts.iter().flat_map(|part| part.digests.md5).collect();
    let mut whole = Hasher::new(None);
    whole.update(&md5s);
    let checksum = match checksums {
        None => Checksum::default(),
        Some(checksums) if checksums.full_object => {
            full_object_checksum(checksums.algorithm, File::open(&content)?)?
        }
        Some(checksums) => composite_checksum(checksums.algorithm, parts),
    };
    Ok(Assembled {
        content,
        size: parts.iter().map(|part| part.size).sum(),
        etag: format!("{}-{}", hex(&whole.finish().md5), parts.len()),
        checksum: Checksum { checksum_type: checksums.map(PartChecksums::kind), ..checksum },
    })
}

fn full_object_checksum(algorithm: Algorithm, mut file: File) -> io::Result<Checksum> {
    let mut hasher = Hasher::new(Some(algorithm));
    let mut buffer = vec![0; 128 * 1024];
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            return Ok(hasher.finish().checksum);
        }
        hasher.update(&buffer[..read]);
    }
}

/// The checksum of the parts' checksums, and how many they are.
fn composite_checksum(algorithm: Algorithm, parts: &[Arc<Part>]) -> Checksum {
    let mut hasher = Hasher::new(Some(algorithm));
    for part in parts {
        let value = algorithm.value_in(&part.digests.checksum).map(String::as_str).unwrap_or_default();
        hasher.update(&STANDARD.decode_to_vec(value).unwrap_or_default());
    }
    let mut checksum = hasher.finish().checksum;
    for value in [
        &mut checksum.checksum_crc32,
        &mut checksum.checksum_crc32c,
        &mut checksum.checksum_sha1,
        &mut checksum.checksum_sha256,
    ]
    .into_iter()
    .flatten()
    {
        *value = format!("{value}-{}", parts.len());
    }
    checksum
}
