use super::{Root, RootError};
use crate::key::Key;
use crate::note::{Note, NoteError};
use daylight_model::Digest;
use std::collections::BTreeSet;

/// How a root came to be in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Succession {
    /// The first root: its own editors signed it. It is believed only where it is pinned.
    First,
    /// The editors before and the new ones signed it.
    Editors,
    /// The recovery keys of the root before signed it; readers are shown this.
    Recovery,
}

/// A root with the bytes it came as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The root.
    pub root: Root,
    /// How it came to be in force.
    pub succession: Succession,
    /// The bytes of `root/<n>.json`.
    pub json: Vec<u8>,
    /// The bytes of `root/<n>.sig`.
    pub sig: Vec<u8>,
    /// SHA-256 of the JSON, by which notes name it.
    pub digest: Digest,
}

/// Every root from the first on, each put in force by the one before it. There is no other way to make one than to check it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chain {
    links: Vec<Link>,
}

impl Chain {
    /// Begins with the first root, which its own editors signed. That shows only that they hold the keys: pin it to believe it.
    pub fn begin(json: &[u8], sig: &[u8]) -> Result<Self, RootError> {
        let root = Root::parse(json)?;
        Self::may_begin(&root)?;
        let note = signed_note(&root, sig)?;
        note.require(&root.editors.keys, root.editors.threshold)?;
        note.refuse_stray(&root.editors.keys)?;
        Ok(Self { links: vec![link(root, Succession::First, json, sig)] })
    }

    /// Adds the next root: signed by k of the old and k of the new editors, or by m of the old recovery keys.
    pub fn extend(&mut self, json: &[u8], sig: &[u8]) -> Result<(), RootError> {
        let (new, succession) = follow(&self.last().root, json, sig)?;
        self.links.push(link(new, succession, json, sig));
        Ok(())
    }

    /// Whether this root could be a first one, once it is signed.
    pub fn may_begin(root: &Root) -> Result<(), RootError> {
        expect_version(root, 1)?;
        if root.retired.is_empty() { Ok(()) } else { Err(RootError::Rule("the first root cannot retire keys")) }
    }

    /// Whether this root could come after the newest, once it is signed.
    pub fn may_follow(&self, new: &Root) -> Result<(), RootError> {
        may_follow(&self.last().root, new)
    }

    /// Every root, the first one first.
    pub fn links(&self) -> &[Link] {
        &self.links
    }

    /// The newest root.
    pub fn last(&self) -> &Link {
        &self.links[self.links.len() - 1]
    }

    /// The root whose JSON has this digest.
    pub fn by_digest(&self, digest: &Digest) -> Option<&Link> {
        self.links.iter().find(|link| link.digest == *digest)
    }

    /// Whether these bytes are the JSON of one of the roots: a reader who trusts that root can follow the chain to the newest one.
    pub fn is_anchored_by(&self, pinned: &[u8]) -> bool {
        self.links.iter().any(|link| link.json == pinned)
    }

    /// Checks a note that editors sign, logged at `index` while `link`'s root was in force: k distinct keys, of which none was retired for that
    /// index by any later root, and no stray line. Log order decides, never a claimed time.
    pub fn check_editors(&self, link: &Link, note: &Note, index: u64, needed: usize) -> Result<(), NoteError> {
        let editors = &link.root.editors.keys;
        note.refuse_stray(editors)?;
        let signed = note.require(editors, needed)?;
        let found = signed.iter().filter(|signed| !self.is_retired(&editors[signed.key], link.root.version, index)).count();
        if found < needed { Err(NoteError::TooFew { found, needed }) } else { Ok(()) }
    }

    /// The names of the editors whose signatures under such a note count.
    pub fn counting_editors(&self, link: &Link, note: &Note, index: u64) -> Result<Vec<String>, NoteError> {
        let signed = note.signed_by(&link.root.editors.keys)?;
        let keys = signed.iter().map(|signed| &link.root.editors.keys[signed.key]);
        Ok(keys.filter(|key| !self.is_retired(key, link.root.version, index)).map(|key| key.name().to_owned()).collect())
    }

