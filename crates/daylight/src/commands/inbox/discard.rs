use super::{open, today};
use crate::args::inbox::Discard;
use crate::commands::clear::now;
use crate::output::{self, count, say};
use anyhow::{Result, bail};
use daylight_ingest::open_desk;
use daylight_model::Digest;
use serde_json::json;
use std::process::ExitCode;

pub(crate) fn discard(args: &Discard) -> Result<ExitCode> {
    let mut desk = open_desk(&args.desk)?;
    let mut inbox = open(&args.desk, false)?;
    let ids: Vec<Digest> = if args.all {
        inbox.refused()?.into_iter().map(|one| one.id).collect()
    } else {
        args.envelopes.iter().map(|beginning| inbox.find_refused(beginning)).collect::<daylight_inbox::Result<_>>()?
    };
    let words = count(ids.len() as u64, "envelope");
    if !args.yes {
        bail!("nothing was discarded: --yes says that {words} that could not be opened may be deleted at the drop, unread");
    }
    let held = inbox.hold("drop discard")?;
    if !ids.is_empty() {
        // How many, and not which: the audit log outlives what it tells of. A crash after it leaves envelopes to be discarded again.
        desk.audit(now(), &args.who, "discarded", &format!("envelopes that could not be opened: {}\n", ids.len()), "")?;
        daylight_durable::crash_point("inbox.discard-noted");
    }
    let known = inbox.discard(&held, &ids, today())?;
    if args.json {
        output::json(&json!({"discarded": known}))?;
    } else {
        say!("discarded {}; the drop is told by the next collection", count(known as u64, "envelope"))?;
    }
    Ok(ExitCode::SUCCESS)
}
