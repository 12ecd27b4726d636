use crate::lease::{Death, Item, ItemInput, Limits};
use rustix::event::Timespec;
use std::time::{Duration, Instant};

/// How long we have waited for the item in hand.
pub(super) struct Clock {
    /// The longest wait between two signs of progress.
    patience: Duration,
    /// Waited since the last sign of progress.
    waited: Duration,
    /// Waited in all before that.
    before: Duration,
}

impl Clock {
    pub(super) fn new(limits: &Limits, item: Option<&Item<'_>>) -> Self {
        let patience = item.map_or(limits.patience(0), |item| patience(limits, item));
        Self { patience, waited: Duration::ZERO, before: Duration::ZERO }
    }

    /// What going over the time is called, with the limit that was met.
    pub(super) fn too_slow(&self) -> Death {
        let whole = self.patience.saturating_mul(Limits::WHOLE);
        Death::TooSlow(if self.before + self.waited >= whole { whole } else { self.patience })
    }

    /// The item in hand has come further: the wait begins anew.
    pub(super) fn progress(&mut self) {
        self.before += self.waited;
        self.waited = Duration::ZERO;
    }

    /// Runs `wait` with the time that is left, and counts how long it took. Time that the caller spends with the events is not the worker's.
    pub(super) fn count<T>(&mut self, wait: impl FnOnce(&Timespec) -> T) -> Result<T, Death> {
        let whole = self.patience.saturating_mul(Limits::WHOLE).saturating_sub(self.before);
        let left = self.patience.min(whole).saturating_sub(self.waited);
        if left.is_zero() {
            return Err(self.too_slow());
        }
        // A limit too large to be said is no limit.
        let left = Timespec::try_from(left).unwrap_or(Timespec { tv_sec: i64::MAX, tv_nsec: 0 });
        let start = Instant::now();
        let result = wait(&left);
        self.waited += start.elapsed();
        Ok(result)
    }
}

/// The longest wait between two signs of progress in this item.
fn patience(limits: &Limits, item: &Item<'_>) -> Duration {
    limits.patience(size(item.input))
}

/// The most processor time, in seconds, that a process can use on these items before the clock ends it, and a little more: a second hand on the same rope,
/// for when we that hold the clock are stopped.
pub(super) fn processor_seconds(limits: &Limits, part: &[Item<'_>]) -> u64 {
    let whole = |item| patience(limits, item).saturating_mul(Limits::WHOLE);
    part.iter().map(whole).fold(Duration::ZERO, Duration::saturating_add).as_secs().saturating_add(2)
}

/// A file whose size cannot be told counts as empty: it gets the least time.
fn size(input: ItemInput<'_>) -> u64 {
    match input {
        ItemInput::Bytes(bytes) => bytes.len() as u64,
        ItemInput::File(file) => file.metadata().map_or(0, |metadata| metadata.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread::sleep;

    const MILLI: Duration = Duration::from_millis(1);

    fn clock() -> Clock {
        let limits = Limits { wall_base: 4 * MILLI, wall_per_mib: MILLI, output: 0, memory: 0 };
        Clock::new(&limits, None)
    }

    #[test]
    fn only_waiting_counts_and_progress_begins_it_anew() {
        let mut clock = clock();
        sleep(8 * MILLI);
        assert_eq!(clock.count(|_| ()), Ok(()));
        assert_eq!(clock.count(|_| sleep(8 * MILLI)), Ok(()));
        assert_eq!(clock.count(|_| ()), Err(Death::TooSlow(4 * MILLI)));
        clock.progress();
        assert_eq!(clock.count(|_| ()), Ok(()));
    }

    #[test]
    fn progress_without_end_is_too_slow_in_the_end() {
        let mut clock = clock();
        let most = 4 * Limits::WHOLE;
        let turns = (0..=most)
            .take_while(|_| {
                clock.count(|_| sleep(MILLI)).is_ok_and(|()| {
                    clock.progress();
                    true
                })
            })
            .count();
        assert!(turns as u32 <= most, "{turns}");
    }

    #[test]
    fn patience_grows_with_size_up_to_a_gibibyte() {
        let limits = Limits { wall_base: MILLI, wall_per_mib: MILLI, output: 0, memory: 0 };
        assert_eq!([0, 1, 1 << 20, 1 << 30, 1 << 50].map(|size| limits.patience(size)), [1, 2, 2, 1025, 1025].map(Duration::from_millis));
    }
}
