//! Zips that are odd, broken or hostile. Each holds one oddity, and beside it, where that can be, a log that can be read.

use super::Image;
use super::content::{crc32, deflate, noise};
use super::writer::{Data, Descriptor, End, Entry, Zip, Zip64, end_record, extra_field, zip64_end};

/// A zip with an oddity.
#[derive(Debug, Clone)]
pub struct Case {
    /// What is odd about it.
    pub name: &'static str,
    /// The zip.
    pub image: Image,
}

/// What the log holds that most of them hold.
pub const TEXT: &[u8] =
    b"LogInit: Display: Game starting\nLogExit: Exiting.\nLog file closed, 11/23/26 10:00:00\n";

/// Its path.
pub const LOG: &str = "profile/Game.log";

/// All of them.
#[must_use]
pub fn all() -> Vec<Case> {
    [zip64(), descriptors(), names(), ends(), broken(), directories(), data(), methods()].concat()
}

fn case(name: &'static str, image: impl Into<Image>) -> Case {
    Case { name, image: image.into() }
}

fn good() -> Entry {
    Entry::deflated(LOG, TEXT)
}

/// The log, and beside it another entry.
fn with(entry: Entry) -> Image {
    Zip::of([good(), entry])
}

/// The log, changed.
fn but(change: impl FnOnce(&mut Entry)) -> Image {
    Zip::of([good().but(change)])
}

/// The log, and an end that says something else.
fn ending(end: &End) -> Image {
    let mut zip = Zip::default();
    zip.add(&good());
    zip.add(&Entry::stored("temp/x", TEXT));
    zip.finish(end)
}

fn zip64() -> Vec<Case> {
    let of = |zip64: Zip64| but(|entry| entry.zip64 = zip64);
    let both = Zip64 { size: true, compressed: true, ..Zip64::default() };
    vec![
        case("zip64 end record", ending(&End { zip64: true, ..End::default() })),
        case("zip64: both sizes", of(both)),
        case("zip64: only the offset", of(Zip64 { offset: true, ..Zip64::default() })),
        case("zip64: only the size", of(Zip64 { size: true, ..Zip64::default() })),
        case("zip64: all three", of(Zip64 { offset: true, ..both })),
        case("zip64: no field", of(Zip64 { without_field: true, ..both })),
        case("zip64: field too short", of(Zip64 { short_by: 3, ..both })),
    ]
}

fn descriptors() -> Vec<Case> {
    let of = |descriptor| {
        Zip::of([good().but(|it| it.descriptor = descriptor), Entry::stored("temp/behind", TEXT)])
    };
    let stored = Entry::stored(LOG, TEXT).but(|it| it.descriptor = Descriptor::Signed);
    vec![
        case("descriptor with signature", of(Descriptor::Signed)),
        case("descriptor without signature", of(Descriptor::Unsigned)),
        case("descriptor of 64 bits", of(Descriptor::Zip64)),
        case("descriptor behind stored data", Zip::of([stored])),
    ]
}

fn names() -> Vec<Case> {
    const UTF8: u16 = 1 << 11;
    let named = |name: &[u8], flags: u16| with(Entry::stored(name, TEXT).but(|it| it.flags = flags));
    let unicode_path = extra_field(0x7075, b"\x01\0\0\0\0other name");
    vec![
        case("name: UTF-8 with flag", named("profile/Ä日.log".as_bytes(), UTF8)),
        case("name: UTF-8 without flag", named("profile/Ä日.log".as_bytes(), 0)),
        case("name: code page 437", named(b"profile/\x8e\x81.log", 0)),
        case("name: Shift-JIS", named(b"profile/\x83\x51\x81\x5b\x83\x80.log", 0)),
        case("name: invalid UTF-8 with flag", named(b"profile/\xff\xfe.log", UTF8)),
        case(
            "name: Unicode path field",
            with(Entry::stored("a.txt", TEXT).but(|it| it.extra = unicode_path)),
        ),
        case("name: backslashes", named(b"profile\\Saved\\x.txt", 0)),
        case("name: upwards", named(b"../../etc/passwd", 0)),
        case("name: absolute", named(b"/etc/passwd", 0)),
        case("name: drive", named(b"C:\\Windows\\x.txt", 0)),
        case("name: NUL", named(b"profile/x.txt\0.exe", 0)),
        case("name: empty", named(b"", 0)),
        case("name: 65,535 bytes", named(&[b'n'; 65_535], 0)),
        case("name: escapes and right-to-left", named("a\u{1b}[2J\u{202e}gol.exe".as_bytes(), UTF8)),
        case("two entries of one name", Zip::of([good(), good()])),
        case("another name in the local header", but(|it| it.local_name = Some(b"temp/other.dmp".to_vec()))),
        case(
            "a long extra field in the local header",
            but(|it| it.local_extra = extra_field(0xcafe, &[7; 9_000])),
        ),
        case("a folder", with(Entry::stored("profile/folder/", ""))),
    ]
}

