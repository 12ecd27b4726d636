//! docs/open_envelope.py, a second reader and writer of envelopes after docs/envelope.md alone, beside our own: each opens what the other sealed.

use crate::support::{root, tool_file, workplace};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use daylight_envelope::{
    Authenticated, Codename, Head, Identity, Kind, Newsroom, SealedBy, SourceKeys, open_reply, open_submission, seal_reply, seal_submission,
};
use daylight_model::Digest;
use ed25519_dalek::{Signer as _, SigningKey};
use serde_json::{Value, json};
use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use tempfile::TempDir;

const WORDS: &str = "crates/envelope/src/codename/words.txt";

struct Python {
    python: PathBuf,
    work: TempDir,
}

impl Python {
    /// Python with the packages of tests/python/requirements.txt, which have HPKE with X-Wing.
    fn new() -> Option<Self> {
        Some(Self { python: tool_file("python/bin/python")?, work: workplace() })
    }

    fn at(&self, name: &str) -> PathBuf {
        self.work.path().join(name)
    }

    /// What it says, or why it refuses.
    fn run(&self, args: &[&str], input: &str) -> Result<Value, String> {
        let mut python = Command::new(&self.python);
        python.arg(root().join("docs/open_envelope.py")).args(args).current_dir(self.work.path());
        let mut python = python.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        python.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = python.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        match output.status.code() {
            Some(0) => Ok(serde_json::from_slice(&output.stdout).unwrap()),
            Some(1) if !said.contains("Traceback") => Err(said),
            other => panic!("{other:?}: {said}"),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

const HERE: Newsroom = Newsroom([5; 32]);

fn source() -> SourceKeys {
    Codename::generate().unwrap().keys(&HERE)
}

fn bodies() -> Vec<(Kind, Vec<u8>)> {
    let file = Kind::File { file: [3; 16], part: 70_000, last: false };
    let long = (0..150_000u32).map(|at| (at ^ at >> 8) as u8).chain([0; 100]).collect();
    vec![(Kind::Text, Vec::new()), (Kind::Text, "Grüße".into()), (file, long), (file, vec![0; 9_000])]
}

fn head(source: &SourceKeys, kind: Kind, first: bool) -> Head {
    let (name, media_type) = if kind == Kind::Text { ("", "") } else { ("a\nb/../плотина.pdf", "application/pdf") };
    Head {
        newsroom: HERE,
        epoch: 20_785,
        conversation: source.conversation.clone(),
        reply: source.reply.recipient(),
        sealed_by: SealedBy::Tool,
        counter: 1 << 60,
        kind,
        name: name.into(),
        media_type: media_type.to_owned(),
        first,
    }
}

fn as_json(head: &Head) -> Value {
    let mut told = json!({
        "newsroom": head.newsroom.to_string(), "epoch": head.epoch, "conversation": hex(head.conversation.as_bytes()),
        "reply": hex(&head.reply.to_bytes()), "counter": head.counter, "tool": head.sealed_by == SealedBy::Tool, "first": head.first,
        "name": hex(&head.name), "media_type": head.media_type,
    });
    if let Kind::File { file, part, last } = head.kind {
        (told["file"], told["part"], told["last"]) = (json!(hex(&file)), json!(part), json!(last));
    }
    told
}

#[test]
fn python_opens_what_we_seal() {
    let Some(python) = Python::new() else { return };
    let (source, reader, other) = (source(), Identity::generate().unwrap(), Identity::generate().unwrap());
    for (first, (kind, body)) in [true, false, true, false].into_iter().zip(bodies()) {
        let head = head(&source, kind, first);
        let mut sealer = seal_submission(&head, &[other.recipient(), reader.recipient()], Vec::new()).unwrap();
        sealer.write_all(&body).unwrap();
        let envelope = sealer.finish().unwrap();
        fs::write(python.at("envelope"), &envelope).unwrap();
        let open = ["open", &HERE.to_string(), &hex(reader.seed()), "envelope", "body"];
        let mut told = as_json(&head);
        (told["length"], told["authenticated"]) = (json!(body.len()), json!(if first { "first" } else { "yes" }));
        assert_eq!(python.run(&open, "").unwrap(), told);
        assert_eq!(fs::read(python.at("body")).unwrap(), body);
        fs::remove_file(python.at("body")).unwrap();
        fs::write(python.at("envelope"), &envelope[..envelope.len() - 1]).unwrap();
        assert!(python.run(&open, "").unwrap_err().contains("cut off"));
        assert!(!python.at("body").exists(), "what was cut off is not written");
    }
    let editor = SigningKey::from_bytes(&[7; 32]);
    let public = editor.verifying_key().to_bytes();
    let sealed = seal_reply(&source.reply.recipient(), &HERE, 8, "Grüße", &public, |message| editor.sign(message).to_bytes()).unwrap();
    fs::write(python.at("reply"), sealed).unwrap();
    let open =
        |newsroom: Newsroom| python.run(&["open-reply", &newsroom.to_string(), &hex(source.reply.seed()), &hex(&public), "reply"], "");
    assert_eq!(open(HERE).unwrap(), json!({"counter": 8, "text": "Grüße"}));
    assert!(open(Newsroom([6; 32])).unwrap_err().contains("another newsroom"));
}

#[test]
fn we_open_what_python_seals() {
    let Some(python) = Python::new() else { return };
    let (source, reader, other) = (source(), Identity::generate().unwrap(), Identity::generate().unwrap());
    for (first, (kind, body)) in [true, false, true, false].into_iter().zip(bodies()) {
        let head = head(&source, kind, first);
        fs::write(python.at("head"), as_json(&head).to_string()).unwrap();
        fs::write(python.at("body"), &body).unwrap();
        let recipients = [reader.recipient().to_string(), other.recipient().to_string()];
        python.run(&["seal", "head", "envelope", "body", &recipients[0], &recipients[1]], "").unwrap();
        let envelope = fs::read(python.at("envelope")).unwrap();
        assert_eq!(envelope.len() as u64, daylight_envelope::envelope_length(body.len() as u64, &kind));
        let submission = open_submission(&[&reader], &HERE, envelope.as_slice()).unwrap();
        assert!(*submission.head() == head);
        let mut read = Vec::new();
        let finished = submission.copy_to(&mut read, Some(&source.conversation)).unwrap();
        let authenticated = if first { Authenticated::First } else { Authenticated::Yes };
        assert_eq!((finished.authenticated, finished.sha256, read == body), (authenticated, Digest::of(&body), true));
    }
    let seal = ["seal-reply", &HERE.to_string(), &source.reply.recipient().to_string(), "8", &hex(&[7; 32]), "reply"];
    python.run(&seal, "Grüße").unwrap();
    let editor = SigningKey::from_bytes(&[7; 32]).verifying_key().to_bytes();
    let reply = open_reply(&source.reply, &HERE, &[editor], &fs::read(python.at("reply")).unwrap()).ok().unwrap();
    assert_eq!((reply.counter, reply.body.as_str()), (8, "Grüße"));
}

#[test]
fn python_reads_codenames_and_vectors_as_we_do() {
    let Some(python) = Python::new() else { return };
    let words = root().join(WORDS);
    let vectors: Value = serde_json::from_slice(&fs::read(root().join("crates/envelope/tests/envelope/vectors.json")).unwrap()).unwrap();
    let told = &vectors["codename"];
    let (newsroom, typed) = (told["newsroom"].as_str().unwrap(), told["words"].as_str().unwrap());
    let keys = |typed: &str| python.run(&["codename", newsroom, words.to_str().unwrap()], typed);
    let expected = json!({"lookup": told["lookup"], "reply": told["reply"], "conversation": told["conversation"]});
    assert_eq!(keys(&typed.to_uppercase()).unwrap(), expected);
    let slip = typed.split(' ').rev().collect::<Vec<_>>().join(" ");
    assert!(keys(&slip).unwrap_err().contains("wrong order") && Codename::parse(&slip).is_err());
    for (reader, told) in vectors["readers"].as_array().unwrap().iter().zip(vectors["submissions"].as_array().unwrap()) {
        fs::write(python.at("envelope"), STANDARD.decode(told["envelope"].as_str().unwrap()).unwrap()).unwrap();
        let opened = python.run(&["open", newsroom, reader["seed"].as_str().unwrap(), "envelope", "body"], "").unwrap();
        for (key, value) in told.as_object().unwrap().iter().filter(|(key, _)| !["sha256", "envelope"].contains(&key.as_str())) {
            assert_eq!(&opened[key], value, "{key}");
        }
        assert_eq!(told["sha256"], Digest::of(&fs::read(python.at("body")).unwrap()).to_string());
    }
}
