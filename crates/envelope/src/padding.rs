/// The length that `length` bytes are filled up to: Padmé (Nikitin et al., "Reducing Metadata Leakage from Encrypted Files and Communication with
/// PURBs", 2019, section 4). Of a length only its order of magnitude and a few leading bits are left, so that log2(log2(length)) bits of it show;
/// it grows by at most 12 %, and less the longer it is.
pub fn padded(length: u64) -> u64 {
    let Some(exponent) = length.checked_ilog2().filter(|exponent| *exponent > 0) else { return length };
    let kept = exponent.ilog2() + 1;
    let rest = (1u64 << (exponent - kept)) - 1;
    length.saturating_add(rest) & !rest
}

/// The lengths that a text of a source's is filled up to: a note, a letter, all that a text may be.
const TEXTS: [u64; 3] = [4 << 10, 32 << 10, 128 << 10];

/// What a text is filled up to; one that is too long is filled up as a file is.
pub(crate) fn padded_text(length: u64) -> u64 {
    TEXTS.into_iter().find(|size| length <= *size).unwrap_or_else(|| padded_file(length))
}

/// What a file of a source's is filled up to: at least as much as a short text, beyond that Padmé.
pub(crate) fn padded_file(length: u64) -> u64 {
    padded(length.max(TEXTS[0]))
}

#[cfg(test)]
mod tests {
    use super::{padded, padded_file, padded_text};

    #[test]
    fn texts_have_three_lengths_and_small_files_one() {
        let ends = [0, 1, 4_096, 4_097, 32_768, 32_769, 131_072];
        assert_eq!(ends.map(padded_text), [4_096, 4_096, 4_096, 32_768, 32_768, 131_072, 131_072]);
        assert!((0..=4_096).all(|length| padded_file(length) == 4_096));
        for length in (4_097..1 << 30).step_by(1_000_003) {
            assert_eq!(padded_file(length), padded(length));
            assert!(padded_file(length) * 100 <= length * 112, "{length}");
        }
    }

    #[test]
    fn lengths_grow_by_a_little_and_few_are_left() {
        assert_eq!([0, 1, 2, 8, 9, 10, 1_000].map(padded), [0, 1, 2, 8, 10, 10, 1_024]);
        let mut seen = std::collections::BTreeSet::new();
        for length in 1..200_000u64 {
            let to = padded(length);
            assert!(to >= length && (to - length) * 100 <= 12 * length, "{length} became {to}");
            assert_eq!(padded(to), to);
            seen.insert(to);
        }
        assert!(seen.len() < 250, "{} lengths can be told apart", seen.len());
        assert_eq!(padded(u64::MAX), !((1 << 57) - 1));
    }
}
