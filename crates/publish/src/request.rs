//! Requests for signatures: a note that editors are to sign, with all that each of them needs to check it on a machine of their own, and the
//! signatures collected so far. `docs/signing.md` has the format.
//!
//! A [`Request`] cannot be made of parts that do not belong together: its roots follow from one another, its text names the last of them, what is
//! attached is bound to the text by hashes, and every signature is right and of a key that counts. So what [`Request::words`] tells is what is
//! signed, and a malicious publisher cannot have one thing shown and another signed.

mod attached;
mod kind;
mod parties;
mod words;

pub use attached::Listed;
pub use kind::Kind;
pub use parties::{Party, Standing};
pub use words::{Words, plain, root_words};

use crate::approval::{parse_seal_text, seal_text};
use attached::{Attached, line_proofs};
use daylight_archive::directory::DirectoryNote;
use daylight_archive::heartbeat::HeartbeatNote;
use daylight_archive::json;
use daylight_archive::key::{Key, Signer};
use daylight_archive::note::{Note, NoteError};
use daylight_archive::release::{ReleaseError, ReleaseNote};
use daylight_archive::root::{Chain, Root, RootError};
use daylight_archive::withdraw::WithdrawNote;
use kind::{Head, head};
use serde_json::{Map, Value, json};

const FORMAT: &str = "daylight-request/v1";

/// The longest request that is read, in bytes.
pub const MAX_REQUEST: usize = 4 << 20;

/// How many of a release's first lines come with its request.
pub const LISTED: u64 = 10;

