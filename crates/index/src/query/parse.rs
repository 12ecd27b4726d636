//! From what was typed to a tree. Every mistake is answered with what is wrong and where.

use super::dates::{self, Side};
use super::{Field, How, Node, QueryError, Text};
use daylight_model::is_language_code;
use std::ops::Range;

const LONGEST: usize = 4096;
const DEEPEST: usize = 50;
const MOST_CLAUSES: usize = 200;
const WIDEST_GAP: u32 = 100;
const LONGEST_CLOSE: usize = 64;

const FIELDS: &str = "from:, to:, cc:, person:, subject:, body:, file:, type:, lang:, has:, is:, dkim:, date:, after:, before:, collection:, thread:, near: and sha256:";

type Result<T> = std::result::Result<T, QueryError>;

pub(super) fn parse(text: &str) -> Result<Option<Node>> {
    if text.len() > LONGEST {
        return error(LONGEST..text.len(), format!("this query is longer than {LONGEST} bytes"));
    }
    let mut parser = Parser { text, at: 0, clauses: 0, skipped: None };
    let root = parser.all(Ask::Words(Field::Anywhere), 0)?;
    match (root, parser.skipped) {
        (None, Some(at)) => error(at, "there is no letter or digit to search for".to_owned()),
        (root, _) => Ok(root),
    }
}

fn error<T>(at: Range<usize>, message: String) -> Result<T> {
    Err(QueryError { message, at })
}

fn both_sides<T>(joint: &str, at: Range<usize>) -> Result<T> {
    error(at, format!("{joint} needs something on both sides; to search for the word, write it small"))
}

/// What a value is the value of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ask {
    Words(Field),
    Type,
    Has,
    Is,
    Date(Side),
    Signed,
    Collection,
    Thread,
    Near,
    Language,
    Sha256,
}

/// The field of this name, or else whether it is known to come later.
fn field(name: &str) -> std::result::Result<Ask, bool> {
    Ok(match name.to_ascii_lowercase().as_str() {
        "from" => Ask::Words(Field::From),
        "to" => Ask::Words(Field::To),
        "cc" => Ask::Words(Field::Cc),
        "person" => Ask::Words(Field::Person),
        "subject" | "title" => Ask::Words(Field::Subject),
        "body" => Ask::Words(Field::Body),
        "file" => Ask::Words(Field::File),
        "type" => Ask::Type,
        "has" => Ask::Has,
        "is" => Ask::Is,
        "date" => Ask::Date(Side::On),
        "after" => Ask::Date(Side::After),
        "before" => Ask::Date(Side::Before),
        "collection" => Ask::Collection,
        "thread" => Ask::Thread,
        "near" => Ask::Near,
        "lang" => Ask::Language,
        "sha256" => Ask::Sha256,
        "dkim" => Ask::Signed,
        "tag" => return Err(true),
        _ => return Err(false),
    })
}

/// A value as it was written, with its signs taken off.
struct Value<'t> {
    text: &'t str,
    quoted: bool,
    how: How,
    at: Range<usize>,
}

struct Parser<'t> {
    text: &'t str,
    at: usize,
    clauses: usize,
    /// A stray sign that was passed over because there is nothing to search for in it.
    skipped: Option<Range<usize>>,
}

impl<'t> Parser<'t> {
    /// Everything up to the end or to a closing parenthesis, joined by AND. `None` if there is nothing.
    fn all(&mut self, ask: Ask, depth: usize) -> Result<Option<Node>> {
        let mut nodes = Vec::new();
        loop {
            self.space();
            if self.rest().is_empty() || (depth > 0 && self.rest().starts_with(')')) {
                break;
            }
            if let Some(word) = self.keyword("AND") {
                if nodes.is_empty() || self.ends_here() {
                    return both_sides("AND", word);
                }
                continue;
            }
            nodes.extend(self.either(ask, depth)?);
        }
        Ok(match nodes.len() {
            0 | 1 => nodes.pop(),
            _ => Some(Node::All(nodes)),
        })
    }

