//! The drop's pages as sources meet them, and what somebody does to them who means a source no good.

use crate::browser::{too_wide, violations};
use crate::support::drop::{DropServer, Told, Town, Visitor, form};
use crate::support::{Browser, Theme, tool, tool_file, workplace};
use daylight_envelope::{Authenticated, Kind, SealedBy};
use std::fs;
use std::process::Command;

const LANGUAGES: [&str; 8] = ["en", "es", "fr", "de", "pt", "ru", "ar", "zh"];

/// Sends one text and leaves, and gives the words of the codename.
fn one_text(server: &DropServer, text: &str) -> String {
    let mut visitor = Visitor::new(server);
    let words = visitor.begin();
    assert_eq!(visitor.send(&[("text", None, text.as_bytes())]).status, 303);
    words
}

#[test]
fn a_source_sends_comes_back_reads_the_answer_and_deletes_everything() {
    let town = Town::new();
    let server = town.serve();
    let mut visitor = Visitor::new(&server);
    let words = visitor.begin();
    assert_eq!(words.split(' ').count(), 10);
    let sent =
        visitor.send(&[("text", None, b"Look at the\r\neast wall."), ("part", None, b""), ("file", Some("wall.pdf"), &[7; 300_000])]);
    assert_eq!((sent.status, sent.header("location")), (303, "/en/mailbox"));
    assert!(visitor.get("/en/mailbox").text().contains("1 texts and 1 files"));
    assert!(!visitor.get("/en/mailbox").text().contains("1 texts and 1 files"), "it is said once");
    assert_eq!(town.read(), [(String::new(), b"Look at the\neast wall.".to_vec()), ("wall.pdf".to_owned(), vec![7; 300_000])]);
    let opened: Vec<_> = town.envelopes().iter().map(|file| town.open(file)).collect();
    assert!(opened.iter().all(|(head, _, _)| head.sealed_by == SealedBy::Page));
    let firsts = opened.iter().filter(|(_, _, finished)| finished.authenticated == Authenticated::First).count();
    assert_eq!(firsts, 1, "what follows the first is authenticated");
    let file = opened.iter().find(|(head, ..)| head.kind != Kind::Text).unwrap();
    assert_eq!(file.0.media_type, "application/x-test");
    assert!(matches!(file.0.kind, Kind::File { part: 0, last: true, .. }));

    let token = visitor.get("/en/mailbox").token();
    let left = visitor.post("/en/logout", &[("token", &token)]);
    assert!(left.header("set-cookie").contains("Max-Age=0") && left.header("clear-site-data").contains("cache"));
    assert_eq!(visitor.get("/en/mailbox").status, 403);

    let list = town.collect(&server, "POST", "/collect/list", &[], b"").json();
    let lookup = list["envelopes"][0]["lookup"].as_str().unwrap().to_owned();
    for (counter, body) in [(1, "Which wall? <b>Say</b>"), (2, "Thank you")] {
        let reply = town.reply(&file.0, counter, body);
        assert_eq!(town.collect(&server, "PUT", "/collect/reply", &[("Daylight-Lookup", &lookup)], &reply).status, 201);
    }
    // A reply that somebody else signed is not shown.
    let stranger = Town::new();
    let forged = {
        let mut bytes = stranger.reply(&file.0, 3, "Meet me at the wall");
        let at = bytes.len() - 20;
        bytes[at] ^= 1;
        bytes
    };
    assert_eq!(town.collect(&server, "PUT", "/collect/reply", &[("Daylight-Lookup", &lookup)], &forged).status, 201);
    let mut again = Visitor::new(&server);
    assert_eq!(again.login(&words.to_uppercase()).status, 303);
    let mailbox = again.get("/en/mailbox").text();
    assert!(mailbox.contains("Which wall? &lt;b&gt;Say") && mailbox.contains("Thank you") && mailbox.contains("of 3"), "{mailbox}");
    assert!(mailbox.contains("cannot be opened") && !mailbox.contains("Meet me"));
    let token = again.get("/en/delete").token();
    assert_eq!(again.post("/en/delete", &[("token", &token)]).header("location"), "/en/gone");
    for folder in ["envelope", "reply", "source"] {
        assert_eq!(fs::read_dir(town.home.join(folder)).unwrap().count(), 0, "{folder}");
    }
    assert_eq!(again.get("/en/mailbox").status, 403);
}

