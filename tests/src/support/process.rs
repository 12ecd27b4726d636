//! Processes that outlive no test.

use std::fs;
use std::ops::{Deref, DerefMut};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A process that is ended when it is dropped, after a panic too, and with it whatever it has started: a tracer that is killed lets go of the program that it traces, which then runs
/// for ever.
pub(crate) struct Ending(Child);

impl Ending {
    /// Starts it.
    #[track_caller]
    pub(crate) fn start(command: &mut Command) -> Self {
        Self(command.spawn().unwrap())
    }

    /// Ends it as suddenly as `kill -9`: first what it has started, of which a wrapper hears, and then itself.
    pub(crate) fn end(&mut self) {
        let started = started_by(self.0.id());
        if !started.is_empty() {
            started.iter().for_each(|id| kill(*id));
            let began = Instant::now();
            while began.elapsed() < Duration::from_secs(5) && matches!(self.0.try_wait(), Ok(None)) {
                std::thread::sleep(Duration::from_millis(10));
            }
        }
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Deref for Ending {
    type Target = Child;

    fn deref(&self) -> &Child {
        &self.0
    }
}

impl DerefMut for Ending {
    fn deref_mut(&mut self) -> &mut Child {
        &mut self.0
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        self.end();
    }
}

fn kill(id: u32) {
    let _ = Command::new("sh").args(["-c", &format!("kill -9 {id}")]).stderr(Stdio::null()).status();
}

/// Every process that this one has started, and those that they have, by the fourth field of /proc/PID/stat (proc(5)).
pub(crate) fn started_by(id: u32) -> Vec<u32> {
    let Ok(all) = fs::read_dir("/proc") else { return Vec::new() };
    let ids = all.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
    let children: Vec<u32> = ids.filter(|child| parent(*child) == Some(id)).collect();
    children.iter().flat_map(|child| started_by(*child)).chain(children.iter().copied()).collect()
}

fn parent(id: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    // The name before may hold anything, brackets too.
    stat.rsplit_once(") ")?.1.split(' ').nth(1)?.parse().ok()
}

#[test]
fn what_a_wrapper_has_started_ends_with_it() {
    let mut outer = Command::new("sh");
    // A wrapper that does not wait for what it has started, nor takes it along.
    outer.args(["-c", "sh -c 'sleep 1000 & echo $!; wait' & wait"]).stdout(Stdio::piped());
    let mut wrapper = Ending::start(&mut outer);
    let mut said = String::new();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(wrapper.stdout.take().unwrap()), &mut said).unwrap();
    let inner: u32 = said.trim().parse().unwrap();
    assert!(parent(inner).is_some());
    drop(wrapper);
    // Whoever inherits it may not have looked after it yet: then it is a zombie.
    let stat = fs::read_to_string(format!("/proc/{inner}/stat")).unwrap_or_default();
    assert!(stat.is_empty() || stat.contains(") Z "), "{stat}");
}
