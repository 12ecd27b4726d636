//! The encoding of requests and events between a worker and its parent. A frame is its kind (one byte), the length of its payload (four bytes,
//! little end first) and the payload. Numbers are LEB128, byte strings carry their length before them, an absent value is 0 and a present one
//! 1 and the value. Every length is held against what is left of the frame before a byte is allocated for it, and what is not known is an error.

mod value;

use crate::cage::{Caged, Layers};
use crate::probe::Probe;
use daylight_model::Name;
use daylight_model::reading::{Drawn, Event, Label, Request, Segment, Task};
pub(crate) use value::Garbled;
use value::{Source, Value};

/// The version of this encoding, which parent and worker tell each other first.
pub(crate) const VERSION: u8 = 5;

/// How many bytes stand before a frame's payload.
pub(crate) const HEADER: usize = 5;

/// What a worker says, beside events.
#[derive(Debug, PartialEq)]
pub(crate) enum Answer {
    /// It is in its cage and ready to read; with the version of its encoding, and what the kernel gave of the cage.
    Ready(u8, Caged),
    /// It could not get into its cage, and why. Nothing was read.
    Refused(String),
    /// An event of the item in hand.
    Event(Event),
    /// The item in hand is done.
    Done,
    /// In a trial: what was tried was refused, with this number of an error of the system; `None` if it was not refused.
    Tried(Option<u32>),
}

/// What a worker is told first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Terms {
    /// The parent's version of the encoding.
    pub(crate) version: u8,
    /// The most address space it may use, in bytes.
    pub(crate) memory: u64,
    /// The most processor time it may use, in seconds.
    pub(crate) seconds: u64,
    /// What to try in place of reading, if this is a trial.
    pub(crate) trial: Option<Trial>,
}

/// A trial of the cage: nothing is read in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Trial {
    pub(crate) probe: Probe,
    /// The layers to enter for it.
    pub(crate) layers: Layers,
}

/// A request as the worker gets it.
#[derive(Debug, PartialEq)]
pub(crate) struct Order {
    pub(crate) request: Request,
    /// How many bytes of input follow the frame; `None` if the input came with it as a file.
    pub(crate) inline: Option<u64>,
}

const TERMS: u8 = 1;
const ORDER: u8 = 2;
const READY: u8 = 16;
const REFUSED: u8 = 17;
const DONE: u8 = 18;
const TRIED: u8 = 19;
const FOUND: u8 = 32;
const BYTES: u8 = 33;
const TEXT: u8 = 34;
const FAULT: u8 = 35;
const COUNTED: u8 = 36;
const CURSOR: u8 = 37;
const VIEW: u8 = 38;
const UNREAD: u8 = 39;
const PAGE: u8 = 40;
const UNLOCKED: u8 = 41;
const WORDS: u8 = 42;

const TASK_READ: u8 = 0;
const TASK_VIEW: u8 = 1;
const TASK_UNREAD: u8 = 2;
const TASK_DRAW: u8 = 3;

/// The longest payload that a frame of this kind may have. Pieces are at most 1 MiB by their reader's contract; a message may name very many people.
fn longest(kind: u8) -> Result<usize, Garbled> {
    match kind {
        DONE => Ok(1),
        READY | TRIED | TERMS | COUNTED | CURSOR | UNREAD | PAGE | UNLOCKED => Ok(64),
        WORDS => Ok(512),
        REFUSED | FAULT => Ok(64 << 10),
        BYTES | TEXT | VIEW => Ok((2 << 20) + 64),
        FOUND => Ok(64 << 20),
        // A name may be as long as a path, and this comes from the parent.
        ORDER => Ok(1 << 20),
        _ => Err(Garbled("a frame of an unknown kind")),
    }
}

/// Reads a frame's header: its kind and the length of its payload. `None` if not all of the header is there yet.
pub(crate) fn header(bytes: &[u8]) -> Result<Option<(u8, usize)>, Garbled> {
    let Some((&[kind, a, b, c, d], _)) = bytes.split_first_chunk::<HEADER>() else { return Ok(None) };
    let length = u32::from_le_bytes([a, b, c, d]) as usize;
    if length > longest(kind)? {
        return Err(Garbled("a frame longer than its kind allows"));
    }
    Ok(Some((kind, length)))
}

