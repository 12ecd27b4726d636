//! What a thief, a watcher and a vandal do to a drop: what is left in files and in memory, how it holds under slow, long and many requests, and whom it speaks to.

use crate::support::drop::{DropServer, Told, Town, Visitor, form};
use crate::support::{daylight, skip, tool};
use rustix::net::RecvFlags;
use std::fs;
use std::io::{Read, Seek, SeekFrom, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

const CANARY: &str = "canary-5f1c-quetzal-under-the-bridge";

/// Every file below a folder that holds these bytes.
fn files_with(folder: &Path, wanted: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files_with(&path, wanted));
        } else if fs::read(&path).is_ok_and(|bytes| bytes.windows(wanted.len()).any(|window| window == wanted)) {
            found.push(path.display().to_string());
        }
    }
    found
}

/// How often these bytes stand in the memory of a process; none where it may not be looked at.
fn in_memory(process: u32, wanted: &[u8]) -> Option<usize> {
    let maps = fs::read_to_string(format!("/proc/{process}/maps")).ok()?;
    let mut memory = fs::File::open(format!("/proc/{process}/mem")).ok()?;
    let mut count = 0;
    for line in maps.lines().filter(|line| line.split(' ').nth(1).is_some_and(|rights| rights.starts_with("rw"))) {
        let (start, end) = line.split(' ').next().unwrap().split_once('-').unwrap();
        let (start, end) = (u64::from_str_radix(start, 16).unwrap(), u64::from_str_radix(end, 16).unwrap());
        let mut bytes = vec![0; (end - start) as usize];
        memory.seek(SeekFrom::Start(start)).unwrap();
        // A page that the kernel keeps to itself cannot be read.
        if memory.read_exact(&mut bytes).is_ok() {
            count += bytes.windows(wanted.len()).filter(|window| *window == wanted).count();
        }
    }
    Some(count)
}

/// Waits until something holds, for a while.
fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < Duration::from_secs(60), "{what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn after_an_upload_and_kill_9_the_canary_is_in_no_file() {
    let town = Town::new();
    let server = town.serve();
    let mut visitor = Visitor::new(&server);
    let words = visitor.begin();
    let file = CANARY.repeat(50_000);
    assert_eq!(visitor.send(&[("text", None, CANARY.as_bytes()), ("file", Some(CANARY), file.as_bytes())]).status, 303);
    // And one that is killed in its midst.
    let token = visitor.get("/en/mailbox").token();
    let body = form(&[("token", None, token.as_bytes()), ("file", Some(CANARY), file.as_bytes())]);
    let mut stream = server.connect();
    let head = visitor.form_head(body.len());
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(&body[..body.len() - 1000]).unwrap();
    until("the file begins to arrive", || fs::read_dir(town.home.join("incoming")).unwrap().count() > 0);
    let open: Vec<_> =
        fs::read_dir(format!("/proc/{}/fd", server.child.id())).unwrap().filter_map(|fd| fs::read_link(fd.unwrap().path()).ok()).collect();
    let stray = open.iter().filter(|path| path.is_absolute() && path.exists() && !path.starts_with(fs::canonicalize(&town.home).unwrap()));
    let stray: Vec<_> = stray.filter(|path| !path.starts_with("/dev") && !path.starts_with("/proc")).collect();
    assert!(stray.is_empty(), "files outside of the store are open: {stray:?}");
    server.kill();
    for wanted in [CANARY, &words, words.split_once(' ').unwrap().1] {
        assert_eq!(files_with(town.work.path(), wanted.as_bytes()), Vec::<String>::new());
    }
    assert_eq!(town.read().len(), 2, "what was acknowledged is there");
}

