//! A desk's care: what a disk damages is named and repaired as far as it can be, a backup becomes a desk again, and what is forgotten is gone from every file.

use crate::support::{Spoken, daylight, demo, program, workplace};
use base64::Engine as _;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Words that stand nowhere but in what is to be forgotten: in its text, subject, sender, attachment, the attachment's name, a trove path, a lone file, an
/// entry of a packed file, that entry's name.
const BODY: &str = "quokkaberry";
const SUBJECT: &str = "zanthoxylum";
const ADDRESS: &str = "vexillology";
const ATTACHED: &str = "brachistochrone";
const ATTACHED_NAME: &str = "sesquipedal";
const LONE: &str = "floccinaucini";
const LONE_NAME: &str = "tintinnabul";
const PACKED: &str = "ultracrepid";
const PACKED_NAME: &str = "omphaloskep";

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[track_caller]
fn run(line: &[&str]) -> Spoken {
    daylight(line).code(0)
}

fn with(variable: &str, value: &str, line: &[&str]) -> Spoken {
    Command::new(program()).args(line).env(variable, value).stdin(Stdio::null()).output().unwrap().into()
}

fn copy(from: &Path, to: &Path) {
    assert!(Command::new("cp").args(["-a", "--reflink=auto"]).arg(from).arg(to).status().unwrap().success());
}

/// Every file of a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let listed = Command::new("find").arg(folder).args(["-type", "f"]).output().unwrap();
    String::from_utf8(listed.stdout).unwrap().lines().map(PathBuf::from).collect()
}

/// The files that hold the word, as it is or as base64 has it.
fn holding(folder: &Path, word: &str) -> Vec<PathBuf> {
    let engine = base64::engine::general_purpose::STANDARD;
    let mut needles = vec![word.to_owned()];
    for shift in 0..3 {
        // What stands before and after the word changes the first and the last signs.
        let coded = engine.encode([&b"   "[..shift], word.as_bytes()].concat());
        let (start, end) = ([0, 2, 3][shift], (shift + word.len()) * 8 / 6);
        needles.push(coded[start..end].to_owned());
    }
    let needles: Vec<String> = needles.iter().map(|needle| needle.to_ascii_lowercase()).collect();
    let holds = |file: &PathBuf| {
        let text = String::from_utf8_lossy(&fs::read(file).unwrap()).to_ascii_lowercase();
        needles.iter().any(|needle| text.contains(needle.as_str())) || path(file).contains(word)
    };
    files(folder).into_iter().filter(holds).collect()
}

fn ids(desk: &Path, query: &str) -> BTreeSet<String> {
    let found = daylight(["search", path(desk), query, "--limit", "10000", "--json"]).json();
    found["hits"].as_array().unwrap().iter().map(|hit| hit["id"].as_str().unwrap().to_owned()).collect()
}

#[track_caller]
fn only(desk: &Path, query: &str) -> String {
    let found = ids(desk, query);
    assert_eq!(found.len(), 1, "{query}: {found:?}");
    found.into_iter().next().unwrap()
}

fn raw(desk: &Path, id: &str) -> Vec<u8> {
    run(&["show", path(desk), id, "--raw"]).stdout
}

/// A tar of these files (POSIX ustar), in which everything stands as it is.
fn tar(entries: &[(&str, &str)]) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, content) in entries {
        let mut header = [0_u8; 512];
        header[..name.len()].copy_from_slice(name.as_bytes());
        header[100..107].copy_from_slice(b"0000644");
        header[124..135].copy_from_slice(format!("{:011o}", content.len()).as_bytes());
        header[136..147].copy_from_slice(b"00000000000");
        header[148..156].copy_from_slice(b"        ");
        header[156] = b'0';
        header[257..265].copy_from_slice(b"ustar\x0000");
        let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
        header[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
        out.extend(header);
        out.extend(content.as_bytes());
        out.resize(out.len().next_multiple_of(512), 0);
    }
    out.resize(out.len() + 1024, 0);
    out
}

fn message(subject: &str, from: &str, id: &str, more: &str, body: &str) -> String {
    format!(
        "From: {from}\nTo: all@brackwater.example\nSubject: {subject}\nMessage-ID: <{id}@x>\nDate: Tue, 7 Oct 2014 08:00:00 +0100\n{more}\n{body}\n"
    )
}

