//! The newsroom's end of the intake, on the desk.

use super::EntrySigning;
use clap::{Args, Subcommand};
use daylight_mirror::address::Address;
use daylight_mirror::http::Proxy;
use std::path::PathBuf;

/// What is done on the desk about a drop.
#[derive(Subcommand)]
pub(crate) enum Inbox {
    #[command(subcommand)]
    Directory(Directory),
    Collect(Collect),
    List(List),
    Read(Read),
    Accept(Accept),
    Answer(Answer),
    Assign(Assign),
    Delete(Delete),
    Discard(Discard),
    Import(Import),
    Protect(Protect),
}

/// Who can read what sources send, and with which keys on which day: docs/directory.md is the guide.
#[derive(Subcommand)]
pub(crate) enum Directory {
    Keys(DirectoryKeys),
    New(DirectoryNew),
    Show(DirectoryShow),
}

/// Makes a member's keys for the next days, on the desk, and a file of their public halves for whoever puts the directory together.
///
/// There is one for each day. It is destroyed 45 days after its day; what was not collected by then is lost.
#[derive(Args)]
#[command(after_help = "Example: daylight drop directory keys ~/desk --to ~/archive --key ana.key --out ana.epoch-keys")]
pub(crate) struct DirectoryKeys {
    /// The desk that has, or gets, the keyring.
    pub(crate) desk: PathBuf,
    /// The archive's folder, or a copy of it: its first root says whose newsroom it is.
    #[arg(long, value_name = "ARCHIVE")]
    pub(crate) to: PathBuf,
    /// The key with which the member signs answers to sources.
    #[arg(long, value_name = "FILE")]
    pub(crate) key: PathBuf,
    /// Takes the key's passphrase from the first line of this file; otherwise it is asked for on a terminal.
    #[arg(long, value_name = "FILE")]
    pub(crate) passphrase_file: Option<PathBuf>,
    /// For how many days from today on.
    #[arg(long, value_name = "N", default_value_t = 90, value_parser = clap::value_parser!(u32).range(1..=90))]
    pub(crate) days: u32,
    /// The file to write; by default NAME.epoch-keys in the current folder.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Prints one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Puts a directory together of all members' keys, has it signed, and logs it; the next collection gives it to the drop.
#[derive(Args)]
#[command(after_help = "Where fewer keys are given than must sign, the editors are asked by a request: docs/signing.md is the guide.\n\
    Example: daylight drop directory new ~/desk --to ~/archive --member ana.epoch-keys --member ben.epoch-keys --key ana.key\n\
    Example: daylight drop directory new ~/desk --to ~/archive --finish directory-4.request --finish from-ben/directory-4.request")]
pub(crate) struct DirectoryNew {
    /// The desk that collects.
    pub(crate) desk: PathBuf,
    /// The archive's folder.
    #[arg(long, value_name = "ARCHIVE")]
    pub(crate) to: PathBuf,
    /// A member's file of public keys; all members, each time: who is left out can read nothing that is sent from then on.
    #[arg(long, value_name = "FILE", required_unless_present = "finish", conflicts_with = "finish")]
    pub(crate) member: Vec<PathBuf>,
    /// The key of the archive's log; by default log.key on the desk.
    #[arg(long, value_name = "FILE")]
    pub(crate) log_key: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) signing: EntrySigning,
}

