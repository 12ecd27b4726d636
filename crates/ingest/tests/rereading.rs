//! Reading again, by a reader of two versions whose files say what it is to make of them: `1 text once` is for version 1, `2 die` for version 2.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use daylight_ingest::{Plan, Progress, Retried, Retry, Summary, Unlocked, Wanted, ingest, retry, unlock};
use daylight_model::reading::{Event, Found, Input, Label, Place, Request, Segment, Sink, Standing, Stop};
use daylight_model::{Fault, FaultCode, Kind, Name, Stage};
use daylight_sandbox::{Reader, worker_main};
use daylight_store::{Desk, Document, State};
use std::num::NonZeroUsize;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU8, Ordering::Relaxed};
use std::{env, fs, panic};
use tempfile::TempDir;

/// The version of the reader that a worker plays.
static VERSION: AtomicU8 = AtomicU8::new(0);
/// The readers in either version: of the two real ones, only `paper` changes.
const READERS: [&[&str]; 2] = [&["none 1", "paper 1", "box 1"], &["none 1", "paper 2", "box 1"]];

type Check = (&'static str, fn());
const CHECKS: [Check; 9] = [
    ("a_raised_version_reads_again_what_that_reader_read_and_no_more", a_raised_version_reads_again_what_that_reader_read_and_no_more),
    ("what_ended_its_reader_is_read_when_it_ends_no_more", what_ended_its_reader_is_read_when_it_ends_no_more),
    ("what_is_worse_read_than_before_stays_as_it_was", what_is_worse_read_than_before_stays_as_it_was),
    ("a_file_that_turns_out_to_be_a_container_gives_way_everywhere", a_file_that_turns_out_to_be_a_container_gives_way_everywhere),
    ("what_was_decided_on_stays_beside_what_is_new", what_was_decided_on_stays_beside_what_is_new),
    ("what_is_no_more_in_a_container_goes_unless_decided_on", what_is_no_more_in_a_container_goes_unless_decided_on),
    ("a_document_kept_as_it_stands_packed_is_read_within_its_container", a_document_kept_as_it_stands_packed_is_read_within_its_container),
    ("a_password_opens_what_it_opens_and_is_kept", a_password_opens_what_it_opens_and_is_kept),
    ("what_waits_for_ever_is_read_once", what_waits_for_ever_is_read_once),
];

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().collect();
    if let Some(version) = arguments.get(1).and_then(|first| first.strip_prefix("worker-")) {
        VERSION.store(version.parse().unwrap(), Relaxed);
        return worker_main(|| (), play);
    }
    let wanted = arguments.iter().skip(1).find(|argument| !argument.starts_with('-'));
    let chosen: Vec<&Check> =
        // Flags are those of the usual runner of tests, and mean nothing here.
        CHECKS.iter().filter(|(name, _)| wanted.is_none_or(|wanted| name.contains(wanted.as_str()))).collect();
    let failed = chosen.iter().filter(|(name, check)| {
        let passed = panic::catch_unwind(check).is_ok();
        println!("test {name} ... {}", if passed { "ok" } else { "FAILED" });
        !passed
    });
    let failed = failed.count();
    println!("\ntest result: {}. {} passed; {failed} failed\n", if failed == 0 { "ok" } else { "FAILED" }, chosen.len() - failed);
    ExitCode::from(u8::from(failed > 0))
}

/// The worker's reader.
fn play(request: &Request, input: &dyn Input, sink: &mut dyn Sink) -> Result<(), Stop> {
    let mut next = 0;
    let mut bytes = vec![0; input.length() as usize];
    input.read_at(0, &mut bytes).unwrap();
    document(
        request,
        &mut next,
        (None, 0, request.name.clone()),
        Place::Whole,
        request.standing.depth,
        &String::from_utf8_lossy(&bytes),
        sink,
    )
}

