use crate::batch::{Batch, Staged, Staging};
use crate::blobs::BlobId;
use crate::codec::{self, Counted, Facts, code, int, uint};
use crate::desk::{CollectionId, Desk, IngestLease};
use crate::documents::{faults_of, no_document, seq_of};
use crate::error::{Error, Result};
use crate::flags::{NO_READER, WORTH_ANOTHER_TRY, flags};
use crate::pack::Owner;
use crate::texts::LongText;
use daylight_model::reading::{Segment, Standing};
use daylight_model::{Date, Digest, DocumentId, Fault, FaultCode, Kind, MessageFacts, Name, Stage};
use rusqlite::{Connection, OptionalExtension};
use std::collections::HashSet;
use std::marker::PhantomData;
use std::path::PathBuf;

/// Adds documents to a desk. It has a connection of its own, so that a [`Desk`] goes on reading beside it. Its transaction is open from the first
/// call that writes until [`Writer::commit`], and others who want to write wait for that long; what is dropped uncommitted never was.
pub struct Writer<'lease> {
    pub(crate) batch: Batch,
    change: u64,
    seq: u64,
    begun: bool,
    /// Documents that have a change number of this transaction already.
    fresh: HashSet<u64>,
    lease: PhantomData<&'lease IngestLease>,
}

/// What is to be known of a document.
#[derive(Debug, Clone, Copy)]
pub struct NewDocument<'a> {
    /// Its identity.
    pub id: DocumentId,
    /// What sort of thing it is.
    pub kind: Kind,
    /// Its original bytes; `None` if they could not be read.
    pub blob: Option<BlobId>,
    /// How many bytes it has.
    pub length: u64,
    /// The claims that changed how it was read.
    pub claims: &'a str,
    /// Its media type as found.
    pub media_type: &'a str,
    /// What it is called.
    pub title: &'a str,
    /// The best of its dates.
    pub date: Option<Date>,
    /// What its header says, for a message.
    pub message: Option<&'a MessageFacts>,
    /// What of it could not be read.
    pub faults: &'a [Fault],
    /// How it fared, for a container, if that is known already.
    pub counted: Option<Counted>,
    /// Its text.
    pub texts: &'a [Segment],
    /// The reader that read it, in a word.
    pub step: &'a str,
    /// That reader's version.
    pub version: u32,
}

/// What decides whether a document that is known is written again.
struct Known {
    seq: u64,
    flags: i64,
    step: String,
    version: u32,
}

impl Desk {
    /// The writer of documents, for as long as the lease is held.
    pub fn writer<'lease>(&self, lease: &'lease IngestLease) -> Result<Writer<'lease>> {
        let batch = Batch::open(&lease.root, Owner::Ingest)?;
        Ok(Writer { batch, change: 0, seq: 0, begun: false, fresh: HashSet::new(), lease: PhantomData })
    }
}

