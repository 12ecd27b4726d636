//! `prove`: that a document was published, shown without the archive.

use super::export::{pinned, write_new};
use super::search::plain;
use super::withdraw::{document_id, withdrawal_json, withdrawal_words};
use crate::args;
use crate::output::{self, say};
use anyhow::{Context, Result, bail};
use daylight_archive::archive::Since;
use daylight_archive::proof::{MAX_PROOF, Proven};
use daylight_archive::release::format_time;
use daylight_archive::{Archive, DocumentProof, FileRef};
use daylight_model::{Digest, Hasher};
use indicatif::HumanBytes;
use serde_json::json;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

pub(crate) fn prove(args: &args::Prove) -> Result<ExitCode> {
    match (&args.check, &args.archive, &args.id) {
        (Some(proof), _, _) => check(args, proof),
        (None, Some(archive), Some(id)) => make(args, archive, id),
        _ => bail!("name an archive and a document, or a proof to --check"),
    }
}

fn make(args: &args::Prove, archive: &Path, id: &str) -> Result<ExitCode> {
    let archive = Archive::open(archive)?;
    let (collection, number) = document_id(id)?;
    // Of what is withdrawn the last line is proved.
    let found = archive.find(collection, number)?.or(archive.history(collection, number)?.pop());
    let (serial, line) = found.with_context(|| format!("the archive has no document {}", plain(id)))?;
    let bytes = archive.proof(serial, line)?.to_bytes()?;
    let file = args.out.clone().unwrap_or_else(|| PathBuf::from(format!("{collection}-{number}.daylight-proof")));
    write_new(&file, &bytes)?;
    if args.json {
        let path = file.display().to_string();
        output::json(&json!({"file": path, "bytes": bytes.len(), "document": id, "release": serial, "log_size": archive.head()}))?;
    } else {
        let withdrawn = if archive.withdrawn_line(serial, line).is_some() { ", and withdrawn," } else { "" };
        say!("wrote the proof that {id} was published{withdrawn} as of log size {} to {}", archive.head(), file.display())?;
        say!("check it anywhere with `daylight prove --check {}`", file.display())?;
    }
    Ok(ExitCode::SUCCESS)
}

fn check(args: &args::Prove, path: &Path) -> Result<ExitCode> {
    let pinned = pinned(args.root.as_deref())?;
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(MAX_PROOF as u64 + 1).read_to_end(&mut bytes));
    read.with_context(|| format!("cannot read {}", path.display()))?;
    let proven = match DocumentProof::parse(&bytes).and_then(|proof| proof.verify(pinned.as_deref())) {
        Ok(proven) => proven,
        Err(error) => return not_valid(args, &error.to_string()),
    };
    let matching = match &args.file {
        None => None,
        Some(file) => {
            let digest = digest_of(file).with_context(|| format!("cannot read {}", file.display()))?;
            match proven.record().and_then(|record| record.files.iter().find(|one| one.sha256 == digest)) {
                Some(one) => Some(one),
                None if proven.withdrawn().is_some() => {
                    return not_valid(args, "the proof is valid, but the document is withdrawn: it says nothing of its files");
                }
                None => {
                    return not_valid(
                        args,
                        &format!("the proof is valid, but {} is no file of it: its SHA-256 is {digest}", file.display()),
                    );
                }
            }
        }
    };
    let newer = args.archive.as_deref().map(Archive::open).transpose()?;
    let since = newer.as_ref().map(|archive| archive.since(&proven)).transpose()?;
    if args.json {
        in_json(&proven, matching, since)?
    } else {
        in_words(&proven, matching, args)?;
        became(&proven, since)?
    }
    Ok(ExitCode::SUCCESS)
}

fn digest_of(path: &Path) -> std::io::Result<Digest> {
    let (mut file, mut hasher, mut buffer) = (File::open(path)?, Hasher::default(), vec![0; 1 << 20]);
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hasher.finish()),
            read => hasher.update(&buffer[..read]),
        }
    }
}

