//! A newsroom with one editor, a drop of its own, and a browser as simple as can be to visit it with.

use super::{Ending, program, workplace};
use daylight_archive::Signer;
use daylight_archive::directory::{DirectoryFile, DirectoryNote};
use daylight_archive::note::Note;
use daylight_archive::policy::Policy;
use daylight_archive::root::{Quorum, Root};
use daylight_envelope::{Finished, Head, Identity, Newsroom, open_submission, seal_reply};
use daylight_model::Digest;
use ed25519_dalek::{Signer as _, SigningKey};
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tempfile::TempDir;

const ORIGIN: &str = "archive.example/drop";

/// Today, in days since 1970-01-01.
pub(crate) fn today() -> u32 {
    (SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() / 86_400) as u32
}

/// A newsroom, its keys, and the folder of its drop.
pub(crate) struct Town {
    pub(crate) work: TempDir,
    pub(crate) home: PathBuf,
    pub(crate) token: String,
    pub(crate) newsroom: Newsroom,
    /// One for each of the three days from today on.
    pub(crate) identities: Vec<Identity>,
    editor: SigningKey,
    root: Digest,
}

fn signer(name: &str, seed: u8) -> Signer {
    Signer::new(name, SigningKey::from_bytes(&[seed; 32])).unwrap()
}

impl Town {
    /// Makes a newsroom and its drop.
    pub(crate) fn new() -> Self {
        let work = workplace();
        let (archive, home) = (work.path().join("archive"), work.path().join("drop"));
        fs::create_dir_all(archive.join("root")).unwrap();
        let (editor, log) = (signer("editor.example", 7), signer(ORIGIN, 1));
        let root = Root {
            version: 1,
            origin: ORIGIN.into(),
            editors: Quorum { keys: vec![editor.key()], threshold: 1 },
            recovery: Quorum { keys: vec![], threshold: 0 },
            log: log.key(),
            retired: vec![],
            witnesses: Policy::none(),
            mirrors: vec![],
            onions: vec![],
        };
        let json = root.to_json().unwrap();
        let mut note = root.note().unwrap();
        note.sign(&editor);
        fs::write(archive.join("root/1.json"), &json).unwrap();
        fs::write(archive.join("root/1.sig"), note.to_bytes()).unwrap();
        let digest = Digest::of(&json);
        let mut town = Self {
            home,
            token: String::new(),
            newsroom: Newsroom(digest.0),
            identities: (0..3).map(|_| Identity::generate().unwrap()).collect(),
            editor: SigningKey::from_bytes(&[7; 32]),
            root: digest,
            work,
        };
        fs::write(town.work.path().join("directory"), town.directory(1, today())).unwrap();
        town.token = town.init("directory");
        town
    }

    /// A directory of three days from this one on, signed by the editor.
    pub(crate) fn directory(&self, serial: u64, first: u32) -> Vec<u8> {
        let keys: Vec<_> = self.identities.iter().map(|identity| identity.recipient().to_bytes()).collect();
        let told = DirectoryNote {
            origin: ORIGIN.into(),
            serial,
            root: self.root,
            time: 1_795_372_835,
            members: vec![signer("editor.example", 7).key()],
            first,
            epochs: keys.iter().map(|key| vec![Digest::of(key)]).collect(),
        };
        let mut note: Note = told.note().unwrap();
        note.sign(&signer("editor.example", 7));
        DirectoryFile::new(note, keys.concat()).unwrap().to_bytes()
    }

    fn init(&self, directory: &str) -> String {
        let place = |name: &str| self.work.path().join(name).into_os_string();
        let home = self.home.clone().into_os_string();
        let line = ["drop".into(), "init".into(), home, "--archive".into(), place("archive"), "--directory".into(), place(directory)];
        let rest = ["--title", "The Courier", "--address", "http://x.onion", "--reserve", "1", "--json"].map(Into::into);
        let said = super::daylight(line.into_iter().chain(rest)).code(0).json();
        said["token"].as_str().unwrap_or_default().to_owned()
    }

    /// Serves the drop.
    pub(crate) fn serve(&self) -> DropServer {
        self.serve_with(&[], None)
    }

    /// Serves the drop with variables set, behind another program if one is named.
    pub(crate) fn serve_with(&self, variables: &[(&str, &str)], behind: Option<&[&str]>) -> DropServer {
        let mut command = match behind {
            None => Command::new(program()),
            Some(behind) => {
                let mut command = Command::new(behind[0]);
                command.args(&behind[1..]).arg(program());
                command
            }
        };
        command.args(["drop", "serve"]).arg(&self.home).args(["--listen", "127.0.0.1:0"]).envs(variables.iter().copied());
        DropServer::start(command)
    }

    /// The sealed envelopes that lie in the store, as files.
    pub(crate) fn envelopes(&self) -> Vec<PathBuf> {
        let mut files: Vec<_> = fs::read_dir(self.home.join("envelope")).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        files
    }

