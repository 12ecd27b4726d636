//! Processes that gave something up for good: the network, all but the network, all but one visitor.

use daylight_sandbox::{Attendants, Visit};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::net::{TcpStream, UdpSocket};
use std::os::fd::{AsFd as _, AsRawFd as _};
use std::os::unix::net::UnixStream;
use std::process::{Command, ExitCode, Stdio};
use std::{env, process};

/// Goes offline with the folder of its argument, and tries what it should not be able to do any more.
pub(crate) fn play_offline() -> ExitCode {
    let folder = std::path::PathBuf::from(env::args().nth(2).unwrap());
    assert!(daylight_sandbox::any_socket().is_some(), "before, it can make one");
    let open_before = File::open(folder.join("../outside")).unwrap();
    let caged = daylight_sandbox::go_offline(&[&folder]).unwrap();
    assert_eq!(daylight_sandbox::any_socket(), None);
    assert!(UdpSocket::bind("127.0.0.1:0").is_err() && TcpStream::connect("127.0.0.1:9").is_err());
    assert!(UnixStream::pair().is_err() && UnixStream::connect(folder.join("socket")).is_err());
    assert!(Command::new("/bin/true").status().is_err(), "nor start another that does");
    fs::write(folder.join("inside"), "kept").unwrap();
    fs::rename(folder.join("inside"), folder.join("renamed")).unwrap();
    let reaches = fs::read(folder.join("../outside")).is_ok() || fs::write(folder.join("../made"), "x").is_ok();
    assert!(!reaches || caged.landlock == 0, "no other path");
    let mut text = String::new();
    (&open_before).read_to_string(&mut text).unwrap();
    assert_eq!(text, "outside", "what is open stays open");
    ExitCode::SUCCESS
}

pub(crate) fn what_has_gone_offline_makes_no_socket_and_reaches_its_folder_alone() {
    let work = tempfile::tempdir().unwrap();
    let folder = work.path().join("folder");
    fs::create_dir(&folder).unwrap();
    fs::write(work.path().join("outside"), "outside").unwrap();
    let _listens = std::os::unix::net::UnixListener::bind(folder.join("socket")).unwrap();
    let said = Command::new(env::current_exe().unwrap()).arg("offline").arg(&folder).output().unwrap();
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    assert_eq!(fs::read(folder.join("renamed")).unwrap(), b"kept");
    assert!(daylight_sandbox::go_offline(&[&work.path().join("missing")]).is_err() && daylight_sandbox::any_socket().is_some());
}

/// Keeps the network alone, and tries what it should not be able to do any more.
pub(crate) fn play_online() -> ExitCode {
    let (folder, address) = (std::path::PathBuf::from(env::args().nth(2).unwrap()), env::args().nth(3).unwrap());
    let open_before = File::create(folder.join("before")).unwrap();
    fs::write(folder.join("there"), "there").unwrap();
    let landlock = daylight_sandbox::only_network().unwrap();
    // It speaks, from a thread too, finds names, and reads what the system has for all.
    std::thread::spawn(move || TcpStream::connect(address).unwrap().write_all(b"spoken").unwrap()).join().unwrap();
    assert!(std::net::ToSocketAddrs::to_socket_addrs("localhost:9").is_ok_and(|mut found| found.next().is_some()));
    assert!(fs::read("/etc/hosts").is_ok() || !std::path::Path::new("/etc/hosts").exists());
    // It starts nothing, and nobody calls it.
    assert!(Command::new("/bin/true").status().is_err());
    assert!(std::net::TcpListener::bind("127.0.0.1:0").is_err());
    // It writes nowhere, whatever the file's rights and the flags say, and changes no name.
    let there = folder.join("there");
    for options in [OpenOptions::new().write(true), OpenOptions::new().read(true).write(true), OpenOptions::new().append(true)] {
        assert_eq!(options.open(&there).unwrap_err().kind(), io::ErrorKind::PermissionDenied);
        assert!(options.open("/dev/null").is_err());
    }
    assert!(File::create(folder.join("made")).is_err() && File::create(&there).is_err());
    assert!(fs::create_dir(folder.join("made")).is_err() && fs::remove_file(&there).is_err());
    assert!(fs::rename(&there, folder.join("moved")).is_err() && fs::hard_link(&there, folder.join("linked")).is_err());
    assert!(fs::set_permissions(&there, std::os::unix::fs::PermissionsExt::from_mode(0o777)).is_err());
    assert!(landlock == 0 || fs::read(&there).is_err(), "nor reads what is not the system's");
    (&open_before).write_all(b"open stays open").unwrap();
    ExitCode::SUCCESS
}

