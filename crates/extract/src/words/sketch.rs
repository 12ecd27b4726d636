//! The sketch of a text, made word by word in one pass: see [`Sketch`]. Words are folded (capitals, accents), and what stands between them does not
//! count, so that the same text in another format has the same sketch.

use daylight_model::{REGISTERS, Sketch};
use unicode_normalization::char::{decompose_canonical, is_combining_mark};

/// A run of so many words counts as one thing that two texts share.
const RUN: usize = 4;
/// A text must fill so many registers by itself, which takes about 40 words that do not repeat.
const LEAST: usize = 32;

/// A sketch in the making.
pub(super) struct Sketcher {
    /// The least hash of each register; `u64::MAX` where there is none.
    least: [u64; REGISTERS],
    /// The last words.
    last: [u64; RUN],
    words: usize,
    /// The room in which words that are not plain are folded.
    folded: String,
    /// Whether the line before ended within a word, at a hyphen: its hash is not known yet, and these are its letters.
    cut: String,
}

impl Default for Sketcher {
    fn default() -> Self {
        Self { least: [u64::MAX; REGISTERS], last: [0; RUN], words: 0, folded: String::new(), cut: String::new() }
    }
}

/// A word as it was met.
pub(super) enum Heard<'a> {
    /// A word of letters and digits of ASCII: its hash, how many, and whether it stands as words do.
    Plain { word: u64, letters: usize, alone: bool },
    /// Any other, which may be several in scripts without spaces.
    Other(&'a str),
}

/// For each byte: 0 between words, 1 a letter or digit of ASCII, 2 a part of another character.
static BYTES: [u8; 256] = {
    let mut table = [0u8; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = if byte >= 0x80 { 2 } else { (byte as u8).is_ascii_alphanumeric() as u8 };
        byte += 1;
    }
    table
};

