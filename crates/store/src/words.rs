//! What is known of documents' words, and which documents are nearly the same text.

use crate::codec::{int, uint};
use crate::desk::Desk;
use crate::error::{Error, Result};
use crate::writer::Writer;
use daylight_model::Sketch;
use rusqlite::{Connection, OptionalExtension, Transaction};
use std::collections::HashMap;

/// How many documents are put into the table of keys at a time.
const AT_ONCE: u64 = 50_000;
/// How many documents of a key are compared with one: those that have it because they are all the same boilerplate are without number.
const MOST_A_KEY: usize = 256;
/// How many documents that are not near each other stand for all that share a key, where groups are counted.
const STAND_INS: usize = 8;

/// The documents whose text is nearly the same as that of another.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Near {
    /// Their numbers, and what share of their runs of words they have in common with it, about; the nearest first.
    pub documents: Vec<(u64, f64)>,
    /// Whether there may be more: a key is shared by more documents than are compared.
    pub more: bool,
    /// How many sketches were compared.
    pub compared: u64,
}

/// How many documents are nearly the same text as others.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct NearCounts {
    /// Groups of documents, each near another of its group.
    pub groups: u64,
    /// Documents in all of them.
    pub documents: u64,
    /// How many pairs of sketches were compared.
    pub compared: u64,
}

impl Writer<'_> {
    /// Notes what is known of a document's words, in place of what was noted before.
    pub fn set_words(&mut self, seq: u64, language: &str, sketch: Option<&Sketch>) -> Result<()> {
        self.begin()?;
        let connection = &self.batch.connection;
        let before = words_of(connection, seq)?;
        let same = match &before {
            Some((known, before)) => known == language && before.as_ref() == sketch,
            None => language.is_empty() && sketch.is_none(),
        };
        if same {
            return Ok(());
        }
        if let Some((_, Some(sketch))) = &before {
            forget_keys(connection, seq, sketch)?;
        }
        let sql = "INSERT INTO words (seq, language, sketch) VALUES (?1, ?2, ?3)
                   ON CONFLICT DO UPDATE SET language = excluded.language, sketch = excluded.sketch";
        connection.prepare_cached(sql)?.execute((int(seq), language, sketch.map(Sketch::to_bytes)))?;
        if let Some(sketch) = sketch
            && seq <= upto(connection)?
        {
            insert_keys(connection, keys(seq, sketch))?;
        }
        self.touch(seq)
    }

    /// Forgets a document's words.
    pub(crate) fn forget_words(&self, seq: u64) -> Result<()> {
        let connection = &self.batch.connection;
        if let Some((_, Some(sketch))) = words_of(connection, seq)? {
            forget_keys(connection, seq, &sketch)?;
        }
        connection.prepare_cached("DELETE FROM words WHERE seq = ?1")?.execute([int(seq)])?;
        Ok(())
    }
}

impl Desk {
    /// Makes documents that are new findable by those that are near them. It is done after an ingest, for all of its documents together and sorted:
    /// one by one, each of a document's keys would change another page of the file.
    pub fn relate(&mut self) -> Result<()> {
        while self.transaction(relate_some)? == AT_ONCE {}
        Ok(())
    }

    /// The documents whose text is nearly the same as that of this one.
    pub fn near(&self, seq: u64) -> Result<Near> {
        let Some((_, Some(sketch))) = words_of(&self.connection, seq)? else { return Ok(Near::default()) };
        let mut near = Near::default();
        let mut candidates = Vec::new();
        let mut statement = self.connection.prepare_cached("SELECT seq FROM near WHERE band = ?1 ORDER BY seq LIMIT ?2")?;
        for band in sketch.bands() {
            let rows = statement.query_map((band.cast_signed(), MOST_A_KEY as i64 + 1), |row| row.get::<_, i64>(0))?;
            let found: Vec<i64> = rows.collect::<rusqlite::Result<_>>()?;
            near.more |= found.len() > MOST_A_KEY;
            candidates.extend(found.into_iter().take(MOST_A_KEY).map(uint));
        }
        candidates.sort_unstable();
        candidates.dedup();
        for other in candidates.into_iter().filter(|other| *other != seq) {
            let Some((_, Some(other_sketch))) = words_of(&self.connection, other)? else { continue };
            near.compared += 1;
            if sketch.is_near(&other_sketch) {
                near.documents.push((other, sketch.similarity(&other_sketch)));
            }
        }
        near.documents.sort_by(|one, two| two.1.total_cmp(&one.1).then(one.0.cmp(&two.0)));
        Ok(near)
    }

