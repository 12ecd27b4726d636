//! Reading again what is stored: what is worth it, how it stood when it was read first, and how another reading takes the place of the first.

use crate::blobs::BlobId;
use crate::codec::{self, Facts, code, int, uint};
use crate::desk::{Collection, CollectionId, Desk};
use crate::documents::{faults_of, last_component};
use crate::error::Result;
use crate::flags::{UNREAD, WORTH_ANOTHER_TRY, flags};
use crate::texts::LongText;
use crate::writer::{NewDocument, Writer};
use daylight_model::reading::Standing;
use daylight_model::{Digest, FaultCode, Kind, Name, Stage};
use rusqlite::{Connection, OptionalExtension, ToSql};
use std::collections::{HashMap, HashSet};

/// At most so many places of a document are followed upwards to find the one that is nearest to a file of a trove.
const PLACES: usize = 10_000;
/// Deeper than documents are nested.
const DEEPEST: u32 = 64;

/// A document that waits to be read by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deferred {
    /// The document.
    pub seq: u64,
    /// The collection of the file whose budget it uses.
    pub collection: CollectionId,
    /// That file's path in its trove.
    pub path: Name,
    /// How far the reading of it has come.
    pub cursor: u64,
    /// What is left of that budget, in bytes.
    pub remaining: u64,
}

/// Where a document stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stands {
    /// The name it has there.
    pub name: Option<Name>,
    /// How it stands there.
    pub standing: Standing,
    /// Whether a message holds it.
    pub in_message: bool,
    /// The file of a trove that it is, or that holds it.
    pub file: Option<(CollectionId, Name)>,
}

/// What became of a document that was read again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reread {
    /// There was none of this id.
    New,
    /// What was read now has taken the place of what was read before.
    Replaced,
    /// It says the same as before.
    Same,
    /// It says less than before, which therefore stays.
    Worse,
}

impl Desk {
    /// The documents with a fault of this code, or without one those whose faults may be worth another try, in rising order.
    pub fn faulty(&self, code_: Option<FaultCode>, collection: Option<CollectionId>) -> Result<Vec<u64>> {
        let member = "(?1 IS NULL OR EXISTS (SELECT 1 FROM member WHERE member.collection = ?1 AND member.seq = one.seq))";
        let collection = collection.map(|id| id.0);
        match code_ {
            Some(code_) => {
                let sql = format!("SELECT DISTINCT seq FROM fault AS one WHERE code = ?2 AND stage <> ?3 AND {member} ORDER BY seq");
                let (code_, render) = (code(&FaultCode::ALL, &code_), code(&Stage::ALL, &Stage::Render));
                seqs(&self.connection, &sql, &[&collection, &code_, &render])
            }
            None => {
                let sql = format!("SELECT seq FROM document AS one WHERE flags & ?2 AND {member} ORDER BY seq");
                seqs(&self.connection, &sql, &[&collection, &WORTH_ANOTHER_TRY])
            }
        }
    }

    /// The documents of a collection, or of all, that an older version of their reader read than these, `pdf 1`, or that a reader read which there is no
    /// more; in rising order. Those that could not be opened have no reader.
    pub fn outdated(&self, readers: &[&str], collection: Option<CollectionId>) -> Result<Vec<u64>> {
        let versions: HashMap<&str, u32> = readers.iter().filter_map(|reader| parse_reader(reader)).collect();
        let sql = "SELECT DISTINCT step, version FROM document WHERE blob IS NOT NULL";
        let mut statement = self.connection.prepare_cached(sql)?;
        let known = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let known: Vec<(String, u32)> = known.collect::<rusqlite::Result<_>>()?;
        let mut outdated = Vec::new();
        for (step, version) in known.iter().filter(|(step, version)| versions.get(step.as_str()).is_none_or(|now| now > version)) {
            let sql = "SELECT seq FROM document AS one WHERE step = ?2 AND version = ?3 AND blob IS NOT NULL
                       AND (?1 IS NULL OR EXISTS (SELECT 1 FROM member WHERE member.collection = ?1 AND member.seq = one.seq))";
            outdated.extend(seqs(&self.connection, sql, &[&collection.map(|id| id.0), step, version])?);
        }
        outdated.sort_unstable();
        Ok(outdated)
    }