fn marked_message() -> String {
    let attached = base64::engine::general_purpose::STANDARD.encode(format!("The list: {ATTACHED}."));
    let body = format!(
        "--b\nContent-Type: text/plain\n\nAsk for the {BODY} at noon.\n--b\nContent-Type: text/plain; name={ATTACHED_NAME}.txt\n\
         Content-Disposition: attachment; filename={ATTACHED_NAME}.txt\nContent-Transfer-Encoding: base64\n\n{attached}\n--b--"
    );
    message(
        &format!("The {SUBJECT}"),
        &format!("{ADDRESS}@brackwater.example"),
        "marked",
        "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n",
        &body,
    )
}

fn mailbox(messages: &[String]) -> String {
    messages.iter().map(|message| format!("From a@b Tue Oct  7 08:00:00 2014\n{message}\n")).collect()
}

/// A trove in which something stands alone, in a mailbox that gets a file of its own, and in a packed file, each beside something harmless.
fn trove(folder: &Path) -> PathBuf {
    let trove = folder.join("trove");
    fs::create_dir(&trove).unwrap();
    let long = message("Minutes", "b@brackwater.example", "long", "", &"The sluice was shut. ".repeat(60_000));
    let plain = |id: &str, subject: &str, body: &str| message(subject, "c@brackwater.example", id, "", body);
    let answer =
        message("Re: noon", "d@brackwater.example", "answer", "In-Reply-To: <marked@x>\n", "I shall be there, as harmless as ever.");
    fs::write(trove.join("box.mbox"), mailbox(&[plain("first", "Tea", "harmless tea"), marked_message(), long, answer])).unwrap();
    let packed = [(format!("{PACKED_NAME}.txt"), format!("Of the {PACKED}.\n")), ("other.txt".into(), "Of a harmless cat.\n".to_owned())];
    fs::write(trove.join("packed.tar"), tar(&[(&packed[0].0, &packed[0].1), (&packed[1].0, &packed[1].1)])).unwrap();
    fs::write(trove.join(format!("{LONE_NAME}.txt")), format!("About the {LONE}.\n")).unwrap();
    fs::write(trove.join("kept.txt"), "About something harmless.\n").unwrap();
    trove
}

fn desk_of(folder: &Path) -> PathBuf {
    let desk = folder.join("desk");
    run(&["init", path(&desk)]);
    run(&["ingest", path(&desk), path(&trove(folder)), "--collection", "c"]);
    desk
}

#[track_caller]
fn sound(desk: &Path) {
    let said = daylight(["check", path(desk), "--json"]);
    let report = said.json();
    assert_eq!(
        (said.code, &report["damaged"], &report["repaired"], &report["noted"]),
        (Some(0), &0.into(), &0.into(), &0.into()),
        "{}",
        said.text()
    );
}

/// As [`sound`], but for bytes that an earlier reading left.
#[track_caller]
fn whole(desk: &Path) {
    let report = daylight(["check", path(desk), "--json"]).code(0).json();
    assert_eq!((&report["damaged"], &report["repaired"]), (&0.into(), &0.into()), "{report}");
}

fn forget(desk: &Path, id: &str) -> Vec<String> {
    ["forget", path(desk), id, "--as", "Ana Ruiz", "--because", "an order of the court", "--yes", "--json"].map(str::to_owned).to_vec()
}

fn line(words: &[String]) -> Vec<&str> {
    words.iter().map(String::as_str).collect()
}

