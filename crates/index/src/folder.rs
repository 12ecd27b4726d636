use crate::columns::Columns;
use crate::directory::Folder;
use crate::plan::Planner;
use crate::schema::{self, Fields, VERSION};
use crate::{Found, Hit, IndexError, Options, Relation, Writer, query::Query, search};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;
use tantivy::directory::MmapDirectory;
use tantivy::query::{EnableScoring, Query as _, TermQuery};
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::store::Compressor;
use tantivy::{IndexReader, IndexSettings, ReloadPolicy, Term};

/// The file that says which version of the index this is, written last.
const VERSION_FILE: &str = "VERSION";

/// The file that the engine replaces at every commit.
const COMMIT_FILE: &str = "meta.json";

/// An index in a folder of its own. It can be searched from many threads at once, and while it is written to; a search sees the last commit,
/// whichever process made it.
pub struct Index {
    dir: PathBuf,
    engine: tantivy::Index,
    reader: IndexReader,
    fields: Fields,
    current: Mutex<Current>,
}

/// What of the folder has been read.
#[derive(Default)]
struct Current {
    commit: Option<(SystemTime, u64)>,
    columns: Option<Arc<Columns>>,
}

impl Index {
    /// Opens an index for searching; the folder may be read-only.
    ///
    /// # Errors
    /// [`IndexError::Missing`] if there is none, [`IndexError::Rebuild`] if it cannot be used.
    pub fn open(dir: &Path) -> Result<Self, IndexError> {
        match fs::read_to_string(dir.join(VERSION_FILE)) {
            Ok(found) if found == VERSION => Self::open_current(dir),
            Ok(found) => {
                let (found, ours) = (found.trim().chars().take(40).collect::<String>(), VERSION.trim());
                Err(IndexError::Rebuild(format!("its version is “{}”, this program makes “{ours}”", found.escape_debug())))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound && is_empty(dir)? => Err(IndexError::Missing(dir.display().to_string())),
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::InvalidData) => {
                Err(IndexError::Rebuild(format!("its making was interrupted, or its file {VERSION_FILE} was damaged")))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Opens the index in this folder, or makes an empty one if the folder is empty or missing.
    ///
    /// # Errors
    /// [`IndexError::Rebuild`] if there is one that cannot be used.
    pub fn open_or_create(dir: &Path) -> Result<Self, IndexError> {
        match Self::open(dir) {
            Err(IndexError::Missing(_)) => Self::create(dir),
            opened => opened,
        }
    }

    /// Deletes the index in this folder, whatever its state, and makes an empty one. The folder must be an index's own: all of its files go.
    pub fn recreate(dir: &Path) -> Result<Self, IndexError> {
        Self::remove_all(dir)?;
        Self::create(dir)
    }

    /// Deletes every file of the index in this folder, once nobody writes to it.
    ///
    /// # Errors
    /// [`IndexError::Busy`] if somebody does.
    pub fn erase(dir: &Path) -> Result<(), IndexError> {
        // Held while the files go, so that nobody who began to write before adds one. What cannot be opened, nobody writes to.
        let opened = Self::open(dir).ok();
        let writer = match opened.as_ref().map(|index| index.writer(1, 0)) {
            Some(Err(IndexError::Busy)) => return Err(IndexError::Busy),
            writer => writer.and_then(Result::ok),
        };
        Self::remove_all(dir)?;
        drop(writer);
        // The writer may have put its own account of its files back.
        Self::remove_all(dir)
    }

    fn remove_all(dir: &Path) -> Result<(), IndexError> {
        // The version goes first, so that an interruption leaves nothing that looks whole.
        for file in [VERSION_FILE, COMMIT_FILE] {
            remove(&dir.join(file))?;
        }
        for entry in fs::read_dir(dir).into_iter().flatten() {
            let entry = entry?;
            if entry.file_type()?.is_file() {
                remove(&entry.path())?;
            }
        }
        Ok(())
    }

    /// The number of every document that it holds, in no order.
    pub fn each_seq(&self, take: &mut dyn FnMut(u64)) -> Result<(), IndexError> {
        for segment in &self.columns()?.segments {
            for doc in (0..segment.reader.max_doc()).filter(|doc| segment.is_alive(*doc)) {
                take(segment.seq.first(doc).unwrap_or_default());
            }
        }
        Ok(())
    }

    /// The files of the last commit whose bytes are not those that were written.
    pub fn damaged_files(&self) -> Result<Vec<String>, IndexError> {
        let mut names: Vec<String> = self.engine.validate_checksum()?.iter().map(|path| path.display().to_string()).collect();
        names.sort();
        Ok(names)
    }

    fn create(dir: &Path) -> Result<Self, IndexError> {
        fs::create_dir_all(dir)?;
        let settings =
            IndexSettings { docstore_compression: Compressor::None, docstore_compress_dedicated_thread: false, ..IndexSettings::default() };
        let folder = MmapDirectory::open(dir).map_err(tantivy::TantivyError::from)?;
        tantivy::Index::create(Folder(folder), Fields::new().0, settings)?;
        let unfinished = dir.join("VERSION.new");
        fs::write(&unfinished, VERSION)?;
        fs::File::open(&unfinished)?.sync_all()?;
        fs::rename(&unfinished, dir.join(VERSION_FILE))?;
        fs::File::open(dir)?.sync_all()?;
        Self::open_current(dir)
    }

    fn open_current(dir: &Path) -> Result<Self, IndexError> {
        let folder = MmapDirectory::open(dir).map_err(tantivy::TantivyError::from)?;
        let damaged = |error: tantivy::TantivyError| match error.into() {
            IndexError::Engine(reason) => IndexError::Rebuild(reason),
            other => other,
        };
        let mut engine = tantivy::Index::open(Folder(folder)).map_err(damaged)?;
        let (schema, fields) = Fields::new();
        if engine.schema() != schema {
            return Err(IndexError::Rebuild("its fields are not those of this version".to_owned()));
        }
        engine.set_tokenizers(schema::tokenizers());
        let current = Current { commit: last_commit(dir), columns: None };
        let reader = engine.reader_builder().reload_policy(ReloadPolicy::Manual).try_into().map_err(damaged)?;
        Ok(Self { dir: dir.to_owned(), engine, reader, fields, current: Mutex::new(current) })
    }

    /// Begins to write, with this many threads and about this many bytes of memory, all threads together. There is one writer at a time; one
    /// that was killed does not stand in the way.
    ///
    /// # Errors
    /// [`IndexError::Busy`] if there is another.
    pub fn writer(&self, threads: usize, memory: usize) -> Result<Writer, IndexError> {
        Writer::new(&self.engine, self.fields, threads, memory)
    }

    /// The number given to the last [`Writer::commit`], 0 before the first.
    pub fn committed(&self) -> Result<u64, IndexError> {
        let payload = self.engine.load_metas()?.payload;
        payload.map_or(Ok(0), |number| number.parse().map_err(|_| IndexError::Rebuild("its last commit has no number".to_owned())))
    }

    /// How many documents it holds.
    pub fn count(&self) -> Result<u64, IndexError> {
        let columns = self.columns()?;
        Ok(columns.searcher.num_docs() - columns.parts)
    }

    /// Answers a query. `related` says which documents belong to the one of an id, by their `seq`. Where it knows nothing of a conversation, what
    /// the entries said themselves counts.
    pub fn search(
        &self,
        query: &Query,
        options: &Options,
        related: &dyn Fn(Relation, &str) -> Option<Vec<u64>>,
    ) -> Result<Found, IndexError> {
        let columns = self.columns()?;
        let planner = Planner { fields: &self.fields, related, columns: &columns };
        let mut found = search::run(&columns, planner.query(query.root.as_ref())?.as_ref(), options)?;
        found.unreadable_in_scope = planner.unreadable(query.root.as_ref())?.count(&columns.searcher)? as u64;
        Ok(found)
    }

    /// Which part of a document's text has most of the query's words: 0 for what its entry had, `None` if none has any. Documents without further
    /// parts need not be asked about.
    pub fn best_part(&self, query: &Query, seq: u64) -> Result<Option<u64>, IndexError> {
        let columns = self.columns()?;
        let planner = Planner { fields: &self.fields, related: &|_, _| None, columns: &columns };
        let Some(root) = query.root.as_ref() else { return Ok(None) };
        let mut best: Option<(f32, u64)> = None;
        for further in [false, true] {
            let Some(words) = planner.words_in(root, seq, further) else { return Ok(None) };
            let weight = words.weight(EnableScoring::enabled_from_searcher(&columns.searcher))?;
            for segment in &columns.segments {
                let mut hits = Vec::new();
                weight.for_each(&segment.reader, &mut |doc, score| hits.push((doc, score)))?;
                for (doc, score) in hits.into_iter().filter(|(doc, _)| segment.is_alive(*doc)) {
                    let part = if further { segment.hit(doc, score)?.locator.try_into().map_or(0, u64::from_be_bytes) } else { 0 };
                    if best.is_none_or(|(most, first)| score > most || score == most && part < first) {
                        best = Some((score, part));
                    }
                }
            }
        }
        Ok(best.map(|(_, part)| part))
    }

    /// The document with this key.
    pub fn by_key(&self, key: &str) -> Result<Option<Hit>, IndexError> {
        Ok(self.by(self.fields.key, key, |hits| hits.sort_by_key(|(_, hit)| hit.seq))?.pop())
    }

    /// The documents whose entries said that they belong to this conversation, oldest first, undated last.
    pub fn by_thread(&self, thread: &str) -> Result<Vec<Hit>, IndexError> {
        self.by(self.fields.thread, thread, |hits| hits.sort_by_key(|(date, hit)| (date.is_none(), *date, hit.seq)))
    }

    /// The documents whose entries said that they are part of this one, in the order of their `seq`.
    pub fn by_parent(&self, key: &str) -> Result<Vec<Hit>, IndexError> {
        self.by(self.fields.parent, key, |hits| hits.sort_by_key(|(_, hit)| hit.seq))
    }

    fn by(&self, field: Field, text: &str, sort: fn(&mut Vec<(Option<i64>, Hit)>)) -> Result<Vec<Hit>, IndexError> {
        let columns = self.columns()?;
        let term = Term::from_field_text(field, schema::raw(text));
        let weight = TermQuery::new(term, IndexRecordOption::Basic).weight(EnableScoring::disabled_from_searcher(&columns.searcher))?;
        let mut hits = Vec::new();
        for segment in &columns.segments {
            let mut docs = Vec::new();
            weight.for_each_no_score(&segment.reader, &mut |block| docs.extend_from_slice(block))?;
            for doc in docs.into_iter().filter(|doc| segment.is_alive(*doc)) {
                hits.push((segment.date.first(doc), segment.hit(doc, 0.0)?));
            }
        }
        sort(&mut hits);
        Ok(hits.into_iter().map(|(_, hit)| hit).collect())
    }

    /// The last commit, opened.
    fn columns(&self) -> Result<Arc<Columns>, IndexError> {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        let commit = last_commit(&self.dir);
        if commit.is_some() && commit != current.commit {
            self.reader.reload()?;
            *current = Current { commit, columns: None };
        }
        match &current.columns {
            Some(columns) => Ok(Arc::clone(columns)),
            None => {
                let columns = Arc::new(Columns::open(self.reader.searcher(), &self.fields)?);
                current.columns = Some(Arc::clone(&columns));
                Ok(columns)
            }
        }
    }
}

/// What tells one commit from the next: the file is replaced every time.
fn last_commit(dir: &Path) -> Option<(SystemTime, u64)> {
    use std::os::unix::fs::MetadataExt;
    let meta = fs::metadata(dir.join(COMMIT_FILE)).ok()?;
    Some((meta.modified().ok()?, meta.ino()))
}

fn is_empty(dir: &Path) -> Result<bool, IndexError> {
    match fs::read_dir(dir) {
        Ok(mut entries) => Ok(entries.next().is_none()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(error.into()),
    }
}

fn remove(path: &Path) -> Result<(), IndexError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}