#[test]
fn after_the_answer_and_after_logout_the_canary_is_in_no_memory_of_the_server() {
    let town = Town::new();
    let server = town.serve();
    if in_memory(server.child.id(), b"Daylight").is_none() {
        return skip("the memory of the server cannot be read (root alone may)");
    }
    let mut visitor = Visitor::new(&server);
    let words = visitor.begin();
    assert_eq!(visitor.send(&[("text", None, CANARY.as_bytes()), ("file", Some(CANARY), CANARY.repeat(9000).as_bytes())]).status, 303);
    // It was never in the house.
    assert_eq!(in_memory(server.child.id(), CANARY.as_bytes()), Some(0));
    let lookup = town.collect(&server, "POST", "/collect/list", &[], b"").json()["envelopes"][0]["lookup"].as_str().unwrap().to_owned();
    let reply = town.reply(&town.open(&town.envelopes()[0]).0, 1, &format!("answer {CANARY}"));
    town.collect(&server, "PUT", "/collect/reply", &[("Daylight-Lookup", &lookup)], &reply);
    visitor.login(&words);
    let mailbox = visitor.get("/en/mailbox");
    assert!(mailbox.text().contains(&format!("answer {CANARY}")));
    // One that has left meanwhile has no memory.
    let seen = |wanted: &[u8]| server.processes().into_iter().filter_map(|process| in_memory(process, wanted)).sum::<usize>();
    // What was written and read goes with the answer, not only with the session.
    until("the text is wiped after the answer", || seen(CANARY.as_bytes()) == 0);
    until("the codename is wiped after the answer", || seen(words.as_bytes()) == 0 && seen(words.replace(' ', "+").as_bytes()) == 0);
    let keys = daylight_envelope::Codename::parse(&words).unwrap().keys(&town.newsroom);
    visitor.post("/en/logout", &[("token", &mailbox.token())]);
    until("the keys are wiped", || seen(keys.seed()) + seen(keys.reply.seed()) + seen(keys.conversation.as_bytes()) == 0);
    let cookie = visitor.cookie.trim_start_matches("daylight=").to_owned();
    assert!(cookie.is_empty() || seen(cookie.as_bytes()) == 0);
    assert_eq!(seen(CANARY.as_bytes()) + seen(words.as_bytes()), 0);
    // That something was looked at at all: what is public does stand there.
    assert!(seen(b"The Courier") > 0);
}

/// The processes in whose memory these bytes stand.
fn knowing(server: &DropServer, wanted: &[u8]) -> Vec<u32> {
    server.processes().into_iter().filter(|process| in_memory(*process, wanted).is_some_and(|count| count > 0)).collect()
}

#[test]
fn what_one_visitor_sends_is_known_to_the_attendant_of_that_visitor_alone_and_goes_with_it() {
    let town = Town::new();
    let server = town.serve();
    if in_memory(server.child.id(), b"Daylight").is_none() {
        return skip("the memory of the server cannot be read (root alone may)");
    }
    let mut visitors: Vec<Visitor<'_>> = (0..3).map(|_| Visitor::new(&server)).collect();
    let said = ["first-canary-wren", "second-canary-lark", "third-canary-swift"];
    let mut lines = Vec::new();
    for (visitor, said) in visitors.iter_mut().zip(said) {
        visitor.begin();
        let token = visitor.get("/en/mailbox").token();
        let body = form(&[("token", None, token.as_bytes()), ("text", None, said.as_bytes()), ("file", Some("f"), &[9; 9000])]);
        let mut stream = server.connect();
        let head = visitor.form_head(body.len());
        // All of them stop in the midst of the text.
        let end = body.windows(said.len()).position(|window| window == said.as_bytes()).unwrap() + said.len();
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(&body[..end]).unwrap();
        lines.push((stream, body[end..].to_vec()));
    }
    until("all have been heard", || said.iter().all(|said| !knowing(&server, said.as_bytes()).is_empty()));
    let knowing_all: Vec<Vec<u32>> = said.iter().map(|said| knowing(&server, said.as_bytes())).collect();
    let mut known_to: Vec<u32> = knowing_all.concat();
    known_to.sort_unstable();
    known_to.dedup();
    assert!(knowing_all.iter().all(|knowing| knowing.len() == 1) && known_to.len() == 3, "{knowing_all:?}");
    let all = server.processes();
    assert!(!known_to.contains(&all[0]) && !known_to.contains(&all[1]), "{known_to:?} of {all:?}");
    // None of them, nor the process that they are copied from, has ever known what the house alone may know.
    let settings: serde_json::Value = serde_json::from_slice(&fs::read(town.home.join("drop.json")).unwrap()).unwrap();
    let collector: daylight_model::Digest = settings["collector"].as_str().unwrap().parse().unwrap();
    let token_is_known = |wanted: &[u8]| knowing(&server, wanted);
    assert!(
        token_is_known(&collector.0) == all[..1]
            && token_is_known(collector.to_string().as_bytes()).iter().all(|process| *process == all[0])
    );
    // So it is with what tells who they are.
    for (visitor, known_to) in visitors.iter().zip(&knowing_all) {
        assert_eq!(knowing(&server, visitor.cookie.trim_start_matches("daylight=").as_bytes()), *known_to);
    }
    // No attendant has a file, a folder or a listening socket, and none may make a system call that gives it one.
    for process in &known_to {
        let open: Vec<_> =
            fs::read_dir(format!("/proc/{process}/fd")).unwrap().filter_map(|fd| fs::read_link(fd.unwrap().path()).ok()).collect();
        assert!(open.iter().all(|path| !path.is_absolute() || !path.exists()), "{open:?}");
        let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
        assert!(
            status.contains("Seccomp:\t2") && status.contains("Threads:\t1\n") && status.contains("CapEff:\t0000000000000000"),
            "{status}"
        );
    }
    for (mut stream, rest) in lines {
        stream.write_all(&rest).unwrap();
        assert_eq!(Told::read(stream).status, 303);
    }
    until("they are gone", || server.processes().len() == 2);
    assert_eq!(town.envelopes().len(), 6);
}

