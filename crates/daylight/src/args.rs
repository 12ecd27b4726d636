//! What the user said: every subcommand with its flags and an example. What it means is decided in `commands`.

use clap::{Args, Parser, Subcommand};
use daylight_model::FaultCode;
use std::net::SocketAddr;
use std::path::PathBuf;

mod drop;
mod export;
pub(crate) mod inbox;
mod mirror;
mod rendering;
mod sealing;
mod signing;
mod source;
mod withdrawal;

pub(crate) use drop::{Drop, DropApply, DropExport, DropInit, DropServe, DropStatus};
pub(crate) use export::{Export, ExportFormat, Prove, Timestamp};
pub(crate) use mirror::{Evidence, Mirror, Network};
pub(crate) use rendering::Render;
pub(crate) use sealing::{PublishUnsealed, Seal, Unseal};
mod witness;

pub(crate) use signing::{Root, RootChange, RootFinish, RootNew, RootRecover, RootRotate, RootSays, RootShow, RootSigning, Sign};
pub(crate) use source::{Newsroom, Sent, Submit, ToNewsroom};
pub(crate) use withdrawal::{EntrySigning, Erase, Heartbeat, Withdraw};
pub(crate) use witness::{Asking, Witness, WitnessAdd, WitnessAsk, WitnessKey, WitnessPolicy, WitnessServe, WitnessStatus};

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
    Recognise(Recognise),
    Status(Status),
    Faults(Faults),
    Retry(Retry),
    Unlock(Unlock),
    Search(Search),
    Show(Show),
    Clear(Clear),
    Render(Render),
    #[command(subcommand)]
    Dkim(Dkim),
    #[command(subcommand)]
    Key(Key),
    Publish(Publish),
    Seal(Seal),
    Unseal(Unseal),
    PublishUnsealed(PublishUnsealed),
    Sign(Sign),
    #[command(subcommand)]
    Root(Root),
    #[command(subcommand)]
    Witness(Witness),
    #[command(subcommand)]
    Drop(Drop),
    Submit(Submit),
    Reply(ToNewsroom),
    Serve(Serve),
    Index(Index),
    Withdraw(Withdraw),
    Erase(Erase),
    Heartbeat(Heartbeat),
    Verify(Verify),
    Mirror(Mirror),
    Evidence(Evidence),
    Prove(Prove),
    Export(Export),
    Timestamp(Timestamp),
    Check(Check),
    Backup(Backup),
    Restore(Restore),
    Forget(Forget),
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
    /// Leaves pages that are pictures to `daylight recognise`, which takes seconds for each: everything else is searched sooner.
    #[arg(long)]
    pub(crate) recognise_later: bool,
    /// Ends with one JSON object on one line.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Recognises text on scanned pages and in pictures, by Tesseract where it is installed. `ingest` does so by itself; this is for what it left.
