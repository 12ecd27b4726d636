//! Every stored byte against the digest it was stored under.

use super::{Check, CheckOutcome, place_of, was, were};
use crate::blobs::{self, BlobId, Place};
use crate::codec::{int, uint};
use crate::error::{Error, Result};
use crate::pack::{At, MAGIC, RECORD_HEADER};
use crate::records::{NamedBy, Record, each_pack, pack_lengths};
use daylight_model::{Digest, Fault, FaultCode, Hasher, Stage};
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

/// How much is read at a time.
const PIECE: usize = 1 << 20;

/// A text that is damaged: document, reader, version.
enum BadText {
    Read { seq: u64, step: String, version: u32 },
    Recognised { seq: u64, page: u32 },
}

impl Check<'_, '_> {
    /// How many bytes there are to hash.
    pub(super) fn bytes_to_read(&self) -> Result<u64> {
        let sql = "SELECT COALESCE((SELECT SUM(length) FROM blob), 0) + COALESCE((SELECT SUM(length) FROM text), 0)";
        Ok(uint(self.care.query_row(sql, [], |row| row.get(0))?))
    }

    pub(super) fn packs(&mut self) -> Result<()> {
        let mut known = pack_lengths(&self.care)?;
        let mut bad_texts = Vec::new();
        let folder = self.desk.root.join("pack");
        let source = crate::catalogue::open_for_care(&self.desk.root.join("catalogue.sqlite"), &self.desk.root.join("blob/tmp"))?;
        each_pack(&source, &mut |number, records| {
            let place = folder.join(number.to_string()).display().to_string();
            let Some(length) = known.remove(&number) else {
                self.damaged(place, "rows name records in it, but the catalogue does not know this pack");
                self.all_bad(records, &mut bad_texts);
                return Ok(());
            };
            self.pack(number, length, records, &mut bad_texts)
        })?;
        drop(source);
        for (number, length) in known {
            self.pack(number, length, Vec::new(), &mut bad_texts)?;
        }
        self.bad_texts(bad_texts)
    }

    fn pack(&mut self, number: u64, length: u64, records: Vec<Record>, bad_texts: &mut Vec<BadText>) -> Result<()> {
        let path = self.desk.root.join("pack").join(number.to_string());
        let place = path.display().to_string();
        let size = match fs::metadata(&path) {
            Ok(about) => about.len(),
            // A pack that was begun and never committed has no bytes that count.
            Err(error) if error.kind() == io::ErrorKind::NotFound && length == 0 => return Ok(()),
            Err(error) => {
                self.damaged(place, format!("{}; restore it from a backup", error.kind()));
                self.all_bad(records, bad_texts);
                return Ok(());
            }
        };
        if size < length {
            self.damaged(&place, format!("it ends at byte {size}, where {length} bytes were written; restore it from a backup"));
        } else if size > length && length > 0 {
            if self.repairs() {
                let cut = File::options().write(true).open(&path).and_then(|file| file.set_len(length).and_then(|()| file.sync_all()));
                cut.map_err(Error::io(&path))?;
            }
            let what = format!("{} bytes of an interrupted write at its end {} cut", size - length, were(self.repair));
            self.repaired(&place, what, None);
        }
        let file = match self.desk.packs.file(number) {
            Ok(file) => file,
            Err(error) if length > 0 => {
                self.damaged(place, error.to_string());
                self.all_bad(records, bad_texts);
                return Ok(());
            }
            Err(_) => return Ok(()),
        };
        let (mut at, mut unnamed) = (MAGIC.len() as u64, 0);
        for record in records {
            if record.offset < at {
                self.damaged(format!("{place} at byte {}", record.offset), "two rows name the same bytes");
            }
            unnamed += record.offset.saturating_sub(at);
            at = record.end();
            self.record(number, &file, record, bad_texts)?;
        }
        unnamed += length.saturating_sub(at);
        if unnamed > 0 {
            let what = format!("{unnamed} bytes that no row names any more: earlier texts; the next `forget` takes them out");
            self.find(CheckOutcome::Noted, place, what, None);
        }
        Ok(())
    }

