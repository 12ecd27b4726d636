//! Making what the site needs beside the archive: the index for searching and the catalogue for lists.
//!
//! Both are made from the lines of the releases in order. After a commit of the index, whose payload is the number of its last line, the catalogue
//! is written, which says the same. A crash before the commit leaves both as they were; one between the two leaves an index that is ahead: the
//! lines up to its payload are then read again for the catalogue, and not put into the index twice.
//!
//! What was withdrawn since is taken out first, of both; taking it out again changes nothing. Where copies are asked to erase it, what the index's files
//! still have of its words goes too.

use crate::catalogue::{Catalogue, Place, Row};
use crate::error::ReaderError;
use crate::kept::{self, State};
use crate::limits::PAGE;
use daylight_archive::archive::Release;
use daylight_archive::record::Role as FileRole;
use daylight_archive::withdraw::Copies;
use daylight_archive::{Archive, Line, Record, Withdrawal, paths};
use daylight_index::{Entry, Index, IndexError, Writer};
use daylight_model::reading::{LONGEST_MARK, unmarked};
use daylight_model::{Digest, Fault, FaultCode, Kind, Role, Verdict};
use std::collections::{BTreeSet, HashSet};
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// After how many lines the index is committed.
const COMMIT_LINES: u64 = 50_000;
/// A text that is longer is put into the index part by part, each of at most so many bytes. What is repeated of a part before the next is as long as
/// the longest stretch that a phrase is found in where a text was cut.
pub(crate) const PART: u64 = 1 << 20;
const REPEATED: u64 = 16 << 10;
/// How much memory the index may use before it writes.
const INDEX_MEMORY: usize = 128 << 20;
/// How much of a title and of a name lists show.
const MAX_TITLE: usize = 300;

/// How far the making of a cache has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Lines read.
    pub done: u64,
    /// Lines to read in all.
    pub total: u64,
    /// Whether somebody else is making it now, and we wait.
    pub waiting: bool,
}

/// What [`build_index`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Built {
    /// How many documents can be found now.
    pub documents: u64,
    /// How many lines were read for it: 0 where everything was there.
    pub added: u64,
}

/// Where the cache of an archive of this origin belongs, under `$XDG_CACHE_HOME` or `~/.cache`; two archives that share an origin but not a root do
/// not share a cache. Where neither is known one must be named.
pub fn default_cache(archive: &Archive) -> Result<PathBuf, ReaderError> {
    let given = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"));
    let base = given.or_else(home).ok_or(ReaderError::NoCache)?;
    let first = archive.chain().links().first().map_or_else(|| archive.root_digest(), |link| link.digest);
    let safe: String =
        archive.origin().chars().map(|c| if c.is_ascii_alphanumeric() || c == '.' || c == '-' { c } else { '_' }).take(80).collect();
    Ok(base.join("daylight").join(format!("{}-{}", safe.trim_start_matches('.'), &first.to_string()[..16])))
}

/// Makes the cache of an archive, or brings it up to date: only lines that it does not have are read. If another process is making it, waits for
/// that to be done. The archive is only read.
pub fn build_index(archive_dir: &Path, cache_dir: &Path, progress: &mut dyn FnMut(Progress)) -> Result<Built, ReaderError> {
    let archive = Archive::open(archive_dir)?;
    prepare(&archive, cache_dir, progress).map(|(catalogue, _, added)| Built { documents: catalogue.count(), added })
}

/// The catalogue and the index of an archive, made or brought up to date where they are not, and how many lines were read for it.
pub(crate) fn prepare(
    archive: &Archive,
    cache_dir: &Path,
    progress: &mut dyn FnMut(Progress),
) -> Result<(Catalogue, Index, u64), ReaderError> {
    let now = state_of(archive);
    if let Some((catalogue, index)) = fresh(cache_dir, &now) {
        return Ok((catalogue, index, 0));
    }
    let archive_dir = archive.dir().canonicalize().unwrap_or_else(|_| archive.dir().to_owned());
    fs::create_dir_all(cache_dir).map_err(ReaderError::cache(cache_dir))?;
    if cache_dir.canonicalize().map_err(ReaderError::cache(cache_dir))?.starts_with(archive_dir) {
        return Err(ReaderError::CacheInArchive(cache_dir.to_owned()));
    }
    let _lock = lock(cache_dir, &mut || progress(Progress { done: 0, total: now.lines(), waiting: true }))?;
    if let Some((catalogue, index)) = fresh(cache_dir, &now) {
        return Ok((catalogue, index, 0));
    }
    let (catalogue, added) = build(archive, cache_dir, now, progress)?;
    Ok((catalogue, Index::open(&cache_dir.join("index"))?, added))
}

