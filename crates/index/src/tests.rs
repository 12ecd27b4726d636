//! The index as its users see it.

use super::*;
use daylight_model::{Digest, Kind, Person, Role};
use std::path::Path;

/// One document of a test, mostly empty.
#[derive(Clone)]
struct Doc {
    seq: u64,
    title: &'static str,
    text: String,
    people: Vec<Person>,
    names: Vec<String>,
    kind: Kind,
    media_type: &'static str,
    date: Option<i64>,
    collections: Vec<&'static str>,
    attachment: bool,
    unreadable: bool,
    signatures: Vec<String>,
    language: &'static str,
    thread: Option<&'static str>,
    parent: Option<&'static str>,
}

fn doc(seq: u64, text: &str) -> Doc {
    Doc {
        seq,
        title: "",
        text: text.to_owned(),
        people: vec![],
        names: vec![],
        kind: Kind::Message,
        media_type: "message/rfc822",
        date: None,
        collections: vec!["council"],
        attachment: false,
        unreadable: false,
        signatures: vec![],
        language: "",
        thread: None,
        parent: None,
    }
}

fn person(role: Role, name: &str, address: &str) -> Person {
    Person { role, name: name.to_owned(), address: address.to_owned() }
}

fn put(writer: &mut Writer, doc: &Doc, replace: bool) {
    let key = format!("key{}", doc.seq);
    let entry = Entry {
        seq: doc.seq,
        key: &key,
        locator: &doc.seq.to_be_bytes(),
        kind: doc.kind,
        collections: &doc.collections,
        title: doc.title,
        people: &doc.people,
        names: &doc.names,
        media_type: doc.media_type,
        digest: Some(Digest::of(key.as_bytes())),
        date: doc.date,
        texts: vec![doc.text.clone()],
        has_attachment: doc.attachment,
        unreadable: doc.unreadable,
        signatures: &doc.signatures,
        language: doc.language,
        thread: doc.thread,
        parent: doc.parent,
    };
    writer.put(entry, replace).unwrap();
}

fn build(dir: &Path, docs: &[Doc]) -> Index {
    let index = Index::open_or_create(dir).unwrap();
    let mut writer = index.writer(1, 1).unwrap();
    docs.iter().for_each(|doc| put(&mut writer, doc, false));
    writer.commit(docs.len() as u64).unwrap();
    index
}

fn ask(index: &Index, query: &str, options: &Options) -> Found {
    let related = |relation: Relation, id: &str| match relation {
        Relation::Thread => (id == "known").then(|| vec![1, 3]),
        Relation::Near => (id == "known").then(|| vec![2]),
    };
    index.search(&query::parse(query).unwrap(), options, &related).unwrap()
}

/// The numbers of all that answer, the best first.
fn found(index: &Index, query: &str) -> Vec<u64> {
    let found = ask(index, query, &Options { limit: 1000, ..Options::default() });
    assert_eq!(found.total as usize, found.hits.len(), "{query}");
    found.hits.iter().map(|hit| hit.seq).collect()
}

/// The numbers of all that answer, in their own order.
#[track_caller]
fn answers(index: &Index, table: &[(&str, &[u64])]) {
    for (query, expected) in table {
        let mut seqs = found(index, query);
        seqs.sort_unstable();
        assert_eq!(seqs, *expected, "{query}");
    }
}

const DAY: i64 = 86_400;

