use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How many threads work, and how many pieces of work are in memory at a time.
pub(super) fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from).min(64)
}

/// Does the work for every item on all processors and gives the results in the order of the items.
pub(super) fn map<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    if items.len() < 2 {
        return items.iter().map(work).collect();
    }
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::with_capacity(items.len()));
    std::thread::scope(|scope| {
        for _ in 0..threads().min(items.len()) {
            scope.spawn(|| {
                while let Some((place, item)) =
                    Some(next.fetch_add(1, Ordering::Relaxed)).and_then(|place| items.get(place).map(|item| (place, item)))
                {
                    let result = work(item);
                    // A poisoned lock means that a piece of work panicked, which the scope passes on.
                    if let Ok(mut done) = done.lock() {
                        done.push((place, result));
                    }
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_default();
    done.sort_by_key(|(place, _)| *place);
    done.into_iter().map(|(_, result)| result).collect()
}
