//! Ways to a copy: other sites, a proxy, TLS, and the manners of a guest.

use crate::publisher::{Publisher, doc, files};
use crate::server::{Reply, Server};
use crate::{Copy, assert_same, patience};
use daylight_mirror::http::{Authorities, Client, Config, Patience};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

fn with(config: Config) -> Client {
    Client::new(Config { patience: patience(), ..config }).unwrap()
}

#[test]
fn where_one_site_is_gone_or_lies_the_next_one_is_asked_and_the_liar_is_named() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/", listener.local_addr().unwrap());
    let mut publisher = Publisher::listing(std::slice::from_ref(&address));
    publisher.release("town", &(1..=60).map(doc).collect::<Vec<_>>());
    let honest = Server::on(listener, &publisher.dir(), |_| None);
    let mut volume = publisher.read("release/1/volume/0.zip");
    let middle = volume.len() / 2;
    volume[middle] ^= 1;
    let liar = Server::lying(&publisher.dir(), move |request| request.path.ends_with(".zip").then(|| Reply::ok(volume.clone())));
    let copy = Copy::new();
    let report = copy.update(&liar.url());
    assert_eq!(report.failure, None, "{report:?}");
    assert_same(&publisher.dir(), &copy.dir());
    let named: Vec<_> = report.refused.iter().map(|refusal| (refusal.site.to_string(), refusal.path.as_str(), refusal.lie)).collect();
    assert_eq!(named, [(liar.url(), "release/1/volume/0.zip", true)]);
    let served: Vec<String> = report.served.iter().map(|(site, _)| site.to_string()).collect();
    assert!(served.contains(&address) && served.contains(&liar.url()));
    // What the liar gave before its lie was right, and is not asked for again.
    let range = honest.requests().iter().find(|request| request.path.ends_with(".zip")).unwrap().range;
    assert!(range.is_some_and(|(from, _)| from > 0), "{range:?}");
    drop(liar);

    publisher.release("town", &[doc(100)]);
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap();
    let gone = format!("http://{}/", nobody.local_addr().unwrap());
    drop(nobody);
    let report = copy.update(&gone);
    assert_eq!(report.failure, None);
    assert_eq!((report.refused[0].site.to_string(), report.refused[0].lie), (gone.clone(), false));
    assert!(report.refused[0].what.contains("cannot be reached"));
    let fresh = Copy::new();
    let report = fresh.update(&gone);
    assert!(!report.ok() && files(&fresh.dir()).is_empty(), "nobody knows of other sites before the first root");
}

#[test]
fn others_are_asked_too_for_what_is_newer_and_for_what_contradicts() {
    let listeners: Vec<TcpListener> = (0..2).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
    let urls: Vec<String> = listeners.iter().map(|listener| format!("http://{}/", listener.local_addr().unwrap())).collect();
    let mut publisher = Publisher::listing(&urls);
    publisher.release("town", &(1..=20).map(doc).collect::<Vec<_>>());
    let old = publisher.split();
    let mut forked = publisher.split();
    publisher.release("town", &[doc(100)]);
    forked.release("town", &[doc(666)]);
    forked.beat(1, "alive");
    let frozen = Server::honest(&old.dir());
    let mut listeners = listeners.into_iter();
    let newer = Server::on(listeners.next().unwrap(), &publisher.dir(), |_| None);
    let late = Server::on(listeners.next().unwrap(), &old.dir(), |_| None);
    // The site that is asked holds something back; one of the others does not.
    let copy = Copy::new();
    let report = copy.update(&frozen.url());
    assert_eq!((report.failure, report.sizes.1, report.refused.len()), (None, 3, 0), "one that is behind is no liar");
    assert_same(&publisher.dir(), &copy.dir());
    assert_eq!(late.requests().len(), 1);
    assert!(report.served.iter().any(|(site, _)| site.to_string() == newer.url()));
    // One of the others was shown another past.
    let before = files(&copy.dir());
    std::fs::remove_dir_all(old.dir()).unwrap();
    for (path, bytes) in files(&forked.dir()) {
        old.put(&path, &bytes);
    }
    let report = copy.update(&newer.url());
    assert_eq!((report.failure, report.evidence.len()), (None, 1), "the copy is up to date, and the log is caught");
    assert!(report.refused.iter().any(|refusal| refusal.site.to_string() == late.url() && refusal.lie));
    assert!(files(&copy.dir()) == before);
}

