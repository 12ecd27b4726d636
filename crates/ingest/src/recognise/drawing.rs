//! One thread's work: having pages drawn, and each read as it comes. While a page is read, the worker that drew it waits for its next to be wanted.

use super::machine::{Machine, Unread};
use super::queue::{Job, Queue};
use super::{DOTS_PER_INCH, News, VERSION};
use crate::Error;
use crate::assemble::clean_fault;
use crate::lease::PASSWORDS;
use daylight_model::reading::{Drawn, Event, MOST_PIXELS, Request, Stop, Task};
use daylight_model::{FaultCode, Name};
use daylight_sandbox::{Death, Ended, Item, ItemInput, Limits, Reader, Said, Worker};
use daylight_store::{Desk, Outcome, RecognisedPage};
use std::collections::HashSet;
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// How many pages one worker draws: its file is read anew for the next ones.
const CHUNK: usize = 256;
/// How many of them may end the worker before the rest is left alone.
const DEATHS: usize = 3;
/// What stands in another document and is larger than this has no file that a worker could be given.
const IN_MEMORY: u64 = 512 << 20;
/// Room for what is said beside pixels, for each page.
const ROOM: u64 = 1 << 20;
/// What a worker gives as a reason is cut after so many characters.
const LONGEST_REASON: usize = 300;
/// A smaller picture holds no letter, and is nothing that Tesseract takes.
const SMALLEST: u32 = 10;
/// The largest picture file that is shown.
const LARGEST_FILE: usize = 512 << 20;

/// A document and its bytes.
pub(super) struct Doc {
    pub(super) seq: u64,
    /// Its words stand on numbered pages.
    pub(super) paged: bool,
    name: Name,
    input: Input,
    /// Those that opened something on this desk: it may be behind one of them.
    passwords: Vec<String>,
}

enum Input {
    Bytes(Vec<u8>),
    File(File),
}

impl Doc {
    /// Takes the bytes of a document from the desk.
    fn open(desk: &Desk, seq: u64) -> Result<Result<Self, String>, Error> {
        let document = desk.document(seq)?;
        let input = match desk.raw_file(seq)? {
            Some(file) => Input::File(file),
            None if document.length > IN_MEMORY => {
                return Ok(Err(format!("it is larger than {IN_MEMORY} bytes and stands in another document")));
            }
            None => Input::Bytes(desk.raw_bytes(seq)?),
        };
        // The worker is told what kind of thing it is, not what it was called in the trove.
        let kind = document.media_type.rsplit('/').next().unwrap_or_default();
        let paged = matches!(document.media_type.as_str(), "application/pdf" | "image/tiff");
        let passwords = document.blob.map_or_else(|| Ok(Vec::new()), |digest| desk.passwords_of(&digest, PASSWORDS))?;
        Ok(Ok(Self { seq, paged, name: Name::from(format!("x.{kind}").as_str()), input, passwords }))
    }

    fn item(&self, task: Task) -> Item<'_> {
        let input = match &self.input {
            Input::Bytes(bytes) => ItemInput::Bytes(bytes),
            Input::File(file) => ItemInput::File(file),
        };
        let request = Request { passwords: self.passwords.clone(), ..Request::new(task, self.name.clone(), u64::MAX) };
        Item { request, input }
    }
}

/// What a thread works with.
pub(super) struct Means<'a> {
    desk: Desk,
    worker: Worker,
    machine: &'a Machine,
    scratch: &'a Path,
}

/// Takes news, and says whether anybody still listens.
type Tell<'a> = dyn Fn(News) -> bool + 'a;

/// A page as its worker drew it.
#[derive(Default)]
struct Page {
    width: u32,
    height: u32,
    dots_per_inch: u32,
    /// A file in the form that needs no decoder (PGM), whose header is ours; the pixels come as they were drawn.
    picture: Vec<u8>,
    whole: usize,
    problem: Option<(FaultCode, String, Option<u64>)>,
}

impl<'a> Means<'a> {
    pub(super) fn new(desk: Desk, reader: &Reader, machine: &'a Machine, scratch: &'a Path) -> Self {
        let worker = Worker::new(reader.clone(), limits(&desk));
        Self { desk, worker, machine, scratch }
    }