#[derive(Args)]
#[command(
    after_help = "Languages are set in daylight.toml. After an interruption it goes on where it was.\nExample: daylight recognise ~/desk"
)]
pub(crate) struct Recognise {
    /// The desk.
    pub(crate) desk: PathBuf,
    /// Ids of documents to recognise, again if they were before; by default all that were not tried yet.
    #[arg(value_name = "ID")]
    pub(crate) ids: Vec<String>,
    /// How many pages to work on at once; by default one for each processor.
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
    /// Lists the containers of which not everything was read: how much they say they hold, how much was read, how much failed.
    #[arg(long, conflicts_with_all = ["all", "csv"])]
    pub(crate) containers: bool,
    /// Prints every fault as a table for a spreadsheet (CSV, RFC 4180).
    #[arg(long, conflicts_with = "json")]
    pub(crate) csv: bool,
    /// Prints JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Reads again what could not be read, from the bytes on the desk: what died, took too long or needed a program that was not here, or what has a certain fault.
///
/// What is read takes the place of what was read before. What gives less than before stays as it was, and so does what somebody decided on. A file
/// that could not be opened is looked for where it was.
#[derive(Args)]
#[command(after_help = "Example: daylight retry ~/desk --reason \"reader died\"\nExample: daylight retry ~/desk 1f0c9a3b77d2")]
pub(crate) struct Retry {
    /// The desk.
    pub(crate) desk: PathBuf,
    /// The documents to read again, by their ids or the beginnings of them; by default those whose faults may be worth another try.
    #[arg(conflicts_with_all = ["reason", "outdated"])]
    pub(crate) ids: Vec<String>,
    /// Reads again what has this fault, in the words of `daylight faults` or their beginning.
    #[arg(long, value_name = "R", value_parser = reason)]
    pub(crate) reason: Option<FaultCode>,
    /// Reads again what an older version of its reader read.
    #[arg(long, conflicts_with = "reason")]
    pub(crate) outdated: bool,
    /// Only documents of this collection.
    #[arg(long, value_name = "NAME")]
    pub(crate) collection: Option<String>,
    /// How many reader processes to use; by default one for each processor.
    #[arg(long, value_name = "N")]
    pub(crate) jobs: Option<std::num::NonZeroUsize>,
    /// Ends with one JSON object on one line.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Tries passwords on what is encrypted, and reads what they open.
///
/// A password that opens something is kept on the desk, because it is needed whenever the document is read again. It exits 1 if nothing was opened.
#[derive(Args)]
#[command(
    after_help = "Example: daylight unlock ~/desk --password-file passwords.txt\nExample: daylight unlock ~/desk --from-trove 1f0c9a3b77d2"
)]
#[command(group(clap::ArgGroup::new("passwords").required(true).multiple(true).args(["password_file", "from_trove"])))]
pub(crate) struct Unlock {
    /// The desk.
    pub(crate) desk: PathBuf,
    /// The documents to open, by their ids or the beginnings of them; by default all that are encrypted.
    pub(crate) ids: Vec<String>,
    /// The passwords to try, one a line; - reads them from standard input.
    #[arg(long, value_name = "F")]
    pub(crate) password_file: Option<PathBuf>,
    /// Tries words of the trove itself: those that stand behind a word for a password in messages, documents and files near the one that is encrypted.
    #[arg(long)]
    pub(crate) from_trove: bool,
    /// Only documents of this collection.
    #[arg(long, value_name = "NAME")]
    pub(crate) collection: Option<String>,
    /// How many reader processes to use; by default one for each processor.
    #[arg(long, value_name = "N")]
    pub(crate) jobs: Option<std::num::NonZeroUsize>,
    /// Ends with one JSON object on one line.
    #[arg(long)]
    pub(crate) json: bool,
}

/// A fault by its words or their beginning.
fn reason(words: &str) -> Result<FaultCode, String> {
    let wanted = words.trim().to_lowercase();
    if let Some(code) = FaultCode::ALL.into_iter().find(|code| code.words() == wanted) {
        return Ok(code);
    }
    let matching: Vec<FaultCode> = FaultCode::ALL.into_iter().filter(|code| code.words().starts_with(&wanted)).collect();
    match matching.as_slice() {
        [code] => Ok(*code),
        several => {
            let known = if several.is_empty() { &FaultCode::ALL[..] } else { several };
            let known: Vec<&str> = known.iter().map(|code| code.words()).collect();
            Err(format!("it is one of: {}", known.join(", ")))
        }
    }
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

/// Shows one document: facts and text, its original bytes, or the picture of one of its pages.
#[derive(Args)]
#[command(
    after_help = "Example: daylight show ~/desk 1f0c9a3b77d2 --raw > message.eml\nExample: daylight show archive council/17\nExample: daylight show ~/desk 1f0c9a3b77d2 --page 3 --png page.png"
)]
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
    /// Only the picture of this page of a PDF or a picture on a desk, drawn in the cage, as PNG.
    #[arg(long, value_name = "N", conflicts_with_all = ["raw", "text", "json"])]
    pub(crate) page: Option<std::num::NonZeroU32>,
    /// The file to write the picture to, which must not exist; by default standard output, unless it is a terminal.
    #[arg(long, value_name = "FILE", requires = "page")]
    pub(crate) png: Option<PathBuf>,
    /// How finely a page of a PDF is drawn, in dots an inch. Text is recognised at 300.
    #[arg(long, value_name = "N", requires = "page", default_value = "150", value_parser = clap::value_parser!(u32).range(36..=600))]
    pub(crate) dots: u32,
}

/// Records an editor's decision that documents may be published as they are. Nothing is published without it.
///
/// Clearing a document's original bytes clears everything inside them, so it is refused while anything inside is held, redacted or undecided.
///
/// With --correct a document that is published already is published anew, as it is on the desk now, in place of what readers see of it or after it was
/// withdrawn: they see the new rendition, the reason, and that there were others before.
#[derive(Args)]
#[command(after_help = "Example: daylight clear ~/desk --collection council --query 'from:okafor' --as 'Ana Ruiz'\n\
    Example: daylight clear ~/desk --correct council/17 --reason 'the scan was unreadable' --as 'Ana Ruiz'")]