impl Writer<'_> {
    /// Stores bytes whose digest is this, unless they are stored already.
    pub fn blob(&mut self, digest: &Digest, bytes: &[u8]) -> Result<BlobId> {
        self.batch.blob(digest, bytes)
    }

    /// Stores bytes with this digest that stand verbatim in stored ones, without a second copy.
    pub fn slice(&mut self, digest: &Digest, of: BlobId, offset: u64, length: u64) -> Result<BlobId> {
        self.batch.slice(digest, of, offset, length)
    }

    /// Where bytes that come in pieces can be put aside, from any thread, before they are adopted.
    pub fn staging(&self) -> Staging {
        self.batch.staging().clone()
    }

    /// A folder for programs to write to, which goes at the latest when the desk is next opened for writing.
    pub fn scratch(&self) -> Result<PathBuf> {
        self.batch.scratch()
    }

    /// Stores what was put aside, unless it is stored already.
    pub fn adopt(&mut self, staged: &Staged) -> Result<BlobId> {
        self.batch.adopt(staged)
    }

    /// The number of the document with this id, written in this transaction or before.
    pub fn known(&self, id: &DocumentId) -> Result<Option<u64>> {
        seq_of(&self.batch.connection, id)
    }

    /// Adds a document and says its number and whether it is new. One that is known is written again only where this reading is better: the same
    /// reader in a newer version, any reader where there was none, or another outcome where the reader had died or the bytes were withheld.
    pub fn document(&mut self, new: &NewDocument<'_>) -> Result<(u64, bool)> {
        self.document_with(new, None)
    }

    /// The same for a document whose text was put aside, because it is long; `new` has none then.
    pub fn document_with(&mut self, new: &NewDocument<'_>, long: Option<&LongText>) -> Result<(u64, bool)> {
        self.begin()?;
        // New, in all likelihood: asking first would look the id up twice.
        if let Some(seq) = self.insert(new, long)? {
            return Ok((seq, true));
        }
        let known = self.known_row(&new.id)?.ok_or_else(|| Error::damaged("catalogue", "a document is there and is not"))?;
        if self.is_better(&known, new)? {
            self.update(known.seq, new, long)?;
        }
        Ok((known.seq, false))
    }

    /// Notes where and how a document stands in another. Saying it again changes nothing.
    pub fn occurrence(&mut self, parent: u64, ordinal: u64, child: u64, name: Option<&Name>, standing: &Standing) -> Result<()> {
        self.begin()?;
        let new_name = match name {
            Some(name) if !self.fresh.contains(&child) => !self.has_name(child, name)?,
            _ => false,
        };
        let sql = "INSERT INTO occurrence (parent, ordinal, child, name, standing) VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING";
        let row = (int(parent), int(ordinal), int(child), name.map(|name| &name.0), codec::encode_standing(standing));
        let added = self.batch.connection.prepare_cached(sql)?.execute(row)?;
        if added == 0 {
            return Ok(());
        }
        if new_name {
            self.touch(child)?;
        }
        // Whether a message has attachments is searched for; what is in a mailbox is not a fact about the mailbox.
        if !self.fresh.contains(&parent) && self.kind_of(parent)? == Some(Kind::Message) {
            self.touch(parent)?;
        }
        Ok(())
    }

    /// Puts a document into a collection and says whether it was not there before.
    pub fn member(&mut self, collection: CollectionId, seq: u64) -> Result<bool> {
        self.begin()?;
        let sql = "INSERT INTO member (collection, seq) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
        let added = self.batch.connection.prepare_cached(sql)?.execute((collection.0, int(seq)))? > 0;
        if added {
            self.touch(seq)?;
        }
        Ok(added)
    }

    /// How many children a container has, and how many of them gave neither text nor children because they could not be read.
    pub fn count_children(&self, seq: u64) -> Result<(u64, u64)> {
        let sql = "SELECT COUNT(*), COALESCE(SUM(flags & 1 AND NOT EXISTS (SELECT 1 FROM text WHERE text.seq = child)
                   AND NOT EXISTS (SELECT 1 FROM occurrence AS below WHERE below.parent = above.child)), 0)
                   FROM occurrence AS above JOIN document ON document.seq = child WHERE above.parent = ?1";
        let mut statement = self.batch.connection.prepare_cached(sql)?;
        Ok(statement.query_row([int(seq)], |row| Ok((uint(row.get(0)?), uint(row.get(1)?))))?)
    }

    /// Notes how a container fared.
    pub fn set_counted(&mut self, seq: u64, counted: Counted) -> Result<()> {
        self.begin()?;
        let mut statement = self.batch.connection.prepare_cached("SELECT facts FROM document WHERE seq = ?1")?;
        let facts: Vec<u8> = statement.query_row([int(seq)], |row| row.get(0)).optional()?.ok_or_else(|| no_document(seq))?;
        let facts = Facts::decode(&facts)?;
        let facts = Facts::encode(facts.date, Some(counted), facts.message.as_ref());
        self.batch.connection.prepare_cached("UPDATE document SET facts = ?2 WHERE seq = ?1")?.execute((int(seq), facts))?;
        Ok(())
    }

    /// Counts again what stands in a container that says how many it holds.
    pub(crate) fn count_again(&mut self, seq: u64) -> Result<()> {
        let mut statement = self.batch.connection.prepare_cached("SELECT facts FROM document WHERE seq = ?1")?;
        let facts: Vec<u8> = statement.query_row([int(seq)], |row| row.get(0)).optional()?.ok_or_else(|| no_document(seq))?;
        drop(statement);
        let Some(counted) = Facts::decode(&facts)?.counted else { return Ok(()) };
        let (read, failed) = self.count_children(seq)?;
        self.set_counted(seq, Counted { expected: counted.expected, read, failed })
    }

    /// Has a document with forgotten bytes forgotten again, before anything else is done on the desk.
    pub fn forget_again(&mut self, seq: u64) -> Result<()> {
        self.begin()?;
        self.batch.connection.prepare_cached("INSERT INTO forgetting (seq) VALUES (?1) ON CONFLICT DO NOTHING")?.execute([int(seq)])?;
        Ok(())
    }

    /// Adds what could not be read of a document. Saying it again changes nothing.
    pub fn add_fault(&mut self, seq: u64, fault: &Fault) -> Result<()> {
        self.begin()?;
        let mut faults = self.reading_faults(seq)?;
        if faults.contains(fault) {
            return Ok(());
        }
        faults.push(fault.clone());
        self.replace_faults(seq, &faults)
    }

    /// Says anew what could not be read of a document, in place of what was said before.
    pub fn set_faults(&mut self, seq: u64, faults: &[Fault]) -> Result<()> {
        self.begin()?;
        if self.reading_faults(seq)? == faults {
            return Ok(());
        }
        self.replace_faults(seq, faults)
    }

    /// A file that could not be opened has become readable: its units mean `new` from now on, and the document `old` that stood for it is gone.
    pub fn replace_unreadable(&mut self, old: u64, new: u64) -> Result<()> {
        self.begin()?;
        self.batch.connection.execute("UPDATE unit SET seq = ?2 WHERE seq = ?1", (int(old), int(new)))?;
        self.touch(new)?;
        self.remove(old)
    }

    /// Makes everything since the last commit durable, all or nothing, and says the highest change number there is: what an index that has taken
    /// in everything should remember. The order is: packs and files synced, then the catalogue's transaction.
    pub fn commit(&mut self) -> Result<u64> {
        self.batch.commit()?;
        self.begun = false;
        self.fresh.clear();
        highest_change(&self.batch.connection)
    }

    pub(crate) fn begin(&mut self) -> Result<()> {
        self.batch.begin()?;
        if !self.begun {
            self.change = highest_change(&self.batch.connection)?;
            self.seq =
                self.number("SELECT MAX(COALESCE((SELECT MAX(seq) FROM document), 0), COALESCE((SELECT MAX(seq) FROM deleted), 0))")?;
            self.begun = true;
        }
        Ok(())
    }

    /// Gives a document a new change number, once a transaction.
    pub(crate) fn touch(&mut self, seq: u64) -> Result<()> {
        if self.fresh.insert(seq) {
            self.change += 1;
            let mut statement = self.batch.connection.prepare_cached("UPDATE document SET change = ?2 WHERE seq = ?1")?;
            statement.execute((int(seq), int(self.change)))?;
        }
        Ok(())
    }

    pub(crate) fn is_fresh(&self, seq: u64) -> bool {
        self.fresh.contains(&seq)
    }

    fn number(&self, sql: &str) -> Result<u64> {
        Ok(uint(self.batch.connection.prepare_cached(sql)?.query_row([], |row| row.get(0))?))
    }

    /// Adds a document unless there is one of this id.
    pub(crate) fn insert(&mut self, new: &NewDocument<'_>, long: Option<&LongText>) -> Result<Option<u64>> {
        let (seq, change) = (self.seq + 1, self.change + 1);
        let sql = "INSERT INTO document (seq, id, change, kind, flags, blob, length, step, version, claims, media_type, title, facts)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)
                   ON CONFLICT (id) DO NOTHING";
        let added = self.batch.connection.prepare_cached(sql)?.execute((
            int(seq),
            new.id.0.0,
            int(change),
            code(&Kind::ALL, &new.kind),
            flags(new.faults),
            new.blob.map(|blob| blob.0),
            int(new.length),
            new.step,
            new.version,
            new.claims,
            new.media_type,
            new.title,
            Facts::encode(new.date, new.counted, new.message),
        ))?;
        if added == 0 {
            return Ok(None);
        }
        (self.seq, self.change) = (seq, change);
        self.fresh.insert(seq);
        self.insert_faults(seq, new.faults)?;
        self.put_text(seq, new, long)?;
        Ok(Some(seq))
    }

    pub(crate) fn update(&mut self, seq: u64, new: &NewDocument<'_>, long: Option<&LongText>) -> Result<()> {
        let sql = "UPDATE document SET blob = COALESCE(?2, blob), length = ?3, step = ?4, version = ?5, media_type = ?6, title = ?7, facts = ?8 WHERE seq = ?1";
        self.batch.connection.prepare_cached(sql)?.execute((
            int(seq),
            new.blob.map(|blob| blob.0),
            int(new.length),
            new.step,
            new.version,
            new.media_type,
            new.title,
            Facts::encode(new.date, new.counted, new.message),
        ))?;
        self.replace_faults(seq, new.faults)?;
        self.batch.connection.prepare_cached("DELETE FROM text WHERE seq = ?1")?.execute([int(seq)])?;
        self.put_text(seq, new, long)?;
        self.touch(seq)
    }

    fn known_row(&self, id: &DocumentId) -> Result<Option<Known>> {
        let mut statement = self.batch.connection.prepare_cached("SELECT seq, flags, step, version FROM document WHERE id = ?1")?;
        let row = statement
            .query_row([id.0.0], |row| Ok(Known { seq: uint(row.get(0)?), flags: row.get(1)?, step: row.get(2)?, version: row.get(3)? }));
        Ok(row.optional()?)
    }

    fn is_better(&self, known: &Known, new: &NewDocument<'_>) -> Result<bool> {
        let newer = known.step == new.step && known.version < new.version;
        let first = known.flags & NO_READER != 0 && flags(new.faults) & NO_READER == 0;
        let retried = known.flags & WORTH_ANOTHER_TRY != 0;
        Ok(newer || first || retried && self.reading_faults(known.seq)? != new.faults)
    }

    /// What its readers said of a document; what was said when a rendition was made of it is apart, and stays when it is read again.
    pub fn reading_faults(&self, seq: u64) -> Result<Vec<Fault>> {
        let mut faults = faults_of(&self.batch.connection, seq)?;
        faults.retain(|fault| fault.stage != Stage::Render);
        Ok(faults)
    }

    fn replace_faults(&mut self, seq: u64, faults: &[Fault]) -> Result<()> {
        let render = code(&Stage::ALL, &Stage::Render);
        self.batch.connection.prepare_cached("DELETE FROM fault WHERE seq = ?1 AND stage <> ?2")?.execute((int(seq), render))?;
        self.insert_faults(seq, faults)?;
        self.batch.connection.prepare_cached("UPDATE document SET flags = ?2 WHERE seq = ?1")?.execute((int(seq), flags(faults)))?;
        self.touch(seq)
    }

    fn insert_faults(&self, seq: u64, faults: &[Fault]) -> Result<()> {
        faults.iter().try_for_each(|fault| insert_fault(&self.batch.connection, seq, fault))
    }

    fn put_text(&mut self, seq: u64, new: &NewDocument<'_>, long: Option<&LongText>) -> Result<()> {
        if new.texts.is_empty() && long.is_none() {
            return Ok(());
        }
        let (at, length) = match long {
            Some(long) => long.store(&mut self.batch)?,
            None => {
                let bytes = codec::encode_text(new.texts);
                (self.batch.record(&bytes)?, bytes.len() as u64)
            }
        };
        let sql = "INSERT INTO text (seq, step, version, pack, offset, length) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                   ON CONFLICT DO UPDATE SET pack = excluded.pack, offset = excluded.offset, length = excluded.length";
        let row = (int(seq), new.step, new.version, int(at.pack), int(at.offset), int(length));
        self.batch.connection.prepare_cached(sql)?.execute(row)?;
        Ok(())
    }

    fn has_name(&self, seq: u64, name: &Name) -> Result<bool> {
        let mut statement = self.batch.connection.prepare_cached("SELECT 1 FROM occurrence WHERE child = ?1 AND name = ?2 LIMIT 1")?;
        Ok(statement.exists((int(seq), &name.0))?)
    }

    fn kind_of(&self, seq: u64) -> Result<Option<Kind>> {
        let mut statement = self.batch.connection.prepare_cached("SELECT kind FROM document WHERE seq = ?1")?;
        statement.query_row([int(seq)], |row| row.get(0)).optional()?.map(codec::kind).transpose()
    }

    /// Takes a document out of the catalogue, and tells the index.
    pub(crate) fn remove(&mut self, seq: u64) -> Result<()> {
        self.begin()?;
        for table in ["document", "fault", "text", "member", "thread", "verdict", "signed", "recognised", "deferred"] {
            self.batch.connection.prepare_cached(&format!("DELETE FROM {table} WHERE seq = ?1"))?.execute([int(seq)])?;
        }
        for column in ["child", "parent"] {
            self.batch.connection.prepare_cached(&format!("DELETE FROM occurrence WHERE {column} = ?1"))?.execute([int(seq)])?;
        }
        self.forget_words(seq)?;
        // Last, for the tables above note here what they lose.
        self.batch.connection.prepare_cached("DELETE FROM stale WHERE seq = ?1")?.execute([int(seq)])?;
        self.change += 1;
        let sql = "INSERT INTO deleted (change, seq) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
        self.batch.connection.prepare_cached(sql)?.execute((int(self.change), int(seq)))?;
        Ok(())
    }
}

/// Adds a fault after those that a document has.
pub(crate) fn insert_fault(connection: &Connection, seq: u64, fault: &Fault) -> Result<()> {
    let sql = "INSERT INTO fault (seq, n, stage, code, tool, detail, most, at)
               SELECT ?1, COALESCE(MAX(n) + 1, 0), ?2, ?3, ?4, ?5, ?6, ?7 FROM fault WHERE seq = ?1";
    let (stage, code) = (code(&Stage::ALL, &fault.stage), code(&FaultCode::ALL, &fault.code));
    let row = (int(seq), stage, code, &fault.tool, &fault.detail, fault.limit.map(int), fault.at.map(int));
    connection.prepare_cached(sql)?.execute(row)?;
    Ok(())
}

/// The highest change number that was ever given.
pub(crate) fn highest_change(connection: &Connection) -> Result<u64> {
    let sql = "SELECT MAX(COALESCE((SELECT MAX(change) FROM document), 0), COALESCE((SELECT MAX(change) FROM deleted), 0))";
    Ok(uint(connection.prepare_cached(sql)?.query_row([], |row| row.get(0))?))
}
