//! What pages look like, for people to look at on a site. A worker in its cage draws a page and gives its pixels; the file that is published is made here
//! of nothing but these, so that whoever looks at it opens no byte that came out of the document or from the program that read it.

use crate::{Error, Result};
use daylight_model::reading::{Drawn, Event, Request, SHOWN_PIXELS, Stop, Task, page_list};
use daylight_model::{Fault, FaultCode, Name, PagePicture, PictureForm, Stage};
use daylight_sandbox::{Death, Ended, Item, ItemInput, Limits, Reader, Said, Worker};
use daylight_store::{Desk, Document, RenditionRole, RenditionWriter, Staged};
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder as _};
use std::collections::{HashMap, HashSet, VecDeque};
use std::fs::File;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

/// The step that makes pictures and its version, which is raised when they come out otherwise.
const STEP: (&str, u32) = ("page", 1);
/// How finely a page of a PDF is drawn.
const DOTS_PER_INCH: u32 = 150;
/// How many pages of a document may end the worker before the rest is left alone.
const DEATHS: usize = 3;
/// What stands in another document and is larger than this has no file that a worker could be given.
const IN_MEMORY: u64 = 512 << 20;
/// How many passwords that opened these bytes are given to the reader.
const PASSWORDS: usize = 32;
/// A picture of fewer pixels shows nothing: it counts whoever opens a message.
const LEAST: u64 = 256;
/// What is shorter as a PNG is not tried as a JPEG.
const SHORT: usize = 96 << 10;
/// How well a JPEG is kept, of 100.
const QUALITY: u8 = 78;
/// How many bytes of pictures are gathered before they are made durable, and how long they wait for others.
const GATHERED: u64 = 64 << 20;
const PAUSE: Duration = Duration::from_secs(1);
/// What a worker gives as a reason is cut after so many characters.
const LONGEST_REASON: usize = 200;

/// Makes the pictures of these documents' pages, and says of how many documents not all could be made. Those that have them already are passed over, unless
/// they are to be made again.
pub(crate) fn make(desk: &Desk, reader: &Reader, seqs: &[u64], again: bool, writer: &mut RenditionWriter) -> Result<u64> {
    let queue = Mutex::new(seqs.iter().copied().collect::<VecDeque<u64>>());
    let jobs = thread::available_parallelism().map_or(1, usize::from).min(seqs.len().max(1));
    thread::scope(|scope| {
        let (news_in, news_out) = sync_channel(2 * jobs);
        for _ in 0..jobs {
            let (desk, queue, news) = (desk.reopen()?, &queue, news_in.clone());
            let mut drawing = Drawing { worker: Worker::new(reader.clone(), limits(&desk)), most: desk.settings().pages, desk, again };
            scope.spawn(move || {
                let next = || queue.lock().ok().and_then(|mut queue| queue.pop_front());
                while let Some(seq) = next() {
                    if let Err(error) = drawing.document(seq, &news) {
                        let _ = news.send(News::Halt(error));
                        return;
                    }
                }
            });
        }
        drop(news_in);
        store(writer, news_out)
    })
}

/// What the threads tell the one that stores.
enum News {
    Page {
        seq: u64,
        picture: PagePicture,
        file: Vec<u8>,
    },
    /// Nothing more comes of a document: the steps of its pictures, and what is missing.
    Done {
        seq: u64,
        steps: HashSet<String>,
        fault: Option<Fault>,
    },
    Halt(Error),
}

/// Pages are put aside until a document is done, and then stored over what they were before, and those go that it has no more: whatever is made durable
/// has all pictures of a document or none that is new.
fn store(writer: &mut RenditionWriter, news: Receiver<News>) -> Result<u64> {
    let (mut gathered, mut failed, mut aside) = (0, 0, HashMap::<u64, Vec<(PagePicture, Staged)>>::new());
    let mut since = Instant::now();
    loop {
        match news.recv_timeout(PAUSE) {
            Ok(News::Page { seq, picture, file }) => {
                let mut piece = writer.staging().begin()?;
                piece.add(&file)?;
                aside.entry(seq).or_default().push((picture, piece.seal()?));
            }
            Ok(News::Done { seq, steps, fault }) => {
                for (picture, staged) in aside.remove(&seq).unwrap_or_default() {
                    writer.put_staged(seq, RenditionRole::Page, &step(picture.page), STEP.1, &picture.media_type(), &staged)?;
                    gathered += staged.length();
                }
                writer.keep_pages(seq, STEP.1, &steps)?;
                writer.mended(seq, |before| is_of_pictures(before) && Some(before) != fault.as_ref())?;
                if let Some(fault) = fault {
                    writer.fault(seq, &fault)?;
                    failed += 1;
                }
            }
            Ok(News::Halt(error)) => return Err(error),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Ok(failed),
        }
        // Drawing takes its time, and others want to write into the catalogue meanwhile.
        if gathered >= GATHERED || since.elapsed() >= PAUSE {
            writer.commit()?;
            (gathered, since) = (0, Instant::now());
        }
    }
}

