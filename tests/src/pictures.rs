//! What pages look like: made at clearance of pixels that a caged worker gives, published with the document, shown on its page.

use crate::recognition::{A5, pages};
use crate::support::{Server, Spoken, daylight, get, program, root, workplace};
use base64::Engine as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Three pages: words, a red square and no words, words.
fn report() -> Vec<u8> {
    let font = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".to_vec();
    let words = |text: &str| format!("BT /F 24 Tf 40 500 Td ({text}) Tj ET");
    let drawn = [words("needleone stands here"), "1 0 0 rg 50 50 200 200 re f".into(), words("needlethree stands here")];
    let all: Vec<(&str, &str)> = drawn.iter().map(|content| (A5, content.as_str())).collect();
    pages(&all, "/Font << /F 3 0 R >>", &[font])
}

/// A PNG of 40 by 30 grey pixels with a remark in it that nobody is to see.
fn remarked() -> Vec<u8> {
    let chunk = |kind: &[u8; 4], data: &[u8]| {
        let mut crc = flate2::Crc::new();
        crc.update(kind);
        crc.update(data);
        [&(data.len() as u32).to_be_bytes()[..], kind, data, &crc.sum().to_be_bytes()].concat()
    };
    let mut packed = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    std::io::Write::write_all(&mut packed, &[[0].as_slice(), &[100; 40]].concat().repeat(30)).unwrap();
    [
        b"\x89PNG\r\n\x1a\n".to_vec(),
        chunk(b"IHDR", &[0, 0, 0, 40, 0, 0, 0, 30, 8, 0, 0, 0, 0]),
        chunk(b"tEXt", b"Comment\0remark-of-the-camera"),
        chunk(b"IDAT", &packed.finish().unwrap()),
        chunk(b"IEND", b""),
    ]
    .concat()
}

struct Case {
    work: TempDir,
    server: Server,
}

/// A message with the report and the picture attached, published; the desk is set so.
fn published(settings: &str) -> Case {
    let work = workplace();
    let at = |name: &str| work.path().join(name);
    let attached = |name: &str, bytes: &[u8]| {
        let coded = base64::engine::general_purpose::STANDARD.encode(bytes);
        let lines: Vec<&str> = coded.as_bytes().chunks(76).map(|line| std::str::from_utf8(line).unwrap()).collect();
        format!("--b\nContent-Type: application/octet-stream; name=\"{name}\"\nContent-Transfer-Encoding: base64\n\n{}\n", lines.join("\n"))
    };
    let message = format!(
        "From: a@x.example\nSubject: the report\nDate: Mon, 4 May 2015 10:00:00 +0000\nMIME-Version: 1.0\n\
         Content-Type: multipart/mixed; boundary=b\n\n--b\n\nattached\n{}{}--b--\n",
        attached("report.pdf", &report()),
        attached("photo.png", &remarked())
    );
    fs::create_dir(at("trove")).unwrap();
    fs::write(at("trove/1.eml"), message).unwrap();
    daylight(["init", path(&at("desk"))]).code(0);
    let file = at("desk/daylight.toml");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(file, text.replace("pages = 200", settings)).unwrap();
    daylight(["ingest", path(&at("desk")), path(&at("trove")), "--collection", "town"]).code(0);
    daylight(["key", "new", path(&at("editor.key"))]).code(0);
    let cleared = daylight(["clear", path(&at("desk")), "--collection", "town", "--all", "--as", "Ann", "--json"]).code(0).json();
    assert_eq!((&cleared["cleared"], &cleared["without_pictures"]), (&3.into(), &0.into()), "{cleared}");
    daylight(["publish", path(&at("desk")), "--collection", "town", "--to", path(&at("archive")), "--key", path(&at("editor.key"))])
        .code(0);
    daylight(["verify", path(&at("archive"))]).code(0);
    let server = Server::start(&at("archive"));
    Case { work, server }
}