#[test]
fn what_is_forgotten_is_gone_from_every_file_and_nothing_else_is() {
    let work = workplace();
    let desk = desk_of(work.path());
    // What an editor typed when deciding is a trace too, and so are the renditions.
    run(&["clear", path(&desk), "--collection", "c", "--query", &format!("subject:{SUBJECT} OR {ATTACHED}"), "--as", "Ana Ruiz"]);
    for word in [BODY, SUBJECT, ADDRESS, ATTACHED, ATTACHED_NAME, LONE, LONE_NAME, PACKED, PACKED_NAME] {
        assert!(!holding(&desk, word).is_empty(), "{word} is nowhere, so that its absence would show nothing");
    }
    sound(&desk);
    let all = ids(&desk, "type:message OR type:file OR type:container");
    let answers =
        |desk: &Path| ["harmless", "sluice", "tea", "cat", "collection:c", "from:c@brackwater.example"].map(|query| ids(desk, query));
    let (before, kept) = (answers(&desk), ids(&desk, "harmless OR sluice"));
    let bytes: BTreeMap<&String, Vec<u8>> = kept.iter().map(|id| (id, raw(&desk, id))).collect();
    let (message, lone, packed) = (only(&desk, BODY), only(&desk, LONE), only(&desk, PACKED));
    let (attached, mailbox) = (only(&desk, ATTACHED), only(&desk, "file:box.mbox"));
    let tar = only(&desk, "file:packed.tar");

    // More than the named is lost: nothing happens without --yes, and it is said what it would be.
    let asked = daylight(["forget", path(&desk), &message, "--as", "Ana Ruiz", "--because", "x"]).code(1).text();
    for word in [&message, &attached, &mailbox, "lose their original bytes", "nothing was forgotten"] {
        assert!(asked.contains(word), "{word} is not in\n{asked}");
    }
    assert_eq!(ids(&desk, BODY).len(), 1);

    // A lone file goes by itself.
    run(&["forget", path(&desk), &lone, "--as", "Ana Ruiz", "--because", "an order of the court"]);
    for word in [LONE, LONE_NAME] {
        assert_eq!(holding(&desk, word), Vec::<PathBuf>::new(), "{word}");
    }
    sound(&desk);
    let done = run(&line(&forget(&desk, &message))).json();
    assert_eq!(done["with_them"][0]["id"], attached.as_str(), "{done}");
    assert_eq!(done["lose_their_bytes"][0]["id"], mailbox.as_str(), "{done}");
    run(&line(&forget(&desk, &packed)));
    for word in [BODY, SUBJECT, ADDRESS, ATTACHED, ATTACHED_NAME, PACKED, PACKED_NAME] {
        assert_eq!(holding(&desk, word), Vec::<PathBuf>::new(), "{word}");
    }
    sound(&desk);

    let gone = BTreeSet::from([message, attached, lone, packed]);
    assert_eq!(ids(&desk, "type:message OR type:file OR type:container"), &all - &gone);
    assert_eq!(answers(&desk), before.map(|answer| &answer - &gone));
    for (id, bytes) in bytes {
        assert_eq!(raw(&desk, id), bytes, "{id}");
    }
    // What held it stays as a document, without its bytes and with a fault that says why.
    for id in [&mailbox, &tar] {
        let shown = run(&["show", path(&desk), id, "--json"]).json();
        assert_eq!(shown["faults"][0]["reason"], "forgotten", "{shown}");
        daylight(["show", path(&desk), id, "--raw"]).code(1);
    }
}

#[test]
fn forgetting_an_attachment_leaves_the_messages_words() {
    let work = workplace();
    let desk = desk_of(work.path());
    let (message, attached) = (only(&desk, BODY), only(&desk, ATTACHED));
    let done = run(&line(&forget(&desk, &attached))).json();
    assert_eq!(done["lose_their_bytes"].as_array().unwrap().len(), 2, "{done}");
    for word in [ATTACHED, ATTACHED_NAME] {
        assert_eq!(holding(&desk, word), Vec::<PathBuf>::new(), "{word}");
    }
    assert_eq!(only(&desk, BODY), message);
    assert!(run(&["show", path(&desk), &message, "--text"]).text().contains(BODY));
    daylight(["show", path(&desk), &message, "--raw"]).code(1);
    sound(&desk);
}

#[test]
fn what_was_forgotten_is_not_taken_again_wherever_it_comes() {
    let work = workplace();
    let desk = desk_of(work.path());
    let (message, lone) = (only(&desk, BODY), only(&desk, LONE));
    run(&line(&forget(&desk, &message)));
    run(&line(&forget(&desk, &lone)));
    // The same trove: what is known is known, and the lone file is withheld.
    let again = run(&["ingest", path(&desk), path(&work.path().join("trove")), "--collection", "c", "--json"]).json();
    assert_eq!(again["forgotten"], 1, "{again}");
    // By itself, in another mailbox beside something new, and the very mailbox under another name.
    let second = work.path().join("second");
    fs::create_dir(&second).unwrap();
    // A message that ends a mailbox has one line feed less than its file.
    fs::write(second.join("a.eml"), marked_message()).unwrap();
    fs::write(second.join("b.mbox"), mailbox(&[marked_message(), message_of_another_kind()])).unwrap();
    fs::copy(work.path().join("trove/box.mbox"), second.join("c.mbox")).unwrap();
    let again = run(&["ingest", path(&desk), path(&second), "--collection", "c", "--json"]).json();
    assert_eq!(again["forgotten"], 3, "{again}");
    for word in [BODY, SUBJECT, ADDRESS, ATTACHED, ATTACHED_NAME, LONE, LONE_NAME] {
        assert_eq!(holding(&desk, word), Vec::<PathBuf>::new(), "{word}");
    }
    assert!(raw(&desk, &only(&desk, "newcomer")).starts_with(b"From: e@"));
    let faults = run(&["faults", path(&desk), "--all"]).text();
    assert!(faults.contains(": not taken again") && faults.contains("its original bytes held what was forgotten on"), "{faults}");
    sound(&desk);
    let text = run(&["faults", path(&desk)]).text();
    assert!(text.contains("forgotten (walk, walk 1)"), "{text}");
}

