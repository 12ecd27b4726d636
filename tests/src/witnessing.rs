//! Four witnesses on this machine, a publisher whose root asks for three of them, and what may befall either.

use crate::second_verifier::{both, python};
use crate::support::{Server, SmallDisk, Spoken, get, program, root, skip, workplace};
use daylight_archive::Signer;
use ed25519_dalek::SigningKey;
use serde_json::Value;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use tempfile::TempDir;

/// A running `daylight witness serve`, killed when dropped.
pub(crate) struct Running {
    child: Child,
    pub(crate) address: String,
}

impl Running {
    pub(crate) fn start(work: &Path, i: usize, listen: &str, crash_at: Option<&str>) -> Self {
        let mut command = Command::new(program());
        command.current_dir(work).args(["witness", "serve", &format!("w{i}"), "--key", &format!("w{i}.key"), "--listen", listen]);
        crash_at.map(|point| command.env("DAYLIGHT_CRASH_AT", point));
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert!(line.starts_with("http://"), "{line:?}");
        Self { child, address: line.trim_end().to_owned() }
    }

    /// Kills it, and says where it was.
    fn kill(mut self) -> String {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.address.trim_start_matches("http://").trim_end_matches('/').to_owned()
    }

    /// Waits until it is dead of itself.
    fn died(mut self) -> String {
        assert!(self.child.wait().unwrap().code().is_none(), "it was to abort");
        self.address.trim_start_matches("http://").trim_end_matches('/').to_owned()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A desk, an archive whose root asks for three of four witnesses, and the witnesses' folders.
pub(crate) struct Town {
    work: TempDir,
    witnesses: Vec<Option<Running>>,
    /// The file of authorities that commands trust for TLS.
    authorities: Option<PathBuf>,
}

impl Town {
    /// With a root that all four witnesses were told of, and no release.
    pub(crate) fn new() -> Self {
        Self::behind(None, &mut |_, address| address.to_owned())
    }

    /// The same with witnesses that the root knows under other addresses than their own, such as under TLS.
    pub(crate) fn behind(authorities: Option<PathBuf>, address: &mut dyn FnMut(usize, &str) -> String) -> Self {
        let mut town = Self { work: workplace(), witnesses: Vec::new(), authorities };
        town.run("init desk");
        town.run("key new ana.key");
        town.letter("first");
        for i in 1..=4 {
            town.run(&format!("witness key w{i}.key --name w{i}.example"));
            // A folder must have some log before it is served; what its address is stands in the root.
            town.run(&format!("witness add w{i} --log-key {}", other_log()));
            town.witnesses.push(Some(Running::start(town.work.path(), i, "127.0.0.1:0", None)));
        }
        let addresses: Vec<String> = (1..).zip(town.witnesses.iter().flatten()).map(|(i, one)| address(i, &one.address)).collect();
        town.begin(&addresses);
        town
    }

    pub(crate) fn trusting(self, authorities: Option<PathBuf>) -> Self {
        Self { authorities, ..self }
    }

    /// Puts a root in force that names witnesses at these addresses, after telling them of it.
    fn begin(&self, addresses: &[String]) {
        let named = (1..).zip(addresses).map(|(i, address)| format!(" --witness w{i}.key.pub={address}")).collect::<String>();
        let policy = self.run(&format!("witness policy{named}")).text();
        assert!(policy.ends_with("group witnesses 3 w1.example w2.example w3.example w4.example\nquorum witnesses\n"), "{policy}");
        fs::write(self.at("witnesses.policy"), policy).unwrap();
        let begin = "root new archive --log-key desk/log.key --origin news.example/papers --editor ana.key.pub --key ana.key --witnesses witnesses.policy";
        let waits = self.say(begin).code(1).stderr;
        assert!(waits.contains("readers do not see it yet") && waits.contains("it was not told of this log"), "{waits}");
        (1..=4).for_each(|i| self.tell(i));
    }

    fn tell(&self, i: usize) {
        let told = self.run(&format!("witness add w{i} --root archive/root/1.json --json")).json();
        assert_eq!((&told["origin"], &told["changed"]), (&"news.example/papers".into(), &true.into()));
    }

    pub(crate) fn at(&self, name: &str) -> PathBuf {
        self.work.path().join(name)
    }

    pub(crate) fn say(&self, line: &str) -> Spoken {
        let mut command = Command::new(program());
        command.args(line.split_whitespace()).current_dir(self.work.path()).stdin(Stdio::null()).env_remove("SSL_CERT_FILE");
        if let Some(file) = &self.authorities {
            command.env("SSL_CERT_FILE", file);
        }
        command.output().unwrap().into()
    }

    #[track_caller]
    pub(crate) fn run(&self, line: &str) -> Spoken {
        self.say(line).code(0)
    }

    /// Ingests and clears one more letter.
    pub(crate) fn letter(&self, name: &str) {
        let trove = self.at("trove");
        fs::create_dir_all(&trove).unwrap();
        let text = format!(
            "From: ana@town.example\nSubject: {name}\nDate: Tue, 7 Oct 2014 08:00:00 +0100\nMessage-ID: <{name}@x>\n\nAbout {name}.\n"
        );
        fs::write(trove.join(format!("{name}.eml")), text).unwrap();
        self.run("ingest desk trove --collection council");
        self.run("clear desk --collection council --all --as Ana");
    }

    pub(crate) fn publish(&self, flags: &str) -> Spoken {
        self.say(&format!("publish desk --collection council --to archive --key ana.key {flags}"))
    }

    /// The size that a witness says it cosigned.
    fn size(&self, i: usize) -> u64 {
        let said = self.run(&format!("witness status w{i} --json")).json();
        let logs = said["logs"].as_array().unwrap();
        logs.iter().find(|log| log["origin"] == "news.example/papers").unwrap()["log_size"].as_u64().unwrap_or(0)
    }

    /// What `verify` says of who has seen the archive, by witness.
    fn seen(&self) -> Vec<(String, bool)> {
        let report = self.run("verify archive --root archive/root/1.json --json").json();
        assert_eq!((&report["ok"], &report["anchored"], &report["seen"]["enough"]), (&true.into(), &true.into(), &true.into()), "{report}");
        let seen = report["seen"]["witnesses"].as_array().unwrap().iter();
        seen.map(|one| (one["witness"].as_str().unwrap().to_owned(), !one["cosigned"].is_null())).collect()
    }

    fn kill(&mut self, i: usize) -> String {
        self.witnesses[i - 1].take().unwrap().kill()
    }

    fn start(&mut self, i: usize, listen: &str) {
        self.witnesses[i - 1] = Some(Running::start(self.work.path(), i, listen, None));
    }
}

/// The key of a log that has nothing to do with the archive.
pub(crate) fn other_log() -> String {
    Signer::new("log.example", SigningKey::from_bytes(&[1; 32])).unwrap().key().to_string()
}

fn all_but(missing: &[usize]) -> Vec<(String, bool)> {
    (1..=4).map(|i| (format!("w{i}.example"), !missing.contains(&i))).collect()
}

#[test]
fn a_release_is_shown_once_three_of_four_witnesses_have_seen_it() {
    let mut town = Town::new();
    // What waited since the root was made is finished first.
    let said = town.publish("").code(0).text();
    assert!(said.contains("seen at log size 2 by 4 of its 4 witnesses; 3 of 4 must have"), "{said}");
    assert_eq!(town.seen(), all_but(&[]));

    // One is away: its absence is told of.
    let two = town.kill(2);
    town.letter("second");
    let said = town.publish("").code(0);
    assert!(said.stderr.contains("witness w2.example: it could not be asked"), "{}", said.stderr);
    assert_eq!((town.seen(), town.size(2)), (all_but(&[2]), 2));

    // Two are away: the release is committed and not shown.
    let three = town.kill(3);
    town.letter("third");
    let waits = town.publish("").code(1).stderr;
    assert!(waits.contains("needs the cosignatures of witnesses, 3 of 4; so far it has: w1.example, w4.example"), "{waits}");
    let report = town.run("verify archive --json").json();
    assert_eq!((&report["ok"], &report["pending_size"], &report["seen"]["log_size"]), (&true.into(), &4.into(), &3.into()), "{report}");
    let pending = fs::read(town.at("archive/checkpoint.pending")).unwrap();

    // One of them is back, and another is away: what that one said before still counts.
    town.start(3, &three);
    let _one = town.kill(1);
    let finished = town.publish("--json").code(0).json();
    assert_eq!((&finished["published"]["resumed"], &finished["published"]["log_size"]), (&true.into(), &4.into()), "{finished}");
    let shown = fs::read(town.at("archive/checkpoint")).unwrap();
    let lines = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap().lines().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(lines(&shown)[..6], lines(&pending)[..6], "the same text, the log's line, and that of w1, as they were");
    assert_eq!(town.seen(), all_but(&[2]));

    // Who was away long learns of all at once.
    town.start(2, &two);
    town.letter("fourth");
    town.publish("").code(0);
    assert_eq!((town.seen(), town.size(2)), (all_but(&[1]), 5));

    // Readers see who has seen it, on the page and by command.
    let status = town.run("status archive").text();
    assert!(
        status.contains("seen at log size 5 by 3 of its 4 witnesses") && status.contains("w1.example  has not cosigned this"),
        "{status}"
    );
    let server = Server::start(&town.at("archive"));
    let page = get(&server.at("/verify"), &[]).text();
    assert!(
        page.contains("3 of its 4 witnesses have seen this archive at 5 log entries") && page.contains("has not cosigned it"),
        "{page}"
    );
    assert!(get(&server.at("/"), &[]).text().contains("3 of its 4 witnesses have seen it at 5 log entries"));
}

#[test]
fn another_verifier_holds_an_archive_to_its_witnesses_too() {
    if !python() {
        return;
    }
    let mut town = Town::new();
    town.publish("").code(0);
    let archive = town.at("archive");
    assert!(both(&archive, None).0);
    let whole = fs::read_to_string(archive.join("checkpoint")).unwrap();
    let lines: Vec<&str> = whole.lines().collect();
    let with = |kept: &[usize]| kept.iter().map(|i| format!("{}\n", lines[*i])).collect::<String>();
    // Lines 0 to 2 are the text, 4 is the log's, 5 to 8 are the witnesses'.
    for (kept, well) in [
        (&[0, 1, 2, 3, 4, 5, 6, 8][..], true),
        (&[0, 1, 2, 3, 4, 7, 8][..], false),
        (&[0, 1, 2, 3, 4, 5, 5, 5, 6][..], false),
        (&[0, 1, 2, 3, 5, 6, 7, 8][..], false),
    ] {
        fs::write(archive.join("checkpoint"), with(kept)).unwrap();
        assert_eq!(both(&archive, None).0, well, "{kept:?}");
    }
    // Another's line says nothing; a wrong one of a witness who is asked for speaks against the whole.
    fs::write(archive.join("checkpoint"), whole.replace("w4.example", "w5.example")).unwrap();
    assert!(both(&archive, None).0);
    let line = lines[8];
    let turned = if line.ends_with("AA==") { line.replace("AA==", "BA==") } else { format!("{}{}", &line[..line.len() - 6], "AAAAA=") };
    fs::write(archive.join("checkpoint"), whole.replace(line, &turned)).unwrap();
    assert!(!both(&archive, None).0);
    fs::write(archive.join("checkpoint"), &whole).unwrap();
    // A pending checkpoint needs no witness yet.
    town.letter("second");
    let _away = (town.kill(1), town.kill(2));
    town.publish("").code(1);
    assert!(archive.join("checkpoint.pending").exists() && both(&archive, None).0);
    let pending = fs::read(archive.join("checkpoint.pending")).unwrap();
    fs::write(archive.join("checkpoint"), pending).unwrap();
    assert!(!both(&archive, None).0, "shown without them");
}

/// A witness that answers what it is told to.
struct Liar {
    address: String,
    says: Arc<Mutex<Vec<u8>>>,
}

impl Liar {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (address, says) = (format!("http://{}/", listener.local_addr().unwrap()), Arc::new(Mutex::new(Vec::new())));
        let answer = says.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut request = [0; 16384];
                // As much as comes at once is the whole of our small requests.
                let _ = stream.read(&mut request);
                let _ = stream.write_all(&answer.lock().unwrap());
            }
        });
        Self { address, says }
    }

    fn says(&self, status: u16, media_type: &str, body: &str) {
        let head =
            format!("HTTP/1.1 {status} X\r\nContent-Type: {media_type}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
        *self.says.lock().unwrap() = (head + body).into_bytes();
    }
}

