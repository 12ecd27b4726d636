use crate::batch::{Batch, Staged, Staging};
use crate::blobs::BlobId;
use crate::codec::{code, int, of_code, uint};
use crate::desk::Desk;
use crate::documents::faults_of;
use crate::error::{Error, Result};
use crate::pack::Owner;
use crate::writer::insert_fault;
use daylight_durable::Lock;
use daylight_model::{Digest, Fault, Stage};
use std::collections::HashSet;

/// What a rendition is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RenditionRole {
    /// The sanitised view that is shown in place of the original.
    View,
    /// The text that is published.
    Text,
    /// The picture of a page. Its step names the page behind a colon, `page:00012`, so that each page is one rendition.
    Page,
}

impl RenditionRole {
    /// Every role, in the order of its number on disk.
    pub const ALL: [RenditionRole; 3] = [RenditionRole::View, RenditionRole::Text, RenditionRole::Page];
}

/// Something made of a document for publishing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendition {
    /// What it is for.
    pub role: RenditionRole,
    /// The digest of its bytes, to be read with [`Desk::open_blob`].
    pub digest: Digest,
    /// How many bytes it has.
    pub length: u64,
    /// Its media type.
    pub media_type: String,
    /// What made it.
    pub step: String,
    /// That maker's version.
    pub version: u32,
}

/// Stores renditions, beside a running ingest but one process at a time. Nothing is kept that is not committed.
pub struct RenditionWriter {
    batch: Batch,
    _lock: Lock,
}

impl Desk {
    /// The writer of renditions; [`Error::Held`] names who has it.
    pub fn renditions_writer(&self) -> Result<RenditionWriter> {
        let lock = Lock::take(&self.root.join("review.lease"), "review").map_err(Error::lock)?;
        Ok(RenditionWriter { batch: Batch::open(&self.root, Owner::Review)?, _lock: lock })
    }

    /// What was made of a document: of each role the newest, which is what was stored with the highest version; of pages each, in their order.
    pub fn renditions(&self, seq: u64) -> Result<Vec<Rendition>> {
        let sql = "SELECT role, digest, length, media_type, step, version FROM rendition JOIN blob ON blob.id = rendition.blob
                   WHERE seq = ?1 ORDER BY role, CASE WHEN role = ?2 THEN step ELSE '' END, version DESC, step";
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query((int(seq), code(&RenditionRole::ALL, &RenditionRole::Page)))?;
        let mut renditions: Vec<Rendition> = Vec::new();
        while let Some(row) = rows.next()? {
            let (role, step) = (of_code(&RenditionRole::ALL, row.get(0)?, "role of a rendition")?, row.get::<_, String>(4)?);
            if renditions.last().is_some_and(|last| last.role == role && (role != RenditionRole::Page || last.step == step)) {
                continue;
            }
            let (digest, length) = (Digest(row.get(1)?), uint(row.get(2)?));
            renditions.push(Rendition { role, digest, length, media_type: row.get(3)?, step, version: row.get(5)? });
        }
        Ok(renditions)
    }
}

impl RenditionWriter {
    /// Stores what this step made of a document, in place of what the same version of it made before. What comes out as it was changes nothing.
    pub fn put(&mut self, seq: u64, role: RenditionRole, step: &str, version: u32, media_type: &str, bytes: &[u8]) -> Result<Digest> {
        let digest = Digest::of(bytes);
        let blob = self.batch.blob(&digest, bytes)?;
        self.insert((seq, role, step, version), media_type, blob)?;
        Ok(digest)
    }

    /// Where what comes in pieces can be put aside for [`put_staged`](Self::put_staged).
    pub fn staging(&self) -> &Staging {
        self.batch.staging()
    }

    /// The same for bytes that were put aside, because they are many.
    pub fn put_staged(
        &mut self,
        seq: u64,
        role: RenditionRole,
        step: &str,
        version: u32,
        media_type: &str,
        staged: &Staged,
    ) -> Result<Digest> {
        let blob = self.batch.adopt(staged)?;
        self.insert((seq, role, step, version), media_type, blob)?;
        Ok(staged.digest())
    }

    fn insert(&self, (seq, role, step, version): (u64, RenditionRole, &str, u32), media_type: &str, blob: BlobId) -> Result<()> {
        let sql = "INSERT INTO rendition (seq, role, step, version, media_type, blob) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                   ON CONFLICT DO UPDATE SET media_type = excluded.media_type, blob = excluded.blob
                   WHERE media_type <> excluded.media_type OR blob <> excluded.blob";
        let row = (int(seq), code(&RenditionRole::ALL, &role), step, version, media_type, blob.0);
        self.batch.connection.prepare_cached(sql)?.execute(row)?;
        Ok(())
    }

    /// Takes out the pictures of all pages but these, which are known by their steps.
    pub fn keep_pages(&mut self, seq: u64, version: u32, steps: &HashSet<String>) -> Result<()> {
        self.batch.begin()?;
        let page = code(&RenditionRole::ALL, &RenditionRole::Page);
        let sql = "SELECT step, version FROM rendition WHERE seq = ?1 AND role = ?2";
        let mut statement = self.batch.connection.prepare_cached(sql)?;
        let known = statement.query_map((int(seq), page), |row| Ok((row.get(0)?, row.get(1)?)))?;
        let known: Vec<(String, u32)> = known.collect::<rusqlite::Result<_>>()?;
        for (step, other) in known.iter().filter(|(step, other)| *other != version || !steps.contains(step)) {
            let sql = "DELETE FROM rendition WHERE seq = ?1 AND role = ?2 AND step = ?3 AND version = ?4";
            self.batch.connection.prepare_cached(sql)?.execute((int(seq), page, step, other))?;
        }
        Ok(())
    }

    /// Notes why a rendition could not be made of a document. Saying it again changes nothing; nor does search change, which has the words already.
    pub fn fault(&mut self, seq: u64, fault: &Fault) -> Result<()> {
        self.batch.begin()?;
        if faults_of(&self.batch.connection, seq)?.contains(fault) {
            return Ok(());
        }
        insert_fault(&self.batch.connection, seq, fault)
    }

    /// Takes out what was noted of a document by [`fault`](Self::fault) and is no longer so.
    pub fn mended(&mut self, seq: u64, is_mended: impl Fn(&Fault) -> bool) -> Result<()> {
        self.batch.begin()?;
        // From the last on, so that the places of those before stay what they are.
        for (place, fault) in faults_of(&self.batch.connection, seq)?.iter().enumerate().rev() {
            if fault.stage == Stage::Render && is_mended(fault) {
                let sql = "DELETE FROM fault WHERE seq = ?1 AND n = (SELECT n FROM fault WHERE seq = ?1 ORDER BY n LIMIT 1 OFFSET ?2)";
                self.batch.connection.prepare_cached(sql)?.execute((int(seq), int(place as u64)))?;
            }
        }
        Ok(())
    }

    /// Makes everything since the last commit durable, all or nothing.
    pub fn commit(&mut self) -> Result<()> {
        self.batch.commit()
    }
}