fn library() -> Vec<Doc> {
    let alice = |role| person(role, "Alice Álvarez", "Alice.Smith@Example.ORG");
    let bob = |role| person(role, "Bob", "bob@mail.example.com");
    vec![
        Doc {
            title: "Reservoir wall",
            people: vec![alice(Role::From), bob(Role::To)],
            // 2015-02-28T23:30:00Z, which was March already two hours further east.
            date: Some(16_494 * DAY + 23 * 3600 + 1800),
            attachment: true,
            collections: vec!["council", "water"],
            thread: Some("t1"),
            ..doc(1, "The retaining wall of the old reservoir leaks. Hasta mañana, write to bob@mail.example.com about it.")
        },
        Doc {
            people: vec![bob(Role::From), alice(Role::Cc), person(Role::Bcc, "", "eve@hidden.test")],
            language: "de",
            date: Some(16_495 * DAY),
            thread: Some("t1"),
            ..doc(2, "Retaining the old plan, the wall is fine. Hasta manana, says the resevoir keeper. E-mail me.")
        },
        Doc {
            kind: Kind::File,
            media_type: "application/pdf",
            title: "Annual Report-2014.pdf",
            names: vec!["Annual Report-2014.pdf".into(), "old_plan.PDF".into()],
            unreadable: true,
            parent: Some("key1"),
            ..doc(3, "")
        },
        Doc {
            collections: vec!["press"],
            unreadable: true,
            date: Some(-1),
            ..doc(4, "水库大坝安全检查。東京タワーへ行く 학교에서 만나요 ประเทศไทย")
        },
        Doc {
            collections: vec!["press"],
            date: Some(20_000 * DAY),
            ..doc(5, "هذا كِتَابٌ جديد في المدرسة. שָׁלוֹם לכולם. Ёлка в лесу. Ünïcödé straße")
        },
    ]
}

#[test]
fn words_phrases_and_signs_find_what_they_say() {
    let dir = tempfile::tempdir().unwrap();
    let index = build(dir.path(), &library());
    answers(
        &index,
        &[
            ("", &[1, 2, 3, 4, 5]),
            ("wall", &[1, 2]),
            ("wall reservoir", &[1]),
            ("WALL OR школа", &[1, 2]),
            ("reservoir OR 水库", &[1, 4]),
            ("wall -reservoir", &[2]),
            ("-wall", &[3, 4, 5]),
            ("-wall -水库", &[3, 5]),
            ("plan OR -wall", &[2, 3, 4, 5]),
            ("(reservoir OR plan) \"the wall\"", &[2]),
            ("\"retaining wall\"", &[1]),
            ("\"wall retaining\"", &[]),
            ("\"retaining wall\"~5", &[1, 2]),
            ("\"wall retaining\"~4", &[1, 2]),
            ("\"wall retaining\"~3", &[1]),
            ("reser*", &[1]),
            ("re*", &[1, 2, 3]),
            ("a*", &[1, 2, 3]),
            ("reservoir~1", &[1, 2]),
            ("resservoirr~1", &[]),
            ("resservoirr~2", &[1]),
            ("e-mail", &[2]),
            ("manana", &[1, 2]),
            ("mañana", &[1, 2]),
            ("alvarez", &[1, 2]),
            ("bob@mail.example.com", &[1, 2]),
            ("\"annual report\"", &[3]),
            // Scripts without spaces, from anywhere within a run, and single characters.
            ("水库", &[4]),
            ("大坝安全", &[4]),
            ("坝大", &[]),
            ("坝", &[4]),
            ("查", &[4]),
            ("東京", &[4]),
            ("タワー", &[4]),
            ("학교", &[4]),
            ("학교에서", &[4]),
            ("ไทย", &[4]),
            ("水库 안", &[]),
            // Letters that are written in more than one way.
            ("كتاب", &[5]),
            ("المدرسه", &[5]),
            ("שלום", &[5]),
            ("елка", &[5]),
            ("ёлка", &[5]),
            ("unicode STRASSE", &[5]),
        ],
    );
}

