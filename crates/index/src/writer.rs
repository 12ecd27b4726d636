use crate::schema::{self, Fields, Row};
use crate::{Entry, IndexError};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;
use tantivy::index::{SegmentId, SegmentMeta};
use tantivy::indexer::{IndexWriterOptions, MergeCandidate, MergePolicy};
use tantivy::{IndexWriter, Term};

/// The least memory a thread can work with, and the most it makes use of.
const LEAST_MEMORY: usize = 16 << 20;
const MOST_MEMORY: usize = 512 << 20;

/// How often parts in which something was deleted are written anew before it is given up: once, and where another merge came first.
const PURGES: usize = 100;

/// How many bytes of text may wait to be indexed.
const MOST_WAITING: usize = 4 << 20;

/// More segments than this are merged until at most [`SEGMENTS_AFTER`] are left. Each slows every search a little; merging costs about half
/// as much as indexing did.
const MOST_SEGMENTS: usize = 40;
const SEGMENTS_AFTER: usize = 24;

/// Adds to an index and takes from it. What was not committed when it is dropped is forgotten.
///
/// Words are cut and counted in threads of its own; [`Writer::put`] waits when these fall behind. A commit ends a segment in each thread and waits
/// for the disk, so it is worth gathering thousands of documents for one.
pub struct Writer {
    engine: IndexWriter<Row<Ticket>>,
    fields: Fields,
    waiting: Arc<Waiting>,
}

impl Writer {
    pub(crate) fn new(index: &tantivy::Index, fields: Fields, threads: usize, memory: usize) -> Result<Self, IndexError> {
        let threads = threads.clamp(1, 8);
        let options = IndexWriterOptions::builder()
            .num_worker_threads(threads)
            .memory_budget_per_thread((memory / threads).clamp(LEAST_MEMORY, MOST_MEMORY))
            .num_merge_threads(1)
            .build();
        let engine: IndexWriter<Row<Ticket>> = index.writer_with_options(options)?;
        engine.set_merge_policy(Box::new(FewSegments));
        Ok(Self { engine, fields, waiting: Arc::default() })
    }

    /// Adds a document; with `replace`, in place of an earlier one of the same `seq`.
    pub fn put(&mut self, entry: Entry<'_>, replace: bool) -> Result<(), IndexError> {
        if replace {
            self.delete(entry.seq)?;
        }
        let bytes = entry.texts.iter().map(|text| text.len()).sum();
        let ticket = self.waiting.ticket(bytes);
        self.engine.add_document(schema::row(&self.fields, entry, ticket))?;
        Ok(())
    }

    /// Adds a further part of the text of the document that was put under this number: what is in it is found as if it stood in the entry. `part` is
    /// the caller's own number for it, above 0, which [`Index::best_part`](crate::Index::best_part) gives back. Text that goes on from one part into
    /// the next should be repeated for so long as a phrase may be.
    pub fn put_part(&mut self, seq: u64, part: u64, texts: Vec<String>) -> Result<(), IndexError> {
        let ticket = self.waiting.ticket(texts.iter().map(String::len).sum());
        self.engine.add_document(schema::part_row(&self.fields, seq, part, texts, ticket))?;
        Ok(())
    }

    /// Takes a document out with all its parts, if it is there.
    pub fn delete(&mut self, seq: u64) -> Result<(), IndexError> {
        self.engine.delete_term(Term::from_field_u64(self.fields.seq, seq));
        Ok(())
    }

    /// Makes everything since the last commit durable and visible, together with `last_seq`, see [`crate::Index::committed`].
    pub fn commit(&mut self, last_seq: u64) -> Result<(), IndexError> {
        let mut commit = self.engine.prepare_commit()?;
        commit.set_payload(&last_seq.to_string());
        commit.commit()?;
        Ok(())
    }

    /// Writes every part of the index anew in which something was deleted, so that no word of it is left in the index's files. Commit first. It takes
    /// about as long as copying those parts.
    pub fn purge(&mut self) -> Result<(), IndexError> {
        // A commit may have begun to merge the same parts by itself: then one of the two finds them gone, and what is left is looked at again.
        let mut tries = 0;
        loop {
            let hollow = self.hollow()?;
            if hollow.is_empty() {
                break;
            }
            for segment in hollow {
                if let Err(error) = self.engine.merge(&[segment]).wait()
                    && tries == PURGES
                {
                    return Err(error.into());
                }
            }
            tries += 1;
        }
        self.engine.garbage_collect_files().wait()?;
        Ok(())
    }

    /// The parts in which something was deleted. Their descriptions are not kept, for the files of a part that somebody describes are not collected.
    fn hollow(&self) -> Result<Vec<SegmentId>, IndexError> {
        let segments = self.engine.index().searchable_segment_metas()?;
        Ok(segments.iter().filter(|segment| segment.num_deleted_docs() > 0).map(SegmentMeta::id).collect())
    }

    /// Waits for merges that still run, so that their work is not thrown away. What was not committed is forgotten.
    pub fn finish(self) -> Result<(), IndexError> {
        Ok(self.engine.wait_merging_threads()?)
    }
}

/// How many bytes of text wait to be indexed. The engine's queue counts documents only, and a document can be of any size.
#[derive(Debug, Default)]
struct Waiting {
    bytes: Mutex<usize>,
    fewer: Condvar,
}

impl Waiting {
    /// Waits until there is room. A text larger than all the room goes in alone.
    fn ticket(self: &Arc<Self>, bytes: usize) -> Ticket {
        let mut waiting = self.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        while *waiting > 0 && *waiting + bytes > MOST_WAITING {
            let (guard, _) = self.fewer.wait_timeout(waiting, Duration::from_millis(100)).unwrap_or_else(PoisonError::into_inner);
            waiting = guard;
        }
        *waiting += bytes;
        Ticket { of: Arc::clone(self), bytes }
    }
}

/// A share of [`Waiting`], given back when the document has been indexed or thrown away.
#[derive(Debug)]
pub(crate) struct Ticket {
    of: Arc<Waiting>,
    bytes: usize,
}

impl Drop for Ticket {
    fn drop(&mut self) {
        *self.of.bytes.lock().unwrap_or_else(PoisonError::into_inner) -= self.bytes;
        self.of.fewer.notify_one();
    }
}

/// Leaves segments alone while they are few; then merges the smallest into one. A segment most of whose documents were deleted is rewritten.
#[derive(Debug)]
struct FewSegments;

impl MergePolicy for FewSegments {
    fn compute_merge_candidates(&self, segments: &[SegmentMeta]) -> Vec<MergeCandidate> {
        let mut by_size: Vec<&SegmentMeta> = segments.iter().collect();
        by_size.sort_by_key(|segment| segment.num_docs());
        if by_size.len() > MOST_SEGMENTS {
            let smallest = &by_size[..by_size.len() - SEGMENTS_AFTER + 1];
            return vec![MergeCandidate(smallest.iter().map(|segment| segment.id()).collect())];
        }
        let hollow = by_size.iter().filter(|segment| segment.num_deleted_docs() > segment.num_docs());
        hollow.map(|segment| MergeCandidate(vec![segment.id()])).collect()
    }
}