fn state_of(archive: &Archive) -> State {
    // One that is not in this copy counts as another than the one that is: once it comes, its lines are to be read.
    let digest = |release: &Release| match archive.is_absent(release.note.serial) {
        false => Digest::of(&release.note_bytes),
        true => Digest::of(&[b"absent\n", release.note_bytes.as_slice()].concat()),
    };
    let releases: Vec<_> = archive.releases().iter().map(|release| (digest(release), release.note.lines)).collect();
    let withdrawals = archive.withdrawals().iter().map(|withdrawal| Digest::of(&withdrawal.note_bytes)).collect();
    let state = State { origin: archive.origin().to_owned(), done: 0, releases, withdrawals };
    State { done: state.lines(), ..state }
}

/// The cache, if it is whole and of just this state.
fn fresh(cache_dir: &Path, now: &State) -> Option<(Catalogue, Index)> {
    let (state, catalogue) = kept::read(&fs::read(cache_dir.join("catalogue")).ok()?)?;
    let index = (state == *now).then(|| Index::open(&cache_dir.join("index")).ok())??;
    (index.committed().ok()? == now.done).then_some((catalogue, index))
}

/// Holds the lock until the file is closed. The lock is the system's, so a process that dies leaves none behind.
fn lock(cache_dir: &Path, wait: &mut dyn FnMut()) -> Result<File, ReaderError> {
    let path = cache_dir.join("lock");
    let file = File::create(&path).map_err(ReaderError::cache(&path))?;
    if file.try_lock().is_err() {
        wait();
        file.lock().map_err(ReaderError::cache(&path))?;
    }
    Ok(file)
}

fn build(archive: &Archive, cache_dir: &Path, now: State, progress: &mut dyn FnMut(Progress)) -> Result<(Catalogue, u64), ReaderError> {
    let dir = cache_dir.join("index");
    let earlier = fs::read(cache_dir.join("catalogue")).ok().and_then(|bytes| kept::read(&bytes)).filter(|(state, _)| state.leads_to(&now));
    let opened = earlier.and_then(|(state, catalogue)| match Index::open_or_create(&dir) {
        Ok(index) => {
            let committed = index.committed().ok().filter(|committed| *committed >= state.done)?;
            Some((state, catalogue, index, committed))
        }
        Err(_) => None,
    });
    let opened = match opened {
        Some((state, catalogue, index, committed)) => {
            let new = &archive.withdrawals()[state.withdrawals.len()..];
            leaving(archive, &state, &catalogue, new)?.map(|leaving| (state.done, catalogue, index, committed, leaving))
        }
        None => None,
    };
    let (done, catalogue, index, committed, leaving) = match opened {
        Some(opened) => opened,
        None => (0, Catalogue::default(), Index::recreate(&dir)?, 0, Leaving::default()),
    };
    let threads = std::thread::available_parallelism().map_or(1, |n| n.get().min(4));
    let writer = index.writer(threads, INDEX_MEMORY)?;
    let total = now.done;
    let (rows, left, purge) = (Vec::new(), false, leaving.erase);
    let mut builder = Builder { archive, cache_dir, now, catalogue, writer, committed, done, rows, left, purge, tell: progress };
    builder.take_out(&leaving)?;
    builder.run()?;
    builder.writer.finish()?;
    Ok((builder.catalogue, total - done))
}

/// What new withdrawals take out of a cache.
#[derive(Default)]
struct Leaving {
    documents: BTreeSet<(String, u64)>,
    /// Whether copies are asked to erase something, so that no word of it may be left.
    erase: bool,
}

/// What these withdrawals take out; `None` where an older line counts again that the cache has forgotten, so that it must be made anew.
fn leaving(archive: &Archive, state: &State, catalogue: &Catalogue, new: &[Withdrawal]) -> Result<Option<Leaving>, ReaderError> {
    let mut leaving = Leaving::default();
    for withdrawal in new {
        let note = &withdrawal.note;
        leaving.erase |= note.copies == Copies::Erase;
        for number in note.documents.iter().map(|document| document.number) {
            let Some(row) = catalogue.row(&note.collection, number) else { continue };
            if archive.withdrawn_line(row.place.serial, row.place.line).is_none() {
                continue;
            }
            // One of a release that is not in the cache yet is read like any other.
            let known = |serial: u64| serial <= state.releases.len() as u64;
            if archive.find(&note.collection, number)?.is_some_and(|(serial, _)| known(serial)) {
                return Ok(None);
            }
            leaving.documents.insert((note.collection.clone(), number));
        }
    }
    Ok(Some(leaving))
}

