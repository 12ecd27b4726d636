//! Writes the demonstration's trove: the papers of Brackwater, a town that does not exist, about a wall that leaked. The same on every machine.
//!
//! story.txt tells what happened; [`routine`] adds what else passes through a town hall; [`odd`] adds what real troves hold besides.

mod dkim;
mod files;
mod mime;
mod odd;
mod picture;
mod random;
mod routine;
mod story;
mod zip;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use mime::Mail;
use random::Random;
use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use story::{Letter, Person, Place, Thread};

const SEED: u64 = 0x0DA7_11C4;

/// What was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Summary {
    /// How many messages, in mailboxes, in the zip and as files; those attached to others not counted.
    pub(crate) messages: usize,
    /// How many bytes all files have.
    pub(crate) bytes: usize,
}

/// Writes the trove into the folder `trove`, which is made, and into the file `keys` the public keys of those who signed their mail, as lines
/// of a zone file.
pub(crate) fn write(trove: &Path, keys: &Path) -> io::Result<Summary> {
    let mut random = Random::new(SEED);
    let told = story::read(include_str!("story.txt"));
    let (mut people, mut threads) =
        told.map_err(|line| io::Error::other(format!("the demonstration's story breaks off at line {line}")))?;
    let (residents, daily) = routine::threads(&mut random);
    people.extend(residents);
    threads.extend(daily);
    let people = people.into_iter().map(|person| (person.key.clone(), person)).collect();
    let mut post = Post { people, random, written: Vec::new(), forwarded: Vec::new() };
    for thread in &threads {
        post.thread(thread);
    }
    post.written.sort_by_key(|written| written.seconds);
    let files = odd::files(&post.written).into_iter().chain(boxes(&post.written));
    let mut summary = Summary { messages: post.written.len(), bytes: 0 };
    for (name, bytes) in files {
        let path = trove.join(&name);
        std::fs::create_dir_all(path.parent().unwrap_or(trove))?;
        summary.bytes += bytes.len();
        summary.messages += usize::from(name.starts_with("odd/") && name.ends_with(".eml"));
        std::fs::write(path, bytes)?;
    }
    std::fs::write(keys, dkim::records())?;
    Ok(summary)
}

/// A message as it lies in the trove, with LF line ends.
struct Written {
    place: Place,
    seconds: i64,
    sender: String,
    bytes: Vec<u8>,
}

/// Turns conversations into messages.
struct Post {
    people: BTreeMap<String, Person>,
    random: Random,
    written: Vec<Written>,
    /// The message that somebody forwards later.
    forwarded: Vec<u8>,
}

/// What an answer needs to know of the message it answers.
struct Sent<'a> {
    letter: &'a Letter,
    to: Vec<String>,
    text: String,
    id: String,
    references: Vec<String>,
}

impl Post {
    fn thread(&mut self, thread: &Thread) {
        let mut sent: Vec<Sent<'_>> = Vec::new();
        for letter in &thread.letters {
            let answered = letter.answers.and_then(|at| sent.get(at));
            let Some(from) = self.people.get(&letter.from).cloned() else { continue };
            let (to, cc) = recipients(letter, answered);
            let said = wrapped(&letter.paragraphs);
            let mut text = said.clone();
            if !text.is_empty() {
                text = format!("{text}\n-- \n{}\n", from.signature.join("\n"));
            }
            if let Some(answered) = answered {
                text = self.quote(&said, &from, answered);
            }
            let id = format!("{:012x}.{}@{}", self.random.next() >> 16, self.written.len() + 1, from.domain());
            let mut references = answered.map_or_else(Vec::new, |answered| answered.references.clone());
            references.extend(answered.map(|answered| answered.id.clone()));
            let seconds = seconds(letter.at) + self.random.below(60) as i64;
            let again = if answered.is_some() && !thread.subject.starts_with("Re: ") { "Re: " } else { "" };
            let mail = Mail {
                from: &from,
                to: to.iter().filter_map(|key| self.people.get(key)).collect(),
                cc: cc.iter().filter_map(|key| self.people.get(key)).collect(),
                subject: format!("{again}{}", thread.subject),
                date: dated(seconds, offset(&from.key, letter.at)),
                id: id.clone(),
                references: references.clone(),
                text: text.clone(),
                html: letter.html.as_ref().map(|html| if html.is_empty() { html_of(letter) } else { html.clone() }),
                encoding: letter.encoding.clone(),
                files: letter.attached.iter().map(|name| files::file(name, &self.forwarded)).collect(),
                extra: vec![format!("X-Mailer: {}", mailer(&from))],
            };
            let boundary = format!("=_{:016x}", self.random.next());
            let bytes = self.delivered(mail.bytes(&boundary), letter, &from, seconds);
            if self.forwarded.is_empty() && thread.subject.starts_with("The word") {
                self.forwarded.clone_from(&bytes);
            }
            self.written.push(Written { place: letter.place, seconds, sender: from.address.clone(), bytes });
            sent.push(Sent { letter, to: to.into_iter().chain(cc).collect(), text: said, id, references });
        }
    }