    /// Works until there is nothing left to do, or nobody listens.
    pub(super) fn work(&mut self, queue: &Queue, again: bool, tell: &Tell<'_>) -> Result<(), Error> {
        while let Some(job) = queue.take() {
            let done = match job {
                Job::List(seq) => self.list(seq, queue, again, tell),
                Job::Pages(doc, pages) => self.pages(&doc, &pages, tell),
            };
            queue.done();
            if !done? {
                break;
            }
        }
        Ok(())
    }

    fn list(&mut self, seq: u64, queue: &Queue, again: bool, tell: &Tell<'_>) -> Result<bool, Error> {
        let doc = match Doc::open(&self.desk, seq)? {
            Ok(doc) => Arc::new(doc),
            Err(why) => {
                let doc = Doc { seq, paged: false, name: Name::from(""), input: Input::Bytes(Vec::new()), passwords: Vec::new() };
                return Ok(tell(News::Unlisted { doc: Arc::new(doc), why }));
            }
        };
        let wanted = match self.wanted(&doc)? {
            Ok(wanted) => wanted,
            Err(why) => return Ok(tell(News::Unlisted { doc, why })),
        };
        let done: HashSet<u32> =
            if again { HashSet::new() } else { self.desk.recognised_pages(seq, VERSION)?.iter().map(|page| page.page).collect() };
        let left: Vec<(u32, bool)> = wanted.iter().filter(|(page, _)| !done.contains(page)).copied().collect();
        if !tell(News::Listed { doc: Arc::clone(&doc), wanted, left: left.len() }) {
            return Ok(false);
        }
        for pages in left.chunks(CHUNK) {
            queue.add(Job::Pages(Arc::clone(&doc), pages.to_vec()));
        }
        Ok(true)
    }

    /// The pages that have no text, each with whether it has gibberish in its place; or why that cannot be told.
    fn wanted(&mut self, doc: &Doc) -> Result<Result<Vec<(u32, bool)>, String>, Error> {
        let mut wanted: Vec<(u32, bool)> = Vec::new();
        let mut problem = None;
        let ended = self.worker.read(&[doc.item(Task::Unread)], &mut |_, said| {
            said.check(|said| {
                match said {
                    Said::Event(Event::Unread { page, gibberish }) if wanted.last().is_none_or(|(last, _)| *last < page) => {
                        wanted.push((page, gibberish));
                    }
                    Said::Event(Event::Fault { fault, .. }) => problem = Some(clean_fault(fault).to_string()),
                    Said::Done => {}
                    Said::Event(_) => {
                        problem = Some("the reader said what nobody asked".into());
                        return Err(Stop);
                    }
                }
                Ok(())
            })
        });
        match ended {
            Ended::Died { how: Death::NotStarted(why), .. } => Err(Error::Reader(why)),
            Ended::Died { how, .. } => Ok(Err(how.to_string())),
            // What is said of a document of which some pages are known was said when it was read.
            Ended::Done | Ended::Stopped if wanted.is_empty() => Ok(problem.map_or(Ok(wanted), Err)),
            Ended::Done | Ended::Stopped => Ok(Ok(wanted)),
        }
    }

    /// Has pages drawn and reads them, and tells what came of each.
    fn pages(&mut self, doc: &Arc<Doc>, pages: &[(u32, bool)], tell: &Tell<'_>) -> Result<bool, Error> {
        let (mut rest, mut deaths) = (pages, 0);
        let outcome = |(number, replaces): (u32, bool), came: Came| {
            let page = came.page(number, replaces, self.machine.name());
            tell(News::Page { doc: Arc::clone(doc), page })
        };
        while let Some(first) = rest.first() {
            let (machine, scratch) = (self.machine, self.scratch);
            let read = |page: Page| -> Result<Came, Error> { came(machine, scratch, page) };
            let drawn = draw(&mut self.worker, doc, rest, Drawn::Grey, DOTS_PER_INCH, &mut |which, page| Ok(outcome(which, read(page)?)))?;
            match drawn {
                Ok(true) => return Ok(true),
                Ok(false) => return Ok(false),
                Err((done, how)) => {
                    deaths += 1;
                    let one = rest.get(done).unwrap_or(first);
                    let why = format!("drawing it failed: {how}");
                    if !outcome(*one, Came::Failed(how.fault_code(), why, how.limit())) {
                        return Ok(false);
                    }
                    rest = rest.get(done + 1..).unwrap_or_default();
                }
            }
            if deaths >= DEATHS {
                let why = format!("not tried, since drawing {DEATHS} pages before it failed");
                return Ok(rest.iter().all(|one| outcome(*one, Came::Failed(FaultCode::ReaderDied, why.clone(), None))));
            }
        }
        Ok(true)
    }
}

