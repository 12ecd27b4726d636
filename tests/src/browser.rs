//! The reader's pages as people meet them: in a browser on a desk and on a phone, by day and by night, without sight, and without a browser.

use crate::support::{Browser, Theme, demo_server, get, root, tool, tool_file, workplace};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

/// Every kind of page, by a name for its picture. Documents are found by searching, as a reader would.
fn pages(origin: &str) -> Vec<(&'static str, String)> {
    let found = |query: &str| {
        let page = get(&format!("{origin}/search?q={query}"), &[]).text();
        let main = &page[page.find("<main").unwrap()..];
        let at = main.find("href=\"/c/").unwrap_or_else(|| panic!("{query} finds nothing:\n{main}")) + 6;
        main[at..at + main[at..].find('"').unwrap()].to_owned()
    };
    let survey = found("subject:%22what+the+survey+found%22+P7");
    let collection = survey.rsplit_once('/').unwrap().0.to_owned();
    let paths = vec![
        ("home", "/".to_owned()),
        ("search", "/search?q=reservoir+%22east+wall%22".to_owned()),
        ("search-one-word", "/search?q=P7&sort=newest".to_owned()),
        ("search-empty", "/search".to_owned()),
        ("search-nothing", "/search?q=xylophone".to_owned()),
        ("search-mistake", "/search?q=%28reservoir+OR".to_owned()),
        ("collection", collection),
        ("document", survey.clone()),
        ("thread", survey.replacen("/c/", "/thread/", 1)),
        ("proof", format!("{survey}/proof")),
        ("document-html", found("subject:%22Courier+morning+letter%22")),
        ("document-arabic", found("from:layla&sort=oldest")),
        ("document-hebrew", found("from:shachar-lab.example")),
        ("document-chinese", found("from:haiping-grout.example")),
        ("document-attached", found("file:prices.csv+-type:message")),
        ("document-pdf", found("file:%22Alder-east-wall-survey-2014.pdf%22+-type:message")),
        ("document-unreadable", found("file:%22hole+23%22")),
        ("verify", "/verify".to_owned()),
        ("help", "/help".to_owned()),
        ("about", "/about".to_owned()),
        ("not-found", "/c/no-such-collection/1".to_owned()),
    ];
    paths.into_iter().map(|(name, path)| (name, format!("{origin}{path}"))).collect()
}

#[test]
fn a_reader_goes_from_search_to_document_to_thread_to_proof_by_clicking() {
    if !tool("chromium") || !tool("chromedriver") {
        return;
    }
    let (server, browser) = (demo_server(), Browser::start());
    for (width, theme) in [(1280, Theme::Light), (360, Theme::Dark)] {
        browser.look(width, theme);
        browser.open(&server.at("/"));
        browser.write("header input[name=q]", "urgent summary\u{e007}");
        browser.arrive(&server.at("/search?q=urgent+summary"));
        browser.click("main ol a[href^='/c/']");
        browser.arrive(&server.at("/c/"));
        let (document, title) = browser.at();
        assert!(title.contains("urgent"), "{title}");
        let path = document.strip_prefix(&server.origin).unwrap().to_owned();
        browser.click("a[href^='/thread/']");
        browser.arrive(&server.at("/thread/"));
        browser.click("main a[href^='/c/']");
        browser.arrive(&server.at("/c/"));
        // The bytes are saved, not shown: clicking leaves the page where it was.
        browser.open(&document);
        browser.click(&format!("a[href='{path}/raw']"));
        assert_eq!(browser.at().0, document);
        browser.click(&format!("a[href='{path}/proof']"));
        browser.arrive(&format!("{document}/proof"));
        let proof = browser.run("return document.body.innerText").to_string();
        assert!(browser.at().0.ends_with("/proof") && proof.contains("sha256sum"), "{proof}");
        browser.open(&format!("{document}/text"));
        let text = browser.run("return document.body.innerText").to_string();
        assert!(text.contains("maintenance period"), "{text}");
    }
    assert_requests_stay(&browser, &server.origin);
}