fn ends() -> Vec<Case> {
    let comment = |comment: Vec<u8>| ending(&End { comment, ..End::default() });
    let good = good();
    let trailing = |length| {
        let mut image = ending(&End::default());
        image.append(vec![b'x'; length]);
        image
    };
    let behind = |adjusted, zip64| {
        let mut zip = Zip::behind(noise(1, 3_000), adjusted);
        zip.add(&good);
        zip.finish(&End { zip64, ..End::default() })
    };
    let twice = [ending(&End::default()).to_bytes(), Zip::of([good.clone()]).to_bytes()].concat();
    let rival = {
        let inner = Zip::of([Entry::stored("inner", "1")]);
        let end = inner.size() - 22;
        // The same end record, as it has to be where the comment lies.
        comment(inner.read(end..inner.size()).to_vec())
    };
    vec![
        case("a comment of 65,535 bytes", comment(vec![b'c'; 65_535])),
        case("a comment with signatures", comment(b"PK\x05\x06PK\x01\x02PK\x06\x07PK\x05\x06\0\0".to_vec())),
        case("an empty end record in the comment", comment(end_record(false, [0, 0, 0], b""))),
        case("an end record in the comment that points at nothing", rival),
        case("a comment of end records", comment(end_record(false, [1, 60, 0], b"").repeat(2_900))),
        case("an end record in the comment for another directory", rival_directory()),
        case("something before, offsets adjusted", behind(true, false)),
        case("something before, offsets not adjusted", behind(false, false)),
        case("something before, zip64, offsets adjusted", behind(true, true)),
        case("something before, zip64, offsets not adjusted", behind(false, true)),
        case("100 bytes behind", trailing(100)),
        case("70,000 bytes behind", trailing(70_000)),
        case("two zips, one behind the other", twice),
        case(
            "a stored zip inside",
            Zip::of([good, Entry::stored("inner.zip", Zip::of([Entry::stored("x", "1")]).to_bytes())]),
        ),
        case("an empty zip", Zip::of([])),
    ]
}

/// A zip that two readers may read differently: one directory by its end record, another by the one in its comment.
fn rival_directory() -> Image {
    let mut zip = Zip::default();
    zip.add(&good());
    let hidden = Zip::of([Entry::stored("hidden.log", "what nobody is to see")]);
    let (start, hidden) = (zip.position(), hidden.to_bytes());
    let mut directory_zip = zip;
    directory_zip.add(&Entry::stored("temp/inner", hidden.clone()));
    // Local header and name of `temp/inner`, then local header, name and data of `hidden.log`.
    let directory = start + 40 + 40 + 21;
    let size = hidden.len() as u64 - 22 - 61;
    directory_zip.finish(&End { comment: end_record(false, [1, size, directory], b""), ..End::default() })
}

fn broken() -> Vec<Case> {
    let whole = Zip::of([good(), Entry::stored("temp/noise", noise(2, 5_000))]);
    let size = whole.size();
    vec![
        case("cut in the end record", whole.cut(size - 10)),
        case("cut in the directory", whole.cut(size - 22 - 30)),
        case("cut in half", whole.cut(size / 2)),
        case("its first half is missing", Image::from(whole.read(size / 2..size).to_vec())),
        case("noise", noise(3, 10_000)),
        case("6 MB of noise", noise(4, 6_000_000)),
        case("nothing", Vec::new()),
        case("one byte", b"P".to_vec()),
        case("two bytes", b"PK".to_vec()),
        case("zeros", vec![0; 10_000]),
    ]
}

