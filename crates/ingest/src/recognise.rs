//! Recognition: pages whose text stands in pictures are drawn by a reader in its cage, and the pixels are given to Tesseract in the cage of system tools.
//!
//! ```text
//! a thread for each core: a document's pages ──► a worker draws one ──► one process of Tesseract ──► words
//!                                                                                                     └──► the one that stores
//! ```
//! Tesseract never gets a byte of the document: what it is given is grey pixels behind a header that is written here. The pages that were done are kept as
//! they come, so that a recognition which was killed goes on where it was; a document's faults change once all its pages were tried.

mod drawing;
mod machine;
mod queue;
mod said;

use crate::Error;
use crate::indexing::complete_index;
use crate::progress::Progress;
use daylight_model::{Fault, FaultCode, Stage};
use daylight_sandbox::Reader;
use daylight_store::{CollectionId, Desk, IngestLease, Outcome, RecognisedPage, Writer};
use drawing::Doc;
pub use drawing::page_picture;
pub use machine::Machine;
use queue::Queue;
use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

/// The step's version: raising it has every page recognised anew.
pub(crate) const VERSION: u32 = 1;
/// How the tool of a fault begins that this version of the step left.
pub(crate) const STEP: &str = "recognise 1,";
/// How finely pages are drawn. Tesseract is trained on letters of about this size.
const DOTS_PER_INCH: u32 = 300;
/// What is committed together: so many pages, or what came in so much time.
const PAGES: usize = 32;
const TIME: Duration = Duration::from_secs(2);

/// Which documents to recognise.
#[derive(Debug, Clone, Copy)]
pub enum Which<'a> {
    /// Those of a collection that were not tried yet.
    Collection(CollectionId),
    /// All that were not tried yet.
    Desk,
    /// These, again if they were tried before.
    These(&'a [u64]),
}

/// What a recognition did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recognition {
    /// Documents of which every page was tried.
    pub documents: u64,
    /// Pages on which words were seen.
    pub pages: u64,
    /// Pages on which no word was seen.
    pub wordless: u64,
    /// Pages that could not be done.
    pub failed: u64,
    /// Documents that still wait: nothing could be done for the reason in `missing`, or nothing was to be done yet.
    pub waiting: u64,
    /// Why there is nobody to recognise text, and what to do.
    pub missing: Option<String>,
    /// Who recognised, with version and languages.
    pub tool: Option<String>,
}

/// Recognises text on pages that have none, in place of the fault that says so. What was done before it was interrupted is not done again.
pub fn recognise(
    desk: &Desk,
    lease: &IngestLease,
    which: Which<'_>,
    (jobs, reader): (NonZeroUsize, &Reader),
    progress: &Arc<Progress>,
) -> Result<Recognition, Error> {
    let wanting = wanting(desk, which)?;
    if wanting.is_empty() {
        return Ok(Recognition::default());
    }
    let mut writer = desk.writer(lease)?;
    let scratch = writer.scratch()?;
    let machine = match Machine::find(&desk.settings().languages, &scratch) {
        Ok(machine) => machine,
        Err(why) => return Ok(Recognition { waiting: wanting.len() as u64, missing: Some(why), ..Recognition::default() }),
    };
    let again = matches!(which, Which::These(_));
    let recognition = flow(desk, &mut writer, (wanting, again), (jobs, reader, &machine, &scratch), progress)?;
    drop(writer);
    complete_index(desk)?;
    Ok(recognition)
}

/// How many of these documents wait for a recognition that was never tried.
pub fn count_waiting(desk: &Desk, which: Which<'_>) -> Result<u64, Error> {
    Ok(match which {
        Which::Desk => desk.count_wanting_recognition(STEP)?,
        which => wanting(desk, which)?.len() as u64,
    })
}

fn wanting(desk: &Desk, which: Which<'_>) -> Result<Vec<u64>, Error> {
    let untried = |of| desk.wanting_recognition(of, STEP, 0, usize::MAX);
    Ok(match which {
        Which::Collection(collection) => untried(Some(collection))?,
        Which::Desk => untried(None)?,
        Which::These(seqs) => {
            let mut wanting = Vec::new();
            for seq in seqs {
                if desk.document(*seq)?.faults.iter().any(said::is_about_recognition) {
                    wanting.push(*seq);
                }
            }
            wanting
        }
    })
}

/// What the threads tell the one that stores.
enum News {
    /// The pages of a document that have no text, each with whether it has gibberish in its place, and how many of them are still to be done.
    Listed { doc: Arc<Doc>, wanted: Vec<(u32, bool)>, left: usize },
    /// The pages of a document cannot be told.
    Unlisted { doc: Arc<Doc>, why: String },
    /// What came of a page.
    Page { doc: Arc<Doc>, page: RecognisedPage },
    /// Nothing more can be done.
    Halt(Error),
}

