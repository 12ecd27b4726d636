//! What a page's form brings, sealed as it arrives: of a file no more is in memory than a chunk, and nothing unsealed is ever on the disk.

use crate::hatch::{Hatch, Refusal};
use crate::multipart::{Event, Field, FormError, Multipart};
use crate::outgoing::Outgoing;
use crate::pages::Stop;
use crate::random;
use crate::session::same;
use crate::store::Lookup;
use daylight_envelope::{
    Head, Kind, LONGEST_NAME, LONGEST_TEXT, LONGEST_TYPE, Newsroom, Recipient, SealedBy, SourceKeys, SubmissionSealer, seal_submission,
};
use daylight_model::Digest;
use std::io::{self, Write as _};
use std::sync::Arc;
use zeroize::Zeroizing;

/// The longest form: a file, and what may stand beside it.
pub(crate) const LONGEST_FORM: u64 = FILE + (1 << 20);
/// How many bytes of a file are sealed into one envelope: 64 MiB.
pub(crate) const PART: u64 = 64 << 20;
/// The longest file.
pub(crate) const FILE: u64 = 2 << 30;
/// The longest envelope: that of a whole part of a file.
pub(crate) fn longest() -> u64 {
    daylight_envelope::envelope_length(PART, &Kind::File { file: [0; 16], part: 0, last: false })
}

/// The shortest envelope: that of a short text.
pub(crate) fn shortest() -> u64 {
    daylight_envelope::envelope_length(0, &Kind::Text)
}

/// The longest of the small fields.
const SMALL: usize = 400;
/// How many files one form may bring.
pub(crate) const FILES: u32 = 32;

/// Whose form it is, and to whom is sealed.
pub(crate) struct Sender {
    pub(crate) keys: SourceKeys,
    pub(crate) newsroom: Newsroom,
    pub(crate) epoch: u32,
    pub(crate) recipients: Vec<Recipient>,
    /// Whether nothing came before in this conversation.
    pub(crate) first: bool,
    /// Whether an editor accepted the source.
    pub(crate) accepted: bool,
    /// Whether a text may still be sent.
    pub(crate) may_tell: bool,
}

/// What came of a form.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Sent {
    pub(crate) texts: u32,
    pub(crate) files: u32,
    /// Of the file that is not whole, how many parts are kept.
    pub(crate) parts: u32,
}

/// A form that is being received.
pub(crate) struct Upload {
    form: Option<Multipart>,
    inner: Inner,
}

struct Inner {
    hatch: Arc<Hatch>,
    sender: Sender,
    token: String,
    shown: bool,
    /// Whether a file of this request can only be a single part.
    short: bool,
    options: Options,
    field: Current,
    sent: Sent,
}

#[derive(Default)]
struct Options {
    part: u32,
    piece: bool,
    last: bool,
    whole: Zeroizing<String>,
}

enum Current {
    None,
    Small(String, Zeroizing<Vec<u8>>),
    Text(Zeroizing<Vec<u8>>),
    File(Box<File>),
}

struct File {
    id: [u8; 16],
    name: Zeroizing<Vec<u8>>,
    media_type: String,
    /// The part that is being read, from 0, and how much of it was.
    part: u32,
    filled: u64,
    length: u64,
    /// How many of its parts this request has brought.
    kept: u32,
    sealer: Option<SubmissionSealer<Outgoing>>,
}

/// Why an upload ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ended(pub(crate) Stop);

impl From<FormError> for Ended {
    fn from(_: FormError) -> Self {
        Self(Stop::Broke)
    }
}

impl From<Refusal> for Ended {
    fn from(refusal: Refusal) -> Self {
        Self(match refusal {
            Refusal::Full => Stop::Full,
            Refusal::Unaccepted => Stop::Unaccepted,
            Refusal::Others | Refusal::Failed => Stop::Failed,
        })
    }
}

impl From<io::Error> for Ended {
    fn from(error: io::Error) -> Self {
        let full = matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded);
        Self(if full { Stop::Full } else { Stop::Failed })
    }
}

impl Upload {
    /// Begins to receive a form of `length` bytes, which must show this token before anything else.
    pub(crate) fn new(hatch: Arc<Hatch>, sender: Sender, boundary: &str, token: String, length: u64) -> Self {
        let (options, field, sent) = (Options::default(), Current::None, Sent::default());
        let inner = Inner { hatch, sender, token, shown: false, short: length <= PART, options, field, sent };
        Self { form: Some(Multipart::new(boundary)), inner }
    }

