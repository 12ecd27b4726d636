//! `drop init`, `serve`, `export` and `apply`: the operator's side of a drop.

use crate::args::{DropApply, DropExport, DropInit, DropServe};
use crate::output::{self, count, remark, say};
use anyhow::Result;
use daylight_intake::{Ready, Settings};
use serde_json::json;
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
