//! Content-Transfer-Encodings (RFC 2045 section 6), read as far as they can be read.

use std::borrow::Cow;

/// How a part's bytes are wrapped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Transfer {
    /// As they are.
    #[default]
    Identity,
    Base64,
    Quoted,
    Uuencode,
}

impl Transfer {
    /// Unknown names are taken for identity: the bytes are kept and that is the most that can be done.
    pub(crate) fn named(name: &[u8]) -> Self {
        let name = name.trim_ascii();
        let end = name.iter().position(|b| b.is_ascii_whitespace() || matches!(b, b';' | b'(')).unwrap_or(name.len());
        let name = name[..end].trim_ascii().to_ascii_lowercase();
        match name.strip_prefix(b"\"").and_then(|n| n.strip_suffix(b"\"")).unwrap_or(&name) {
            b"base64" => Transfer::Base64,
            b"quoted-printable" => Transfer::Quoted,
            b"x-uuencode" | b"x-uue" | b"uuencode" => Transfer::Uuencode,
            _ => Transfer::Identity,
        }
    }

    /// The bytes without their wrapping, and whether something in it broke the rules.
    pub(crate) fn decode<'a>(self, bytes: &'a [u8]) -> (Cow<'a, [u8]>, bool) {
        let (decoded, broken) = match self {
            Transfer::Identity => return (Cow::Borrowed(bytes), false),
            Transfer::Base64 => match base64(bytes) {
                (_, true) if !is_mostly_base64(bytes) => return (Cow::Borrowed(bytes), true),
                decoded => decoded,
            },
            Transfer::Quoted => quoted(bytes, false),
            Transfer::Uuencode => uuencode(bytes),
        };
        (Cow::Owned(decoded), broken)
    }
}

const SPACE: u8 = 0xfd;
const PAD: u8 = 0xfe;
const BAD: u8 = 0xff;

const VALUES: [u8; 256] = {
    let mut table = [BAD; 256];
    let letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut n = 0;
    while n < 64 {
        table[letters[n] as usize] = n as u8;
        n += 1;
    }
    table[b' ' as usize] = SPACE;
    table[b'\t' as usize] = SPACE;
    table[b'\r' as usize] = SPACE;
    table[b'\n' as usize] = SPACE;
    table[b'=' as usize] = PAD;
    table
};

/// Base64; what is not of its alphabet is skipped, and padding in the middle ends a group, as where two encoded texts were joined.
pub(crate) fn base64(mut bytes: &[u8]) -> (Vec<u8>, bool) {
    let mut out = Vec::with_capacity(bytes.len() / 4 * 3 + 3);
    let (mut group, mut count, mut broken) = (0u32, 0, false);
    while let [first, rest @ ..] = bytes {
        if count == 0
            && let [a, b, c, d, rest @ ..] = bytes
        {
            let [a, b, c, d] = [a, b, c, d].map(|byte| VALUES[usize::from(*byte)]);
            if (a | b | c | d) < 64 {
                let word = u32::from(a) << 18 | u32::from(b) << 12 | u32::from(c) << 6 | u32::from(d);
                out.extend_from_slice(&word.to_be_bytes()[1..]);
                bytes = rest;
                continue;
            }
        }
        bytes = rest;
        match VALUES[usize::from(*first)] {
            SPACE => (),
            PAD => {
                flush(&mut out, group, count);
                (group, count) = (0, 0);
            }
            BAD => broken = true,
            value => {
                (group, count) = (group << 6 | u32::from(value), count + 1);
                if count == 4 {
                    flush(&mut out, group, count);
                    (group, count) = (0, 0);
                }
            }
        }
    }
    flush(&mut out, group, count);
    (out, broken || count == 1)
}

/// Whether of what is not white space less than one byte in eight is foreign to base64. Where it is more, somebody wrote plain text and called it
/// base64: decoded, its words would be lost.
fn is_mostly_base64(bytes: &[u8]) -> bool {
    let values = bytes.iter().map(|byte| VALUES[usize::from(*byte)]).filter(|value| *value != SPACE);
    let (all, bad) = values.fold((0usize, 0usize), |(all, bad), value| (all + 1, bad + usize::from(value == BAD)));
    bad * 8 < all
}

