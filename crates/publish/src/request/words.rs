//! What is signed, in plain words, derived from the signed bytes and from what is bound to them by hash.

use super::{Listed, Request, RequestError, Statement};
use daylight_archive::directory::DirectoryNote;
use daylight_archive::key::Key;
use daylight_archive::release::{ReleaseNote, format_time};
use daylight_archive::root::{Quorum, Root};
use daylight_archive::withdraw::{Copies, WithdrawNote};
use daylight_model::{Digest, Name};

/// What a person is shown before signing. Nothing in it has a control character or one that reorders or hides text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Words {
    /// What is signed, in a few words.
    pub title: String,
    /// What it says: a label and a value, an empty label where a line goes on with what is above it.
    pub lines: Vec<(String, String)>,
    /// What could not be checked, and what to give so that it can be.
    pub unchecked: Vec<String>,
}

/// A text with everything escaped that could have it read as another: control characters, what reorders or hides characters, and the backslash.
pub fn plain(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if hides(c) {
            shown.push_str(&format!("\\u{{{:x}}}", u32::from(c)))
        } else {
            shown.push_str(&Name::from(c.encode_utf8(&mut [0; 4]) as &str).to_string())
        }
    }
    shown
}

/// Characters of Unicode's category Cf and the separators that a terminal shows as nothing or by moving others; those that reorder are the name's.
fn hides(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

impl Words {
    fn new(title: String) -> Self {
        Self { title, ..Self::default() }
    }

    pub(crate) fn line(&mut self, label: &str, value: impl AsRef<str>) {
        self.lines.push((label.to_owned(), plain(value.as_ref())));
    }
}

impl Request {
    /// What it asks to sign. A new type of note that is more than its text has its words here.
    pub fn words(&self) -> Result<Words, RequestError> {
        let mut words = match self.statement() {
            Statement::Release { note, first } => release(note, first),
            Statement::Seal { note, first } => seal(note, first),
            Statement::Root(new) => proposed(new, self.chain().map(|chain| &chain.last().root)),
            Statement::Other { serial } => other(self, *serial),
        };
        if let Some(chain) = self.chain() {
            let link = chain.last();
            words.line("root in force", format!("{} ({})", link.root.version, link.digest));
        }
        for (place, line) in self.standing()?.words().into_iter().enumerate() {
            words.lines.push((if place == 0 { "signatures" } else { "" }.to_owned(), line));
        }
        Ok(words)
    }
}

fn other(request: &Request, serial: u64) -> Words {
    let mut words = Words::new(format!("{} {serial} of {}", request.kind().word(), plain(request.origin())));
    if let Ok(note) = WithdrawNote::parse_text(request.text()) {
        withdrawal(&mut words, &note);
        return words;
    }
    if let Ok(note) = DirectoryNote::parse_text(request.text()) {
        directory(&mut words, &note);
        return words;
    }
    for (place, line) in request.text().lines().enumerate() {
        words.line(if place == 0 { "its whole text" } else { "" }, line);
    }
    words
}

fn withdrawal(words: &mut Words, note: &WithdrawNote) {
    words.line("reason", &note.reason);
    let asked = match note.copies {
        Copies::Keep => "to show them as withdrawn, and to keep their bytes",
        Copies::Erase => "to ERASE their lines and bytes: what is erased cannot be brought back",
    };
    words.line("copies are asked", asked);
    let successor = note.successor.as_ref().map_or_else(|| "none".to_owned(), |(collection, number)| format!("{collection}/{number}"));
    words.line("to read instead", successor);
    words.line("dated", format_time(note.time).unwrap_or_default());
    words.line("documents", note.documents.len().to_string());
    for document in &note.documents {
        let releases: Vec<String> = document.lines.iter().map(|line| line.release.to_string()).collect();
        words.line("", format!("{}/{}, published in release {}", note.collection, document.number, releases.join(", ")));
    }
    words.unchecked.push("what these documents are: `daylight show ARCHIVE COLLECTION/NUMBER`".into());
}

fn directory(words: &mut Words, note: &DirectoryNote) {
    words.line("it says", "who can read what sources send: everybody named here, and nobody else");
    for (place, member) in note.members.iter().enumerate() {
        words.line(if place == 0 { "members" } else { "" }, member.to_string());
    }
    let day = |epoch: u32| format_time(i64::from(epoch) * 86_400).and_then(|time| time.split_once('T').map(|(day, _)| day.to_owned()));
    let (first, last) = (day(note.first).unwrap_or_default(), day(note.last()).unwrap_or_default());
    words.line("days", format!("{first} to {last} ({} in all), a key of each member for each", note.epochs.len()));
    let digests: Vec<u8> = note.epochs.iter().flatten().flat_map(|digest| digest.0).collect();
    words.line("their keys", format!("together {}", Digest::of(&digests)));
    words.line("dated", format_time(note.time).unwrap_or_default());
    words.unchecked.push("whose the members' keys are: compare them with their owners, by voice or in person".into());
    let own = "that your own keys are in it, if you are a member: `daylight drop directory show REQUEST --keyring FILE`";
    words.unchecked.push(own.into());
}

fn release(note: &ReleaseNote, first: &[Listed]) -> Words {
    let mut words = Words::new(format!("release {} of {}", note.serial, plain(&note.origin)));
    words.line("collection", format!("{}: {}", note.collection, note.title));
    words.line("documents", note.lines.to_string());
    for (place, listed) in first.iter().enumerate() {
        words.line(if place == 0 { "the first" } else { "" }, title(&note.collection, listed));
    }
    words.line("manifest", note.manifest.to_string());
    words.line("audit head", note.audit.to_string());
    words.line("drafted", note.time_text());
    let more = note.lines - first.len() as u64;
    let rest = if more > 0 { format!("the titles of the other {more}, ") } else { String::new() };
    words
        .unchecked
        .push(format!("{rest}which documents replace earlier ones, and the published bytes: --archive DIR with the staged release"));
    words
}

fn seal(note: &ReleaseNote, first: &[Listed]) -> Words {
    let mut words = release(note, first);
    words.title = format!("a release to be sealed for {}", plain(&note.origin));
    words.line("it is", "not published now: it is encrypted and handed out, and whoever opens it may publish it");
    words.unchecked = vec!["the documents: --archive DIR with the folder sealing/archive of the desk, or a copy of it".to_owned()];
    words
}

/// A document of a release in one line.
pub(crate) fn title(collection: &str, listed: &Listed) -> String {
    let record = &listed.record;
    let reason = if record.reason.is_empty() { String::new() } else { format!(" (replaces an earlier one: {})", record.reason) };
    format!("{collection}/{}  {}  {}{reason}", record.number, record.kind.word(), record.title)
}

fn proposed(new: &Root, old: Option<&Root>) -> Words {
    let mut words = root_words(new, old);
    let known = |key: &Key| old.is_some_and(|old| [&old.editors, &old.recovery].iter().any(|quorum| same(&quorum.keys, key).is_some()));
    if [&new.editors, &new.recovery].iter().any(|quorum| quorum.keys.iter().any(|key| !known(key))) {
        words.unchecked.push("whose the new keys are: compare them with their owners, by voice or in person".into());
    }
    words
}

/// A root in words: with the one before it, who comes and who goes.
pub fn root_words(new: &Root, old: Option<&Root>) -> Words {
    let mut words = Words::new(format!("root {} of {}", new.version, plain(&new.origin)));
    keys(&mut words, "editors", &new.editors, old.map(|old| &old.editors));
    for retired in &new.retired {
        words.line("", format!("{}'s signatures count no more from log size {} on", retired.key.name(), retired.size));
    }
    keys(&mut words, "recovery keys", &new.recovery, old.map(|old| &old.recovery));
    match old {
        Some(old) if old.log == new.log => words.line("log key", format!("stays {}", new.log)),
        Some(old) => {
            words.line("log key", format!("comes {}", new.log));
            words.line("", format!("goes  {}", old.log));
        }
        None => words.line("log key", new.log.to_string()),
    }
    let label = match old {
        Some(old) if old.witnesses == new.witnesses => "witnesses stay",
        Some(_) => "witnesses change",
        None => "witnesses",
    };
    for (place, line) in new.witnesses.text().lines().enumerate() {
        words.line(if place == 0 { label } else { "" }, line);
    }
    urls(&mut words, "mirrors", &new.mirrors, old.map(|old| old.mirrors.as_slice()));
    urls(&mut words, "onions", &new.onions, old.map(|old| old.onions.as_slice()));
    if let Ok(json) = new.to_json() {
        words.line("hash", Digest::of(&json).to_string());
    }
    words
}

/// Who comes, who goes, who stays, and how many must sign.
fn keys(words: &mut Words, label: &str, new: &Quorum, old: Option<&Quorum>) {
    let of = |quorum: &Quorum| {
        if quorum.keys.is_empty() { "none".to_owned() } else { format!("{} of {} must sign", quorum.threshold, quorum.keys.len()) }
    };
    match old {
        Some(old) if of(old) != of(new) => words.line(label, format!("{}; before: {}", of(new), of(old))),
        _ => words.line(label, of(new)),
    }
    let before = old.map_or(&[][..], |old| old.keys.as_slice());
    for key in &new.keys {
        words.line("", format!("{}{key}", how(key, old.map(|_| before))));
    }
    for key in before.iter().filter(|key| same(&new.keys, key).is_none()) {
        words.line("", format!("goes  {key}"));
    }
}

/// The key with these bytes, whatever its name.
fn same<'a>(keys: &'a [Key], key: &Key) -> Option<&'a Key> {
    keys.iter().find(|other| other.public() == key.public())
}

fn how(key: &Key, before: Option<&[Key]>) -> String {
    match before.map(|before| same(before, key)) {
        None => String::new(),
        Some(None) => "comes ".to_owned(),
        Some(Some(known)) if known.name() == key.name() => "stays ".to_owned(),
        Some(Some(known)) => format!("is renamed from {}: ", known.name()),
    }
}

fn urls(words: &mut Words, label: &str, new: &[String], old: Option<&[String]>) {
    if new.is_empty() && old.is_none_or(<[String]>::is_empty) {
        return words.line(label, "none");
    }
    let before = old.unwrap_or_default();
    let mut place = 0;
    let mut line = |words: &mut Words, text: String| {
        words.line(if place == 0 { label } else { "" }, text);
        place += 1;
    };
    for url in new {
        let how = if old.is_none() {
            ""
        } else if before.contains(url) {
            "stays "
        } else {
            "comes "
        };
        line(words, format!("{how}{url}"));
    }
    for url in before.iter().filter(|url| !new.contains(url)) {
        line(words, format!("goes  {url}"));
    }
}
