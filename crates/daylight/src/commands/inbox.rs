//! The newsroom's end of the intake: keys and directories, collecting, conversations.

mod carry;
mod collect;
mod directory;
mod discard;
mod import;
mod protect;
mod talk;
mod wire;

pub(crate) use carry::carry;
pub(crate) use import::source_of;

use crate::args::inbox::{Directory, Inbox as Asked};
use crate::commands::clear::now;
use crate::place;
use anyhow::{Result, bail};
use daylight_inbox::{Inbox, day_of};
use jiff::Timestamp;
use std::path::Path;
use std::process::ExitCode;

pub(crate) fn run(asked: &Asked) -> Result<ExitCode> {
    match asked {
        Asked::Directory(Directory::Keys(args)) => directory::keys(args),
        Asked::Directory(Directory::New(args)) => directory::new(args),
        Asked::Directory(Directory::Show(args)) => directory::show(args),
        Asked::Collect(args) => collect::collect(args),
        Asked::List(args) => talk::list(args),
        Asked::Read(args) => talk::read(args),
        Asked::Accept(args) => talk::accept(args),
        Asked::Answer(args) => talk::answer(args),
        Asked::Assign(args) => talk::assign(args),
        Asked::Delete(args) => import::delete(args),
        Asked::Discard(args) => discard::discard(args),
        Asked::Import(args) => import::import(args),
        Asked::Protect(args) => protect::protect(args),
    }
}

/// Today's number since 1970-01-01, in UTC.
pub(crate) fn today() -> u32 {
    day_of(now())
}

/// A day's number as a date.
pub(crate) fn date(day: u32) -> String {
    let time = Timestamp::from_second(i64::from(day) * 86_400).map(|time| time.to_string());
    time.ok().and_then(|time| Some(time.split_once('T')?.0.to_owned())).unwrap_or_else(|| format!("day {day}"))
}

/// The inbox of a desk; `create` says whether it is made where there is none.
fn open(desk: &Path, create: bool) -> Result<Inbox> {
    if !desk.join("daylight.toml").exists() {
        bail!("{} is no desk; make one with `daylight init`", desk.display());
    }
    if create {
        return Ok(Inbox::open(desk, today(), &place::tpm())?);
    }
    match Inbox::open_existing(desk, today(), &place::tpm())? {
        Some(inbox) => Ok(inbox),
        None => bail!("nothing was ever collected on {}: see `daylight drop directory keys --help`", desk.display()),
    }
}
