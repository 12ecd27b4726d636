//! Bytes to text: the stated character set where it is one, else UTF-8 where it fits, else a guess.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use daylight_model::reading::Input;
use encoding_rs::{Encoding, UTF_8};
use std::borrow::Cow;

/// How much is looked at to guess a character set.
const SAMPLE: usize = 1 << 20;

/// Text, and what it took to read it.
pub(crate) struct Decoded<'a> {
    pub(crate) text: Cow<'a, str>,
    /// How the bytes were read.
    pub(crate) encoding: &'static Encoding,
    /// Some bytes did not fit and are U+FFFD now.
    pub(crate) replaced: bool,
    /// The stated character set made a difference: without it the text would read otherwise.
    pub(crate) stated_mattered: bool,
    /// What is to be noted of a character set that was guessed, in a line; `None` where it was stated, or is UTF-8, which nothing else looks like.
    pub(crate) guess: Option<String>,
}

/// Decodes all of `bytes`, where `stated` is the character set that somebody said they are in.
pub(crate) fn decode<'a>(bytes: &'a [u8], stated: Option<&str>) -> Decoded<'a> {
    if stated.is_some_and(|label| label.eq_ignore_ascii_case("utf-7") || label.eq_ignore_ascii_case("unicode-1-1-utf-7")) {
        let (text, replaced) = utf7(bytes);
        return Decoded { text: Cow::Owned(text), encoding: UTF_8, replaced, stated_mattered: true, guess: None };
    }
    let label = stated;
    let stated = stated.and_then(named).filter(|encoding| plausible(encoding, bytes));
    let encoding = match Encoding::for_bom(bytes) {
        Some((encoding, _)) => encoding,
        None => stated.unwrap_or_else(|| guess(bytes)),
    };
    let guess = if stated == Some(encoding) || Encoding::for_bom(bytes).is_some() { None } else { guess_in_words(encoding, label) };
    let (text, encoding, replaced) = encoding.decode(bytes);
    let stated_mattered = stated == Some(encoding) && changes(encoding, bytes);
    Decoded { text, encoding, replaced, stated_mattered, guess }
}

/// The line that says that a character set was guessed, and whether against what was stated.
pub(crate) fn guess_in_words(encoding: &'static Encoding, stated: Option<&str>) -> Option<String> {
    // A label of somebody's own making is not repeated, the name of a real one is.
    let stated = stated.and_then(|label| Encoding::for_label(label.trim().as_bytes())).filter(|stated| *stated != encoding);
    let against = stated.map(|stated| format!(", against {}, as was stated", stated.name())).unwrap_or_default();
    (encoding != UTF_8).then(|| format!("encoding: {}, as was guessed{against}\n", encoding.name()))
}

/// The encoding that a label names, if it says more than "ASCII", which so many programs write over text of every kind.
pub(crate) fn named(label: &str) -> Option<&'static Encoding> {
    let label = label.trim().trim_matches(['"', '\'']);
    if label.eq_ignore_ascii_case("us-ascii") || label.eq_ignore_ascii_case("ascii") {
        return None;
    }
    Encoding::for_label_no_replacement(label.as_bytes())
}

/// UTF-8 is not believed of bytes that hold not one well-formed character of it beyond ASCII, but others.
fn plausible(encoding: &'static Encoding, bytes: &[u8]) -> bool {
    if encoding != UTF_8 || std::str::from_utf8(bytes).is_ok() {
        return true;
    }
    bytes.utf8_chunks().any(|chunk| !chunk.valid().is_ascii())
}

/// Whether reading in this encoding gives something else than not being told.
fn changes(encoding: &'static Encoding, bytes: &[u8]) -> bool {
    if encoding == UTF_8 && std::str::from_utf8(bytes).is_ok() {
        return false;
    }
    !(encoding.is_ascii_compatible() && bytes.is_ascii())
}

/// The encoding of bytes of which nothing is known.
pub(crate) fn guess(bytes: &[u8]) -> &'static Encoding {
    match std::str::from_utf8(bytes) {
        Ok(_) if !bytes.contains(&0x1b) => UTF_8,
        Ok(_) => detect(&bytes[..bytes.len().min(SAMPLE)]),
        // Fed from where it stops being UTF-8, so that a long beginning in ASCII does not hide what the rest is.
        Err(error) => {
            let from = error.valid_up_to().saturating_sub(SAMPLE / 2);
            detect(&bytes[from..bytes.len().min(from + SAMPLE)])
        }
    }
}

