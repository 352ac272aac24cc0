//! How a finished zip gets into S3. The service does not know which S3 that is.

use std::fmt;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;

/// A zip that is to be put into S3.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upload {
    /// The bucket.
    pub bucket: String,
    /// The key.
    pub key: String,
    /// The file. It is removed once the delivery has returned.
    pub zip: PathBuf,
    /// Whose permissions count: those of the caller of `ExportStreamSessionFiles`.
    pub access_key_id: String,
}

type Outcome = Pin<Box<dyn Future<Output = Result<(), String>> + Send>>;

/// Puts uploads into S3. What it returns as an error becomes the export's `StatusReason`.
#[derive(Clone)]
pub struct Delivery(Arc<dyn Fn(Upload) -> Outcome + Send + Sync>);

impl Delivery {
    /// A delivery by way of an async closure.
    pub fn new<F, R>(deliver: F) -> Self
    where
        F: Fn(Upload) -> R + Send + Sync + 'static,
        R: Future<Output = Result<(), String>> + Send + 'static,
    {
        Self(Arc::new(move |upload| Box::pin(deliver(upload))))
    }

    pub(super) async fn deliver(&self, upload: Upload) -> Result<(), String> {
        (self.0)(upload).await
    }
}

impl fmt::Debug for Delivery {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Delivery")
    }
}
