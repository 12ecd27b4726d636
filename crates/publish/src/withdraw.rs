//! Withdrawing what was published: which lines that is, what else is touched by it, and the note that k editors sign. `docs/archive-format.md` has the
//! note; erasing is the business of whoever keeps a copy.

mod touched;

use crate::commit::Addition;
use crate::entries::{Logged, log};
use crate::request::{Kind, Request};
use crate::{Error, Result, Witnessing};
use daylight_archive::Archive;
use daylight_archive::archive::Standing;
use daylight_archive::withdraw::{Copies, WithdrawNote, WithdrawnDocument, WithdrawnLine};
use daylight_durable::crash_point;
use daylight_review::Desk;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
pub use touched::{Touched, parts_within, touched};

/// What is to be withdrawn.
#[derive(Debug, Clone)]
pub struct Withdrawing<'a> {
    /// The archive's folder.
    pub archive: &'a Path,
    /// The collection.
    pub collection: &'a str,
    /// The numbers of the documents.
    pub numbers: &'a BTreeSet<u64>,
    /// Withdraws only what later lines replaced; the newest line of each stays.
    pub only_replaced: bool,
    /// What copies are asked to do.
    pub copies: Copies,
    /// The document to read instead.
    pub successor: Option<(String, u64)>,
    /// Why, in words for everybody.
    pub reason: &'a str,
    /// The time, in seconds since 1970-01-01T00:00:00Z.
    pub now: u64,
}

/// Asks the editors to withdraw documents. Errors: one of them was never published, or there is nothing of it to withdraw.
pub fn ask(what: &Withdrawing<'_>) -> Result<Request> {
    let archive = Archive::open(what.archive)?;
    if let Some((collection, number)) = &what.successor
        && !matches!(archive.standing(collection, *number)?, Some(Standing::Published { .. }))
    {
        return Err(Error::NotWithdrawable { id: format!("{collection}/{number}"), why: "cannot be the successor: it is not published" });
    }
    let note = WithdrawNote {
        origin: archive.origin().to_owned(),
        serial: archive.next_entry_serial(),
        root: archive.root_digest(),
        time: i64::try_from(what.now).unwrap_or(i64::MAX),
        collection: what.collection.to_owned(),
        copies: what.copies,
        successor: what.successor.clone(),
        reason: what.reason.to_owned(),
        documents: documents(&archive, what)?,
    };
    Ok(Request::other(archive.chain(), &note.text().map_err(Error::format)?)?)
}

/// The documents with the lines of each that are to be withdrawn.
fn documents(archive: &Archive, what: &Withdrawing<'_>) -> Result<Vec<WithdrawnDocument>> {
    let mut places: BTreeMap<u64, Vec<(u64, u64)>> = BTreeMap::new();
    for number in what.numbers {
        places.insert(*number, lines_of(archive, what, *number)?);
    }
    let mut said = said(archive, places.values().flatten().copied())?;
    let document = |(number, places): (u64, Vec<(u64, u64)>)| {
        let lines = places.iter().filter_map(|place| said.remove(place)).collect();
        WithdrawnDocument { number, lines }
    };
    Ok(places.into_iter().map(document).collect())
}

/// Where the lines stand of a document that are to be withdrawn.
fn lines_of(archive: &Archive, what: &Withdrawing<'_>, number: u64) -> Result<Vec<(u64, u64)>> {
    let refused = |why| Error::NotWithdrawable { id: format!("{}/{number}", what.collection), why };
    let history = archive.history(what.collection, number)?;
    if history.is_empty() {
        return Err(refused("was never published in this archive"));
    }
    let counts = archive.find(what.collection, number)?;
    let due = |place: &(u64, u64)| match archive.withdrawn_line(place.0, place.1) {
        None => !what.only_replaced || Some(*place) != counts,
        // What is only marked can still be asked to be erased.
        Some(before) => what.copies == Copies::Erase && !before.erase,
    };
    let lines: Vec<(u64, u64)> = history.into_iter().filter(due).collect();
    match lines.is_empty() {
        true if what.only_replaced => Err(refused("has no earlier rendition that is not withdrawn")),
        true => Err(refused("is withdrawn already")),
        false => Ok(lines),
    }
}

