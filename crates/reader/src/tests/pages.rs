use super::fixture::{Publisher, attachment, message, person};
use super::*;
use daylight_model::{DateDoubt, Fault, FaultCode, Role, Stage};

/// Something hostile for every place where a document's words are shown.
const EVIL: &str = "<script>alert(1)</script>\"'><img src=http://evil.example/x onerror=alert(1)>\u{202e}\u{0}";

fn hostile() -> Publisher {
    let mut publisher = Publisher::new();
    let evil = message(1, EVIL, &format!("{EVIL}\n> {EVIL}\n\ndiff --git {EVIL}\n+{EVIL}\n-- \n{EVIL} heron")).with(|record| {
        record.thread = Some(1);
        record.people.push(person(Role::From, EVIL, EVIL));
        record.people.extend((0..30).map(|_| person(Role::Cc, EVIL, EVIL)));
        record.dates[0].doubt = Some(DateDoubt::ZoneUnknown);
        record.reason = EVIL.into();
        record.faults.push(Fault {
            stage: Stage::Read,
            code: FaultCode::Malformed,
            tool: EVIL.into(),
            detail: EVIL.into(),
            limit: None,
            at: Some(9),
        });
    });
    let reply = message(2, EVIL, "an answer, heron").with(|record| {
        record.thread = Some(1);
        record.people[0].name = EVIL.into();
        record.dates[0].seconds += 400 * 86_400;
    });
    let view = message(3, "laid out", "laid out").view("<p>laid <b>out</b></p>");
    let file = attachment(4, EVIL, 1, "text/html", EVIL.as_bytes()).with(|record| record.people.push(person(Role::From, EVIL, "")));
    publisher.release("evil", "<script>Collection</script> &amp;", vec![evil, reply, view, file]);
    publisher.release("plain", "Plain papers", vec![message(1, "plain", "heron")]);
    publisher
}

/// Every address of the hostile archive's site that gives a page.
const PAGES: [&str; 25] = [
    "/",
    "/help",
    "/verify",
    "/about",
    "/search",
    "/search?q=heron",
    "/search?q=%3Cscript%3E",
    "/search?q=heron%20zzz",
    "/search?q=%22%3Cscript%3E",
    "/search?sort=oldest",
    "/search?q=heron&sort=newest&page=2",
    "/c/evil",
    "/c/evil?show=all&order=newest",
    "/c/evil?page=9",
    "/c/evil/1",
    "/c/evil/2",
    "/c/evil/3",
    "/c/evil/3?as=view",
    "/c/evil/4",
    "/c/evil/1/proof",
    "/thread/evil/1",
    "/c/evil/99",
    "/nowhere",
    "/c/evil/1/view",
    "/c/evil/3/view",
];

#[test]
fn no_words_of_a_document_become_markup_and_nothing_is_loaded_from_elsewhere() {
    let publisher = hostile();
    let visit = Visit::to(&publisher);
    for address in PAGES {
        let reply = visit.get(address);
        let page = reply.text();
        assert!(reply.header("content-type").starts_with("text/html"), "{address}");
        for forbidden in ["<script", "<img", "onerror=alert(1)>", " style=", "<style", "javascript:", "\u{0}"] {
            assert!(!page.contains(forbidden), "{forbidden:?} on {address}");
        }
        for tag in page.split('<').filter(|tag| tag.contains("src=\"") || tag.contains("href=\"") || tag.contains("action=\"")) {
            let tag = &tag[..tag.find('>').unwrap_or(tag.len())];
            let outside = tag.contains("=\"http") || tag.contains("=\"//");
            assert!(!outside || tag.contains("rel=\"noreferrer noopener nofollow\""), "{tag} on {address}");
        }
        for (open, close) in [("<main", "</main>"), ("<h1", "</h1>")] {
            // Only a page that did not exist may have a view's address and a title.
            let wanted = if address == "/c/evil/3/view" && open == "<h1" { 0 } else { 1 };
            assert_eq!((page.matches(open).count(), page.matches(close).count()), (wanted, wanted), "{open} on {address}");
        }
    }
}

