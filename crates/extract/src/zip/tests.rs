use super::*;
use crate::document::Memory;
use crate::tests::{Heard, OnDisk, hear, request};
use daylight_model::reading::{Label, Task};
use std::io::Write;

/// Writes a zip by the book, byte by byte, so that a test can write one against it.
#[derive(Default)]
pub(crate) struct Writer {
    bytes: Vec<u8>,
    directory: Vec<u8>,
    entries: u16,
}

impl Writer {
    pub(crate) fn with(mut self, name: &[u8], content: &[u8], deflate: bool) -> Self {
        let packed = if deflate {
            let mut packer = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
            packer.write_all(content).unwrap();
            packer.finish().unwrap()
        } else {
            content.to_vec()
        };
        self.raw(name, &packed, content.len(), if deflate { 8 } else { 0 }, 0);
        self
    }

    fn raw(&mut self, name: &[u8], packed: &[u8], length: usize, method: u16, flags: u16) {
        let offset = self.bytes.len() as u32;
        let common = |out: &mut Vec<u8>| {
            for value in [20, flags, method, 0, 0, 0, 0] {
                out.extend(u16::to_le_bytes(value));
            }
            out.extend((packed.len() as u32).to_le_bytes());
            out.extend((length as u32).to_le_bytes());
            out.extend((name.len() as u16).to_le_bytes());
            out.extend([0, 0]);
        };
        self.bytes.extend(b"PK\x03\x04");
        common(&mut self.bytes);
        self.bytes.extend(name);
        self.bytes.extend(packed);
        self.directory.extend(b"PK\x01\x02\x14\0");
        common(&mut self.directory);
        self.directory.extend([0; 10]);
        self.directory.extend(offset.to_le_bytes());
        self.directory.extend(name);
        self.entries += 1;
    }

    pub(crate) fn finish(self) -> Vec<u8> {
        let (at, size) = (self.bytes.len() as u32, self.directory.len() as u32);
        let mut bytes = self.bytes;
        bytes.extend(self.directory);
        bytes.extend(b"PK\x05\x06\0\0\0\0");
        bytes.extend(self.entries.to_le_bytes());
        bytes.extend(self.entries.to_le_bytes());
        bytes.extend(size.to_le_bytes());
        bytes.extend(at.to_le_bytes());
        bytes.extend([0, 0]);
        bytes
    }
}

const MAIL: &[u8] = b"From: a@b\nSubject: in a zip\n\nhello\n";

#[test]
fn entries_are_documents_whatever_their_names() {
    let zip = Writer::default()
        .with(b"mail/", b"", false)
        .with(b"mail/1.eml", MAIL, true)
        .with(b"mail/1.eml", b"the same name again", false)
        .with(b"../up\xff", b"one", true)
        .with(b"C:\\x\0", b"two", false)
        .with(b"/abs", b"three", false)
        .finish();
    for prefix in [&b""[..], b"MZ\0\0a program that unpacks itself"] {
        let zip = [prefix, &zip].concat();
        let heard = hear("x.zip", &zip);
        let names: Vec<_> = heard.found[1..].iter().map(|found| (found.ordinal, found.name.as_ref().unwrap().to_string())).collect();
        let expected = [(1, "mail/1.eml"), (2, "mail/1.eml"), (3, "../up\\xff"), (4, "C:\\\\x\\u{0}"), (5, "/abs")];
        assert_eq!(names, expected.map(|(n, name)| (n, name.to_owned())));
        assert_eq!((heard.original(&zip, 1), heard.text(1, Label::Body).as_str()), (MAIL, "hello\n"));
        assert!(matches!(heard.found[2].place, Place::Slice { of: 0, .. }));
        assert_eq!(heard.original(&zip, 2), b"the same name again");
        for index in 3..6 {
            assert_eq!(heard.codes(index), [FaultCode::UnsafeName]);
            assert!(!heard.text(index, Label::Body).is_empty());
        }
        assert_eq!((heard.counted, heard.cursors), (vec![(0, Some(5), 5, 0)], vec![2, 3, 4, 5, 6]));
    }
}