/// Does what the document says. What stands in it is one line, its lines joined by `;`.
fn document(
    request: &Request,
    next: &mut u32,
    (parent, ordinal, name): (Option<u32>, u64, Name),
    place: Place,
    depth: u32,
    script: &str,
    sink: &mut dyn Sink,
) -> Result<(), Stop> {
    let version = VERSION.load(Relaxed);
    let mine = script.lines().filter_map(|line| line.split_once(' ')).filter(|(number, _)| number.parse() == Ok(version) || *number == "*");
    let mine: Vec<(&str, &str)> = mine.map(|(_, line)| line.split_once(' ').unwrap_or((line, ""))).collect();
    let is_box = mine.iter().any(|(verb, _)| matches!(*verb, "holds" | "locked"));
    let index = *next;
    *next += 1;
    sink.event(Event::Found(Found {
        index,
        parent,
        ordinal,
        name: Some(name),
        kind: if is_box { Kind::Container } else { Kind::File },
        place,
        standing: Box::new(Standing { depth, ..Standing::default() }),
        tool: if is_box { "box 1".into() } else { format!("paper {version}") },
        media_type: "text/plain".into(),
        claims: String::new(),
        message: None,
    }))?;
    if place == Place::Follows {
        sink.event(Event::Bytes { index, bytes: script.as_bytes().to_vec() })?;
    }
    let say = |sink: &mut dyn Sink, text: String| sink.event(Event::Text { index, segment: Segment::new(Label::Body, text) });
    let mut held = 0;
    for (verb, rest) in mine {
        match verb {
            "text" => say(sink, format!("{rest} by version {version} at depth {depth}"))?,
            "die" => std::process::abort(),
            "fault" => {
                let code = FaultCode::ALL.into_iter().find(|code| code.words() == rest).unwrap();
                let stage = if rest == "encrypted" { Stage::Split } else { Stage::Read };
                sink.event(Event::Fault {
                    index,
                    fault: Fault { stage, code, tool: "box 1".into(), detail: "so".into(), limit: None, at: None },
                })?;
            }
            "holds" => {
                let inner = rest.replace(';', "\n");
                document(request, next, (Some(index), held, Name::from("inner")), Place::Follows, depth + 1, &inner, sink)?;
                held += 1;
            }
            // A locked child: a password gives what is in it, and without it the child is kept as it stands.
            "locked" => {
                let (password, inner) = rest.split_once(' ').unwrap();
                let found = request.passwords.iter().position(|one| one == password);
                let inner = if found.is_some() { inner.replace(';', "\n") } else { "* fault encrypted".into() };
                if let Some(number) = found {
                    sink.event(Event::Unlocked { index, password: number as u32 })?;
                }
                document(request, next, (Some(index), held, Name::from("inner")), Place::Follows, depth + 1, &inner, sink)?;
                held += 1;
            }
            _ => panic!("{verb}"),
        }
    }
    if is_box { sink.event(Event::Counted { index, expected: Some(held), read: held, failed: 0 }) } else { Ok(()) }
}

/// A desk, and a trove beside it.
struct Case {
    work: TempDir,
    desk: Desk,
}

impl Case {
    fn new(files: &[(&str, &str)]) -> Self {
        let work = tempfile::tempdir().unwrap();
        let desk = Desk::init(&work.path().join("desk")).unwrap();
        fs::create_dir(work.path().join("trove")).unwrap();
        for (name, script) in files {
            fs::write(work.path().join("trove").join(name), script).unwrap();
        }
        Self { work, desk }
    }

    fn ingest(&mut self, version: usize) -> Summary {
        let lease = self.desk.take_ingest_lease().unwrap();
        let paths = [self.work.path().join("trove").canonicalize().unwrap()];
        let readers = READERS[version - 1];
        let plan = Plan { paths: &paths, collection: "c", jobs: NonZeroUsize::MIN, reader: &reader(version), readers };
        ingest(&mut self.desk, &lease, &plan, &Progress::default().into()).unwrap()
    }

    fn retry(&mut self, which: Wanted<'_>) -> Retried {
        let lease = self.desk.take_ingest_lease().unwrap();
        let how = Retry { which, collection: None, jobs: NonZeroUsize::MIN, reader: &reader(2), readers: READERS[1] };
        retry(&mut self.desk, &lease, &how, &Progress::default().into()).unwrap()
    }

    fn unlock(&mut self, passwords: &[&str], from_trove: bool) -> Unlocked {
        let lease = self.desk.take_ingest_lease().unwrap();
        let how = Retry { which: Wanted::Faulty(None), collection: None, jobs: NonZeroUsize::MIN, reader: &reader(2), readers: READERS[1] };
        let passwords: Vec<String> = passwords.iter().map(|one| (*one).to_owned()).collect();
        unlock(&self.desk, &lease, &how, (&passwords, from_trove), &Progress::default().into()).unwrap()
    }

    fn all(&self) -> Vec<Document> {
        let collection = self.desk.collection("c").unwrap().unwrap().id;
        self.desk.members(collection, 0, 1000).unwrap().into_iter().map(|seq| self.desk.document(seq).unwrap()).collect()
    }

    fn text(&self, seq: u64) -> String {
        self.desk.text(seq).unwrap().into_iter().map(|segment| segment.text).collect()
    }

    /// Every text on the desk, in order.
    fn texts(&self) -> Vec<String> {
        let mut texts: Vec<String> = self.all().iter().map(|one| self.text(one.seq)).filter(|text| !text.is_empty()).collect();
        texts.sort();
        texts
    }

