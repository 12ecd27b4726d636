//! Which message answers which: near-linear in messages and references, after Zawinski's algorithm, but with union-find in place of walks, so that
//! no shape of references makes a cycle, a deep recursion or a long search.

use crate::codec::Links;
use daylight_model::DocumentId;
use std::cmp::Ordering;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

/// A reply without references joins a thread of its subject only if that was alive this many seconds before: 60 days.
const ALIVE: i64 = 60 * 24 * 3600;

/// A message to be threaded: its links as hashes, so that a desk's millions of messages fit into memory. Two different names fall together once in
/// ages; whoever wanted two threads joined could as well write a reference.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    seq: u64,
    id: DocumentId,
    date: Option<i64>,
    /// 0 if it has none.
    message_id: u64,
    /// What it answers: the last reference first, then In-Reply-To.
    answers: Box<[u64]>,
    /// 0 if its subject says nothing.
    subject: u64,
    is_reply: bool,
}

impl Message {
    pub(crate) fn of(seq: u64, id: DocumentId, links: &Links) -> Self {
        let named = links.references.iter().rev().chain(&links.in_reply_to);
        let answers = named.filter(|name| **name != links.message_id).map(|name| hash(name)).filter(|hash| *hash != 0).collect();
        let (base, is_reply) = base_subject(&links.subject);
        Self { seq, id, date: links.date, message_id: hash(&links.message_id), answers, subject: hash(&base), is_reply }
    }
}

/// Never 0 but for the empty string.
fn hash(text: &str) -> u64 {
    if text.is_empty() {
        return 0;
    }
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish().max(1)
}

/// A message's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Threaded {
    pub(crate) seq: u64,
    /// The first message of the thread.
    pub(crate) thread: u64,
    /// Its place in the order of display, from 0.
    pub(crate) position: u64,
    pub(crate) parent: Option<u64>,
    pub(crate) depth: u32,
}

/// Threads messages. The result depends on what the messages are, not on the order in which they came: they are taken by date, then by id.
pub(crate) fn thread(mut messages: Vec<Message>) -> Vec<Threaded> {
    messages.sort_by(before);
    let mut forest = Forest::of(&messages);
    forest.link_references(&messages);
    forest.link_subjects(&messages);
    forest.lay_out(&messages)
}

/// Undated messages come last.
fn before(a: &Message, b: &Message) -> Ordering {
    let date = |message: &Message| message.date.unwrap_or(i64::MAX);
    date(a).cmp(&date(b)).then_with(|| a.id.cmp(&b.id))
}

struct Forest {
    parents: Vec<Option<usize>>,
    /// Trees: what is joined by links from child to parent. A link within one tree would close a cycle.
    trees: Union,
    /// Threads: trees, and what else belongs together. Beyond the messages it has a node for every id that is named but not here.
    threads: Union,
}

impl Forest {
    fn of(messages: &[Message]) -> Self {
        Self { parents: vec![None; messages.len()], trees: Union::of(messages.len()), threads: Union::of(messages.len()) }
    }

    /// The parent is the last reference that is here, else the first message that In-Reply-To names and is here. Messages that name the same
    /// absent one belong together, and so do several with one Message-ID: the first of them is the one that others answer.
    fn link_references(&mut self, messages: &[Message]) {
        let mut known: HashMap<u64, usize> = HashMap::with_capacity(messages.len());
        for (at, message) in messages.iter().enumerate().filter(|(_, message)| message.message_id != 0) {
            let first = *known.entry(message.message_id).or_insert(at);
            self.threads.join(first, at);
        }
        for (at, message) in messages.iter().enumerate() {
            for name in &message.answers {
                let next = self.threads.len();
                let other = *known.entry(*name).or_insert(next);
                if other == next {
                    self.threads.add();
                }
                if other >= messages.len() {
                    self.threads.join(at, other);
                } else if self.parents[at].is_none() {
                    self.attach(at, other);
                }
            }
        }
    }

    /// A reply by its subject that names nothing it replies to joins the thread that last had this subject.
    fn link_subjects(&mut self, messages: &[Message]) {
        let mut alive: HashMap<u64, (usize, i64)> = HashMap::new();
        for (at, message) in messages.iter().enumerate() {
            let (Some(date), base, is_reply) = (message.date, message.subject, message.is_reply) else { continue };
            if base == 0 {
                continue;
            }
            let names_nothing = message.answers.is_empty();
            let near = alive.get(&base).copied().filter(|(_, last)| date.saturating_sub(*last) <= ALIVE);
            let first = match near {
                Some((first, _)) if is_reply && names_nothing => {
                    self.attach(at, first);
                    first
                }
                Some((first, _)) if is_reply && self.threads.same(first, at) => first,
                // Replies of other threads under the same subject do not take it over from the one that began with it.
                Some(_) if is_reply => continue,
                _ => at,
            };
            alive.insert(base, (first, date));
        }
    }

    /// Makes `parent` the parent of `at`, which has none, unless it descends from `at`.
    fn attach(&mut self, at: usize, parent: usize) {
        if self.parents[at].is_none() && self.trees.join(parent, at) {
            self.parents[at] = Some(parent);
            self.threads.join(parent, at);
        }
    }

