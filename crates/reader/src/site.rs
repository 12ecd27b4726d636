//! From a request to an answer. What touches the disk runs on threads of its own; searches wait their turn.

use crate::answer::{Answer, Keep};
use crate::body::{Body, PIECE, Pipe};
use crate::cache::{beginning, window};
use crate::catalogue::Row;
use crate::error::ReaderError;
use crate::export::{self, Format};
use crate::library::Library;
use crate::limits;
use crate::pages::{self, Asked, Listing, Reading, Stop};
use crate::range;
use crate::route::{Part, Route, proof_name};
use crate::search::{SearchError, SearchOptions};
use daylight_archive::record::{Record, Role as FileRole};
use daylight_archive::{ArchiveError, FileRef, Withdrawal, paths};
use daylight_html::{Frame, policy, style};
use daylight_index::Sort;
use daylight_model::Digest;
use hyper::header::{self, HeaderMap};
use hyper::{Method, Response, StatusCode, Uri};
use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, RwLock, TryLockError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

mod files;

/// A site: an archive's folder, its cache, and the state of both that is shown now.
pub(crate) struct Site {
    archive: PathBuf,
    cache: PathBuf,
    now: RwLock<Arc<Edition>>,
    looked: Mutex<Instant>,
    /// Held by the one thread that opens what is new; when that last failed.
    opening: Mutex<Option<Instant>>,
    searches: Arc<Semaphore>,
    /// Whole results take long where their reader is slow, so they have turns of their own.
    exports: Arc<Semaphore>,
}

/// One state of the archive, and what is the same on all its pages.
pub(crate) struct Edition {
    library: Library,
    frame: Frame,
    checkpoint: Vec<u8>,
    /// Tells this state's pages from another's.
    tag: String,
}

/// A request without its body: no request here has one that matters.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    pub(crate) headers: HeaderMap,
}

impl Edition {
    fn open(archive: &std::path::Path, cache: &std::path::Path, progress: &mut dyn FnMut(crate::Progress)) -> Result<Self, ReaderError> {
        // Read first: if the archive grows meanwhile, the next look sees another checkpoint and opens it again.
        let checkpoint = fs::read(archive.join(paths::CHECKPOINT)).unwrap_or_default();
        let library = Library::open(archive, cache, progress)?;
        let frame = pages::frame(&library);
        let tag = Digest::of(&[&checkpoint, env!("CARGO_PKG_VERSION").as_bytes(), style::PATH.as_bytes()].concat()).to_string();
        Ok(Self { library, frame, checkpoint, tag: format!("W/\"{}\"", &tag[..32]) })
    }
}

impl Site {
    pub(crate) fn open(archive: PathBuf, cache: PathBuf, progress: &mut dyn FnMut(crate::Progress)) -> Result<Self, ReaderError> {
        let edition = Edition::open(&archive, &cache, progress)?;
        let turns = std::thread::available_parallelism().map_or(2, |n| n.get() * 2);
        Ok(Self {
            archive,
            cache,
            now: RwLock::new(Arc::new(edition)),
            looked: Mutex::new(Instant::now()),
            opening: Mutex::new(None),
            searches: Arc::new(Semaphore::new(turns)),
            exports: Arc::new(Semaphore::new(limits::EXPORTS)),
        })
    }

