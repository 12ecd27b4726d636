//! Sites that lie: what they say is refused and named, and the copy and what it trusts are unharmed.

use crate::publisher::{Doc, Publisher, doc, files, log_key};
use crate::server::{Reply, Request, Server, part};
use crate::{Copy, assert_same};
use daylight_archive::evidence::Evidence;
use daylight_archive::note::Note;
use daylight_archive::{Checkpoint, paths};
use daylight_mirror::http::{Client, Config, Patience};
use daylight_mirror::report::Report;
use daylight_mirror::state::State;
use daylight_model::Digest;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// An archive of two releases, and a copy that has the first.
struct Scene {
    publisher: Publisher,
    copy: Copy,
    before: BTreeMap<String, Vec<u8>>,
}

fn scene() -> Scene {
    let mut publisher = Publisher::new();
    publisher.release("town", &(1..=40).map(doc).collect::<Vec<_>>());
    let copy = Copy::new();
    assert_eq!(copy.update(&Server::honest(&publisher.dir()).url()).failure, None);
    publisher.release("town", &(41..=80).map(doc).collect::<Vec<_>>());
    let before = files(&copy.dir());
    Scene { publisher, copy, before }
}

impl Scene {
    fn state(&self) -> State {
        State::parse(&std::fs::read(self.copy.beside().join("state.json")).unwrap()).unwrap()
    }

    /// The site's answer is refused with these words about this file, and nothing has changed here.
    #[track_caller]
    fn refused(&self, client: &Client, lie: impl Fn(&Request) -> Option<Reply> + Send + Sync + 'static, path: &str, words: &str) -> Report {
        let state = self.state();
        std::fs::remove_dir_all(self.copy.beside().join("fetching")).unwrap_or_default();
        let site = Server::lying(&self.publisher.dir(), lie);
        let report = self.copy.update_with(client, &site.url(), None, None);
        assert!(!report.ok(), "{words}: {report:?}");
        let named = report.refused.iter().any(|r| r.site.to_string() == site.url() && r.path == path && r.what.contains(words));
        assert!(named, "{path}, {words}: {report:?}");
        assert!(files(&self.copy.dir()) == self.before, "{words}: the copy is as it was");
        let after = self.state();
        assert_eq!((after.pinned, after.checkpoint, after.only), (state.pinned, state.checkpoint, state.only), "{words}");
        assert!(daylight_archive::verify(&self.copy.dir(), None, &mut |_| {}).ok());
        report
    }

    /// An honest site brings the copy up to date after all.
    #[track_caller]
    fn then_honest(&self) {
        let report = self.copy.update(&Server::honest(&self.publisher.dir()).url());
        assert_eq!(report.failure, None, "{report:?}");
        assert_same(&self.publisher.dir(), &self.copy.dir());
    }
}

type Lie = Box<dyn Fn(&Request) -> Option<Reply> + Send + Sync>;

/// Answers for one file only.
fn on(path: &'static str, reply: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Lie {
    Box::new(move |request| (request.path == path).then(|| reply(request)))
}

const PAGE: &[u8] = b"<!doctype html><title>404</title>Not here, but with status 200";