/// Writes a frame around what `payload` writes. A payload too long for a header is cut off by its parent, who sees an impossible length.
fn frame(out: &mut Vec<u8>, kind: u8, payload: impl FnOnce(&mut Vec<u8>)) {
    out.push(kind);
    let start = out.len();
    out.extend([0; 4]);
    payload(out);
    let length = u32::try_from(out.len() - start - 4).unwrap_or(u32::MAX);
    out[start..start + 4].copy_from_slice(&length.to_le_bytes());
}

pub(crate) fn put_terms(out: &mut Vec<u8>, terms: &Terms) {
    frame(out, TERMS, |out| {
        terms.version.put(out);
        terms.memory.put(out);
        terms.seconds.put(out);
        terms.trial.is_some().put(out);
        if let Some(trial) = terms.trial {
            trial.probe.number().put(out);
            trial.layers.0.put(out);
        }
    });
}

pub(crate) fn get_terms(kind: u8, payload: &[u8]) -> Result<Terms, Garbled> {
    if kind != TERMS {
        return Err(Garbled("a frame where the terms were expected"));
    }
    let mut from = Source::of(payload);
    let (version, memory, seconds) = (Value::get(&mut from)?, Value::get(&mut from)?, Value::get(&mut from)?);
    let trial = if bool::get(&mut from)? { Some(get_trial(&mut from)?) } else { None };
    from.end(Terms { version, memory, seconds, trial })
}

fn get_trial(from: &mut Source<'_>) -> Result<Trial, Garbled> {
    let probe = Probe::of(Value::get(from)?).ok_or(Garbled("a trial of nothing known"))?;
    Ok(Trial { probe, layers: Layers(Value::get(from)?) })
}

pub(crate) fn put_order(out: &mut Vec<u8>, request: &Request, inline: Option<u64>) {
    frame(out, ORDER, |out| {
        put_task(out, &request.task);
        request.name.put(out);
        request.budget.put(out);
        request.passwords.put(out);
        request.standing.put(out);
        request.apart.put(out);
        request.unpacked.put(out);
        inline.put(out);
    });
}

pub(crate) fn get_order(kind: u8, payload: &[u8]) -> Result<Order, Garbled> {
    if kind != ORDER {
        return Err(Garbled("a frame where a request was expected"));
    }
    let mut from = Source::of(payload);
    let task = get_task(&mut from)?;
    let (name, budget, passwords) = (Name::get(&mut from)?, Value::get(&mut from)?, Value::get(&mut from)?);
    let (standing, apart, unpacked) = (Value::get(&mut from)?, Value::get(&mut from)?, Value::get(&mut from)?);
    let request = Request { task, name, budget, passwords, standing, apart, unpacked };
    let inline = Value::get(&mut from)?;
    from.end(Order { request, inline })
}

fn put_task(out: &mut Vec<u8>, task: &Task) {
    match task {
        Task::Read { start, skip_first } => {
            TASK_READ.put(out);
            (*start, *skip_first).put(out);
        }
        Task::View => TASK_VIEW.put(out),
        Task::Unread => TASK_UNREAD.put(out),
        Task::Draw { pages, dots_per_inch, form } => {
            TASK_DRAW.put(out);
            pages.put(out);
            dots_per_inch.put(out);
            let number = Drawn::ALL.iter().position(|one| one == form).unwrap_or(0);
            (number as u8).put(out);
        }
    }
}

fn get_task(from: &mut Source<'_>) -> Result<Task, Garbled> {
    Ok(match u8::get(from)? {
        TASK_READ => Task::Read { start: Value::get(from)?, skip_first: Value::get(from)? },
        TASK_VIEW => Task::View,
        TASK_UNREAD => Task::Unread,
        TASK_DRAW => {
            let (pages, dots_per_inch) = (Value::get(from)?, Value::get(from)?);
            let form = Drawn::ALL.get(usize::from(u8::get(from)?)).ok_or(Garbled("a picture of an unknown form"))?;
            Task::Draw { pages, dots_per_inch, form: *form }
        }
        _ => return Err(Garbled("an unknown task")),
    })
}

pub(crate) fn put_ready(out: &mut Vec<u8>, caged: Caged) {
    frame(out, READY, |out| {
        VERSION.put(out);
        caged.landlock.put(out);
        caged.namespaces.put(out);
    });
}

