//! The parent and its workers, checked with readers that do what a captured reader would. Without arguments this program runs the checks; its
//! first argument makes it play a worker, or a parent that is killed.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use daylight_model::Name;
use daylight_model::reading::{Event, Input, Label, Request, Segment, Sink, Stop, Task};
use daylight_sandbox::{
    Death, Ended, Item, ItemInput, LEASE, Layer, Limits, PrivateFolder, Probe, Reader, Said, Tool, ToolDeath, ToolInput, ToolLimits,
    Worker, examine, worker_main,
};
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpStream, UdpSocket};
use std::os::unix::net::UnixStream;
use std::process::{Command, ExitCode, Stdio};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::thread::sleep;
use std::time::Duration;
use std::{env, panic};

#[path = "tests/apart.rs"]
mod apart;

use apart::{
    an_attendant_has_its_visitor_and_nothing_else, play_attended, play_offline, play_online,
    what_has_gone_offline_makes_no_socket_and_reaches_its_folder_alone, what_has_only_the_network_speaks_and_does_nothing_else,
};

fn main() -> ExitCode {
    match env::args().nth(1).as_deref() {
        Some("worker") => worker_main(|| (), play),
        Some("parent") => wait_for_a_hanging_worker(),
        Some("uncaged") if env::args().next_back().is_some_and(|last| last == "zygote") => start_uncaged(),
        Some("uncaged") => say_that_all_was_done(),
        Some("tool") => play_tool(),
        Some("offline") => play_offline(),
        Some("online") => play_online(),
        Some("attended") => play_attended(),
        Some("--list") => ExitCode::SUCCESS,
        _ => run_checks(),
    }
}

macro_rules! checks {
    ($($name:ident,)*) => { &[$((stringify!($name), $name),)*] };
}

const CHECKS: &[(&str, fn())] = checks![
    sixty_four_items_of_a_mebibyte_come_back_whole_and_in_order,
    files_reach_the_items_they_belong_to,
    a_file_of_100_mb_is_read_in_flat_memory,
    nothing_crosses_a_lease,
    what_a_lease_leaves_in_memory_is_its_own,
    a_zygote_that_was_killed_is_replaced,
    a_worker_starts_with_nothing,
    whatever_kills_a_reader_is_named_and_its_neighbours_are_kept,
    a_captured_reader_gets_nowhere_and_its_neighbours_are_read,
    a_captured_reader_leaves_another_lease_alone,
    every_layer_is_proven_from_inside,
    a_cage_with_a_hole_reads_nothing,
    what_has_gone_offline_makes_no_socket_and_reaches_its_folder_alone,
    what_has_only_the_network_speaks_and_does_nothing_else,
    an_attendant_has_its_visitor_and_nothing_else,
    a_tool_is_run_in_its_cage,
    a_captured_tool_gets_nowhere,
    a_tool_is_held_to_its_limits,
    a_container_that_comes_further_is_waited_for,
    a_file_that_could_be_written_is_not_handed_over,
    a_program_that_is_no_worker_reads_nothing,
    two_hundred_deaths_leave_no_descriptor_and_no_zombie,
    a_worker_dies_with_its_parent,
];

fn run_checks() -> ExitCode {
    let filter = env::args().skip(1).find(|argument| !argument.starts_with('-')).unwrap_or_default();
    let chosen: Vec<_> = CHECKS.iter().filter(|(name, _)| name.contains(&filter)).collect();
    println!("\nrunning {} tests", chosen.len());
    let passed = chosen.iter().filter(|(name, check)| {
        let passed = panic::catch_unwind(check).is_ok();
        println!("test {name} ... {}", if passed { "ok" } else { "FAILED" });
        passed
    });
    let passed = passed.count();
    let failed = chosen.len() - passed;
    let (word, filtered) = (if failed == 0 { "ok" } else { "FAILED" }, CHECKS.len() - chosen.len());
    println!("\ntest result: {word}. {passed} passed; {failed} failed; 0 ignored; 0 measured; {filtered} filtered out\n");
    ExitCode::from(u8::from(failed > 0))
}

/// The worker's reader: the name of its item says how it behaves.
fn play(request: &Request, input: &dyn Input, sink: &mut dyn Sink) -> Result<(), Stop> {
    let word = String::from_utf8(request.name.0.clone()).unwrap();
    match word.as_str() {
        "echo" => echo(input, sink),
        "sum" => sum(input, sink),
        "pid" => say(sink, std::process::id().to_string()),
        "count" => say(sink, COUNTED.fetch_add(1, Relaxed).to_string()),
        "surroundings" => say(sink, format!("{:?}", env::vars_os().collect::<Vec<_>>())),
        "processor" => forever(|| Ok(())),
        "panic" => panic!("words of the document"),
        "abort" => std::process::abort(),
        "exit" => std::process::exit(7),
        "stop" => Err(Stop),
        "deep" => say(sink, deep(1).to_string()),
        "greedy" => say(sink, vec![1u8; 8 << 30].len().to_string()),
        "hang" => say(sink, std::process::id().to_string()).and_then(|()| hang(sink)),
        "stuck" => forever(|| sink.event(Event::Cursor(1)).map(|()| sleep(Duration::from_millis(10)))),
        "steady" => (1..=12).try_for_each(|n| sink.event(Event::Cursor(n)).map(|()| sleep(Duration::from_millis(100)))),
        "flood" => forever(|| say(sink, "x".repeat(1 << 20))),
        "trickle" => forever(|| sink.event(Event::Cursor(0))),
        "long frame" => shout(&[33, 0xff, 0xff, 0xff, 0x7f]),
        "unknown frame" => shout(b"This is not a frame at all"),
        "parent's frame" => shout(&[2, 0, 0, 0, 0]),
        "second greeting" => shout(&[16, 3, 0, 0, 0, 1, 0, 0]),
        "late refusal" => shout(&[17, 3, 0, 0, 0, 2, 0x1b, b'c']),
        "half a frame" => shout(&[38, 9, 0, 0, 0, b'x']).and_then(|()| std::process::exit(0)),
        planted => backdoor(planted, input, sink),
    }
}

