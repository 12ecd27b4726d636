//! The suites of odd messages that have no expected parse beside them: nothing in them may be left out without a word.

use crate::fixtures::{Fared, fared};
use crate::ours::{corpus, files, read};
use std::fs;

/// Whether there are letters or digits in a document; of a message, beyond its header and the headers and delimiters of its parts.
fn holds_words(bytes: &[u8], message: bool) -> bool {
    let text = String::from_utf8_lossy(bytes).replace("\r\n", "\n");
    if !message {
        return text.contains(char::is_alphanumeric);
    }
    let body = text.split_once("\n\n").map_or("", |(_, body)| body);
    let structure = |line: &&str| {
        line.starts_with("--") || line.starts_with([' ', '\t']) || line.to_lowercase().starts_with("content-") || line.starts_with("MIME-")
    };
    body.lines().filter(|line| !structure(line)).any(|line| line.contains(char::is_alphanumeric))
}

#[test]
fn no_document_of_the_other_suites_is_silent() {
    let (mut silent, mut count, mut documents) = (Vec::new(), 0, 0);
    for suite in
        ["enmime", "flanker", "talon", "cpython-email", "ruby-mail-fixtures", "mimekit", "mime4j", "mail-parser", "spamassassin-hard-ham"]
    {
        let Some(folder) = corpus("mail").map(|mail| mail.join(suite)) else { return };
        for path in files(folder.clone(), "") {
            let label = format!("{suite}/{}", path.strip_prefix(&folder).unwrap().display());
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let reading = read(&name, &fs::read(&path).unwrap());
            (count, documents) = (count + 1, documents + reading.found.len());
            for found in reading.found.iter().filter(|found| {
                // Of a picture that is too small for words nothing is said.
                let picture = found.media_type.starts_with("image/");
                !picture
                    && fared(&reading, found.index) == Fared::Silent
                    && holds_words(reading.original(found.index), found.message.is_some())
            }) {
                silent.push(format!("{label}: {} of {} bytes, {}", found.media_type, reading.original(found.index).len(), found.index));
            }
        }
    }
    println!("{count} files, {documents} documents");
    assert!(silent.is_empty(), "{} with nothing and no reason:\n{}", silent.len(), silent.join("\n"));
}
