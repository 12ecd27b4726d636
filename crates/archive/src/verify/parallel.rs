use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Mutex;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;

/// How many threads work. Callers keep a few pieces of work for each on the way, and no more in memory.
pub(super) fn threads() -> usize {
    thread::available_parallelism().map_or(1, usize::from).min(64)
}

type Work<'a> = Box<dyn FnOnce() + Send + 'a>;

/// Threads on all processors that work while the one who gave them something goes on.
pub(super) struct Helpers<'a> {
    work: Sender<Work<'a>>,
}

/// What a piece of work will give.
pub(super) struct Pending<R>(Receiver<thread::Result<R>>);

/// Has helpers for as long as `body` runs.
pub(super) fn with_helpers<'a, T>(body: impl FnOnce(&Helpers<'a>) -> T) -> T {
    let (work, given) = mpsc::channel::<Work<'a>>();
    let given = Mutex::new(given);
    thread::scope(|scope| {
        for _ in 0..threads() {
            scope.spawn(|| {
                while let Some(work) = next(&given) {
                    work();
                }
            });
        }
        // Dropped at the end, and by a panic, which ends the helpers.
        body(&Helpers { work })
    })
}

fn next<'a>(given: &Mutex<Receiver<Work<'a>>>) -> Option<Work<'a>> {
    given.lock().ok()?.recv().ok()
}

impl<'a> Helpers<'a> {
    /// Gives a piece of work to whoever is free next.
    pub(super) fn give<R: Send + 'a>(&self, work: impl FnOnce() -> R + Send + 'a) -> Pending<R> {
        let (tell, told) = mpsc::sync_channel(1);
        // Nobody listens where what was found does not matter any more.
        let work = move || _ = tell.send(catch_unwind(AssertUnwindSafe(work)));
        // There are helpers for as long as there is something to give to.
        _ = self.work.send(Box::new(work));
        Pending(told)
    }
}

impl<R> Pending<R> {
    /// Waits for it. A panic in it goes on here.
    pub(super) fn wait(self) -> R {
        match self.0.recv() {
            Ok(Ok(result)) => result,
            Ok(Err(panic)) => resume_unwind(panic),
            Err(_) => unreachable!("helpers live as long as what gives to them"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_the_order_in_which_they_are_asked_for_and_panics_pass() {
        let items: Vec<u64> = (0..200).collect();
        let sum: u64 = with_helpers(|helpers| {
            let pending: Vec<_> = items.iter().map(|item| helpers.give(move || *item)).collect();
            pending.into_iter().enumerate().map(|(place, pending)| (pending.wait() == place as u64) as u64).sum()
        });
        assert_eq!(sum, 200);
        let panicked = catch_unwind(|| with_helpers(|helpers| helpers.give(|| panic!("in a helper")).wait()));
        assert!(panicked.is_err());
        with_helpers(|helpers| drop(helpers.give(|| 1)));
    }
}