    /// An answer above what it answers, as most people write.
    fn quote(&self, said: &str, from: &Person, answered: &Sent<'_>) -> String {
        let name = self.people.get(&answered.letter.from).map_or("", |person| person.name.as_str());
        let when = answered.letter.at.strftime("%a, %-d %b %Y at %H:%M");
        let quoted: String = answered.text.lines().map(|line| format!("> {line}").trim_end().to_owned() + "\n").collect();
        format!("{said}\n{}\n\nOn {when}, {name} wrote:\n{quoted}", from.signature.first().map_or("", String::as_str))
    }

    /// The message as it arrives: signed by its sender's domain, with the trace of the server that took it in.
    fn delivered(&mut self, bytes: Vec<u8>, letter: &Letter, from: &Person, seconds: i64) -> Vec<u8> {
        let bytes = if letter.signed { dkim::sign(&bytes, from.domain(), seconds) } else { bytes };
        if from.domain() == "brackwater.example" {
            return bytes;
        }
        let (host, number) = (from.domain(), 10 + self.random.below(200));
        let trace = format!(
            "Received: from mail.{host} (mail.{host} [192.0.2.{number}])\n\tby mx.brackwater.example with ESMTPS id {:08x};\n\t{}\n",
            self.random.next() as u32,
            dated(seconds + 4, 0)
        );
        [trace.as_bytes(), &bytes].concat()
    }
}

/// Who it goes to: those named, or for a plain answer its sender, and in copy whoever else was there.
fn recipients(letter: &Letter, answered: Option<&Sent<'_>>) -> (Vec<String>, Vec<String>) {
    match answered {
        Some(answered) if letter.to.is_empty() => {
            // Who writes again before an answer came writes to the same people.
            let own = answered.letter.from == letter.from;
            let to = if own { answered.to.clone() } else { vec![answered.letter.from.clone()] };
            let others = answered.to.iter().filter(|key| **key != letter.from && !to.contains(key));
            (to.clone(), others.cloned().collect())
        }
        _ => (letter.to.clone(), letter.cc.clone()),
    }
}

/// Paragraphs as lines of at most 72 characters, with an empty line between them.
fn wrapped(paragraphs: &[String]) -> String {
    let mut text = String::new();
    for (number, paragraph) in paragraphs.iter().enumerate() {
        if number > 0 {
            text.push('\n');
        }
        let mut column = 0;
        for word in paragraph.split(' ').filter(|word| !word.is_empty()) {
            let width = word.chars().count();
            let fits = column + 1 + width <= 72;
            text.push_str(if column == 0 {
                ""
            } else if fits {
                " "
            } else {
                "\n"
            });
            text.push_str(word);
            column = if fits && column > 0 { column + 1 + width } else { width };
        }
        if !paragraph.is_empty() {
            text.push('\n');
        }
    }
    text
}

