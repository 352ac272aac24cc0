//! The fields of a minidump that lead to others (Microsoft's `minidumpapiset.h`), for those who look before the parser does.

/// `MINIDUMP_STREAM_TYPE`; the last one is Breakpad's.
pub(super) const MODULE_LIST: u32 = 4;
pub(super) const EXCEPTION: u32 = 6;
pub(super) const SYSTEM_INFO: u32 = 7;
pub(super) const MISC_INFO: u32 = 15;
pub(super) const THREAD_NAMES: u32 = 24;
pub(super) const ASSERTION: u32 = 0x4767_0002;

/// `MINIDUMP_MODULE`, in bytes.
pub(super) const MODULE: usize = 108;

/// The bytes of a dump, read field by field. What lies outside is nothing; the parser will say so.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fields<'a>(pub(super) &'a [u8]);

impl Fields<'_> {
    pub(super) fn u32(&self, at: usize) -> Option<u32> {
        let bytes = self.0.get(at..at.checked_add(4)?)?;
        Some(u32::from_le_bytes(bytes.try_into().ok()?))
    }

    pub(super) fn length(&self, at: usize) -> Option<usize> {
        usize::try_from(self.u32(at)?).ok()
    }
}

/// A field of a stream that tells where something lies.
#[derive(Debug)]
pub(super) struct Pointer {
    /// Where it is in the stream.
    pub(super) field: usize,
    /// Where it leads in the dump.
    pub(super) target: u64,
    /// How long that is, where the field before it tells; a name begins with its length.
    pub(super) size: Option<u64>,
}

/// The pointers of a stream. Offsets of 64 bits are as small as others in a dump that can be read.
pub(super) fn pointers(kind: u32, stream: &[u8]) -> impl Iterator<Item = Pointer> {
    let fields = Fields(stream);
    let count = fields.length(0).unwrap_or(0).min(stream.len() / 12);
    // Which fields of each entry are names, which are sized; and where the entries are.
    let (names, sized, entries): (&[usize], &[usize], _) = match kind {
        SYSTEM_INFO => (&[24], &[], 0..1),
        // `MINIDUMP_EXCEPTION_STREAM.ThreadContext`.
        EXCEPTION => (&[], &[164], 0..1),
        // `ModuleNameRva`, `CvRecord`.
        MODULE_LIST => (&[20], &[80], 0..count),
        THREAD_NAMES => (&[4], &[], 0..count),
        _ => (&[], &[], 0..0),
    };
    let first = move |entry: usize| match kind {
        MODULE_LIST => list_start(stream, count, MODULE) + MODULE * entry,
        THREAD_NAMES => list_start(stream, count, 12) + 12 * entry,
        _ => 0,
    };
    entries.flat_map(move |entry| {
        let pointer = move |field: usize, is_sized: bool| {
            let field = first(entry) + field;
            let size = if is_sized { Some(u64::from(fields.u32(field - 4)?)) } else { None };
            let target = u64::from(fields.u32(field)?);
            // 0 stands for nothing.
            (target > 0 && size != Some(0)).then_some(Pointer { field, target, size })
        };
        let names = names.iter().filter_map(move |field| pointer(*field, false));
        names.chain(sized.iter().filter_map(move |field| pointer(*field, true)))
    })
}

/// Where the entries of a list begin: behind its count, which some writers pad to 8 bytes.
pub(super) fn list_start(stream: &[u8], count: usize, entry: usize) -> usize {
    if stream.len() == 8 + entry * count { 8 } else { 4 }
}
