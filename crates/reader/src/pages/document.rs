//! A document's page.

use super::{lists, page, thread, to_side};
use crate::catalogue::{Row, Shelf};
use crate::library::Library;
use crate::limits::PAGE;
use crate::when;
use daylight_archive::record::{FileRef, Record, Role as FileRole};
use daylight_html::{Frame, Href, Markup, PageSpan, PreEscaped, Side, SideAt, count, pager, prose, size};
use daylight_model::reading::page_list;
use daylight_model::{Date, Fault, FaultCode, Kind, PagePicture, Person, Role, SignatureKind, Verdict, is_language_code, language_name};
use maud::html;

/// How many parts of a document are listed on a page.
pub(crate) const PARTS: u64 = 100;
/// How many people of a role are named before the others are folded away, and how many at all.
const NAMED: usize = 8;
const NAMED_AT_ALL: usize = 400;

/// How many earlier publications of a document are named.
const EARLIER: usize = 20;

/// How a document is read on its page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reading {
    /// Its text, or a piece of it from the beginning of a page on; the number of that page, whether the text ends with it, and how long the whole is.
    Text { shown: String, first: u32, last: bool, length: u64 },
    /// Its sanitised view, in a frame.
    View,
    /// Nothing of it can be shown here.
    Nothing,
}

/// The page of a document. `None` if there is no such page of its parts.
pub(crate) fn document(
    library: &Library,
    frame: &Frame,
    collection: &str,
    row: &Row,
    record: &Record,
    reading: &Reading,
    parts_page: u64,
) -> Option<String> {
    let shelf = library.catalogue().shelf(collection)?;
    let total = shelf.parts(row.number).count() as u64;
    let span = PageSpan { page: parts_page, per_page: PARTS, total, reach: u64::MAX };
    if !span.exists() {
        return None;
    }
    let pictures = record.pages().into_iter().map(|(picture, _)| picture).collect();
    let sheet = Sheet { library, shelf, collection, row, record, pictures };
    let title = lists::title(&record.title, record.kind);
    let conversation = thread::beside(shelf, collection, row);
    let main = html! {
        p.crumbs { a href={ "/c/" (collection) } { bdi { (library.title(collection)) } } " › " span.mono { (collection) "/" (row.number) } }
        (lists::heading(title))
        @if conversation.is_some() { (to_side("The conversation around it")) }
        (sheet.facts())
        (sheet.ways(reading))
        (sheet.text(reading))
        (sheet.parts(span))
        (sheet.signatures())
        (sheet.missing())
        (sheet.cite())
    };
    let side = conversation.map(|body| Side { label: "The conversation around this document", at: SideAt::Right, body });
    let full = format!("{title} ({collection}/{})", row.number);
    let mut page = page(&full, "Skip to the document", main, side);
    page.canonical = Some(Href::new(&lists::address(collection, row.number)));
    Some(page.render(frame))
}

/// The sanitised view, in a page of its own around it: it is caged by its own policy, see [`daylight_html::policy::VIEW`].
pub(crate) fn view(record: &Record, sanitised: &str) -> String {
    let markup = html! {
        (maud::DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="robots" content="noindex";
                title { (record.title) }
                link rel="stylesheet" href=(daylight_html::style::PATH);
            }
            body.framed { main dir="auto" lang=[language(record)] { (PreEscaped(sanitised)) } }
        }
    };
    markup.into_string()
}

/// What the sections of the page are made from.
struct Sheet<'a> {
    library: &'a Library,
    shelf: &'a Shelf,
    collection: &'a str,
    row: &'a Row,
    record: &'a Record,
    /// What its pages look like, in their order.
    pictures: Vec<PagePicture>,
}

