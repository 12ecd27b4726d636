//! What calculations leave on a thread's stack: intermediate values, pieces of text in a hash's buffer, keys that were moved. Nobody gives that memory back, so the
//! allocator that wipes does not see it.

use std::pin::Pin;
use std::task::{Context, Poll};

/// More than any of our calculations goes deep, in bytes.
const DEPTH: usize = 192 << 10;

/// Does some work, and wipes the stack below it afterwards.
fn wiped<T>(work: impl FnOnce() -> T) -> T {
    let result = apart(work);
    wipe();
    result
}

/// The work has frames of its own, all of which lie where [`wipe`] writes.
#[inline(never)]
fn apart<T>(work: impl FnOnce() -> T) -> T {
    work()
}

/// Does some work on a thread that may wait, and wipes its stack afterwards. What the work was given is moved in a box, so that no frame above it holds a copy.
pub(crate) async fn apart_and_wiped<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<Box<T>> {
    let work = Box::new(work);
    tokio::task::spawn_blocking(move || wiped(move || Box::new(work()))).await.ok()
}

/// A task of which each step is wiped from the stack of whichever thread took it.
pub(crate) struct Wiped<F>(pub(crate) Pin<Box<F>>);

impl<F: Future> Future for Wiped<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        wiped(|| self.0.as_mut().poll(context))
    }
}

/// Overwrites the stack below the caller.
#[inline(never)]
fn wipe() {
    let mut below = [0u8; DEPTH];
    std::hint::black_box(&mut below);
}
