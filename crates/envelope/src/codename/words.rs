//! The 7,776 words of EFF's long list, in `words.txt` (CC BY 3.0 US, see `words.LICENSE`). They are in the order of the dice.

use std::sync::LazyLock;

/// How many words there are: 6^5.
pub(super) const COUNT: u32 = 7_776;

static WORDS: LazyLock<Vec<&'static str>> = LazyLock::new(|| include_str!("words.txt").lines().collect());

/// The word at a place below 7,776.
pub(super) fn word(place: u16) -> &'static str {
    WORDS[usize::from(place) % WORDS.len()]
}

/// The place of a word in lower case. All of the list is gone through, wherever it stands: how long it takes must not say which word was typed.
pub(super) fn place(word: &str) -> Option<u16> {
    let found = |found: Option<u16>, (place, known): (u16, &&str)| if std::hint::black_box(*known == word) { Some(place) } else { found };
    (0..).zip(WORDS.iter()).fold(None, found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn there_are_7776_words_that_a_codename_can_be_divided_into() {
        assert_eq!(WORDS.len(), COUNT as usize);
        assert_eq!(WORDS.iter().collect::<BTreeSet<_>>().len(), WORDS.len());
        assert!(WORDS.iter().all(|word| word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-')));
        assert_eq!((word(0), word(7_775), place("zoom"), place("snowden")), ("abacus", "zoom", Some(7_775), None));
        assert!((0..7_776).step_by(97).all(|at| place(word(at)) == Some(at)));
    }
}