impl Case {
    fn at(&self, name: &str) -> PathBuf {
        self.work.path().join(name)
    }

    /// The command that makes anew what is published of what is cleared.
    fn rendered(&self, more: &[&str]) -> Command {
        let mut command = Command::new(program());
        command.arg("render").arg(self.at("desk")).args(["--collection", "town", "--json"]).args(more).stdin(Stdio::null());
        command
    }

    fn publish(&self) {
        let (desk, archive, key) = (self.at("desk"), self.at("archive"), self.at("editor.key"));
        daylight(["publish", path(&desk), "--collection", "town", "--to", path(&archive), "--key", path(&key)]).code(0);
        daylight(["verify", path(&archive)]).code(0);
    }

    /// Sets how many pages are drawn of a document.
    fn set_pages(&self, from: &str, to: &str) {
        let file = self.at("desk/daylight.toml");
        let text = fs::read_to_string(&file).unwrap();
        assert!(text.contains(from));
        fs::write(file, text.replace(from, to)).unwrap();
    }

    fn page(&self, path: &str) -> String {
        let answer = get(&self.server.at(path), &[]);
        assert_eq!(answer.status, 200, "{path}");
        answer.text()
    }

    /// The address of the document that a search finds.
    fn found(&self, query: &str) -> String {
        let page = self.page(&format!("/search?q={query}"));
        let main = &page[page.find("<main").unwrap()..];
        let at = main.find("href=\"/c/town/").unwrap_or_else(|| panic!("{query} finds nothing:\n{main}")) + 6;
        main[at..at + main[at..].find(['"', '#', '?']).unwrap()].to_owned()
    }
}

#[test]
fn a_document_is_shown_page_by_page_with_what_it_looks_like() {
    let case = published("pages = 200");
    let report = case.found("needlethree");
    let page = case.page(&report);
    let mut last = 0;
    for (number, words) in [(1, "needleone stands here"), (2, ""), (3, "needlethree stands here")] {
        let heading = page.find(&format!("id=\"page-{number}\"")).unwrap();
        let picture = page.find(&format!("src=\"{report}/page/{number}\"")).unwrap_or_else(|| panic!("page {number}: {page}"));
        let text = page.rfind(words).unwrap();
        assert!(last < heading && heading < picture && (words.is_empty() || picture < text), "page {number}");
        last = picture;
        let tag = &page[picture..picture + page[picture..].find('>').unwrap()];
        for part in [r#"width="874""#, r#"height="1239""#, &format!(r#"alt="Page {number} as it looks""#), r#"loading="lazy""#] {
            assert!(tag.contains(part), "no {part} in {tag}");
        }
        let answer = get(&case.server.at(&format!("{report}/page/{number}")), &[]);
        assert_eq!((answer.status, answer.header("content-type"), answer.header("x-content-type-options")), (200, "image/png", "nosniff"));
        assert!(answer.body.starts_with(b"\x89PNG") && answer.body.len() < 40_000, "{}", answer.body.len());
        let again = get(&case.server.at(&format!("{report}/page/{number}")), &[("if-none-match", answer.header("etag"))]);
        assert_eq!(again.status, 304);
    }
    assert!(!page.contains("were published as pictures"));
    for missing in ["page/0", "page/4", "page/x", "page"] {
        assert_eq!(get(&case.server.at(&format!("{report}/{missing}")), &[]).status, 404, "{missing}");
    }
    // A hit opens its page.
    let hits = case.page("/search?q=needlethree");
    assert!(hits.contains(&format!("{report}#page-3")), "{hits}");
}

#[test]
fn a_picture_is_shown_without_what_its_file_says_besides() {
    let case = published("pages = 200");
    let photo = case.found("file:photo.png");
    let page = case.page(&photo);
    assert!(page.contains(&format!("src=\"{photo}/page/1\"")) && page.contains("alt=\"What it looks like\""), "{page}");
    let shown = get(&case.server.at(&format!("{photo}/page/1")), &[]).body;
    let raw = get(&case.server.at(&format!("{photo}/raw")), &[]).body;
    let says = |file: &[u8]| file.windows(6).any(|six| six == b"remark");
    assert!(says(&raw) && !says(&shown) && shown.starts_with(b"\x89PNG"));
}

