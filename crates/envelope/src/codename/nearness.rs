/// Whether a word may have been written for another: at most two letters were put in, left out or exchanged (Levenshtein's distance).
pub(super) fn alike(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (at, letter) in one.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = at + 1;
        for (to, against) in other.iter().enumerate() {
            let exchanged = diagonal + usize::from(letter != against);
            diagonal = row[to + 1];
            row[to + 1] = exchanged.min(row[to] + 1).min(row[to + 1] + 1);
        }
    }
    // Of short words two letters are nearly all.
    row[other.len()] <= if one.len().min(other.len()) < 5 { 1 } else { 2 }
}

#[cfg(test)]
mod tests {
    use super::alike;

    #[test]
    fn slips_are_alike_and_other_words_are_not() {
        for (one, other) in [("abacus", "abacus"), ("bath", "bats"), ("acorn", "acron"), ("crate", "crates"), ("dingo", "bingo")] {
            assert!(alike(one, other) && alike(other, one), "{one} {other}");
        }
        for (one, other) in [("bath", "moth"), ("abacus", "zoom"), ("crayon", "crazed"), ("yo-yo", "zoom")] {
            assert!(!alike(one, other) && !alike(other, one), "{one} {other}");
        }
    }
}