impl Sheet<'_> {
    fn below(&self, what: &str) -> String {
        format!("/c/{}/{}/{what}", self.collection, self.row.number)
    }

    fn file(&self, role: FileRole) -> Option<&FileRef> {
        self.record.file(&role)
    }

    /// Who, when, what, and where it stood.
    fn facts(&self) -> Markup {
        const ROLES: [(Role, &str); 6] = [
            (Role::From, "From"),
            (Role::Sender, "Sent by"),
            (Role::ReplyTo, "Answers to"),
            (Role::To, "To"),
            (Role::Cc, "Copy to"),
            (Role::Bcc, "Blind copy to"),
        ];
        let holders: Vec<&Row> = self.row.parents.iter().filter_map(|(parent, _)| self.shelf.row(*parent)).collect();
        html! {
            dl.facts {
                @for (role, words) in ROLES {
                    @let people: Vec<&Person> = self.record.people.iter().filter(|person| person.role == role).collect();
                    @if !people.is_empty() { dt { (words) } dd { (names(&people, role)) } }
                }
                @if let Some((first, others)) = self.record.dates.split_first() {
                    dt { "Date" } dd { (dated(first)) }
                    @for other in others.iter().filter(|other| other.seconds.abs_diff(first.seconds) > 300).take(4) {
                        dt { "Also dated" } dd { (dated(other)) " " span.quiet { "according to " (when::source(other.source)) } }
                    }
                } @else { dt { "Date" } dd.quiet { "none is stated" } }
                dt { "Kind" } dd { (lists::sort(self.record.kind, &self.record.media_type)) @if self.row.length > 0 { ", " (size(self.row.length)) } }
                @if !holders.is_empty() {
                    dt { @if holders.iter().any(|holder| holder.kind == Kind::Message) { "Attached to" } @else { "Kept in" } }
                    dd { ul { @for holder in holders.iter().take(20) {
                        li { a href=(lists::address(self.collection, holder.number)) dir="auto" { (lists::title(&holder.title, holder.kind)) } }
                    } } @if holders.len() > 20 { span.quiet { "and " (count(holders.len() as u64 - 20, "other", "others")) } } }
                }
                @let other_names: Vec<String> = self.record.names().map(ToString::to_string).filter(|name| *name != self.record.title).collect();
                @if !other_names.is_empty() { dt { "Named" } dd { @for (at, name) in other_names.iter().take(10).enumerate() { @if at > 0 { ", " } bdi { (name) } } } }
                @if let Some(language) = language(self.record) { dt { "Language" } dd { (language_name(language)) ", as it seems" } }
                (self.replaced())
            }
        }
    }

    /// What was published of it before this, and why that is not what readers see.
    fn replaced(&self) -> Markup {
        let archive = self.library.archive();
        let history = archive.history(self.collection, self.row.number).unwrap_or_default();
        let before: Vec<(u64, u64)> = history.into_iter().filter(|(serial, _)| *serial < self.row.place.serial).collect();
        if self.record.reason.is_empty() && before.is_empty() {
            return html! {};
        }
        let date = |serial: u64| archive.release(serial).map(|release| when::Civil::of(release.note.time).words()).unwrap_or_default();
        html! {
            dt { "Replaced" }
            dd {
                "this is not its first publication: on " (date(self.row.place.serial)) " it took the place of an earlier one"
                @if !self.record.reason.is_empty() { ", because: " bdi { (self.record.reason) } }
                ul { @for (serial, line) in before.iter().rev().take(EARLIER) {
                    li.small { "release " (serial) ", " (date(*serial)) @if archive.withdrawn_line(*serial, *line).is_some() { ", withdrawn" } @else { ", still in the archive" } }
                } }
                @if before.len() > EARLIER { p.small.quiet { "and " (count((before.len() - EARLIER) as u64, "earlier one", "earlier ones")) } }
            }
        }
    }

    /// The ways to read it.
    fn ways(&self, reading: &Reading) -> Markup {
        let here = lists::address(self.collection, self.row.number);
        let is_text = matches!(reading, Reading::Text { .. });
        let (text, view, raw) = (self.file(FileRole::Text), self.file(FileRole::View), self.file(FileRole::Raw));
        html! {
            ul.ways aria-label="Ways to read it" {
                @if text.is_some() { li { a href=(here) aria-current=[is_text.then_some("true")] { "Text" } } }
                @if view.is_some() { li { a href={ (here) "?as=view" } aria-current=[(*reading == Reading::View).then_some("true")] { "As laid out" } } }
                @if raw.is_some() { li { a href=(self.below("raw")) { "Original" } } }
                li { a href=(self.below("proof")) { "Proof" } }
            }
        }
    }

    fn text(&self, reading: &Reading) -> Markup {
        match reading {
            Reading::Text { shown, .. } if shown.trim().is_empty() => {
                html! { p.said { "There is no text in this document." (self.why_empty()) } (self.pictures_from(1)) (self.pictures_missing()) }
            }
            Reading::Text { shown, first, last, length } => self.pages(shown, *first, *last, *length),
            Reading::View => html! {
                iframe.view sandbox="" src=(self.below("view")) title="The document as its author laid it out" loading="lazy" {}
                p.note { "Pictures, scripts and everything that would be loaded from elsewhere were taken out before publication. "
                    a href=(self.below("view")) { "Open it on its own" } ", where its links work." }
            },
            Reading::Nothing => html! {
                p.said { "This document cannot be shown as text. " (self.why_empty())
                    @if self.file(FileRole::Raw).is_some() { a href=(self.below("raw")) { "Save the original" } " to open it on your own computer, with care: it comes from strangers." } }
                (self.pictures_from(1))
                (self.pictures_missing())
            },
        }
    }

    /// The text, page by page where it has pages.
    fn pages(&self, shown: &str, first: u32, last: bool, length: u64) -> Markup {
        let here = Href::new(&lists::address(self.collection, self.row.number));
        let from =
            |page: u32| here.clone().with("page", &if page > 1 { page.to_string() } else { String::new() }).at(&format!("page-{page}"));
        let has_pages = first > 1 || shown.contains(PAGE) || self.has_many_pages();
        let end = first.saturating_add(u32::try_from(shown.matches(PAGE).count()).unwrap_or(u32::MAX));
        let word = lists::page_word(&self.record.media_type);
        html! {
            (self.by_a_machine(shown))
            @if first > 1 { p.said { "This is a long text, shown from " (word) " " (first) " on. " a href=(from(1)) { "From the beginning" } "." } }
            div #text lang=[language(self.record)] {
                @if has_pages {
                    @for (page, text) in (first..).zip(shown.split(PAGE)) {
                        (self.page_heading(page))
                        (self.picture(page))
                        div.read { (prose(text)) }
                    }
                } @else { (self.picture(1)) div.read { (prose(shown)) } }
            }
            @if last { (self.pictures_from(end.saturating_add(1))) }
            (self.pictures_missing())
            @if !last {
                p.said {
                    @if first == 1 { "This is the beginning of a long text" } @else { "This is a piece of a long text" }
                    ": " (size(shown.len() as u64)) " of " (size(length)) ". "
                    @if has_pages && end > first { a href=(from(end)) { "On from " (word) " " (end) } ", or " a href=(self.below("text")) { "the whole text" } }
                    @else { a href=(self.below("text")) { "The whole text" } } "."
                }
            }
        }
    }

    fn page_heading(&self, page: u32) -> Markup {
        let word = capitalised(lists::page_word(&self.record.media_type));
        html! { h2.page id={ "page-" (page) } lang="en" { a href={ "#page-" (page) } { (word) " " (page) } } }
    }

    fn has_many_pages(&self) -> bool {
        self.pictures.first().is_some_and(|picture| picture.of > 1)
    }

    /// What a page looks like, where that was published. It is fetched when somebody comes near it.
    fn picture(&self, page: u32) -> Markup {
        let Ok(found) = self.pictures.binary_search_by_key(&page, |picture| picture.page) else { return html! {} };
        let PagePicture { page, width, height, .. } = self.pictures[found];
        let address = self.below(&format!("page/{page}"));
        let words = if self.has_many_pages() { format!("Page {page} as it looks") } else { "What it looks like".to_owned() };
        html! { figure.page lang="en" { a href=(address) { img src=(address) width=(width) height=(height) alt=(words) loading="lazy" decoding="async"; } } }
    }

    /// The pictures of pages from this one on, which have no text.
    fn pictures_from(&self, first: u32) -> Markup {
        let rest = self.pictures.iter().filter(|picture| picture.page >= first);
        html! { @for picture in rest { @if self.has_many_pages() { (self.page_heading(picture.page)) } (self.picture(picture.page)) } }
    }

    /// That there is no picture of some pages.
    fn pictures_missing(&self) -> Markup {
        let Some(end) = self.pictures.last() else { return html! {} };
        let there = |page: &u32| self.pictures.binary_search_by_key(page, |picture| picture.page).is_ok();
        let missing: Vec<u32> = (1..=end.page).filter(|page| !there(page)).collect();
        html! {
            @if !missing.is_empty() { p.note { "There is no picture of " (page_list(&missing)) "." } }
            @if end.of > end.page { p.note { "Its first " (end.page) " of " (end.of) " pages were published as pictures; the original has all of them." } }
        }
    }

    /// Words that a machine saw in a picture are not what anybody wrote until somebody looks.
    fn by_a_machine(&self, shown: &str) -> Markup {
        let told = self.record.faults.iter().filter(|fault| fault.code == FaultCode::Recognised);
        let told: Vec<&Fault> = told.collect();
        // A PDF can bring such text along, of which its reader has nothing more to say.
        if told.is_empty() && !shown.contains("[recognised text]") {
            return html! {};
        }
        html! {
            p.said {
                "What stands between [recognised text] and [end of recognised text] was recognised in pictures by a machine and may be wrong. Look at the original before you quote it."
                @for fault in told { " It says: " bdi { (fault.detail) } " (" (fault.tool) ")." }
            }
        }
    }

    fn why_empty(&self) -> Markup {
        html! { @for fault in self.record.faults.iter().take(3) { " Its reader said: " bdi { (fault) } ". " } }
    }

    /// What is attached to it, or stands in it.
    fn parts(&self, span: PageSpan) -> Markup {
        if span.total == 0 {
            return html! {};
        }
        let skip = usize::try_from(span.offset()).unwrap_or(usize::MAX);
        let here = |page: u64| Href::new(&lists::address(self.collection, self.row.number)).with("parts", &page.to_string()).at("parts");
        html! {
            h2 #parts { @if self.record.kind == Kind::Container { "In it" } @else { "Attached" } ", " (count(span.total, "document", "documents")) }
            ul.files {
                @for part in self.shelf.parts(self.row.number).skip(skip).take(PARTS as usize) {
                    li {
                        a href=(lists::address(self.collection, part.number)) dir="auto" { (lists::title(&part.title, part.kind)) }
                        span.quiet.small {
                            @if !part.who.is_empty() { bdi { (part.who) } " · " }
                            @if let Some(date) = &part.date { (lists::date(date)) " · " }
                            (lists::sort(part.kind, &part.media_type)) @if part.length > 0 { " · " (size(part.length)) }
                        }
                    }
                }
            }
            (pager(span, &here))
        }
    }

    /// What could not be read, and why.
    fn missing(&self) -> Markup {
        let faults: Vec<&Fault> = self.record.faults.iter().filter(|fault| fault.code != FaultCode::Recognised).collect();
        html! {
            @if !faults.is_empty() {
                h2 { "What could not be read" }
                ul { @for fault in faults.iter().take(50) { li.small { bdi { (fault) } @if !fault.tool.is_empty() { span.quiet { " (reader: " (fault.tool) ")" } } } } }
                @if faults.len() > 50 { p.small { "and " (count(faults.len() as u64 - 50, "more of the kind", "more of the kind")) "." } }
            }
        }
    }

    /// What the publisher found of the signatures of a message, whose word that is, and how to do it oneself.
    fn signatures(&self) -> Markup {
        let verdicts = &self.record.verdicts;
        if verdicts.is_empty() {
            return html! {};
        }
        let tried = verdicts.iter().any(|verdict| !verdict.domain.is_empty());
        html! {
            h2 #signatures { "Signatures" }
            ul { @for verdict in verdicts.iter().take(50) { li { (signature(verdict)) } } }
            @if tried {
                p.note { "This is what the publisher found when the message was published; this site did not check it again. A signature shows that a domain's "
                    "mail server answered for the message, not who wrote it, and not that what it says is true." }
                @if self.file(FileRole::Raw).is_some() {
                    p { "Check it yourself: save the original, get the domain's key of that time from somebody other than us, and give both to a program "
                        "that verifies DKIM, such as " span.mono { "dkimverify" } " of dkimpy, or " span.mono { "daylight dkim import" } " on a desk of your own." }
                }
            }
        }
    }

    /// How to cite it and how to check it.
    fn cite(&self) -> Markup {
        let raw = self.file(FileRole::Raw);
        let name = format!("{}-{}", self.collection, self.row.number);
        html! {
            h2 { "Cite and check" }
            p { "Cite it as " b { (self.library.origin()) ", " (self.collection) "/" (self.row.number) } ", release " (self.row.place.serial)
                ". The number is permanent: it will never mean another document." }
            @if let Some(raw) = raw {
                p { "Check it yourself: " a href=(self.below("raw")) { "save the original" } ", then compare its SHA-256." }
                pre.commands { "sha256sum " (raw_name(&name, raw)) "\n" (raw.sha256) }
            }
            p { a href=(self.below("proof")) { "The proof" } " ties these bytes to what the editors signed, with tools that are not ours." }
        }
    }
}

