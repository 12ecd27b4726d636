//! `show`: one document, its facts, its text or its bytes.

use crate::args;
use crate::commands::desk::counted_words;
use crate::commands::search::{people, plain};
use crate::commands::withdraw::{withdrawal_json, withdrawal_words};
use crate::output::{self, say};
use crate::place::{self, Place};
use crate::when;
use anyhow::{Context, Result, bail};
use daylight_archive::archive::Standing;
use daylight_archive::record::Role as FileRole;
use daylight_archive::withdraw::WithdrawNote;
use daylight_archive::{Archive, Line};
use daylight_ingest::{open_desk, page_picture};
use daylight_model::reading::{Label, PlainText};
use daylight_model::{Date, Fault, Name, Verdict};
use daylight_store::{Desk, Document};
use serde_json::{Value, json};
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;
use std::process::ExitCode;

/// Of the characters that a name may not have, those that a text may.
const KEPT: [char; 5] = ['\n', '\t', '\\', '\u{200e}', '\u{200f}'];

pub(crate) fn show(args: &args::Show) -> Result<ExitCode> {
    match Place::of(&args.place)? {
        Place::Desk => from_desk(args)?,
        Place::Archive => return from_archive(args),
    }
    Ok(ExitCode::SUCCESS)
}

fn from_desk(args: &args::Show) -> Result<()> {
    let desk = open_desk(&args.place)?;
    let seq = desk.resolve(&args.id)?;
    if args.raw {
        return copy(&mut desk.raw(seq)?);
    }
    if let Some(page) = args.page {
        return page_out(&desk, seq, (page.get(), args.dots), args.png.as_deref());
    }
    if args.text {
        return desk_text(&desk, seq, &mut TextOut::new(false));
    }
    let document = desk.document(seq)?;
    let facts = desk_facts(&desk, &document)?;
    if args.json {
        return output::json(&facts);
    }
    in_words(&facts)?;
    desk_text(&desk, seq, &mut TextOut::new(true))
}

/// Shows a desk document's text, hidden parts marked as such, part by part: it may be too long to be held.
fn desk_text(desk: &Desk, seq: u64, out: &mut TextOut) -> Result<()> {
    let (parts, mut text) = (desk.text_parts(seq)?, PlainText::default());
    for number in 0..parts.count() {
        parts.part(number)?.iter().for_each(|segment| text.add(segment));
        out.write(text.take().as_bytes())?;
    }
    text.end();
    out.write(text.take().as_bytes())?;
    out.end()
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
        "language": document.language,
        "message_id": message.message_id,
        "names": document.names.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "collections": document.collections,
        "found_at": roots,
        "source": crate::commands::inbox::source_of(desk.path(), desk, seq)?,
        "stands_in": parents,
        "holds": children,
        "conversation": thread,
        "counted": document.counted.map(|counted| {
            json!({"expected": counted.expected, "read": counted.read, "failed": counted.failed, "words": counted_words(counted)})
        }),
        "properties": properties(desk, seq)?,
        "near": near(desk, seq)?,
        "signatures": signatures(&document.all_verdicts()),
        "faults": faults(&document.faults),
    }))
}

/// A page's picture, which is looked at by nobody here: it was made in a cage, and is for the editor's own viewer.
fn page_out(desk: &Desk, seq: u64, page: (u32, u32), file: Option<&Path>) -> Result<()> {
    let Some(path) = file else {
        let mut out = io::stdout().lock();
        if io::IsTerminal::is_terminal(&out) {
            bail!("a picture is no text for a terminal: name a file with --png FILE");
        }
        page_picture(desk, seq, page, &place::reader()?, &mut out)?;
        return Ok(out.flush()?);
    };
    let mut picture = Vec::new();
    page_picture(desk, seq, page, &place::reader()?, &mut picture)?;
    let mut file = File::create_new(path).with_context(|| format!("cannot make {}", path.display()))?;
    file.write_all(&picture).with_context(|| format!("cannot write {}", path.display()))
}

/// The most documents with nearly the same text that are named.
const NEAR: usize = 50;

/// What was noted of a document beside its text, a line each: who wrote it, with what, and which character set was guessed. It is noted before or
/// behind the text, so of a long one the first part and the last are looked at.
fn properties(desk: &Desk, seq: u64) -> Result<Vec<String>> {
    let parts = desk.text_parts(seq)?;
    let last = parts.count().saturating_sub(1);
    let mut lines = Vec::new();
    for number in if last > 0 { vec![0, last] } else { vec![0] } {
        let segments = parts.part(number)?;
        let noted = segments.iter().filter(|segment| segment.label == Label::Property);
        lines.extend(noted.flat_map(|segment| segment.text.lines().map(str::to_owned)));
    }
    Ok(lines)
}

/// The documents with nearly the same text, the nearest first.
fn near(desk: &Desk, seq: u64) -> Result<Vec<Value>> {
    let near = desk.near(seq)?;
    let mut values = Vec::new();
    for (other, similarity) in near.documents.iter().take(NEAR) {
        let percent = (similarity * 100.0).round();
        let id = desk.short_id(*other)?;
        values.push(json!({"id": id, "percent": percent, "words": format!("{id} ({percent} % of its words in common, about)")}));
    }
    if near.more || near.documents.len() > NEAR {
        values.push(json!({"more": true, "words": "and there may be more: too many share its words for all to be compared"}));
    }
    Ok(values)
}

