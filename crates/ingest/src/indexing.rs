//! Keeping a desk's index up to its catalogue. The index is made from the catalogue alone, here and nowhere else, whether documents are new,
//! changed, or the whole index was lost: so a crash between the two can only leave the index behind, and the next opening brings it up.

use crate::Error;
use daylight_index::{Entry, Index, IndexError, Writer};
use daylight_model::Verdict;
use daylight_model::reading::{Segment, joined};
use daylight_store::{Change, Desk, TextParts};
use std::sync::mpsc::Receiver;

/// Memory for words that are not written yet, over all indexing threads.
const MEMORY: usize = 32 << 20;
/// How many documents are read from the catalogue at a time.
const BATCH: usize = 256;
/// After how many documents the index is committed. Each commit makes a segment, and many small segments make a slow search.
const COMMIT_EVERY: u64 = 100_000;

/// Opens the index of a desk for searching, after bringing it up to the catalogue. If another process is writing it, it is opened as it is.
pub fn open_index(desk: &Desk) -> Result<Index, Error> {
    match complete_index(desk) {
        Err(Error::Index(IndexError::Busy)) => Ok(Index::open(&desk.index_dir())?),
        result => result,
    }
}

/// Brings the index of a desk up to its catalogue; makes it anew where it is missing, damaged or of another version.
pub fn complete_index(desk: &Desk) -> Result<Index, Error> {
    let folder = desk.index_dir();
    let index = match Index::open_or_create(&folder) {
        Err(IndexError::Rebuild(_)) => Index::recreate(&folder)?,
        result => result?,
    };
    let have = index.committed()?;
    if have < desk.latest_change()? {
        let mut following = Following::new(desk, &index, have)?;
        following.catch_up(u64::MAX)?;
        following.finish()?;
        return Ok(Index::open(&folder)?);
    }
    Ok(index)
}

/// Indexes what is committed, until no more changes are told of.
pub(crate) fn follow(desk: &Desk, index: &Index, changes: &Receiver<u64>) -> Result<(), Error> {
    let mut following: Option<Following<'_>> = None;
    for change in changes {
        let have = following.as_ref().map_or_else(|| index.committed(), |following| Ok(following.done))?;
        if change <= have {
            continue;
        }
        if following.is_none() {
            following = Some(Following::new(desk, index, have)?);
        }
        if let Some(following) = &mut following {
            following.catch_up(change)?;
        }
    }
    following.map_or(Ok(()), Following::finish)
}

struct Following<'a> {
    desk: &'a Desk,
    writer: Writer,
    /// The last change that was given to the index.
    done: u64,
    /// The number of documents since the last commit.
    uncommitted: u64,
    /// Whether the index was empty at the start: then only what this very run has put in can be there to replace.
    from_nothing: bool,
    /// The highest number put in. Numbers rise and are never used again, so what is above it cannot be in the index yet.
    highest: u64,
}

impl<'a> Following<'a> {
    fn new(desk: &'a Desk, index: &Index, have: u64) -> Result<Self, Error> {
        // One for two processors keeps up with what is read. But what waits when the last file is read, and writing out the words, is theirs alone: two share it.
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get);
        let threads = (cores / 2).clamp(cores.min(2), 4);
        let writer = index.writer(threads, MEMORY)?;
        Ok(Self { desk, writer, done: have, uncommitted: 0, from_nothing: have == 0, highest: 0 })
    }

    /// Gives the index every change up to `change`.
    fn catch_up(&mut self, change: u64) -> Result<(), Error> {
        while self.done < change {
            let changes = self.desk.changed_since(self.done, BATCH)?;
            let Some(last) = changes.last().map(Change::number) else { break };
            self.uncommitted += changes.len() as u64;
            for change in changes {
                self.apply(change)?;
            }
            self.done = last;
            if self.uncommitted >= COMMIT_EVERY {
                self.writer.commit(self.done)?;
                self.uncommitted = 0;
            }
        }
        Ok(())
    }

    fn apply(&mut self, change: Change) -> Result<(), Error> {
        match change {
            Change::Deleted { seq, .. } => Ok(self.writer.delete(seq)?),
            Change::Document(row) => {
                let collections: Vec<&str> = row.collections.iter().map(String::as_str).collect();
                let names: Vec<String> = row.names.iter().map(ToString::to_string).collect();
                let parts = if row.long { Some(self.desk.text_parts(row.seq)?) } else { None };
                let searched = match &parts {
                    Some(parts) => parts.searched(0)?,
                    None => joined(None, row.texts),
                };
                let signatures = Verdict::words_of(&row.verdicts);
                let entry = Entry {
                    seq: row.seq,
                    key: "",
                    locator: &[],
                    kind: row.kind,
                    collections: &collections,
                    title: &row.title,
                    language: &row.language,
                    people: &row.people,
                    names: &names,
                    media_type: &row.media_type,
                    digest: row.blob,
                    date: row.date.map(|date| date.seconds),
                    texts: texts(searched),
                    has_attachment: row.has_attachment,
                    unreadable: row.unreadable,
                    signatures: &signatures,
                    thread: None,
                    parent: None,
                };
                let replace = !self.from_nothing || row.seq <= self.highest;
                self.highest = self.highest.max(row.seq);
                self.writer.put(entry, replace)?;
                parts.map_or(Ok(()), |parts| self.put_further(row.seq, &parts))
            }
        }
    }

    /// Gives the index the text of a long document behind its first part, so that no more than two parts are held.
    fn put_further(&mut self, seq: u64, parts: &TextParts) -> Result<(), Error> {
        (1..parts.count()).try_for_each(|number| Ok(self.writer.put_part(seq, number, texts(parts.searched(number)?))?))
    }

    fn finish(mut self) -> Result<(), Error> {
        if self.uncommitted > 0 {
            self.writer.commit(self.done)?;
        }
        Ok(self.writer.finish()?)
    }
}

fn texts(segments: Vec<Segment>) -> Vec<String> {
    segments.into_iter().map(|segment| segment.text).collect()
}
