//! What the site keeps in memory of every published document: where it is in the archive, what it stands in, its conversation, and the few words by
//! which lists name it. So a list of any kind reads nothing from the disk, and a page of a document reads only that document.

use daylight_model::{Date, FaultCode, Kind};
use std::collections::{BTreeMap, BTreeSet};

/// All documents of an archive.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Catalogue {
    pub(crate) shelves: BTreeMap<String, Shelf>,
}

/// The documents of a collection.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Shelf {
    /// By number, rising.
    rows: Vec<Row>,
    /// (parent's number, place in it, number), rising.
    parts: Vec<(u64, u64, u64)>,
    /// (conversation, date or the end of time, number), rising.
    threads: Vec<(u64, i64, u64)>,
    /// The places in `rows` of what stands by itself (no container, no part of a message), the oldest first, without a date last.
    standing: Vec<u32>,
}

/// One document: the last line published for its number.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Row {
    pub(crate) number: u64,
    /// The release's serial and the line in it, from 0.
    pub(crate) place: Place,
    /// Its number among all lines of all releases, from 1: its `seq` in the index.
    pub(crate) seq: u64,
    pub(crate) kind: Kind,
    pub(crate) title: String,
    /// Its sender, as lists show it; empty if there is none.
    pub(crate) who: String,
    pub(crate) media_type: String,
    /// The length of its original bytes.
    pub(crate) length: u64,
    pub(crate) date: Option<Date>,
    /// Whether some of it could not be read.
    pub(crate) unreadable: bool,
    /// Why: bit n is set for the code with the number n.
    pub(crate) reasons: u32,
    pub(crate) thread: Option<u64>,
    /// The message that it answers.
    pub(crate) answers: Option<u64>,
    /// The documents it stands in, and its place in each.
    pub(crate) parents: Vec<(u64, u64)>,
}

/// A line of a manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) serial: u64,
    pub(crate) line: u64,
}

impl Catalogue {
    pub(crate) fn shelf(&self, collection: &str) -> Option<&Shelf> {
        self.shelves.get(collection)
    }

    pub(crate) fn row(&self, collection: &str, number: u64) -> Option<&Row> {
        self.shelf(collection)?.row(number)
    }

    /// How many documents there are.
    pub(crate) fn count(&self) -> u64 {
        self.shelves.values().map(|shelf| shelf.rows.len() as u64).sum()
    }

    /// Takes out documents, by collection and number, and puts the rest in order.
    pub(crate) fn remove(&mut self, documents: &BTreeSet<(String, u64)>) {
        for (collection, shelf) in &mut self.shelves {
            let before = shelf.rows.len();
            shelf.rows.retain(|row| !documents.contains(&(collection.clone(), row.number)));
            if shelf.rows.len() < before {
                shelf.arrange();
            }
        }
    }

    /// Adds documents, the last line for a number counting, and puts everything in order.
    pub(crate) fn add(&mut self, rows: impl IntoIterator<Item = (String, Row)>) {
        let mut by_shelf: BTreeMap<String, Vec<Row>> = BTreeMap::new();
        for (collection, row) in rows {
            by_shelf.entry(collection).or_default().push(row);
        }
        for (collection, rows) in by_shelf {
            let shelf = self.shelves.entry(collection).or_default();
            shelf.rows.extend(rows);
            shelf.arrange();
        }
    }
}

impl Shelf {
    fn arrange(&mut self) {
        self.rows.sort_by_key(|row| (row.number, std::cmp::Reverse(row.seq)));
        self.rows.dedup_by_key(|row| row.number);
        self.rows.shrink_to_fit();
        self.parts = self.rows.iter().flat_map(|row| row.parents.iter().map(|(parent, place)| (*parent, *place, row.number))).collect();
        self.parts.sort_unstable();
        self.threads = self.rows.iter().filter_map(|row| Some((row.thread?, row.when(), row.number))).collect();
        self.threads.sort_unstable();
        let standing = |at: &usize| self.stands_alone(&self.rows[*at]);
        let mut standing: Vec<u32> = (0..self.rows.len()).filter(standing).filter_map(|at| u32::try_from(at).ok()).collect();
        standing.sort_by_key(|at| (self.rows[*at as usize].when(), *at));
        self.standing = standing;
    }

    fn stands_alone(&self, row: &Row) -> bool {
        let in_container = |(parent, _): &(u64, u64)| self.row(*parent).is_none_or(|row| row.kind == Kind::Container);
        row.kind != Kind::Container && (row.parents.is_empty() || row.parents.iter().any(in_container))
    }

    pub(crate) fn row(&self, number: u64) -> Option<&Row> {
        let at = self.rows.binary_search_by_key(&number, |row| row.number).ok()?;
        self.rows.get(at)
    }

    /// Every document, by number.
    pub(crate) fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// How many documents could not be fully read, and of how many that is so for which reason, the most frequent first. One document may have several.
    pub(crate) fn unread(&self) -> (u64, Vec<(FaultCode, u64)>) {
        let of = |bit: usize| self.rows.iter().filter(|row| row.reasons >> bit & 1 == 1).count() as u64;
        let mut reasons: Vec<_> =
            FaultCode::ALL.iter().enumerate().map(|(bit, code)| (*code, of(bit))).filter(|(_, count)| *count > 0).collect();
        reasons.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        (self.rows.iter().filter(|row| row.unreadable).count() as u64, reasons)
    }

    /// What stands by itself, the oldest first.
    pub(crate) fn standing(&self) -> impl DoubleEndedIterator<Item = &Row> + ExactSizeIterator {
        self.standing.iter().map(|at| &self.rows[*at as usize])
    }

    /// The parts of a document, in their order in it.
    pub(crate) fn parts(&self, parent: u64) -> impl Iterator<Item = &Row> {
        let from = self.parts.partition_point(|part| part.0 < parent);
        self.parts[from..].iter().take_while(move |part| part.0 == parent).filter_map(|part| self.row(part.2))
    }

    /// The messages of a conversation, the oldest first.
    pub(crate) fn thread(&self, thread: u64) -> impl Iterator<Item = &Row> {
        let from = self.threads.partition_point(|member| member.0 < thread);
        self.threads[from..].iter().take_while(move |member| member.0 == thread).filter_map(|member| self.row(member.2))
    }
}

impl Row {
    /// Its date for sorting: the end of time where it has none.
    pub(crate) fn when(&self) -> i64 {
        self.date.as_ref().map_or(i64::MAX, |date| date.seconds)
    }
}