    fn edition(&self) -> Arc<Edition> {
        self.now.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Answers a request.
    pub(crate) async fn answer(self: &Arc<Self>, request: Request) -> Response<Body> {
        self.look().await;
        let edition = self.edition();
        let method = request.method.clone();
        let answer = match self.route(&edition, &request).await {
            Ok(answer) => answer,
            Err(stop) => stopped(&edition.frame, stop, &query_of(&request.uri)),
        };
        answer.finish(&method)
    }

    /// Once in a while, sees whether the archive has grown; if so another thread opens it. Whoever asked waits a moment for that, so that a small release
    /// is shown to the first who comes after it; until a large one is opened the state before is shown.
    async fn look(self: &Arc<Self>) {
        if !self.is_due() {
            return;
        }
        let site = self.clone();
        let opening = tokio::task::spawn_blocking(move || site.renew());
        let _ = tokio::time::timeout(limits::NEWS, opening).await;
    }

    fn is_due(&self) -> bool {
        let mut looked = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
        let due = looked.elapsed() >= limits::LOOK;
        if due {
            *looked = Instant::now();
        }
        due
    }

    /// Opens the archive anew where its checkpoint is another one, unless another thread is at that. An archive that cannot be read stays shown as it was.
    pub(crate) fn renew(&self) {
        let mut failed = match self.opening.try_lock() {
            Ok(failed) => failed,
            Err(TryLockError::Poisoned(failed)) => failed.into_inner(),
            Err(TryLockError::WouldBlock) => return,
        };
        if failed.is_some_and(|failed| failed.elapsed() < limits::LATER) {
            return;
        }
        let checkpoint = fs::read(self.archive.join(paths::CHECKPOINT)).unwrap_or_default();
        if checkpoint.is_empty() || checkpoint == self.edition().checkpoint {
            return;
        }
        match Edition::open(&self.archive, &self.cache, &mut |_| ()) {
            Ok(edition) => {
                *self.now.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(edition);
                *failed = None;
            }
            Err(_) => *failed = Some(Instant::now()),
        }
    }

    /// Whether a thread is opening what is new.
    #[cfg(test)]
    pub(crate) fn is_opening(&self) -> bool {
        self.opening.try_lock().is_err()
    }

    async fn route(self: &Arc<Self>, edition: &Arc<Edition>, request: &Request) -> Result<Answer, Stop> {
        if request.uri.path().len() + request.uri.query().map_or(0, str::len) > limits::ADDRESS {
            return Err(Stop::TooLong);
        }
        let route = Route::parse(request.uri.path()).ok_or(Stop::NotFound)?;
        if request.method != Method::GET && request.method != Method::HEAD {
            return Err(Stop::NotAllowed);
        }
        let asked = Params::parse(request.uri.query().unwrap_or(""))?;
        match route {
            Route::Search => self.search(edition, asked).await,
            Route::Style => Ok(stylesheet()),
            Route::Favicon => Ok(Answer::empty(StatusCode::NO_CONTENT).keep(Keep::Forever)),
            Route::Robots => Ok(Answer::bytes("text/plain; charset=utf-8", Body::full("User-agent: *\nDisallow: /search\n"))),
            Route::Moved(to) => Ok(Answer::moved(&request.uri.query().map_or_else(|| to.clone(), |query| format!("{to}?{query}")))),
            Route::File(name) => {
                let (edition, headers) = (edition.clone(), request.headers.clone());
                blocking(move || edition.archive_file(&name, &headers)).await
            }
            route => {
                let tag = edition.tag_of(&route);
                if is_known(&request.headers, &tag) && !matches!(route, Route::Document(_, _, Part::Raw | Part::Text | Part::Picture(_))) {
                    return Ok(Answer::empty(StatusCode::NOT_MODIFIED).keep(Keep::Compared).with(header::ETAG, &tag));
                }
                let (edition, headers) = (edition.clone(), request.headers.clone());
                blocking(move || edition.read(&route, &asked, &headers)).await
            }
        }
    }

    async fn search(&self, edition: &Arc<Edition>, asked: Params) -> Result<Answer, Stop> {
        if asked.get("q").is_some_and(|query| query.chars().count() > limits::QUERY) {
            return Err(Stop::TooLong);
        }
        let whole = asked.get("format").is_some_and(|format| format != "html");
        let turn = if whole { &self.exports } else { &self.searches }.clone().acquire_owned();
        let permit = tokio::time::timeout(limits::TURN, turn).await.ok().and_then(Result::ok).ok_or(Stop::Busy)?;
        let edition = edition.clone();
        blocking(move || Edition::search(&edition, &asked, permit)).await
    }
}

async fn blocking(work: impl FnOnce() -> Result<Answer, Stop> + Send + 'static) -> Result<Answer, Stop> {
    tokio::task::spawn_blocking(work).await.unwrap_or(Err(Stop::Broken))
}

/// The page that says why there is none.
pub(crate) fn stopped(frame: &Frame, stop: Stop, query: &str) -> Answer {
    let answer = Answer::page(stop.status(), pages::stop(frame, stop, query));
    match stop {
        Stop::NotAllowed => answer.with(header::ALLOW, "GET, HEAD"),
        Stop::Busy => answer.with(header::RETRY_AFTER, "5"),
        _ => answer,
    }
}

fn stylesheet() -> Answer {
    // A view stands in an opaque origin, from which a style sheet is asked for as by a stranger.
    Answer::bytes("text/css; charset=utf-8", Body::full(style::CSS))
        .keep(Keep::Forever)
        .with(header::HeaderName::from_static("cross-origin-resource-policy"), "cross-origin")
}

/// Seconds since 1970.
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs())
}

