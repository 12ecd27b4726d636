//! The server over sockets: what is sent, byte for byte, and which status comes back.

use super::super::connections::Listener;
use super::super::serve::{Witness, run};
use super::*;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

/// A running server, ended when dropped.
pub(super) struct Served {
    pub(super) address: String,
    end: Option<tokio::sync::oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Served {
    pub(super) fn start(state: State, signer: Signer) -> Self {
        let (ready, said) = std::sync::mpsc::channel();
        let (end, ended) = tokio::sync::oneshot::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
            runtime.block_on(async {
                let (listener, address) = Listener::bind(&"127.0.0.1:0".parse().unwrap()).await.unwrap();
                ready.send(address).unwrap();
                run(listener, Arc::new(Witness { state, signer }), async { _ = ended.await }).await;
            });
        });
        Self { address: said.recv().unwrap(), end: Some(end), thread: Some(thread) }
    }

    /// Sends these bytes over a connection of their own, and reads until the server ends it.
    fn raw(&self, bytes: &[u8]) -> (u16, String, String) {
        let host = self.address.trim_start_matches("http://").trim_end_matches('/');
        let mut stream = TcpStream::connect(host).unwrap();
        // The server may answer and end before it has read all.
        let _ = stream.write_all(bytes);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        (status, head.to_ascii_lowercase(), body.to_owned())
    }

    fn post(&self, body: &[u8]) -> (u16, String, String) {
        let head = format!("POST /add-checkpoint HTTP/1.1\r\nHost: w\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", body.len());
        self.raw(&[head.as_bytes(), body].concat())
    }

    fn get(&self, path: &str) -> (u16, String, String) {
        self.raw(format!("GET {path} HTTP/1.1\r\nHost: w\r\nConnection: close\r\n\r\n").as_bytes())
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.end.take().map(|end| end.send(()));
        self.thread.take().map(|thread| thread.join());
    }
}

#[test]
fn every_answer_has_the_status_that_the_standard_gives_it() {
    let (told, log, fork) = (Told::new(), Grown::new(20, 20, ""), Grown::new(20, 8, "another"));
    let server = Served::start(told.state.clone(), witness_key());
    let (status, head, body) = server.post(&log.request(0, 10));
    assert_eq!(status, 200, "{body}");
    assert!(head.contains("content-type: text/plain"), "{head}");
    let mut note = Note::parse(&[log.signed(10).to_bytes(), body.clone().into_bytes()].concat()).unwrap();
    assert_eq!(note.require(&[witness_key().cosigner_key()], 1).unwrap().len(), 1, "{body}");
    note.add_signature(log.signed(10).signatures()[0].clone());

    let text = |old: &str| String::from_utf8(log.request(10, 20)).unwrap().replacen("old 10", old, 1).into_bytes();
    let stranger = Checkpoint { origin: "stranger.example".into(), ..log.checkpoint(20) };
    let signed_by = |checkpoint: &Checkpoint, by: &Signer| {
        let mut note = Note::new(&checkpoint.text()).unwrap();
        note.sign(by);
        AddCheckpoint { old: 10, proof: log.proof(10, 20), checkpoint: note }.to_bytes()
    };
    let long_proof =
        [b"old 10\n".to_vec(), "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n".repeat(64).into_bytes(), b"\n".to_vec()].concat();
    let table: Vec<(&str, Vec<u8>, u16)> = vec![
        ("nothing", vec![], 400),
        ("an old size with a zero before it", text("old 010"), 400),
        ("an old size above the checkpoint's", text("old 21"), 400),
        ("a proof of 64 hashes", [long_proof, log.signed(20).to_bytes()].concat(), 400),
        ("base64 that is none", text("old 10\n!!!!"), 400),
        ("base64 of another length", text("old 10\nAAAA"), 400),
        (
            "no newline at the end",
            {
                let mut body = log.request(10, 20);
                body.pop();
                body
            },
            400,
        ),
        ("bytes that are no text", vec![0xff; 100], 400),
        ("a checkpoint without a signature", [b"old 10\n\n".to_vec(), log.checkpoint(20).text().into_bytes()].concat(), 400),
        ("an origin that is not known", signed_by(&stranger, &signer("stranger.example", 1)), 404),
        ("another key", signed_by(&log.checkpoint(20), &signer(ORIGIN, 9)), 403),
        ("another name", signed_by(&log.checkpoint(20), &signer("other.example", 1)), 403),
        ("a size that was known before", log.request(5, 20), 409),
        ("a larger old size than is known", log.request(11, 20), 409),
        ("another history", fork.request(10, 20), 422),
        ("another root of the same size", fork.request(10, 10), 422),
        ("a body of 128 KiB", vec![b'a'; (128 << 10) + 1], 413),
        ("the same again", log.request(10, 10), 200),
    ];
    for (what, body, status) in &table {
        let (answered, head, said) = server.post(body);
        assert_eq!(answered, *status, "{what}: {said}");
        assert!(said.ends_with('\n') && head.contains("cache-control: no-store"), "{what}: {head}");
        if answered == 409 {
            assert!(head.contains("content-type: text/x.tlog.size") && said == "10\n", "{what}: {head}");
        }
        assert_eq!(told.stored(), Some(10), "{what}");
    }
    assert_eq!(server.post(&log.request(10, 20)).0, 200);
    assert_eq!(told.stored(), Some(20));
}