pub(crate) fn what_has_only_the_network_speaks_and_does_nothing_else() {
    let work = tempfile::tempdir().unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let program = Command::new(env::current_exe().unwrap())
        .args(["online".as_ref(), work.path().as_os_str(), listener.local_addr().unwrap().to_string().as_ref()])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let said = program.wait_with_output().unwrap();
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    let mut spoken = String::new();
    listener.accept().unwrap().0.read_to_string(&mut spoken).unwrap();
    assert_eq!((spoken.as_str(), fs::read(work.path().join("before")).unwrap().as_slice()), ("spoken", b"open stays open".as_slice()));
    assert_eq!(fs::read(work.path().join("there")).unwrap(), b"there");
}

/// What an attendant of the check finds that it can do, and what it says to its visitor.
fn attend(greeting: String, begun: u32, visit: Visit) {
    let [line, _hatch, _orders] = visit.ends;
    let mut line = UnixStream::from(line);
    let mut said = [0; 5];
    line.read_exact(&mut said).unwrap();
    let first = String::from_utf8(visit.first).unwrap();
    match &said {
        b"whoso" => line.write_all(format!("{greeting} {begun} {first} {}", process::id()).as_bytes()).unwrap(),
        b"tries" => line.write_all(possible().join(", ").as_bytes()).unwrap(),
        b"panic" => panic!("words of a visitor"),
        _ => {
            line.write_all(b"waits").unwrap();
            let _ = line.read(&mut said);
        }
    }
}

/// What can be done of what should not be.
fn possible() -> Vec<String> {
    let mut found = Vec::new();
    let mut can = |what: &str, can: bool| {
        if can {
            found.push(what.to_owned());
        }
    };
    can("read a file", File::open("/etc/passwd").is_ok());
    can("list its descriptors", fs::read_dir("/proc/self/fd").is_ok());
    can("write a file", File::create("/tmp/daylight-attendant").is_ok());
    can("connect", TcpStream::connect("127.0.0.1:9").is_err_and(|error| error.kind() != io::ErrorKind::PermissionDenied));
    can("make a pair of sockets", UnixStream::pair().is_ok());
    can("start a program", Command::new("/bin/true").status().is_ok());
    can("start a thread", std::thread::Builder::new().spawn(|| ()).is_ok());
    can("signal its parent", rustix::process::getppid().is_some_and(|parent| rustix::process::test_kill_process(parent).is_ok()));
    found.extend(daylight_sandbox::any_socket());
    found
}

