//! `check`, `backup`, `restore` and `forget`: a desk's care.

use crate::args;
use crate::commands::clear::now;
use crate::commands::search::plain;
use crate::output::{self, count, say};
use crate::place;
use crate::progress::Bytes;
use crate::when::moment;
use anyhow::{Result, bail};
use daylight_ingest::{check_index, complete_index, forget as run, open_desk};
use daylight_review::render_again;
use daylight_store::{CheckOutcome, Checked, Checkup, Desk, Finding, ForgetPlan, Order, Repair, Told};
use indicatif::HumanBytes;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::process::ExitCode;

/// How many documents are listed of each sort.
const SHOWN: usize = 20;

/// What was found, counted.
#[derive(Default)]
struct Tally {
    repaired: u64,
    repairable: u64,
    damaged: u64,
    noted: u64,
    failed: Option<anyhow::Error>,
}

pub(crate) fn check(args: &args::Check) -> Result<ExitCode> {
    if args.delete || args.newsroom.is_told() {
        bail!("--root, --archive, --socks, --codename-file and --delete are for a drop, whose address begins with http://");
    }
    // A look does not finish what a killed `forget` left to do.
    let mut desk = if args.look { Desk::open(&args.place)? } else { open_desk(&args.place)? };
    let repair = if args.look { Repair::Look } else { Repair::Yes };
    let lease = desk.take_ingest_lease()?;
    let naming = desk.reopen()?;
    let mut tally = Tally::default();
    let checkup: Checkup;
    {
        let bar = Bytes::start();
        let mut told = |finding: Finding| bar.aside(|| tally.take(&naming, &finding, args.json));
        if args.look && desk.is_forgetting()? {
            let what = "a `forget` was interrupted: the next command finishes it".to_owned();
            told(Finding { outcome: CheckOutcome::Repairable, place: "catalogue, table forgetting".into(), what, document: None });
        }
        checkup = desk.check(&lease, repair, &mut Told { finding: &mut told, progress: &mut |done, total| bar.tell(done, total) })?;
        if !checkup.gave_up {
            if !args.look {
                let again: Vec<u64> = checkup.unrendered.iter().copied().collect();
                render_again(&desk, &place::reader()?, &again)?;
            }
            check_index(&desk, &lease, repair, &mut told)?;
        }
    }
    if let Some(error) = tally.failed.take() {
        return Err(error);
    }
    tell_check(&tally, &checkup.checked, args.json)?;
    Ok(if tally.damaged + tally.repairable == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

impl Tally {
    fn take(&mut self, desk: &Desk, finding: &Finding, as_json: bool) {
        *match finding.outcome {
            CheckOutcome::Repaired => &mut self.repaired,
            CheckOutcome::Repairable => &mut self.repairable,
            CheckOutcome::Damaged => &mut self.damaged,
            CheckOutcome::Noted => &mut self.noted,
        } += 1;
        if let Err(error) = print_finding(desk, finding, as_json) {
            self.failed.get_or_insert(error);
        }
    }
}

fn word(outcome: CheckOutcome) -> &'static str {
    match outcome {
        CheckOutcome::Repaired => "repaired",
        CheckOutcome::Repairable => "repairable",
        CheckOutcome::Damaged => "damaged",
        CheckOutcome::Noted => "noted",
    }
}

fn print_finding(desk: &Desk, finding: &Finding, as_json: bool) -> Result<()> {
    let document = finding.document.map(|seq| called(desk, seq));
    if as_json {
        let (id, title) = document.unzip();
        return output::json(
            &json!({"outcome": word(finding.outcome), "place": finding.place, "what": finding.what, "id": id, "title": title}),
        );
    }
    let document = document.map(|(id, title)| format!("document {id} ({title}): ")).unwrap_or_default();
    say!("{}: {}: {document}{}", word(finding.outcome), plain(&finding.place), finding.what)
}

/// A document's short id and title, as far as the catalogue still knows them.
fn called(desk: &Desk, seq: u64) -> (String, String) {
    let id = desk.short_id(seq).unwrap_or_else(|_| format!("number {seq}"));
    let title = desk.document(seq).map(|document| document.title).unwrap_or_default();
    (id, plain(&title))
}

fn tell_check(tally: &Tally, checked: &Checked, as_json: bool) -> Result<()> {
    if as_json {
        return output::json(&json!({
            "sound": tally.damaged + tally.repairable == 0,
            "repaired": tally.repaired,
            "repairable": tally.repairable,
            "damaged": tally.damaged,
            "noted": tally.noted,
            "documents": checked.documents,
            "stored": checked.stored,
            "bytes": checked.bytes,
            "audit_entries": checked.audit,
        }));
    }
    say!(
        "checked {}, {} in {} stored pieces, {} of the audit log",
        count(checked.documents, "document"),
        HumanBytes(checked.bytes),
        output::thousands(checked.stored),
        if checked.audit == 1 { "1 entry".to_owned() } else { format!("{} entries", output::thousands(checked.audit)) }
    )?;
    match (tally.damaged, tally.repaired) {
        (0, 0) if tally.repairable > 0 => say!("{} that `daylight check` without --look repairs", tally.repairable),
        (damaged, 0) if tally.repairable > 0 => {
            say!("{damaged} damaged that cannot be repaired here, {} that `daylight check` without --look repairs", tally.repairable)
        }
        (0, 0) => say!("everything is as it was written"),
        (0, repaired) => say!("{repaired} repaired, and now everything is sound"),
        (damaged, repaired) => {
            say!("{damaged} damaged that cannot be repaired here, {repaired} repaired: restore what is lost from a backup")
        }
    }
}

pub(crate) fn backup(args: &args::Backup) -> Result<ExitCode> {
    let desk = open_desk(&args.desk)?;
    let done = {
        let bar = Bytes::start();
        desk.backup(&args.to, now(), &mut |done, total| bar.tell(done, total))?
    };
    let missing: Vec<String> = done.missing.iter().map(ToString::to_string).collect();
    if args.json {
        output::json(
            &json!({"documents": done.documents, "bytes": done.bytes, "copied": done.copied, "removed": done.removed, "missing": missing}),
        )?;
    } else {
        say!("{} in {}, of which {} were copied now", count(done.documents, "document"), HumanBytes(done.bytes), HumanBytes(done.copied))?;
        if done.removed > 0 {
            say!("{} of earlier backups removed", count(done.removed, "file"))?;
        }
        say!("{} holds all that the desk does: keep it as safe", args.to.display())?;
        tell_missing(&missing)?;
    }
    Ok(if missing.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn tell_missing(missing: &[String]) -> Result<()> {
    for digest in missing {
        say!("not copied, because it is damaged on the desk: {digest}; `daylight check` says whose it is")?;
    }
    Ok(())
}

pub(crate) fn restore(args: &args::Restore) -> Result<ExitCode> {
    let (desk, done) = {
        let bar = Bytes::start();
        Desk::restore(&args.from, &args.desk, &mut |done, total| bar.tell(done, total))?
    };
    complete_index(&desk)?;
    let documents = desk.counts()?.documents();
    let missing: Vec<String> = done.missing.iter().map(ToString::to_string).collect();
    if args.json {
        output::json(&json!({"documents": documents, "bytes": done.bytes, "backup_time": done.time, "missing": missing}))?;
    } else {
        say!("{} restored, {} checked, from the backup of {}", count(documents, "document"), HumanBytes(done.bytes), moment(done.time))?;
        tell_missing(&missing)?;
    }
    Ok(if missing.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

pub(crate) fn forget(args: &args::Forget) -> Result<ExitCode> {
    check_words(args)?;
    let mut desk = open_desk(&args.desk)?;
    let lease = desk.take_ingest_lease()?;
    let seqs = args.ids.iter().map(|id| desk.resolve(id)).collect::<daylight_store::Result<BTreeSet<u64>>>()?;
    let plan = desk.plan_forgetting(&seqs.into_iter().collect::<Vec<_>>())?;
    let goes = args.yes || !plan.goes_further();
    let report = report(&desk, &plan)?;
    if goes {
        if !args.json {
            tell_plan(&report)?;
        }
        // What was written out to be sealed has it too.
        daylight_publish::remove_staged(desk.path())?;
        run(&mut desk, &lease, &plan, &Order { editor: &args.editor, why: &args.because, time: now() })?;
    }
    if args.json {
        output::json(&json!({"forgotten": goes, "named": report.named, "with_them": report.with_them, "lose_their_bytes": report.bereft,
            "stay": report.staying, "published": published(&plan), "drafts_given_up": plan.drafts(), "notes_emptied": plan.notes()}))?;
    } else if goes {
        say!("forgotten. Backups keep it until they are made anew, and copies elsewhere until you find them")?;
    } else {
        tell_plan(&report)?;
        say!("nothing was forgotten: more would go than was named; say --yes to go on")?;
    }
    Ok(if goes { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn check_words(args: &args::Forget) -> Result<()> {
    let fits =
        (1..=100).contains(&args.editor.chars().count()) && !args.editor.contains(char::is_control) && args.editor.trim() == args.editor;
    if !fits {
        bail!("an editor's name has 1 to 100 characters, none of them a control character, and no space at its ends");
    }
    if args.because.trim().is_empty() || args.because.chars().count() > 1000 {
        bail!("--because says why in 1 to 1000 characters");
    }
    Ok(())
}

/// What is lost and what stays, by id and title.
struct Report {
    named: Vec<Value>,
    with_them: Vec<Value>,
    bereft: Vec<Value>,
    staying: Vec<Value>,
    published: Vec<String>,
    drafts: u64,
    notes: u64,
}

fn report(desk: &Desk, plan: &ForgetPlan) -> Result<Report> {
    let list = |seqs: &mut dyn Iterator<Item = u64>| -> Vec<Value> {
        seqs.map(|seq| {
            let (id, title) = called(desk, seq);
            json!({"id": id, "title": title})
        })
        .collect()
    };
    Ok(Report {
        named: list(&mut plan.named()),
        with_them: list(&mut plan.with_them()),
        bereft: list(&mut plan.bereft()),
        staying: list(&mut plan.staying()),
        published: plan.numbers().iter().map(told).collect(),
        drafts: plan.drafts(),
        notes: plan.notes(),
    })
}

/// Where a document is that leaves the desk.
fn told((collection, origin, number): &(String, String, u64)) -> String {
    let sealed = origin.strip_suffix("/sealed").filter(|archive| daylight_review::sealed_origin(archive) == *origin);
    match sealed {
        Some(archive) => format!("sealed already for {archive}, as {collection}/{number}: whoever opens the seal has it"),
        None => format!("published already as {collection}/{number} in {origin}: it stays there"),
    }
}

fn published(plan: &ForgetPlan) -> Vec<Value> {
    plan.numbers()
        .iter()
        .map(|(collection, origin, number)| json!({"collection": collection, "archive": origin, "number": number}))
        .collect()
}

fn tell_plan(report: &Report) -> Result<()> {
    tell_list("to be forgotten", &report.named)?;
    tell_list("forgotten with them, because they stand in them and nowhere else", &report.with_them)?;
    tell_list("lose their original bytes, which hold them; their text, their facts and all else inside them stay", &report.bereft)?;
    tell_list("stand in them and elsewhere too, and stay", &report.staying)?;
    for one in &report.published {
        say!("{one}, and the number is never given again")?;
    }
    if report.drafts > 0 {
        say!("{} that was begun and not finished is given up: publish again at once,", count(report.drafts, "release"))?;
        say!("    for what was written of it stands in the archive's folder until then")?;
    }
    if report.notes > 0 {
        say!("{} of decisions on them in the audit log are emptied", count(report.notes, "note"))?;
    }
    Ok(())
}

fn tell_list(what: &str, documents: &[Value]) -> Result<()> {
    if documents.is_empty() {
        return Ok(());
    }
    say!("{} {what}:", count(documents.len() as u64, "document"))?;
    for one in documents.iter().take(SHOWN) {
        say!("    {}  {}", one["id"].as_str().unwrap_or_default(), one["title"].as_str().unwrap_or_default())?;
    }
    let more = documents.len().saturating_sub(SHOWN);
    if more > 0 {
        say!("    and {more} more: --json lists all")?;
    }
    Ok(())
}
