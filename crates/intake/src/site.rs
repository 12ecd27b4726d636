//! From a request to an answer, in a process of the visitor's own: the pages here, the wire of programs in [`wire`].

mod form;
mod inside;
mod receive;
mod wire;

pub(crate) use wire::told;

use crate::answer::{Answer, Body};
use crate::circuits::Cost;
use crate::days::Mark;
use crate::hatch::{Hatch, Part};
use crate::pages::{self, Frame, Stop};
use crate::session::{Cookie, Visit};
use crate::store::Lookup;
use crate::words::{Language, languages};
use daylight_envelope::{Codename, Identity, Newsroom, SourceKeys, seal_reply};
use daylight_html::style;
use hyper::body::Incoming;
use hyper::header::{self, HeaderMap, HeaderName};
use hyper::{Method, Request, Response, StatusCode};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::Notify;
use zeroize::Zeroizing;

/// What is the same for all visitors, and known to anybody.
pub(crate) struct Common {
    newsroom: Newsroom,
    title: String,
    /// What a tool is told of the newsroom.
    told: Vec<u8>,
    decoy: Decoy,
}

/// The drop, as one visitor's attendant has it.
pub(crate) struct Site {
    common: Common,
    hatch: Arc<Hatch>,
    /// Told when the visitor's upload is to end.
    pub(crate) gives_way: Arc<Notify>,
    /// Whether the visitor has shown the collector's token.
    collects: AtomicBool,
}

/// A reply to nobody, opened where a mailbox has fewer than a page shows, so that as much is done for an empty one.
struct Decoy {
    identity: Identity,
    editor: [u8; 32],
    sealed: Vec<u8>,
}

impl Decoy {
    fn make(newsroom: &Newsroom) -> Result<Self, crate::NoRandomness> {
        let identity = Identity::generate().map_err(|_| crate::NoRandomness)?;
        // The base point of Ed25519 is a key like any other; that the signature is none is found at the end of the work.
        let mut editor = [0x66; 32];
        editor[0] = 0x58;
        let mut signature = [0; 64];
        signature[..32].copy_from_slice(&editor);
        signature[32] = 1;
        let sealed = seal_reply(&identity.recipient(), newsroom, 0, &"x".repeat(4000), &editor, |_| signature);
        Ok(Self { identity, editor, sealed: sealed.map_err(|_| crate::NoRandomness)? })
    }
}

impl Common {
    /// What attendants are greeted with.
    pub(crate) fn greeting(newsroom: &Newsroom, title: &str, told: &[u8]) -> Vec<u8> {
        let mut greeting = Vec::new();
        (newsroom.0, title.to_owned(), told.to_vec()).put(&mut greeting);
        greeting
    }

    /// What they make of it.
    pub(crate) fn greeted(greeting: &[u8]) -> Result<Self, String> {
        let (newsroom, title, told) = crate::hatch::whole(greeting).ok_or("the greeting is none")?;
        let newsroom = Newsroom(newsroom);
        // Read once, and not by each of them.
        let _ = std::hint::black_box(languages());
        let decoy = Decoy::make(&newsroom).map_err(|error| error.to_string())?;
        Ok(Self { newsroom, title, told, decoy })
    }
}

/// A request without its body.
struct Head {
    method: Method,
    path: String,
    query: String,
    headers: HeaderMap,
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

