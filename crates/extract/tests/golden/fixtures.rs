//! Aleph's ingest-file: the fixtures of a peer's extraction suite. Each document in them gives text or documents, or says why it does not.

use crate::ours::{Reading, corpus, files, read};
use daylight_model::FaultCode;
use daylight_model::reading::Label;
use std::collections::BTreeMap;
use std::fs;

/// How a file fared, worst last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fared {
    Text,
    Documents,
    /// No text in it, and nothing that could be read as such without more: a picture, a password that is missing, an empty file.
    Said(FaultCode),
    Silent,
}

#[test]
fn every_document_of_the_fixtures_gives_text_or_a_true_reason() {
    let Some(folder) = corpus("documents/ingest-file/tests") else { return };
    let (mut silent, mut table, mut count) = (Vec::new(), BTreeMap::<String, Vec<Fared>>::new(), 0);
    for path in files(folder, "") {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let reading = read(&name, &fs::read(&path).unwrap());
        count += 1;
        table.entry(reading.found[0].media_type.clone()).or_default().push(fared(&reading, 0));
        let quiet = reading.found.iter().filter(|found| fared(&reading, found.index) == Fared::Silent);
        silent.extend(quiet.map(|found| format!("{name}: {} {:?}", found.media_type, found.name)));
    }
    for (media, fared) in &table {
        println!("{media}: {fared:?}");
    }
    assert!(silent.is_empty(), "with nothing and no reason:\n{}", silent.join("\n"));
    assert_eq!(count, 78);
    // Of these types no file is read, for the reason that stands here. Whatever else says that there is no reader for it fails.
    let unread: Vec<&str> =
        table.iter().filter(|(_, all)| all.contains(&Fared::Said(FaultCode::NoReader))).map(|(media, _)| media.as_str()).collect();
    let pictures = |media: &&str| media.starts_with("image/");
    let (pictures, others): (Vec<&str>, Vec<&str>) = unread.into_iter().partition(pictures);
    assert_eq!(pictures, ["image/jp2", "image/vnd.djvu"]);
    assert_eq!(others, ["application/x-msaccess", "audio/mp4"]);
}

pub fn fared(reading: &Reading, index: u32) -> Fared {
    let text =
        reading.texts.iter().any(|(of, label, text)| *of == index && *label != Label::Property && text.contains(char::is_alphanumeric));
    let fault = reading.faults.iter().find(|(of, _)| *of == index);
    let small = reading.texts.iter().any(|(of, _, text)| *of == index && text.contains(", too small to hold words"));
    match (text, reading.children(index).next(), fault) {
        (true, ..) => Fared::Text,
        (_, Some(_), _) => Fared::Documents,
        (_, _, Some((_, fault))) => Fared::Said(fault.code),
        _ if small => Fared::Said(FaultCode::Empty),
        _ => Fared::Silent,
    }
}
