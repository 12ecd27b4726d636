//! Documents that are nearly the same text.

use super::*;
use daylight_model::{REGISTERS, Sketch};

/// A sketch that shares no register with one of another seed but by chance.
fn sketch(seed: u64) -> Sketch {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    Sketch(std::array::from_fn(|_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as u16
    }))
}

/// The sketch with so many of its registers changed, evenly.
fn changed(mut sketch: Sketch, registers: usize) -> Sketch {
    (0..registers).for_each(|n| sketch.0[n * REGISTERS / registers.max(1)] ^= 0x5555);
    sketch
}

fn put(writer: &mut Writer<'_>, name: &str, language: &str, sketch: Option<&Sketch>) -> u64 {
    let seq = put_file(writer, name.as_bytes());
    writer.set_words(seq, language, sketch).unwrap();
    seq
}

fn seqs(near: &Near) -> Vec<u64> {
    near.documents.iter().map(|(seq, _)| *seq).collect()
}

#[test]
fn what_is_near_is_found_by_a_few_keys_and_not_by_pairs() {
    let (_folder, mut desk) = desk();
    let lease = desk.take_ingest_lease().unwrap();
    let mut writer = desk.writer(&lease).unwrap();
    for seed in 0..10_000 {
        put(&mut writer, &format!("other {seed}"), "en", Some(&sketch(seed)));
    }
    let original = sketch(77_777);
    let first = put(&mut writer, "first", "de", Some(&original));
    let same = put(&mut writer, "same", "de", Some(&original));
    let near = put(&mut writer, "near", "", Some(&changed(original, 16)));
    let far = put(&mut writer, "far", "", Some(&changed(original, 64)));
    let none = put(&mut writer, "none", "fr", None);
    writer.commit().unwrap();
    assert_eq!(seqs(&desk.near(first).unwrap()), [], "not before it is related");
    desk.relate().unwrap();
    let found = desk.near(first).unwrap();
    assert_eq!((seqs(&found), found.more), (vec![same, near], false));
    assert_eq!((found.documents[0].1, found.documents[1].1), (1.0, 1.0 - 16.0 / REGISTERS as f64));
    assert!(found.compared < 10, "{found:?}");
    assert_eq!((seqs(&desk.near(far).unwrap()), seqs(&desk.near(none).unwrap())), (vec![], vec![]));
    let counts = desk.counts().unwrap().near;
    assert_eq!((counts.groups, counts.documents), (1, 3));
    assert!(counts.compared < 100, "{counts:?}");
    assert_eq!((desk.document(first).unwrap().language.as_str(), desk.document(none).unwrap().language.as_str()), ("de", "fr"));
    let languages: Vec<String> = desk
        .changed_since(desk.latest_change().unwrap() - 2, 9)
        .unwrap()
        .into_iter()
        .map(|change| match change {
            Change::Document(row) => row.language,
            Change::Deleted { .. } => panic!("nothing was deleted"),
        })
        .collect();
    assert_eq!(languages, ["", "fr"]);
}

#[test]
fn boilerplate_without_number_is_compared_so_far_and_no_further_and_that_is_said() {
    let (_folder, mut desk) = desk();
    let lease = desk.take_ingest_lease().unwrap();
    let mut writer = desk.writer(&lease).unwrap();
    let all: Vec<u64> = (0..3000).map(|n| put(&mut writer, &format!("same {n}"), "", Some(&sketch(1)))).collect();
    writer.commit().unwrap();
    desk.relate().unwrap();
    let found = desk.near(all[2999]).unwrap();
    assert!(found.more && found.compared == 256 && found.documents.len() == 256, "{} {}", found.compared, found.documents.len());
    let counts = desk.counts().unwrap().near;
    assert_eq!((counts.groups, counts.documents), (1, 3000));
    assert!(counts.compared < 3000 * 2, "one look at each: {counts:?}");
}

#[test]
fn a_document_that_is_read_anew_is_near_others_than_before() {
    let (_folder, mut desk) = desk();
    let lease = desk.take_ingest_lease().unwrap();
    let mut writer = desk.writer(&lease).unwrap();
    let (one, two) = (sketch(1), sketch(2));
    let [a, b, c] = [("a", &one), ("b", &two), ("c", &one)].map(|(name, sketch)| put(&mut writer, name, "en", Some(sketch)));
    let change = writer.commit().unwrap();
    desk.relate().unwrap();
    assert_eq!(seqs(&desk.near(a).unwrap()), [c]);
    writer.set_words(a, "en", Some(&one)).unwrap();
    assert_eq!(writer.commit().unwrap(), change, "what is the same is no change");
    writer.set_words(a, "de", Some(&two)).unwrap();
    assert!(writer.commit().unwrap() > change, "the index must know");
    assert_eq!((seqs(&desk.near(a).unwrap()), seqs(&desk.near(c).unwrap())), (vec![b], vec![]));
    // A stand-in that goes takes its keys with it.
    writer.replace_unreadable(b, a).unwrap();
    writer.commit().unwrap();
    assert_eq!(seqs(&desk.near(a).unwrap()), []);
    let keys: i64 = desk.connection.query_row("SELECT COUNT(*) FROM near WHERE seq = ?1", [b as i64], |row| row.get(0)).unwrap();
    assert_eq!(keys, 0);
}