/// Shows a directory's file, a request to sign one, or a member's file of keys; with a keyring, whether its own keys are in it.
#[derive(Args)]
#[command(
    after_help = "Exits 1 if the keyring's keys are not in it.\nExample: daylight drop directory show directory-4.request --keyring ~/desk/inbox/keyring/ana.keys"
)]
pub(crate) struct DirectoryShow {
    /// The file.
    pub(crate) file: PathBuf,
    /// A member's keyring.
    #[arg(long, value_name = "FILE")]
    pub(crate) keyring: Option<PathBuf>,
    /// The archive: whether the directory's file is the newest in its log.
    #[arg(long, value_name = "ARCHIVE")]
    pub(crate) archive: Option<PathBuf>,
    /// Prints one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Collects what waits at the drop, and gives the drop what the desk has for it: answers, acceptances, deletions, the directory.
///
/// Online over the drop's address, or offline with a stick that `daylight drop export` wrote and `daylight drop apply` reads. Only what is durable on the desk is
/// deleted at the drop. Exits 1 if somebody must look at something.
#[derive(Args)]
#[command(
    after_help = "Example: daylight drop collect ~/desk --drop http://….onion --token-file ~/desk/drop.token --socks 127.0.0.1:9050 --notice ~/notice\n\
    Example: daylight drop collect ~/desk --from /media/usb --to /media/usb"
)]
pub(crate) struct Collect {
    /// The desk.
    pub(crate) desk: PathBuf,
    /// The drop's address.
    #[arg(long, value_name = "URL", required_unless_present = "from", conflicts_with_all = ["from", "to"])]
    pub(crate) drop: Option<Address>,
    /// The file with the collector's token, as `daylight drop init` wrote it.
    #[arg(long, value_name = "FILE", required_unless_present = "from")]
    pub(crate) token_file: Option<PathBuf>,
    /// Reaches the drop through this SOCKS 5 proxy, such as Tor.
    #[arg(long, value_name = "HOST:PORT")]
    pub(crate) socks: Option<Proxy>,
    /// The folder that was written at the drop.
    #[arg(long, value_name = "DIR")]
    pub(crate) from: Option<PathBuf>,
    /// The folder to write for the drop; by default the same.
    #[arg(long, value_name = "DIR", requires = "from")]
    pub(crate) to: Option<PathBuf>,
    /// Writes a notice for people into this file: always 512 bytes, also when nothing came.
    #[arg(long, value_name = "FILE")]
    pub(crate) notice: Option<PathBuf>,
    /// Deletes conversations in which nothing happened for so many days and that nobody is assigned to.
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) keep: Option<u32>,
    /// Tries again what could not be opened before.
    #[arg(long)]
    pub(crate) again: bool,
    /// Prints one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Lists conversations: those with something unread first, then the latest.
