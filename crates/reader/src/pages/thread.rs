//! A conversation as a tree.

use super::{lists, page};
use crate::catalogue::{Row, Shelf};
use crate::library::Library;
use daylight_html::{Frame, Href, Markup, PageSpan, TreeItem, count, pager, tree};
use maud::html;
use std::collections::HashMap;

/// How many messages a page of a conversation shows.
pub(crate) const PER_PAGE: u64 = 200;
/// Up to how many messages the whole conversation is shown beside a document.
const BESIDE: usize = 25;
/// How many messages before and after a document are shown beside it where the conversation is longer.
const AROUND: usize = 8;

/// The page of a conversation, for one of its messages. `None` if there is no such page of it.
pub(crate) fn thread(library: &Library, frame: &Frame, collection: &str, row: &Row, page_number: u64) -> Option<String> {
    let shelf = library.catalogue().shelf(collection)?;
    let members = members(shelf, row);
    let span = PageSpan { page: page_number, per_page: PER_PAGE, total: members.len() as u64, reach: u64::MAX };
    if !span.exists() {
        return None;
    }
    let first = members.first().copied().unwrap_or(row);
    let title = lists::title(&first.title, first.kind).to_owned();
    let shown = usize::try_from(span.offset()).unwrap_or(usize::MAX);
    let lines = in_tree_order(&members);
    let items = lines.iter().skip(shown).take(PER_PAGE as usize);
    let here = |page: u64| {
        Href::new(&format!("/thread/{collection}/{}", row.number)).with("page", &if page > 1 { page.to_string() } else { String::new() })
    };
    let main = html! {
        p.crumbs { a href={ "/c/" (collection) } { (library.title(collection)) } " › conversation" }
        (lists::heading(&title))
        p.note { (count(members.len() as u64, "message", "messages")) (between(&members)) ". An answer stands under what it answers." }
        div.thread { (tree(items.map(|line| item(collection, line, first, row)))) }
        (pager(span, &here))
    };
    let full = format!("Conversation: {title}");
    Some(page(&full, "Skip to the conversation", main, None).render(frame))
}

/// The conversation as it stands beside one of its messages; nothing if that is all there is of it.
pub(super) fn beside(shelf: &Shelf, collection: &str, row: &Row) -> Option<Markup> {
    let members = members(shelf, row);
    if members.len() < 2 {
        return None;
    }
    let at = members.iter().position(|member| member.number == row.number).unwrap_or(0);
    let near = if members.len() <= BESIDE { &members[..] } else { &members[at.saturating_sub(AROUND)..members.len().min(at + AROUND + 1)] };
    let first = members.first().copied().unwrap_or(row);
    let lines = in_tree_order(near);
    Some(html! {
        h2 { "Conversation, " (count(members.len() as u64, "message", "messages")) }
        @if near.len() < members.len() { p.small.quiet { (near.len()) " of them, around this one" } }
        (tree(lines.iter().map(|line| item(collection, line, first, row))))
        p.small { a href={ "/thread/" (collection) "/" (row.number) } { "The whole conversation" } }
    })
}

fn members<'a>(shelf: &'a Shelf, row: &'a Row) -> Vec<&'a Row> {
    match row.thread {
        Some(thread) => shelf.thread(thread).collect(),
        None => vec![row],
    }
}

/// A message where it stands in the tree.
struct Line<'a> {
    depth: usize,
    row: &'a Row,
    /// The message above it.
    answered: Option<&'a Row>,
}

/// The messages in reading order with their depth: each under the one it answers, the oldest first. Walked with a stack of our own, for a
/// conversation may be thousands deep; one that answers itself in a ring begins anew with the oldest of the ring.
fn in_tree_order<'a>(members: &[&'a Row]) -> Vec<Line<'a>> {
    let places: HashMap<u64, usize> = members.iter().enumerate().map(|(at, row)| (row.number, at)).collect();
    let mut answers: Vec<Vec<usize>> = vec![Vec::new(); members.len()];
    let mut roots = Vec::new();
    for (at, row) in members.iter().enumerate() {
        match row.answers.and_then(|n| places.get(&n)).filter(|parent| **parent != at) {
            Some(parent) => answers[*parent].push(at),
            None => roots.push(at),
        }
    }
    let mut order = Vec::with_capacity(members.len());
    let mut placed = vec![false; members.len()];
    for root in roots.into_iter().chain(0..members.len()) {
        let mut stack = vec![(0, root, None)];
        while let Some((depth, at, answered)) = stack.pop() {
            if std::mem::replace(&mut placed[at], true) {
                continue;
            }
            order.push(Line { depth, row: members[at], answered });
            stack.extend(answers[at].iter().rev().map(|answer| (depth + 1, *answer, Some(members[at]))));
        }
    }
    order
}

/// A message in a tree: its sender and date, and its subject where that is another than that of the message above it.
fn item(collection: &str, line: &Line<'_>, first: &Row, here: &Row) -> TreeItem {
    let (row, current) = (line.row, line.row.number == here.number);
    let who = if row.who.is_empty() { lists::title(&row.title, row.kind) } else { &row.who };
    let above = line.answered.unwrap_or(first);
    let changed = !row.who.is_empty() && bare(&row.title) != bare(&above.title);
    let body = html! {
        @if current { span.here dir="auto" { (who) } } @else { a href=(lists::address(collection, row.number)) dir="auto" { (who) } }
        @if let Some(date) = &row.date { " " span.when { (lists::date(date)) } }
        @if changed { br; span.small.quiet dir="auto" { (row.title) } }
    };
    TreeItem { depth: line.depth, body, current }
}

/// A subject without the marks of answers and forwards before it.
fn bare(subject: &str) -> &str {
    let mut rest = subject.trim();
    loop {
        let mark = ["re:", "fwd:", "fw:", "aw:", "sv:", "antw:"]
            .into_iter()
            .find(|mark| rest.get(..mark.len()).is_some_and(|start| start.eq_ignore_ascii_case(mark)));
        match mark {
            Some(mark) => rest = rest[mark.len()..].trim_start(),
            None => return rest,
        }
    }
}

fn between(members: &[&Row]) -> Markup {
    let mut dates = members.iter().filter_map(|row| row.date.as_ref());
    let (first, last) = (dates.next(), dates.next_back());
    html! {
        @if let Some(first) = first { ", " (lists::date(first)) }
        @if let Some(last) = last.filter(|last| Some(crate::when::short(last)) != first.map(crate::when::short)) { " to " (lists::date(last)) }
    }
}