    /// Opens what lies in a file of the store.
    pub(crate) fn open(&self, file: &Path) -> (Head, Vec<u8>, Finished) {
        self.open_bytes(&fs::read(file).unwrap()[64..])
    }

    /// Opens a sealed envelope.
    pub(crate) fn open_bytes(&self, sealed: &[u8]) -> (Head, Vec<u8>, Finished) {
        let submission = open_submission(&self.identities.iter().collect::<Vec<_>>(), &self.newsroom, sealed).unwrap();
        let head = submission.head().clone();
        let mut body = Vec::new();
        let finished = submission.copy_to(&mut body, None).unwrap();
        (head, body, finished)
    }

    /// Everything of the store that opens to a text, and every file with its name.
    pub(crate) fn read(&self) -> Vec<(String, Vec<u8>)> {
        let open = |file: &PathBuf| {
            let (head, body, _) = self.open(file);
            (String::from_utf8_lossy(&head.name).into_owned(), body)
        };
        let mut read: Vec<_> = self.envelopes().iter().map(open).collect();
        read.sort();
        read
    }

    /// A reply to the source of an envelope, signed by the editor.
    pub(crate) fn reply(&self, head: &Head, counter: u64, body: &str) -> Vec<u8> {
        let editor = self.editor.verifying_key().to_bytes();
        seal_reply(&head.reply, &self.newsroom, counter, body, &editor, |message| self.editor.sign(message).to_bytes()).unwrap()
    }

    /// Asks the drop for something as a collector does.
    pub(crate) fn collect(&self, server: &DropServer, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Told {
        let token = format!("Daylight {}", self.token);
        let headers: Vec<_> = headers.iter().copied().chain([("Authorization", token.as_str())]).collect();
        server.ask(method, path, &headers, body)
    }
}

/// The number on a line of a file of /proc.
fn kilobytes(text: &str, name: &str) -> Option<u64> {
    text.lines().find(|line| line.starts_with(name))?.split_whitespace().nth(1)?.parse().ok()
}

/// A running `daylight drop serve`, killed when dropped.
pub(crate) struct DropServer {
    pub(crate) child: Ending,
    pub(crate) address: String,
}

impl DropServer {
    pub(crate) fn start(mut command: Command) -> Self {
        let mut child = Ending::start(command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()));
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let line = lines.next().unwrap_or_default();
        std::thread::spawn(move || lines.for_each(drop));
        let address = line.trim_start_matches("http://").trim_end_matches('/').to_owned();
        assert!(!address.is_empty(), "drop serve says where it listens");
        Self { child, address }
    }

    /// Its processes: the house, the one that attendants are copied from, and the attendants, in this order.
    pub(crate) fn processes(&self) -> Vec<u32> {
        let house = self.child.id();
        let children = fs::read_to_string(format!("/proc/{house}/task/{house}/children")).unwrap();
        std::iter::once(house).chain(children.split_whitespace().map(|child| child.parse().unwrap())).collect()
    }

    /// The largest resident set of the house so far, in MiB.
    pub(crate) fn peak(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        kilobytes(&status, "VmHWM:").unwrap() >> 10
    }

    /// What all its processes have in memory now, in MiB; what several share is counted once.
    pub(crate) fn held(&self) -> u64 {
        let of = |process: u32| {
            let rollup = fs::read_to_string(format!("/proc/{process}/smaps_rollup")).ok()?;
            let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
            Some(kilobytes(&rollup, "Pss:")? + kilobytes(&status, "VmPTE:")?)
        };
        self.processes().into_iter().filter_map(of).sum::<u64>() >> 10
    }

    /// The most that they hold while something is done.
    pub(crate) fn most_held<T>(&self, work: impl FnOnce() -> T) -> (T, u64) {
        let over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let watching = scope.spawn(|| {
                let mut most = self.held();
                while !over.load(Ordering::Relaxed) {
                    std::thread::sleep(Duration::from_millis(20));
                    most = most.max(self.held());
                }
                most
            });
            let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
            over.store(true, Ordering::Relaxed);
            let most = watching.join().unwrap();
            (done.unwrap_or_else(|panic| std::panic::resume_unwind(panic)), most)
        })
    }

    pub(crate) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(120))).unwrap();
        stream
    }

    /// One request on a connection of its own.
    #[track_caller]
    pub(crate) fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Told {
        self.ask_as("", method, path, headers, body)
    }

    /// The same behind a line of tor's about the circuit.
    #[track_caller]
    pub(crate) fn ask_as(&self, line: &str, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Told {
        let mut stream = self.connect();
        let mut head = format!("{line}{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n", self.address);
        if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-length")) && method != "GET" {
            head.push_str(&format!("Content-Length: {}\r\n", body.len()));
        }
        headers.iter().for_each(|(name, value)| head.push_str(&format!("{name}: {value}\r\n")));
        head.push_str("\r\n");
        stream.write_all(head.as_bytes()).unwrap();
        // Whoever is refused may find the line closed before all was sent.
        let _ = stream.write_all(body);
        Told::read(stream)
    }

    /// Kills it as suddenly as `kill -9`.
    pub(crate) fn kill(mut self) {
        self.child.end();
    }
}

