//! The note of a withdrawal: which documents, why, and what copies are asked to do. It names every line that is withdrawn, with the data of its
//! leaf and the places of the bytes that stand first in it, so that an archive can be checked, and erased, when the lines are gone.

use crate::head::{EntryNoteError, Reading, check_head, head};
use crate::json::MAX_NUMBER;
use crate::manifest::{ERASED_LINE, MAX_LINE};
use crate::note::Note;
use crate::release::is_slug;
use crate::time::{format_time, parse_time};
use crate::volume::LOCAL_HEADER;
use daylight_model::Digest;
use std::fmt::Write as _;

const WORD: &str = "withdraw";

/// The longest reason, in bytes.
pub const MAX_REASON: usize = 1024;

/// The longest text of a withdrawal, in bytes: with its signatures it must stay a note. It has room for thousands of documents; more take several.
pub const MAX_TEXT: usize = (1 << 20) - (64 << 10);

/// What a withdrawal's note says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WithdrawNote {
    /// The archive for which it was signed.
    pub origin: String,
    /// Its serial among withdrawals, directories and heartbeats.
    pub serial: u64,
    /// SHA-256 of the JSON of the root in force.
    pub root: Digest,
    /// When, by the publisher's clock: seconds since 1970-01-01T00:00:00Z. Claimed, not proved.
    pub time: i64,
    /// The collection whose documents they are.
    pub collection: String,
    /// What copies are asked to do.
    pub copies: Copies,
    /// The document to read in their stead: collection and number.
    pub successor: Option<(String, u64)>,
    /// Why, in words for everybody.
    pub reason: String,
    /// The documents, by rising number.
    pub documents: Vec<WithdrawnDocument>,
}

/// What a withdrawal asks of copies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Copies {
    /// To show the documents as withdrawn, and keep their bytes.
    Keep,
    /// To erase lines, salts and bytes too.
    Erase,
}

/// A document, with the lines of it that are withdrawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WithdrawnDocument {
    /// Its permanent number.
    pub number: u64,
    /// The lines, in the order of releases.
    pub lines: Vec<WithdrawnLine>,
}

/// A line that is withdrawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WithdrawnLine {
    /// The serial of its release.
    pub release: u64,
    /// Which line of it, from 0.
    pub line: u64,
    /// How many bytes it has, with its newline.
    pub length: u64,
    /// The data of its leaf.
    pub leaf: Digest,
    /// The members of the release's volumes that are first referred to in this line, in their order.
    pub members: Vec<MemberPlace>,
}

/// Where a member of a release's volumes stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct MemberPlace {
    /// Which volume, from 0.
    pub volume: u32,
    /// Where in it its bytes begin, past its header.
    pub offset: u64,
    /// How many bytes.
    pub length: u64,
}

impl Copies {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Copies::Keep => "keep",
            Copies::Erase => "erase",
        }
    }

    fn of(word: &str) -> Option<Self> {
        [Copies::Keep, Copies::Erase].into_iter().find(|copies| copies.word() == word)
    }
}

impl WithdrawNote {
    /// The text that is signed, after checking that every value can be one.
    pub fn text(&self) -> Result<String, EntryNoteError> {
        self.check()?;
        let time = format_time(self.time).ok_or(EntryNoteError::Rule("the time is out of range"))?;
        let successor = self.successor.as_ref().map_or_else(|| "none".to_owned(), |(collection, number)| format!("{collection}/{number}"));
        let mut text = head(WORD, &self.origin, self.serial, &self.root);
        let Self { collection, copies, reason, .. } = self;
        let _ = write!(text, "time {time}\ncollection {collection}\ncopies {}\nsuccessor {successor}\nreason {reason}\n", copies.word());
        for document in &self.documents {
            let _ = writeln!(text, "document {}", document.number);
            for line in &document.lines {
                let _ = writeln!(text, "line {} {} {} {}", line.release, line.line, line.length, line.leaf);
                for MemberPlace { volume, offset, length } in &line.members {
                    let _ = writeln!(text, "member {volume} {offset} {length}");
                }
            }
        }
        if text.len() > MAX_TEXT {
            return Err(EntryNoteError::Rule("a withdrawal has at most 983,040 bytes: withdraw the documents in several parts"));
        }
        Ok(text)
    }

    /// The note to be signed.
    pub fn note(&self) -> Result<Note, EntryNoteError> {
        Ok(Note::new(&self.text()?)?)
    }

    /// Reads the text of a withdrawal's note; there is one way to write it.
    pub fn parse_text(text: &str) -> Result<Self, EntryNoteError> {
        let parsed = Self::parse_lines(text).ok_or(EntryNoteError::Form(WORD))?;
        if parsed.text()? == text { Ok(parsed) } else { Err(EntryNoteError::Form(WORD)) }
    }

