//! How many bytes may wait between those who read and the one that stores.

use std::sync::{Arc, Condvar, Mutex, PoisonError};

/// Room for so many bytes.
pub(crate) struct Room {
    most: u64,
    taken: Mutex<u64>,
    given_back: Condvar,
}

/// A part of the room, given back when it is dropped.
pub(crate) struct Share {
    of: Arc<Room>,
    bytes: u64,
}

impl Room {
    pub(crate) fn new(most: u64) -> Self {
        Self { most, taken: Mutex::default(), given_back: Condvar::new() }
    }

    /// Waits until there is room. What is larger than all the room goes alone.
    pub(crate) fn take(self: &Arc<Self>, bytes: u64) -> Share {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        while *taken > 0 && *taken + bytes > self.most {
            taken = self.given_back.wait(taken).unwrap_or_else(PoisonError::into_inner);
        }
        *taken += bytes;
        Share { of: Arc::clone(self), bytes }
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        *self.of.taken.lock().unwrap_or_else(PoisonError::into_inner) -= self.bytes;
        self.of.given_back.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;
    use std::thread;

    #[test]
    fn what_does_not_fit_waits_and_what_never_fits_goes_alone() {
        let room = Arc::new(Room::new(10));
        let first = room.take(8);
        let (tell, told) = mpsc::channel();
        let other = {
            let room = Arc::clone(&room);
            thread::spawn(move || {
                let share = room.take(100);
                tell.send(()).unwrap();
                drop(share);
            })
        };
        assert!(told.try_recv().is_err());
        drop(first);
        told.recv().unwrap();
        other.join().unwrap();
        assert_eq!(*room.taken.lock().unwrap(), 0);
    }
}
