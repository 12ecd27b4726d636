//! Trials of the cage: a worker is started that reads nothing, and tries from inside what no reader may do.

use super::clock::Clock;
use super::inflow::{Fill, Inflow};
use super::outbox::Outbox;
use super::{Copies, Running, not_started};
use crate::cage::{Caged, Layer, Layers};
use crate::lease::{Death, Limits, Reader};
use crate::probe::Probe;
use crate::wire::{Answer, Terms, Trial, VERSION};
use rustix::event::{PollFd, PollFlags, poll};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// What a trial may use: a second of processor time, so that going over it does not take long.
const TERMS: Terms = Terms { version: VERSION, memory: 1 << 30, seconds: 1, trial: None };
/// How long a trial is waited for: on a machine that is busy, a second of processor time can take minutes.
const PATIENCE: Limits = Limits { wall_base: Duration::from_secs(300), wall_per_mib: Duration::ZERO, output: 0, memory: 0 };
/// What must be seen to be refused before anything is read: a file, a socket, a process.
const FIRST: [Probe; 3] = [Probe::File, Probe::Send, Probe::Process];

/// How one trial went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It was refused, and how.
    Refused(String),
    /// It was done.
    Done,
    /// The trial could not be made, which is no proof of anything.
    Unknown(String),
}

/// What came of trying one thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What was tried.
    pub probe: Probe,
    /// In the whole cage.
    pub outcome: Outcome,
    /// The layers each of which refuses it alone.
    pub alone: Vec<Layer>,
}

/// What is known of the cage on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// What the kernel gave, if a worker got that far.
    pub caged: Option<Caged>,
    /// One for each thing that no reader may do.
    pub findings: Vec<Finding>,
}

impl Report {
    /// Whether everything was refused.
    pub fn holds(&self) -> bool {
        self.findings.iter().all(|finding| matches!(finding.outcome, Outcome::Refused(_)))
    }
}

/// Tries everything that no reader may do, in the whole cage and in each layer alone. It takes a few seconds, most of them for the limit on time.
pub fn examine(reader: &Reader) -> Report {
    let mut caged = None;
    let mut copies = Copies { reader: reader.clone(), zygote: None };
    let findings = Probe::ALL.map(|probe| {
        let (outcome, given) = attempt(copies.next(), probe, Layers::ALL);
        caged = caged.or(given);
        // Nothing but a limit ever ends something that only uses what it has.
        let layers = if matches!(probe, Probe::Memory | Probe::Time) { &[Layer::Limits][..] } else { &Layer::ALL[..] };
        let refuses = |layer: &&Layer| {
            matches!(
                attempt(Running::start(reader).map_err(|error| not_started(reader, &error)), probe, Layers::only(**layer)).0,
                Outcome::Refused(_)
            )
        };
        Finding { probe, outcome, alone: layers.iter().filter(refuses).copied().collect() }
    });
    Report { caged, findings: findings.into() }
}

/// Holds the cage of this reader to [`FIRST`], once in the life of the process. An error means that nothing may be read.
pub(super) fn prove(copies: &mut Copies) -> Result<(), Death> {
    static PROVEN: Mutex<Vec<Reader>> = Mutex::new(Vec::new());
    let mut proven = PROVEN.lock().unwrap_or_else(PoisonError::into_inner);
    if proven.contains(&copies.reader) {
        return Ok(());
    }
    for probe in FIRST {
        let words = probe.words();
        match attempt(copies.next(), probe, Layers::ALL).0 {
            Outcome::Refused(_) => {}
            Outcome::Done => return Err(Death::NotStarted(format!("its cage has a hole: it could {words}; `daylight doctor` shows more"))),
            Outcome::Unknown(why) => return Err(Death::NotStarted(why)),
        }
    }
    proven.push(copies.reader.clone());
    Ok(())
}

/// Has a worker try one thing in some layers of the cage.
fn attempt(started: Result<Running, String>, probe: Probe, layers: Layers) -> (Outcome, Option<Caged>) {
    let mut running = match started {
        Ok(running) => running,
        Err(why) => return (Outcome::Unknown(why), None),
    };
    let mut caged = None;
    let heard = hear(&mut running, &Terms { trial: Some(Trial { probe, layers }), ..TERMS }, &mut caged);
    let outcome = match heard {
        Ok(Some(number)) => Outcome::Refused(std::io::Error::from_raw_os_error(number as i32).to_string()),
        Ok(None) => Outcome::Done,
        Err(Death::Forbidden) if caged.is_some() => Outcome::Refused("ended by seccomp".into()),
        Err(Death::Signal(24)) if caged.is_some() && probe == Probe::Time => Outcome::Refused("ended by the limit on time".into()),
        Err(how @ Death::NotStarted(_)) => Outcome::Unknown(how.to_string()),
        Err(how) if caged.is_none() => Outcome::Unknown(format!("the program is no worker, or has too little memory: {how}")),
        Err(how) => Outcome::Unknown(how.to_string()),
    };
    (outcome, caged)
}

fn hear(running: &mut Running, terms: &Terms, caged: &mut Option<Caged>) -> Result<Option<u32>, Death> {
    let (mut outbox, mut inflow, mut clock) = (Outbox::new(&[], terms), Inflow::default(), Clock::new(&PATIENCE, None));
    loop {
        match inflow.next(64 << 10)?.map(|(answer, _)| answer) {
            Some(Answer::Ready(VERSION, given)) if caged.is_none() => *caged = Some(given),
            Some(Answer::Tried(refusal)) if caged.is_some() => return Ok(refusal),
            Some(Answer::Refused(why)) => return Err(Death::NotStarted(why)),
            Some(_) => return Err(Death::Garbled("something that belongs to no trial".into())),
            None => {
                outbox.send(&running.requests);
                let mut ends = [PollFd::new(&running.answers, PollFlags::IN), PollFd::new(&running.requests, PollFlags::OUT)];
                let watched = if outbox.is_empty() { &mut ends[..1] } else { &mut ends[..] };
                let turned = clock.count(|left| poll(watched, Some(left)))?;
                if turned == Ok(0) {
                    return Err(clock.too_slow());
                }
                if !ends[0].revents().is_empty() && inflow.fill(&mut running.answers) == Fill::End {
                    return Err(running.cause_of_death());
                }
            }
        }
    }
}
