//! From a request to an answer: the pages here, the wire of programs in [`wire`].

mod form;
mod inside;
mod receive;
mod wire;

use crate::answer::{Answer, Body};
use crate::circuits::{Circuit, Circuits, Cost, Open, Place};
use crate::days::{Days, Mark};
use crate::lines::Line;
use crate::newsroom::{DropError, Home};
use crate::pages::{self, Frame, Stop};
use crate::places::{PLACES, Places};
use crate::session::{Cookie, Sessions, Visit};
use crate::stack::apart_and_wiped;
use crate::store::{Lookup, Store, StoreError, today};
use crate::words::Language;
use daylight_envelope::{Codename, Identity, SourceKeys, seal_reply};
use daylight_html::style;
use hyper::body::Incoming;
use hyper::header::{self, HeaderMap, HeaderName};
use hyper::{Method, Request, Response, StatusCode};
use std::path::Path;
use std::sync::Arc;
use zeroize::Zeroizing;

/// The drop.
pub(crate) struct Site {
    home: Home,
    store: Arc<Store>,
    sessions: Sessions,
    circuits: Circuits,
    places: Places,
    days: Days,
    decoy: Decoy,
}

/// A reply to nobody, opened where a mailbox has fewer than a page shows, so that as much is done for an empty one.
struct Decoy {
    identity: Identity,
    editor: [u8; 32],
    sealed: Vec<u8>,
}

impl Decoy {
    fn make(home: &Home) -> Result<Self, DropError> {
        let identity = Identity::generate().map_err(|_| crate::NoRandomness)?;
        // The base point of Ed25519 is a key like any other; that the signature is none is found at the end of the work.
        let mut editor = [0x66; 32];
        editor[0] = 0x58;
        let mut signature = [0; 64];
        signature[..32].copy_from_slice(&editor);
        signature[32] = 1;
        let sealed = seal_reply(&identity.recipient(), &home.newsroom(), 0, &"x".repeat(4000), &editor, |_| signature);
        Ok(Self { identity, editor, sealed: sealed.map_err(|_| crate::NoRandomness)? })
    }
}

/// A request without its body.
struct Head {
    method: Method,
    path: String,
    query: String,
    headers: HeaderMap,
    circuit: Circuit,
    line: Arc<Line>,
    language: &'static Language,
}

impl Head {
    fn text(&self, name: HeaderName) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("")
    }

    fn cookie(&self) -> Option<Cookie> {
        Cookie::read(self.text(header::COOKIE))
    }

    fn length(&self) -> Option<u64> {
        self.text(header::CONTENT_LENGTH).parse().ok()
    }

    /// Whether a form was sent from a page of this very address, as far as the browser says: every graphical one does (Fetch, `Origin`), text browsers say nothing.
    fn is_from_here(&self) -> bool {
        let fetched = self.text(HeaderName::from_static("sec-fetch-site"));
        let ours = match self.headers.get(header::ORIGIN).map(|value| value.to_str().unwrap_or("null")) {
            None => true,
            Some(origin) => origin.split_once("://").is_some_and(|(_, host)| host.eq_ignore_ascii_case(self.text(header::HOST))),
        };
        ours && matches!(fetched, "" | "same-origin" | "none")
    }

    /// A path in the language of this request.
    fn at(&self, path: &str) -> String {
        format!("/{}{path}", self.language.tag)
    }
}

impl Site {
    /// Opens a drop's folder.
    pub(crate) fn open(home: &Path) -> Result<Self, DropError> {
        let opened = Home::open(home)?;
        let store = Arc::new(Store::open(home, opened.settings.reserve)?);
        let decoy = Decoy::make(&opened)?;
        let site = Self {
            home: opened,
            store,
            sessions: Sessions::new()?,
            circuits: Circuits::default(),
            places: Places::new(PLACES),
            days: Days::open(home),
            decoy,
        };
        // What could not be done of it, on a full disk say, is tried again in a minute: the newsroom must be able to fetch what is here.
        let _ = site.new_day(today());
        Ok(site)
    }

    /// What is due at the beginning of a day.
    pub(crate) fn new_day(&self, today: u32) -> Result<(), StoreError> {
        if let Some(keys) = self.home.keys() {
            keys.prepare(today);
        }
        self.store.midnight(today).map(|_| ())
    }

