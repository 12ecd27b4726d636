use clap::Args;
use std::path::PathBuf;

/// Copies an archive, verified, to carry away or hand on: to a folder or stick that explains itself, to one file, to a bag, or as torrents.
///
/// Run again into the same folder it goes on after an interruption, and copies only what is new. A damaged archive is refused. The same archive gives
/// the same bytes, whoever exports it.
#[derive(Args)]
#[command(after_help = "Example: daylight export ~/archive --to /media/usb/council --root pinned-root.json\n\
    Example: daylight export ~/archive --to council.tar --format bagit\n\
    Example: daylight export ~/archive --to ~/torrents --format torrent --web-seed https://archive.example/council/")]
pub(crate) struct Export {
    /// The archive.
    pub(crate) archive: PathBuf,
    /// A folder that is new, empty or an earlier export of this archive; or a file that ends in .tar.
    #[arg(long, value_name = "DIR|FILE")]
    pub(crate) to: PathBuf,
    /// As what.
    #[arg(long, value_enum, default_value_t = ExportFormat::Copy)]
    pub(crate) format: ExportFormat,
    /// A root that you trust (a copy of root/1.json or a later one): the archive must follow from it, and it goes with the copy.
    #[arg(long, value_name = "FILE")]
    pub(crate) root: Option<PathBuf>,
    /// Where the archive's folder is on the web, for torrents; may be given more than once. By default the mirrors that the root names.
    #[arg(long, value_name = "URL")]
    pub(crate) web_seed: Vec<String>,
    /// Prints one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum ExportFormat {
    /// The archive, and beside it a page for whoever finds it, the verifier, the root, and a description for programs (RO-Crate).
    #[value(alias = "ro-crate")]
    Copy,
    /// The same in a bag (BagIt, RFC 8493), as libraries take it in.
    Bagit,
    /// A torrent for each release, for clients of both versions.
    Torrent,
}

/// Attaches proofs by OpenTimestamps that a state of an archive existed, or says which there are. None is ever needed.
///
/// What is stamped is the text of a checkpoint, which follows from the log. Proofs are kept beside the archive, in a folder of its name with
/// `.timestamps` behind, and go along with exports.
#[derive(Args)]
#[command(after_help = "Example: daylight timestamp ~/archive --out checkpoint.txt\n\
    \u{20}        ots stamp checkpoint.txt\n\
    \u{20}        daylight timestamp ~/archive --attach checkpoint.txt.ots")]
pub(crate) struct Timestamp {
    /// The archive.
    pub(crate) archive: PathBuf,
    /// Writes the bytes to be stamped to this file, which must not exist.
    #[arg(long, value_name = "FILE", conflicts_with = "attach")]
    pub(crate) out: Option<PathBuf>,
    /// Which state's, by the size of its log; by default the present one's.
    #[arg(long, value_name = "N", requires = "out")]
    pub(crate) size: Option<u64>,
    /// Checks that this proof is of a state of this archive, and keeps it.
    #[arg(long, value_name = "FILE.ots")]
    pub(crate) attach: Option<PathBuf>,
    /// Prints one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Makes the proof that a document was published, or checks one without the archive and offline. Exits 1 if it is not valid.
#[derive(Args)]
#[command(after_help = "Example: daylight prove ~/archive council/17\n\
    Example: daylight prove --check council-17.daylight-proof --root pinned-root.json --file council-17.eml\n\
    Example: daylight prove --check council-17.daylight-proof ~/newer-archive")]
pub(crate) struct Prove {
    /// The archive; with --check a copy as new as the proof, to say what became of the document since.
    #[arg(required_unless_present = "check")]
    pub(crate) archive: Option<PathBuf>,
    /// The document, as COLLECTION/NUMBER.
    #[arg(value_name = "COLLECTION/N", required_unless_present = "check", conflicts_with = "check")]
    pub(crate) id: Option<String>,
    /// The file to write, which must not exist; by default COLLECTION-N.daylight-proof here.
    #[arg(long, value_name = "FILE", conflicts_with = "check")]
    pub(crate) out: Option<PathBuf>,
    /// The proof to check.
    #[arg(long, value_name = "FILE")]
    pub(crate) check: Option<PathBuf>,
    /// A root that you trust (a copy of root/1.json or a later one); without it the publisher is not checked.
    #[arg(long, value_name = "FILE", requires = "check")]
    pub(crate) root: Option<PathBuf>,
    /// A file that should be the document, or one of its renditions: its hash must stand in the proof.
    #[arg(long, value_name = "FILE", requires = "check")]
    pub(crate) file: Option<PathBuf>,
    /// Prints one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}
