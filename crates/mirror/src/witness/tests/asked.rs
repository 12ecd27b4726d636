//! Asking witnesses, good and bad ones.

use super::serving::Served;
use super::*;
use daylight_archive::policy::Witness;
use daylight_archive::witness::{Answer, Submission};
use std::io::{Read, Write};
use std::net::TcpListener;

fn named(url: Option<&str>) -> Witness {
    Witness { name: "w1".into(), key: witness_key().cosigner_key(), url: url.map(str::to_owned) }
}

fn submit(witness: &Witness, log: &Grown, old: u64, size: u64) -> Answer {
    let prove = |old| Tree::new(&log.files, "", size).consistency(old).ok();
    let what = Submission { checkpoint: &log.checkpoint(size), note: &log.signed(size), old, prove: &prove };
    Client::new(None).unwrap().submit(witness, &what)
}

#[test]
fn a_witness_cosigns_wherever_it_was_left() {
    let (told, log, fork) = (Told::new(), Grown::new(300, 300, ""), Grown::new(300, 8, "another"));
    let server = Served::start(told.state.clone(), witness_key());
    // With and without a slash at the end, and whatever it was thought to know.
    for (address, old, size) in
        [(server.address.as_str(), 7, 10), (server.address.trim_end_matches('/'), 10, 200), (&server.address, 3, 300)]
    {
        let Answer::Cosigned(signature) = submit(&named(Some(address)), &log, old, size) else { panic!("{old} {size}") };
        assert!(signature.is_by(&witness_key().cosigner_key()));
        assert_eq!(told.stored(), Some(size));
    }
    let witness = named(Some(&server.address));
    assert_eq!(submit(&witness, &log, 0, 200), Answer::Larger(300));
    assert_eq!(submit(&witness, &fork, 0, 300), Answer::Inconsistent);
    let shown = Client::new(None).unwrap().shown(&witness, ORIGIN).unwrap();
    assert_eq!(Checkpoint::open(&shown, &log_key().key()).unwrap().0.size, 300);
    assert_eq!(Client::new(None).unwrap().shown(&witness, "another.example"), None);
    let other = Witness { key: signer("witness.example/w2", 81).cosigner_key(), ..witness };
    assert!(matches!(submit(&other, &log, 300, 300), Answer::Failed(why) if why.contains("without a signature of its key")));
    assert!(matches!(submit(&named(None), &log, 300, 300), Answer::Failed(_)));
}

/// Answers each connection with the next of these, after reading the request; then no more.
fn scripted(answers: Vec<Vec<u8>>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for answer in answers {
            let Ok((mut stream, _)) = listener.accept() else { return };
            let mut request = Vec::new();
            let mut piece = [0; 4096];
            loop {
                let text = String::from_utf8_lossy(&request).to_ascii_lowercase();
                let whole = text.split_once("\r\n\r\n").is_some_and(|(head, _)| {
                    let length: usize =
                        head.lines().find_map(|line| line.strip_prefix("content-length: ")?.trim().parse().ok()).unwrap_or(0);
                    request.len() >= head.len() + 4 + length
                });
                if whole {
                    break;
                }
                match stream.read(&mut piece) {
                    Ok(0) | Err(_) => break,
                    Ok(read) => request.extend_from_slice(&piece[..read]),
                }
            }
            let _ = stream.write_all(&answer);
        }
    });
    address
}

