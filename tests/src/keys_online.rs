//! `daylight dkim online`, against a DNS server and a SOCKS proxy on this machine: what it asks, of whom, and what it makes of the answers.

use crate::support::{daylight, workplace};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signer as _, SigningKey};
use sha2::{Digest as _, Sha256};
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;

const KEY: [u8; 32] = [7; 32];

/// A message whose signature names the key of this selector and domain.
fn signed(selector: &str, domain: &str) -> String {
    let body = "Four hundred and twelve thousand.\r\n";
    let digest = STANDARD.encode(Sha256::digest(body));
    let from = format!("From: ana@{domain}\r\n");
    let field = format!("DKIM-Signature: v=1; a=ed25519-sha256; c=simple/simple; d={domain}; s={selector}; h=from; bh={digest}; b=");
    let signature = SigningKey::from_bytes(&KEY).sign(&Sha256::digest(format!("{from}{field}")));
    format!("{field}{}\r\n{from}Subject: {selector}\r\n\r\n{body}", STANDARD.encode(signature.to_bytes()))
}

/// A DNS server that knows what these tests ask for, and notes who asked for what.
struct Dns {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Dns {
    fn start() -> Self {
        // One port for both ways, as a DNS server has it.
        let (udp, tcp) = loop {
            let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
            if let Ok(udp) = UdpSocket::bind(tcp.local_addr().unwrap()) {
                break (udp, tcp);
            }
        };
        let (address, asked) = (tcp.local_addr().unwrap(), Arc::new(Mutex::new(Vec::new())));
        let notes = Arc::clone(&asked);
        thread::spawn(move || {
            let mut buffer = [0; 2000];
            while let Ok((count, from)) = udp.recv_from(&mut buffer) {
                let name = name(&buffer[..count]);
                notes.lock().unwrap().push(format!("udp {name}"));
                // What somebody else sends first, guessing, is no answer.
                let mut forged = answer(&buffer[..count], &name, false);
                forged[0] ^= 0xff;
                udp.send_to(&forged, from).unwrap();
                udp.send_to(b"\0", from).unwrap();
                udp.send_to(&answer(&buffer[..count], &name, false), from).unwrap();
            }
        });
        let notes = Arc::clone(&asked);
        thread::spawn(move || {
            for stream in tcp.incoming() {
                let mut stream = stream.unwrap();
                let mut length = [0; 2];
                stream.read_exact(&mut length).unwrap();
                let mut question = vec![0; usize::from(u16::from_be_bytes(length))];
                stream.read_exact(&mut question).unwrap();
                let name = name(&question);
                notes.lock().unwrap().push(format!("tcp {name}"));
                let answer = answer(&question, &name, true);
                stream.write_all(&(answer.len() as u16).to_be_bytes()).unwrap();
                stream.write_all(&answer).unwrap();
            }
        });
        Self { address, asked }
    }

    fn asked(&self) -> Vec<String> {
        let mut asked = std::mem::take(&mut *self.asked.lock().unwrap());
        asked.sort();
        asked
    }
}

fn name(question: &[u8]) -> String {
    let (mut at, mut labels) = (12, Vec::new());
    while question[at] > 0 {
        let end = at + 1 + usize::from(question[at]);
        labels.push(String::from_utf8_lossy(&question[at + 1..end]).into_owned());
        at = end;
    }
    labels.join(".")
}

fn answer(question: &[u8], name: &str, tcp: bool) -> Vec<u8> {
    let asked = 12 + name.len() + 2 + 4;
    let mut bytes = question[..asked].to_vec();
    let key = format!("v=DKIM1; k=ed25519; p={}", STANDARD.encode(SigningKey::from_bytes(&KEY).verifying_key().to_bytes()));
    let record = |owner: &[u8], kind: u16, data: &[u8]| {
        [owner, &kind.to_be_bytes(), &[0, 1, 0, 0, 0, 60], &(data.len() as u16).to_be_bytes(), data].concat()
    };
    // In two pieces, as records are that are longer than 255 bytes.
    let text = |key: &str| [&[10], &key.as_bytes()[..10], &[(key.len() - 10) as u8], &key.as_bytes()[10..]].concat();
    let (flags, answers): (u16, Vec<Vec<u8>>) = match name.split('.').next().unwrap() {
        "good" => (0x8180, vec![record(&[0xc0, 12], 16, &text(&key))]),
        "long" if !tcp => (0x8380, Vec::new()),
        "long" => {
            let alias = b"\x03key\x07mailing\x04test\0";
            (0x8180, vec![record(&[0xc0, 12], 5, alias), record(alias, 16, &text(&key))])
        }
        "sick" => (0x8182, Vec::new()),
        _ => (0x8183, Vec::new()),
    };
    bytes[2..4].copy_from_slice(&flags.to_be_bytes());
    bytes[6..8].copy_from_slice(&(answers.len() as u16).to_be_bytes());
    bytes[8..12].copy_from_slice(&[0; 4]);
    [bytes, answers.concat()].concat()
}

/// A SOCKS 5 proxy without a password, and where it was asked to go.
fn proxy() -> (SocketAddr, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (address, gone) = (listener.local_addr().unwrap(), Arc::new(Mutex::new(Vec::new())));
    let notes = Arc::clone(&gone);
    thread::spawn(move || {
        for client in listener.incoming() {
            let mut client = client.unwrap();
            let mut greeting = [0; 3];
            client.read_exact(&mut greeting).unwrap();
            assert_eq!(greeting, [5, 1, 0]);
            client.write_all(&[5, 0]).unwrap();
            let mut request = [0; 10];
            client.read_exact(&mut request).unwrap();
            assert_eq!(request[..4], [5, 1, 0, 1]);
            let to = SocketAddr::from(([request[4], request[5], request[6], request[7]], u16::from_be_bytes([request[8], request[9]])));
            notes.lock().unwrap().push(to.to_string());
            let mut server = TcpStream::connect(to).unwrap();
            client.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).unwrap();
            let (mut back, mut onward) = (client.try_clone().unwrap(), server.try_clone().unwrap());
            thread::spawn(move || std::io::copy(&mut client, &mut onward));
            std::io::copy(&mut server, &mut back).unwrap();
        }
    });
    (address, gone)
}