    fn is_retired(&self, key: &Key, version: u64, index: u64) -> bool {
        let later = self.links.iter().filter(|link| link.root.version > version);
        later.flat_map(|link| &link.root.retired).any(|retired| retired.key.public() == key.public() && index >= retired.size)
    }
}

/// Reads the root that follows on `old` and says how it came to be in force: signed by k of the old and k of the new editors, or by m of the old
/// recovery keys. Whoever trusts `old` may trust it.
pub fn follow(old: &Root, json: &[u8], sig: &[u8]) -> Result<(Root, Succession), RootError> {
    let new = Root::parse(json)?;
    may_follow(old, &new)?;
    let note = signed_note(&new, sig)?;
    let may_sign = [&old.editors, &new.editors, &old.recovery].map(|quorum| quorum.keys.as_slice()).concat();
    note.refuse_stray(&may_sign)?;
    let succession = succession(&note, old, &new)?;
    Ok((new, succession))
}

fn may_follow(old: &Root, new: &Root) -> Result<(), RootError> {
    expect_version(new, old.version + 1)?;
    if new.origin != old.origin {
        return Err(RootError::Rule("the origin is fixed for ever"));
    }
    check_retired(old, new)
}

fn expect_version(root: &Root, wanted: u64) -> Result<(), RootError> {
    if root.version == wanted { Ok(()) } else { Err(RootError::Version { found: root.version, wanted }) }
}

fn signed_note(root: &Root, sig: &[u8]) -> Result<Note, RootError> {
    let note = Note::parse(sig)?;
    if note.text() == root.signed_text()? {
        return Ok(note);
    }
    // The two files do not belong together. If the keys did sign that text, it is the JSON that is damaged or another's.
    let keys = [root.editors.keys.as_slice(), &root.recovery.keys].concat();
    Err(if note.signed_by(&keys).is_ok_and(|signed| !signed.is_empty()) { RootError::OtherText } else { RootError::Text })
}

fn link(root: Root, succession: Succession, json: &[u8], sig: &[u8]) -> Link {
    Link { root, succession, json: json.to_vec(), sig: sig.to_vec(), digest: Digest::of(json) }
}

fn succession(note: &Note, old: &Root, new: &Root) -> Result<Succession, NoteError> {
    // Every signature of a key that may sign must be right, so this comes before any counting.
    let by_recovery = note.signed_by(&old.recovery.keys)?.len();
    let by_old = note.signed_by(&old.editors.keys)?.len();
    let by_new = note.signed_by(&new.editors.keys)?.len();
    if by_old >= old.editors.threshold && by_new >= new.editors.threshold {
        return Ok(Succession::Editors);
    }
    if old.recovery.threshold > 0 && by_recovery >= old.recovery.threshold {
        return Ok(Succession::Recovery);
    }
    let (found, needed) = if by_old < old.editors.threshold { (by_old, old.editors.threshold) } else { (by_new, new.editors.threshold) };
    Err(NoteError::TooFew { found, needed })
}

/// Every editor's key that is dropped must be named with the log size after which it counts no more, and only such keys may be.
fn check_retired(old: &Root, new: &Root) -> Result<(), RootError> {
    let publics = |keys: &[Key]| keys.iter().map(|key| *key.public()).collect::<BTreeSet<_>>();
    let dropped: BTreeSet<_> = publics(&old.editors.keys).difference(&publics(&new.editors.keys)).copied().collect();
    let named: Vec<_> = new.retired.iter().map(|retired| *retired.key.public()).collect();
    let fits = named.len() == dropped.len() && named.iter().copied().collect::<BTreeSet<_>>() == dropped;
    if fits {
        Ok(())
    } else {
        Err(RootError::Rule("a root names exactly the editors' keys that it drops, each with the log size after which it counts no more"))
    }
}
