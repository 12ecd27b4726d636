use super::protect::keys_are_destroyed;
use super::{date, open, today};
use crate::args::inbox::{DirectoryKeys, DirectoryNew, DirectoryShow};
use crate::commands::clear::now;
use crate::commands::publish::{collected, signing_key};
use crate::commands::search::plain;
use crate::commands::withdraw::{complete, logged_json};
use crate::commands::witness::asking;
use crate::output::{self, count, remark, say};
use crate::place;
use anyhow::{Context, Result, bail};
use daylight_archive::directory::{DirectoryNote, MAX_FILE, parse};
use daylight_archive::{Archive, Key};
use daylight_envelope::Newsroom;
use daylight_inbox::{Inbox, Keyring, Offer, join};
use daylight_model::Digest;
use daylight_publish::request::Request;
use daylight_publish::{Listing, ask_directory, log_directory};
use serde_json::json;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// The newsroom of an archive: SHA-256 of its first root.
fn newsroom(archive: &Archive) -> Result<Newsroom> {
    let first = archive.chain().links().first().context("the archive has no root")?;
    Ok(Newsroom(first.digest.0))
}

pub(crate) fn keys(args: &DirectoryKeys) -> Result<ExitCode> {
    let newsroom = newsroom(&Archive::open(&args.to)?)?;
    let key = signing_key(&args.key, args.passphrase_file.as_deref())?;
    let inbox = open(&args.desk, true)?;
    let _held = inbox.hold("drop directory keys")?;
    let member = key.key();
    let path = inbox.keyring_path(member.name());
    let mut keyring = match path.exists() {
        true => Keyring::open(&path, today(), inbox.tpm())?.0,
        false => Keyring::create(&path, newsroom, &member, inbox.seals_under()?)?,
    };
    if keyring.newsroom() != newsroom || *keyring.member() != member {
        bail!("{} was made for another newsroom, or with another key", path.display());
    }
    keyring.fill(today(), args.days)?;
    let offer = keyring.offer(today(), args.days, key.signer())?;
    let out = args.out.clone().unwrap_or_else(|| PathBuf::from(format!("{}.epoch-keys", member.name())));
    daylight_durable::write_atomic(&out, &offer.to_bytes()).with_context(|| format!("cannot write {}", out.display()))?;
    let last = today() + args.days - 1;
    if args.json {
        let destroyed = date(last + daylight_inbox::LIFE + 1);
        output::json(&json!({"member": member.to_string(), "keyring": path.display().to_string(), "file": out.display().to_string(),
            "first": date(today()), "last": date(last), "last_destroyed": destroyed}))?;
    } else {
        say!("{} has keys for {} to {} in {}", plain(member.name()), date(today()), date(last), path.display())?;
        say!("each is destroyed {} days after its day; what is not collected by then is lost", daylight_inbox::LIFE)?;
        say!("their public halves are in {}: give it to whoever puts the directory together", out.display())?;
    }
    remark(format_args!("{}", keys_are_destroyed(&inbox, &args.desk)?));
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn new(args: &DirectoryNew) -> Result<ExitCode> {
    let mut inbox = open(&args.desk, true)?;
    let held = inbox.hold("drop directory new")?;
    let draft = args.desk.join("inbox/directory.draft");
    let request = match args.signing.finish.is_empty() {
        true => asked(args, &draft, &inbox)?,
        false => collected(&args.signing.finish)?,
    };
    let Some(request) = complete(&args.signing, request)? else { return Ok(ExitCode::SUCCESS) };
    let keys = std::fs::read(&draft)
        .with_context(|| format!("cannot read {}: a directory is finished on the desk on which it was begun", draft.display()))?;
    let log_key = args.log_key.clone().unwrap_or_else(|| args.desk.join("log.key"));
    let (logged, file) = log_directory(&args.to, &log_key, &request, keys, Some(&asking(&args.signing.asking)?))?;
    // A crash here leaves it in the log and not on the desk: the same command, given the same request, goes on.
    daylight_durable::crash_point("inbox.directory-logged");
    inbox.keep_directory(&held, &file.to_bytes(), logged.serial)?;
    logged.warnings.iter().for_each(|warning| remark(format_args!("{warning}")));
    if args.signing.json {
        output::json(
            &json!({"logged": logged_json(&logged), "members": names(&file.told.members), "first": date(file.told.first), "last": date(file.told.last()),
            "file": args.desk.join("inbox/directory").display().to_string()}),
        )?;
    } else {
        let already = if logged.already { " already" } else { "" };
        say!("directory {} of {} is{already} in the log, size {}", logged.serial, logged.origin, logged.size)?;
        told(&file.told)?;
        say!("the next `daylight drop collect` gives it to the drop")?;
    }
    Ok(ExitCode::SUCCESS)
}

/// A request for the directory of all these members; their keys are kept for the day on which it is signed.
fn asked(args: &DirectoryNew, draft: &Path, inbox: &Inbox) -> Result<Request> {
    let newsroom = newsroom(&Archive::open(&args.to)?)?;
    let offers = args.member.iter().map(|file| offer(file)).collect::<Result<Vec<_>>>()?;
    let (members, first, keys) = join(&newsroom, &offers, today()).map_err(anyhow::Error::msg)?;
    // Said before anybody signs.
    for name in left_out(inbox, &members)? {
        let then = "what it answered and a source has not read by then is not believed any more: answer that anew with another key";
        remark(format_args!("{name} is left out: it can read nothing that is sent from then on, and {then}"));
    }
    let listing = Listing { members, first, keys };
    // The same keys asked for again are the same directory, which may be signed by some already.
    let request = ask_directory(&args.to, &listing, now())?;
    daylight_durable::write_atomic(draft, &listing.keys).with_context(|| format!("cannot write {}", draft.display()))?;
    Ok(request)
}

/// Who is in the directory that this desk shows its sources now, and will not be.
fn left_out(inbox: &Inbox, members: &[Key]) -> Result<Vec<String>> {
    let Some(now) = inbox.directory()? else { return Ok(Vec::new()) };
    let now = parse(&now).context("the directory on this desk")?.told.members;
    Ok(now.iter().filter(|member| !members.contains(member)).map(|member| plain(member.name())).collect())
}

fn offer(file: &Path) -> Result<Offer> {
    Offer::parse(&read(file)?).map_err(|why| anyhow::anyhow!("{}: {why}", file.display()))
}

fn read(file: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let opened = File::open(file).with_context(|| format!("cannot read {}", file.display()))?;
    opened.take(MAX_FILE as u64 + (4 << 20)).read_to_end(&mut bytes).with_context(|| format!("cannot read {}", file.display()))?;
    Ok(bytes)
}

fn names(members: &[Key]) -> Vec<String> {
    members.iter().map(Key::to_string).collect()
}

fn told(note: &DirectoryNote) -> Result<()> {
    say!("  for {} to {}, {}", date(note.first), date(note.last()), count(note.epochs.len() as u64, "day"))?;
    note.members.iter().try_for_each(|member| say!("  {}", plain(&member.to_string())))
}

pub(crate) fn show(args: &DirectoryShow) -> Result<ExitCode> {
    let bytes = read(&args.file)?;
    let (what, note) = match (parse(&bytes), Request::parse(&bytes)) {
        (Ok(file), _) => ("directory", file.told),
        (Err(_), Ok(request)) => {
            let note = DirectoryNote::parse_text(request.text());
            ("request", note.with_context(|| format!("{} asks for no directory to be signed", args.file.display()))?)
        }
        (Err(error), Err(_)) => match Offer::parse(&bytes) {
            Ok(offer) => return show_offer(args, &offer),
            Err(_) => return Err(error).with_context(|| args.file.display().to_string()),
        },
    };
    let own = args.keyring.as_deref().map(|keyring| own(keyring, &note)).transpose()?;
    let newest = match &args.archive {
        Some(archive) if what == "directory" => Some(Archive::open(archive)?.check_directory(&bytes).map(drop)),
        _ => None,
    };
    if args.json {
        output::json(
            &json!({"what": what, "origin": note.origin, "serial": note.serial, "members": names(&note.members), "first": date(note.first),
            "last": date(note.last()), "own_keys": own, "newest": newest.as_ref().map(std::result::Result::is_ok)}),
        )?;
    } else {
        say!("{what} {} of {}", note.serial, plain(&note.origin))?;
        told(&note)?;
        match own {
            Some(true) => say!("the keyring's keys are in it, one for each day")?,
            Some(false) => say!("THE KEYRING'S KEYS ARE NOT IN IT: its owner could not read what is sealed by it")?,
            None => {}
        }
        match &newest {
            Some(Ok(())) => say!("it is the newest in the archive's log, and enough editors signed it")?,
            Some(Err(error)) => say!("NOT TO BE SEALED TO: {error}")?,
            None => {}
        }
    }
    let fine = own != Some(false) && !matches!(newest, Some(Err(_)));
    Ok(if fine { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn show_offer(args: &DirectoryShow, offer: &Offer) -> Result<ExitCode> {
    let (first, days) = offer.days();
    let (member, last) = (offer.member().to_string(), first + days - 1);
    if args.json {
        output::json(&json!({"what": "keys", "member": member, "first": date(first), "last": date(last)}))?;
    } else {
        say!("keys of {}, which that key signed", plain(&member))?;
        say!("  for {} to {}, {}", date(first), date(last), count(u64::from(days), "day"))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Whether every key of a keyring's owner in a directory is one of the keyring.
fn own(path: &Path, note: &DirectoryNote) -> Result<bool> {
    let (keyring, _) = Keyring::open(path, today(), &place::tpm())?;
    let Some(place) = note.members.iter().position(|member| member == keyring.member()) else { return Ok(false) };
    let same = |(day, keys): (u32, &Vec<Digest>)| {
        let key = keyring.public(day).map(|key| Digest::of(&key));
        // A key whose time is over is in no keyring, and nothing is sealed to it any more.
        day + daylight_inbox::LIFE < today() || (key.is_some() && key.as_ref() == keys.get(place))
    };
    Ok((note.first..).zip(&note.epochs).all(same))
}