fn flush(out: &mut Vec<u8>, group: u32, count: u32) {
    match count {
        2 => out.push((group >> 4) as u8),
        3 => out.extend_from_slice(&((group >> 2) as u16).to_be_bytes()),
        4 => out.extend_from_slice(&group.to_be_bytes()[1..]),
        _ => (),
    }
}

/// The `Q` encoding of RFC 2047, whose underscores are spaces already.
pub(crate) fn quoted_word(bytes: &[u8]) -> Vec<u8> {
    quoted(bytes, true).0
}

/// Quoted-printable; what follows no rule stays as it is. `word` keeps the white space at the end.
fn quoted(bytes: &[u8], word: bool) -> (Vec<u8>, bool) {
    let mut out = Vec::with_capacity(bytes.len());
    let mut broken = false;
    for line in bytes.split_inclusive(|b| *b == b'\n') {
        let text = line.strip_suffix(b"\n").unwrap_or(line);
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        let end = &line[text.len()..];
        // White space at the end of a line was added on the way (RFC 2045 section 6.7, rule 3).
        let text = if word { text } else { text.trim_ascii_end() };
        if let Some(soft) = text.strip_suffix(b"=") {
            broken |= quoted_line(&mut out, soft);
        } else {
            broken |= quoted_line(&mut out, text);
            out.extend_from_slice(end);
        }
    }
    (out, broken)
}

fn quoted_line(out: &mut Vec<u8>, mut line: &[u8]) -> bool {
    let mut broken = false;
    while let Some(equals) = memchr::memchr(b'=', line) {
        out.extend_from_slice(&line[..equals]);
        let digits = line.get(equals + 1..equals + 3);
        match digits.and_then(|pair| Some((hex(pair[0])?, hex(pair[1])?))) {
            Some((high, low)) => {
                out.push(high << 4 | low);
                line = &line[equals + 3..];
            }
            None => {
                broken = true;
                out.push(b'=');
                line = &line[equals + 1..];
            }
        }
    }
    out.extend_from_slice(line);
    broken
}

pub(crate) fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).map(|n| n as u8)
}

/// What stands between `begin` and `end` lines (POSIX uuencode); without a `begin` line nothing is decoded and the bytes stay.
fn uuencode(bytes: &[u8]) -> (Vec<u8>, bool) {
    let mut lines = bytes.split(|b| *b == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    if !lines.any(|line| line.starts_with(b"begin ")) {
        return (bytes.to_vec(), true);
    }
    let mut out = Vec::with_capacity(bytes.len() / 4 * 3);
    for line in lines {
        if line == b"end" {
            return (out, false);
        }
        let Some((first, data)) = line.split_first() else { continue };
        let length = usize::from(first.wrapping_sub(32) & 63);
        let from = out.len();
        for group in data.chunks(4) {
            let value = |n: usize| u32::from(group.get(n).map_or(0, |b| b.wrapping_sub(32) & 63));
            let word = value(0) << 18 | value(1) << 12 | value(2) << 6 | value(3);
            out.extend_from_slice(&word.to_be_bytes()[1..]);
        }
        out.truncate((from + length).min(out.len()));
    }
    (out, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrappings_are_undone_and_what_breaks_their_rules_is_said() {
        assert_eq!(base64(b"aGVs\r\nbG8="), (b"hello".to_vec(), false));
        assert_eq!(base64(b"aGVsbG8=aGVsbG8"), (b"hellohello".to_vec(), false));
        assert_eq!(base64(b"aG!Vs*bG8="), (b"hello".to_vec(), true));
        assert_eq!(Transfer::Base64.decode(b"... plain words, really ...\n"), (Cow::Borrowed(&b"... plain words, really ...\n"[..]), true));
        let quoted = Transfer::Quoted.decode(b"caf=C3=A9 \t\r\nlong=\r\n line =3d= x=\n");
        assert_eq!((quoted.0.as_ref(), quoted.1), ("café\r\nlong line == x".as_bytes(), true));
        let unwrapped = Transfer::Uuencode.decode(b"begin 644 x\n#0V%T\n`\nend\n");
        assert_eq!(unwrapped, (Cow::Owned(b"Cat".to_vec()), false));
        assert_eq!(Transfer::named(b" \"Base64\" ; odd"), Transfer::Base64);
    }
}