/// What a captured reader would try. One that is let through says so; one that is told no goes on as if nothing were, as a clever one would.
fn backdoor(planted: &str, input: &dyn Input, sink: &mut dyn Sink) -> Result<(), Stop> {
    let target = || String::from_utf8(input.in_memory().unwrap().to_vec()).unwrap();
    let process = || rustix::process::Pid::from_raw(target().parse().unwrap()).unwrap();
    let opened = |path: &str, write: bool| OpenOptions::new().read(!write).append(write).open(path).map(drop);
    let result = match planted {
        "open /etc/passwd" => opened("/etc/passwd", false),
        "open the input" => opened("/proc/self/fd/0", false),
        "list /" => fs::read_dir("/").map(drop),
        "append to a file" => opened(&target(), true),
        "make a file" => File::create_new(target()).map(drop),
        "memory of another" => opened(&format!("/proc/{}/mem", target()), true),
        "output of another" => opened(&format!("/proc/{}/fd/1", target()), true),
        "every descriptor" => every_descriptor(),
        "connect" => TcpStream::connect("127.0.0.1:9").map(drop),
        "send" => UdpSocket::bind("0.0.0.0:0").map(drop),
        "talk to a neighbour" => UnixStream::connect("/run/x").map(drop),
        "pair" => UnixStream::pair().map(drop),
        "spawn" => Command::new("/bin/true").spawn().map(drop),
        "thread" => std::thread::Builder::new().spawn(|| ()).map(drop),
        "fork" => raw(libc::SYS_clone, [libc::SIGCHLD as i64, 0, 0]),
        "exec" => Err(std::os::unix::process::CommandExt::exec(&mut Command::new("/bin/true"))),
        "remove a file" => fs::remove_file(target()),
        "rename a file" => fs::rename(target(), "/x"),
        "kill" => rustix::process::kill_process(process(), rustix::process::Signal::KILL).map_err(io::Error::from),
        "trace" => raw(libc::SYS_ptrace, [0x4206, target().parse().unwrap(), 0]),
        "write memory" => raw(libc::SYS_process_vm_writev, [target().parse().unwrap(), 0, 0]),
        "hold" => raw(libc::SYS_pidfd_open, [target().parse().unwrap(), 0, 0]),
        "raise a limit" => raw(libc::SYS_prlimit64, [0, 0, 0]),
        "move a position" => raw(libc::SYS_lseek, [0, 0, 0]),
        "ring" => raw(libc::SYS_io_uring_setup, [1, 0, 0]),
        "code" => raw(libc::SYS_mprotect, [0, 4096, i64::from(libc::PROT_EXEC)]),
        "leave" => raw(libc::SYS_unshare, [i64::from(libc::CLONE_NEWUSER), 0, 0]),
        "be two" => raw(0x4000_0000 | libc::SYS_socket, [1, 1, 0]),
        other => panic!("no such behaviour: {other}"),
    };
    match result {
        Ok(()) => say(sink, "got through".into()),
        Err(_) => Err(Stop),
    }
}

/// Writes to whatever is open but its output. The parent does not read what goes into its end of the input, but nobody should get there.
fn every_descriptor() -> io::Result<()> {
    // SAFETY: the bytes outlive the call, which reads them alone.
    let write = |number: i64| unsafe { libc::syscall(libc::SYS_write, number, b"x".as_ptr(), 1usize) };
    if [0, 3, 4, 5, 6].map(write).contains(&1) { Ok(()) } else { Err(io::ErrorKind::Other.into()) }
}