#[test]
fn the_server_and_its_attendants_leave_no_core_cannot_be_debugged_and_reach_nothing_else() {
    let town = Town::new();
    let server = town.serve();
    let line = staying(&server, 1);
    let processes = server.processes();
    assert_eq!(processes.len(), 3, "the house, the one that attendants are copied from, an attendant");
    for process in processes {
        let limits = fs::read_to_string(format!("/proc/{process}/limits")).unwrap_or_default();
        assert!(limits.is_empty() || limits.lines().any(|line| line.starts_with("Max core file size") && line.contains(" 0 ")), "{limits}");
        // What belongs to a process that is not dumpable belongs to root (proc(5)).
        use std::os::unix::fs::MetadataExt;
        assert_eq!(fs::metadata(format!("/proc/{process}/environ")).unwrap().uid(), 0);
    }
    assert!(is_open(&line));
}

#[test]
fn who_says_nothing_costs_no_process_with_and_without_tors_line() {
    let town = Town::new();
    let server = town.serve();
    let silent: Vec<_> = (0..20)
        .map(|i| {
            let mut stream = server.connect();
            if i % 2 == 0 {
                stream.write_all(format!("PROXY TCP6 fc00:dead:beef:4dad::9:{i:x} ::1 1 1\r\n").as_bytes()).unwrap();
            }
            stream
        })
        .collect();
    let asked = staying(&server, 77);
    assert_eq!(server.processes().len(), 3);
    assert!(is_open(&asked) && silent.iter().all(is_open));
}

#[test]
fn seven_hundred_who_come_at_once_are_all_answered_and_leave_nothing_behind() {
    let town = Town::new();
    // As many files as a system gives that was not told otherwise.
    let server = town.serve_with(&[], Some(&["sh", "-c", "ulimit -n 2136; exec \"$0\" \"$@\""]));
    let files = || fs::read_dir(format!("/proc/{}/fd", server.child.id())).unwrap().count();
    let before = files();
    let mut lines: Vec<TcpStream> = (0..700).map(|_| server.connect()).collect();
    for (i, line) in lines.iter_mut().enumerate() {
        let head = format!("PROXY TCP6 fc00:dead:beef:4dad::9:{:x} ::1 1 1\r\nGET /newsroom HTTP/1.1\r\nHost: x\r\n\r\n", i / 30);
        line.write_all(head.as_bytes()).unwrap();
    }
    for line in &mut lines {
        let mut answer = [0; 12];
        line.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"HTTP/1.1 200");
    }
    println!("{} MiB with 700 attendants", server.held());
    assert!(server.processes().len() == 702 && server.held() < 450);
    drop(lines);
    until("all are gone", || server.processes().len() == 2 && files() == before);
}