/// The language of a document's text, as an attribute that is never wrong in form.
fn language(record: &Record) -> Option<&str> {
    Some(record.language.as_str()).filter(|language| is_language_code(language))
}

fn capitalised(word: &str) -> String {
    let mut rest = word.chars();
    rest.next().map_or_else(String::new, |first| first.to_uppercase().chain(rest).collect())
}

/// The name under which a document's original is saved: letters, digits and one extension that we chose.
pub(crate) fn raw_name(stem: &str, raw: &FileRef) -> String {
    let extension = match raw.media_type.split(';').next().unwrap_or("").trim() {
        "message/rfc822" => "eml",
        "application/mbox" => "mbox",
        "text/plain" => "txt",
        "text/html" => "html",
        "text/csv" => "csv",
        "application/json" => "json",
        "application/pdf" => "pdf",
        "application/zip" => "zip",
        "image/png" => "png",
        "image/jpeg" => "jpg",
        "image/gif" => "gif",
        "application/msword" => "doc",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document" => "docx",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet" => "xlsx",
        _ => "bin",
    };
    format!("{stem}.{extension}")
}

fn signature(verdict: &Verdict) -> Markup {
    let remarks = verdict.remarks();
    html! {
        strong { @if verdict.kind == SignatureKind::Dkim { "DKIM" } @else { "ARC" } ", " (verdict.outcome.word().replace('-', " ")) @if verdict.is_weak() { ", weak" } ": " }
        bdi { (verdict.sentence()) }
        @for remark in &remarks { " " bdi { (remark) } }
        @if let Some(key) = &verdict.key {
            " " span.quiet {
                "Checked by the publisher with the key " span.mono { (verdict.key_name()) } " (" (verdict.algorithm.word()) ", " (key.bits) " bits, SHA-256 "
                span.mono { (key.fingerprint.get(..16).unwrap_or(&key.fingerprint)) "…" } ")"
                @if key.seen.is_some() || !key.source.is_empty() { ", seen" }
                @if let Some(seen) = key.seen { " on " (when::Civil::of(seen).words()) }
                @if !key.source.is_empty() { ", source: " bdi { (key.source) } }
                "."
            }
        }
    }
}

