//! `submit`, `check` and `reply`: a source's own end, on the source's own machine.

mod codename;
mod reach;

use crate::args;
use crate::commands::clear::now;
use crate::output::{self, count, remark, say};
use anyhow::{Context, Result, bail};
use codename::Kept;
use daylight_envelope::{Codename, LONGEST_TEXT, SourceKeys};
use daylight_intake::tool::{Drop, Mail, Sending, Stop, mailbox};
use daylight_mirror::address::Address;
use indicatif::HumanBytes;
use reach::{Reached, Way};
use serde_json::json;
use std::io::{IsTerminal, Read};
use std::path::Path;
use std::process::ExitCode;
use zeroize::Zeroizing;

/// What a source should know before anything is sent. It is the same each time, so that nothing depends on having read it once.
const PROTECTED: &str =
    "What you send is sealed on this machine. The drop cannot read it, nor can whoever runs, watches or seizes the drop.";
const NOT_PROTECTED: [&str; 5] = [
    "Not protected: that this machine talks to Tor or to the drop, for whoever watches your network; and nothing at all, if somebody else controls this machine.",
    "The drop learns when you come, roughly how much you send (of a long file to within some megabytes), and which visits have the same codename.",
    "Whoever serves the archive sees, unless it is a folder of yours, that somebody looked at its log as this program does before it sends.",
    "The newsroom reads all that you send, also what files say without your knowing: names, programs, places, who printed them. It cannot unread it.",
    "This program writes nothing to disk unless you ask it to. Your shell may keep what you typed: look at its history.",
];

/// The address of a drop, if that is what was named.
pub(crate) fn drop_named(place: &Path) -> Result<Option<Address>> {
    match place.to_str().filter(|text| text.starts_with("http://") || text.starts_with("https://")) {
        Some(text) => Ok(Some(text.parse().with_context(|| format!("`{text}` is no address of a drop"))?)),
        None => Ok(None),
    }
}

/// Keeps what the source types and sends out of core files, debuggers and, where the system allows it, swap. It is called before there are threads.
fn guard() -> Result<()> {
    let guarded = daylight_sandbox::guard_secrets().context("this system does not let a program keep its memory to itself")?;
    if !guarded.locked {
        remark(format_args!(
            "the system may write this program's memory to swap: use one without swap, such as Tails, or lift the limit on locked memory"
        ));
    }
    Ok(())
}

