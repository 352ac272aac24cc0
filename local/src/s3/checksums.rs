//! The digests of a body: its MD5, which makes the `ETag`, and the checksum that its sender chose.
//!
//! s3s decodes what clients send about checksums, and leaves checking it to us.

use base64_simd::STANDARD;
use s3s::checksum::ChecksumHasher;
use s3s::crypto::{Checksum as _, Crc32, Crc32c, Crc64Nvme, Md5, Sha1, Sha256};
use s3s::dto::{Checksum, ChecksumAlgorithm};
use s3s::{S3Result, TrailingHeaders, s3_error};

/// The checksum algorithms of S3.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Algorithm {
    Crc32,
    Crc32c,
    Crc64Nvme,
    Sha1,
    Sha256,
}

impl Algorithm {
    const ALL: [Self; 5] = [Self::Crc32, Self::Crc32c, Self::Crc64Nvme, Self::Sha1, Self::Sha256];

    /// From the value of `x-amz-checksum-algorithm`.
    pub(super) fn parse(name: &ChecksumAlgorithm) -> S3Result<Self> {
        Self::ALL.into_iter().find(|it| it.name() == name.as_str()).ok_or_else(|| {
            s3_error!(
                InvalidRequest,
                "Checksum algorithm provided is unsupported. Please try again with any of the valid types: \
                 [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]"
            )
        })
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Crc32 => ChecksumAlgorithm::CRC32,
            Self::Crc32c => ChecksumAlgorithm::CRC32C,
            Self::Crc64Nvme => ChecksumAlgorithm::CRC64NVME,
            Self::Sha1 => ChecksumAlgorithm::SHA1,
            Self::Sha256 => ChecksumAlgorithm::SHA256,
        }
    }

    /// The name as s3s wants it.
    pub(super) fn dto(self) -> ChecksumAlgorithm {
        ChecksumAlgorithm::from_static(self.name())
    }

    /// The header or trailer that carries such a checksum.
    fn header(self) -> String {
        format!("x-amz-checksum-{}", self.name().to_lowercase())
    }

    /// Bytes of a digest.
    fn length(self) -> usize {
        match self {
            Self::Crc32 | Self::Crc32c => 4,
            Self::Crc64Nvme => 8,
            Self::Sha1 => 20,
            Self::Sha256 => 32,
        }
    }

    /// The field of `checksum` that belongs to this algorithm.
    pub(super) fn value_in(self, checksum: &Checksum) -> Option<&String> {
        match self {
            Self::Crc32 => &checksum.checksum_crc32,
            Self::Crc32c => &checksum.checksum_crc32c,
            Self::Crc64Nvme => &checksum.checksum_crc64nvme,
            Self::Sha1 => &checksum.checksum_sha1,
            Self::Sha256 => &checksum.checksum_sha256,
        }
        .as_ref()
    }

    /// The algorithm and value of the checksum that is set in `checksum`.
    pub(super) fn set_in(checksum: &Checksum) -> Option<(Self, &String)> {
        Self::ALL.into_iter().find_map(|it| Some((it, it.value_in(checksum)?)))
    }

    fn hasher(self) -> ChecksumHasher {
        let mut hasher = ChecksumHasher::default();
        match self {
            Self::Crc32 => hasher.crc32 = Some(Crc32::new()),
            Self::Crc32c => hasher.crc32c = Some(Crc32c::new()),
            Self::Crc64Nvme => hasher.crc64nvme = Some(Crc64Nvme::new()),
            Self::Sha1 => hasher.sha1 = Some(Sha1::new()),
            Self::Sha256 => hasher.sha256 = Some(Sha256::new()),
        }
        hasher
    }
}

/// Computes the digests of a body as it passes by.
pub(super) struct Hasher {
    md5: Md5,
    checksum: ChecksumHasher,
}

impl Hasher {
    pub(super) fn new(algorithm: Option<Algorithm>) -> Self {
        Self { md5: Md5::new(), checksum: algorithm.map(Algorithm::hasher).unwrap_or_default() }
    }

    pub(super) fn update(&mut self, data: &[u8]) {
        self.md5.update(data);
        self.checksum.update(data);
    }