fn html_of(letter: &Letter) -> String {
    let direction = if ["layla", "noam"].contains(&letter.from.as_str()) { "rtl" } else { "ltr" };
    let paragraphs: String = letter.paragraphs.iter().map(|paragraph| format!("<p>{paragraph}</p>\n")).collect();
    format!(
        "<!DOCTYPE html>\n<html><head><meta charset=\"utf-8\"></head>\n<body><div dir=\"{direction}\">\n{paragraphs}</div></body></html>\n"
    )
}

fn mailer(person: &Person) -> &'static str {
    match person.domain() {
        "brackwater.example" => "Council Mail 4.2",
        "tidewell.example" => "Sitepost 11.0",
        _ => "Letterbox 3",
    }
}

/// Seconds since 1970 of a moment on Brackwater's clock.
fn seconds(at: DateTime) -> i64 {
    let utc = at.to_zoned(TimeZone::UTC).map_or(0, |zoned| zoned.timestamp().as_second());
    utc - offset("", at) * 60
}

/// Minutes east of UTC where somebody writes from. Summer is April to October: no country keeps it so, which is one more reason to read the header.
fn offset(key: &str, at: DateTime) -> i64 {
    let summer = i64::from((4..=10).contains(&at.month())) * 60;
    match key {
        "joerg" | "ines" | "etienne" | "malgorzata" => 60 + summer,
        "eleni" | "noam" => 120 + summer,
        "layla" | "sergei" => 180,
        "haiping" | "wen" => 480,
        "misaki" | "garam" => 540,
        _ => summer,
    }
}

/// A date as RFC 5322 has it.
fn dated(seconds: i64, offset: i64) -> String {
    let local = Timestamp::from_second(seconds).unwrap_or_default().to_zoned(TimeZone::UTC).datetime();
    let local = local.checked_add(offset.minutes()).unwrap_or(local);
    format!("{} +{:02}{:02}", local.strftime("%a, %d %b %Y %H:%M:%S"), offset / 60, offset % 60)
}

/// The files of the trove that hold the messages.
fn boxes(written: &[Written]) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<(String, Vec<u8>)> = Vec::new();
    let (mut mailbox, mut zipped) = (Vec::new(), Vec::new());
    for (number, message) in written.iter().enumerate() {
        match message.place {
            Place::Maildir => files.push((format!("clerk/cur/{}.{number:04}.brackwater:2,S", message.seconds), message.bytes.clone())),
            Place::Mbox => mailbox.extend(quoted(message)),
            Place::Zip => zipped.push((format!("letters/{number:04}.eml"), crlf(&message.bytes))),
            Place::Loose => files.push((format!("loose/{number:04}.eml"), crlf(&message.bytes))),
        }
    }
    files.push(("works-department.mbox".to_owned(), mailbox));
    let zipped: Vec<(&str, &[u8])> = zipped.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
    files.push(("residents-letters.zip".to_owned(), zip::stored(&zipped)));
    files
}

/// The message as it stands in an mboxrd: behind a `From ` line, every line that looks like one behind one more `>`, an empty line after it.
fn quoted(message: &Written) -> Vec<u8> {
    let when = Timestamp::from_second(message.seconds).unwrap_or_default().strftime("%a %b %e %H:%M:%S %Y").to_string();
    let mut lines = format!("From {} {when}\n", message.sender).into_bytes();
    for line in message.bytes.split_inclusive(|byte| *byte == b'\n') {
        let arrows = line.iter().take_while(|byte| **byte == b'>').count();
        if line[arrows..].starts_with(b"From ") {
            lines.push(b'>');
        }
        lines.extend_from_slice(line);
    }
    lines.push(b'\n');
    lines
}

fn crlf(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() + bytes.len() / 32);
    for byte in bytes {
        if *byte == b'\n' {
            out.push(b'\r');
        }
        out.push(*byte);
    }
    out
}

#[cfg(test)]
mod tests;