/// What was answered, byte by byte.
#[derive(Debug, Clone)]
pub(crate) struct Told {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Told {
    #[track_caller]
    pub(crate) fn read(mut stream: impl Read) -> Self {
        let mut bytes = Vec::new();
        // A line that is cut after the answer came is as good as closed.
        let _ = stream.read_to_end(&mut bytes);
        let end = bytes
            .windows(4)
            .position(|four| four == b"\r\n\r\n")
            .unwrap_or_else(|| panic!("no answer: {:?}", String::from_utf8_lossy(&bytes)));
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Self { status, head, body: bytes.split_off(end + 4) }
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value).next().unwrap_or("")
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {self:?}"))
    }

    /// The token of the forms on a page.
    #[track_caller]
    pub(crate) fn token(&self) -> String {
        let text = self.text();
        let rest = text.split("name=\"token\" value=\"").nth(1).unwrap_or_else(|| panic!("no form in {text}"));
        rest.split('"').next().unwrap().to_owned()
    }
}

/// A visitor with a cookie and nothing else.
pub(crate) struct Visitor<'a> {
    pub(crate) server: &'a DropServer,
    pub(crate) cookie: String,
    pub(crate) line: String,
}

impl<'a> Visitor<'a> {
    pub(crate) fn new(server: &'a DropServer) -> Self {
        Self { server, cookie: String::new(), line: String::new() }
    }

    fn ask(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Told {
        let mut all = vec![("Cookie", self.cookie.as_str())];
        all.extend_from_slice(headers);
        all.retain(|(_, value)| !value.is_empty());
        let told = self.server.ask_as(&self.line, method, path, &all, body);
        if let Some(set) = Some(told.header("set-cookie")).filter(|set| !set.is_empty()) {
            self.cookie = set.split(';').next().unwrap().to_owned();
        }
        told
    }

    /// The head of a request that sends a form of this length, for a body that is sent piece by piece.
    pub(crate) fn form_head(&self, length: usize) -> String {
        format!(
            "{0}POST /en/send HTTP/1.1\r\nHost: {1}\r\nOrigin: http://{1}\r\nCookie: {2}\r\nContent-Type: multipart/form-data; boundary=BOUND\r\n\
             Content-Length: {length}\r\n\r\n",
            self.line, self.server.address, self.cookie
        )
    }

    pub(crate) fn get(&mut self, path: &str) -> Told {
        self.ask("GET", path, &[], b"")
    }

    /// Sends a small form, as a browser does from a page of the drop.
    pub(crate) fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Told {
        let coded: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={}", value.replace(' ', "+"))).collect();
        let origin = format!("http://{}", self.server.address);
        let headers = [("Content-Type", "application/x-www-form-urlencoded"), ("Origin", origin.as_str())];
        self.ask("POST", path, &headers, coded.join("&").as_bytes())
    }

    /// Makes a codename, writes it down, and is in the mailbox.
    #[track_caller]
    pub(crate) fn begin(&mut self) -> String {
        let token = self.get("/en/").token();
        assert_eq!(self.post("/en/new", &[("token", &token)]).header("location"), "/en/codename");
        let page = self.get("/en/codename");
        let text = page.text();
        let words = text.split("<p class=\"codename\"").nth(1).unwrap().split('>').nth(1).unwrap().split('<').next().unwrap().to_owned();
        assert_eq!(self.post("/en/kept", &[("token", &page.token())]).header("location"), "/en/mailbox");
        words
    }

    /// Types a codename.
    pub(crate) fn login(&mut self, words: &str) -> Told {
        let token = self.get("/en/login").token();
        self.post("/en/login", &[("token", &token), ("codename", words)])
    }

    /// Sends a form with these fields: name, the file's name if it is one, and bytes.
    pub(crate) fn send(&mut self, fields: &[(&str, Option<&str>, &[u8])]) -> Told {
        let token = self.get("/en/mailbox").token();
        let mut all: Vec<(&str, Option<&str>, &[u8])> = vec![("token", None, token.as_bytes())];
        all.extend_from_slice(fields);
        self.send_raw(&form(&all))
    }

    pub(crate) fn send_raw(&mut self, body: &[u8]) -> Told {
        let origin = format!("http://{}", self.server.address);
        self.ask("POST", "/en/send", &[("Content-Type", "multipart/form-data; boundary=BOUND"), ("Origin", &origin)], body)
    }
}

/// A form as browsers write it.
pub(crate) fn form(fields: &[(&str, Option<&str>, &[u8])]) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, file, bytes) in fields {
        let file = file.map(|file| format!("; filename=\"{file}\"\r\nContent-Type: application/x-test")).unwrap_or_default();
        body.extend_from_slice(format!("--BOUND\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n").as_bytes());
        body.extend_from_slice(bytes);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--BOUND--\r\n");
    body
}