#[test]
fn a_zip_in_a_zip_in_a_message_is_opened_and_a_quine_ends() {
    let mailbox = b"From a@b Mon Jan  3 10:00:00 2005\nSubject: x\n\nin a mailbox\n";
    let inner = Writer::default().with(b"m.mbox", mailbox, true).with(b"big.mbox", mailbox, false).finish();
    let outer = Writer::default().with(b"inner.zip", &inner, true).finish();
    let heard = hear("x.zip", &outer);
    assert_eq!(heard.found.iter().filter(|found| found.message.is_some()).count(), 2);
    assert!(heard.texts.iter().all(|(.., text)| text == "in a mailbox\n"));
    assert_eq!(heard.cursors, [1], "only the root has a cursor");
    let mut nested = b"core".to_vec();
    for _ in 0..40 {
        nested = Writer::default().with(b"x.zip", &nested, true).finish();
    }
    let heard = hear("x.zip", &nested);
    assert_eq!((heard.found.len(), heard.codes(20)), (21, vec![FaultCode::TooDeep]));
}

#[test]
fn what_cannot_be_unpacked_is_kept_packed() {
    let mut writer = Writer::default();
    writer.raw(b"secret.txt", b"\x01\x02\x03encrypted", 5, 8, 1);
    writer.raw(b"odd.txt", b"packed by another method", 5, 99, 0);
    writer.raw(b"torn.txt", b"\xf3\x48\xcd", 500, 8, 0);
    let zip = writer.with(b"after.txt", b"still read", true).finish();
    let heard = hear("x.zip", &zip);
    assert_eq!(heard.original(&zip, 1), b"\x01\x02\x03encrypted");
    assert_eq!([heard.codes(1), heard.codes(2)], [[FaultCode::Encrypted], [FaultCode::NoReader]]);
    assert!(heard.codes(3).contains(&FaultCode::Truncated));
    assert_eq!(heard.text(4, Label::Body), "still read");
    let mut rest = Heard::default();
    crate::read(&request("x.zip", Task::Read { start: 3, skip_first: true }), &OnDisk(&zip), &mut rest).unwrap();
    assert_eq!((rest.found.len(), rest.codes(1)), (2, vec![FaultCode::ReaderDied]));
}

#[test]
fn other_methods_than_deflate_are_unpacked_and_links_are_not_followed() {
    let mut writer = Writer::default();
    writer.raw(b"1", b"\x42\x5a\x68\x39\x31\x41\x59\x26\x53\x59\x81\xd0\xb3\xec\x00\x00\x02\x01\x80\x04\x00\x98\x80\x20\x00\x21\x86\x81\x9a\x0b\x83\x71\x77\x24\x53\x85\x09\x08\x1d\x0b\x3e\xc0", 5, 12, 0);
    writer.raw(b"2", b"\x09\x14\x05\x00\x5d\x00\x10\x00\x00\x00\x34\x19\x49\xee\x8d\xe9\x14\x8a\x6a\xa5\xd6\xb6\x45\x94\x45\xe2\xc6\x45\x36\x55\xda\x2a\x9f\xff\xfd\x97\x10\x00", 19, 14, 2);
    writer.raw(b"3", b"\x09\x14\x05\x00\x5d\x00\x10\x00\x00\x00\x34\x19\x49\xee\x8d\xe9\x14\x8a\x6a\xa5\xd6\xb6\x45\x94\x45\xe2\xc6\x45\x36\x55\xda\x2a\x9f\xff\xfd\x97\x10\x00", 19, 14, 0);
    writer.raw(b"4", &ruzstd::encoding::compress_to_vec(&b"words"[..], ruzstd::encoding::CompressionLevel::Fastest), 5, 93, 0);
    writer.raw(b"5", b"\xfd\x37\x7a\x58\x5a\x00\x00\x04\xe6\xd6\xb4\x46\x02\x00\x21\x01\x16\x00\x00\x00\x74\x2f\xe5\xa3\x01\x00\x04\x77\x6f\x72\x64\x73\x00\x00\x00\x00\x51\x34\x2f\x46\x41\xd9\xd3\x6f\x00\x01\x1d\x05\xb8\x2d\x80\xaf\x1f\xb6\xf3\x7d\x01\x00\x00\x00\x00\x04\x59\x5a", 5, 95, 0);
    writer.raw(b"link", b"/etc/passwd", 11, 0, 0);
    let mut zip = writer.finish();
    // Made on Unix, and a mode that is a link's.
    let entry = memchr::memmem::rfind(&zip, b"PK\x01\x02").unwrap();
    zip[entry + 5] = 3;
    zip[entry + 41] = 0o120_000u32.to_be_bytes()[2];
    let heard = hear("x.zip", &zip);
    let texts = [1, 2, 3, 4, 5].map(|n| heard.text(n, Label::Body));
    assert_eq!(texts, ["words", "hello lzma in a zip", "hello lzma in a zip", "words", "words"], "{:?}", heard.faults);
    assert_eq!((heard.found.len(), heard.codes(0), heard.counted[0]), (6, vec![FaultCode::NotAFile], (0, Some(5), 5, 0)));
}

