//! How witnesses are asked: publishing knows no network, so whoever calls it passes in who asks.

use daylight_archive::Witness;
use daylight_archive::witness::{Answer, Submission};
use std::sync::Arc;

/// Who asks witnesses. Several threads ask at once, one for each witness.
pub trait Witnesses: Send + Sync {
    /// Asks one to cosign a checkpoint, as often as it takes to learn the size that it knows.
    fn submit(&self, witness: &Witness, what: &Submission<'_>) -> Answer;

    /// The last checkpoint of the log with this origin that one shows to have cosigned; `None` where it shows none.
    fn shown(&self, witness: &Witness, origin: &str) -> Option<Vec<u8>>;
}

/// How witnesses are asked.
#[derive(Clone)]
pub struct Witnessing {
    /// Who asks.
    pub asker: Arc<dyn Witnesses>,
    /// Witnesses whose word is not taken, by their name in the policy or that of their key: they are not asked to cosign, and only a checkpoint that
    /// they show and that the log's key signed counts against the archive.
    pub without: Vec<String>,
    /// The desk was restored from a backup, and the archive is the newest copy: what witnesses have seen of it counts as signed by this desk.
    pub recovered: bool,
}