/// What came of looking at a page.
enum Came {
    Words(String, Option<(FaultCode, String, Option<u64>)>),
    Wordless(Option<(FaultCode, String, Option<u64>)>),
    Failed(FaultCode, String, Option<u64>),
}

impl Came {
    fn page(self, page: u32, replaces: bool, tool: String) -> RecognisedPage {
        let (outcome, problem, text) = match self {
            Came::Words(text, problem) => (Outcome::Words, problem, text),
            Came::Wordless(problem) => (Outcome::Wordless, problem, String::new()),
            Came::Failed(code, why, limit) => (Outcome::Failed, Some((code, why, limit)), String::new()),
        };
        RecognisedPage { page, outcome, replaces, tool, problem, text }
    }
}

/// Reads a page that was drawn.
fn came(machine: &Machine, scratch: &Path, page: Page) -> Result<Came, Error> {
    if page.picture.len() != page.whole || page.whole == 0 {
        let (code, why, limit) = page.problem.unwrap_or((FaultCode::Malformed, "it was not drawn whole".into(), None));
        return Ok(Came::Failed(code, why, limit));
    }
    if page.width < SMALLEST || page.height < SMALLEST {
        return Ok(Came::Wordless(page.problem));
    }
    Ok(match machine.read(&page.picture, page.dots_per_inch, scratch) {
        Ok(text) if has_words(&text) => Came::Words(text, page.problem),
        Ok(_) => Came::Wordless(page.problem),
        Err(Unread::Failed(why)) => Came::Failed(FaultCode::NeedsRecognition, why, None),
        Err(Unread::NotRun(why)) => return Err(Error::Recogniser(why)),
    })
}

/// Specks of a picture are taken for single letters: two that stand together are the least that is called a word.
fn has_words(text: &str) -> bool {
    text.split_whitespace().any(|word| word.chars().filter(|c| c.is_alphanumeric()).count() >= 2)
}