pub(crate) fn put_tried(out: &mut Vec<u8>, refusal: Option<u32>) {
    frame(out, TRIED, |out| refusal.put(out));
}

pub(crate) fn put_refused(out: &mut Vec<u8>, why: &str) {
    frame(out, REFUSED, |out| why.to_owned().put(out));
}

pub(crate) fn put_done(out: &mut Vec<u8>) {
    frame(out, DONE, |_| {});
}

/// Writes an event.
pub(crate) fn put_event(out: &mut Vec<u8>, event: &Event) {
    match event {
        Event::Found(found) => frame(out, FOUND, |out| found.put(out)),
        Event::Bytes { index, bytes } => frame(out, BYTES, |out| {
            index.put(out);
            out.extend(bytes);
        }),
        Event::Text { index, segment: Segment { label, page, text } } => frame(out, TEXT, |out| {
            index.put(out);
            label.put(out);
            page.put(out);
            out.extend(text.as_bytes());
        }),
        Event::Fault { index, fault } => frame(out, FAULT, |out| {
            index.put(out);
            fault.put(out);
        }),
        Event::Counted { index, expected, read, failed } => frame(out, COUNTED, |out| {
            index.put(out);
            expected.put(out);
            read.put(out);
            failed.put(out);
        }),
        Event::Unlocked { index, password } => frame(out, UNLOCKED, |out| {
            index.put(out);
            password.put(out);
        }),
        Event::Words { index, language, sketch } => frame(out, WORDS, |out| {
            index.put(out);
            language.put(out);
            sketch.put(out);
        }),
        Event::Cursor(position) => frame(out, CURSOR, |out| position.put(out)),
        Event::View(text) => frame(out, VIEW, |out| out.extend(text.as_bytes())),
        Event::Unread { page, gibberish } => frame(out, UNREAD, |out| (*page, *gibberish).put(out)),
        Event::Page { width, height, dots_per_inch } => frame(out, PAGE, |out| {
            width.put(out);
            height.put(out);
            dots_per_inch.put(out);
        }),
    }
}

/// Reads what a worker says in one frame.
pub(crate) fn get_answer(kind: u8, payload: &[u8]) -> Result<Answer, Garbled> {
    let from = &mut Source::of(payload);
    let answer = match kind {
        READY => Answer::Ready(Value::get(from)?, Caged { landlock: Value::get(from)?, namespaces: Value::get(from)? }),
        TRIED => Answer::Tried(Value::get(from)?),
        REFUSED => Answer::Refused(Value::get(from)?),
        DONE => Answer::Done,
        FOUND => Answer::Event(Event::Found(Value::get(from)?)),
        BYTES => Answer::Event(Event::Bytes { index: Value::get(from)?, bytes: from.rest().to_vec() }),
        TEXT => {
            let (index, label, page) = (Value::get(from)?, Label::get(from)?, Value::get(from)?);
            Answer::Event(Event::Text { index, segment: Segment { label, page, text: value::text(from.rest())? } })
        }
        FAULT => Answer::Event(Event::Fault { index: Value::get(from)?, fault: Value::get(from)? }),
        COUNTED => Answer::Event(Event::Counted {
            index: Value::get(from)?,
            expected: Value::get(from)?,
            read: Value::get(from)?,
            failed: Value::get(from)?,
        }),
        UNLOCKED => Answer::Event(Event::Unlocked { index: Value::get(from)?, password: Value::get(from)? }),
        WORDS => Answer::Event(Event::Words { index: Value::get(from)?, language: Value::get(from)?, sketch: Value::get(from)? }),
        CURSOR => Answer::Event(Event::Cursor(Value::get(from)?)),
        VIEW => Answer::Event(Event::View(value::text(from.rest())?)),
        UNREAD => Answer::Event(Event::Unread { page: Value::get(from)?, gibberish: Value::get(from)? }),
        PAGE => Answer::Event(Event::Page { width: Value::get(from)?, height: Value::get(from)?, dots_per_inch: Value::get(from)? }),
        _ => return Err(Garbled("a frame of a kind that only a parent sends")),
    };
    from.end(answer)
}

#[cfg(test)]
mod tests;
