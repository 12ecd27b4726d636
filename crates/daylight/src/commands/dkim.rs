//! `dkim import`, `dkim list` and `dkim online`: the keys by which mail signatures are judged.

mod online;

use crate::args;
use crate::commands::search::plain;
use crate::output::{self, count, say};
use anyhow::{Context, Result, bail};
use daylight_dkim::import::{Import, Provenance, day, import as read_keys};
use daylight_ingest::{Imported, import_keys, open_desk};
use serde_json::json;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

pub(crate) use online::online;

/// No file of keys is larger.
const LARGEST: u64 = 256 << 20;
/// The files of a folder that are looked at.
const ENDINGS: [&str; 5] = ["txt", "key", "pem", "dns", "json"];

pub(crate) fn import(args: &args::DkimImport) -> Result<ExitCode> {
    let desk = open_desk(&args.desk)?;
    let lease = desk.take_ingest_lease()?;
    let seen = match &args.seen {
        Some(text) => Some(day(text).with_context(|| format!("--seen takes a day such as 2019-05-01, not `{text}`"))?),
        None => None,
    };
    let from = Provenance { source: args.source.clone(), seen };
    let mut all = Import::default();
    for file in files(&args.files)? {
        let one = read_file(&file, &from)?;
        all.keys.extend(one.keys);
        all.refused.extend(one.refused.iter().map(|why| format!("{}: {why}", file.display())));
    }
    if all.keys.is_empty() {
        let why = all.refused.first().map_or("no line of the form `SELECTOR._domainkey.DOMAIN RECORD` was found", String::as_str);
        bail!("no key was imported: {why}");
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs().cast_signed());
    let imported = import_keys(&desk, &lease, &all.keys, now)?;
    tell(args, &all, imported)?;
    Ok(ExitCode::SUCCESS)
}

fn tell(args: &args::DkimImport, all: &Import, imported: Imported) -> Result<()> {
    if args.json {
        return output::json(&json!({
            "keys_read": all.keys.len(),
            "keys_new": imported.keys,
            "signed_with_them": imported.signed,
            "verdicts_changed": imported.changed,
            "refused": all.refused,
        }));
    }
    say!("{} read, {} of them new", count(all.keys.len() as u64, "key"), imported.keys)?;
    say!("{} signed with them, of which {} have another verdict now", count(imported.signed, "document"), imported.changed)?;
    for why in all.refused.iter().take(10) {
        say!("not imported: {}", plain(why))?;
    }
    Ok(())
}

/// The files themselves, and those in folders whose names end as keys' do.
fn files(paths: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for path in paths {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let mut inside = Vec::new();
        for entry in fs::read_dir(path).with_context(|| format!("cannot read {}", path.display()))? {
            let file = entry?.path();
            let known = file.extension().and_then(|ending| ending.to_str()).is_some_and(|ending| ENDINGS.contains(&ending));
            if known && file.is_file() {
                inside.push(file);
            }
        }
        inside.sort();
        files.extend(inside);
    }
    Ok(files)
}

fn read_file(file: &Path, from: &Provenance) -> Result<Import> {
    let about = fs::metadata(file).with_context(|| format!("cannot read {}", file.display()))?;
    if about.len() > LARGEST {
        bail!("{} is larger than any file of keys: {} bytes", file.display(), about.len());
    }
    let bytes = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    Ok(read_keys(&file.to_string_lossy(), &bytes, from))
}

pub(crate) fn list(args: &args::DkimList) -> Result<ExitCode> {
    let desk = open_desk(&args.desk)?;
    let mut rows = Vec::new();
    for key in desk.signature_keys()? {
        let signed = desk.signed_with(&key.name)?;
        rows.push((key, signed));
    }
    if args.json {
        let rows: Vec<_> = rows
            .iter()
            .map(|(key, signed)| {
                json!({"name": key.name, "record": key.record, "source": key.source, "seen": key.seen, "exposed": key.exposed, "documents": signed})
            })
            .collect();
        output::json(&json!({"keys": rows}))?;
        return Ok(ExitCode::SUCCESS);
    }
    for (key, signed) in &rows {
        let source = if key.source.is_empty() { String::new() } else { format!(", from {}", key.source) };
        let exposed = if key.exposed { ", its private half is public" } else { "" };
        say!("{}: {} signed with it{}{exposed}", plain(&key.name), count(*signed, "document"), plain(&source))?;
    }
    if rows.is_empty() {
        say!("no keys: `daylight dkim import DESK FILE` takes some in")?;
    }
    Ok(ExitCode::SUCCESS)
}