fn desk(work: &Path, messages: &[(&str, &str)]) -> String {
    let (trove, desk) = (work.join("trove"), work.join("desk").to_str().unwrap().to_owned());
    fs::create_dir(&trove).unwrap();
    for (selector, domain) in messages {
        fs::write(trove.join(format!("{selector}.eml")), signed(selector, domain)).unwrap();
    }
    daylight(["init", &desk]).code(0);
    daylight(["ingest", &desk, trove.to_str().unwrap(), "--collection", "x"]).code(0);
    desk
}

fn total(desk: &str, query: &str) -> u64 {
    daylight(["search", desk, query, "--json"]).json()["total"].as_u64().unwrap()
}

#[test]
fn keys_come_from_the_dns_when_asked_for_and_nobody_is_told_before() {
    let work = workplace();
    let desk =
        desk(work.path(), &[("good", "example.org"), ("long", "mail.example.org"), ("gone", "example.org"), ("sick", "example.net")]);
    let dns = Dns::start();
    let server = dns.address.to_string();

    let refused = daylight(["dkim", "online", &desk, "--resolver", &server]).code(1);
    assert!(refused.stderr.contains("whose mail you hold") && refused.stderr.contains("--yes"), "{}", refused.stderr);
    assert!(refused.stderr.contains("good._domainkey.example.org (1 document signed with it)"), "{}", refused.stderr);
    assert_eq!((dns.asked(), total(&desk, "dkim:key-unknown")), (vec![], 4));

    let told = daylight(["dkim", "online", &desk, "--resolver", &server, "--domain", "example.org", "--yes"]).code(0).text();
    let asked = [
        "tcp long._domainkey.mail.example.org",
        "udp gone._domainkey.example.org",
        "udp good._domainkey.example.org",
        "udp long._domainkey.mail.example.org",
    ];
    assert_eq!(dns.asked(), asked, "{told}");
    assert!(told.contains("gone._domainkey.example.org: the DNS has no such key now"), "{told}");
    assert!(told.contains("2 of 3 keys missing found") && told.contains("2 documents signed with them"), "{told}");
    assert_eq!((total(&desk, "dkim:valid"), total(&desk, "dkim:key-unknown")), (2, 2), "a key that is gone is no verdict");
    let keys = daylight(["dkim", "list", &desk, "--json"]).json();
    assert_eq!(keys["keys"][0]["source"], format!("dns {server}"));
    assert!(keys["keys"][0]["seen"].as_i64().unwrap() > 1_700_000_000);

    // What is known is not asked for again; what failed makes the command fail.
    let again = daylight(["dkim", "online", &desk, "--resolver", &server, "--yes", "--json"]).code(1).json();
    assert_eq!((&again["keys_missing"], &again["keys_found"]), (&2.into(), &0.into()), "{again}");
    assert_eq!(again["failed"][0]["name"], "sick._domainkey.example.net");
    assert_eq!(again["absent"][0]["name"], "gone._domainkey.example.org");
}

#[test]
fn through_a_proxy_everything_goes_through_it() {
    let work = workplace();
    let desk = desk(work.path(), &[("good", "example.org")]);
    let dns = Dns::start();
    let (socks, gone) = proxy();
    let (server, socks) = (dns.address.to_string(), socks.to_string());
    daylight(["dkim", "online", &desk, "--socks", &socks, "--yes"]).code(1);
    daylight(["dkim", "online", &desk, "--resolver", &server, "--socks", &socks, "--yes"]).code(0);
    assert_eq!((dns.asked(), gone.lock().unwrap().clone()), (vec!["tcp good._domainkey.example.org".to_owned()], vec![server.clone()]));
    assert_eq!(total(&desk, "dkim:valid"), 1);
}

#[test]
fn a_server_that_is_no_dns_server_or_no_proxy_is_told_from_a_key_that_is_gone() {
    let work = workplace();
    let desk = desk(work.path(), &[("good", "example.org")]);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    thread::spawn(move || listener.incoming().for_each(|stream| drop(stream.unwrap().write_all(b"HTTP/1.0 400 no\r\n\r\n"))));
    let told = daylight(["dkim", "online", &desk, "--resolver", "127.0.0.1", "--socks", &address, "--yes", "--json"]).code(1).json();
    assert!(told["failed"][0]["why"].as_str().unwrap().contains("SOCKS"), "{told}");
    for wrong in [["--resolver", "nowhere"], ["--socks", "nowhere"]] {
        let line = [["dkim", "online", &desk, "--yes"].as_slice(), &wrong].concat();
        assert!(daylight(line).code(1).stderr.contains(wrong[0]));
    }
    assert_eq!(total(&desk, "dkim:key-unknown"), 1);
}