fn is_known(headers: &HeaderMap, tag: &str) -> bool {
    let known = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok()).unwrap_or("");
    known == "*" || known.split(',').any(|one| one.trim().trim_start_matches("W/") == tag.trim_start_matches("W/"))
}

/// The query of an address, to be shown again in the search box of an error's page.
fn query_of(uri: &Uri) -> String {
    let params = Params::parse(uri.query().unwrap_or("")).unwrap_or_default();
    params.get("q").unwrap_or("").chars().take(limits::QUERY).collect()
}

/// The parameters of an address. Those that we do not know are ignored; of two of the same name the first counts.
#[derive(Debug, Default)]
struct Params(Vec<(String, String)>);

impl Params {
    fn parse(query: &str) -> Result<Self, Stop> {
        let pairs = query.split('&').filter(|pair| !pair.is_empty()).take(32);
        let decode = |text: &str| decoded(text).ok_or(Stop::BadRequest);
        let pairs = pairs.map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Ok((decode(name)?, decode(value)?))
        });
        pairs.collect::<Result<_, Stop>>().map(Self)
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    /// A page's number, 1 where none is given.
    fn page(&self, name: &str) -> Result<u64, Stop> {
        self.get(name).map_or(Ok(1), |page| page.parse().map_err(|_| Stop::BadRequest))
    }
}

/// Undoes the encoding of a form (`application/x-www-form-urlencoded`); `None` if it is not UTF-8 or wrongly encoded.
fn decoded(text: &str) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'+' => b' ',
            b'%' => {
                let (high, low) = (char::from(bytes.next()?).to_digit(16)?, char::from(bytes.next()?).to_digit(16)?);
                u8::try_from(high * 16 + low).ok()?
            }
            byte => byte,
        });
    }
    String::from_utf8(out).ok()
}

impl Edition {
    fn page(&self, html: String) -> Answer {
        Answer::page(StatusCode::OK, html).with(header::ETAG, &self.tag)
    }

    /// The tag of a page. Some say for how many days the archive has been silent or unseen, and so are others every day.
    fn tag_of(&self, route: &Route) -> String {
        match route {
            Route::Home | Route::Verify => format!("{}-{}\"", self.tag.trim_end_matches('"'), today()),
            _ => self.tag.clone(),
        }
    }

    fn read(&self, route: &Route, asked: &Params, headers: &HeaderMap) -> Result<Answer, Stop> {
        let (library, frame) = (&self.library, &self.frame);
        match route {
            Route::Home => {
                let html = pages::home(library, frame, today());
                Ok(Answer::page(StatusCode::OK, html).with(header::ETAG, &self.tag_of(route)))
            }
            Route::Help => Ok(self.page(pages::help(frame))),
            Route::Verify => {
                let html = pages::verify(library, frame, now());
                Ok(Answer::page(StatusCode::OK, html).with(header::ETAG, &self.tag_of(route)))
            }
            Route::About => Ok(self.page(pages::about(library, frame))),
            Route::Collection(name) => self.collection(name, asked),
            Route::Thread(collection, n) => {
                if library.withdrawal(collection, *n).is_some() {
                    return Err(Stop::Withdrawn);
                }
                let row = self.row(collection, *n)?;
                pages::thread(library, frame, collection, row, asked.page("page")?).map(|html| self.page(html)).ok_or(Stop::NoPage)
            }
            Route::Document(collection, n, part) => self.document(collection, *n, *part, asked, headers),
            Route::Search | Route::Robots | Route::Style | Route::Favicon | Route::Moved(_) | Route::File(_) => Err(Stop::NotFound),
        }
    }

