//! The command line, as the person who types it meets it.

use crate::support::{Spoken, corpora, daylight, demo, workplace};
use serde_json::Value;
use sha2::Digest as _;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

const COMMANDS: &[&str] = &[
    "init",
    "ingest",
    "status",
    "faults",
    "retry",
    "unlock",
    "recognise",
    "search",
    "show",
    "clear",
    "render",
    "dkim import",
    "dkim list",
    "dkim online",
    "key new",
    "publish",
    "sign",
    "root new",
    "root rotate",
    "root recover",
    "root finish",
    "root show",
    "witness key",
    "witness add",
    "witness serve",
    "witness status",
    "witness policy",
    "serve",
    "index",
    "verify",
    "check",
    "backup",
    "restore",
    "forget",
    "demo",
    "doctor",
];

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[track_caller]
fn run(line: &[&str]) -> Spoken {
    daylight(line).code(0)
}

/// Everything a query finds: ids and titles.
fn hits(place: &Path, query: &str) -> Vec<Value> {
    // Like grep, it says by its code whether anything was found.
    let found = daylight(["search", path(place), query, "--limit", "10000", "--json"]).json();
    found["hits"].as_array().unwrap().clone()
}

fn ids(place: &Path, query: &str) -> BTreeSet<String> {
    hits(place, query).iter().map(|hit| hit["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn every_command_explains_itself_with_an_example() {
    for command in COMMANDS {
        let help = run(&command.split(' ').chain(["--help"]).collect::<Vec<_>>()).text();
        assert!(help.contains("Example") && help.contains(&format!("daylight {command}")), "{command}:\n{help}");
    }
    assert!(run(&["--version"]).text().starts_with("daylight 0."));
}

#[test]
fn the_doctor_proves_the_cage() {
    let report = run(&["doctor", "--json"]).json();
    assert_eq!(report["holds"], true, "{report}");
    let tried = report["tried"].as_array().unwrap();
    assert!(
        tried.len() >= 13 && tried.iter().all(|one| one["outcome"] == "refused" && !one["alone"].as_array().unwrap().is_empty()),
        "{report}"
    );
    let words = run(&["doctor"]).text();
    assert!(words.contains("the cage holds") && words.contains("read a file"), "{words}");
}

#[test]
fn wrong_usage_is_2_and_what_cannot_be_done_is_1_with_one_line_that_names_it() {
    let work = workplace();
    let nothing = work.path().join("nothing");
    for line in
        [&["sing"][..], &["ingest"], &["clear", "x", "--collection", "a", "--as", "b"], &["search", "x"], &["init", "x", "--sideways"]]
    {
        daylight(line).code(2);
    }
    let nothing = path(&nothing);
    for line in [
        &["status", nothing][..],
        &["faults", nothing],
        &["search", nothing, "x"],
        &["show", nothing, "abcdef"],
        &["ingest", nothing, nothing, "--collection", "a"],
        &["verify", nothing],
        &["serve", nothing, "--listen", "127.0.0.1:0"],
        &["publish", nothing, "--collection", "a", "--to", nothing, "--key", nothing],
        &["sign", nothing],
        &["root", "show", nothing],
        &["root", "rotate", nothing, "--log-key", nothing],
        &["root", "recover", nothing, "--log-key", nothing],
        &["root", "finish", nothing, nothing, "--log-key", nothing],
    ] {
        let said = daylight(line).code(1).stderr;
        let last = said.trim_end();
        assert!(last.starts_with("daylight: ") && last.lines().count() == 1 && last.contains("nothing"), "{line:?}: {said}");
    }
}

#[test]
fn from_a_folder_to_a_signed_archive_and_on_to_a_second_release() {
    let work = workplace();
    let at = |name: &str| work.path().join(name);
    let (desk, archive, key, trove) = (at("desk"), at("archive"), at("ana.key"), demo().join("trove"));
    run(&["init", path(&desk)]);
    let summary = run(&["ingest", path(&desk), path(&trove), "--collection", "brackwater", "--json"]).json();
    for field in ["documents", "messages", "attachments", "duplicates", "faults", "bytes"] {
        assert!(summary[field].as_u64().is_some_and(|count| count > 0), "{field} of {summary}");
    }
    assert!(summary["messages"].as_u64().unwrap() >= 300 && summary["seconds"].is_number(), "{summary}");
    let status = run(&["status", path(&desk), "--json"]).json().to_string();

    // Again: nothing is added, and ids are the same.
    let all = ids(&desk, "type:message");
    let again = run(&["ingest", path(&desk), path(&trove), "--collection", "brackwater", "--json"]).json();
    assert_eq!(again["documents"], 0, "{again}");
    assert_eq!(run(&["status", path(&desk), "--json"]).json().to_string(), status);
    assert_eq!(ids(&desk, "type:message"), all);

    let faults = run(&["faults", path(&desk), "--all", "--json"]).text();
    for word in ["handover.gpg", "notes/2014-10-14.txt", "untitled.txt"] {
        assert!(faults.contains(word), "{word} is not among the faults:\n{faults}");
    }

    run(&[
        "clear",
        path(&desk),
        "--collection",
        "brackwater",
        "--query",
        "type:message to:hesper -has:attachment",
        "--as",
        "Ana",
        "--json",
    ]);
    run(&["key", "new", path(&key), "--json"]);
    run(&["publish", path(&desk), "--collection", "brackwater", "--to", path(&archive), "--key", path(&key), "--json"]);
    run(&["verify", path(&archive)]);
    let root = archive.join("root/1.json");
    run(&["verify", path(&archive), "--root", path(&root)]);
    let first = ids(&archive, "type:message");
    assert!(!first.is_empty() && first.len() < all.len(), "{} of {}", first.len(), all.len());

    run(&["clear", path(&desk), "--collection", "brackwater", "--all", "--as", "Ana"]);
    let before = fs::read(archive.join("release/1/note")).unwrap_or_else(|e| panic!("release/1/note: {e}"));
    run(&["publish", path(&desk), "--collection", "brackwater", "--to", path(&archive), "--key", path(&key)]);
    assert_eq!(run(&["verify", path(&archive), "--root", path(&root), "--json"]).json()["ok"], true);
    assert_eq!(fs::read(archive.join("release/1/note")).unwrap(), before, "a second release changes nothing of the first");
    let second = ids(&archive, "type:message");
    assert!(second.is_superset(&first) && second.len() > first.len(), "permanent numbers stay: {first:?} {second:?}");
}

#[test]
fn a_message_comes_back_byte_for_byte_from_desk_and_archive() {
    let (desk, archive) = (demo().join("desk"), demo().join("archive"));
    let files: BTreeSet<Vec<u8>> =
        fs::read_dir(demo().join("trove/clerk/cur")).unwrap().map(|entry| fs::read(entry.unwrap().path()).unwrap()).collect();
    for place in [desk, archive] {
        let owen = ids(&place, "from:owen \"wet patch\" type:message");
        let exact = owen.iter().take(8).filter(|id| files.contains(&run(&["show", path(&place), id, "--raw"]).stdout)).count();
        assert!(exact >= 3, "{exact} of {} in {}", owen.len(), place.display());
        let first = owen.first().unwrap();
        assert!(run(&["show", path(&place), first, "--text"]).text().contains("patch"));
        assert!(run(&["show", path(&place), first, "--json"]).json()["title"].as_str().is_some_and(|title| !title.is_empty()));
    }
}

#[test]
fn search_understands_its_language_the_same_on_desk_and_archive() {
    let (desk, archive) = (demo().join("desk"), demo().join("archive"));
    for (query, least) in [
        ("reservoir", 20),
        ("\"grout curtain\"", 2),
        ("wet OR siren", 10),
        ("reservoir -siren", 5),
        ("(siren OR drill) from:owen", 1),
        ("piezo*", 1),
        ("from:hesper to:martin", 3),
        ("cc:ruth", 2),
        ("person:petra.novak@tidewell.example", 5),
        ("subject:urgent", 2),
        ("body:urgent", 1),
        ("file:prices.csv", 1),
        ("file:survey type:file", 1),
        ("has:attachment", 10),
        ("date:2015-08", 5),
        ("after:2016-02-01 before:2016-03-01", 5),
        ("manana", 1),
        ("Größe", 1),
        ("渗漏", 1),
        ("貯水池", 1),
        ("저수지", 1),
        ("الخزان", 1),
        ("плотины", 1),
        ("הסדק", 1),
        ("στάθμη", 1),
    ] {
        let (on_desk, in_archive) = (hits(&desk, query).len(), hits(&archive, query).len());
        assert!(
            on_desk >= least && in_archive >= least,
            "{query:?} finds {on_desk} on the desk and {in_archive} in the archive, not {least}"
        );
    }
    let hit = &hits(&archive, "subject:urgent")[0];
    for field in ["id", "title", "date", "people", "snippet"] {
        assert!(!hit[field].is_null(), "{field} of {hit}");
    }
    let mistake = daylight(["search", path(&desk), "(reservoir OR"]).code(2).stderr;
    assert!(mistake.starts_with("daylight: ") && !mistake.contains("failed"), "{mistake}");
}

#[test]
fn the_same_mail_is_the_same_documents_in_whatever_it_came() {
    let work = workplace();
    let mail = |n: usize| {
        format!(
            "From: a{n}@x.example\nTo: b@x.example\nSubject: number {n}\nDate: Mon, 4 May 2015 10:0{n}:00 +0000\nMessage-ID: <{n}@x>\n\nbody {n}\n\nFrom here on nothing.\n"
        )
    };
    let put = |name: &str, text: &str| {
        let file = work.path().join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    };
    for n in 0..5 {
        put(&format!("files/deep/er/{n}.eml"), &mail(n));
        put(&format!("maildir/cur/{n}.host:2,S"), &mail(n));
    }
    put("maildir/new/.keep", "");
    put("maildir/tmp/.keep", "");
    let mbox: String = (0..5)
        .map(|n| format!("From a{n}@x.example Mon May  4 10:00:00 2015\n{}\n", mail(n).replace("\nFrom here", "\n>From here")))
        .collect();
    put("box/box.mbox", &mbox);
    let zipped = zip_of(&work.path().join("files"), &work.path().join("zip"));
    let kinds = ["files", "maildir", "box"].into_iter().chain(zipped.then_some("zip.zip"));
    let read = |kind: &str| {
        let desk = work.path().join(format!("desk-{kind}"));
        run(&["init", path(&desk)]);
        run(&["ingest", path(&desk), path(&work.path().join(kind)), "--collection", "c"]);
        ids(&desk, "type:message")
    };
    let found: Vec<(&str, BTreeSet<String>)> = kinds.map(|kind| (kind, read(kind))).collect();
    assert_eq!(found[0].1.len(), 5, "{found:?}");
    for (kind, ids) in &found {
        assert_eq!(*ids, found[0].1, "{kind}");
    }
}

/// Makes `to`.zip with another's tool, where there is one.
fn zip_of(folder: &Path, to: &Path) -> bool {
    let script = "import shutil, sys; shutil.make_archive(sys.argv[1], 'zip', sys.argv[2])";
    Command::new("python3").args(["-c", script]).arg(to).arg(folder).status().is_ok_and(|status| status.success())
}

#[test]
fn real_mail_comes_back_with_the_digests_that_others_computed() {
    let Some(corpora) = corpora() else { return };
    let work = workplace();
    let (mailbox, desk) = (work.path().join("linux-man-2021.mbox"), work.path().join("desk"));
    let unpacked = Command::new("gzip").arg("-dc").arg(corpora.join("mail/linux-man-2021.mbox.gz")).output().unwrap();
    fs::write(&mailbox, unpacked.stdout).unwrap();
    run(&["init", path(&desk)]);
    let summary = run(&["ingest", path(&desk), path(&mailbox), "--collection", "man", "--json"]).json();
    assert_eq!(summary["messages"], 3085, "{summary}");
    let verdicts = fs::read_to_string(corpora.join("dkim/linux-man-verdicts.tsv")).unwrap();
    let digests: Vec<&str> =
        verdicts.lines().filter(|line| line.starts_with("linux-man-2021")).filter_map(|line| line.split('\t').nth(2)).collect();
    for digest in digests.iter().step_by(digests.len() / 60) {
        let found = ids(&desk, &format!("sha256:{digest}"));
        let id = found.first().unwrap_or_else(|| panic!("{digest} is not on the desk"));
        let raw = run(&["show", path(&desk), id, "--raw"]).stdout;
        let computed: String = sha2::Sha256::digest(&raw).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(computed, *digest);
    }

    // Without keys a signature shows at most that the body is another; with them, what passed when it was sent is valid.
    let total = |query: &str| run(&["search", path(&desk), query, "--json", "--limit", "1"]).json()["total"].as_u64().unwrap();
    assert!(total("dkim:key-unknown") > 2300 && total("dkim:unsigned") > 100);
    let keys = corpora.join("dkim/linux-man-keys.json");
    let imported = run(&["dkim", "import", path(&desk), path(&keys), "--source", "copies", "--seen", "2021-12-31", "--json"]).json();
    assert_eq!((&imported["keys_read"], &imported["keys_new"]), (&26.into(), &26.into()), "{imported}");
    let passed = verdicts.lines().filter(|line| line.starts_with("linux-man-2021") && line.contains("\tpass")).count() as u64;
    assert_eq!(total("dkim:valid"), passed);
    assert!(total("dkim:gmail.com") > 1000 && total("dkim:gmail.com dkim:valid") == total("dkim:gmail.com"));
    let again = run(&["dkim", "import", path(&desk), path(&keys), "--source", "copies", "--seen", "2021-12-31", "--json"]).json();
    assert_eq!((&again["keys_new"], &again["verdicts_changed"]), (&0.into(), &0.into()), "{again}");
    let id = ids(&desk, "dkim:kernel.org").first().unwrap().clone();
    let shown = run(&["show", path(&desk), &id]).text();
    assert!(shown.contains("kernel.org signed this message, and what it signed has not changed since."), "{shown}");
}

/// A PDF with one line of text a page.
fn pdf(pages: &[&str]) -> Vec<u8> {
    let kids: Vec<String> = (0..pages.len()).map(|n| format!("{} 0 R", 4 + 2 * n)).collect();
    let mut objects = vec![
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        format!("<< /Type /Pages /Kids [{}] /Count {} >>", kids.join(" "), pages.len()),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".to_owned(),
    ];
    for (n, text) in pages.iter().enumerate() {
        let content = format!("BT /F1 14 Tf 72 700 Td ({text}) Tj ET");
        objects.push(format!(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents {} 0 R /Resources << /Font << /F1 3 0 R >> >> >>",
            5 + 2 * n
        ));
        objects.push(format!("<< /Length {} >>\nstream\n{content}\nendstream", content.len()));
    }
    let mut out = b"%PDF-1.4\n".to_vec();
    let mut places = Vec::new();
    for (n, object) in objects.iter().enumerate() {
        places.push(format!("{:010} 00000 n \n", out.len()));
        out.extend(format!("{} 0 obj\n{object}\nendobj\n", n + 1).into_bytes());
    }
    let start = out.len();
    let count = objects.len() + 1;
    out.extend(format!("xref\n0 {count}\n0000000000 65535 f \n{}", places.concat()).into_bytes());
    out.extend(format!("trailer << /Size {count} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n").into_bytes());
    out
}

#[test]
fn what_is_known_of_words_is_told_from_a_desk_to_the_readers_page() {
    let minutes = "The town council met on Tuesday evening to discuss the state of the retaining wall above the reservoir. The surveyor reported that \
        cracks had been seen along its eastern half since the spring, and that water was seeping through at three places. The clerk answered that \
        letters had been sent in March and again in May, but that no reply had come.";
    let german =
        "Anbei finden Sie das Protokoll der Sitzung von letzter Woche; bitte sagen Sie mir, was darin noch fehlt oder für Sie falsch ist.";
    let work = workplace();
    let at = |name: &str| work.path().join(name);
    let (desk, archive, key, trove) = (at("desk"), at("archive"), at("ana.key"), at("trove"));
    fs::create_dir(&trove).unwrap();
    let put = |name: &str, bytes: &[u8]| fs::write(trove.join(name), bytes).unwrap();
    put("minutes.txt", minutes.as_bytes());
    let quoted = minutes.replace(". ", ".\n> ");
    put("reply.eml", format!("From: a@b.example\nSubject: Re: minutes\n\nAnn wrote:\n> {quoted}\n\nSeen.\n").as_bytes());
    let latin: Vec<u8> = format!("From: a@b.example\nSubject: Protokoll\n\n{german}\n").chars().map(|c| c as u8).collect();
    put("protokoll.eml", &latin);
    put("report.pdf", &pdf(&["The first page", "The second page names Halvorsen"]));
    put("torn.pdf", b"%PDF-1.4 torn");
    run(&["init", path(&desk)]);
    run(&["ingest", path(&desk), path(&trove), "--collection", "words"]);

    let of = |query: &str| hits(&desk, query).iter().map(|hit| hit["title"].as_str().unwrap().to_owned()).collect::<BTreeSet<_>>();
    assert_eq!(of("lang:de"), BTreeSet::from(["Protokoll".to_owned()]));
    let minutes_id = hits(&desk, "file:minutes.txt")[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(of(&format!("near:{minutes_id}")), BTreeSet::from(["Re: minutes".to_owned()]));
    assert!(daylight(["search", path(&desk), "wall near:00000000"]).code(2).text().is_empty());
    let shown = run(&["show", path(&desk), &minutes_id, "--json"]).json();
    assert_eq!((&shown["language"], shown["near"].as_array().unwrap().len()), (&Value::from("en"), 1), "{shown}");
    assert!(shown["near"][0]["percent"].as_f64().unwrap() >= 90.0, "{shown}");
    let german_id = hits(&desk, "lang:de")[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(run(&["show", path(&desk), &german_id, "--json"]).json()["properties"][0], "encoding: windows-1252, as was guessed");
    assert_eq!(hits(&desk, "halvorsen")[0]["page"], 2);
    let status = run(&["status", path(&desk), "--json"]).json();
    assert_eq!((&status["near"]["groups"], &status["near"]["documents"]), (&Value::from(1), &Value::from(2)), "{status}");

    run(&["clear", path(&desk), "--collection", "words", "--all", "--as", "Ana"]);
    run(&["key", "new", path(&key)]);
    run(&["publish", path(&desk), "--collection", "words", "--to", path(&archive), "--key", path(&key)]);
    run(&["verify", path(&archive)]);
    let german = &hits(&archive, "lang:de")[0];
    assert_eq!(run(&["show", path(&archive), german["id"].as_str().unwrap(), "--json"]).json()["language"], "de");
    assert_eq!(hits(&archive, "halvorsen")[0]["page"], 2);
    daylight(["search", path(&archive), "near:words/1"]).code(2);
    let status = run(&["status", path(&archive), "--json"]).json();
    assert_eq!((&status["documents"], &status["not_fully_read"]), (&Value::from(5), &Value::from(1)), "{status}");
    assert_eq!(status["collections"]["words"]["reasons"]["malformed"], 1, "{status}");
}
