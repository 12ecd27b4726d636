use crate::audit;
use crate::codec::{code, int, of_code, uint};
use crate::desk::{Collection, CollectionId, Desk};
use crate::documents::{id_of, no_document};
use crate::error::Result;
use daylight_model::Hasher;
use rusqlite::OptionalExtension;

/// What was decided about a document in a collection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// It may be published.
    Cleared,
    /// It must not be published.
    Held,
    /// It was published and then withdrawn: it is not published again unless somebody corrects it.
    Withdrawn,
    /// It may be published anew, in place of what was published of it, whether or not that was withdrawn. The decision's note says why, to everybody.
    Corrected,
}

impl State {
    /// Every state, in the order of its number on disk.
    pub const ALL: [State; 4] = [State::Cleared, State::Held, State::Withdrawn, State::Corrected];

    /// The word for it in the audit log and in JSON.
    pub fn word(self) -> &'static str {
        match self {
            State::Cleared => "cleared",
            State::Held => "held",
            State::Withdrawn => "withdrawn",
            State::Corrected => "corrected",
        }
    }

    /// Whether it may be published.
    pub fn may_be_published(self) -> bool {
        matches!(self, State::Cleared | State::Corrected)
    }
}

/// A decision about a document in a collection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// What was decided.
    pub state: State,
    /// By whom.
    pub editor: String,
    /// When, in seconds since 1970-01-01T00:00:00Z.
    pub time: u64,
    /// What the editor said about it.
    pub note: String,
    /// The number of its entry in the audit log.
    pub audit: u64,
}

impl Desk {
    /// Records one decision about many documents of a collection, with its entry in the audit log, all or nothing. The entry names the documents
    /// by their number and by the SHA-256 of their ids, one after the other in the order given.
    pub fn decide(&mut self, collection: &Collection, seqs: &[u64], state: State, editor: &str, note: &str, time: u64) -> Result<()> {
        if seqs.is_empty() {
            return Ok(());
        }
        self.transaction(|transaction| {
            let mut ids = Hasher::default();
            for seq in seqs {
                ids.update(&id_of(transaction, *seq)?.ok_or_else(|| no_document(*seq))?.0.0);
            }
            let detail = format!("collection: {}\ndocuments: {}\nids-sha256: {}\n", collection.name, seqs.len(), ids.finish());
            let entry = audit::append(transaction, time, editor, state.word(), &detail, note)?;
            let sql = "INSERT INTO decision (collection, seq, audit, state) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING";
            let mut insert = transaction.prepare_cached(sql)?;
            for seq in seqs {
                insert.execute((collection.id.0, int(*seq), int(entry.n), code(&State::ALL, &state)))?;
            }
            Ok(())
        })
    }

    /// The decision that holds for a document in a collection: the latest.
    pub fn decision(&self, collection: CollectionId, seq: u64) -> Result<Option<Decision>> {
        Ok(self.decision_history(collection, seq)?.pop())
    }

    /// Every decision about a document in a collection, the latest last.
    pub fn decision_history(&self, collection: CollectionId, seq: u64) -> Result<Vec<Decision>> {
        let sql = "SELECT state, actor, time, note, audit FROM decision JOIN audit ON n = audit WHERE collection = ?1 AND seq = ?2 ORDER BY audit";
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query((collection.0, int(seq)))?;
        let mut decisions = Vec::new();
        while let Some(row) = rows.next()? {
            decisions.push(Decision {
                state: of_code(&State::ALL, row.get(0)?, "decision")?,
                editor: row.get(1)?,
                time: uint(row.get(2)?),
                note: row.get(3)?,
                audit: uint(row.get(4)?),
            });
        }
        Ok(decisions)
    }

    /// The state that holds for a document in a collection, `None` while nothing was decided. Cheaper than [`Desk::decision`].
    pub fn state(&self, collection: CollectionId, seq: u64) -> Result<Option<State>> {
        let sql = "SELECT state FROM decision WHERE collection = ?1 AND seq = ?2 ORDER BY audit DESC LIMIT 1";
        let state = self.connection.prepare_cached(sql)?.query_row((collection.0, int(seq)), |row| row.get(0)).optional()?;
        state.map(|state| of_code(&State::ALL, state, "decision")).transpose()
    }

    /// Every document of a collection that something was decided about, in rising order, with what was decided last.
    pub fn each_decided(&self, collection: CollectionId, take: &mut dyn FnMut(u64, State)) -> Result<()> {
        // With a lone MAX, SQLite takes the other columns from the row that has it.
        let sql = "SELECT latest.seq, state FROM (SELECT seq, state, MAX(audit) FROM decision WHERE collection = ?1 GROUP BY seq) AS latest
                   JOIN document ON document.seq = latest.seq ORDER BY latest.seq";
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query([collection.0])?;
        while let Some(row) = rows.next()? {
            take(uint(row.get(0)?), of_code(&State::ALL, row.get(1)?, "decision")?);
        }
        Ok(())
    }

    /// The documents of a collection for which this was decided last, in rising order.
    pub fn decided(&self, collection: CollectionId, state: State) -> Result<Vec<u64>> {
        let mut seqs = Vec::new();
        self.each_decided(collection, &mut |seq, last| {
            if last == state {
                seqs.push(seq);
            }
        })?;
        Ok(seqs)
    }
}