fn not_valid(args: &args::Prove, why: &str) -> Result<ExitCode> {
    if args.json {
        output::json(&json!({"valid": false, "why": plain(why)}))?;
    } else {
        say!("NOT VALID: {}", plain(why))?;
    }
    Ok(ExitCode::FAILURE)
}

fn in_json(proven: &Proven, matching: Option<&FileRef>, since: Option<Since<'_>>) -> Result<()> {
    let release = proven.release();
    let file = |file: &FileRef| json!({"role": file.role.word(), "sha256": file.sha256.to_string(), "length": file.length, "media_type": file.media_type});
    let withdrawn = match since {
        Some(Since::Withdrawn(one)) => Some(&one.note),
        _ => proven.withdrawn(),
    };
    output::json(&json!({
        "valid": true,
        "anchored": proven.anchored(),
        "origin": release.origin,
        "document": format!("{}/{}", release.collection, proven.number()),
        "title": proven.record().map(|record| &record.title),
        "release": release.serial,
        "line": proven.line() + 1,
        "lines": release.lines,
        "time": format_time(release.time),
        "signed_by": proven.signers(),
        "recovered_roots": proven.recovered(),
        "log_size": proven.checkpoint().size,
        "files": proven.record().map_or_else(Vec::new, |record| record.files.iter().map(file).collect::<Vec<_>>()),
        "file": matching.map(file),
        "withdrawn": withdrawn.map(withdrawal_json),
        "since": since.map(|since| match since {
            Since::Published => "published",
            Since::Replaced { .. } => "replaced",
            Since::Withdrawn(_) => "withdrawn",
        }),
    }))
}

fn in_words(proven: &Proven, matching: Option<&FileRef>, args: &args::Prove) -> Result<()> {
    let (release, size) = (proven.release(), proven.checkpoint().size);
    let was = if proven.withdrawn().is_some() { ", and withdrawn" } else { "" };
    say!("VALID: {}/{} was published by {}{was}, as of log size {size}", release.collection, proven.number(), release.origin)?;
    if let Some(record) = proven.record() {
        say!("    title:   {}", plain(&record.title))?;
    }
    say!("    release: {}, line {} of {}, signed by {}", release.serial, proven.line() + 1, release.lines, proven.signers().join(", "))?;
    say!("    drafted: {}, by the publisher's clock", format_time(release.time).unwrap_or_default())?;
    for file in proven.record().map_or(&[][..], |record| &record.files) {
        say!(
            "    {:<8} {}, {}, {}",
            format!("{}:", plain(file.role.word())),
            file.sha256,
            HumanBytes(file.length),
            plain(&file.media_type)
        )?;
    }
    if let Some(note) = proven.withdrawn() {
        withdrawal_words(note)?;
    }
    if let (Some(one), Some(path)) = (matching, &args.file) {
        say!("{} is its {}", path.display(), plain(one.role.word()))?;
    }
    for version in proven.recovered() {
        say!("root {version} was made with the recovery keys, not by the editors before it")?;
    }
    match proven.anchored() {
        true => say!("the publisher is the one whose root was given"),
        false => say!("publisher not checked: give a root that you have from elsewhere with --root"),
    }
}

/// What became of the document after the proof was made.
fn became(proven: &Proven, since: Option<Since<'_>>) -> Result<()> {
    match since {
        _ if proven.withdrawn().is_some() => Ok(()),
        None => say!("whether it was withdrawn since, only a newer checkpoint can tell: give a newer copy of the archive beside --check"),
        Some(Since::Published) => say!("the archive at hand has it still, as it was published"),
        Some(Since::Replaced { serial, .. }) => {
            say!("another rendition of it counts since release {serial}: `daylight show` says why")
        }
        Some(Since::Withdrawn(one)) => {
            say!("WITHDRAWN SINCE, as of log size {}", one.index + 1)?;
            withdrawal_words(&one.note)
        }
    }
}
