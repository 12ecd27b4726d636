//! Readers of formats: bytes in, what was read and what could not be read out. Everything given to this crate is taken for an attack. So each
//! reader is a pure function over bytes: it opens no file, starts no thread, never panics, recurses to a fixed depth at most, and takes time in
//! proportion to its input.
//!
//! A message's fields and parts are read by this crate itself rather than by a library, because the bytes matter as much as the words: where a
//! part begins and ends, which characters did not fit their character set, and what a broken or hostile message costs.
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::print_stdout))]

mod charset;
mod cipher;
mod dates;
mod dbf;
mod detect;
mod document;
mod drawn;
mod emlx;
mod html;
mod keys;
mod mail;
mod mbox;
mod media;
mod office;
mod open;
mod output;
mod packed;
mod pages;
mod pdf;
mod picture;
mod pst;
mod rar;
mod text;
mod transfer;
mod view;
mod words;
mod zip;

pub use open::READERS;

use daylight_model::reading::{Input, Request, Sink, Stop, Task};

/// Makes the tables that readers look things up in. Whoever starts many readers as copies of one process does so before it copies that.
pub fn prepare() {
    words::prepare();
}

/// Reads one root file and says what it finds to `sink`, as [`Task`] asks.
///
/// The ordinal of a message in a mailbox is the byte offset of its `From ` line, because a reading that goes on in the middle of a mailbox cannot
/// know how many messages stand before; that of an entry of a zip, tar or 7z is its place among the entries; that of a message in a mail store
/// is its number there; that of an attachment its place among the
/// message's attachments, and that of a file attached to a PDF its place among those. The other tasks are about document 0 and find none.
///
/// # Errors
/// Only [`Stop`], when `sink` no longer wants to hear.
pub fn read(request: &Request, input: &(dyn Input + '_), sink: &mut dyn Sink) -> Result<(), Stop> {
    let mut out = output::Output::new(sink, request.budget, input.length(), &request.passwords);
    out.apart = request.apart;
    match &request.task {
        Task::Read { start, skip_first } => {
            let resume = document::Resume { start: *start, skip_first: *skip_first };
            open::read_root(&mut out, request, input, resume)?;
            out.end()
        }
        Task::View => view::read(&mut out, &request.name, input),
        Task::Unread => pages::unread(&mut out, &request.name, input),
        Task::Draw { pages, dots_per_inch, form } => pages::draw(&mut out, &request.name, input, (pages, *dots_per_inch, *form)),
    }
}

#[cfg(test)]
mod tests;
