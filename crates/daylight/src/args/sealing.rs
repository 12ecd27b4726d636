//! Sealed releases: making them, opening them, publishing what was opened.

use clap::Args;
use std::path::PathBuf;

/// Encrypts a release of what is cleared and not published yet, for mirrors to keep, and splits its key among trustees.
///
/// It is for the day on which you cannot publish any more: enough trustees open it without you, and whoever then holds the editors' keys
/// publishes it. The editors approve it as they sign a release. Where fewer keys are given than must sign, a request is written for the others,
/// who sign it with `daylight sign`; --finish goes on with their signatures. The key is in the trustees' words and nowhere else.
#[derive(Args)]
#[command(after_help = "docs/operator-lost.md is the guide.\n\
    Example: daylight seal ~/desk --archive ~/archive --collection council --to council.sealed --trustees 3-of-5 --words-dir /media/usb/words \
    --key /media/usb/ana.key\n\
    Example: daylight seal ~/desk --archive ~/archive --finish seal-council.request --to council.sealed --trustees 3-of-5 --words-dir /media/usb/words")]
pub(crate) struct Seal {
    /// The desk.
    pub(crate) desk: PathBuf,
    /// The archive that the release is meant for; nothing in it is changed.
    #[arg(long, value_name = "ARCHIVE")]
    pub(crate) archive: PathBuf,
    /// The collection to seal.
    #[arg(long, value_name = "NAME", required_unless_present = "finish")]
    pub(crate) collection: Option<String>,
    /// The sealed file to make: hand it to every mirror.
    #[arg(long, value_name = "FILE", required_unless_present = "request")]
    pub(crate) to: Option<PathBuf>,
    /// How many trustees can open it, and how many there are: 3-of-5.
    #[arg(long, value_name = "M-of-N", value_parser = trustees, required_unless_present = "request")]
    pub(crate) trustees: Option<(u8, u8)>,
    /// An empty or new folder for the trustees' words, a file for each; without it they are shown on the terminal, one after the other.
    #[arg(long, value_name = "DIR")]
    pub(crate) words_dir: Option<PathBuf>,
    /// The key of an editor who approves it here and now; may be given more than once.
    #[arg(long, value_name = "FILE")]
    pub(crate) key: Vec<PathBuf>,
    /// Takes the keys' passphrase from the first line of this file; otherwise it is asked for on a terminal.
    #[arg(long, value_name = "FILE")]
    pub(crate) passphrase_file: Option<PathBuf>,
    /// The request to write for those who approve it elsewhere; by default seal-COLLECTION.request in the current folder.
    #[arg(long, value_name = "FILE")]
    pub(crate) request: Option<PathBuf>,
    /// Seals what was approved on request: the request, in as many copies as were signed.
    #[arg(long, value_name = "REQUEST", num_args = 1.., conflicts_with_all = ["collection", "key", "request", "passphrase_file", "title"])]
    pub(crate) finish: Vec<PathBuf>,
    /// The title of the collection that readers will see; by default the one it has, or the collection's name.
    #[arg(long)]
    pub(crate) title: Option<String>,
    /// Prints one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Opens a sealed release with enough trustees' words, and lays it out as an archive of its own.
///
/// Everything is written inside of the folder. From then on it is in plain: on this disk, the release is no secret any more.
#[derive(Args)]
#[command(after_help = "Exits 1 if the words do not open it, or what is in it is not whole. docs/operator-lost.md is the guide.\n\
    Example: daylight unseal council.sealed --words ana.txt --words ben.txt --words cleo.txt --to ~/opened --archive ~/copy")]
pub(crate) struct Unseal {
    /// The sealed file.
    pub(crate) file: PathBuf,
    /// A file with one trustee's words; once for each. Without it they are asked for on the terminal.
    #[arg(long, value_name = "FILE")]
    pub(crate) words: Vec<PathBuf>,
    /// The folder to make, or an empty one.
    #[arg(long, value_name = "DIR")]
    pub(crate) to: PathBuf,
    /// The archive that it was sealed for, or a copy: says whether its editors approved what is sealed.
    #[arg(long, value_name = "ARCHIVE")]
    pub(crate) archive: Option<PathBuf>,
    /// Prints one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Publishes what `unseal` laid out, in the archive that it was sealed for, after checking that editors of that archive approved it.
///
/// It needs no desk, and is signed like any release: by editors of the root in force now. What the archive has already, or has something newer
/// of, is left out. Where fewer keys are given than must sign, a request is written, and --finish goes on with the signatures.
#[derive(Args)]
#[command(after_help = "Example: daylight publish-unsealed ~/opened --to ~/archive --log-key ~/new/log.key --key nan.key --key ned.key\n\
    Example: daylight publish-unsealed ~/opened --to ~/archive --log-key ~/new/log.key --finish release-3.request from-ned/release-3.request")]
pub(crate) struct PublishUnsealed {
    /// The folder that `unseal` made.
    pub(crate) unsealed: PathBuf,
    /// The archive's folder.
    #[arg(long, value_name = "ARCHIVE")]
    pub(crate) to: PathBuf,
    /// The key of the archive's log.
    #[arg(long, value_name = "FILE")]
    pub(crate) log_key: PathBuf,
    /// The key of an editor who signs here and now; may be given more than once.
    #[arg(long, value_name = "FILE")]
    pub(crate) key: Vec<PathBuf>,
    /// Takes the keys' passphrase from the first line of this file; otherwise it is asked for on a terminal.
    #[arg(long, value_name = "FILE")]
    pub(crate) passphrase_file: Option<PathBuf>,
    /// The request to write for those who sign elsewhere; by default release-SERIAL.request in the current folder.
    #[arg(long, value_name = "FILE")]
    pub(crate) request: Option<PathBuf>,
    /// Publishes the release that was signed on request: the request, in as many copies as were signed.
    #[arg(long, value_name = "REQUEST", num_args = 1.., conflicts_with_all = ["key", "request", "passphrase_file"])]
    pub(crate) finish: Vec<PathBuf>,
    /// Prints one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

/// `3-of-5`: two or more, and not more than 16 in all.
fn trustees(text: &str) -> Result<(u8, u8), String> {
    let parsed = text.split_once("-of-").and_then(|(needed, all)| Some((needed.parse().ok()?, all.parse().ok()?)));
    let fits = |(needed, all): &(u8, u8)| *needed >= 2 && needed <= all && *all <= 16;
    parsed.filter(fits).ok_or_else(|| "write it as 3-of-5: at least 2, and at most 16 in all".to_owned())
}
