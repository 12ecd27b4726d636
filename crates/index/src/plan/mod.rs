//! From a query's tree to the engine's own.

mod sets;

use crate::Relation;
use crate::columns::Columns;
use crate::query::{self, How, Node, Text};
use crate::schema::{ATTACHMENT, Fields, LANGUAGE, PART, SIGNATURE, UNREADABLE, raw};
use crate::words::{WHOLE, whole};
use sets::{Beginning, Digested, Near, Numbered, Where};
use std::ops::Bound;
use tantivy::Term;
use tantivy::query::{
    AllQuery, BooleanQuery, BoostQuery, ConstScoreQuery, EmptyQuery, EnableScoring, FuzzyTermQuery, Occur, PhrasePrefixQuery, PhraseQuery,
    Query, RangeQuery, TermQuery,
};
use tantivy::schema::{Field, IndexRecordOption};

/// A match in a title counts so much more.
const TITLE: f32 = 2.5;

/// A match of the very form that was typed counts so much more again.
const EXACTLY: f32 = 1.0;

/// How many pieces the open end of a phrase may stand for.
const MOST_ENDINGS: u32 = 2000;

/// Which documents belong to the one of this id; `None` where that is not known.
type Related<'a> = &'a dyn Fn(Relation, &str) -> Option<Vec<u64>>;

/// Makes engine queries.
pub(crate) struct Planner<'a> {
    pub(crate) fields: &'a Fields,
    pub(crate) related: Related<'a>,
    pub(crate) columns: &'a Columns,
}

type Planned = Box<dyn Query>;

