//! A release whose files are written and whose note is not signed yet: what a request for signatures takes from it, and what a signer who has the archive's
//! folder can see for themself.

use crate::request::{LISTED, Listed, Request, Statement, plain};
use crate::{Error, Result};
use daylight_archive::log::{Builder, Tree, leaf_hash};
use daylight_archive::manifest::{MAX_LINE, leaf_data};
use daylight_archive::release::ReleaseNote;
use daylight_archive::{Archive, Line, paths, verify_staged};
use std::fs::File;
use std::io::{BufRead, BufReader, Read as _};
use std::path::Path;

/// The first lines of the release staged in `dir`, each with its path in the release's tree.
pub(crate) fn first_lines(dir: &Path, note: &ReleaseNote) -> Result<Vec<Listed>> {
    let path = dir.join(paths::manifest_part(note.serial, 0));
    let mut part = BufReader::new(File::open(&path).map_err(Error::io(&path))?);
    let (files, prefix) = (dir.to_path_buf(), paths::release_prefix(note.serial));
    let tree = Tree::new(&files, &prefix, note.lines);
    let mut lines = Vec::new();
    for index in 0..note.lines.min(LISTED) {
        let mut line = Vec::new();
        part.by_ref().take(MAX_LINE as u64).read_until(b'\n', &mut line).map_err(Error::io(&path))?;
        let hashes = tree.inclusion(index).map_err(Error::format)?;
        let listed =
            Listed::new(&line, hashes).ok_or_else(|| Error::Format(format!("{}: line {index} is not of its form", path.display())))?;
        lines.push(listed);
    }
    Ok(lines)
}

/// What the archive's folder says of a request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Review {
    /// The size of the archive's log.
    pub log_size: u64,
    /// Documents that the archive does not have yet.
    pub new: u64,
    /// Documents of which it has a line that these replace.
    pub replacing: u64,
    /// Bytes of files that the documents name, each time they are named.
    pub bytes: u64,
    /// What is wrong. Nothing may be signed then.
    pub problems: Vec<String>,
}

/// Compares a request with the archive for which it is: that it is the same archive and root, and for a release every byte of what is staged. `each` is
/// given every document with whether it replaces an earlier one, in the order of the lines; only once this returns without a problem are they those
/// that are signed.
pub fn review(request: &Request, archive: &Path, each: &mut dyn FnMut(&Line, bool)) -> Result<Review> {
    let archive = Archive::open(archive)?;
    let mut review = Review { log_size: archive.head(), ..Review::default() };
    if archive.origin() != request.origin() {
        review.problems.push(format!(
            "the folder is the archive {}, and the request is for {}",
            plain(archive.origin()),
            plain(request.origin())
        ));
        return Ok(review);
    }
    if request.chain().is_none_or(|chain| chain.last().digest != archive.root_digest()) {
        let version = archive.root().version;
        review
            .problems
            .push(format!("the archive's root in force is root {version} ({}), and the request names another", archive.root_digest()));
    }
    match request.statement() {
        Statement::Release { note, .. } => review_release(&archive, note, &mut review, each)?,
        Statement::Root(root) => {
            let sizes = root.retired.iter().filter(|retired| retired.size > archive.head());
            review
                .problems
                .extend(sizes.map(|retired| format!("it retires {} at a size that the log does not have yet", plain(retired.key.name()))));
        }
        Statement::Other { .. } => {}
    }
    Ok(review)
}

fn review_release(archive: &Archive, note: &ReleaseNote, review: &mut Review, each: &mut dyn FnMut(&Line, bool)) -> Result<()> {
    let next = archive.releases().len() as u64 + 1;
    if note.serial != next {
        review.problems.push(format!("release {next} is the archive's next, and not {}", note.serial));
        return Ok(());
    }
    let wrong = verify_staged(archive.dir(), note, &mut |_| {});
    review.problems.extend(wrong.iter().map(|problem| format!("{}: {}", plain(&problem.path), plain(&problem.what))));
    if !review.problems.is_empty() {
        return Ok(());
    }
    let highest = archive.collection(&note.collection)?.map_or(0, |collection| collection.highest);
    let mut tree = Builder::new();
    for line in archive.staged_lines(note) {
        let line = line?;
        tree.push(leaf_hash(&leaf_data(&line.salt, &line.json).0));
        tree.take_full();
        let replaces = line.record.number <= highest && archive.find(&note.collection, line.record.number)?.is_some();
        *(if replaces { &mut review.replacing } else { &mut review.new }) += 1;
        review.bytes = line.record.files.iter().fold(review.bytes, |sum, file| sum.saturating_add(file.length));
        each(&line, replaces);
    }
    // The folder may be another's, who could give other lines now than when they were checked: what was shown must be what is signed.
    if tree.size() != note.lines || tree.root() != note.manifest {
        review.problems.push("the lines that were shown are not those that are signed".into());
    }
    Ok(())
}
