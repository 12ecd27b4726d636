//! The reader's pages as a program meets them: every link leads somewhere, every answer is hardened, nothing is asked of anybody else.

use crate::support::{Answer, daylight, demo, demo_server, get, workplace};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs;
use std::process::Command;

/// Links of a page, by attribute. Enough for HTML that is known to be ours and valid.
fn links(html: &str, attribute: &str) -> Vec<String> {
    let start = format!(" {attribute}=\"");
    let values = html.split(&start).skip(1).filter_map(|rest| rest.split('"').next());
    values.map(|value| value.replace("&amp;", "&").replace("&quot;", "\"")).collect()
}

#[test]
fn every_link_leads_somewhere_and_every_answer_is_hardened() {
    let server = demo_server();
    let mut waiting = VecDeque::from(["/".to_owned()]);
    let mut seen: BTreeSet<String> = waiting.iter().cloned().collect();
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    let mut wrong = Vec::new();
    while let Some(path) = waiting.pop_front() {
        let answer = get(&server.at(&path), &[]);
        if answer.status != 200 {
            wrong.push(format!("{path}: status {}", answer.status));
        }
        wrong.extend(weaknesses(&answer).into_iter().map(|what| format!("{path}: {what}")));
        *kinds.entry(kind(&path)).or_default() += 1;
        if !answer.is_html() || path.ends_with("/view") {
            continue;
        }
        let html = answer.text();
        let named = ["href", "src", "action"].iter().flat_map(|attribute| links(&html, attribute));
        for link in named {
            let path = link.split('#').next().unwrap_or_default().to_owned();
            let own = path.starts_with('/') && !path.starts_with("//");
            // Searches lead to ever more searches: sixty of them will do.
            let enough = path.starts_with("/search") && kinds.get("search").is_some_and(|count| *count > 60);
            if own && !enough && seen.insert(path.clone()) {
                waiting.push_back(path);
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    for expected in ["page", "raw", "view", "proof", "proof file", "thread", "search", "collection"] {
        assert!(kinds.contains_key(expected), "no page of the kind {expected} was reached: {kinds:?}");
    }
    assert!(kinds["page"] > 300, "{kinds:?}");
}

fn kind(path: &str) -> String {
    let pieces: Vec<&str> = path.split('?').next().unwrap_or_default().split('/').skip(1).collect();
    match pieces[..] {
        ["c", _] => "collection",
        ["c", _, _] => "page",
        ["c", _, _, file] if file.ends_with(".daylight-proof") => "proof file",
        ["c", _, _, part] => part,
        ["c", ..] => "other",
        [first, ..] => first,
        [] => "other",
    }
    .to_owned()
}

/// What an answer lacks of what every answer has.
fn weaknesses(answer: &Answer) -> Vec<String> {
    let mut weak = Vec::new();
    let policy = answer.header("content-security-policy");
    if !policy.contains("default-src 'none'")
        || policy.contains("unsafe")
        || policy.contains("script-src") && !policy.contains("script-src 'none'")
    {
        weak.push(format!("its policy is {policy:?}"));
    }
    for (name, value) in [("x-content-type-options", "nosniff"), ("referrer-policy", "no-referrer"), ("set-cookie", "")] {
        if answer.header(name) != value {
            weak.push(format!("{name} is {:?}", answer.header(name)));
        }
    }
    if answer.is_html() {
        let html = answer.text();
        for word in ["<script", "javascript:", "<object", "<embed", " onload=", " onclick=", "http-equiv=\"refresh"] {
            if html.contains(word) {
                weak.push(format!("it has {word}"));
            }
        }
        let remote = links(&html, "src").into_iter().filter(|link| link.contains("//"));
        weak.extend(remote.map(|link| format!("it loads {link}")));
    }
    weak
}

#[test]
fn html_mail_keeps_its_words_and_loses_its_script_and_its_tracker() {
    let server = demo_server();
    let hits = get(&server.at("/search?q=subject:%22Courier+morning+letter%22"), &[]).text();
    let documents: BTreeSet<String> =
        links(&hits, "href").into_iter().filter(|link| link.starts_with("/c/")).filter(|link| kind(link) == "page").collect();
    assert!(documents.len() >= 10, "{documents:?}");
    for document in documents.iter().take(5) {
        let view = get(&server.at(&format!("{document}/view")), &[]);
        assert_eq!(view.status, 200, "{document}");
        assert!(view.header("content-security-policy").contains("sandbox"), "{view:?}");
        let html = view.text();
        assert!(
            html.contains("The Brackwater Courier") && !html.contains("track.") && !html.contains("<script") && !html.contains("<img"),
            "{html}"
        );
    }
}

#[test]
fn raw_is_the_published_bytes_and_can_be_asked_for_in_part() {
    let server = demo_server();
    let page = get(&server.at("/search?q=from:garam+subject:*"), &[]).text();
    let page = if page.contains("\"/c/") { page } else { get(&server.at("/search?q=from:garam-dam.example"), &[]).text() };
    let document = links(&page, "href").into_iter().find(|link| kind(link) == "page").unwrap();
    let whole = get(&server.at(&format!("{document}/raw")), &[]);
    let original = fs::read_dir(demo().join("trove/loose"))
        .unwrap()
        .map(|entry| fs::read(entry.unwrap().path()).unwrap())
        .find(|bytes| *bytes == whole.body);
    assert!(original.is_some(), "the published bytes are those of no file of the trove");
    assert!(whole.header("content-disposition").starts_with("attachment"), "{whole:?}");
    let part = get(&server.at(&format!("{document}/raw")), &[("range", "bytes=10-19")]);
    assert_eq!((part.status, &part.body[..]), (206, &whole.body[10..20]));
    let beyond = get(&server.at(&format!("{document}/raw")), &[("range", "bytes=99999999-")]);
    assert_eq!(beyond.status, 416);
}

#[test]
fn what_is_not_there_is_said_so_and_nothing_is_found_by_climbing() {
    let server = demo_server();
    let climbs = [
        "/c/demo/999999",
        "/nothing",
        "/c/../../etc/passwd",
        "/c/%2e%2e/1",
        "/..%2f..%2fetc%2fpasswd",
        "/c/demo/1/../../../root/1.json",
        "/checkpoint/..",
    ];
    for path in climbs {
        let answer = get(&server.at(path), &[]);
        assert!([400, 404].contains(&answer.status), "{path}: {}", answer.status);
        assert!(!answer.text().contains("root:") && weaknesses(&answer).is_empty(), "{path}: {answer:?}");
    }
    let mistaken = get(&server.at("/search?q=%28reservoir"), &[]);
    assert!(mistaken.status < 500 && mistaken.text().contains("reservoir"), "{mistaken:?}");
}

#[test]
fn an_archive_that_nobody_may_write_is_served_and_searched_and_stays_as_it_is() {
    let work = workplace();
    let archive = work.path().join("archive");
    assert!(Command::new("cp").arg("-r").arg(demo().join("archive")).arg(&archive).status().unwrap().success());
    assert!(Command::new("chmod").args(["-R", "a-w"]).arg(&archive).status().unwrap().success());
    let listing =
        || String::from_utf8(Command::new("find").arg(&archive).args(["-printf", "%p %s %T@ %m\n"]).output().unwrap().stdout).unwrap();
    let before = listing();
    let server = crate::support::Server::start(&archive);
    assert_eq!(get(&server.at("/search?q=reservoir"), &[]).status, 200);
    drop(server);
    daylight(["verify".as_ref(), archive.as_os_str()]).code(0);
    assert_eq!(listing(), before);
    assert!(Command::new("chmod").args(["-R", "u+w"]).arg(&archive).status().unwrap().success());
}