fn flow(
    desk: &Desk,
    writer: &mut Writer<'_>,
    (wanting, again): (Vec<u64>, bool),
    (jobs, reader, machine, scratch): (NonZeroUsize, &Reader, &Machine, &Path),
    progress: &Progress,
) -> Result<Recognition, Error> {
    let queue = Queue::new(wanting);
    thread::scope(|scope| {
        let (news_in, news_out) = mpsc::sync_channel::<News>(PAGES);
        for _ in 0..jobs.get() {
            let desk = desk.reopen()?;
            let (queue, news) = (&queue, news_in.clone());
            scope.spawn(move || {
                let mut means = drawing::Means::new(desk, reader, machine, scratch);
                if let Err(error) = means.work(queue, again, &|one| news.send(one).is_ok()) {
                    queue.stop();
                    let _ = news.send(News::Halt(error));
                }
            });
        }
        drop(news_in);
        let mut storing = Storing::new(desk, writer, machine, progress);
        let stored = storing.all(&news_out);
        // Whoever waits to be heard hears that nobody listens.
        queue.stop();
        drop(news_out);
        stored.map(|()| storing.recognition)
    })
}

/// A document whose pages are being done.
struct Open {
    wanted: Vec<(u32, bool)>,
    left: usize,
    paged: bool,
}

/// The one that stores: pages as they come, and a document's faults once all its pages are there.
struct Storing<'a, 'lease> {
    desk: &'a Desk,
    writer: &'a mut Writer<'lease>,
    machine: &'a Machine,
    progress: &'a Progress,
    open: HashMap<u64, Open>,
    pages: Vec<(Arc<Doc>, RecognisedPage)>,
    complete: Vec<u64>,
    unlisted: Vec<(u64, String)>,
    since: Instant,
    recognition: Recognition,
}

impl<'a, 'lease> Storing<'a, 'lease> {
    fn new(desk: &'a Desk, writer: &'a mut Writer<'lease>, machine: &'a Machine, progress: &'a Progress) -> Self {
        let recognition = Recognition { tool: Some(machine.name()), ..Recognition::default() };
        let (open, pages, complete, unlisted) = (HashMap::new(), Vec::new(), Vec::new(), Vec::new());
        Self { desk, writer, machine, progress, open, pages, complete, unlisted, since: Instant::now(), recognition }
    }

    fn all(&mut self, news: &Receiver<News>) -> Result<(), Error> {
        loop {
            match news.recv_timeout(TIME) {
                Ok(News::Halt(error)) => {
                    self.commit()?;
                    return Err(error);
                }
                Ok(one) => self.take(one),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return self.commit(),
            }
            if self.pages.len() >= PAGES || self.since.elapsed() >= TIME {
                self.commit()?;
            }
        }
    }

    fn take(&mut self, news: News) {
        match news {
            News::Listed { doc, wanted, left } => {
                self.open.insert(doc.seq, Open { wanted, left, paged: doc.paged });
                self.done(doc.seq, 0);
            }
            News::Unlisted { doc, why } => self.unlisted.push((doc.seq, why)),
            News::Page { doc, page } => {
                match page.outcome {
                    Outcome::Words => self.recognition.pages += 1,
                    Outcome::Wordless => self.recognition.wordless += 1,
                    Outcome::Failed => self.recognition.failed += 1,
                }
                self.progress.recognised();
                let seq = doc.seq;
                self.pages.push((doc, page));
                self.done(seq, 1);
            }
            News::Halt(_) => {}
        }
    }

    fn done(&mut self, seq: u64, pages: usize) {
        if let Some(open) = self.open.get_mut(&seq) {
            open.left -= pages.min(open.left);
            if open.left == 0 {
                self.complete.push(seq);
            }
        }
    }

    /// Killed before this, the pages since the last time are done again; a document's faults and its last pages are one transaction.
    fn commit(&mut self) -> Result<(), Error> {
        self.since = Instant::now();
        for (doc, page) in std::mem::take(&mut self.pages) {
            self.writer.recognised(doc.seq, VERSION, &page, doc.paged)?;
        }
        for seq in std::mem::take(&mut self.complete) {
            let Some(open) = self.open.remove(&seq) else { continue };
            let mut pages = self.writer.recognised_pages(seq, VERSION)?;
            pages.retain(|page| open.wanted.binary_search_by_key(&page.page, |(number, _)| *number).is_ok());
            self.set_faults(seq, said::outcome(&pages, open.paged, &self.machine.name()))?;
        }
        for (seq, why) in std::mem::take(&mut self.unlisted) {
            let tool = self.machine.name();
            let detail = format!("its pages could not be looked at: {why}");
            self.recognition.failed += 1;
            let fault = Fault { stage: Stage::Read, code: FaultCode::NeedsRecognition, tool, detail, limit: None, at: None };
            self.set_faults(seq, vec![fault])?;
        }
        self.writer.commit()?;
        Ok(())
    }

    fn set_faults(&mut self, seq: u64, new: Vec<Fault>) -> Result<(), Error> {
        let mut faults = self.desk.document(seq)?.faults;
        faults.retain(|fault| fault.stage != Stage::Render && !said::is_about_recognition(fault));
        faults.extend(new);
        self.writer.set_faults(seq, &faults)?;
        self.recognition.documents += 1;
        Ok(())
    }
}