#[test]
fn what_is_no_request_for_a_witness_is_answered_too() {
    let (told, log) = (Told::new(), Grown::new(20, 20, ""));
    let server = Served::start(told.state.clone(), witness_key());
    let hash = Digest::of(ORIGIN.as_bytes()).to_string();
    assert_eq!(server.get(&format!("/{hash}/checkpoint")).0, 404, "nothing was cosigned yet");
    server.post(&log.request(0, 20));
    let (status, head, body) = server.get(&format!("/{hash}/checkpoint"));
    assert_eq!((status, head.contains("content-type: text/plain; charset=utf-8")), (200, true));
    let shown = Note::parse(body.as_bytes()).unwrap();
    assert_eq!(shown.require(&[log_key().key(), witness_key().cosigner_key()], 2).unwrap().len(), 2);
    assert_eq!(Checkpoint::parse_text(shown.text()).unwrap(), log.checkpoint(20));
    let head = server.raw(format!("HEAD /{hash}/checkpoint HTTP/1.1\r\nHost: w\r\nConnection: close\r\n\r\n").as_bytes());
    assert_eq!((head.0, head.2.as_str()), (200, ""));
    let (status, _, body) = server.get("/");
    assert!(status == 200 && body.contains(&witness_key().cosigner_key().to_string()), "{body}");
    let upper = hash.to_uppercase();
    for path in
        ["/x", "/add-checkpoint/", "/../checkpoint", "//checkpoint", "/checkpoint", &format!("/{upper}/checkpoint"), "/%2e%2e/checkpoint"]
    {
        assert_eq!(server.get(path).0, 404, "{path}");
    }
    let (status, head, _) = server.get("/add-checkpoint");
    assert!(status == 405 && head.contains("allow: post"), "{head}");
    assert_eq!(server.raw(b"DELETE / HTTP/1.1\r\nHost: w\r\nConnection: close\r\n\r\n").0, 405);
    assert_eq!(server.raw(b"GET\r\n\r\n").0, 400);
    let chunked = b"POST /add-checkpoint HTTP/1.1\r\nHost: w\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    let body = log.request(20, 20);
    let one = [format!("{:x}\r\n", body.len()).into_bytes(), body, b"\r\n0\r\n\r\n".to_vec()].concat();
    assert_eq!(server.raw(&[chunked.clone(), one].concat()).0, 200);
    let flood = [b"10000\r\n".to_vec(), vec![b'a'; 0x10000], b"\r\n".to_vec()].concat().repeat(4);
    assert_eq!(server.raw(&[chunked.clone(), flood].concat()).0, 413);
    assert_eq!(server.raw(&[chunked, b"zz\r\n".to_vec()].concat()).0, 400);
    let lying = b"POST /add-checkpoint HTTP/1.1\r\nHost: w\r\nContent-Length: 99999999999\r\n\r\nold 0".to_vec();
    assert_eq!(server.raw(&lying).0, 413, "nobody waits for what is too long");
    assert_eq!(server.raw(&[b"GET / HTTP/1.1\r\nX: ".to_vec(), vec![b'a'; 64 << 10]].concat()).0, 431);
}

