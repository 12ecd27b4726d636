use super::carry::{self, Beside};
use super::import::unname;
use super::{date, open, today};
use crate::args::inbox::Collect;
use crate::output::{self, count, remark, say};
use anyhow::{Context, Result, bail};
use daylight_inbox::{Carrier, Collected, Inbox, Stick, notice};
use daylight_ingest::open_desk;
use daylight_model::Digest;
use indicatif::HumanBytes;
use serde_json::json;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// So many envelopes that could not be opened are named.
const NAMED: usize = 10;

/// So many days before sources have no keys to seal to, somebody is told.
const SOON: u32 = 21;

pub(crate) fn collect(args: &Collect) -> Result<ExitCode> {
    let mut inbox = open(&args.desk, true)?;
    let told = args.notice.as_deref().map(Told::open).transpose()?;
    let run = run(args, &mut inbox);
    if let Some(mut told) = told {
        // Also where it failed: a notice that does not come would say so.
        told.write(&notice(today(), run.as_ref().ok().map(|(collected, _)| collected)))?;
    }
    let (collected, retired) = run?;
    let ends = inbox.directory_ends()?;
    match ends {
        None => remark(format_args!("this desk has no directory of keys: nobody can send anything that it opens; see docs/directory.md")),
        Some(ends) if ends < today() + SOON => {
            remark(format_args!("sources have keys to seal to until {}: make a new directory", date(ends)));
        }
        Some(_) => {}
    }
    if args.json {
        in_json(&collected, &retired, ends)?;
    } else {
        in_words(&collected, &retired)?;
    }
    let whole = collected.alarms.is_empty() && collected.no_room == 0 && collected.failed.is_empty();
    Ok(if whole { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The file of the notice, open before its folder is out of reach. It is written in place: one block, of always the same length.
struct Told(File, PathBuf);

impl Told {
    fn open(path: &Path) -> Result<Self> {
        let why = || format!("cannot write the notice {}", path.display());
        if !path.exists() {
            // Until the end of the first collection it says that there was none.
            daylight_durable::write_atomic(path, &notice(today(), None)).with_context(why)?;
        }
        let file = OpenOptions::new().write(true).open(path).with_context(why)?;
        Ok(Self(file, path.to_owned()))
    }

    fn write(&mut self, notice: &[u8]) -> Result<()> {
        let written = self.0.write_all(notice).and_then(|()| self.0.set_len(notice.len() as u64)).and_then(|()| self.0.sync_all());
        written.with_context(|| format!("cannot write the notice {}", self.1.display()))
    }
}

fn run(args: &Collect, inbox: &mut Inbox) -> Result<(Collected, Vec<Digest>)> {
    // In this order: the process that carries ends once the end that asks it is gone.
    let (_beside, mut carrier) = carrier(args)?;
    // The TPM's device is in no folder that is left. Opening the inbox has reached it, unless somebody else had the inbox then.
    inbox.reach_tpm()?;
    go_offline(args)?;
    let held = inbox.hold("drop collect")?;
    if args.again {
        inbox.try_refused_again(&held)?;
    }
    let collected = inbox.collect(&held, carrier.as_mut(), today(), &mut |_, _| {})?;
    // After what came was counted: a source who wrote today is not forgotten today.
    let due = args.keep.map(|days| inbox.due(days, today())).transpose()?.unwrap_or_default();
    if !due.is_empty() {
        let mut desk = open_desk(&args.desk)?;
        due.iter().try_for_each(|id| unname(&mut desk, "retention", id).map(drop))?;
        inbox.delete(&held, &due)?;
    }
    Ok((collected, due))
}

/// From here on this process, which has the keys, has no network, and no folder but the inbox and the stick; for deletions by age the whole desk, whose audit log
/// is told of them.
fn go_offline(args: &Collect) -> Result<()> {
    let inbox = args.desk.join("inbox");
    let desk = if args.keep.is_some() { &args.desk } else { &inbox };
    let stick = [args.from.as_deref(), args.to.as_deref()];
    let folders: Vec<&Path> = [desk.as_path(), &inbox].into_iter().chain(stick.into_iter().flatten()).collect();
    daylight_sandbox::go_offline(&folders).map_err(anyhow::Error::msg).context("nothing was opened, for this process keeps the network")?;
    Ok(())
}

fn carrier(args: &Collect) -> Result<(Option<Beside>, Box<dyn Carrier>)> {
    if let Some(from) = &args.from {
        let to = args.to.as_ref().unwrap_or(from);
        let stick = Stick::new(from, to)?;
        std::fs::create_dir_all(to).with_context(|| format!("cannot make {}", to.display()))?;
        return Ok((None, Box::new(stick)));
    }
    let (Some(drop), Some(token)) = (&args.drop, &args.token_file) else { bail!("name the drop with --drop, or a folder with --from") };
    let (beside, carrier) = carry::beside(drop, token, args.socks.as_ref())?;
    Ok((Some(beside), carrier))
}

fn in_json(collected: &Collected, retired: &[Digest], ends: Option<u32>) -> Result<()> {
    let refused: Vec<_> = collected.refused.iter().map(|(id, why)| json!({"id": id.to_string(), "why": why})).collect();
    let failed: Vec<_> = collected.failed.iter().map(|(id, why)| json!({"id": id.to_string(), "why": why})).collect();
    output::json(
        &json!({"failed": failed, "remarks": collected.remarks, "submissions": collected.submissions, "conversations": collected.conversations, "bytes": collected.bytes,
        "doubtful": collected.doubtful, "listed": collected.listed, "refused": refused, "alarms": collected.alarms,
        "directory_put": collected.directory_put, "replies_sent": collected.sent.replies, "accepted": collected.sent.accepted,
        "forgotten": collected.sent.forgotten, "no_room": collected.no_room, "directory_last": ends.map(date), "retired": retired.iter().map(Digest::to_string).collect::<Vec<_>>()}),
    )
}

fn in_words(collected: &Collected, retired: &[Digest]) -> Result<()> {
    for alarm in &collected.alarms {
        remark(format_args!("ALARM: {alarm}"));
    }
    for said in &collected.remarks {
        remark(format_args!("{said}"));
    }
    for (id, why) in collected.failed.iter().take(NAMED) {
        remark(format_args!("not fetched, and still at the drop: {}  {}", &id.to_string()[..12], crate::commands::search::plain(why)));
    }
    if !collected.failed.is_empty() {
        remark(format_args!("{} not fetched: collect again", count(collected.failed.len() as u64, "envelope")));
    }
    say!(
        "{} came, {}, in {} that began and others",
        count(collected.submissions, "submission"),
        HumanBytes(collected.bytes),
        count(collected.conversations, "conversation")
    )?;
    if collected.doubtful > 0 {
        say!("{} may be somebody else's", count(collected.doubtful, "submission"))?;
    }
    let sent = collected.sent;
    say!(
        "the drop got {}, {}, {}{}",
        count(sent.replies, "answer"),
        count(sent.accepted, "acceptance"),
        count(sent.forgotten, "deletion"),
        if collected.directory_put { ", and the directory" } else { "" }
    )?;
    for (id, why) in collected.refused.iter().take(NAMED) {
        say!(
            "not opened, and left at the drop, until `daylight drop discard`: {}  {}",
            &id.to_string()[..12],
            crate::commands::search::plain(why)
        )?;
    }
    if collected.refused.len() > NAMED {
        say!("and {} more", collected.refused.len() - NAMED)?;
    }
    if collected.no_room > 0 {
        say!("{} left at the drop: THE DESK'S DISK IS NEARLY FULL", count(collected.no_room, "envelope"))?;
    }
    if !retired.is_empty() {
        say!("deleted {} in which nothing happened for long", count(retired.len() as u64, "conversation"))?;
    }
    Ok(())
}