/// They are copies of one process: numbers that were drawn before the copying would be the same in all of them.
#[test]
fn no_two_attendants_draw_the_same_numbers() {
    let town = Town::new();
    let server = town.serve();
    let mut cookies = Vec::new();
    for _ in 0..3 {
        let mut visitor = Visitor::new(&server);
        visitor.begin();
        assert_eq!(visitor.send(&[("text", None, b"the same words")]).status, 303);
        cookies.push(visitor.cookie);
    }
    cookies.sort();
    cookies.dedup();
    assert_eq!(cookies.len(), 3);
    // Of the header of a sealed file only its first line and the name of a stanza are not drawn.
    let drawn = |file: &std::path::PathBuf| {
        let sealed = fs::read(file).unwrap()[64..].to_vec();
        let header = String::from_utf8_lossy(&sealed).split("\n---").next().unwrap().to_owned();
        header.split([' ', '\n']).filter(|word| word.len() > 30 && !word.starts_with("age-")).map(str::to_owned).collect::<Vec<_>>()
    };
    let mut all: Vec<String> = town.envelopes().iter().flat_map(drawn).collect();
    let count = all.len();
    all.sort();
    all.dedup();
    assert!(count > 3 * 16 && all.len() == count, "{count} {}", all.len());
}

#[test]
fn attendants_end_with_the_house_and_a_house_without_them_takes_nobody_in() {
    let town = Town::new();
    let server = town.serve();
    let lines: Vec<_> = (0..3).map(|i| staying(&server, i)).collect();
    let all = server.processes();
    assert_eq!(all.len(), 5);
    // Killed from outside, an attendant takes its own line with it, and no other.
    assert!(Command::new("kill").args(["-9", &all[2].to_string()]).status().unwrap().success());
    until("one line is closed", || lines.iter().filter(|line| !is_open(line)).count() == 1);
    let mut visitor = Visitor::new(&server);
    visitor.begin();
    assert_eq!(visitor.send(&[("text", None, b"through")]).status, 303);
    // Without the one that they are copied from the drop ends, for whoever watches it to start it again.
    assert!(Command::new("kill").args(["-9", &all[1].to_string()]).status().unwrap().success());
    let DropServer { mut child, address } = server;
    let mut ended = None;
    until("the drop ends", || {
        // Whoever comes next finds it out.
        let _ = TcpStream::connect(&address).and_then(|mut stream| stream.write_all(b"GET / HTTP/1.1\r\n\r\n"));
        ended = child.try_wait().unwrap();
        ended.is_some()
    });
    assert!(!ended.unwrap().success());
    until("nobody is left", || {
        all.iter().all(|process| fs::read_to_string(format!("/proc/{process}/status")).map_or(true, |status| status.contains("State:\tZ")))
    });
    assert_eq!(town.envelopes().len(), 1);
}

#[test]
fn a_drop_that_is_told_to_end_lets_an_upload_come_to_its_end_and_takes_nobody_else() {
    let town = Town::new();
    let server = town.serve();
    let mut visitor = Visitor::new(&server);
    visitor.begin();
    let token = visitor.get("/en/mailbox").token();
    let (mut stream, rest) = begun(&server, 1, &visitor, &token, &[3; 200_000], 100_000);
    until("it has begun to arrive", || fs::read_dir(town.home.join("incoming")).unwrap().count() == 1);
    let idle = staying(&server, 2);
    // As a service manager may do, and a terminal: everybody is told.
    let all: Vec<String> = server.processes().iter().map(u32::to_string).collect();
    assert_eq!(all.len(), 4);
    assert!(Command::new("kill").arg("-TERM").args(&all).status().unwrap().success());
    until("nobody else is taken", || TcpStream::connect(&server.address).is_err());
    until("who is at nothing is sent away", || !is_open(&idle));
    stream.write_all(&rest).unwrap();
    assert_eq!(Told::read(stream).status, 303);
    let DropServer { mut child, .. } = server;
    let mut ended = None;
    until("it ends", || {
        ended = child.try_wait().unwrap();
        ended.is_some()
    });
    assert!(ended.unwrap().success());
    assert_eq!(town.envelopes().len(), 1);
    let alive = |process: &String| fs::read_to_string(format!("/proc/{process}/status")).is_ok_and(|status| !status.contains("State:\tZ"));
    until("nobody is left", || !all.iter().any(alive));
}