fn raw(call: i64, arguments: [i64; 3]) -> io::Result<()> {
    // SAFETY: none of the calls made with this takes an address, but for those to which null is given.
    let result = unsafe { libc::syscall(call, arguments[0], arguments[1], arguments[2], 0, 0, 0) };
    if result == -1 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

fn say(sink: &mut dyn Sink, text: String) -> Result<(), Stop> {
    sink.event(Event::Text { index: 0, segment: Segment::new(Label::Body, text) })
}

fn forever(mut again: impl FnMut() -> Result<(), Stop>) -> Result<(), Stop> {
    loop {
        again()?;
    }
}

/// A cursor makes the worker send what it said so far.
fn hang(sink: &mut dyn Sink) -> Result<(), Stop> {
    sink.event(Event::Cursor(0))?;
    forever(|| {
        sleep(Duration::from_secs(1));
        Ok(())
    })
}

fn deep(level: u64) -> u64 {
    let here = std::hint::black_box([level; 64]);
    if here[0] == u64::MAX { 0 } else { deep(level + 1) + here[63] }
}

/// Writes past the sink, as a captured reader would.
fn shout(bytes: &[u8]) -> Result<(), Stop> {
    let mut out = io::stdout();
    out.write_all(bytes).and_then(|()| out.flush()).map_err(|_| Stop)
}

fn pieces(input: &dyn Input, mut each: impl FnMut(Vec<u8>) -> Result<(), Stop>) -> Result<(), Stop> {
    let mut offset = 0;
    while offset < input.length() {
        let mut piece = vec![0; 1 << 20];
        let count = input.read_at(offset, &mut piece).map_err(|_| Stop)?;
        piece.truncate(count);
        offset += count as u64;
        each(piece)?;
    }
    Ok(())
}

fn echo(input: &dyn Input, sink: &mut dyn Sink) -> Result<(), Stop> {
    pieces(input, |bytes| sink.event(Event::Bytes { index: 0, bytes }))
}

/// Says the sum of the bytes.
fn sum(input: &dyn Input, sink: &mut dyn Sink) -> Result<(), Stop> {
    let mut sum = 0;
    pieces(input, |bytes| {
        sum += bytes.iter().map(|byte| u64::from(*byte)).sum::<u64>();
        Ok(())
    })?;
    say(sink, format!("{sum} {}", std::process::id()))
}

const LIMITS: Limits = Limits { wall_base: Duration::from_secs(60), wall_per_mib: Duration::ZERO, output: 8 << 20, memory: 1 << 30 };

fn worker(limits: Limits) -> Worker {
    Worker::new(Reader { program: env::current_exe().unwrap(), args: vec!["worker".into()] }, limits)
}

fn item<'a>(behaviour: &str, input: ItemInput<'a>) -> Item<'a> {
    let task = Task::Read { start: 0, skip_first: false };
    Item { request: Request::new(task, Name::from(behaviour), 1 << 30), input }
}

/// What was said of each item, and whether it was done.
type Heard = Vec<(Vec<Event>, bool)>;

fn read(worker: &mut Worker, lease: &[Item<'_>]) -> (Ended, Heard) {
    let mut heard: Heard = lease.iter().map(|_| (Vec::new(), false)).collect();
    let ended = worker.read(lease, &mut |item, said| {
        let entry = &mut heard[item];
        assert!(!entry.1, "item {item} goes on after its end");
        let said = said.check(Ok::<_, ()>).unwrap();
        match said {
            Said::Done => entry.1 = true,
            Said::Event(event) => entry.0.push(event),
        }
        Ok(())
    });
    (ended, heard)
}

fn bytes_of(events: &[Event]) -> Vec<u8> {
    let piece = |event: &Event| match event {
        Event::Bytes { bytes, .. } => bytes.clone(),
        other => panic!("not bytes: {other:?}"),
    };
    events.iter().map(piece).collect::<Vec<_>>().concat()
}

fn text_of(events: &[Event]) -> String {
    let piece = |event: &Event| if let Event::Text { segment, .. } = event { segment.text.clone() } else { String::new() };
    events.iter().map(piece).collect()
}

/// Bytes that differ from item to item and place to place.
fn some_bytes(item: usize, length: usize) -> Vec<u8> {
    let period: Vec<_> = (0..251).map(|at| (at + item * 7) as u8).collect();
    let mut bytes = period.repeat(length.div_ceil(period.len()));
    bytes.truncate(length);
    bytes
}

fn sixty_four_items_of_a_mebibyte_come_back_whole_and_in_order() {
    let inputs: Vec<_> = (0..LEASE).map(|n| some_bytes(n, (1 << 20) - n)).collect();
    let lease: Vec<_> = inputs.iter().map(|bytes| item("echo", ItemInput::Bytes(bytes))).collect();
    let (ended, heard) = read(&mut worker(LIMITS), &lease);
    assert_eq!(ended, Ended::Done);
    for (input, (events, done)) in inputs.iter().zip(heard) {
        assert!(done && bytes_of(&events) == *input);
    }
    assert_eq!(read(&mut worker(LIMITS), &[]).0, Ended::Done);
    let (large, limits) = (some_bytes(1, 30 << 20), Limits { output: 1 << 30, ..LIMITS });
    let lease = [item("echo", ItemInput::Bytes(&large)), item("echo", ItemInput::Bytes(b"")), item("echo", ItemInput::Bytes(b"x"))];
    let (ended, heard) = read(&mut worker(limits), &lease);
    assert_eq!(ended, Ended::Done);
    assert!(bytes_of(&heard[0].0) == large && heard[1].0.is_empty() && bytes_of(&heard[2].0) == b"x");
}

fn files_reach_the_items_they_belong_to() {
    let folder = tempfile::tempdir().unwrap();
    let inputs: Vec<_> = (0..LEASE).map(|n| some_bytes(n, n * 100)).collect();
    let files: Vec<_> = inputs.iter().enumerate().map(|(n, bytes)| file_of(&folder.path().join(n.to_string()), bytes)).collect();
    let either = |n: usize| if n.is_multiple_of(3) { ItemInput::Bytes(&inputs[n]) } else { ItemInput::File(&files[n]) };
    let lease: Vec<_> = (0..LEASE).map(|n| item("echo", either(n))).collect();
    let (ended, heard) = read(&mut worker(LIMITS), &lease);
    assert_eq!(ended, Ended::Done);
    for (input, (events, done)) in inputs.iter().zip(heard) {
        assert!(done && bytes_of(&events) == *input);
    }
}

fn file_of(path: &std::path::Path, bytes: &[u8]) -> File {
    fs::write(path, bytes).unwrap();
    File::open(path).unwrap()
}

fn a_file_of_100_mb_is_read_in_flat_memory() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("large");
    let mut writing = File::create(&path).unwrap();
    (0..100).for_each(|_| writing.write_all(&[3; 1_000_000]).unwrap());
    let file = File::open(&path).unwrap();
    let mut peak = 0;
    let ended = worker(LIMITS).read(&[item("sum", ItemInput::File(&file))], &mut |_, said| {
        said.check(|said| {
            if let Said::Event(event) = said {
                let text = text_of(&[event]);
                let (sum, process) = text.split_once(' ').unwrap();
                assert_eq!(sum, "300000000");
                let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
                let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
                peak = line.trim().trim_end_matches(" kB").parse::<u64>().unwrap();
            }
            Ok(())
        })
    });
    assert_eq!(ended, Ended::Done);
    assert!((1..32 << 10).contains(&peak), "{peak} KiB");
}