#[test]
fn a_witness_that_lies_is_told_of_and_can_be_left_out() {
    let mut town = Town { work: workplace(), witnesses: Vec::new(), authorities: None };
    town.run("init desk");
    town.run("key new ana.key");
    town.letter("first");
    let liar = Liar::start();
    liar.says(500, "text/plain", "not yet\n");
    for i in 1..=4 {
        town.run(&format!("witness key w{i}.key --name w{i}.example"));
        town.run(&format!("witness add w{i} --log-key {}", other_log()));
        town.witnesses.push(if i == 4 { None } else { Some(Running::start(town.work.path(), i, "127.0.0.1:0", None)) });
    }
    let mut addresses: Vec<String> = town.witnesses.iter().flatten().map(|witness| witness.address.clone()).collect();
    addresses.push(liar.address.clone());
    town.begin(&addresses);
    town.publish("").code(0);

    // A signature that is none is no more than an absence.
    let lies = [
        (200, "text/plain", "— w4.example AAAAAAAAAAAAAAAA\n"),
        (200, "text/html", "<p>hello\n"),
        (404, "text/plain", "who?\n"),
        (409, "text/x.tlog.size", "2\n"),
        (301, "text/plain", ""),
    ];
    for (number, (status, media_type, body)) in lies.into_iter().enumerate() {
        liar.says(status, media_type, body);
        town.letter(&format!("more {number}").replace(' ', "-"));
        let said = town.publish("").code(0).stderr;
        assert!(said.contains("witness w4.example: "), "{said}");
        assert_eq!(town.seen(), all_but(&[4]));
    }
    // That it has seen more, or something else, stops everything: it might be true.
    for (status, media_type, body) in [(409, "text/x.tlog.size", "999\n"), (422, "text/plain", "no\n")] {
        liar.says(status, media_type, body);
        town.letter(&format!("last-{status}"));
        let before = fs::read(town.at("desk/log.key.signed")).unwrap();
        let said = town.publish("").code(1).stderr;
        assert!(said.contains("witness w4.example says that it has cosigned") && said.contains("--without-witness w4.example"), "{said}");
        assert_eq!(fs::read(town.at("desk/log.key.signed")).unwrap(), before, "nothing was signed");
        let said = town.publish("--without-witness w4.example").code(0).stderr;
        assert!(said.contains("its word was not asked for"), "{said}");
    }
    // One that lies and one that is away are too many.
    town.letter("too-many");
    town.kill(3);
    let said = town.publish("--without-witness w4.example").code(1).stderr;
    assert!(said.contains("so far it has: w1.example, w2.example"), "{said}");
}