    /// What is due every minute.
    pub(crate) fn sweep(&self) {
        self.sessions.sweep();
        self.circuits.sweep();
    }

    /// A place for a connection, unless its circuit has too many.
    pub(crate) fn connect(&self, circuit: Circuit) -> Option<Place> {
        self.circuits.open(circuit, Open::Connection)
    }

    /// Files of the store that are not of its form.
    pub(crate) fn damaged(&self) -> &[std::path::PathBuf] {
        self.store.damaged()
    }

    /// Why the directory that lies here is not used, if it is not.
    pub(crate) fn unused_directory(&self) -> Option<&str> {
        self.home.unused.as_deref()
    }

    /// Notes of today that something was so, if it is not noted yet.
    async fn mark(self: &Arc<Self>, mark: Mark) {
        let today = today();
        if !self.days.has(mark, today) {
            let site = self.clone();
            let _ = tokio::task::spawn_blocking(move || site.days.note(mark, today)).await;
        }
    }

    /// Answers a request.
    pub(crate) async fn answer(self: &Arc<Self>, line: Arc<Line>, request: Request<Incoming>) -> Response<Body> {
        let (head, body) = request.into_parts();
        let method = head.method.clone();
        let (path, query) = (head.uri.path().to_owned(), head.uri.query().unwrap_or("").to_owned());
        let language = path.split('/').nth(1).and_then(Language::by_tag);
        let accepted = head.headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or("");
        let in_words = language.unwrap_or_else(|| Language::accepted(accepted));
        let head = Head { method: head.method, path, query, headers: head.headers, circuit: line.circuit(), line, language: in_words };
        let answer = match (head.path.as_str(), language) {
            (style::PATH | "/", _) if !self.circuits.allows(head.circuit, Cost::Page) => self.stopped(&head, Stop::Busy),
            (style::PATH, _) => Answer::bytes("text/css; charset=utf-8", Body::Full(Some(style::CSS.into()))).kept(),
            ("/", _) => Answer::see(&head.at("/")),
            (_, None) => self.wire(&head, body).await,
            (_, Some(_)) => match self.page(&head, body).await {
                Ok(answer) => answer,
                Err(stop) => self.stopped(&head, stop),
            },
        };
        answer.finish(&method)
    }

    fn frame(&self, head: &Head, path: Option<&'static str>, inside: bool) -> Frame<'_> {
        Frame { language: head.language, newsroom: &self.home.settings.title, path, inside }
    }

    fn stopped(&self, head: &Head, stop: Stop) -> Answer {
        let inside = head.cookie().is_some_and(|cookie| self.sessions.visit(&cookie).is_some_and(|visit| !visit.slip));
        let answer = Answer::page(stop.status(), pages::stop(&self.frame(head, None, inside), stop)).closing();
        if matches!(stop, Stop::Busy | Stop::Slowest | Stop::Full | Stop::Closed) { answer.with(header::RETRY_AFTER, "60") } else { answer }
    }

    async fn page(self: &Arc<Self>, head: &Head, body: Incoming) -> Result<Answer, Stop> {
        let path = &head.path[1 + head.language.tag.len()..];
        let reads = head.method == Method::GET || head.method == Method::HEAD;
        let cost = if path == "/mailbox" || (!reads && path != "/send") { Cost::Mailbox } else { Cost::Page };
        if !self.circuits.allows(head.circuit, cost) {
            return Err(Stop::Busy);
        }
        let posts = head.method == Method::POST;
        match path {
            "" if reads => Ok(Answer::see(&head.at("/"))),
            "/" if reads => Ok(self.outer(head, "/", pages::start)),
            "/login" if reads => Ok(self.outer(head, "/login", pages::login)),
            "/bye" if reads => Ok(shown(pages::bye(&self.frame(head, Some("/bye"), false)))),
            "/gone" if reads => Ok(shown(pages::gone(&self.frame(head, Some("/gone"), false)))),
            "/codename" if reads => self.codename(head),
            "/mailbox" if reads => self.mailbox(head).await,
            "/delete" if reads => self.ask_to_delete(head),
            "/new" if posts => self.new_source(head, body).await,
            "/login" if posts => self.login(head, body).await,
            "/kept" if posts => self.kept(head, body).await,
            "/send" if posts => self.send(head, body).await,
            "/delete" if posts => self.delete(head, body).await,
            "/logout" if posts => self.logout(head, body).await,
            _ => Err(Stop::Missing),
        }
    }

    /// A page that anybody sees, with a form in it.
    fn outer(&self, head: &Head, path: &'static str, page: fn(&Frame<'_>, &str) -> String) -> Answer {
        let inside = self.visit(head).is_ok();
        shown(page(&self.frame(head, Some(path), inside), &self.sessions.outer_form(today())))
    }

