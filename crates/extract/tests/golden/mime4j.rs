//! Apache mime4j: beside each message stand its structure and header fields as XML, and each body decoded.

use crate::compare::{Content, Expected, Explained, Leaf, differences, settle};
use crate::ours::{corpus, files, message, read};
use quick_xml::Reader;
use quick_xml::events::Event;
use std::fs;
use std::path::Path;

/// Why ours is another, message by message.
const EXPLAINED: &[Explained] = &[
    (
        "mimetools-testmsgs/badbound.",
        "text",
        "no line is the folded boundary, so there are no parts; theirs has no text then, ours all of it",
    ),
    ("mimetools-testmsgs/frag.", "attachment 0 attachment 0 attachment 0 attachment 0 bytes", TORN),
    ("mimetools-testmsgs/multi-frag.", "attachment 1 bytes", TORN),
    ("mimetools-testmsgs/hdr-fakeout.", "text", BLANK),
    ("testmsgs/basic-plain-with-bad-header-separator.", "text", BLANK),
    ("testmsgs/malformedHeader-noheader.", "no message", "without one field a file is a text, not a message; its words are there"),
    (
        "testmsgs/malformedHeaderStartsBody-noheader.",
        "no message",
        "without one field a file is a text, not a message; its words are there",
    ),
    (
        "testmsgs/malformedHeaderStartsBody-nocrlfcrlf.",
        "text",
        "a stray line with a field right after it does not end the header for us; its words are hidden text",
    ),
    ("testmsgs/missing-boundary.", "text", NO_PARTS),
    ("testmsgs/missing-inner-boundary.", "attachments", NO_PARTS),
    ("testmsgs/missing-inner-start-boundary.", "attachments", NO_PARTS),
    ("testmsgs/multipartnopart.", "text", NO_PARTS),
    ("testmsgs/very-long-boundary.", "text 0", TRAILING),
    ("testmsgs/very-very-long-boundary.", "text 0", TRAILING),
    ("testmsgs/weird-boundary.", "text 0", TRAILING),
];
const TORN: &str = "its base64 is cut in the middle of a group; we give the bytes that the last letters hold";
const BLANK: &str = "the line after the header holds a space, and no field follows it: to us it is empty all the same, theirs loses the paragraph to the header";
const NO_PARTS: &str = "on purpose: a multipart without a part is text, or kept as it is and read, where theirs gives nothing";
const TRAILING: &str =
    "RFC 2046 section 5.1.1: a boundary does not end in white space, and what stands after one in a delimiter line was added on the way";

#[test]
fn every_message_is_read_as_mime4j_reads_it_or_better() {
    let Some(folder) = corpus("mail/mime4j/core/src/test/resources") else { return };
    let mut found = Vec::new();
    for path in files(folder.clone(), ".msg") {
        let xml = path.to_string_lossy().replace(".msg", "_decoded.xml");
        let label = path.strip_prefix(&folder).unwrap().display().to_string();
        let Ok(xml) = fs::read(xml) else {
            println!("{label} has no parse of theirs beside it");
            continue;
        };
        let theirs = expected(&xml, path.parent().unwrap());
        let bytes = fs::read(&path).unwrap();
        let differences = match message(&read("x.eml", &bytes), 0) {
            Some(ours) => differences(&theirs, &ours),
            None => vec!["no message to us".into()],
        };
        found.push((label, differences));
    }
    let (agree, differ) = settle(&found, EXPLAINED);
    println!("mime4j: {agree} agree, {differ} differ with a reason");
    assert_eq!(agree + differ, 80);
}

/// An element of their XML.
#[derive(Default)]
struct Element {
    name: String,
    /// Its `name` attribute: the file that holds a body.
    file: String,
    text: String,
    inside: Vec<Element>,
}

