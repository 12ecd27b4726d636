//! Whether bytes are a value in its one canonical form, seen in one pass over them: verifying an archive does so for every document.

use super::MAX_NUMBER;
use std::cmp::Ordering;

/// The deepest nesting, the same at which `serde_json` gives up.
const DEEPEST: usize = 127;

/// Whether these bytes are one value, and what [`write`](super::write) would make of it.
pub(super) fn is_canonical(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    let mut walk = Walk { bytes: text.as_bytes(), at: 0 };
    walk.value(0).is_some() && walk.at == bytes.len()
}

/// Where the values of these fields stand in a canonical object, `None` for each that is not there. The whole is `None` if this is no canonical object.
pub(super) fn spans<'b>(bytes: &'b [u8], wanted: &[&str]) -> Option<Vec<Option<&'b [u8]>>> {
    let text = std::str::from_utf8(bytes).ok()?;
    let mut walk = Walk { bytes: text.as_bytes(), at: 0 };
    let mut found = vec![None; wanted.len()];
    walk.object(0, &mut |key, value| {
        if let Some(place) = wanted.iter().position(|name| name.as_bytes() == key) {
            found[place] = Some(value);
        }
    })?;
    (walk.at == bytes.len()).then_some(found)
}

/// A walk over UTF-8; each step is `None` where the form is not kept.
struct Walk<'b> {
    bytes: &'b [u8],
    at: usize,
}

impl<'b> Walk<'b> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn take(&mut self, wanted: &[u8]) -> Option<()> {
        self.bytes[self.at..].starts_with(wanted).then(|| self.at += wanted.len())
    }

    fn value(&mut self, depth: usize) -> Option<()> {
        match self.peek()? {
            b'"' => self.string().map(|_| ()),
            b'{' => self.object(depth, &mut |_, _| ()),
            b'[' => self.array(depth),
            b'-' | b'0'..=b'9' => self.number(),
            b't' => self.take(b"true"),
            b'f' => self.take(b"false"),
            b'n' => self.take(b"null"),
            _ => None,
        }
    }

    fn array(&mut self, depth: usize) -> Option<()> {
        self.open(b"[", depth)?;
        if self.take(b"]").is_some() {
            return Some(());
        }
        loop {
            self.value(depth + 1)?;
            if self.take(b",").is_none() {
                return self.take(b"]");
            }
        }
    }

    /// Keys rise, so that none stands twice. Each is given with its value, as it stands between the quotes.
    fn object(&mut self, depth: usize, each: &mut dyn FnMut(&'b [u8], &'b [u8])) -> Option<()> {
        self.open(b"{", depth)?;
        if self.take(b"}").is_some() {
            return Some(());
        }
        let mut last: Option<&[u8]> = None;
        loop {
            let key = self.string()?;
            if last.is_some_and(|last| order(last, key) != Some(Ordering::Less)) {
                return None;
            }
            last = Some(key);
            self.take(b":")?;
            let start = self.at;
            self.value(depth + 1)?;
            each(key, &self.bytes[start..self.at]);
            if self.take(b",").is_none() {
                return self.take(b"}");
            }
        }
    }

    fn open(&mut self, bracket: &[u8], depth: usize) -> Option<()> {
        if depth >= DEEPEST { None } else { self.take(bracket) }
    }

    /// What stands between the quotes.
    fn string(&mut self) -> Option<&'b [u8]> {
        self.take(b"\"")?;
        let start = self.at;
        loop {
            let rest = &self.bytes[self.at..];
            self.at += rest.iter().position(|byte| *byte < 32 || *byte == b'"' || *byte == b'\\')?;
            match self.bytes[self.at] {
                b'"' => break,
                b'\\' => self.escape()?,
                _ => return None,
            }
        }
        self.at += 1;
        Some(&self.bytes[start..self.at - 1])
    }

    /// The shortest escape of what must be escaped (RFC 8785 section 3.2.2.2).
    fn escape(&mut self) -> Option<()> {
        let rest = &self.bytes[self.at + 1..];
        self.at += match rest {
            [b'"' | b'\\' | b'b' | b't' | b'n' | b'f' | b'r', ..] => 2,
            [b'u', b'0', b'0', b'0', b'0'..=b'7' | b'b' | b'e' | b'f', ..] => 6,
            [b'u', b'0', b'0', b'1', b'0'..=b'9' | b'a'..=b'f', ..] => 6,
            _ => return None,
        };
        Some(())
    }

    /// A whole number with neither a zero before it nor more than JSON holds exactly.
    fn number(&mut self) -> Option<()> {
        let negative = self.take(b"-").is_some();
        let digits = self.bytes[self.at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        let text = &self.bytes[self.at..self.at + digits];
        let zero = text.first() == Some(&b'0') && (digits > 1 || negative);
        if digits == 0 || digits > 16 || zero {
            return None;
        }
        let number = text.iter().fold(0, |number, digit| number * 10 + u64::from(digit - b'0'));
        self.at += digits;
        // What goes on with a point or an exponent is not whole, and is refused by whoever looks for what follows.
        (number <= MAX_NUMBER).then_some(())
    }
}