/// Has pages drawn, and gives each to `on`, which says whether to go on. The first error is how many pages were done when the worker died, and of what.
#[allow(clippy::type_complexity)]
fn draw(
    worker: &mut Worker,
    doc: &Doc,
    pages: &[(u32, bool)],
    form: Drawn,
    dots_per_inch: u32,
    on: &mut dyn FnMut((u32, bool), Page) -> Result<bool, Error>,
) -> Result<Result<bool, (usize, Death)>, Error> {
    let numbers = pages.iter().map(|(number, _)| *number).collect();
    let task = Task::Draw { pages: numbers, dots_per_inch, form };
    let (mut done, mut page, mut failed, mut heard, mut garbled) = (0, Page::default(), None, true, None);
    let ended = worker.read(&[doc.item(task)], &mut |_, said| {
        said.check(|said| {
            let mut give = |page: &mut Page, done: &mut usize| {
                let which = pages[*done];
                *done += 1;
                match on(which, std::mem::take(page)) {
                    Ok(true) => Ok(()),
                    Ok(false) => {
                        heard = false;
                        Err(Stop)
                    }
                    Err(error) => {
                        failed = Some(error);
                        Err(Stop)
                    }
                }
            };
            match said {
                Said::Event(Event::Page { width, height, dots_per_inch }) if page.whole == 0 => {
                    page.begin(width, height, dots_per_inch, form)
                }
                Said::Event(Event::Bytes { bytes, .. }) if page.picture.len() + bytes.len() <= page.whole => {
                    page.picture.extend(bytes);
                    if form == Drawn::Png {
                        page.whole = LARGEST_FILE;
                    }
                    Ok(())
                }
                Said::Event(Event::Fault { fault, .. }) => {
                    let fault = clean_fault(fault);
                    let detail = fault.detail.chars().take(LONGEST_REASON).collect();
                    page.problem.get_or_insert((fault.code, detail, fault.limit));
                    Ok(())
                }
                Said::Event(Event::Cursor(number)) if pages.get(done).is_some_and(|(next, _)| u64::from(*next) == number) => {
                    if form == Drawn::Png && !page.picture.is_empty() {
                        page.whole = page.picture.len();
                    }
                    give(&mut page, &mut done)
                }
                // What is wrong with the whole of it is wrong with every page that is left.
                Said::Done => {
                    let problem = page.problem.clone();
                    while done < pages.len() {
                        page.problem.clone_from(&problem);
                        give(&mut page, &mut done)?;
                    }
                    Ok(())
                }
                Said::Event(_) => {
                    garbled = Some("a page that is not the one asked for, or more of it than there is");
                    Err(Stop)
                }
            }
        })
    });
    if let Some(error) = failed {
        return Err(error);
    }
    Ok(match (ended, garbled) {
        (Ended::Died { how: Death::NotStarted(why), .. }, _) => return Err(Error::Reader(why)),
        (_, Some(why)) => Err((done, Death::Garbled(why.into()))),
        (Ended::Died { how, .. }, None) => Err((done, how)),
        (Ended::Done | Ended::Stopped, None) => Ok(heard),
    })
}

impl Page {
    fn begin(&mut self, width: u32, height: u32, dots_per_inch: u32, form: Drawn) -> Result<(), Stop> {
        let pixels = u64::from(width) * u64::from(height);
        // Fractions of dots are rounded, so that a page may come out a row or a column over.
        if pixels == 0 || pixels > MOST_PIXELS + MOST_PIXELS / 100 {
            self.problem = Some((FaultCode::ReaderDied, "the reader drew a page of a size that is not agreed".into(), None));
            return Ok(());
        }
        (self.width, self.height, self.dots_per_inch) = (width, height, dots_per_inch);
        if form == Drawn::Png {
            self.whole = LARGEST_FILE;
            return Ok(());
        }
        self.picture = format!("P5\n{width} {height}\n255\n").into_bytes();
        let pixels = usize::try_from(pixels).map_err(|_| Stop)?;
        self.whole = self.picture.len() + pixels;
        self.picture.reserve_exact(pixels);
        Ok(())
    }
}

fn limits(desk: &Desk) -> Limits {
    let settings = desk.settings();
    Limits {
        wall_base: Duration::from_secs(settings.seconds),
        wall_per_mib: Duration::from_secs(1),
        output: (MOST_PIXELS + MOST_PIXELS / 100 + ROOM) * CHUNK as u64,
        memory: settings.memory,
    }
}

/// Writes the picture of one page of a document, a PNG file, as a worker draws it with so many dots an inch.
pub fn page_picture(desk: &Desk, seq: u64, (number, dots): (u32, u32), reader: &Reader, out: &mut dyn Write) -> Result<(), Error> {
    let doc = Doc::open(desk, seq)?.map_err(Error::Page)?;
    let mut worker = Worker::new(reader.clone(), limits(desk));
    let mut drawn = Page::default();
    let ended = draw(&mut worker, &doc, &[(number, false)], Drawn::Png, dots, &mut |_, page| {
        drawn = page;
        Ok(true)
    })?;
    if let Err((_, how)) = ended {
        return Err(Error::Page(how.to_string()));
    }
    if drawn.picture.is_empty() {
        return Err(Error::Page(
            drawn.problem.map_or_else(|| "nothing was drawn".into(), |(code, why, _)| format!("{}: {why}", code.words())),
        ));
    }
    out.write_all(&drawn.picture).map_err(|error| Error::Page(error.to_string()))
}
