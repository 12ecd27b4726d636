//! What bad input gets. Whatever it is: no crash, nothing lost in silence, and everything beside it still read.

use crate::support::{SmallDisk, Spoken, daylight, demo, program, skip, workplace};
use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

const GOOD: &str =
    "From: good@x.example\nTo: b@x.example\nSubject: beside it\nDate: Mon, 4 May 2015 10:00:00 +0000\nMessage-ID: <good@x>\n\nunharmed\n";

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A desk, and a trove that holds one good message and whatever a test adds.
struct Case {
    work: TempDir,
}

impl Case {
    fn new() -> Self {
        let case = Self { work: workplace() };
        case.put("good.eml", GOOD);
        daylight(["init", path(&case.desk())]).code(0);
        case
    }

    fn desk(&self) -> std::path::PathBuf {
        self.work.path().join("desk")
    }

    fn trove(&self) -> std::path::PathBuf {
        self.work.path().join("trove")
    }

    fn put(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let file = self.trove().join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, bytes).unwrap();
    }

    /// Reads the trove: that must always end well, and the good message be found.
    #[track_caller]
    fn read(&self) -> serde_json::Value {
        let summary = daylight(["ingest", path(&self.desk()), path(&self.trove()), "--collection", "c", "--json"]).code(0).json();
        assert_eq!(self.total("unharmed"), 1, "{summary}");
        summary
    }

    #[track_caller]
    fn total(&self, query: &str) -> u64 {
        daylight(["search", path(&self.desk()), query, "--json"]).json()["total"].as_u64().unwrap()
    }

    #[track_caller]
    fn faults(&self) -> String {
        daylight(["faults", path(&self.desk()), "--all"]).code(0).text()
    }
}

#[test]
fn an_empty_file_is_listed_as_empty() {
    let case = Case::new();
    case.put("nothing.eml", "");
    case.put("nothing.mbox", "");
    assert_eq!(case.read()["messages"], 1);
    assert!(case.faults().matches("empty").count() >= 1, "{}", case.faults());
    let table = daylight(["faults", path(&case.desk()), "--csv"]).code(0).text();
    assert!(table.starts_with("id,title,reason,stage,tool,detail,limit,at\n") && table.contains(",nothing.eml,empty,"), "{table}");
}

#[test]
fn a_mailbox_cut_off_within_a_message_gives_what_is_there() {
    let case = Case::new();
    let mut mailbox = String::new();
    for n in 0..50 {
        write!(
            mailbox,
            "From a@x.example Mon May  4 10:00:00 2015\n{}\n",
            GOOD.replace("good@x>", &format!("{n}@x>")).replace("unharmed", &format!("cutmark{n}"))
        )
        .unwrap();
    }
    mailbox.truncate(mailbox.len() - 120);
    case.put("cut.mbox", mailbox);
    // The good one beside it, 49 whole ones, and a stump, which is kept as what it is.
    assert_eq!(case.read()["messages"], 50);
    assert_eq!((case.total("cutmark48"), case.total("cutmark49")), (1, 0));
    assert!(case.faults().contains("truncated"), "{}", case.faults());
}

#[test]
fn a_message_of_200_mb_a_header_of_10_mb_and_50_000_recipients_are_read_within_limits() {
    let case = Case::new();
    let line = "a line of a very long message, of which there are many\n";
    case.put(
        "long.eml",
        format!(
            "{}{}the very end\n",
            GOOD.replace("good@x>", "long@x>").replace("unharmed", "beginning"),
            line.repeat(200_000_000 / line.len())
        ),
    );
    case.put(
        "header.eml",
        format!("X-Long: {}\n{}", "x".repeat(10_000_000), GOOD.replace("good@x>", "header@x>").replace("unharmed", "underlong")),
    );
    let recipients: Vec<String> = (0..50_000).map(|n| format!("person{n}@many.example")).collect();
    case.put(
        "recipients.eml",
        GOOD.replace("b@x.example", &recipients.join(",\n ")).replace("good@x>", "many@x>").replace("unharmed", "recipientful"),
    );
    assert_eq!(case.read()["messages"], 4);
    for word in ["beginning", "underlong", "recipientful", "to:person49.many.example OR recipientful"] {
        assert_eq!(case.total(word), 1, "{word}\n{}", case.faults());
    }
    let id = daylight(["search", path(&case.desk()), "beginning", "--json"]).json()["hits"][0]["id"].as_str().unwrap().to_owned();
    let raw = daylight(["show", path(&case.desk()), &id, "--raw"]).code(0).stdout;
    assert!(raw == fs::read(case.trove().join("long.eml")).unwrap(), "the long message did not come back as it was");
}