#[test]
fn a_drop_whose_attendants_cannot_be_caged_does_not_listen() {
    if !tool("strace") {
        return;
    }
    let town = Town::new();
    let mut command = Command::new("strace");
    command.args(["-f", "-qq", "-o", "/dev/null", "-e", "inject=seccomp:error=EPERM"]).arg(crate::support::program());
    let said = command.args(["drop", "serve"]).arg(&town.home).args(["--listen", "127.0.0.1:0"]).output().unwrap();
    let (out, error) = (String::from_utf8_lossy(&said.stdout), String::from_utf8_lossy(&said.stderr));
    if error.contains("Operation not permitted") && error.contains("ptrace") {
        return skip("strace may not trace here");
    }
    assert!(!said.status.success() && out.is_empty(), "{out} {error}");
    assert!(error.contains("an attendant cannot be caged: seccomp cannot be set up"), "{error}");
}

#[test]
fn a_long_file_and_many_at_once_pass_in_flat_memory() {
    let town = Town::new();
    let server = town.serve();
    let mut sources: Vec<String> = Vec::new();
    for _ in 0..12 {
        let mut visitor = Visitor::new(&server);
        visitor.begin();
        sources.push(visitor.cookie.clone());
    }
    let idle = server.held();
    let send = |cookie: &String| {
        let mut visitor = Visitor::new(&server);
        visitor.cookie.clone_from(cookie);
        assert_eq!(visitor.send(&[("file", Some("x"), &vec![9; 40 << 20])]).status, 303);
    };
    let ((), most) = server.most_held(|| {
        std::thread::scope(|scope| sources.iter().for_each(|cookie| _ = scope.spawn(move || send(cookie))));
    });
    println!("{idle} MiB idle, {most} MiB with twelve uploads");
    assert!(most > idle && most < idle + 64, "{idle} MiB idle, {most} MiB with twelve uploads of 40 MiB");
    assert_eq!(town.envelopes().len(), 12);
}

#[test]
fn slow_and_endless_requests_hold_up_nobody() {
    let town = Town::new();
    let server = town.serve();
    let mut slow = Vec::new();
    for i in 0..200 {
        let mut stream = server.connect();
        let begun: &[u8] = match i % 4 {
            0 => b"",
            1 => b"GET /en/ HTTP/1.1\r\nHost: x\r\nX: ",
            2 => b"PROXY TCP6 fc00",
            _ => b"POST /en/login HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\ntoken=",
        };
        stream.write_all(begun).unwrap();
        slow.push(stream);
    }
    let mut visitor = Visitor::new(&server);
    visitor.begin();
    assert_eq!(visitor.send(&[("text", None, b"through")]).status, 303);
    // Within their time they are sent away.
    for stream in &mut slow {
        let mut rest = Vec::new();
        assert!(stream.read_to_end(&mut rest).is_ok() || !rest.is_empty());
    }
    let mut endless = server.connect();
    endless.write_all(b"GET /en/ HTTP/1.1\r\nX: ").unwrap();
    let mut sent = 0;
    while endless.write_all(&[b'x'; 4096]).is_ok() && sent < 10 << 20 {
        sent += 4096;
    }
    assert!(sent < 10 << 20, "a head without end is cut off");
    assert!(server.peak() < 200);
}