#[test]
fn fields_find_in_their_own_place_only() {
    let dir = tempfile::tempdir().unwrap();
    let index = build(dir.path(), &library());
    let digest = Digest::of(b"key2").to_string();
    answers(
        &index,
        &[
            ("from:alice", &[1]),
            ("from:\"alice alvarez\"", &[1]),
            ("from:alice.smith@example.org", &[1]),
            ("from:Smith@example.org", &[]),
            ("from:example.org", &[1]),
            ("from:example.com", &[2]),
            ("from:ali*", &[1]),
            ("from:(alice OR bob) old", &[1, 2]),
            ("to:bob", &[1]),
            ("to:alice", &[]),
            ("cc:alice", &[2]),
            ("cc:eve@hidden.test", &[2]),
            ("person:alice", &[1, 2]),
            ("-person:alice", &[3, 4, 5]),
            ("subject:wall", &[1]),
            ("body:wall", &[1, 2]),
            ("body:annual", &[]),
            ("file:annual", &[3]),
            ("file:\"annual report-2014.pdf\"", &[3]),
            ("file:old_plan.pdf", &[3]),
            ("type:message", &[1, 2, 4, 5]),
            ("type:PDF", &[3]),
            ("type:application/pdf", &[3]),
            ("type:application", &[3]),
            ("type:file", &[3]),
            ("type:image", &[]),
            ("has:attachment", &[1]),
            ("is:unreadable", &[3, 4]),
            ("-is:unreadable", &[1, 2, 5]),
            ("collection:water", &[1]),
            ("collection:council wall", &[1, 2]),
            ("collection:nowhere", &[]),
            ("date:2015", &[1, 2]),
            ("date:2015-02", &[1]),
            ("date:2015-03-01", &[2]),
            ("date:2015-02-28..2015-03", &[1, 2]),
            ("date:..1969", &[4]),
            ("date:2015-03..", &[2, 5]),
            ("after:2015-02", &[2, 5]),
            ("before:2015-03", &[1, 4]),
            ("before:1969-12-31", &[]),
            ("-date:2015", &[3, 4, 5]),
            ("thread:known", &[1, 3]),
            ("thread:known wall", &[1]),
            ("near:known", &[2]),
            ("-near:known", &[1, 3, 4, 5]),
            ("near:unknown", &[]),
            ("lang:de", &[2]),
            ("-lang:de wall", &[1]),
            ("lang:en", &[]),
            ("thread:t1", &[1, 2]),
            ("thread:unknown", &[]),
            (&format!("sha256:{digest}"), &[2]),
            (&format!("sha256:{}", &digest[..9]), &[2]),
        ],
    );
    assert_eq!(index.by_key("key2").unwrap().unwrap().locator, 2u64.to_be_bytes());
    assert_eq!(index.by_key("key9").unwrap(), None);
    assert_eq!(index.by_thread("t1").unwrap().iter().map(|hit| hit.seq).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(index.by_parent("key1").unwrap().iter().map(|hit| hit.seq).collect::<Vec<_>>(), [3]);
}

#[test]
fn exact_forms_and_titles_outrank_and_equals_come_newest_first() {
    let dir = tempfile::tempdir().unwrap();
    let docs = [
        doc(1, "manana es otro dia"),
        doc(2, "mañana es otro dia"),
        Doc { date: Some(100), ..doc(3, "wall of stone and more") },
        Doc { date: Some(200), ..doc(4, "wall of stone and more") },
        doc(5, "wall of stone and more"),
        Doc { title: "wall", ..doc(6, "stone of other kinds and more") },
        doc(7, "maniana es otro dia"),
        Doc { names: vec!["plan.pdf".into()], ..doc(8, "") },
        Doc { names: vec!["the plan.pdf".into(), "x.doc".into()], ..doc(9, "") },
    ];
    let index = build(dir.path(), &docs);
    assert_eq!(found(&index, "mañana"), [2, 1]);
    assert_eq!(found(&index, "\"mañana es\""), [2, 1]);
    assert_eq!(found(&index, "manana~2"), [1, 2, 7]);
    assert_eq!(found(&index, "wall"), [6, 4, 3, 5]);
    assert_eq!(found(&index, "file:plan.pdf"), [8, 9]);
}

#[test]
fn orders_limits_and_offsets_cut_the_same_list() {
    let dir = tempfile::tempdir().unwrap();
    let docs: Vec<Doc> = (0..300)
        .map(|n| Doc { date: (n % 7 != 0).then_some((n as i64 * 37) % 100), ..doc(n, &"dam ".repeat(n as usize % 5 + 1)) })
        .collect();
    let index = build(dir.path(), &docs);
    let date = |seq: &u64| docs[*seq as usize].date;
    let order =
        |sort| ask(&index, "dam", &Options { limit: 300, sort, ..Options::default() }).hits.iter().map(|hit| hit.seq).collect::<Vec<_>>();
    let mut newest: Vec<u64> = (0..300).collect();
    let mut oldest = newest.clone();
    newest.sort_by_key(|seq| (std::cmp::Reverse(date(seq)), *seq));
    oldest.sort_by_key(|seq| (date(seq).is_none(), date(seq), *seq));
    assert_eq!(order(Sort::Newest), newest);
    assert_eq!(order(Sort::Oldest), oldest);
    for sort in [Sort::Newest, Sort::Oldest, Sort::Relevance] {
        let all = order(sort);
        for (offset, limit) in [(0, 1), (0, 10), (5, 7), (290, 20), (300, 5), (1000, 5), (usize::MAX, usize::MAX), (3, 0)] {
            let part = ask(&index, "dam", &Options { limit, offset, sort, facets: false });
            let expected: Vec<u64> = all.iter().copied().skip(offset).take(limit).collect();
            assert_eq!(part.hits.iter().map(|hit| hit.seq).collect::<Vec<_>>(), expected, "{sort:?} {offset} {limit}");
            assert_eq!(part.total, 300);
        }
    }
}

#[test]
fn facets_count_all_that_answer_and_unreadable_ones_are_counted_in_scope() {
    let dir = tempfile::tempdir().unwrap();
    let index = build(dir.path(), &library());
    let found = ask(&index, "", &Options { limit: 1, facets: true, ..Options::default() });
    let named = |facets: &[(&str, u64)]| facets.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect::<Vec<_>>();
    assert_eq!(found.facets.types, named(&[("message", 4), ("pdf", 1)]));
    assert_eq!(found.facets.senders, named(&[("alice.smith@example.org", 1), ("bob@mail.example.com", 1)]));
    assert_eq!(found.facets.years, named(&[("2024", 1), ("2015", 2), ("1969", 1)]));
    assert_eq!(found.facets.collections, named(&[("council", 3), ("press", 2), ("water", 1)]));
    assert!(!found.facets.about);
    // What each facet says is what asking for it gives.
    for (field, facet) in [
        ("type", &found.facets.types),
        ("from", &found.facets.senders),
        ("date", &found.facets.years),
        ("collection", &found.facets.collections),
    ] {
        for (name, count) in facet {
            assert_eq!(ask(&index, &format!("{field}:{name}"), &Options::default()).total, *count, "{field}:{name}");
        }
    }
    for (query, unreadable) in [
        ("wall", 2),
        ("wall collection:press", 1),
        ("collection:water", 0),
        ("collection:press OR collection:water", 1),
        ("-collection:press", 1),
        ("collection:press OR wall", 2),
    ] {
        assert_eq!(ask(&index, query, &Options::default()).unreadable_in_scope, unreadable, "{query}");
    }
}

#[test]
fn facets_of_very_many_hits_are_about_right_and_say_so() {
    let dir = tempfile::tempdir().unwrap();
    let index = Index::open_or_create(dir.path()).unwrap();
    let mut writer = index.writer(2, 0).unwrap();
    for n in 0..12_000 {
        let collections = vec![if n % 3 == 0 { "third" } else { "rest" }];
        put(&mut writer, &Doc { collections, ..doc(n, "dam") }, false);
    }
    writer.commit(1).unwrap();
    let found = ask(&index, "dam", &Options { facets: true, ..Options::default() });
    assert_eq!(found.total, 12_000);
    assert!(found.facets.about);
    let third = found.facets.collections.iter().find(|(name, _)| name == "third").unwrap().1;
    assert!((2_000..6_000).contains(&third), "{third}");
}

#[test]
fn putting_again_replaces_and_deleting_takes_out() {
    let dir = tempfile::tempdir().unwrap();
    let index = build(dir.path(), &[doc(1, "one first"), doc(2, "two first")]);
    assert_eq!(index.committed().unwrap(), 2);
    let mut writer = index.writer(1, 0).unwrap();
    put(&mut writer, &doc(1, "one second"), true);
    put(&mut writer, &doc(1, "one third"), true);
    writer.delete(2).unwrap();
    assert_eq!(found(&index, "first"), [1, 2], "nothing is seen before the commit");
    writer.commit(7).unwrap();
    assert_eq!(found(&index, "first OR second"), Vec::<u64>::new());
    assert_eq!(found(&index, "third"), [1]);
    assert_eq!((index.count().unwrap(), index.committed().unwrap()), (1, 7));
    put(&mut writer, &doc(3, "uncommitted"), false);
    drop(writer);
    let again = Index::open(dir.path()).unwrap();
    assert_eq!((found(&again, "uncommitted"), again.committed().unwrap()), (vec![], 7));
    let facets = ask(&again, "", &Options { facets: true, ..Options::default() }).facets;
    assert_eq!(facets.collections, [("council".to_owned(), 1)]);
}

#[test]
fn parts_of_a_text_are_found_as_their_document() {
    let dir = tempfile::tempdir().unwrap();
    let index = Index::open_or_create(dir.path()).unwrap();
    let mut writer = index.writer(1, 0).unwrap();
    let put_all = |writer: &mut Writer| {
        put(writer, &Doc { title: "ledger", ..doc(1, "alpha beta common") }, true);
        writer.put_part(1, 7, vec!["common gamma delta".into(), "epsilon".into()]).unwrap();
        writer.put_part(1, 9, vec!["omega common gamma".into()]).unwrap();
        writer.commit(1).unwrap();
    };
    put_all(&mut writer);
    put(&mut writer, &doc(2, "gamma alone"), false);
    put(&mut writer, &doc(3, "nothing of it"), false);
    writer.commit(3).unwrap();
    let check = |index: &Index| {
        answers(
            index,
            &[
                ("", &[1, 2, 3]),
                ("gamma", &[1, 2]),
                ("alpha omega", &[1]),
                ("\"gamma delta\"", &[1]),
                ("\"delta epsilon\"", &[]),
                ("-gamma", &[3]),
                ("-omega", &[2, 3]),
                ("gamma -alpha", &[2]),
                ("subject:ledger omeg*", &[1]),
                ("subject:omega", &[]),
                ("body:omegs~1", &[1]),
                ("\"gamma omega\"~3 collection:council", &[1]),
                ("omega thread:known", &[1]),
                ("thread:known", &[1, 3]),
                ("zeta OR epsilon", &[1]),
            ],
        );
        let all = ask(index, "common OR gamma", &Options { facets: true, ..Options::default() });
        assert_eq!((all.total, all.facets.collections), (2, vec![("council".to_owned(), 2)]));
        assert_eq!(index.count().unwrap(), 3);
        let best = |query: &str, seq| index.best_part(&query::parse(query).unwrap(), seq).unwrap();
        let asked = ["alpha", "delta", "omega", "common omega", "zeta", "subject:ledger", ""].map(|query| best(query, 1));
        assert_eq!(asked, [Some(0), Some(7), Some(9), Some(9), None, None, None]);
        assert_eq!(best("gamma", 2), Some(0));
    };
    check(&index);
    // Putting it again replaces all of it, and deleting it leaves no part behind.
    put_all(&mut writer);
    check(&index);
    writer.delete(1).unwrap();
    writer.commit(5).unwrap();
    answers(&index, &[("omega", &[]), ("gamma", &[2]), ("", &[2, 3])]);
    assert_eq!(index.count().unwrap(), 2);
}

#[test]
fn many_commits_leave_few_segments_and_lose_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let index = Index::open_or_create(dir.path()).unwrap();
    let reader = Index::open(dir.path()).unwrap();
    let mut writer = index.writer(1, 0).unwrap();
    for n in 0..60 {
        put(&mut writer, &doc(n, &format!("dam n{n}")), true);
        writer.commit(n).unwrap();
        assert_eq!(ask(&reader, &format!("n{n}"), &Options::default()).total, 1, "another reader sees the commit at once");
    }
    writer.finish().unwrap();
    let segments =
        std::fs::read_dir(dir.path()).unwrap().filter(|f| f.as_ref().unwrap().path().extension().is_some_and(|e| e == "term")).count();
    assert!(segments <= 40, "{segments}");
    assert_eq!(found(&reader, "dam").len(), 60);
    assert_eq!(index.committed().unwrap(), 59);
}