#[test]
fn mime_nested_10_000_deep_ends_at_the_limit_and_says_so() {
    let case = Case::new();
    let mut deep = GOOD.replace("good@x>", "deep@x>").replace("\n\nunharmed\n", "\nMIME-Version: 1.0\n");
    for n in 0..10_000 {
        write!(deep, "Content-Type: multipart/mixed; boundary=\"b{n}\"\n\n--b{n}\n").unwrap();
    }
    deep.push_str("Content-Type: text/plain\n\nbottom\n");
    case.put("deep.eml", deep);
    let matryoshka = (0..2_000).fold(GOOD.to_owned(), |inner, n| format!("Subject: layer {n}\nContent-Type: message/rfc822\n\n{inner}"));
    case.put("dolls.eml", matryoshka.replace("unharmed", "innermost"));
    case.read();
    assert!(case.faults().contains("nested too deep"), "{}", case.faults());
}

#[test]
fn a_zip_whose_names_climb_out_writes_nothing_outside_and_is_read_all_the_same() {
    let case = Case::new();
    let script = "import sys, zipfile\nz = zipfile.ZipFile(sys.argv[1], 'w')\nfor n in ['../../climbed.eml', '/tmp/climbed-absolute.eml', 'a\\\\..\\\\b.eml', 'x\\0y.eml', 'ok/fine.eml']: z.writestr(n, sys.argv[2].replace('good@x', n.replace('\\0', '')).replace('unharmed', 'climber'))\nz.close()";
    let made = Command::new("python3").args(["-c", script]).arg(case.trove().join("slip.zip")).arg(GOOD).status();
    if !made.is_ok_and(|status| status.success()) {
        return skip("no python3");
    }
    case.read();
    assert_eq!(case.total("climber"), 5, "{}", case.faults());
    assert!(case.faults().contains("unsafe name"), "{}", case.faults());
    assert!(!case.work.path().join("climbed.eml").exists() && !Path::new("/tmp/climbed-absolute.eml").exists());
}

#[test]
fn a_loop_of_links_a_pipe_and_a_device_are_listed_and_never_followed() {
    let case = Case::new();
    symlink(case.trove(), case.trove().join("again")).unwrap();
    symlink("/etc/passwd", case.trove().join("passwd.txt")).unwrap();
    assert!(Command::new("mkfifo").arg(case.trove().join("pipe")).status().unwrap().success());
    assert_eq!(case.read()["messages"], 1);
    assert_eq!(case.total("root"), 0, "a link was followed out of the trove");
    assert_eq!(case.faults().matches("not a file").count(), 3, "{}", case.faults());
}

#[test]
fn a_file_that_may_not_be_read_is_a_fault_and_is_read_once_it_may() {
    let case = Case::new();
    case.put("closed.eml", GOOD.replace("good@x>", "closed@x>").replace("unharmed", "opened"));
    let closed = case.trove().join("closed.eml");
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o0)).unwrap();
    if fs::File::open(&closed).is_ok() {
        // Root may read everything: be somebody else.
        return as_nobody(&case);
    }
    case.read();
    assert!(case.faults().contains("closed.eml") && case.faults().contains("unreadable"), "{}", case.faults());
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o600)).unwrap();
    case.read();
    assert_eq!(case.total("opened"), 1);
}

