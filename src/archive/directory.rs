//! The directory: what an archive holds.

use rawzip::CompressionMethod;

use super::{Archive, ArchiveError, Source, names};

/// How an entry is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Not at all.
    Stored,
    /// Deflate.
    Deflate,
    /// By a method that is listed but not read, by its number (APPNOTE.TXT 4.4.5).
    Other(u16),
}

impl From<CompressionMethod> for Method {
    fn from(method: CompressionMethod) -> Self {
        match method {
            CompressionMethod::STORE => Self::Stored,
            CompressionMethod::DEFLATE => Self::Deflate,
            other => Self::Other(other.as_u16()),
        }
    }
}

/// A file or folder of an archive, as the directory declares it.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Its path, with `/` between its parts, made harmless for display.
    pub path: String,
    /// Its size in bytes, as declared.
    pub size: u64,
    /// Its compressed size in bytes, as declared.
    pub compressed_size: u64,
    /// How it is compressed.
    pub method: Method,
    /// Whether it is encrypted: then it is listed and never read.
    pub encrypted: bool,
    /// Whether it is a folder.
    pub is_folder: bool,
    /// The length of its name in bytes, as the directory has it.
    pub(super) name_length: usize,
    pub(super) local_header: u64,
}

impl<S: Source> Archive<'_, S> {
    /// Visits every entry, in the directory's order. Records are believed, not the count in the end record.
    pub fn visit(&self, mut visit: impl FnMut(Entry)) -> Result<(), ArchiveError<S::Error>> {
        let not_a_zip = |error: rawzip::Error| ArchiveError::NotAZip(error.to_string());
        let mut buffer = vec![0; rawzip::MAX_CENTRAL_DIRECTORY_RECORD_SIZE];
        let mut entries = self.zip.entries(&mut buffer);
        while let Some(header) = entries.next_entry().map_err(not_a_zip)? {
            let raw = header.file_path();
            visit(Entry {
                path: names::display(raw.as_bytes()),
                size: header.uncompressed_size_hint(),
                compressed_size: header.compressed_size_hint(),
                method: header.compression_method().into(),
                encrypted: header.flags().is_encrypted(),
                is_folder: header.is_dir(),
                name_length: raw.len(),
                local_header: header.local_header_offset(),
            });
        }
        Ok(())
    }
}
