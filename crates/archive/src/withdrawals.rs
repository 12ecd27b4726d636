//! Every withdrawal of an archive together: which lines are withdrawn, and by which of them.

use crate::withdraw::{Copies, WithdrawNote, WithdrawnLine};
use std::collections::BTreeMap;

/// One withdrawal that is in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Withdrawal {
    /// What its note says.
    pub note: WithdrawNote,
    /// The bytes of its note's file.
    pub note_bytes: Vec<u8>,
    /// The index of its entry in the log.
    pub index: u64,
}

/// A withdrawn line, with what the last withdrawal that names it says.
#[derive(Debug, Clone, Copy)]
pub struct WithdrawnPlace<'a> {
    /// The withdrawal.
    pub withdrawal: &'a Withdrawal,
    /// The document's permanent number.
    pub number: u64,
    /// The line.
    pub line: &'a WithdrawnLine,
    /// Whether copies are asked to erase it.
    pub erase: bool,
}

/// Withdrawals in the order of the log, found by line and by number.
#[derive(Debug, Default)]
pub(crate) struct Withdrawals {
    all: Vec<Withdrawal>,
    /// By release and line.
    lines: BTreeMap<(u64, u64), At>,
    /// By collection and number: the last withdrawal that names it.
    numbers: BTreeMap<String, BTreeMap<u64, usize>>,
}

/// Where in the withdrawals a line is named.
#[derive(Debug, Clone, Copy)]
struct At {
    withdrawal: usize,
    document: usize,
    line: usize,
    erase: bool,
}

impl Withdrawals {
    /// Takes in the next withdrawal of the log. `release` gives the collection and the number of lines of a release that was logged before it. Errors
    /// say what is wrong with its note; nothing of it counts then.
    pub(crate) fn add<'r>(&mut self, withdrawal: Withdrawal, release: impl Fn(u64) -> Option<(&'r str, u64)>) -> Result<(), String> {
        let place = self.all.len();
        let mut lines = BTreeMap::new();
        for (document, named) in withdrawal.note.documents.iter().enumerate() {
            for (line, said) in named.lines.iter().enumerate() {
                let (collection, count) =
                    release(said.release).ok_or_else(|| format!("names release {}, which was not logged before it", said.release))?;
                if collection != withdrawal.note.collection || said.line >= count {
                    return Err(format!("release {} has no line {} of {}", said.release, said.line, withdrawal.note.collection));
                }
                let key = (said.release, said.line);
                let before = self.line(said.release, said.line);
                if before.is_some_and(|before| before.number != named.number || before.line != said) {
                    return Err(format!("says other of line {} of release {} than a withdrawal before it", said.line, said.release));
                }
                let erase = withdrawal.note.copies == Copies::Erase || before.is_some_and(|before| before.erase);
                if lines.insert(key, At { withdrawal: place, document, line, erase }).is_some() {
                    return Err(format!("names line {} of release {} twice", said.line, said.release));
                }
            }
        }
        let numbers = self.numbers.entry(withdrawal.note.collection.clone()).or_default();
        numbers.extend(withdrawal.note.documents.iter().map(|document| (document.number, place)));
        self.lines.extend(lines);
        self.all.push(withdrawal);
        Ok(())
    }

    /// Every withdrawal, the oldest first.
    pub(crate) fn all(&self) -> &[Withdrawal] {
        &self.all
    }

    /// What is said of a line, if it is withdrawn.
    pub(crate) fn line(&self, serial: u64, line: u64) -> Option<WithdrawnPlace<'_>> {
        self.lines.get(&(serial, line)).map(|at| self.place(at))
    }

    /// Every withdrawn line, by release and line.
    pub(crate) fn lines(&self) -> impl Iterator<Item = WithdrawnPlace<'_>> {
        self.lines.values().map(|at| self.place(at))
    }

    /// The last withdrawal that names this document. Whether a later release published it again is not looked at.
    pub(crate) fn document(&self, collection: &str, number: u64) -> Option<&Withdrawal> {
        self.numbers.get(collection)?.get(&number).map(|place| &self.all[*place])
    }

    /// Every number of a collection that a withdrawal names, rising.
    pub(crate) fn numbers(&self, collection: &str) -> impl Iterator<Item = u64> {
        self.numbers.get(collection).into_iter().flat_map(|numbers| numbers.keys().copied())
    }

    fn place(&self, at: &At) -> WithdrawnPlace<'_> {
        let withdrawal = &self.all[at.withdrawal];
        let document = &withdrawal.note.documents[at.document];
        WithdrawnPlace { withdrawal, number: document.number, line: &document.lines[at.line], erase: at.erase }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::withdraw::WithdrawnDocument;
    use daylight_model::Digest;

    fn withdrawal(index: u64, copies: Copies, documents: &[(u64, u64, u64)]) -> Withdrawal {
        let document = |(number, release, line): &(u64, u64, u64)| {
            let line = WithdrawnLine { release: *release, line: *line, length: 100, leaf: Digest::of(b"leaf"), members: Vec::new() };
            WithdrawnDocument { number: *number, lines: vec![line] }
        };
        let note = WithdrawNote {
            origin: "a".into(),
            serial: index,
            root: Digest::of(b"root"),
            time: 0,
            collection: "town".into(),
            copies,
            successor: None,
            reason: "why".into(),
            documents: documents.iter().map(document).collect(),
        };
        Withdrawal { note, note_bytes: Vec::new(), index }
    }

    fn release(serial: u64) -> Option<(&'static str, u64)> {
        [("town", 2), ("other", 2), ("town", 1)].get(usize::try_from(serial).ok()?.checked_sub(1)?).copied()
    }

    #[test]
    fn a_line_is_what_the_last_withdrawal_says_and_once_erased_stays_so() {
        let mut withdrawals = Withdrawals::default();
        withdrawals.add(withdrawal(4, Copies::Keep, &[(5, 1, 0)]), release).unwrap();
        assert!(!withdrawals.line(1, 0).unwrap().erase);
        withdrawals.add(withdrawal(5, Copies::Erase, &[(5, 1, 0), (6, 3, 0)]), release).unwrap();
        withdrawals.add(withdrawal(6, Copies::Keep, &[(5, 1, 0)]), release).unwrap();
        let place = withdrawals.line(1, 0).unwrap();
        assert_eq!((place.number, place.withdrawal.index, place.erase), (5, 6, true));
        assert_eq!(withdrawals.document("town", 6).unwrap().index, 5);
        assert!(withdrawals.document("other", 6).is_none() && withdrawals.line(1, 1).is_none());
        assert_eq!(withdrawals.numbers("town").collect::<Vec<_>>(), [5, 6]);
        assert_eq!(withdrawals.lines().count(), 2);
    }

    #[test]
    fn what_was_not_published_before_or_is_said_otherwise_is_refused_whole() {
        let mut withdrawals = Withdrawals::default();
        withdrawals.add(withdrawal(4, Copies::Keep, &[(5, 1, 0)]), release).unwrap();
        let wrong: [&[(u64, u64, u64)]; 6] =
            [&[(6, 4, 0)], &[(6, 2, 0)], &[(6, 3, 1)], &[(6, 1, 0)], &[(6, 3, 0), (7, 3, 0)], &[(6, 3, 0), (7, 9, 9)]];
        for documents in wrong {
            assert!(withdrawals.add(withdrawal(5, Copies::Erase, documents), release).is_err(), "{documents:?}");
        }
        assert!(withdrawals.document("town", 6).is_none() && withdrawals.all().len() == 1);
    }
}
