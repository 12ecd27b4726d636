use super::*;
use std::fs;
use std::io::{Read, Write};

#[test]
fn a_large_blob_gets_a_file_and_what_stands_in_it_is_a_slice() {
    let (_folder, desk) = desk();
    let lease = desk.take_ingest_lease().unwrap();
    let mut writer = desk.writer(&lease).unwrap();
    let mailbox = noise(1, 3 << 20);
    let mut large = writer.staging().begin().unwrap();
    mailbox.chunks(70_000).for_each(|piece| large.write_all(piece).unwrap());
    let staged = large.seal().unwrap();
    let digest = staged.digest();
    assert_eq!((digest, staged.length()), (Digest::of(&mailbox), mailbox.len() as u64));
    let whole = writer.adopt(&staged).unwrap();

    let message = &mailbox[1_000_000..1_500_000];
    let of_whole = writer.slice(&Digest::of(message), whole, 1_000_000, 500_000).unwrap();
    let attachment = &message[200..700];
    let of_slice = writer.slice(&Digest::of(attachment), of_whole, 200, 500).unwrap();
    let known = writer.blob(&Digest::of(attachment), attachment).unwrap();
    assert_eq!(known, of_slice);
    assert!(matches!(writer.slice(&Digest::of(b"x"), of_whole, 499_999, 2), Err(Error::Refused(_))));
    let of = |bytes: &'static str, blob| NewDocument { blob: Some(blob), ..file(bytes.as_bytes()) };
    let [whole, message_, attachment_] =
        [("w", whole), ("m", of_whole), ("a", of_slice)].map(|(name, blob)| writer.document(&of(name, blob)).unwrap().0);
    writer.commit().unwrap();

    assert_eq!(desk.raw_bytes(whole).unwrap(), mailbox);
    assert_eq!(desk.raw_bytes(message_).unwrap(), message);
    let mut streamed = Vec::new();
    desk.raw(attachment_).unwrap().read_to_end(&mut streamed).unwrap();
    assert_eq!(streamed, attachment);
    assert_eq!(desk.raw_file(whole).unwrap().unwrap().metadata().unwrap().len(), mailbox.len() as u64);
    assert!(desk.raw_file(message_).unwrap().is_none());
    let hex = digest.to_string();
    assert!(desk.path().join("blob").join(&hex[..2]).join(&hex).is_file());
    assert_eq!(desk.counts().unwrap().blob_bytes, mailbox.len() as u64);
    assert!(matches!(desk.open_blob(&Digest::of(b"never stored")), Err(Error::Refused(_))));
}

#[test]
fn a_large_blob_that_turns_out_small_or_known_leaves_no_file() {
    let (_folder, desk) = desk();
    let lease = desk.take_ingest_lease().unwrap();
    let mut writer = desk.writer(&lease).unwrap();
    let mut store = |bytes: &[u8]| {
        let mut large = writer.staging().begin().unwrap();
        large.write_all(bytes).unwrap();
        writer.adopt(&large.seal().unwrap()).unwrap()
    };
    let (small, big) = (noise(1, 100), noise(2, 1 << 20));
    assert_eq!(store(&small), store(&small));
    assert_eq!(store(&big), store(&big));
    assert_eq!(writer.blob(&Digest::of(&big), &big).unwrap(), writer.blob(&Digest::of(&big), &big).unwrap());
    drop(writer.staging().begin().unwrap());
    writer.commit().unwrap();
    assert_eq!(fs::read_dir(desk.path().join("blob/tmp")).unwrap().count(), 0);
    assert_eq!(desk.blob_bytes(&Digest::of(&small)).unwrap(), small);
    assert_eq!(desk.blob_length(&Digest::of(&big)).unwrap(), Some(1 << 20));
}

