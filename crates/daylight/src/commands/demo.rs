//! `demo`: a small fictional trove, taken through every step by the same code as a real one.

use crate::args;
use crate::commands::serve;
use crate::demo::trove;
use crate::output::{count, say};
use anyhow::{Context, Result, bail};
use clap::Parser;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const COLLECTION: &str = "brackwater";
const TITLE: &str = "The Brackwater papers";

pub(crate) fn demo(args: &args::Demo) -> Result<ExitCode> {
    let folder = folder(args.dir.as_deref())?;
    let at = |name: &str| folder.join(name);
    say!("a demonstration in {}\n", folder.display())?;

    say!("1. A source hands over a trove (made up: the papers of a town that does not exist).")?;
    let written = trove::write(&at("trove"), &at("dkim-keys.txt")).context("cannot write the demonstration's trove")?;
    say!(
        "   {} in mailboxes, folders and a zip file, {}\n",
        count(written.messages as u64, "message"),
        indicatif::HumanBytes(written.bytes as u64)
    )?;

    say!("2. It is read onto a desk, each document by a process of its own kind.")?;
    step(&["init", &text(&at("desk"))])?;
    step(&["ingest", &text(&at("desk")), &text(&at("trove")), "--collection", COLLECTION])?;
    step(&["status", &text(&at("desk"))])?;
    say!("\n   Its mail is signed; with the keys that the domains had, the signatures can be checked.")?;
    step(&[
        "dkim",
        "import",
        &text(&at("desk")),
        &text(&at("dkim-keys.txt")),
        "--source",
        "zone files kept since then",
        "--seen",
        "2014-06-01",
    ])?;

    say!("\n3. An editor looks for something, reads, and clears the collection.")?;
    step(&["search", &text(&at("desk")), "wall joint has:attachment", "--limit", "3"])?;
    step(&["clear", &text(&at("desk")), "--collection", COLLECTION, "--all", "--as", "Demo Editor"])?;

    say!("\n4. The editor signs, and the release goes into an archive of plain files.")?;
    step(&["key", "new", &text(&at("editor.key")), "--name", "demo-editor"])?;
    let (desk, archive, key) = (text(&at("desk")), text(&at("archive")), text(&at("editor.key")));
    step(&["publish", &desk, "--collection", COLLECTION, "--to", &archive, "--key", &key, "--title", TITLE])?;

    say!("\n5. Anyone can check it.")?;
    step(&["verify", &archive, "--root", &text(&at("archive/root/1.json"))])?;
    if args.no_serve {
        say!("\nRead it: daylight serve {archive}")?;
        return Ok(ExitCode::SUCCESS);
    }
    say!("\n6. Anyone can read it. Stop with Ctrl-C. Open")?;
    serve::serve_until_told(&at("archive"), &at("cache"), args.listen)?;
    Ok(ExitCode::SUCCESS)
}

/// The folder to work in: empty, or new.
// What is made up may lie in a shared folder.
#[allow(clippy::disallowed_methods)]
fn folder(named: Option<&Path>) -> Result<PathBuf> {
    let folder = match named {
        Some(named) => named.to_owned(),
        None => std::env::temp_dir().join(format!("daylight-demo-{}", std::process::id())),
    };
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let folder = folder.canonicalize().with_context(|| format!("cannot open {}", folder.display()))?;
    if std::fs::read_dir(&folder).with_context(|| format!("cannot list {}", folder.display()))?.next().is_some() {
        bail!("{} is not empty; name a new or empty folder", folder.display());
    }
    Ok(folder)
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// Runs a command as if it had been typed, after showing it.
fn step(words: &[&str]) -> Result<()> {
    let shown: Vec<String> = words.iter().map(|word| if word.contains(' ') { format!("'{word}'") } else { (*word).to_owned() }).collect();
    say!("   $ daylight {}", shown.join(" "))?;
    let cli = args::Cli::try_parse_from(std::iter::once(&"daylight").chain(words))?;
    let code = crate::run(cli.command)?;
    if code != ExitCode::SUCCESS {
        bail!("the demonstration stopped at: daylight {}", shown.join(" "));
    }
    Ok(())
}
