//! `withdraw`, `erase` and `heartbeat`: what is logged of documents that are taken back, and of an archive that lives.

use crate::args::{self, EntrySigning};
use crate::commands::clear::now;
use crate::commands::publish::{collected, signing_key};
use crate::commands::search::plain;
use crate::commands::witness::asking;
use crate::output::{self, count, remark, say};
use crate::place::Place;
use anyhow::{Context, Result, bail};
use daylight_archive::release::format_time;
use daylight_archive::withdraw::{Copies, WithdrawNote};
use daylight_ingest::open_desk;
use daylight_mirror::erase::{Erased, erase_withdrawn, hold};
use daylight_publish::request::Request;
use daylight_publish::withdraw::{Touched, Withdrawing, ask, enact, parts_within, touched};
use daylight_publish::{Logged, ask_heartbeat, log_heartbeat, write_request};
use daylight_store::Desk;
use indicatif::HumanBytes;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// So many documents of a sort are named.
const NAMED: usize = 10;

pub(crate) fn withdraw(args: &args::Withdraw) -> Result<ExitCode> {
    let mut place = Where::of(args)?;
    let (request, touched) = match args.signing.finish.is_empty() {
        true => {
            let (request, touched) = asked(args, &place.archive)?;
            (request, Some(touched))
        }
        false => (collected(&args.signing.finish)?, None),
    };
    let Some(request) = complete(&args.signing, request)? else { return Ok(ExitCode::SUCCESS) };
    let log_key = place.log_key.clone().context("name the key of the archive's log with --log-key, or the desk and --to ARCHIVE")?;
    let logged = enact(place.desk.as_mut(), &place.archive, &log_key, &request, now(), Some(&asking(&args.signing.asking)?))?;
    logged.warnings.iter().for_each(|warning| remark(format_args!("{warning}")));
    let note = WithdrawNote::parse_text(request.text())?;
    let erased = match note.copies {
        Copies::Erase => Some(erase_here(&place.archive)?),
        Copies::Keep => None,
    };
    if args.signing.json {
        let value = json!({"logged": logged_json(&logged), "withdrawn": withdrawal_json(&note), "erased": erased.map(erased_json),
            "touched": touched.as_ref().map(|touched| touched_json(&note.collection, touched))});
        output::json(&value)?;
    } else {
        in_words(&logged, &note, erased, touched.as_ref())?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Which archive is meant, and what of its desk is at hand.
struct Where {
    desk: Option<Desk>,
    archive: PathBuf,
    log_key: Option<PathBuf>,
}

impl Where {
    fn of(args: &args::Withdraw) -> Result<Self> {
        match Place::of(&args.place)? {
            Place::Desk => {
                let desk = open_desk(&args.place)?;
                let archive = args.to.clone().context("name the archive's folder with --to ARCHIVE")?;
                let log_key = args.log_key.clone().unwrap_or_else(|| desk.path().join("log.key"));
                Ok(Self { desk: Some(desk), archive, log_key: Some(log_key) })
            }
            Place::Archive if args.to.is_some() => bail!("{} is an archive: --to is for desks", args.place.display()),
            Place::Archive => Ok(Self { desk: None, archive: args.place.clone(), log_key: args.log_key.clone() }),
        }
    }
}

fn asked(args: &args::Withdraw, archive: &Path) -> Result<(Request, Touched)> {
    let mut collections = BTreeSet::new();
    let mut numbers = BTreeSet::new();
    for id in &args.ids {
        let (collection, number) = document_id(id)?;
        collections.insert(collection);
        numbers.insert(number);
    }
    let [collection] = &collections.into_iter().collect::<Vec<_>>()[..] else {
        bail!("a withdrawal is of one collection: name the documents of each in a withdrawal of its own");
    };
    if args.with_parts {
        let parts = parts_within(archive, collection, &numbers)?;
        for (number, title) in &parts {
            remark(format_args!("{collection}/{number} stands in it and is withdrawn with it: {}", plain(title)));
        }
        numbers.extend(parts.into_keys());
    }
    let what = Withdrawing {
        archive,
        collection,
        numbers: &numbers,
        only_replaced: args.replaced,
        copies: if args.erase { Copies::Erase } else { Copies::Keep },
        successor: args.successor.as_deref().map(document_id).transpose()?.map(|(collection, number)| (collection.to_owned(), number)),
        reason: args.reason.as_deref().unwrap_or_default(),
        now: now(),
    };
    let request = ask(&what)?;
    // What a correction replaced has nothing beside it: its document stays.
    let touched = if args.replaced { Touched::default() } else { touched(archive, collection, &numbers)? };
    if !args.signing.json {
        warn(collection, &touched);
    }
    Ok((request, touched))
}

/// `collection/number`.
pub(crate) fn document_id(id: &str) -> Result<(&str, u64)> {
    id.split_once('/')
        .and_then(|(collection, number)| Some((collection, number.parse().ok()?)))
        .with_context(|| format!("{} is no document of an archive: write COLLECTION/NUMBER, such as council/17", plain(id)))
}

/// Signs with the keys that were given. Where they are too few it writes the request, says so and gives nothing.
pub(crate) fn complete(signing: &EntrySigning, mut request: Request) -> Result<Option<Request>> {
    for file in &signing.key {
        let key = signing_key(file, signing.passphrase_file.as_deref())?;
        if let Some(warning) = key.warning() {
            remark(format_args!("{warning}"));
        }
        request.sign(key.signer())?;
    }
    let standing = request.standing()?;
    if standing.complete() || !signing.finish.is_empty() {
        return Ok(Some(request));
    }
    let kind = request.kind().word();
    let daylight_publish::request::Statement::Other { serial } = *request.statement() else { bail!("not a request for an entry") };
    let file = signing.request.clone().unwrap_or_else(|| PathBuf::from(format!("{kind}-{serial}.request")));
    write_request(&file, &mut request)?;
    if signing.json {
        let waiting = json!({"request": file.display().to_string(), "signatures": standing.words()});
        output::json(&json!({"logged": null, "waiting": waiting}))?;
        return Ok(None);
    }
    say!("{kind} {serial} waits for signatures:")?;
    for line in standing.words() {
        say!("  {line}")?;
    }
    say!("each of them signs a copy of {0}: daylight sign {0} --key FILE", file.display())?;
    say!("then: the same command with --finish {} for each copy", file.display())?;
    Ok(None)
}

fn erase_here(archive: &Path) -> Result<Erased> {
    let _held = hold(archive)?;
    Ok(erase_withdrawn(archive)?)
}

pub(crate) fn erase(args: &args::Erase) -> Result<ExitCode> {
    let erased = erase_here(&args.archive)?;
    if args.json {
        output::json(&erased_json(erased))?;
    } else {
        erased_words(erased)?;
    }
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn heartbeat(args: &args::Heartbeat) -> Result<ExitCode> {
    let request = match args.signing.finish.is_empty() {
        true => ask_heartbeat(&args.archive, now())?,
        false => collected(&args.signing.finish)?,
    };
    let Some(request) = complete(&args.signing, request)? else { return Ok(ExitCode::SUCCESS) };
    let log_key = args.log_key.as_deref().context("name the key of the archive's log with --log-key, such as DESK/log.key")?;
    let logged = log_heartbeat(&args.archive, log_key, &request, Some(&asking(&args.signing.asking)?))?;
    logged.warnings.iter().for_each(|warning| remark(format_args!("{warning}")));
    if args.signing.json {
        output::json(&json!({"logged": logged_json(&logged)}))?;
    } else {
        let already = if logged.already { " already" } else { "" };
        say!("heartbeat {} of {} is{already} in the log, size {}", logged.serial, logged.origin, logged.size)?;
    }
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn logged_json(logged: &Logged) -> Value {
    json!({"origin": logged.origin, "serial": logged.serial, "log_size": logged.size, "already": logged.already})
}

fn erased_json(erased: Erased) -> Value {
    json!({"lines": erased.lines, "before": erased.before, "bytes": erased.bytes, "kept": erased.kept})
}

fn touched_json(collection: &str, touched: &Touched) -> Value {
    let ids = |numbers: &BTreeSet<u64>| numbers.iter().map(|number| format!("{collection}/{number}")).collect::<Vec<_>>();
    let same: Vec<String> = touched.same.iter().map(|(collection, number)| format!("{collection}/{number}")).collect();
    json!({"stands_in": ids(&touched.holders), "holds": ids(&touched.parts), "same_bytes": same})
}

/// What a withdrawal says, as JSON.
pub(crate) fn withdrawal_json(note: &WithdrawNote) -> Value {
    let ids: Vec<String> = note.documents.iter().map(|document| format!("{}/{}", note.collection, document.number)).collect();
    let successor = note.successor.as_ref().map(|(collection, number)| format!("{collection}/{number}"));
    json!({"serial": note.serial, "time": format_time(note.time), "reason": note.reason, "successor": successor, "copies": note.copies.word(),
        "documents": ids})
}

/// When and why something was withdrawn, and what to read instead.
pub(crate) fn withdrawal_words(note: &WithdrawNote) -> Result<()> {
    let date = format_time(note.time).unwrap_or_default();
    say!("withdrawn on {}, because: {}", date.split('T').next().unwrap_or_default(), plain(&note.reason))?;
    match &note.successor {
        Some((collection, number)) => say!("read instead: {collection}/{number}"),
        None => Ok(()),
    }
}

fn in_words(logged: &Logged, note: &WithdrawNote, erased: Option<Erased>, touched: Option<&Touched>) -> Result<()> {
    let documents = count(note.documents.len() as u64, "document");
    let already = if logged.already { "already in the log" } else { "in the log" };
    say!(
        "withdrew {documents} of {}: withdrawal {} is {already} of {}, size {}",
        note.collection,
        logged.serial,
        logged.origin,
        logged.size
    )?;
    withdrawal_words(note)?;
    if let Some(erased) = erased {
        erased_words(erased)?;
    }
    let stays = touched.is_some_and(|touched| *touched != Touched::default());
    if stays { say!("what was named above stays published") } else { Ok(()) }
}

fn erased_words(erased: Erased) -> Result<()> {
    say!("erased {}, {} of documents", count(erased.lines, "line"), HumanBytes(erased.bytes))?;
    if erased.before > 0 {
        say!("{} erased before", count(erased.before, "line"))?;
    }
    if erased.kept > 0 {
        say!("{} kept, because documents that are not withdrawn have the same bytes", count(erased.kept, "file"))?;
    }
    Ok(())
}

/// Tells what stays published and has to do with what is withdrawn.
fn warn(collection: &str, touched: &Touched) {
    let ids = |numbers: &BTreeSet<u64>| numbers.iter().map(|number| format!("{collection}/{number}")).collect::<Vec<_>>();
    let same = touched.same.iter().map(|(collection, number)| format!("{collection}/{number}")).collect();
    let sorts = [
        (ids(&touched.holders), "stays published, and its bytes hold what is withdrawn"),
        (ids(&touched.parts), "stays published, and stood in what is withdrawn"),
        (same, "stays published, and has the same bytes"),
    ];
    for (ids, what) in sorts {
        for id in ids.iter().take(NAMED) {
            remark(format_args!("{id} {what}"));
        }
        if ids.len() > NAMED {
            remark(format_args!("and {} more of the kind: --json names all", ids.len() - NAMED));
        }
    }
}