fn message_of_another_kind() -> String {
    message("Hello", "e@brackwater.example", "new", "", "I am a newcomer.")
}

/// The steps that a command passes, each to die at.
fn deaths(log: &Path) -> BTreeSet<String> {
    let steps = fs::read_to_string(log).unwrap();
    let mut count: BTreeMap<&str, usize> = BTreeMap::new();
    steps.lines().for_each(|name| *count.entry(name).or_default() += 1);
    count.iter().flat_map(|(name, count)| [format!("{name}:1"), format!("{name}:{count}")]).collect()
}

#[test]
fn a_forget_killed_at_any_step_is_finished_by_the_next_command() {
    let work = workplace();
    let begun = desk_of(work.path());
    let message = only(&begun, BODY);
    let (rehearsal, log) = (work.path().join("rehearsal"), work.path().join("log"));
    copy(&begun, &rehearsal);
    with("DAYLIGHT_CRASH_LOG", path(&log), &line(&forget(&rehearsal, &message))).code(0);
    let left = ids(&rehearsal, "type:message OR type:file OR type:container");
    let deaths = deaths(&log);
    for name in
        ["forget.carried:1", "forget.committed:1", "forget.file-removed:1", "forget.swept:1", "forget.vacuumed:1", "forget.settled:1"]
    {
        assert!(deaths.contains(name), "{name} is not among {deaths:?}");
    }
    for (number, death) in deaths.iter().enumerate() {
        let desk = work.path().join(format!("killed-{number}"));
        copy(&begun, &desk);
        let died = with("DAYLIGHT_CRASH_AT", death, &line(&forget(&desk, &message)));
        assert_eq!(died.code, None, "it should have died at {death}: {died:?}");
        // Before it was decided nothing has happened yet; from then on any command finishes it.
        if daylight(["status", path(&desk), "--json"]).code(0).json()["documents"] != (left.len() as u64) {
            run(&line(&forget(&desk, &message)));
        }
        for word in [BODY, SUBJECT, ADDRESS, ATTACHED, ATTACHED_NAME] {
            assert_eq!(holding(&desk, word), Vec::<PathBuf>::new(), "{word}, killed at {death}");
        }
        assert_eq!(ids(&desk, "type:message OR type:file OR type:container"), left, "killed at {death}");
        sound(&desk);
        fs::remove_dir_all(&desk).unwrap();
    }
}

