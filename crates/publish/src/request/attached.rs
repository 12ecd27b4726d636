use super::{LISTED, RequestError, array, contradiction, string};
use daylight_archive::log::{leaf_hash, verify_inclusion};
use daylight_archive::manifest::RawLine;
use daylight_archive::record::Record;
use daylight_archive::release::ReleaseNote;
use daylight_model::Digest;
use serde_json::{Map, Value, json};

/// What is attached to a request, of which no field may go unread.
pub(super) struct Attached<'a>(pub(super) &'a Map<String, Value>);

impl Attached<'_> {
    /// The one field there is, a text.
    pub(super) fn only_text(&self, name: &str) -> Result<String, RequestError> {
        let mut fields = self.0.clone();
        let text = string(&mut fields, name)?;
        if fields.is_empty() { Ok(text) } else { Err(RequestError::Form(format!("only {name} is attached to it"))) }
    }
}

/// A line of a release's manifest with its path to the root that the release's note states.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The line without its newline.
    pub line: String,
    /// From the leaf up (RFC 6962 section 2.1.1).
    pub hashes: Vec<Digest>,
    /// What the line says; for one whose record has a file of its own, number, kind and the beginning of the title.
    pub record: Record,
}

impl Listed {
    /// Takes a line, from 0, of a manifest and its path.
    pub fn new(line: &[u8], hashes: Vec<Digest>) -> Option<Self> {
        let line = std::str::from_utf8(line).ok()?.trim_end_matches('\n').to_owned();
        let RawLine::Published { record, .. } = RawLine::parse(line.as_bytes())? else { return None };
        let record = Record::parse(record).ok()?;
        Some(Self { line, hashes, record })
    }

    pub(super) fn to_value(&self) -> Value {
        json!({"hashes": self.hashes.iter().map(Digest::to_string).collect::<Vec<_>>(), "line": self.line})
    }

    fn parse(value: Value) -> Result<Self, RequestError> {
        let Value::Object(mut fields) = value else { return Err(RequestError::Form("a line is not an object".into())) };
        let line = string(&mut fields, "line")?;
        let hashes = array(&mut fields, "hashes")?;
        let hashes: Option<Vec<Digest>> = hashes.iter().map(|hash| hash.as_str()?.parse().ok()).collect();
        let listed = hashes.filter(|_| !line.contains('\n')).and_then(|hashes| Self::new(line.as_bytes(), hashes));
        listed.filter(|_| fields.is_empty()).ok_or_else(|| RequestError::Form("a line is not one of a manifest".into()))
    }
}

/// The first lines of a release, in order, each proved to stand where it is said to. As many as there are, up to [`LISTED`]: none may be left out.
pub(super) fn line_proofs(attached: &Map<String, Value>, note: &ReleaseNote) -> Result<Vec<Listed>, RequestError> {
    let mut fields = attached.clone();
    let lines = array(&mut fields, "lines")?.into_iter().map(Listed::parse).collect::<Result<Vec<_>, _>>()?;
    if !fields.is_empty() {
        return Err(RequestError::Form("only lines are attached to a release".into()));
    }
    if lines.len() as u64 != note.lines.min(LISTED) {
        return Err(contradiction("the first lines of the release are not all in it"));
    }
    for (index, listed) in lines.iter().enumerate() {
        let leaf = RawLine::parse(listed.line.as_bytes()).map(|line| leaf_hash(&line.leaf_data().0));
        let leaf = leaf.ok_or_else(|| RequestError::Form("a line is not one of a manifest".into()))?;
        verify_inclusion(&leaf, index as u64, note.lines, &note.manifest, &listed.hashes)
            .map_err(|error| contradiction(format!("line {index} is not in the release that is signed: {error}")))?;
    }
    Ok(lines)
}