#[test]
fn a_witness_killed_between_storing_and_answering_cosigns_the_same_again() {
    let mut town = Town::new();
    town.publish("").code(0);
    let addresses = [1, 2].map(|i| town.kill(i));
    town.letter("second");
    // Where their last word is a minute old they are asked for it once more before anything is signed, and die of that; then of the new checkpoint.
    for _ in 0..3 {
        for (i, address) in [1, 2].into_iter().zip(&addresses) {
            town.witnesses[i - 1] = Some(Running::start(town.work.path(), i, address, Some("witness.stored")));
        }
        let said = town.publish("").code(1).stderr;
        assert!(said.contains("so far it has: w3.example, w4.example"), "{said}");
        for i in [1, 2] {
            town.witnesses[i - 1].take().unwrap().died();
        }
        if [town.size(1), town.size(2)] == [3, 3] {
            break;
        }
    }
    assert_eq!([town.size(1), town.size(2)], [3, 3], "they have stored what they did not say");
    for (i, address) in [1, 2].into_iter().zip(&addresses) {
        town.start(i, address);
    }
    town.publish("").code(0);
    assert_eq!((town.seen(), [1, 2, 3, 4].map(|i| town.size(i))), (all_but(&[]), [3; 4]));
}

#[test]
fn a_publish_killed_around_its_witnesses_goes_on_with_the_same_bytes() {
    let town = Town::new();
    for (number, point) in
        ["publish.signed", "publish.pending", "publish.asked", "publish.cosigned", "publish.renamed", "publish.checkpoint"]
            .iter()
            .enumerate()
    {
        town.letter(&format!("letter-{number}"));
        let line = "publish desk --collection council --to archive --key ana.key";
        let mut command = Command::new(program());
        command.args(line.split(' ')).current_dir(town.work.path()).env("DAYLIGHT_CRASH_AT", point);
        let died: Spoken = command.stdin(Stdio::null()).output().unwrap().into();
        assert_eq!(died.code, None, "{point}: {died:?}");
        let signed = fs::read_to_string(town.at("desk/log.key.signed")).unwrap();
        town.publish("").code(0);
        let shown = fs::read_to_string(town.at("archive/checkpoint")).unwrap();
        assert!(shown.starts_with(&signed), "{point}: the checkpoint that was signed, and witnesses' lines");
        assert_eq!((town.seen(), shown.lines().count()), (all_but(&[]), 9), "{point}");
    }
}