#[test]
fn a_slip_is_told_from_an_empty_mailbox() {
    let town = Town::new();
    let server = town.serve();
    let words = one_text(&server, "hello");
    let mut swapped: Vec<&str> = words.split(' ').collect();
    swapped.swap(2, 3);
    for wrong in [swapped.join(" "), words.replacen(words.split(' ').next().unwrap(), "wall", 1), String::new(), "one two".into()] {
        let mut visitor = Visitor::new(&server);
        visitor.login(&wrong);
        let page = visitor.get("/en/mailbox").text();
        assert!(wrong == words || page.contains("no codename"), "{wrong}: {page}");
        assert_ne!(visitor.send_raw(&form(&[])).status, 303);
    }
    let mut other = Visitor::new(&server);
    let unused = other.begin();
    let mut visitor = Visitor::new(&server);
    visitor.login(&unused);
    assert!(visitor.get("/en/mailbox").text().contains("no answer yet"));
}

/// What somebody sees who only counts bytes: how long the head is, of what kind each line, and how long the body.
fn shape(told: &Told) -> (u16, usize, Vec<String>, usize) {
    let names = told.head.lines().skip(1).map(|line| line.split(':').next().unwrap().to_owned()).collect();
    (told.status, told.head.len(), names, told.body.len())
}

#[test]
fn right_and_wrong_logins_and_full_and_empty_mailboxes_are_alike_in_every_byte_that_is_counted() {
    let town = Town::new();
    let server = town.serve();
    let known = one_text(&server, "hello");
    let lookup = town.collect(&server, "POST", "/collect/list", &[], b"").json()["envelopes"][0]["lookup"].as_str().unwrap().to_owned();
    let head = town.open(&town.envelopes()[0]).0;
    for counter in 0..6 {
        let reply = town.reply(&head, counter, &"a long answer ".repeat(200 * counter as usize));
        assert_eq!(town.collect(&server, "PUT", "/collect/reply", &[("Daylight-Lookup", &lookup)], &reply).status, 201);
    }
    let mut stranger = Visitor::new(&server);
    let empty = stranger.begin();
    let wrong = empty.rsplit_once(' ').unwrap().0.to_owned() + " zoom";
    let mut shapes = Vec::new();
    for words in [known, empty, wrong] {
        let mut visitor = Visitor::new(&server);
        let login = shape(&visitor.login(&words));
        let mailbox = shape(&visitor.get("/en/mailbox"));
        assert_eq!(mailbox.3, 256 << 10);
        shapes.push((login, mailbox));
    }
    assert_eq!(shapes[0], shapes[1]);
    assert_eq!(shapes[1], shapes[2]);
}

#[test]
fn a_form_counts_only_from_a_page_of_this_session_and_address() {
    let town = Town::new();
    let server = town.serve();
    let (mut visitor, mut other) = (Visitor::new(&server), Visitor::new(&server));
    visitor.begin();
    other.begin();
    let (token, theirs) = (visitor.get("/en/mailbox").token(), other.get("/en/mailbox").token());
    assert_ne!(token, theirs);
    for path in ["/en/delete", "/en/logout", "/en/kept"] {
        for wrong in ["", theirs.as_str(), "0000"] {
            assert_eq!(visitor.post(path, &[("token", wrong)]).status, 403, "{path}");
        }
    }
    let text = [("token", None, theirs.as_bytes()), ("text", None, b"planted".as_slice())];
    assert_eq!(visitor.send_raw(&form(&text)).status, 403);
    // The token after what it should vouch for is none.
    let late = [("text", None, b"planted".as_slice()), ("token", None, token.as_bytes())];
    assert_eq!(visitor.send_raw(&form(&late)).status, 403);
    assert!(town.envelopes().is_empty());
    // From another site's page, whatever it knows.
    let cookie = visitor.cookie.clone();
    let body = format!("token={token}");
    for (name, value) in
        [("Origin", "http://evil.example"), ("Origin", "null"), ("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Site", "same-site")]
    {
        let told = server.ask("POST", "/en/logout", &[("Cookie", &cookie), (name, value)], body.as_bytes());
        assert_eq!(told.status, 403, "{name} {value}");
    }
    let login = visitor.get("/en/login").token();
    let told = server.ask("POST", "/en/new", &[("Origin", "http://evil.example")], format!("token={login}").as_bytes());
    assert_eq!(told.status, 403);
    // What is asked for with GET changes nothing.
    for path in ["/en/logout", "/en/new", "/en/send", "/en/kept"] {
        assert_eq!(visitor.get(path).status, 404, "{path}");
    }
    assert_eq!(visitor.get("/en/mailbox").status, 200);
    assert_eq!(visitor.post("/en/logout", &[("token", &token)]).status, 303);
}

