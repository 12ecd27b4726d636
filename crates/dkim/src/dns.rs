//! Questions for keys to the DNS, and its answers, as bytes (RFC 1035): nothing is sent from here. An answer is taken for an attack: it is read in one
//! pass, within its bytes, each name in at most 128 steps, and nothing comes of it but text of printable ASCII.

const TXT: u16 = 16;
const CNAME: u16 = 5;
const OPT: u16 = 41;
const INTERNET: u16 = 1;
/// A name's pointers beyond so many are an attack: a name has at most 127 labels.
const MOST_POINTERS: usize = 128;
/// A name in its dotted form is no longer (RFC 1035 section 2.3.4).
const LONGEST_NAME: usize = 253;
const LONGEST_LABEL: usize = 63;
/// So many records of an answer are looked at.
const MOST_RECORDS: usize = 200;
/// An answer over UDP may be as long as this; longer ones come over TCP (RFC 9715).
pub const UDP: u16 = 1232;

/// What the DNS said of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Its TXT records, each in one piece; there is at least one.
    Records(Vec<String>),
    /// The name is there, and has no TXT record.
    NoRecord,
    /// There is no such name.
    NoName,
    /// The answer is cut off and must be asked for again over TCP.
    Cut,
    /// The server could not or would not answer; its code (RFC 1035 section 4.1.1).
    Refused(u8),
    /// It is no answer to this question: forged, late, or broken.
    Other(&'static str),
}

/// The question for the TXT records of a name, `None` if it can be no name in the DNS: what mail says may be anything.
pub fn question(name: &str, id: u16) -> Option<Vec<u8>> {
    let labels: Vec<&str> = name.split('.').collect();
    let sound = |label: &&str| {
        let letters = label.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
        !label.is_empty() && label.len() <= LONGEST_LABEL && letters
    };
    if name.len() > LONGEST_NAME || labels.len() < 3 || !labels.iter().all(sound) {
        return None;
    }
    // One question, and one additional record: the pseudo-record that says how long an answer may be (RFC 6891). Recursion is desired.
    let mut bytes = id.to_be_bytes().to_vec();
    bytes.extend([1, 0, 0, 1, 0, 0, 0, 0, 0, 1]);
    for label in labels {
        bytes.push(label.len() as u8);
        bytes.extend(label.as_bytes());
    }
    bytes.push(0);
    bytes.extend([TXT, INTERNET].map(u16::to_be_bytes).concat());
    bytes.push(0);
    bytes.extend([OPT, UDP].map(u16::to_be_bytes).concat());
    bytes.extend([0; 6]);
    Some(bytes)
}

/// What `bytes` say to the question for the TXT records of `name` that carried `id`.
pub fn answer(bytes: &[u8], name: &str, id: u16) -> Answer {
    read(bytes, name, id).unwrap_or(Answer::Other("it breaks off or breaks the rules"))
}

fn read(bytes: &[u8], name: &str, id: u16) -> Option<Answer> {
    let mut message = Message { bytes, at: 0 };
    if message.number()? != id {
        return Some(Answer::Other("it has another number"));
    }
    let flags = message.number()?;
    let (questions, answers) = (message.number()?, message.number()?);
    message.at += 4;
    // A response to a standard query.
    if flags & 0xf800 != 0x8000 {
        return Some(Answer::Other("it is no response"));
    }
    if questions != 1 || message.name()? != name.to_ascii_lowercase() || message.number()? != TXT || message.number()? != INTERNET {
        return Some(Answer::Other("it answers another question"));
    }
    if flags & 0x0200 != 0 {
        return Some(Answer::Cut);
    }
    match flags & 0x000f {
        0 => records(&mut message, answers, name),
        3 => Some(Answer::NoName),
        code => Some(Answer::Refused(code as u8)),
    }
}

