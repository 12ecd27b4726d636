use crate::read;
use daylight_model::reading::{Event, Found, Input, Label, Place, Request, Segment, Sink, Stop, Task};
use daylight_model::{Digest, Fault, FaultCode, Kind, Name, Role};
use std::collections::{BTreeMap, HashSet};
use std::io;
use std::path::PathBuf;

/// Everything that a reading said, held to the rules of events.
#[derive(Default)]
pub(crate) struct Heard {
    pub(crate) found: Vec<Found>,
    pub(crate) bytes: BTreeMap<u32, Vec<u8>>,
    pub(crate) texts: Vec<(u32, Label, String)>,
    /// The page of each of `texts`.
    pub(crate) pages: Vec<Option<u32>>,
    pub(crate) faults: Vec<(u32, Fault)>,
    pub(crate) counted: Vec<(u32, Option<u64>, u64, u64)>,
    /// What is known of each document's words.
    pub(crate) words: BTreeMap<u32, (String, Option<Box<daylight_model::Sketch>>)>,
    pub(crate) cursors: Vec<u64>,
    pub(crate) view: String,
    pub(crate) unread: Vec<(u32, bool)>,
    /// Stop after so many events.
    patience: Option<usize>,
}

impl Sink for Heard {
    fn event(&mut self, event: Event) -> Result<(), Stop> {
        if let Some(patience) = &mut self.patience {
            *patience = patience.checked_sub(1).ok_or(Stop)?;
        }
        match event {
            Event::Found(found) => {
                assert_eq!(found.index as usize, self.found.len());
                assert_eq!(found.parent.is_none(), found.index == 0);
                assert!(found.parent.is_none_or(|parent| parent < found.index));
                self.found.push(found);
            }
            Event::Bytes { index, bytes } => {
                assert_eq!(index as usize + 1, self.found.len(), "bytes come before the next document");
                assert!(bytes.len() <= 1 << 20 && self.found[index as usize].place == Place::Follows);
                self.bytes.entry(index).or_default().extend(bytes);
            }
            Event::Text { index, segment: Segment { label, page, text } } => {
                assert!(text.len() <= 1 << 20 && (index as usize) < self.found.len());
                self.texts.push((index, label, text));
                self.pages.push(page);
            }
            Event::Fault { index, fault } => {
                assert!((index as usize) < self.found.len());
                self.faults.push((index, fault));
            }
            Event::Words { index, language, sketch } => {
                assert!((index as usize) < self.found.len() && self.words.insert(index, (language, sketch)).is_none(), "said once");
            }
            Event::Counted { index, expected, read, failed } => self.counted.push((index, expected, read, failed)),
            Event::Cursor(at) => self.cursors.push(at),
            Event::Unlocked { index, .. } => assert!((index as usize) < self.found.len()),
            Event::View(html) => self.view.push_str(&html),
            Event::Unread { page, gibberish } => self.unread.push((page, gibberish)),
            Event::Page { .. } => unreachable!("no page was asked for"),
        }
        Ok(())
    }
}

impl Heard {
    /// The original bytes of a document, from wherever they are.
    pub(crate) fn original<'a>(&'a self, root: &'a [u8], index: u32) -> &'a [u8] {
        match self.found[index as usize].place {
            Place::Whole => root,
            Place::Slice { of, offset, length } => &self.original(root, of)[offset as usize..][..length as usize],
            Place::Follows => self.bytes.get(&index).map_or(&[], Vec::as_slice),
        }
    }

    pub(crate) fn text(&self, index: u32, wanted: Label) -> String {
        self.texts.iter().filter(|(n, label, _)| *n == index && *label == wanted).map(|(.., text)| text.as_str()).collect()
    }

    pub(crate) fn codes(&self, index: u32) -> Vec<FaultCode> {
        self.faults.iter().filter(|(n, _)| *n == index).map(|(_, fault)| fault.code).collect()
    }
}

/// Bytes that are not in memory, as a file's are not.
pub(crate) struct OnDisk<'a>(pub(crate) &'a [u8]);

impl Input for OnDisk<'_> {
    fn length(&self) -> u64 {
        self.0.length()
    }
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let most = buffer.len().min(100_003);
        self.0.read_at(offset, &mut buffer[..most])
    }
    fn in_memory(&self) -> Option<&[u8]> {
        None
    }
}

