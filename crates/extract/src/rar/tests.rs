use super::*;
use crate::document::Memory;
use crate::tests::{Heard, hear, mutate, request};
use daylight_model::reading::{Label, Request, Task};

/// A file in a RAR: its name, what is in it, and what is special about it.
pub(crate) type File<'a> = (&'a [u8], &'a [u8], Sort);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sort {
    Plain,
    Secret,
    Folder,
    Link,
    /// It goes on in another file of the archive.
    Parted,
}

fn crc(bytes: &[u8]) -> u32 {
    crc32fast::hash(bytes)
}

fn number(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

fn block5(body: &[u8]) -> Vec<u8> {
    let sealed = [number(body.len() as u64), body.to_vec()].concat();
    [crc(&sealed).to_le_bytes().to_vec(), sealed].concat()
}

/// A RAR of version 5 that stores its files; `volume` is its number among several.
pub(crate) fn five(files: &[File<'_>], volume: Option<u64>) -> Vec<u8> {
    let main = volume.map_or(vec![1, 0, 0], |volume| [vec![1, 0, 3], number(volume)].concat());
    let mut rar = [b"Rar!\x1a\x07\x01\0".to_vec(), block5(&main)].concat();
    for (name, content, sort) in files {
        let extra: Vec<u8> = match sort {
            Sort::Secret => [vec![49, 1, 0, 0, 15], vec![7; 45]].concat(),
            Sort::Link => vec![5, 5, 1, 0, 1, b'x'],
            _ => Vec::new(),
        };
        let flags = 2 | u64::from(!extra.is_empty()) | if *sort == Sort::Parted { 0x10 } else { 0 };
        let mut body = [vec![2], number(flags)].concat();
        if !extra.is_empty() {
            body.extend(number(extra.len() as u64));
        }
        body.extend(number(content.len() as u64));
        // With a checksum unless it is a folder; its length once more, and its mode.
        body.push(if *sort == Sort::Folder { 1 } else { 4 });
        body.extend([number(content.len() as u64), number(0o10_0644)].concat());
        if *sort != Sort::Folder {
            body.extend(crc(content).to_le_bytes());
        }
        // Stored, on Unix.
        body.extend([0, 1]);
        body.extend(number(name.len() as u64));
        body.extend(*name);
        body.extend(extra);
        rar.extend(block5(&body));
        rar.extend(*content);
    }
    rar.extend(block5(&[5, 0, 0]));
    rar
}

fn block4(kind: u8, flags: u16, body: &[u8]) -> Vec<u8> {
    let length = body.len() as u16 + 7;
    let sealed = [&[kind][..], &flags.to_le_bytes(), &length.to_le_bytes(), body].concat();
    [&(crc(&sealed) as u16).to_le_bytes()[..], &sealed].concat()
}

/// A RAR of version 4 that stores its files.
pub(crate) fn four(files: &[File<'_>], volume: Option<u64>) -> Vec<u8> {
    let main = volume.map_or(0, |number| 1 | if number == 0 { 0x100 } else { 0 });
    let mut rar = [b"Rar!\x1a\x07\0".to_vec(), block4(0x73, main, &[0; 6])].concat();
    for (name, content, sort) in files {
        let length = (content.len() as u32).to_le_bytes();
        let mode: u32 = if *sort == Sort::Link { 0o12_0777 } else { 0o10_0644 };
        let flags = 0x8000
            | match sort {
                Sort::Secret => 4,
                Sort::Folder => 0xe0,
                Sort::Parted => 2,
                _ => 0,
            }
            | if name.contains(&0) { 0x200 } else { 0 };
        let mut body = [&length[..], &length, &[3], &crc(content).to_le_bytes(), &[0, 0, 0x21, 0x46, 29, 0x30]].concat();
        body.extend((name.len() as u16).to_le_bytes());
        body.extend(mode.to_le_bytes());
        body.extend(*name);
        rar.extend(block4(0x74, flags, &body));
        rar.extend(*content);
    }
    rar.extend(block4(0x7b, 0x4000, &[]));
    rar
}

const FILES: &[File<'static>] = &[
    (b"folder", b"", Sort::Folder),
    (b"folder/letter.eml", b"From: a@b\nSubject: packed\n\nhello\n", Sort::Plain),
    (b"link", b"", Sort::Link),
    (b"note.txt", b"some words", Sort::Plain),
];

/// What a program that unpacks would make of these files.
fn tar(files: &[(&[u8], &[u8])]) -> Vec<u8> {
    let files: Vec<(&[u8], u8, &[u8])> = files.iter().map(|(name, content)| (*name, b'0', *content)).collect();
    crate::packed::tests::tar(&files)
}

fn hear_unpacked(tar: &[u8], rar: &[u8]) -> Heard {
    let mut heard = Heard::default();
    let task = Task::Read { start: 0, skip_first: false };
    let request = Request { unpacked: Some(tar.len() as u64), ..request("x.rar", task) };
    crate::read(&request, &Memory(&[tar, rar].concat()), &mut heard).unwrap();
    heard
}

fn names(heard: &Heard) -> Vec<String> {
    heard.found[1..].iter().map(|found| found.name.as_ref().unwrap().to_string()).collect()
}

#[test]
fn a_rar_waits_to_be_unpacked_and_says_how_many_files_it_has() {
    for rar in [four(FILES, None), five(FILES, None)] {
        let heard = hear("x.rar", &rar);
        assert_eq!((heard.found[0].media_type.as_str(), heard.found[0].kind), (MEDIA, Kind::Container));
        assert_eq!((heard.codes(0), heard.counted), (vec![FaultCode::Deferred], vec![(0, Some(2), 0, 0)]));
    }
}

#[test]
fn what_was_unpacked_is_read_and_what_was_not_is_kept() {
    let (letter, note) = ((FILES[1].0, FILES[1].1), (FILES[3].0, FILES[3].1));
    for rar in [four(FILES, None), five(FILES, None)] {
        let whole = hear_unpacked(&tar(&[letter, note]), &rar);
        assert_eq!(names(&whole), ["folder/letter.eml", "note.txt"]);
        assert_eq!((whole.text(1, Label::Body).as_str(), whole.faults.len()), ("hello\n", 0));
        assert_eq!(whole.counted.last(), Some(&(0, Some(2), 2, 0)));
        let half = hear_unpacked(&tar(&[letter]), &rar);
        assert_eq!((names(&half).len(), half.codes(2), half.codes(0)), (2, vec![FaultCode::NoReader], vec![FaultCode::NoReader]));
        assert_eq!((half.original(&rar, 2), half.counted.last()), (note.1, Some(&(0, Some(2), 2, 1))));
        let nothing = hear_unpacked(b"", &rar);
        assert_eq!((names(&nothing).len(), nothing.codes(0)), (2, vec![FaultCode::Truncated, FaultCode::NoReader]));
    }
}

#[test]
fn what_is_encrypted_or_one_of_several_says_so() {
    let secret: &[File<'_>] = &[(b"a.txt", b"????", Sort::Secret), (b"../b.txt", b"!!!!", Sort::Secret)];
    for rar in [four(secret, None), five(secret, None)] {
        let heard = hear("x.rar", &rar);
        assert_eq!((names(&heard), heard.codes(0)), (vec!["a.txt".to_owned(), "../b.txt".to_owned()], vec![FaultCode::Encrypted]));
        assert_eq!([heard.codes(1), heard.codes(2)], [vec![FaultCode::Encrypted], vec![FaultCode::Encrypted, FaultCode::UnsafeName]]);
        assert_eq!((heard.original(&rar, 1), heard.counted.last()), (&b"????"[..], Some(&(0, Some(2), 2, 2))));
    }
    let mixed: &[File<'_>] = &[(b"a.txt", b"????", Sort::Secret), (b"b.txt", b"open", Sort::Plain)];
    for rar in [four(mixed, None), five(mixed, None)] {
        assert_eq!(hear("x.rar", &rar).codes(0), [FaultCode::Deferred]);
        // A program gives what is encrypted as it stands, if it gives it.
        let heard = hear_unpacked(&tar(&[(b"a.txt", b"????"), (b"b.txt", b"open")]), &rar);
        assert_eq!((names(&heard), heard.codes(0)), (vec!["b.txt".to_owned(), "a.txt".into()], vec![FaultCode::Encrypted]));
    }
    for headers in
        [&b"Rar!\x1a\x07\0\xce\x99\x73\x80\0\x0d\0\0\0\0\0\0\0"[..], &[b"Rar!\x1a\x07\x01\0".to_vec(), block5(&[4, 0, 0, 0, 15])].concat()]
    {
        let heard = hear("x.rar", headers);
        assert_eq!((heard.codes(0), heard.found.len()), (vec![FaultCode::Encrypted], 1));
    }
    let parted: &[File<'_>] = &[(b"whole.txt", b"words", Sort::Plain), (b"half.txt", b"ha", Sort::Parted)];
    for (rar, said) in [
        (four(parted, Some(0)), "number 1"),
        (five(parted, Some(0)), "number 1"),
        (five(parted, Some(6)), "number 7"),
        (four(parted, Some(2)), "one of"),
    ] {
        let heard = hear_unpacked(&tar(&[(b"whole.txt", b"words")]), &rar);
        assert_eq!(heard.codes(0), [FaultCode::NoReader, FaultCode::Truncated]);
        let detail = &heard.faults.last().unwrap().1.detail;
        assert!(detail.contains(said) && detail.contains("several files of one archive"), "{detail}");
    }
}

#[test]
fn names_of_version_4_are_read_in_their_long_spelling() {
    let spelt = |short: &[u8], long: &[u8]| {
        let name = [short, b"\0", long].concat();
        let heard = hear("x.rar", &four(&[(&name, b"?", Sort::Secret)], None));
        names(&heard)[0].clone()
    };
    // Nine bytes of the short name as they are, then one with the upper byte 4.
    assert_eq!(spelt(b"folder\\a.x", &[4, 0b1101_0000, 7, 0x16]), "folder/a.Ж");
    // Two bytes, then two of the short name shifted by one, with the upper byte 3.
    assert_eq!(spelt(b"?\xb0\xb1", &[3, 0b1011_0000, 0xac, 0x20, 0x80, 1]), "€αβ");
    assert_eq!(names(&hear("x.rar", &four(&[(b"dir\\f.txt", b"?", Sort::Secret)], None))), ["dir/f.txt"]);
}

#[test]
fn a_torn_rar_says_where() {
    for rar in [four(FILES, None), five(FILES, None)] {
        let torn = &rar[..rar.len() - 25];
        assert_eq!(hear("x.rar", torn).codes(0), [FaultCode::Deferred]);
        let heard = hear_unpacked(&tar(&[(FILES[1].0, FILES[1].1)]), torn);
        assert!(heard.codes(0).contains(&FaultCode::Truncated), "{:?}", heard.codes(0));
    }
    let heard = hear("x.rar", b"Rar!\x1a\x07\x01\0not a header");
    assert_eq!(heard.codes(0), [FaultCode::Deferred], "a program may make more of it");
}

#[test]
fn no_damage_to_a_rar_does_harm() {
    let tar = tar(&[(FILES[1].0, FILES[1].1)]);
    for rar in [four(FILES, Some(1)), five(FILES, None)] {
        mutate(&rar, 1000, |changed| {
            hear("x.rar", changed);
            hear_unpacked(&tar, changed);
        });
        mutate(&tar, 200, |changed| drop(hear_unpacked(changed, &rar)));
    }
}
