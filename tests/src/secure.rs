//! Sites and witnesses under TLS: believed with a certificate of an authority that is trusted, by the way that the guides tell, and with no other.

use crate::inbox::{Room, Served};
use crate::support::{Server, Spoken, daylight, demo, demo_server, program, python_script, tool_file, workplace};
use crate::witnessing::Town;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// What a client says of a certificate by an authority that it does not know.
const UNKNOWN: &str =
    "no TLS connection: its certificate is of no authority that is trusted here (SSL_CERT_FILE names a file with those that are)";

/// An authority of a test's own, and certificates of it.
struct Authority {
    folder: TempDir,
    python: PathBuf,
}

impl Authority {
    fn new() -> Option<Self> {
        let authority = Self { folder: workplace(), python: tool_file("python/bin/python")? };
        python_script("tls.py", ["certificates".as_ref(), authority.folder.path().as_os_str()])?.code(0);
        Some(authority)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(format!("{name}.pem"))
    }

    /// Speaks TLS with this certificate for what listens at `http://…`.
    fn relay(&self, certificate: &str, origin: &str) -> Relay {
        let target = origin.trim_start_matches("http://").trim_end_matches('/');
        let mut command = Command::new(&self.python);
        command.arg(crate::support::root().join("tests/python/tls.py")).arg("relay").arg(self.file(certificate)).arg(target);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut port = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut port).unwrap();
        Relay { child, address: format!("https://127.0.0.1:{}/", port.trim_end()) }
    }
}

/// Killed when dropped.
struct Relay {
    child: Child,
    address: String,
}

