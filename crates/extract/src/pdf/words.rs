//! From glyphs to words, and from words to pieces of lines. A PDF says where glyphs stand and little else: words end where there is a gap.

use super::glyphs::Glyph;

/// Glyphs of one word stand no further apart than this. This and what follows is in sizes of the font.
const GAP: f64 = 0.1;
/// Between words of a line that has spaces of its own, a gap is one from here on at the latest.
const WIDE_GAP: f64 = 0.3;
/// The same where no space is drawn, so that gaps are all there is to go by.
const NARROW_GAP: f64 = 0.15;
/// Glyphs of one word overlap by no more.
const OVERLAP: f64 = 0.3;
/// How far from one another the baselines of a line may be.
pub(super) const BASELINE: f64 = 0.25;
/// Where a line is cut, because what follows may stand in another column.
const CUT: f64 = 0.8;
/// Super- and subscripts are smaller than this, and stand no further from the baseline.
const RAISED: (f64, f64) = (0.9, 0.6);

/// Glyphs that follow one another, on a page turned so that they run to the right, with y downwards.
#[derive(Debug)]
pub(super) struct Word {
    pub(super) left: f64,
    right: f64,
    base: f64,
    size: f64,
    /// How many quarter turns the text runs away from the right.
    pub(super) turn: u8,
    text: String,
    glyphs: usize,
    /// A space was drawn after it.
    spaced: bool,
    /// Which word of the page it is in the order of drawing.
    order: usize,
}

/// A piece of a line.
#[derive(Debug)]
pub(super) struct Piece {
    pub(super) left: f64,
    pub(super) right: f64,
    pub(super) base: f64,
    pub(super) size: f64,
    pub(super) text: String,
}

/// Puts glyphs together to words, in the order in which they were drawn.
pub(super) fn words<'a>(text: &str, glyphs: impl Iterator<Item = &'a Glyph>) -> Vec<Word> {
    let mut words: Vec<Word> = Vec::new();
    let mut last: Option<&Glyph> = None;
    for glyph in glyphs {
        let Some(word) = words.last_mut().filter(|_| last.is_some() || glyph.space) else {
            if !glyph.space {
                words.push(begin(text, glyph, words.len()));
                last = Some(glyph);
            }
            continue;
        };
        if glyph.space {
            word.spaced = true;
            last = None;
        } else if last.is_some_and(|last| is_again(text, last, glyph)) {
            // Drawn twice to look bold.
        } else if last.is_some_and(|last| goes_on(word, last, glyph)) {
            let end = begin(text, glyph, 0);
            word.text.push_str(&end.text);
            word.glyphs += 1;
            word.right = word.right.max(end.right);
            last = Some(glyph);
        } else {
            words.push(begin(text, glyph, words.len()));
            last = Some(glyph);
        }
    }
    words
}

fn begin(text: &str, glyph: &Glyph, order: usize) -> Word {
    let turn = turn_of(glyph);
    let (left, base) = turned(glyph.at.x, glyph.at.y, turn);
    let right = left + turned(glyph.advance.x, glyph.advance.y, turn).0;
    let text = string(text, glyph).to_owned();
    Word { left, right, base, size: glyph.size, turn, text, glyphs: 1, spaced: false, order }
}

fn string<'a>(text: &'a str, glyph: &Glyph) -> &'a str {
    text.get(glyph.text.0 as usize..glyph.text.1 as usize).unwrap_or_default()
}

fn turn_of(glyph: &Glyph) -> u8 {
    let (x, y) = (glyph.advance.x, glyph.advance.y);
    match (x.abs() >= y.abs(), x >= 0.0, y > 0.0) {
        (true, true, _) => 0,
        (true, false, _) => 2,
        (false, _, true) => 1,
        (false, _, false) => 3,
    }
}

fn turned(x: f64, y: f64, turn: u8) -> (f64, f64) {
    match turn {
        0 => (x, y),
        1 => (y, -x),
        2 => (-x, -y),
        _ => (-y, x),
    }
}

fn is_again(text: &str, last: &Glyph, glyph: &Glyph) -> bool {
    (glyph.at - last.at).hypot() < GAP * last.size && string(text, last) == string(text, glyph)
}

/// Whether a glyph stands where the word's next one would. Measured along its own direction, so that slanting lines have words as well.
fn goes_on(word: &Word, last: &Glyph, glyph: &Glyph) -> bool {
    let length = last.advance.hypot();
    if length == 0.0 {
        return (glyph.at - last.at).hypot() < word.size;
    }
    let (unit, step) = (last.advance / length, glyph.at - (last.at + last.advance));
    let (along, across) = (step.dot(unit), step.cross(unit));
    let fits = along < GAP * word.size && along > -OVERLAP * word.size && across.abs() < BASELINE * word.size;
    fits && turn_of(glyph) == word.turn && (word.size - glyph.size).abs() < 0.5 * word.size
}