fn tree(xml: &str) -> Element {
    let mut reader = Reader::from_str(xml);
    let mut open = vec![Element::default()];
    let element = |start: &quick_xml::events::BytesStart<'_>| {
        let file = start.attributes().flatten().find(|one| one.key.as_ref() == "name");
        Element {
            name: start.name().as_ref().to_owned(),
            file: file.map(|one| one.value.to_string()).unwrap_or_default(),
            ..Element::default()
        }
    };
    loop {
        match reader.read_event().unwrap() {
            Event::Start(start) => open.push(element(&start)),
            Event::Empty(start) => open.last_mut().unwrap().inside.push(element(&start)),
            Event::End(_) => {
                let done = open.pop().unwrap();
                open.last_mut().unwrap().inside.push(done);
            }
            Event::Text(text) => open.last_mut().unwrap().text.push_str(&text),
            Event::GeneralRef(reference) => {
                let letter = match &*reference {
                    "lt" => '<',
                    "gt" => '>',
                    "amp" => '&',
                    "quot" => '"',
                    "apos" => '\'',
                    other => panic!("{other:?}"),
                };
                open.last_mut().unwrap().text.push(letter);
            }
            Event::CData(text) => open.last_mut().unwrap().text.push_str(&text),
            Event::Eof => return open.pop().unwrap().inside.remove(0),
            _ => {}
        }
    }
}

fn expected(xml: &[u8], folder: &Path) -> Expected {
    let mut expected = Expected::default();
    let root = tree(&String::from_utf8_lossy(xml));
    collect(&root, true, folder, &mut expected);
    expected
}

/// Their message or part. The fields of a message are read by our own reader of fields: theirs here is where each ends, and in which part it stands.
fn collect(element: &Element, root: bool, folder: &Path, into: &mut Expected) {
    let fields: Vec<&str> =
        element.inside.iter().filter(|one| one.name == "header").flat_map(|header| &header.inside).map(|f| f.text.trim()).collect();
    if root {
        let header = fields.join("\n") + "\n\n";
        if let Some(ours) = message(&read("x.eml", header.as_bytes()), 0) {
            *into = Expected {
                subject: Some(ours.subject),
                people: ours.people,
                date: ours.date,
                id: Some(ours.id),
                references: ours.references,
                ..Expected::default()
            };
        }
    }
    // A part with these fields, and one that says nothing of itself before it: what ours says of a part that has this header.
    let header = format!(
        "Content-Type: multipart/mixed; boundary=x\n\n--x\n{}\n\n--x--\n",
        fields.iter().filter(|f| f.to_lowercase().starts_with("content-")).cloned().collect::<Vec<_>>().join("\n")
    );
    for one in &element.inside {
        let content = match one.name.as_str() {
            "multipart" => {
                one.inside.iter().filter(|part| part.name == "body-part").for_each(|part| collect(part, false, folder, into));
                continue;
            }
            "message" => {
                let mut inner = Expected::default();
                collect(one, true, folder, &mut inner);
                Content::Message(Box::new(inner))
            }
            "text-body" | "binary-body" => Content::Bytes(fs::read(folder.join(&one.file)).unwrap()),
            _ => continue,
        };
        let part = message(&read("x.eml", header.as_bytes()), 0).unwrap();
        let known = part.attachments.into_iter().next();
        let field = |name: &str| fields.iter().find_map(|field| field.to_lowercase().strip_prefix(name).map(str::to_owned));
        let typed = field("content-type:").unwrap_or_default();
        // Theirs is decoded to bytes, and not yet to letters.
        let stated = typed.split("charset=").nth(1).and_then(|rest| rest.trim_matches('"').split([';', '"', ' ']).next());
        let content = match content {
            Content::Bytes(bytes) if typed.is_empty() || typed.trim_start().starts_with("text") => {
                let encoding = stated.and_then(|label| encoding_rs::Encoding::for_label(label.as_bytes()));
                Content::Text(encoding.unwrap_or(encoding_rs::WINDOWS_1252).decode(&bytes).0.into_owned())
            }
            content => content,
        };
        into.leaves.push(Leaf {
            media: typed.split([';', '(']).next().unwrap_or_default().split_whitespace().collect::<String>(),
            name: known.and_then(|one| one.name),
            attached: field("content-disposition:").is_some_and(|value| value.trim_start().starts_with("attachment")),
            root,
            content,
        });
    }
}
