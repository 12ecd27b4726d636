//! `export` and `timestamp`: an archive to carry away, and when it was there.

use crate::args::{self, ExportFormat};
use crate::output::{self, count, say};
use crate::progress::Bytes;
use anyhow::{Context, Result};
use daylight_archive::Archive;
use daylight_mirror::export::{Exported, Format, Job, export as run};
use daylight_mirror::timestamp::{self, Attached, Attestation};
use indicatif::HumanBytes;
use serde_json::{Value, json};
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

pub(crate) fn export(args: &args::Export) -> Result<ExitCode> {
    let pinned = pinned(args.root.as_deref())?;
    let format = match args.format {
        ExportFormat::Copy => Format::Copy,
        ExportFormat::Bagit => Format::Bag,
        ExportFormat::Torrent => Format::Torrent,
    };
    let job = Job { archive: &args.archive, to: &args.to, format, pinned: pinned.as_deref(), web_seeds: &args.web_seed };
    let exported = {
        let bar = Bytes::start();
        run(&job, &mut |done, total| bar.tell(done, total))?
    };
    if args.json {
        in_json(&exported)?
    } else {
        in_words(&exported, args)?
    }
    Ok(ExitCode::SUCCESS)
}

/// The bytes of the root that the caller trusts.
pub(crate) fn pinned(path: Option<&Path>) -> Result<Option<Vec<u8>>> {
    path.map(|path| std::fs::read(path).with_context(|| format!("cannot read the root {}", path.display()))).transpose()
}

/// Writes a file that must not exist yet, or nothing.
pub(crate) fn write_new(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut file = File::create_new(path).with_context(|| format!("cannot make {}", path.display()))?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    if written.is_err() {
        // The first error is the one that says why.
        let _ = std::fs::remove_file(path);
    }
    written.with_context(|| format!("cannot write {}", path.display()))
}

fn in_json(exported: &Exported) -> Result<()> {
    let torrents = exported.torrents.iter().map(|one| {
        json!({"release": one.serial, "file": one.file, "bytes": one.length, "info_hash_v1": one.v1, "info_hash_v2": one.v2.to_string()})
    });
    output::json(&json!({
        "origin": exported.origin,
        "log_size": exported.size,
        "anchored": exported.anchored,
        "files": exported.files,
        "bytes": exported.bytes,
        "written_files": exported.written_files,
        "written_bytes": exported.written_bytes,
        "timestamps": exported.timestamps,
        "torrents": torrents.collect::<Vec<_>>(),
    }))
}

fn in_words(exported: &Exported, args: &args::Export) -> Result<()> {
    let to = args.to.display();
    let publisher = if exported.anchored { "follows from the root that was given" } else { "publisher not checked: no root was given" };
    say!("archive {}, log size {}, {publisher}", exported.origin, exported.size)?;
    if args.format == ExportFormat::Torrent {
        for one in &exported.torrents {
            say!("release {}: {}, {}", one.serial, one.file, HumanBytes(one.length))?;
            say!("    info hash {} (v1), {} (v2)", one.v1, one.v2)?;
        }
        return say!("{} in {to}, of which {} new", count(exported.files, "torrent"), exported.written_files);
    }
    let (files, written) = (count(exported.files, "file"), count(exported.written_files, "file"));
    say!("{files}, {} in {to}, of which {written}, {}, were written now", HumanBytes(exported.bytes), HumanBytes(exported.written_bytes))?;
    if exported.timestamps > 0 {
        say!("{} with it", count(exported.timestamps, "timestamp"))?;
    }
    say!("verified as it lies there; whoever gets it begins with READ-ME.txt")
}

pub(crate) fn timestamp(args: &args::Timestamp) -> Result<ExitCode> {
    let archive = Archive::open(&args.archive)?;
    if let Some(out) = &args.out {
        let checkpoint = timestamp::to_stamp(&archive, args.size)?;
        write_new(out, checkpoint.text().as_bytes())?;
        if args.json {
            output::json(&json!({"file": out.display().to_string(), "log_size": checkpoint.size}))?;
        } else {
            say!("wrote the checkpoint of log size {} to {}", checkpoint.size, out.display())?;
            say!("stamp it with `ots stamp`, and attach {}.ots", out.display())?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    let attached = match &args.attach {
        Some(path) => vec![timestamp::attach(&archive, path)?],
        None => timestamp::attached(&archive)?,
    };
    let folder = timestamp::folder(&args.archive)?;
    if args.json {
        let list: Vec<Value> = attached.iter().map(one_in_json).collect();
        output::json(&json!({"folder": folder.display().to_string(), "timestamps": list}))?;
        return Ok(ExitCode::SUCCESS);
    }
    for one in &attached {
        tell(one)?;
    }
    match (&args.attach, attached.len()) {
        (Some(_), _) => say!("kept in {}", folder.display())?,
        (None, 0) => say!("no timestamps in {}", folder.display())?,
        (None, _) => {}
    }
    Ok(ExitCode::SUCCESS)
}

fn one_in_json(one: &Attached) -> Value {
    let attestations = one.proof().attestations().iter().map(|attestation| match attestation {
        Attestation::Bitcoin { height, root } => json!({"kind": "bitcoin", "height": height, "merkle_root": root}),
        Attestation::Litecoin { height, root } => json!({"kind": "litecoin", "height": height, "merkle_root": root}),
        Attestation::Pending { uri } => json!({"kind": "pending", "calendar": uri}),
        Attestation::Other { tag } => json!({"kind": "other", "tag": tag}),
    });
    json!({"log_size": one.size(), "sha256": one.proof().digest().to_string(), "attestations": attestations.collect::<Vec<_>>()})
}

fn tell(one: &Attached) -> Result<()> {
    say!("the state of log size {}", one.size())?;
    for attestation in one.proof().attestations() {
        let root = |root: &Option<String>| root.as_ref().map(|root| format!(", if its Merkle root is {root}")).unwrap_or_default();
        match attestation {
            Attestation::Bitcoin { height, root: found } => say!("    was there before block {height} of Bitcoin{}", root(found))?,
            Attestation::Litecoin { height, root: found } => say!("    was there before block {height} of Litecoin{}", root(found))?,
            Attestation::Pending { uri } => say!("    was promised to be put into a block by {uri}: `ots upgrade` gets that")?,
            Attestation::Other { tag } => say!("    is attested in a way that is not known here (tag {tag})")?,
        }
    }
    Ok(())
}
