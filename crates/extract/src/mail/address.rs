//! Lists of addresses (RFC 5322 section 3.4) as they are really written; groups are flattened.

use super::words::{self, WordFinder};
use daylight_model::{Person, Role};

/// Adds everybody whom an unfolded field names to `people`, up to `most`; says whether all fitted.
pub(super) fn parse(raw: &[u8], role: Role, hint: Option<&str>, most: usize, people: &mut Vec<Person>) -> bool {
    let mut list = List { raw, at: 0, finder: WordFinder::default(), unquoted: false, uncommented: false };
    while list.at < raw.len() {
        let one = list.mailbox();
        if let Some(person) = one.person(role, hint) {
            if people.len() >= most {
                return false;
            }
            people.push(person);
        }
    }
    true
}

struct List<'a> {
    raw: &'a [u8],
    at: usize,
    finder: WordFinder,
    /// No quote is closed from here on, so quotes are letters; so that looking for the end costs no more than once.
    unquoted: bool,
    uncommented: bool,
}

/// The pieces of one mailbox, still encoded.
#[derive(Default)]
struct Mailbox {
    phrase: Vec<u8>,
    angle: Option<Vec<u8>>,
    comment: Vec<u8>,
}

impl List<'_> {
    fn mailbox(&mut self) -> Mailbox {
        let mut one = Mailbox::default();
        while let Some(byte) = self.raw.get(self.at) {
            match byte {
                b',' | b';' => {
                    self.at += 1;
                    break;
                }
                b'"' if !self.unquoted => self.quoted(&mut one),
                b'(' if !self.uncommented => self.comment(&mut one),
                b'<' => self.angle(&mut one),
                // The name of a group, which is not kept. An address may have a colon only within quotes or brackets.
                b':' if one.angle.is_none() && !one.phrase.contains(&b'@') && one.phrase.len() < 1000 => {
                    one.phrase.clear();
                    one.comment.clear();
                    self.at += 1;
                }
                _ => self.letter(&mut one, *byte),
            }
        }
        one
    }

    fn letter(&mut self, one: &mut Mailbox, byte: u8) {
        let word = if byte == b'=' { self.finder.at(self.raw, self.at) } else { None };
        let length = word.map_or(1, |word| word.length);
        one.phrase.extend_from_slice(&self.raw[self.at..self.at + length]);
        self.at += length;
    }

    fn quoted(&mut self, one: &mut Mailbox) {
        let (from, mut at, mut text) = (self.at + 1, self.at + 1, Vec::new());
        while let Some(byte) = self.raw.get(at) {
            match byte {
                b'"' => {
                    // Where the quote is part of an address, such as "a b"@c, it stays.
                    let local = self.raw.get(at + 1) == Some(&b'@') || one.phrase.last() == Some(&b'@');
                    one.phrase.extend_from_slice(if local { &self.raw[from - 1..=at] } else { &text });
                    self.at = at + 1;
                    return;
                }
                b'\\' if at + 1 < self.raw.len() => {
                    text.push(self.raw[at + 1]);
                    at += 2;
                }
                byte => {
                    text.push(*byte);
                    at += 1;
                }
            }
        }
        self.unquoted = true;
        self.at += 1;
    }

    fn comment(&mut self, one: &mut Mailbox) {
        let (mut depth, mut at) = (0usize, self.at);
        while let Some(byte) = self.raw.get(at) {
            match byte {
                b'(' => depth += 1,
                b')' => depth -= 1,
                b'\\' => at += 1,
                _ => (),
            }
            at += 1;
            if depth == 0 {
                one.add_comment(&self.raw[self.at + 1..at - 1]);
                // Words on both sides of a comment are two.
                if !one.phrase.is_empty() {
                    one.phrase.push(b' ');
                }
                self.at = at;
                return;
            }
        }
        self.uncommented = true;
    }

    fn angle(&mut self, one: &mut Mailbox) {
        let inside = &self.raw[self.at + 1..];
        // An obsolete route has commas of its own (RFC 5322 section 4.4); elsewhere a comma means that the bracket was never closed.
        let route = inside.first() == Some(&b'@');
        let mut quoted = false;
        let end = inside.iter().position(|b| {
            quoted ^= *b == b'"';
            matches!(b, b'>' | b'<') && !quoted || *b == b',' && !route && !quoted
        });
        let end = end.or_else(|| memchr::memchr2(b'>', b',', inside)).unwrap_or(inside.len());
        let text = &inside[..end];
        let text = if route { text.rsplit(|b| *b == b':').next().unwrap_or(text) } else { text };
        let (address, comments) = without_comments(text.trim_ascii());
        one.angle = Some(address);
        for comment in comments {
            one.add_comment(&comment);
        }
        self.at += 1 + end + usize::from(inside.get(end) == Some(&b'>'));
    }
}

/// A comment's text: a backslash stands before what would mean something otherwise (RFC 5322 section 3.2.1).
fn unescaped(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut escaped = false;
    for byte in text {
        escaped = *byte == b'\\' && !escaped;
        if !escaped {
            out.push(*byte);
        }
    }
    out
}

