//! What is to be done, shared by the threads that do it.

use super::drawing::Doc;
use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// One thing to do.
pub(super) enum Job {
    /// Find out which pages of this document have no text.
    List(u64),
    /// Recognise these pages, each with whether its words stand in the place of gibberish.
    Pages(Arc<Doc>, Vec<(u32, bool)>),
}

/// Documents one after the other, and the pages of those that were begun before the next document.
pub(super) struct Queue {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    documents: VecDeque<u64>,
    pages: VecDeque<Job>,
    /// How many threads are at work, each of which may find more to do.
    busy: usize,
    stopped: bool,
}

impl Queue {
    pub(super) fn new(documents: Vec<u64>) -> Self {
        Self {
            state: Mutex::new(State { documents: documents.into(), pages: VecDeque::new(), busy: 0, stopped: false }),
            changed: Condvar::new(),
        }
    }

    /// The next thing to do; none when all is done or was stopped. Whoever takes one says [`done`](Self::done) after it.
    pub(super) fn take(&self) -> Option<Job> {
        let mut state = self.state();
        loop {
            if state.stopped {
                return None;
            }
            let next = state.pages.pop_front();
            if let Some(job) = next.or_else(|| state.documents.pop_front().map(Job::List)) {
                state.busy += 1;
                return Some(job);
            }
            if state.busy == 0 {
                return None;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// More to do.
    pub(super) fn add(&self, job: Job) {
        self.state().pages.push_back(job);
        self.changed.notify_one();
    }

    pub(super) fn done(&self) {
        self.state().busy -= 1;
        self.changed.notify_all();
    }

    /// Nothing more is given out.
    pub(super) fn stop(&self) {
        self.state().stopped = true;
        self.changed.notify_all();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
