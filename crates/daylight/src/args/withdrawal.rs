//! Taking back what was published, and saying that an archive lives.

use clap::Args;
use std::path::PathBuf;

/// Withdraws published documents: a signed entry of the archive's log says which, why, and what copies are asked to do.
///
/// What is withdrawn keeps its number, its page says why, and search finds it no more. With --erase copies that honour it erase its bytes too, and so does
/// this one; nobody can call back copies of those who do not. It is not published again unless `daylight clear --correct` says so.
#[derive(Args)]
#[command(after_help = "Where fewer keys are given than must sign, the editors are asked by a request: docs/signing.md is the guide.\n\
    Example: daylight withdraw ~/desk council/17 council/18 --to ~/archive --reason 'it names a child' --erase --key /media/usb/ana.key\n\
    Example: daylight withdraw ~/desk council/17 --with-parts --to ~/archive --reason 'it and its attachments name a child' --key ana.key\n\
    Example: daylight withdraw ~/desk council/17 --to ~/archive --reason 'superseded' --successor council/19 --key ana.key\n\
    Example: daylight withdraw ~/desk --to ~/archive --finish withdraw-3.request --finish from-ben/withdraw-3.request")]
pub(crate) struct Withdraw {
    /// The desk that publishes to the archive, or the archive itself.
    #[arg(value_name = "DESK|ARCHIVE")]
    pub(crate) place: PathBuf,
    /// The documents, all of one collection.
    #[arg(value_name = "COLLECTION/N", required_unless_present = "finish", conflicts_with = "finish")]
    pub(crate) ids: Vec<String>,
    /// The archive's folder, where a desk was named.
    #[arg(long, value_name = "ARCHIVE")]
    pub(crate) to: Option<PathBuf>,
    /// Why, in one line for everybody; name nothing here that is to be withdrawn.
    #[arg(long, value_name = "TEXT", required_unless_present = "finish", conflicts_with = "finish")]
    pub(crate) reason: Option<String>,
    /// A published document to read instead.
    #[arg(long, value_name = "COLLECTION/M", conflicts_with = "finish")]
    pub(crate) successor: Option<String>,
    /// Asks copies to erase lines and bytes, and erases them here.
    #[arg(long, conflicts_with = "finish")]
    pub(crate) erase: bool,
    /// Withdraws only the earlier renditions that corrections replaced; the newest stays.
    #[arg(long, conflicts_with = "finish")]
    pub(crate) replaced: bool,
    /// Withdraws also everything that stands in these documents, at any depth; all of it is named before.
    #[arg(long, conflicts_with_all = ["finish", "replaced"])]
    pub(crate) with_parts: bool,
    /// The key of the archive's log; by default log.key on the desk.
    #[arg(long, value_name = "FILE")]
    pub(crate) log_key: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) signing: EntrySigning,
}

/// Who signs an entry here and now, and where the others are asked.
#[derive(Args)]
pub(crate) struct EntrySigning {
    /// An editor's key that signs here and now; may be given more than once.
    #[arg(long, value_name = "FILE")]
    pub(crate) key: Vec<PathBuf>,
    /// Takes the keys' passphrase from the first line of this file; otherwise it is asked for on a terminal.
    #[arg(long, value_name = "FILE")]
    pub(crate) passphrase_file: Option<PathBuf>,
    /// The request to write for those who sign elsewhere; by default withdraw-SERIAL.request or heartbeat-SERIAL.request in the current folder.
    #[arg(long, value_name = "FILE", conflicts_with = "finish")]
    pub(crate) request: Option<PathBuf>,
    /// Logs what was signed elsewhere: the request, once for each copy that was signed.
    #[arg(long, value_name = "FILE")]
    pub(crate) finish: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) asking: super::Asking,
    /// Prints one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Erases from an archive, or from anybody's copy of one, what was withdrawn with the request to erase it.
///
/// Lines and bytes are written over where they stand, and every proof still stands. Bytes that something published has too are kept. It can be stopped at
/// any moment and run again. Below the file system (on an SSD, in snapshots) bytes may survive, and so may the site's index until `daylight index` is run.
#[derive(Args)]
#[command(after_help = "Example: daylight erase ~/archive")]
pub(crate) struct Erase {
    /// The archive; nobody else may publish to it or fetch into it meanwhile.
    pub(crate) archive: PathBuf,
    /// Prints one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Says that an archive lives: an entry of its log that one editor signs. Readers are shown when the last sign of life was.
#[derive(Args)]
#[command(after_help = "Example: daylight heartbeat ~/archive --log-key ~/desk/log.key --key /media/usb/ana.key\n\
    Example: daylight heartbeat ~/archive --request beat.request   (then `daylight sign`, and --finish beat.request)")]
pub(crate) struct Heartbeat {
    /// The archive.
    pub(crate) archive: PathBuf,
    /// The key of the archive's log, which cannot sign a heartbeat by itself.
    #[arg(long, value_name = "FILE")]
    pub(crate) log_key: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) signing: EntrySigning,
}