fn directories() -> Vec<Case> {
    let end = |change: fn(&mut End)| {
        let mut end = End::default();
        change(&mut end);
        ending(&end)
    };
    let many = Zip::of((0..70_000).map(|number| Entry::stored(format!("temp/{number}"), "")));
    let hole = |offset, length: u64| {
        let mut zip = Zip::default();
        zip.add(&Entry::zeros("application/x", length));
        zip.finish(&End { directory_offset: Some(offset), directory_size: Some(length), ..End::default() })
    };
    vec![
        case("counts too few entries", end(|it| it.entries = Some(1))),
        case("counts too many entries", end(|it| it.entries = Some(9))),
        case("zip64: counts 2^40 entries", end(|it| (it.zip64, it.entries) = (true, Some(1 << 40)))),
        case("zip64: counts 2^64-1 entries", end(|it| (it.zip64, it.entries) = (true, Some(u64::MAX)))),
        case("70,000 entries without zip64", many),
        case("the directory's size is too small", end(|it| it.directory_size = Some(20))),
        case("the directory's size is too large", end(|it| it.directory_size = Some(180))),
        case(
            "the directory's offset is 2^32-2",
            end(|it| it.directory_offset = Some(u64::from(u32::MAX) - 1)),
        ),
        case(
            "zip64: the directory's offset is 2^64-1",
            end(|it| {
                (it.zip64, it.directory_offset) = (true, Some(u64::MAX));
            }),
        ),
        case("the directory's offset is 0, before 100 MB of zeros", hole(0, 100_000_000)),
        case("the directory's offset is 0, before 200 MB of zeros", hole(0, 200_000_000)),
        case(
            "a digital signature behind the directory",
            end(|it| it.before = b"PK\x05\x05\x04\0sign".to_vec()),
        ),
        case("noise between directory and end", end(|it| it.before = noise(5, 100))),
        case("noise in the directory", damaged_directory()),
        case("a record that promises more than there is", overrunning_record()),
        case("a comment that looks like zip64", but(|it| it.comment = zip64_end(0, [7, 7, 7]))),
        case("an extra field that overruns", but(|it| it.extra = b"\x0a\0\xff\x7fx".to_vec())),
        case("impossible dates", but(|it| it.modified = (0xffff, 0xffff))),
        case("no date", but(|it| it.modified = (0, 0))),
    ]
}

fn damaged_directory() -> Image {
    let image = Zip::of((0..10).map(|number| Entry::stored(format!("temp/{number}"), TEXT)));
    let mut bytes = image.to_bytes().to_vec();
    let sixth = bytes.len() - 22 - 5 * (46 + 6);
    bytes[sixth..sixth + 4].copy_from_slice(b"oops");
    bytes.into()
}

fn overrunning_record() -> Image {
    let image = Zip::of([good(), Entry::stored("temp/x", TEXT)]);
    let mut bytes = image.to_bytes().to_vec();
    let second = bytes.len() - 22 - (46 + 6);
    bytes[second + 32..second + 34].copy_from_slice(&60_000_u16.to_le_bytes());
    bytes.into()
}

fn data() -> Vec<Case> {
    let nested = Zip::of([Entry::deflated("bomb", &vec![0; 4_000_000])]).to_bytes();
    let nested = Zip::of((0..16).map(|number| Entry::stored(format!("{number}.zip"), nested.clone())));
    let raw = deflate(TEXT);
    let damaged = raw.iter().enumerate().map(|(at, byte)| byte ^ if at > 20 { 0x55 } else { 0 });
    let damaged: bytes::Bytes = damaged.collect();
    vec![
        case("1,000 entries on one local header", one_header()),
        case("entries that quote each other", quoted()),
        case(
            "claims 10 bytes, inflates to 30 MB",
            but(|it| {
                let zeros = vec![0; 30_000_000];
                let raw = deflate(&zeros);
                (it.compressed_size, it.size, it.crc32) = (raw.len() as u64, 10, crc32(&zeros));
                it.data = Data::Raw(raw.into());
            }),
        ),
        case("30 MB of zeros", Zip::of([Entry::deflated(LOG, &vec![0; 30_000_000])])),
        case("claims more than it holds", but(|it| it.size += 1000)),
        case("zips in zips", nested),
        case(
            "an entry past the archive's end",
            with(Entry::stored("temp/far", TEXT).but(|it| it.offset = Some(u64::from(u32::MAX) - 9))),
        ),
        case(
            "an entry in the directory",
            with(Entry::stored("temp/near", TEXT).but(|it| it.offset = Some(250))),
        ),
        case(
            "data that reaches past the end",
            with(
                Entry::stored("temp/long", TEXT).but(|it| (it.compressed_size, it.size) = (1 << 20, 1 << 20)),
            ),
        ),
        case("no local header where it should be", but(|it| it.offset = Some(7))),
        case("a wrong CRC", but(|it| it.crc32 ^= 1)),
        case("a wrong CRC, stored", Zip::of([Entry::stored(LOG, TEXT).but(|it| it.crc32 ^= 1)])),
        case("damaged deflate", but(|it| it.data = Data::Raw(damaged))),
        case("deflate that breaks off", but(|it| it.compressed_size -= 5)),
        case("stored, with sizes that differ", Zip::of([Entry::stored(LOG, TEXT).but(|it| it.size += 5)])),
        case("an empty deflated file", Zip::of([Entry::deflated(LOG, b"")])),
    ]
}

