//! How fast bytes may come, and how long to wait before one asks again.

use super::Patience;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Lets so many bytes a second through, counted over all connections.
#[derive(Debug)]
pub(super) struct Pace {
    rate: Option<u64>,
    /// When all bytes that were let through so far are paid for.
    paid: Mutex<Instant>,
}

impl Pace {
    pub(super) fn new(rate: Option<u64>) -> Self {
        Self { rate: rate.filter(|rate| *rate > 0), paid: Mutex::new(Instant::now()) }
    }

    /// How long to wait after these bytes came.
    pub(super) fn wait_for(&self, bytes: u64) -> Duration {
        let Some(rate) = self.rate else { return Duration::ZERO };
        let mut paid = self.paid.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let cost = Duration::from_secs_f64(bytes as f64 / rate as f64);
        *paid = (*paid).max(now) + cost;
        paid.saturating_duration_since(now)
    }
}

impl Patience {
    /// How long to wait before try number `tried + 1`: half of it for certain, the other half by chance, doubled each time up to the longest.
    pub fn wait(&self, tried: u32) -> Duration {
        let whole = self.first_wait.saturating_mul(1u32 << tried.min(16)).min(self.longest_wait);
        whole / 2 + jitter(whole / 2)
    }
}

/// Some part of a time, by chance.
fn jitter(most: Duration) -> Duration {
    let mut bytes = [0; 4];
    // Without chance all wait the longest.
    let share = getrandom::fill(&mut bytes).map_or(1.0, |()| f64::from(u32::from_le_bytes(bytes)) / f64::from(u32::MAX));
    most.mul_f64(share)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_bound_and_differ() {
        let patience = Patience { first_wait: Duration::from_secs(1), longest_wait: Duration::from_secs(10), ..Patience::default() };
        for (tried, most) in [(0, 1), (1, 2), (2, 4), (3, 8), (4, 10), (40, 10)] {
            let waits: Vec<Duration> = (0..20).map(|_| patience.wait(tried)).collect();
            let most = Duration::from_secs(most);
            assert!(waits.iter().all(|wait| *wait >= most / 2 && *wait <= most), "{waits:?}");
            assert!(waits.iter().any(|wait| *wait != waits[0]));
        }
    }

    #[test]
    fn bytes_are_paid_for_by_waiting() {
        let pace = Pace::new(Some(1000));
        let first = pace.wait_for(500);
        let second = pace.wait_for(500);
        assert!(first <= Duration::from_millis(500) && second > first && second <= Duration::from_secs(1));
        assert_eq!(Pace::new(None).wait_for(u64::MAX), Duration::ZERO);
        assert_eq!(Pace::new(Some(0)).wait_for(u64::MAX), Duration::ZERO);
    }
}