    fn record(&mut self, pack: u64, file: &Arc<File>, record: Record, bad_texts: &mut Vec<BadText>) -> Result<()> {
        self.result.checked.stored += 1;
        let mut header = [0; RECORD_HEADER as usize];
        let seal = match &record.named_by {
            NamedBy::Blob { digest, .. } => Some(*digest),
            NamedBy::Text { .. } | NamedBy::Recognised { .. } => None,
        };
        let found = file.read_exact_at(&mut header, record.offset).map(|()| {
            let (sealed, stated) = header.split_at(32);
            let real = if seal.is_some() {
                hash(file, record.offset + RECORD_HEADER, record.length)
            } else {
                crc(file, record.offset + RECORD_HEADER, record.length)
            };
            let named = seal.is_none_or(|digest| digest.0 == sealed);
            named && stated == record.length.to_le_bytes() && real.is_ok_and(|real| real.0 == sealed)
        });
        self.read(record.length);
        if found.unwrap_or(false) {
            return Ok(());
        }
        match record.named_by {
            NamedBy::Blob { id, .. } => {
                self.bad_blobs.insert(id);
            }
            NamedBy::Text { seq, step, version } => {
                let place = self.desk.packs.place(At { pack, offset: record.offset });
                let what = format!("the text read of it is damaged and {} taken out, and it marked to be read again", was(self.repair));
                self.repaired(place, what, Some(seq));
                bad_texts.push(BadText::Read { seq, step, version });
            }
            NamedBy::Recognised { seq, page } => {
                let place = self.desk.packs.place(At { pack, offset: record.offset });
                let what = format!("the words recognised on page {page} are damaged and {} taken out", were(self.repair));
                self.repaired(place, what, Some(seq));
                bad_texts.push(BadText::Recognised { seq, page });
            }
        }
        Ok(())
    }

    fn all_bad(&mut self, records: Vec<Record>, bad_texts: &mut Vec<BadText>) {
        for record in records {
            match record.named_by {
                NamedBy::Blob { id, .. } => {
                    self.bad_blobs.insert(id);
                }
                NamedBy::Text { seq, step, version } => {
                    let what = format!("the text read of it is gone; it {} marked to be read again", was(self.repair));
                    self.repaired("catalogue, table text", what, Some(seq));
                    bad_texts.push(BadText::Read { seq, step, version });
                }
                NamedBy::Recognised { seq, page } => {
                    let what = format!("the words recognised on page {page} are gone");
                    self.repaired("catalogue, table recognised", what, Some(seq));
                    bad_texts.push(BadText::Recognised { seq, page });
                }
            }
        }
    }

    /// Takes the rows of damaged texts out, so that nothing trips over them, and says in the document's faults and in the ledger that it is to be
    /// read again.
    fn bad_texts(&mut self, bad: Vec<BadText>) -> Result<()> {
        if bad.is_empty() || !self.repairs() {
            return Ok(());
        }
        let mut writer = self.desk.writer(self.lease)?;
        writer.begin()?;
        for bad in bad {
            let (seq, step, version) = match bad {
                BadText::Read { seq, step, version } => (seq, step, version),
                BadText::Recognised { seq, page } => {
                    let sql = "DELETE FROM recognised WHERE seq = ?1 AND page = ?2";
                    writer.batch.connection.prepare_cached(sql)?.execute((int(seq), page))?;
                    let detail =
                        format!("the words recognised on page {page} were damaged on the desk's disk: `daylight recognise` with its id");
                    let fault =
                        Fault { stage: Stage::Read, code: FaultCode::Damaged, tool: "check 1".into(), detail, limit: None, at: None };
                    writer.add_fault(seq, &fault)?;
                    continue;
                }
            };
            let sql = "DELETE FROM text WHERE seq = ?1 AND step = ?2 AND version = ?3";
            writer.batch.connection.prepare_cached(sql)?.execute((int(seq), &step, version))?;
            let sql = "SELECT 1 FROM document WHERE seq = ?1 AND step = ?2 AND version = ?3";
            if !writer.batch.connection.prepare_cached(sql)?.exists((int(seq), &step, version))? {
                continue;
            }
            let detail = "its text was damaged on the desk's disk: to be read again".to_owned();
            let fault = Fault { stage: Stage::Read, code: FaultCode::Damaged, tool: "check 1".into(), detail, limit: None, at: None };
            writer.add_fault(seq, &fault)?;
            writer.read_again(seq)?;
        }
        writer.commit()?;
        Ok(())
    }

    pub(super) fn large(&mut self) -> Result<()> {
        let mut after = 0;
        loop {
            let sql = "SELECT id FROM blob WHERE id > ?1 AND pack IS NULL AND of IS NULL ORDER BY id LIMIT 1000";
            let ids = self.ids(sql, after)?;
            let Some(last) = ids.last() else { return Ok(()) };
            after = *last;
            for id in ids {
                let row = blobs::row(&self.care, BlobId(id))?;
                let path = blobs::file_path(&self.desk.root, &row.digest);
                self.result.checked.stored += 1;
                let found = File::open(&path).and_then(|file| {
                    let same = file.metadata()?.len() == row.length;
                    Ok(same && hash(&file, 0, row.length)? == row.digest)
                });
                self.read(row.length);
                match found {
                    Ok(true) => {}
                    _ => {
                        self.bad_blobs.insert(id);
                    }
                }
            }
        }
    }

