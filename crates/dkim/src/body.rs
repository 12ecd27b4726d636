//! The body of a message in its canonical forms (RFC 6376 sections 3.4.3 and 3.4.4), and its digests.

use crate::header::Form;
use daylight_model::{SignatureAlgorithm, SignedBody};
use sha1::Sha1;
use sha2::{Digest, Sha256};
use std::collections::HashMap;

/// How the quoting of lines that begin with `From ` may have come between the message that was signed and this one. Mailboxes quote such lines of
/// bodies with `>`, in two ways that cannot always be told apart, and not everybody who takes a message out undoes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Quoting {
    /// As it is.
    None,
    /// One `>` less on every quoted line (mboxrd).
    Undone,
    /// One `>` less where there is one (mboxo).
    UndoneOnce,
    /// One `>` more on every line that is quoted or would be.
    Redone,
    /// One `>` more on every line that is not.
    RedoneOnce,
}

const QUOTINGS: [Quoting; 5] = [Quoting::None, Quoting::Undone, Quoting::UndoneOnce, Quoting::Redone, Quoting::RedoneOnce];

/// The body of one message. What was worked out for one signature is kept for the others; all of them together may cost only so much.
pub(crate) struct Body<'a> {
    bytes: &'a [u8],
    has_from: bool,
    forms: HashMap<(Quoting, Form), Vec<u8>>,
    digests: HashMap<(Quoting, Form, bool, u64), Vec<u8>>,
    left: usize,
}

/// What comparing it came to.
pub(crate) struct Compared {
    pub(crate) body: SignedBody,
    pub(crate) requoted: bool,
}

impl<'a> Body<'a> {
    pub(crate) fn of(bytes: &'a [u8]) -> Self {
        let has_from = memchr::memmem::find_iter(bytes, b"From ").any(|at| {
            let quotes = bytes[..at].iter().rev().take_while(|b| **b == b'>').count();
            at == quotes || bytes[at - quotes - 1] == b'\n'
        });
        let left = bytes.len().saturating_mul(24).saturating_add(16 << 20);
        Self { bytes, has_from, forms: HashMap::new(), digests: HashMap::new(), left }
    }

    /// Holds it against the digest of a signature; `None` if that would cost too much.
    pub(crate) fn compare(&mut self, form: Form, algorithm: SignatureAlgorithm, length: Option<u64>, signed: &[u8]) -> Option<Compared> {
        for quoting in QUOTINGS.into_iter().take(if self.has_from { QUOTINGS.len() } else { 1 }) {
            let whole = self.canonical(quoting, form)?.len() as u64;
            let covered = length.map_or(whole, |length| length.min(whole));
            if self.digest(quoting, form, algorithm == SignatureAlgorithm::RsaSha1, covered)? == signed {
                let body = if covered < whole { SignedBody::Beginning(covered) } else { SignedBody::Same };
                return Some(Compared { body, requoted: quoting != Quoting::None });
            }
        }
        Some(Compared { body: SignedBody::Changed, requoted: false })
    }

    fn spend(&mut self, bytes: usize) -> Option<()> {
        self.left = self.left.checked_sub(bytes)?;
        Some(())
    }

    fn canonical(&mut self, quoting: Quoting, form: Form) -> Option<&[u8]> {
        if !self.forms.contains_key(&(quoting, form)) {
            self.spend(self.bytes.len())?;
            let quoted = quoting.apply(self.bytes);
            // Only the form as it is serves several signatures; of the others one at a time is held.
            self.forms.retain(|(kept, _), _| *kept == Quoting::None);
            self.forms.insert((quoting, form), canonical(&quoted, form));
        }
        self.forms.get(&(quoting, form)).map(Vec::as_slice)
    }

    fn digest(&mut self, quoting: Quoting, form: Form, sha1: bool, length: u64) -> Option<&[u8]> {
        let key = (quoting, form, sha1, length);
        if !self.digests.contains_key(&key) {
            self.spend(usize::try_from(length).ok()?)?;
            let bytes = self.canonical(quoting, form)?;
            let bytes = &bytes[..usize::try_from(length).ok()?.min(bytes.len())];
            let digest = if sha1 { Sha1::digest(bytes).to_vec() } else { Sha256::digest(bytes).to_vec() };
            self.digests.insert(key, digest);
        }
        self.digests.get(&key).map(Vec::as_slice)
    }
}