/// A cache in the making.
struct Builder<'a> {
    archive: &'a Archive,
    cache_dir: &'a Path,
    now: State,
    catalogue: Catalogue,
    writer: Writer,
    /// The last line that the index already had.
    committed: u64,
    /// The last line that was read.
    done: u64,
    /// Rows that are not in the catalogue yet.
    rows: Vec<(String, Row)>,
    /// Whether something was taken out that no commit of the index has yet.
    left: bool,
    /// Whether no word of what was taken out may be left in the index's files.
    purge: bool,
    tell: &'a mut dyn FnMut(Progress),
}

impl Builder<'_> {
    /// Takes out what was withdrawn.
    fn take_out(&mut self, leaving: &Leaving) -> Result<(), ReaderError> {
        for (collection, number) in &leaving.documents {
            if let Some(row) = self.catalogue.row(collection, *number) {
                self.writer.delete(row.seq)?;
                self.left = true;
            }
        }
        self.catalogue.remove(&leaving.documents);
        Ok(())
    }

    fn run(&mut self) -> Result<(), ReaderError> {
        let mut before = 0;
        let mut since = 0;
        for (serial, collection, lines) in self.archive.releases().iter().map(|r| (r.note.serial, &r.note.collection, r.note.lines)) {
            if before + lines > self.done {
                let holders = self.holders(serial)?;
                for line in self.archive.lines(serial)? {
                    let line = line?;
                    let seq = before + line.line + 1;
                    if seq <= self.done {
                        continue;
                    }
                    self.take(collection, &line, seq, &holders)?;
                    self.done = seq;
                    since += 1;
                    if since % 256 == 0 {
                        (self.tell)(Progress { done: self.done, total: self.now.done, waiting: false });
                    }
                    if since % COMMIT_LINES == 0 {
                        self.commit()?;
                    }
                }
                self.catalogue.add(self.rows.drain(..));
                self.done = self.done.max(before + lines);
            }
            before += lines;
        }
        self.commit()?;
        (self.tell)(Progress { done: self.done, total: self.now.done, waiting: false });
        Ok(())
    }

    /// The documents in which others of the same release stand.
    fn holders(&self, serial: u64) -> Result<HashSet<u64>, ReaderError> {
        let mut holders = HashSet::new();
        for line in self.archive.lines(serial)? {
            holders.extend(line?.record.occurrences.iter().filter_map(|occurrence| occurrence.parent));
        }
        Ok(holders)
    }

    /// Puts one line into index and catalogue, in place of an earlier one for its number.
    fn take(&mut self, collection: &str, line: &Line, seq: u64, holders: &HashSet<u64>) -> Result<(), ReaderError> {
        let record = &line.record;
        let earlier = self.catalogue.row(collection, record.number).map(|row| row.seq);
        let mut row = row(record, Place { serial: line.serial, line: line.line }, seq);
        let text = if seq > self.committed { self.text(record) } else { Some(String::new()) };
        let readable = text.is_some();
        if !readable {
            row.unreadable = true;
            row.reasons |= bit(FaultCode::TooLarge);
        }
        if seq > self.committed {
            if let Some(earlier) = earlier {
                self.writer.delete(earlier)?;
            }
            self.put(collection, &row, record, text.unwrap_or_default(), holders.contains(&record.number))?;
            if readable {
                self.put_further(seq, record)?;
            }
        }
        self.rows.push((collection.to_owned(), row));
        Ok(())
    }

    fn put(&mut self, collection: &str, row: &Row, record: &Record, text: String, has_parts: bool) -> Result<(), IndexError> {
        let key = format!("{collection}/{}", record.number);
        let names: Vec<String> = record.names().map(ToString::to_string).collect();
        let thread = record.thread.map(|n| format!("{collection}/{n}"));
        let parent = record.parent().map(|n| format!("{collection}/{n}"));
        self.writer.put(
            Entry {
                seq: row.seq,
                key: &key,
                locator: key.as_bytes(),
                kind: record.kind,
                collections: &[collection],
                title: &record.title,
                language: &record.language,
                people: &record.people,
                names: &names,
                media_type: &record.media_type,
                digest: record.file(&FileRole::Raw).map(|raw| raw.sha256),
                date: record.date().map(|date| date.seconds),
                texts: pieces(&text),
                has_attachment: has_parts && record.kind == Kind::Message,
                unreadable: row.unreadable,
                signatures: &Verdict::words_of(&record.verdicts),
                thread: thread.as_deref(),
                parent: parent.as_deref(),
            },
            false,
        )
    }

    /// The text of a document or its first part, empty if it has none. `None` if it cannot be read here: its words are then missing from search.
    fn text(&self, record: &Record) -> Option<String> {
        let Some(file) = record.file(&FileRole::Text) else { return Some(String::new()) };
        if file.length > PART {
            // Nothing of it is believed before all of it was seen to be what was published.
            std::io::copy(&mut self.archive.open_file(file).ok()?, &mut std::io::sink()).ok()?;
            return stretch(self.archive, file, 0, PART).map(|text| between_words(&text, false, true).to_owned());
        }
        String::from_utf8(self.archive.bytes(file).ok()?).ok()
    }

    /// Puts what follows the first part of a long text into the index. A part is known by the byte at which it begins.
    fn put_further(&mut self, seq: u64, record: &Record) -> Result<(), IndexError> {
        let Some(file) = record.file(&FileRole::Text) else { return Ok(()) };
        let mut at = PART - REPEATED;
        while at + REPEATED < file.length {
            let text = stretch(self.archive, file, at, PART).unwrap_or_default();
            let text = between_words(&text, true, at + PART < file.length);
            self.writer.put_part(seq, at, pieces(text))?;
            at += PART - REPEATED;
        }
        Ok(())
    }

    fn commit(&mut self) -> Result<(), ReaderError> {
        self.catalogue.add(self.rows.drain(..));
        if self.done > self.committed || self.committed == 0 || self.left {
            // Never less than what it has: a crash may have left it ahead.
            self.committed = self.committed.max(self.done);
            self.writer.commit(self.committed)?;
            self.left = false;
        }
        if self.purge && self.done >= self.now.done {
            // Before the catalogue says that it has these withdrawals: after a crash it is done again.
            self.writer.purge()?;
        }
        // A crash here leaves an index that is ahead of the catalogue, see above.
        let state = State { done: self.done, ..self.now.clone() };
        write_atomic(&self.cache_dir.join("catalogue"), &kept::write(&state, &self.catalogue)).map_err(ReaderError::cache(self.cache_dir))
    }
}

