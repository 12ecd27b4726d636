//! What a log and a witness say to each other (c2sp.org/tlog-witness): the request, what is submitted, and what may come of it.

use crate::checkpoint::Checkpoint;
use crate::note::{Note, Signature};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use daylight_model::Digest;

/// The longest request that is read, in bytes: room for 63 hashes and for as many signatures as a note may have.
pub const MAX_REQUEST: usize = 128 << 10;

/// The most hashes of a consistency proof.
pub const MAX_PROOF: usize = 63;

/// The media type of the size that stands in an answer with status 409.
pub const SIZE_TYPE: &str = "text/x.tlog.size";

/// The body of an `add-checkpoint` request, as it is written: nothing in it is checked yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddCheckpoint {
    /// The size that the witness is thought to have cosigned last, 0 for none.
    pub old: u64,
    /// The consistency proof from that size to the checkpoint's (RFC 6962 section 2.1.2).
    pub proof: Vec<Digest>,
    /// The signed checkpoint.
    pub checkpoint: Note,
}

impl AddCheckpoint {
    /// The bytes to send.
    pub fn to_bytes(&self) -> Vec<u8> {
        let hashes: String = self.proof.iter().map(|hash| STANDARD.encode(hash.0) + "\n").collect();
        [format!("old {}\n{hashes}\n", self.old).into_bytes(), self.checkpoint.to_bytes()].concat()
    }

    /// Reads a request. `Err` says in a few words what is wrong with it.
    pub fn parse(bytes: &[u8]) -> Result<Self, &'static str> {
        if bytes.len() > MAX_REQUEST {
            return Err("the request is too long");
        }
        let text = std::str::from_utf8(bytes).map_err(|_| "the request is not UTF-8")?;
        let (head, checkpoint) = text.split_once("\n\n").ok_or("an empty line must stand before the checkpoint")?;
        let mut lines = head.split('\n');
        let old =
            lines.next().and_then(|line| line.strip_prefix("old ")).and_then(decimal).ok_or("the first line is not `old` and a size")?;
        let mut proof = Vec::new();
        for line in lines {
            if proof.len() == MAX_PROOF {
                return Err("the proof has more than 63 hashes");
            }
            proof.push(hash(line).ok_or("a line of the proof is not a hash in base64")?);
        }
        let checkpoint = Note::parse(checkpoint.as_bytes()).map_err(|_| "what follows is not a signed note")?;
        Ok(Self { old, proof, checkpoint })
    }
}

/// A number as the formats write it: digits without a zero before them.
pub fn decimal(text: &str) -> Option<u64> {
    text.parse().ok().filter(|number: &u64| number.to_string() == text)
}

fn hash(line: &str) -> Option<Digest> {
    Some(Digest(STANDARD.decode(line).ok()?.try_into().ok()?))
}

/// Proves that the log begins with the tree of so many entries; `None` where the log cannot tell, as for a size that it does not have.
pub type Prover<'a> = dyn Fn(u64) -> Option<Vec<Digest>> + Sync + 'a;

/// A checkpoint that witnesses are asked to cosign.
#[derive(Clone, Copy)]
pub struct Submission<'a> {
    /// What it says.
    pub checkpoint: &'a Checkpoint,
    /// It, with the log's signature.
    pub note: &'a Note,
    /// The size that witnesses are likely to have cosigned last.
    pub old: u64,
    /// Proves it to be consistent with what a witness says that it knows.
    pub prove: &'a Prover<'a>,
}

/// What a witness answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It cosigned: its signature line, checked.
    Cosigned(Signature),
    /// It says that it has cosigned a larger checkpoint of this log.
    Larger(u64),
    /// It says that the checkpoint contradicts the one that it cosigned before.
    Inconsistent,
    /// It could not be asked, or gave no answer that counts; why, in words.
    Failed(String),
}

#[cfg(test)]
mod tests;