#[test]
fn a_cookie_is_never_taken_from_a_visitor_and_never_outlives_a_login() {
    let town = Town::new();
    let server = town.serve();
    let words = one_text(&server, "hello");
    let mut planted = Visitor::new(&server);
    let fixed = format!("daylight={}", "a".repeat(64));
    planted.cookie = fixed.clone();
    let login = planted.login(&words);
    let set = login.header("set-cookie").to_owned();
    assert!(
        set.contains("HttpOnly") && set.contains("SameSite=Strict") && set.contains("Path=/") && !set.contains(&"a".repeat(64)),
        "{set}"
    );
    assert_eq!(planted.get("/en/mailbox").status, 200);
    let mut attacker = Visitor::new(&server);
    attacker.cookie = fixed;
    assert_eq!(attacker.get("/en/mailbox").status, 403);
    // A second login ends the first session.
    let before = planted.cookie.clone();
    planted.login(&words);
    attacker.cookie = before;
    assert_eq!(attacker.get("/en/mailbox").status, 403);
    for path in ["/en/", "/en/login", "/en/mailbox", "/en/codename"] {
        assert_eq!(Visitor::new(&server).get(path).header("set-cookie"), "", "{path}: no cookie before a login");
    }
}

#[test]
fn two_tabs_and_the_back_button_work() {
    let town = Town::new();
    let server = town.serve();
    let mut visitor = Visitor::new(&server);
    visitor.begin();
    let (one, two) = (visitor.get("/en/mailbox").token(), visitor.get("/de/mailbox").token());
    for (token, text) in [(&one, "from the first tab"), (&two, "from the second"), (&one, "after going back")] {
        let told = visitor.send_raw(&form(&[("token", None, token.as_bytes()), ("file", Some("note.txt"), text.as_bytes())]));
        assert_eq!(told.status, 303);
    }
    assert_eq!(town.read().len(), 3);
    assert_eq!(visitor.get("/en/codename").header("location"), "/en/mailbox", "the words are shown no more");
}

