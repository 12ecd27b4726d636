use std::env;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// What the environment asks for, read once.
struct Plan {
    /// Where to crash.
    crash: Option<Moment>,
    /// Where the disk becomes full, and by which file.
    full: Option<(Moment, PathBuf)>,
    /// Where the names are written down as they are reached.
    log: Option<PathBuf>,
}

/// A place at one of the times that it is reached.
struct Moment {
    name: String,
    /// At which time, from 1.
    time: u64,
    /// How often it was reached so far.
    reached: AtomicU64,
}

static PLAN: OnceLock<Option<Plan>> = OnceLock::new();

/// The most bytes with which a disk is filled: tests have small ones, and a mistake is to fill no large one.
const MOST: usize = 64 << 20;

/// Marks a place between two durable steps. Names are dotted: `store.pack-synced`.
///
/// The process aborts here, as by `kill -9`, if the variable `DAYLIGHT_CRASH_AT` is this name, or the name, a colon and a number n and the place is reached for
/// the n-th time. If `DAYLIGHT_FULL_AT` says so in the same way, the file that `DAYLIGHT_FULL_BY` names is made as long as its disk has room (64 MiB at most), and the process
/// goes on. If `DAYLIGHT_CRASH_LOG` names a file, the name is first appended to it as a line, so that a test can find every place there is.
/// Without these variables nothing happens.
pub fn crash_point(name: &'static str) {
    if let Some(plan) = PLAN.get_or_init(Plan::from_environment) {
        plan.reach(name);
    }
}

impl Plan {
    fn from_environment() -> Option<Self> {
        let moment = |variable| env::var(variable).ok().map(|text| Moment::of(&text));
        let crash = moment("DAYLIGHT_CRASH_AT");
        let full = moment("DAYLIGHT_FULL_AT").zip(env::var_os("DAYLIGHT_FULL_BY").map(PathBuf::from));
        let log = env::var_os("DAYLIGHT_CRASH_LOG").map(PathBuf::from);
        (crash.is_some() || full.is_some() || log.is_some()).then_some(Self { crash, full, log })
    }

    /// A log that cannot be written leaves no trace: its reader misses the name, and the product does not depend on it.
    fn reach(&self, name: &str) {
        if let Some(log) = &self.log
            && let Ok(mut file) = OpenOptions::new().append(true).create(true).open(log)
        {
            let _ = file.write_all(format!("{name}\n").as_bytes());
        }
        if self.crash.as_ref().is_some_and(|moment| moment.is_now(name)) {
            std::process::abort();
        }
        if let Some((moment, filler)) = &self.full
            && moment.is_now(name)
        {
            fill(filler);
        }
    }
}

impl Moment {
    fn of(text: &str) -> Self {
        let (name, time) = parse(text);
        Self { name, time, reached: AtomicU64::new(0) }
    }

    fn is_now(&self, name: &str) -> bool {
        self.name == name && self.reached.fetch_add(1, Ordering::SeqCst) + 1 == self.time
    }
}

/// Writes until nothing more can be written, to the last byte. A file that cannot be made is missed by the test.
fn fill(filler: &Path) {
    let Ok(mut file) = File::create(filler) else { return };
    let (zeros, mut step, mut left) = ([0; 64 << 10], 64 << 10, MOST);
    while step > 0 && left > 0 {
        match file.write(&zeros[..step.min(left)]) {
            Ok(count) if count > 0 => left -= count,
            _ => step /= 4,
        }
    }
}

/// Splits `name:3`; without a number it is the first time.
fn parse(text: &str) -> (String, u64) {
    let numbered = text.rsplit_once(':').and_then(|(name, time)| Some((name.to_owned(), time.parse().ok()?)));
    numbered.unwrap_or_else(|| (text.to_owned(), 1))
}

#[cfg(test)]
mod tests;