#[test]
fn so_many_pages_are_shown_as_the_desk_is_set_to_and_that_is_said() {
    let case = published("pages = 2");
    let report = case.found("needlethree");
    let page = case.page(&report);
    assert!(page.contains("/page/2\"") && !page.contains("/page/3\""), "{page}");
    assert!(page.contains("Its first 2 of 3 pages were published as pictures"), "{page}");
    let none = published("pages = 0");
    let page = none.page(&none.found("needlethree"));
    assert!(!page.contains("<img") && page.contains("needlethree"), "{page}");
}

#[test]
fn what_was_cleared_and_published_without_pictures_gets_them_by_render_and_is_published_anew() {
    let case = published("pages = 0");
    let report = case.found("needlethree");
    assert!(!case.page(&report).contains("<img"));
    case.set_pages("pages = 0", "pages = 200");
    let counts = |more: &[&str]| {
        let said = Spoken::from(case.rendered(more).output().unwrap()).code(0).json();
        ["documents", "made", "unchanged", "failed", "passed_over"].map(|name| said[name].as_u64().unwrap())
    };
    // Killed before anything is durable it has made nothing, and killed when all is it has made all.
    for (point, left) in [("store.pack-synced", [3, 2, 1, 0, 0]), ("review.renewed", [3, 0, 3, 0, 0])] {
        let copy = case.at("killed");
        assert!(Command::new("cp").arg("-r").arg(case.at("desk")).arg(&copy).status().unwrap().success());
        let died = case.rendered(&[]).env("DAYLIGHT_CRASH_AT", point).output().unwrap();
        assert_eq!(died.status.code(), None, "{point}");
        assert_eq!(counts(&[]), left, "{point}");
        fs::remove_dir_all(case.at("desk")).unwrap();
        fs::rename(&copy, case.at("desk")).unwrap();
    }

    let photo = daylight(["search", path(&case.at("desk")), "file:photo.png", "--json"]).code(0).json();
    assert_eq!(counts(&[photo["hits"][0]["id"].as_str().unwrap()]), [1, 1, 0, 0, 0]);
    assert_eq!(counts(&["--query", "needlethree"]), [1, 1, 0, 0, 0]);
    assert_eq!(counts(&[]), [3, 0, 3, 0, 0]);
    assert_eq!(counts(&["--anew"]), [3, 0, 3, 0, 0], "the same comes out again");
    // What is published stays as it is until somebody publishes.
    assert!(!case.page(&report).contains("<img"));
    case.publish();
    let server = Server::start(&case.at("archive"));
    let page = get(&server.at(&report), &[]).text();
    assert!(page.contains(&format!("src=\"{report}/page/3\"")) && page.contains("its text, its view, its pictures"), "{page}");
    let picture = get(&server.at(&format!("{report}/page/3")), &[]);
    assert_eq!((picture.status, picture.header("content-type")), (200, "image/png"));
    let releases = daylight(["verify", path(&case.at("archive")), "--json"]).code(0).json()["releases"].clone();
    assert_eq!(releases, 2);

    // Fewer pages than before: those that are beyond go, and it is published so.
    case.set_pages("pages = 200", "pages = 1");
    assert_eq!(counts(&[]), [3, 1, 2, 0, 0]);
    case.publish();
    let server = Server::start(&case.at("archive"));
    let page = get(&server.at(&report), &[]).text();
    assert!(
        page.contains("Its first of 3 pages was published as a picture") || page.contains("/page/1\"") && !page.contains("/page/2\""),
        "{page}"
    );
}

