//! `show`: one document, its facts, its text or its bytes.

use crate::args;
use crate::commands::search::{people, plain};
use crate::output::{self, say};
use crate::place::Place;
use crate::when;
use anyhow::{Context, Result, bail};
use daylight_archive::record::Role as FileRole;
use daylight_archive::{Archive, Line};
use daylight_model::reading::plain_text;
use daylight_model::{Date, Fault, Name, Verdict};
use daylight_store::{Desk, Document};
use serde_json::{Value, json};
use std::io::{self, Read, Write};
use std::process::ExitCode;

/// Of the characters that a name may not have, those that a text may.
const KEPT: [char; 5] = ['\n', '\t', '\\', '\u{200e}', '\u{200f}'];

pub(crate) fn show(args: &args::Show) -> Result<ExitCode> {
    match Place::of(&args.place)? {
        Place::Desk => from_desk(args)?,
        Place::Archive => from_archive(args)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn from_desk(args: &args::Show) -> Result<()> {
    let desk = Desk::open(&args.place)?;
    let seq = desk.resolve(&args.id)?;
    if args.raw {
        return copy(&mut desk.raw(seq)?);
    }
    let text = desk_text(&desk, seq)?;
    if args.text {
        return text_out(&text);
    }
    let document = desk.document(seq)?;
    let facts = desk_facts(&desk, &document)?;
    if args.json {
        return output::json(&facts);
    }
    in_words(&facts, &text)
}

/// A desk document's text, hidden parts marked as such.
fn desk_text(desk: &Desk, seq: u64) -> Result<String> {
    Ok(plain_text(&desk.text(seq)?))
}

fn desk_facts(desk: &Desk, document: &Document) -> Result<Value> {
    let seq = document.seq;
    let short = |seq: u64| desk.short_id(seq);
    let parents = desk
        .parents(seq)?
        .iter()
        .map(|one| Ok(json!({"id": short(one.parent)?, "name": one.name.as_ref().map(ToString::to_string)})))
        .collect::<Result<Vec<_>>>()?;
    let children = desk
        .children(seq)?
        .iter()
        .map(|one| Ok(json!({"id": short(one.child)?, "name": one.name.as_ref().map(ToString::to_string)})))
        .collect::<Result<Vec<_>>>()?;
    let thread = match desk.thread_of(seq)? {
        Some(thread) => desk
            .thread_members(thread)?
            .iter()
            .map(|node| Ok(json!({"id": short(node.seq)?, "depth": node.depth})))
            .collect::<Result<Vec<_>>>()?,
        None => Vec::new(),
    };
    let message = document.message.clone().unwrap_or_default();
    let roots: Vec<Value> =
        desk.roots(seq)?.iter().map(|(collection, path)| json!({"collection": collection, "path": path.to_string()})).collect();
    Ok(json!({
        "id": document.id.to_string(),
        "kind": document.kind.word(),
        "title": document.title,
        "media_type": document.media_type,
        "length": document.length,
        "sha256": document.blob.map(|digest| digest.to_string()),
        "dates": dates(if message.dates.is_empty() { document.date.as_slice() } else { &message.dates }),
        "people": people(&message.people),
        "message_id": message.message_id,
        "names": document.names.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "collections": document.collections,
        "found_at": roots,
        "stands_in": parents,
        "holds": children,
        "conversation": thread,
        "counted": document.counted.map(|counted| json!({"expected": counted.expected, "read": counted.read, "failed": counted.failed})),
        "signatures": signatures(&document.all_verdicts()),
        "faults": faults(&document.faults),
    }))
}

fn from_archive(args: &args::Show) -> Result<()> {
    let archive = Archive::open(&args.place)?;
    let line = find(&archive, &args.id)?;
    if args.raw || args.text {
        let role = if args.raw { FileRole::Raw } else { FileRole::Text };
        let file = line.record.file(&role).with_context(|| format!("{} was published without its {}", args.id, role.word()))?;
        return copy(&mut archive.open_file(file)?);
    }
    let facts = archive_facts(&args.id, &line);
    if args.json {
        return output::json(&facts);
    }
    let text = match line.record.file(&FileRole::Text) {
        Some(file) => String::from_utf8_lossy(&archive.bytes(file)?).into_owned(),
        None => String::new(),
    };
    in_words(&facts, &text)
}

fn find(archive: &Archive, id: &str) -> Result<Line> {
    let parts = id.rsplit_once('/').and_then(|(collection, number)| Some((collection, number.parse::<u64>().ok()?)));
    let (collection, number) = parts.with_context(|| format!("`{id}` does not name a document of an archive: write COLLECTION/NUMBER"))?;
    let Some((serial, line)) = archive.find(collection, number)? else {
        bail!("the archive has no document {id}; `daylight search` finds those there are");
    };
    Ok(archive.record(serial, line)?)
}

fn archive_facts(id: &str, line: &Line) -> Value {
    let record = &line.record;
    let files: Vec<Value> = record
        .files
        .iter()
        .map(|file| json!({"role": file.role.word(), "sha256": file.sha256.to_string(), "length": file.length, "media_type": file.media_type}))
        .collect();
    json!({
        "id": id,
        "release": line.serial,
        "kind": record.kind.word(),
        "title": record.title,
        "media_type": record.media_type,
        "dates": dates(&record.dates),
        "people": people(&record.people),
        "names": record.names().map(ToString::to_string).collect::<Vec<_>>(),
        "stands_in": record.parent(),
        "conversation": record.thread,
        "files": files,
        "signatures": signatures(&record.verdicts),
        "faults": faults(&record.faults),
    })
}

fn dates(dates: &[Date]) -> Vec<Value> {
    dates.iter().map(|date| json!({"written": when::machine(date), "words": when::words(date), "utc_seconds": date.seconds})).collect()
}

fn signatures(verdicts: &[Verdict]) -> Vec<Value> {
    let one = |verdict: &Verdict| {
        let key = verdict.key.as_ref().map(
            |key| json!({"name": verdict.key_name(), "bits": key.bits, "sha256": key.fingerprint, "source": key.source, "seen": key.seen}),
        );
        let words = [vec![verdict.sentence()], verdict.remarks()].concat().join(" ");
        json!({
            "kind": verdict.kind.word(),
            "verdict": verdict.outcome.word(),
            "words": plain(&words),
            "detail": verdict.detail,
            "domain": verdict.domain,
            "selector": verdict.selector,
            "identity": verdict.identity,
            "algorithm": verdict.algorithm.word(),
            "weak": verdict.is_weak(),
            "cautions": verdict.cautions.iter().map(|caution| caution.word()).collect::<Vec<_>>(),
            "signed_headers": verdict.headers,
            "not_covered": verdict.left_out,
            "signed_bytes_of_body": verdict.length,
            "signed_at": verdict.time,
            "expires": verdict.expires,
            "key": key,
        })
    };
    verdicts.iter().map(one).collect()
}

fn faults(faults: &[Fault]) -> Vec<Value> {
    faults
        .iter()
        .map(
            |fault| json!({"reason": fault.code.words(), "detail": fault.detail, "tool": fault.tool, "at": fault.at, "limit": fault.limit}),
        )
        .collect()
}

/// The facts as lines, then the text.
fn in_words(facts: &Value, text: &str) -> Result<()> {
    for (name, value) in facts.as_object().into_iter().flatten() {
        match value {
            Value::Array(items) => {
                for item in items {
                    say!("{name}: {}", item_words(item))?;
                }
            }
            Value::Null => {}
            Value::String(text) if text.is_empty() => {}
            other => say!("{name}: {}", item_words(other))?,
        }
    }
    if !text.is_empty() {
        say!("")?;
        text_out(text)?;
    }
    Ok(())
}

fn item_words(item: &Value) -> String {
    match item {
        Value::String(text) => plain(text),
        Value::Object(fields) => {
            if let Some(words) = fields.get("words").and_then(Value::as_str) {
                return words.to_owned();
            }
            let parts = fields.values().filter(|value| !value.is_null()).map(item_words).filter(|text| !text.is_empty());
            parts.collect::<Vec<_>>().join(" · ")
        }
        other => other.to_string(),
    }
}

/// Text as it is; on a terminal without the characters that could command it or turn its words round. The two marks that only say which way a word
/// runs stay.
fn text_out(text: &str) -> Result<()> {
    let mut out = io::stdout().lock();
    if io::IsTerminal::is_terminal(&out) {
        let safe: String = text.chars().map(|c| if Name::must_escape(c) && !KEPT.contains(&c) { '\u{fffd}' } else { c }).collect();
        out.write_all(safe.as_bytes())?;
    } else {
        out.write_all(text.as_bytes())?;
    }
    if !text.ends_with('\n') {
        out.write_all(b"\n")?;
    }
    Ok(())
}

fn copy(from: &mut dyn Read) -> Result<()> {
    let mut out = io::stdout().lock();
    io::copy(from, &mut out)?;
    out.flush()?;
    Ok(())
}