/// An address without the comments and, where there are some, the white space that RFC 5322 section 4.4 allows within one; and the comments.
fn without_comments(address: &[u8]) -> (Vec<u8>, Vec<Vec<u8>>) {
    if !address.contains(&b'(') || address.contains(&b'"') {
        return (address.to_vec(), Vec::new());
    }
    let (mut kept, mut comments, mut depth) = (Vec::with_capacity(address.len()), Vec::<Vec<u8>>::new(), 0usize);
    for byte in address {
        match byte {
            b'(' if depth == 0 => comments.push(Vec::new()),
            b')' if depth == 1 => (),
            byte if depth > 0 => comments.last_mut().into_iter().for_each(|comment| comment.push(*byte)),
            byte if byte.is_ascii_whitespace() => (),
            byte => kept.push(*byte),
        }
        depth = (depth + usize::from(*byte == b'(')).saturating_sub(usize::from(*byte == b')'));
    }
    if depth == 0 { (kept, comments) } else { (address.to_vec(), Vec::new()) }
}

impl Mailbox {
    fn add_comment(&mut self, text: &[u8]) {
        if !self.comment.is_empty() {
            self.comment.push(b' ');
        }
        self.comment.extend_from_slice(&unescaped(text));
    }

    fn person(self, role: Role, hint: Option<&str>) -> Option<Person> {
        let comment = words::decode(self.comment.trim_ascii(), hint);
        let phrase = words::decode(self.phrase.trim_ascii(), hint);
        let phrase = squeeze(&phrase);
        let (name, address) = match self.angle {
            Some(address) => (phrase, words::decode(&address, hint)),
            None => split(phrase),
        };
        let name = match (name.is_empty(), comment.is_empty()) {
            (_, true) => name,
            (true, false) => comment,
            (false, false) => format!("{name} ({comment})"),
        };
        let name = name.trim_matches(|c: char| c.is_whitespace() || c == '\'').to_owned();
        (!name.is_empty() || !address.is_empty()).then_some(Person { role, name, address })
    }
}

/// A phrase without brackets: the word with an `@` in it is the address. Some encode name and brackets as one word.
fn split(phrase: String) -> (String, String) {
    if let Some((name, address)) = phrase.strip_suffix('>').and_then(|p| p.rsplit_once('<')) {
        return (name.trim().to_owned(), address.to_owned());
    }
    if phrase.starts_with('"') && phrase.contains('@') {
        return (String::new(), phrase);
    }
    let words: Vec<&str> = phrase.split(' ').collect();
    let Some(at) = words.iter().position(|word| word.contains('@')) else { return (phrase, String::new()) };
    // A domain may have white space around its dots (RFC 5322 section 4.4).
    let more = words[at..].windows(2).take_while(|pair| pair[0].ends_with('.') || pair[1].starts_with('.')).count();
    let name: Vec<&str> = words[..at].iter().chain(&words[at + more + 1..]).filter(|word| !word.contains('@')).copied().collect();
    (name.join(" "), words[at..=at + more].concat())
}

/// One space for each run of white space.
fn squeeze(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for word in text.split_ascii_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn people(field: &str) -> Vec<(String, String)> {
        let mut people = Vec::new();
        assert!(parse(field.as_bytes(), Role::To, None, 100, &mut people));
        people.into_iter().map(|person| (person.name, person.address)).collect()
    }

    #[test]
    fn addresses_are_read_as_people_write_them() {
        for (field, expected) in [
            ("a@b.c", vec![("", "a@b.c")]),
            ("Ann <a@b.c>, \"Doe, John\" <j@d.e>", vec![("Ann", "a@b.c"), ("Doe, John", "j@d.e")]),
            ("a@b.c (Ann (of) B)", vec![("Ann (of) B", "a@b.c")]),
            ("A Group: Ann <a@b.c>, d@e.f; last@x.y", vec![("Ann", "a@b.c"), ("", "d@e.f"), ("", "last@x.y")]),
            ("undisclosed-recipients:;", vec![]),
            ("=?utf-8?Q?Doe=2C_J?= =?utf-8?B?w7Y=?= <j@d.e>", vec![("Doe, Jö", "j@d.e")]),
            ("=?utf-8?Q?Doe, John?= <j@d.e>", vec![("Doe, John", "j@d.e")]),
            ("\"=?iso-8859-1?Q?J=F6?=\" <j@d.e>", vec![("Jö", "j@d.e")]),
            ("<@a.b,@c.d:e@f.g>, <h@i.j, k@l.m", vec![("", "e@f.g"), ("", "h@i.j"), ("", "k@l.m")]),
            ("\"unclosed <a@b.c>, d@e.f", vec![("unclosed", "a@b.c"), ("", "d@e.f")]),
            ("(unclosed a@b.c", vec![("(unclosed", "a@b.c")]),
            ("\"a b\"@c.d", vec![("", "\"a b\"@c.d")]),
            ("root", vec![("root", "")]),
            ("Ann a@b.c; 'Bob' <b@b.c>", vec![("Ann", "a@b.c"), ("Bob", "b@b.c")]),
            (
                "Pete(A nice \\) chap) <pete(his account)@silly(his) .test>",
                vec![("Pete (A nice ) chap his account his)", "pete@silly.test")],
            ),
            ("(Empty)(start)Hidden: ;, A Group(Some people): b@c.d;", vec![("", "b@c.d")]),
            ("jdoe@test  . example", vec![("", "jdoe@test.example")]),
            (",,;:<>()\"\"", vec![]),
        ] {
            let expected: Vec<(String, String)> = expected.into_iter().map(|(n, a)| (n.into(), a.into())).collect();
            assert_eq!(people(field), expected, "{field}");
        }
    }

    #[test]
    fn a_hostile_list_costs_no_more_than_its_length() {
        for piece in ["\"", "(", "<", "=?a?q?", "\\", ":", "<\"", "()", "=?x?b?=?="] {
            let mut found = Vec::new();
            parse(piece.repeat(100_000).as_bytes(), Role::To, None, 100, &mut found);
        }
    }
}