pub(crate) fn request(name: &str, task: Task) -> Request {
    Request::new(task, Name::from(name), 4 << 30)
}

pub(crate) fn hear(name: &str, bytes: &[u8]) -> Heard {
    hear_with(name, bytes, &[])
}

/// The same with passwords to try.
pub(crate) fn hear_with(name: &str, bytes: &[u8], passwords: &[&str]) -> Heard {
    let mut heard = Heard::default();
    let all = Task::Read { start: 0, skip_first: false };
    let passwords = passwords.iter().map(|password| (*password).to_owned()).collect();
    read(&Request { passwords, ..request(name, all) }, &crate::document::Memory(bytes), &mut heard).unwrap();
    heard
}

/// Tries `times` seeded changes of `whole`: bits flipped, bytes set to what is large or small, and the end cut off.
pub(crate) fn mutate(whole: &[u8], times: u64, mut each: impl FnMut(&[u8])) {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % below.max(1)
    };
    for _ in 0..times {
        let mut changed = whole.to_vec();
        for _ in 0..=random(4) {
            // What is zero is mostly what nobody reads.
            let from = random(changed.len());
            let at = (from..changed.len()).find(|at| changed[*at] != 0).unwrap_or(from);
            match random(4) {
                0 => changed[at] = 0xff,
                1 => changed[at] = 0,
                _ => changed[at] ^= 1 << random(8),
            }
        }
        if random(4) == 0 {
            changed.truncate(random(changed.len()));
        }
        each(&changed);
    }
}

