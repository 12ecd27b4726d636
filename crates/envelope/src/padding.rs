/// The length that `length` bytes are filled up to: Padmé (Nikitin et al., "Reducing Metadata Leakage from Encrypted Files and Communication with
/// PURBs", 2019, section 4). Of a length only its order of magnitude and a few leading bits are left, so that log2(log2(length)) bits of it show;
/// it grows by at most 12 %, and less the longer it is.
pub fn padded(length: u64) -> u64 {
    let Some(exponent) = length.checked_ilog2().filter(|exponent| *exponent > 0) else { return length };
    let kept = exponent.ilog2() + 1;
    let rest = (1u64 << (exponent - kept)) - 1;
    length.saturating_add(rest) & !rest
}

#[cfg(test)]
mod tests {
    use super::padded;

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
