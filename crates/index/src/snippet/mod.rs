//! Which piece of a text answers a query.

mod marks;
#[cfg(test)]
mod tests;

use crate::query::Query;
use marks::{Mark, Marker};

/// A piece of a text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Snippet {
    /// The piece in runs; those that answer the query are marked with `true`. White space is collapsed and "…" stands where text was left out.
    pub runs: Vec<(String, bool)>,
    /// The byte of the text at which the first of those runs stands; `None` if there is none.
    pub at: Option<usize>,
}

/// Text is looked at in blocks of this many bytes, and this many bytes on after the first answer.
const BLOCK: usize = 64 << 10;
const AGAIN: usize = 1 << 10;
const BEYOND_FIRST: usize = 256 << 10;

/// No more of a text than this is looked at for its first answer, and no more answers than this are weighed.
const MOST_TEXT: usize = 16 << 20;
const MOST_MARKS: usize = 10_000;

/// How far a cut may move to fall between words, in characters.
const REACH: usize = 20;

/// The piece of `text`, about `width` characters long, that answers the query best; its beginning, if nothing in it does. Only words count, not
/// what the query says of people, types or dates. Takes time in proportion to the text, at most 16 MiB of it.
pub fn snippet(query: &Query, text: &str, width: usize) -> Snippet {
    let width = width.max(20);
    let marks = find(query, text);
    let (start, end) = match densest(&marks, text, width) {
        Some(best) => around(text, &marks[best], width),
        None => (0, forward(text, 0, width)),
    };
    let (start, end) = between_words(text, start, end, &marks);
    cut(text, start, end, &marks)
}

/// Everything that answers, from the first on.
fn find(query: &Query, text: &str) -> Vec<Mark> {
    let mut marks = Vec::new();
    let Some(mut marker) = query.root.as_ref().and_then(Marker::new) else { return marks };
    let text = &text[..text.floor_char_boundary(MOST_TEXT)];
    let mut at = 0;
    while at < text.len() && marks.len() < MOST_MARKS && marks.first().is_none_or(|first: &Mark| at < first.from + BEYOND_FIRST) {
        let end = block_end(text, at);
        let start = again_from(text, at);
        marker.mark(&text[start..end], start, &mut marks);
        at = end;
    }
    marks.sort_unstable_by_key(|mark| (mark.from, mark.to, mark.item));
    marks.dedup_by_key(|mark| (mark.from, mark.to, mark.item));
    marks
}

/// Where a block begins whose first new byte is at `at`: the end of the block before is looked at again, for the phrases that go on from it.
fn again_from(text: &str, at: usize) -> usize {
    let before = text.ceil_char_boundary(at.saturating_sub(AGAIN));
    text[before..at].find(char::is_whitespace).map_or(at, |space| before + space)
}

/// Where a block that begins at `start` ends: between words, unless there is no white space for long.
fn block_end(text: &str, start: usize) -> usize {
    let target = text.floor_char_boundary(start + BLOCK);
    if target >= text.len() {
        return text.len();
    }
    let more = &text[target..text.floor_char_boundary(target + BLOCK)];
    target + more.find(char::is_whitespace).unwrap_or(more.len())
}

/// The marks that fit in one piece and answer most of the query.
fn densest(marks: &[Mark], text: &str, width: usize) -> Option<std::ops::Range<usize>> {
    let mut starts = Vec::with_capacity(marks.len());
    let (mut chars, mut last) = (0, 0);
    for mark in marks {
        chars += text[last..mark.from].chars().count();
        last = mark.from;
        starts.push(chars);
    }
    let mut counts = vec![0usize; marks.iter().map(|mark| mark.item + 1).max()?];
    let (mut distinct, mut first, mut best) = (0, 0, (0, 0..1));
    for next in 0..marks.len() {
        counts[marks[next].item] += 1;
        distinct += usize::from(counts[marks[next].item] == 1);
        while starts[next] - starts[first] > width * 3 / 4 {
            counts[marks[first].item] -= 1;
            distinct -= usize::from(counts[marks[first].item] == 0);
            first += 1;
        }
        // Another word of the query is worth more than any one of them again.
        let worth = distinct * 8 + (next - first).min(7);
        if worth > best.0 {
            best = (worth, first..next + 1);
        }
    }
    Some(best.1)
}