/// Whether a fault was noted because some picture of a document could not be made, by whichever version.
pub(crate) fn is_of_pictures(fault: &Fault) -> bool {
    fault.stage == Stage::Render && fault.tool.split(' ').next() == Some(STEP.0)
}

fn step(page: u32) -> String {
    format!("{}:{page:05}", STEP.0)
}

fn limits(desk: &Desk) -> Limits {
    let settings = desk.settings();
    Limits {
        wall_base: Duration::from_secs(settings.seconds),
        wall_per_mib: Duration::from_secs(1),
        output: (4 * SHOWN_PIXELS).saturating_mul(u64::from(settings.pages)),
        memory: settings.memory,
    }
}

/// Whether a document has pages that can be drawn.
fn has_pages(document: &Document) -> bool {
    const DRAWN: [&str; 7] = ["application/pdf", "image/png", "image/jpeg", "image/gif", "image/tiff", "image/webp", "image/bmp"];
    document.blob.is_some() && DRAWN.contains(&document.media_type.as_str())
}

/// One thread's means.
struct Drawing {
    desk: Desk,
    worker: Worker,
    most: u32,
    again: bool,
}

/// A document's bytes.
enum Input {
    Bytes(Vec<u8>),
    File(File),
}

/// What came of a document so far.
#[derive(Default)]
struct Pages {
    of: u32,
    /// The last page that was done.
    last: u32,
    size: Option<(u32, u32)>,
    pixels: Vec<u8>,
    problem: Option<String>,
    steps: HashSet<String>,
    lost: Vec<(u32, String)>,
}

impl Drawing {
    fn document(&mut self, seq: u64, news: &SyncSender<News>) -> Result<()> {
        let document = self.desk.document(seq)?;
        if !has_pages(&document) || !self.again && self.has_all(seq)? {
            return Ok(());
        }
        let mut drawn = Pages::default();
        if self.most > 0 {
            match self.input(&document)? {
                Some(input) => self.draw(&document, &input, &mut drawn, &mut |picture, file| {
                    // If nobody listens, that is told by the one who stores.
                    let _ = news.send(News::Page { seq, picture, file });
                })?,
                None => drawn.lost.push((1, "it is too large and stands in another document".into())),
            }
        }
        // Of what could not be read it is known already that nothing can be seen.
        let unread = drawn.steps.is_empty() && document.faults.iter().any(|fault| fault.code.loses_text());
        let fault = if unread { None } else { drawn.fault() };
        let _ = news.send(News::Done { seq, steps: drawn.steps, fault });
        Ok(())
    }

    /// Whether there is a picture of every page that is to have one.
    fn has_all(&self, seq: u64) -> Result<bool> {
        let made: Vec<_> = self.desk.renditions(seq)?.into_iter().filter(|made| made.role == RenditionRole::Page).collect();
        let of = made.iter().filter(|made| made.version == STEP.1).find_map(|made| PagePicture::parse(&made.media_type)).map(|one| one.of);
        Ok(of.is_some_and(|of| made.len() as u32 == of.min(self.most)))
    }

    fn input(&self, document: &Document) -> Result<Option<Input>> {
        Ok(match self.desk.raw_file(document.seq)? {
            Some(file) => Some(Input::File(file)),
            None if document.length > IN_MEMORY => None,
            None => Some(Input::Bytes(self.desk.raw_bytes(document.seq)?)),
        })
    }

    /// Draws page after page. One that ends its worker is lost, and the next worker begins behind it.
    fn draw(&mut self, document: &Document, input: &Input, drawn: &mut Pages, give: &mut dyn FnMut(PagePicture, Vec<u8>)) -> Result<()> {
        let passwords = document.blob.map_or_else(|| Ok(Vec::new()), |digest| self.desk.passwords_of(&digest, PASSWORDS))?;
        // The worker is told what kind of thing it is, not what it was called in the trove.
        let kind = document.media_type.rsplit('/').next().unwrap_or_default();
        let name = Name::from(format!("x.{kind}").as_str());
        for death in 1..=DEATHS {
            let pages: Vec<u32> = (drawn.last + 1..=self.most).collect();
            if pages.is_empty() {
                return Ok(());
            }
            let task = Task::Draw { pages, dots_per_inch: DOTS_PER_INCH, form: Drawn::Shown };
            let request = Request { passwords: passwords.clone(), ..Request::new(task, name.clone(), u64::MAX) };
            let input = match input {
                Input::Bytes(bytes) => ItemInput::Bytes(bytes),
                Input::File(file) => ItemInput::File(file),
            };
            let mut garbled = None;
            let ended = self.worker.read(&[Item { request, input }], &mut |_, said| {
                said.check(|said| drawn.take(said, self.most, give).map_err(|why| garbled = why).map_err(|()| Stop))
            });
            let why = match (ended, garbled) {
                (Ended::Died { how: Death::NotStarted(why), .. }, _) => return Err(Error::NoReader(why)),
                (_, Some(why)) => Death::Garbled(why.into()),
                (Ended::Died { how, .. }, None) => how,
                (Ended::Done | Ended::Stopped, None) => return Ok(()),
            };
            drawn.last += 1;
            let rest = if death == DEATHS { drawn.of.min(self.most).max(drawn.last) } else { drawn.last };
            drawn.lost.extend((drawn.last..=rest).map(|page| (page, why.to_string())));
            drawn.size = None;
        }
        Ok(())
    }
}