#[test]
fn render_says_what_it_did_not_touch() {
    let case = published("pages = 0");
    let desk = case.at("desk");
    fs::create_dir(case.at("more")).unwrap();
    fs::write(case.at("more/broken.pdf"), [b"%PDF-1.4\n1 0 obj\n<< /Type /Catalog".as_slice(), &[b'x'; 400]].concat()).unwrap();
    daylight(["ingest", path(&desk), path(&case.at("more")), "--collection", "town"]).code(0);
    let broken = daylight(["search", path(&desk), "file:broken.pdf", "--json"]).json();
    let id = broken["hits"][0]["id"].as_str().unwrap().to_owned();
    let said = Spoken::from(case.rendered(&[&id]).output().unwrap()).code(1).json();
    assert_eq!((&said["documents"], &said["refused"][0]["why"]), (&0.into(), &"it is not cleared in this collection".into()), "{said}");
    let words = daylight(["render", path(&desk), "--collection", "town"]).code(0).text();
    assert!(words.contains("3 cleared documents of town looked at: 0 made anew, 3 as before"), "{words}");
    assert!(words.contains("1 document held, withdrawn or not cleared: not touched"), "{words}");
    assert!(daylight(["render", path(&desk), "--collection", "nowhere"]).code(1).stderr.contains("no collection `nowhere`"));
    daylight(["render", path(&desk)]).code(2);
    daylight(["render", path(&desk), "--collection", "town", "--query", "x", &id]).code(2);
}

#[test]
fn what_a_password_opened_since_it_was_cleared_is_published_by_an_editors_decision_alone() {
    let work = workplace();
    let at = |name: &str| work.path().join(name);
    let (desk, archive, key) = (at("desk"), at("archive"), at("editor.key"));
    fs::create_dir(at("trove")).unwrap();
    let shut = root().join("crates/extract/src/pdf/encrypted/user-aes-128.pdf");
    fs::copy(shut, at("trove/shut.pdf")).unwrap();
    daylight(["init", path(&desk)]).code(0);
    daylight(["key", "new", path(&key)]).code(0);
    daylight(["ingest", path(&desk), path(&at("trove")), "--collection", "town"]).code(0);
    daylight(["clear", path(&desk), "--collection", "town", "--all", "--as", "Ann"]).code(0);
    let releases = || {
        daylight(["publish", path(&desk), "--collection", "town", "--to", path(&archive), "--key", path(&key)]).code(0);
        daylight(["verify", path(&archive), "--json"]).code(0).json()["releases"].as_u64().unwrap()
    };
    assert_eq!(releases(), 1);
    let page = || get(&Server::start(&archive).at("/c/town/1"), &[]).text();
    fs::write(at("list"), "user\n").unwrap();
    daylight(["unlock", path(&desk), "--password-file", path(&at("list"))]).code(0);
    daylight(["search", path(&desk), "secret"]).code(0);

    for more in [&[][..], &["--anew"]] {
        let said = daylight([&["render", path(&desk), "--collection", "town", "--json"][..], more].concat()).code(1).json();
        let why = said["refused"][0]["why"].as_str().unwrap();
        assert!(why.starts_with("a password opened it") && said["made"] == 0, "{said}");
        daylight(["check", path(&desk)]).code(0);
        assert_eq!(releases(), 1);
        assert!(!page().contains("no longer secret") && !page().contains("<img"));
    }
    daylight(["clear", path(&desk), "--correct", "town/1", "--reason", "it was opened", "--as", "Ann"]).code(0);
    assert_eq!(releases(), 2);
    assert!(page().contains("no longer secret") && page().contains("/c/town/1/page/1"), "{}", page());
    // From now on what is in it is public, and can be made anew like anything else.
    let said = daylight(["render", path(&desk), "--collection", "town", "--anew", "--json"]).code(0).json();
    assert_eq!((&said["documents"], &said["made"]), (&1.into(), &0.into()), "{said}");
}