/// The words of a text: all but the lines that mark what not everybody sees.
fn pieces(text: &str) -> Vec<String> {
    unmarked(text).into_iter().map(|(_, piece)| piece.to_owned()).collect()
}

/// A piece of a text without what is torn where it was cut, at its beginning, its end or both: the rest of a line that may be one of a mark, or else
/// a word. The piece beside it has that whole.
fn between_words(text: &str, begun: bool, ended: bool) -> &str {
    let near = (REPEATED / 4) as usize;
    let start = if begun {
        let line = text[..text.floor_char_boundary(LONGEST_MARK + 1)].find(['\n', PAGE]);
        line.or_else(|| text[..text.floor_char_boundary(near)].find(char::is_whitespace)).unwrap_or(0)
    } else {
        0
    };
    let from_end = |bytes: usize| text.ceil_char_boundary(text.len().saturating_sub(bytes)).max(start);
    let end = if ended {
        let line = text[from_end(LONGEST_MARK + 1)..].rfind(['\n', PAGE]).map(|at| from_end(LONGEST_MARK + 1) + at);
        line.or_else(|| text[from_end(near)..].rfind(char::is_whitespace).map(|at| from_end(near) + at)).unwrap_or(text.len())
    } else {
        text.len()
    };
    &text[start..end]
}

/// Writes a file whole or not at all.
fn write_atomic(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let beside = path.with_extension("new");
    let mut file = File::create(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&beside, path)?;
    File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()
}