pub(crate) fn submit(args: &args::Submit) -> Result<ExitCode> {
    guard()?;
    if args.sent.from_part > 1 {
        bail!("--from-part goes on with what was sent under a codename: use `daylight reply`");
    }
    let text = what(&args.sent)?;
    let way = Way::new(&args.drop, &args.newsroom)?;
    let drop = way.drop();
    let reached = way.reach(&drop)?;
    tell(&reached)?;
    let (codename, first) = match codename::kept(args.newsroom.codename_file.as_deref())? {
        Kept::Old(codename) => (codename, false),
        Kept::New(codename, written) => {
            say!("Your codename, shown only now:\n\n    {}\n", codename.words().as_str())?;
            match written {
                Some(file) => say!("It is also in {}. Whoever has it reads your replies and can write as you.\n", file.display())?,
                None => say!(
                    "It is the only way to read replies. Whoever has it reads them and can write as you. Nobody can give it to you again.\n"
                )?,
            }
            (codename, true)
        }
    };
    send(&args.sent, text.as_deref().map(String::as_str), &codename, (&drop, &reached), first)?;
    say!("\nSent. Come back in some days with: daylight check {}", args.drop)?;
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn reply(args: &args::ToNewsroom) -> Result<ExitCode> {
    guard()?;
    let text = what(&args.sent)?;
    let codename = codename::known(args.newsroom.codename_file.as_deref())?;
    let way = Way::new(&args.drop, &args.newsroom)?;
    let drop = way.drop();
    let reached = way.reach(&drop)?;
    tell(&reached)?;
    send(&args.sent, text.as_deref().map(String::as_str), &codename, (&drop, &reached), false)?;
    say!("\nSent.")?;
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn check(address: &Address, args: &args::Check) -> Result<ExitCode> {
    if args.look {
        bail!("--look is for a desk");
    }
    guard()?;
    let codename = codename::known(args.newsroom.codename_file.as_deref())?;
    let way = Way::new(address, &args.newsroom)?;
    let drop = way.drop();
    let reached = way.reach(&drop)?;
    let keys = codename.keys(&reached.newsroom);
    let mail = mailbox(&drop, &keys, &reached.newsroom, &reached.directory.editors())?;
    if args.json {
        in_json(&mail, &reached)?
    } else {
        in_words(&mail, &reached)?
    }
    if args.delete {
        drop.forget(keys.lookup)?;
        remark(format_args!(
            "the drop was told to delete all that it holds of you; what the newsroom has fetched it keeps, and no reply can reach you here"
        ));
    }
    Ok(if mail.refused.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The text that is to be sent. There must be something to send, and it must be readable before anything is sent of it.
fn what(sent: &args::Sent) -> Result<Option<Zeroizing<String>>> {
    if sent.text.is_none() && sent.files.is_empty() {
        bail!("say what to send: --text, or files");
    }
    for file in &sent.files {
        let kind = std::fs::metadata(file).with_context(|| format!("cannot read {}", file.display()))?;
        if !kind.is_file() {
            bail!("{} is not a file: send a folder as a zip or tar", file.display());
        }
    }
    let mut text = match sent.text.as_deref() {
        None => return Ok(None),
        Some("-") => Zeroizing::new(String::new()),
        Some(text) => Zeroizing::new(text.to_owned()),
    };
    if sent.text.as_deref() == Some("-") {
        if std::io::stdin().is_terminal() {
            remark(format_args!("type your text, and end it with Ctrl-D on a line of its own"));
        }
        std::io::stdin().lock().take(LONGEST_TEXT + 1).read_to_string(&mut text).context("cannot read the text from standard input")?;
    }
    if text.len() as u64 > LONGEST_TEXT {
        bail!("a text has at most 128 KiB: put it into a file and send that");
    }
    Ok(Some(text))
}

fn tell(reached: &Reached) -> Result<()> {
    let (members, serial) = (reached.directory.members().len() as u64, reached.directory.serial());
    // The one name is what the drop says, the other is signed.
    let (title, origin) = (&reached.told.title, &reached.directory.file().told.origin);
    say!("To {title} ({origin}): sealed for {}, by directory {serial} of its archive's log.", count(members, "reader"))?;
    say!("{PROTECTED}")?;
    NOT_PROTECTED.iter().try_for_each(|line| say!("{line}"))?;
    say!("")
}

fn send(sent: &args::Sent, text: Option<&str>, codename: &Codename, (drop, reached): (&Drop<'_>, &Reached), first: bool) -> Result<()> {
    let keys: SourceKeys = codename.keys(&reached.newsroom);
    let mut sending = Sending { drop, newsroom: reached.newsroom, directory: &reached.directory, keys: &keys, first, now: &now };
    if let Some(text) = text.filter(|text| !text.is_empty()) {
        sending.text(text).context("the text was not sent")?;
        remark(format_args!("the text arrived"));
    }
    for (place, path) in sent.files.iter().enumerate() {
        let from = if place == 0 { sent.from_part - 1 } else { 0 };
        let name = path.file_name().unwrap_or_default();
        let mut file = std::fs::File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
        let mut at = from;
        let mut begins = |slice: daylight_intake::tool::Slice| {
            at = slice.part;
            remark(format_args!("{}: part {} of {}, {} sealed", path.display(), slice.part + 1, slice.of, HumanBytes(slice.sealed)));
        };
        let done = sending.file(std::os::unix::ffi::OsStrExt::as_bytes(name), &mut file, from, &mut begins);
        match done {
            Ok(done) => remark(format_args!("{}: all of {} arrived", path.display(), HumanBytes(done.length))),
            Err(Stop::Changed) => return Err(Stop::Changed).with_context(|| format!("{} was not sent", path.display())),
            Err(error) => {
                let part = at + 1;
                let file = path.display();
                return Err(error).with_context(|| {
                    format!("{file} was not sent from part {part} on; `daylight reply` with --from-part {part} goes on there")
                });
            }
        }
    }
    Ok(())
}

fn in_words(mail: &Mail, reached: &Reached) -> Result<()> {
    for reply in &mail.replies {
        let members = reached.directory.members();
        let name = members.iter().find(|key| *key.public() == reply.editor).map_or("an editor", |key| key.name());
        say!("Reply {}, signed by {name}:\n\n{}\n", reply.counter, printable(&reply.body))?;
    }
    if mail.replies.is_empty() {
        say!(
            "No reply. Either nobody has answered yet, or nothing was ever sent with this codename to this newsroom: nobody but the newsroom can tell."
        )?;
    }
    if mail.missing > 0 {
        remark(format_args!("{} more were counted between these and are not here: deleted, or held back by the drop", mail.missing));
    }
    for why in &mail.refused {
        remark(format_args!("something lies in your mailbox that is not shown: {why}"));
    }
    Ok(())
}

fn in_json(mail: &Mail, reached: &Reached) -> Result<()> {
    let replies: Vec<_> = mail
        .replies
        .iter()
        .map(|reply| {
            let editor = reached.directory.members().iter().find(|key| *key.public() == reply.editor).map(|key| key.name().to_owned());
            json!({ "counter": reply.counter, "editor": editor, "text": reply.body.as_str() })
        })
        .collect();
    output::json(&json!({ "replies": replies, "refused": mail.refused, "missing": mail.missing }))
}

/// A text without what would steer a terminal.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' && c != '\t' { '\u{fffd}' } else { c }).collect()
}