/// The order of two keys by their UTF-16 code units (RFC 8785 section 3.2.3).
fn order(a: &[u8], b: &[u8]) -> Option<Ordering> {
    let plain = |key: &[u8]| key.is_ascii() && !key.contains(&b'\\');
    if plain(a) && plain(b) {
        return Some(a.cmp(b));
    }
    let text = |key: &[u8]| serde_json::from_slice::<String>(&[b"\"", key, b"\""].concat()).ok();
    Some(text(a)?.encode_utf16().cmp(text(b)?.encode_utf16()))
}

#[cfg(test)]
mod tests {
    use super::super::{JsonError, read_some, write};
    use super::*;
    use serde_json::{Map, Value, json};

    /// As the definition has it.
    fn written_anew(bytes: &[u8]) -> bool {
        serde_json::from_slice::<Value>(bytes).is_ok_and(|value| write(&value).is_ok_and(|again| again == bytes))
    }

    /// A generator of numbers (splitmix64), the same in every run.
    struct Random(u64);

    impl Random {
        fn below(&mut self, most: usize) -> usize {
            self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
            (mixed ^ mixed >> 31) as usize % most
        }

        fn text(&mut self) -> String {
            let all = ['a', 'b', '"', '\\', '\n', '\u{1}', '\u{8}', '\u{1f}', '/', 'é', '\u{e000}', '\u{10000}', '\u{7f}', ' '];
            (0..self.below(4)).map(|_| all[self.below(all.len())]).collect()
        }

        fn value(&mut self, depth: usize) -> Value {
            match self.below(if depth > 3 { 5 } else { 7 }) {
                0 => Value::Null,
                1 => json!(self.below(2) == 0),
                2 => json!([0, 1, 42, MAX_NUMBER, MAX_NUMBER + 1][self.below(5)]),
                3 => json!([-1i64, -42, -(MAX_NUMBER as i64)][self.below(3)]),
                4 => json!(self.text()),
                5 => (0..self.below(4)).map(|_| self.value(depth + 1)).collect(),
                _ => Value::Object((0..self.below(4)).map(|_| (self.text(), self.value(depth + 1))).collect::<Map<_, _>>()),
            }
        }
    }

    #[test]
    fn it_is_what_writing_anew_gives() {
        let mut random = Random(7);
        let mut canonical = 0;
        for _ in 0..20_000 {
            let value = random.value(0);
            let mut bytes = if random.below(2) == 0 { write(&value).unwrap_or_default() } else { serde_json::to_vec(&value).unwrap() };
            if random.below(2) == 0 && !bytes.is_empty() {
                let at = random.below(bytes.len());
                match random.below(3) {
                    0 => drop(bytes.remove(at)),
                    1 => bytes.insert(at, b"\"\\,:{}[]01-+.eEu \ntrf"[random.below(21)]),
                    _ => bytes[at] ^= 1 << random.below(8),
                }
            }
            canonical += usize::from(is_canonical(&bytes));
            assert_eq!(is_canonical(&bytes), written_anew(&bytes), "{}", bytes.escape_ascii());
        }
        assert!((5_000..15_000).contains(&canonical), "{canonical}");
    }

    #[test]
    fn nesting_is_bounded_where_the_reader_of_values_is() {
        for depth in [1, 126, 127, 128, 100_000] {
            let bytes = [b"[".repeat(depth), b"]".repeat(depth)].concat();
            assert_eq!(is_canonical(&bytes), written_anew(&bytes), "{depth}");
        }
    }

    #[test]
    fn some_fields_are_read_and_all_are_checked() {
        let read = read_some(br#"{"a":[1],"b":"x","c":{"a":2}}"#, &["c", "a", "z"]).unwrap();
        assert_eq!(Value::Object(read), json!({"a": [1], "c": {"a": 2}}));
        assert_eq!(read_some(br#"{"a":1,"b":1.0}"#, &["a"]), Err(JsonError::Number));
        assert_eq!(read_some(br#"{"a":1,"b": 1}"#, &["a"]), Err(JsonError::NotCanonical));
        assert!(matches!(read_some(b"[1]", &["a"]), Err(JsonError::NotJson(_))));
        assert!(matches!(read_some(br#"{"a":1}x"#, &["a"]), Err(JsonError::NotJson(_))));
    }
}