    fn row(&self, collection: &str, n: u64) -> Result<&Row, Stop> {
        let shelf = self.library.catalogue().shelf(collection).ok_or(Stop::NotFound)?;
        shelf.row(n).ok_or(Stop::NoDocument)
    }

    fn collection(&self, name: &str, asked: &Params) -> Result<Answer, Stop> {
        if self.library.catalogue().shelf(name).is_none() {
            return Err(Stop::NotFound);
        }
        let listing =
            Listing { page: asked.page("page")?, newest: asked.get("order") == Some("newest"), all: asked.get("show") == Some("all") };
        let html = pages::collection(&self.library, &self.frame, name, listing, &self.library.senders(name));
        html.map(|html| self.page(html)).ok_or(Stop::NoPage)
    }

    fn document(&self, collection: &str, n: u64, part: Part, asked: &Params, headers: &HeaderMap) -> Result<Answer, Stop> {
        let (library, frame) = (&self.library, &self.frame);
        if let Some(by) = library.withdrawal(collection, n) {
            return self.withdrawn(collection, n, part, by);
        }
        let row = self.row(collection, n)?;
        let line = library.archive().record(row.place.serial, row.place.line).map_err(missing)?;
        let record = &line.record;
        let stem = format!("{collection}-{n}");
        match part {
            Part::Page => {
                let first = u32::try_from(asked.page("page")?).map_err(|_| Stop::NoPage)?;
                let reading = self.reading(record, asked.get("as") == Some("view"), first)?;
                let html = pages::document(library, frame, collection, row, record, &reading, asked.page("parts")?);
                html.map(|html| self.page(html)).ok_or(Stop::NoPage)
            }
            Part::Proof => Ok(self.page(pages::proof(library, frame, collection, &line))),
            Part::ProofFile => self.proof_file(collection, n, (row.place.serial, row.place.line)),
            Part::View => {
                let file = record.file(&FileRole::View).filter(|file| file.length <= limits::VIEW).ok_or(Stop::NoRendition)?;
                let view = beginning(library.archive(), file, limits::VIEW).ok_or(Stop::Broken)?;
                Ok(self.page(pages::view(record, &view)).policy(policy::VIEW))
            }
            Part::Raw => {
                let file = record.file(&FileRole::Raw).ok_or(Stop::NoRendition)?;
                let answer = self.file(file, safe_type(&file.media_type), headers)?;
                Ok(attached(answer, &pages::raw_name(&stem, file)))
            }
            Part::Picture(page) => {
                let pages = record.pages();
                let found = pages.binary_search_by_key(&page, |(picture, _)| picture.page);
                let (picture, file) = pages[found.map_err(|_| Stop::NoRendition)?];
                self.file(file, picture.form.media_type(), headers)
            }
            Part::Text => {
                let file = record.file(&FileRole::Text).ok_or(Stop::NoRendition)?;
                self.file(file, "text/plain; charset=utf-8", headers)
            }
        }
    }

    /// What there is of a document that was withdrawn: a page that says so, and the proof.
    fn withdrawn(&self, collection: &str, n: u64, part: Part, by: &Withdrawal) -> Result<Answer, Stop> {
        let (library, frame) = (&self.library, &self.frame);
        match part {
            Part::Page => Ok(Answer::page(StatusCode::GONE, pages::withdrawn(library, frame, collection, n, by))),
            Part::Proof => Ok(self.page(pages::withdrawn_proof(library, frame, collection, n, by))),
            Part::ProofFile => {
                let last = library.archive().history(collection, n).map_err(missing)?.pop();
                self.proof_file(collection, n, last.ok_or(Stop::NoDocument)?)
            }
            Part::Raw | Part::Text | Part::View | Part::Picture(_) => Err(Stop::Withdrawn),
        }
    }