    fn reads(&self) -> bool {
        self.method == Method::GET || self.method == Method::HEAD
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
    pub(crate) fn new(common: Common, hatch: Hatch) -> Self {
        Self { common, hatch: Arc::new(hatch), gives_way: Arc::default(), collects: AtomicBool::new(false) }
    }

    fn allows(&self, cost: Cost) -> bool {
        self.hatch.allows(cost as u8)
    }

    /// Notes of today that something was so.
    fn mark(&self, mark: Mark) {
        self.hatch.mark(mark as u8);
    }

    /// Answers a request.
    pub(crate) async fn answer(self: &Arc<Self>, request: Request<Incoming>) -> Response<Body> {
        let (head, body) = request.into_parts();
        let method = head.method.clone();
        let (path, query) = (head.uri.path().to_owned(), head.uri.query().unwrap_or("").to_owned());
        let language = path.split('/').nth(1).and_then(Language::by_tag);
        let accepted = head.headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or("");
        let in_words = language.unwrap_or_else(|| Language::accepted(accepted));
        let head = Head { method: head.method, path, query, headers: head.headers, language: in_words };
        let answer = match (head.path.as_str(), language) {
            (style::PATH | "/", _) if !self.allows(Cost::Page) => self.stopped(&head, Stop::Busy),
            (style::PATH, _) => Answer::bytes("text/css; charset=utf-8", Body::Full(Some(style::CSS.into()))).kept(),
            ("/", _) => Answer::see(&head.at("/")),
            (_, None) => self.wire(&head, body).await,
            (_, Some(_)) => match self.page(&head, body).await {
                Ok(answer) => answer,
                Err(stop) => self.stopped(&head, stop),
            },
        };
        // Whoever showed a secret, or sent something, has had an attendant who knows of it: it goes with the answer.
        let knows = head.headers.contains_key(header::COOKIE) || (!head.reads() && !self.collects.load(Ordering::Relaxed));
        if knows { answer.closing().finish(&method) } else { answer.finish(&method) }
    }

    fn frame(&self, head: &Head, path: Option<&'static str>, inside: bool) -> Frame<'_> {
        Frame { language: head.language, newsroom: &self.common.title, path, inside }
    }

    fn stopped(&self, head: &Head, stop: Stop) -> Answer {
        let inside = head.cookie().is_some_and(|cookie| self.hatch.visit_of(&cookie).is_some_and(|visit| !visit.slip));
        let answer = Answer::page(stop.status(), pages::stop(&self.frame(head, None, inside), stop)).closing();
        if matches!(stop, Stop::Busy | Stop::Slowest | Stop::Full | Stop::Closed) { answer.with(header::RETRY_AFTER, "60") } else { answer }
    }

    async fn page(self: &Arc<Self>, head: &Head, body: Incoming) -> Result<Answer, Stop> {
        let path = &head.path[1 + head.language.tag.len()..];
        let reads = head.reads();
        let cost = if path == "/mailbox" || (!reads && path != "/send") { Cost::Mailbox } else { Cost::Page };
        if !self.allows(cost) {
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
            "/mailbox" if reads => self.mailbox(head),
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
        shown(page(&self.frame(head, Some(path), inside), &self.hatch.outer_forms().0))
    }

    /// Who is logged in.
    fn visit(&self, head: &Head) -> Result<(Cookie, Visit), Stop> {
        let cookie = head.cookie().ok_or(Stop::Expired)?;
        let visit = self.hatch.visit_of(&cookie).ok_or(Stop::Expired)?;
        Ok((cookie, visit))
    }

    /// Makes a codename.
    async fn new_source(&self, head: &Head, body: Incoming) -> Result<Answer, Stop> {
        self.outer_form(head, body).await?;
        let codename = Codename::generate().map_err(|_| Stop::Failed)?;
        let keys = codename.keys(&self.common.newsroom);
        let cookie = self.hatch.enter(keys.seed(), Some(codename.words().as_str()), false).map_err(|_| Stop::Failed)?;
        Ok(self.entered(head, &cookie, "/codename"))
    }

    /// Opens the mailbox of a codename. Whatever was typed, the same is done and answered; what was no codename is told on the page that follows.
    async fn login(&self, head: &Head, body: Incoming) -> Result<Answer, Stop> {
        let form = self.outer_form(head, body).await?;
        let typed = form.get("codename").unwrap_or_default();
        let nobody = Codename::generate().map_err(|_| Stop::Failed)?;
        let parsed = Codename::parse(typed);
        let keys = parsed.as_ref().unwrap_or(&nobody).keys(&self.common.newsroom);
        let cookie = self.hatch.enter(keys.seed(), None, parsed.is_err()).map_err(|_| Stop::Failed)?;
        Ok(self.entered(head, &cookie, "/mailbox"))
    }

    /// Sends a browser into a new session. One that it had before has ended: no cookie outlives a login.
    fn entered(&self, head: &Head, cookie: &Cookie, path: &str) -> Answer {
        if let Some(before) = head.cookie() {
            self.hatch.end_session(before.name());
        }
        Answer::see(&head.at(path)).with(header::SET_COOKIE, &cookie.header()).closing()
    }

    /// Opens as many replies as a page shows, whether there are that many or not.
    fn open_replies(&self, keys: &SourceKeys, sealed: &[Vec<u8>], most: usize) -> Vec<pages::Answer> {
        let newsroom = &self.common.newsroom;
        let editors = self.hatch.editors();
        let answers = sealed.iter().map(|sealed| match daylight_envelope::open_reply(&keys.reply, newsroom, &editors, sealed) {
            Ok(reply) => {
                let name = daylight_model::Digest::of(&reply.editor).to_string();
                pages::Answer::Signed { text: reply.body, editor: name[..16].to_owned() }
            }
            Err(_) => pages::Answer::Unread,
        });
        let answers = answers.collect();
        for _ in (sealed.len()..most).filter(|_| !is_leaky()) {
            let decoy = &self.common.decoy;
            let _ = std::hint::black_box(daylight_envelope::open_reply(&decoy.identity, newsroom, &[decoy.editor], &decoy.sealed));
        }
        answers
    }
}

/// Whether as little is done as is needed, for a test that must see that it would see that: never in a release build.
fn is_leaky() -> bool {
    cfg!(debug_assertions) && std::env::var_os("DAYLIGHT_LEAKY").is_some()
}

fn shown(html: String) -> Answer {
    Answer::page(StatusCode::OK, html)
}

fn lookup_of(seed: &Zeroizing<[u8; 32]>) -> (SourceKeys, Lookup) {
    let keys = SourceKeys::from_seed(seed.clone());
    let lookup = Lookup(keys.lookup.0);
    (keys, lookup)
}