    /// Takes the next bytes.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> Result<(), Ended> {
        let inner = &mut self.inner;
        self.form.as_mut().map_or(Ok(()), |form| form.push(bytes, |event| inner.take(event)))
    }

    /// Ends it, and says what was kept.
    pub(crate) fn finish(&mut self) -> Result<Sent, Ended> {
        match self.form.take() {
            Some(form) => form.finish()?,
            None => return Err(Ended(Stop::Broke)),
        }
        if self.inner.shown { Ok(self.inner.sent) } else { Err(Ended(Stop::Stale)) }
    }

    /// What is kept so far.
    pub(crate) fn sent(&self) -> Sent {
        self.inner.sent
    }
}

impl Inner {
    fn take(&mut self, event: Event<'_>) -> Result<(), Ended> {
        match event {
            Event::Field(field) => self.begin(field),
            Event::Data(bytes) => self.data(bytes),
            Event::End => self.end(),
        }
    }

    fn begin(&mut self, field: Field) -> Result<(), Ended> {
        if field.name != "token" && !self.shown {
            return Err(Ended(Stop::Stale));
        }
        self.field = match (&*field.name, field.file_name) {
            ("text", None) => Current::Text(Zeroizing::new(Vec::with_capacity(LONGEST_TEXT as usize))),
            ("file", Some(name)) => Current::File(Box::new(self.begin_file(name, field.media_type)?)),
            (_, None) => Current::Small(field.name, Zeroizing::new(Vec::with_capacity(SMALL))),
            (_, Some(_)) => return Err(Ended(Stop::Broke)),
        };
        Ok(())
    }

    fn begin_file(&self, mut name: Vec<u8>, media_type: Option<String>) -> Result<File, Ended> {
        if self.sent.files >= FILES {
            return Err(Ended(Stop::Large));
        }
        if self.options.piece && !self.options.whole.is_empty() {
            name = self.options.whole.as_bytes().to_vec();
        }
        name.truncate(LONGEST_NAME);
        // A file that may have to be gone on with has an id that the same source finds again by its name.
        let id = if self.short && !self.options.piece {
            random::bytes().map_err(|_| Ended(Stop::Failed))?
        } else {
            let hash = Digest::of(&[b"daylight-drop file", self.sender.keys.seed().as_slice(), &name].concat());
            let mut id = [0; 16];
            id.copy_from_slice(&hash.0[..16]);
            id
        };
        let printable = |text: &String| text.len() <= LONGEST_TYPE && text.bytes().all(|byte| (0x20..0x7f).contains(&byte));
        let media_type = media_type.filter(printable).unwrap_or_else(|| "application/octet-stream".to_owned());
        let part = if self.options.piece { self.options.part } else { 0 };
        Ok(File { id, name: Zeroizing::new(name), media_type, part, filled: 0, length: 0, kept: 0, sealer: None })
    }

    fn data(&mut self, bytes: &[u8]) -> Result<(), Ended> {
        match std::mem::replace(&mut self.field, Current::None) {
            Current::None => return Err(Ended(Stop::Broke)),
            Current::Small(name, mut held) => {
                if held.len() + bytes.len() > SMALL {
                    return Err(Ended(Stop::Broke));
                }
                held.extend_from_slice(bytes);
                self.field = Current::Small(name, held);
            }
            Current::Text(mut held) => {
                if (held.len() + bytes.len()) as u64 > LONGEST_TEXT {
                    return Err(Ended(Stop::Large));
                }
                held.extend_from_slice(bytes);
                self.field = Current::Text(held);
            }
            Current::File(mut file) => {
                self.file_data(&mut file, bytes)?;
                self.field = Current::File(file);
            }
        }
        Ok(())
    }

    fn end(&mut self) -> Result<(), Ended> {
        match std::mem::replace(&mut self.field, Current::None) {
            Current::None => Err(Ended(Stop::Broke)),
            Current::Small(name, held) => self.option(&name, &held),
            Current::Text(held) => self.text(&held),
            Current::File(file) => self.end_file(*file),
        }
    }

    fn option(&mut self, name: &str, value: &[u8]) -> Result<(), Ended> {
        let value = std::str::from_utf8(value).map_err(|_| Ended(Stop::Broke))?;
        match name {
            "token" if same(value, &self.token) => self.shown = true,
            "token" => return Err(Ended(Stop::Stale)),
            "part" if !value.is_empty() => {
                let part = value.parse::<u32>().ok().and_then(|part| part.checked_sub(1)).filter(|part| u64::from(*part) < FILE / PART);
                self.options.part = part.ok_or(Ended(Stop::Broke))?;
            }
            "piece" => self.options.piece = value == "1",
            "last" => self.options.last = value == "1",
            "whole" => self.options.whole = Zeroizing::new(value.to_owned()),
            // What we do not know we do not need.
            _ => {}
        }
        Ok(())
    }