    /// Who is logged in.
    fn visit(&self, head: &Head) -> Result<(Cookie, Visit), Stop> {
        let cookie = head.cookie().ok_or(Stop::Expired)?;
        let visit = self.sessions.visit(&cookie).ok_or(Stop::Expired)?;
        Ok((cookie, visit))
    }

    /// Makes a codename.
    async fn new_source(self: &Arc<Self>, head: &Head, body: Incoming) -> Result<Answer, Stop> {
        let form = self.outer_form(head, body).await?;
        drop(form);
        let site = self.clone();
        let cookie = blocking(move || {
            let codename = Codename::generate().map_err(|_| Stop::Failed)?;
            let keys = codename.keys(&site.home.newsroom());
            site.sessions.begin(keys.seed(), Some(codename.words().as_str()), false).map_err(|_| Stop::Failed)
        })
        .await?;
        Ok(self.entered(head, &cookie, "/codename"))
    }

    /// Opens the mailbox of a codename. Whatever was typed, the same is done and answered; what was no codename is told on the page that follows.
    async fn login(self: &Arc<Self>, head: &Head, body: Incoming) -> Result<Answer, Stop> {
        let form = self.outer_form(head, body).await?;
        let site = self.clone();
        let cookie = blocking(move || {
            let typed = form.get("codename").unwrap_or_default();
            let nobody = Codename::generate().map_err(|_| Stop::Failed)?;
            let parsed = Codename::parse(typed);
            let keys = parsed.as_ref().unwrap_or(&nobody).keys(&site.home.newsroom());
            site.sessions.begin(keys.seed(), None, parsed.is_err()).map_err(|_| Stop::Failed)
        })
        .await?;
        Ok(self.entered(head, &cookie, "/mailbox"))
    }

    /// Sends a browser into a new session. One that it had before has ended: no cookie outlives a login.
    fn entered(&self, head: &Head, cookie: &Cookie, path: &str) -> Answer {
        if let Some(before) = head.cookie() {
            self.sessions.end(&before);
        }
        Answer::see(&head.at(path)).with(header::SET_COOKIE, &cookie.header()).closing()
    }

    /// Opens as many replies as a page shows, whether there are that many or not.
    fn open_replies(&self, keys: &SourceKeys, sealed: &[Vec<u8>], most: usize) -> Vec<pages::Answer> {
        let newsroom = self.home.newsroom();
        let editors = self.home.keys().map(|keys| keys.editors.clone()).unwrap_or_default();
        let answers = sealed.iter().map(|sealed| match daylight_envelope::open_reply(&keys.reply, &newsroom, &editors, sealed) {
            Ok(reply) => {
                let name = daylight_model::Digest::of(&reply.editor).to_string();
                pages::Answer::Signed { text: reply.body, editor: name[..16].to_owned() }
            }
            Err(_) => pages::Answer::Unread,
        });
        let answers = answers.collect();
        for _ in sealed.len()..most {
            let decoy = &self.decoy;
            let _ = std::hint::black_box(daylight_envelope::open_reply(&decoy.identity, &newsroom, &[decoy.editor], &decoy.sealed));
        }
        answers
    }
}

fn shown(html: String) -> Answer {
    Answer::page(StatusCode::OK, html)
}

/// Runs work that computes or waits for the disk on a thread for it.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, Stop> + Send + 'static) -> Result<T, Stop> {
    apart_and_wiped(work).await.map_or(Err(Stop::Failed), |done| *done)
}

fn lookup_of(seed: &Zeroizing<[u8; 32]>) -> (SourceKeys, Lookup) {
    let keys = SourceKeys::from_seed(seed.clone());
    let lookup = Lookup(keys.lookup.0);
    (keys, lookup)
}