fn as_nobody(case: &Case) {
    let (desk, trove) = (case.desk(), case.trove());
    let owned = Command::new("chown").args(["-R", "65534:65534"]).arg(case.work.path()).status().unwrap().success();
    let run = |arguments: &[&str]| -> Spoken {
        let switch = ["--reuid=65534", "--regid=65534", "--clear-groups"];
        Command::new("setpriv").args(switch).arg(program()).args(arguments).stdin(Stdio::null()).output().unwrap().into()
    };
    if !owned || run(&["--version"]).code != Some(0) {
        return skip("root may read everything, and nobody may not run the program here");
    }
    let line = ["ingest", path(&desk), path(&trove), "--collection", "c"];
    run(&line).code(0);
    let faults = run(&["faults", path(&desk), "--all"]).code(0).text();
    assert!(faults.contains("closed.eml") && faults.contains("unreadable"), "{faults}");
    fs::set_permissions(trove.join("closed.eml"), fs::Permissions::from_mode(0o644)).unwrap();
    run(&line).code(0);
    assert_eq!(run(&["search", path(&desk), "opened", "--json"]).code(0).json()["total"], 1);
}

#[test]
fn a_full_disk_is_told_and_the_desk_goes_on_when_there_is_room() {
    let case = Case::new();
    let Some(small) = SmallDisk::mount(case.work.path().join("small"), "3m") else { return skip("no right to mount a small disk") };
    let desk = small.path.join("desk");
    daylight(["init", path(&desk)]).code(0);
    for n in 0..40 {
        case.put(&format!("m{n}.eml"), GOOD.replace("good@x>", &format!("{n}@x>")) + &format!("{n} filler ").repeat(20_000));
    }
    let trove = case.trove();
    let line = ["ingest", path(&desk), path(&trove), "--collection", "c", "--json"];
    let full = daylight(line).code(1).stderr;
    assert!(full.starts_with("daylight: ") && full.to_lowercase().contains("space"), "{full}");
    if small.remount("200m") {
        daylight(line).code(0);
        assert_eq!(daylight(["search", path(&desk), "unharmed", "--json"]).code(0).json()["total"], 41);
    }
}

#[test]
fn a_full_disk_stops_a_release_and_the_same_release_is_made_when_there_is_room() {
    let case = Case::new();
    for n in 0..40 {
        case.put(
            &format!("m{n}.eml"),
            GOOD.replace("good@x>", &format!("{n}@x>")).replace("unharmed", "published") + &format!("{n} filler ").repeat(20_000),
        );
    }
    case.read();
    let (desk, key) = (case.desk(), case.work.path().join("editor.key"));
    daylight(["clear", path(&desk), "--collection", "c", "--all", "--as", "ada"]).code(0);
    daylight(["key", "new", path(&key)]).code(0);
    let Some(small) = SmallDisk::mount(case.work.path().join("small"), "3m") else { return skip("no right to mount a small disk") };
    let archive = small.path.join("archive");
    let line = ["publish", path(&desk), "--collection", "c", "--to", path(&archive), "--key", path(&key)];
    let full = daylight(line).code(1).stderr;
    assert!(full.starts_with("daylight: ") && full.to_lowercase().contains("space"), "{full}");
    assert!(!archive.join("checkpoint").exists(), "a release that is not all there was announced");
    if small.remount("200m") {
        daylight(line).code(0);
        daylight(["verify", path(&archive)]).code(0);
        assert_eq!(fs::read_dir(archive.join("release")).unwrap().count(), 1, "it was taken up, not made a second time");
    }
}

#[test]
fn a_second_ingest_on_one_desk_is_told_who_holds_it() {
    let case = Case::new();
    for n in 0..3_000 {
        case.put(&format!("many/{n}.eml"), GOOD.replace("good@x>", &format!("{n}@x>")).replace("unharmed", "one of many"));
    }
    let (desk, trove) = (case.desk(), case.trove());
    let line = ["ingest", path(&desk), path(&trove), "--collection", "c"];
    let mut first = Command::new(program()).args(line).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let lease = desk.join("ingest.lease");
    while fs::read(&lease).map_or(true, |held| held.is_empty()) && first.try_wait().unwrap().is_none() {
        std::thread::sleep(Duration::from_millis(1));
    }
    let signal = |name: &str| Command::new("kill").args([name, &first.id().to_string()]).status().unwrap();
    signal("-STOP");
    let second = daylight(line);
    let reading = daylight(["status", path(&desk)]);
    signal("-CONT");
    let pid = first.id().to_string();
    assert!(first.wait().unwrap().success());
    let told = second.code(1).stderr;
    assert!(told.contains(&pid), "{told}");
    reading.code(0);
    case.read();
}