#[test]
fn every_answer_carries_the_headers_that_cage_it() {
    let publisher = hostile();
    let visit = Visit::to(&publisher);
    let others = [
        "/robots.txt",
        "/favicon.ico",
        "/style.css",
        "/c/evil/",
        "/c/evil/4/raw",
        "/c/evil/1/text",
        "/search?q=heron&format=csv",
        "/search?format=json",
        "/c/evil/1/evil-1.daylight-proof",
    ];
    for address in PAGES.iter().chain(&others) {
        for method in [Method::GET, Method::HEAD, Method::POST] {
            let reply = visit.ask(method.clone(), address, &[]);
            let policy = reply.header("content-security-policy");
            assert!(
                policy.contains("default-src 'none'") && policy.contains("base-uri 'none'") && !policy.contains("unsafe"),
                "{address}: {policy}"
            );
            assert!(
                policy.contains("frame-ancestors 'none'") || (address.ends_with("/view") && policy.starts_with("sandbox;")),
                "{address}"
            );
            assert_eq!(reply.header("x-content-type-options"), "nosniff", "{address}");
            assert_eq!(reply.header("referrer-policy"), "no-referrer", "{address}");
            assert!(!reply.header("permissions-policy").is_empty() && !reply.header("cache-control").is_empty(), "{address}");
            assert!(!reply.headers.contains_key("set-cookie") && !reply.headers.contains_key("server"), "{address}");
            match method {
                Method::POST => assert!(matches!(reply.status, StatusCode::METHOD_NOT_ALLOWED | StatusCode::NOT_FOUND), "{address}"),
                Method::HEAD => assert!(reply.body.is_empty(), "{address}"),
                _ => {}
            }
        }
    }
}

#[test]
fn what_is_published_is_sent_to_be_saved_and_no_browser_runs_it() {
    let publisher = hostile();
    let visit = Visit::to(&publisher);
    let raw = visit.get("/c/evil/4/raw");
    assert_eq!((raw.body.as_slice(), raw.header("content-type")), (EVIL.as_bytes(), "application/octet-stream"));
    assert_eq!(raw.header("content-disposition"), "attachment; filename=\"evil-4.html\"");
    assert!(raw.header("content-security-policy").starts_with("sandbox;"));
    assert_eq!(visit.get("/c/evil/1/text").header("content-type"), "text/plain; charset=utf-8");
    let view = visit.get("/c/evil/3/view");
    assert!(view.text().contains("<p>laid <b>out</b></p>") && view.header("content-security-policy").contains("frame-ancestors 'self'"));
    assert!(visit.get("/c/evil/3?as=view").text().contains("<iframe class=\"view\" sandbox=\"\" src=\"/c/evil/3/view\""));
    assert_eq!(visit.get("/c/evil/4/text").status, StatusCode::NOT_FOUND);
}

#[test]
fn a_document_says_who_when_what_and_what_is_missing() {
    let publisher = hostile();
    let visit = Visit::to(&publisher);
    let page = visit.get("/c/evil/1").text();
    for words in [
        "and 22 others",
        "In doubt: the time zone is missing",
        "What could not be read",
        "malformed",
        "Attached, 1 document",
        "/c/evil/4",
        "/c/evil/1/proof",
        "Conversation, 2 messages",
    ] {
        assert!(page.contains(words), "{words}");
    }
    let part = visit.get("/c/evil/4").text();
    assert!(part.contains("Attached to") && part.contains("/c/evil/1"));
    let proof = visit.get("/c/evil/1/proof").text();
    assert!(proof.contains("daylight-release/v1") && proof.contains("archive.example/harbour") && proof.contains("sha256sum"));
    let file = visit.get("/c/evil/1/evil-1.daylight-proof");
    let proven = daylight_archive::DocumentProof::parse(&file.body).unwrap().verify(None).unwrap();
    assert!(!proven.anchored());
}

#[test]
fn words_that_a_machine_saw_are_said_to_be_so() {
    let mut publisher = Publisher::new();
    let seen = message(1, "scan", "[recognised text]\nturbine\n[end of recognised text]\n").with(|record| {
        let detail = "the text of page 1 was seen by a machine".into();
        let tool = "recognise 1, tesseract 5".into();
        record.faults.push(Fault { stage: Stage::Read, code: FaultCode::Recognised, tool, detail, limit: None, at: None });
    });
    publisher.release("c", "Papers", vec![seen, message(2, "written", "turbine")]);
    let visit = Visit::to(&publisher);
    let (seen, written) = (visit.get("/c/c/1").text(), visit.get("/c/c/2").text());
    assert!(
        seen.contains("by a machine and may be wrong") && seen.contains("tesseract 5") && !seen.contains("What could not be read"),
        "{seen}"
    );
    assert!(!written.contains("by a machine"), "{written}");
}

