//! Long text, which is stored and read back part by part. The limits are small here, see `texts.rs`.

use super::*;
use crate::texts::WHOLE_TEXT;
use std::fs;

fn segments(count: usize) -> Vec<Segment> {
    (0..count).map(|n| Segment { label: Label::ALL[n % 4], page: Some(n as u32 + 1), text: format!("{n:03}{}", "é".repeat(25)) }).collect()
}

fn put_long(writer: &mut Writer<'_>, segments: &[Segment]) -> u64 {
    let mut long = writer.staging().begin_text().unwrap();
    segments.iter().for_each(|segment| long.push(segment.clone()).unwrap());
    assert_eq!(long.end().unwrap(), None);
    assert_eq!(long.bytes(), segments.iter().map(|segment| segment.text.len() as u64).sum::<u64>());
    writer.document_with(&file(b"long"), Some(&long)).unwrap().0
}

#[test]
fn long_text_is_one_record_in_parts_and_short_text_is_given_back() {
    let (_folder, desk) = desk();
    let lease = desk.take_ingest_lease().unwrap();
    let mut writer = desk.writer(&lease).unwrap();
    let all = segments(50);
    let seq = put_long(&mut writer, &all);
    let short = put_file(&mut writer, b"none");
    let mut brief = writer.staging().begin_text().unwrap();
    all[..4].iter().for_each(|segment| brief.push(segment.clone()).unwrap());
    assert_eq!(brief.end().unwrap().as_deref(), Some(&all[..4]));
    drop(brief);
    writer.commit().unwrap();
    assert_eq!(fs::read_dir(desk.path().join("blob/tmp")).unwrap().count(), 0);

    let parts = desk.text_parts(seq).unwrap();
    assert_eq!(parts.count(), 25);
    let read: Vec<Segment> = (0..parts.count()).flat_map(|number| parts.part(number).unwrap().into_owned()).collect();
    assert_eq!((&read, &desk.text(seq).unwrap()), (&all, &all));
    assert!(parts.part(25).unwrap().is_empty() && desk.text_parts(short).unwrap().count() == 0);
    let rows = desk.changed_since(0, 10).unwrap();
    let long: Vec<bool> = rows.iter().map(|row| matches!(row, Change::Document(row) if row.long && row.texts.is_empty())).collect();
    assert_eq!(long, [true, false]);
}

#[test]
fn damage_to_long_text_is_named_and_the_other_parts_are_read() {
    let (_folder, desk) = desk();
    let lease = desk.take_ingest_lease().unwrap();
    let mut writer = desk.writer(&lease).unwrap();
    let all = segments(2 * WHOLE_TEXT as usize / 50);
    let seq = put_long(&mut writer, &all);
    writer.commit().unwrap();
    let pack = desk.path().join("pack/1");
    let sound = fs::read(&pack).unwrap();
    let mut untold = Vec::new();
    for at in 12 + 40..sound.len() {
        let mut damaged = sound.clone();
        damaged[at] ^= 1;
        fs::write(&pack, damaged).unwrap();
        let told = match Desk::open(desk.path()).unwrap().text_parts(seq) {
            Err(error) => vec![error.to_string()],
            Ok(parts) => (0..parts.count()).filter_map(|number| parts.part(number).err().map(|error| error.to_string())).collect(),
        };
        if told.len() != 1 || !told[0].contains("pack/1 at byte 12") {
            untold.push((at, told));
        }
    }
    assert!(untold.is_empty(), "{untold:?}");
    fs::write(&pack, &sound[..sound.len() - 1]).unwrap();
    assert!(Desk::open(desk.path()).unwrap().text(seq).unwrap_err().to_string().contains("ends before its record"));
}
