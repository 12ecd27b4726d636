//! How far a long command has come: a bar on a terminal, a plain line now and then elsewhere. It goes to standard error.

use daylight_ingest::{Moment, Progress};
use indicatif::{HumanBytes, ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::{IsTerminal, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// How often a plain line is printed where there is no terminal.
const PLAIN_EVERY: Duration = Duration::from_secs(10);

/// Draws until it is finished.
pub(crate) struct Drawing {
    over: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Drawing {
    /// Begins to draw how far an ingest has come.
    pub(crate) fn start(progress: Arc<Progress>) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let until = Arc::clone(&over);
        let thread = thread::spawn(move || if std::io::stderr().is_terminal() { bar(&progress, &until) } else { lines(&progress, &until) });
        Self { over, thread }
    }

    /// Begins to draw how far something has come that tells bytes done, bytes in all, and what is being done in words.
    pub(crate) fn watch(now: impl Fn() -> (u64, u64, String) + Send + 'static) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let until = Arc::clone(&over);
        let thread = thread::spawn(move || if std::io::stderr().is_terminal() { watched(&now, &until) } else { told(&now, &until) });
        Self { over, thread }
    }

    /// Takes the bar away.
    pub(crate) fn finish(self) {
        self.over.store(true, Relaxed);
        // A drawing that failed must not fail what it drew.
        let _ = self.thread.join();
    }
}

/// A bar for work that tells how many bytes of how many are done; nothing where there is no terminal.
pub(crate) struct Bytes(ProgressBar);

impl Bytes {
    /// Begins to draw.
    pub(crate) fn start() -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        if let Ok(style) = ProgressStyle::with_template("{bar:30} {bytes}/{total_bytes} · {bytes_per_sec} · {eta} left") {
            bar.set_style(style);
        }
        Self(bar)
    }

    /// Draws how far it has come.
    pub(crate) fn tell(&self, done: u64, total: u64) {
        self.0.set_length(total.max(done));
        self.0.set_position(done);
    }

    /// Takes the bar away, so that a line can be printed.
    pub(crate) fn aside<T>(&self, work: impl FnOnce() -> T) -> T {
        self.0.suspend(work)
    }
}

impl Drop for Bytes {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

fn watched(now: &dyn Fn() -> (u64, u64, String), over: &AtomicBool) {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {bytes}/{total_bytes} · {bytes_per_sec} · {eta} left · {msg}") {
        bar.set_style(style);
    }
    while !over.load(Relaxed) {
        let (done, total, words) = now();
        bar.set_length(total);
        bar.set_position(done);
        bar.set_message(words);
        thread::sleep(Duration::from_millis(100));
    }
    bar.finish_and_clear();
}

fn told(now: &dyn Fn() -> (u64, u64, String), over: &AtomicBool) {
    let start = Instant::now();
    let mut next = PLAIN_EVERY;
    while !over.load(Relaxed) {
        thread::sleep(Duration::from_millis(20));
        if start.elapsed() >= next {
            next += PLAIN_EVERY;
            let (done, total, words) = now();
            let _ = writeln!(std::io::stderr(), "{words}: {} of {}", HumanBytes(done), HumanBytes(total));
        }
    }
}

fn bar(progress: &Progress, over: &AtomicBool) {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {bytes}/{total_bytes} · {bytes_per_sec} · {eta} left · {msg}") {
        bar.set_style(style);
    }
    while !over.load(Relaxed) {
        let now = progress.now();
        bar.set_length(now.bytes_found.max(now.bytes_read));
        bar.set_position(now.bytes_read);
        bar.set_message(words(&now));
        thread::sleep(Duration::from_millis(100));
    }
    bar.finish_and_clear();
}

fn lines(progress: &Progress, over: &AtomicBool) {
    let start = Instant::now();
    let mut next = PLAIN_EVERY;
    while !over.load(Relaxed) {
        thread::sleep(Duration::from_millis(20));
        if start.elapsed() < next {
            continue;
        }
        next += PLAIN_EVERY;
        let now = progress.now();
        let rate = HumanBytes((now.bytes_read as f64 / start.elapsed().as_secs_f64()) as u64);
        let (read, found) = (HumanBytes(now.bytes_read), HumanBytes(now.bytes_found));
        let more = if now.walked { "" } else { " or more" };
        // Nobody may be listening any more; that is no reason to stop reading.
        let _ = writeln!(std::io::stderr(), "{read} of {found}{more}, {rate}/s, {}", words(&now));
    }
}

fn words(now: &Moment) -> String {
    let counting = if now.walked { "" } else { " (still counting)" };
    let pages = if now.pages > 0 { format!(" · {} pages recognised", now.pages) } else { String::new() };
    format!("{} files{counting} · {} documents · {} faults{pages}", now.files_read, now.documents, now.faults)
}
