//! How a word is brought to the form under which it is found.

use std::sync::LazyLock;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// The most bytes of a word that count: longer ones are cut there, in a text as in a query, so that they are still found and none is dropped.
pub(super) const LONGEST: usize = 255;

/// The first and the one past the last character of the table for letters that most accented texts are written in.
const TABLE_START: u32 = 0x80;
const TABLE_END: u32 = 0x530;

/// One letter's lower case form and its folded form.
struct Letter {
    lower: String,
    folded: String,
}

static TABLE: LazyLock<Vec<Letter>> = LazyLock::new(|| {
    let letter = |code: u32| {
        let text = char::from_u32(code).map(String::from).unwrap_or_default();
        let (mut lower, mut folded) = (String::new(), String::new());
        lower_slowly(&text, &mut lower);
        fold_slowly(&text, &mut folded);
        Letter { lower, folded }
    };
    (TABLE_START..TABLE_END).map(letter).collect()
});

/// Writes the folded form of `word` to `folded` and, where that differs, its lower case form with accents to `exact`; else `exact` is left empty.
/// Both are cut at [`LONGEST`] bytes.
pub(super) fn fold(word: &str, folded: &mut String, exact: &mut String) {
    folded.clear();
    exact.clear();
    let word = cut(word, 4 * LONGEST);
    if word.chars().all(in_table) {
        for c in word.chars() {
            match TABLE.get((u32::from(c) as usize).wrapping_sub(TABLE_START as usize)) {
                Some(letter) => {
                    exact.push_str(&letter.lower);
                    folded.push_str(&letter.folded);
                }
                None => {
                    exact.push(c.to_ascii_lowercase());
                    folded.push(c.to_ascii_lowercase());
                }
            }
        }
    } else {
        lower_slowly(word, exact);
        fold_slowly(word, folded);
    }
    if folded == exact {
        exact.clear();
    }
    folded.truncate(cut(folded, LONGEST).len());
    exact.truncate(cut(exact, LONGEST).len());
}

/// The beginning of `text`, at most `bytes` long.
pub(super) fn cut(text: &str, bytes: usize) -> &str {
    if text.len() <= bytes { text } else { &text[..text.floor_char_boundary(bytes)] }
}

/// Whether a character folds by itself: combining marks do not, for they may change what stands before them.
fn in_table(c: char) -> bool {
    c.is_ascii() || (u32::from(c) < TABLE_END && !matches!(c, '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}'))
}

fn lower_slowly(word: &str, out: &mut String) {
    let letters = word.nfkc().flat_map(char::to_lowercase).filter(|c| !is_ignorable(*c));
    out.extend(letters.map(|c| if c == 'ς' { 'σ' } else { c }).filter(|c| c.is_alphanumeric() || is_combining_mark(*c)));
}

/// Compatibility decomposition (Unicode UAX 15, NFKD), lower case, without marks that are accents, and with letters that have no decomposition
/// replaced by those that people type for them.
fn fold_slowly(word: &str, out: &mut String) {
    for c in word.nfkd().flat_map(char::to_lowercase) {
        match c {
            // These two are letters of their own, not accented ones.
            '\u{306}' if out.ends_with('и') => replace_last(out, 'й'),
            '\u{308}' if out.ends_with('і') => replace_last(out, 'ї'),
            c if is_accent(c) || is_ignorable(c) => {}
            'ß' => out.push_str("ss"),
            'æ' => out.push_str("ae"),
            'œ' => out.push_str("oe"),
            'þ' => out.push_str("th"),
            'ø' => out.push('o'),
            'ł' => out.push('l'),
            'đ' | 'ð' => out.push('d'),
            'ħ' => out.push('h'),
            'ı' => out.push('i'),
            'ŧ' => out.push('t'),
            'ς' => out.push('σ'),
            // Arabic: forms of alef, yeh, kaf and teh marbuta that are written for one another.
            'ٱ' => out.push('ا'),
            'ى' | 'ی' => out.push('ي'),
            'ک' => out.push('ك'),
            'ة' => out.push('ه'),
            '٠'..='٩' => out.extend(digit(c, '٠')),
            '۰'..='۹' => out.extend(digit(c, '۰')),
            c if c.is_alphanumeric() || is_combining_mark(c) => out.push(c),
            _ => {}
        }
    }
}

fn digit(c: char, zero: char) -> Option<char> {
    char::from_digit(u32::from(c) - u32::from(zero), 10)
}

fn replace_last(out: &mut String, c: char) {
    out.pop();
    out.push(c);
}

/// Marks that are left out: accents of European scripts, Hebrew points, Arabic vowels and the hamza and madda on other letters. The vowel signs
/// of Indian scripts are letters in all but name and stay.
fn is_accent(c: char) -> bool {
    matches!(c,
        '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}'
        | '\u{fe20}'..='\u{fe2f}'
        | '\u{591}'..='\u{5bd}' | '\u{5bf}' | '\u{5c1}' | '\u{5c2}' | '\u{5c4}' | '\u{5c5}' | '\u{5c7}'
        | '\u{610}'..='\u{61a}' | '\u{64b}'..='\u{65f}' | '\u{670}' | '\u{6d6}'..='\u{6dc}' | '\u{6df}'..='\u{6e4}' | '\u{6e7}' | '\u{6e8}'
        | '\u{6ea}'..='\u{6ed}')
}

/// What may stand inside a word without being a part of it: soft hyphen, joiners, the Arabic tatweel, variation selectors.
pub(super) fn is_ignorable(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{640}' | '\u{200c}' | '\u{200d}' | '\u{2060}' | '\u{feff}' | '\u{fe00}'..='\u{fe0f}')
}
