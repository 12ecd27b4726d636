//! The 1,024 words of SLIP-0039, in `words.txt` as SatoshiLabs publish them (MIT licence, see `words.LICENSE`). They are sorted, and the first four
//! letters of each are its own.

use std::sync::LazyLock;

static WORDS: LazyLock<Vec<&'static str>> = LazyLock::new(|| include_str!("words.txt").lines().collect());

/// The word at a place below 1,024.
pub(super) fn word(place: u16) -> &'static str {
    WORDS[usize::from(place & 1023)]
}

/// The place of a word, in any case.
pub(super) fn place(word: &str) -> Option<u16> {
    let word = word.to_ascii_lowercase();
    WORDS.binary_search(&word.as_str()).ok().map(|place| place as u16)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn there_are_1024_sorted_words_with_beginnings_of_their_own() {
        assert!(WORDS.len() == 1024 && WORDS.is_sorted());
        assert_eq!(WORDS.iter().map(|word| &word[..4]).collect::<BTreeSet<_>>().len(), 1024);
        assert_eq!((word(0), word(1023)), ("academic", "zero"));
        assert!((0..1024).all(|at| place(word(at)) == Some(at)));
        assert_eq!((place("Zero"), place("daylight")), (Some(1023), None));
    }
}