#[test]
fn a_backup_becomes_the_same_desk_and_only_what_is_new_is_copied() {
    let work = workplace();
    let at = |name: &str| work.path().join(name);
    let (desk, to, restored, archive, key) = (desk_of(work.path()), at("to"), at("restored"), at("archive"), at("a.key"));
    run(&["clear", path(&desk), "--collection", "c", "--all", "--as", "Ana Ruiz"]);
    run(&["key", "new", path(&key)]);
    let publish =
        |desk: &Path| run(&["publish", path(desk), "--collection", "c", "--to", path(&archive), "--key", path(&key), "--json"]).json();
    assert_eq!(publish(&desk)["published"]["release"], 1);
    let first = run(&["backup", path(&desk), path(&to), "--json"]).json();
    assert_eq!(first["copied"], first["bytes"], "{first}");
    fs::write(at("more.txt"), "A harmless afterthought.\n").unwrap();
    run(&["ingest", path(&desk), path(&at("more.txt")), "--collection", "c"]);
    let second = run(&["backup", path(&desk), path(&to), "--json"]).json();
    let number = |value: &Value| value.as_u64().unwrap();
    assert!(number(&second["copied"]) < number(&second["bytes"]) / 2, "{second}");

    run(&["restore", path(&to), path(&restored)]);
    sound(&restored);
    let all = ids(&desk, "type:message OR type:file OR type:container");
    assert_eq!(ids(&restored, "type:message OR type:file OR type:container"), all);
    for id in &all {
        assert_eq!(raw(&restored, id), raw(&desk, id), "{id}");
    }
    for name in ["log.key", "log.key.signed", "daylight.toml"] {
        assert_eq!(fs::read(restored.join(name)).unwrap(), fs::read(desk.join(name)).unwrap(), "{name}");
    }
    assert_eq!(fs::metadata(restored.join("log.key")).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::metadata(&restored).unwrap().permissions().mode() & 0o777, 0o700);
    let before = fs::read(archive.join("checkpoint")).unwrap();
    assert_eq!(publish(&restored)["published"], Value::Null);
    assert_eq!(fs::read(archive.join("checkpoint")).unwrap(), before);

    // Into a desk, a folder of others, a backup of another desk, the desk itself.
    for target in [desk.as_path(), &restored, work.path(), &desk.join("pack")] {
        daylight(["backup", path(&desk), path(target)]).code(1);
    }
    let other = at("other-desk");
    run(&["init", path(&other)]);
    run(&["ingest", path(&other), path(&demo().join("trove")), "--collection", "c"]);
    let refused = daylight(["backup", path(&other), path(&to)]).code(1).stderr;
    assert!(refused.contains("backup of another desk"), "{refused}");
    daylight(["restore", path(&to), path(&desk)]).code(1);
    daylight(["restore", path(&desk), path(&at("nothing"))]).code(1);

    // Every byte of it counts.
    for file in files(&to).into_iter().filter(|file| !path(file).ends_with("backup.lock") && !path(file).ends_with("BACKUP")) {
        let good = fs::read(&file).unwrap();
        let mut bad = good.clone();
        let middle = bad.len() / 2;
        bad[middle] ^= 1;
        fs::write(&file, bad).unwrap();
        let refused = daylight(["restore", path(&to), path(&at("damaged"))]);
        assert!(refused.code == Some(1) && refused.stderr.contains("damaged: "), "{}: {refused:?}", file.display());
        assert!(!at("damaged/daylight.toml").exists());
        fs::write(&file, good).unwrap();
    }
    run(&["restore", path(&to), path(&at("damaged"))]);
    sound(&at("damaged"));
}

#[test]
fn a_backup_and_a_restore_killed_at_any_step_go_on() {
    let work = workplace();
    let at = |name: &str| work.path().join(name);
    let (desk, earlier, log) = (desk_of(work.path()), at("earlier"), at("log"));
    run(&["backup", path(&desk), path(&earlier)]);
    let before = ids(&desk, "type:message OR type:file OR type:container");
    fs::write(at("more.txt"), "A harmless afterthought.\n").unwrap();
    fs::write(at("large.bin"), vec![7; 2 << 20]).unwrap();
    run(&["ingest", path(&desk), path(&at("more.txt")), path(&at("large.bin")), "--collection", "c"]);
    let after = ids(&desk, "type:message OR type:file OR type:container");
    let rehearsal = at("rehearsal");
    copy(&earlier, &rehearsal);
    with("DAYLIGHT_CRASH_LOG", path(&log), &["backup", path(&desk), path(&rehearsal)]).code(0);
    for (number, death) in deaths(&log).iter().enumerate() {
        let (to, restored) = (at(&format!("to-{number}")), at(&format!("restored-{number}")));
        copy(&earlier, &to);
        let died = with("DAYLIGHT_CRASH_AT", death, &["backup", path(&desk), path(&to)]);
        assert_eq!(died.code, None, "{death}: {died:?}");
        run(&["restore", path(&to), path(&restored)]);
        let found = ids(&restored, "type:message OR type:file OR type:container");
        assert!(found == before || found == after, "killed at {death}");
        fs::remove_dir_all(&restored).unwrap();
        run(&["backup", path(&desk), path(&to)]);
        assert_eq!(files(&to).len(), files(&rehearsal).len(), "killed at {death}, something is left");
        run(&["restore", path(&to), path(&restored)]);
        assert_eq!(ids(&restored, "type:message OR type:file OR type:container"), after, "killed at {death}");
        fs::remove_dir_all(&restored).unwrap();
        fs::remove_dir_all(&to).unwrap();
    }
    fs::remove_file(&log).unwrap();
    with("DAYLIGHT_CRASH_LOG", path(&log), &["restore", path(&rehearsal), path(&at("rehearsed"))]).code(0);
    for (number, death) in deaths(&log).iter().filter(|name| name.starts_with("restore.") || name.starts_with("durable.")).enumerate() {
        let restored = at(&format!("again-{number}"));
        let died = with("DAYLIGHT_CRASH_AT", death, &["restore", path(&rehearsal), path(&restored)]);
        assert_eq!(died.code, None, "{death}: {died:?}");
        if !restored.join("daylight.toml").exists() {
            run(&["restore", path(&rehearsal), path(&restored)]);
        }
        assert_eq!(ids(&restored, "type:message OR type:file OR type:container"), after, "killed at {death}");
        fs::remove_dir_all(&restored).unwrap();
    }
}