fn nothing_crosses_a_lease() {
    let lease: Vec<_> = (0..LEASE + 2).map(|_| item("pid", ItemInput::Bytes(b""))).collect();
    let mut worker = worker(LIMITS);
    let (first, second) = (read(&mut worker, &lease), read(&mut worker, &lease));
    assert_eq!((first.0, second.0), (Ended::Done, Ended::Done));
    let mut processes: Vec<_> = first.1.iter().chain(&second.1).map(|(events, _)| text_of(events)).collect();
    assert!(processes[..LEASE].iter().all(|process| *process == processes[0]));
    processes.dedup();
    assert_eq!(processes.len(), 4, "{processes:?}");
}

/// What a reader has in memory and changes.
static COUNTED: AtomicU32 = AtomicU32::new(0);

fn what_a_lease_leaves_in_memory_is_its_own() {
    let lease = [item("count", ItemInput::Bytes(b"")), item("count", ItemInput::Bytes(b""))];
    let mut worker = worker(LIMITS);
    for _ in 0..3 {
        let (ended, heard) = read(&mut worker, &lease);
        assert_eq!(ended, Ended::Done);
        assert_eq!(heard.iter().map(|(events, _)| text_of(events)).collect::<Vec<_>>(), ["0", "1"]);
    }
}

fn a_zygote_that_was_killed_is_replaced() {
    let mut worker = worker(LIMITS);
    for _ in 0..2 {
        assert_eq!(read(&mut worker, &[item("echo", ItemInput::Bytes(b"x"))]).0, Ended::Done);
        let own = std::process::id().to_string();
        let processes = fs::read_dir("/proc").unwrap().filter_map(|entry| entry.unwrap().file_name().to_str()?.parse::<i32>().ok());
        let zygotes: Vec<i32> = processes
            .filter(|process| fs::read(format!("/proc/{process}/cmdline")).is_ok_and(|line| line.ends_with(b"\0zygote\0")))
            .filter(|process| fs::read_to_string(format!("/proc/{process}/stat")).is_ok_and(|stat| stat.split(' ').nth(3) == Some(&own)))
            .collect();
        assert_eq!(zygotes.len(), 1);
        rustix::process::kill_process(rustix::process::Pid::from_raw(zygotes[0]).unwrap(), rustix::process::Signal::KILL).unwrap();
    }
}

fn a_worker_starts_with_nothing() {
    let file = File::open(env::current_exe().unwrap()).unwrap();
    let lease = [item("surroundings", ItemInput::File(&file)), item("pid", ItemInput::File(&file))];
    let mut seen = String::new();
    let ended = worker(LIMITS).read(&lease, &mut |item, said| {
        said.check(|said| {
            match (item, said) {
                (0, Said::Event(event)) => assert_eq!(text_of(&[event]), "[]", "no environment"),
                // It waits for more, and can be looked at.
                (1, Said::Event(event)) => seen = surroundings(&text_of(&[event])),
                _ => {}
            }
            Ok(())
        })
    });
    assert_eq!(ended, Ended::Done);
    // The input of the last item may be closed by now.
    assert!(seen == "/ 3 /dev/null" || seen == "/ 4 /dev/null", "{seen}");
}

/// The folder of a process, how many descriptors it has, and where its errors go.
fn surroundings(process: &str) -> String {
    let of = |what: &str| format!("/proc/{process}/{what}");
    let folder = fs::read_link(of("cwd")).unwrap();
    let descriptors = fs::read_dir(of("fd")).unwrap().count();
    format!("{} {descriptors} {}", folder.display(), fs::read_link(of("fd/2")).unwrap().display())
}