    /// What must be read for a document to be read again: itself, or, where its bytes are kept as they stand packed or encrypted in its parents, those.
    pub fn read_within(&self, seq: u64) -> Result<Vec<u64>> {
        let as_packed = faults_of(&self.connection, seq)?.iter().any(|fault| {
            fault.stage == Stage::Split && matches!(fault.code, FaultCode::Encrypted | FaultCode::NoReader | FaultCode::ReaderDied)
        });
        let mut parents: Vec<u64> = Vec::new();
        if as_packed && self.document(seq)?.kind == Kind::File {
            parents = self.parents(seq)?.iter().map(|place| place.parent).collect();
            parents.dedup();
        }
        Ok(if parents.is_empty() { vec![seq] } else { parents })
    }

    /// Where a document stands nearest to a file of a trove.
    pub fn stands_at(&self, seq: u64) -> Result<Stands> {
        let sql = "SELECT parent, name, standing FROM occurrence WHERE child = ?1 ORDER BY parent, ordinal LIMIT 64";
        let mut places = self.connection.prepare_cached(sql)?;
        // Every place of the document with what stands above it, level by level, until a file of a trove is met.
        let (mut level, mut seen) = (vec![(seq, Stands::default())], HashSet::from([seq]));
        for depth in 0..=DEEPEST {
            let mut above = Vec::new();
            for (seq, mut stands) in level {
                stands.in_message |= depth > 0 && self.is_message(seq)?;
                if let Some((collection, path)) = self.file_of(seq)? {
                    let name = if depth == 0 { Some(last_component(&path.0)) } else { stands.name };
                    let standing = Standing { depth, ..stands.standing };
                    return Ok(Stands { name, standing, file: Some((collection, path)), ..stands });
                }
                let mut rows = places.query([int(seq)])?;
                while let Some(row) = rows.next()? {
                    let parent = uint(row.get(0)?);
                    if seen.len() >= PLACES || !seen.insert(parent) {
                        continue;
                    }
                    let mut stands = stands.clone();
                    if depth == 0 {
                        stands.name = row.get::<_, Option<Vec<u8>>>(1)?.map(Name);
                        let standing: Option<Vec<u8>> = row.get(2)?;
                        stands.standing = standing.map_or_else(|| Ok(Standing::default()), |bytes| codec::decode_standing(&bytes))?;
                    }
                    above.push((parent, stands));
                }
            }
            level = above;
        }
        Ok(Stands::default())
    }

    /// The documents that are files of a trove in the same folder as this one, which is a file itself; at most so many.
    pub fn files_beside(&self, seq: u64, limit: usize) -> Result<Vec<u64>> {
        let Some((collection, path)) = self.file_of(seq)? else { return Ok(Vec::new()) };
        let folder = &path.0[..path.0.len() - last_component(&path.0).0.len()];
        // Behind every path in the folder: its name with the byte after the last slash.
        let mut end = folder.to_vec();
        if let Some(slash) = end.last_mut() {
            *slash += 1;
        }
        let sql = "SELECT seq FROM unit WHERE collection = ?1 AND path > ?2 AND path < ?3 AND seq IS NOT NULL AND instr(substr(path, ?4), x'2f') = 0
                   ORDER BY path LIMIT ?5";
        seqs(&self.connection, sql, &[&collection.0, &folder, &end, &(folder.len() as i64 + 1), &(limit as i64)])
    }

    fn is_message(&self, seq: u64) -> Result<bool> {
        let sql = "SELECT 1 FROM document WHERE seq = ?1 AND kind = ?2";
        Ok(self.connection.prepare_cached(sql)?.exists((int(seq), code(&Kind::ALL, &Kind::Message)))?)
    }