fn http(status: u16, media_type: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 {status} X\r\nContent-Type: {media_type}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

#[test]
fn a_witness_that_lies_or_breaks_is_told_from_one_that_cosigns() {
    let log = Grown::new(20, 20, "");
    let good = log.signed(20).cosignature(&witness_key(), NOW).line().into_bytes();
    let other_checkpoint = log.signed(19).cosignature(&witness_key(), NOW).line().into_bytes();
    let stranger = log.signed(20).cosignature(&signer("stranger", 99), NOW).line().into_bytes();
    let mut forged = log.signed(20).cosignature(&witness_key(), NOW);
    forged.bytes[3] ^= 1;
    let size = "text/x.tlog.size";
    let says = |answers: Vec<Vec<u8>>| submit(&named(Some(&scripted(answers))), &log, 10, 20);
    let failed = |answers: Vec<Vec<u8>>, with: &str| match says(answers) {
        Answer::Failed(why) => assert!(why.contains(with), "{why:?}, not {with:?}"),
        other => panic!("{other:?}, not {with:?}"),
    };
    assert!(matches!(says(vec![http(200, "text/plain", &good)]), Answer::Cosigned(_)));
    assert!(matches!(says(vec![http(200, "text/plain", &[stranger.clone(), good.clone()].concat())]), Answer::Cosigned(_)));
    assert!(matches!(says(vec![http(409, size, b"4\n"), http(200, "text/plain", &good)]), Answer::Cosigned(_)));
    assert_eq!(says(vec![http(409, size, b"21\n")]), Answer::Larger(21));
    assert_eq!(says(vec![http(409, size, b"18446744073709551615\n")]), Answer::Larger(u64::MAX));
    assert_eq!(says(vec![http(422, "text/plain", b"no\n")]), Answer::Inconsistent);
    assert_eq!(says(vec![http(409, size, b"20\n"), http(422, "text/plain", b"no\n")]), Answer::Inconsistent);
    // As it was before the standard changed.
    assert_eq!(says(vec![http(409, size, b"20\n"), http(409, "text/plain", b"no\n")]), Answer::Inconsistent);

    failed(vec![http(200, "text/plain", &other_checkpoint)], "its signature is wrong");
    failed(vec![http(200, "text/plain", forged.line().as_bytes())], "its signature is wrong");
    failed(vec![http(200, "text/plain", &stranger)], "without a signature of its key");
    failed(vec![http(200, "text/html", b"<html>welcome</html>")], "without a signature of its key");
    failed(vec![http(200, "text/plain", &[0xff, 0xfe])], "not text");
    failed(vec![http(200, "text/plain", &vec![b'a'; 70 << 10])], "longer than 65536 bytes");
    failed(vec![http(409, size, b"10\n")], "refuses that size");
    failed(vec![http(409, size, b"010\n")], "409");
    failed(vec![http(409, size, b"")], "409");
    failed(vec![1, 2, 3, 4].into_iter().map(|n: u8| http(409, size, format!("{n}\n").as_bytes())).collect(), "another size each time");
    failed(vec![http(403, "text/plain", b"")], "another key");
    failed(vec![http(404, "text/plain", b"")], "not told of this log");
    failed(vec![http(500, "text/plain", b"disk\x1b[31m full\nmore")], "status 500: disk[31m full");
    failed(vec![http(302, "text/plain\r\nLocation: http://127.0.0.1:1/", b"")], "302");
    failed(vec![b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf".to_vec()], "broke off");
    failed(vec![b"nonsense".to_vec()], "could not be asked");
    failed(vec![], "could not be asked");
}

#[test]
fn a_proxy_is_given_names_and_asked_for_everything() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let proxy = listener.local_addr().unwrap().to_string().parse().unwrap();
    let heard = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut greeting = [0; 3];
        stream.read_exact(&mut greeting).unwrap();
        stream.write_all(&[5, 0]).unwrap();
        let mut request = [0; 5];
        stream.read_exact(&mut request).unwrap();
        let mut name = vec![0; usize::from(request[4])];
        stream.read_exact(&mut name).unwrap();
        (request[..4].to_vec(), String::from_utf8(name).unwrap())
    });
    let log = Grown::new(2, 2, "");
    let prove = |_| Some(Vec::new());
    let what = Submission { checkpoint: &log.checkpoint(2), note: &log.signed(2), old: 0, prove: &prove };
    let witness = named(Some("http://witnessxyz.onion/"));
    let answer = Client::new(Some(proxy)).unwrap().submit(&witness, &what);
    assert!(matches!(answer, Answer::Failed(_)));
    // A connection by name (3): nobody else was asked what the name means.
    assert_eq!(heard.join().unwrap(), (vec![5, 1, 0, 3], "witnessxyz.onion".to_owned()));
}