    fn proof_file(&self, collection: &str, n: u64, (serial, line): (u64, u64)) -> Result<Answer, Stop> {
        let proof = self.library.archive().proof(serial, line).map_err(missing)?;
        let bytes = proof.to_bytes().map_err(|_| Stop::Broken)?;
        Ok(attached(Answer::bytes("application/json", Body::full(bytes)), &proof_name(collection, n)))
    }

    fn reading(&self, record: &Record, as_view: bool, first: u32) -> Result<Reading, Stop> {
        let (text, view) = (record.file(&FileRole::Text), record.file(&FileRole::View).filter(|file| file.length <= limits::VIEW));
        match (text, view) {
            (None, Some(_)) => Ok(Reading::View),
            (_, Some(_)) if as_view => Ok(Reading::View),
            (Some(text), _) => {
                let window = window(self.library.archive(), text, first.max(1), limits::SHOWN);
                let window = window.ok_or(if first > 1 { Stop::NoPage } else { Stop::Broken })?;
                Ok(Reading::Text { shown: window.text, first: first.max(1), last: window.last, length: text.length })
            }
            (None, None) => Ok(Reading::Nothing),
        }
    }

    /// A published file, or the part of it that is asked for.
    fn file(&self, file: &FileRef, media_type: &str, headers: &HeaderMap) -> Result<Answer, Stop> {
        let tag = format!("\"{}\"", file.sha256);
        let finish = |answer: Answer| answer.with(header::ETAG, &tag).with(header::ACCEPT_RANGES, "bytes");
        if is_known(headers, &tag) {
            return Ok(finish(Answer::empty(StatusCode::NOT_MODIFIED).keep(Keep::Minute)));
        }
        // RFC 9110 section 13.1.5: a range is of the state that its asker has, or it is not answered as a range.
        let same = headers.get(header::IF_RANGE).is_none_or(|value| value.as_bytes() == tag.as_bytes());
        let range = headers.get(header::RANGE).filter(|_| same).and_then(|value| value.to_str().ok());
        match range::asked(range, file.length) {
            range::Asked::Nothing => {
                let answer = Answer::empty(StatusCode::RANGE_NOT_SATISFIABLE);
                Ok(finish(answer).with(header::CONTENT_RANGE, &format!("bytes */{}", file.length)))
            }
            range::Asked::Part(from, to) => {
                let answer = Answer::bytes(media_type, self.part(file, from, to)?).status(StatusCode::PARTIAL_CONTENT);
                Ok(finish(answer).with(header::CONTENT_RANGE, &format!("bytes {from}-{}/{}", to - 1, file.length)))
            }
            range::Asked::All if file.length <= limits::WHOLE => {
                Ok(finish(Answer::bytes(media_type, Body::full(self.library.archive().bytes(file).map_err(missing)?))))
            }
            range::Asked::All => {
                let reader = self.library.archive().open_file(file).map_err(missing)?;
                Ok(finish(Answer::bytes(media_type, sent(reader, file.length))))
            }
        }
    }

    /// A part of a published file: read where it is, and so not checked against the hash, which is of the whole.
    fn part(&self, file: &FileRef, from: u64, to: u64) -> Result<Body, Stop> {
        let open = || {
            let mut volume = File::open(self.library.archive().dir().join(paths::volume(file.release, file.volume)))?;
            volume.seek(SeekFrom::Start(file.offset.saturating_add(from)))?;
            Ok::<_, std::io::Error>(volume.take(to - from))
        };
        open().map(|reader| sent(reader, to - from)).map_err(|_| Stop::Broken)
    }