#[test]
fn every_page_fits_phone_and_desk_by_day_and_night_and_can_be_read_without_sight() {
    let Some(axe) = tool_file("axe.min.js").filter(|_| tool("chromium") && tool("chromedriver")) else { return };
    let axe = fs::read_to_string(axe).unwrap();
    let (server, browser) = (demo_server(), Browser::start());
    let mut wrong = Vec::new();
    for (name, url) in pages(&server.origin) {
        for (width, theme) in [(360, Theme::Light), (360, Theme::Dark), (1280, Theme::Light), (1280, Theme::Dark)] {
            let shown = format!("{name}-{width}-{}", theme.word());
            browser.look(width, theme);
            browser.open(&url);
            browser.picture(&root().join(format!("target/screenshots/{shown}.png")));
            if let Some(overflow @ 1..) = too_wide(&browser) {
                wrong.push(format!("{shown}: {overflow} pixels too wide"));
            }
            wrong.extend(violations(&browser, &axe).into_iter().map(|what| format!("{shown}: {what}")));
        }
        // At the width of WCAG 2.2, 1.4.10 ("Reflow"), nothing is to be scrolled sideways either.
        browser.look(320, Theme::Light);
        browser.picture(&root().join(format!("target/screenshots/{name}-320-light.png")));
        if let Some(overflow @ 1..) = too_wide(&browser) {
            wrong.push(format!("{name}-320: {overflow} pixels too wide"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_requests_stay(&browser, &server.origin);
}

/// By how many pixels the page that is open is wider than the window.
pub(crate) fn too_wide(browser: &Browser) -> Option<i64> {
    browser.run("return document.documentElement.scrollWidth - document.documentElement.clientWidth").as_i64()
}

/// What axe-core has against the page that is open (WCAG 2.2 A and AA, and its own advice).
pub(crate) fn violations(browser: &Browser, axe: &str) -> Vec<String> {
    browser.run(axe);
    let found = browser.run_async("const done = arguments[arguments.length - 1]; axe.run(document).then(done, e => done(String(e)))");
    let Some(violations) = found["violations"].as_array() else { return vec![format!("axe-core failed: {found}")] };
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let node = |v: &Value| text(&v["nodes"][0]["html"]) + " " + &text(&v["nodes"][0]["failureSummary"]);
    violations.iter().map(|v| format!("{}: {} ({})", text(&v["id"]), text(&v["help"]), node(v))).collect()
}

/// Nothing that a page asked for goes anywhere but to its own server, not even what would have been refused.
#[track_caller]
fn assert_requests_stay(browser: &Browser, origin: &str) {
    let requests: BTreeSet<String> = browser.requests().into_iter().collect();
    assert!(requests.iter().any(|url| url.starts_with(origin)), "the log of requests is empty");
    let ours =
        |url: &String| url.starts_with(&format!("{origin}/")) || ["data:", "about:", "chrome"].iter().any(|scheme| url.starts_with(scheme));
    let strays: Vec<_> = requests.iter().filter(|url| !ours(url)).collect();
    assert!(strays.is_empty(), "pages asked for {strays:?}");
}

#[test]
fn every_page_is_valid_html() {
    let Some(checker) = tool_file("vnu.jar").filter(|_| tool("java")) else { return };
    let (server, work) = (demo_server(), workplace());
    for (name, url) in pages(&server.origin) {
        fs::write(work.path().join(format!("{name}.html")), get(&url, &[]).body).unwrap();
    }
    let checked = Command::new("java").arg("-jar").arg(checker).arg("--skip-non-html").arg(work.path()).output().unwrap();
    assert!(checked.status.success() && checked.stderr.is_empty(), "{}", String::from_utf8_lossy(&checked.stderr));
}

#[test]
fn a_text_browser_shows_search_and_document() {
    if !tool("w3m") {
        return;
    }
    let server = demo_server();
    let dump = |url: &str| {
        String::from_utf8(Command::new("w3m").args(["-dump", "-O", "utf-8", "-cols", "100", url]).output().unwrap().stdout).unwrap()
    };
    let pages = pages(&server.origin);
    let page = |name: &str| dump(&pages.iter().find(|(n, _)| *n == name).unwrap().1);
    assert!(page("search").contains("East wall"), "{}", page("search"));
    let document = page("document");
    for words in ["Hesper Orrin", "two metres below the spillway", "what the survey found"] {
        assert!(document.contains(words), "no {words:?} in:\n{document}");
    }
    assert!(page("document-arabic").contains("الماء"), "{}", page("document-arabic"));
}
