//! Which message answers which: near-linear in messages and references, after Zawinski's algorithm, but with union-find in place of walks, so that
//! no shape of references makes a cycle, a deep recursion or a long search.
//!
//! All messages of a desk are in memory while they are threaded, at some 80 bytes each and 8 for each reference: a million messages take about
//! 120 MB. So everything here is a flat array of small numbers.

use crate::codec::Links;
use daylight_model::DocumentId;
use std::cmp::Ordering;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, DefaultHasher, Hash, Hasher};

/// A reply without references joins a thread of its subject only if that was alive this many seconds before: 60 days.
const ALIVE: i64 = 60 * 24 * 3600;

/// No message.
const NONE: u32 = u32::MAX;

/// Messages to be threaded. Their links are kept as hashes, of which two fall together once in ages; whoever wanted two threads joined could as
/// well write a reference.
#[derive(Debug, Clone, Default)]
pub(crate) struct Messages {
    messages: Vec<Message>,
    /// What they answer, those of one message together: the last reference first, then In-Reply-To.
    answers: Vec<u64>,
}

#[derive(Debug, Clone, Copy)]
struct Message {
    seq: u64,
    /// The first half of its id, which orders what has the same date.
    order: [u8; 16],
    /// Undated messages come last.
    date: i64,
    /// 0 if it has none.
    message_id: u64,
    /// 0 if its subject says nothing.
    subject: u64,
    is_reply: bool,
    answers: u32,
    first_answer: usize,
}

impl Messages {
    pub(crate) fn add(&mut self, seq: u64, id: &DocumentId, links: &Links) {
        let named = links.references.iter().rev().chain(&links.in_reply_to);
        let first_answer = self.answers.len();
        self.answers.extend(named.filter(|name| **name != links.message_id).map(|name| hash(name)).filter(|hash| *hash != 0));
        let (base, is_reply) = base_subject(&links.subject);
        let mut order = [0; 16];
        order.copy_from_slice(&id.0.0[..16]);
        self.messages.push(Message {
            seq,
            order,
            date: links.date.unwrap_or(i64::MAX),
            message_id: hash(&links.message_id),
            subject: hash(&base),
            is_reply,
            answers: u32::try_from(self.answers.len() - first_answer).unwrap_or(u32::MAX),
            first_answer,
        });
    }

    fn len(&self) -> usize {
        self.messages.len()
    }

    fn answers(&self, at: u32) -> &[u64] {
        let message = &self.messages[at as usize];
        &self.answers[message.first_answer..message.first_answer + message.answers as usize]
    }

    fn each(&self) -> impl Iterator<Item = (u32, &Message)> {
        (0..).zip(&self.messages)
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

/// What is hashed already is its own hash: whoever can choose 64 bits of SipHash with a known key gains a slow ingest of their own mail.
#[derive(Default)]
struct Hashed(u64);

impl Hasher for Hashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = value;
    }
}

type ByHash<V> = HashMap<u64, V, BuildHasherDefault<Hashed>>;

/// A message's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Threaded {
    pub(crate) seq: u64,
    /// The first message of the thread.
    pub(crate) thread: u64,
    /// Its place in the order of display, from 0.
    pub(crate) position: u32,
    pub(crate) parent: Option<u64>,
    pub(crate) depth: u32,
}

/// The places of all messages, by number.
pub(crate) struct Places {
    messages: Vec<Message>,
    /// Of each message: the first of its thread, its position, its parent, its depth. The first and the parent as places in `messages`.
    places: Vec<[u32; 4]>,
    by_seq: Vec<u32>,
}

impl Places {
    /// Every message's place, by rising number.
    pub(crate) fn by_seq(&self) -> impl Iterator<Item = Threaded> {
        self.by_seq.iter().map(|at| {
            let [thread, position, parent, depth] = self.places[*at as usize];
            let seq = |at: u32| self.messages[at as usize].seq;
            Threaded { seq: seq(*at), thread: seq(thread), position, parent: (parent != NONE).then(|| seq(parent)), depth }
        })
    }
}

/// Threads messages, at most 2^31 of them with what they name. The result depends on what the messages are, not on the order in which they came:
/// they are taken by date, then by id.
pub(crate) fn thread(mut messages: Messages) -> Places {
    messages.messages.sort_unstable_by(before);
    let mut forest = Forest::of(&messages);
    forest.link_references(&messages);
    forest.link_subjects(&messages);
    let places = forest.lay_out();
    let messages = messages.messages;
    let mut by_seq: Vec<u32> = (0..).take(messages.len()).collect();
    by_seq.sort_unstable_by_key(|at| messages[*at as usize].seq);
    Places { messages, places, by_seq }
}

fn before(a: &Message, b: &Message) -> Ordering {
    (a.date, a.order).cmp(&(b.date, b.order))
}

struct Forest {
    parents: Vec<u32>,
    /// Trees: what is joined by links from child to parent. A link within one tree would close a cycle.
    trees: Union,
    /// Threads: trees, and what else belongs together. Beyond the messages it has a node for every id that is named but not here.
    threads: Union,
}

impl Forest {
    fn of(messages: &Messages) -> Self {
        Self { parents: vec![NONE; messages.len()], trees: Union::of(messages.len()), threads: Union::of(messages.len()) }
    }