impl Pages {
    /// Takes what a worker says. It may be in an enemy's hands, so what it says must be what was asked for.
    fn take(&mut self, said: Said, most: u32, give: &mut dyn FnMut(PagePicture, Vec<u8>)) -> std::result::Result<(), Option<&'static str>> {
        match said {
            Said::Event(Event::Counted { index: 0, expected: Some(of), .. }) => self.of = u32::try_from(of).unwrap_or(u32::MAX),
            Said::Event(Event::Page { width, height, .. }) if self.size.is_none() => {
                let pixels = u64::from(width) * u64::from(height);
                // Fractions of dots are rounded, so that a page may come out a row or a column over.
                if pixels == 0 || pixels > SHOWN_PIXELS + SHOWN_PIXELS / 50 {
                    return Err(Some("a page of a size that is not agreed"));
                }
                (self.size, self.pixels) = (Some((width, height)), Vec::new());
            }
            Said::Event(Event::Bytes { index: 0, bytes }) => {
                let most = self.size.map_or(0, |(width, height)| 3 * u64::from(width) * u64::from(height));
                if (self.pixels.len() + bytes.len()) as u64 > most {
                    return Err(Some("more of a page than there is"));
                }
                self.pixels.extend(bytes);
            }
            Said::Event(Event::Fault { fault, .. }) => {
                let words = fault.detail.chars().filter(|c| !c.is_control()).take(LONGEST_REASON).collect::<String>();
                self.problem = Some(format!("{}: {words}", fault.code.words()));
            }
            Said::Event(Event::Cursor(page)) => {
                let page = u32::try_from(page).ok().filter(|page| (self.last + 1..=most.min(self.of)).contains(page));
                let page = page.ok_or(Some("a page that was not asked for"))?;
                self.last = page;
                self.page(page, give);
            }
            // What is wrong with the whole of it is said once.
            Said::Done if self.of == 0 => self.lost.push((1, self.problem.take().unwrap_or_else(|| "it has no pages".into()))),
            Said::Done => {}
            Said::Event(_) => return Err(Some("what nobody asked")),
        }
        Ok(())
    }

    fn page(&mut self, page: u32, give: &mut dyn FnMut(PagePicture, Vec<u8>)) {
        let (pixels, problem) = (std::mem::take(&mut self.pixels), self.problem.take());
        let Some((width, height)) = self.size.take() else {
            self.lost.push((page, problem.unwrap_or_else(|| "nothing was drawn".into())));
            return;
        };
        if u64::from(width) * u64::from(height) < LEAST {
            return;
        }
        match packed(width, height, &pixels) {
            Some((form, file)) => {
                self.steps.insert(step(page));
                give(PagePicture { form, page, of: self.of, width, height }, file);
            }
            None => self.lost.push((page, "it was not drawn whole".into())),
        }
    }

    /// What is missing, in one fault.
    fn fault(&self) -> Option<Fault> {
        let (_, why) = self.lost.first()?;
        let pages: Vec<u32> = self.lost.iter().map(|(page, _)| *page).collect();
        let detail = format!("no picture was made of {}: {why}", page_list(&pages));
        Some(Fault {
            stage: Stage::Render,
            code: FaultCode::Malformed,
            tool: format!("{} {}", STEP.0, STEP.1),
            detail,
            limit: None,
            at: None,
        })
    }
}

/// Makes a file of pixels, one byte of grey for each or three of colour: a PNG, or a JPEG where that is shorter. There is nothing in it but these.
fn packed(width: u32, height: u32, pixels: &[u8]) -> Option<(PictureForm, Vec<u8>)> {
    let all = u64::from(width) * u64::from(height);
    let colours = match pixels.len() as u64 {
        grey if grey == all => ExtendedColorType::L8,
        three if three == 3 * all => ExtendedColorType::Rgb8,
        _ => return None,
    };
    let mut png = Vec::new();
    PngEncoder::new_with_quality(&mut png, CompressionType::Default, FilterType::Adaptive)
        .write_image(pixels, width, height, colours)
        .ok()?;
    if png.len() <= SHORT {
        return Some((PictureForm::Png, png));
    }
    let mut jpeg = Vec::new();
    let made = JpegEncoder::new_with_quality(&mut jpeg, QUALITY).write_image(pixels, width, height, colours);
    Some(if made.is_ok() && jpeg.len() < png.len() { (PictureForm::Jpeg, jpeg) } else { (PictureForm::Png, png) })
}

#[cfg(test)]
mod tests;