/// Calls attendants of a process that holds a secret and a file, and says what came of it.
pub(crate) fn play_attended() -> ExitCode {
    let before = File::open("/etc/passwd").unwrap();
    daylight_sandbox::guard_secrets().unwrap();
    let prepare = |greeting: &[u8]| match greeting {
        b"bad" => Err("a bad greeting".to_owned()),
        greeting => Ok(String::from_utf8_lossy(greeting).into_owned()),
    };
    let refused = Attendants::start(prepare, || Ok(0), attend).unwrap();
    assert_eq!(refused.greet(b"bad"), Err("a bad greeting".to_owned()));
    drop(refused);
    let attendants = Attendants::start(prepare, || Ok(7), attend).unwrap();
    // Made after it, so that no attendant can know of it.
    let secret = b"after the fork: ".iter().chain(b"a secret").copied().collect::<Vec<u8>>();
    attendants.greet(b"hello").unwrap();
    let call = |first: &str| {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let other = UnixStream::pair().unwrap();
        let called = attendants.call(first.as_bytes(), [theirs.as_fd(), other.0.as_fd(), other.1.as_fd()]).unwrap();
        (ours, called)
    };
    let ask = |first: &str, what: &[u8; 5]| {
        let (mut ours, mut called) = call(first);
        ours.write_all(what).unwrap();
        let mut told = String::new();
        ours.read_to_string(&mut told).unwrap();
        while !called.is_gone() {
            std::thread::yield_now();
        }
        assert!(called.is_gone());
        told
    };
    let (one, other) = (ask("first", b"whoso"), ask("second", b"whoso"));
    assert!(one.starts_with("hello 7 first ") && other.starts_with("hello 7 second "), "{one} {other}");
    assert_ne!(one.rsplit(' ').next(), other.rsplit(' ').next(), "each is another process");
    assert_eq!(ask("x", b"tries"), "");
    assert_eq!(ask("x", b"panic"), "");
    // One that stays has nothing but its three ends, and nothing of what came after its first copy was made; ended, it is gone.
    let (mut ours, called) = call("x");
    ours.write_all(b"stays").unwrap();
    let mut told = [0; 5];
    ours.read_exact(&mut told).unwrap();
    let children = fs::read_to_string(format!("/proc/self/task/{}/children", process::id())).unwrap();
    let children: Vec<u32> = children.split_whitespace().map(|child| child.parse().unwrap()).collect();
    assert_eq!(children.len(), 2, "the first copy, and the attendant");
    for child in &children {
        // What belongs to a process that is not dumpable belongs to root (proc(5)), who may read it.
        if let Ok(held) = memory(*child) {
            assert!(!held.windows(secret.len()).any(|window| window == secret), "the secret is in {child}");
            assert!(held.windows(5).any(|window| window == b"hello"));
        }
        if let Ok(open) = fs::read_dir(format!("/proc/{child}/fd")) {
            let open: Vec<_> = open.filter_map(|entry| fs::read_link(entry.unwrap().path()).ok()).collect();
            assert!(open.iter().all(|path| !path.starts_with("/etc") && !path.starts_with("/dev")), "{open:?}");
        }
        let limits = fs::read_to_string(format!("/proc/{child}/limits")).unwrap_or_default();
        assert!(limits.is_empty() || limits.lines().any(|line| line.starts_with("Max core file size") && line.contains(" 0 ")));
    }
    drop(called);
    let mut rest = Vec::new();
    assert!(ours.read_to_end(&mut rest).is_ok() && rest.is_empty());
    drop(attendants);
    assert_eq!(rustix::process::wait(rustix::process::WaitOptions::NOHANG).unwrap_err(), rustix::io::Errno::CHILD);
    assert!(before.as_raw_fd() > 2 && secret.len() > 10);
    ExitCode::SUCCESS
}

/// What a process can write to of its memory.
fn memory(process: u32) -> io::Result<Vec<u8>> {
    use std::os::unix::fs::FileExt as _;
    let maps = fs::read_to_string(format!("/proc/{process}/maps"))?;
    let file = File::open(format!("/proc/{process}/mem"))?;
    let mut all = Vec::new();
    for line in maps.lines().filter(|line| line.split(' ').nth(1).is_some_and(|rights| rights.starts_with("rw"))) {
        let (start, end) = line.split(' ').next().unwrap().split_once('-').unwrap();
        let (start, end) = (u64::from_str_radix(start, 16).unwrap(), u64::from_str_radix(end, 16).unwrap());
        let mut bytes = vec![0; (end - start) as usize];
        if file.read_exact_at(&mut bytes, start).is_ok() {
            all.extend(bytes);
        }
    }
    Ok(all)
}

pub(crate) fn an_attendant_has_its_visitor_and_nothing_else() {
    let said = Command::new(env::current_exe().unwrap()).arg("attended").output().unwrap();
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
}
