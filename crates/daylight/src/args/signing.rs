//! Signing apart from publishing: requests, and who may sign.

use super::Asking;
use clap::{Args, Subcommand};
use std::path::PathBuf;

/// Shows what a request asks to sign, and signs it with an editor's key: offline, from the request alone. Without --key it only shows.
///
/// What is shown is derived from the bytes that are signed, or bound to them by hash. What could not be checked is said.
#[derive(Args)]
#[command(after_help = "Exits 1 if the key does not count, or something contradicts what is signed. docs/signing.md is the guide.\n\
    Example: daylight sign release-3.request --key /media/usb/ana.key --root pinned-root.json")]
pub(crate) struct Sign {
    /// The request, as `publish` or `root` wrote it.
    pub(crate) request: PathBuf,
    /// The key to sign with: an editor's, or for a root a recovery key.
    #[arg(long, value_name = "FILE")]
    pub(crate) key: Option<PathBuf>,
    /// Takes the key's passphrase from the first line of this file; otherwise it is asked for on a terminal.
    #[arg(long, value_name = "FILE", requires = "key")]
    pub(crate) passphrase_file: Option<PathBuf>,
    /// Where to write the signed request; by default it takes the place of the one that was read.
    #[arg(long, value_name = "FILE", requires = "key")]
    pub(crate) out: Option<PathBuf>,
    /// A root that you trust (a copy of root/1.json or a later one): a request for another publisher's archive is refused.
    #[arg(long, value_name = "FILE")]
    pub(crate) root: Option<PathBuf>,
    /// The archive's folder with the staged release: every byte of it is compared with what is signed.
    #[arg(long, value_name = "DIR")]
    pub(crate) archive: Option<PathBuf>,
    /// Lists every document of the release, not the first twenty.
    #[arg(long, requires = "archive")]
    pub(crate) list: bool,
    /// Signs without asking: you have read what is signed.
    #[arg(long, requires = "key")]
    pub(crate) yes: bool,
    /// Prints one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Says who may publish in an archive, and how many of them must sign: its roots.
#[derive(Subcommand)]
pub(crate) enum Root {
    New(RootNew),
    Rotate(RootRotate),
    Recover(RootRecover),
    Finish(RootFinish),
    Show(RootShow),
}

/// Begins an archive with its first root. Where fewer keys are given than must sign, the editors are asked by a request.
#[derive(Args)]
#[command(after_help = "A KEY is the file of a public key (ana.key.pub) or its text.\n\
    Example: daylight root new ~/archive --log-key ~/desk/log.key --editor ana.key.pub --editor ben.key.pub --editor cleo.key.pub \
    --recovery safe1.pub --recovery safe2.pub --recovery safe3.pub")]
pub(crate) struct RootNew {
    /// The archive's folder, made if there is none.
    pub(crate) archive: PathBuf,
    /// The key of the archive's log, made if there is none; `publish` looks for it as log.key on the desk.
    #[arg(long, value_name = "FILE")]
    pub(crate) log_key: PathBuf,
    /// The name under which the archive's log is known for ever; by default one made from its key.
    #[arg(long, value_name = "NAME")]
    pub(crate) origin: Option<String>,
    /// An editor's public key; once for each.
    #[arg(long, value_name = "KEY", required = true)]
    pub(crate) editor: Vec<String>,
    #[command(flatten)]
    pub(crate) says: RootSays,
    #[command(flatten)]
    pub(crate) signing: RootSigning,
}

/// Proposes the next root: editors who come and go, thresholds, the log's key, witnesses, mirrors. The editors before and after must sign it.
#[derive(Args)]
#[command(after_help = "A KEY is the file of a public key (ana.key.pub) or its text.\n\
    Example: daylight root rotate ~/archive --log-key ~/desk/log.key --add dora.key.pub --remove ben")]
pub(crate) struct RootRotate {
    #[command(flatten)]
    pub(crate) change: RootChange,
}

/// Proposes the next root when editors' keys are lost or stolen: the recovery keys sign it, and readers are told.
///
/// Where the log's key is lost too, name a new file with --log-key and give --change-log-key. Be sure then that this copy of the archive is the newest.
#[derive(Args)]
#[command(after_help = "A KEY is the file of a public key (ana.key.pub) or its text.\n\
    Example: daylight root recover ~/archive --log-key ~/desk/log.key --editor nan.key.pub --editor ned.key.pub --editor nat.key.pub")]
pub(crate) struct RootRecover {
    #[command(flatten)]
    pub(crate) change: RootChange,
}

/// What is the same of both.
#[derive(Args)]
pub(crate) struct RootChange {
    /// The archive's folder.
    pub(crate) archive: PathBuf,
    /// The key of the archive's log.
    #[arg(long, value_name = "FILE")]
    pub(crate) log_key: PathBuf,
    /// Gives the log a new key, which waits as FILE.next until the root is in force, and then takes the old one's place.
    #[arg(long)]
    pub(crate) change_log_key: bool,
    /// All editors, in place of those there are; once for each.
    #[arg(long, value_name = "KEY", conflicts_with_all = ["add", "remove"])]
    pub(crate) editor: Vec<String>,
    /// The public key of an editor who comes; may be given more than once.
    #[arg(long, value_name = "KEY")]
    pub(crate) add: Vec<String>,
    /// An editor who goes, by the name of the key; may be given more than once.
    #[arg(long, value_name = "NAME")]
    pub(crate) remove: Vec<String>,
    /// A mirror that is no longer one.
    #[arg(long, value_name = "URL")]
    pub(crate) remove_mirror: Vec<String>,
    /// An onion address that is no longer one.
    #[arg(long, value_name = "URL")]
    pub(crate) remove_onion: Vec<String>,
    #[command(flatten)]
    pub(crate) says: RootSays,
    #[command(flatten)]
    pub(crate) signing: RootSigning,
}

/// What every root can say.
#[derive(Args)]
pub(crate) struct RootSays {
    /// How many editors must sign each release; in a new archive by default more than half.
    #[arg(long, value_name = "K")]
    pub(crate) threshold: Option<std::num::NonZeroUsize>,
    /// A recovery key's public half; once for each, in place of those there are.
    #[arg(long, value_name = "KEY")]
    pub(crate) recovery: Vec<String>,
    /// How many recovery keys must sign; by default more than half.
    #[arg(long, value_name = "M")]
    pub(crate) recovery_threshold: Option<std::num::NonZeroUsize>,
    /// A file with the policy of witnesses (c2sp.org/tlog-policy, without log lines).
    #[arg(long, value_name = "FILE")]
    pub(crate) witnesses: Option<PathBuf>,
    /// Where else the archive is; may be given more than once.
    #[arg(long, value_name = "URL")]
    pub(crate) mirror: Vec<String>,
    /// An onion address of it; may be given more than once.
    #[arg(long, value_name = "URL")]
    pub(crate) onion: Vec<String>,
}

/// Who signs it here and now, and where the others are asked.
#[derive(Args)]
pub(crate) struct RootSigning {
    /// A key that signs here and now; may be given more than once.
    #[arg(long, value_name = "FILE")]
    pub(crate) key: Vec<PathBuf>,
    /// Takes the keys' passphrase from the first line of this file; otherwise it is asked for on a terminal.
    #[arg(long, value_name = "FILE")]
    pub(crate) passphrase_file: Option<PathBuf>,
    /// The request to write for those who sign elsewhere; by default root-VERSION.request in the current folder.
    #[arg(long, value_name = "FILE")]
    pub(crate) request: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) asking: Asking,
    /// Prints one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Puts a root in force that enough have signed.
#[derive(Args)]
#[command(after_help = "Example: daylight root finish ~/archive root-2.request from-ben/root-2.request --log-key ~/desk/log.key")]
pub(crate) struct RootFinish {
    /// The archive's folder.
    pub(crate) archive: PathBuf,
    /// The signed request, in as many copies as were signed.
    #[arg(required = true)]
    pub(crate) requests: Vec<PathBuf>,
    /// The key of the archive's log.
    #[arg(long, value_name = "FILE")]
    pub(crate) log_key: PathBuf,
    #[command(flatten)]
    pub(crate) asking: Asking,
    /// Prints one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Prints every root of an archive in words: who came and went, how it came into force, and who signed it.
#[derive(Args)]
#[command(after_help = "Example: daylight root show ~/archive")]
pub(crate) struct RootShow {
    /// The archive.
    pub(crate) archive: PathBuf,
    /// Prints one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}
