//! Randomness of the operating system, in the forms that are used here.

/// The operating system gave no random bytes.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the operating system gave no random bytes")]
pub struct NoRandomness;

/// Random bytes.
pub(crate) fn bytes<const N: usize>() -> Result<[u8; N], NoRandomness> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| NoRandomness)?;
    Ok(bytes)
}

/// A number from 0 to `end` - 1, each as likely but for less than one part in 2^32.
pub(crate) fn below(end: u32) -> Result<u32, NoRandomness> {
    let drawn = u64::from_le_bytes(bytes()?);
    Ok(((u128::from(drawn) * u128::from(end)) >> 64) as u32)
}

/// Puts items in an order that is drawn (Fisher and Yates).
pub(crate) fn shuffle<T>(items: &mut [T]) -> Result<(), NoRandomness> {
    for last in (1..items.len()).rev() {
        let end = u32::try_from(last + 1).unwrap_or(u32::MAX);
        items.swap(last, below(end)? as usize);
    }
    Ok(())
}
