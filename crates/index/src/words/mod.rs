//! How texts and queries are cut into words. Both go through here, so that what was indexed is what is asked for.
//!
//! A word is a run of letters, digits and the marks on them. It is found under its folded form: lower case, without accents. Where that differs
//! from its lower case form, the latter stands at the same position too, behind [`EXACT`], so that the exact form can outrank the others.
//! Scripts that put no spaces between words, and Korean, whose particles cling to them, are cut into overlapping pairs of characters; the last
//! character of a run stands alone as well, so that every single character is the beginning of a piece.

mod fold;
#[cfg(test)]
mod tests;

use fold::{LONGEST, cut, fold, is_ignorable};
use tantivy::tokenizer::{Token, TokenStream, Tokenizer};
use unicode_normalization::char::is_combining_mark;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

/// Begins the lower case form of a word that folds to something else. No folded word contains it.
pub(crate) const EXACT: char = '\u{1}';

/// Begins a whole name, lower case and without accents, where its words stand too.
pub(crate) const WHOLE: char = '\u{2}';

/// Separates a person's name from the address.
pub(crate) const ADDRESS: char = '\u{1f}';

/// What a piece of text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Piece {
    /// A folded word.
    Word,
    /// The exact form of the word before it.
    Exact,
    /// Two characters of a script without spaces.
    Pair,
    /// One character of such a script: the last of a run of several.
    Last,
    /// One character of such a script, which has no neighbour.
    Lone,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    /// Between words.
    Gap,
    /// In words.
    Letter,
    /// In words of scripts without spaces.
    Dense,
    /// In words, without a meaning of its own.
    Joiner,
}

/// For each byte: 0 between words, 1 in words, 2 where the character has to be looked at.
static BYTES: [u8; 256] = {
    let mut table = [0u8; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = if byte >= 0x80 { 2 } else { (byte as u8).is_ascii_alphanumeric() as u8 };
        byte += 1;
    }
    table
};

fn class(c: char) -> Class {
    match c {
        '\0'..='\x7f' => {
            if c.is_ascii_alphanumeric() {
                Class::Letter
            } else {
                Class::Gap
            }
        }
        '\u{c0}'..='\u{24f}' => {
            if matches!(c, '×' | '÷') {
                Class::Gap
            } else {
                Class::Letter
            }
        }
        c if is_ignorable(c) => Class::Joiner,
        c if !(c.is_alphanumeric() || is_combining_mark(c)) => Class::Gap,
        // Thai, Lao, Myanmar, Hangul letters, Khmer.
        '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1100}'..='\u{11ff}' | '\u{1780}'..='\u{17ff}' => Class::Dense,
        // Han, kana, Hangul, with their halfwidth and compatibility forms.
        '\u{2e80}'..='\u{2fdf}' | '\u{3005}'..='\u{3007}' | '\u{3040}'..='\u{318f}' | '\u{31f0}'..='\u{31ff}' | '\u{3400}'..='\u{4dbf}' => {
            Class::Dense
        }
        '\u{4e00}'..='\u{9fff}' | '\u{a960}'..='\u{a97f}' | '\u{ac00}'..='\u{d7ff}' | '\u{f900}'..='\u{faff}' => Class::Dense,
        '\u{ff66}'..='\u{ffdc}' | '\u{1b000}'..='\u{1b16f}' | '\u{20000}'..='\u{3ffff}' => Class::Dense,
        _ => Class::Letter,
    }
}

/// Cuts `text` into pieces and gives each to `sink`. The token says the text of the piece, the bytes it covers and its position, counted in words
/// or, in scripts without spaces, in characters.
pub(crate) fn each(text: &str, mut sink: &mut dyn FnMut(Piece, &Token)) {
    Cutter::default().cut(text, &mut sink);
}

/// The room that cutting needs, kept from text to text.
#[derive(Clone, Default)]
struct Cutter {
    token: Token,
    exact: String,
}

impl Cutter {
    #[inline]
    fn cut(&mut self, text: &str, sink: &mut impl FnMut(Piece, &Token)) {
        let bytes = text.as_bytes();
        let (mut at, mut position) = (0, 0);
        while at < bytes.len() {
            if BYTES[usize::from(bytes[at])] == 0 {
                at += 1;
                continue;
            }
            let start = at;
            while at < bytes.len() && BYTES[usize::from(bytes[at])] == 1 {
                at += 1;
            }
            if at == bytes.len() || bytes[at] < 0x80 {
                self.plain(&text[start..at], start, position, sink);
                position += 1;
            } else {
                at = self.run(text, start, &mut position, sink);
            }
        }
    }

    /// A word of ASCII letters and digits.
    #[inline]
    fn plain(&mut self, word: &str, from: usize, position: usize, sink: &mut impl FnMut(Piece, &Token)) {
        self.token.text.clear();
        self.token.text.push_str(if word.len() <= LONGEST { word } else { &word[..LONGEST] });
        self.token.text.make_ascii_lowercase();
        self.put(Piece::Word, from, from + word.len(), position, sink);
    }

    #[inline]
    fn put(&mut self, piece: Piece, from: usize, to: usize, position: usize, sink: &mut impl FnMut(Piece, &Token)) {
        self.token.offset_from = from;
        self.token.offset_to = to;
        self.token.position = position;
        sink(piece, &self.token);
    }