/// Why something is not a request, or not one that this key can sign.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// Not of the form, or of another version of it.
    #[error("not a signing request ({FORMAT}): {0}")]
    Form(String),
    /// A text that begins with no type that is known.
    #[error("it asks to sign {0}, which this program does not know; nothing is signed that cannot be shown")]
    UnknownType(String),
    /// What is in it does not belong together.
    #[error("the request contradicts itself: {0}; do not sign it, and ask who sent it")]
    Contradiction(String),
    /// Its roots do not follow from one another.
    #[error("the request's roots: {0}")]
    Roots(#[source] RootError),
    /// None of its roots is the one that the signer trusts.
    #[error("it is for {origin}, and none of that archive's roots is the one that you gave with --root: it is another publisher's")]
    OtherRoot {
        /// What the request is for.
        origin: String,
    },
    /// A key whose signature would not count.
    #[error("the key {name} does not count for this: {who}")]
    NotAParty {
        /// The key's name.
        name: String,
        /// Whose keys would count.
        who: String,
    },
    /// Two requests for different things.
    #[error("the two ask to sign different things")]
    OtherText,
    /// Fewer signatures than are needed.
    #[error("{what} is not signed by enough yet: {}", .standing.join("; "))]
    TooFew {
        /// What is to be signed.
        what: String,
        /// Who signed and who may, in words.
        standing: Vec<String>,
    },
    /// A signature that is wrong.
    #[error("the request's signatures: {0}; ask for a new copy of it")]
    Signatures(#[source] NoteError),
}

/// A note to be signed, with what is needed to check it. See the module.
#[derive(Debug, Clone)]
pub struct Request {
    note: Note,
    kind: Kind,
    /// Every root up to the one in force; none where the first is to be signed.
    chain: Option<Chain>,
    statement: Statement,
    attached: Map<String, Value>,
}

/// What is to be signed, derived from the bytes that are signed and from what is bound to them by hash.
#[derive(Debug, Clone)]
pub enum Statement {
    /// A release.
    Release {
        /// What its note says.
        note: Box<ReleaseNote>,
        /// The first lines of its manifest, each proved to stand there.
        first: Vec<Listed>,
    },
    /// A release that is to be sealed, see [`crate::seal()`].
    Seal {
        /// What is approved of it.
        note: Box<ReleaseNote>,
        /// The first lines of its manifest, each proved to stand there.
        first: Vec<Listed>,
    },
    /// A root that is to come into force.
    Root(Box<Root>),
    /// One of the other types: what it says is its text.
    Other {
        /// Its serial.
        serial: u64,
    },
}

impl Request {
    /// Asks to sign a release that was staged. `lines` are the first lines of its manifest with their paths in its tree, see [`LISTED`].
    pub fn release(chain: &Chain, note: &ReleaseNote, lines: &[Listed]) -> Result<Self, RequestError> {
        let text = note.text().map_err(contradiction)?;
        let attached = json!({"lines": lines.iter().map(Listed::to_value).collect::<Vec<_>>()});
        Self::build(&text, &[], Some(chain.clone()), object(attached))
    }

    /// Asks to approve a release that is to be sealed. `lines` are as for [`Request::release`].
    pub fn seal(chain: &Chain, note: &ReleaseNote, lines: &[Listed]) -> Result<Self, RequestError> {
        let text = seal_text(note).map_err(contradiction)?;
        let attached = json!({"lines": lines.iter().map(Listed::to_value).collect::<Vec<_>>()});
        Self::build(&text, &[], Some(chain.clone()), object(attached))
    }

    /// Asks to sign a root: the first, where `chain` is `None`, or the one that follows on from a chain.
    pub fn root(chain: Option<&Chain>, root: &Root) -> Result<Self, RequestError> {
        let json = String::from_utf8(root.to_json().map_err(contradiction)?).map_err(contradiction)?;
        let text = root.signed_text().map_err(contradiction)?;
        Self::build(&text, &[], chain.cloned(), object(json!({"root": json})))
    }

    /// Asks to sign a text of another type: `daylight-<type>/v1`, then `origin`, `serial` and `root` lines, then whatever the type has.
    pub fn other(chain: &Chain, text: &str) -> Result<Self, RequestError> {
        Self::build(text, &[], Some(chain.clone()), Map::new())
    }

    /// Reads a request and checks all of it. Errors: see the module; nothing of a request that is not whole is given out.
    pub fn parse(bytes: &[u8]) -> Result<Self, RequestError> {
        if bytes.len() > MAX_REQUEST {
            return Err(RequestError::Form("it is longer than 4 MiB".into()));
        }
        let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
        let mut fields = json::read_object(bytes).map_err(form)?;
        let format = string(&mut fields, "format")?;
        if format != FORMAT {
            return Err(RequestError::Form(format!("its format is {}: use the daylight that wrote it", plain(&format))));
        }
        let text = string(&mut fields, "text")?;
        let signatures = array(&mut fields, "signatures")?;
        let signatures = signatures.into_iter().map(|line| text_of(line, "signatures")).collect::<Result<Vec<_>, _>>()?;
        let chain = chain(array(&mut fields, "roots")?)?;
        let attached = match fields.remove("attached") {
            Some(Value::Object(attached)) => attached,
            _ => return Err(RequestError::Form("\"attached\" is missing or not an object".into())),
        };
        match fields.keys().next() {
            Some(unknown) => Err(RequestError::Form(format!("unknown field {}", plain(unknown)))),
            None => Self::build(&text, &signatures, chain, attached),
        }
    }

    /// The request's file: canonical JSON (RFC 8785) and a newline.
    pub fn to_bytes(&self) -> Result<Vec<u8>, RequestError> {
        let links = self.chain.as_ref().map_or(&[][..], Chain::links);
        let lossless = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).map_err(form);
        let roots = links.iter().map(|link| Ok(json!({"json": lossless(&link.json)?, "sig": lossless(&link.sig)?})));
        let value = json!({
            "attached": self.attached,
            "format": FORMAT,
            "roots": roots.collect::<Result<Vec<_>, RequestError>>()?,
            "signatures": signature_lines(&self.note)?,
            "text": self.note.text(),
        });
        let mut bytes = json::write(&value).map_err(form)?;
        bytes.push(b'\n');
        if bytes.len() > MAX_REQUEST { Err(RequestError::Form("it is longer than 4 MiB".into())) } else { Ok(bytes) }
    }

    /// What it asks to sign.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The very text that is signed.
    pub fn text(&self) -> &str {
        self.note.text()
    }

    /// What that text says.
    pub fn statement(&self) -> &Statement {
        &self.statement
    }

    /// Every root up to the one in force; `None` where the first is to be signed.
    pub fn chain(&self) -> Option<&Chain> {
        self.chain.as_ref()
    }

    /// The archive for which it is.
    pub fn origin(&self) -> &str {
        match (&self.statement, &self.chain) {
            (Statement::Release { note, .. } | Statement::Seal { note, .. }, _) => &note.origin,
            (Statement::Root(root), _) => &root.origin,
            (Statement::Other { .. }, Some(chain)) => &chain.last().root.origin,
            (Statement::Other { .. }, None) => "",
        }
    }

    /// Refuses a request whose roots do not lead to the one that the signer trusts: the JSON of a root from elsewhere than this request. The first
    /// root of an archive is anchored only by itself.
    pub fn require_anchor(&self, pinned: &[u8]) -> Result<(), RequestError> {
        let itself =
            matches!(&self.statement, Statement::Root(root) if self.chain.is_none() && root.to_json().is_ok_and(|json| json == pinned));
        let anchored = itself || self.chain.as_ref().is_some_and(|chain| chain.is_anchored_by(pinned));
        if anchored { Ok(()) } else { Err(RequestError::OtherRoot { origin: self.origin().to_owned() }) }
    }

    /// Signs it. Gives whether that added something: a key that signed before changes nothing. Errors: the key's signature would not count.
    pub fn sign(&mut self, signer: &Signer) -> Result<bool, RequestError> {
        let key = signer.key();
        if !self.may_sign().contains(&key) {
            return Err(RequestError::NotAParty { name: plain(key.name()), who: self.who_counts() });
        }
        if self.signed_by(&key)? {
            return Ok(false);
        }
        self.note.sign(signer);
        self.in_order()?;
        Ok(true)
    }

    /// Whether this key has signed it.
    pub fn signed_by(&self, key: &Key) -> Result<bool, RequestError> {
        Ok(!self.note.signed_by(std::slice::from_ref(key)).map_err(RequestError::Signatures)?.is_empty())
    }

    /// Takes over the signatures of another copy of the same request. Errors: it asks to sign something else.
    pub fn merge(&mut self, other: &Request) -> Result<(), RequestError> {
        if other.text() != self.text() {
            return Err(RequestError::OtherText);
        }
        let keys = self.may_sign();
        for signature in other.note.signatures() {
            let key = keys.iter().find(|key| key.name() == signature.name && key.id() == signature.key_id);
            // One line a key: a second one by the same key, which may differ, adds nothing.
            if key.is_some_and(|key| !self.note.has_line_of(key)) {
                self.note.add_signature(signature.clone());
            }
        }
        self.in_order()
    }

    /// Refuses a request that not enough have signed.
    pub fn require_complete(&self) -> Result<(), RequestError> {
        let standing = self.standing()?;
        if standing.complete() { Ok(()) } else { Err(RequestError::TooFew { what: self.words()?.title, standing: standing.words() }) }
    }

    /// The note with its signatures, in the order of the keys in the roots: the same signatures give the same bytes.
    pub fn note(&self) -> &Note {
        &self.note
    }

    fn build(text: &str, signatures: &[String], chain: Option<Chain>, attached: Map<String, Value>) -> Result<Self, RequestError> {
        let note = note(text, signatures)?;
        let Head { kind, rest } = head(text)?;
        let statement = match kind {
            Kind::Release => {
                let (note, first) = release(ReleaseNote::parse_text(text), chain.as_ref(), &attached)?;
                Statement::Release { note, first }
            }
            Kind::Seal => {
                let (note, first) = release(parse_seal_text(text), chain.as_ref(), &attached)?;
                Statement::Seal { note, first }
            }
            Kind::Root => root(text, chain.as_ref(), &attached)?,
            Kind::Withdraw | Kind::Directory | Kind::Heartbeat => {
                check_form(kind, text)?;
                other(&rest, chain.as_ref(), &attached)?
            }
        };
        let mut request = Self { note, kind, chain, statement, attached };
        request.in_order()?;
        Ok(request)
    }

    /// Checks every signature, and brings them into the order of the keys.
    fn in_order(&mut self) -> Result<(), RequestError> {
        let keys = self.may_sign();
        self.note.refuse_stray(&keys).map_err(RequestError::Signatures)?;
        self.note.signed_by(&keys).map_err(RequestError::Signatures)?;
        self.note.order_by(&keys);
        Ok(())
    }
}