/// `width` characters with these marks in them, a third of what is left over standing before them.
fn around(text: &str, marks: &[Mark], width: usize) -> (usize, usize) {
    let from = marks.first().map_or(0, |mark| mark.from);
    let to = marks.last().map_or(from, |mark| mark.to).max(from);
    let inside = text[from..to].chars().take(width).count();
    let mut start = backward(text, from, (width - inside) / 3);
    let end = forward(text, start, width);
    if end == text.len() {
        start = start.min(backward(text, end, width));
    }
    (start, end)
}

fn forward(text: &str, at: usize, characters: usize) -> usize {
    text[at..].char_indices().nth(characters).map_or(text.len(), |(offset, _)| at + offset)
}

fn backward(text: &str, at: usize, characters: usize) -> usize {
    if characters == 0 {
        return at;
    }
    text[..at].char_indices().nth_back(characters - 1).map_or(0, |(offset, _)| offset)
}

/// Moves both ends inward to white space, where there is some near and no mark is lost.
fn between_words(text: &str, mut start: usize, mut end: usize, marks: &[Mark]) -> (usize, usize) {
    if start > 0 && !text[..start].ends_with(char::is_whitespace) {
        let reach = forward(text, start, REACH).min(end);
        if let Some(space) = text[start..reach].find(char::is_whitespace) {
            let first = marks.iter().find(|mark| mark.to > start).map_or(end, |mark| mark.from);
            if start + space <= first {
                start += space;
            }
        }
    }
    if end < text.len() && !text[end..].starts_with(char::is_whitespace) {
        let reach = backward(text, end, REACH).max(start);
        if let Some(space) = text[reach..end].rfind(char::is_whitespace) {
            let last = marks.iter().take_while(|mark| mark.from < end).map(|mark| mark.to.min(end)).max().unwrap_or(start);
            if reach + space >= last {
                end = reach + space;
            }
        }
    }
    (start, end)
}

/// The text from `start` to `end` in runs.
fn cut(text: &str, start: usize, end: usize, marks: &[Mark]) -> Snippet {
    let mut runs = Runs::default();
    if start > 0 && !text[..start].trim().is_empty() {
        runs.push('…', false);
    }
    let mut marks = marks.iter().filter(|mark| mark.to > start && mark.from < end).peekable();
    let first = marks.peek().map(|mark| mark.from.max(start));
    let mut marked_to = 0;
    for (offset, c) in text[start..end].char_indices() {
        let at = start + offset;
        while let Some(mark) = marks.next_if(|mark| mark.from <= at) {
            marked_to = marked_to.max(mark.to);
        }
        runs.push(c, at < marked_to);
    }
    if !text[end..].trim_start().is_empty() {
        runs.push('…', false);
    }
    Snippet { runs: runs.done, at: first }
}

/// Runs of text in the making.
#[derive(Default)]
struct Runs {
    done: Vec<(String, bool)>,
    /// White space was met since the last character; whether it was marked.
    space: Option<bool>,
}

impl Runs {
    fn push(&mut self, c: char, marked: bool) {
        if c.is_whitespace() || c.is_control() {
            self.space = (!self.done.is_empty()).then_some(marked);
            return;
        }
        // What reorders the text around it (Unicode UAX 9) would do so unbalanced in a piece.
        if matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}') {
            return;
        }
        if let Some(inside) = self.space.take() {
            self.put(' ', inside);
        }
        self.put(c, marked);
    }

    fn put(&mut self, c: char, marked: bool) {
        match self.done.last_mut() {
            Some((run, last)) if *last == marked => run.push(c),
            _ => self.done.push((String::from(c), marked)),
        }
    }
}
