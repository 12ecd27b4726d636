//! What is read of each document that answers: its number, date and facet values, opened once for each commit.

use crate::schema::{COLLECTION, DATE, FAMILY, Fields, LOCATOR, PART, SENDER, SEQ};
use crate::{Hit, IndexError};
use std::collections::HashMap;
use std::sync::OnceLock;
use tantivy::columnar::{BytesColumn, Column, StrColumn};
use tantivy::query::{Query, TermQuery};
use tantivy::schema::IndexRecordOption;
use tantivy::{DocId, Searcher, SegmentReader, Term};

/// The columns of one commit.
pub(crate) struct Columns {
    pub(crate) searcher: Searcher,
    pub(crate) segments: Vec<Segment>,
    /// How many entries are further parts of a text, and no documents.
    pub(crate) parts: u64,
    facets: OnceLock<FacetColumns>,
}

/// The columns of one segment.
pub(crate) struct Segment {
    pub(crate) reader: SegmentReader,
    pub(crate) seq: Column<u64>,
    pub(crate) date: Column<i64>,
    locator: BytesColumn,
}

/// The facets that have names.
pub(crate) struct FacetColumns {
    pub(crate) families: Named,
    pub(crate) senders: Named,
    pub(crate) collections: Named,
}

/// A column of names, numbered through all segments.
pub(crate) struct Named {
    pub(crate) names: Vec<String>,
    /// For each segment the column, and which number each of its own numbers stands for.
    segments: Vec<(Column<u64>, Vec<u32>)>,
}

impl Columns {
    pub(crate) fn open(searcher: Searcher, fields: &Fields) -> Result<Self, IndexError> {
        let segments = searcher.segment_readers().iter().map(Segment::open).collect::<Result<_, _>>()?;
        let parts = TermQuery::new(Term::from_field_text(fields.flags, PART), IndexRecordOption::Basic).count(&searcher)? as u64;
        Ok(Self { searcher, segments, parts, facets: OnceLock::new() })
    }

    /// The facets, read when they are first asked for.
    pub(crate) fn facets(&self) -> Result<&FacetColumns, IndexError> {
        if let Some(facets) = self.facets.get() {
            return Ok(facets);
        }
        let named = |name| Named::open(&self.segments, name);
        let facets = FacetColumns { families: named(FAMILY)?, senders: named(SENDER)?, collections: named(COLLECTION)? };
        Ok(self.facets.get_or_init(|| facets))
    }
}

impl Segment {
    fn open(reader: &SegmentReader) -> Result<Self, IndexError> {
        let columns = reader.fast_fields();
        let documents = reader.max_doc();
        Ok(Self {
            reader: reader.clone(),
            seq: columns.u64(SEQ)?,
            date: columns.column_opt(DATE)?.unwrap_or_else(|| Column::build_empty_column(documents)),
            locator: columns.bytes(LOCATOR)?.unwrap_or_else(|| BytesColumn::empty(documents)),
        })
    }

    pub(crate) fn is_alive(&self, doc: DocId) -> bool {
        !self.reader.is_deleted(doc)
    }

    pub(crate) fn hit(&self, doc: DocId, score: f32) -> Result<Hit, IndexError> {
        let mut locator = Vec::new();
        if let Some(number) = self.locator.term_ords(doc).next() {
            self.locator.ord_to_bytes(number, &mut locator)?;
        }
        Ok(Hit { seq: self.seq.first(doc).unwrap_or_default(), score, locator })
    }
}

impl Named {
    fn open(segments: &[Segment], name: &str) -> Result<Self, IndexError> {
        let mut numbers: HashMap<Vec<u8>, u32> = HashMap::new();
        let mut columns = Vec::with_capacity(segments.len());
        for segment in segments {
            let column: Option<StrColumn> = segment.reader.fast_fields().str(name)?;
            let Some(column) = column else {
                columns.push((Column::build_empty_column(segment.reader.max_doc()), Vec::new()));
                continue;
            };
            let mut through = Vec::with_capacity(column.dictionary().num_terms());
            let mut terms = column.dictionary().stream()?;
            while terms.advance() {
                let next = u32::try_from(numbers.len()).unwrap_or(u32::MAX);
                let number = match numbers.get(terms.key()) {
                    Some(number) => *number,
                    None => *numbers.entry(terms.key().to_vec()).or_insert(next),
                };
                through.push(number);
            }
            columns.push((column.ords().clone(), through));
        }
        let mut names = vec![String::new(); numbers.len()];
        for (name, number) in numbers {
            names[number as usize] = String::from_utf8_lossy(&name).into_owned();
        }
        Ok(Self { names, segments: columns })
    }

    /// The numbers of a document's names.
    pub(crate) fn of(&self, segment: usize, doc: DocId) -> impl Iterator<Item = usize> {
        let (column, through) = &self.segments[segment];
        column.values_for_doc(doc).filter_map(|own| through.get(own as usize).map(|number| *number as usize))
    }
}
