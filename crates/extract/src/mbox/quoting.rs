use crate::document::read_full;
use daylight_model::reading::Input;
use memchr::memmem;
use std::io;

/// How lines of a body that begin with `From ` were told from those that separate messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quoting {
    /// mboxo: `>From ` was `From `.
    O,
    /// mboxrd: of `>From `, `>>From ` and so on one `>` was added.
    Rd,
}

/// Which quoting a whole mailbox uses.
///
/// Only where `>>From ` begins a line do the two differ: mboxrd made it of `>From `, mboxo would have it of itself. Both happen, but the first
/// is what is meant wherever programs still write mailboxes by a rule (git, public-inbox, the lists of linux-man, whose signatures prove it), and
/// the second needs somebody to have quoted a quoted `From ` line by hand. So `>>From ` means mboxrd, and without it there is nothing to decide.
pub(super) fn of(input: &(dyn Input + '_)) -> io::Result<Quoting> {
    if let Some(bytes) = input.in_memory() {
        return Ok(if has_twice_quoted(bytes) { Quoting::Rd } else { Quoting::O });
    }
    let mut buffer = vec![0; 1 << 20];
    let mut at = 0;
    loop {
        let count = read_full(input, at, &mut buffer)?;
        if has_twice_quoted(&buffer[..count]) {
            return Ok(Quoting::Rd);
        }
        if count < buffer.len() {
            return Ok(Quoting::O);
        }
        at += (count - OVERLAP) as u64;
    }
}

/// The beginning of a line is looked for no farther than this before its `From `.
const OVERLAP: usize = 1000;

/// Whether a line begins with two or more `>` and `From `.
fn has_twice_quoted(bytes: &[u8]) -> bool {
    memmem::find_iter(bytes, b">>From ").any(|from| {
        let quotes = bytes[..from].iter().rev().take(OVERLAP).take_while(|b| **b == b'>').count();
        from > quotes && bytes[from - quotes - 1] == b'\n'
    })
}

impl Quoting {
    /// The message as it was before it was quoted; `None` if that is what it is already. Where `Content-Length` ended the message (`counted`), a
    /// bare `From ` line in it says that nothing was quoted: mboxcl2.
    pub(super) fn undo(self, message: &[u8], counted: bool) -> Option<Vec<u8>> {
        memmem::find(message, b">From ")?;
        if counted && memmem::find(message, b"\nFrom ").is_some() {
            return None;
        }
        let mut out: Option<Vec<u8>> = None;
        let mut copied = 0;
        for from in memmem::find_iter(message, b">From ") {
            // The line must be nothing but `>` before it.
            let quotes = message[..=from].iter().rev().take_while(|b| **b == b'>').count();
            let line = from + 1 - quotes;
            let begins = line == 0 || message[line - 1] == b'\n';
            if begins && (quotes == 1 || self == Quoting::Rd) {
                let out = out.get_or_insert_with(|| Vec::with_capacity(message.len()));
                out.extend_from_slice(&message[copied..line]);
                copied = line + 1;
            }
        }
        out.map(|mut out| {
            out.extend_from_slice(&message[copied..]);
            out
        })
    }
}