/// A SOCKS 5 proxy that leads everything to one server, and remembers what it was asked for.
fn proxy(to: std::net::SocketAddr) -> (String, Arc<Mutex<Vec<Vec<u8>>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (address, asked) = (listener.local_addr().unwrap().to_string(), Arc::new(Mutex::new(Vec::new())));
    let seen = asked.clone();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let mut greeting = [0; 3];
            stream.read_exact(&mut greeting).unwrap();
            assert_eq!(greeting, [5, 1, 0]);
            stream.write_all(&[5, 0]).unwrap();
            let mut head = [0; 4];
            stream.read_exact(&mut head).unwrap();
            let length = match head[3] {
                1 => 4,
                4 => 16,
                _ => {
                    let mut length = [0];
                    stream.read_exact(&mut length).unwrap();
                    usize::from(length[0])
                }
            };
            let mut rest = vec![0; length + 2];
            stream.read_exact(&mut rest).unwrap();
            seen.lock().unwrap().push([&head[3..], &rest].concat());
            stream.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).unwrap();
            let other = TcpStream::connect(to).unwrap();
            let (mut from, mut into) = (stream.try_clone().unwrap(), other.try_clone().unwrap());
            std::thread::spawn(move || std::io::copy(&mut from, &mut into));
            std::thread::spawn(move || std::io::copy(&mut &other, &mut stream));
        }
    });
    (address, asked)
}

#[test]
fn onions_are_reached_through_a_proxy_that_gets_the_name_and_never_without_one() {
    let mut publisher = Publisher::new();
    publisher.release("town", &[doc(1)]);
    let site = Server::honest(&publisher.dir());
    let onion = format!("{}.onion", "abcdefgh".repeat(7));
    let url = format!("http://{onion}/");
    let report = Copy::new().update(&url);
    assert!(report.refused[0].what.contains("only be reached through Tor: give --socks"), "{report:?}");
    assert_eq!(report.requests, 0);
    let (address, asked) = proxy(site.address);
    let client = with(Config { proxy: Some(address.parse().unwrap()), ..Config::default() });
    let copy = Copy::new();
    assert_eq!(copy.update_with(&client, &url, None, None).failure, None);
    assert_same(&publisher.dir(), &copy.dir());
    let expected = [&[3][..], onion.as_bytes(), &80u16.to_be_bytes()].concat();
    assert!(asked.lock().unwrap().iter().all(|asked| *asked == expected), "names are looked up by the proxy, as they are");
    // With a proxy everything goes through it, addresses too.
    asked.lock().unwrap().clear();
    assert!(copy.update_with(&client, &site.url(), None, None).ok());
    assert_eq!(asked.lock().unwrap()[0], [&[1, 127, 0, 0, 1][..], &site.address.port().to_be_bytes()].concat());
    assert!(site.requests().iter().all(|request| request.head.contains("accept-encoding: identity") && !request.head.contains("cookie")));
    let no_proxy = with(Config { proxy: Some("127.0.0.1:1".parse().unwrap()), ..Config::default() });
    let report = Copy::new().update_with(&no_proxy, &url, None, None);
    assert!(report.refused[0].what.contains("no SOCKS proxy answers at 127.0.0.1:1"), "{report:?}");
}

#[test]
fn a_busy_site_is_asked_again_when_it_says_and_no_faster_than_it_may_be() {
    let mut publisher = Publisher::new();
    publisher.release("town", &(1..=50).map(doc).collect::<Vec<_>>());
    let busy = Arc::new(AtomicUsize::new(0));
    let count = busy.clone();
    let site = Server::lying(&publisher.dir(), move |request| {
        let first = request.path == "checkpoint" && count.fetch_add(1, SeqCst) < 2;
        first.then(|| Reply::Http(429, vec![("retry-after", "1".into())], b"later".to_vec()))
    });
    let copy = Copy::new();
    let began = std::time::Instant::now();
    let client = with(Config { connections: 2, ..Config::default() });
    assert_eq!(copy.update_with(&client, &site.url(), None, None).failure, None);
    assert!(began.elapsed() >= Duration::from_secs(2), "it asked for a second, twice");
    assert_eq!(busy.load(SeqCst), 3);
    assert!(site.most() <= 2, "{} connections", site.most());
    let mut publisher = Publisher::new();
    (1..40).for_each(|serial| publisher.beat(serial, "alive"));
    let site = Server::honest(&publisher.dir());
    let client = with(Config { connections: 3, rate: Some(50_000), ..Config::default() });
    let copy = Copy::new();
    let report = copy.update_with(&client, &site.url(), None, None);
    assert_eq!(report.failure, None);
    assert!(site.most() <= 3, "{} connections", site.most());
    let head = site.requests()[0].head.to_lowercase();
    assert!(head.contains("user-agent: daylight-mirror/") && head.contains("cache-control: no-cache"), "{head}");
}