/// The beginning of a form with a file, on a line of its own, and what is left of it to be sent.
fn begun(server: &DropServer, circuit: u32, visitor: &Visitor<'_>, token: &str, file: &[u8], now: usize) -> (TcpStream, Vec<u8>) {
    let form = form(&[("token", None, token.as_bytes()), ("file", Some("f"), file)]);
    let end = form.windows(4).rposition(|four| four == b"\r\n\r\n").unwrap() + 4 + now;
    let mut stream = server.connect();
    let head = format!(
        "PROXY TCP6 fc00:dead:beef:4dad::{:x}:{:x} ::1 1 1\r\nPOST /en/send HTTP/1.1\r\nHost: {2}\r\nOrigin: http://{2}\r\nCookie: {3}\r\n\
         Content-Type: multipart/form-data; boundary=BOUND\r\nContent-Length: {4}\r\n\r\n",
        circuit >> 16,
        circuit & 0xffff,
        server.address,
        visitor.cookie,
        form.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(&form[..end]).unwrap();
    (stream, form[end..].to_vec())
}

/// A line, and what is sent on it each time.
type Slow = (TcpStream, Vec<u8>);

/// Sends on, a little every now and then, until it is told to end: a line that says nothing is cut for that, however long a busy machine takes for the rest of a test.
struct Trickle {
    lines: Arc<Mutex<Vec<Slow>>>,
    over: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Trickle {
    fn begin() -> Self {
        let (lines, over) = (Arc::new(Mutex::new(Vec::<Slow>::new())), Arc::new(AtomicBool::new(false)));
        let thread = std::thread::spawn({
            let (lines, over) = (lines.clone(), over.clone());
            move || {
                while !over.load(Ordering::Relaxed) {
                    for (stream, piece) in lines.lock().unwrap().iter_mut().filter(|(stream, _)| !is_answered(stream)) {
                        let _ = stream.write_all(piece);
                    }
                    std::thread::sleep(Duration::from_secs(1));
                }
            }
        });
        Self { lines, over, thread }
    }

    /// Has so much sent on a line each second or so.
    fn add(&self, stream: &TcpStream, piece: usize) {
        self.lines.lock().unwrap().push((stream.try_clone().unwrap(), vec![8; piece]));
    }

    fn end(self) {
        self.over.store(true, Ordering::Relaxed);
        self.thread.join().unwrap();
    }
}

/// Whether something has come on a line.
fn is_answered(stream: &TcpStream) -> bool {
    // Not by a timeout, which two threads that look at one line would set for each other.
    rustix::net::recv(stream, &mut [0], RecvFlags::PEEK | RecvFlags::DONTWAIT).is_ok()
}

#[test]
fn uploads_that_trickle_on_every_place_from_many_circuits_give_way_and_honest_ones_come_through() {
    const LONG: usize = 2 << 20;
    let town = Town::new();
    let server = town.serve();
    let mut visitor = Visitor::new(&server);
    visitor.begin();
    let token = visitor.get("/en/mailbox").token();
    let idle = server.held();
    let arriving = || fs::read_dir(town.home.join("incoming")).unwrap().count();
    let trickle = Trickle::begin();
    let mut by_wire = server.connect();
    let head = format!("POST /envelope HTTP/1.1\r\nHost: x\r\nDaylight-Lookup: {}\r\nContent-Length: {LONG}\r\n\r\n", "5".repeat(64));
    by_wire.write_all(head.as_bytes()).unwrap();
    trickle.add(&by_wire, 12_000);
    until("the first arrives", || arriving() == 1);
    let file = vec![8; LONG];
    let take = |circuit| {
        let stream = begun(&server, circuit, &visitor, &token, &file, 70_000).0;
        trickle.add(&stream, 12_000);
        stream
    };
    let mut trickling = vec![by_wire];
    trickling.extend((0..255).map(|i| take(i / 4)));
    until("all places are taken", || arriving() == 256);
    let full = server.held();
    for circuit in 0..6 {
        let mut honest = Visitor::new(&server);
        honest.line = format!("PROXY TCP6 fc00:dead:beef:4dad::7:{circuit:x} ::1 1 1\r\n");
        honest.begin();
        assert_eq!(honest.send(&[("file", Some("x"), &vec![3; 1 << 20])]).status, 303);
        // The place is nobody's now: somebody who trickles takes it again.
        trickling.push(take(100 + circuit));
        until("all places are taken again", || arriving() == 256);
    }
    // Whoever gave way is told so, once what is still on its way was read, and nobody else is told anything.
    let answered = || trickling.iter().filter(|stream| is_answered(stream)).count();
    until("those who gave way are told", || answered() >= 6);
    trickle.end();
    let told: Vec<Told> = trickling.iter().filter(|stream| is_answered(stream)).map(Told::read).collect();
    assert_eq!(told.len(), 6);
    for told in told {
        assert!(told.status == 429 && told.text().contains("the slowest"), "{told:?}");
        assert_eq!(told.header("retry-after"), "60");
    }
    assert_eq!(town.envelopes().len(), 6);
    println!("{idle} MiB idle, {full} MiB with all places taken");
    assert!(
        full < idle + 320 && server.peak() < 64,
        "{idle} MiB idle, {full} MiB with all places taken, the house {} MiB at most",
        server.peak()
    );
    let status = daylight(["drop".as_ref(), "status".as_ref(), town.home.as_os_str(), "--json".as_ref()]).code(0).json();
    assert!(status["crowded"].is_string() && status["was_full"].is_null(), "{status}");
}

/// A line that asks for a page, takes it, and stays.
fn staying(server: &DropServer, circuit: u32) -> TcpStream {
    let mut stream = server.connect();
    let head = format!("PROXY TCP6 fc00:dead:beef:4dad::9:{circuit:x} ::1 1 1\r\nGET /newsroom HTTP/1.1\r\nHost: x\r\n\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200");
    stream
}

/// Whether the other end has not closed a line.
fn is_open(stream: &TcpStream) -> bool {
    stream.set_nonblocking(true).unwrap();
    let mut rest = [0; 4096];
    let mut stream = stream;
    loop {
        match stream.read(&mut rest) {
            Ok(0) => return false,
            Ok(_) => {}
            Err(error) => return error.kind() == std::io::ErrorKind::WouldBlock,
        }
    }
}

fn ask_again(mut line: &TcpStream) {
    let _ = line.write_all(b"GET /newsroom HTTP/1.1\r\nHost: x\r\n\r\n");
}

#[test]
fn lines_that_stay_on_every_place_from_many_circuits_keep_nobody_out() {
    let town = Town::new();
    // Files for a hundred lines.
    let server = town.serve_with(&[], Some(&["sh", "-c", "ulimit -n 800; exec \"$0\" \"$@\""]));
    let staying: Vec<_> = (0..100).map(|i| staying(&server, i / 25)).collect();
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        // Each asks for something now and then, and would stay for hours.
        scope.spawn(|| {
            for turn in 1.. {
                std::thread::sleep(Duration::from_millis(100));
                if over.load(Ordering::Relaxed) {
                    return;
                }
                if turn % 80 == 0 {
                    staying.iter().filter(|line| is_open(line)).for_each(ask_again);
                }
            }
        });
        let done = std::panic::catch_unwind(|| {
            let mut honest = Visitor::new(&server);
            honest.line = "PROXY TCP6 fc00:dead:beef:4dad::7:1 ::1 1 1\r\n".into();
            honest.begin();
            assert_eq!(honest.send(&[("text", None, b"through")]).status, 303);
            let listed = town.collect(&server, "POST", "/collect/list", &[], b"").json();
            assert_eq!(listed["envelopes"].as_array().unwrap().len(), 1);
        });
        over.store(true, Ordering::Relaxed);
        done.unwrap();
    });
    let open: Vec<bool> = staying.iter().map(is_open).collect();
    assert!((1..20).contains(&open.iter().filter(|open| !**open).count()) && !open[0], "{open:?}");
}

