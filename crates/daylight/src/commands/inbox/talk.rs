use super::{date, open, today};
use crate::args::inbox as args;
use crate::commands::publish::signing_key;
use crate::commands::search::plain;
use crate::output::{self, count, remark, say};
use anyhow::{Context, Result, bail};
use daylight_inbox::{Conversation, FileParts, Message, Refused, Whole};
use daylight_model::Name;
use indicatif::HumanBytes;
use serde_json::{Value, json};
use std::io::Read as _;
use std::process::ExitCode;

/// The most bytes of an answer that are read before it is refused.
const MAX_ANSWER: u64 = 64 << 10;

/// Somebody else's words in a message: what is said beside it.
const DOUBT: &str = "MAY BE SOMEBODY ELSE";

pub(crate) fn list(args: &args::List) -> Result<ExitCode> {
    let inbox = open(&args.desk, false)?;
    let listed = inbox.list(args.limit, args.unread)?;
    let totals = inbox.totals()?;
    let refused = inbox.refused()?;
    if args.refused {
        return list_refused(args, &refused);
    }
    let (refused, why) = (refused.len() as u64, refused.into_iter().next().map(|one| one.why));
    if args.json {
        let listed: Vec<Value> = listed.iter().map(conversation_json).collect();
        output::json(
            &json!({"conversations": listed, "total": totals.conversations, "submissions": totals.submissions, "replies": totals.replies,
            "unread": totals.unread, "queued": totals.queued, "refused": refused, "refused_why": why}),
        )?;
        return Ok(ExitCode::SUCCESS);
    }
    for one in &listed {
        say!("{}", line(one))?;
    }
    say!(
        "{} of {}, {} unread, {} to be sent",
        listed.len(),
        count(totals.conversations, "conversation"),
        count(totals.unread, "submission"),
        count(totals.queued, "answer")
    )?;
    if refused > 0 {
        say!(
            "{} at the drop not opened (--refused shows them); the last because: {}",
            count(refused, "envelope"),
            plain(&why.unwrap_or_default())
        )?;
    }
    Ok(ExitCode::SUCCESS)
}

fn list_refused(args: &args::List, refused: &[Refused]) -> Result<ExitCode> {
    let shown = &refused[..refused.len().min(args.limit)];
    if args.json {
        let value = |one: &Refused| json!({"id": one.id.to_string(), "day": date(one.day), "bytes": one.length, "why": one.why});
        output::json(&json!({"refused": shown.iter().map(value).collect::<Vec<_>>(), "total": refused.len()}))?;
        return Ok(ExitCode::SUCCESS);
    }
    for one in shown {
        say!("{}  {}  {}  {}", &one.id.to_string()[..12], date(one.day), HumanBytes(one.length), plain(&one.why))?;
    }
    say!("{} of {} not opened; `daylight drop discard` has the drop delete them", shown.len(), count(refused.len() as u64, "envelope"))?;
    Ok(ExitCode::SUCCESS)
}

fn line(one: &Conversation) -> String {
    let mut words = vec![
        one.id.to_string()[..12].to_owned(),
        date(one.days.1),
        format!("{} in, {} out, {}", one.submissions, one.replies, HumanBytes(one.bytes)),
    ];
    if one.unread > 0 {
        words.push(format!("{} unread", one.unread));
    }
    if !one.accepted {
        words.push("not accepted".into());
    }
    if one.doubtful > 0 {
        words.push(format!("{} {DOUBT}", one.doubtful));
    }
    if one.shared {
        words.push("ANOTHER CONVERSATION CAME IN THE SAME MAILBOX".into());
    }
    if !one.assigned.is_empty() {
        words.push(plain(&one.assigned));
    }
    words.join("  ")
}

fn conversation_json(one: &Conversation) -> Value {
    json!({"id": one.id.to_string(), "first": date(one.days.0), "last": date(one.days.1), "submissions": one.submissions, "replies": one.replies,
        "unread": one.unread, "doubtful": one.doubtful, "bytes": one.bytes, "accepted": one.accepted, "shared_mailbox": one.shared,
        "assigned": one.assigned})
}

