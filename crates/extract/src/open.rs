//! Which reader a document is for. The readers of what holds documents hand each of those back to here, by [`Inside`]: that is how formats nest.

use crate::detect::{self, Claims, Format};
use crate::document::{Doc, Inside, Memory, Resume, keep, load};
use crate::output::{Output, Problem};
use crate::packed::{compressed, seven, tar};
use crate::{mail, mbox, office, pdf, picture, pst, text, zip};
use daylight_model::reading::{Input, Stop};
use daylight_model::{FaultCode, Kind, Name, Stage};

/// Documents that hold documents are not opened below this depth.
const DEEPEST: u32 = 20;

const TOOL: &str = "document 1";

/// All readers there are.
pub(crate) struct Readers;

impl Inside for Readers {
    fn read(&self, out: &mut Output<'_>, doc: Doc, input: &(dyn Input + '_)) -> Result<(), Stop> {
        dispatch(out, doc, input, Resume::default())
    }

    fn message(&self, out: &mut Output<'_>, mut doc: Doc, bytes: &[u8]) -> Result<(), Stop> {
        if doc.depth >= DEEPEST || mail::Fields::new(bytes, 0).next().is_none() {
            return self.read(out, doc, &Memory(bytes));
        }
        let index = out.next_index();
        let problem = doc.problem.take();
        mail::read(out, doc, bytes, self)?;
        problem.map_or(Ok(()), |problem| out.fault(index, problem))
    }

    fn media(&self, doc: &Doc, head: &[u8]) -> String {
        let claims = Claims { name: doc.name.as_ref(), claimed: &doc.claimed_type };
        detect::format(&claims, &Memory(head)).map_or_else(|_| "application/octet-stream".into(), |format| format.media().to_owned())
    }
}

/// Reads the root, from where an earlier reading of it came to.
pub(crate) fn read_root(out: &mut Output<'_>, name: &Name, input: &(dyn Input + '_), resume: Resume) -> Result<(), Stop> {
    dispatch(out, Doc::root(name), input, resume)
}

fn dispatch(out: &mut Output<'_>, mut doc: Doc, input: &(dyn Input + '_), resume: Resume) -> Result<(), Stop> {
    let index = out.next_index();
    let problem = doc.problem.take();
    let claims = Claims { name: doc.name.as_ref(), claimed: &doc.claimed_type };
    let format = match detect::format(&claims, input) {
        Ok(format) => format,
        Err(error) => {
            let why = Problem::new(Stage::Read, FaultCode::Unreadable, TOOL, error.kind().to_string());
            return keep(out, doc, Kind::File, "application/octet-stream", input, why);
        }
    };
    if format.nests() && doc.depth >= DEEPEST {
        let why = Problem::new(Stage::Read, FaultCode::TooDeep, TOOL, "it is kept but not opened").limit(u64::from(DEEPEST));
        keep(out, doc, format.kind(), format.media(), input, why)?;
    } else if resume.skip_first && format.kind() != Kind::Container {
        let found = doc.found(format.kind(), format.media().into(), String::new(), None);
        out.found(found)?;
    } else {
        let before = out.said();
        open(out, doc, &format, input, resume)?;
        // Whatever is read for its words and has none says so, and is not simply missing from every search.
        if format.is_read_for_words() && out.said() == before && out.next_index() == index + 1 {
            out.fault(index, Problem::new(Stage::Read, FaultCode::Empty, TOOL, "no words were found in it"))?;
        }
    }
    problem.map_or(Ok(()), |problem| out.fault(index, problem))
}

fn open(out: &mut Output<'_>, doc: Doc, format: &Format, input: &(dyn Input + '_), resume: Resume) -> Result<(), Stop> {
    match format {
        Format::Message => match load(input) {
            Ok(message) => mail::read(out, doc, &message, &Readers),
            Err(problem) => keep(out, doc, Kind::Message, format.media(), input, problem),
        },
        Format::Mailbox => mbox::read(out, doc, input, resume, &Readers),
        Format::Zip => zip::read(out, doc, input, resume, &Readers),
        Format::Tar => tar::read(out, doc, input, resume, &Readers),
        Format::Seven => seven::read(out, doc, input, resume, &Readers),
        Format::MailStore => pst::read(out, doc, input, resume, &Readers),
        Format::Compressed(method) => compressed::read(out, doc, *method, input, resume, &Readers),
        Format::Picture(media) => picture::read(out, doc, media, input),
        Format::Office(form, media) => office::read(out, doc, media, *form, input, &Readers),
        Format::Pdf => match load(input) {
            Ok(bytes) => pdf::read(out, doc, &bytes, &Readers),
            Err(problem) => keep(out, doc, Kind::File, format.media(), input, problem),
        },
        Format::Text(media) => text::read(out, doc, media, input),
        Format::Opaque { media, code, why } => {
            let problem = Problem::new(Stage::Read, *code, TOOL, *why);
            keep(out, doc, Kind::File, media, input, problem)
        }
    }
}