    fn parse_lines(text: &str) -> Option<Self> {
        let mut lines = Reading::begin(text, WORD)?;
        let mut note = Self {
            origin: lines.value("origin")?.to_owned(),
            serial: lines.value("serial")?.parse().ok()?,
            root: lines.value("root")?.parse().ok()?,
            time: parse_time(lines.value("time")?)?,
            collection: lines.value("collection")?.to_owned(),
            copies: Copies::of(lines.value("copies")?)?,
            successor: successor(lines.value("successor")?)?,
            reason: lines.value("reason")?.to_owned(),
            documents: Vec::new(),
        };
        while let Some(number) = lines.optional("document") {
            let mut document = WithdrawnDocument { number: number.parse().ok()?, lines: Vec::new() };
            while let Some(line) = lines.optional("line") {
                let mut line = withdrawn_line(line)?;
                while let Some(place) = lines.optional("member") {
                    line.members.push(member(place)?);
                }
                document.lines.push(line);
            }
            note.documents.push(document);
        }
        lines.is_done().then_some(note)
    }

    fn check(&self) -> Result<(), EntryNoteError> {
        check_head(&self.origin, self.serial)?;
        let reason = !self.reason.is_empty() && self.reason.len() <= MAX_REASON && !self.reason.contains(char::is_control);
        let numbered = |number: u64| (1..=MAX_NUMBER).contains(&number);
        let rising = self.documents.windows(2).all(|pair| pair[0].number < pair[1].number);
        let successor = self.successor.as_ref().is_none_or(|(collection, number)| {
            let other = *collection != self.collection || self.documents.iter().all(|document| document.number != *number);
            is_slug(collection) && numbered(*number) && other
        });
        let rules = [
            (is_slug(&self.collection), "a collection's name is 1 to 64 of a-z, 0-9 and -"),
            (reason, "a reason is one line of 1 to 1,024 bytes"),
            (successor, "a successor is another document, COLLECTION/NUMBER"),
            (!self.documents.is_empty() && rising, "the numbers of the documents rise, and there is at least one"),
            (self.documents.iter().all(|document| numbered(document.number)), "a number is 1 or more"),
            (self.documents.iter().all(WithdrawnDocument::fits), "a document's lines rise, and each has its members in their order"),
        ];
        match rules.iter().find(|(kept, _)| !kept) {
            Some((_, rule)) => Err(EntryNoteError::Rule(rule)),
            None => Ok(()),
        }
    }
}

impl WithdrawnDocument {
    fn fits(&self) -> bool {
        let rising = self.lines.windows(2).all(|pair| (pair[0].release, pair[0].line) < (pair[1].release, pair[1].line));
        !self.lines.is_empty() && rising && self.lines.iter().all(WithdrawnLine::fits)
    }
}

impl WithdrawnLine {
    fn fits(&self) -> bool {
        let counts = self.release >= 1 && self.release <= MAX_NUMBER && self.line <= MAX_NUMBER;
        let length = self.length > ERASED_LINE as u64 && self.length <= MAX_LINE as u64;
        counts && length && self.members.iter().all(|member| member.end().is_some()) && self.members.windows(2).all(follow)
    }
}

impl MemberPlace {
    /// Where its bytes end; `None` where no member can stand.
    fn end(&self) -> Option<u64> {
        let end = self.offset.checked_add(self.length).filter(|end| *end <= MAX_NUMBER);
        end.filter(|_| self.offset >= LOCAL_HEADER)
    }
}

/// Whether the second member stands behind the first.
fn follow(pair: &[MemberPlace]) -> bool {
    let [first, second] = pair else { return false };
    let behind = first.end().is_some_and(|end| second.offset >= end + LOCAL_HEADER);
    second.volume > first.volume || (second.volume == first.volume && behind)
}

/// `none`, or `<collection>/<number>`.
fn successor(text: &str) -> Option<Option<(String, u64)>> {
    if text == "none" {
        return Some(None);
    }
    let (collection, number) = text.split_once('/')?;
    Some(Some((collection.to_owned(), number.parse().ok()?)))
}

fn withdrawn_line(text: &str) -> Option<WithdrawnLine> {
    let mut words = text.split(' ');
    let mut number = || words.next()?.parse::<u64>().ok();
    let (release, line, length) = (number()?, number()?, number()?);
    let leaf = words.next()?.parse().ok()?;
    words.next().is_none().then_some(WithdrawnLine { release, line, length, leaf, members: Vec::new() })
}