    fn with(&self, code: FaultCode) -> Vec<u64> {
        self.desk.faulty(Some(code), None).unwrap()
    }

    fn decide(&mut self, seq: u64) {
        let collection = self.desk.collection("c").unwrap().unwrap();
        self.desk.decide(&collection, &[seq], State::Held, "Ana", "", 1).unwrap();
    }

    /// How many documents the index finds.
    fn found(&self, query: &str) -> u64 {
        let index = daylight_ingest::open_index(&self.desk).unwrap();
        let query = daylight_index::query::parse(query).unwrap();
        index.search(&query, &daylight_index::Options::default(), &|_, _| None).unwrap().total
    }
}

fn reader(version: usize) -> Reader {
    Reader { program: env::current_exe().unwrap(), args: vec![format!("worker-{version}").into()] }
}

fn a_raised_version_reads_again_what_that_reader_read_and_no_more() {
    let mut case = Case::new(&[("a", "* text plain"), ("b", "* text of a box\n* holds * text inner")]);
    case.ingest(1);
    let before = ["inner by version 1 at depth 1", "of a box by version 1 at depth 0", "plain by version 1 at depth 0"];
    assert_eq!(case.texts(), before);
    assert_eq!(case.ingest(1).outdated, 0);
    assert_eq!(case.ingest(2).outdated, 2, "the papers, not the box");
    let after = ["inner by version 2 at depth 1", "of a box by version 1 at depth 0", "plain by version 2 at depth 0"];
    assert_eq!(case.texts(), after);
    assert_eq!((case.ingest(2).outdated, case.retry(Wanted::Outdated).asked), (0, 0));
    assert_eq!((case.found("version plain"), case.found("inner")), (1, 1));
}

fn what_ended_its_reader_is_read_when_it_ends_no_more() {
    let mut case = Case::new(&[("a", "1 die\n2 text alive"), ("b", "* holds 1 die;2 text within\n* holds * text beside")]);
    case.ingest(1);
    assert_eq!(case.with(FaultCode::ReaderDied).len(), 2);
    let retried = case.retry(Wanted::Faulty(None));
    assert_eq!((retried.asked, retried.solved, retried.again.worse), (2, 2, 0), "{retried:?}");
    assert!(case.with(FaultCode::ReaderDied).is_empty());
    assert_eq!(case.texts(), ["alive by version 2 at depth 0", "beside by version 2 at depth 1", "within by version 2 at depth 1"]);
    assert_eq!(case.found("alive OR within"), 2);
}

fn what_is_worse_read_than_before_stays_as_it_was() {
    let mut case = Case::new(&[
        ("a", "1 text once\n2 die"),
        ("b", "1 text twice\n2 fault malformed"),
        ("c", "1 holds * text thrice\n2 fault malformed"),
    ]);
    case.ingest(1);
    let before = case.all();
    let seqs: Vec<u64> = before.iter().map(|one| one.seq).collect();
    let retried = case.retry(Wanted::These(&seqs[..3]));
    assert_eq!((retried.again.documents_read, retried.again.worse), (3, 3), "{retried:?}");
    assert_eq!(case.all(), before);
}

fn a_file_that_turns_out_to_be_a_container_gives_way_everywhere() {
    let same = "1 fault malformed;2 holds * text core".to_owned();
    let nested = format!("* holds {same}");
    let mut case = Case::new(&[("a", &nested), ("b", &format!("{nested}\n* text more"))]);
    case.ingest(1);
    let old = case.with(FaultCode::Malformed);
    assert_eq!((old.len(), case.desk.parents(old[0]).unwrap().len()), (1, 2));
    let retried = case.retry(Wanted::Faulty(Some(FaultCode::Malformed)));
    assert_eq!((retried.asked, retried.solved, retried.again.gone), (1, 1, 1), "{retried:?}");
    let new = case.all().into_iter().find(|one| one.kind == Kind::Container && !case.desk.parents(one.seq).unwrap().is_empty()).unwrap();
    assert_eq!((case.desk.parents(new.seq).unwrap().len(), case.desk.children(new.seq).unwrap().len()), (2, 1));
    assert_eq!(new.counted.map(|counted| (counted.expected, counted.read, counted.failed)), Some((Some(1), 1, 0)));
    for place in case.desk.parents(new.seq).unwrap() {
        let counted = case.desk.document(place.parent).unwrap().counted.unwrap();
        assert_eq!((counted.read, counted.failed), (1, 0), "its containers are counted again");
    }
    assert!(case.desk.document(old[0]).is_err());
    assert_eq!((case.found("core"), case.found("is:unreadable")), (1, 0));
    let before = case.all();
    assert_eq!(case.retry(Wanted::These(&[new.seq])).again.changed, 0);
    assert_eq!(case.all(), before);
}

