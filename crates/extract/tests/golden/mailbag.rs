//! Mailbag: a message as eml, two in an mbox, one as msg and two in a PST, each with what mailbag read in it as files beside.

use crate::compare::{Content, Expected, Explained, Leaf, differences, settle};
use crate::ours::{corpus, message, read};
use daylight_model::Role;
use std::fs;
use std::path::Path;

/// Why ours is another, message by message.
const EXPLAINED: &[Explained] =
    &[("pst-outlook2019_MSO_16.0.10377.20023_64-bit/1", "text 0: at word 71", "theirs took the UTF-8 of the plain text for Windows-1252")];

#[test]
fn every_format_gives_the_messages_that_mailbag_finds() {
    let Some(folder) = corpus("documents/mailbag/data") else { return };
    let mut found = Vec::new();
    for (file, parsed) in [
        ("2016-06-23_144430_6e449c77fe.eml", "eml-2016-06-23_144430_6e449c77fe"),
        ("sample1.mbox", "mbox-sample1"),
        ("Digitization Archiving Solutions.msg", "msg-Digitization Archiving Solutions"),
        ("outlook2019_MSO_16.0.10377.20023_64-bit.pst", "pst-outlook2019_MSO_16.0.10377.20023_64-bit"),
    ] {
        let reading = read(file, &fs::read(folder.join(file)).unwrap());
        let mut messages: Vec<_> = reading.found.iter().filter_map(|one| message(&reading, one.index)).collect();
        // Of people, mailbag says from whom and to whom.
        messages.iter_mut().for_each(|message| message.people.retain(|(role, ..)| matches!(role, Role::From | Role::To)));
        let theirs: Vec<_> = fs::read_dir(folder.join(parsed)).unwrap().map(|one| one.unwrap().path()).collect();
        assert_eq!(messages.len(), theirs.len(), "{file} holds as many messages as mailbag finds");
        for theirs in theirs {
            let label = theirs.strip_prefix(&folder).unwrap().display().to_string();
            let theirs = expected(&theirs);
            let ours = messages.iter().find(|ours| Some(&ours.id) == theirs.id.as_ref());
            found.push((label, ours.map_or_else(|| vec!["no message with this ID".into()], |ours| differences(&theirs, ours))));
        }
    }
    let (agree, differ) = settle(&found, EXPLAINED);
    println!("mailbag: {agree} agree, {differ} differ with a reason");
    assert_eq!(agree + differ, 6);
}

fn expected(folder: &Path) -> Expected {
    let text = |name: &str| fs::read_to_string(folder.join(name)).ok().map(|text| text.trim().to_owned());
    let header = format!(
        "From: {}\nTo: {}\nDate: {}\n\n",
        text("From.txt").unwrap_or_default(),
        text("To.txt").unwrap_or_default(),
        text("Date.txt").unwrap()
    );
    // Their fields are as written: our reader of fields takes them apart, and what is held to theirs is which they are.
    let fields = message(&read("x.eml", header.as_bytes()), 0).unwrap();
    let leaf = |media: &str, content: String| Leaf {
        media: media.into(),
        name: None,
        attached: false,
        root: false,
        content: Content::Text(content),
    };
    let bodies = [("text/plain", "Text_Body.txt"), ("text/html", "HTML_Body.txt")].into_iter();
    let mut leaves: Vec<Leaf> = bodies.filter_map(|(media, file)| Some(leaf(media, text(file)?))).collect();
    for number in 1.. {
        let Ok(bytes) = fs::read(folder.join(format!("Attachments/{number}/File.bin"))) else { break };
        let of = |name: &str| text(&format!("Attachments/{number}/{name}"));
        leaves.push(Leaf {
            media: of("MimeType.txt").unwrap_or_default(),
            name: of("Name.txt"),
            attached: true,
            root: false,
            content: Content::Bytes(bytes),
        });
    }
    Expected {
        subject: text("Subject.txt"),
        people: fields.people,
        date: fields.date,
        id: text("Message_ID.txt").map(|id| id.trim_matches(['<', '>']).to_owned()),
        leaves,
        ..Expected::default()
    }
}