    fn search(self: &Arc<Self>, asked: &Params, permit: OwnedSemaphorePermit) -> Result<Answer, Stop> {
        let query = asked.get("q").unwrap_or("").to_owned();
        let sort = match asked.get("sort").unwrap_or("") {
            "newest" => Sort::Newest,
            "oldest" => Sort::Oldest,
            _ => Sort::Relevance,
        };
        if let Some(format) = asked.get("format").filter(|format| *format != "html") {
            return self.export(query, sort, Format::parse(format).ok_or(Stop::BadRequest)?, permit);
        }
        if query.trim().is_empty() && asked.get("sort").is_none() && asked.get("page").is_none() {
            return Ok(self.page(pages::empty(&self.library, &self.frame)));
        }
        let asked = Asked { query, sort, page: asked.page("page")? };
        let span = asked.span(u64::MAX);
        if !span.exists() {
            return Err(Stop::NoPage);
        }
        let options =
            SearchOptions { limit: span.per_page as usize, offset: span.offset() as usize, sort, facets: true, ..SearchOptions::default() };
        match self.library.search(&asked.query, &options) {
            Ok(answer) if !asked.span(answer.total).exists() => Err(Stop::NoPage),
            Ok(answer) => Ok(self.page(pages::results(&self.library, &self.frame, &asked, &answer))),
            Err(SearchError::Query(error)) => Ok(Answer::page(StatusCode::BAD_REQUEST, pages::mistaken(&self.frame, &asked.query, &error))),
            Err(SearchError::Index(_)) => Err(Stop::Broken),
        }
    }

    /// The whole result as a file. It holds its turn until it is written.
    fn export(self: &Arc<Self>, query: String, sort: Sort, format: Format, permit: OwnedSemaphorePermit) -> Result<Answer, Stop> {
        if let Err(error) = daylight_index::query::parse(&query) {
            return Ok(Answer::page(StatusCode::BAD_REQUEST, pages::mistaken(&self.frame, &query, &error)));
        }
        let (pipe, body) = export::body();
        let edition = self.clone();
        spawn(move || {
            export::write(&edition.library, &query, sort, format, pipe);
            drop(permit);
        })?;
        Ok(attached(Answer::bytes(format.media_type(), body).keep(Keep::No), format.file_name()))
    }
}

/// The days since 1970-01-01, in UTC.
fn today() -> i64 {
    i64::try_from(now() / 86_400).unwrap_or(0)
}

/// Runs on a thread of its own, for as long as a slow reader makes it: it must not take the place of those who read quickly.
fn spawn(work: impl FnOnce() + Send + 'static) -> Result<(), Stop> {
    std::thread::Builder::new().spawn(work).map(|_| ()).map_err(|_| Stop::Busy)
}

/// A body that is read while it is sent. If the bytes prove wrong at their end the answer is broken off.
fn sent(reader: impl Read + Send + 'static, length: u64) -> Body {
    let (pipe, body) = Body::stream(Some(length));
    // Where no thread can be had the pipe is dropped, and the answer is too short for its length: the reader sees that it failed.
    let _ = spawn(move || pump(reader, pipe));
    body
}

fn pump(mut reader: impl Read, pipe: Pipe) {
    loop {
        let mut piece = vec![0; PIECE];
        match reader.read(&mut piece) {
            Ok(0) => return pipe.done(),
            Ok(read) => piece.truncate(read),
            Err(_) => return,
        }
        if pipe.send(piece).is_err() {
            return;
        }
    }
}

fn missing(error: ArchiveError) -> Stop {
    match error {
        ArchiveError::Withdrawn { .. } => Stop::Withdrawn,
        ArchiveError::NoSuchLine { .. } => Stop::NoDocument,
        ArchiveError::Damaged { .. } | ArchiveError::NotAnArchive(..) => Stop::Broken,
    }
}

/// To be saved, never shown: under a name of our own making.
fn attached(answer: Answer, name: &str) -> Answer {
    answer.with(header::CONTENT_DISPOSITION, &format!("attachment; filename=\"{name}\""))
}

/// The media type under which published bytes are sent: one that no browser runs, whatever the document says it is.
fn safe_type(media_type: &str) -> &'static str {
    const SAFE: [&str; 12] = [
        "message/rfc822",
        "application/mbox",
        "application/pdf",
        "application/zip",
        "application/json",
        "text/csv",
        "image/png",
        "image/jpeg",
        "image/gif",
        "image/webp",
        "audio/mpeg",
        "video/mp4",
    ];
    let bare = media_type.split(';').next().unwrap_or("").trim();
    SAFE.into_iter().find(|safe| *safe == bare).unwrap_or("application/octet-stream")
}