/// What lists need of a record.
fn row(record: &Record, place: Place, seq: u64) -> Row {
    let sender = record.people.iter().find(|person| person.role == Role::From);
    let who = sender.map_or("", |person| if person.name.is_empty() { &person.address } else { &person.name });
    let named =
        if record.title.is_empty() { record.names().next().map(ToString::to_string).unwrap_or_default() } else { record.title.clone() };
    Row {
        number: record.number,
        place,
        seq,
        kind: record.kind,
        title: cut(&named),
        who: cut(who),
        media_type: cut(&record.media_type),
        length: record.file(&FileRole::Raw).map_or(0, |raw| raw.length),
        date: record.date().copied(),
        unreadable: record.faults.iter().any(Fault::loses_text),
        reasons: reasons(record),
        thread: record.thread,
        answers: record.answers,
        parents: record.occurrences.iter().filter_map(|occurrence| Some((occurrence.parent?, occurrence.ordinal))).collect(),
    }
}

/// Why words of a document may be missing: a bit for each code there is.
fn reasons(record: &Record) -> u32 {
    let codes = record.faults.iter().filter(|fault| fault.loses_text()).map(|fault| fault.code);
    codes.fold(0, |all, code| all | bit(code))
}

fn bit(code: FaultCode) -> u32 {
    FaultCode::ALL.iter().position(|each| *each == code).map_or(0, |place| 1 << place)
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(MAX_TITLE) {
        None => text.to_owned(),
        Some((at, _)) => format!("{}…", &text[..at]),
    }
}

/// At most so many pages are shown at once: a page without words costs a heading all the same.
const MOST_PAGES: usize = 500;

/// A piece of a text from the beginning of a page on.
pub(crate) struct Window {
    pub(crate) text: String,
    /// Whether the text ends with it.
    pub(crate) last: bool,
}

/// A text from this page on, of at most `limit` bytes; `None` if it cannot be read or has not so many pages. Like [`beginning`] it is not checked
/// against its hash.
pub(crate) fn window(archive: &Archive, file: &daylight_archive::FileRef, page: u32, limit: u64) -> Option<Window> {
    let mut reader = BufReader::with_capacity(64 << 10, archive.open_file(file).ok()?);
    for _ in 1..page {
        if reader.skip_until(PAGE as u8).ok()? == 0 {
            return None;
        }
    }
    let mut bytes = Vec::new();
    reader.by_ref().take(limit).read_to_end(&mut bytes).ok()?;
    let mut last = reader.fill_buf().ok()?.is_empty();
    if page > 1 && bytes.is_empty() {
        return None;
    }
    if let Some((end, _)) = bytes.iter().enumerate().filter(|(_, byte)| **byte == PAGE as u8).nth(MOST_PAGES) {
        bytes.truncate(end);
        last = false;
    }
    // A character that is cut at the end is left out.
    let text = bytes.utf8_chunks().map(|chunk| chunk.valid()).collect();
    Some(Window { text, last })
}

/// How far a text is read for the number of a page.
const COUNTED: u64 = 16 << 20;

/// How many pages of a text end before this byte; `None` if that is too far in it to be counted.
pub(crate) fn pages_before(archive: &Archive, file: &daylight_archive::FileRef, at: u64) -> Option<u32> {
    let mut reader = BufReader::with_capacity(64 << 10, archive.open_file(file).ok()?.take(if at <= COUNTED { at } else { return None }));
    let mut pages = 0;
    loop {
        let bytes = reader.fill_buf().ok()?;
        if bytes.is_empty() {
            return Some(pages);
        }
        pages += bytes.iter().filter(|byte| **byte == PAGE as u8).count() as u32;
        let length = bytes.len();
        reader.consume(length);
    }
}

/// Reads at most `limit` bytes of a published file, not checked against its hash, as text: a character that is cut at the end is left out.
pub(crate) fn beginning(archive: &Archive, file: &daylight_archive::FileRef, limit: u64) -> Option<String> {
    if file.length <= limit {
        return Some(String::from_utf8_lossy(&archive.bytes(file).ok()?).into_owned());
    }
    stretch(archive, file, 0, limit)
}

/// Reads at most `limit` bytes of a published file from `from` on, in the same way.
pub(crate) fn stretch(archive: &Archive, file: &daylight_archive::FileRef, from: u64, limit: u64) -> Option<String> {
    let mut volume = File::open(archive.dir().join(paths::volume(file.release, file.volume))).ok()?;
    volume.seek(SeekFrom::Start(file.offset.checked_add(from)?)).ok()?;
    let mut bytes = Vec::new();
    volume.take(limit.min(file.length.saturating_sub(from))).read_to_end(&mut bytes).ok()?;
    let valid = bytes.utf8_chunks().map(|chunk| chunk.valid()).collect::<Vec<_>>().join("");
    Some(valid)
}