#[test]
fn files_are_told_by_bytes_then_by_name() {
    for (name, bytes, kind, media, code) in [
        ("x", &b""[..], Kind::File, "application/octet-stream", Some(FaultCode::Empty)),
        ("x.pdf", b"", Kind::File, "application/pdf", Some(FaultCode::Empty)),
        ("x.txt", b"%PDF-1.4\nx", Kind::File, "application/pdf", Some(FaultCode::Malformed)),
        ("x.pdf", b"junk\n%PDF-1.4\nx", Kind::File, "application/pdf", Some(FaultCode::Malformed)),
        ("x.doc", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0\0", Kind::File, "application/msword", Some(FaultCode::Malformed)),
        ("x", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0\0", Kind::File, "application/x-ole-storage", Some(FaultCode::Malformed)),
        ("x", b"!BDN\0\0", Kind::Container, "application/vnd.ms-outlook-pst", Some(FaultCode::Malformed)),
        ("x.mp3", b"\0\x01\x02\x03", Kind::File, "audio/mpeg", Some(FaultCode::NoReader)),
        ("x", b"\0\x01\x02\x03", Kind::File, "application/octet-stream", Some(FaultCode::NoReader)),
        ("x", b"-----BEGIN PGP MESSAGE-----\n\nabc\n", Kind::File, "application/pgp-encrypted", Some(FaultCode::Encrypted)),
        ("x.gpg", b"\x85\x01\x0c\x03\0\xff\0\0", Kind::File, "application/pgp-encrypted", Some(FaultCode::Encrypted)),
        ("x.csv", b"a,b\n1,2\n", Kind::File, "text/csv", None),
        ("x", b"plain words", Kind::File, "text/plain", None),
        ("x", b"<?xml version='1.0'?><a/>", Kind::File, "application/xml", None),
        ("x.txt", b" <!DOCTYPE HTML><p>x", Kind::File, "text/html", None),
        ("note", b"Subject: a thing\nDate: today\n\nnot a message", Kind::File, "text/plain", None),
        ("x", b"From: a@b\nSubject: c\n\nbody", Kind::Message, "message/rfc822", None),
        ("1234.M1P2.host:2,S", b"X-Odd: y\n\nbody", Kind::Message, "message/rfc822", None),
        ("1234.M1P2.host", b"no field here", Kind::File, "text/plain", None),
        ("x.eml", b"X-Odd: y\n\nbody", Kind::Message, "message/rfc822", None),
        ("x.eml", b"\x01\x02\0", Kind::File, "application/octet-stream", Some(FaultCode::NoReader)),
        ("x", b"From a@b Mon Jan  3 10:00:00 2005\nA: b\n\nc\n", Kind::Container, "application/mbox", None),
        ("x", b"From 0123456789012345678901234567890123456789 Mon Sep 17 00:00:00 2001\nFrom: a@b\n\nx", Kind::File, "text/x-patch", None),
        ("x", b"From here on it is text.\nAnd more.\n", Kind::File, "text/plain", None),
    ] {
        let heard = hear(name, bytes);
        let found = &heard.found[0];
        let label = format!("{name} {:?}", String::from_utf8_lossy(bytes));
        assert_eq!((found.kind, found.media_type.as_str()), (kind, media), "{label}");
        assert_eq!(heard.codes(0), Vec::from_iter(code), "{label}");
    }
}

#[test]
fn text_of_any_length_is_whole_and_in_segments() {
    let line = "ein Käse für Ägypten\n";
    let long = line.repeat(200_000);
    let latin: Vec<u8> = long.chars().map(|c| c as u8).collect();
    for (bytes, encoding) in [(long.as_bytes(), "UTF-8"), (&latin, "windows-1252")] {
        for input in [&OnDisk(bytes) as &dyn Input, &crate::document::Memory(bytes)] {
            let mut heard = Heard::default();
            read(&request("x.txt", Task::Read { start: 0, skip_first: false }), input, &mut heard).unwrap();
            assert!(heard.text(0, Label::Body) == long, "{encoding}");
            assert!(heard.faults.is_empty());
        }
    }
    let utf16: Vec<u8> = "\u{feff}añ".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(hear("x.txt", &utf16).text(0, Label::Body), "añ");
}

/// A file of one line, made up as it is read.
struct Line(u64);

impl Input for Line {
    fn length(&self) -> u64 {
        self.0
    }
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let count = buffer.len().min(usize::try_from(self.0.saturating_sub(offset)).unwrap());
        for (n, eight) in buffer[..count].chunks_mut(8).enumerate() {
            let from = (offset as usize + n * 8) % 8;
            eight.copy_from_slice(&b"12,word,12,word,"[from..from + eight.len()]);
        }
        Ok(count)
    }
    fn in_memory(&self) -> Option<&[u8]> {
        None
    }
}

#[test]
fn a_line_of_90_megabytes_is_read_in_pieces() {
    #[derive(Default)]
    struct Sum(usize, String);
    impl Sink for Sum {
        fn event(&mut self, event: Event) -> Result<(), Stop> {
            if let Event::Text { segment, .. } = event {
                assert!(segment.text.len() <= 1 << 20);
                let body = segment.label == Label::Body;
                self.0 += if body { segment.text.len() } else { 0 };
                if !body {
                    self.1 = segment.text;
                }
            }
            Ok(())
        }
    }
    let mut sum = Sum::default();
    read(&request("x.csv", Task::Read { start: 0, skip_first: false }), &Line(90 << 20), &mut sum).unwrap();
    assert_eq!(sum.0, 90 << 20);
    assert!(sum.1.contains("delimiter: comma") && sum.1.contains("header row: none"), "{}", sum.1);
}

#[test]
fn html_is_read_as_its_text_with_hidden_text_apart() {
    let heard = hear("x.html", b"<html><meta charset=koi8-r><p>\xf0\xd2\xc9<p hidden>no</p></html>");
    assert_eq!(heard.text(0, Label::Body), "При");
    assert_eq!(heard.text(0, Label::Hidden), "no");
    assert_eq!(hear("x.html", b"<html><pre> \n </pre></html>").codes(0), [FaultCode::Empty]);
    assert_eq!(hear("x.html", b"<p>x").found[0].claims, "html", "only its name says that it is HTML");
}

#[test]
fn a_listener_who_has_enough_is_heard_at_once() {
    let message =
        b"From: a@b\nSubject: c\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--b\nContent-Type: image/png\n\nx\n--b--\n";
    let whole = {
        let heard = hear("x.eml", message);
        heard.found.len() + heard.texts.len() + heard.faults.len()
    };
    for patience in 0..whole {
        let mut heard = Heard { patience: Some(patience), ..Heard::default() };
        let result = read(&request("x.eml", Task::Read { start: 0, skip_first: false }), &crate::document::Memory(message), &mut heard);
        assert_eq!(result, Err(Stop));
    }
}

pub(crate) fn corpora() -> Option<PathBuf> {
    let folder = std::env::var_os("DAYLIGHT_CORPORA")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpora"), PathBuf::from);
    if folder.is_dir() {
        return Some(folder);
    }
    println!("skipped: no corpora");
    None
}

pub(crate) fn files_under(folder: PathBuf) -> Vec<PathBuf> {
    let (mut files, mut folders) = (Vec::new(), vec![folder]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    files.sort();
    files
}

#[test]
fn every_signed_message_of_a_public_list_is_split_to_the_byte() {
    let Some(corpora) = corpora() else { return };
    let verdicts = std::fs::read_to_string(corpora.join("dkim/linux-man-verdicts.tsv")).unwrap();
    for year in ["linux-man-2020.mbox.gz", "linux-man-2021.mbox.gz"] {
        let mut mailbox = Vec::new();
        let packed = std::fs::File::open(corpora.join("mail").join(year)).unwrap();
        io::Read::read_to_end(&mut flate2::read::MultiGzDecoder::new(packed), &mut mailbox).unwrap();
        let mut heard = Heard::default();
        read(&request("x", Task::Read { start: 0, skip_first: false }), &OnDisk(&mailbox), &mut heard).unwrap();
        let messages = heard.found.iter().filter(|found| found.parent == Some(0));
        let split: HashSet<String> = messages.map(|found| Digest::of(heard.original(&mailbox, found.index)).to_string()).collect();
        let wanted: HashSet<&str> = verdicts.lines().filter(|l| l.starts_with(year)).filter_map(|l| l.split('\t').nth(2)).collect();
        let missing: Vec<_> = wanted.iter().filter(|digest| !split.contains(**digest)).collect();
        println!(
            "{year}: {} of {} signed messages, {} in all",
            wanted.len() - missing.len(),
            wanted.len(),
            heard.counted.last().unwrap().2
        );
        assert!(missing.is_empty(), "{} of {} are not found, {:?}", missing.len(), wanted.len(), missing.first());
        let empty = heard
            .found
            .iter()
            .filter(|f| f.parent == Some(0) && f.message.as_ref().is_none_or(|m| m.people.is_empty() || m.dates.is_empty()));
        assert_eq!(empty.count(), 0, "each has people and a date");
    }
}

#[test]
fn every_file_of_the_corpora_is_read_without_harm() {
    let Some(corpora) = corpora() else { return };
    let mut kinds = BTreeMap::<String, usize>::new();
    for path in files_under(corpora) {
        let Ok(bytes) = std::fs::read(&path) else { continue };
        if bytes.len() > 8 << 20 {
            continue;
        }
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let heard = hear(&name, &bytes);
        hear_view(&name, &bytes);
        for found in &heard.found {
            heard.original(&bytes, found.index);
        }
        let shown = path.to_string_lossy().into_owned();
        if shown.contains("/mail-parser/resources/eml") && name.ends_with(".eml") || shown.contains("/mime4j/") && name.ends_with(".msg") {
            *kinds.entry(format!("{:?}", heard.found[0].kind)).or_default() += 1;
            if !name.contains("noheader") && !name.contains("StartsBody") {
                assert!(heard.found.iter().any(|found| found.message.is_some()), "{shown} is a message");
            }
        }
        if shown.contains("/spamassassin-hard-ham/") && name.ends_with(".txt") {
            assert!(heard.texts.iter().any(|(_, _, text)| text.len() > 20), "{shown} has text");
            assert!(heard.found.iter().any(|found| found.message.as_ref().is_some_and(|facts| !facts.people.is_empty())), "{shown}");
        }
    }
    println!("odd messages by kind: {kinds:?}");
}

fn hear_view(name: &str, bytes: &[u8]) -> Heard {
    let mut heard = Heard::default();
    read(&request(name, Task::View), &crate::document::Memory(bytes), &mut heard).unwrap();
    heard
}

/// The text of the first field of this name in another parser's account of a message.
fn expected_field<'a>(account: &'a serde_json::Value, name: &str) -> Option<&'a serde_json::Value> {
    let headers = account["parts"][0]["headers"].as_array()?;
    Some(&headers.iter().find(|header| header["name"] == name)?["value"])
}