    /// One clause, or several joined by OR.
    fn either(&mut self, ask: Ask, depth: usize) -> Result<Option<Node>> {
        let start = self.at;
        let first = self.clause(ask, depth)?;
        let mut nodes = Vec::from_iter(first);
        while let Some(word) = self.keyword("OR") {
            if self.ends_here() || nodes.is_empty() {
                return both_sides("OR", word);
            }
            self.space();
            let start = self.at;
            match self.clause(ask, depth)? {
                Some(node) => nodes.push(node),
                None => return self.nothing_in(start),
            }
        }
        debug_assert!(self.at > start, "every clause goes on");
        Ok(match nodes.len() {
            0 | 1 => nodes.pop(),
            _ => Some(Node::Any(nodes)),
        })
    }

    /// A word, phrase, group or field, perhaps negated. `None` for a stray sign.
    fn clause(&mut self, ask: Ask, depth: usize) -> Result<Option<Node>> {
        self.clauses += 1;
        let start = self.at;
        if self.clauses > MOST_CLAUSES {
            return error(start..self.text.len(), format!("a query has at most {MOST_CLAUSES} parts; this one has more"));
        }
        if depth > DEEPEST {
            return error(start..start + 1, format!("a query is nested at most {DEEPEST} deep"));
        }
        if self.rest().starts_with(')') {
            return error(start..start + 1, "this parenthesis closes nothing".to_owned());
        }
        for joint in ["OR", "AND"] {
            if let Some(word) = self.keyword(joint) {
                return both_sides(joint, word);
            }
        }
        let negated = self.keyword("NOT").is_some() || self.eat('-');
        if negated {
            if self.rest().starts_with(|c: char| c.is_whitespace() && self.text.as_bytes()[start] == b'-') || self.ends_here() {
                return error(start..self.at, "a minus stands right before what it excludes, as in -draft".to_owned());
            }
            self.space();
            let inner = self.clause(ask, depth + 1)?;
            return match inner {
                Some(node) => Ok(Some(Node::Not(Box::new(node)))),
                None => self.nothing_in(start),
            };
        }
        if self.eat('(') {
            return self.group(ask, depth, start);
        }
        if let Some((name, ask)) = self.field_name()? {
            return self.field_value(name, ask, depth).map(Some);
        }
        let value = self.value()?;
        self.node(ask, &value)
    }

    fn group(&mut self, ask: Ask, depth: usize, start: usize) -> Result<Option<Node>> {
        let inner = self.all(ask, depth + 1)?;
        if !self.eat(')') {
            return error(start..start + 1, "this parenthesis is never closed".to_owned());
        }
        match inner {
            Some(node) => Ok(Some(node)),
            None => error(start..self.at, "there is nothing to search for between these parentheses".to_owned()),
        }
    }

    /// Steps over `name:` where one stands here, and says what it asks for.
    fn field_name(&mut self) -> Result<Option<(Range<usize>, Ask)>> {
        let rest = self.rest();
        let length = rest.bytes().take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-')).count();
        let (name, after) = rest.split_at(length);
        let Some(after) = after.strip_prefix(':').filter(|_| name.starts_with(|c: char| c.is_ascii_alphabetic())) else { return Ok(None) };
        let at = self.at..self.at + length + 1;
        match field(name) {
            Ok(ask) => {
                self.at = at.end;
                Ok(Some((at, ask)))
            }
            Err(true) => error(at, format!("this archive has no field {name}: yet; the fields are {FIELDS}")),
            // An address such as http://x, a time, a reply's subject or a name in a program: words.
            Err(false) if length == 1 || after.is_empty() || after.starts_with(|c: char| c.is_whitespace() || "/:)\\".contains(c)) => {
                Ok(None)
            }
            Err(false) => error(
                at,
                format!("there is no field {name}:; the fields are {FIELDS}; to search for the words themselves, put them in quotes"),
            ),
        }
    }