    pub(super) fn slices(&mut self) -> Result<()> {
        let mut after = 0;
        loop {
            let sql = "SELECT id FROM blob WHERE id > ?1 AND of IS NOT NULL ORDER BY id LIMIT 1000";
            let ids = self.ids(sql, after)?;
            let Some(last) = ids.last() else { return Ok(()) };
            after = *last;
            for id in ids {
                let row = blobs::row(&self.care, BlobId(id))?;
                self.result.checked.stored += 1;
                // Its own digest is what counts: the bytes around it may be damaged and these not.
                let read = self.desk.source(BlobId(id)).and_then(|source| {
                    io::copy(&mut source.stream(), &mut io::sink()).map_err(|error| Error::damaged(place_of(&row), error.to_string()))
                });
                self.read(row.length);
                if read.is_err() {
                    self.bad_blobs.insert(id);
                }
            }
        }
    }

    fn ids(&self, sql: &str, after: i64) -> Result<Vec<i64>> {
        let mut statement = self.care.prepare_cached(sql)?;
        let rows = statement.query_map([after], |row| row.get(0))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Says whose the damaged bytes are. A rendition is made again; an original is lost here.
    pub(super) fn blobs_of_documents(&mut self) -> Result<()> {
        let bad = std::mem::take(&mut self.bad_blobs);
        if bad.is_empty() {
            return Ok(());
        }
        let originals = self.documents_with("SELECT seq, blob FROM document WHERE blob IS NOT NULL ORDER BY seq", &bad)?;
        let mut named: BTreeSet<i64> = BTreeSet::new();
        for (seq, blob) in originals {
            let what = "its original bytes are damaged: restore them from a backup";
            let place = self.place(blob)?;
            self.find(CheckOutcome::Damaged, place, what, Some(seq));
            named.insert(blob);
        }
        let renditions = self.documents_with("SELECT seq, blob FROM rendition ORDER BY seq", &bad)?;
        for (seq, blob) in renditions {
            let place = self.place(blob)?;
            let what = format!("what was made of it for publishing is damaged, and {} made again", was(self.repair));
            self.repaired(place, what, Some(seq));
            self.result.unrendered.insert(seq);
            if self.repairs() {
                self.care.prepare_cached("DELETE FROM rendition WHERE seq = ?1 AND blob = ?2")?.execute((int(seq), blob))?;
            }
            if self.repairs() && !named.contains(&blob) {
                // Else the same bytes, made again, would be taken for these.
                self.care.prepare_cached("DELETE FROM blob WHERE id = ?1")?.execute([blob])?;
            }
            named.insert(blob);
        }
        for blob in bad.difference(&named) {
            let place = self.place(*blob)?;
            self.damaged(place, "bytes of no document are damaged");
        }
        Ok(())
    }

    fn documents_with(&self, sql: &str, blobs: &BTreeSet<i64>) -> Result<Vec<(u64, i64)>> {
        let mut statement = self.care.prepare(sql)?;
        let mut rows = statement.query([])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let blob = row.get(1)?;
            if blobs.contains(&blob) {
                found.push((uint(row.get(0)?), blob));
            }
        }
        Ok(found)
    }

    /// The file in which a blob stands, and where.
    fn place(&self, blob: i64) -> Result<String> {
        let Ok(row) = blobs::row(&self.care, BlobId(blob)) else { return Ok("catalogue, table blob".into()) };
        Ok(match row.place {
            Place::Pack(at) => self.desk.packs.place(at),
            Place::File => blobs::file_path(&self.desk.root, &row.digest).display().to_string(),
            Place::Slice { of, offset } => match blobs::row(&self.care, BlobId(of)) {
                Ok(base) => format!("{}, byte {offset}", place_of(&base)),
                Err(_) => place_of(&row),
            },
        })
    }
}

/// Reads a part of a file in pieces.
fn pieces(file: &File, start: u64, length: u64, take: &mut dyn FnMut(&[u8])) -> io::Result<()> {
    let mut buffer = vec![0; PIECE.min(usize::try_from(length).unwrap_or(PIECE))];
    let mut at = 0;
    while at < length {
        let count = buffer.len().min(usize::try_from(length - at).unwrap_or(usize::MAX));
        file.read_exact_at(&mut buffer[..count], start + at)?;
        take(&buffer[..count]);
        at += count as u64;
    }
    Ok(())
}

fn hash(file: &File, start: u64, length: u64) -> io::Result<Digest> {
    let mut hasher = Hasher::default();
    pieces(file, start, length, &mut |piece| hasher.update(piece))?;
    Ok(hasher.finish())
}

fn crc(file: &File, start: u64, length: u64) -> io::Result<Digest> {
    let mut hasher = crc32fast::Hasher::new();
    pieces(file, start, length, &mut |piece| hasher.update(piece))?;
    let mut place = [0; 32];
    place[28..].copy_from_slice(&hasher.finalize().to_be_bytes());
    Ok(Digest(place))
}