#[test]
fn another_parser_reads_the_same_subjects_and_senders() {
    let Some(corpora) = corpora() else { return };
    let (mut same, mut different) = (0, 0);
    for path in
        files_under(corpora.join("mail/mail-parser/resources/eml")).into_iter().filter(|path| path.extension().is_some_and(|e| e == "eml"))
    {
        let Ok(account) = std::fs::read(path.with_extension("json")) else { continue };
        let account: serde_json::Value = serde_json::from_slice(&account).unwrap();
        let heard = hear("x.eml", &std::fs::read(&path).unwrap());
        let Some(facts) = heard.found.iter().find_map(|found| found.message.as_deref()) else { continue };
        let from = facts.people.iter().find(|person| person.role == Role::From);
        let stated = expected_field(&account, "from").map(|value| &value["Address"]["List"][0]["address"]);
        let subject = expected_field(&account, "subject").map(|value| &value["Text"]);
        for (ours, theirs) in [(from.map(|person| person.address.as_str()), stated), (Some(facts.subject.as_str()), subject)] {
            let Some(theirs) = theirs.and_then(serde_json::Value::as_str) else { continue };
            if ours == Some(theirs) {
                same += 1;
            } else {
                different += 1;
                println!("{}: {ours:?} is not {theirs:?}", path.display());
            }
        }
    }
    println!("{same} fields are the same, {different} differ");
    assert!(same > different * 10);
}