fn whatever_kills_a_reader_is_named_and_its_neighbours_are_kept() {
    let brief = Limits { wall_base: Duration::from_millis(1500), ..LIMITS };
    let garbled = |why: &str| Death::Garbled(why.into());
    let cases = [
        ("panic", LIMITS, Death::Exit(101)),
        ("abort", LIMITS, Death::Signal(6)),
        ("exit", LIMITS, Death::Exit(7)),
        ("stop", LIMITS, Death::Exit(1)),
        ("deep", LIMITS, Death::Signal(6)),
        ("greedy", LIMITS, Death::Signal(6)),
        ("hang", brief, Death::TooSlow(brief.wall_base)),
        ("stuck", brief, Death::TooSlow(brief.wall_base)),
        ("processor", brief, Death::TooSlow(brief.wall_base)),
        ("flood", LIMITS, Death::TooMuch(LIMITS.output)),
        ("trickle", LIMITS, Death::TooMuch(LIMITS.output)),
        ("long frame", LIMITS, garbled("a frame longer than its kind allows")),
        ("unknown frame", LIMITS, garbled("a frame of an unknown kind")),
        ("parent's frame", LIMITS, garbled("a frame of a kind that only a parent sends")),
        ("second greeting", LIMITS, garbled("a greeting of another version")),
        ("late refusal", LIMITS, garbled("a refusal to begin after it had begun")),
        ("half a frame", LIMITS, Death::Exit(0)),
    ];
    for (behaviour, limits, how) in cases {
        let mut worker = worker(limits);
        let around = |behaviour| ["echo", "echo", behaviour, "echo"].map(|word| item(word, ItemInput::Bytes(b"neighbour")));
        let (ended, heard) = read(&mut worker, &around(behaviour));
        assert_eq!(ended, Ended::Died { item: 2, how }, "{behaviour}");
        assert!(heard[..2].iter().all(|(events, done)| *done && bytes_of(events) == b"neighbour"), "{behaviour}");
        assert!(!heard[2].1 && !heard[3].1 && heard[3].0.is_empty(), "{behaviour}");
        assert_eq!(read(&mut worker, &around("pid")).0, Ended::Done, "after {behaviour}");
    }
}

fn a_captured_reader_gets_nowhere_and_its_neighbours_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let (written, new) = (folder.path().join("written"), folder.path().join("new"));
    fs::write(&written, "as it was").unwrap();
    let (path, none) = (written.to_str().unwrap(), "");
    // What looks for a file is told no, since libraries do in good faith; anything else is the end of the reader.
    let (told, ended) = (Death::Exit(1), Death::Forbidden);
    let cases = [
        ("open /etc/passwd", none, &told),
        ("open the input", none, &told),
        ("list /", none, &told),
        ("append to a file", path, &told),
        ("make a file", new.to_str().unwrap(), &told),
        ("remove a file", path, &ended),
        ("rename a file", path, &ended),
        ("connect", none, &ended),
        ("send", none, &ended),
        ("talk to a neighbour", none, &ended),
        ("pair", none, &ended),
        ("spawn", none, &ended),
        ("thread", none, &ended),
        ("fork", none, &ended),
        ("exec", none, &ended),
        ("raise a limit", none, &ended),
        ("move a position", none, &ended),
        ("ring", none, &ended),
        ("code", none, &ended),
        ("leave", none, &ended),
        ("be two", none, &ended),
        ("every descriptor", none, &ended),
    ];
    for (planted, target, how) in cases {
        let around = [("echo", "neighbour"), (planted, target), ("echo", "neighbour")];
        let lease = around.map(|(word, bytes)| item(word, ItemInput::Bytes(bytes.as_bytes())));
        let mut worker = worker(LIMITS);
        let (ended, heard) = read(&mut worker, &lease);
        assert_eq!(ended, Ended::Died { item: 1, how: how.clone() }, "{planted}");
        assert!(heard[0].1 && bytes_of(&heard[0].0) == b"neighbour" && heard[1] == (Vec::new(), false), "{planted}: {heard:?}");
        let (ended, heard) = read(&mut worker, &lease[2..]);
        assert!(ended == Ended::Done && bytes_of(&heard[0].0) == b"neighbour", "after {planted}");
    }
    assert_eq!((fs::read(&written).unwrap().as_slice(), new.exists()), (&b"as it was"[..], false));
}

fn a_captured_reader_leaves_another_lease_alone() {
    let attacks = ["memory of another", "output of another", "kill", "trace", "write memory", "hold"];
    let steady = ["pid", "steady", "echo"].map(|word| item(word, ItemInput::Bytes(b"mine")));
    let mut process = None;
    let mut heard: Heard = steady.iter().map(|_| (Vec::new(), false)).collect();
    // The victim is attacked while it has said who it is and has more to say.
    let ended = worker(LIMITS).read(&steady, &mut |at, said| {
        match said.check(Ok::<_, ()>).unwrap() {
            Said::Done => heard[at].1 = true,
            Said::Event(event) => heard[at].0.push(event),
        }
        if process.is_none() {
            let victim = text_of(&heard[0].0);
            for attack in attacks {
                let (ended, said) = read(&mut worker(LIMITS), &[item(attack, ItemInput::Bytes(victim.as_bytes()))]);
                assert!(matches!(ended, Ended::Died { item: 0, how: Death::Exit(1) | Death::Forbidden }), "{attack}: {ended:?}");
                assert_eq!(said, [(Vec::new(), false)], "{attack}");
            }
            process = Some(victim);
        }
        Ok(())
    });
    assert_eq!(ended, Ended::Done);
    assert!(heard.iter().all(|(_, done)| *done) && heard[1].0.len() == 12 && bytes_of(&heard[2].0) == b"mine", "{heard:?}");
}