#[test]
fn of_32_at_once_over_sockets_one_is_cosigned_and_the_disk_agrees() {
    let told = Told::new();
    let log = Grown::new(8, 8, "");
    told.ask(&log.request(0, 8)).unwrap();
    let server = Served::start(told.state.clone(), witness_key());
    let forks: Vec<Grown> = (0..32).map(|i| Grown::new(9 + i, 8, &format!("fork {i}"))).collect();
    let barrier = std::sync::Barrier::new(forks.len());
    let answers: Vec<(u16, String)> = std::thread::scope(|scope| {
        let (server, barrier) = (&server, &barrier);
        let asks = forks.iter().map(|fork| {
            scope.spawn(move || {
                let request = fork.request(8, fork.leaves.len() as u64);
                barrier.wait();
                let (status, _, body) = server.post(&request);
                (status, body)
            })
        });
        asks.collect::<Vec<_>>().into_iter().map(|ask| ask.join().unwrap()).collect()
    });
    let winners: Vec<usize> = (0..32).filter(|i| answers[*i].0 == 200).collect();
    assert_eq!(winners.len(), 1, "{answers:?}");
    let size = forks[winners[0]].leaves.len() as u64;
    let (stored, _) = told.state.logs().unwrap().remove(0).last.unwrap();
    assert_eq!(stored, forks[winners[0]].checkpoint(size));
    assert!(
        answers.iter().filter(|(status, _)| *status != 200).all(|(status, body)| *status == 409 && *body == format!("{size}\n")),
        "{answers:?}"
    );
}

#[test]
fn a_socket_in_the_file_system_is_listened_on_and_one_left_behind_is_replaced() {
    let told = Told::new();
    let path = told.path("socket");
    let listen: Listen = format!("unix:{}", path.display()).parse().unwrap();
    assert!("unix:".parse::<Listen>().is_err() && "localhost".parse::<Listen>().is_err());
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    runtime.block_on(async {
        let (listener, said) = Listener::bind(&listen).await.unwrap();
        assert_eq!(said, format!("unix:{}", path.display()));
        assert!(Listener::bind(&listen).await.is_err(), "one that answers is not taken from it");
        let (state, asked) = (told.state.clone(), path.clone());
        let serving = run(listener, Arc::new(Witness { state, signer: witness_key() }), std::future::pending());
        let asking = tokio::task::spawn_blocking(move || {
            let mut stream = std::os::unix::net::UnixStream::connect(asked).unwrap();
            stream.write_all(b"GET / HTTP/1.1\r\nHost: w\r\nConnection: close\r\n\r\n").unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).unwrap();
            answer
        });
        tokio::select! { () = serving => unreachable!(), answer = asking => assert!(answer.unwrap().starts_with("HTTP/1.1 200")) }
    });
}

#[test]
fn who_never_ends_a_request_is_not_waited_for() {
    let told = Told::new();
    let server = Served::start(told.state.clone(), witness_key());
    let head = b"POST /add-checkpoint HTTP/1.1\r\nHost: w\r\nContent-Length: 100\r\n\r\nold 0".as_slice();
    let said = std::thread::scope(|scope| {
        let asks = [head, b"POST /add-checkpoint HTT", b""].map(|bytes| scope.spawn(|| server.raw(bytes).0));
        asks.map(|ask| ask.join().unwrap())
    });
    // The connections end, each by itself; a body that was begun is answered first.
    assert_eq!(said[0], 408);
}
