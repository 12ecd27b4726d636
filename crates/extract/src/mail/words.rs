//! Encoded words (RFC 2047), and what stands in fields without being encoded.

use crate::charset;
use crate::transfer;

/// The text of an unfolded field. `hint` is the message's own character set, for bytes that are neither ASCII nor UTF-8.
///
/// Programs cut characters of several bytes in two and put the halves into neighbouring words, so the bytes of neighbours in one character set
/// are joined before they are decoded.
pub(super) fn decode(raw: &[u8], hint: Option<&str>) -> String {
    let mut finder = WordFinder::default();
    let mut text = String::with_capacity(raw.len());
    let mut open: Option<(&[u8], Vec<u8>)> = None;
    let mut from = 0;
    while let Some((start, word)) = finder.next(raw, from) {
        let between = &raw[from..start];
        let joined = open.is_some() && between.iter().all(u8::is_ascii_whitespace);
        match &mut open {
            Some((label, bytes)) if joined && label.eq_ignore_ascii_case(word.charset) => bytes.extend(word.decode()),
            _ => {
                close(&mut text, open.take());
                if !joined {
                    text.push_str(&plain(between, hint));
                }
                open = Some((word.charset, word.decode()));
            }
        }
        from = start + word.length;
    }
    close(&mut text, open);
    text.push_str(&plain(&raw[from..], hint));
    text
}

fn close(text: &mut String, open: Option<(&[u8], Vec<u8>)>) {
    let Some((label, bytes)) = open else { return };
    let label = std::str::from_utf8(label).ok();
    // An encoded word has no business to carry a line's end; with it one field could be shown as two.
    text.extend(charset::decode(&bytes, label).text.chars().map(|c| if matches!(c, '\r' | '\n' | '\0') { ' ' } else { c }));
}

/// Text that is not encoded: ASCII by right, UTF-8 by RFC 6532, anything by habit.
pub(super) fn plain(bytes: &[u8], hint: Option<&str>) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) if !bytes.contains(&0x1b) => text.to_owned(),
        _ => charset::decode(bytes, hint).text.into_owned(),
    }
}

/// An encoded word, still encoded.
pub(super) struct Word<'a> {
    charset: &'a [u8],
    base64: bool,
    text: &'a [u8],
    /// How many bytes it takes, delimiters and all.
    pub(super) length: usize,
}

impl Word<'_> {
    fn decode(&self) -> Vec<u8> {
        if self.base64 {
            return transfer::base64(self.text).0;
        }
        let spaced: Vec<u8> = self.text.iter().map(|b| if *b == b'_' { b' ' } else { *b }).collect();
        transfer::quoted_word(&spaced)
    }
}

/// Finds encoded words in one field, remembering where the last search for an end came to, so that a field full of beginnings costs no more
/// than its length.
#[derive(Default)]
pub(super) struct WordFinder {
    end: Option<usize>,
    none_left: bool,
}

impl WordFinder {
    /// The first word at or after `from`.
    fn next<'a>(&mut self, raw: &'a [u8], mut from: usize) -> Option<(usize, Word<'a>)> {
        while !self.none_left {
            let start = from + memchr::memmem::find(raw.get(from..)?, b"=?")?;
            if let Some(word) = self.at(raw, start) {
                return Some((start, word));
            }
            from = start + 2;
        }
        None
    }

    /// The word that begins at `start`, if one does.
    pub(super) fn at<'a>(&mut self, raw: &'a [u8], start: usize) -> Option<Word<'a>> {
        let rest = raw.get(start..)?.strip_prefix(b"=?")?;
        let mark = rest.iter().take(64).position(|b| *b == b'?').filter(|n| *n > 0)?;
        if rest[..mark].iter().any(u8::is_ascii_whitespace) {
            return None;
        }
        let base64 = match rest.get(mark + 1..mark + 3)? {
            [b'b' | b'B', b'?'] => true,
            [b'q' | b'Q', b'?'] => false,
            _ => return None,
        };
        let begin = start + 2 + mark + 3;
        let end = self.end_after(raw, begin)?;
        let language = rest[..mark].iter().position(|b| *b == b'*').unwrap_or(mark);
        Some(Word { charset: &rest[..language], base64, text: &raw[begin..end], length: end + 2 - start })
    }

    fn end_after(&mut self, raw: &[u8], begin: usize) -> Option<usize> {
        if self.none_left {
            return None;
        }
        if self.end.is_none_or(|end| end < begin) {
            self.end = memchr::memmem::find(&raw[begin.min(raw.len())..], b"?=").map(|n| begin + n);
            self.none_left = self.end.is_none();
        }
        self.end
    }
}
