//! A desk's care where catalogue and index meet: whether the index is the catalogue's, and that nothing forgotten is left in it.

use crate::Error;
use crate::indexing::complete_index;
use daylight_index::{Index, IndexError};
use daylight_store::{Alone, CheckOutcome, Desk, Error as StoreError, Finding, ForgetPlan, IngestLease, Order, Repair};
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// How long another process may go on writing the index before it stands in the way.
const PATIENCE: Duration = Duration::from_secs(60);

/// Opens a desk, and before anything else finishes what a killed `forget` left to do. If somebody else is at it now, it is opened as it is.
pub fn open_desk(path: &Path) -> Result<Desk, Error> {
    let mut desk = Desk::open(path)?;
    if desk.is_forgetting()? {
        match desk.take_ingest_lease() {
            Ok(lease) => finish_forgetting(&mut desk, &lease)?,
            Err(StoreError::Held(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(desk)
}

/// Does what is still to be done about what was forgotten: bytes that came again are forgotten again, and traces are removed.
pub(crate) fn finish_forgetting(desk: &mut Desk, lease: &IngestLease) -> Result<(), Error> {
    if !desk.is_forgetting()? {
        return Ok(());
    }
    let alone = match desk.alone(lease) {
        // An editor is clearing, or a backup is being made: the next command finds it still to be done.
        Err(StoreError::Held(_)) => return Ok(()),
        alone => alone?,
    };
    let again = desk.came_again()?;
    if !again.is_empty() {
        let plan = desk.plan_forgetting(&again)?;
        let time = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
        desk.forget(&alone, &plan, &Order { editor: "daylight", why: "the same bytes came again", time })?;
    }
    remove_traces(desk, &alone)
}

/// Forgets what is planned, in every file of the desk.
pub fn forget(desk: &mut Desk, lease: &IngestLease, plan: &ForgetPlan, order: &Order<'_>) -> Result<(), Error> {
    {
        let alone = desk.alone(lease)?;
        desk.forget(&alone, plan, order)?;
        remove_traces(desk, &alone)?;
    }
    complete_index(desk)?;
    Ok(())
}

/// What the catalogue's transaction left in files: packs and blobs that nothing names, the index, conversations, the catalogue's own free pages.
fn remove_traces(desk: &mut Desk, alone: &Alone<'_>) -> Result<(), Error> {
    desk.sweep(alone)?;
    erase_index(desk)?;
    desk.rethread()?;
    desk.relate()?;
    Ok(desk.settle(alone)?)
}

/// Deletes the index. A search may be bringing it up to the catalogue as it was: it is waited for.
fn erase_index(desk: &Desk) -> Result<(), Error> {
    let since = Instant::now();
    loop {
        match Index::erase(&desk.index_dir()) {
            Err(IndexError::Busy) if since.elapsed() < PATIENCE => sleep(Duration::from_millis(100)),
            done => return Ok(done?),
        }
    }
}

/// Checks that the index holds the catalogue's documents and no others, and makes it anew if not, unless this is only a look.
pub fn check_index(desk: &Desk, _lease: &IngestLease, repair: Repair, tell: &mut dyn FnMut(Finding)) -> Result<(), Error> {
    if repair == Repair::Look {
        return look_at_index(desk, tell);
    }
    let Some(why) = trouble(desk)? else { return Ok(()) };
    Index::recreate(&desk.index_dir())?;
    complete_index(desk)?;
    let place = desk.index_dir().display().to_string();
    let finding = match trouble(desk)? {
        None => Finding { outcome: CheckOutcome::Repaired, place, what: format!("{why}: made anew from the catalogue"), document: None },
        Some(still) => Finding { outcome: CheckOutcome::Damaged, place, what: format!("{why}: made anew, and {still}"), document: None },
    };
    tell(finding);
    Ok(())
}

fn look_at_index(desk: &Desk, tell: &mut dyn FnMut(Finding)) -> Result<(), Error> {
    let place = desk.index_dir().display().to_string();
    let mut say = |outcome, what: String| tell(Finding { outcome, place: place.clone(), what, document: None });
    let why = match whole(desk)? {
        Ok(Some(index)) if index.committed()? < desk.latest_change()? => {
            say(CheckOutcome::Noted, "it lacks the last changes, which it is given before anybody searches; it was not compared".into());
            return Ok(());
        }
        Ok(Some(index)) => compare(desk, &index)?,
        Ok(None) => None,
        Err(why) => Some(why),
    };
    if let Some(why) = why {
        say(CheckOutcome::Repairable, format!("{why}: it would be made anew from the catalogue"));
    }
    Ok(())
}

/// What is wrong with the index, if anything. That it only lacks the last changes is not wrong: it is given them.
fn trouble(desk: &Desk) -> Result<Option<String>, Error> {
    match whole(desk)? {
        Ok(Some(_)) => compare(desk, &complete_index(desk)?),
        Ok(None) => Ok(None),
        Err(why) => Ok(Some(why)),
    }
}

/// The index, if its files are whole and it is not ahead of the catalogue; `None` if there is nothing to be indexed yet. The inner error says what is wrong.
fn whole(desk: &Desk) -> Result<Result<Option<Index>, String>, Error> {
    let folder = desk.index_dir();
    match Index::open(&folder) {
        Ok(index) => {
            let damaged = index.damaged_files()?;
            if let Some(first) = damaged.first() {
                return Ok(Err(format!("{} of its files are damaged, among them {first}", damaged.len())));
            }
            if index.committed()? > desk.latest_change()? {
                return Ok(Err("it is ahead of the catalogue".into()));
            }
            Ok(Ok(Some(index)))
        }
        Err(IndexError::Missing(_)) if desk.latest_change()? == 0 => Ok(Ok(None)),
        Err(IndexError::Missing(_)) => Ok(Err("it was not there".into())),
        Err(IndexError::Rebuild(why)) => Ok(Err(why)),
        Err(error) => Err(error.into()),
    }
}

fn compare(desk: &Desk, index: &Index) -> Result<Option<String>, Error> {
    let mut wanted = Vec::new();
    desk.each_document(&mut |seq| set(&mut wanted, seq))?;
    let (mut lacking, mut extra) = (0_u64, 0_u64);
    let mut seen = Vec::new();
    index.each_seq(&mut |seq| {
        extra += u64::from(!has(&wanted, seq) || has(&seen, seq));
        set(&mut seen, seq);
    })?;
    for (word, bits) in wanted.iter().enumerate() {
        lacking += u64::from((bits & !seen.get(word).copied().unwrap_or(0)).count_ones());
    }
    Ok((lacking + extra > 0).then(|| format!("it lacked {lacking} documents and had {extra} that are not in the catalogue")))
}

/// Numbers of documents are dense: one bit each.
fn set(bits: &mut Vec<u64>, seq: u64) {
    let word = usize::try_from(seq / 64).unwrap_or(usize::MAX / 2);
    if bits.len() <= word {
        bits.resize(word + 1, 0);
    }
    bits[word] |= 1 << (seq % 64);
}

fn has(bits: &[u64], seq: u64) -> bool {
    usize::try_from(seq / 64).ok().and_then(|word| bits.get(word)).is_some_and(|bits| bits >> (seq % 64) & 1 == 1)
}
