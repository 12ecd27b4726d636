//! Finding what a query asks for in a text, without the index.

use crate::query::{Field, How, Node, Text};
use crate::words::{self, Piece};
use std::collections::HashMap;

/// A stretch of the text that answers one of the query's words or phrases.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mark {
    pub(super) from: usize,
    pub(super) to: usize,
    /// Which of them.
    pub(super) item: usize,
}

/// How many beginnings of a phrase are followed at once; more than one needs a phrase that repeats itself.
const MOST_MET: usize = 64;

/// Looks for all of a query's words and phrases at once.
pub(super) struct Marker {
    /// Words that count by themselves.
    words: HashMap<String, usize>,
    beginnings: Vec<(String, usize)>,
    close: Vec<(Vec<char>, usize, usize)>,
    phrases: Vec<Phrase>,
}

struct Phrase {
    terms: Vec<(usize, String)>,
    open: bool,
    item: usize,
    /// Beginnings of it that were met: the position and byte of the first term, and how many terms there were.
    met: Vec<(usize, usize, usize)>,
}

impl Marker {
    /// `None` if the query asks for no words.
    pub(super) fn new(root: &Node) -> Option<Self> {
        let mut marker = Self { words: HashMap::new(), beginnings: Vec::new(), close: Vec::new(), phrases: Vec::new() };
        let mut items = 0;
        marker.add(root, &mut items);
        (items > 0).then_some(marker)
    }

    fn add(&mut self, node: &Node, items: &mut usize) {
        match node {
            Node::All(nodes) | Node::Any(nodes) => nodes.iter().for_each(|node| self.add(node, items)),
            Node::Text(Field::Anywhere | Field::Body | Field::Subject, text) => {
                self.add_text(text, *items);
                *items += 1;
            }
            _ => {}
        }
    }

    fn add_text(&mut self, text: &Text, item: usize) {
        let mut terms = text.terms.iter().map(|term| (term.offset, term.folded.clone()));
        match (text.how, text.terms.as_slice()) {
            (How::Near(_), _) => self.words.extend(terms.map(|(_, term)| (term, item))),
            (How::Close(letters), [term]) => self.close.push((term.folded.chars().collect(), usize::from(letters), item)),
            (_, [term]) if text.open => self.beginnings.push((term.folded.clone(), item)),
            (_, [_]) => self.words.extend(terms.next().map(|(_, term)| (term, item))),
            _ => self.phrases.push(Phrase { terms: terms.collect(), open: text.open, item, met: Vec::new() }),
        }
    }

    /// Adds what answers in `text`, which begins at the byte `base` of the whole.
    pub(super) fn mark(&mut self, text: &str, base: usize, marks: &mut Vec<Mark>) {
        self.phrases.iter_mut().for_each(|phrase| phrase.met.clear());
        words::each(text, &mut |piece, token| {
            if piece == Piece::Exact {
                return;
            }
            let (word, from) = (token.text.as_str(), base + token.offset_from);
            let mut mark = |to: usize, item: usize| marks.push(Mark { from, to: base + to, item });
            if let Some(item) = self.words.get(word) {
                mark(token.offset_to, *item);
            }
            for (beginning, item) in &self.beginnings {
                if word.starts_with(beginning.as_str()) {
                    // Of a pair that begins so, only the first character was asked for.
                    let first = text[token.offset_from..].chars().next().map_or(0, char::len_utf8);
                    mark(if piece == Piece::Pair { token.offset_from + first } else { token.offset_to }, *item);
                }
            }
            for (other, letters, item) in &self.close {
                if is_close(word, other, *letters) {
                    mark(token.offset_to, *item);
                }
            }
            for phrase in &mut self.phrases {
                phrase.step(word, token.position, from, base + token.offset_to, marks);
            }
        });
    }
}

impl Phrase {
    /// Takes the next word of the text.
    fn step(&mut self, word: &str, position: usize, from: usize, to: usize, marks: &mut Vec<Mark>) {
        let (terms, open, item) = (&self.terms, self.open, self.item);
        let is = |term: usize| match terms.get(term) {
            Some((_, text)) if open && term + 1 == terms.len() => word.starts_with(text.as_str()),
            Some((_, text)) => word == text,
            None => false,
        };
        let wanted = |term: usize| terms.get(term).map_or(0, |(offset, _)| *offset);
        self.met.retain_mut(|(start, begin, count)| {
            if position < *start + wanted(*count) {
                return true;
            }
            if position > *start + wanted(*count) || !is(*count) {
                return false;
            }
            *count += 1;
            if *count == terms.len() {
                marks.push(Mark { from: *begin, to, item });
            }
            *count < terms.len()
        });
        if is(0) && self.met.len() < MOST_MET {
            self.met.push((position, from, 1));
        }
    }
}

/// Whether a word becomes another by changing at most so many letters: one put in, left out, replaced, or swapped with its neighbour.
fn is_close(word: &str, other: &[char], letters: usize) -> bool {
    let length = word.chars().count();
    if length.abs_diff(other.len()) > letters || length > other.len() + letters {
        return false;
    }
    let word: Vec<char> = word.chars().collect();
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in word.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, b) in other.iter().enumerate() {
            let mut cost = (last[j] + usize::from(a != b)).min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *a == other[j - 1] && word[i - 1] == *b {
                cost = cost.min(before[j - 1] + 1);
            }
            row.push(cost);
        }
        before = std::mem::replace(&mut last, row);
    }
    last.last().is_some_and(|cost| *cost <= letters)
}