impl Drop for Relay {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn run(line: &[&str], trusting: Option<&Path>) -> Spoken {
    run_in(Path::new("."), line, trusting)
}

fn run_in(folder: &Path, line: &[&str], trusting: Option<&Path>) -> Spoken {
    let mut command = Command::new(program());
    command.args(line).current_dir(folder).stdin(Stdio::null()).env_remove("SSL_CERT_FILE");
    trusting.map(|file| command.env("SSL_CERT_FILE", file));
    command.output().unwrap().into()
}

#[test]
fn a_site_under_tls_is_copied_and_verified_with_a_certificate_of_a_trusted_authority_alone() {
    let Some(authority) = Authority::new() else { return };
    let (server, work) = (demo_server(), workplace());
    let root = demo().join("archive/root/1.json");
    let good = authority.relay("good", &server.origin);
    let (trusted, stranger) = (authority.file("authority"), authority.file("stranger"));
    let copy = work.path().join("copy");
    let mirror =
        |site: &str, trusting: Option<&Path>| run(&["mirror", site, copy.to_str().unwrap(), "--root", root.to_str().unwrap()], trusting);
    for (certificate, trusting, why) in [
        ("good", None, UNKNOWN),
        ("good", Some(&stranger), UNKNOWN),
        ("strange", Some(&trusted), UNKNOWN),
        ("expired", Some(&trusted), "no TLS connection: its certificate has expired, or this machine's clock is wrong"),
        ("early", Some(&trusted), "no TLS connection: its certificate is not valid yet, or this machine's clock is wrong"),
        ("elsewhere", Some(&trusted), "no TLS connection: its certificate is for another name than 127.0.0.1"),
    ] {
        let relay = authority.relay(certificate, &server.origin);
        for said in [
            mirror(&relay.address, trusting.map(PathBuf::as_path)).code(1),
            run(&["verify", &relay.address, "--root", root.to_str().unwrap()], trusting.map(PathBuf::as_path)).code(1),
        ] {
            assert!(format!("{}{}", said.text(), said.stderr).contains(why), "{certificate}: {said:?}");
        }
        assert!(!copy.join("checkpoint").exists());
    }
    // A file of authorities that is none is told of before anybody is asked.
    for (file, why) in [("nowhere", "No such file"), ("good.key", "no certificate (PEM)")] {
        fs::write(authority.folder.path().join("good.key"), "-----BEGIN X-----\nAAAA\n-----END X-----\n").unwrap();
        let file = authority.folder.path().join(file);
        let said = mirror(&good.address, Some(&file)).code(1).stderr;
        assert!(said.contains("SSL_CERT_FILE names ") && said.contains(why) && said.lines().count() == 1, "{said}");
    }
    mirror(&good.address, Some(&trusted)).code(0);
    daylight(["verify", copy.to_str().unwrap(), "--root", root.to_str().unwrap()]).code(0);
    run(&["verify", &good.address, "--root", root.to_str().unwrap()], Some(&trusted)).code(0);
    let by_name = good.address.replace("127.0.0.1", "localhost");
    run(&["verify", &by_name, "--root", root.to_str().unwrap()], Some(&trusted)).code(0);
    // Without TLS nobody needs an authority.
    let plain = Server::start(&copy);
    run(&["verify", &plain.origin, "--root", root.to_str().unwrap()], Some(&trusted)).code(0);
}

#[test]
fn witnesses_under_tls_are_asked_with_certificates_of_a_trusted_authority_alone() {
    let Some(authority) = Authority::new() else { return };
    let mut relays = Vec::new();
    let town = Town::behind(Some(authority.file("authority")), &mut |i, address| {
        relays.push(authority.relay(if i == 4 { "expired" } else { "good" }, address));
        relays.last().unwrap().address.clone()
    });
    let said = town.publish("").code(0);
    assert!(said.text().contains("seen at log size 2 by 3 of its 4 witnesses"), "{said:?}");
    assert!(said.stderr.contains("witness w4.example: it could not be asked: no TLS connection: its certificate has expired"), "{said:?}");
    // Who does not trust the authority publishes nothing that readers see, and finishes it once he does.
    town.letter("second");
    let town = town.trusting(None);
    let said = town.publish("").code(1).stderr;
    assert!(said.contains(&format!("witness w1.example: it could not be asked: {UNKNOWN}")), "{said}");
    let town = town.trusting(Some(authority.file("authority")));
    assert!(town.publish("").code(0).text().contains("seen at log size 3 by 3 of its 4 witnesses"));
    daylight(["verify", town.at("archive").to_str().unwrap()]).code(0);
}

#[test]
fn a_drop_under_tls_is_sent_to_and_collected_from_by_who_trusts_its_authority_alone() {
    let Some(authority) = Authority::new() else { return };
    let room = Room::with_directory(3);
    let token = room.run("drop init store --archive archive --title Courier --json").json()["token"].as_str().unwrap().to_owned();
    fs::write(room.at("token"), format!("{token}\n")).unwrap();
    let served = Served::start(&room);
    let relay = authority.relay("good", &served.at);
    // Named as one does on a command line; the process that asks the drop runs elsewhere.
    fs::copy(authority.file("authority"), room.at("authority.pem")).unwrap();
    let collect = |trusting: Option<&str>| {
        let line = ["drop", "collect", "desk", "--drop", &relay.address, "--token-file", "token", "--notice", "notice", "--json"];
        run_in(&room.at("."), &line, trusting.map(Path::new))
    };
    let said = collect(None).code(1).stderr;
    assert!(said.contains(UNKNOWN), "{said}");
    let said = collect(Some("token")).code(1).stderr;
    assert!(said.contains("SSL_CERT_FILE names ") && said.lines().count() == 1, "{said}");
    let _ = fs::remove_file(room.at("notice"));
    assert_eq!(collect(Some("authority.pem")).code(0).json()["directory_put"], true);

    let submit = |trusting: Option<&str>| {
        let more = "--codename-file codename --root archive/root/1.json --archive archive --without-witnesses --tries 2";
        let line = ["submit", &relay.address, "--text", "over TLS"].into_iter().chain(more.split(' ')).collect::<Vec<_>>();
        run_in(&room.at("."), &line, trusting.map(Path::new))
    };
    let said = submit(None).code(1).stderr;
    assert!(said.contains(UNKNOWN), "{said}");
    submit(Some("authority.pem")).code(0);
    assert_eq!(collect(Some("authority.pem")).code(0).json()["submissions"], 1);
}
