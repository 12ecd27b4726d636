//! `dkim online`: asks the DNS for the keys that are missing. The only command that tells anybody anything, so that it says first what it would tell.

use crate::args;
use crate::commands::search::plain;
use crate::output::{self, count, remark, say};
use crate::resolver::Resolver;
use anyhow::{Result, bail};
use daylight_dkim::dns::Answer;
use daylight_dkim::import::{Provenance, import};
use daylight_ingest::{Imported, import_keys, open_desk};
use daylight_model::SignatureKey;
use serde_json::json;
use std::io::{self, IsTerminal};
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

/// Answers are stored when there are so many: what was asked once need not be told again after a crash.
const BATCH: usize = 20;
/// So many names are listed before anybody is asked.
const LISTED: usize = 20;

/// What came of asking.
#[derive(Default)]
struct Told {
    imported: Imported,
    found: u64,
    /// What the DNS has no key under, and why.
    absent: Vec<(String, &'static str)>,
    /// What no answer came to, and why.
    failed: Vec<(String, String)>,
}

pub(crate) fn online(args: &args::DkimOnline) -> Result<ExitCode> {
    let desk = open_desk(&args.desk)?;
    let resolver = Resolver::new(args.resolver.as_deref(), args.socks.as_deref())?;
    let missing: Vec<(String, u64)> = desk.missing_keys()?.into_iter().filter(|(name, _)| is_wanted(name, &args.domain)).collect();
    if !missing.is_empty() && !consent(args, &resolver, &missing)? {
        bail!("nothing was asked");
    }
    let lease = desk.take_ingest_lease()?;
    let (mut told, mut keys) = (Told::default(), Vec::new());
    for (number, (name, _)) in missing.iter().enumerate() {
        keys.extend(ask(&resolver, name, &mut told));
        if keys.len() >= BATCH || number + 1 == missing.len() && !keys.is_empty() {
            let batch = import_keys(&desk, &lease, &std::mem::take(&mut keys), now())?;
            told.imported.keys += batch.keys;
            told.imported.signed += batch.signed;
            told.imported.changed += batch.changed;
        }
    }
    tell(args, missing.len(), &told)?;
    Ok(if told.failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Whether a key is of one of these domains or of one below it; of any, if none is named.
fn is_wanted(name: &str, domains: &[String]) -> bool {
    let Some((_, domain)) = name.split_once("._domainkey.") else { return false };
    let within = |of: &String| {
        let of = of.trim_end_matches('.').to_lowercase();
        domain == of || domain.strip_suffix(&of).is_some_and(|rest| rest.ends_with('.'))
    };
    domains.is_empty() || domains.iter().any(within)
}

/// Says what asking would tell, to whom; and has it confirmed in words.
fn consent(args: &args::DkimOnline, resolver: &Resolver, missing: &[(String, u64)]) -> Result<bool> {
    remark(format_args!("{} missing", count(missing.len() as u64, "key")));
    for (name, signed) in missing.iter().take(LISTED) {
        remark(format_args!("  {} ({} signed with it)", plain(name), count(*signed, "document")));
    }
    if missing.len() > LISTED {
        remark(format_args!("  and {} more", missing.len() - LISTED));
    }
    let way = if args.socks.is_some() { ", through the proxy" } else { ", from this machine's address" };
    remark(format_args!(
        "asking tells {}{way}, and whoever runs the DNS of these domains, whose mail you hold and when you look at it",
        resolver.name
    ));
    remark(format_args!(
        "whoever wrote a message may have named a key that nobody else asks for, to learn that it reached you: --domain limits what is asked"
    ));
    remark(format_args!(
        "DNSSEC is not checked: an answer is worth as much as its way here; what is stored says where and when it was seen"
    ));
    if args.yes {
        return Ok(true);
    }
    if !io::stdin().is_terminal() {
        bail!("nothing was asked: there is no terminal to ask you on; --yes says that you want it");
    }
    remark(format_args!("type `ask` to go on:"));
    let mut line = String::new();
    io::stdin().read_line(&mut line)?;
    Ok(line.trim() == "ask")
}

fn ask(resolver: &Resolver, name: &str, told: &mut Told) -> Vec<SignatureKey> {
    let mut failed = |why: String| told.failed.push((name.to_owned(), why));
    match resolver.ask(name) {
        Ok(Some(Answer::Records(records))) => {
            // Which server a network has says which network it is; one that was chosen is named.
            let source = if resolver.is_systems { "dns".to_owned() } else { format!("dns {}", resolver.name) };
            let from = Provenance { source, seen: Some(now()) };
            let listed = json!(records.iter().map(|record| json!({"name": name, "record": record})).collect::<Vec<_>>());
            let keys = import("dns", listed.to_string().as_bytes(), &from).keys;
            match keys.is_empty() {
                true => told.absent.push((name.to_owned(), "what the DNS has there is no key")),
                false => told.found += 1,
            }
            return keys;
        }
        Ok(Some(Answer::NoName | Answer::NoRecord)) => told.absent.push((name.to_owned(), "the DNS has no such key now")),
        Ok(None) => told.absent.push((name.to_owned(), "it can be no name in the DNS, and was not asked for")),
        Ok(Some(Answer::Refused(code))) => failed(format!("the server would not or could not answer (code {code})")),
        Ok(Some(Answer::Cut)) => failed("its answer is longer than any answer may be".into()),
        Ok(Some(Answer::Other(why))) => failed(format!("what came is no answer: {why}")),
        Err(error) => failed(format!("{error:#}")),
    }
    Vec::new()
}

fn tell(args: &args::DkimOnline, missing: usize, told: &Told) -> Result<()> {
    if args.json {
        return output::json(&json!({
            "keys_missing": missing,
            "keys_found": told.found,
            "keys_new": told.imported.keys,
            "signed_with_them": told.imported.signed,
            "verdicts_changed": told.imported.changed,
            "absent": told.absent.iter().map(|(name, why)| json!({"name": name, "why": why})).collect::<Vec<_>>(),
            "failed": told.failed.iter().map(|(name, why)| json!({"name": name, "why": why})).collect::<Vec<_>>(),
        }));
    }
    for (name, why) in &told.absent {
        say!("{}: {why}", plain(name))?;
    }
    if !told.absent.is_empty() {
        say!("a key that is gone says nothing against what it signed: domains change theirs")?;
    }
    for (name, why) in &told.failed {
        say!("{}: {}", plain(name), plain(why))?;
    }
    say!("{} of {} missing found", told.found, count(missing as u64, "key"))?;
    say!("{} signed with them, of which {} have another verdict now", count(told.imported.signed, "document"), told.imported.changed)
}

fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs().cast_signed())
}