/// One local header, one body, a thousand records.
fn one_header() -> Image {
    let mut zip = Zip::default();
    let body = vec![0; 1_000_000];
    let entry = Entry::deflated("profile/0000.log", &body);
    zip.add(&entry);
    for number in 1..1_000 {
        zip.record(&entry.clone().but(|it| it.name = format!("profile/{number:04}.log").into()), 0);
    }
    zip.finish(&End::default())
}

/// Each file's data is the next one's local header, quoted as a stored deflate block, and then that one's data, and so on to
/// one kernel that all of them inflate (D. Fifield, "A better zip bomb", 2019).
fn quoted() -> Image {
    const FILES: usize = 50;
    let kernel = vec![0; 1_000_000];
    let last = Entry::deflated(format!("profile/{FILES:02}.log"), &kernel);
    let Data::Raw(body) = last.data.clone() else { return Image::default() };
    // From the last to the first: (record, local header with data, inflated bytes).
    let mut inflated = kernel;
    let mut bytes = alone(&last, &body);
    let mut records = vec![(last, 0_u64)];
    for number in (0..FILES).rev() {
        let header = 30 + 14;
        let quote = u16::try_from(header).unwrap_or(0);
        let mut data = [&[0][..], &quote.to_le_bytes(), &(!quote).to_le_bytes()].concat();
        data.extend_from_slice(&bytes);
        inflated.splice(0..0, bytes[..header].iter().copied());
        let entry = Entry::deflated(format!("profile/{number:02}.log"), b"").but(|it| {
            (it.compressed_size, it.size, it.crc32) =
                (data.len() as u64, inflated.len() as u64, crc32(&inflated));
        });
        let written = alone(&entry, &data);
        let before = (written.len() - bytes.len()) as u64;
        for (_, at) in &mut records {
            *at += before;
        }
        records.push((entry, 0));
        bytes = written;
    }
    let mut zip = Zip::behind(bytes, true);
    for (entry, at) in records.iter().rev() {
        zip.record(entry, *at);
    }
    zip.finish(&End::default())
}

/// An entry's local header and data.
fn alone(entry: &Entry, data: &[u8]) -> Vec<u8> {
    let mut zip = Zip::default();
    zip.add(&entry.clone().but(|it| it.data = Data::Raw(data.to_vec().into())));
    let end = zip.position();
    zip.finish(&End::default()).read(0..end).to_vec()
}

fn methods() -> Vec<Case> {
    let of = |method: u16| with(Entry::stored("temp/x.dmp", TEXT).but(|it| it.method = method));
    let encrypted = |flags: u16, method: u16| {
        with(Entry::stored("temp/x.dmp", TEXT).but(|it| (it.flags, it.method) = (flags, method)))
    };
    vec![
        case("method 9, deflate64", of(9)),
        case("method 12, bzip2", of(12)),
        case("method 14, LZMA", of(14)),
        case("method 50, unknown", of(50)),
        case("method 93, zstd", of(93)),
        case("method 95, XZ", of(95)),
        case("method 98, PPMd", of(98)),
        case("encrypted, ZipCrypto", encrypted(1, 0)),
        case("encrypted, AES", encrypted(1, 99)),
    ]
}