fn dated(date: &Date) -> Markup {
    html! {
        @if let Some(machine) = when::machine(date) { time datetime=(machine) { (when::long(date)) } } @else { (when::long(date)) }
        @if let Some(doubt) = date.doubt { " " span.doubt { "In doubt: " (when::doubt(doubt)) "." } }
    }
}

/// People of one role; a few are shown, many are folded, and of very many the number is said.
fn names(people: &[&Person], role: Role) -> Markup {
    let (shown, folded) = people.split_at(people.len().min(NAMED));
    let listed = &folded[..folded.len().min(NAMED_AT_ALL)];
    html! {
        ul { @for person in shown { li { (name(person, role)) } } }
        @if !folded.is_empty() {
            details {
                summary { "and " (count(folded.len() as u64, "other", "others")) }
                ul { @for person in listed { li { (name(person, role)) } } }
                @if listed.len() < folded.len() { p.quiet { "and " (count((folded.len() - listed.len()) as u64, "more, in the original", "more, in the original")) } }
            }
        }
    }
}

fn name(person: &Person, role: Role) -> Markup {
    let field = match role {
        Role::From => "from",
        Role::To => "to",
        Role::Cc => "cc",
        _ => "person",
    };
    let key = if person.address.is_empty() { &person.name } else { &person.address };
    let shown = if person.name.is_empty() { &person.address } else { &person.name };
    html! {
        a href=(Href::new("/search").with("q", &super::results::term(field, key))) dir="auto" { (shown) }
        @if !person.name.is_empty() && !person.address.is_empty() { " " bdi.address { (person.address) } }
    }
}
