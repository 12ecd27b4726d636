//! How much may be read and not stored yet: those who read wait at a gate while too much waits behind it.

use std::sync::{Condvar, Mutex, PoisonError};

/// With more than so many bytes waiting nothing is added, however many processes read.
const MOST: usize = 512 << 20;

/// Between those who read and the one that stores.
#[derive(Default)]
pub(crate) struct Gate {
    waiting: Mutex<Waiting>,
    less: Condvar,
}

#[derive(Default)]
struct Waiting {
    bytes: usize,
    is_over: bool,
}

impl Gate {
    /// Waits until so many bytes more may wait. What is larger than all that may wait goes alone.
    pub(crate) fn enter(&self, bytes: usize) {
        let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let full = |waiting: &mut Waiting| !waiting.is_over && waiting.bytes > 0 && waiting.bytes.saturating_add(bytes) > MOST;
        let mut waiting = self.less.wait_while(waiting, full).unwrap_or_else(PoisonError::into_inner);
        waiting.bytes = waiting.bytes.saturating_add(bytes);
    }

    /// So many bytes are stored.
    pub(crate) fn leave(&self, bytes: usize) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.bytes = waiting.bytes.saturating_sub(bytes);
        self.less.notify_all();
    }

    /// Nothing is stored any more: nobody waits for it.
    pub(crate) fn open(&self) {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).is_over = true;
        self.less.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;
    use std::thread;

    #[test]
    fn who_brings_too_much_waits_until_there_is_less_or_nobody_stores() {
        let gate = Gate::default();
        let (told, tells) = mpsc::channel();
        thread::scope(|scope| {
            gate.enter(MOST * 2);
            scope.spawn(|| {
                gate.enter(1);
                told.send(1).unwrap();
                gate.enter(MOST);
                told.send(2).unwrap();
            });
            assert!(tells.try_recv().is_err());
            gate.leave(MOST * 2);
            assert_eq!(tells.recv(), Ok(1));
            assert!(tells.try_recv().is_err());
            gate.open();
            assert_eq!(tells.recv(), Ok(2));
        });
    }
}