impl Planner<'_> {
    /// What a query asks for.
    pub(crate) fn query(&self, root: Option<&Node>) -> tantivy::Result<Planned> {
        let query = match root {
            None => Box::new(AllQuery),
            Some(node) => self.node(node)?,
        };
        if self.columns.parts == 0 {
            return Ok(query);
        }
        // What is in a part counts for its document, and the part itself is no answer.
        Ok(Box::new(BooleanQuery::new(vec![(Occur::Must, query), (Occur::MustNot, self.further_part())])))
    }

    /// The documents in a query's scope that could not be fully read. Its scope is what it says of collections.
    pub(crate) fn unreadable(&self, root: Option<&Node>) -> tantivy::Result<Planned> {
        let flag = Term::from_field_text(self.fields.flags, UNREADABLE);
        let mut clauses = vec![(Occur::Must, exact(flag))];
        if let Some(scope) = root.and_then(scope) {
            clauses.push((Occur::Must, self.node(&scope)?));
        }
        Ok(Box::new(BooleanQuery::new(clauses)))
    }

    /// Those words of a query that a text may have, any of them, in the first or in the further parts of a document's text. `None` if it asks for no
    /// words.
    pub(crate) fn words_in(&self, root: &Node, seq: u64, further: bool) -> Option<Planned> {
        let mut words = Vec::new();
        self.add_words(root, &mut words);
        if words.is_empty() {
            return None;
        }
        let document = unscored(Box::new(Where(Numbered { field: self.fields.seq, seqs: vec![seq] })));
        let which = if further { Occur::Must } else { Occur::MustNot };
        Some(Box::new(BooleanQuery::new(vec![(Occur::Must, any(words)), (Occur::Must, document), (which, self.further_part())])))
    }

    fn add_words(&self, node: &Node, words: &mut Vec<Planned>) {
        match node {
            Node::All(nodes) | Node::Any(nodes) => nodes.iter().for_each(|node| self.add_words(node, words)),
            Node::Text(query::Field::Anywhere | query::Field::Body, text) => words.push(self.text(query::Field::Body, text)),
            _ => {}
        }
    }

    fn further_part(&self) -> Planned {
        filter(self.fields.flags, PART)
    }

    fn node(&self, node: &Node) -> tantivy::Result<Planned> {
        Ok(match node {
            Node::All(nodes) => self.all(nodes)?,
            Node::Any(nodes) => any(nodes.iter().map(|node| self.node(node)).collect::<Result<_, _>>()?),
            Node::Not(_) => self.all(std::slice::from_ref(node))?,
            Node::Text(field @ (query::Field::Anywhere | query::Field::Body), text) => self.with_parts(self.text(*field, text))?,
            Node::Text(field, text) => self.text(*field, text),
            Node::Type(name) => filter(self.fields.kind, raw(name)),
            Node::HasAttachment => filter(self.fields.flags, ATTACHMENT),
            Node::Unreadable => filter(self.fields.flags, UNREADABLE),
            Node::Signed(word) => filter(self.fields.flags, raw(&format!("{SIGNATURE}{word}"))),
            Node::Collection(name) => filter(self.fields.collection, raw(name)),
            Node::Sha256(hex) => unscored(Box::new(Where(Digested::beginning(hex)))),
            Node::Dated(span) => {
                let bound = |seconds: i64| Term::from_field_i64(self.fields.date, seconds);
                let from = span.from.map_or(Bound::Unbounded, |s| Bound::Included(bound(s)));
                let until = span.until.map_or(Bound::Unbounded, |s| Bound::Excluded(bound(s)));
                unscored(Box::new(RangeQuery::new(from, until)))
            }
            Node::Language(code) => filter(self.fields.flags, &format!("{LANGUAGE}{code}")),
            Node::Near(id, _) => {
                let seqs = (self.related)(Relation::Near, id).unwrap_or_default();
                unscored(Box::new(Where(Numbered { field: self.fields.seq, seqs })))
            }
            Node::Thread(id) => match (self.related)(Relation::Thread, id) {
                Some(seqs) => unscored(Box::new(Where(Numbered { field: self.fields.seq, seqs }))),
                None => filter(self.fields.thread, raw(id)),
            },
        })
    }

    /// The documents that answer, and those of which a further part does. It is worked out here, for each word or phrase by itself, so that words of
    /// one query may stand in different parts.
    fn with_parts(&self, query: Planned) -> tantivy::Result<Planned> {
        if self.columns.parts == 0 {
            return Ok(query);
        }
        let within = BooleanQuery::new(vec![(Occur::Must, query.box_clone()), (Occur::Must, self.further_part())]);
        let weight = within.weight(EnableScoring::disabled_from_searcher(&self.columns.searcher))?;
        let mut seqs = Vec::new();
        for segment in &self.columns.segments {
            let mut take = |doc: &u32| seqs.extend(segment.seq.first(*doc).filter(|_| segment.is_alive(*doc)));
            weight.for_each_no_score(&segment.reader, &mut |block| block.iter().for_each(&mut take))?;
        }
        seqs.sort_unstable();
        seqs.dedup();
        if seqs.is_empty() {
            return Ok(query);
        }
        Ok(any(vec![query, Box::new(Where(Numbered { field: self.fields.seq, seqs }))]))
    }

    /// All of these; where all of them are negated, everything but them.
    fn all(&self, nodes: &[Node]) -> tantivy::Result<Planned> {
        let clause = |node: &Node| {
            Ok(match node {
                Node::Not(inner) => (Occur::MustNot, self.node(inner)?),
                node => (Occur::Must, self.node(node)?),
            })
        };
        let mut clauses: Vec<_> = nodes.iter().map(clause).collect::<tantivy::Result<_>>()?;
        if clauses.iter().all(|(occur, _)| *occur == Occur::MustNot) {
            clauses.push((Occur::Must, unscored(Box::new(AllQuery))));
        }
        Ok(Box::new(BooleanQuery::new(clauses)))
    }

    /// Where words of this field stand, and how much a match there counts.
    fn places(&self, field: query::Field) -> Vec<(Field, f32)> {
        let fields = self.fields;
        match field {
            query::Field::Anywhere => vec![
                (fields.body, 1.0),
                (fields.title, TITLE),
                (fields.from, 1.0),
                (fields.to, 1.0),
                (fields.cc, 1.0),
                (fields.reply, 1.0),
                (fields.file, 1.0),
            ],
            query::Field::Subject => vec![(fields.title, 1.0)],
            query::Field::Body => vec![(fields.body, 1.0)],
            query::Field::From => vec![(fields.from, 1.0)],
            query::Field::To => vec![(fields.to, 1.0)],
            query::Field::Cc => vec![(fields.cc, 1.0)],
            query::Field::Person => vec![(fields.from, 1.0), (fields.to, 1.0), (fields.cc, 1.0), (fields.reply, 1.0)],
            query::Field::File => vec![(fields.file, 1.0)],
        }
    }

    fn text(&self, field: query::Field, text: &Text) -> Planned {
        let people = matches!(field, query::Field::From | query::Field::To | query::Field::Cc | query::Field::Person);
        let places = self.places(field);
        if people && text.how == How::Plain && is_address(&text.written) {
            return any(places.iter().map(|(field, _)| exact(whole_term(*field, &text.written))).collect());
        }
        if let (true, [term]) = (text.open, text.terms.as_slice()) {
            let fields = places.iter().map(|(field, _)| *field).collect();
            return any(vec![Box::new(Where(Beginning { fields, with: term.folded.clone() })), any(self.words(&places, text))]);
        }
        let mut either = match text.how {
            How::Near(gap) => places.iter().map(|(field, _)| near(*field, text, gap)).collect(),
            How::Close(letters) => places.iter().flat_map(|(field, _)| close(*field, text, letters)).collect(),
            How::Plain | How::Beginning => Vec::new(),
        };
        either.extend(match text.how {
            How::Near(_) => Vec::new(),
            _ => self.words(&places, text),
        });
        if field == query::Field::File && text.how == How::Plain {
            either.push(exact(whole_term(self.fields.file, &text.written)));
        }
        any(either)
    }

    /// The words as they stand, in each of these places, and once more in the form they were typed in.
    fn words(&self, places: &[(Field, f32)], text: &Text) -> Vec<Planned> {
        let mut either: Vec<Planned> = Vec::new();
        let typed = text.terms.iter().any(|term| term.exact.is_some());
        for (field, weight) in places {
            let folded = text.terms.iter().map(|term| (term.offset, Term::from_field_text(*field, &term.folded)));
            either.push(boosted(sequence(folded.collect(), text.open), *weight));
            if typed {
                let form = |term: &query::Term| Term::from_field_text(*field, term.exact.as_ref().unwrap_or(&term.folded));
                let exact = text.terms.iter().map(|term| (term.offset, form(term)));
                either.push(boosted(sequence(exact.collect(), text.open), *weight * EXACTLY));
            }
        }
        either
    }
}