#[test]
fn a_backup_forgets_what_the_desk_forgot_when_it_is_made_anew() {
    let work = workplace();
    let (desk, to) = (desk_of(work.path()), work.path().join("to"));
    run(&["backup", path(&desk), path(&to)]);
    assert!(!holding(&to, BODY).is_empty());
    let message = only(&desk, BODY);
    run(&line(&forget(&desk, &message)));
    run(&["backup", path(&desk), path(&to)]);
    for word in [BODY, SUBJECT, ADDRESS, ATTACHED, ATTACHED_NAME] {
        assert_eq!(holding(&to, word), Vec::<PathBuf>::new(), "{word}");
    }
    let restored = work.path().join("restored");
    run(&["restore", path(&to), path(&restored)]);
    sound(&restored);
    // The restored desk knows too that it must not come again.
    fs::write(work.path().join("a.eml"), marked_message()).unwrap();
    let again = run(&["ingest", path(&restored), path(&work.path().join("a.eml")), "--collection", "c", "--json"]).json();
    assert_eq!(again["forgotten"], 1, "{again}");
}

#[test]
fn a_published_number_outlives_what_was_forgotten() {
    let work = workplace();
    let at = |name: &str| work.path().join(name);
    let (desk, archive, key) = (desk_of(work.path()), at("archive"), at("a.key"));
    run(&["key", "new", path(&key)]);
    let publish = || {
        run(&["clear", path(&desk), "--collection", "c", "--all", "--as", "Ana Ruiz"]);
        run(&["publish", path(&desk), "--collection", "c", "--to", path(&archive), "--key", path(&key), "--json"]).json()
    };
    assert_eq!(publish()["published"]["release"], 1);
    let lone = only(&desk, LONE);
    let done = run(&line(&forget(&desk, &lone))).json();
    let number = done["published"][0]["number"].as_u64().unwrap();
    assert_eq!(holding(&desk, LONE_NAME), Vec::<PathBuf>::new());
    fs::write(at("more.txt"), "A harmless afterthought.\n").unwrap();
    run(&["ingest", path(&desk), path(&at("more.txt")), "--collection", "c"]);
    let release = publish();
    assert_eq!((&release["published"]["release"], &release["published"]["documents"]), (&2.into(), &1.into()), "{release}");
    assert_eq!(daylight(["verify", path(&archive), "--json"]).code(0).json()["releases"], 2);
    // What was published stays, under its number.
    assert!(run(&["show", path(&archive), &format!("c/{number}"), "--text"]).text().contains(LONE));
    sound(&desk);
}