    fn text(&mut self, typed: &[u8]) -> Result<(), Ended> {
        // Browsers send line ends as CR LF (HTML, "constructing the entry list").
        let mut text = Zeroizing::new(Vec::with_capacity(typed.len()));
        text.extend(
            typed.iter().enumerate().filter(|(at, byte)| **byte != b'\r' || typed.get(at + 1) != Some(&b'\n')).map(|(_, byte)| *byte),
        );
        if text.trim_ascii().is_empty() {
            return Ok(());
        }
        if !self.sender.may_tell {
            return Err(Ended(Stop::Unaccepted));
        }
        let mut sealer = self.sealer(Kind::Text, Vec::new(), String::new())?;
        sealer.write_all(&text)?;
        self.keep(sealer)?;
        self.sent.texts += 1;
        self.sender.may_tell = self.sender.accepted;
        Ok(())
    }

    fn sealer(&self, kind: Kind, name: Vec<u8>, media_type: String) -> Result<SubmissionSealer<Outgoing>, Ended> {
        let sender = &self.sender;
        let head = Head {
            newsroom: sender.newsroom,
            epoch: sender.epoch,
            conversation: sender.keys.conversation.clone(),
            reply: sender.keys.reply.recipient(),
            sealed_by: SealedBy::Page,
            counter: u64::from_le_bytes(random::bytes().map_err(|_| Ended(Stop::Failed))?),
            kind,
            name,
            media_type,
            first: sender.first,
        };
        let outgoing = Outgoing::begin(&self.hatch, Lookup(sender.keys.lookup.0))?;
        Ok(seal_submission(&head, &sender.recipients, outgoing)?)
    }

    fn keep(&mut self, sealer: SubmissionSealer<Outgoing>) -> Result<(), Ended> {
        sealer.finish()?.keep()?;
        self.sender.first = false;
        Ok(())
    }

    fn file_data(&mut self, file: &mut File, mut bytes: &[u8]) -> Result<(), Ended> {
        file.length += bytes.len() as u64;
        if file.length > if self.options.piece { PART } else { FILE } {
            return Err(Ended(Stop::Large));
        }
        while !bytes.is_empty() {
            let room = usize::try_from(PART - file.filled).unwrap_or(usize::MAX);
            let (now, rest) = bytes.split_at(bytes.len().min(room));
            if file.part >= self.options.part {
                if file.sealer.is_none() {
                    file.sealer = Some(self.part(file, self.is_last())?);
                }
                if let Some(sealer) = &mut file.sealer {
                    sealer.write_all(now)?;
                }
            }
            file.filled += now.len() as u64;
            bytes = rest;
            if file.filled == PART {
                self.end_part(file)?;
            }
        }
        Ok(())
    }

    /// Whether a part is known to be the last when it begins.
    fn is_last(&self) -> bool {
        if self.options.piece { self.options.last } else { self.short }
    }

    fn part(&self, file: &File, last: bool) -> Result<SubmissionSealer<Outgoing>, Ended> {
        self.sealer(Kind::File { file: file.id, part: file.part, last }, file.name.to_vec(), file.media_type.clone())
    }

    fn end_part(&mut self, file: &mut File) -> Result<(), Ended> {
        if let Some(sealer) = file.sealer.take() {
            self.keep(sealer)?;
            file.kept += 1;
        }
        file.part += 1;
        file.filled = 0;
        self.sent.parts = file.part;
        Ok(())
    }

    fn end_file(&mut self, mut file: File) -> Result<(), Ended> {
        // What a browser sends where no file was chosen.
        if file.name.is_empty() && file.length == 0 {
            return Ok(());
        }
        if file.filled > 0 || (file.length == 0 && self.is_last()) {
            if file.sealer.is_none() && file.part >= self.options.part {
                file.sealer = Some(self.part(&file, self.is_last())?);
            }
            self.end_part(&mut file)?;
        }
        // Shorter than what is said to be here already: it is another file, or nothing of it would be kept.
        let whole = !self.options.piece;
        if whole && (file.part < self.options.part || (self.short && file.kept == 0)) {
            return Err(Ended(Stop::Broke));
        }
        // Only the first file goes on.
        self.options.part = if whole { 0 } else { self.options.part };
        if !self.short && whole {
            // That a part was the last is known only now, so a last one without bytes says so.
            let sealer = self.part(&file, true)?;
            self.keep(sealer)?;
        }
        self.sent.files += 1;
        self.sent.parts = 0;
        Ok(())
    }
}
