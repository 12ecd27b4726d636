//! The search language, the same in page, API and command line.
//!
//! Words are joined by AND; `OR` joins its two neighbours and binds more tightly. There are `"a phrase"`, `-not`, `( )`, `wor*` (beginning),
//! `word~1` (close spelling), `"two words"~5` (near), and fields, whose values may be words, phrases or groups:
//! `from: to: cc: person: subject: body: file: type: lang: has:attachment is:unreadable dkim: date: after: before: collection: thread: near: sha256:`.
//! `date:2015-03..2015-05` takes in both ends; `after:` and `before:` do not take in the day, month or year they name. All dates are UTC.

mod dates;
mod explain;
mod parse;
#[cfg(test)]
mod tests;

use crate::words::{self, Piece};
pub(crate) use dates::year;
use std::ops::Range;

/// A query that was understood. Its default asks for everything.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Query {
    /// `None` asks for everything.
    pub(crate) root: Option<Node>,
}

impl Query {
    /// What was understood, in words.
    pub fn explain(&self) -> String {
        explain::explain(self.root.as_ref())
    }

    /// The ids of documents whose like is asked for, and where they stand in the query.
    pub fn near(&self) -> Vec<(&str, Range<usize>)> {
        fn collect<'a>(node: &'a Node, found: &mut Vec<(&'a str, Range<usize>)>) {
            match node {
                Node::Near(id, at) => found.push((id, at.clone())),
                Node::All(nodes) | Node::Any(nodes) => nodes.iter().for_each(|node| collect(node, found)),
                Node::Not(node) => collect(node, found),
                _ => {}
            }
        }
        let mut found = Vec::new();
        self.root.iter().for_each(|root| collect(root, &mut found));
        found
    }

    /// Whether nothing was asked, which every document answers.
    pub fn is_everything(&self) -> bool {
        self.root.is_none()
    }
}

/// A query that was not understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct QueryError {
    /// What is wrong and what would be understood, in one line.
    pub message: String,
    /// Which bytes of the query it is about.
    pub at: Range<usize>,
}

/// Reads a query of at most 4 KiB.
pub fn parse(text: &str) -> Result<Query, QueryError> {
    parse::parse(text).map(|root| Query { root })
}

/// A query is a tree of these.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Node {
    All(Vec<Node>),
    Any(Vec<Node>),
    Not(Box<Node>),
    Text(Field, Text),
    Type(String),
    HasAttachment,
    Unreadable,
    /// A word about signatures, lower case.
    Signed(String),
    Dated(dates::Span),
    Thread(String),
    /// Nearly the same text as the document of this id, which stands at these bytes of the query.
    Near(String, Range<usize>),
    /// The code of a language.
    Language(String),
    Collection(String),
    /// The beginning of a SHA-256 in hex.
    Sha256(String),
}

/// Where words are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Field {
    Anywhere,
    Subject,
    Body,
    From,
    To,
    Cc,
    Person,
    File,
}

/// Words as they were written and as they are looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Text {
    /// What was written, without quotes and signs.
    pub(crate) written: String,
    /// Whether it stood in quotes.
    pub(crate) quoted: bool,
    pub(crate) how: How,
    /// Never empty.
    pub(crate) terms: Vec<Term>,
    /// Whether the last term is only the beginning of a piece.
    pub(crate) open: bool,
}

/// How closely words must be matched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    /// As they stand, one after the other.
    Plain,
    /// The last is only a beginning.
    Beginning,
    /// With at most so many letters changed.
    Close(u8),
    /// In any order, with at most so many other words between them.
    Near(u32),
}

/// One piece that is looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Term {
    /// Its place among the others.
    pub(crate) offset: usize,
    pub(crate) folded: String,
    /// Its exact form in the index, where it has one.
    pub(crate) exact: Option<String>,
    /// Whether it is of a script without spaces.
    pub(crate) dense: bool,
}

impl Text {
    /// Cuts up what was written; `None` if there is no letter or digit in it.
    fn new(written: &str, quoted: bool, how: How) -> Option<Self> {
        let mut terms: Vec<Term> = Vec::new();
        let mut open = false;
        words::each(written, &mut |piece, token| {
            let text = token.text.clone();
            match piece {
                Piece::Exact => {
                    if let Some(term) = terms.last_mut() {
                        term.exact = Some(text);
                    }
                }
                // In a text this character may have a neighbour, and its pair with it is what is indexed.
                Piece::Last => {}
                Piece::Word | Piece::Pair | Piece::Lone => {
                    open = piece == Piece::Lone || (piece == Piece::Word && how == How::Beginning);
                    terms.push(Term { offset: token.position, folded: text, exact: None, dense: piece != Piece::Word });
                }
            }
        });
        let first = terms.first()?.offset;
        terms.iter_mut().for_each(|term| term.offset -= first);
        Some(Self { written: written.to_owned(), quoted, how, terms, open })
    }
}
