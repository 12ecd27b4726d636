//! What the user said: every subcommand with its flags and an example. What it means is decided in `commands`.

use clap::{Args, Parser, Subcommand};
use std::net::SocketAddr;
use std::path::PathBuf;

/// Takes documents from a source's hands to a public archive that anyone can search, verify and copy.
#[derive(Parser)]
#[command(name = "daylight", version, propagate_version = true, max_term_width = 100)]
#[command(after_help = "Exit codes: 0 done, 1 the answer is no or the work could not be done, 2 wrong usage.\nTry it: daylight demo")]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    Init(Init),
    Ingest(Ingest),
    Status(Status),
    Faults(Faults),
    Search(Search),
    Show(Show),
    Clear(Clear),
    #[command(subcommand)]
    Dkim(Dkim),
    #[command(subcommand)]
    Key(Key),
    Publish(Publish),
    Serve(Serve),
    Index(Index),
    Verify(Verify),
    Demo(Demo),
    Doctor(Doctor),
}

/// Makes a desk: the private workspace for documents before they are published.
#[derive(Args)]
#[command(after_help = "Example: daylight init ~/desk")]
pub(crate) struct Init {
    /// The folder to make; it must not exist yet, or be empty.
    pub(crate) desk: PathBuf,
}

/// Reads a trove (files, folders, mailboxes, zip files) onto a desk. Reading it again adds nothing; after an interruption it goes on.
#[derive(Args)]
#[command(after_help = "Example: daylight ingest ~/desk /media/usb/mail --collection council")]
pub(crate) struct Ingest {
    /// The desk.
    pub(crate) desk: PathBuf,
    /// Files and folders to read, any depth; links inside them are listed, never followed.
    #[arg(required = true)]
    pub(crate) paths: Vec<PathBuf>,
    /// The collection that the documents belong to: lower case letters, digits and hyphens, at most 64; made when new.
    #[arg(long, value_name = "NAME")]
    pub(crate) collection: String,
    /// How many reader processes to use; by default one for each processor.
    #[arg(long, value_name = "N")]
    pub(crate) jobs: Option<std::num::NonZeroUsize>,
    /// Ends with one JSON object on one line.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Says what is on a desk or in an archive, and what share of it could not be fully read.
#[derive(Args)]
#[command(after_help = "Example: daylight status ~/desk --json")]
pub(crate) struct Status {
    /// A desk or an archive.
    #[arg(value_name = "DESK|ARCHIVE")]
    pub(crate) place: PathBuf,
    /// Prints one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Lists what could not be read, and why, grouped by reason.
#[derive(Args)]
#[command(after_help = "Example: daylight faults ~/desk")]
pub(crate) struct Faults {
    /// The desk.
    pub(crate) desk: PathBuf,
    /// Lists every fault, not groups with examples.
    #[arg(long)]
    pub(crate) all: bool,
    /// Prints every fault as a table for a spreadsheet (CSV, RFC 4180).
    #[arg(long, conflicts_with = "json")]
    pub(crate) csv: bool,
    /// Prints JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Searches a desk or an archive.
#[derive(Args)]
#[command(after_help = "Example: daylight search ~/desk 'from:okafor \"retaining wall\" date:2014-03..2014-06'\n\n\
    Words are joined by AND. \"a phrase\", OR, -not, ( ), wor*, word~1, \"two words\"~5, from: to: cc: person: subject: body: file: type: lang:de\n\
    has:attachment is:unreadable date:2014-03..2014-05 after: before: collection: thread: near: sha256:")]
pub(crate) struct Search {
    /// A desk or an archive.
    #[arg(value_name = "DESK|ARCHIVE")]
    pub(crate) place: PathBuf,
    /// The query; several words need no quotes, but write -- before a word that begins with a hyphen.
    #[arg(required = true)]
    pub(crate) query: Vec<String>,
    /// How many hits to print.
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub(crate) limit: usize,
    /// How to order them.
    #[arg(long, value_enum, default_value_t = Order::Best)]
    pub(crate) sort: Order,
    /// Where an archive's index is kept.
    #[arg(long, value_name = "DIR")]
    pub(crate) cache: Option<PathBuf>,
    /// Prints one JSON object: total, hits with id, title, date, people, snippet and the page it stands on.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Clone, Copy, clap::ValueEnum)]
pub(crate) enum Order {
    /// Best match first.
    Best,
    /// Newest first.
    Newest,
    /// Oldest first.
    Oldest,
}

/// Shows one document: facts and text, or its original bytes.
#[derive(Args)]
#[command(after_help = "Example: daylight show ~/desk 1f0c9a3b77d2 --raw > message.eml\nExample: daylight show archive council/17")]
pub(crate) struct Show {
    /// A desk or an archive.
    #[arg(value_name = "DESK|ARCHIVE")]
    pub(crate) place: PathBuf,
    /// On a desk the document's id or its beginning; in an archive COLLECTION/NUMBER.
    pub(crate) id: String,
    /// Only the text.
    #[arg(long, conflicts_with = "raw")]
    pub(crate) text: bool,
    /// Only the original bytes, exactly.
    #[arg(long)]
    pub(crate) raw: bool,
    /// Prints the facts as one JSON object.
    #[arg(long, conflicts_with_all = ["raw", "text"])]
    pub(crate) json: bool,
}

/// Records an editor's decision that documents may be published as they are. Nothing is published without it.
///
/// Clearing a document's original bytes clears everything inside them, so it is refused while anything inside is held, redacted or undecided.
#[derive(Args)]
#[command(after_help = "Example: daylight clear ~/desk --collection council --query 'from:okafor' --as 'Ana Ruiz'")]
#[command(group(clap::ArgGroup::new("which").required(true).args(["all", "query"])))]
pub(crate) struct Clear {
    /// The desk.
    pub(crate) desk: PathBuf,
    /// The collection in which they may be published.
    #[arg(long, value_name = "NAME")]
    pub(crate) collection: String,
    /// Every document of the collection.
    #[arg(long)]
    pub(crate) all: bool,
    /// The documents that this query finds in the collection.
    #[arg(long, value_name = "Q")]
    pub(crate) query: Option<String>,
    /// The editor who decides.
    #[arg(long = "as", value_name = "EDITOR")]
    pub(crate) editor: String,
    /// Prints one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Keeps keys of mail signatures (DKIM and ARC), by which the signatures on a desk are judged. Nothing is asked of the network.
#[derive(Subcommand)]
pub(crate) enum Dkim {
    Import(DkimImport),
    List(DkimList),
}

/// Takes keys from files, and judges anew whatever is signed with them.
#[derive(Args)]
#[command(
    after_help = "Files: lines of a zone file, `NAME RECORD`, JSON, or one record or PEM key in a file called SELECTOR._domainkey.DOMAIN.txt.\n\
                        Example: daylight dkim import ~/desk keys.txt --source \"our own DNS log\" --seen 2019-05-01"
)]
pub(crate) struct DkimImport {
    /// The desk.
    pub(crate) desk: PathBuf,
    /// Files with keys, or folders of them.
    #[arg(required = true)]
    pub(crate) files: Vec<PathBuf>,
    /// Where the keys were seen, where a file does not say; it is published with the verdicts.
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub(crate) source: String,
    /// The day on which they were seen there, where a file does not say.
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub(crate) seen: Option<String>,
    /// Prints one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Lists the keys that are known, and how many documents are signed with each.
#[derive(Args)]
#[command(after_help = "Example: daylight dkim list ~/desk")]
pub(crate) struct DkimList {
    /// The desk.
    pub(crate) desk: PathBuf,
    /// Prints JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Makes signing keys.
#[derive(Subcommand)]
pub(crate) enum Key {
    New(KeyNew),
}

/// Makes an editor's signing key (Ed25519). Its public half is written beside it as FILE.pub.
#[derive(Args)]
#[command(after_help = "Example: daylight key new /media/usb/ana.key --name ana")]
pub(crate) struct KeyNew {
    /// The file to make; an existing one is never overwritten.
    pub(crate) file: PathBuf,
    /// The name that the key signs under; by default the file's name without its extension.
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// Takes the passphrase from the first line of this file; otherwise it is asked for on a terminal.
    #[arg(long, value_name = "FILE")]
    pub(crate) passphrase_file: Option<PathBuf>,
    /// Prints one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Adds what is cleared in a collection to an archive, as one signed release; makes the archive when it does not exist.
#[derive(Args)]
#[command(after_help = "Example: daylight publish ~/desk --collection council --to ~/archive --key /media/usb/ana.key")]
pub(crate) struct Publish {
    /// The desk.
    pub(crate) desk: PathBuf,
    /// The collection to publish.
    #[arg(long, value_name = "NAME")]
    pub(crate) collection: String,
    /// The archive's folder.
    #[arg(long, value_name = "ARCHIVE")]
    pub(crate) to: PathBuf,
    /// An editor's key; may be given more than once.
    #[arg(long, value_name = "FILE", required = true)]
    pub(crate) key: Vec<PathBuf>,
    /// Takes the keys' passphrase from the first line of this file; otherwise it is asked for on a terminal.
    #[arg(long, value_name = "FILE")]
    pub(crate) passphrase_file: Option<PathBuf>,
    /// The name under which a new archive's log is known for ever; by default one made from its key.
    #[arg(long, value_name = "NAME")]
    pub(crate) origin: Option<String>,
    /// How many editors must sign each release of a new archive; by default more than half of the keys given.
    #[arg(long, value_name = "K")]
    pub(crate) threshold: Option<std::num::NonZeroUsize>,
    /// The key of the archive's log, made if there is none; by default log.key on the desk.
    #[arg(long, value_name = "FILE")]
    pub(crate) log_key: Option<PathBuf>,
    /// The title of the collection that readers see; by default the collection's name.
    #[arg(long)]
    pub(crate) title: Option<String>,
    /// Prints one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Serves an archive's pages to readers, from the archive alone.
#[derive(Args)]
#[command(after_help = "Example: daylight serve ~/archive --listen 127.0.0.1:8080")]
pub(crate) struct Serve {
    /// The archive; it may be read-only.
    pub(crate) archive: PathBuf,
    /// The address to listen on; port 0 picks a free one.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080")]
    pub(crate) listen: SocketAddr,
    /// Where the archive's index is kept.
    #[arg(long, value_name = "DIR")]
    pub(crate) cache: Option<PathBuf>,
}

/// Makes or completes the search index of an archive, outside the archive. `serve` and `search` do it by themselves.
#[derive(Args)]
#[command(after_help = "Example: daylight index ~/archive --cache /var/cache/daylight")]
pub(crate) struct Index {
    /// The archive.
    pub(crate) archive: PathBuf,
    /// Where the index is kept; by default in the user's cache folder.
    #[arg(long, value_name = "DIR")]
    pub(crate) cache: Option<PathBuf>,
    /// Prints one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Checks every byte of an archive, and names every file that is damaged, missing or added.
#[derive(Args)]
#[command(after_help = "Example: daylight verify ~/archive --root pinned-root.json")]
pub(crate) struct Verify {
    /// The archive.
    pub(crate) archive: PathBuf,
    /// A root that you trust (a copy of root/1.json or a later one); without it the publisher is not checked.
    #[arg(long, value_name = "FILE")]
    pub(crate) root: Option<PathBuf>,
    /// Prints one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Shows the whole flow on a small fictional trove: made, ingested, reviewed, signed, published and served.
#[derive(Args)]
#[command(after_help = "Example: daylight demo /tmp/daylight-demo --no-serve")]
pub(crate) struct Demo {
    /// The folder to work in; by default a new one under the system's temporary folder.
    pub(crate) dir: Option<PathBuf>,
    /// The address to serve the pages on.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080")]
    pub(crate) listen: SocketAddr,
    /// Stops after publishing and verifying.
    #[arg(long)]
    pub(crate) no_serve: bool,
}

/// Tries to break out of the cage around the readers of hostile files, and says what this machine's kernel gives and lacks of it.
#[derive(Args)]
#[command(after_help = "Exits 1 if anything was not refused.\nExample: daylight doctor")]
pub(crate) struct Doctor {
    /// Prints one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}