#[test]
fn folders_that_are_not_a_sound_index_are_told_apart() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("index");
    assert!(matches!(Index::open(&path), Err(IndexError::Missing(_))));
    drop(build(&path, &[doc(1, "dam")]));
    let writer = Index::open(&path).unwrap().writer(1, 0).unwrap();
    assert!(matches!(Index::open(&path).unwrap().writer(1, 0), Err(IndexError::Busy)));
    drop(writer);
    assert!(Index::open(&path).unwrap().writer(1, 0).is_ok(), "a lock file alone does not lock");
    let version = path.join("VERSION");
    std::fs::write(&version, "daylight-index 999\n").unwrap();
    let other = Index::open_or_create(&path).err().unwrap();
    assert!(matches!(other, IndexError::Rebuild(_)));
    assert_eq!(other.to_string(), "the index must be rebuilt: its version is “daylight-index 999”, this program makes “daylight-index 4”");
    std::fs::remove_file(&version).unwrap();
    assert!(matches!(Index::open(&path), Err(IndexError::Rebuild(_))));
    assert_eq!(found(&Index::recreate(&path).unwrap(), ""), Vec::<u64>::new());
    // A torn commit file, and a commit whose files are gone.
    drop(build(&path, &[doc(1, "dam")]));
    let meta = std::fs::read(path.join("meta.json")).unwrap();
    std::fs::write(path.join("meta.json"), &meta[..meta.len() / 2]).unwrap();
    assert!(matches!(Index::open(&path), Err(IndexError::Rebuild(_))));
    std::fs::write(path.join("meta.json"), &meta).unwrap();
    for file in std::fs::read_dir(&path).unwrap().map(|f| f.unwrap().path()).filter(|f| f.extension().is_some_and(|e| e == "term")) {
        std::fs::remove_file(file).unwrap();
    }
    assert!(matches!(Index::open(&path), Err(IndexError::Rebuild(_))));
}

