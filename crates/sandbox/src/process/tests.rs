//! The parent and its workers, checked with readers that do what a captured reader would. Without arguments this program runs the checks; its
//! first argument makes it play a worker, or a parent that is killed.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use daylight_model::Name;
use daylight_model::reading::{Event, Input, Label, Request, Segment, Sink, Stop, Task};
use daylight_sandbox::{Death, Ended, Item, ItemInput, LEASE, Limits, Reader, Said, Worker, worker_main};
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::process::{Command, ExitCode, Stdio};
use std::thread::sleep;
use std::time::Duration;
use std::{env, panic};

fn main() -> ExitCode {
    match env::args().nth(1).as_deref() {
        Some("worker") => worker_main(play),
        Some("parent") => wait_for_a_hanging_worker(),
        Some("--list") => ExitCode::SUCCESS,
        _ => run_checks(),
    }
}

const CHECKS: [(&str, fn()); 11] = [
    ("sixty_four_items_of_a_mebibyte_come_back_whole_and_in_order", sixty_four_items_of_a_mebibyte_come_back_whole_and_in_order),
    ("files_reach_the_items_they_belong_to", files_reach_the_items_they_belong_to),
    ("a_file_of_100_mb_is_read_in_flat_memory", a_file_of_100_mb_is_read_in_flat_memory),
    ("nothing_crosses_a_lease", nothing_crosses_a_lease),
    ("a_worker_starts_with_nothing", a_worker_starts_with_nothing),
    ("whatever_kills_a_reader_is_named_and_its_neighbours_are_kept", whatever_kills_a_reader_is_named_and_its_neighbours_are_kept),
    ("a_container_that_comes_further_is_waited_for", a_container_that_comes_further_is_waited_for),
    ("a_file_that_could_be_written_is_not_handed_over", a_file_that_could_be_written_is_not_handed_over),
    ("a_program_that_is_no_worker_reads_nothing", a_program_that_is_no_worker_reads_nothing),
    ("two_hundred_deaths_leave_no_descriptor_and_no_zombie", two_hundred_deaths_leave_no_descriptor_and_no_zombie),
    ("a_worker_dies_with_its_parent", a_worker_dies_with_its_parent),
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
        "surroundings" => say(sink, surroundings()),
        "write" => write(input),
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
        "second greeting" => shout(&[16, 1, 0, 0, 0, 1]),
        "half a frame" => shout(&[38, 9, 0, 0, 0, b'x']).and_then(|()| std::process::exit(0)),
        other => panic!("no such behaviour: {other}"),
    }
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

/// Says the sum of the bytes, and the most memory the worker ever had, in KiB.
fn sum(input: &dyn Input, sink: &mut dyn Sink) -> Result<(), Stop> {
    let mut sum = 0;
    pieces(input, |bytes| {
        sum += bytes.iter().map(|byte| u64::from(*byte)).sum::<u64>();
        Ok(())
    })?;
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    say(sink, format!("{sum} {}", peak.trim().trim_end_matches(" kB")))
}

/// The environment, the folder, the open descriptors (of which one is the list itself), and where errors go.
fn surroundings() -> String {
    let variables: Vec<_> = env::vars_os().collect();
    let descriptors = fs::read_dir("/proc/self/fd").unwrap().count() - 1;
    let errors = fs::read_link("/proc/self/fd/2").unwrap();
    format!("{variables:?} {:?} {descriptors} {errors:?}", env::current_dir().unwrap())
}

/// Writes to the file that the input names.
fn write(input: &dyn Input) -> Result<(), Stop> {
    let path = std::str::from_utf8(input.in_memory().unwrap()).unwrap();
    OpenOptions::new().append(true).open(path).and_then(|mut file| file.write_all(b"more")).map_err(|_| Stop)
}

const LIMITS: Limits = Limits { wall_base: Duration::from_secs(60), wall_per_mib: Duration::ZERO, output: 8 << 20, memory: 1 << 30 };

fn worker(limits: Limits) -> Worker {
    Worker::new(Reader { program: env::current_exe().unwrap(), args: vec!["worker".into()] }, limits)
}

fn item<'a>(behaviour: &str, input: ItemInput<'a>) -> Item<'a> {
    let task = Task::Read { start: 0, skip_first: false };
    Item { request: Request { task, name: Name::from(behaviour), budget: 1 << 30 }, input }
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
    let (ended, heard) = read(&mut worker(LIMITS), &[item("sum", ItemInput::File(&file))]);
    assert_eq!(ended, Ended::Done);
    let text = text_of(&heard[0].0);
    let (sum, peak) = text.split_once(' ').unwrap();
    assert_eq!(sum, "300000000");
    assert!(peak.parse::<u64>().unwrap() < 32 << 10, "{peak} KiB");
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

fn a_worker_starts_with_nothing() {
    let file = File::open(env::current_exe().unwrap()).unwrap();
    let (ended, heard) = read(&mut worker(LIMITS), &[item("surroundings", ItemInput::File(&file))]);
    assert_eq!(ended, Ended::Done);
    assert_eq!(text_of(&heard[0].0), r#"[] "/" 5 "/dev/null""#, "beside the first three: the output again, and the input");

    let written = tempfile::NamedTempFile::new().unwrap();
    let path = written.path().to_str().unwrap();
    let (ended, _) = read(&mut worker(LIMITS), &[item("write", ItemInput::Bytes(path.as_bytes()))]);
    assert_eq!(ended, Ended::Died { item: 0, how: Death::Signal(25) }, "SIGXFSZ: a worker writes no file");
    assert_eq!(fs::read(path).unwrap(), b"");
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
        ("hang", brief, Death::TooSlow),
        ("stuck", brief, Death::TooSlow),
        ("flood", LIMITS, Death::TooMuch),
        ("trickle", LIMITS, Death::TooMuch),
        ("long frame", LIMITS, garbled("a frame longer than its kind allows")),
        ("unknown frame", LIMITS, garbled("a frame of an unknown kind")),
        ("parent's frame", LIMITS, garbled("a frame of a kind that only a parent sends")),
        ("second greeting", LIMITS, garbled("a greeting of another version")),
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
    drop(file);
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
