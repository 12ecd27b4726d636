//! A query in words.

use super::{Field, How, Node, Text};

/// What the tree asks for, in one line: first the words, then what else must be true, apart by semicolons.
pub(super) fn explain(root: Option<&Node>) -> String {
    let Some(root) = root else { return "Everything".to_owned() };
    let nodes = match root {
        Node::All(nodes) => nodes.as_slice(),
        node => std::slice::from_ref(node),
    };
    let (words, rest): (Vec<_>, Vec<_>) = nodes.iter().partition(|node| matches!(node, Node::Text(Field::Anywhere, _)));
    let mut parts = Vec::new();
    match words.as_slice() {
        [] => {}
        [word] => parts.push(node(word)),
        words => parts.push(format!("All of: {}", list(words.iter().copied()))),
    }
    parts.extend(rest.into_iter().map(|n| match n {
        Node::Any(nodes) => format!("any of: {}", list(nodes.iter())),
        n => node(n),
    }));
    let own = match words.as_slice() {
        [] => matches!(nodes.first(), Some(Node::Text(Field::Subject | Field::Body, _))),
        words => words.len() == 1,
    };
    capitalised(parts.join("; "), own)
}

fn list<'a>(nodes: impl Iterator<Item = &'a Node>) -> String {
    nodes.map(node).collect::<Vec<_>>().join(", ")
}

fn node(node: &Node) -> String {
    match node {
        Node::All(nodes) => format!("(all of: {})", list(nodes.iter())),
        Node::Any(nodes) => format!("(any of: {})", list(nodes.iter())),
        Node::Not(inner) => format!("not {}", self::node(inner)),
        Node::Text(field, text) => in_field(*field, &words(text)),
        Node::Type(name) => format!("of type {name}"),
        Node::HasAttachment => "with an attachment".to_owned(),
        Node::Unreadable => "not fully readable".to_owned(),
        Node::Signed(word) => signed(word),
        Node::Dated(span) => span.words.clone(),
        Node::Thread(id) => format!("in the conversation {id}"),
        Node::Near(id, _) => format!("nearly the same text as {id}"),
        Node::Language(code) => format!("in the language {}", daylight_model::language_name(code)),
        Node::Collection(name) => format!("in the collection {name}"),
        Node::Sha256(hex) if hex.len() == 64 => format!("with the SHA-256 {hex}"),
        Node::Sha256(hex) => format!("with a SHA-256 that begins with {hex}"),
    }
}

fn signed(word: &str) -> String {
    match word {
        "valid" => "with a valid signature of a domain".to_owned(),
        "unsigned" => "not signed by any domain".to_owned(),
        word if word.contains('.') => format!("with a valid signature of {word}"),
        word => format!("with a signature that is {}", word.replace('-', " ")),
    }
}

fn in_field(field: Field, words: &str) -> String {
    match field {
        Field::Anywhere => words.to_owned(),
        Field::Subject => format!("{words} in the subject"),
        Field::Body => format!("{words} in the body"),
        Field::From => format!("from {words}"),
        Field::To => format!("to {words}"),
        Field::Cc => format!("copied to {words}"),
        Field::Person => format!("from, to or copied to {words}"),
        Field::File => format!("with a file named {words}"),
    }
}

fn words(text: &Text) -> String {
    let written = text.written.split_whitespace().collect::<Vec<_>>().join(" ");
    match text.how {
        How::Plain if text.quoted => format!("“{written}”"),
        How::Plain => written,
        How::Beginning => format!("words that begin with “{written}”"),
        How::Close(1) => format!("words spelled like “{written}” (one letter off)"),
        How::Close(letters) => format!("words spelled like “{written}” ({letters} letters off)"),
        How::Near(1) => format!("the words “{written}” near each other (at most one between them)"),
        How::Near(gap) => format!("the words “{written}” near each other (at most {gap} between them)"),
    }
}

/// Begins with a capital letter, unless what it begins with is the reader's own word.
fn capitalised(text: String, own: bool) -> String {
    let mut rest = text.chars();
    match rest.next() {
        Some(first) if !own => first.to_uppercase().chain(rest).collect(),
        _ => text,
    }
}
