//! `witness`: being a witness, choosing some, and what is said of them elsewhere.

use crate::args;
use crate::commands::publish::{asked_twice, first_line, signing_key};
use crate::commands::search::plain;
use crate::output::{self, remark, say};
use crate::place;
use crate::when;
use anyhow::{Context, Result, bail};
use daylight_archive::witness::{Answer, Submission};
use daylight_archive::{Key, Policy, Witness, Witnessed};
use daylight_mirror::witness::{Client, Log, State, serve as run};
use daylight_publish::{SigningKeyFile, Witnesses, Witnessing, cosign, public_path};
use serde_json::{Value, json};
use std::io::{IsTerminal, Read as _, stdin};
use std::process::ExitCode;
use std::sync::Arc;

/// More than a public key's text has.
const LONGEST_KEY: u64 = 4096;

/// After how many days since a witness has seen an archive a reader is told that there may be a newer state elsewhere.
const OLD: u64 = 31;

pub(crate) fn key(args: &args::WitnessKey) -> Result<ExitCode> {
    let name = match &args.name {
        Some(name) => name.clone(),
        None => args.file.file_stem().context("a key needs a file name")?.to_string_lossy().into_owned(),
    };
    let passphrase = match &args.passphrase_file {
        Some(file) => Some(first_line(file)?),
        None if stdin().is_terminal() => asked_twice()?,
        None => None,
    };
    let key = SigningKeyFile::create_witness(&args.file, &name, passphrase.as_ref())?.signer().cosigner_key();
    if args.json {
        let (file, encrypted) = (args.file.display().to_string(), passphrase.is_some());
        output::json(&json!({"file": file, "encrypted": encrypted, "public": key.to_string()}))?;
        return Ok(ExitCode::SUCCESS);
    }
    say!("made a witness's key in {}", args.file.display())?;
    say!("its public half, for those who choose this witness, is in {}: {key}", public_path(&args.file).display())?;
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn add(args: &args::WitnessAdd) -> Result<ExitCode> {
    let state = State::open_or_create(&args.state)?;
    let pinned = match (&args.root, &args.log_key) {
        (Some(root), _) => state.pin_root(root, args.replace)?,
        (None, Some(key)) => state.pin_key(key, args.replace)?,
        (None, None) => bail!("give --root or --log-key"),
    };
    if args.json {
        output::json(&json!({"origin": pinned.key.name(), "log_key": pinned.key.to_string(), "changed": pinned.changed}))?;
    } else if pinned.changed {
        say!("cosigns checkpoints of {} that this key signed: {}", plain(pinned.key.name()), plain(&pinned.key.to_string()))?;
    } else {
        say!("{} is known by this key already", plain(pinned.key.name()))?;
    }
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn serve(args: &args::WitnessServe) -> Result<ExitCode> {
    let state = State::open(&args.state)?;
    let key = signing_key(&args.key, args.passphrase_file.as_deref())?;
    if let Some(warning) = key.warning() {
        remark(format_args!("{warning}"));
    }
    // A closed standard output must not end the server.
    run(state, key.signer().clone(), &args.listen, &mut |address| _ = say!("{address}"))?;
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn status(args: &args::WitnessStatus) -> Result<ExitCode> {
    let logs = State::open(&args.state)?.logs()?;
    if args.json {
        let logs: Vec<Value> = logs.iter().map(in_json).collect();
        output::json(&json!({"logs": logs}))?;
    } else {
        for log in &logs {
            say!("{}", in_words(log))?;
        }
        if logs.is_empty() {
            say!("no log was added yet: daylight witness add {} --root FILE", args.state.display())?;
        }
    }
    Ok(if logs.iter().any(|log| log.forked) { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// When the last checkpoint was cosigned, by the lines that stand under it.
fn cosigned_at(log: &Log) -> Option<u64> {
    let (_, note) = log.last.as_ref()?;
    let lines = note.signatures().iter().filter(|line| line.bytes.len() == 72);
    lines.filter_map(|line| Some(u64::from_be_bytes(line.bytes.get(..8)?.try_into().ok()?))).max()
}

fn in_json(log: &Log) -> Value {
    json!({"origin": log.key.name(), "log_key": log.key.to_string(), "root_version": log.root_version,
        "log_size": log.last.as_ref().map(|(last, _)| last.size), "cosigned": cosigned_at(log).map(when::moment), "forked": log.forked})
}

fn in_words(log: &Log) -> String {
    let last = match (&log.last, cosigned_at(log)) {
        (Some((last, _)), Some(time)) => format!("cosigned at log size {} on {}", last.size, when::moment(time)),
        (Some((last, _)), None) => format!("cosigned at log size {}", last.size),
        (None, _) => "nothing was cosigned yet".to_owned(),
    };
    let fork = if log.forked {
        "; its key signed two checkpoints that cannot both be true: they are kept in the log's folder as fork"
    } else {
        ""
    };
    format!("{}: {last}{fork}", plain(log.key.name()))
}

pub(crate) fn policy(args: &args::WitnessPolicy) -> Result<ExitCode> {
    let witnesses = args.witness.iter().map(|named| witness(named)).collect::<Result<Vec<_>>>()?;
    let of = witnesses.len();
    // More than two thirds: then it takes more than a third of them to show two histories, and as many to hold a publisher up.
    let quorum = args.quorum.map_or(of * 2 / 3 + 1, std::num::NonZeroUsize::get);
    let policy = Policy::of(&witnesses, quorum).context("these witnesses make no policy")?;
    if 2 * quorum <= of {
        remark(format_args!("{quorum} of {of} do not keep a publisher from showing two histories; more than half must cosign for that"));
    }
    // As it stands, to be put into a file.
    say!("{}", policy.text().trim_end())?;
    Ok(ExitCode::SUCCESS)
}

/// A witness as `KEY=URL`.
fn witness(named: &str) -> Result<(Key, String)> {
    let (key, url) = named.split_once('=').with_context(|| format!("{named} is not KEY=URL: say where the witness is asked"))?;
    if !(url.starts_with("http://") || url.starts_with("https://")) || url.contains(char::is_whitespace) {
        bail!("{url} is not an address of the form https://witness.example/");
    }
    if let Ok(key) = key.parse() {
        return Ok((key, url.to_owned()));
    }
    let mut text = String::new();
    let file = std::fs::File::open(key).with_context(|| format!("{key} is neither a key's text nor a file that can be read"))?;
    file.take(LONGEST_KEY).read_to_string(&mut text).with_context(|| format!("cannot read {key}"))?;
    let parsed = text.trim_end().parse().with_context(|| format!("{key} holds no public key"))?;
    Ok((parsed, url.to_owned()))
}

/// How a publish asks witnesses.
pub(crate) fn ask(args: &args::WitnessAsk) -> Result<ExitCode> {
    let seen = cosign(&args.archive, &args.log_key, &asking(&args.asking)?)?;
    seen.warnings.iter().for_each(|warning| remark(format_args!("{warning}")));
    if args.json {
        output::json(&json!({"origin": seen.origin, "log_size": seen.size, "witnesses": seen.witnesses}))?;
    } else {
        say!("{} at log size {} was seen by {} witnesses just now", seen.origin, seen.size, seen.witnesses)?;
    }
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn asking(args: &args::Asking) -> Result<Witnessing> {
    let authorities = place::authorities(place::authorities_file().as_deref())?;
    let asker = Arc::new(Asker(Client::trusting(args.socks.clone(), authorities).context("cannot make connections")?));
    Ok(Witnessing { asker, without: args.without_witness.clone(), recovered: args.recovered })
}

/// The `mirror` crate's client as `publish` wants it: neither of them knows the other.
struct Asker(Client);

impl Witnesses for Asker {
    fn submit(&self, witness: &Witness, what: &Submission<'_>) -> Answer {
        self.0.submit(witness, what)
    }

    fn shown(&self, witness: &Witness, origin: &str) -> Option<Vec<u8>> {
        self.0.shown(witness, origin)
    }
}

/// Who has seen an archive and when, a line each. Age is told with its date and is never a fault.
pub(crate) fn seen_in_words(witnessed: &Witnessed, size: u64, now: u64) -> Vec<String> {
    if witnessed.witnesses.is_empty() {
        return vec!["no witness watches this archive: its root names none, so nobody vouches that everybody is shown the same".into()];
    }
    let needed = if witnessed.needed.is_empty() { "none is needed".into() } else { format!("{} must have", witnessed.needed) };
    let mut lines =
        vec![format!("seen at log size {size} by {} of its {} witnesses; {needed}", witnessed.count(), witnessed.witnesses.len())];
    lines.extend(witnessed.witnesses.iter().map(|seen| {
        let said = match seen.time {
            None => "has not cosigned this".to_owned(),
            Some(time) if seen.is_ahead_of(now) => {
                format!("{} (caution: that has not come yet; its clock is wrong, or this machine's)", when::moment(time))
            }
            Some(time) => when::moment(time),
        };
        format!("  {}  {said}", plain(&seen.witness))
    }));
    let days = witnessed.last().map(|last| now.saturating_sub(last) / 86_400);
    lines.extend(days.filter(|days| *days >= OLD).map(|days| {
        format!(
            "  the last of them saw it {} days ago: there may be a newer state, which another copy or the witnesses have",
            output::thousands(days)
        )
    }));
    lines
}

/// The same for programs.
pub(crate) fn seen_in_json(witnessed: &Witnessed, size: u64, now: u64) -> Value {
    let seen = witnessed
        .witnesses
        .iter()
        .map(|seen| json!({"witness": seen.witness, "cosigned": seen.time.map(when::moment), "ahead_of_clock": seen.is_ahead_of(now)}));
    json!({"log_size": size, "needed": witnessed.needed, "enough": witnessed.met, "witnesses": seen.collect::<Vec<_>>()})
}
