use super::content::Content;
use super::error::Result;
use daylight_model::Digest;

/// Where an export is written: a folder, or one file.
pub(super) trait Sink {
    /// Puts a file at this path, and gives the digest of what was put there. `tick` is told how many bytes more are done.
    fn put(&mut self, path: &str, content: &Content, tick: &mut dyn FnMut(u64)) -> Result<Digest>;

    /// Returns once everything that was put so far is on the disk to stay.
    fn settle(&mut self) -> Result<()>;

    /// How many files were written, not counting those that were there already, and how many bytes.
    fn written(&self) -> (u64, u64);
}

/// Whether a path can stand on FAT, exFAT and NTFS as on any other file system: neither reserved characters nor reserved names, no part that ends in
/// a dot or a space, no capitals that differ only from others (there are none at all in an archive's own names).
pub(super) fn is_portable(path: &str) -> bool {
    path.len() <= 200 && path.split('/').all(is_portable_name)
}

fn is_portable_name(name: &str) -> bool {
    let fine = |c: char| c.is_ascii_graphic() && !"\\/:*?\"<>|".contains(c);
    let stem = name.split('.').next().unwrap_or_default().to_ascii_lowercase();
    let numbered = |word: &str| stem.strip_prefix(word).is_some_and(|rest| rest.len() == 1 && rest.chars().all(|c| c.is_ascii_digit()));
    let device = ["con", "prn", "aux", "nul"].contains(&stem.as_str()) || numbered("com") || numbered("lpt");
    !name.is_empty() && name.chars().all(fine) && !name.ends_with('.') && !device
}

#[cfg(test)]
mod tests {
    use super::is_portable;
    use daylight_archive::log::TilePath;
    use daylight_archive::paths;

    #[test]
    fn every_name_of_an_archive_can_stand_on_fat_and_what_cannot_is_seen() {
        let tiles = TilePath::tiles(70_000_000).chain(TilePath::bundles(70_000)).step_by(97).map(|tile| tile.to_string());
        let others = [1, 10, 123_456].into_iter().flat_map(|n| {
            let files = [paths::root_json(n), paths::root_sig(n), paths::release_note(n), paths::entry_note(n), paths::manifest_part(n, n)];
            files.into_iter().chain([paths::manifest_offsets(n, n), paths::volume(n, 99_999)])
        });
        for path in tiles.chain(others).chain([paths::CHECKPOINT.into(), paths::CHECKPOINT_PENDING.into()]) {
            assert!(is_portable(&path), "{path}");
        }
        for path in ["a:b", "con", "x/NUL.txt", "com1", "a.", "a ", "a//b", "", "tab\t", "é", "lpt9.zip", "a\\b", "what?"] {
            assert!(!is_portable(path), "{path}");
        }
        assert!(is_portable("community/com10"));
    }
}
