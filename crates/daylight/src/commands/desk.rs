//! `init`, `status` and `faults`: what is on a desk.

use crate::args;
use crate::commands::clear::now;
use crate::commands::life;
use crate::commands::recognise;
use crate::commands::search::plain;
use crate::commands::witness::{seen_in_json, seen_in_words};
use crate::output::{self, count, say};
use crate::place::{self, Place};
use anyhow::Result;
use daylight_archive::Archive;
use daylight_ingest::{Which, count_waiting, open_desk};
use daylight_mirror::erase::count_unerased;
use daylight_model::{Fault, FaultCode, Stage};
use daylight_store::{Counted, Counts, Desk, UnitState};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::process::ExitCode;

/// How many examples a group of faults shows.
const EXAMPLES: usize = 3;
/// How many faults are fetched at a time.
const PAGE: usize = 1000;

pub(crate) fn init(args: &args::Init) -> Result<ExitCode> {
    let desk = Desk::init(&args.desk)?;
    say!("made a desk in {}", desk.path().display())?;
    say!("it will hold what is not published yet: keep it on an encrypted disk")?;
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn status(args: &args::Status) -> Result<ExitCode> {
    if let Place::Archive = Place::of(&args.place)? {
        return archive_status(args);
    }
    let desk = open_desk(&args.place)?;
    let counts = desk.counts()?;
    if args.json {
        let mut said = status_json(&counts);
        said["to_recognise"] = count_waiting(&desk, Which::Desk)?.into();
        output::json(&said)?;
    } else {
        status_words(&counts)?;
        unrecognised(&desk)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// What of an archive's documents could not be fully read, as their records say.
#[derive(Default)]
struct Published {
    documents: u64,
    unread: u64,
    /// Documents that are withdrawn.
    withdrawn: u64,
    /// Of how many documents that is so for which reason.
    reasons: BTreeMap<&'static str, u64>,
}

impl Published {
    fn json(&self) -> Value {
        json!({"documents": self.documents, "not_fully_read": self.unread, "withdrawn": self.withdrawn, "reasons": self.reasons})
    }
}

fn archive_status(args: &args::Status) -> Result<ExitCode> {
    let archive = Archive::open(&args.place)?;
    let collections = published(&archive)?;
    let unerased = count_unerased(&archive)?;
    if args.json {
        let values: serde_json::Map<String, Value> = collections.iter().map(|(name, one)| (name.clone(), one.json())).collect();
        let (documents, unread) = totals(&collections);
        let releases = archive.releases().len();
        let (withdrawn, life) = (collections.values().map(|one| one.withdrawn).sum::<u64>(), archive.last_sign_of_life().map(life::json));
        output::json(
            &json!({"documents": documents, "not_fully_read": unread, "withdrawn": withdrawn, "to_erase": unerased, "releases": releases,
            "last_sign_of_life": life, "collections": values,
            "seen": seen_in_json(archive.witnessed(), archive.head(), now())}),
        )?;
        return Ok(ExitCode::SUCCESS);
    }
    let (documents, unread) = totals(&collections);
    say!("{} in {}", count(documents, "document"), count(archive.releases().len() as u64, "release"))?;
    say!("{} ({:.1} %) could not be fully read: search is:unreadable", count(unread, "document"), share(unread, documents))?;
    for (name, one) in &collections {
        let reasons: Vec<String> = one.reasons.iter().map(|(reason, number)| format!("{} {reason}", output::thousands(*number))).collect();
        let why = if reasons.is_empty() { String::new() } else { format!(": {}", reasons.join(", ")) };
        let withdrawn = if one.withdrawn > 0 { format!(", {} withdrawn", output::thousands(one.withdrawn)) } else { String::new() };
        say!("collection {name}: {}{withdrawn}, {} not fully read{why}", count(one.documents, "document"), output::thousands(one.unread))?;
    }
    if unerased > 0 {
        say!("{} withdrawn with the request to erase them, and still here: `daylight erase` does it", count(unerased, "line"))?;
    }
    if let Some(sign) = archive.last_sign_of_life() {
        say!("{}", life::words(sign))?;
    }
    seen_in_words(archive.witnessed(), archive.head(), now()).iter().try_for_each(|line| say!("{line}"))?;
    Ok(ExitCode::SUCCESS)
}

fn totals(collections: &BTreeMap<String, Published>) -> (u64, u64) {
    collections.values().fold((0, 0), |(documents, unread), one| (documents + one.documents, unread + one.unread))
}

/// Every document as its last line has it.
fn published(archive: &Archive) -> Result<BTreeMap<String, Published>> {
    let mut last: BTreeMap<(String, u64), Vec<&'static str>> = BTreeMap::new();
    for release in archive.releases() {
        for line in archive.lines(release.note.serial)? {
            let record = line?.record;
            let mut reasons: Vec<_> = record.faults.iter().filter(|fault| fault.loses_text()).map(|fault| fault.code.words()).collect();
            reasons.sort_unstable();
            reasons.dedup();
            last.insert((release.note.collection.clone(), record.number), reasons);
        }
    }
    let mut collections: BTreeMap<String, Published> = BTreeMap::new();
    for collection in archive.collections()? {
        let withdrawn = archive.withdrawn_numbers(&collection.name)?.len() as u64;
        collections.entry(collection.name).or_default().withdrawn = withdrawn;
    }
    for ((collection, _), reasons) in last {
        let one = collections.entry(collection).or_default();
        one.documents += 1;
        one.unread += u64::from(!reasons.is_empty());
        reasons.into_iter().for_each(|reason| *one.reasons.entry(reason).or_default() += 1);
    }
    Ok(collections)
}

fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 * 100.0 / whole as f64 }
}

fn status_json(counts: &Counts) -> Value {
    let kinds: serde_json::Map<String, Value> = counts.kinds.iter().map(|(kind, count)| (kind.word().into(), json!(count))).collect();
    let collections: Vec<Value> = counts
        .collections
        .iter()
        .map(|one| json!({"name": one.name, "documents": one.documents, "cleared": one.cleared, "held": one.held, "withdrawn": one.withdrawn}))
        .collect();
    json!({
        "documents": counts.documents(),
        "kinds": kinds,
        "not_fully_read": counts.unread,
        "faults": counts.faults,
        "conversations": counts.threads,
        "near": {"groups": counts.near.groups, "documents": counts.near.documents},
        "bytes_stored": counts.blob_bytes,
        "waiting": counts.waiting,
        "files_partly_read": units(counts, UnitState::Partial),
        "files_to_retry": units(counts, UnitState::FailedWillRetry),
        "collections": collections,
        "audit_entries": counts.audit,
    })
}

fn units(counts: &Counts, state: UnitState) -> u64 {
    counts.units.iter().find(|(each, _)| *each == state).map_or(0, |(_, count)| *count)
}

fn status_words(counts: &Counts) -> Result<()> {
    let documents = counts.documents();
    say!("{}: {}", count(documents, "document"), kinds(counts))?;
    let share = share(counts.unread, documents);
    say!("{} ({share:.1} %) could not be fully read: `daylight faults` lists them", count(counts.unread, "document"))?;
    if counts.waiting > 0 {
        say!("{} of them wait to be read by themselves: run an ingest or `daylight retry` to go on", output::thousands(counts.waiting))?;
    }
    let partial = units(counts, UnitState::Partial);
    if partial > 0 {
        say!("{} only partly read: run the same ingest again to go on", count(partial, "file"))?;
    }
    say!("{}, {}", count(counts.threads, "conversation"), indicatif::HumanBytes(counts.blob_bytes))?;
    if counts.near.groups > 0 {
        let (documents, groups) = (count(counts.near.documents, "document"), count(counts.near.groups, "group"));
        say!("{documents} in {groups} of nearly the same text: `daylight show` names those near a document")?;
    }
    for one in &counts.collections {
        let withdrawn = if one.withdrawn > 0 { format!(", {} withdrawn", one.withdrawn) } else { String::new() };
        say!("collection {}: {}, {} cleared, {} held{withdrawn}", one.name, count(one.documents, "document"), one.cleared, one.held)?;
    }
    Ok(())
}

fn kinds(counts: &Counts) -> String {
    let parts = counts.kinds.iter().filter(|(_, number)| *number > 0).map(|(kind, number)| count(*number, kind.word()));
    let parts: Vec<String> = parts.collect();
    if parts.is_empty() { "ingest something".into() } else { parts.join(", ") }
}

pub(crate) fn faults(args: &args::Faults) -> Result<ExitCode> {
    let desk = open_desk(&args.desk)?;
    if args.containers {
        containers(&desk, args.json)?;
    } else if args.csv {
        say!("id,title,reason,stage,tool,detail,limit,at")?;
        all_faults(&desk, csv_line)?;
    } else if args.all {
        all_faults(&desk, if args.json { json_line } else { words_line })?;
    } else {
        grouped_faults(&desk, args.json)?;
        if !args.json {
            unrecognised(&desk)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The containers of which not everything was read.
fn containers(desk: &Desk, as_json: bool) -> Result<()> {
    let not_whole = desk.containers_not_whole()?;
    for seq in &not_whole {
        let Some(counted) = desk.document(*seq)?.counted else { continue };
        let (id, title) = example(desk, *seq)?;
        if as_json {
            output::json(&json!({"id": id, "title": title, "expected": counted.expected, "read": counted.read, "failed": counted.failed}))?;
        } else {
            say!("{id}  {}  {title}", counted_words(counted))?;
        }
    }
    if not_whole.is_empty() && !as_json {
        say!("every container was read whole")?;
    }
    Ok(())
}

/// How a container fared: `12 expected, 11 read, 1 failed`.
pub(crate) fn counted_words(counted: Counted) -> String {
    let Counted { expected, read, failed } = counted;
    let expected = expected.map_or_else(|| "number unknown".into(), |expected| format!("{} expected", output::thousands(expected)));
    format!("{expected}, {} read, {} failed", output::thousands(read), output::thousands(failed))
}

fn grouped_faults(desk: &Desk, as_json: bool) -> Result<()> {
    let groups = desk.fault_groups(EXAMPLES)?;
    let mut values = Vec::new();
    for group in &groups {
        let examples = group.examples.iter().map(|seq| example(desk, *seq)).collect::<Result<Vec<_>>>()?;
        if as_json {
            let examples: Vec<Value> = examples.iter().map(|(id, title)| json!({"id": id, "title": title})).collect();
            values.push(json!({"reason": group.code.words(), "stage": group.stage.word(), "tool": group.tool, "count": group.count, "examples": examples}));
            continue;
        }
        say!("{:>9}  {}", output::thousands(group.count), reason(group.code, group.stage, &group.tool))?;
        for (id, title) in examples {
            say!("{:>9}  {id}  {title}", "")?;
        }
    }
    match (as_json, groups.is_empty()) {
        (true, _) => output::json(&Value::Array(values)),
        (false, true) => say!("no faults: everything could be read"),
        (false, false) => Ok(()),
    }
}

/// Says once what would have the documents read that wait for text recognition.
fn unrecognised(desk: &Desk) -> Result<()> {
    let waiting = count_waiting(desk, Which::Desk)?;
    if waiting == 0 {
        return Ok(());
    }
    match place::recogniser(&desk.settings().languages) {
        Ok(machine) => say!("{} not looked at yet by {machine}: `daylight recognise` does it", count(waiting, "document")),
        Err(why) => recognise::waiting(waiting, &why),
    }
}

fn reason(code: FaultCode, stage: Stage, tool: &str) -> String {
    format!("{} ({}, {tool})", code.words(), stage.word())
}

/// A document's short id and what it is called, for a list.
fn example(desk: &Desk, seq: u64) -> Result<(String, String)> {
    let document = desk.document(seq)?;
    let title = match (document.title.is_empty(), document.names.first()) {
        (false, _) => document.title,
        (true, Some(name)) => name.to_string(),
        (true, None) => "(without a title)".into(),
    };
    Ok((desk.short_id(seq)?, one_line(&title)))
}

fn one_line(text: &str) -> String {
    plain(text).chars().take(100).collect()
}

/// Writes one fault of a document, by its short id and what it is called.
type Line = fn(&Fault, &str, &str) -> Result<()>;

/// Every fault, one a line.
fn all_faults(desk: &Desk, line: Line) -> Result<()> {
    let mut after = (0, 0);
    loop {
        let page = desk.faults(after, PAGE)?;
        let Some(last) = page.last() else { return Ok(()) };
        after = (last.seq, last.n);
        for row in &page {
            let (id, title) = example(desk, row.seq)?;
            line(&row.fault, &id, &title)?;
        }
    }
}

fn words_line(fault: &Fault, id: &str, title: &str) -> Result<()> {
    say!("{id}  {fault}  {title}")
}

fn json_line(fault: &Fault, id: &str, title: &str) -> Result<()> {
    output::json(&json!({"id": id, "title": title, "reason": fault.code.words(), "stage": fault.stage.word(),
        "tool": fault.tool, "detail": fault.detail, "limit": fault.limit, "at": fault.at}))
}

fn csv_line(fault: &Fault, id: &str, title: &str) -> Result<()> {
    let number = |number: Option<u64>| number.map(|number| number.to_string()).unwrap_or_default();
    let (limit, at) = (number(fault.limit), number(fault.at));
    let cells = [id, title, fault.code.words(), fault.stage.word(), &fault.tool, &fault.detail, &limit, &at];
    say!("{}", cells.map(csv_cell).join(","))
}

/// A cell of a table. Titles and names come out of the trove: one that a spreadsheet would take for a formula is set behind an apostrophe.
fn csv_cell(text: &str) -> String {
    // The wide forms are taken for the narrow ones where those are typed in Chinese or Japanese.
    let formula = text.trim_start().starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠']) || text.starts_with(['\t', '\r', '\n']);
    let text = if formula { format!("'{text}") } else { text.to_owned() };
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

#[cfg(test)]
mod tests {
    use super::csv_cell;

    #[test]
    fn a_title_is_no_formula_and_breaks_no_row() {
        assert_eq!(csv_cell("plain"), "plain");
        assert_eq!(csv_cell("a \"b\", c"), "\"a \"\"b\"\", c\"");
        for formula in ["=1", " =1", "+1", "-1", "@x", "＝1", "\t=1"] {
            assert_eq!(csv_cell(formula), format!("'{formula}"));
        }
        assert_eq!(csv_cell("=HYPERLINK(\"http://x\")"), "\"'=HYPERLINK(\"\"http://x\"\")\"");
    }
}