#[test]
fn witnesses_are_asked_again_about_what_has_not_changed() {
    let mut town = Town::new();
    let ask = "witness ask archive --log-key desk/log.key --json";
    let said = town.run(ask).json();
    assert_eq!((&said["log_size"], &said["witnesses"]), (&1.into(), &4.into()), "a first root that waited: {said}");
    town.publish("").code(0);
    let path = town.at("archive/checkpoint");
    let checkpoint = || fs::read_to_string(&path).unwrap();
    let signed = fs::read_to_string(town.at("desk/log.key.signed")).unwrap();
    let before = checkpoint();
    assert_eq!(town.run(ask).json()["witnesses"], 4);
    assert!(checkpoint().starts_with(&signed) && checkpoint().lines().count() == before.lines().count());
    assert_eq!(town.seen(), all_but(&[]));

    let mut command = Command::new(program());
    command.args(ask.split(' ')).current_dir(town.work.path()).env("DAYLIGHT_CRASH_AT", "publish.cosign");
    let died: Spoken = command.stdin(Stdio::null()).output().unwrap().into();
    assert_eq!(died.code, None, "{died:?}");
    assert!(town.at("archive/checkpoint.pending").exists());
    assert_eq!(town.run(ask).json()["witnesses"], 4);

    // Too few answer: the older cosignatures stay, and nothing is lost.
    let before = checkpoint();
    let addresses = [1, 2].map(|i| town.kill(i));
    assert!(town.say(ask).code(1).stderr.contains("w1.example"));
    assert_eq!(checkpoint(), before);
    town.start(1, &addresses[0]);
    assert_eq!(town.run(ask).json()["witnesses"], 3);
    town.letter("later");
    town.publish("").code(0);
    assert_eq!(town.seen(), all_but(&[2]));
}