fn member(text: &str) -> Option<MemberPlace> {
    let mut words = text.split(' ');
    let volume = words.next()?.parse().ok()?;
    let mut number = || words.next()?.parse::<u64>().ok();
    let (offset, length) = (number()?, number()?);
    words.next().is_none().then_some(MemberPlace { volume, offset, length })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note() -> WithdrawNote {
        let leaf = Digest::of(b"leaf");
        let members = vec![
            MemberPlace { volume: 0, offset: 114, length: 9 },
            MemberPlace { volume: 0, offset: 237, length: 0 },
            MemberPlace { volume: 1, offset: 114, length: 7 },
        ];
        let first = WithdrawnLine { release: 1, line: 0, length: 400, leaf, members };
        let second = WithdrawnLine { release: 3, line: 2, length: 500, leaf, members: Vec::new() };
        WithdrawNote {
            origin: "archive.example/a".into(),
            serial: 7,
            root: Digest::of(b"root"),
            time: 1_795_372_835,
            collection: "town-council".into(),
            copies: Copies::Erase,
            successor: Some(("town-council".into(), 19)),
            reason: "it names a child".into(),
            documents: vec![
                WithdrawnDocument { number: 3, lines: vec![first.clone(), second] },
                WithdrawnDocument { number: 5, lines: vec![WithdrawnLine { line: 1, members: Vec::new(), ..first }] },
            ],
        }
    }

    #[test]
    fn the_text_is_written_in_one_way_and_read_back() {
        let (text, leaf) = (note().text().unwrap(), Digest::of(b"leaf"));
        let expected = format!(
            "daylight-withdraw/v1\norigin archive.example/a\nserial 7\nroot {}\ntime 2026-11-22T18:40:35Z\ncollection town-council\ncopies erase\n\
             successor town-council/19\nreason it names a child\ndocument 3\nline 1 0 400 {leaf}\nmember 0 114 9\nmember 0 237 0\nmember 1 114 7\n\
             line 3 2 500 {leaf}\ndocument 5\nline 1 1 400 {leaf}\n",
            Digest::of(b"root")
        );
        assert_eq!(text, expected);
        assert_eq!(WithdrawNote::parse_text(&text).unwrap(), note());
        let plain = WithdrawNote { successor: None, copies: Copies::Keep, ..note() };
        let plain_text = plain.text().unwrap();
        assert!(plain_text.contains("\ncopies keep\nsuccessor none\n"));
        assert_eq!(WithdrawNote::parse_text(&plain_text).unwrap(), plain);
    }

    #[test]
    fn what_is_written_in_another_way_or_cannot_be_is_refused() {
        let text = note().text().unwrap();
        let wrong = [
            ("serial 7", "serial 07"),
            ("/v1", "/v2"),
            ("copies erase", "copies burn"),
            ("town-council/19", "town-council/5"),
            ("town-council/19", "none/"),
            ("town-council/19", "Town/19"),
            ("collection town-council", "collection Town"),
            ("reason it names a child", "reason "),
            ("document 5", "document 3"),
            ("document 5", "document 0"),
            ("document 3\n", ""),
            ("line 3 2", "line 1 0"),
            ("line 3 2", "line 0 2"),
            ("line 3 2 500", "line 3 2 67"),
            ("line 3 2 500", "line 3 2 99999"),
            ("line 3 2 500", "line 3 2  500"),
            ("member 0 237 0", "member 0 236 0"),
            ("member 0 114 9", "member 0 113 9"),
            ("member 0 114 9", "member 0 114 9007199254740991"),
            ("member 1 114 7", "member 1 114 7 7"),
            ("member 1 114 7", "member 4294967296 114 7"),
            ("member 1 114 7", "member 1 +114 7"),
        ];
        for (from, to) in wrong {
            let changed = text.replacen(from, to, 1);
            assert!(changed != text && WithdrawNote::parse_text(&changed).is_err(), "{from} → {to}");
        }
        assert!(WithdrawNote::parse_text(&format!("{text}more\n")).is_err());
        assert!(WithdrawNote::parse_text(text.trim_end()).is_err());
        let none = WithdrawNote { documents: Vec::new(), ..note() };
        assert!(none.text().is_err());
        assert!(WithdrawNote { reason: "two\nlines".into(), ..note() }.text().is_err());
        let lines = note().documents[1].lines.clone();
        let many = (1..11_000).map(|number| WithdrawnDocument { number, lines: lines.clone() }).collect();
        let refused =
            WithdrawNote { documents: many, successor: None, ..note() }.text().is_err_and(|e| e.to_string().contains("several parts"));
        assert!(refused);
    }
}