/// The TXT records of the name, or of the name that it is said to be another word for, and so on.
fn records(message: &mut Message<'_>, count: u16, name: &str) -> Option<Answer> {
    let (mut aliases, mut texts) = (Vec::new(), Vec::new());
    for _ in 0..usize::from(count).min(MOST_RECORDS) {
        let owner = message.name()?;
        let (kind, class) = (message.number()?, message.number()?);
        message.at += 4;
        let length = usize::from(message.number()?);
        let end = message.at.checked_add(length).filter(|end| *end <= message.bytes.len())?;
        match kind {
            CNAME if class == INTERNET => aliases.push((owner, message.name()?)),
            TXT if class == INTERNET => texts.push((owner, text(&message.bytes[message.at..end])?)),
            _ => (),
        }
        message.at = end;
    }
    let mut wanted = name.to_ascii_lowercase();
    // Each alias leads on once, so that a ring ends.
    while let Some(number) = aliases.iter().position(|(alias, _)| *alias == wanted) {
        wanted = aliases.swap_remove(number).1;
    }
    let found: Vec<String> = texts.into_iter().filter(|(owner, _)| *owner == wanted).map(|(_, text)| text).collect();
    Some(if found.is_empty() { Answer::NoRecord } else { Answer::Records(found) })
}

/// The pieces of a TXT record as one. A key is printable ASCII; what is not becomes a question mark.
fn text(mut data: &[u8]) -> Option<String> {
    let mut text = String::with_capacity(data.len());
    while let Some((length, rest)) = data.split_first() {
        let (piece, rest) = rest.split_at_checked(usize::from(*length))?;
        text.extend(piece.iter().map(|b| if (b' '..=b'~').contains(b) { char::from(*b) } else { '?' }));
        data = rest;
    }
    Some(text)
}