#[test]
fn a_witness_whose_disk_is_full_cosigns_nothing_and_goes_on_when_there_is_room() {
    let mut town = Town::new();
    town.publish("").code(0);
    let address = town.kill(1);
    let saved = town.at("saved");
    fs::rename(town.at("w1"), &saved).unwrap();
    let Some(disk) = SmallDisk::mount(town.at("w1"), "1m") else { return skip("no right to mount a small disk") };
    assert!(Command::new("cp").arg("-r").arg(saved.join("log")).arg(&disk.path).status().unwrap().success());
    let mut filler = fs::File::create(disk.path.join("filler")).unwrap();
    while filler.write_all(&[0; 4096]).is_ok() {}
    town.start(1, &address);
    town.letter("second");
    let said = town.publish("").code(0).stderr;
    assert!(said.contains("witness w1.example: it answered with status 500"), "{said}");
    assert_eq!((town.seen(), town.size(1)), (all_but(&[1]), 2));
    drop(filler);
    fs::remove_file(disk.path.join("filler")).unwrap();
    town.letter("third");
    town.publish("").code(0);
    assert_eq!((town.seen(), town.size(1)), (all_but(&[]), 4));
}

#[test]
fn a_witness_is_told_by_command_and_says_what_it_knows() {
    let town = Town::new();
    town.publish("").code(0);
    let words = town.run("witness status w1").text();
    assert!(
        words.contains("news.example/papers: cosigned at log size 2 on ") && words.contains("log.example: nothing was cosigned yet"),
        "{words}"
    );
    let again = town.run("witness add w1 --root archive/root/1.json").text();
    assert!(again.contains("known by this key already"), "{again}");
    let said: Value = town.run("witness key w9.key --json").json();
    assert_eq!(said["public"].as_str().unwrap(), fs::read_to_string(town.at("w9.key.pub")).unwrap().trim_end());
    let refused = |line: &str, why: &str| {
        let said = town.say(line).code(1).stderr;
        assert!(said.contains(why), "{line}: {said}");
    };
    refused("witness add w1 --log-key log.example+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", "the key's ID does not belong");
    refused("witness serve nowhere --key w1.key", "holds no witness's state");
    refused("witness serve w1 --key w1.key.pub", "public half");
    refused("witness policy --witness w1.key.pub", "is not KEY=URL");
    refused("witness policy --witness w1.key.pub=ftp://w1.example/", "is not an address");
    refused("witness policy --witness w1.key=https://w1.example/", "holds no public key");
    refused("witness policy --witness ana.key.pub=https://w1.example/", "type 0x04");
    refused("witness policy --quorum 2 --witness w1.key.pub=https://w1.example/", "more are needed than there are members");
    town.say("witness serve w1 --key w1.key --listen nowhere").code(2);
    town.say("witness add w1").code(2);
    let warned =
        town.run("witness policy --quorum 1 --witness w1.key.pub=https://w1.example/ --witness w2.key.pub=https://w2.example/").stderr;
    assert!(warned.contains("do not keep a publisher from showing two histories"), "{warned}");
    // The guide's unit starts the program as it is.
    let guide = fs::read_to_string(root().join("docs/witnessing.md")).unwrap();
    let start = guide.lines().find_map(|line| line.strip_prefix("ExecStart=")).unwrap();
    assert!(start.starts_with("/usr/local/bin/daylight witness serve ") && start.contains("--key"), "{start}");
}