impl Sketcher {
    /// Takes the words of a line, and shows each to `heard`.
    pub(super) fn add(&mut self, line: &str, heard: &mut impl FnMut(Heard<'_>)) {
        let bytes = line.as_bytes();
        let mut at = 0;
        while at < bytes.len() {
            if BYTES[usize::from(bytes[at])] == 0 {
                at += 1;
                continue;
            }
            let start = at;
            while at < bytes.len() && BYTES[usize::from(bytes[at])] == 1 {
                at += 1;
            }
            let plain = at == bytes.len() || bytes[at] < 0x80;
            while at < bytes.len() && BYTES[usize::from(bytes[at])] != 0 {
                at += 1;
            }
            let is_cut = bytes.get(at) == Some(&b'-') && bytes[at + 1..].trim_ascii().is_empty();
            if plain && !is_cut && self.cut.is_empty() {
                let word = hash_within(bytes, start, at);
                let alone = (start == 0 || is_beside(bytes[start - 1])) && bytes.get(at).is_none_or(|next| is_beside(*next));
                heard(Heard::Plain { word, letters: at - start, alone });
                self.word(word);
            } else {
                heard(Heard::Other(&line[start..at]));
                self.odd(&line[start..at], is_cut);
            }
        }
    }

    /// The sketch, if there was enough.
    pub(super) fn end(mut self) -> Option<Sketch> {
        self.flush();
        let filled = self.least.iter().filter(|least| **least != u64::MAX).count();
        (filled >= LEAST).then(|| Sketch(std::array::from_fn(|register| self.register(register) as u16)))
    }

    /// What a register holds; an empty one has what stands in the first full one of those that its own row of tries leads to, the same row for
    /// every text.
    fn register(&self, register: usize) -> u64 {
        let mut at = register;
        let mut try_ = 0;
        while self.least[at] == u64::MAX {
            try_ += 1;
            at = (mix(register as u64 + 1 + (try_ << 8)) % REGISTERS as u64) as usize;
        }
        self.least[at]
    }

    /// A word with other letters than those of ASCII, or one that goes on from the line before or into the next.
    fn odd(&mut self, word: &str, is_cut: bool) {
        self.folded.clear();
        for c in word.chars() {
            if is_dense(c) {
                self.flush_folded(false);
                self.word(u64::from(u32::from(c)));
                continue;
            }
            match c {
                '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' => continue,
                c if c.is_alphanumeric() || is_combining_mark(c) => {
                    let folded = &mut self.folded;
                    decompose_canonical(c, |part| {
                        if !is_combining_mark(part) {
                            folded.extend(part.to_lowercase());
                        }
                    });
                }
                _ => self.flush_folded(false),
            }
        }
        self.flush_folded(is_cut);
    }

    fn flush_folded(&mut self, is_cut: bool) {
        if self.folded.is_empty() {
            return;
        }
        self.cut.push_str(&std::mem::take(&mut self.folded));
        // A word without end is two words.
        if !is_cut || self.cut.len() > 200 {
            self.flush();
        }
    }

    fn flush(&mut self) {
        if !self.cut.is_empty() {
            let word = hash(self.cut.as_bytes());
            self.cut.clear();
            self.word(word);
        }
    }

    #[inline]
    fn word(&mut self, word: u64) {
        let [_, a, b, c] = self.last;
        self.last = [a, b, c, word];
        self.words += 1;
        if self.words >= RUN {
            // Each place has a factor of its own, so that the same words in another order are another run.
            let run = a
                .wrapping_mul(0x9e37_79b9_7f4a_7c15)
                .wrapping_add(b.wrapping_mul(0xbf58_476d_1ce4_e5b9))
                .wrapping_add(c.wrapping_mul(0x94d0_49bb_1331_11eb))
                .wrapping_add(word.wrapping_mul(0xd6e8_feb8_6659_fd93));
            let run = mix(run);
            let least = &mut self.least[(run >> 57) as usize];
            *least = run.min(*least);
        }
    }
}

/// The hash of a word, its letters of ASCII taken as small ones.
#[inline]
pub(super) fn hash(word: &[u8]) -> u64 {
    hash_within(word, 0, word.len())
}

/// The same of a word that stands in something longer, which spares copying its end.
#[inline]
fn hash_within(bytes: &[u8], start: usize, end: usize) -> u64 {
    let (mut at, mut hash) = (start, (end - start) as u64);
    while end - at > 8 {
        hash = step(hash, read(bytes, at, 8));
        at += 8;
    }
    let hash = step(hash.rotate_left(23), read(bytes, at, end - at));
    hash ^ hash >> 32
}

/// At most eight bytes as a number, zeros behind them.
#[inline]
fn read(bytes: &[u8], at: usize, length: usize) -> u64 {
    match bytes[at..].first_chunk::<8>() {
        Some(piece) if length == 8 => u64::from_le_bytes(*piece),
        Some(piece) => u64::from_le_bytes(*piece) & ((1 << (length * 8)) - 1),
        None => bytes[at..at + length].iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)),
    }
}

#[inline]
fn step(hash: u64, piece: u64) -> u64 {
    let hash = (hash ^ (piece | 0x2020_2020_2020_2020)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash ^ hash >> 29
}

/// Whether a sign beside a word is one that stands beside words, not one of addresses, numbers and programs.
fn is_beside(byte: u8) -> bool {
    !matches!(byte, b'@' | b'_' | b'=' | b'\\' | b'{' | b'}' | b'<' | b'/' | b'|' | b'[')
}

/// Spreads what differs over all bits (the finisher of MurmurHash3).
#[inline]
fn mix(mut value: u64) -> u64 {
    value = (value ^ value >> 33).wrapping_mul(0xff51_afd7_ed55_8ccd);
    value = (value ^ value >> 33).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    value ^ value >> 33
}

/// Whether the script of this character puts no spaces between words, so that each counts as one.
fn is_dense(c: char) -> bool {
    matches!(c, '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}' | '\u{2e80}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7ff}'
        | '\u{f900}'..='\u{faff}' | '\u{ff66}'..='\u{ffdc}' | '\u{20000}'..='\u{3ffff}')
}