#[test]
fn a_large_text_and_long_names_are_found_to_the_last_word() {
    let dir = tempfile::tempdir().unwrap();
    let long = "x".repeat(100_000);
    let docs = [
        doc(1, &format!("{}needle", "hay stack ".repeat(300_000))),
        Doc { names: vec![format!("{long}.pdf")], ..doc(2, &long) },
        Doc { people: (0..50_000).map(|n| person(Role::To, "", &format!("p{n}@example.org"))).collect(), ..doc(3, "") },
    ];
    let index = build(dir.path(), &docs);
    answers(&index, &[("needle", &[1]), (&"x".repeat(4000), &[2]), ("to:p49999@example.org", &[3]), ("file:xxx*", &[2])]);
}

#[test]
fn any_understood_query_is_answered() {
    let dir = tempfile::tempdir().unwrap();
    let index = build(dir.path(), &library());
    let parts = [
        "wall",
        "水",
        "a*",
        "old~2",
        "\"the wall\"",
        "\"wall the\"~9",
        "-",
        "(",
        ")",
        " OR ",
        " ",
        "from:",
        "date:2015",
        "is:unreadable",
        "手",
        "x水",
        "é",
        "thread:t1",
        "sha256:00112233",
    ];
    let mut state = 5u64;
    for _ in 0..1_500 {
        let mut text = String::new();
        for _ in 0..8 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            text.push_str(parts[(state >> 33) as usize % parts.len()]);
        }
        if let Ok(query) = query::parse(&text) {
            let found = index.search(&query, &Options { facets: true, ..Options::default() }, &|_, _| None).unwrap();
            assert!(found.total <= 5 && found.hits.len() as u64 == found.total, "{text}");
        }
    }
}