#[derive(Args)]
#[command(after_help = "Example: daylight drop list ~/desk --unread")]
pub(crate) struct List {
    /// The desk.
    pub(crate) desk: PathBuf,
    /// How many at most.
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub(crate) limit: usize,
    /// Only those with something unread.
    #[arg(long)]
    pub(crate) unread: bool,
    /// Shows, instead of conversations, the envelopes at the drop that could not be opened, and why.
    #[arg(long, conflicts_with = "unread")]
    pub(crate) refused: bool,
    /// Prints one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Shows a conversation: what was said, which files came, what of them is missing.
#[derive(Args)]
#[command(after_help = "Example: daylight drop read ~/desk 3fa9")]
pub(crate) struct Read {
    /// The desk.
    pub(crate) desk: PathBuf,
    /// The conversation: the first digits of its id, four at least.
    pub(crate) conversation: String,
    /// Leaves what is unread unread.
    #[arg(long)]
    pub(crate) peek: bool,
    /// Prints one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Lets a source send more than a first message; the drop is told by the next collection.
#[derive(Args)]
#[command(after_help = "Example: daylight drop accept ~/desk 3fa9")]
pub(crate) struct Accept {
    /// The desk.
    pub(crate) desk: PathBuf,
    /// The conversation.
    pub(crate) conversation: String,
    /// Prints one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Answers a source: sealed to the source's key and signed with yours, it goes out with the next collection.
#[derive(Args)]
#[command(after_help = "The text is read from standard input, or from --text FILE; it has at most 32 KiB.\n\
    Example: daylight drop answer ~/desk 3fa9 --key ana.key --text answer.txt")]
pub(crate) struct Answer {
    /// The desk.
    pub(crate) desk: PathBuf,
    /// The conversation.
    pub(crate) conversation: String,
    /// Your key, as the directory names it.
    #[arg(long, value_name = "FILE")]
    pub(crate) key: PathBuf,
    /// Takes the key's passphrase from the first line of this file; otherwise it is asked for on a terminal.
    #[arg(long, value_name = "FILE")]
    pub(crate) passphrase_file: Option<PathBuf>,
    /// The file with the text.
    #[arg(long, value_name = "FILE")]
    pub(crate) text: Option<PathBuf>,
    /// Prints one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Says who takes care of a conversation; without a name, that nobody does.
#[derive(Args)]
#[command(after_help = "Example: daylight drop assign ~/desk 3fa9 Ana")]
pub(crate) struct Assign {
    /// The desk.
    pub(crate) desk: PathBuf,
    /// The conversation.
    pub(crate) conversation: String,
    /// Who.
    #[arg(default_value = "")]
    pub(crate) who: String,
    /// Prints one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Deletes a conversation: its key is destroyed, with everything sealed under it, and the drop is told by the next collection.
///
/// What was imported from it stays on the desk; what says that it came from this source goes, in the audit log too.
#[derive(Args)]
#[command(after_help = "Example: daylight drop delete ~/desk 3fa9 --as Ana --yes\n\
    Example: daylight drop delete ~/desk 3fa9 --as Ana --only-link --yes")]
pub(crate) struct Delete {
    /// The desk.
    pub(crate) desk: PathBuf,
    /// The conversation.
    pub(crate) conversation: String,
    /// Who does it, for the audit log, in which the conversation is not named.
    #[arg(long = "as", value_name = "NAME")]
    pub(crate) who: String,
    /// Only takes away what links imported documents to it.
    #[arg(long)]
    pub(crate) only_link: bool,
    /// Confirms it.
    #[arg(long)]
    pub(crate) yes: bool,
    /// Prints one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Has the drop delete envelopes that could not be opened, with the next collection, and forgets them.
///
/// `daylight drop list --refused` shows them, and why. What is sealed in them is lost: first try `daylight drop collect --again`, on a desk with every keyring.
#[derive(Args)]
#[command(after_help = "Example: daylight drop discard ~/desk 5b0e 77c1 --as Ana --yes\n\
    Example: daylight drop discard ~/desk --all --as Ana --yes")]
pub(crate) struct Discard {
    /// The desk.
    pub(crate) desk: PathBuf,
    /// The envelopes: the first digits of their ids, four at least.
    #[arg(value_name = "ID", required_unless_present = "all", conflicts_with = "all")]
    pub(crate) envelopes: Vec<String>,
    /// All that could not be opened.
    #[arg(long)]
    pub(crate) all: bool,
    /// Who does it, for the audit log, in which no envelope is named.
    #[arg(long = "as", value_name = "NAME")]
    pub(crate) who: String,
    /// Confirms it.
    #[arg(long)]
    pub(crate) yes: bool,
    /// Prints one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Reads the whole files of a conversation onto the desk as a trove, each in the readers' cage as any other.
///
/// For as long as that takes they stand in the clear in DESK/inbox/import, and are removed then.
#[derive(Args)]
#[command(after_help = "Example: daylight drop import ~/desk 3fa9 --collection council --as Ana")]
pub(crate) struct Import {
    /// The desk.
    pub(crate) desk: PathBuf,
    /// The conversation.
    pub(crate) conversation: String,
    /// The collection that the documents belong to; made when new.
    #[arg(long, value_name = "NAME")]
    pub(crate) collection: String,
    /// Who does it, for the audit log.
    #[arg(long = "as", value_name = "NAME")]
    pub(crate) who: String,
    /// Takes files too, and texts, that may be somebody else's.
    #[arg(long)]
    pub(crate) doubtful: bool,
    /// Reads in what the source wrote as well: each message is a document of its own, message-1.txt and so on.
    #[arg(long)]
    pub(crate) with_texts: bool,
    /// How many reader processes to use; by default one for each processor.
    #[arg(long, value_name = "N")]
    pub(crate) jobs: Option<std::num::NonZeroUsize>,
    /// Prints one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Seals the desk's secret keys (keyrings, and the conversations' keys) under keys in this machine's TPM 2.0, so that destroyed ones are worthless also where a flash disk kept them.
///
/// At each deletion the file is sealed anew under a new key, and the old one is removed from the TPM. The desk then opens on this machine alone, and no more once its TPM was cleared. Do it
/// before the first key is made: what stood in the files as it was may be on the disk still. --undo is for moving the desk to another machine.
#[derive(Args)]
#[command(
    after_help = "The TPM is /dev/tpmrm0, or the device or socket that DAYLIGHT_TPM names. `daylight doctor` says whether it can be used.\n\
    Example: daylight drop protect ~/desk\nExample: daylight drop protect ~/desk --undo --yes"
)]
pub(crate) struct Protect {
    /// The desk.
    pub(crate) desk: PathBuf,
    /// Writes the keys as plain files again, and removes those in the TPM.
    #[arg(long)]
    pub(crate) undo: bool,
    /// Confirms it.
    #[arg(long, requires = "undo")]
    pub(crate) yes: bool,
    /// Prints one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}