    /// How many documents are nearly the same text as others: one pass over all keys.
    pub(crate) fn near_counts(&self) -> Result<NearCounts> {
        let mut groups = Groups::default();
        let mut statement = self.connection.prepare("SELECT band, seq FROM near ORDER BY band, seq")?;
        let mut rows = statement.query([])?;
        let mut key = None;
        let mut stand_ins: Vec<(u64, Option<Sketch>)> = Vec::new();
        while let Some(row) = rows.next()? {
            let (band, seq): (i64, u64) = (row.get(0)?, uint(row.get(1)?));
            if key != Some(band) {
                (key, stand_ins) = (Some(band), vec![(seq, None)]);
                continue;
            }
            if stand_ins.iter().any(|(other, _)| groups.are_one(*other, seq)) {
                continue;
            }
            let Some((_, Some(sketch))) = words_of(&self.connection, seq)? else { continue };
            let mut joined = false;
            for (other, known) in &mut stand_ins {
                if known.is_none() {
                    *known = words_of(&self.connection, *other)?.and_then(|(_, sketch)| sketch);
                }
                groups.compared += 1;
                if known.as_ref().is_some_and(|known| known.is_near(&sketch)) {
                    groups.join(*other, seq);
                    joined = true;
                    break;
                }
            }
            if !joined && stand_ins.len() < STAND_INS {
                stand_ins.push((seq, Some(sketch)));
            }
        }
        Ok(groups.counts())
    }

    /// The language of a document, empty if it could not be told.
    pub(crate) fn language_of(&self, seq: u64) -> Result<String> {
        let mut statement = self.connection.prepare_cached("SELECT language FROM words WHERE seq = ?1")?;
        Ok(statement.query_row([int(seq)], |row| row.get(0)).optional()?.unwrap_or_default())
    }
}

/// Puts the next documents into the table of keys, and says how many.
fn relate_some(transaction: &Transaction<'_>) -> Result<u64> {
    let sql = "SELECT seq, sketch FROM words WHERE seq > ?1 AND sketch IS NOT NULL ORDER BY seq LIMIT ?2";
    let mut statement = transaction.prepare_cached(sql)?;
    let mut rows = statement.query((int(upto(transaction)?), int(AT_ONCE)))?;
    let (mut all, mut count, mut last) = (Vec::new(), 0, 0);
    while let Some(row) = rows.next()? {
        last = uint(row.get(0)?);
        count += 1;
        let sketch = Sketch::from_bytes(row.get_ref(1)?.as_blob().unwrap_or_default()).ok_or_else(|| broken(last))?;
        all.extend(keys(last, &sketch));
    }
    if count > 0 {
        all.sort_unstable();
        insert_keys(transaction, all)?;
        transaction.execute("UPDATE near_upto SET upto = ?1", [int(last)])?;
    }
    Ok(count)
}

fn upto(connection: &Connection) -> Result<u64> {
    Ok(uint(connection.prepare_cached("SELECT upto FROM near_upto")?.query_row([], |row| row.get(0))?))
}

fn keys(seq: u64, sketch: &Sketch) -> impl Iterator<Item = (i64, i64)> + use<> {
    sketch.bands().into_iter().map(move |band| (band.cast_signed(), int(seq)))
}

fn insert_keys(connection: &Connection, keys: impl IntoIterator<Item = (i64, i64)>) -> Result<()> {
    let mut statement = connection.prepare_cached("INSERT INTO near (band, seq) VALUES (?1, ?2) ON CONFLICT DO NOTHING")?;
    keys.into_iter().try_for_each(|key| statement.execute(key).map(|_| ()))?;
    Ok(())
}

fn forget_keys(connection: &Connection, seq: u64, sketch: &Sketch) -> Result<()> {
    let mut statement = connection.prepare_cached("DELETE FROM near WHERE band = ?1 AND seq = ?2")?;
    keys(seq, sketch).try_for_each(|key| statement.execute(key).map(|_| ()))?;
    Ok(())
}

fn words_of(connection: &Connection, seq: u64) -> Result<Option<(String, Option<Sketch>)>> {
    let mut statement = connection.prepare_cached("SELECT language, sketch FROM words WHERE seq = ?1")?;
    let row = statement.query_row([int(seq)], |row| Ok((row.get(0)?, row.get::<_, Option<Vec<u8>>>(1)?))).optional()?;
    let Some((language, bytes)) = row else { return Ok(None) };
    let sketch = bytes.map(|bytes| Sketch::from_bytes(&bytes).ok_or_else(|| broken(seq))).transpose()?;
    Ok(Some((language, sketch)))
}

fn broken(seq: u64) -> Error {
    Error::damaged("catalogue", format!("the sketch of document {seq} is not as long as sketches are"))
}

/// Documents that are joined into groups (union-find).
#[derive(Default)]
struct Groups {
    above: HashMap<u64, u64>,
    compared: u64,
}

impl Groups {
    fn top(&mut self, seq: u64) -> u64 {
        let mut at = seq;
        while let Some(next) = self.above.get(&at).copied().filter(|next| *next != at) {
            // Each step shortens the way for the next who goes it.
            let beyond = self.above.get(&next).copied().unwrap_or(next);
            self.above.insert(at, beyond);
            at = next;
        }
        at
    }

    fn are_one(&mut self, one: u64, two: u64) -> bool {
        self.above.contains_key(&one) && self.above.contains_key(&two) && self.top(one) == self.top(two)
    }

    fn join(&mut self, one: u64, two: u64) {
        let (one, two) = (self.top(one), self.top(two));
        let (low, high) = (one.min(two), one.max(two));
        self.above.insert(low, low);
        self.above.insert(high, low);
    }

    fn counts(&self) -> NearCounts {
        let groups = self.above.iter().filter(|(seq, above)| seq == above).count() as u64;
        NearCounts { groups, documents: self.above.len() as u64, compared: self.compared }
    }
}