#[test]
fn a_desk_made_by_a_newer_version_is_refused_by_both_numbers() {
    let case = Case::new();
    case.read();
    let catalogue = case.desk().join("catalogue.sqlite");
    // SQLite's header keeps the user version at byte 60, big-endian (sqlite.org/fileformat2.html).
    let mut bytes = fs::read(&catalogue).unwrap();
    let version = u32::from_be_bytes(bytes[60..64].try_into().unwrap());
    bytes[60..64].copy_from_slice(&(version + 7).to_be_bytes());
    fs::write(&catalogue, bytes).unwrap();
    let told = daylight(["status", path(&case.desk())]).code(1).stderr;
    assert!(told.contains(&version.to_string()) && told.contains(&(version + 7).to_string()), "{told}");
}

#[test]
fn an_archive_with_a_file_missing_is_named_by_verify_and_still_serves_the_rest() {
    let work = workplace();
    let archive = work.path().join("archive");
    assert!(Command::new("cp").arg("-r").arg(demo().join("archive")).arg(&archive).status().unwrap().success());
    let volumes = archive.join("release/1/volume");
    let volume = fs::read_dir(&volumes).unwrap_or_else(|e| panic!("{}: {e}", volumes.display())).next().unwrap().unwrap().path();
    fs::remove_file(&volume).unwrap();
    let told = daylight(["verify", path(&archive)]).code(1);
    let told = told.text() + &told.stderr;
    assert!(told.contains(path(volume.strip_prefix(&archive).unwrap())), "{told}");
}

#[test]
fn a_changed_bit_in_any_file_of_an_archive_is_found_and_its_file_is_named() {
    let work = workplace();
    let archive = work.path().join("archive");
    assert!(Command::new("cp").arg("-r").arg(demo().join("archive")).arg(&archive).status().unwrap().success());
    let listed = Command::new("find").arg(&archive).args(["-type", "f", "-size", "+0"]).output().unwrap();
    let files: Vec<String> = String::from_utf8(listed.stdout).unwrap().lines().map(str::to_owned).collect();
    assert!(files.len() > 8, "{files:?}");
    // No byte is covered by nothing: what no hash and no signature covers (the headers of a volume, the layout of a tile, of a note or of an index
    // of lines) `verify` writes anew and compares. Every byte of every file is changed in the tests of the archive's own crate, on an archive small
    // enough for that; here it is the first, the last and some others of every file that the demo publishes.
    let mut missed = Vec::new();
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    for file in &files {
        let whole = fs::read(file).unwrap();
        let mut places = vec![(0, 0), (whole.len() - 1, 0)];
        for _ in 0..14 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            places.push(((seed >> 16) as usize % whole.len(), seed >> 61));
        }
        for (at, bit) in places {
            let mut changed = whole.clone();
            changed[at] ^= 1 << bit;
            fs::write(file, &changed).unwrap();
            let said = daylight(["verify", path(&archive)]);
            let named = (said.text() + &said.stderr).contains(Path::new(file).strip_prefix(&archive).unwrap().to_str().unwrap());
            if said.code != Some(1) || !named {
                missed.push(format!("{file}, bit {bit} of byte {at} of {}: {}", whole.len(), said.text() + &said.stderr));
            }
        }
        fs::write(file, &whole).unwrap();
    }
    assert!(missed.is_empty(), "a changed bit went unnoticed in:\n{}", missed.join("\n"));
    let stray = archive.join("release/1/stray.txt");
    fs::write(&stray, "not ours").unwrap();
    let told = daylight(["verify", path(&archive)]).code(1);
    assert!((told.text() + &told.stderr).contains("stray.txt"), "{told:?}");
}