fn every_layer_is_proven_from_inside() {
    let report = examine(&Reader { program: env::current_exe().unwrap(), args: vec!["worker".into()] });
    assert!(report.holds(), "{report:?}");
    let alone = |probe| report.findings.iter().find(|finding| finding.probe == probe).unwrap().alone.clone();
    for probe in Probe::ALL {
        let last = if matches!(probe, Probe::Memory | Probe::Time) { Layer::Limits } else { Layer::Seccomp };
        assert!(alone(probe).contains(&last), "{probe:?} is refused by {:?}", alone(probe));
    }
    let caged = report.caged.unwrap();
    for probe in [Probe::File, Probe::Folder, Probe::Write] {
        assert_eq!(alone(probe).contains(&Layer::Landlock), caged.landlock > 0, "{probe:?}");
    }
    for probe in [Probe::Connect, Probe::Send] {
        assert_eq!(alone(probe).contains(&Layer::Namespaces), caged.namespaces, "{probe:?}");
    }
    println!("{caged:?}");
}

/// A worker that says it is caged and is not.
fn say_that_all_was_done() -> ExitCode {
    shout(&[16, 3, 0, 0, 0, 5, 0, 0, 19, 1, 0, 0, 0, 0]).map_or(ExitCode::FAILURE, |()| {
        let _ = io::stdin().read(&mut [0; 64]);
        ExitCode::SUCCESS
    })
}

/// A program that is asked for copies of itself and starts uncaged ones.
fn start_uncaged() -> ExitCode {
    use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendFlags, recvmsg, send};
    loop {
        let (mut byte, mut space) = ([0], [std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(2))]);
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let received = recvmsg(io::stdin(), &mut [io::IoSliceMut::new(&mut byte)], &mut control, RecvFlags::empty()).unwrap();
        if received.bytes == 0 {
            return ExitCode::SUCCESS;
        }
        let Some(RecvAncillaryMessage::ScmRights(mut ends)) = control.drain().next() else { return ExitCode::FAILURE };
        let mut uncaged = Command::new(env::current_exe().unwrap());
        uncaged.arg("uncaged").stdin(Stdio::from(ends.next().unwrap())).stdout(Stdio::from(ends.next().unwrap()));
        send(io::stdin(), &uncaged.spawn().unwrap().id().to_le_bytes(), SendFlags::empty()).unwrap();
    }
}

fn a_cage_with_a_hole_reads_nothing() {
    let mut worker = Worker::new(Reader { program: env::current_exe().unwrap(), args: vec!["uncaged".into()] }, LIMITS);
    let (ended, heard) = read(&mut worker, &[item("echo", ItemInput::Bytes(b"x"))]);
    let Ended::Died { item: 0, how: Death::NotStarted(why) } = ended else { panic!("{ended:?}") };
    assert!(why.contains("has a hole: it could read a file"), "{why}");
    assert_eq!(heard, [(Vec::new(), false)]);
}

const TOOL_LIMITS: ToolLimits = ToolLimits { wall: Duration::from_secs(60), output: 1 << 20, folder: 1 << 20, memory: 4 << 30 };

/// This program as a tool; the first argument says how it behaves. It must be readable, since it lies outside the system's folders.
fn tool(args: &[&str], scratch: &tempfile::TempDir) -> Tool {
    let args = ["tool"].iter().chain(args).map(Into::into).collect();
    Tool { program: env::current_exe().unwrap(), args, reads: Vec::new(), scratch: scratch.path().into() }
}

fn play_tool() -> ExitCode {
    let words: Vec<_> = env::args().skip(2).collect();
    let target = words.get(1).map_or("", String::as_str);
    let result = match words[0].as_str() {
        "copy" => io::copy(&mut io::stdin(), &mut io::stdout()).map(drop),
        "variables" => {
            print!("{:?}", env::vars().map(|(name, _)| name).collect::<Vec<_>>());
            Ok(())
        }
        "make" => fs::write("made", "by the tool").and_then(|()| fs::create_dir("folder")).and_then(|()| fs::write("folder/b", "2")),
        "thread" => std::thread::Builder::new().spawn(|| ()).map(|thread| thread.join().unwrap()),
        "link" => std::os::unix::fs::symlink("/etc/passwd", "link"),
        "read" => fs::read(target).map(drop),
        "write" => OpenOptions::new().append(true).open(target).map(drop),
        "create" => File::create_new(target).map(drop),
        "connect" => TcpStream::connect("127.0.0.1:9").map(drop),
        "spawn" => Command::new("/bin/true").spawn().map(drop),
        "exec" => Err(std::os::unix::process::CommandExt::exec(&mut Command::new("/bin/true"))),
        "signal" => rustix::process::test_kill_process(rustix::process::getppid().unwrap()).map_err(io::Error::from),
        "alone" => raw(libc::SYS_setsid, [0, 0, 0]),
        "hang" => loop {
            sleep(Duration::from_secs(1));
        },
        "flood" => forever(|| shout(&[b'x'; 4096])).map_err(|Stop| io::ErrorKind::BrokenPipe.into()),
        "fill" => (0..).try_for_each(|n: u32| fs::write(n.to_string(), [0; 4096]).map(|()| sleep(Duration::from_millis(1)))),
        "fill one" => fs::write("one", vec![0; 2 << 20]),
        "fail" => Err(io::Error::other("no good")),
        other => panic!("no such behaviour: {other}"),
    };
    result.map_or_else(
        |error| {
            io::stderr().write_all(error.to_string().as_bytes()).unwrap();
            ExitCode::FAILURE
        },
        |()| ExitCode::SUCCESS,
    )
}

