use super::{Node, Policy};
use crate::note::{Note, NoteError};

/// How far a cosignature's time may be ahead of a reader's clock, in seconds, before one of the two clocks is wrong.
const CLOCKS_DIFFER: u64 = 3600;

/// What a policy's witnesses have to do with one checkpoint.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Witnessed {
    /// Every witness of the policy, in the order of its lines.
    pub witnesses: Vec<Seen>,
    /// What the policy asks for, in words: `3 of 4`. Empty where it needs no witness.
    pub needed: String,
    /// Whether enough of them cosigned.
    pub met: bool,
}

/// A witness, and whether it has seen a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// The name of its key.
    pub witness: String,
    /// When it cosigned the checkpoint, in seconds since 1970 and by its own clock; `None` where it did not.
    pub time: Option<u64>,
}

impl Seen {
    /// Whether it states a time that has not come yet: then its clock is wrong, or the reader's.
    pub fn is_ahead_of(&self, now: u64) -> bool {
        self.time.is_some_and(|time| time > now.saturating_add(CLOCKS_DIFFER))
    }
}

impl Witnessed {
    /// When the last of them cosigned, by its own clock.
    pub fn last(&self) -> Option<u64> {
        self.witnesses.iter().filter_map(|seen| seen.time).max()
    }

    /// How many cosigned.
    pub fn count(&self) -> usize {
        self.witnesses.iter().filter(|seen| seen.time.is_some()).count()
    }
}

impl Policy {
    /// Who of the witnesses cosigned this checkpoint, and when. Errors: a wrong cosignature of one of them, which rejects the whole.
    pub fn witnessed(&self, checkpoint: &Note) -> Result<Witnessed, NoteError> {
        let signed = checkpoint.signed_by(&self.witnesses)?;
        let time = |place| signed.iter().find(|signed| signed.key == place).and_then(|signed| signed.time);
        let members = self.members.iter().enumerate();
        let witnesses = members.map(|(place, member)| Seen { witness: member.key.name().to_owned(), time: time(place) }).collect();
        Ok(Witnessed { witnesses, needed: self.needed(), met: self.is_met(checkpoint)? })
    }

    /// What it asks for, in words: `3 of 4`, or `2 of G (1 of X (a, b), 1 of Y (c, d))`; a witness by its key's name. Empty where it needs none.
    pub fn needed(&self) -> String {
        match self.quorum.map(|node| &self.nodes[node]) {
            None => String::new(),
            Some(Node::Group { needed, members, .. }) if self.are_all_the_witnesses(members) => format!("{needed} of {}", members.len()),
            Some(node) => self.words(node),
        }
    }

    fn are_all_the_witnesses(&self, members: &[usize]) -> bool {
        members.len() == self.members.len() && members.iter().all(|member| matches!(self.nodes[*member], Node::Witness(_)))
    }

    fn words(&self, node: &Node) -> String {
        match node {
            Node::Witness(place) => self.members[*place].key.name().to_owned(),
            Node::Group { name, needed, members } => {
                // A group is named by those in it, and no node stands in two groups: so this ends, and is no longer than the policy.
                let of: Vec<String> = members.iter().map(|member| self.words(&self.nodes[*member])).collect();
                format!("{needed} of {name} ({})", of.join(", "))
            }
        }
    }
}