fn form(error: impl ToString) -> RequestError {
    RequestError::Form(error.to_string())
}

fn contradiction(error: impl ToString) -> RequestError {
    RequestError::Contradiction(error.to_string())
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

fn string(fields: &mut Map<String, Value>, name: &str) -> Result<String, RequestError> {
    text_of(fields.remove(name).unwrap_or_default(), name)
}

fn text_of(value: Value, name: &str) -> Result<String, RequestError> {
    match value {
        Value::String(text) => Ok(text),
        _ => Err(RequestError::Form(format!("\"{name}\" is missing or not text"))),
    }
}

fn array(fields: &mut Map<String, Value>, name: &str) -> Result<Vec<Value>, RequestError> {
    match fields.remove(name) {
        Some(Value::Array(items)) => Ok(items),
        _ => Err(RequestError::Form(format!("\"{name}\" is missing or not a list"))),
    }
}

/// The note as a note has it: text, empty line, signature lines.
fn note(text: &str, signatures: &[String]) -> Result<Note, RequestError> {
    if signatures.is_empty() {
        return Note::new(text).map_err(form);
    }
    if signatures.iter().any(|line| line.contains('\n')) {
        return Err(RequestError::Form("a signature is one line".into()));
    }
    let note = Note::parse(format!("{text}\n{}\n", signatures.join("\n")).as_bytes()).map_err(form)?;
    if note.text() == text { Ok(note) } else { Err(RequestError::Form("its text is not that of a note".into())) }
}

fn signature_lines(note: &Note) -> Result<Vec<String>, RequestError> {
    let bytes = String::from_utf8(note.to_bytes()).map_err(form)?;
    let lines = bytes.strip_prefix(note.text()).and_then(|rest| rest.strip_prefix('\n')).unwrap_or_default();
    Ok(lines.lines().map(str::to_owned).collect())
}

fn chain(roots: Vec<Value>) -> Result<Option<Chain>, RequestError> {
    let mut chain: Option<Chain> = None;
    for root in roots {
        let Value::Object(mut fields) = root else { return Err(RequestError::Form("a root is not an object".into())) };
        let (json, sig) = (string(&mut fields, "json")?, string(&mut fields, "sig")?);
        let (json, sig) = (json.as_bytes(), sig.as_bytes());
        match &mut chain {
            Some(chain) => chain.extend(json, sig).map_err(RequestError::Roots)?,
            None => chain = Some(Chain::begin(json, sig).map_err(RequestError::Roots)?),
        }
        if !fields.is_empty() {
            return Err(RequestError::Form("a root has json and sig, and nothing else".into()));
        }
    }
    Ok(chain)
}

fn needed(chain: Option<&Chain>) -> Result<&Chain, RequestError> {
    chain.ok_or_else(|| RequestError::Contradiction("the root that it names is not in it".into()))
}

/// A release's note, or what is approved of one that is to be sealed, with its first lines.
fn release(
    note: Result<ReleaseNote, ReleaseError>,
    chain: Option<&Chain>,
    attached: &Map<String, Value>,
) -> Result<(Box<ReleaseNote>, Vec<Listed>), RequestError> {
    let chain = needed(chain)?;
    let note = note.map_err(contradiction)?;
    let in_force = chain.last();
    if note.origin != in_force.root.origin || note.root != in_force.digest {
        return Err(contradiction("its release is of another archive, or names another root than the last one in it"));
    }
    let first = line_proofs(attached, &note)?;
    Ok((Box::new(note), first))
}

fn root(text: &str, chain: Option<&Chain>, attached: &Map<String, Value>) -> Result<Statement, RequestError> {
    let json = Attached(attached).only_text("root")?;
    let root = Root::parse(json.as_bytes()).map_err(contradiction)?;
    if root.signed_text().map_err(contradiction)? != text {
        return Err(contradiction("the root that is attached is not the one whose hash is signed"));
    }
    match chain {
        Some(chain) => chain.may_follow(&root).map_err(contradiction)?,
        None => Chain::may_begin(&root).map_err(contradiction)?,
    }
    Ok(Statement::Root(Box::new(root)))
}

/// What could not be logged is not to be signed.
fn check_form(kind: Kind, text: &str) -> Result<(), RequestError> {
    match kind {
        Kind::Withdraw => WithdrawNote::parse_text(text).map(drop).map_err(contradiction),
        Kind::Heartbeat => HeartbeatNote::parse_text(text).map(drop).map_err(contradiction),
        Kind::Directory => DirectoryNote::parse_text(text).map(drop).map_err(contradiction),
        Kind::Release | Kind::Seal | Kind::Root => Ok(()),
    }
}

fn other(rest: &str, chain: Option<&Chain>, attached: &Map<String, Value>) -> Result<Statement, RequestError> {
    let in_force = needed(chain)?.last();
    let mut lines = rest.split('\n');
    let mut value = |name: &str| lines.next()?.strip_prefix(name)?.strip_prefix(' ');
    let values = (value("origin"), value("serial"), value("root"));
    let (Some(origin), Some(serial), Some(root)) = values else {
        return Err(contradiction("its text has no origin, serial and root"));
    };
    let number: u64 = serial
        .parse()
        .ok()
        .filter(|number: &u64| *number >= 1 && number.to_string() == serial)
        .ok_or_else(|| contradiction("a serial is 1 or more"))?;
    if origin != in_force.root.origin || root != in_force.digest.to_string() {
        return Err(contradiction("it is of another archive, or names another root than the last one in it"));
    }
    if !attached.is_empty() {
        return Err(RequestError::Form("nothing is attached to a request of this type".into()));
    }
    Ok(Statement::Other { serial: number })
}

#[cfg(test)]
mod tests;