/// Where the kernel has no Landlock.
fn no_tool_is_run_here() -> bool {
    let scratch = tempfile::tempdir().unwrap();
    let missing = Tool::can_be_caged().is_err();
    let run = tool(&["copy"], &scratch).run(ToolInput::Bytes(b""), &TOOL_LIMITS);
    assert_eq!(matches!(run, Err(ToolDeath::NotRun(_))), missing, "{run:?}");
    missing
}

fn a_tool_is_run_in_its_cage() {
    if no_tool_is_run_here() {
        return;
    }
    let scratch = tempfile::tempdir().unwrap();
    let large = some_bytes(3, 900_000);
    let run = |args: &[&str], input| tool(args, &scratch).run(input, &TOOL_LIMITS).unwrap();
    assert!(run(&["copy"], ToolInput::Bytes(&large)).stdout == large);
    let path = scratch.path().join("input");
    let mut file = file_of(&path, &large);
    file.read_exact(&mut [0; 10]).unwrap();
    assert!(run(&["copy"], ToolInput::File(&file)).stdout == large, "from its beginning");
    assert_eq!(
        String::from_utf8(run(&["variables"], ToolInput::Bytes(b"")).stdout).unwrap(),
        r#"["HOME", "LC_ALL", "OMP_THREAD_LIMIT", "TMPDIR"]"#
    );
    run(&["thread"], ToolInput::Bytes(&large));
    let made = run(&["make"], ToolInput::Bytes(b"")).folder;
    let names: Vec<_> = made.files(10).unwrap().iter().map(|path| path.strip_prefix(made.path()).unwrap().display().to_string()).collect();
    assert_eq!(names, ["folder/b", "made"]);
    assert!(made.files(2).is_err() && made.open("made").is_ok() && made.open("folder").is_err() && made.open("../input").is_err());
    let inside = made.path().to_owned();
    drop(made);
    assert!(!inside.exists(), "it goes when it is no longer needed");
    let prepared = PrivateFolder::make(scratch.path()).unwrap();
    fs::write(prepared.path().join("mine"), "x").unwrap();
    assert!(tool(&["read", "mine"], &scratch).run_in(prepared, ToolInput::Bytes(b""), &TOOL_LIMITS).is_ok());
    let target = scratch.path().join("output");
    let output = || File::create(&target).unwrap();
    tool(&["copy"], &scratch).run_into(output(), ToolInput::Bytes(&large), &TOOL_LIMITS).unwrap();
    assert!(fs::read(&target).unwrap() == large);
    let little = ToolLimits { folder: 70_000, ..TOOL_LIMITS };
    let death = tool(&["copy"], &scratch).run_into(output(), ToolInput::Bytes(&large), &little).unwrap_err();
    assert_eq!((death, fs::metadata(&target).unwrap().len()), (ToolDeath::FolderFull(70_000), 70_000), "what it wrote stays");
    let outside = Tool { reads: vec![path.clone()], ..tool(&["read", path.to_str().unwrap()], &scratch) };
    assert!(outside.run(ToolInput::Bytes(b""), &TOOL_LIMITS).is_ok(), "what it is told that it may read");
}

fn a_captured_tool_gets_nowhere() {
    if no_tool_is_run_here() {
        return;
    }
    let scratch = tempfile::tempdir().unwrap();
    let path = scratch.path().join("private");
    fs::write(&path, "x").unwrap();
    let (path, new) = (path.to_str().unwrap(), scratch.path().join("new"));
    for line in [
        &["read", "/etc/passwd"][..],
        &["read", path],
        &["read", "../private"],
        &["read", "/proc/self/status"],
        &["write", path],
        &["create", new.to_str().unwrap()],
        &["connect"],
        &["spawn"],
        &["exec"],
        &["alone"],
        &["signal"],
        &["link"],
    ] {
        let died = tool(line, &scratch).run(ToolInput::Bytes(b""), &TOOL_LIMITS).unwrap_err();
        let refused = |why: &str| why.contains("denied") || why.contains("not permitted");
        assert!(matches!(&died, ToolDeath::Exit(1, why) if refused(why)), "{line:?}: {died}");
    }
    assert!(!new.exists());
}