/// The findings of a check, and its summary.
fn check(desk: &Path, code: i32) -> Vec<Value> {
    let text = daylight(["check", path(desk), "--json"]).code(code).text();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[track_caller]
fn found(findings: &[Value], outcome: &str, words: &str) -> Value {
    let one = findings.iter().find(|one| one["outcome"] == outcome && one["what"].as_str().unwrap().contains(words));
    one.unwrap_or_else(|| panic!("{outcome}, {words}: {findings:?}")).clone()
}

#[test]
fn each_kind_of_file_is_damaged_and_named_and_repaired_if_it_can_be() {
    let work = workplace();
    let begun = desk_of(work.path());
    run(&["clear", path(&begun), "--collection", "c", "--all", "--as", "Ana Ruiz"]);
    let kept = only(&begun, "file:kept.txt");
    let mut number = 0;
    let mut fresh = || {
        number += 1;
        let desk = work.path().join(format!("damaged-{number}"));
        copy(&begun, &desk);
        desk
    };
    // Changes the byte at which the words stand for the n-th time in a file.
    let spoil = |file: &Path, words: &[u8], nth: usize| {
        let mut bytes = fs::read(file).unwrap();
        let at: Vec<usize> = bytes.windows(words.len()).enumerate().filter(|(_, window)| *window == words).map(|(at, _)| at).collect();
        bytes[at[nth]] ^= 1;
        fs::write(file, bytes).unwrap();
    };

    // An original in a pack stands there first, then its text: the original is lost here, and its title said.
    let desk = fresh();
    spoil(&desk.join("pack/1"), b"About something harmless.", 0);
    let findings = check(&desk, 1);
    let lost = found(&findings, "damaged", "its original bytes are damaged");
    assert_eq!((&lost["id"], &lost["title"]), (&kept.as_str().into(), &"kept.txt".into()), "{findings:?}");
    assert_eq!(daylight(["search", path(&desk), "something"]).code, Some(0));

    // A text: taken out, marked, and read again when its trove comes again.
    let desk = fresh();
    spoil(&desk.join("pack/1"), b"About something harmless.", 1);
    let findings = check(&desk, 0);
    assert_eq!(found(&findings, "repaired", "to be read again")["id"], kept.as_str());
    assert!(run(&["faults", path(&desk), "--all"]).text().contains("damaged on the desk"));
    whole(&desk);
    run(&["ingest", path(&desk), path(&work.path().join("trove")), "--collection", "c"]);
    assert_eq!(only(&desk, "\"something harmless\""), kept);
    assert!(!run(&["faults", path(&desk), "--all"]).text().contains("damaged on the desk"));
    whole(&desk);

    // A rendition is made again.
    let desk = fresh();
    spoil(&desk.join("pack/2"), b"harmless tea", 0);
    found(&check(&desk, 0), "repaired", "made again");
    whole(&desk);

    // A file of its own, with the slices in it; and one that is gone.
    let desk = fresh();
    let mailbox = |file: &PathBuf| fs::read(file).unwrap().starts_with(b"From a@b");
    let large = files(&desk.join("blob")).into_iter().find(mailbox).unwrap();
    spoil(&large, b"harmless tea", 0);
    let findings = check(&desk, 1);
    let titles: BTreeSet<&str> = findings.iter().filter_map(|one| one["title"].as_str()).collect();
    assert_eq!(titles, BTreeSet::from(["Tea", "box.mbox"]), "{findings:?}");
    fs::remove_file(&large).unwrap();
    assert!(check(&desk, 1).len() > findings.len());

    // Files that no row names, and a torn tail.
    let desk = fresh();
    let stray = "0".repeat(64);
    fs::create_dir_all(desk.join("blob/00")).unwrap();
    fs::write(desk.join("blob/00").join(stray), "x").unwrap();
    fs::write(desk.join("pack/77"), "x").unwrap();
    let whole = fs::read(desk.join("pack/1")).unwrap();
    fs::write(desk.join("pack/1"), [whole.as_slice(), b"torn"].concat()).unwrap();
    let findings = check(&desk, 0);
    assert_eq!(findings.iter().filter(|one| one["outcome"] == "noted").count(), 2, "{findings:?}");
    found(&findings, "repaired", "4 bytes of an interrupted write");
    assert_eq!(fs::read(desk.join("pack/1")).unwrap(), whole);
    assert!(desk.join("pack/77").exists());

    // A pack that is cut, and one that is gone.
    let desk = fresh();
    fs::write(desk.join("pack/1"), &whole[..whole.len() / 2]).unwrap();
    found(&check(&desk, 1), "damaged", "restore it from a backup");
    fs::remove_file(desk.join("pack/1")).unwrap();
    found(&check(&desk, 1), "damaged", "restore it from a backup");

    // The index: damaged, ahead of nothing, gone.
    let desk = fresh();
    let all = ids(&desk, "type:message OR type:file OR type:container");
    for file in files(&desk.join("index")) {
        let mut bytes = fs::read(&file).unwrap();
        let middle = bytes.len() / 2;
        if middle == 0 || path(&file).contains("/.") {
            continue;
        }
        bytes[middle] ^= 0x55;
        fs::write(&file, bytes).unwrap();
        found(&check(&desk, 0), "repaired", "made anew");
        assert_eq!(ids(&desk, "type:message OR type:file OR type:container"), all, "{}", file.display());
    }
    fs::remove_dir_all(desk.join("index")).unwrap();
    found(&check(&desk, 0), "repaired", "made anew");
    sound(&desk);

    // The catalogue itself: said, and nothing is repaired by guessing.
    let desk = fresh();
    let mut bytes = fs::read(desk.join("catalogue.sqlite")).unwrap();
    let pages = bytes.len() / 4096;
    for page in pages / 3..pages / 3 + 3 {
        bytes[page * 4096..page * 4096 + 64].fill(0xee);
    }
    fs::write(desk.join("catalogue.sqlite"), bytes).unwrap();
    let spoken = daylight(["check", path(&desk), "--json"]).code(1);
    assert!(spoken.text().contains("restore the desk from a backup") || spoken.stderr.contains("malformed"), "{spoken:?}");

    // Keys that others can read, and one that is gone.
    let desk = fresh();
    fs::write(desk.join("log.key"), "x").unwrap();
    fs::set_permissions(desk.join("log.key"), fs::Permissions::from_mode(0o644)).unwrap();
    found(&check(&desk, 0), "repaired", "made private again");
    assert_eq!(fs::metadata(desk.join("log.key")).unwrap().permissions().mode() & 0o777, 0o600);
    fs::rename(desk.join("log.key"), desk.join("log.key.signed")).unwrap();
    found(&check(&desk, 1), "damaged", "no release can follow");
}

#[test]
fn a_look_says_what_would_be_repaired_and_repairs_nothing() {
    let work = workplace();
    let desk = desk_of(work.path());
    run(&["clear", path(&desk), "--collection", "c", "--all", "--as", "Ana Ruiz"]);
    let look = |code: i32| -> Vec<Value> {
        let text = daylight(["check", path(&desk), "--look", "--json"]).code(code).text();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    assert_eq!(look(0).last().unwrap()["sound"], true);
    // A torn tail, a damaged text, a damaged rendition, a key that others can read, no index.
    let mut bytes = fs::read(desk.join("pack/1")).unwrap();
    let text = bytes.windows(25).rposition(|window| window == b"About something harmless.").unwrap();
    bytes[text] ^= 1;
    bytes.extend(b"torn");
    fs::write(desk.join("pack/1"), bytes).unwrap();
    let mut bytes = fs::read(desk.join("pack/2")).unwrap();
    let view = bytes.windows(12).position(|window| window == b"harmless tea").unwrap();
    bytes[view] ^= 1;
    fs::write(desk.join("pack/2"), bytes).unwrap();
    fs::write(desk.join("log.key"), "x").unwrap();
    fs::set_permissions(desk.join("log.key"), fs::Permissions::from_mode(0o644)).unwrap();
    fs::remove_dir_all(desk.join("index")).unwrap();
    let state = || -> Vec<(PathBuf, Vec<u8>, u32)> {
        let all = files(&desk).into_iter().filter(|file| !["-wal", "-shm", ".lease"].iter().any(|end| path(file).ends_with(end)));
        all.map(|file| (file.clone(), fs::read(&file).unwrap(), fs::metadata(&file).unwrap().permissions().mode())).collect()
    };
    let before = state();
    let findings = look(1);
    for words in [
        "4 bytes of an interrupted write at its end would be cut",
        "would be taken out",
        "would be made again",
        "would be made private",
        "it would be made anew",
    ] {
        found(&findings, "repairable", words);
    }
    assert!(findings.iter().all(|one| one["outcome"] != "repaired"), "{findings:?}");
    assert_eq!(findings.last().unwrap()["repairable"], 5, "{findings:?}");
    let changed: Vec<PathBuf> = state().into_iter().filter(|one| !before.contains(one)).map(|(file, ..)| file).collect();
    assert!(changed.is_empty(), "{changed:?}");
    assert!(daylight(["check", path(&desk), "--look"]).code(1).text().contains("5 that `daylight check` without --look repairs"));
    assert_eq!(check(&desk, 0).last().unwrap()["repaired"], 5);
    assert_eq!(look(0).last().unwrap()["sound"], true);
}