#[test]
fn a_bomb_comes_out_of_the_budget() {
    let zeros = vec![0; 10 << 20];
    let zip = (0..20).fold(Writer::default(), |writer, n| writer.with(format!("{n}").as_bytes(), &zeros, true)).finish();
    let mut heard = Heard::default();
    let tight = daylight_model::reading::Request { budget: 35 << 20, ..request("x.zip", Task::Read { start: 0, skip_first: false }) };
    crate::read(&tight, &Memory(&zip), &mut heard).unwrap();
    assert_eq!((heard.found.len(), heard.codes(0), heard.counted[0]), (4, vec![FaultCode::TooLarge], (0, Some(20), 4, 1)));
}

/// Stored entries cost no unpacking: of one place they would multiply with each zip in a zip.
#[test]
fn entries_that_overlap_come_out_of_the_budget() {
    let mut inner = b"words".to_vec();
    for _ in 0..18 {
        let mut zip = Writer::default().with(b"0", &inner, false);
        let (first, entry) = (zip.directory.clone(), zip.directory.len());
        (1..50).for_each(|_| zip.directory.extend(&first[..entry]));
        zip.entries = 50;
        inner = zip.finish();
    }
    let heard = hear("x.zip", &inner);
    assert!(heard.found.len() < 300_000, "{}", heard.found.len());
    let said = |words: &str| heard.faults.iter().any(|(_, fault)| fault.detail.contains(words));
    assert!(said("they overlap") && said("more than the budget"));
}

#[test]
fn an_entry_too_long_to_read_with_the_zip_is_given_whole_to_be_read_by_itself() {
    let long = b"words ".repeat((4 << 20) / 6);
    let zip = Writer::default().with(b"long.txt", &long, true).with(b"after.txt", b"x", false).finish();
    let apart = daylight_model::reading::Request { apart: 1 << 20, ..request("x.zip", Task::Read { start: 0, skip_first: false }) };
    let mut heard = Heard::default();
    crate::read(&apart, &Memory(&zip), &mut heard).unwrap();
    assert!(heard.original(&zip, 1) == long);
    assert_eq!((heard.codes(1), heard.found[1].media_type.as_str()), (vec![FaultCode::Deferred], "text/plain"));
    assert_eq!(heard.counted, [(0, Some(2), 2, 0)], "it did not fail: it is yet to be read");
    assert_eq!(heard.text(2, Label::Body), "x");
}

#[test]
fn office_documents_are_documents_and_broken_zips_are_said_to_be() {
    let types = [
        (&b"word/document.xml"[..], "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        (b"xl/workbook.xml", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        (b"ppt/presentation.xml", "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
    ];
    for (part, media) in types {
        let zip = Writer::default().with(b"[Content_Types].xml", b"<x/>", true).with(part, b"<x/>", true).finish();
        let heard = hear("x", &zip);
        assert_eq!((heard.found.len(), heard.found[0].media_type.as_str(), heard.codes(0)), (1, media, vec![FaultCode::Empty]));
    }
    let odt = Writer::default().with(b"mimetype", b"application/vnd.oasis.opendocument.text", false).finish();
    assert_eq!(hear("x", &odt).found[0].media_type, "application/vnd.oasis.opendocument.text");
    let whole = Writer::default().with(b"a.txt", b"content", true).with(b"b.txt", b"content", false).finish();
    for length in 4..whole.len() {
        let heard = hear("x.zip", &whole[..length]);
        assert!(!heard.faults.is_empty(), "cut at {length}");
    }
    for at in 0..whole.len() {
        let mut changed = whole.clone();
        changed[at] ^= 0xff;
        hear("x.zip", &changed);
    }
}

#[test]
fn a_book_is_a_container_of_its_chapters() {
    let book = Writer::default()
        .with(b"mimetype", b"application/epub+zip", false)
        .with(b"OEBPS/one.xhtml", b"<html><body><p>Mantua</p></body></html>", true)
        .finish();
    let heard = hear("x.epub", &book);
    assert_eq!((heard.found[0].kind, heard.found[0].media_type.as_str()), (Kind::Container, "application/epub+zip"));
    assert_eq!(heard.text(2, Label::Body), "Mantua");
}
