//! `drop init`, `serve`, `status`, `export` and `apply`: the operator's side of a drop.

use crate::args::{DropApply, DropExport, DropInit, DropServe, DropStatus};
use crate::commands::inbox::date;
use crate::output::{self, count, remark, say};
use anyhow::Result;
use daylight_intake::{Ready, Settings, Status};
use indicatif::HumanBytes;
use serde_json::{Value, json};
use std::process::ExitCode;

pub(crate) fn init(args: &DropInit) -> Result<ExitCode> {
    let settings = Settings { address: args.address.clone(), title: args.title.clone(), reserve: args.reserve.saturating_mul(1_000_000) };
    let token = daylight_intake::init(&args.store, &args.archive, &settings, args.directory.as_deref())?;
    match token {
        _ if args.json => output::json(&json!({ "token": token, "store": args.store.display().to_string() }))?,
        Some(token) => {
            say!("{token}")?;
            remark(format_args!("this is the collector's token: the newsroom needs it, and it is shown only now"));
        }
        None => say!("{} has these settings now", args.store.display())?,
    }
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn serve(args: &DropServe) -> Result<ExitCode> {
    // A closed standard output must not end the server.
    let mut ready = |ready: &Ready| {
        if !ready.locked {
            remark(format_args!("its memory may be written to swap: give it LimitMEMLOCK=infinity, or have no swap"));
        }
        if ready.landlock == 0 {
            remark(format_args!("this kernel has no Landlock, so that it is not confined to its folder"));
        }
        if let Some(why) = &ready.unused {
            remark(format_args!("the drop is closed: its directory is not used: {why}"));
        }
        for path in &ready.damaged {
            remark(format_args!("{} is no file of a drop, and is left alone: look at it", path.display()));
        }
        let _ = say!("{}", ready.address);
    };
    daylight_intake::serve(&args.store, &args.listen, &mut ready)?;
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn status(args: &DropStatus) -> Result<ExitCode> {
    let status = daylight_intake::status(&args.store)?;
    let answers = args.at.as_ref().map(|at| daylight_intake::answers(at).map_err(|error| error.to_string()));
    if args.json {
        output::json(&status_json(&status, answers.as_ref()))?;
    } else {
        status_in_words(&status, answers.as_ref())?;
    }
    let open = status.is_open() && answers.is_none_or(|answers| answers.is_ok());
    Ok(if open { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn status_json(status: &Status, answers: Option<&Result<(), String>>) -> Value {
    let (lying, days) = (&status.lying, &status.days);
    json!({
        "answers": answers.map(Result::is_ok), "bytes": lying.bytes, "collected": days.collected.map(date), "crowded": days.crowded.map(date),
        "damaged": lying.damaged, "directory": status.keys.map(|keys| keys.serial), "directory_unused": status.unused, "envelopes": lying.envelopes,
        "free": status.free, "full": status.full, "keys_last": status.keys.map(|keys| date(keys.last)),
        "keys_today": status.keys.is_some_and(|keys| keys.today), "oldest": lying.oldest.map(date), "open": status.is_open(),
        "replies": lying.replies, "reserve": status.reserve, "served": status.served, "was_full": days.full.map(date),
    })
}

fn status_in_words(status: &Status, answers: Option<&Result<(), String>>) -> Result<()> {
    let (lying, days) = (&status.lying, &status.days);
    say!("{}", if status.served { "a process has the store" } else { "NOBODY SERVES IT" })?;
    match answers {
        Some(Ok(())) => say!("it answers")?,
        Some(Err(why)) => say!("IT DOES NOT ANSWER: {why}")?,
        None => {}
    }
    let oldest = lying.oldest.map(|day| format!(", the oldest of {}", date(day))).unwrap_or_default();
    say!("{} waiting, {}{oldest}", count(lying.envelopes, "envelope"), HumanBytes(lying.bytes))?;
    say!("{} waiting for sources", count(lying.replies, "answer"))?;
    let full = if status.full { ": IT IS FULL" } else { "" };
    say!("{} free on its disk, of which {} stay so{full}", HumanBytes(status.free), HumanBytes(status.reserve))?;
    match (status.keys, &status.unused) {
        (Some(keys), _) if keys.today => {
            let left = u64::from(keys.last.saturating_sub(status.today)) + 1;
            say!("keys until {}, for {} with today: directory {}", date(keys.last), count(left, "day"), keys.serial)?;
        }
        (Some(keys), _) => say!("CLOSED: directory {} has no keys for today; its last are of {}", keys.serial, date(keys.last))?,
        (None, Some(why)) => say!("CLOSED: its directory is not used: {why}")?,
        (None, None) => say!("CLOSED: no directory of keys was brought")?,
    }
    match days.collected {
        Some(day) => say!("collected on {}", date(day))?,
        None => say!("not collected yet, as far as is noted here")?,
    }
    if let Some(day) = days.crowded {
        say!("all places were taken on {}, the last time", date(day))?;
    }
    if let Some(day) = days.full {
        say!("somebody was told that it is full on {}, the last time", date(day))?;
    }
    if lying.damaged > 0 {
        remark(format_args!("{} no file of a drop: look at what `drop serve` said when it started", count(lying.damaged, "file")));
    }
    Ok(())
}

pub(crate) fn export(args: &DropExport) -> Result<ExitCode> {
    let exported = daylight_intake::export(&args.store, &args.to)?;
    if args.json {
        let damaged: Vec<String> = exported.damaged.iter().map(|path| path.display().to_string()).collect();
        output::json(&json!({ "damaged": damaged, "envelopes": exported.envelopes }))?;
    } else {
        exported
            .damaged
            .iter()
            .for_each(|path| remark(format_args!("{}: not a file of the drop's form; left where it is", path.display())));
        say!("{} in {}", count(exported.envelopes as u64, "envelope"), args.to.join("outbox").display())?;
    }
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn apply(args: &DropApply) -> Result<ExitCode> {
    let applied = daylight_intake::apply(&args.store, &args.from)?;
    if args.json {
        output::json(&json!({
            "accepted": applied.accepted, "directory": applied.directory, "done": applied.done, "forgotten": applied.forgotten, "replies": applied.replies,
        }))?;
    } else {
        let directory = if applied.directory { " and the directory" } else { "" };
        say!(
            "{}{directory} brought, {} deleted here, {} accepted",
            count(applied.replies as u64, "answer"),
            applied.done,
            applied.accepted
        )?;
    }
    Ok(ExitCode::SUCCESS)
}
