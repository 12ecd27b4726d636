//! What calculations leave on a thread's stack: intermediate values, pieces of text in a hash's buffer, keys that were moved. Nobody gives that memory back, so the
//! allocator that wipes does not see it.

/// More than any of our calculations goes deep, in bytes.
const DEPTH: usize = 256 << 10;

/// Does some work, and wipes the stack below it afterwards.
pub(crate) fn wiped<T>(work: impl FnOnce() -> T) -> T {
    let result = apart(work);
    wipe();
    result
}

/// The work has frames of its own, all of which lie where [`wipe`] writes.
#[inline(never)]
fn apart<T>(work: impl FnOnce() -> T) -> T {
    work()
}

/// Overwrites the stack below the caller.
#[inline(never)]
fn wipe() {
    let mut below = [0u8; DEPTH];
    std::hint::black_box(&mut below);
}