    fn field_value(&mut self, name: Range<usize>, ask: Ask, depth: usize) -> Result<Node> {
        let start = self.at;
        if self.ends_here() || self.rest().starts_with(char::is_whitespace) {
            let written = &self.text[name.clone()];
            return error(name, format!("{written} needs a value right after the colon"));
        }
        let node = if self.eat('(') {
            self.group(ask, depth, start)?
        } else {
            let value = self.value()?;
            self.node(ask, &value)?
        };
        match node {
            Some(node) => Ok(node),
            None => self.nothing_in(start),
        }
    }

    /// A phrase or a word, with the sign that may follow it.
    fn value(&mut self) -> Result<Value<'t>> {
        let start = self.at;
        if self.eat_any(QUOTES) { self.phrase(start) } else { self.word() }
    }

    fn phrase(&mut self, start: usize) -> Result<Value<'t>> {
        let rest = self.rest();
        let Some(length) = rest.find(QUOTES) else {
            return error(start..self.text.len(), "this quotation mark is never closed".to_owned());
        };
        let text = &rest[..length];
        self.at += length;
        self.eat_any(QUOTES);
        let sign = self.at;
        let mut how = How::Plain;
        if self.eat('~') {
            let digits = self.rest().bytes().take_while(u8::is_ascii_digit).count();
            let number = &self.rest()[..digits];
            self.at += digits;
            match number.parse::<u32>() {
                Ok(0) => {}
                Ok(gap) if gap <= WIDEST_GAP => how = How::Near(gap),
                _ => {
                    let message =
                        format!("after a phrase, ~ takes how many words may stand in between, 1 to {WIDEST_GAP}, as in \"two words\"~5");
                    return error(sign..self.at, message);
                }
            }
        }
        Ok(Value { text, quoted: true, how, at: start..self.at })
    }

    fn word(&mut self) -> Result<Value<'t>> {
        let start = self.at;
        let rest = self.rest();
        let length = rest.find(|c: char| c.is_whitespace() || matches!(c, '(' | ')') || QUOTES.contains(&c)).unwrap_or(rest.len());
        let word = &rest[..length];
        self.at += length;
        let at = start..self.at;
        if let Some(beginning) = word.strip_suffix('*') {
            return Ok(Value { text: beginning, quoted: false, how: How::Beginning, at });
        }
        match word.rsplit_once('~') {
            Some((text, sign)) if !text.is_empty() && sign.bytes().all(|b| b.is_ascii_digit()) => match sign {
                "" | "1" => Ok(Value { text, quoted: false, how: How::Close(1), at }),
                "2" => Ok(Value { text, quoted: false, how: How::Close(2), at }),
                _ => error(start + text.len()..at.end, "close spelling is ~1 or ~2: that many letters off".to_owned()),
            },
            _ => Ok(Value { text: word, quoted: false, how: How::Plain, at }),
        }
    }

    /// What a value asks for. `None` if it is a stray sign among words.
    fn node(&mut self, ask: Ask, value: &Value<'t>) -> Result<Option<Node>> {
        let Ask::Words(field) = ask else { return filter(ask, value).map(Some) };
        if !value.quoted && value.text.trim_end_matches('*').contains('*') {
            let star = value.at.start + value.text.find('*').unwrap_or(0);
            return error(star..star + 1, "a * can only stand at the end of a word".to_owned());
        }
        match Text::new(value.text, value.quoted, value.how) {
            Some(text) => check_close(text, value).map(|text| Some(Node::Text(field, text))),
            None if value.how == How::Beginning => error(value.at.clone(), "a * needs the beginning of a word before it".to_owned()),
            None if value.quoted => error(value.at.clone(), "there is no letter or digit to search for in these quotes".to_owned()),
            None => {
                self.skipped.get_or_insert(value.at.clone());
                Ok(None)
            }
        }
    }

    fn nothing_in<T>(&self, start: usize) -> Result<T> {
        error(start..self.at, "there is no letter or digit to search for here".to_owned())
    }

    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn space(&mut self) {
        self.at = self.text.len() - self.rest().trim_start().len();
    }

    fn eat(&mut self, c: char) -> bool {
        self.eat_any(&[c])
    }

    fn eat_any(&mut self, any: &[char]) -> bool {
        match self.rest().strip_prefix(any) {
            Some(rest) => {
                self.at = self.text.len() - rest.len();
                true
            }
            None => false,
        }
    }

    /// Steps over white space and this word, in capitals and by itself, if they come next, and says where it stands.
    fn keyword(&mut self, word: &str) -> Option<Range<usize>> {
        let after = self.rest().trim_start().strip_prefix(word)?;
        let alone = after.is_empty() || after.starts_with(|c: char| c.is_whitespace() || matches!(c, '(' | ')') || QUOTES.contains(&c));
        let end = self.text.len() - after.len();
        alone.then(|| {
            self.at = end;
            end - word.len()..end
        })
    }

    /// Whether nothing more comes in this group.
    fn ends_here(&self) -> bool {
        let rest = self.rest().trim_start();
        rest.is_empty() || rest.starts_with(')')
    }
}

