use super::protect::destroyed;
use super::{open, today};
use crate::args::inbox::{Delete, Import};
use crate::commands::clear::now;
use crate::commands::recognise;
use crate::output::{self, count, remark, say};
use crate::place;
use anyhow::{Result, bail};
use daylight_inbox::Inbox;
use daylight_ingest::{Plan, Progress, Which, ingest, open_desk, recognise as recognise_pages};
use daylight_model::{Digest, Name};
use daylight_store::Desk;
use indicatif::HumanBytes;
use serde_json::json;
use std::num::NonZeroUsize;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

/// How far up a document's holders are followed to the file that came.
const DEEPEST: usize = 64;

pub(crate) fn import(args: &Import) -> Result<ExitCode> {
    let mut desk = open_desk(&args.desk)?;
    let mut inbox = open(&args.desk, false)?;
    let one = inbox.find(&args.conversation)?;
    let lease = desk.take_ingest_lease()?;
    // Held until the files are gone: whoever opens the inbox meanwhile leaves them alone.
    let held = inbox.hold("drop import")?;
    let unpacked = inbox.unpack(&held, &args.conversation, (args.doubtful, args.with_texts))?;
    if unpacked.files.0 + unpacked.texts == 0 {
        let what = if args.with_texts { "no whole file and no text to import" } else { "no whole file" };
        bail!("there is {what} in conversation {}; nothing was imported", &one.id.to_string()[..12]);
    }
    let mut detail = format!("collection: {}\nfiles: {}\n", args.collection, unpacked.files.0);
    if args.with_texts {
        detail.push_str(&format!("texts: {}\n", unpacked.texts));
    }
    inbox.link(&held, &args.conversation, &unpacked.token)?;
    desk.audit(now(), &args.who, "imported", &detail, &note(&one.id))?;
    // A crash here leaves a link to documents that are not here, and an entry of them: both go with the conversation.
    daylight_durable::crash_point("inbox.linked");
    let jobs = args.jobs.or(std::thread::available_parallelism().ok()).unwrap_or(NonZeroUsize::MIN);
    let reader = place::reader()?;
    let paths = [unpacked.folder.clone()];
    let plan = Plan { paths: &paths, collection: &args.collection, jobs, reader: &reader, readers: daylight_extract::READERS };
    let progress = Arc::new(Progress::default());
    let summary = ingest(&mut desk, &lease, &plan, &progress)?;
    let collection = desk.create_collection(&args.collection)?;
    let recognition = recognise_pages(&desk, &lease, Which::Collection(collection.id), (jobs, &reader), &progress)?;
    let left_out: Vec<String> = unpacked.left_out.iter().map(|file| Name(file.name.clone()).to_string()).collect();
    let (files, texts, texts_left_out) = (unpacked.files, unpacked.texts, unpacked.texts_left_out);
    drop(unpacked);
    if args.json {
        output::json(
            &json!({"files": files.0, "bytes": files.1, "texts": texts, "texts_left_out": texts_left_out, "documents": summary.documents, "faults": summary.faults, "left_out": left_out,
            "recognition": recognise::as_json(&recognition)}),
        )?;
    } else {
        let and_texts = if args.with_texts { format!(", and {}", count(texts, "text")) } else { String::new() };
        say!("imported {}, {}{and_texts}, as {}", count(files.0, "file"), HumanBytes(files.1), count(summary.documents, "new document"))?;
        if texts_left_out > 0 {
            say!("left out, for they may be somebody else's: {}", count(texts_left_out, "text"))?;
        }
        left_out.iter().try_for_each(|name| say!("left out, for it is not whole or may be somebody else's: {name}"))?;
        recognise::in_words(&recognition)?;
    }
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn delete(args: &Delete) -> Result<ExitCode> {
    let mut desk = open_desk(&args.desk)?;
    let mut inbox = open(&args.desk, false)?;
    let one = inbox.find(&args.conversation)?;
    let short = one.id.to_string()[..12].to_owned();
    if !args.yes {
        bail!(
            "nothing was deleted: --yes says that conversation {short} with its {} is to go",
            count(one.submissions + one.replies, "message")
        );
    }
    let held = inbox.hold("drop delete")?;
    // The audit log first: a crash here leaves a conversation that is still there, to be deleted again.
    let links = unname(&mut desk, &args.who, &one.id)?;
    daylight_durable::crash_point("inbox.notes-emptied");
    if args.only_link {
        inbox.unlink(&held, &args.conversation)?;
        return told(args.json, &json!({"unlinked": links}), &format!("took away what linked {} to it", count(links, "import")));
    }
    let deleted = inbox.delete(&held, &[one.id])?;
    remark(format_args!("{}", destroyed(&inbox, one.days.0)?));
    let value = json!({"deleted": one.id.to_string(), "messages": deleted.messages, "unsent": deleted.unsent, "unlinked": links});
    told(args.json, &value, &format!("deleted {short}: {}; the drop is told by the next collection", count(deleted.messages, "message")))
}

/// What the audit log's entry of an import has as its note: the one place on the desk, beside the inbox, that names a conversation.
fn note(id: &Digest) -> String {
    format!("conversation {id}")
}

/// Empties the notes that name a conversation. Gives how many imports there were.
pub(super) fn unname(desk: &mut Desk, who: &str, id: &Digest) -> Result<u64> {
    let (note, mut named, mut after) = (note(id), Vec::new(), 0);
    loop {
        let entries = desk.audit_log(after, 1000)?;
        let Some(last) = entries.last() else { break };
        after = last.n;
        named.extend(entries.iter().filter(|entry| entry.note == note).map(|entry| entry.n));
    }
    if !named.is_empty() {
        desk.empty_notes(now(), who, &named, "what links documents to a source")?;
    }
    Ok(named.len() as u64)
}

fn told(as_json: bool, value: &serde_json::Value, words: &str) -> Result<ExitCode> {
    if as_json {
        output::json(value)?;
    } else {
        say!("{words}")?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The conversation from which a document came, itself or what it stands in.
pub(crate) fn source_of(desk_path: &Path, desk: &Desk, seq: u64) -> Result<Option<String>> {
    let Some(inbox) = Inbox::open_existing(desk_path, today(), &place::tpm())? else { return Ok(None) };
    let mut next = vec![seq];
    for _ in 0..DEEPEST {
        let mut parents = Vec::new();
        for one in next {
            for (_, path) in desk.roots(one)? {
                if let Some(id) = inbox.conversation_of(&path.0)? {
                    return Ok(Some(id.to_string()));
                }
            }
            parents.extend(desk.parents(one)?.iter().map(|place| place.parent));
        }
        parents.sort_unstable();
        parents.dedup();
        parents.truncate(1000);
        if parents.is_empty() {
            break;
        }
        next = parents;
    }
    Ok(None)
}