/// Puts words of one direction on lines, and cuts those at wide gaps. From the page's top to its bottom.
pub(super) fn pieces(mut words: Vec<Word>) -> Vec<Piece> {
    words.sort_by(|a, b| a.base.total_cmp(&b.base).then(a.order.cmp(&b.order)));
    let mut lines: Vec<Vec<Word>> = Vec::new();
    for word in words {
        match lines.last_mut().filter(|line| is_on(&word, line)) {
            Some(line) => line.push(word),
            None => lines.push(vec![word]),
        }
    }
    for line in &mut lines {
        line.sort_by(|a, b| a.left.total_cmp(&b.left).then(a.order.cmp(&b.order)));
    }
    take_raised(&mut lines);
    let mut pieces = Vec::new();
    for mut line in lines {
        line.dedup_by(|word, before| word.text == before.text && (word.left - before.left).abs() < 2.0 * GAP * word.size);
        pieces.extend(line.chunk_by(|before, word| word.left - before.right <= CUT * before.size.max(word.size)).map(piece));
    }
    pieces
}

/// Baselines may slant, but only so far.
fn is_on(word: &Word, line: &[Word]) -> bool {
    let near = |other: &Word, most: f64| (word.base - other.base).abs() < most * word.size.min(other.size);
    line.last().is_some_and(|last| near(last, BASELINE)) && line.first().is_some_and(|first| near(first, 2.0 * BASELINE))
}

/// Gives super- and subscripts to the line that they stand beside.
fn take_raised(lines: &mut [Vec<Word>]) {
    for number in 0..lines.len() {
        let (mut kept, words) = (Vec::new(), std::mem::take(&mut lines[number]));
        for word in words {
            let nearby = [Some(number + 1), number.checked_sub(1), Some(number + 2), number.checked_sub(2)];
            let beside = |near: &usize| lines.get(*near).is_some_and(|line| stands_beside(&word, line));
            match nearby.into_iter().flatten().find(beside) {
                Some(near) => {
                    let at = lines[near].partition_point(|other| other.left < word.left);
                    lines[near].insert(at, word);
                }
                None => kept.push(word),
            }
        }
        lines[number] = kept;
    }
}

fn stands_beside(word: &Word, line: &[Word]) -> bool {
    let at = line.partition_point(|other| other.left <= word.left);
    let beside = |other: &Word, gap: f64| {
        word.size < RAISED.0 * other.size && (word.base - other.base).abs() < RAISED.1 * other.size && gap.abs() < 2.0 * GAP * other.size
    };
    let before = at.checked_sub(1).and_then(|before| line.get(before));
    before.is_some_and(|other| beside(other, word.left - other.right))
        || line.get(at).is_some_and(|other| beside(other, other.left - word.right))
}

/// Joins words, with spaces where there are gaps.
fn piece(words: &[Word]) -> Piece {
    let gaps: Vec<f64> = words.windows(2).map(|pair| pair[1].left - pair[0].right).collect();
    let least = least_gap(words, &gaps);
    let mut text = String::new();
    for (number, word) in words.iter().enumerate() {
        if let Some(before) = number.checked_sub(1) {
            let (gap, size) = (gaps[before], word.size.max(words[before].size));
            let spaced = words[before].spaced && word.order == words[before].order + 1;
            if spaced || gap >= least * size || gap < -0.5 * size {
                text.push(' ');
            }
        }
        text.push_str(&word.text);
    }
    let right = words.iter().map(|word| word.right).fold(f64::MIN, f64::max);
    let (left, base, size) = words.first().map_or((0.0, 0.0, 1.0), |word| (word.left, word.base, word.size));
    Piece { left, right, base, size, text: super::order::logical(text) }
}

/// From which gap on words are apart, in font sizes.
fn least_gap(words: &[Word], gaps: &[f64]) -> f64 {
    let size = words.first().map_or(1.0, |word| word.size).max(f64::MIN_POSITIVE);
    let single = words.iter().filter(|word| word.glyphs == 1).count();
    if words.len() >= 4 && single * 10 >= words.len() * 7 {
        // Letters that were set apart, as in a title: the usual gap is none.
        let mut sorted = gaps.to_vec();
        sorted.sort_by(f64::total_cmp);
        let usual = sorted[sorted.len() / 2] / size;
        if usual < 0.6 {
            return (1.5 * usual).max(GAP);
        }
    }
    let widest = gaps.iter().copied().fold(0.0, f64::max) / size;
    let most = if words.iter().any(|word| word.spaced) { WIDE_GAP } else { NARROW_GAP };
    (0.5 * widest).clamp(GAP, most)
}
