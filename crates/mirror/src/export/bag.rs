//! BagIt 1.0 (RFC 8493): what libraries and archives take in and check with their own tools.

use super::written::Written;
use daylight_archive::Archive;
use daylight_model::Digest;
use std::fmt::Write as _;

/// The folder of what is packed (RFC 8493 section 2.1.2).
pub(super) const PAYLOAD: &str = "data";

/// The names of a bag's own files (section 2).
pub(super) const NAMES: [&str; 4] = ["bagit.txt", "bag-info.txt", "manifest-sha256.txt", "tagmanifest-sha256.txt"];

/// The bag's own files for what was written under [`PAYLOAD`], in the order in which they are written: the last one closes the bag. There is no date
/// in them, so that the same copy gives the same bag.
pub(super) fn files(archive: &Archive, payload: &Written) -> Vec<(&'static str, Vec<u8>)> {
    let mut manifest = String::new();
    let (mut octets, mut streams) = (0, 0_u64);
    for (path, file) in payload.files() {
        let _ = writeln!(manifest, "{}  {PAYLOAD}/{}", file.digest, encoded(path));
        octets += file.length;
        streams += 1;
    }
    let (origin, size) = (archive.origin(), archive.head());
    let info = format!(
        "Bag-Software-Agent: Daylight {}\nExternal-Description: The archive {origin}, log size {size}\nExternal-Identifier: {origin}\n\
         Payload-Oxum: {octets}.{streams}\n",
        env!("CARGO_PKG_VERSION")
    );
    let declaration = "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n".to_owned();
    let [declared, told, listed, closed] = NAMES;
    let mut files = vec![(declared, declaration.into_bytes()), (told, info.into_bytes()), (listed, manifest.into_bytes())];
    let mut tags: Vec<_> = files.iter().map(|(name, bytes)| format!("{}  {name}\n", Digest::of(bytes))).collect();
    tags.sort_by(|a, b| a[66..].cmp(&b[66..]));
    files.push((closed, tags.concat().into_bytes()));
    files
}

/// A path as a manifest has it: of all characters only these three are encoded (section 2.1.3).
fn encoded(path: &str) -> String {
    path.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

#[cfg(test)]
mod tests {
    use super::encoded;

    #[test]
    fn what_would_break_a_line_is_encoded_and_nothing_else() {
        assert_eq!(encoded("a b/ü%41\r\n*"), "a b/ü%2541%0D%0A*");
        assert_eq!(encoded("archive/tile/0/x001/067.p/8"), "archive/tile/0/x001/067.p/8");
    }
}
