//! `retry` and `unlock`: reading again what is on the desk.

use crate::args;
use crate::output::{self, count, say};
use crate::place;
use crate::progress::Drawing;
use anyhow::{Context, Result, bail};
use daylight_ingest::{Progress, Rereading, Retried, Retry, Unlocked, Wanted, open_desk, retry as run_retry, unlock as run_unlock};
use daylight_store::{Collection, Desk};
use serde_json::json;
use std::fs::File;
use std::io::{self, Read};
use std::num::NonZeroUsize;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

/// No list of passwords is longer, in bytes.
const LARGEST_LIST: u64 = 16 << 20;
/// No password is longer, in bytes.
const LONGEST_PASSWORD: usize = 1024;

pub(crate) fn retry(args: &args::Retry) -> Result<ExitCode> {
    let mut desk = open_desk(&args.desk)?;
    let lease = desk.take_ingest_lease()?;
    let collection = collection(&desk, args.collection.as_deref())?;
    let ids = resolve(&desk, &args.ids)?;
    let which = match (ids.is_empty(), args.outdated) {
        (false, _) => Wanted::These(&ids),
        (true, true) => Wanted::Outdated,
        (true, false) => Wanted::Faulty(args.reason),
    };
    let reader = place::reader()?;
    let how = Retry { which, collection: collection.as_ref(), jobs: jobs(args.jobs), reader: &reader, readers: daylight_extract::READERS };
    let retried = drawn(|progress| Ok(run_retry(&mut desk, &lease, &how, progress)?))?;
    if args.json {
        let mut value = json_of(&retried.again);
        for (name, number) in
            [("asked", retried.asked), ("solved", retried.solved), ("files_missing", retried.missing), ("files_opened", retried.opened)]
        {
            value[name] = number.into();
        }
        output::json(&value)?;
    } else {
        retry_words(&retried, args)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn retry_words(retried: &Retried, args: &args::Retry) -> Result<()> {
    let with = match (args.reason, args.outdated) {
        (Some(reason), _) => format!(" with the fault \"{}\"", reason.words()),
        (None, true) => " read by an older reader".into(),
        (None, false) if args.ids.is_empty() => " worth another try".into(),
        (None, false) => String::new(),
    };
    let without = match (args.reason, args.outdated) {
        (Some(_), _) => "have it no longer",
        (None, true) => "are read by today's",
        (None, false) => "could be read whole",
    };
    say!("{}{with}, of which {} {without}", count(retried.asked, "document"), output::thousands(retried.solved))?;
    if retried.opened > 0 {
        say!("{} could be opened now", count(retried.opened, "file"))?;
    }
    if retried.missing > 0 {
        say!("{} cannot be opened where they were found", count(retried.missing, "file"))?;
    }
    words_of(&retried.again)
}

pub(crate) fn unlock(args: &args::Unlock) -> Result<ExitCode> {
    let desk = open_desk(&args.desk)?;
    let passwords = args.password_file.as_deref().map(passwords).transpose()?.unwrap_or_default();
    let lease = desk.take_ingest_lease()?;
    let collection = collection(&desk, args.collection.as_deref())?;
    let ids = resolve(&desk, &args.ids)?;
    let which = if ids.is_empty() { Wanted::Faulty(None) } else { Wanted::These(&ids) };
    let reader = place::reader()?;
    let how = Retry { which, collection: collection.as_ref(), jobs: jobs(args.jobs), reader: &reader, readers: daylight_extract::READERS };
    let unlocked = drawn(|progress| Ok(run_unlock(&desk, &lease, &how, (&passwords, args.from_trove), progress)?))?;
    if args.json {
        let mut value = json_of(&unlocked.again);
        for (name, number) in [("asked", unlocked.asked), ("opened", unlocked.opened), ("passwords_tried", unlocked.passwords)] {
            value[name] = number.into();
        }
        output::json(&value)?;
    } else {
        unlock_words(&unlocked)?;
    }
    let in_vain = unlocked.asked > 0 && unlocked.opened == 0;
    Ok(if in_vain { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn unlock_words(unlocked: &Unlocked) -> Result<()> {
    if unlocked.asked == 0 {
        return say!("nothing is encrypted");
    }
    say!(
        "{} encrypted, {} tried: {} opened",
        count(unlocked.asked, "document"),
        count(unlocked.passwords, "password"),
        output::thousands(unlocked.opened)
    )?;
    if unlocked.opened > 0 {
        say!("the passwords that opened them are kept on the desk")?;
    }
    words_of(&unlocked.again)
}

fn words_of(again: &Rereading) -> Result<()> {
    say!("{} read again, {} of them with another outcome", count(again.documents_read, "document"), output::thousands(again.changed))?;
    if again.documents + again.gone > 0 {
        say!("{} new, {} gone that they took the place of", count(again.documents, "document"), output::thousands(again.gone))?;
    }
    if again.kept > 0 {
        say!("{} kept beside what is new, because somebody decided on them", count(again.kept, "document"))?;
    }
    if again.worse > 0 {
        say!("{} gave less than before: what was read before stays", count(again.worse, "document"))?;
    }
    Ok(())
}

fn json_of(again: &Rereading) -> serde_json::Value {
    json!({
        "read_again": again.documents_read,
        "changed": again.changed,
        "worse": again.worse,
        "documents": again.documents,
        "gone": again.gone,
        "kept": again.kept,
    })
}

fn drawn<T>(work: impl FnOnce(&Arc<Progress>) -> Result<T>) -> Result<T> {
    let progress = Arc::new(Progress::default());
    let drawing = Drawing::start(Arc::clone(&progress));
    let result = work(&progress);
    drawing.finish();
    result
}

fn jobs(named: Option<NonZeroUsize>) -> NonZeroUsize {
    named.or(std::thread::available_parallelism().ok()).unwrap_or(NonZeroUsize::MIN)
}

fn collection(desk: &Desk, name: Option<&str>) -> Result<Option<Collection>> {
    let Some(name) = name else { return Ok(None) };
    let found = desk.collection(name)?;
    Ok(Some(found.with_context(|| format!("there is no collection `{name}` on this desk; `daylight status` lists them"))?))
}

fn resolve(desk: &Desk, ids: &[String]) -> Result<Vec<u64>> {
    ids.iter().map(|id| Ok(desk.resolve(id)?)).collect()
}

/// The lines of a file of passwords. What is in it is never told, not even in an error.
fn passwords(path: &Path) -> Result<Vec<String>> {
    let mut bytes = Vec::new();
    let unreadable = || format!("cannot read the passwords in {}", path.display());
    if path == Path::new("-") {
        io::stdin().lock().take(LARGEST_LIST + 1).read_to_end(&mut bytes).context("cannot read the passwords from standard input")?;
    } else {
        let file = File::open(path).with_context(unreadable)?;
        let mode = file.metadata().with_context(unreadable)?.permissions().mode();
        if mode & 0o004 != 0 {
            output::remark(format_args!("anybody on this machine can read {}: `chmod 600` it", path.display()));
        }
        file.take(LARGEST_LIST + 1).read_to_end(&mut bytes).with_context(unreadable)?;
    }
    if bytes.len() as u64 > LARGEST_LIST {
        bail!("the list of passwords has more than {LARGEST_LIST} bytes; try a part of it");
    }
    let text = String::from_utf8(bytes).map_err(|_| anyhow::anyhow!("the list of passwords is not UTF-8; save it as that"))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let mut passwords = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        match line.len() {
            0 => {}
            1..=LONGEST_PASSWORD => passwords.push(line.to_owned()),
            _ => bail!("line {number} of the list of passwords has more than {LONGEST_PASSWORD} bytes; no password is that long"),
        }
    }
    if passwords.is_empty() {
        bail!("there is no password in the list; write one on each line");
    }
    Ok(passwords)
}
