//! Carrying what stays out of the packs and files that go.

use super::ForgetPlan;
use crate::blobs::{self, BlobId, Place};
use crate::catalogue;
use crate::codec::int;
use crate::desk::Desk;
use crate::error::{Error, Result};
use crate::pack::{At, MAGIC, RECORD_HEADER};
use crate::records::{NamedBy, Record, each_pack, pack_lengths};
use crate::writer::Writer;
use daylight_model::Digest;
use rusqlite::Connection;
use std::collections::BTreeSet;
use std::os::unix::fs::FileExt;

/// Gives every row that stays a place in which nothing stands that goes, and takes the rows of the others out of `blob`, `text` and `pack`. Reads the
/// catalogue as it was before the transaction.
pub(super) fn carry(desk: &Desk, writer: &mut Writer<'_>, plan: &ForgetPlan) -> Result<()> {
    let before = catalogue::open_for_care(&desk.root.join("catalogue.sqlite"), &desk.root.join("blob/tmp"))?;
    writer.batch.turn_over()?;
    let named = named(&before, plan)?;
    let going = slices(desk, writer, plan, &before, &named)?;
    let mut lengths = pack_lengths(&before)?;
    each_pack(&before, &mut |number, records| {
        let length = lengths.remove(&number).unwrap_or(0);
        pack(desk, writer, plan, &going, number, length, records)
    })?;
    // A pack that no row names anything in holds what was named once.
    for (number, length) in lengths.into_iter().filter(|(_, length)| *length > MAGIC.len() as u64) {
        pack(desk, writer, plan, &going, number, length, Vec::new())?;
    }
    for id in &going.0 {
        writer.batch.connection.prepare_cached("DELETE FROM blob WHERE id = ?1")?.execute([id])?;
        writer.batch.connection.prepare_cached("DELETE FROM password WHERE blob = ?1")?.execute([id])?;
    }
    Ok(())
}

/// Blobs by number: those that go.
struct Going(BTreeSet<i64>);

/// The blobs that documents and renditions name which stay.
fn named(before: &Connection, plan: &ForgetPlan) -> Result<Bits> {
    let mut named = Bits::default();
    for sql in ["SELECT seq, blob FROM document WHERE blob IS NOT NULL", "SELECT seq, blob FROM rendition"] {
        let mut statement = before.prepare(sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let seq = row.get(0)?;
            if !plan.gone.contains(&seq) && !plan.bereft.contains(&seq) {
                named.set(row.get(1)?);
            }
        }
    }
    Ok(named)
}

/// Makes slices of bytes that go into blobs of their own, and says which blobs go: those that nothing names, neither a document nor a slice that stays.
fn slices(desk: &Desk, writer: &mut Writer<'_>, plan: &ForgetPlan, before: &Connection, named: &Bits) -> Result<Going> {
    let mut bases = Bits::default();
    let mut statement = before.prepare("SELECT id, of FROM blob WHERE of IS NOT NULL ORDER BY id")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (id, of) = (row.get(0)?, row.get(1)?);
        if !named.has(id) {
            continue;
        }
        if !plan.tainted.contains(&of) || named.has(of) {
            bases.set(of);
            continue;
        }
        let digest = blobs::row(before, BlobId(id))?.digest;
        let (pack, offset) = match writer.batch.carry(&digest, &desk.source(BlobId(id))?)? {
            Place::Pack(at) => (Some(int(at.pack)), Some(int(at.offset))),
            Place::File | Place::Slice { .. } => (None, None),
        };
        let sql = "UPDATE blob SET pack = ?2, of = NULL, offset = ?3 WHERE id = ?1";
        writer.batch.connection.prepare_cached(sql)?.execute((id, pack, offset))?;
    }
    let mut going = BTreeSet::new();
    let mut statement = before.prepare("SELECT id FROM blob ORDER BY id")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let id = row.get(0)?;
        if !named.has(id) && !bases.has(id) {
            going.insert(id);
        }
    }
    Ok(Going(going))
}

/// If anything in a pack goes, or stands there unnamed, carries the rest into a new one and takes this one out of the catalogue.
fn pack(
    desk: &Desk,
    writer: &mut Writer<'_>,
    plan: &ForgetPlan,
    going: &Going,
    number: u64,
    length: u64,
    records: Vec<Record>,
) -> Result<()> {
    let goes = |record: &Record| match &record.named_by {
        NamedBy::Blob { id, .. } => going.0.contains(id),
        NamedBy::Text { seq, .. } | NamedBy::Recognised { seq, .. } => plan.gone.contains(&int(*seq)),
    };
    let (mut at, mut gaps) = (MAGIC.len() as u64, false);
    for record in &records {
        gaps |= record.offset != at;
        at = record.end();
    }
    if !gaps && at == length && !records.iter().any(goes) {
        return Ok(());
    }
    let file = desk.packs.file(number)?;
    for record in records.iter().filter(|record| !goes(record)) {
        let short = |_| {
            Error::damaged(
                desk.packs.place(At { pack: number, offset: record.offset }),
                "the pack ends before its record; run `daylight check`",
            )
        };
        let mut seal = [0; 32];
        file.read_exact_at(&mut seal, record.offset).map_err(short)?;
        let size = usize::try_from(record.length).map_err(|_| Error::damaged("catalogue", "a record is too long"))?;
        let mut bytes = vec![0; size];
        // As they stand, seal and all: damage stays what it was, and is found later as it would have been.
        file.read_exact_at(&mut bytes, record.offset + RECORD_HEADER).map_err(short)?;
        let to = writer.batch.copy_record(&Digest(seal), &bytes)?;
        let place = (int(to.pack), int(to.offset));
        match &record.named_by {
            NamedBy::Blob { id, .. } => {
                let sql = "UPDATE blob SET pack = ?2, offset = ?3 WHERE id = ?1";
                writer.batch.connection.prepare_cached(sql)?.execute((id, place.0, place.1))?;
            }
            NamedBy::Text { seq, step, version } => {
                let sql = "UPDATE text SET pack = ?4, offset = ?5 WHERE seq = ?1 AND step = ?2 AND version = ?3";
                writer.batch.connection.prepare_cached(sql)?.execute((int(*seq), step, version, place.0, place.1))?;
            }
            NamedBy::Recognised { seq, page } => {
                let sql = "UPDATE recognised SET pack = ?3, offset = ?4 WHERE seq = ?1 AND page = ?2";
                writer.batch.connection.prepare_cached(sql)?.execute((int(*seq), page, place.0, place.1))?;
            }
        }
    }
    writer.batch.connection.prepare_cached("DELETE FROM pack WHERE number = ?1")?.execute([int(number)])?;
    Ok(())
}

/// A set of row numbers, which are dense: one bit each.
#[derive(Default)]
struct Bits(Vec<u64>);

impl Bits {
    fn set(&mut self, number: i64) {
        let (word, bit) = Self::at(number);
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        self.0[word] |= bit;
    }

    fn has(&self, number: i64) -> bool {
        let (word, bit) = Self::at(number);
        self.0.get(word).is_some_and(|bits| bits & bit != 0)
    }

    fn at(number: i64) -> (usize, u64) {
        let number = number.unsigned_abs();
        (usize::try_from(number / 64).unwrap_or(usize::MAX / 2), 1 << (number % 64))
    }
}
