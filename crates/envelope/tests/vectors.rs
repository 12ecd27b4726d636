//! The vectors of docs/envelope.md. They were written once, and hold from then on: what was sealed must be opened by every later version.
//! `DAYLIGHT_WRITE_VECTORS=1` writes new ones, which is right for a new version of the format only.
#![allow(clippy::unwrap_used)]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use daylight_envelope::*;
use daylight_model::Digest;
use ed25519_dalek::{Signer as _, SigningKey};
use serde_json::{Value, json};
use std::io::Write as _;
use zeroize::Zeroizing;

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/envelope/vectors.json");

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn bytes<const N: usize>(value: &Value) -> [u8; N] {
    let text = value.as_str().unwrap();
    let bytes: Vec<u8> = (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect();
    bytes.try_into().unwrap()
}

fn identity(seed: &Value) -> Identity {
    Identity::from_seed(Zeroizing::new(bytes(seed)))
}

fn written() -> Value {
    let newsroom = Newsroom(Digest::of(b"the first root of a newsroom").0);
    let codename = Codename::generate().unwrap();
    let keys = codename.keys(&newsroom);
    let readers = [Identity::generate().unwrap(), Identity::generate().unwrap()];
    let recipients = [readers[0].recipient(), readers[1].recipient()];
    let text = "What I saw in the mill.\nMore follows.\n".as_bytes();
    let file: Vec<u8> = (0..5_000u32).map(|at| ((at * at) >> 7) as u8).chain([0; 9]).collect();
    let submission = |head: &Head, body: &[u8]| {
        let mut sealer = seal_submission(head, &recipients, Vec::new()).unwrap();
        sealer.write_all(body).unwrap();
        STANDARD.encode(sealer.finish().unwrap())
    };
    let mut head = Head {
        newsroom,
        epoch: 20_785,
        conversation: keys.conversation.clone(),
        reply: keys.reply.recipient(),
        sealed_by: SealedBy::Page,
        counter: 1,
        kind: Kind::Text,
        name: Vec::new(),
        media_type: String::new(),
        first: true,
    };
    let first = submission(&head, text);
    (head.sealed_by, head.counter, head.first) = (SealedBy::Tool, u64::MAX, false);
    head.kind = Kind::File { file: [0xa5; 16], part: 0, last: true };
    (head.name, head.media_type) = ("плотина.pdf".as_bytes().to_vec(), "application/pdf".into());
    let later = submission(&head, &file);
    let editor = SigningKey::from_bytes(&[7; 32]);
    let public = editor.verifying_key().to_bytes();
    let reply = seal_reply(&head.reply, &newsroom, 1, "Danke, wir lesen.", &public, |message| editor.sign(message).to_bytes()).unwrap();
    let lengths = [0u64, 1, 4_096, 4_097, 32_768, 32_769, 131_072, 131_073, 1_000_000, 2 << 30];
    json!({
        "codename": {
            "words": codename.words().as_str(), "newsroom": newsroom.to_string(), "lookup": keys.lookup.to_string(),
            "seed": hex(keys.seed()), "reply": hex(keys.reply.seed()), "conversation": hex(keys.conversation.as_bytes()),
        },
        "lengths": lengths.map(|length| {
            let file = envelope_length(length, &Kind::File { file: [0; 16], part: 0, last: true });
            json!({ "body": length, "text": (length <= LONGEST_TEXT).then(|| envelope_length(length, &Kind::Text)), "file": file })
        }),
        "readers": readers.each_ref().map(|reader| json!({ "seed": hex(reader.seed()), "recipient": reader.recipient().to_string() })),
        "submissions": [
            { "epoch": 20_785, "tool": false, "counter": 1, "first": true, "name": "", "media_type": "", "length": text.len(),
              "sha256": Digest::of(text).to_string(), "authenticated": "first", "envelope": first },
            { "epoch": 20_785, "tool": true, "counter": u64::MAX, "first": false, "name": hex(&head.name), "media_type": head.media_type,
              "length": file.len(), "sha256": Digest::of(&file).to_string(), "file": hex(&[0xa5; 16]), "part": 0, "last": true,
              "authenticated": "yes", "envelope": later },
        ],
        "reply": { "counter": 1, "text": "Danke, wir lesen.", "editor": hex(&public), "sealed": STANDARD.encode(reply) },
    })
}

fn vectors() -> Value {
    if std::env::var_os("DAYLIGHT_WRITE_VECTORS").is_some() {
        std::fs::write(PATH, serde_json::to_string_pretty(&written()).unwrap() + "\n").unwrap();
    }
    serde_json::from_slice(&std::fs::read(PATH).unwrap()).unwrap()
}

#[test]
fn the_vectors_hold() {
    let vectors = vectors();
    let told = &vectors["codename"];
    let newsroom = Newsroom(bytes(&told["newsroom"]));
    let keys = Codename::parse(told["words"].as_str().unwrap()).unwrap().keys(&newsroom);
    assert_eq!(told["lookup"], keys.lookup.to_string());
    assert_eq!(told["seed"], hex(keys.seed()));
    assert_eq!(told["reply"], hex(keys.reply.seed()));
    assert_eq!(told["conversation"], hex(keys.conversation.as_bytes()));
    for length in vectors["lengths"].as_array().unwrap() {
        let (body, of) = (length["body"].as_u64().unwrap(), |kind: &str| length[kind].as_u64());
        assert_eq!(of("file"), Some(envelope_length(body, &Kind::File { file: [0; 16], part: 0, last: true })));
        assert_eq!(of("text"), (body <= LONGEST_TEXT).then(|| envelope_length(body, &Kind::Text)));
    }
    for (reader, told) in vectors["readers"].as_array().unwrap().iter().flat_map(|reader| {
        assert_eq!(reader["recipient"], identity(&reader["seed"]).recipient().to_string());
        vectors["submissions"].as_array().unwrap().iter().map(move |told| (reader, told))
    }) {
        let envelope = STANDARD.decode(told["envelope"].as_str().unwrap()).unwrap();
        let submission = open_submission(&[&identity(&reader["seed"])], &newsroom, envelope.as_slice()).unwrap();
        let head = submission.head().clone();
        assert!(head.conversation == keys.conversation && head.reply == keys.reply.recipient());
        assert_eq!((told["epoch"].as_u64(), told["counter"].as_u64()), (Some(head.epoch.into()), Some(head.counter)));
        assert_eq!((told["tool"] == true, told["first"] == true), (head.sealed_by == SealedBy::Tool, head.first));
        assert_eq!((&told["name"], &told["media_type"]), (&json!(hex(&head.name)), &json!(head.media_type)));
        match head.kind {
            Kind::Text => assert!(told.get("file").is_none()),
            Kind::File { file, part, last } => {
                assert_eq!((&told["file"], &told["part"], &told["last"]), (&json!(hex(&file)), &json!(part), &json!(last)));
            }
        }
        let finished = submission.copy_to(&mut std::io::sink(), Some(&keys.conversation)).unwrap();
        assert_eq!((told["length"].as_u64(), &told["sha256"]), (Some(finished.length), &json!(finished.sha256.to_string())));
        let authenticated = if head.first { Authenticated::First } else { Authenticated::Yes };
        assert_eq!(finished.authenticated, authenticated);
    }
    let told = &vectors["reply"];
    let sealed = STANDARD.decode(told["sealed"].as_str().unwrap()).unwrap();
    let reply = open_reply(&keys.reply, &newsroom, &[bytes(&told["editor"])], &sealed).unwrap();
    assert_eq!((told["counter"].as_u64(), &told["text"]), (Some(reply.counter), &json!(reply.body.as_str())));
}
