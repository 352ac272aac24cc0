//! Writes the zips that are odd, broken or hostile to a folder, those up to a size: seeds for a fuzzer, or for another reader.
//!
//! `cargo run --package crash-capture-local --example odd-zips -- FOLDER [BYTES]`

use std::io;
use std::path::Path;

use crash_capture_local::zips::odd;

fn main() -> io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().ok_or_else(|| io::Error::other("expected a folder"))?;
    let most = arguments.next().and_then(|it| it.parse().ok()).unwrap_or(u64::MAX);
    for case in odd::all().into_iter().filter(|case| case.image.size() <= most) {
        let name: String = case
            .name
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' })
            .collect();
        let path = Path::new(&folder).join(name);
        if !path.exists() {
            case.image.write_to(&path)?;
        }
    }
    Ok(())
}