#[test]
fn a_search_says_how_many_in_what_order_and_what_may_be_missing() {
    let publisher = hostile();
    let visit = Visit::to(&publisher);
    let page = visit.get("/search?q=heron").text();
    for words in [
        "<h1>3 documents</h1>",
        "<mark>heron</mark>",
        "oldest",
        "1 document in what was searched could not be fully read",
        "collection%3Aplain",
        "By year",
    ] {
        assert!(page.contains(words), "{words}");
    }
    let plain = visit.get("/search?q=heron+collection%3Aplain").text();
    assert!(plain.contains("<h1>1 document</h1>") && plain.contains("/c/plain/1"));
    let mistake = visit.get("/search?q=heron+date%3A2015-99");
    assert_eq!(mistake.status, StatusCode::BAD_REQUEST);
    assert!(mistake.text().contains("<em>") && mistake.text().contains("Search for the plain words instead"));
    let nothing = visit.get("/search?q=heron+zzzz").text();
    assert!(nothing.contains("Nothing was found") && nothing.contains("Without one of them"));
    assert!(visit.get("/search").text().contains("What can be asked"));
}

#[test]
fn the_whole_result_comes_as_csv_without_formulas_and_as_json() {
    let mut publisher = Publisher::new();
    let mut docs: Vec<_> = (1..=2500).map(|n| message(n, "wall", "heron")).collect();
    docs[0].record.title = "=cmd|' /C calc'!A0".into();
    publisher.release("wall", "Wall", docs);
    let visit = Visit::to(&publisher);
    let csv = visit.get("/search?q=heron&sort=oldest&format=csv");
    assert_eq!(csv.header("content-disposition"), "attachment; filename=\"search.csv\"");
    let text = csv.text();
    assert_eq!(text.lines().count(), 2501);
    assert!(
        text.lines().nth(1).unwrap().starts_with("\"wall/1\",\"message\",\"'=cmd|' /C calc'!A0\",\"2014-04-09T23:33:20Z\""),
        "{:?}",
        text.lines().nth(1)
    );
    let json: serde_json::Value = serde_json::from_slice(&visit.get("/search?q=heron&sort=oldest&format=json").body).unwrap();
    assert_eq!((json["total"].as_u64(), json["hits"].as_array().unwrap().len()), (Some(2500), 2500));
    assert_eq!(json["hits"][2499]["id"], "wall/2500");
    let none: serde_json::Value = serde_json::from_slice(&visit.get("/search?q=zzzz&format=json").body).unwrap();
    assert_eq!(none["hits"].as_array().unwrap().len(), 0);
}

#[test]
fn a_conversation_ten_thousand_answers_deep_is_a_few_pages() {
    let mut publisher = Publisher::new();
    let chain = (1..=10_000).map(|n| message(n, "Re: wall", "x").with(|r| (r.thread, r.answers) = (Some(1), (n > 1).then(|| n - 1))));
    let mut docs: Vec<_> = chain.collect();
    // And one that answers itself in a ring.
    docs.push(message(20_001, "ring", "x").with(|r| (r.thread, r.answers) = (Some(20_001), Some(20_002))));
    docs.push(message(20_002, "ring", "x").with(|r| (r.thread, r.answers) = (Some(20_001), Some(20_001))));
    publisher.release("deep", "Deep", docs);
    let visit = Visit::to(&publisher);
    let page = visit.get("/thread/deep/5000?page=50").text();
    assert!(page.contains("10,000 messages") && page.contains("/c/deep/10000\"") && page.len() < 200_000, "{}", page.len());
    assert!(page.matches("<ol").count() == page.matches("</ol>").count());
    assert_eq!(visit.get("/thread/deep/5000?page=51").status, StatusCode::NOT_FOUND);
    let beside = visit.get("/c/deep/5000").text();
    assert!(beside.contains("Conversation, 10,000 messages") && beside.len() < 30_000, "{}", beside.len());
    assert!(visit.get("/thread/deep/20002").text().contains("2 messages"));
}