#[test]
fn names_of_files_lead_nowhere_and_reach_the_newsroom_as_they_were() {
    let town = Town::new();
    let server = town.serve();
    let mut visitor = Visitor::new(&server);
    visitor.begin();
    let long = "n".repeat(2000);
    let names = [
        ("../../../../etc/passwd", "../../../../etc/passwd"),
        ("/etc/cron.d/x", "/etc/cron.d/x"),
        ("nul\0byte", "nul\0byte"),
        ("\u{202e}fdp.exe", "\u{202e}fdp.exe"),
        ("line%0D%0Abreak%22", "line\r\nbreak\""),
        ("C:\\CON", "C:\\CON"),
        (&long, &long[..512]),
    ];
    for (sent, kept) in names {
        assert_eq!(visitor.send(&[("file", Some(sent), b"x")]).status, 303, "{kept:?}");
        assert!(town.read().iter().any(|(name, _)| name == kept), "{kept:?}");
    }
    let outside: Vec<_> = fs::read_dir(town.work.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(outside.len(), 3, "{outside:?}");
}

#[test]
fn until_somebody_answers_one_text_and_64_mib_are_taken_and_then_more() {
    let town = Town::new();
    let server = town.serve();
    let mut visitor = Visitor::new(&server);
    visitor.begin();
    assert_eq!(visitor.send(&[("text", None, b"first")]).status, 303);
    let second = visitor.send(&[("text", None, b"second")]);
    assert!(second.status == 413 && second.text().contains("Not more for now"), "{second:?}");
    assert_eq!(visitor.send(&[("file", Some("large"), &vec![1; 60 << 20])]).status, 303);
    assert_eq!(visitor.send(&[("file", Some("more"), &vec![1; 30 << 20])]).status, 413);
    let lookup = town.collect(&server, "POST", "/collect/list", &[], b"").json()["envelopes"][0]["lookup"].as_str().unwrap().to_owned();
    town.collect(&server, "POST", "/collect/accept", &[], lookup.as_bytes());
    assert_eq!(visitor.send(&[("text", None, b"second"), ("file", Some("more"), &vec![1; 30 << 20])]).status, 303);
    assert_eq!(town.read().len(), 4);
}

/// A file longer than a part, which differs from part to part.
fn long() -> Vec<u8> {
    let mut bytes = vec![1; 64 << 20];
    bytes.extend(std::iter::repeat_n(2, 1 << 20));
    bytes
}

#[test]
fn a_long_file_comes_in_parts_and_goes_on_where_the_line_broke() {
    let town = Town::new();
    let server = town.serve();
    let mut visitor = Visitor::new(&server);
    visitor.begin();
    let token = visitor.get("/en/mailbox").token();
    visitor.send(&[("file", Some("first"), b"x")]);
    let lookup = town.collect(&server, "POST", "/collect/list", &[], b"").json()["envelopes"][0]["lookup"].as_str().unwrap().to_owned();
    town.collect(&server, "POST", "/collect/accept", &[], lookup.as_bytes());
    let ids = town.collect(&server, "POST", "/collect/list", &[], b"").json()["envelopes"][0]["id"].as_str().unwrap().to_owned();
    town.collect(&server, "POST", "/collect/done", &[], ids.as_bytes());
    // The line breaks in the second part.
    let body = form(&[("token", None, token.as_bytes()), ("file", Some("video"), &long())]);
    let origin = format!("http://{}", server.address);
    let length = body.len().to_string();
    let headers = [
        ("Cookie", visitor.cookie.as_str()),
        ("Content-Type", "multipart/form-data; boundary=BOUND"),
        ("Origin", &origin),
        ("Content-Length", &length),
    ];
    {
        use std::io::Write;
        let mut stream = server.connect();
        let mut head = format!("POST /en/send HTTP/1.1\r\nHost: {}\r\n", server.address);
        headers.iter().for_each(|(name, value)| head.push_str(&format!("{name}: {value}\r\n")));
        stream.write_all(format!("{head}\r\n").as_bytes()).unwrap();
        stream.write_all(&body[..(64 << 20) + 5000]).unwrap();
    }
    let until = std::time::Instant::now();
    while town.envelopes().is_empty() || fs::read_dir(town.home.join("incoming")).unwrap().count() > 0 {
        assert!(until.elapsed().as_secs() < 60, "the first part is kept, and nothing of the second");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let said = loop {
        let text = visitor.get("/en/mailbox").text();
        if text.contains("broke off") || until.elapsed().as_secs() > 60 {
            break text;
        }
    };
    assert!(said.contains("broke off after part 1"), "{}", &said[..4000]);
    // Another file, which is shorter than what is said to be here already: nothing of it is kept, and nobody is told that it was.
    let before = town.envelopes().len();
    for part in ["2", "3"] {
        assert_eq!(visitor.send(&[("part", None, part.as_bytes()), ("file", Some("video"), b"thirteen bytes")]).status, 400);
        assert_eq!(town.envelopes().len(), before);
    }
    // The same file again, from the second part on.
    assert_eq!(visitor.send(&[("part", None, b"2"), ("file", Some("video"), &long())]).status, 303);
    let mut parts: Vec<_> = town.envelopes().iter().map(|file| town.open(file)).collect();
    parts.sort_by_key(|(head, ..)| if let Kind::File { part, .. } = head.kind { part } else { u32::MAX });
    let whole: Vec<u8> = parts.iter().flat_map(|(_, body, _)| body.clone()).collect();
    assert!(whole == long(), "the parts make the file");
    let kinds: Vec<_> = parts.iter().map(|(head, ..)| head.kind).collect();
    let Kind::File { file, .. } = kinds[0] else { panic!() };
    assert_eq!(kinds, [(0, false), (1, false), (2, true)].map(|(part, last)| Kind::File { file, part, last }));
    // A part that the source cut out itself joins it.
    let piece = [
        ("part", None, b"3".as_slice()),
        ("piece", None, b"1"),
        ("last", None, b"1"),
        ("whole", None, b"video"),
        ("file", Some("video.003"), b"end"),
    ];
    assert_eq!(visitor.send(&piece).status, 303);
    let joined =
        town.envelopes().iter().map(|path| town.open(path).0).filter(|head| head.kind == Kind::File { file, part: 2, last: true }).count();
    assert_eq!(joined, 2);
}

#[test]
fn circuits_that_ask_too_much_are_held_back_and_nobody_else_is() {
    let town = Town::new();
    let server = town.serve();
    let mut greedy = Visitor::new(&server);
    greedy.line = "PROXY TCP6 fc00:dead:beef:4dad::0:17 ::1 65535 80\r\n".to_owned();
    let token = Visitor::new(&server).get("/en/login").token();
    let typed = [("token", token.as_str()), ("codename", "one two three")];
    let statuses: Vec<u16> = (0..60).map(|_| greedy.post("/en/login", &typed).status).collect();
    assert!(statuses.contains(&303) && statuses.contains(&429), "{statuses:?}");
    let mut other = Visitor::new(&server);
    other.line = "PROXY TCP6 fc00:dead:beef:4dad::0:18 ::1 65535 80\r\n".to_owned();
    other.begin();
    assert_eq!(other.send(&[("text", None, b"not held back")]).status, 303);
    assert_eq!(town.read().len(), 1);
}

#[test]
fn without_keys_for_today_the_drop_says_that_it_is_closed() {
    let town = Town::new();
    fs::write(town.home.join("directory"), town.directory(5, crate::support::drop::today() + 3)).unwrap();
    let server = town.serve();
    let mut visitor = Visitor::new(&server);
    visitor.begin();
    let told = visitor.send(&[("text", None, b"hello")]);
    assert!(told.status == 503 && told.text().contains("closed today") && town.envelopes().is_empty());
}

/// Every page in a language, by name, as HTML. The session is in a mailbox with an answer.
fn every_page(town: &Town, server: &DropServer, language: &str) -> Vec<(String, String)> {
    let mut visitor = Visitor::new(server);
    let mut pages = Vec::new();
    let mut keep = |name: &str, told: Told| pages.push((format!("{language}-{name}"), told.text()));
    let at = |path: &str| format!("/{language}{path}");
    for (name, path) in
        [("start", "/"), ("login", "/login"), ("bye", "/bye"), ("gone", "/gone"), ("missing", "/nothing"), ("expired", "/mailbox")]
    {
        keep(name, visitor.get(&at(path)));
    }
    let token = visitor.get(&at("/login")).token();
    visitor.post(&at("/login"), &[("token", &token), ("codename", "no such words")]);
    keep("slip", visitor.get(&at("/mailbox")));
    keep("stale", visitor.post(&at("/login"), &[("token", "0")]));
    let token = visitor.get(&at("/")).token();
    visitor.post(&at("/new"), &[("token", &token)]);
    let codename = visitor.get(&at("/codename"));
    let token = codename.token();
    keep("codename", codename);
    visitor.post(&at("/kept"), &[("token", &token)]);
    keep("mailbox-empty", visitor.get(&at("/mailbox")));
    let before = town.envelopes();
    visitor.send(&[("text", None, b"hello")]);
    let mine = town.envelopes().into_iter().find(|file| !before.contains(file)).unwrap();
    let lookup = daylight_model::Digest(fs::read(&mine).unwrap()[32..64].try_into().unwrap()).to_string();
    let head = town.open(&mine).0;
    for counter in 0..6 {
        let reply = town.reply(&head, counter, "First line\n\nشكرا <&> \u{7}");
        town.collect(server, "PUT", "/collect/reply", &[("Daylight-Lookup", &lookup)], &reply);
    }
    keep("mailbox", visitor.get(&at("/mailbox")));
    keep("mailbox-older", visitor.get(&at("/mailbox?from=4")));
    keep("delete", visitor.get(&at("/delete")));
    pages
}

#[test]
fn every_page_in_every_language_is_valid_has_no_script_and_reads_in_a_text_browser() {
    let Some(checker) = tool_file("vnu.jar").filter(|_| tool("java") && tool("w3m")) else { return };
    let town = Town::new();
    let server = town.serve();
    let work = workplace();
    for language in LANGUAGES {
        for (name, html) in every_page(&town, &server, language) {
            for word in ["<script", "javascript:", " onload=", " onclick=", " style=", "http-equiv", "<img", "src="] {
                assert!(!html.contains(word), "{name} has {word}");
            }
            assert!(html.contains(&format!("<html lang=\"{language}\"")) && !html.contains("{ $"), "{name}");
            let file = work.path().join(format!("{name}.html"));
            fs::write(&file, &html).unwrap();
            let dumped = Command::new("w3m").args(["-dump", "-T", "text/html", "-I", "utf-8", "-O", "utf-8"]).arg(&file).output().unwrap();
            let text = String::from_utf8(dumped.stdout).unwrap();
            let title = html.split("<h1>").nth(1).unwrap().split('<').next().unwrap();
            let first = title.split_whitespace().next().unwrap();
            assert!(text.contains(first) && !text.contains("0000"), "{name}:\n{text}");
        }
    }
    let checked = Command::new("java").arg("-jar").arg(checker).arg("--skip-non-html").arg(work.path()).output().unwrap();
    assert!(checked.status.success() && checked.stderr.is_empty(), "{}", String::from_utf8_lossy(&checked.stderr));
}

#[test]
fn every_page_in_every_language_passes_axe_and_fits_a_phone_with_scripts_for_the_test_alone() {
    let Some(axe) = tool_file("axe.min.js").filter(|_| tool("chromium") && tool("chromedriver")) else { return };
    let axe = fs::read_to_string(axe).unwrap();
    let town = Town::new();
    let server = town.serve();
    let css = server.ask("GET", &style(&server), &[], b"").text();
    let (work, browser) = (workplace(), Browser::start());
    let mut wrong = Vec::new();
    for language in LANGUAGES {
        for (name, html) in every_page(&town, &server, language) {
            let file = work.path().join(format!("{name}.html"));
            let styled = html.replacen("<link rel=\"stylesheet\"", &format!("<style>{css}</style><link rel=\"x\""), 1);
            fs::write(&file, styled).unwrap();
            let theme = if name.len() % 2 == 0 { Theme::Light } else { Theme::Dark };
            browser.look(360, theme);
            browser.open(&format!("file://{}", file.display()));
            for width in [360, 320] {
                browser.look(width, theme);
                if let Some(overflow @ 1..) = too_wide(&browser) {
                    wrong.push(format!("{name}: {overflow} pixels too wide for {width}"));
                }
            }
            wrong.extend(violations(&browser, &axe).into_iter().map(|what| format!("{name}: {what}")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn style(server: &DropServer) -> String {
    let page = server.ask("GET", "/en/", &[], b"").text();
    page.split("href=\"/style-").nth(1).map(|rest| format!("/style-{}", rest.split('"').next().unwrap())).unwrap()
}

#[test]
fn every_answer_is_caged_and_kept_by_nobody() {
    let town = Town::new();
    let server = town.serve();
    let mut visitor = Visitor::new(&server);
    visitor.begin();
    for path in ["/", "/en/", "/ar/login", "/en/mailbox", "/en/nothing", "/newsroom", "/directory", "/nothing"] {
        let told = visitor.get(path);
        let policy = told.header("content-security-policy");
        assert!(
            policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe"),
            "{path}: {policy}"
        );
        assert_eq!((told.header("cache-control"), told.header("x-content-type-options")), ("no-store", "nosniff"), "{path}");
        assert_eq!((told.header("server"), told.header("date")), ("", ""), "{path}: nothing that tells this machine from others");
    }
    assert!(visitor.get(&style(&server)).header("cache-control").contains("immutable"));
    let wish = server.ask("GET", "/", &[("Accept-Language", "ar-EG,en;q=0.5")], b"");
    assert_eq!(wish.header("location"), "/ar/");
}