    pub(super) fn finish(self) -> Digests {
        Digests { md5: self.md5.finalize(), checksum: self.checksum.finalize() }
    }
}

/// The digests of a body.
#[derive(Debug, Clone)]
pub(super) struct Digests {
    pub(super) md5: [u8; 16],
    /// Empty, or with the one field of the algorithm that was asked for.
    pub(super) checksum: Checksum,
}

/// What the sender of a body says its digests are.
#[derive(Debug)]
pub(super) struct Claims {
    md5: Option<Vec<u8>>,
    checksum: Option<(Algorithm, Claim)>,
}

/// Where the checksum's value comes from.
#[derive(Debug)]
enum Claim {
    Header(String),
    /// After the body, as the SDKs send it.
    Trailer(TrailingHeaders),
}

impl Claims {
    /// Reads the headers of an upload. `trailer` is the algorithm that `x-amz-trailer` announced, with the trailers.
    pub(super) fn new(
        content_md5: Option<&str>,
        headers: &Checksum,
        trailer: Option<(ChecksumAlgorithm, TrailingHeaders)>,
    ) -> S3Result<Self> {
        let claimed: Vec<Algorithm> =
            Algorithm::ALL.into_iter().filter(|algorithm| algorithm.value_in(headers).is_some()).collect();
        if claimed.len() + usize::from(trailer.is_some()) > 1 {
            return Err(s3_error!(
                InvalidRequest,
                "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed."
            ));
        }
        let checksum = match (Algorithm::set_in(headers), trailer) {
            (Some((algorithm, value)), _) => Some((algorithm, Claim::Header(checked(algorithm, value)?))),
            (None, Some((name, trailers))) => Some((Algorithm::parse(&name)?, Claim::Trailer(trailers))),
            (None, None) => None,
        };
        Ok(Self { md5: content_md5.map(decode_md5).transpose()?, checksum })
    }

    /// The checksum that has to be computed to check the claims.
    pub(super) fn algorithm(&self) -> Option<Algorithm> {
        self.checksum.as_ref().map(|(algorithm, _)| *algorithm)
    }

    /// Compares the claims with what has arrived.
    pub(super) fn verify(&self, digests: &Digests) -> S3Result<()> {
        if self.md5.as_ref().is_some_and(|claimed| *claimed != digests.md5) {
            return Err(s3_error!(
                BadDigest,
                "The Content-MD5 you specified did not match what we received."
            ));
        }
        let Some((algorithm, claim)) = &self.checksum else { return Ok(()) };
        let claimed = match claim {
            Claim::Header(value) => value.clone(),
            Claim::Trailer(trailers) => checked(*algorithm, &trailing_value(*algorithm, trailers)?)?,
        };
        if algorithm.value_in(&digests.checksum) != Some(&claimed) {
            return Err(s3_error!(
                BadDigest,
                "The {} you specified did not match the calculated checksum.",
                algorithm.name()
            ));
        }
        Ok(())
    }
}

fn trailing_value(algorithm: Algorithm, trailers: &TrailingHeaders) -> S3Result<String> {
    let value =
        trailers.read(|headers| headers.get(algorithm.header())?.to_str().ok().map(str::to_owned)).flatten();
    value.ok_or_else(|| s3_error!(InvalidRequest, "The trailer {} is missing.", algorithm.header()))
}

/// A checksum's text, if it is one of this algorithm.
fn checked(algorithm: Algorithm, value: &str) -> S3Result<String> {
    match STANDARD.decode_to_vec(value) {
        Ok(digest) if digest.len() == algorithm.length() => Ok(value.to_owned()),
        _ => Err(s3_error!(InvalidRequest, "Value for {} header is invalid.", algorithm.header())),
    }
}

fn decode_md5(value: &str) -> S3Result<Vec<u8>> {
    STANDARD
        .decode_to_vec(value)
        .ok()
        .filter(|digest| digest.len() == 16)
        .ok_or_else(|| s3_error!(InvalidDigest, "The Content-MD5 you specified was invalid."))
}

/// A digest in lower-case hex, as in an `ETag`.
pub(super) fn hex(digest: &[u8]) -> String {
    use std::fmt::Write as _;
    digest.iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").expect("a String takes everything");
        hex
    })
}