/// The encoding of a text too large to hold: like [`guess`], over the whole of it.
pub(crate) fn guess_input(input: &(dyn Input + '_)) -> &'static Encoding {
    if let Some(bytes) = input.in_memory() {
        return Encoding::for_bom(bytes).map_or_else(|| guess(bytes), |(encoding, _)| encoding);
    }
    let mut buffer = vec![0; SAMPLE + 4];
    let (mut at, mut kept) = (0, 0);
    loop {
        let Ok(count) = input.read_at(at, &mut buffer[kept..kept + SAMPLE]) else { return UTF_8 };
        let have = &buffer[..kept + count];
        if at == 0
            && let Some((encoding, _)) = Encoding::for_bom(have)
        {
            return encoding;
        }
        let rest = match std::str::from_utf8(have) {
            Ok(_) => 0,
            Err(error) if error.error_len().is_none() && count > 0 => have.len() - error.valid_up_to(),
            Err(_) => return detect(have),
        };
        if count == 0 {
            return UTF_8;
        }
        let end = have.len();
        buffer.copy_within(end - rest..end, 0);
        (at, kept) = (at + count as u64, rest);
    }
}

fn detect(bytes: &[u8]) -> &'static Encoding {
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Allow);
    detector.feed(bytes, true);
    detector.guess(None, Utf8Detection::Deny)
}

/// UTF-7 (RFC 2152), which some old mail is in and which nothing else here can read.
fn utf7(bytes: &[u8]) -> (String, bool) {
    let (mut text, mut replaced, mut at) = (String::with_capacity(bytes.len()), false, 0);
    while at < bytes.len() {
        let plain = memchr::memchr(b'+', &bytes[at..]).map_or(bytes.len(), |n| at + n);
        replaced |= !bytes[at..plain].is_ascii();
        text.push_str(&String::from_utf8_lossy(&bytes[at..plain]));
        if plain == bytes.len() {
            break;
        }
        let start = plain + 1;
        let end = bytes[start..].iter().position(|b| !(b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/')));
        let end = end.map_or(bytes.len(), |n| start + n);
        at = end + usize::from(bytes.get(end) == Some(&b'-'));
        if start == end {
            text.push('+');
            continue;
        }
        let (units, _) = crate::transfer::base64(&bytes[start..end]);
        let units = units.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
        for unit in char::decode_utf16(units) {
            replaced |= unit.is_err();
            text.push(unit.unwrap_or(char::REPLACEMENT_CHARACTER));
        }
    }
    (text, replaced)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_stated_wins_and_what_is_not_is_guessed() {
        let cyrillic = [0xf0, 0xd2, 0xc9, 0xd7, 0xc5, 0xd4, 0x2c, 0x20, 0xcd, 0xc9, 0xd2];
        let stated = decode(&cyrillic, Some("KOI8-R"));
        assert_eq!((stated.text.as_ref(), stated.replaced, stated.stated_mattered), ("Привет, мир", false, true));
        assert_eq!(decode("año".as_bytes(), Some("us-ascii")).text, "año");
        assert_eq!(decode(b"a\xf1o", Some("utf-8")).text, "año", "not one character fits, so it is not UTF-8");
        let torn = decode("añ\u{f1}".as_bytes().split_last().unwrap().1, Some("utf-8"));
        assert!(torn.replaced && torn.text.starts_with("añ"));
        assert!(!decode(b"plain", Some("koi8-r")).stated_mattered);
        assert_eq!(
            decode(b"Hi Mom -+Jjo--+ 1+-1", Some("utf-7")).text,
            "Hi Mom -\u{263a}-\u{fb}".replace('\u{fb}', "") + &utf7(b"+ 1+-1").0
        );
    }

    #[test]
    fn a_late_byte_decides_over_a_long_beginning_in_ascii() {
        let mut bytes = vec![b'a'; 3 << 20];
        bytes.extend(b" caf\xe9 na\xefve");
        assert_eq!(guess(&bytes).name(), "windows-1252");
        assert_eq!(guess_input(&Bare(&bytes)).name(), "windows-1252");
        let mut bytes = vec![b'a'; (1 << 20) - 1];
        bytes.extend("é".as_bytes());
        assert_eq!(guess_input(&Bare(&bytes)), UTF_8, "a character across two reads is whole");
    }

    struct Bare<'a>(&'a [u8]);
    impl Input for Bare<'_> {
        fn length(&self) -> u64 {
            self.0.length()
        }
        fn read_at(&self, offset: u64, buffer: &mut [u8]) -> std::io::Result<usize> {
            self.0.read_at(offset, buffer)
        }
        fn in_memory(&self) -> Option<&[u8]> {
            None
        }
    }
}