    /// The parent is the last reference that is here, else the first message that In-Reply-To names and is here. Messages that name the same
    /// absent one belong together, and so do several with one Message-ID: the first of them is the one that others answer.
    fn link_references(&mut self, messages: &Messages) {
        let mut known: ByHash<u32> = HashMap::with_capacity_and_hasher(messages.len(), BuildHasherDefault::default());
        for (at, message) in messages.each().filter(|(_, message)| message.message_id != 0) {
            let first = *known.entry(message.message_id).or_insert(at);
            self.threads.join(first, at);
        }
        for (at, _) in messages.each() {
            for name in messages.answers(at) {
                let next = self.threads.len();
                let other = *known.entry(*name).or_insert(next);
                if other == next {
                    self.threads.add();
                }
                if other as usize >= messages.len() {
                    self.threads.join(at, other);
                } else if self.parents[at as usize] == NONE {
                    self.attach(at, other);
                }
            }
        }
    }

    /// A reply by its subject that names nothing it replies to joins the thread that last had this subject.
    fn link_subjects(&mut self, messages: &Messages) {
        let mut alive: ByHash<(u32, i64)> = HashMap::default();
        for (at, message) in messages.each().filter(|(_, message)| message.subject != 0 && message.date != i64::MAX) {
            let (date, is_reply) = (message.date, message.is_reply);
            let near = alive.get(&message.subject).copied().filter(|(_, last)| date.saturating_sub(*last) <= ALIVE);
            let first = match near {
                Some((first, _)) if is_reply && message.answers == 0 => {
                    self.attach(at, first);
                    first
                }
                Some((first, _)) if is_reply && self.threads.same(first, at) => first,
                // Replies of other threads under the same subject do not take it over from the one that began with it.
                Some(_) if is_reply => continue,
                _ => at,
            };
            alive.insert(message.subject, (first, date));
        }
    }

    /// Makes `parent` the parent of `at`, which has none, unless it descends from `at`.
    fn attach(&mut self, at: u32, parent: u32) {
        if self.parents[at as usize] == NONE && self.trees.join(parent, at) {
            self.parents[at as usize] = parent;
            self.threads.join(parent, at);
        }
    }

    /// Walks every thread from its roots down, without recursion: chains may be as long as a trove.
    fn lay_out(mut self) -> Vec<[u32; 4]> {
        let count = self.parents.len();
        let mut children = Lists::of(count);
        let mut roots = Lists::of(self.threads.len() as usize);
        // From the last to the first, since what is put on a list comes before what is on it.
        for at in (0..).take(count).collect::<Vec<u32>>().into_iter().rev() {
            match self.parents[at as usize] {
                NONE => roots.push(self.threads.root(at), at),
                parent => children.push(parent, at),
            }
        }
        let mut places = vec![[NONE; 4]; count];
        for group in 0..self.threads.len() {
            if let Some(first) = roots.list(group).next() {
                self.lay_out_thread(first, &roots, group, &children, &mut places);
            }
        }
        places
    }

    fn lay_out_thread(&self, thread: u32, roots: &Lists, group: u32, children: &Lists, places: &mut [[u32; 4]]) {
        let mut position = 0;
        let mut waiting: Vec<(u32, u32)> = Vec::new();
        for root in roots.list(group) {
            waiting.push((root, 0));
            while let Some((at, depth)) = waiting.pop() {
                places[at as usize] = [thread, position, self.parents[at as usize], depth];
                position += 1;
                let from = waiting.len();
                waiting.extend(children.list(at).map(|child| (child, depth.saturating_add(1))));
                waiting[from..].reverse();
            }
        }
    }
}

/// Lists of numbers, each number on one list at most.
struct Lists {
    first: Vec<u32>,
    next: Vec<u32>,
}

impl Lists {
    fn of(count: usize) -> Self {
        Self { first: vec![NONE; count], next: vec![NONE; count] }
    }

    /// Puts `item` before all that is on the list.
    fn push(&mut self, list: u32, item: u32) {
        self.next[item as usize] = self.first[list as usize];
        self.first[list as usize] = item;
    }

    fn list(&self, list: u32) -> impl Iterator<Item = u32> {
        let some = |at: u32| (at != NONE).then_some(at);
        std::iter::successors(some(self.first[list as usize]), move |at| some(self.next[*at as usize]))
    }
}

/// Disjoint sets with union by size and path halving.
struct Union {
    up: Vec<u32>,
    size: Vec<u32>,
}

impl Union {
    fn of(count: usize) -> Self {
        Self { up: (0..).take(count).collect(), size: vec![1; count] }
    }

    fn len(&self) -> u32 {
        self.up.len() as u32
    }

    fn add(&mut self) {
        self.up.push(self.len());
        self.size.push(1);
    }

    fn root(&mut self, mut at: u32) -> u32 {
        while self.up[at as usize] != at {
            let above = self.up[self.up[at as usize] as usize];
            self.up[at as usize] = above;
            at = above;
        }
        at
    }

    fn same(&mut self, a: u32, b: u32) -> bool {
        self.root(a) == self.root(b)
    }

    /// Joins two sets; false if they were one.
    fn join(&mut self, a: u32, b: u32) -> bool {
        let (mut a, mut b) = (self.root(a), self.root(b));
        if a == b {
            return false;
        }
        if self.size[a as usize] < self.size[b as usize] {
            std::mem::swap(&mut a, &mut b);
        }
        self.up[b as usize] = a;
        self.size[a as usize] = self.size[a as usize].saturating_add(self.size[b as usize]);
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