fn a_tool_is_held_to_its_limits() {
    if no_tool_is_run_here() {
        return;
    }
    let scratch = tempfile::tempdir().unwrap();
    let brief = ToolLimits { wall: Duration::from_millis(500), ..TOOL_LIMITS };
    let run = |args: &[&str], limits| tool(args, &scratch).run(ToolInput::Bytes(&[0; 1 << 20]), limits).unwrap_err();
    assert_eq!(run(&["hang"], &brief), ToolDeath::TooSlow(brief.wall));
    assert_eq!(run(&["flood"], &TOOL_LIMITS), ToolDeath::TooMuch(1 << 20));
    assert_eq!(run(&["fill"], &TOOL_LIMITS), ToolDeath::FolderFull(1 << 20));
    assert_eq!(run(&["fill one"], &TOOL_LIMITS), ToolDeath::FolderFull(1 << 20));
    assert_eq!(run(&["fail"], &TOOL_LIMITS), ToolDeath::Exit(1, "no good".into()));
    let missing = Tool { program: "/no/such/tool".into(), ..tool(&[], &scratch) };
    assert!(matches!(missing.run(ToolInput::Bytes(b""), &TOOL_LIMITS), Err(ToolDeath::NotRun(_))));
    assert_eq!(fs::read_dir(scratch.path()).unwrap().count(), 0, "nothing is left");
}

fn a_container_that_comes_further_is_waited_for() {
    let limits = Limits { wall_base: Duration::from_secs(1), ..LIMITS };
    let (ended, heard) = read(&mut worker(limits), &[item("steady", ItemInput::Bytes(b""))]);
    assert_eq!((ended, heard[0].0.len()), (Ended::Done, 12));
}

fn a_file_that_could_be_written_is_not_handed_over() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    fs::write(&path, "x").unwrap();
    let open = OpenOptions::new().read(true).write(true).open(&path).unwrap();
    for unfit in [open, File::open(folder.path()).unwrap()] {
        let lease = [item("echo", ItemInput::Bytes(b"before")), item("echo", ItemInput::File(&unfit))];
        let (ended, heard) = read(&mut worker(LIMITS), &lease);
        assert!(matches!(ended, Ended::Died { item: 1, how: Death::NotStarted(_) }), "{ended:?}");
        assert!(heard[0].1 && heard[1].0.is_empty());
    }
}

fn a_program_that_is_no_worker_reads_nothing() {
    for program in ["/no/such/program", "/bin/true", "/bin/cat", "/proc/self/status"] {
        let mut worker = Worker::new(Reader { program: program.into(), args: Vec::new() }, LIMITS);
        let (ended, heard) = read(&mut worker, &[item("echo", ItemInput::Bytes(b"x"))]);
        assert!(matches!(ended, Ended::Died { item: 0, how: Death::NotStarted(_) }), "{program}: {ended:?}");
        assert_eq!(heard, [(Vec::new(), false)]);
    }
}

fn two_hundred_deaths_leave_no_descriptor_and_no_zombie() {
    let descriptors = || fs::read_dir("/proc/self/fd").unwrap().count();
    let mut worker = worker(LIMITS);
    let before = descriptors();
    let file = File::open(env::current_exe().unwrap()).unwrap();
    for number in 0..200 {
        match number % 3 {
            0 => assert_ne!(read(&mut worker, &[item("exit", ItemInput::File(&file))]).0, Ended::Done),
            1 => assert_eq!(worker.read(&[item("flood", ItemInput::Bytes(b""))], &mut |_, _| Err(Stop)), Ended::Stopped),
            _ => assert_eq!(read(&mut worker, &[item("echo", ItemInput::Bytes(b""))]).0, Ended::Done),
        }
    }
    drop((file, worker));
    assert_eq!(descriptors(), before);
    let children = rustix::process::wait(rustix::process::WaitOptions::NOHANG);
    assert_eq!(children.unwrap_err(), rustix::io::Errno::CHILD);
}

/// Prints the worker's process id, then waits for it in vain.
fn wait_for_a_hanging_worker() -> ExitCode {
    worker(LIMITS).read(&[item("hang", ItemInput::Bytes(b""))], &mut |_, said| {
        said.check(|said| {
            if let Said::Event(Event::Text { segment: Segment { text, .. }, .. }) = said {
                println!("{text}");
            }
            Ok(())
        })
    });
    ExitCode::FAILURE
}

fn a_worker_dies_with_its_parent() {
    let mut parent = Command::new(env::current_exe().unwrap()).arg("parent").stdout(Stdio::piped()).spawn().unwrap();
    let mut process = String::new();
    BufReader::new(parent.stdout.take().unwrap()).read_line(&mut process).unwrap();
    let status = format!("/proc/{}/status", process.trim());
    assert!(fs::read_to_string(&status).is_ok());
    parent.kill().unwrap();
    parent.wait().unwrap();
    // It may stay as a zombie where nobody collects orphans.
    let lives = || fs::read_to_string(&status).is_ok_and(|status| !status.contains("State:\tZ"));
    for _ in 0..1000 {
        if !lives() {
            return;
        }
        sleep(Duration::from_millis(10));
    }
    panic!("the worker outlived its parent");
}
