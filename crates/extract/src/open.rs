//! Which reader a document is for. The readers of what holds documents hand each of those back to here, by [`Inside`]: that is how formats nest.

use crate::detect::{self, Claims, Format};
use crate::document::{self, Doc, Inside, Memory, Resume, TOOL, keep, load};
use crate::output::{Output, Problem};
use crate::packed::{Stretch, compressed, seven, tar};
use crate::{dbf, emlx, mail, mbox, office, pdf, picture, pst, rar, text, zip};
use daylight_model::reading::{Input, Request, Stop};
use daylight_model::{FaultCode, Kind, Stage};

/// Documents that hold documents are not opened below this depth.
const DEEPEST: u32 = 20;

/// All readers there are.
pub(crate) struct Readers;

impl Inside for Readers {
    fn read(&self, out: &mut Output<'_>, doc: Doc, input: &(dyn Input + '_)) -> Result<(), Stop> {
        dispatch(out, doc, input, Resume::default())
    }

    fn message(&self, out: &mut Output<'_>, mut doc: Doc, bytes: &[u8]) -> Result<(), Stop> {
        doc.is_message = true;
        if doc.depth >= DEEPEST || mail::Fields::new(bytes, 0).next().is_none() {
            return self.read(out, doc, &Memory(bytes));
        }
        let index = out.next_index();
        let problem = doc.problem.take();
        doc.tool = mail::TOOL;
        mail::read(out, doc, bytes, self)?;
        problem.map_or(Ok(()), |problem| out.fault(index, problem))
    }

    fn kind_and_media(&self, doc: &Doc, head: &[u8]) -> (Kind, String) {
        let claims = Claims { name: doc.name.as_ref(), claimed: &doc.claimed_type };
        let unknown = |_| (Kind::File, "application/octet-stream".into());
        detect::format(&claims, &Memory(head)).map_or_else(unknown, |format| (format.kind(), format.media().to_owned()))
    }
}

/// Reads the root, from where an earlier reading of it came to.
pub(crate) fn read_root(out: &mut Output<'_>, request: &Request, input: &(dyn Input + '_), resume: Resume) -> Result<(), Stop> {
    let doc = Doc::root(&request.name, &request.standing);
    if let Some(tar) = request.unpacked.map(|tar| tar.min(input.length())) {
        if doc.depth < DEEPEST {
            return rar::read_unpacked(out, doc, (input, tar), resume, &Readers);
        }
        return dispatch(out, doc, &Stretch { input, start: tar, length: input.length() - tar }, resume);
    }
    if doc.is_message
        && !resume.skip_first
        && let Ok(message) = load(input)
    {
        return Readers.message(out, doc, &message);
    }
    dispatch(out, doc, input, resume)
}

/// The readers and their versions. Raising a version, `pdf 1` to `pdf 2`, has those documents read again that an older one read, and no others.
pub const READERS: &[&str] = &[
    document::TOOL,
    mail::TOOL,
    mbox::TOOL,
    emlx::TOOL,
    dbf::TOOL,
    zip::TOOL,
    tar::TOOL,
    seven::TOOL,
    rar::TOOL,
    pst::TOOL,
    compressed::TOOL,
    picture::TOOL,
    office::TOOL,
    pdf::TOOL,
    text::TOOL,
];

fn reader_of(format: &Format) -> &'static str {
    match format {
        Format::Message => mail::TOOL,
        Format::Mailbox => mbox::TOOL,
        Format::AppleMessage => emlx::TOOL,
        Format::Table => dbf::TOOL,
        Format::Zip(_) => zip::TOOL,
        Format::Tar => tar::TOOL,
        Format::Seven => seven::TOOL,
        Format::Rar => rar::TOOL,
        Format::MailStore => pst::TOOL,
        Format::Compressed(_) => compressed::TOOL,
        Format::Picture(_) => picture::TOOL,
        Format::Office(..) => office::TOOL,
        Format::Pdf => pdf::TOOL,
        Format::Text(_) => text::TOOL,
        Format::Opaque { .. } => document::TOOL,
    }
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
    doc.tool = reader_of(&format);
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
        Format::AppleMessage => emlx::read(out, doc, input, &Readers),
        Format::Table => dbf::read(out, doc, input),
        Format::Zip(media) => zip::read(out, doc, media, input, resume, &Readers),
        Format::Tar => tar::read(out, doc, input, resume, &Readers),
        Format::Seven => seven::read(out, doc, input, resume, &Readers),
        Format::Rar => rar::read(out, doc, input),
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
