//! What the tests over the corpora share.

use daylight_dkim::import::{Provenance, import};
use daylight_dkim::{judge, read};
use daylight_model::{SignatureKey, Verdict};
use std::fs;
use std::path::PathBuf;

/// A folder or file of the corpora; `None` with a word about it where they are missing.
pub fn corpus(path: &str) -> Option<PathBuf> {
    let path = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/corpora")).join(path);
    if !path.exists() {
        println!("skipped: no corpora");
        return None;
    }
    Some(path)
}

/// The keys of a file.
pub fn keys(path: &PathBuf) -> Vec<SignatureKey> {
    let import = import(&path.display().to_string(), &fs::read(path).unwrap(), &Provenance::default());
    assert!(import.refused.is_empty(), "{}: {:?}", path.display(), import.refused);
    import.keys
}

/// A key under a name.
pub fn key(name: &str, record: &str) -> SignatureKey {
    SignatureKey { name: name.into(), record: record.into(), source: String::new(), seen: None, exposed: false }
}

/// The verdicts of a message by these keys.
pub fn verdicts(message: &[u8], received: Option<i64>, keys: &[SignatureKey]) -> Vec<Verdict> {
    let mut known = |name: &str| keys.iter().filter(|key| key.name == name).cloned().collect();
    judge(&read(message).signatures, received, &mut known)
}

/// The words of the outcomes, those of DKIM first.
pub fn words(message: &[u8], keys: &[SignatureKey]) -> Vec<&'static str> {
    verdicts(message, None, keys).iter().map(|verdict| verdict.outcome.word()).collect()
}

/// The files of a folder, in order.
pub fn files(folder: &PathBuf) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}