#[test]
fn every_lie_of_a_web_server_is_refused_and_named() {
    let scene = scene();
    let (note, part0, volume) = ("release/2/note", "release/2/manifest/0", "release/2/volume/0.zip");
    let true_volume = Arc::new(scene.publisher.read(volume));
    let true_note = scene.publisher.read(note);
    let length = true_volume.len();
    let flipped = |at: usize| {
        let mut bytes = true_volume.to_vec();
        bytes[at] ^= 1;
        bytes
    };
    let (early, late, directory) = (flipped(150), flipped(length / 2), flipped(length - 150));
    let cut = true_volume[..length - 7].to_vec();
    let longer = [&true_volume[..], b"more"].concat();
    let other_manifest = String::from_utf8(scene.publisher.read(part0)).unwrap().replacen("document 41", "document 14", 1).into_bytes();
    let fewer_lines = scene.publisher.read(part0).split_inclusive(|b| *b == b'\n').take(39).collect::<Vec<_>>().concat();
    let more_lines = scene.publisher.read(part0).repeat(2);
    let typed = |media_type: &str, body: &[u8]| Reply::Http(200, vec![("content-type", media_type.into())], body.to_vec());
    let gzip = |body: &[u8]| Reply::Http(200, vec![("content-encoding", "gzip".into())], body.to_vec());
    let html = typed("text/html; charset=utf-8", PAGE);
    let (plain_page, html2) = (Reply::ok(PAGE), html.clone());
    let (packed, packed_note) = (gzip(b"\x1f\x8b\x08\0"), gzip(&true_note));
    let elsewhere = Reply::Http(302, vec![("location", "http://elsewhere.example/checkpoint".into())], vec![]);
    let downgrade = Reply::Http(301, vec![("location", "https://127.0.0.1/checkpoint".into())], vec![]);
    let round = Reply::Http(302, vec![("location", "/checkpoint".into())], vec![]);
    let endless_head = Reply::Endless(b"HTTP/1.1 200 OK\r\nx: ".to_vec());
    let many_fields = Reply::Raw(format!("HTTP/1.1 200 OK\r\n{}\r\n", "a: b\r\n".repeat(1000)).into_bytes());
    let endless = Reply::Endless(b"HTTP/1.1 200 OK\r\n\r\n".to_vec());
    let endless_volume = endless.clone();
    let endless_chunks = Reply::Endless(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nfffffffff\r\n".to_vec());
    let huge = Reply::Raw(b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n".to_vec());
    let two_lengths = Reply::Raw(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello!".to_vec());
    let broken_off = Reply::Http(200, vec![("content-length", "400".into())], true_note[..50].to_vec());
    let cases: Vec<(Lie, &str, &str)> = vec![
        (on(paths::CHECKPOINT, move |_| html.clone()), paths::CHECKPOINT, "a page or with something else"),
        (on(paths::CHECKPOINT, move |_| plain_page.clone()), paths::CHECKPOINT, "not a signed note"),
        (on(note, move |_| html2.clone()), note, "a page or with something else"),
        (on(note, |_| Reply::ok(&b"x"[..])), note, "not the note that was logged"),
        (on(note, move |_| packed.clone()), note, "packed (gzip)"),
        (on(note, move |_| packed_note.clone()), note, "packed (gzip)"),
        (on(note, move |_| broken_off.clone()), note, "broke off"),
        (on(note, move |_| huge.clone()), note, "99999999999 bytes where at most"),
        (on(note, move |_| endless.clone()), note, "goes on after"),
        (on(note, move |_| endless_chunks.clone()), note, "goes on after"),
        (on(note, move |_| two_lengths.clone()), note, "no HTTP"),
        (on(paths::CHECKPOINT, move |_| elsewhere.clone()), paths::CHECKPOINT, "it sends us to \"http://elsewhere.example/checkpoint\""),
        (on(paths::CHECKPOINT, move |_| downgrade.clone()), paths::CHECKPOINT, "it sends us to \"https://127.0.0.1/"),
        (on(paths::CHECKPOINT, move |_| round.clone()), paths::CHECKPOINT, "without end"),
        (on(paths::CHECKPOINT, move |_| endless_head.clone()), paths::CHECKPOINT, "no HTTP"),
        (on(paths::CHECKPOINT, move |_| many_fields.clone()), paths::CHECKPOINT, "no HTTP"),
        (on(paths::CHECKPOINT, |_| Reply::Raw(b"SSH-2.0-x\r\n".to_vec())), paths::CHECKPOINT, "no HTTP"),
        (on(paths::CHECKPOINT, |_| Reply::status(500)), paths::CHECKPOINT, "it failed (answer 500)"),
        (on(paths::CHECKPOINT, |_| Reply::status(403)), paths::CHECKPOINT, "will not give it (answer 403)"),
        (on("tile/entries/000.p/3", |_| Reply::ok(&b"\0\x05hello"[..])), "tile/entries/000.p/3", "not a bundle of 3 entries"),
        (on("tile/entries/000.p/3", |_| Reply::ok(b"\0\x01a\0\x01b\0\x01c".to_vec())), "tile/entries/", "do not have the root"),
        (on(part0, |_| Reply::ok(PAGE)), part0, "ends in line 0 of 40"),
        (on(part0, |_| Reply::ok(&b"<html>\n"[..])), part0, "no line"),
        (on(part0, |_| Reply::ok(vec![b'+'; 1 << 20])), part0, "longer than any"),
        (on(part0, move |_| Reply::ok(other_manifest.clone())), "release/2/manifest", "do not have the root that was signed"),
        (on(part0, move |_| Reply::ok(fewer_lines.clone())), part0, "ends in line 39 of 40"),
        (on(part0, move |_| Reply::ok(more_lines.clone())), part0, "no line"),
        (on(volume, move |_| Reply::ok(early.clone())), volume, "the bytes at"),
        (on(volume, move |_| Reply::ok(late.clone())), volume, "are not"),
        (on(volume, move |_| Reply::ok(directory.clone())), volume, "its directory is not what follows"),
        (on(volume, move |_| Reply::ok(cut.clone())), volume, "bytes where"),
        (on(volume, move |_| Reply::ok(longer.clone())), volume, "bytes where"),
        (on(volume, |_| Reply::ok(PAGE)), volume, "bytes where"),
        (on(volume, move |_| endless_volume.clone()), volume, "what stands at byte 0"),
    ];
    for (lie, path, words) in cases {
        scene.refused(&crate::client(), lie, path, words);
    }
    scene.then_honest();
}

#[test]
fn a_volume_that_is_whole_in_itself_but_another_is_refused() {
    let scene = scene();
    // The same lengths, other bytes: every hash in it is right for what it is.
    let mut other = scene.publisher.split();
    let docs: Vec<Doc> = (41..=80).map(|n| Doc { raw: doc(n).raw.iter().map(|b| b ^ 1).collect(), ..doc(n) }).collect();
    other.release("town", &docs);
    let forged = other.read("release/3/volume/0.zip");
    assert_eq!(forged.len(), scene.publisher.read("release/2/volume/0.zip").len());
    let lie = on("release/2/volume/0.zip", move |_| Reply::ok(forged.clone()));
    scene.refused(&crate::client(), lie, "release/2/volume/0.zip", "are not");
    scene.then_honest();
}

#[test]
fn a_part_that_was_not_asked_for_is_refused_and_what_broke_off_is_gone_on_with() {
    let scene = scene();
    let path = "release/2/volume/0.zip";
    let bytes = Arc::new(scene.publisher.read(path));
    let length = bytes.len() as u64;
    // The first answer breaks off in the middle, so that the next one is asked for a part.
    let half = |bytes: &[u8]| Reply::Http(200, vec![("content-length", bytes.len().to_string())], bytes[..bytes.len() / 2].to_vec());
    type Wrong = Box<dyn Fn(&[u8], u64) -> Reply + Send + Sync>;
    let field = |first: u64, last: u64, total: u64| vec![("content-range", format!("bytes {first}-{last}/{total}"))];
    let wrong: Vec<(Wrong, &str)> = vec![
        (Box::new(|bytes, _| part(bytes, 0, bytes.len() as u64 - 1)), "another part"),
        (Box::new(|bytes, from| part(bytes, from, bytes.len() as u64 - 2)), "another part"),
        (
            Box::new(move |bytes, from| Reply::Http(206, field(from, bytes.len() as u64 - 1, 1 << 40), bytes[from as usize..].to_vec())),
            "another part",
        ),
        (Box::new(|bytes, from| Reply::Http(206, vec![], bytes[from as usize..].to_vec())), "another part"),
        (
            Box::new(|bytes, from| Reply::Http(206, vec![("content-range", "bytes */5".into())], bytes[from as usize..].to_vec())),
            "another part",
        ),
        (
            Box::new(move |bytes, from| Reply::Http(206, field(from, bytes.len() as u64 - 1, bytes.len() as u64), vec![0; 10])),
            "another part",
        ),
        (
            Box::new(|bytes, from| {
                Reply::Http(206, vec![("content-type", "multipart/byteranges; boundary=x".into())], bytes[from as usize..].to_vec())
            }),
            "another part",
        ),
        (
            Box::new(move |bytes, from| {
                Reply::Http(206, field(from, bytes.len() as u64 - 1, bytes.len() as u64), vec![7; bytes.len() - from as usize])
            }),
            "the bytes at",
        ),
        (Box::new(|_, _| Reply::status(416)), "fewer bytes than were there"),
        (Box::new(|_, _| Reply::ok(&b"short"[..])), "bytes"),
    ];
    for (reply, words) in wrong {
        let bytes = bytes.clone();
        let lie = on(path, move |request| match request.range {
            None => half(&bytes),
            Some((from, _)) => reply(&bytes, from),
        });
        scene.refused(&crate::client(), lie, path, words);
    }
    std::fs::remove_dir_all(scene.copy.beside().join("fetching")).unwrap_or_default();
    let asked = Arc::new(std::sync::Mutex::new(Vec::new()));
    let seen = asked.clone();
    let site = Server::lying(&scene.publisher.dir(), move |request| {
        let again = request.range.is_some();
        (request.path == path).then(|| seen.lock().unwrap().push(request.range));
        (request.path == path && !again).then(|| half(&bytes))
    });
    assert_eq!(scene.copy.update(&site.url()).failure, None);
    assert_same(&scene.publisher.dir(), &scene.copy.dir());
    assert_eq!(*asked.lock().unwrap(), [None, Some((length / 2, None))], "not a byte is asked for twice");
}

#[test]
fn who_is_slow_or_silent_is_left_after_a_while() {
    let scene = scene();
    let patience = Patience { answer: Duration::from_millis(300), idle: Duration::from_millis(300), tries: 2, ..crate::patience() };
    let client = |patience| Client::new(Config { patience, ..Config::default() }).unwrap();
    let head = b"HTTP/1.1 200 OK\r\ncontent-length: 5000\r\n\r\n".to_vec();
    let slow = Patience { grace: Duration::from_millis(200), slowest: 1000, tries: 1, ..patience };
    let cases: [(Patience, Reply, &str); 4] = [
        (patience, Reply::Silence, "does not answer"),
        (patience, Reply::Drip(b"HTTP/1.1 200 OK\r\nx: ".to_vec()), "does not answer"),
        (slow, Reply::Drip(head.clone()), "gives less than 1000 bytes a second"),
        (patience, Reply::Http(503, vec![("retry-after", "86400".into())], vec![]), "asks to come back in 86400 seconds"),
    ];
    for (patience, reply, words) in cases {
        let lie = on("release/2/note", move |_| reply.clone());
        scene.refused(&client(patience), lie, "release/2/note", words);
    }
    scene.then_honest();
}

#[test]
fn a_rollback_is_refused_and_is_no_evidence_for_an_old_state_is_a_true_one() {
    let scene = scene();
    let old = Publisher::new();
    let words = "a rollback: its log has 1 entries, and 2 were accepted before";
    let bytes = old.read(paths::CHECKPOINT);
    let report = scene.refused(&crate::client(), on(paths::CHECKPOINT, move |_| Reply::ok(bytes.clone())), paths::CHECKPOINT, words);
    assert!(report.evidence.is_empty() && !scene.copy.beside().join("evidence").exists());
    // The same where the copy itself was set back: what was accepted once is remembered beside it.
    scene.then_honest();
    let newest = files(&scene.copy.dir());
    std::fs::write(scene.copy.dir().join("checkpoint"), &scene.before["checkpoint"]).unwrap();
    let site = Server::lying(&scene.publisher.dir(), {
        let bytes = scene.before["checkpoint"].clone();
        on(paths::CHECKPOINT, move |_| Reply::ok(bytes.clone()))
    });
    let report = scene.copy.update(&site.url());
    assert!(report.refused[0].what.contains("a rollback: its log has 2 entries, and 3 were accepted before"), "{report:?}");
    scene.then_honest();
    assert!(files(&scene.copy.dir()) == newest);
}

#[test]
fn a_fork_is_refused_and_kept_as_evidence_that_a_stranger_can_check() {
    let root = |publisher: &Publisher| publisher.read("root/1.json");
    // As large as what was accepted, smaller, and larger; the log's own key signed them all.
    for (more, beats, words) in [("same", 1, 2), ("smaller", 0, 0), ("larger", 4, 2)].map(|(word, beats, size)| (word, beats, size)) {
        let scene = scene();
        let honest = scene.publisher.split();
        let mut copy_of = Publisher::new();
        if more == "smaller" {
            // The copy goes on, and the fork parts from it below.
            scene.then_honest();
            copy_of.beat(900, "fork");
        } else {
            for serial in 0..beats {
                copy_of.beat(900 + serial, "fork");
            }
        }
        let before = files(&scene.copy.dir());
        let site = Server::honest(&copy_of.dir());
        let report = scene.copy.update(&site.url());
        assert!(!report.ok() && report.evidence.len() == 1, "{more} {words}: {report:?}");
        assert!(report.refused.iter().any(|refusal| refusal.lie && refusal.what.starts_with("a fork")), "{more}: {report:?}");
        assert!(files(&scene.copy.dir()) == before);
        let evidence = Evidence::parse(&std::fs::read(&report.evidence[0]).unwrap()).unwrap();
        let shown = evidence.check(Some(&root(&honest))).unwrap();
        assert!(shown.anchored && shown.size == 2 && shown.one != shown.other, "{more}: {shown:?}");
        // Found again it is kept once.
        assert_eq!(scene.copy.update(&site.url()).evidence, report.evidence);
        scene.then_honest();
    }
}

#[test]
fn a_fast_forward_is_not_believed_for_then_nothing_that_comes_later_would_be() {
    let scene = scene();
    for size in [u64::MAX, (1 << 20) + 1] {
        let far = Checkpoint { origin: crate::publisher::ORIGIN.into(), size, root: Digest::of(b"far") };
        let bytes = far.sign(&scene.publisher.log).unwrap().to_bytes();
        let lie = on(paths::CHECKPOINT, move |_| Reply::ok(bytes.clone()));
        scene.refused(&crate::client(), lie, paths::CHECKPOINT, &format!("claims a log of {size} entries"));
    }
    let near = Checkpoint { origin: crate::publisher::ORIGIN.into(), size: 1 << 20, root: Digest::of(b"near") };
    let bytes = near.sign(&scene.publisher.log).unwrap().to_bytes();
    let report = {
        let site = Server::lying(&scene.publisher.dir(), on(paths::CHECKPOINT, move |_| Reply::ok(bytes.clone())));
        scene.copy.update(&site.url())
    };
    assert!(report.failure.unwrap().contains("no site gave tile/entries/000"), "nobody has what it would sign");
    assert!(files(&scene.copy.dir()) == scene.before);
    scene.then_honest();
}

#[test]
fn checkpoints_that_the_log_did_not_sign_for_this_archive_are_refused() {
    let scene = scene();
    let state = Checkpoint { origin: crate::publisher::ORIGIN.into(), size: 3, root: Digest::of(b"x") };
    let stranger = state.sign(&log_key(77)).unwrap().to_bytes();
    let mut wrong = String::from_utf8(scene.publisher.read(paths::CHECKPOINT)).unwrap();
    wrong = wrong.replacen("\n3\n", "\n4\n", 1);
    let mut release = Note::parse(&scene.publisher.read("release/2/note")).unwrap();
    release.sign(&scene.publisher.log);
    let note = release.to_bytes();
    let cases: Vec<(Vec<u8>, &str)> = vec![
        (stranger, "not signed by the log's key"),
        (wrong.into_bytes(), "the signature of archive.example/test is wrong"),
        (note, "a checkpoint's text is"),
    ];
    for (bytes, words) in cases {
        scene.refused(&crate::client(), on(paths::CHECKPOINT, move |_| Reply::ok(bytes.clone())), paths::CHECKPOINT, words);
    }
    scene.then_honest();
}

#[test]
fn what_is_left_of_an_earlier_attempt_is_never_trusted_over_what_is_fresh() {
    let scene = scene();
    let left = scene.copy.beside().join("fetching");
    let true_files = files(&scene.publisher.dir());
    // Something is left of every file that will be fetched, and all of it is wrong.
    for path in [
        "release/2/note",
        "release/2/manifest/0.part",
        "release/2/volume/0.zip",
        "release/2/volume/0.zip.part",
        "checkpoint",
        "tile/entries/000.p/3",
        "root/2.json",
    ] {
        let file = left.join(path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        let wrong = true_files.get(path).map_or_else(|| b"+ left\n".to_vec(), |bytes| bytes.iter().map(|b| b ^ 4).collect());
        std::fs::write(file, wrong).unwrap();
    }
    scene.then_honest();
    // The note is right, and so is nothing else.
    let mut publisher = scene.publisher.split();
    publisher.release("town", &(100..140).map(doc).collect::<Vec<_>>());
    for (path, bytes) in [("release/3/note", publisher.read("release/3/note")), ("release/3/volume/0.zip", b"PK\x03\x04 left".to_vec())] {
        let file = left.join(path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, bytes).unwrap();
    }
    let mut manifest = publisher.read("release/3/manifest/0");
    manifest[80] ^= 1;
    std::fs::create_dir_all(left.join("release/3/manifest")).unwrap();
    std::fs::write(left.join("release/3/manifest/0"), manifest).unwrap();
    let report = scene.copy.update(&Server::honest(&publisher.dir()).url());
    assert_eq!((report.failure, report.refused), (None, vec![]), "nobody is blamed for what was here");
    assert_same(&publisher.dir(), &scene.copy.dir());
}

#[test]
fn what_editors_signed_and_is_not_valid_is_nobody_elses_lie() {
    let mut scene = scene();
    // A release whose numbers do not rise: signed, logged, and wrong.
    scene.publisher.release("town", &[doc(200), doc(199)]);
    let site = Server::honest(&scene.publisher.dir());
    let report = scene.copy.update(&site.url());
    let failure = report.failure.unwrap();
    assert!(failure.contains("signed is not valid: release/3/manifest/0: line 1: number 199 does not follow 200"), "{failure}");
    assert!(report.refused.is_empty());
    assert!(files(&scene.copy.dir()) == scene.before);
}
