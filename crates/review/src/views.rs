//! Sanitised views, made by worker processes: nothing here looks into a document.

use crate::pictures::is_of_pictures;
use crate::{Error, Result};
use daylight_model::reading::{Event, Request, Stop, Task};
use daylight_model::{Fault, FaultCode, Kind, Name, Stage};
use daylight_sandbox::{Death, Ended, Item, ItemInput, LEASE, Limits, Reader, Said, Worker};
use daylight_store::{Desk, Document, Rendition, RenditionRole, RenditionWriter};
use std::fs::File;
use std::time::Duration;

/// The media type of a view.
const HTML: &str = "text/html; charset=utf-8";
/// The step that makes views and its version, which is raised when what is let through changes.
const STEP: (&str, u32) = ("view", 1);
/// The largest view, in bytes.
const LARGEST: u64 = 64 << 20;
/// The most bytes that wait in memory for a worker; a document larger than that and without a file of its own gets no view.
const WAITING: u64 = 64 << 20;

/// Makes views of those documents that have HTML, a lease at a time.
pub(crate) struct Views<'a> {
    desk: &'a Desk,
    worker: Worker,
    waiting: Vec<Waiting>,
    bytes: u64,
    failed: u64,
}

struct Waiting {
    seq: u64,
    name: Name,
    input: Input,
}

enum Input {
    Bytes(Vec<u8>),
    File(File),
}

/// What came of one document.
#[derive(Default)]
struct Made {
    html: String,
    faults: Vec<Fault>,
    done: bool,
}

impl<'a> Views<'a> {
    pub(crate) fn new(desk: &'a Desk, reader: &Reader) -> Self {
        let settings = desk.settings();
        let limits = Limits {
            wall_base: Duration::from_secs(settings.seconds),
            wall_per_mib: Duration::from_secs(1),
            output: LARGEST,
            memory: settings.memory,
        };
        Self { desk, worker: Worker::new(reader.clone(), limits), waiting: Vec::new(), bytes: 0, failed: 0 }
    }

    /// Whether a document is to have a view and has none of today's step.
    pub(crate) fn is_missing(&self, seq: u64) -> Result<bool> {
        let today = |made: &Rendition| made.role == RenditionRole::View && made.version == STEP.1;
        Ok(has_html(&self.desk.document(seq)?) && !self.desk.renditions(seq)?.iter().any(today))
    }

    /// Makes the view of a document, now or with the ones to come, if it has HTML. Says how many bytes of views were stored.
    pub(crate) fn add(&mut self, writer: &mut RenditionWriter, seq: u64) -> Result<u64> {
        let document = self.desk.document(seq)?;
        if !has_html(&document) {
            return Ok(0);
        }
        let input = match self.desk.raw_file(seq)? {
            Some(file) => Input::File(file),
            None if document.length > WAITING => {
                self.fail(writer, seq, &fault(FaultCode::TooLarge, "no view is made of something this large", Some(WAITING)))?;
                return Ok(0);
            }
            None => Input::Bytes(self.desk.raw_bytes(seq)?),
        };
        self.bytes += if let Input::Bytes(bytes) = &input { bytes.len() as u64 } else { 0 };
        // The worker is told what kind of thing it is, not what it was called in the trove.
        let name = if document.kind == Kind::Message { "message.eml" } else { "page.html" };
        self.waiting.push(Waiting { seq, name: name.into(), input });
        if self.waiting.len() >= LEASE || self.bytes >= WAITING { self.flush(writer) } else { Ok(0) }
    }

    /// Makes what is still to be made, and says of how many documents no view could be made.
    pub(crate) fn finish(mut self, writer: &mut RenditionWriter) -> Result<u64> {
        self.flush(writer)?;
        Ok(self.failed)
    }

    fn flush(&mut self, writer: &mut RenditionWriter) -> Result<u64> {
        let waiting = std::mem::take(&mut self.waiting);
        self.bytes = 0;
        let mut stored = 0;
        let mut rest = waiting.as_slice();
        // A worker that dies takes its document's view with it; the ones after it get a new worker.
        while !rest.is_empty() {
            let (mut made, ended) = self.read(rest);
            let finished = match ended {
                Ended::Done => rest.len(),
                Ended::Stopped => return Err(Error::NoReader("the worker was stopped".into())),
                Ended::Died { how: Death::NotStarted(why), .. } => return Err(Error::NoReader(why)),
                Ended::Died { item, how } => {
                    made[item] = Made { faults: vec![fault(how.fault_code(), &how.to_string(), how.limit())], ..Made::default() };
                    item + 1
                }
            };
            let (these, others) = rest.split_at(finished);
            for (waiting, made) in these.iter().zip(made) {
                stored += self.store(writer, waiting.seq, made)?;
            }
            rest = others;
        }
        Ok(stored)
    }

    fn read(&mut self, waiting: &[Waiting]) -> (Vec<Made>, Ended) {
        let items: Vec<Item<'_>> = waiting.iter().map(Waiting::item).collect();
        let mut made: Vec<Made> = waiting.iter().map(|_| Made::default()).collect();
        let ended = self.worker.read(&items, &mut |item, said| {
            said.check(|said| {
                let made = made.get_mut(item).ok_or(Stop)?;
                match said {
                    Said::Event(Event::View(html)) => made.html.push_str(&html),
                    Said::Event(Event::Fault { fault, .. }) => made.faults.push(Fault { stage: Stage::Render, ..fault }),
                    Said::Event(_) => {}
                    Said::Done => made.done = true,
                }
                Ok(())
            })
        });
        (made, ended)
    }

    fn store(&mut self, writer: &mut RenditionWriter, seq: u64, made: Made) -> Result<u64> {
        if made.done && !made.html.is_empty() {
            writer.put(seq, RenditionRole::View, STEP.0, STEP.1, HTML, made.html.as_bytes())?;
            writer.mended(seq, |before| !is_of_pictures(before))?;
            return Ok(made.html.len() as u64);
        }
        // An HTML body of which nothing is left to show is no fault; then the text says all there is.
        for fault in &made.faults {
            writer.fault(seq, fault)?;
        }
        self.failed += u64::from(!made.faults.is_empty());
        Ok(0)
    }

    fn fail(&mut self, writer: &mut RenditionWriter, seq: u64, fault: &Fault) -> Result<()> {
        self.failed += 1;
        Ok(writer.fault(seq, fault)?)
    }
}

impl Waiting {
    fn item(&self) -> Item<'_> {
        let input = match &self.input {
            Input::Bytes(bytes) => ItemInput::Bytes(bytes),
            Input::File(file) => ItemInput::File(file),
        };
        Item { request: Request::new(Task::View, self.name.clone(), LARGEST), input }
    }
}

fn has_html(document: &Document) -> bool {
    document.message.as_ref().is_some_and(|message| message.has_html) || document.media_type == "text/html"
}

fn fault(code: FaultCode, detail: &str, limit: Option<u64>) -> Fault {
    Fault { stage: Stage::Render, code, tool: format!("{} {}", STEP.0, STEP.1), detail: detail.to_owned(), limit, at: None }
}