    fn file_of(&self, seq: u64) -> Result<Option<(CollectionId, Name)>> {
        let sql = "SELECT collection, path FROM unit WHERE seq = ?1 ORDER BY collection, path LIMIT 1";
        let mut statement = self.connection.prepare_cached(sql)?;
        Ok(statement.query_row([int(seq)], |row| Ok((CollectionId(row.get(0)?), Name(row.get(1)?)))).optional()?)
    }

    /// Documents that wait to be read by themselves.
    pub fn deferred(&self) -> Result<Vec<Deferred>> {
        let sql = "SELECT deferred.seq, collection, path, deferred.cursor, COALESCE(remaining, 0) FROM deferred JOIN unit USING (collection, path)
                   JOIN document ON document.seq = deferred.seq ORDER BY deferred.seq";
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map([], |row| {
            Ok(Deferred {
                seq: uint(row.get(0)?),
                collection: CollectionId(row.get(1)?),
                path: Name(row.get(2)?),
                cursor: uint(row.get(3)?),
                remaining: uint(row.get(4)?),
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// The collections that a document belongs to.
    pub fn member_of(&self, seq: u64) -> Result<Vec<Collection>> {
        let sql = "SELECT id, name FROM collection WHERE EXISTS (SELECT 1 FROM member WHERE collection = id AND seq = ?1) ORDER BY name";
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map([int(seq)], |row| Ok(Collection { id: CollectionId(row.get(0)?), name: row.get(1)? }))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// The passwords that opened something here, at most `limit` of them, the latest first.
    pub fn passwords(&self, limit: usize) -> Result<Vec<String>> {
        let sql = "SELECT password FROM password GROUP BY password ORDER BY MAX(blob) DESC, password LIMIT ?1";
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map([int(limit as u64)], |row| row.get(0))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// The passwords that opened these bytes, at most `limit` of them.
    pub fn passwords_of(&self, digest: &Digest, limit: usize) -> Result<Vec<String>> {
        let sql = "SELECT password FROM password JOIN blob ON blob.id = password.blob WHERE digest = ?1 ORDER BY password LIMIT ?2";
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map((digest.0, int(limit as u64)), |row| row.get(0))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Whether any password is known here.
    pub fn has_passwords(&self) -> Result<bool> {
        Ok(self.connection.prepare_cached("SELECT 1 FROM password LIMIT 1")?.exists([])?)
    }

    /// The containers of which not every child was read, in rising order.
    pub fn containers_not_whole(&self) -> Result<Vec<u64>> {
        let mut statement = self.connection.prepare_cached("SELECT seq, facts FROM document WHERE kind = ?1 ORDER BY seq")?;
        let mut rows = statement.query([code(&Kind::ALL, &Kind::Container)])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let counted = Facts::decode(row.get_ref(1)?.as_blob().unwrap_or_default())?.counted;
            if counted.is_some_and(|counted| counted.failed > 0 || counted.expected.is_some_and(|expected| expected > counted.read)) {
                found.push(uint(row.get(0)?));
            }
        }
        Ok(found)
    }
}

impl Writer<'_> {
    /// Adds a document that came of reading something again, or has what was read of it now take the place of what was read before; not if that were to
    /// lose what was known. `holds` says whether this reading found something in it.
    /// `long` is its text where that was put aside; `new` has none then.
    pub fn document_again(&mut self, new: &NewDocument<'_>, long: Option<&LongText>, holds: bool) -> Result<(u64, Reread)> {
        self.begin()?;
        if let Some(seq) = self.insert(new, long)? {
            return Ok((seq, Reread::New));
        }
        let seq = self.known(&new.id)?.unwrap_or(0);
        if long.is_none() && self.says_less(seq, new, holds)? {
            return Ok((seq, Reread::Worse));
        }
        // Long text is written again rather than compared.
        if long.is_none() && self.says_the_same(seq, new)? {
            return Ok((seq, Reread::Same));
        }
        self.update(seq, new, long)?;
        Ok((seq, Reread::Replaced))
    }

    /// Whether a reading gives nothing of a document of which there was something, or puts it off although it was read.
    pub fn says_less(&self, seq: u64, new: &NewDocument<'_>, holds: bool) -> Result<bool> {
        let put_off = |fault: &daylight_model::Fault| fault.code == FaultCode::Deferred;
        if new.faults.iter().any(put_off) && !faults_of(&self.batch.connection, seq)?.iter().any(put_off) {
            return Ok(true);
        }
        let nothing = new.texts.is_empty() && !holds && flags(new.faults) & UNREAD != 0;
        Ok(nothing && (self.has("SELECT 1 FROM text WHERE seq = ?1 LIMIT 1", seq)? || self.holds_something(seq)?))
    }

    fn says_the_same(&self, seq: u64, new: &NewDocument<'_>) -> Result<bool> {
        let sql = "SELECT step, version, media_type, title, facts FROM document WHERE seq = ?1";
        let mut statement = self.batch.connection.prepare_cached(sql)?;
        let same = statement.query_row([int(seq)], |row| {
            let facts: Vec<u8> = row.get(4)?;
            let counted = Facts::decode(&facts).ok().and_then(|facts| facts.counted);
            Ok(row.get::<_, String>(0)? == new.step
                && row.get::<_, u32>(1)? == new.version
                && row.get::<_, String>(2)? == new.media_type
                && row.get::<_, String>(3)? == new.title
                && facts == Facts::encode(new.date, counted, new.message))
        })?;
        Ok(same && self.reading_faults(seq)? == new.faults && self.same_text(seq, new)?)
    }

    fn same_text(&self, seq: u64, new: &NewDocument<'_>) -> Result<bool> {
        let sql = "SELECT pack, offset, length FROM text WHERE seq = ?1 AND step = ?2 AND version = ?3";
        let mut statement = self.batch.connection.prepare_cached(sql)?;
        let row = statement.query_row((int(seq), new.step, new.version), |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).optional()?;
        let Some((pack, offset, length)) = row else { return Ok(new.texts.is_empty()) };
        let bytes = codec::encode_text(new.texts);
        // What was written in this very transaction may not be on disk yet: it is then taken for another text, and written again.
        let stored = self.batch.read_record(uint(pack), uint(offset), uint(length));
        Ok(stored.is_ok_and(|stored| stored == bytes))
    }

    /// Whether anything stands in a document.
    pub fn holds_something(&self, seq: u64) -> Result<bool> {
        self.has("SELECT 1 FROM occurrence WHERE parent = ?1 LIMIT 1", seq)
    }

    /// A document's original bytes, if it is there and has some.
    pub fn blob_of(&self, seq: u64) -> Result<Option<BlobId>> {
        let mut statement = self.batch.connection.prepare_cached("SELECT blob FROM document WHERE seq = ?1")?;
        Ok(statement.query_row([int(seq)], |row| row.get::<_, Option<i64>>(0)).optional()?.flatten().map(BlobId))
    }

    /// How many documents are encrypted of a document and all that is in it.
    pub fn encrypted_within(&self, seq: u64) -> Result<u64> {
        let sql = "WITH RECURSIVE inside (seq) AS (VALUES (?1) UNION SELECT child FROM occurrence JOIN inside ON parent = inside.seq)
                   SELECT COUNT(*) FROM inside WHERE EXISTS (SELECT 1 FROM fault WHERE fault.seq = inside.seq AND code = ?2)";
        let mut statement = self.batch.connection.prepare_cached(sql)?;
        Ok(uint(statement.query_row((int(seq), code(&FaultCode::ALL, &FaultCode::Encrypted)), |row| row.get(0))?))
    }

    /// The readers of what a document stands in, by name.
    pub fn readers_above(&self, seq: u64) -> Result<Vec<String>> {
        let sql = "SELECT DISTINCT step FROM document JOIN occurrence ON document.seq = parent WHERE child = ?1";
        let mut statement = self.batch.connection.prepare_cached(sql)?;
        let rows = statement.query_map([int(seq)], |row| row.get(0))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Whether the document is there and has not given way to another.
    pub fn exists(&self, seq: u64) -> Result<bool> {
        self.has("SELECT 1 FROM document WHERE seq = ?1", seq)
    }

    /// Whether somebody decided on a document, or it has a number in an archive, or stands in a release.
    pub fn is_decided(&self, seq: u64) -> Result<bool> {
        Ok(self.has("SELECT 1 FROM decision WHERE seq = ?1 LIMIT 1", seq)?
            || self.has("SELECT 1 FROM number WHERE seq = ?1 LIMIT 1", seq)?
            || self.has("SELECT 1 FROM draft_line WHERE seq = ?1 LIMIT 1", seq)?)
    }

    /// A document turned out to be another: that one takes its places, its files and its collections. The old one goes, with what stands in it and nowhere
    /// else; where something was decided on it, it stays beside the new one. Says how many documents went and how many stayed.
    pub fn supersede(&mut self, old: u64, new: u64) -> Result<(u64, u64)> {
        self.begin()?;
        let both = (int(old), int(new));
        let places = "INSERT INTO occurrence (parent, ordinal, child, name, standing)
                      SELECT parent, ordinal, ?2, name, standing FROM occurrence WHERE child = ?1 AND parent <> ?2 ON CONFLICT DO NOTHING";
        self.batch.connection.execute(places, both)?;
        self.batch.connection.execute("UPDATE unit SET seq = ?2 WHERE seq = ?1", both)?;
        let members = "INSERT INTO member (collection, seq) SELECT collection, ?2 FROM member WHERE seq = ?1 ON CONFLICT DO NOTHING";
        self.batch.connection.execute(members, both)?;
        self.touch(new)?;
        if self.is_decided(old)? {
            return Ok((0, 1));
        }
        self.batch.connection.execute("DELETE FROM occurrence WHERE child = ?1", [int(old)])?;
        self.let_go(old)
    }

    /// A place in a document is no longer said to be taken by this child. The child goes with it if it stands nowhere else; where something was decided on
    /// it, it stays in its place. Says how many documents went and how many stayed.
    pub fn remove_place(&mut self, parent: u64, ordinal: u64, child: u64) -> Result<(u64, u64)> {
        self.begin()?;
        if self.is_decided(child)? {
            return Ok((0, 1));
        }
        let sql = "DELETE FROM occurrence WHERE parent = ?1 AND ordinal = ?2 AND child = ?3";
        self.batch.connection.prepare_cached(sql)?.execute((int(parent), int(ordinal), int(child)))?;
        self.touch(parent)?;
        self.let_go(child)
    }

    /// A document that has no place any more goes, and what stood in it goes with it.
    fn let_go(&mut self, seq: u64) -> Result<(u64, u64)> {
        let (mut went, mut stayed) = (0, 0);
        let mut rest = vec![seq];
        while let Some(seq) = rest.pop() {
            let placed = self.has("SELECT 1 FROM occurrence WHERE child = ?1 AND parent <> ?1 LIMIT 1", seq)?
                || self.has("SELECT 1 FROM unit WHERE seq = ?1 LIMIT 1", seq)?;
            if placed || !self.exists(seq)? {
                continue;
            }
            if self.is_decided(seq)? {
                stayed += 1;
                continue;
            }
            let inside = seqs(&self.batch.connection, "SELECT DISTINCT child FROM occurrence WHERE parent = ?1", &[&int(seq)])?;
            self.remove(seq)?;
            went += 1;
            rest.extend(inside);
        }
        Ok((went, stayed))
    }

    /// What stands in a document: ordinals and documents.
    pub fn places_in(&self, parent: u64) -> Result<HashSet<(u64, u64)>> {
        let mut statement = self.batch.connection.prepare_cached("SELECT ordinal, child FROM occurrence WHERE parent = ?1")?;
        let rows = statement.query_map([int(parent)], |row| Ok((uint(row.get(0)?), uint(row.get(1)?))))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Counts anew what the containers that a document stands in hold.
    pub fn count_again_above(&mut self, seq: u64) -> Result<()> {
        for parent in seqs(&self.batch.connection, "SELECT DISTINCT parent FROM occurrence WHERE child = ?1", &[&int(seq)])? {
            let sql = "SELECT facts FROM document WHERE seq = ?1";
            let facts: Option<Vec<u8>> =
                self.batch.connection.prepare_cached(sql)?.query_row([int(parent)], |row| row.get(0)).optional()?;
            let Some(counted) = facts.map(|facts| Facts::decode(&facts)).transpose()?.and_then(|facts| facts.counted) else { continue };
            let (read, failed) = self.count_children(parent)?;
            self.set_counted(parent, codec::Counted { read, failed, ..counted })?;
        }
        Ok(())
    }

    /// Notes that a document waits to be read by itself, for the file at `path` and from its budget. Saying it again changes nothing.
    pub fn defer(&mut self, seq: u64, collection: CollectionId, path: &Name) -> Result<()> {
        self.begin()?;
        let sql = "INSERT INTO deferred (seq, collection, path, cursor) VALUES (?1, ?2, ?3, 0) ON CONFLICT DO NOTHING";
        self.batch.connection.prepare_cached(sql)?.execute((int(seq), collection.0, &path.0))?;
        Ok(())
    }

    /// How many bytes of a file's budget are left for what of it waits.
    pub fn set_remaining(&mut self, collection: CollectionId, path: &Name, remaining: u64) -> Result<()> {
        self.begin()?;
        let sql = "UPDATE unit SET remaining = ?3 WHERE collection = ?1 AND path = ?2";
        self.batch.connection.prepare_cached(sql)?.execute((collection.0, &path.0, int(remaining)))?;
        Ok(())
    }

    /// How far the reading of a document that waited has come; `None` if it is over.
    pub fn set_deferred(&mut self, seq: u64, cursor: Option<u64>) -> Result<()> {
        self.begin()?;
        match cursor {
            Some(cursor) => {
                let mut statement = self.batch.connection.prepare_cached("UPDATE deferred SET cursor = ?2 WHERE seq = ?1")?;
                statement.execute((int(seq), int(cursor)))?
            }
            None => self.batch.connection.prepare_cached("DELETE FROM deferred WHERE seq = ?1")?.execute([int(seq)])?,
        };
        Ok(())
    }

    /// Keeps a password that opened a document's bytes.
    pub fn keep_password(&mut self, seq: u64, password: &str) -> Result<()> {
        self.begin()?;
        let sql = "INSERT INTO password (blob, password) SELECT blob, ?2 FROM document WHERE seq = ?1 AND blob IS NOT NULL ON CONFLICT DO NOTHING";
        self.batch.connection.prepare_cached(sql)?.execute((int(seq), password))?;
        Ok(())
    }

    fn has(&self, sql: &str, seq: u64) -> Result<bool> {
        Ok(self.batch.connection.prepare_cached(sql)?.exists([int(seq)])?)
    }
}

/// `pdf 1` as a name and a version.
pub fn parse_reader(reader: &str) -> Option<(&str, u32)> {
    let (name, version) = reader.rsplit_once(' ')?;
    Some((name, version.parse().ok()?))
}

fn seqs(connection: &Connection, sql: &str, values: &[&dyn ToSql]) -> Result<Vec<u64>> {
    seqs_of(&mut *connection.prepare_cached(sql)?, values)
}

fn seqs_of(statement: &mut rusqlite::Statement<'_>, values: &[&dyn ToSql]) -> Result<Vec<u64>> {
    let rows = statement.query_map(values, |row| row.get::<_, i64>(0))?;
    rows.map(|seq| Ok(uint(seq?))).collect()
}
