use super::fixture::{Publisher, attachment, message};
use super::*;
use crate::{Library, SearchOptions, build_index};
use daylight_archive::DocumentProof;
use daylight_archive::withdraw::Copies;

const EVIL: &str = "<script>alert(1)</script>\u{202e}";

/// A letter, its answer and its attachment, and another letter.
fn published() -> Publisher {
    let mut publisher = Publisher::new();
    let thread = |record: &mut daylight_archive::Record| record.thread = Some(1);
    let answer = message(2, "Re: first", "kingfisher").with(thread).with(|record| record.answers = Some(1));
    let docs = vec![
        message(1, "first", "cormorant").with(thread),
        answer,
        attachment(3, "map.txt", 1, "text/plain", b"heron"),
        message(4, "fourth", "heron"),
    ];
    publisher.release("wall", "Wall", docs);
    publisher
}

fn ids(publisher: &Publisher, query: &str) -> Vec<String> {
    let library = Library::open(&publisher.dir(), &publisher.cache(), &mut |_| ()).unwrap();
    let mut ids: Vec<_> = library.search(query, &SearchOptions::default()).unwrap().hits.iter().map(crate::Hit::id).collect();
    ids.sort();
    ids
}

#[test]
fn what_is_withdrawn_says_so_and_is_in_no_list_no_conversation_and_no_search() {
    let mut publisher = published();
    let visit = Visit::to(&publisher);
    assert_eq!(visit.get("/c/wall/1").status, StatusCode::OK);
    publisher.withdraw("wall", &[1], |note| {
        note.reason = EVIL.into();
        note.successor = Some(("wall".into(), 4));
    });
    visit.site.renew();
    for below in ["", "/raw", "/text", "/view"] {
        let reply = visit.get(&format!("/c/wall/1{below}"));
        assert_eq!(reply.status, StatusCode::GONE, "{below}");
        assert!(!reply.text().contains("<script") && !reply.text().contains("cormorant") && !reply.text().contains("first"), "{below}");
    }
    let page = visit.get("/c/wall/1").text();
    for words in ["withdrawn on 8 March 2026, because", "alert(1)", "href=\"/c/wall/4\"", ">fourth<", "Release 1", "noindex"] {
        assert!(page.contains(words), "{words} in {page}");
    }
    assert_eq!(visit.get("/thread/wall/1").status, StatusCode::GONE);
    let answer = visit.get("/c/wall/2").text();
    assert!(!answer.contains("/c/wall/1\"") && !answer.contains("Conversation,"), "{answer}");
    assert!(!visit.get("/c/wall/3").text().contains("Attached to"));
    let list = visit.get("/c/wall?show=all").text();
    assert!(list.contains("1 document was withdrawn") && list.contains("3 documents"), "{list}");
    assert!(!list.contains(">first<"));
    assert!(visit.get("/").text().contains("1 more was withdrawn"));
    let search = visit.get("/search?q=cormorant").text();
    assert!(search.contains("Nothing was found"));
    assert_eq!(ids(&publisher, "collection:wall"), ["wall/2", "wall/3", "wall/4"]);
}

#[test]
fn the_proof_of_what_is_withdrawn_says_withdrawn_and_not_missing() {
    let mut publisher = published();
    publisher.withdraw("wall", &[1, 3], |note| note.copies = Copies::Keep);
    let visit = Visit::to(&publisher);
    let page = visit.get("/c/wall/1/proof");
    assert_eq!(page.status, StatusCode::OK);
    let text = page.text();
    assert!(
        text.contains("it was withdrawn: not missing") && text.contains("daylight-withdraw/v1") && !text.contains("cormorant"),
        "{text}"
    );
    let proof = DocumentProof::parse(&visit.get("/c/wall/1/wall-1.daylight-proof").body).unwrap();
    let proven = proof.verify(Some(&std::fs::read(publisher.dir().join("root/1.json")).unwrap())).unwrap();
    assert_eq!((proven.number(), proven.withdrawn().unwrap().reason.as_str(), proven.record()), (1, "it names a child", None));
    assert_eq!(visit.get("/c/wall/2/proof").status, StatusCode::OK);
}

#[test]
fn a_cache_follows_withdrawals_and_what_is_published_again() {
    let mut publisher = published();
    let build = |publisher: &Publisher| build_index(&publisher.dir(), &publisher.cache(), &mut |_| ()).unwrap();
    build(&publisher);
    publisher.withdraw("wall", &[1], |_| ());
    assert_eq!((build(&publisher).added, build(&publisher).documents), (0, 3));
    // A segment of which something was deleted, and not written anew, has a file of its own that says so.
    let files = std::fs::read_dir(publisher.cache().join("index")).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
    assert_eq!(files.filter(|name| name.ends_with(".del")).count(), 0, "no word of it is left in the index's files");
    let corrected = message(1, "corrected", "egret").with(|record| record.reason = "a name was wrong".into());
    publisher.release("wall", "Wall", vec![corrected, message(5, "fifth", "egret")]);
    publisher.withdraw("wall", &[5], |_| ());
    assert_eq!(ids(&publisher, "egret"), ["wall/1"]);
    let visit = Visit::to(&publisher);
    let page = visit.get("/c/wall/1").text();
    assert!(page.contains("because: <bdi>a name was wrong") && page.contains("release 1, 3 March 2026, withdrawn"), "{page}");
    // Made anew it is the same.
    let before = std::fs::read(publisher.cache().join("catalogue")).unwrap();
    std::fs::remove_dir_all(publisher.cache()).unwrap();
    assert_eq!(ids(&publisher, "egret"), ["wall/1"]);
    assert_eq!(std::fs::read(publisher.cache().join("catalogue")).unwrap(), before);
}

#[test]
fn where_only_the_newest_line_is_withdrawn_the_one_before_counts_again() {
    let mut publisher = published();
    publisher.release("wall", "Wall", vec![message(4, "fourth", "egret").with(|record| record.reason = "worse".into())]);
    assert_eq!(ids(&publisher, "egret"), ["wall/4"]);
    publisher.withdraw("wall", &[4], |note| _ = note.documents[0].lines.remove(0));
    assert_eq!((ids(&publisher, "egret"), ids(&publisher, "fourth heron")), (vec![], vec!["wall/4".to_owned()]));
}

#[test]
fn a_collection_of_which_all_is_withdrawn_has_a_page_and_the_home_page_says_when_it_was_heard_of() {
    let mut publisher = Publisher::new();
    publisher.release("wall", "Wall", vec![message(1, "first", "cormorant")]);
    publisher.withdraw("wall", &[1], |_| ());
    let visit = Visit::to(&publisher);
    let list = visit.get("/c/wall");
    assert!(list.status == StatusCode::OK && list.text().contains("1 document was"), "{}", list.text());
    let home = visit.get("/");
    assert!(home.text().contains("Last sign of life: 8 March 2026, a withdrawal"), "{}", home.text());
    assert!(home.header("etag").starts_with("W/\"") && home.header("etag").len() > 40, "another every day");
    assert_eq!(visit.ask(Method::GET, "/", &[("if-none-match", home.header("etag"))]).status, StatusCode::NOT_MODIFIED);
}
