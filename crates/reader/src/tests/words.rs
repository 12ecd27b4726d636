//! Pages of a text, its language, what is marked in it, and what of a collection could not be read.

use super::fixture::{Publisher, message};
use super::*;
use daylight_model::{Fault, FaultCode, Stage};

fn fault(code: FaultCode) -> Fault {
    Fault { stage: Stage::Read, code, tool: "pdf 1".into(), detail: "because".into(), limit: None, at: None }
}

fn published() -> Publisher {
    let mut publisher = Publisher::new();
    let paged = "first page\u{c}second page names Halvorsen\u{c}\u{c}fourth";
    let long: String = (1..=4000).map(|n| format!("page {n} of a long report, heron{n}\n{}\u{c}", "word ".repeat(30))).collect();
    let marked = "the wall\n[comment text]\nwhy not\n[end of comment text]\nis here\n [hidden text]\nits own";
    publisher.release(
        "words",
        "Words",
        vec![
            message(1, "paged", paged).with(|record| {
                record.media_type = "application/pdf".into();
                record.files.clear();
                record.language = "de".into();
            }),
            message(2, "long", &long).with(|record| record.language = "en\" onload=\"x".into()),
            message(3, "marked", marked),
            message(4, "torn", "torn").with(|record| record.faults = vec![fault(FaultCode::Truncated), fault(FaultCode::Encrypted)]),
            message(5, "locked", "").with(|record| record.faults = vec![fault(FaultCode::Encrypted), fault(FaultCode::Encrypted)]),
            message(6, "rebuilt", "x").with(|record| record.faults = vec![fault(FaultCode::Rebuilt)]),
        ],
    );
    publisher
}

#[test]
fn a_text_is_shown_page_by_page_and_a_hit_leads_to_its_page() {
    let publisher = published();
    let visit = Visit::to(&publisher);
    let page = visit.get("/c/words/1").text();
    for words in ["id=\"page-1\"", "id=\"page-4\"", "<div id=\"text\" lang=\"de\">", "German, as it seems", "href=\"#page-2\""] {
        assert!(page.contains(words), "{words}\n{page}");
    }
    let hits = visit.get("/search?q=halvorsen").text();
    assert!(hits.contains("href=\"/c/words/1#page-2\"") && hits.contains("On page 2"), "{hits}");
    assert!(!visit.get("/search?q=rebuilt").text().contains("On page"), "a text without pages has none");
    assert!(!visit.get("/c/words/3").text().contains("class=\"page\""));

    // Of a long text a piece is shown, from the page on that is asked for.
    let beginning = visit.get("/c/words/2").text();
    assert!(
        beginning.contains("This is the beginning of a long text") && !beginning.contains("heron3000") && !beginning.contains("onload")
    );
    let hit = visit.get("/search?q=heron3000").text();
    assert!(hit.contains("href=\"/c/words/2?page=3000#page-3000\""), "{hit}");
    let piece = visit.get("/c/words/2?page=3000").text();
    for words in ["heron3000", "id=\"page-3000\"", "From the beginning", "On from page 35", "shown from page 3000 on"] {
        assert!(piece.contains(words), "{words}");
    }
    assert!(!piece.contains("heron2999") && piece.matches("class=\"page\"").count() <= 501);
    assert!(visit.get("/c/words/2?page=4000").text().contains("heron4000"));
    for missing in ["/c/words/2?page=4002", "/c/words/1?page=5", "/c/words/1?page=99999999999"] {
        assert_eq!(visit.get(missing).status, StatusCode::NOT_FOUND, "{missing}");
    }
}

#[test]
fn marks_are_no_words_and_languages_are_found() {
    let publisher = published();
    let visit = Visit::to(&publisher);
    let found = |query: &str| {
        let page = visit.get(&format!("/search?q={query}")).text();
        (1..=6).filter(|n| page.contains(&format!("href=\"/c/words/{n}\""))).collect::<Vec<_>>()
    };
    assert!(found("comment").is_empty(), "a mark is no word");
    assert!(found("%22end+of%22").is_empty());
    assert_eq!(found("%22hidden+text%22"), [3], "what reads like a mark and is none is found");
    assert_eq!((found("%22why+not%22"), found("lang:de"), found("-lang:de+halvorsen")), (vec![3], vec![1], vec![]));
    let near = visit.get("/search?q=near:words/1");
    assert!(near.status == StatusCode::BAD_REQUEST && near.text().contains("on a desk"));
}

#[test]
fn what_could_not_be_read_is_said_of_the_whole_of_each_collection_and_of_each_document() {
    let publisher = published();
    let visit = Visit::to(&publisher);
    let home = visit.get("/").text();
    assert!(home.contains("of which 2 could not be fully read") && home.contains("2 of these could not be fully read"), "{home}");
    let collection = visit.get("/c/words").text();
    assert!(
        collection.contains("2 could not be fully read</a> (33.3 %)") && collection.contains("2 encrypted, 1 truncated"),
        "{collection}"
    );
    assert!(visit.get("/c/words/5").text().contains("encrypted: because"));
}
