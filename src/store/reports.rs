//! Reports: each is the page that belongs to the record in the index, whoever wrote it, and in whichever order.
//!
//! A report is written before the record that names it, so that a record never points at nothing. Two may write at once, and the one
//! whose record loses must not have the last word in the report. So each report notes the rank of its record, below which nothing may
//! replace it; and whoever has written a record looks whether the report is still that of the record that won, and mends it otherwise. Of
//! the last of all these writes the one who made it has looked at the other object afterwards; and where it could not, the sweep does, as
//! each report notes which record it tells of (`docs/decisions/0035`).

use aws_sdk_s3::operation::head_object::HeadObjectOutput;
use aws_sdk_s3::primitives::ByteStream;
use sha2::{Digest, Sha256};

use crate::error::Error;
use crate::record::Record;
use crate::service::{Fault, ServiceError};

use super::{ATTEMPTS, Condition, RecordWrite, Store, conditional};

/// A report is for a browser.
const HTML: &str = "text/html; charset=utf-8";

/// What a report notes of itself, as user-defined metadata: the rank of its record, the SHA-256 of what that says, and its own.
const RANK: &str = "rank";
const RECORD: &str = "record-sha256";
const DIGEST: &str = "sha256";

/// A report that is there.
struct Present {
    etag: String,
    rank: Option<u32>,
    record: Option<String>,
    digest: Option<String>,
}

impl From<HeadObjectOutput> for Present {
    fn from(head: HeadObjectOutput) -> Self {
        let noted = |name: &str| head.metadata()?.get(name).cloned();
        Self {
            etag: head.e_tag().unwrap_or_default().to_owned(),
            rank: noted(RANK).and_then(|rank| rank.parse().ok()),
            record: noted(RECORD),
            digest: noted(DIGEST),
        }
    }
}

impl Store {
    /// Settles a session: writes its report, then its record at `key`, unless the index holds one that says the same or outranks it.
    ///
    /// `page` makes the report of a record; nothing for a record that the caller cannot tell the details of. What follows is
    /// [`confirm_report`](Self::confirm_report).
    pub async fn settle(
        &self,
        key: &str,
        record: &Record,
        page: impl Fn(&Record) -> Option<String>,
    ) -> Result<RecordWrite, Error> {
        self.put_report(record, &page, None).await?;
        self.put_record(key, record).await
    }

    /// Sees to it that the report is that of the record that won.
    pub async fn confirm_report(
        &self,
        key: &str,
        won: &Record,
        page: impl Fn(&Record) -> Option<String>,
    ) -> Result<(), Error> {
        let mut won = won.clone();
        for _ in 0..ATTEMPTS {
            let Some(report) = &won.report else { return Ok(()) };
            let present = self.report(&report.key).await?;
            if !self.put_report(&won, &page, present).await? {
                return Ok(());
            }
            // It was another's: the record may have become another's meanwhile too.
            match self.read::<Record>(key).await? {
                Some(now) if now.value != won => won = now.value,
                _ => return Ok(()),
            }
        }
        Err(Error::Contended { key: key.to_owned(), attempts: ATTEMPTS })
    }

    /// Whether the report that is there is that of this record. One that names no report has it.
    pub async fn has_report_of(&self, record: &Record) -> Result<bool, Error> {
        let Some(report) = &record.report else { return Ok(true) };
        let present = self.report(&report.key).await?;
        Ok(present.and_then(|present| present.record) == Some(digest_of(record)?))
    }

    /// Writes a record's report, unless the one that is there is the same or outranks it. Says whether it did.
    async fn put_report(
        &self,
        record: &Record,
        page: impl Fn(&Record) -> Option<String>,
        mut present: Option<Present>,
    ) -> Result<bool, Error> {
        let Some((report, html)) = record.report.as_ref().zip(page(record)) else { return Ok(false) };
        let (key, rank) = (&report.key, record.rank());
        let (digest, record) = (hex(&Sha256::digest(&html)), digest_of(record)?);
        for _ in 0..ATTEMPTS {
            if let Some(present) = &present
                && (present.rank.is_some_and(|present| present > rank)
                    || (present.digest.as_deref() == Some(&digest)
                        && present.record.as_deref() == Some(&record)))
            {
                return Ok(false);
            }
            let put = self.client.put_object().bucket(&self.bucket).key(key).content_type(HTML);
            let put = put.metadata(RANK, rank.to_string()).metadata(RECORD, &record);
            let put = put.metadata(DIGEST, &digest);
            let put = match &present {
                Some(present) => put.if_match(&present.etag),
                None => put.if_none_match("*"),
            };
            if let Condition::Held =
                conditional(put.body(ByteStream::from(html.clone().into_bytes())).send().await)?
            {
                return Ok(true);
            }
            present = self.report(key).await?;
        }
        Err(Error::Contended { key: key.clone(), attempts: ATTEMPTS })
    }

    /// The report that is there, if there is one.
    async fn report(&self, key: &str) -> Result<Option<Present>, Error> {
        match self.client.head_object().bucket(&self.bucket).key(key).send().await {
            Ok(head) => Ok(Some(head.into())),
            Err(error) => {
                let error = ServiceError::new("HeadObject", &error);
                if error.fault == Fault::NotFound { Ok(None) } else { Err(error.into()) }
            }
        }
    }
}

/// The SHA-256 of what a record says.
fn digest_of(record: &Record) -> Result<String, Error> {
    let json = serde_json::to_vec(&record.timeless()).map_err(|error| {
        let key = record.session.record_key();
        Error::Object { key, detail: error.to_string() }
    })?;
    Ok(hex(&Sha256::digest(json)))
}

fn hex(digest: &[u8]) -> String {
    digest.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}
