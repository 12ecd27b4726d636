//! What the catalogue says stands in the packs, pack by pack.

use crate::codec::uint;
use crate::error::Result;
use crate::pack::RECORD_HEADER;
use daylight_model::Digest;
use rusqlite::Connection;
use std::collections::BTreeMap;

/// A record that a row names.
pub(crate) struct Record {
    pub(crate) offset: u64,
    pub(crate) length: u64,
    pub(crate) named_by: NamedBy,
}

/// The row that names it.
pub(crate) enum NamedBy {
    Blob {
        id: i64,
        digest: Digest,
    },
    Text {
        seq: u64,
        step: String,
        version: u32,
    },
    /// Words that were recognised on a page.
    Recognised {
        seq: u64,
        page: u32,
    },
}

impl Record {
    /// Where the next record begins.
    pub(crate) fn end(&self) -> u64 {
        self.offset.saturating_add(RECORD_HEADER).saturating_add(self.length)
    }
}

/// How many bytes of each pack hold.
pub(crate) fn pack_lengths(connection: &Connection) -> Result<BTreeMap<u64, u64>> {
    let mut statement = connection.prepare("SELECT number, length FROM pack")?;
    let rows = statement.query_map([], |row| Ok((uint(row.get(0)?), uint(row.get(1)?))))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Gives the records of each pack that has any, in the order in which they stand there. Those of one pack are in memory together.
pub(crate) fn each_pack(connection: &Connection, take: &mut dyn FnMut(u64, Vec<Record>) -> Result<()>) -> Result<()> {
    let sql = "SELECT pack, offset, length, id, digest, NULL, NULL, NULL FROM blob WHERE pack IS NOT NULL
               UNION ALL SELECT pack, offset, length, NULL, NULL, seq, step, version FROM text
               UNION ALL SELECT pack, offset, length, NULL, NULL, seq, NULL, page FROM recognised WHERE pack IS NOT NULL ORDER BY 1, 2";
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([])?;
    let mut current: Option<(u64, Vec<Record>)> = None;
    while let Some(row) = rows.next()? {
        let pack = uint(row.get(0)?);
        let named_by = match row.get::<_, Option<i64>>(3)? {
            Some(id) => NamedBy::Blob { id, digest: Digest(row.get(4)?) },
            None => match row.get::<_, Option<String>>(6)? {
                Some(step) => NamedBy::Text { seq: uint(row.get(5)?), step, version: row.get(7)? },
                None => NamedBy::Recognised { seq: uint(row.get(5)?), page: row.get(7)? },
            },
        };
        let record = Record { offset: uint(row.get::<_, Option<i64>>(1)?.unwrap_or(0)), length: uint(row.get(2)?), named_by };
        match &mut current {
            Some((open, records)) if *open == pack => records.push(record),
            _ => {
                if let Some((done, records)) = current.replace((pack, vec![record])) {
                    take(done, records)?;
                }
            }
        }
    }
    current.map_or(Ok(()), |(pack, records)| take(pack, records))
}
