use crate::tests::{Heard, OnDisk, corpora, hear, mutate, request};
use daylight_model::FaultCode;
use daylight_model::reading::Task;
use std::path::PathBuf;

/// Every mail store of the corpora, and how many things are in it. `readpst` of pst-utils 0.6.76 writes out 6 messages of the fourth and 2 of the
/// fifth, and of the others what is a contact or an appointment, but for what it calls skipped.
fn stores() -> Vec<(PathBuf, u64)> {
    let Some(corpora) = corpora() else { return Vec::new() };
    let stores = [
        ("outlook/java-libpst/src/test/resources/dist-list.pst", 4),
        ("outlook/java-libpst/src/test/resources/passworded.pst", 3),
        ("outlook/outlook-pst-rs/crates/pst/examples/Empty.pst", 0),
        ("documents/ingest-file/tests/fixtures/testPST.pst", 6),
        ("documents/mailbag/data/outlook2019_MSO_16.0.10377.20023_64-bit.pst", 2),
    ];
    stores.map(|(path, count)| (corpora.join(path), count)).into()
}

#[test]
fn every_store_gives_each_message_that_its_folders_list() {
    for (path, least) in stores() {
        let bytes = std::fs::read(&path).unwrap();
        let heard = hear("x.pst", &bytes);
        let (_, expected, read, failed) = heard.counted.iter().find(|(index, ..)| *index == 0).copied().unwrap();
        println!("{}: {read} of {expected:?}, {failed} failed", path.display());
        assert!(read >= least && expected == Some(read + failed) && failed == 0);
        let mut rest = Heard::default();
        let start = heard.found.iter().filter(|found| found.parent == Some(0)).nth(1).map_or(0, |found| found.ordinal);
        crate::read(&request("x.pst", Task::Read { start, skip_first: true }), &OnDisk(&bytes), &mut rest).unwrap();
        assert_eq!(rest.counted.iter().find(|(index, ..)| *index == 0).unwrap().2, read);
        assert_eq!(rest.codes(0).contains(&FaultCode::ReaderDied), start > 0);
    }
}

/// An entry of a zip, stored, and the directory of it alone.
fn zipped(name: &str, content: &[u8]) -> Vec<u8> {
    // Nobody looks at the checksum.
    let sizes = [&[0; 4][..], &(content.len() as u32).to_le_bytes().repeat(2)].concat();
    let common = [&[20, 0, 0, 0, 0, 0, 0, 0, 0, 0][..], &sizes, &(name.len() as u16).to_le_bytes(), &[0, 0]].concat();
    let local = [b"PK\x03\x04", &common[..], name.as_bytes(), content].concat();
    let central = [b"PK\x01\x02\x14\0", &common[..], &[0; 14], name.as_bytes()].concat();
    let end = [b"PK\x05\x06\0\0\0\0\x01\0\x01\0", &(central.len() as u32).to_le_bytes()[..], &(local.len() as u32).to_le_bytes(), &[0, 0]];
    [local, central, end.concat()].concat()
}

#[test]
fn a_store_in_a_zip_in_a_message_is_opened() {
    for (path, count) in stores().into_iter().filter(|(_, count)| *count > 0) {
        let zip = zipped("mail.pst", &std::fs::read(&path).unwrap());
        let head = b"From: a@b\nSubject: c\nContent-Type: application/zip; name=x.zip\nContent-Transfer-Encoding: binary\n\n";
        let heard = hear("x.eml", &[&head[..], &zip].concat());
        let messages = heard.found.iter().filter(|found| found.parent == Some(2) && found.message.is_some()).count() as u64;
        assert_eq!((messages, heard.found[2].media_type.as_str()), (count, "application/vnd.ms-outlook-pst"));
    }
}

#[test]
fn no_damage_to_a_store_does_harm() {
    for (path, _) in stores() {
        let bytes = std::fs::read(&path).unwrap();
        mutate(&bytes, 40, |changed| {
            hear("x.pst", changed);
        });
    }
}
