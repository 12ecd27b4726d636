//! Which witnesses must have cosigned a checkpoint (c2sp.org/tlog-policy), and which have.

use crate::key::{Key, KeyType};
use crate::note::{Note, NoteError};
use std::collections::{BTreeMap, BTreeSet};

mod witnessed;

pub use witnessed::{Seen, Witnessed};

const MAX_LINES: usize = 256;

/// Why a text is not a witness policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// A line that the format does not have, or that breaks one of its rules.
    #[error("line {line}: {why}")]
    Line {
        /// Which line, from 1.
        line: usize,
        /// What is wrong with it.
        why: &'static str,
    },
    /// There must be exactly one quorum line.
    #[error("a policy has exactly one quorum line (`quorum none` where no witness is needed)")]
    Quorum,
}

/// A quorum of witnesses. Logs are not named in it: the root has the log's key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    text: String,
    witnesses: Vec<Key>,
    members: Vec<Witness>,
    nodes: Vec<Node>,
    quorum: Option<usize>,
}

/// A witness as a policy names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Witness {
    /// What the policy calls it; outside of the policy it is known by its key's name.
    pub name: String,
    /// Its key, of type 0x04.
    pub key: Key,
    /// Where it takes checkpoints: the submission prefix of c2sp.org/tlog-witness. Without one it cannot be asked.
    pub url: Option<String>,
}

/// A witness, or a group of earlier nodes of which `needed` must have cosigned.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Node {
    Witness(usize),
    Group { name: String, needed: usize, members: Vec<usize> },
}

impl Policy {
    /// The policy that needs no witness.
    pub fn none() -> Self {
        Self { text: "quorum none\n".into(), witnesses: Vec::new(), members: Vec::new(), nodes: Vec::new(), quorum: None }
    }

    /// The policy that asks for `quorum` of these witnesses, each with where it is asked. In it they are called by their keys' names.
    pub fn of(witnesses: &[(Key, String)], quorum: usize) -> Result<Self, PolicyError> {
        let lines: String = witnesses.iter().map(|(key, url)| format!("witness {} {key} {url}\n", key.name())).collect();
        let names: String = witnesses.iter().map(|(key, _)| format!(" {}", key.name())).collect();
        Self::parse(&format!("{lines}group witnesses {quorum}{names}\nquorum witnesses\n"))
    }

    /// The text it was read from.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The witnesses' keys.
    pub fn witnesses(&self) -> &[Key] {
        &self.witnesses
    }

    /// The witnesses with their names and addresses, in the order of their lines, which is that of [`Policy::witnesses`].
    pub fn members(&self) -> &[Witness] {
        &self.members
    }

    /// Whether any witness must have cosigned: not so for `quorum none`.
    pub fn needs_witnesses(&self) -> bool {
        self.quorum.is_some()
    }

    /// Whether enough witnesses cosigned this checkpoint. A wrong cosignature of a known witness rejects it.
    pub fn is_met(&self, checkpoint: &Note) -> Result<bool, NoteError> {
        let signed: BTreeSet<usize> = checkpoint.signed_by(&self.witnesses)?.iter().map(|signed| signed.key).collect();
        Ok(self.is_met_by(&signed))
    }

    /// Whether the witnesses with these places in [`Policy::members`] are enough.
    pub fn is_met_by(&self, places: &BTreeSet<usize>) -> bool {
        let mut met = Vec::with_capacity(self.nodes.len());
        for node in &self.nodes {
            met.push(match node {
                Node::Witness(place) => places.contains(place),
                Node::Group { needed, members, .. } => members.iter().filter(|member| met[**member]).count() >= *needed,
            });
        }
        self.quorum.is_none_or(|node| met[node])
    }

    /// Reads a policy of at most 256 lines.
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        let mut reading = Reading::default();
        if !text.ends_with('\n') || text.lines().count() > MAX_LINES {
            return Err(PolicyError::Line { line: text.lines().count(), why: "every line ends in a newline, and there are at most 256" });
        }
        for (i, line) in text.split('\n').enumerate() {
            reading.line(line).map_err(|why| PolicyError::Line { line: i + 1, why })?;
        }
        let quorum = reading.quorum.ok_or(PolicyError::Quorum)?;
        let witnesses = reading.members.iter().map(|member| member.key.clone()).collect();
        Ok(Self { text: text.to_owned(), witnesses, members: reading.members, nodes: reading.nodes, quorum })
    }
}

#[derive(Default)]
struct Reading {
    names: BTreeMap<String, usize>,
    used: BTreeSet<usize>,
    members: Vec<Witness>,
    nodes: Vec<Node>,
    quorum: Option<Option<usize>>,
}

impl Reading {
    fn line(&mut self, line: &str) -> Result<(), &'static str> {
        if line.bytes().any(|b| (b < 32 && b != b'\t') || b == 127) {
            return Err("a control character");
        }
        let words: Vec<&str> = line.split([' ', '\t']).filter(|word| !word.is_empty()).collect();
        match words.as_slice() {
            [] => Ok(()),
            [word, ..] if word.starts_with('#') => Ok(()),
            ["witness", name, key] => self.witness(name, key, None),
            ["witness", name, key, url] => self.witness(name, key, Some((*url).to_owned())),
            ["group", name, needed, members @ ..] if !members.is_empty() => self.group(name, needed, members),
            ["quorum", name] => self.set_quorum(name),
            ["log", ..] => Err("the log's key stands in the root, not in the policy"),
            _ => Err("not a witness, group or quorum line"),
        }
    }

    fn witness(&mut self, name: &str, key: &str, url: Option<String>) -> Result<(), &'static str> {
        let key: Key = key.parse().map_err(|_| "the witness's key is not of its form")?;
        if key.kind() != KeyType::Cosignature {
            return Err("a witness's key is of type 0x04");
        }
        if self.members.iter().any(|known| known.key.public() == key.public()) {
            return Err("this witness's key stands twice");
        }
        self.members.push(Witness { name: name.to_owned(), key, url });
        self.define(name, Node::Witness(self.members.len() - 1))
    }

    fn group(&mut self, name: &str, needed: &str, members: &[&str]) -> Result<(), &'static str> {
        let mut nodes = Vec::new();
        for member in members {
            let node = *self.names.get(*member).ok_or("a member that is not defined before")?;
            if !self.used.insert(node) {
                return Err("a name is a member twice");
            }
            nodes.push(node);
        }
        let needed = match needed {
            "all" => nodes.len(),
            "any" => 1,
            number if number.bytes().all(|digit| digit.is_ascii_digit()) => number.parse().map_err(|_| "a number that is too large")?,
            _ => return Err("neither all, any nor a number"),
        };
        if needed < 1 || needed > nodes.len() {
            return Err("more are needed than there are members");
        }
        self.define(name, Node::Group { name: name.to_owned(), needed, members: nodes })
    }

    fn define(&mut self, name: &str, node: Node) -> Result<(), &'static str> {
        if name == "none" || self.names.contains_key(name) {
            return Err("this name is taken");
        }
        self.names.insert(name.to_owned(), self.nodes.len());
        self.nodes.push(node);
        Ok(())
    }

    fn set_quorum(&mut self, name: &str) -> Result<(), &'static str> {
        if self.quorum.is_some() {
            return Err("a second quorum line");
        }
        let node = match name {
            "none" => None,
            name => Some(*self.names.get(name).ok_or("a quorum that is not defined before")?),
        };
        self.quorum = Some(node);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