#[command(group(clap::ArgGroup::new("which").required(true).args(["all", "query", "correct"])))]
pub(crate) struct Clear {
    /// The desk.
    pub(crate) desk: PathBuf,
    /// The collection in which they may be published.
    #[arg(long, value_name = "NAME", required_unless_present = "correct", conflicts_with = "correct")]
    pub(crate) collection: Option<String>,
    /// Every document of the collection.
    #[arg(long)]
    pub(crate) all: bool,
    /// The documents that this query finds in the collection.
    #[arg(long, value_name = "Q")]
    pub(crate) query: Option<String>,
    /// The published document that is to be published anew by the next publish.
    #[arg(long, value_name = "COLLECTION/N", requires = "reason")]
    pub(crate) correct: Option<String>,
    /// Why it is published anew, in one line for everybody.
    #[arg(long, value_name = "TEXT", requires = "correct")]
    pub(crate) reason: Option<String>,
    /// In which archive, by its name, where the collection is in several.
    #[arg(long, value_name = "NAME", requires = "correct")]
    pub(crate) origin: Option<String>,
    /// The editor who decides.
    #[arg(long = "as", value_name = "EDITOR")]
    pub(crate) editor: String,
    /// Prints one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Keeps keys of mail signatures (DKIM and ARC), by which the signatures on a desk are judged. Only `online` asks anybody anything.
#[derive(Subcommand)]
pub(crate) enum Dkim {
    Import(DkimImport),
    List(DkimList),
    Online(DkimOnline),
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

/// Asks the DNS for the keys that are missing, after saying what that tells to whom, and judges anew whatever is signed with them.
#[derive(Args)]
#[command(after_help = "Example: daylight dkim online ~/desk --domain example.org --resolver 9.9.9.9 --socks 127.0.0.1:9050")]
pub(crate) struct DkimOnline {
    /// The desk.
    pub(crate) desk: PathBuf,
    /// Asks only for keys of this domain and of those below it; may be given more than once.
    #[arg(long, value_name = "DOMAIN")]
    pub(crate) domain: Vec<String>,
    /// The DNS server to ask, by its address; by default the system's.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) resolver: Option<String>,
    /// Asks through this SOCKS 5 proxy, such as Tor's; the server must be named then.
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(crate) socks: Option<String>,
    /// Asks without having it confirmed.
    #[arg(long)]
    pub(crate) yes: bool,
    /// Prints one JSON object.
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
///
/// Where fewer keys are given than must sign, the release is staged in the archive's folder, where no reader sees it, and a request is written for the
/// editors, who sign it with `daylight sign` on machines of their own; --finish goes on with their signatures.
#[derive(Args)]
#[command(after_help = "Example: daylight publish ~/desk --collection council --to ~/archive --key /media/usb/ana.key\n\
    Example: daylight publish ~/desk --to ~/archive --finish release-3.request from-ben/release-3.request")]
pub(crate) struct Publish {
    /// The desk.
    pub(crate) desk: PathBuf,
    /// The collection to publish.
    #[arg(long, value_name = "NAME", required_unless_present = "finish")]
    pub(crate) collection: Option<String>,
    /// The archive's folder.
    #[arg(long, value_name = "ARCHIVE")]
    pub(crate) to: PathBuf,
    /// The key of an editor who signs here and now; may be given more than once.
    #[arg(long, value_name = "FILE")]
    pub(crate) key: Vec<PathBuf>,
    /// The request to write for those who sign elsewhere; by default release-SERIAL.request in the current folder.
    #[arg(long, value_name = "FILE")]
    pub(crate) request: Option<PathBuf>,
    /// Publishes the release that was signed on request: the request, in as many copies as were signed.
    #[arg(long, value_name = "REQUEST", num_args = 1.., conflicts_with_all = ["collection", "key", "request", "passphrase_file", "origin", "threshold", "title"])]
    pub(crate) finish: Vec<PathBuf>,
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
    #[command(flatten)]
    pub(crate) asking: Asking,
    /// Prints one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Serves an archive's pages to readers, from the archive alone.
///
/// A release that is added while it runs is shown to who comes next, within seconds; where its index takes longer to make, the state before is shown until that
/// is done. For that one small file is read, once a second at most, and only when somebody asks for a page.
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
///
/// Of an archive at an address every file is fetched, checked and let go; which files were added there cannot be seen. A partial copy is good if it has
/// the collections that it was made of; where `daylight mirror` made it, that is known.
#[derive(Args)]
#[command(
    after_help = "Example: daylight verify ~/archive --root pinned-root.json\nExample: daylight verify https://papers.example/ --root pinned-root.json"
)]
pub(crate) struct Verify {
    /// The archive: a folder, or an address that begins with http:// or https://.
    #[arg(value_name = "ARCHIVE|URL")]
    pub(crate) archive: PathBuf,
    /// A root that you trust (a copy of root/1.json or a later one); without it the publisher is not checked.
    #[arg(long, value_name = "FILE")]
    pub(crate) root: Option<PathBuf>,
    /// A collection that must be there, of a partial copy; may be given more than once.
    #[arg(long, value_name = "COLLECTION")]
    pub(crate) only: Vec<String>,
    #[command(flatten)]
    pub(crate) network: Network,
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

/// Checks every pack, row and index entry of a desk against each other; or, for a source, reads what a newsroom answered.
///
/// Of a desk it repairs what can be derived, and names what is lost. What can be derived is the index, conversations, counters, what was made for
/// publishing, rows of documents that are gone, and tails of interrupted writes; a damaged text is marked to be read again. Damaged originals are named
/// and left alone: a backup has them.
///
/// Of a drop it gets the replies to a codename, opens them on this machine, and shows those that an editor signed whom the newsroom's directory names.
#[derive(Args)]
#[command(after_help = "Exits 1 if something is wrong that could not be repaired, or if there are replies that no editor signed.
    Example: daylight check ~/desk
Example: daylight check ~/desk --look
    Example: daylight check http://abc…xyz.onion/ --root newsroom-root.json --socks 127.0.0.1:9050")]
pub(crate) struct Check {
    /// The desk, which nobody else may ingest into, clear or forget in meanwhile; or the address of a drop.
    #[arg(value_name = "DESK|DROP")]
    pub(crate) place: PathBuf,
    /// Only looks: repairs nothing, and says what it would. Exits 1 if there is anything to repair.
    #[arg(long)]
    pub(crate) look: bool,
    /// Has the drop delete all that it holds of this source, after the replies were shown. What the newsroom has fetched it keeps.
    #[arg(long)]
    pub(crate) delete: bool,
    #[command(flatten)]
    pub(crate) newsroom: Newsroom,
    /// Prints one JSON object a finding, and last one with counts; of a drop one object.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Copies a desk, while others read, decide and ingest. Into the folder of an earlier backup it copies only what is new.
///
/// A backup has everything that the desk has: whoever steals it gains all that is unpublished, and the log's key if that is on the desk. Keep it on an
/// encrypted disk, off the internet. What the desk has forgotten goes from this backup when it is made anew; copies elsewhere are yours to find.
#[derive(Args)]
#[command(after_help = "The index is not copied: it is made again.\nExample: daylight backup ~/desk /media/safe/desk-backup")]
pub(crate) struct Backup {
    /// The desk.
    pub(crate) desk: PathBuf,
    /// A folder that is new, empty, or an earlier backup of this desk.
    pub(crate) to: PathBuf,
    /// Prints one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Makes a desk of a backup, checking every byte of it on the way.
#[derive(Args)]
#[command(after_help = "Example: daylight restore /media/safe/desk-backup ~/desk")]
pub(crate) struct Restore {
    /// The folder that `daylight backup` wrote.
    pub(crate) from: PathBuf,
    /// The desk to make; it must not exist yet, or be empty.
    pub(crate) desk: PathBuf,
    /// Prints one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Takes documents out of a desk for good: bytes, text, renditions, index entries and their traces in every file.
///
/// The bytes of whatever they stand in (a mailbox, a zip, the message an attachment came with) hold them, so those go too; its text, its facts and
/// everything else inside it stay. What stands in them and nowhere else goes with them. Words of theirs that others quote stay where they are quoted.
///
/// The audit log keeps that something was forgotten, by whom, when and why. The same bytes are not taken again. What is published stays published,
/// and its number is never given again. Backups forget when they are made anew. Below the file system (on an SSD, in snapshots) bytes may survive.
#[derive(Args)]
#[command(after_help = "Without --yes it is only said what would go, if more goes than was named.\n\
    Example: daylight forget ~/desk 1f0c9a3b77d2 --as 'Ana Ruiz' --because 'court order 4 O 31/26'")]
pub(crate) struct Forget {
    /// The desk; nobody else may ingest, clear or copy it meanwhile.
    pub(crate) desk: PathBuf,
    /// The documents' ids or their beginnings.
    #[arg(required = true)]
    pub(crate) ids: Vec<String>,
    /// The editor who has it done.
    #[arg(long = "as", value_name = "EDITOR")]
    pub(crate) editor: String,
    /// Why; it stays in the audit log, so name nothing here that is to be forgotten.
    #[arg(long, value_name = "WHY")]
    pub(crate) because: String,
    /// Goes on where more is lost than was named.
    #[arg(long)]
    pub(crate) yes: bool,
    /// Prints one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}