impl Quoting {
    fn apply(self, body: &[u8]) -> std::borrow::Cow<'_, [u8]> {
        if self == Quoting::None {
            return body.into();
        }
        let mut out = Vec::with_capacity(body.len() + 64);
        for line in body.split_inclusive(|b| *b == b'\n') {
            let quotes = line.iter().take_while(|b| **b == b'>').count();
            let from = line[quotes..].starts_with(b"From ");
            match self {
                Quoting::Undone if from && quotes > 0 => out.extend_from_slice(&line[1..]),
                Quoting::UndoneOnce if from && quotes == 1 => out.extend_from_slice(&line[1..]),
                Quoting::Redone if from => out.extend([b">", line].concat()),
                Quoting::RedoneOnce if from && quotes == 0 => out.extend([b">", line].concat()),
                _ => out.extend_from_slice(line),
            }
        }
        out.into()
    }
}

/// The canonical form: every line ends in CR LF, empty lines at the end are left out; relaxed, white space is evened out. No body is one empty line
/// in the simple form, and nothing in the relaxed one.
fn canonical(body: &[u8], form: Form) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len() + body.len() / 32);
    let mut empty = 0;
    for line in body.split_inclusive(|b| *b == b'\n') {
        let line = match line.strip_suffix(b"\n") {
            Some(line) => line.strip_suffix(b"\r").unwrap_or(line),
            None => line,
        };
        let start = out.len();
        let pending = empty;
        if line.is_empty() || form == Form::Relaxed && line.iter().all(|b| matches!(b, b' ' | b'\t')) {
            empty += 1;
            continue;
        }
        out.resize(start + 2 * pending, b'\n');
        out[start..].chunks_exact_mut(2).for_each(|end| end[0] = b'\r');
        empty = 0;
        match form {
            Form::Simple => out.extend_from_slice(line),
            Form::Relaxed => put_evened(line, &mut out),
        }
        out.extend_from_slice(b"\r\n");
    }
    if out.is_empty() && form == Form::Simple {
        out.extend_from_slice(b"\r\n");
    }
    out
}

fn put_evened(line: &[u8], out: &mut Vec<u8>) {
    // Most lines have single spaces within them and are even as they stand. Looked at to the end, this is done for many bytes at once.
    let last_is_space = line.last().is_some_and(|last| *last == b' ');
    let doubled = line.iter().zip(line.get(1..).unwrap_or_default()).fold(false, |found, pair| found | (pair == (&b' ', &b' ')));
    let tabs = line.iter().fold(false, |found, byte| found | (*byte == b'\t'));
    if !(last_is_space || doubled || tabs) {
        out.extend_from_slice(line);
        return;
    }
    let mut space = false;
    for byte in line {
        if matches!(byte, b' ' | b'\t') {
            space = true;
            continue;
        }
        if space {
            out.push(b' ');
        }
        space = false;
        out.push(*byte);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_canonical_forms_are_those_of_the_standard() {
        let body = b" C \r\nD \t E\r\n\r\n\r\n";
        assert_eq!(canonical(body, Form::Relaxed), b" C\r\nD E\r\n");
        assert_eq!(canonical(body, Form::Simple), b" C \r\nD \t E\r\n");
        assert_eq!(canonical(b"\n\n", Form::Simple), b"\r\n");
        assert_eq!(canonical(b" \n\n", Form::Relaxed), b"");
        assert_eq!(canonical(b"a\n\n \nb", Form::Relaxed), b"a\r\n\r\n\r\nb\r\n");
        assert_eq!(canonical(b"a\n\n \nb", Form::Simple), b"a\r\n\r\n \r\nb\r\n");
    }

    #[test]
    fn a_body_that_a_mailbox_quoted_is_recognised() {
        let cases: [(&[u8], &[u8], bool); 5] = [
            (b"From x\n>From y\n", b">From x\n>>From y\n", true),
            (b"From x\n>>From y\n", b">From x\n>>From y\n", true),
            (b">From x\n>>From y\n", b"From x\n>From y\n", true),
            (b">From x\n>From y\n", b"From x\n>From y\n", true),
            (b"From x\n>From y\n", b">From x\n>From y\n", false),
        ];
        for (signed, quoted, known) in cases {
            let digest = Sha256::digest(canonical(signed, Form::Simple));
            let compared = Body::of(quoted).compare(Form::Simple, SignatureAlgorithm::RsaSha256, None, &digest).unwrap();
            assert_eq!((compared.body == SignedBody::Same, compared.requoted), (known, known), "{quoted:?}");
        }
    }

    #[test]
    fn many_lengths_of_a_large_body_cost_only_so_much() {
        let bytes = vec![b'x'; 1 << 20];
        let mut body = Body::of(&bytes);
        let refused = (0..100).any(|n| body.compare(Form::Simple, SignatureAlgorithm::RsaSha256, Some((1 << 20) - n), b"").is_none());
        assert!(refused);
    }
}