/// What of a query restricts the collections it looks in: a tree of nothing else.
fn scope(node: &Node) -> Option<Node> {
    match node {
        Node::Collection(_) => Some(node.clone()),
        Node::All(nodes) => {
            let scopes: Vec<Node> = nodes.iter().filter_map(scope).collect();
            (!scopes.is_empty()).then_some(Node::All(scopes))
        }
        Node::Any(nodes) => nodes.iter().map(scope).collect::<Option<_>>().map(Node::Any),
        Node::Not(inner) => only_collections(inner).then(|| node.clone()),
        _ => None,
    }
}

fn only_collections(node: &Node) -> bool {
    match node {
        Node::Collection(_) => true,
        Node::All(nodes) | Node::Any(nodes) => nodes.iter().all(only_collections),
        Node::Not(inner) => only_collections(inner),
        _ => false,
    }
}

/// Whether this is a whole address, which names one mailbox and no other.
fn is_address(written: &str) -> bool {
    let parts = written.trim().rsplit_once('@');
    parts.is_some_and(|(local, domain)| {
        !local.is_empty() && domain.trim_matches('.').contains('.') && !written.trim().contains(char::is_whitespace)
    })
}

fn whole_term(field: Field, written: &str) -> Term {
    Term::from_field_text(field, &format!("{WHOLE}{}", whole(written)))
}

/// One piece, or several at their places.
fn sequence(mut terms: Vec<(usize, Term)>, open: bool) -> Planned {
    match terms.len() {
        0 => Box::new(EmptyQuery),
        1 => terms.pop().map_or(Box::new(EmptyQuery), |(_, term)| exact(term)),
        _ if open => {
            let mut phrase = PhrasePrefixQuery::new_with_offset(terms);
            phrase.set_max_expansions(MOST_ENDINGS);
            Box::new(phrase)
        }
        _ => Box::new(PhraseQuery::new_with_offset(terms)),
    }
}

fn near(field: Field, text: &Text, gap: u32) -> Planned {
    let mut terms: Vec<Term> = text.terms.iter().map(|term| Term::from_field_text(field, &term.folded)).collect();
    terms.sort_unstable();
    terms.dedup();
    let length = text.terms.last().map_or(0, |term| u32::try_from(term.offset).unwrap_or(u32::MAX));
    Box::new(Where(Near { terms, span: length.saturating_add(gap) }))
}

fn close(field: Field, text: &Text, letters: u8) -> Option<Planned> {
    let term = Term::from_field_text(field, &text.terms.first()?.folded);
    Some(Box::new(FuzzyTermQuery::new(term, letters, true)))
}

fn exact(term: Term) -> Planned {
    Box::new(TermQuery::new(term, IndexRecordOption::WithFreqs))
}

fn filter(field: Field, text: &str) -> Planned {
    unscored(Box::new(TermQuery::new(Term::from_field_text(field, text), IndexRecordOption::Basic)))
}

/// Says nothing about how well a document answers.
fn unscored(query: Planned) -> Planned {
    Box::new(ConstScoreQuery::new(query, 0.0))
}

fn boosted(query: Planned, weight: f32) -> Planned {
    if weight == 1.0 { query } else { Box::new(BoostQuery::new(query, weight)) }
}

fn any(mut queries: Vec<Planned>) -> Planned {
    match queries.pop() {
        Some(only) if queries.is_empty() => only,
        Some(last) => {
            queries.push(last);
            Box::new(BooleanQuery::union(queries))
        }
        None => Box::new(EmptyQuery),
    }
}