/// Exits 1 where the document was withdrawn: it says so, and shows nothing of it.
fn from_archive(args: &args::Show) -> Result<ExitCode> {
    if args.page.is_some() {
        bail!("pages are drawn from a desk; an archive has the original: daylight show ARCHIVE {} --raw", args.id);
    }
    let archive = Archive::open(&args.place)?;
    match find(&archive, &args.id)? {
        Standing::Withdrawn(by) => {
            withdrawn(args, &by.note)?;
            return Ok(ExitCode::FAILURE);
        }
        Standing::Published { serial, line } => published(args, &archive, &archive.record(serial, line)?)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn published(args: &args::Show, archive: &Archive, line: &Line) -> Result<()> {
    if args.raw || args.text {
        let role = if args.raw { FileRole::Raw } else { FileRole::Text };
        let file = line.record.file(&role).with_context(|| format!("{} was published without its {}", args.id, role.word()))?;
        return copy(&mut archive.open_file(file)?);
    }
    let facts = archive_facts(&args.id, line, &earlier(archive, line)?);
    if args.json {
        return output::json(&facts);
    }
    in_words(&facts)?;
    let mut out = TextOut::new(true);
    if let Some(file) = line.record.file(&FileRole::Text) {
        let (mut text, mut piece) = (archive.open_file(file)?, vec![0; 64 << 10]);
        loop {
            match text.read(&mut piece)? {
                0 => break,
                count => out.write(&piece[..count])?,
            }
        }
    }
    out.end()
}

/// How a document of an archive stands.
fn find<'a>(archive: &'a Archive, id: &str) -> Result<Standing<'a>> {
    let parts = id.rsplit_once('/').and_then(|(collection, number)| Some((collection, number.parse::<u64>().ok()?)));
    let (collection, number) = parts.with_context(|| format!("`{id}` does not name a document of an archive: write COLLECTION/NUMBER"))?;
    let standing = archive.standing(collection, number)?;
    standing.with_context(|| format!("the archive has no document {id}; `daylight search` finds those there are"))
}

/// Says that a document was withdrawn, and why.
fn withdrawn(args: &args::Show, note: &WithdrawNote) -> Result<()> {
    if args.json {
        return output::json(&json!({"id": args.id, "withdrawn": withdrawal_json(note)}));
    }
    if args.raw || args.text {
        bail!("{} was withdrawn: {}", args.id, plain(&note.reason));
    }
    withdrawal_words(note)
}

/// The releases that had other lines for the number before, and which of those are withdrawn.
fn earlier(archive: &Archive, line: &Line) -> Result<Vec<Value>> {
    let Some(release) = archive.release(line.serial) else { return Ok(Vec::new()) };
    let history = archive.history(&release.note.collection, line.record.number)?;
    let before = history.into_iter().filter(|(serial, _)| *serial < line.serial);
    Ok(before.map(|(serial, at)| json!({"release": serial, "withdrawn": archive.withdrawn_line(serial, at).is_some()})).collect())
}

fn archive_facts(id: &str, line: &Line, earlier: &[Value]) -> Value {
    let record = &line.record;
    let files: Vec<Value> = record
        .files
        .iter()
        .map(|file| json!({"role": file.role.word(), "sha256": file.sha256.to_string(), "length": file.length, "media_type": file.media_type}))
        .collect();
    json!({
        "id": id,
        "release": line.serial,
        "reason": record.reason,
        "earlier": earlier,
        "kind": record.kind.word(),
        "title": record.title,
        "media_type": record.media_type,
        "language": record.language,
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

/// The facts as lines.
fn in_words(facts: &Value) -> Result<()> {
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

/// Text as it comes; on a terminal without the characters that could command it or turn its words round. The two marks that only say which way a word
/// runs stay.
struct TextOut {
    out: io::StdoutLock<'static>,
    safely: bool,
    /// Whether facts stand before it, from which an empty line sets it apart.
    apart: bool,
    /// The beginning of a character that is cut.
    cut: Vec<u8>,
    last: Option<u8>,
}

impl TextOut {
    fn new(apart: bool) -> Self {
        let out = io::stdout().lock();
        Self { safely: io::IsTerminal::is_terminal(&out), out, apart, cut: Vec::new(), last: None }
    }

    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        let Some(last) = bytes.last() else { return Ok(()) };
        if self.apart && self.last.is_none() {
            self.out.write_all(b"\n")?;
        }
        self.last = Some(*last);
        if !self.safely {
            return Ok(self.out.write_all(bytes)?);
        }
        self.cut.extend_from_slice(bytes);
        let whole = match std::str::from_utf8(&self.cut) {
            Err(error) if error.error_len().is_none() => error.valid_up_to(),
            _ => self.cut.len(),
        };
        let text = String::from_utf8_lossy(&self.cut[..whole]);
        let safe: String = text.chars().map(|c| if Name::must_escape(c) && !KEPT.contains(&c) { '\u{fffd}' } else { c }).collect();
        self.cut.drain(..whole);
        Ok(self.out.write_all(safe.as_bytes())?)
    }

    fn end(&mut self) -> Result<()> {
        // With no text at all, `--text` still ends its line.
        if self.last != Some(b'\n') && (self.last.is_some() || !self.apart) {
            self.out.write_all(b"\n")?;
        }
        Ok(self.out.flush()?)
    }
}

fn copy(from: &mut dyn Read) -> Result<()> {
    let mut out = io::stdout().lock();
    io::copy(from, &mut out)?;
    out.flush()?;
    Ok(())
}