#[test]
fn another_splitter_finds_the_same_from_lines() {
    let Some(corpora) = corpora() else { return };
    for name in ["content-length", "issue1189"] {
        let folder = corpora.join("mail/mimekit/mbox");
        let mailbox = std::fs::read(folder.join(format!("{name}.mbox.txt"))).unwrap();
        let theirs = std::fs::read(folder.join(format!("{name}.unix-offsets.json"))).unwrap();
        let theirs: serde_json::Value = serde_json::from_slice(&theirs).unwrap();
        let theirs: Vec<u64> = theirs.as_array().unwrap().iter().filter_map(|message| message["mboxMarkerOffset"].as_u64()).collect();
        let heard = hear("x", &mailbox);
        let ours: Vec<u64> = heard.found.iter().filter(|found| found.parent == Some(0)).map(|found| found.ordinal).collect();
        assert_eq!(ours, theirs, "{name}");
    }
}

/// A file of which all but the beginning is zeros, on no disk.
struct Vast(&'static [u8], u64);

impl Input for Vast {
    fn length(&self) -> u64 {
        self.1
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let count = buffer.len().min(usize::try_from(self.1.saturating_sub(offset)).unwrap_or(usize::MAX));
        for (at, byte) in (offset..).zip(&mut buffer[..count]) {
            *byte = usize::try_from(at).ok().and_then(|at| self.0.get(at)).copied().unwrap_or(0);
        }
        Ok(count)
    }

    fn in_memory(&self) -> Option<&[u8]> {
        None
    }
}

#[test]
fn what_is_too_large_for_memory_is_kept_and_says_the_limit() {
    const OLE: &[u8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1";
    for (name, begins, media) in [
        ("a.pdf", b"%PDF-1.4\n".as_slice(), "application/pdf"),
        ("a.doc", OLE, "application/msword"),
        ("a.rtf", b"{\\rtf1 ", "application/rtf"),
        (
            "a.eml",
            b"From: a@example.org\r\nTo: b@example.org\r\nSubject: s\r\nDate: Thu, 1 Jan 2015 00:00:00 +0000\r\n\r\n",
            "message/rfc822",
        ),
    ] {
        let task = Task::Read { start: 0, skip_first: false };
        let request = Request::new(task, name.into(), u64::MAX);
        let mut heard = Heard::default();
        read(&request, &Vast(begins, (512 << 20) + 1), &mut heard).unwrap();
        let faults: Vec<_> = heard.faults.iter().map(|(_, fault)| (fault.code, fault.limit)).collect();
        assert_eq!((faults.as_slice(), heard.found[0].media_type.as_str()), ([(FaultCode::TooLarge, Some(512 << 20))].as_slice(), media));
    }
}