fn what_was_decided_on_stays_beside_what_is_new() {
    let mut case = Case::new(&[("a", "1 fault malformed\n2 holds * text core")]);
    case.ingest(1);
    let old = case.with(FaultCode::Malformed)[0];
    case.decide(old);
    let retried = case.retry(Wanted::Faulty(Some(FaultCode::Malformed)));
    assert_eq!((retried.again.kept, retried.again.gone), (1, 0), "{retried:?}");
    assert!(case.desk.document(old).is_ok());
    assert_eq!((case.all().len(), case.found("core")), (3, 1));
}

fn what_is_no_more_in_a_container_goes_unless_decided_on() {
    let script = "1 holds * text first\n1 holds * text second\n2 holds * text second\n2 holds * text third";
    for decided in [false, true] {
        let mut case = Case::new(&[("a", script)]);
        case.ingest(1);
        let of = |case: &Case, word: &str| case.all().into_iter().find(|one| case.text(one.seq).starts_with(word)).map(|one| one.seq);
        let (first, root) = (of(&case, "first").unwrap(), case.all()[0].seq);
        if decided {
            case.decide(first);
        }
        let retried = case.retry(Wanted::These(&[root]));
        assert_eq!((retried.again.documents, retried.again.gone > 0, retried.again.kept > 0), (1, !decided, decided), "{retried:?}");
        assert_eq!(of(&case, "first").is_some(), decided);
        assert!(of(&case, "second").is_some() && of(&case, "third").is_some());
        assert_eq!(case.found("first"), u64::from(decided));
    }
}

fn a_document_kept_as_it_stands_packed_is_read_within_its_container() {
    let mut case = Case::new(&[("a", "* locked heron * text inside\n* holds * text open")]);
    case.ingest(2);
    let locked = case.with(FaultCode::Encrypted);
    let retried = case.retry(Wanted::These(&locked));
    assert_eq!((retried.asked, retried.solved, retried.again.documents_read), (1, 0, 1));
    assert_eq!(case.with(FaultCode::Encrypted), locked);
    let root = case.all()[0].clone();
    assert_eq!(root.counted.map(|counted| (counted.read, counted.failed)), Some((2, 1)));
    assert_eq!(case.desk.containers_not_whole().unwrap(), [root.seq]);
}

fn a_password_opens_what_it_opens_and_is_kept() {
    let mut case = Case::new(&[
        ("a", "* locked heron * text inside"),
        ("b", "* locked egret * text deeper"),
        ("note", "* text the password is egret."),
    ]);
    case.ingest(2);
    let unlocked = case.unlock(&["wrong", "wronger"], false);
    assert_eq!((unlocked.asked, unlocked.opened, unlocked.passwords), (1, 0, 2), "both locked documents are the same bytes: {unlocked:?}");
    let many: Vec<String> = (0..100).map(|n| format!("wrong{n}")).chain(["heron".into()]).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    case.unlock(&many, false);
    assert_eq!((case.found("inside"), case.found("deeper")), (1, 0));
    assert_eq!(case.desk.passwords(9).unwrap(), ["heron"]);
    let unlocked = case.unlock(&[], true);
    assert_eq!((unlocked.opened, unlocked.again.unlocked, case.found("deeper")), (1, 1, 1), "{unlocked:?}");
    assert!(case.with(FaultCode::Encrypted).is_empty() && case.desk.containers_not_whole().unwrap().is_empty());
    // Whoever reads them again needs the passwords, and nobody gives them again.
    let before = case.all();
    let seqs: Vec<u64> = before.iter().map(|one| one.seq).collect();
    assert_eq!(case.retry(Wanted::These(&seqs)).again.changed, 0);
    assert_eq!(case.all(), before);
    fs::write(case.work.path().join("trove/again"), "* locked heron * text inside\n").unwrap();
    case.ingest(2);
    // What nobody asked to open is not given the passwords of others: its reader may be in an enemy's hands.
    assert_eq!(case.with(FaultCode::Encrypted).len(), 1);
    case.unlock(&[], false);
    assert!(case.with(FaultCode::Encrypted).is_empty());
}

fn what_waits_for_ever_is_read_once() {
    let mut case = Case::new(&[("a", "* holds * fault waits to be read by itself;* text never")]);
    case.ingest(2);
    assert_eq!(case.with(FaultCode::Deferred).len(), 1);
    assert!(case.desk.deferred().unwrap().is_empty());
    assert_eq!(case.ingest(2).documents, 0);
}
