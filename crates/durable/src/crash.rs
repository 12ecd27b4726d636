use std::env;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// What the environment asks for, read once.
struct Plan {
    /// Where to crash: the name, and at which time it is reached, from 1.
    at: Option<(String, u64)>,
    /// How often that name was reached so far.
    reached: AtomicU64,
    /// Where the names are written down as they are reached.
    log: Option<PathBuf>,
}

static PLAN: OnceLock<Option<Plan>> = OnceLock::new();

/// Marks a place between two durable steps. Names are dotted: `store.pack-synced`.
///
/// The process aborts here, as by `kill -9`, if the variable `DAYLIGHT_CRASH_AT` is this name, or the name, a colon and a number n and the place is reached for
/// the n-th time. If `DAYLIGHT_CRASH_LOG` names a file, the name is first appended to it as a line, so that a test can find every place there is.
/// Without these variables nothing happens.
pub fn crash_point(name: &'static str) {
    if let Some(plan) = PLAN.get_or_init(Plan::from_environment) {
        plan.reach(name);
    }
}

impl Plan {
    fn from_environment() -> Option<Self> {
        let at = env::var("DAYLIGHT_CRASH_AT").ok().map(|text| parse(&text));
        let log = env::var_os("DAYLIGHT_CRASH_LOG").map(PathBuf::from);
        (at.is_some() || log.is_some()).then_some(Self { at, reached: AtomicU64::new(0), log })
    }

    /// A log that cannot be written leaves no trace: its reader misses the name, and the product does not depend on it.
    fn reach(&self, name: &str) {
        if let Some(log) = &self.log
            && let Ok(mut file) = OpenOptions::new().append(true).create(true).open(log)
        {
            let _ = file.write_all(format!("{name}\n").as_bytes());
        }
        if let Some((at, time)) = &self.at
            && at == name
            && self.reached.fetch_add(1, Ordering::SeqCst) + 1 == *time
        {
            std::process::abort();
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
