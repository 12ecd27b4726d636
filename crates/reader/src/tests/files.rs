use super::fixture::{Publisher, message};
use super::*;
use std::collections::BTreeMap;
use std::path::Path;

fn two() -> Publisher {
    let mut publisher = Publisher::new();
    publisher.release("wall", "Wall", (1..=300).map(|n| message(n, &format!("wall {n}"), &"heron ".repeat(400))).collect());
    publisher.release("gate", "Gate", vec![message(1, "gate", "heron")]);
    publisher
}

fn files(dir: &Path, prefix: &str, found: &mut BTreeMap<String, Vec<u8>>) {
    for entry in std::fs::read_dir(dir).unwrap().map(Result::unwrap) {
        let path = format!("{prefix}{}", entry.file_name().to_str().unwrap());
        if entry.path().is_dir() {
            files(&entry.path(), &format!("{path}/"), found);
        } else {
            found.insert(path, std::fs::read(entry.path()).unwrap());
        }
    }
}

#[test]
fn every_file_of_the_archive_is_given_out_whole_or_in_part() {
    let publisher = two();
    let visit = Visit::to(&publisher);
    let mut all = BTreeMap::new();
    files(&publisher.dir(), "", &mut all);
    assert!(all.len() > 15, "{:?}", all.keys());
    for (path, bytes) in &all {
        let reply = visit.get(&format!("/{path}"));
        assert_eq!((reply.status, &reply.body), (StatusCode::OK, bytes), "{path}");
        assert_eq!(reply.header("content-length"), bytes.len().to_string(), "{path}");
        assert!(!reply.header("content-type").starts_with("text/html") && reply.header("content-encoding").is_empty(), "{path}");
        if path == "checkpoint" {
            continue;
        }
        let part = visit.ask(Method::GET, &format!("/{path}"), &[("range", "bytes=1-2")]);
        assert_eq!((part.status, part.body.as_slice()), (StatusCode::PARTIAL_CONTENT, &bytes[1..3]), "{path}");
        assert_eq!(part.header("content-range"), format!("bytes 1-2/{}", bytes.len()));
        let beyond = visit.ask(Method::GET, &format!("/{path}"), &[("range", &format!("bytes={}-", bytes.len()))]);
        assert_eq!(
            (beyond.status, beyond.header("content-range")),
            (StatusCode::RANGE_NOT_SATISFIABLE, &*format!("bytes */{}", bytes.len()))
        );
        let head = visit.ask(Method::HEAD, &format!("/{path}"), &[]);
        assert_eq!((head.header("content-length"), head.body.len()), (&*bytes.len().to_string(), 0));
    }
    let types = [
        ("checkpoint", "text/plain; charset=utf-8"),
        ("root/1.json", "application/json"),
        ("release/1/volume/0.zip", "application/zip"),
        ("tile/0/000.p/3", "application/octet-stream"),
    ];
    for (path, media_type) in types {
        assert_eq!(visit.get(&format!("/{path}")).header("content-type"), media_type);
    }
    assert_eq!(visit.get("/checkpoint").header("cache-control"), "no-store");
    assert_eq!(visit.get("/tile/entries/000.p/3").header("cache-control"), "public, max-age=31536000, immutable");
    for path in ["root/1.json", "release/1/volume/0.zip", "release/1/manifest/0"] {
        assert_eq!(visit.get(&format!("/{path}")).header("cache-control"), "public, max-age=60", "{path}");
    }
    assert!(all["release/1/volume/0.zip"].len() > 256 << 10, "one that is sent while it is read");
    let tag = visit.get("/release/1/note").header("etag").to_owned();
    assert_eq!(visit.ask(Method::GET, "/release/1/note", &[("if-none-match", &tag)]).status, StatusCode::NOT_MODIFIED);
}

#[test]
fn nothing_else_is_given_out() {
    let publisher = two();
    let dir = publisher.dir();
    let outside = publisher.home.path().join("secret");
    std::fs::write(&outside, "secret").unwrap();
    std::fs::write(dir.join("notes.txt"), "ours").unwrap();
    std::fs::write(dir.join("checkpoint.pending"), "not yet").unwrap();
    // What a publication that is not finished has written.
    std::fs::create_dir_all(dir.join("release/3/volume")).unwrap();
    std::fs::write(dir.join("release/3/note"), "not yet").unwrap();
    std::fs::write(dir.join("release/3/volume/0.zip"), "not yet").unwrap();
    std::fs::remove_file(dir.join("release/2/volume/0.zip")).unwrap();
    std::os::unix::fs::symlink(&outside, dir.join("release/2/volume/0.zip")).unwrap();
    std::fs::rename(dir.join("root"), dir.join("elsewhere")).unwrap();
    std::os::unix::fs::symlink(dir.join("elsewhere"), dir.join("root")).unwrap();
    std::fs::rename(dir.join("root"), dir.join("link")).unwrap();
    std::fs::rename(dir.join("elsewhere"), dir.join("root")).unwrap();
    let visit = Visit::to(&publisher);
    std::fs::rename(dir.join("root"), dir.join("elsewhere")).unwrap();
    std::fs::rename(dir.join("link"), dir.join("root")).unwrap();
    for path in [
        "/notes.txt",
        "/checkpoint.pending",
        "/release/3/note",
        "/release/3/volume/0.zip",
        "/release/2/volume/0.zip",
        "/root/1.json",
        "/root/2.json",
        "/elsewhere/1.json",
        "/release/1/../../../secret",
        "/release/1/volume/../../../../secret",
        "/release/1/volume/1.zip",
        "/tile/0/000.p/4",
        "/release/1",
        "/release/1/",
        "/tile/",
        "/entry/1/note",
    ] {
        let reply = visit.get(path);
        assert_eq!(reply.status, StatusCode::NOT_FOUND, "{path}");
        assert!(!reply.text().contains("secret\n"), "{path}");
    }
    assert_eq!(visit.ask(Method::POST, "/checkpoint", &[]).status, StatusCode::METHOD_NOT_ALLOWED);
}

#[test]
fn a_partial_copy_says_so_and_what_comes_later_is_read() {
    let publisher = two();
    let dir = publisher.dir();
    let kept = publisher.home.path().join("kept");
    std::fs::create_dir(&kept).unwrap();
    for part in ["manifest", "tile", "volume"] {
        std::fs::rename(dir.join("release/2").join(part), kept.join(part)).unwrap();
    }
    let visit = Visit::to(&publisher);
    let home = visit.get("/");
    assert_eq!(home.status, StatusCode::OK);
    assert!(home.text().contains("partial copy of") && home.text().contains("1 of 2 releases"), "{}", home.text());
    assert!(home.text().contains("Gate</span>, not in this copy"), "{}", home.text());
    assert!(visit.get("/verify").text().contains("partial copy of"));
    assert_eq!((visit.get("/c/gate").status, visit.get("/c/wall/7").status), (StatusCode::NOT_FOUND, StatusCode::OK));
    assert_eq!((visit.get("/release/2/note").status, visit.get("/release/2/volume/0.zip").status), (StatusCode::OK, StatusCode::NOT_FOUND));
    for part in ["manifest", "tile", "volume"] {
        std::fs::rename(kept.join(part), dir.join("release/2").join(part)).unwrap();
    }
    let visit = Visit::to(&publisher);
    assert_eq!(visit.get("/c/gate/1").status, StatusCode::OK, "the cache of the partial copy is not taken for that of the whole");
    assert!(!visit.get("/").text().contains("partial copy"));
}