#[test]
fn forms_that_are_bombs_are_refused_and_cost_little() {
    let town = Town::new();
    let server = town.serve();
    let mut visitor = Visitor::new(&server);
    visitor.begin();
    let token = visitor.get("/en/mailbox").token();
    let shown = ("token", None, token.as_bytes());
    let many: Vec<_> = std::iter::once(shown).chain(std::iter::repeat_n(("x", None, b"".as_slice()), 10_000)).collect();
    let files: Vec<_> = std::iter::once(shown).chain(std::iter::repeat_n(("file", Some("f"), b"x".as_slice()), 60)).collect();
    let long = vec![b'x'; 1 << 20];
    let cases: Vec<Vec<u8>> = vec![
        form(&many),
        form(&files),
        form(&[shown, ("text", None, &long)]),
        form(&[shown, ("whole", None, &long)]),
        form(&[shown, ("part", None, b"-1")]),
        form(&[shown, ("part", None, b"4000000000"), ("file", Some("f"), b"x")]),
        form(&[shown, ("token", None, b"other"), ("text", None, b"x")]),
        form(&[shown, ("text", Some("name"), b"x")]),
        [b"--BOUND\r\nX: ".as_slice(), &long].concat(),
        vec![b'-'; 1 << 20],
        form(&[shown])[..40].to_vec(),
        vec![],
    ];
    for body in cases {
        let told = visitor.send_raw(&body);
        assert!((400..500).contains(&told.status), "{}: {}", told.status, String::from_utf8_lossy(&body[..body.len().min(300)]));
    }
    assert!(town.envelopes().len() <= 33 && server.peak() < 200);
    assert_eq!(visitor.get("/en/mailbox").status, 200);
}

