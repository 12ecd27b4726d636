//! In which order the pieces of a page are read: from top to bottom, and where two columns of prose stand beside one another, one after the
//! other. Tables are read line by line, so that what stands beside a name follows it.

use super::glyphs::Glyph;
use super::words::{BASELINE, Piece, pieces, words};

/// Columns within columns are looked for so often.
const DEEPEST: u32 = 4;
/// Fewer pieces are not taken for columns.
const FEWEST: usize = 4;
/// A piece of prose has so many characters on average.
const PROSE: usize = 20;
/// How finely a page's width is divided to find what is between columns.
const STRIPS: usize = 256;

/// The text of a page's glyphs, direction by direction.
pub(super) fn read<'a>(text: &str, glyphs: impl Iterator<Item = &'a Glyph>) -> String {
    let mut turned = [Vec::new(), Vec::new(), Vec::new(), Vec::new()];
    for word in words(text, glyphs) {
        turned[usize::from(word.turn & 3)].push(word);
    }
    let mut out = String::new();
    for words in turned {
        columns(pieces(words), 0, &mut out);
    }
    out
}

fn columns(pieces: Vec<Piece>, depth: u32, out: &mut String) {
    let gutter = if depth < DEEPEST { gutter(&pieces) } else { None };
    let Some(gutter) = gutter else { return lines(&pieces, out) };
    let (mut left, mut right, mut across) = (Vec::new(), Vec::new(), Vec::new());
    for piece in pieces {
        if piece.left < gutter && piece.right > gutter {
            for side in [&mut left, &mut right] {
                columns(std::mem::take(side), depth + 1, out);
            }
            across.push(piece);
            continue;
        }
        lines(&std::mem::take(&mut across), out);
        if piece.right <= gutter { left.push(piece) } else { right.push(piece) }
    }
    lines(&across, out);
    for side in [left, right] {
        columns(side, depth + 1, out);
    }
}

/// The place that the fewest characters stand across, if there is prose on both sides of it.
fn gutter(pieces: &[Piece]) -> Option<f64> {
    let left = pieces.iter().map(|piece| piece.left).fold(f64::MAX, f64::min);
    let right = pieces.iter().map(|piece| piece.right).fold(f64::MIN, f64::max);
    let width = (right - left) / STRIPS as f64;
    if pieces.len() < 2 * FEWEST || !width.is_finite() || width <= 0.0 {
        return None;
    }
    let strip = |x: f64| (((x - left) / width) as usize).min(STRIPS - 1);
    let mut across = [0_i64; STRIPS + 1];
    for piece in pieces {
        let length = piece.text.len() as i64;
        across[strip(piece.left)] += length;
        across[strip(piece.right) + 1] -= length;
    }
    for n in 1..=STRIPS {
        across[n] += across[n - 1];
    }
    let (least, from) = (STRIPS / 6..STRIPS * 5 / 6).map(|n| (across[n], n)).min()?;
    let to = (from..STRIPS).find(|n| across[*n] != least).unwrap_or(STRIPS);
    let middle = left + width * (from + to) as f64 / 2.0;
    is_between_prose(pieces, middle).then_some(middle)
}

fn is_between_prose(pieces: &[Piece], x: f64) -> bool {
    let (mut before, mut after, mut across) = ((0, 0), (0, 0), 0);
    for piece in pieces {
        let length = piece.text.chars().count();
        match (piece.right <= x, piece.left >= x) {
            (true, _) => before = (before.0 + 1, before.1 + length),
            (_, true) => after = (after.0 + 1, after.1 + length),
            _ => across += length,
        }
    }
    let prose = |(pieces, length): (usize, usize)| pieces >= FEWEST && length >= PROSE * pieces;
    prose(before) && prose(after) && 2 * across < before.1 + after.1
}

/// Pieces line by line; an empty line where more than a line is left free.
fn lines(pieces: &[Piece], out: &mut String) {
    let mut last: Option<&Piece> = None;
    for piece in pieces {
        if let Some(last) = last {
            let (down, size) = ((piece.base - last.base).abs(), last.size.max(piece.size));
            out.push_str(match () {
                () if down < BASELINE * last.size.min(piece.size) && piece.left >= last.right => "  ",
                () if down > 2.0 * size => "\n\n",
                () => "\n",
            });
        }
        out.push_str(&piece.text);
        last = Some(piece);
    }
    if last.is_some() {
        out.push('\n');
    }
}

/// Glyphs were put together from left to right, as they are seen. What is written from right to left is turned round to be read.
pub(super) fn logical(text: String) -> String {
    let leftward = text.chars().filter(|c| runs_leftward(*c)).count();
    if leftward == 0 {
        return text;
    }
    let flipped = leftward > text.chars().filter(|c| c.is_alphabetic() && !runs_leftward(*c)).count();
    let mut chars: Vec<char> = text.chars().collect();
    if flipped {
        chars.reverse();
    }
    // What runs against the line: letters and digits in a line from right to left, right-to-left words in any other.
    let against = |c: char| runs_leftward(c) != flipped && c.is_alphanumeric();
    let with = |c: char| runs_leftward(c) == flipped && c.is_alphanumeric();
    let mut at = 0;
    while at < chars.len() {
        let length = chars[at..].iter().take_while(|c| !with(**c)).count();
        let run = &mut chars[at..at + length];
        let first = run.iter().position(|c| against(*c)).unwrap_or(length);
        let last = run.iter().rposition(|c| against(*c)).map_or(first, |last| last + 1);
        run[first..last].reverse();
        at += length + 1;
    }
    chars.into_iter().collect()
}

/// Hebrew, Arabic and what is written like them.
fn runs_leftward(c: char) -> bool {
    matches!(u32::from(c), 0x590..=0x8ff | 0xfb1d..=0xfdff | 0xfe70..=0xfeff | 0x10800..=0x10fff | 0x1e800..=0x1efff)
}
