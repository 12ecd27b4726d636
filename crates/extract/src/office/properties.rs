//! The properties of a document: a line for each, as `name: value`.

use super::flow::Flow;
use super::xml::{Node, Xml};
use daylight_model::reading::{Label, Stop};

/// Properties that say how much there is of a document, not what it is.
const COUNTS: [&str; 20] = [
    "Pages",
    "Words",
    "Characters",
    "CharactersWithSpaces",
    "Lines",
    "Paragraphs",
    "TotalTime",
    "DocSecurity",
    "ScaleCrop",
    "LinksUpToDate",
    "SharedDoc",
    "HyperlinksChanged",
    "AppVersion",
    "HeadingPairs",
    "HLinks",
    "Slides",
    "Notes",
    "HiddenSlides",
    "MMClips",
    "document-statistic",
];

/// Reads a part of properties: every innermost element with text is one.
pub(super) fn read(flow: &mut Flow<'_, '_>, xml: &mut Xml<'_>) -> Result<(), Stop> {
    let (mut names, mut text) = (Vec::new(), String::new());
    while let Some(node) = xml.next() {
        match node {
            Node::Start => {
                text.clear();
                if names.len() < 100 {
                    names.push(xml.attribute("name").unwrap_or_else(|| xml.name().to_owned()));
                }
            }
            Node::Text => text.push_str(xml.text()),
            Node::End => {
                let value = text.trim();
                let counts = names.iter().any(|name| COUNTS.contains(&name.as_str()));
                // What stands in a list or in a value of any type has the name of what it stands in.
                let named = names
                    .iter()
                    .rev()
                    .find(|name| !matches!(name.as_str(), "lpwstr" | "lpstr" | "vector" | "variant" | "filetime" | "bool" | "i4"));
                if let Some(name) = named.filter(|_| !value.is_empty() && !counts) {
                    flow.whole_line(Label::Property, &format!("{}: {value}", plain(name)))?;
                }
                text.clear();
                names.pop();
            }
        }
    }
    Ok(())
}

/// `lastModifiedBy` as `last modified by`.
fn plain(name: &str) -> String {
    let mut plain = String::with_capacity(name.len() + 4);
    let mut before_lower = false;
    for character in name.chars() {
        if character.is_uppercase() && before_lower {
            plain.push(' ');
        }
        before_lower = character.is_lowercase();
        plain.extend(character.to_lowercase());
    }
    plain.replace(['-', '_'], " ")
}