/// Straight quotation marks and those that telephones make of them.
const QUOTES: &[char] = &['"', '“', '”', '„'];

fn check_close(text: Text, value: &Value<'_>) -> Result<Text> {
    if !matches!(text.how, How::Close(_)) {
        return Ok(text);
    }
    match text.terms.as_slice() {
        [term] if !term.dense && term.folded.chars().count() <= LONGEST_CLOSE => Ok(text),
        [_] => error(value.at.clone(), format!("close spelling works on words of letters, at most {LONGEST_CLOSE}")),
        _ => error(
            value.at.clone(),
            "close spelling works on one word; for words near each other, quote them, as in \"two words\"~5".to_owned(),
        ),
    }
}

/// What a value of a field that is not made of words asks for.
fn filter(ask: Ask, value: &Value<'_>) -> Result<Node> {
    let written = value.text.trim();
    let text = written.to_lowercase();
    let at = value.at.clone();
    if text.is_empty() {
        return error(at, "there is nothing to search for in these quotes".to_owned());
    }
    if ask != Ask::Type && ask != Ask::Sha256 && value.how != How::Plain {
        return error(at, "* and ~ work on words only, not on this field".to_owned());
    }
    match (ask, text.as_str()) {
        (Ask::Type, _) => Ok(Node::Type(text.trim_end_matches('/').to_owned())),
        (Ask::Has, "attachment" | "attachments") => Ok(Node::HasAttachment),
        (Ask::Has, _) => error(at, format!("has: knows only has:attachment, not “{written}”")),
        (Ask::Is, "unreadable") => Ok(Node::Unreadable),
        (Ask::Is, "redacted") => error(at, "this archive does not know is:redacted yet; is:unreadable works".to_owned()),
        (Ask::Is, _) => error(at, format!("is: knows only is:unreadable, not “{written}”")),
        (Ask::Signed, word) => Ok(Node::Signed(word.trim_end_matches('.').to_owned())),
        (Ask::Date(side), _) => dates::span(&text, side).map(Node::Dated).or_else(|message| error(at, message)),
        (Ask::Collection, _) => Ok(Node::Collection(text)),
        (Ask::Near, _) => Ok(Node::Near(written.to_owned(), at)),
        (Ask::Language, code) if is_language_code(code) => Ok(Node::Language(code.to_owned())),
        (Ask::Language, _) => error(at, format!("lang: takes the code of a language, such as en or de, not “{written}”")),
        (Ask::Thread, _) => Ok(Node::Thread(written.to_owned())),
        (Ask::Sha256, _) if (8..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_hexdigit()) => Ok(Node::Sha256(text)),
        (Ask::Sha256, _) => error(at, "sha256: takes a SHA-256 in hexadecimal digits, at least its first 8".to_owned()),
        (Ask::Words(_), _) => error(at, "words are not a filter".to_owned()),
    }
}