    /// A run that is not all ASCII, beginning at `start`; returns where it ends.
    fn run(&mut self, text: &str, start: usize, position: &mut usize, sink: &mut impl FnMut(Piece, &Token)) -> usize {
        let mut kind = None;
        let mut end = text.len();
        for (offset, c) in text[start..].char_indices() {
            let class = class(c);
            match (kind, class) {
                (_, Class::Joiner) => {}
                (_, Class::Gap) => {
                    // A gap at the very start is stepped over, so that every call goes on.
                    end = start + if offset == 0 { c.len_utf8() } else { offset };
                    break;
                }
                (None, _) => kind = Some(class),
                (Some(kind), class) if kind != class => {
                    end = start + offset;
                    break;
                }
                _ => {}
            }
        }
        match kind {
            Some(Class::Letter) => self.word(&text[start..end], start, position, sink),
            Some(Class::Dense) => self.dense(&text[start..end], start, position, sink),
            _ => {}
        }
        end
    }

    fn word(&mut self, word: &str, from: usize, position: &mut usize, sink: &mut impl FnMut(Piece, &Token)) {
        fold(word, &mut self.token.text, &mut self.exact);
        if self.token.text.is_empty() {
            return;
        }
        let to = from + word.len();
        self.put(Piece::Word, from, to, *position, sink);
        if !self.exact.is_empty() {
            self.token.text.clear();
            self.token.text.push(EXACT);
            self.token.text.push_str(cut(&self.exact, LONGEST - 1));
            self.put(Piece::Exact, from, to, *position, sink);
        }
        *position += 1;
    }

    fn dense(&mut self, run: &str, from: usize, position: &mut usize, sink: &mut impl FnMut(Piece, &Token)) {
        let halfwidth = run.chars().any(|c| matches!(c, '\u{ff66}'..='\u{ffdc}'));
        if halfwidth || run.chars().any(is_ignorable) || is_nfc_quick(run.chars()) != IsNormalized::Yes {
            // Rare, and then each piece covers the whole run, for its characters no longer stand where they stood.
            let form: Vec<char> = if halfwidth { run.nfkc().collect() } else { run.nfc().collect() };
            let all = from..from + run.len();
            self.pairs(form.into_iter().filter(|c| !is_ignorable(*c)).map(|c| (c, all.clone())), position, sink);
        } else {
            self.pairs(run.char_indices().map(|(at, c)| (c, from + at..from + at + c.len_utf8())), position, sink);
        }
    }

    fn pairs(
        &mut self,
        mut characters: impl Iterator<Item = (char, std::ops::Range<usize>)>,
        position: &mut usize,
        sink: &mut impl FnMut(Piece, &Token),
    ) {
        let Some((mut last, mut place)) = characters.next() else { return };
        let mut piece = Piece::Lone;
        for (c, next) in characters {
            self.token.text.clear();
            self.token.text.extend([last, c]);
            self.put(Piece::Pair, place.start, next.end, *position, sink);
            *position += 1;
            (last, place, piece) = (c, next, Piece::Last);
        }
        self.token.text.clear();
        self.token.text.push(last);
        self.put(piece, place.start, place.end, *position, sink);
        *position += 1;
    }
}

/// What else a field wants indexed beside the words of its values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Also {
    /// Nothing.
    Nothing,
    /// The whole value, behind [`WHOLE`]: file names.
    Whole,
    /// What follows [`ADDRESS`], behind [`WHOLE`]: people.
    Address,
}

/// The whole of a name or address in the form it is indexed in, without [`WHOLE`].
pub(crate) fn whole(name: &str) -> String {
    if name.is_ascii() {
        let name = name.trim();
        return name[..name.len().min(LONGEST - 1)].to_ascii_lowercase();
    }
    let mut folded = String::new();
    for c in name.trim().chars().take(LONGEST) {
        match class(c) {
            Class::Gap => folded.extend(c.to_lowercase()),
            _ => folded.extend(c.to_string().nfkc().flat_map(char::to_lowercase)),
        }
    }
    cut(&folded, LONGEST - 1).to_owned()
}

/// The tokenizer of one kind of field.
#[derive(Clone)]
pub(crate) struct Words {
    also: Also,
    cutter: Cutter,
}

impl Words {
    pub(crate) fn and(also: Also) -> Self {
        Self { also, cutter: Cutter::default() }
    }
}

impl Tokenizer for Words {
    type TokenStream<'a> = Stream<'a>;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> Stream<'a> {
        Stream { text, also: self.also, cutter: &mut self.cutter, pieces: None, token: Token::default() }
    }
}

/// The pieces of one value.
pub(crate) struct Stream<'a> {
    text: &'a str,
    also: Also,
    cutter: &'a mut Cutter,
    pieces: Option<std::vec::IntoIter<Token>>,
    token: Token,
}

impl TokenStream for Stream<'_> {
    /// Takes the next piece. Indexing never comes here: it goes through `process`, which keeps no list of them.
    fn advance(&mut self) -> bool {
        if self.pieces.is_none() {
            let mut pieces = Vec::new();
            self.process(&mut |token| pieces.push(token.clone()));
            self.pieces = Some(pieces.into_iter());
        }
        match self.pieces.as_mut().and_then(Iterator::next) {
            Some(token) => {
                self.token = token;
                true
            }
            None => false,
        }
    }

    fn token(&self) -> &Token {
        &self.token
    }

    fn token_mut(&mut self) -> &mut Token {
        &mut self.token
    }

    fn process(&mut self, sink: &mut dyn FnMut(&Token)) {
        let name = match self.also {
            Also::Nothing => None,
            Also::Whole => Some(self.text),
            Also::Address => self.text.split_once(ADDRESS).map(|(_, address)| address),
        };
        if let Some(name) = name.map(whole).filter(|name| !name.is_empty()) {
            self.token = Token { text: format!("{WHOLE}{name}"), position: 0, ..Token::default() };
            sink(&self.token);
        }
        self.cutter.cut(self.text, &mut |_, token| sink(token));
    }
}