#[test]
fn what_was_not_committed_never_was_and_a_torn_tail_is_cut() {
    let (_folder, desk) = desk();
    let lease = desk.take_ingest_lease().unwrap();
    let mut writer = desk.writer(&lease).unwrap();
    let kept = put_file(&mut writer, b"kept");
    writer.commit().unwrap();
    let pack = desk.path().join("pack/1");
    let length = fs::metadata(&pack).unwrap().len();

    let lost = put_file(&mut writer, &noise(3, 2000));
    let large = noise(4, 2 << 20);
    let digest = Digest::of(&large);
    writer.blob(&digest, &large).unwrap();
    assert!(desk.document(lost).is_err());
    drop(writer);
    fs::write(desk.path().join("blob/tmp/ingest-7"), b"of a killed one").unwrap();
    fs::write(desk.path().join("blob/tmp/review-1"), b"of another").unwrap();
    let mut torn = fs::read(&pack).unwrap();
    torn.truncate(length as usize);
    torn.extend_from_slice(b"half a rec");
    fs::write(&pack, torn).unwrap();
    // A pack that was begun in a transaction that never ended.
    fs::write(desk.path().join("pack/2"), b"DAYLPACK").unwrap();

    let mut writer = desk.writer(&lease).unwrap();
    assert_eq!(fs::metadata(&pack).unwrap().len(), length);
    assert_eq!(desk.blob_length(&digest).unwrap(), None);
    let left: Vec<_> = fs::read_dir(desk.path().join("blob/tmp")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["review-1"]);
    let again = put_file(&mut writer, &noise(3, 2000));
    let more: Vec<u64> = (10..20).map(|seed| put_file(&mut writer, &noise(seed, 1500))).collect();
    writer.commit().unwrap();
    assert_eq!((lost, again), (kept + 1, kept + 1));
    assert_eq!(desk.raw_bytes(kept).unwrap(), b"kept");
    assert_eq!(desk.raw_bytes(again).unwrap(), noise(3, 2000));
    assert!((10..20).zip(more).all(|(seed, seq)| desk.raw_bytes(seq).unwrap() == noise(seed, 1500)));
    assert!(desk.path().join("pack/3").is_file(), "packs are segmented");
}

#[test]
fn a_damaged_byte_is_reported_with_its_place_and_never_given_out_as_good() {
    let (_folder, desk) = desk();
    let lease = desk.take_ingest_lease().unwrap();
    let mut writer = desk.writer(&lease).unwrap();
    let bytes = noise(1, 100);
    put_file(&mut writer, &noise(5, 10));
    let seq = put_file(&mut writer, &bytes);
    let large = noise(2, 1 << 20);
    let in_file = put_file(&mut writer, &large);
    writer.commit().unwrap();

    let pack = desk.path().join("pack/1");
    let good = fs::read(&pack).unwrap();
    // 12 bytes before the first record, which has 40 + 10.
    for (at, what) in [(62, "another record"), (94, "another record"), (62 + 40 + 99, "digest")] {
        let mut bad = good.clone();
        bad[at] ^= 1;
        fs::write(&pack, bad).unwrap();
        let error = desk.raw_bytes(seq).unwrap_err().to_string();
        assert!(error.contains("pack/1 at byte 62") && error.contains(what), "{error}");
        let streamed = desk.raw(seq).and_then(|mut raw| raw.read_to_end(&mut Vec::new()).map_err(|_| Error::NoBytes(0)));
        assert!(streamed.is_err());
    }
    fs::write(&pack, &good[..150]).unwrap();
    assert!(desk.raw_bytes(seq).unwrap_err().to_string().contains("ends too early"));

    let hex = Digest::of(&large).to_string();
    let path = desk.path().join("blob").join(&hex[..2]).join(&hex);
    let mut bad = large.clone();
    bad[1 << 19] ^= 0x80;
    fs::write(&path, bad).unwrap();
    assert!(desk.raw_bytes(in_file).unwrap_err().to_string().contains(&hex));
    fs::remove_file(&path).unwrap();
    assert!(matches!(desk.raw(in_file), Err(Error::Io { .. })));
}

#[test]
fn a_pack_shorter_than_the_catalogue_says_stops_the_writer() {
    let (_folder, desk) = desk();
    let lease = desk.take_ingest_lease().unwrap();
    let mut writer = desk.writer(&lease).unwrap();
    put_file(&mut writer, &noise(1, 100));
    writer.commit().unwrap();
    drop(writer);
    fs::write(desk.path().join("pack/1"), b"DAYLPACK\x01\0\0\0").unwrap();
    assert!(matches!(desk.writer(&lease), Err(Error::Damaged { .. })));
}