    /// Walks every thread from its roots down, without recursion: chains may be as long as a trove.
    fn lay_out(mut self, messages: &[Message]) -> Vec<Threaded> {
        let mut children: Vec<Vec<usize>> = vec![Vec::new(); messages.len()];
        let mut roots: HashMap<usize, Vec<usize>> = HashMap::new();
        let mut order = Vec::new();
        for at in 0..messages.len() {
            match self.parents[at] {
                Some(parent) => children[parent].push(at),
                None => {
                    let group = self.threads.root(at);
                    let group_roots = roots.entry(group).or_default();
                    if group_roots.is_empty() {
                        order.push(group);
                    }
                    group_roots.push(at);
                }
            }
        }
        let mut threaded = Vec::with_capacity(messages.len());
        for group in order {
            self.lay_out_thread(&roots[&group], &children, messages, &mut threaded);
        }
        threaded
    }

    fn lay_out_thread(&self, roots: &[usize], children: &[Vec<usize>], messages: &[Message], threaded: &mut Vec<Threaded>) {
        let thread = messages[roots[0]].seq;
        let mut waiting: Vec<(usize, u32)> = roots.iter().rev().map(|root| (*root, 0)).collect();
        let mut position = 0;
        while let Some((at, depth)) = waiting.pop() {
            let parent = self.parents[at].map(|parent| messages[parent].seq);
            threaded.push(Threaded { seq: messages[at].seq, thread, position, parent, depth });
            position += 1;
            waiting.extend(children[at].iter().rev().map(|child| (*child, depth.saturating_add(1))));
        }
    }
}

/// Disjoint sets with union by size and path halving.
struct Union {
    up: Vec<usize>,
    size: Vec<u32>,
}

impl Union {
    fn of(count: usize) -> Self {
        Self { up: (0..count).collect(), size: vec![1; count] }
    }

    fn len(&self) -> usize {
        self.up.len()
    }

    fn add(&mut self) {
        self.up.push(self.up.len());
        self.size.push(1);
    }

    fn root(&mut self, mut at: usize) -> usize {
        while self.up[at] != at {
            self.up[at] = self.up[self.up[at]];
            at = self.up[at];
        }
        at
    }

    fn same(&mut self, a: usize, b: usize) -> bool {
        self.root(a) == self.root(b)
    }

    /// Joins two sets; false if they were one.
    fn join(&mut self, a: usize, b: usize) -> bool {
        let (mut a, mut b) = (self.root(a), self.root(b));
        if a == b {
            return false;
        }
        if self.size[a] < self.size[b] {
            std::mem::swap(&mut a, &mut b);
        }
        self.up[b] = a;
        self.size[a] = self.size[a].saturating_add(self.size[b]);
        true
    }
}

/// What mail programs put before the subject of an answer or a forwarded message, in lower case.
const PREFIXES: [&str; 26] = [
    "re", "fwd", "fw", "aw", "wg", "sv", "vs", "vl", "vb", "antw", "doorst", "odp", "pd", "tr", "rv", "res", "enc", "rif", "ynt", "ilt",
    "atb", "r", "回复", "答复", "回覆", "转发",
];

/// The subject without prefixes of answers, in lower case and with single spaces, and whether it had one. A list's tag, `[list]`, may stand before
/// or after the prefixes and stays.
fn base_subject(subject: &str) -> (String, bool) {
    let (mut tags, mut rest, mut is_reply) = (String::new(), subject.trim(), false);
    loop {
        if let Some(stripped) = strip_prefix(rest) {
            (rest, is_reply) = (stripped, true);
        } else if let Some((tag, stripped)) = strip_tag(rest) {
            tags.push_str(tag);
            tags.push(' ');
            rest = stripped;
        } else {
            break;
        }
    }
    let mut base = String::with_capacity(tags.len() + rest.len());
    for word in tags.split_whitespace().chain(rest.split_whitespace()) {
        if !base.is_empty() {
            base.push(' ');
        }
        base.extend(word.chars().flat_map(char::to_lowercase));
    }
    // A subject of nothing but tags says nothing about what it is an answer to.
    if rest.is_empty() { (String::new(), is_reply) } else { (base, is_reply) }
}

/// `Re:`, `Re[2]:`, `Re (2):`, with a full-width colon too.
fn strip_prefix(text: &str) -> Option<&str> {
    let end = text.find([':', '：']).filter(|end| *end <= 24)?;
    let (head, tail) = text.split_at(end);
    let word = head.trim_end_matches(|c: char| c.is_ascii_digit() || matches!(c, '[' | ']' | '(' | ')' | ' ' | '^'));
    let known = PREFIXES.contains(&word.to_lowercase().as_str());
    known.then(|| tail.trim_start_matches([':', '：']).trim_start())
}

/// `[list]`, not empty and at most 64 bytes.
fn strip_tag(text: &str) -> Option<(&str, &str)> {
    let inside = text.strip_prefix('[')?;
    let end = inside.find(']').filter(|end| (1..=64).contains(end))?;
    Some((&text[..end + 2], inside[end + 1..].trim_start()))
}

#[cfg(test)]
mod tests;