pub(crate) fn read(args: &args::Read) -> Result<ExitCode> {
    let mut inbox = open(&args.desk, false)?;
    let one = inbox.find(&args.conversation)?;
    let whole = inbox.read(&args.conversation)?;
    if args.json {
        let mut value = conversation_json(&one);
        value["messages"] = whole.messages.iter().map(message_json).collect();
        value["files"] = whole.files.iter().map(file_json).collect();
        output::json(&value)?;
    } else {
        in_words(&one, &whole)?;
    }
    if !args.peek {
        inbox.mark_read(&args.conversation)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Which side sealed a message, for people.
fn sealed_by(by_tool: bool) -> &'static str {
    if by_tool { "sealed by the source's own tool" } else { "sealed by the page, so the drop's machine had it in the clear" }
}

fn message_json(message: &Message) -> Value {
    let sealed_by = if message.outgoing { None } else { Some(if message.heading.by_tool { "tool" } else { "page" }) };
    json!({"outgoing": message.outgoing, "day": date(message.day), "text": message.text, "sealed_by": sealed_by, "doubtful": message.doubtful,
        "again": message.again, "unread": message.unread, "sent": message.outgoing.then_some(message.sent), "counter": message.heading.counter,
        "editor": message.outgoing.then_some(&message.heading.editor)})
}

fn file_json(file: &FileParts) -> Value {
    let missing: Vec<u32> = file.missing.iter().map(|part| part + 1).collect();
    json!({"name": Name(file.name.clone()).to_string(), "media_type": file.media_type, "bytes": file.length, "parts": file.parts,
        "whole": file.is_whole(), "missing": missing, "missing_count": file.missing_count, "doubtful": file.doubtful,
        "sealed_by": if file.by_tool { "tool" } else { "page" }, "day": date(file.day)})
}

fn in_words(one: &Conversation, whole: &Whole) -> Result<()> {
    say!("{}", line(one))?;
    for message in &whole.messages {
        let mut about = vec![date(message.day)];
        if message.outgoing {
            about.push(format!("from {}", plain(&message.heading.editor)));
            about.push(if message.sent { "at the drop" } else { "goes with the next collection" }.into());
        } else {
            about.push("from the source".into());
            about.push(sealed_by(message.heading.by_tool).into());
        }
        if message.doubtful {
            about.push(DOUBT.into());
        }
        if message.again {
            about.push("A BEGINNING LIKE THE FIRST, again: a copy, or somebody else".into());
        }
        say!("")?;
        say!("{}", about.join(", "))?;
        for words in message.text.as_deref().unwrap_or_default().lines() {
            say!("  {}", plain(words))?;
        }
    }
    for file in &whole.files {
        say!("")?;
        say!("file {}  {}  {}", Name(file.name.clone()), plain(&file.media_type), HumanBytes(file.length))?;
        say!("  {}, {}", date(file.day), sealed_by(file.by_tool))?;
        if file.doubtful {
            say!("  {DOUBT}")?;
        }
        missing(file)?;
    }
    Ok(())
}

fn missing(file: &FileParts) -> Result<()> {
    if file.is_whole() {
        return Ok(());
    }
    let parts: Vec<String> = file.missing.iter().take(20).map(|part| (part + 1).to_string()).collect();
    let more = file.missing.len() > 20;
    let listed = if parts.is_empty() { String::new() } else { format!("part {}{}", parts.join(", "), if more { " …" } else { "" }) };
    match file.missing_count {
        Some(number) => say!("  NOT WHOLE: {} missing: {listed}", count(number, "part")),
        None if listed.is_empty() => say!("  NOT WHOLE: its last part has not come"),
        None => say!("  NOT WHOLE: its last part has not come, and missing before it: {listed}"),
    }
}

pub(crate) fn accept(args: &args::Accept) -> Result<ExitCode> {
    let mut inbox = open(&args.desk, false)?;
    let new = inbox.accept(&args.conversation)?;
    if args.json {
        output::json(&json!({"accepted": true, "new": new}))?;
    } else {
        say!("{}", if new { "accepted: the drop is told by the next collection" } else { "accepted before" })?;
    }
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn answer(args: &args::Answer) -> Result<ExitCode> {
    let body = body(args)?;
    let mut inbox = open(&args.desk, false)?;
    let one = inbox.find(&args.conversation)?;
    let key = signing_key(&args.key, args.passphrase_file.as_deref())?;
    let answer = inbox.answer(&args.conversation, &body, key.signer(), today())?;
    if one.shared {
        remark(format_args!("another conversation came in the same mailbox; only whoever sent this one can open the answer"));
    }
    if args.json {
        output::json(&json!({"conversation": one.id.to_string(), "counter": answer.counter, "queued": true}))?;
    } else {
        say!("answer {} to {} goes with the next collection", answer.counter, &one.id.to_string()[..12])?;
    }
    Ok(ExitCode::SUCCESS)
}

fn body(args: &args::Answer) -> Result<String> {
    let mut body = String::new();
    match &args.text {
        Some(file) => {
            let opened = std::fs::File::open(file).with_context(|| format!("cannot read {}", file.display()))?;
            opened.take(MAX_ANSWER).read_to_string(&mut body).with_context(|| format!("cannot read {}", file.display()))?;
        }
        None => {
            std::io::stdin().take(MAX_ANSWER).read_to_string(&mut body).context("cannot read the answer")?;
        }
    }
    if body.trim().is_empty() {
        bail!("the answer is empty; nothing was queued");
    }
    Ok(body)
}

pub(crate) fn assign(args: &args::Assign) -> Result<ExitCode> {
    let mut inbox = open(&args.desk, false)?;
    inbox.assign(&args.conversation, &args.who)?;
    if args.json {
        output::json(&json!({"assigned": args.who}))?;
    } else if args.who.is_empty() {
        say!("nobody takes care of it")?;
    } else {
        say!("{} takes care of it", plain(&args.who))?;
    }
    Ok(ExitCode::SUCCESS)
}
