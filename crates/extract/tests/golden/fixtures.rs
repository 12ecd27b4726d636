//! Aleph's ingest-file: the fixtures of a peer's extraction suite. Each gives text, or documents, or says why not.

use crate::ours::{Reading, corpus, files, read};
use daylight_model::reading::Label;
use std::collections::BTreeMap;
use std::fs;

#[test]
fn every_fixture_gives_text_or_a_reason() {
    let Some(folder) = corpus("documents/ingest-file/tests") else { return };
    let mut silent = Vec::new();
    for path in files(folder, "") {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let reading = read(&name, &fs::read(&path).unwrap());
        println!("{name}: {}", gave(&reading));
        silent.extend(silent_documents(&name, &reading));
    }
    assert!(silent.is_empty(), "{silent:#?}");
}

fn gave(r: &Reading) -> String {
    let mut labels = BTreeMap::<&str, usize>::new();
    for (_, label, text) in &r.texts { *labels.entry(label.word()).or_default() += text.len(); }
    format!("{} documents, {labels:?}, {:?}", r.found.len(), r.faults.iter().take(4).map(|(_, f)| f.to_string()).collect::<Vec<_>>())
}

fn silent_documents(name: &str, reading: &Reading) -> Vec<String> {
    let quiet = reading.found.iter().filter(|found| {
        let index = found.index;
        let text = reading.texts.iter().any(|(of, label, text)| *of == index && *label != Label::Property && text.contains(char::is_alphanumeric));
        let holds = reading.children(index).next().is_some();
        let fault = reading.faults.iter().any(|(of, _)| *of == index);
        !(text || holds || fault)
    });
    quiet.map(|found| format!("{name}: {} {:?}", found.media_type, found.name.as_ref().map(|n| String::from_utf8_lossy(&n.0).into_owned()))).collect()
}
