use super::fixture::{Publisher, attachment, message};
use super::*;
use std::io::{Read, Write};

fn small() -> Publisher {
    let mut publisher = Publisher::new();
    let mut docs: Vec<_> = (1..=120).map(|n| message(n, &format!("wall {n}"), "heron")).collect();
    docs.push(message(121, "long", &"a long line of heron text\n".repeat(40_000)));
    docs.push(attachment(122, "big.bin", 1, "application/octet-stream", &vec![7; 3 << 20]));
    publisher.release("wall", "Wall", docs);
    publisher
}

#[test]
fn only_addresses_and_pages_that_exist_are_answered() {
    let publisher = small();
    let visit = Visit::to(&publisher);
    for address in [
        "/c/wall/0",
        "/c/wall/999",
        "/c/gate",
        "/c/gate/1",
        "/c/wall/1/../2",
        "/c/..%2f/1",
        "/c/wall/1/view",
        "/thread/wall/999",
        "/c/wall?page=4",
        "/search?q=heron&page=101",
        "/search?q=heron&page=8",
    ] {
        assert_eq!(visit.get(address).status, StatusCode::NOT_FOUND, "{address}");
    }
    for address in ["/c/wall?page=x", "/search?q=%zz", "/search?q=%ff", "/search?q=heron&page=-1", "/search?format=xml", "/search?q=%28"] {
        assert_eq!(visit.get(address).status, StatusCode::BAD_REQUEST, "{address}");
    }
    assert_eq!(visit.get("/c/wall?page=0").status, StatusCode::NOT_FOUND);
    assert_eq!(visit.get("/c/wall?page=3").status, StatusCode::OK);
    assert_eq!(visit.get("/search?q=heron&page=7").status, StatusCode::OK);
    assert_eq!(visit.get(&format!("/search?q={}", "a".repeat(1001))).status, StatusCode::URI_TOO_LONG);
    assert_eq!(visit.get(&format!("/{}", "a".repeat(9000))).status, StatusCode::URI_TOO_LONG);
    let moved = visit.get("/c/wall/?page=2");
    assert_eq!((moved.status, moved.header("location")), (StatusCode::PERMANENT_REDIRECT, "/c/wall?page=2"));
    assert_eq!(visit.ask(Method::DELETE, "/c/wall/1", &[]).header("allow"), "GET, HEAD");
}

#[test]
fn a_long_text_begins_on_its_page_and_is_whole_under_text() {
    let publisher = small();
    let visit = Visit::to(&publisher);
    let page = visit.get("/c/wall/121");
    assert!(page.body.len() < 400_000 && page.text().contains("This is the beginning of a long text"));
    let text = visit.get("/c/wall/121/text");
    assert_eq!((text.body.len(), text.header("content-length")), (1_040_000, "1040000"));
}

#[test]
fn bytes_come_whole_in_part_or_not_at_all_when_they_are_known() {
    let publisher = small();
    let visit = Visit::to(&publisher);
    let whole = visit.get("/c/wall/122/raw");
    let tag = whole.header("etag").to_owned();
    assert_eq!((whole.body.len(), tag.len()), (3 << 20, 66));
    let part = visit.ask(Method::GET, "/c/wall/1/raw", &[("range", "bytes=9-13")]);
    assert_eq!(
        (part.status, part.body.as_slice(), part.header("content-range")),
        (StatusCode::PARTIAL_CONTENT, b"wall ".as_slice(), "bytes 9-13/24")
    );
    let wrong = visit.ask(Method::GET, "/c/wall/1/raw", &[("range", "bytes=99-")]);
    assert_eq!((wrong.status, wrong.header("content-range")), (StatusCode::RANGE_NOT_SATISFIABLE, "bytes */24"));
    let stale = visit.ask(Method::GET, "/c/wall/1/raw", &[("range", "bytes=9-13"), ("if-range", "\"other\"")]);
    assert_eq!((stale.status, stale.body.len()), (StatusCode::OK, 24));
    let known = visit.ask(Method::GET, "/c/wall/122/raw", &[("if-none-match", &tag)]);
    assert_eq!((known.status, known.body.len(), known.header("content-length")), (StatusCode::NOT_MODIFIED, 0, ""));
    let page = visit.get("/c/wall/1");
    assert_eq!(visit.ask(Method::GET, "/c/wall/1", &[("if-none-match", page.header("etag"))]).status, StatusCode::NOT_MODIFIED);
    let head = visit.ask(Method::HEAD, "/c/wall/1", &[]);
    assert_eq!(head.header("content-length"), page.body.len().to_string());
}

#[test]
fn what_says_unchanged_leaves_a_kept_page_the_policy_that_it_has() {
    let publisher = small();
    let visit = Visit::to(&publisher);
    for path in ["/", "/c/wall", "/c/wall/1", "/c/wall/122/raw", "/c/wall/1/text", "/verify", "/release/1/note"] {
        let first = visit.get(path);
        assert!(!first.header("content-security-policy").is_empty() && !first.header("etag").is_empty(), "{path}");
        let again = visit.ask(Method::GET, path, &[("if-none-match", first.header("etag"))]);
        assert_eq!(again.status, StatusCode::NOT_MODIFIED, "{path}");
        for (name, value) in &again.headers {
            assert!(name.as_str() == "date" || first.header(name.as_str()) == value.to_str().unwrap(), "{path}: {name} would be another");
        }
    }
}

#[test]
fn damaged_bytes_are_never_given_out_as_the_document() {
    let publisher = small();
    let visit = Visit::to(&publisher);
    let volume = publisher.dir().join("release/1/volume/0.zip");
    let mut bytes = std::fs::read(&volume).unwrap();
    let at = bytes.windows(13).position(|w| w == b"wall 77\r\n\r\nhe").unwrap();
    bytes[at] ^= 1;
    std::fs::write(&volume, &bytes).unwrap();
    assert_eq!(visit.get("/c/wall/77/raw").status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(visit.get("/c/wall/78/raw").status, StatusCode::OK);
    std::fs::remove_file(&volume).unwrap();
    assert_eq!(visit.get("/c/wall/78").status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(visit.get("/c/wall").status, StatusCode::OK);
    assert!(visit.get("/search?q=heron").text().contains("122 documents") || visit.get("/search?q=heron").text().contains("121 documents"));
}

#[test]
fn the_server_answers_over_a_socket_and_ends_when_it_is_told_to() {
    let publisher = small();
    let visit = Visit::to(&publisher);
    let (tell, told) = tokio::sync::oneshot::channel::<()>();
    let listener = visit.runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
    let address = listener.local_addr().unwrap();
    let server = visit.runtime.spawn(crate::serve::run(listener, visit.site.clone(), async {
        let _ = told.await;
    }));
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    for _ in 0..2 {
        stream.write_all(b"GET /c/wall/1/text HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
        let mut buffer = vec![0; 4096];
        let read = stream.read(&mut buffer).unwrap();
        let answer = String::from_utf8_lossy(&buffer[..read]).into_owned();
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("\r\n\r\nheron"), "{answer}");
    }
    let mut long = std::net::TcpStream::connect(address).unwrap();
    let _ = long.write_all(format!("GET / HTTP/1.1\r\nx: {}\r\n\r\n", "a".repeat(64 << 10)).as_bytes());
    let mut answer = String::new();
    let _ = long.read_to_string(&mut answer);
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431"), "{answer}");
    tell.send(()).unwrap();
    visit.runtime.block_on(server).unwrap();
    assert!(std::net::TcpStream::connect(address).is_err());
}