#[test]
fn two_hundred_logins_a_second_leave_uploads_working() {
    let town = Town::new();
    let server = town.serve();
    let mut sender = Visitor::new(&server);
    sender.begin();
    let token = Visitor::new(&server).get("/en/login").token();
    let stop = std::sync::atomic::AtomicBool::new(false);
    let logins = std::sync::atomic::AtomicU64::new(0);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                    let told = Visitor::new(&server).post("/en/login", &[("token", &token), ("codename", "one two three")]);
                    assert_eq!(told.status, 303);
                    logins.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                }
            });
        }
        let sent = sender.send(&[("file", Some("x"), &vec![3; 20 << 20])]);
        until("two hundred logins", || logins.load(std::sync::atomic::Ordering::Relaxed) >= 200);
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
        assert_eq!(sent.status, 303);
    });
    assert_eq!(town.envelopes().len(), 1);
}

#[test]
fn the_drop_sends_no_packet_but_answers_and_opens_no_connection() {
    if !tool("strace") {
        return;
    }
    let town = Town::new();
    let log = town.work.path().join("calls");
    let behind = ["strace", "-f", "-qq", "-o", log.to_str().unwrap(), "-e", "trace=socket,connect,sendto,sendmsg,bind"];
    let probe = Command::new("strace").args(["-o", "/dev/null", "true"]).output();
    if !probe.is_ok_and(|output| output.status.success()) {
        return skip("strace may not trace here");
    }
    let server = town.serve_with(&[], Some(&behind));
    let mut visitor = Visitor::new(&server);
    let words = visitor.begin();
    visitor.send(&[("text", None, b"hello")]);
    visitor.login(&words);
    visitor.get("/en/mailbox");
    drop(server);
    let calls = fs::read_to_string(&log).unwrap();
    assert!(calls.contains("bind("), "{calls}");
    // What an attendant without a visitor tries, to see that it cannot.
    let calls: String = calls.lines().filter(|line| !line.contains("= -1 EPERM")).map(|line| format!("{line}\n")).collect();
    let out: Vec<_> =
        calls.lines().filter(|line| line.contains("connect(") || line.contains("SOCK_DGRAM") || line.contains("AF_NETLINK")).collect();
    assert!(out.is_empty(), "{out:?}");
    assert_eq!(calls.lines().filter(|line| line.contains("socket(AF_INET")).count(), 1, "the one that it listens on: {calls}");
}

#[test]
fn the_drop_works_in_a_network_namespace_with_nothing_in_it_and_no_packet_passes_there() {
    if !tool("curl") {
        return;
    }
    let apart = Command::new("unshare").args(["-n", "true"]).output().is_ok_and(|output| output.status.success());
    if !apart {
        return skip("no network namespace can be made here");
    }
    let town = Town::new();
    let place = tempfile::tempdir().unwrap();
    let socket = place.path().join("s");
    let mut command = Command::new("unshare");
    command.arg("-n").arg(crate::support::program()).args(["drop", "serve"]).arg(&town.home);
    command.arg("--listen").arg(format!("unix:{}", socket.display()));
    let server = DropServer::start(command);
    let asked = Command::new("curl").arg("-s").arg("--unix-socket").arg(&socket).arg("http://x/newsroom").output().unwrap();
    assert!(String::from_utf8_lossy(&asked.stdout).contains("daylight-drop/v1"), "{asked:?}");
    let devices = fs::read_to_string(format!("/proc/{}/net/dev", server.child.id())).unwrap();
    let devices: Vec<&str> = devices.lines().skip(2).collect();
    assert_eq!(devices.len(), 1, "{devices:?}");
    let counts: Vec<u64> = devices[0].split_whitespace().skip(1).map(|count| count.parse().unwrap()).collect();
    assert!(devices[0].trim().starts_with("lo:") && counts.iter().all(|count| *count == 0), "{devices:?}");
}