#[test]
fn one_who_is_told_to_stop_stops_and_goes_on_later() {
    let mut publisher = Publisher::new();
    publisher.release("town", &(1..=200).map(doc).collect::<Vec<_>>());
    let stop = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let told = stop.clone();
    let site = Server::lying(&publisher.dir(), move |request| {
        if request.path.ends_with(".zip") {
            told.store(true, SeqCst);
        }
        None
    });
    let copy = Copy::new();
    let meter = daylight_mirror::meter::Meter::default();
    let from = site.url().parse().unwrap();
    let to = copy.dir();
    let job =
        daylight_mirror::update::Job { from: &from, to: &to, root: None, only: None, repair: false, now: 0, stop: &stop, meter: &meter };
    let report = daylight_mirror::update::update(&crate::client(), job).unwrap();
    assert!(report.stopped && !report.ok() && files(&copy.dir()).is_empty());
    site.requests();
    assert_eq!(copy.update(&site.url()).failure, None);
    let again: Vec<String> = site.requests().into_iter().map(|request| request.path).collect();
    assert!(!again.contains(&"release/1/note".to_owned()) && !again.contains(&"release/1/manifest/0".to_owned()), "{again:?}");
    assert_same(&publisher.dir(), &copy.dir());
}

#[test]
fn patience_is_bounded() {
    let patience = Patience::default();
    let whole: Duration = (0..patience.tries).map(|tried| patience.wait(tried)).sum();
    assert!(whole < Duration::from_secs(60), "{whole:?}");
}

/// A server under TLS with a certificate of its own, which gives out one folder and closes after each answer.
fn secure(dir: std::path::PathBuf) -> std::net::SocketAddr {
    use tokio_rustls::rustls::ServerConfig;
    use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
    let certificate = CertificateDer::from(CERTIFICATE.to_vec());
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(include_bytes!("../data/test-only.key.der").to_vec()));
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = Arc::new(config.with_no_client_auth().with_single_cert(vec![certificate], key).unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let mut session = tokio_rustls::rustls::ServerConnection::new(config.clone()).unwrap();
            let mut tls = tokio_rustls::rustls::Stream::new(&mut session, &mut stream);
            let mut head = Vec::new();
            let mut byte = [0];
            while !head.ends_with(b"\r\n\r\n") && tls.read(&mut byte).is_ok_and(|count| count > 0) {
                head.push(byte[0]);
            }
            let Some(path) = String::from_utf8_lossy(&head).split(' ').nth(1).map(str::to_owned) else { continue };
            let bytes = std::fs::read(dir.join(path.trim_start_matches('/'))).unwrap_or_default();
            let status = if bytes.is_empty() { 404 } else { 200 };
            let answer = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", bytes.len());
            let _ = tls.write_all(&[answer.as_bytes(), &bytes].concat());
            session.send_close_notify();
            let _ = session.complete_io(&mut stream);
        }
    });
    address
}

/// For localhost, until 2120; its key is in the repository, and it is good for nothing else.
const CERTIFICATE: &[u8] = include_bytes!("../data/test-only.cert.der");

#[test]
fn a_site_under_tls_is_believed_to_be_who_it_is_only_with_a_certificate_of_an_authority() {
    let mut publisher = Publisher::new();
    publisher.release("town", &[doc(1)]);
    let address = secure(publisher.dir());
    let url = format!("https://localhost:{}/", address.port());
    let copy = Copy::new();
    let report = copy.update(&url);
    assert!(report.refused[0].what.contains("no TLS connection"), "{report:?}");
    assert!(!report.ok() && files(&copy.dir()).is_empty());
    let client = with(Config { authorities: Authorities::These(vec![CERTIFICATE.to_vec()]), ..Config::default() });
    assert_eq!(copy.update_with(&client, &url, None, None).failure, None);
    assert_same(&publisher.dir(), &copy.dir());
    // Under another name the same certificate is good for nothing, whatever leads there.
    let (proxy, _) = proxy(address);
    let client = with(Config {
        authorities: Authorities::These(vec![CERTIFICATE.to_vec()]),
        proxy: Some(proxy.parse().unwrap()),
        ..Config::default()
    });
    let report = copy.update_with(&client, "https://other.example/", None, None);
    assert!(report.refused[0].what.contains("no TLS connection"), "{report:?}");
}
