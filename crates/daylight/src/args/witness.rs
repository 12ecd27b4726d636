//! Witnesses: being one, choosing some, and asking them.

use clap::{Args, Subcommand};
use daylight_mirror::http::Proxy;
use daylight_mirror::witness::Listen;
use std::path::PathBuf;

/// Cosigns the checkpoints of archives (c2sp.org/tlog-witness), so that nobody is shown another history than everybody else.
#[derive(Subcommand)]
#[command(after_help = "docs/witnessing.md is the guide.")]
pub(crate) enum Witness {
    Key(WitnessKey),
    Add(WitnessAdd),
    Serve(WitnessServe),
    Status(WitnessStatus),
    Policy(WitnessPolicy),
    Ask(WitnessAsk),
}

/// Makes a witness's key (Ed25519). Its public half (type 0x04), for those who choose this witness, is written beside it as FILE.pub.
#[derive(Args)]
#[command(after_help = "Example: daylight witness key /etc/daylight/witness.key --name witness.example/w1")]
pub(crate) struct WitnessKey {
    /// The file to make; an existing one is never overwritten.
    pub(crate) file: PathBuf,
    /// The name under which the witness is known, best an address without https://; by default the file's name without its extension.
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// Takes the passphrase from the first line of this file; otherwise it is asked for on a terminal.
    #[arg(long, value_name = "FILE")]
    pub(crate) passphrase_file: Option<PathBuf>,
    /// Prints one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Tells a witness of a log: from then on it cosigns checkpoints that this log's key signed.
#[derive(Args)]
#[command(group(clap::ArgGroup::new("log").required(true).args(["root", "log_key"])))]
#[command(
    after_help = "Where the archive's root gives its log another key, add that root: the roots between and their signatures are read beside it.\n\
    Example: daylight witness add /var/lib/daylight-witness --root root/1.json"
)]
pub(crate) struct WitnessAdd {
    /// The witness's folder, made if there is none.
    pub(crate) state: PathBuf,
    /// An archive's root that you trust (root/1.json, or a later one with those before it beside it).
    #[arg(long, value_name = "FILE")]
    pub(crate) root: Option<PathBuf>,
    /// The key of a log that is no Daylight archive, as text: NAME+ID+BASE64.
    #[arg(long, value_name = "KEY")]
    pub(crate) log_key: Option<String>,
    /// Takes the new key for a log that is known by another, though nothing leads from the one to the other.
    #[arg(long)]
    pub(crate) replace: bool,
    /// Prints one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Answers POST /add-checkpoint until it is told to end. What it cosigns is on disk before it answers; who asked is written nowhere.
#[derive(Args)]
#[command(after_help = "Put a web server with HTTPS, or an onion service, before it.\n\
    Example: daylight witness serve /var/lib/daylight-witness --key /etc/daylight/witness.key --listen 127.0.0.1:8095")]
pub(crate) struct WitnessServe {
    /// The witness's folder.
    pub(crate) state: PathBuf,
    /// The witness's key.
    #[arg(long, value_name = "FILE")]
    pub(crate) key: PathBuf,
    /// The address to listen on, or unix:PATH; port 0 picks a free one.
    #[arg(long, value_name = "ADDR|unix:PATH", default_value = "127.0.0.1:8095")]
    pub(crate) listen: Listen,
    /// Takes the key's passphrase from the first line of this file; otherwise it is asked for on a terminal.
    #[arg(long, value_name = "FILE")]
    pub(crate) passphrase_file: Option<PathBuf>,
}

/// Says of which logs a witness was told, and what it cosigned last of each.
#[derive(Args)]
#[command(
    after_help = "Exits 1 if a log signed two checkpoints that cannot both be true.\nExample: daylight witness status /var/lib/daylight-witness"
)]
pub(crate) struct WitnessStatus {
    /// The witness's folder.
    pub(crate) state: PathBuf,
    /// Prints one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Writes the policy of an archive's witnesses (c2sp.org/tlog-policy), which `root new --witnesses` and `root rotate --witnesses` take.
#[derive(Args)]
#[command(
    after_help = "Example: daylight witness policy --witness w1.key.pub=https://w1.example/ --witness w2.key.pub=https://w2.example/ \
    --witness w3.key.pub=http://w3xyz.onion/ --witness w4.key.pub=https://w4.example/ > witnesses.policy"
)]
pub(crate) struct WitnessPolicy {
    /// A witness's public key, as a file or its text, and where it is asked; once for each.
    #[arg(long, value_name = "KEY=URL", required = true)]
    pub(crate) witness: Vec<String>,
    /// How many of them must cosign; by default more than two thirds: 3 of 4.
    #[arg(long, value_name = "Q")]
    pub(crate) quorum: Option<std::num::NonZeroUsize>,
}

/// How the witnesses are asked that an archive's root names.
#[derive(Args)]
pub(crate) struct Asking {
    /// Asks witnesses through this SOCKS 5 proxy, such as Tor's.
    #[arg(long, value_name = "HOST:PORT")]
    pub(crate) socks: Option<Proxy>,
    /// Does not take this witness's word; what it can show still counts. May be given more than once.
    #[arg(long, value_name = "NAME")]
    pub(crate) without_witness: Vec<String>,
    /// The desk or its log key was restored from a backup and the archive's newest copy was brought back: goes on from there (docs/witnessing.md).
    #[arg(long)]
    pub(crate) recovered: bool,
}

/// Has the witnesses of an archive cosign its newest checkpoint again, or one that still waits for them. Nothing is published, and no editor's key is needed.
///
/// Sources' tools send only to keys that witnesses saw in the last 48 hours: whoever runs a drop asks daily, from a timer.
#[derive(Args)]
#[command(after_help = "Example: daylight witness ask ~/archive --log-key ~/desk/log.key --socks 127.0.0.1:9050")]
pub(crate) struct WitnessAsk {
    /// The archive.
    pub(crate) archive: PathBuf,
    /// The key of the archive's log.
    #[arg(long, value_name = "FILE")]
    pub(crate) log_key: PathBuf,
    #[command(flatten)]
    pub(crate) asking: Asking,
    /// Prints one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}