/// What a withdrawal says of lines, by release and line. Each release's manifest is read once.
fn said(archive: &Archive, places: impl Iterator<Item = (u64, u64)>) -> Result<BTreeMap<(u64, u64), WithdrawnLine>> {
    let mut by_release: BTreeMap<u64, BTreeSet<u64>> = BTreeMap::new();
    for (serial, line) in places {
        by_release.entry(serial).or_default().insert(line);
    }
    let mut said = BTreeMap::new();
    for (serial, lines) in by_release {
        said.extend(archive.to_withdraw(serial, &lines)?.into_iter().map(|(line, one)| ((serial, line), one)));
    }
    Ok(said)
}

/// Logs a withdrawal that enough have signed. Killed at any instant and called again, it ends the same bytes.
///
/// The order is: the desk, if one is given, so that it does not publish again what is about to be withdrawn; the note; the log's entry and tiles; what the
/// log's key signs, beside the key; `checkpoint.pending`, which commits; `checkpoint`. Errors: too few signed, the archive moved on, or what the note says
/// of a line is not so.
pub fn enact(
    desk: Option<&mut Desk>,
    archive: &Path,
    log_key: &Path,
    request: &Request,
    now: u64,
    witnessing: Option<&Witnessing>,
) -> Result<Logged> {
    if request.kind() != Kind::Withdraw {
        return Err(Error::OtherKind(request.kind().word()));
    }
    let note = WithdrawNote::parse_text(request.text()).map_err(Error::format)?;
    let mut desk = desk;
    let mut check = |archive: &Archive| {
        check_so(archive, &note)?;
        match &mut desk {
            Some(desk) => tell_desk(desk, archive, request, &note, now),
            None => Ok(()),
        }
    };
    log(archive, (log_key, witnessing), request, Addition::withdrawal, &mut check)
}

/// Whoever made the request may have been mistaken, or worse: what is signed is compared with what is published.
fn check_so(archive: &Archive, note: &WithdrawNote) -> Result<()> {
    let lines = || note.documents.iter().flat_map(|document| document.lines.iter().map(move |line| (document.number, line)));
    let said = said(archive, lines().map(|(_, line)| (line.release, line.line)))?;
    for (number, line) in lines() {
        let history = archive.history(&note.collection, number)?;
        if said.get(&(line.release, line.line)) != Some(line) || !history.contains(&(line.release, line.line)) {
            let why = "is not what the withdrawal says of it; ask for its withdrawal anew";
            return Err(Error::NotWithdrawable { id: format!("{}/{number}", note.collection), why });
        }
    }
    Ok(())
}

/// Notes on the desk what is withdrawn with all its lines.
fn tell_desk(desk: &mut Desk, archive: &Archive, request: &Request, note: &WithdrawNote, now: u64) -> Result<()> {
    if desk.collection(&note.collection).map_err(daylight_review::Error::from)?.is_none() {
        return Ok(());
    }
    let mut numbers = Vec::new();
    for document in &note.documents {
        let counts = archive.find(&note.collection, document.number)?;
        if counts.is_none_or(|(serial, line)| document.lines.iter().any(|one| (one.release, one.line) == (serial, line))) {
            numbers.push(document.number);
        }
    }
    let signed: BTreeSet<String> = request.standing()?.ways.into_iter().flatten().flat_map(|(_, signed)| signed).collect();
    let editors: String = signed.into_iter().collect::<Vec<_>>().join(", ").chars().take(100).collect();
    let reason = note.reason.trim();
    daylight_review::withdraw(desk, &note.collection, archive.origin(), &numbers, editors.trim(), reason, now)?;
    // A crash here leaves a desk that holds the documents back, and an archive in which they are still published.
    crash_point("publish.desk-told");
    Ok(())
}
