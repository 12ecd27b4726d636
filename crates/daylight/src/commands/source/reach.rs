//! The way to a drop and to its newsroom's archive, and what is found at its end.

use crate::args;
use crate::commands::clear::now;
use crate::output::remark;
use crate::place;
use anyhow::{Context, Result, anyhow, bail};
use daylight_archive::directory::Directory;
use daylight_archive::log::Files;
use daylight_archive::root::Root;
use daylight_archive::store::Folder;
use daylight_envelope::Newsroom;
use daylight_intake::tool::{Anchor, Answered, Drop, Line, LineError, Patience, Question, Told, Watched};
use daylight_mirror::address::Address;
use daylight_mirror::http::{Client, Config, HttpError, Method, Question as Asked};
use daylight_mirror::remote::Remote;
use daylight_mirror::sites::Sites;
use daylight_model::Digest;
use std::io::Read;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// The longest root that is read, in bytes.
const LONGEST_ROOT: u64 = 1 << 20;
/// The slowest line that is waited for, in bytes a second.
const SLOWEST: u64 = 4 << 10;

/// The way to one drop.
pub(super) struct Way {
    line: Wire,
    anchor: Anchor,
    /// Where the archive may be, the first choice first.
    archives: Vec<String>,
    witnesses: bool,
    tries: u32,
}

/// What is at the end of the way, all of it checked but the title.
pub(super) struct Reached {
    pub(super) told: Told,
    pub(super) newsroom: Newsroom,
    pub(super) directory: Directory,
}

struct Wire {
    client: Client,
    drop: Address,
}

impl Way {
    pub(super) fn new(drop: &Address, args: &args::Newsroom) -> Result<Self> {
        let root = args
            .root
            .as_deref()
            .context("say whose drop it is with --root: a file with the newsroom's root, or its SHA-256, from elsewhere than the drop")?;
        let (anchor, listed) = anchor(root)?;
        let archives = match &args.archive {
            Some(archive) => vec![archive.clone()],
            None if listed.is_empty() => bail!("say where the newsroom's archive is with --archive: the root lists no copy of it"),
            None => listed,
        };
        let authorities = place::authorities(place::authorities_file().as_deref())?;
        let config = Config { proxy: args.socks.clone(), connections: 1, authorities, ..Config::default() };
        let client = Client::new(config).context("cannot make connections")?;
        if !client.has_proxy() && !is_near(drop) {
            remark(format_args!("without --socks the drop, and whoever watches the line, sees this machine's address"));
        }
        let line = Wire { client, drop: drop.clone() };
        Ok(Self { line, anchor, archives, witnesses: !args.without_witnesses, tries: args.tries })
    }

    pub(super) fn drop(&self) -> Drop<'_> {
        Drop::new(&self.line, Patience { tries: self.tries, wait: &wait })
    }

    /// Finds out whether the drop is the newsroom's, and to whom is sealed.
    pub(super) fn reach(&self, drop: &Drop<'_>) -> Result<Reached> {
        let watched = self.watched()?;
        if !self.witnesses {
            remark(format_args!("no witness is asked for: you may be shown keys that nobody else is"));
        }
        let newsroom = watched.newsroom();
        let told = drop.newsroom(&newsroom)?;
        let directory = watched.directory(&drop.directory()?)?;
        Ok(Reached { told, newsroom, directory })
    }

    fn watched(&self) -> Result<Watched> {
        let first = self.archives.first().map_or("", String::as_str);
        let read = |files: &dyn Files| Ok(Watched::read(files, self.anchor, now(), self.witnesses)?);
        if !(first.starts_with("http://") || first.starts_with("https://")) {
            if !Path::new(first).is_dir() {
                bail!("{first} is neither a folder nor an address: --archive names an archive, or any copy of it");
            }
            return read(&Folder::new(Path::new(first)));
        }
        let stop = AtomicBool::new(false);
        let at = first.parse().map_err(|error| anyhow!("`{first}` is no address of an archive: {error}"))?;
        let sites = Sites::new(&self.line.client, at, &stop);
        sites.learn(&self.archives);
        // No volume is read.
        read(&Remote::new(&sites, 1 << 20, None))
    }
}

/// The root that is trusted: a digest, or a file, which then also says where copies of the archive are.
fn anchor(root: &str) -> Result<(Anchor, Vec<String>)> {
    if let Ok(digest) = root.parse::<Digest>() {
        return Ok((Anchor(digest), Vec::new()));
    }
    let mut json = Vec::new();
    let file = std::fs::File::open(root).with_context(|| format!("cannot read the root {root}"))?;
    file.take(LONGEST_ROOT).read_to_end(&mut json).with_context(|| format!("cannot read the root {root}"))?;
    let read = Root::parse(&json).with_context(|| format!("{root} is no root"))?;
    Ok((Anchor(Digest::of(&json)), [read.onions, read.mirrors].concat()))
}

/// Whether it is on this machine, where nobody watches a line.
fn is_near(drop: &Address) -> bool {
    drop.host == "localhost" || drop.host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

fn wait(time: Duration, why: &str) {
    remark(format_args!("{why}; trying again in {} s", time.as_secs()));
    std::thread::sleep(time);
}

impl Line for Wire {
    fn ask(&self, question: &Question<'_>) -> Result<Answered, LineError> {
        let lookup = question.lookup.map(|lookup| lookup.to_string());
        let fields: Vec<(&str, &str)> = lookup.iter().map(|lookup| ("daylight-lookup", lookup.as_str())).collect();
        let length = question.body.as_ref().map_or(0, |body| body.len() as u64);
        let patience = Duration::from_secs(120 + length / SLOWEST);
        let method = if question.body.is_some() { Method::POST } else { Method::GET };
        let asked = Asked { method, path: question.path, fields: &fields, body: question.body.clone() };
        let mut body = Vec::new();
        match self.client.query(&self.drop, asked, question.limit as u64, patience, &mut body) {
            Ok(status) => Ok(Answered { status, body }),
            Err(HttpError::Gone(why)) => Err(LineError::Broken(why)),
            Err(other) => Err(LineError::Never(other.to_string())),
        }
    }
}
