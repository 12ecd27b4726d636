//! What was recognised on pages: which documents want it, what came of each page, and how it joins the text that was read.

use crate::codec::{self, code, fault_code, int, of_code, uint};
use crate::desk::{CollectionId, Desk};
use crate::error::Result;
use crate::pack::At;
use crate::writer::Writer;
use daylight_model::FaultCode;
use daylight_model::reading::{Label, Segment};
use rusqlite::{Connection, Row};

/// What came of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// Words.
    Words,
    /// The page was looked at, and no word was seen.
    Wordless,
    /// It could not be done.
    Failed,
}

impl Outcome {
    /// Every outcome, in the order of its number on disk.
    pub const ALL: [Outcome; 3] = [Outcome::Words, Outcome::Wordless, Outcome::Failed];
}

/// A page that was tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecognisedPage {
    /// Which, from 1.
    pub page: u32,
    /// What came of it.
    pub outcome: Outcome,
    /// The words stand in the place of what was read on this page.
    pub replaces: bool,
    /// Who did it, with version and languages.
    pub tool: String,
    /// What is to be said against it: code, details and the limit that was met.
    pub problem: Option<(FaultCode, String, Option<u64>)>,
    /// The words; none where the outcome is another. As it is read from a desk it is empty, see [`Desk::text`].
    pub text: String,
}

/// Those whose text is in pictures, and pictures that were read before anybody could recognise text.
const WANTING: &str = "(fault.code = ?1 OR fault.code = ?2 AND fault.tool = 'picture 1')";

impl Desk {
    /// Documents that want recognition, in the order of their numbers after `after`, at most `limit`; those of one collection, or all. Left out are those
    /// of which `done_by`, as the tool of a fault begins, has said already what it could not do.
    pub fn wanting_recognition(&self, of: Option<CollectionId>, done_by: &str, after: u64, limit: usize) -> Result<Vec<u64>> {
        let sql = format!(
            "SELECT DISTINCT fault.seq FROM fault WHERE {WANTING} AND substr(fault.tool, 1, length(?3)) <> ?3 AND fault.seq > ?4
             AND (?5 IS NULL OR EXISTS (SELECT 1 FROM member WHERE collection = ?5 AND member.seq = fault.seq)) ORDER BY fault.seq LIMIT ?6"
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let [needs, none] = wanted();
        let rows =
            statement.query_map((needs, none, done_by, int(after), of.map(|of| of.0), int(limit as u64)), |row| row.get::<_, i64>(0))?;
        rows.map(|seq| Ok(uint(seq?))).collect()
    }

    /// How many documents want recognition and were not tried by `done_by`.
    pub fn count_wanting_recognition(&self, done_by: &str) -> Result<u64> {
        let sql = format!("SELECT COUNT(DISTINCT fault.seq) FROM fault WHERE {WANTING} AND substr(fault.tool, 1, length(?3)) <> ?3");
        let [needs, none] = wanted();
        Ok(uint(self.connection.prepare_cached(&sql)?.query_row((needs, none, done_by), |row| row.get(0))?))
    }

    /// The pages of a document that were tried by this version of the step.
    pub fn recognised_pages(&self, seq: u64, version: u32) -> Result<Vec<RecognisedPage>> {
        pages(&self.connection, seq, version)
    }
}

impl Writer<'_> {
    /// Notes what came of a page, in place of what was noted before. It shows once the document's faults say that it was recognised.
    pub fn recognised(&mut self, seq: u64, version: u32, page: &RecognisedPage, paged: bool) -> Result<()> {
        self.begin()?;
        let place = if page.text.is_empty() { None } else { Some(self.recognised_text(page, paged)?) };
        let (problem, detail, most) = match &page.problem {
            Some((fault, detail, most)) => (Some(code(&FaultCode::ALL, fault)), detail.as_str(), most.map(int)),
            None => (None, "", None),
        };
        let sql =
            "INSERT OR REPLACE INTO recognised (seq, page, version, outcome, replaces, tool, code, detail, most, pack, offset, length)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)";
        self.batch.connection.prepare_cached(sql)?.execute((
            int(seq),
            page.page,
            version,
            code(&Outcome::ALL, &page.outcome),
            page.replaces,
            &page.tool,
            problem,
            detail,
            most,
            place.map(|(at, _)| int(at.pack)),
            place.map(|(at, _)| int(at.offset)),
            place.map(|(_, length)| int(length)),
        ))?;
        Ok(())
    }

    fn recognised_text(&mut self, page: &RecognisedPage, paged: bool) -> Result<(At, u64)> {
        let segment = Segment { label: Label::Recognised, page: paged.then_some(page.page), text: page.text.clone() };
        let bytes = codec::encode_text(&[segment]);
        Ok((self.batch.record(&bytes)?, bytes.len() as u64))
    }

    /// What was noted of a document's pages, in this transaction or before.
    pub fn recognised_pages(&self, seq: u64, version: u32) -> Result<Vec<RecognisedPage>> {
        pages(&self.batch.connection, seq, version)
    }
}

/// The numbers of the codes of documents that want recognition.
fn wanted() -> [i64; 2] {
    [FaultCode::NeedsRecognition, FaultCode::NoReader].map(|one| i64::from(code(&FaultCode::ALL, &one)))
}

fn pages(connection: &Connection, seq: u64, version: u32) -> Result<Vec<RecognisedPage>> {
    let sql = "SELECT page, outcome, replaces, tool, code, detail, most FROM recognised WHERE seq = ?1 AND version = ?2 ORDER BY page";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query((int(seq), version))?;
    let mut pages = Vec::new();
    while let Some(row) = rows.next()? {
        pages.push(page(row)?);
    }
    Ok(pages)
}

fn page(row: &Row<'_>) -> Result<RecognisedPage> {
    let problem = match row.get::<_, Option<i64>>(4)? {
        Some(number) => Some((fault_code(number)?, row.get(5)?, row.get::<_, Option<i64>>(6)?.map(uint))),
        None => None,
    };
    Ok(RecognisedPage {
        page: row.get(0)?,
        outcome: of_code(&Outcome::ALL, row.get(1)?, "outcome of a recognition")?,
        replaces: row.get(2)?,
        tool: row.get(3)?,
        problem,
        text: String::new(),
    })
}