/// An answer and how far it was read.
struct Message<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Message<'_> {
    fn number(&mut self) -> Option<u16> {
        let pair = self.bytes.get(self.at..self.at.checked_add(2)?)?;
        self.at += 2;
        Some(u16::from_be_bytes([pair[0], pair[1]]))
    }

    /// A name, lower case with dots. What is no letter of a name becomes a question mark, so that it is not taken for another.
    fn name(&mut self) -> Option<String> {
        let (mut name, mut at, mut after, mut pointers) = (String::new(), self.at, None, 0);
        loop {
            let length = *self.bytes.get(at)?;
            match length {
                0 => break,
                1..=63 => {
                    let label = self.bytes.get(at + 1..at + 1 + usize::from(length))?;
                    if !name.is_empty() {
                        name.push('.');
                    }
                    let letter = |b: &u8| {
                        if b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_') { char::from(b.to_ascii_lowercase()) } else { '?' }
                    };
                    name.extend(label.iter().map(letter));
                    at += 1 + usize::from(length);
                }
                0xc0.. => {
                    pointers += 1;
                    let to = usize::from(length & 0x3f) << 8 | usize::from(*self.bytes.get(at + 1)?);
                    after = after.or(Some(at + 2));
                    // A pointer goes back (RFC 1035 section 4.1.4), so that it ends.
                    if to >= at || pointers > MOST_POINTERS {
                        return None;
                    }
                    at = to;
                }
                _ => return None,
            }
            if name.len() > LONGEST_NAME {
                return None;
            }
        }
        self.at = after.unwrap_or(at + 1);
        Some(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: &str = "sel._domainkey.example.org";

    /// A response to the question with these answers: owner, type, data.
    fn response(flags: u16, answers: &[(&[u8], u16, &[u8])]) -> Vec<u8> {
        let mut bytes = question(NAME, 7).unwrap();
        bytes.truncate(bytes.len() - 11);
        bytes[2..4].copy_from_slice(&flags.to_be_bytes());
        bytes[6..8].copy_from_slice(&(answers.len() as u16).to_be_bytes());
        bytes[10..12].copy_from_slice(&[0, 0]);
        for (owner, kind, data) in answers {
            bytes.extend(*owner);
            bytes.extend(kind.to_be_bytes());
            bytes.extend([0, 1, 0, 0, 0, 60]);
            bytes.extend((data.len() as u16).to_be_bytes());
            bytes.extend(*data);
        }
        bytes
    }

    const ASKED: &[u8] = &[0xc0, 12];
    const OTHER: &[u8] = b"\x03sel\x05other\x03net\0";

    #[test]
    fn answers_are_read_whatever_they_say() {
        let key = b"\x0bv=DKIM1; p=\x04QUJD".as_slice();
        for (flags, answers, expected) in [
            (0x8180, vec![(ASKED, TXT, key)], Answer::Records(vec!["v=DKIM1; p=QUJD".into()])),
            (0x8180, vec![(ASKED, CNAME, OTHER), (OTHER, TXT, key)], Answer::Records(vec!["v=DKIM1; p=QUJD".into()])),
            (0x8180, vec![(OTHER, TXT, key)], Answer::NoRecord),
            (0x8180, vec![(ASKED, CNAME, ASKED)], Answer::NoRecord),
            (0x8180, vec![(ASKED, TXT, b"\x03a\xff\n".as_slice())], Answer::Records(vec!["a??".into()])),
            (0x8180, vec![], Answer::NoRecord),
            (0x8183, vec![], Answer::NoName),
            (0x8182, vec![], Answer::Refused(2)),
            (0x8380, vec![(ASKED, TXT, key)], Answer::Cut),
            (0x0180, vec![], Answer::Other("it is no response")),
            (0x8180, vec![(ASKED, TXT, b"\x09short".as_slice())], Answer::Other("it breaks off or breaks the rules")),
        ] {
            assert_eq!(answer(&response(flags, &answers), NAME, 7), expected, "{flags:x} {answers:?}");
        }
        let sound = response(0x8180, &[(ASKED, TXT, key)]);
        assert_eq!(answer(&sound, NAME, 8), Answer::Other("it has another number"));
        assert_eq!(answer(&sound, "sel._domainkey.example.net", 7), Answer::Other("it answers another question"));
        assert!(matches!(answer(&sound, "SEL._domainkey.Example.org", 7), Answer::Records(_)));
    }

    #[test]
    fn no_bytes_make_it_panic_or_run_on() {
        let alias = response(0x8180, &[(ASKED, CNAME, OTHER), (OTHER, TXT, b"\x03abc")]);
        let mut seed = 0x1234_5678_u32;
        for _ in 0..20_000 {
            let mut bytes = alias.clone();
            for _ in 0..3 {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let at = (seed >> 8) as usize % bytes.len();
                bytes[at] = seed as u8 ^ (seed >> 16) as u8;
            }
            bytes.truncate((seed >> 4) as usize % (2 * bytes.len()) + 1);
            answer(&bytes, NAME, 7);
        }
        // Pointers to themselves, forwards, and a long chain backwards.
        for pointer in [[0xc0, 44], [0xc0, 200]] {
            assert!(matches!(answer(&response(0x8180, &[(&pointer, TXT, b"\x01a")]), NAME, 7), Answer::Other(_)));
        }
        let chain: Vec<u8> = (0..400_u16).flat_map(|n| (0xc000 | (54 + n.saturating_sub(1) * 2)).to_be_bytes()).collect();
        assert!(matches!(answer(&response(0x8180, &[(ASKED, 99, &chain), (&[0xc3, 0x50], TXT, b"\x01a")]), NAME, 7), Answer::Other(_)));
        for length in 0..alias.len() {
            assert!(!matches!(answer(&alias[..length], NAME, 7), Answer::Records(_)));
        }
    }

    #[test]
    fn only_names_are_asked_for() {
        for name in [
            "",
            "a.b",
            "a..b.c",
            "sel._domainkey.b c",
            "sel._domainkey.exämple.org",
            "sel.\n.b.c",
            &"a.".repeat(130),
            &("a".repeat(64) + ".b.c"),
        ] {
            assert_eq!(question(name, 1), None, "{name}");
        }
        assert!(question(NAME, 1).is_some());
    }
}
