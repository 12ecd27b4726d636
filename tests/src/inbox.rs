//! The newsroom's end of the intake, as people type it: keys and directories, collecting by stick and over the wire, conversations, deletion.

mod beside;
mod directory;
mod killed;
mod talk;
mod tool;
mod tpm;
mod wire;

pub(crate) use wire::Served;

use crate::support::{Spoken, program, workplace};
use daylight_envelope::{ConversationKey, Head, Identity, Kind, Newsroom, Recipient, SealedBy, seal_submission};
use daylight_model::Digest;
use serde_json::json;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};
use tempfile::TempDir;
use zeroize::Zeroizing;

/// A newsroom's folder: a desk, an archive with a root of ana, ben and cleo of whom two sign, and their keys.
pub(crate) struct Room {
    pub(crate) work: TempDir,
}

impl Room {
    pub(crate) fn new() -> Self {
        let room = Self { work: workplace() };
        room.run("init desk");
        ["ana", "ben", "cleo"].iter().for_each(|name| _ = room.run(&format!("key new {name}.key")));
        room.run(
            "root new archive --log-key desk/log.key --origin news.example/papers --editor ana.key.pub --editor ben.key.pub --editor \
             cleo.key.pub --key ana.key --key ben.key",
        );
        room
    }

    /// With keys of ana's and ben's for so many days, and a directory of them.
    pub(crate) fn with_directory(days: u32) -> Self {
        let room = Self::new();
        room.run(&format!("drop directory keys desk --to archive --key ana.key --days {days} --out ana.epoch-keys"));
        room.run(&format!("drop directory keys desk --to archive --key ben.key --days {days} --out ben.epoch-keys"));
        room.run("drop directory new desk --to archive --member ana.epoch-keys --member ben.epoch-keys --key ana.key --key ben.key");
        room
    }

    pub(crate) fn at(&self, name: &str) -> PathBuf {
        self.work.path().join(name)
    }

    pub(crate) fn say(&self, line: &str) -> Spoken {
        say(self.work.path(), line)
    }

    #[track_caller]
    pub(crate) fn run(&self, line: &str) -> Spoken {
        self.say(line).code(0)
    }

    #[track_caller]
    pub(crate) fn refused(&self, line: &str) -> String {
        self.say(line).code(1).stderr
    }

    pub(crate) fn newsroom(&self) -> Newsroom {
        Newsroom(Digest::of(&fs::read(self.at("archive/root/1.json")).unwrap()).0)
    }

    /// The keys to which sources seal today, as the directory on the desk has them.
    pub(crate) fn recipients(&self) -> Vec<Recipient> {
        let file = daylight_archive::directory::parse(&fs::read(self.at("desk/inbox/directory")).unwrap()).unwrap();
        file.keys(today()).iter().map(|key| Recipient::from_bytes(key).unwrap()).collect()
    }

    /// What `source` says, sealed for today.
    pub(crate) fn seal(&self, source: &Source, counter: u64, first: bool, what: What<'_>) -> Vec<u8> {
        let (kind, name, body) = match what {
            What::Text(text) => (Kind::Text, Vec::new(), text.as_bytes()),
            What::File { file, part, last, name, body } => (Kind::File { file: [file; 16], part, last }, name.to_vec(), body),
        };
        let head = Head {
            newsroom: self.newsroom(),
            epoch: today(),
            conversation: ConversationKey::new(Zeroizing::new(source.conversation)),
            reply: source.reply.recipient(),
            sealed_by: if source.by_tool { SealedBy::Tool } else { SealedBy::Page },
            counter,
            kind,
            name,
            media_type: if matches!(what, What::Text(_)) { String::new() } else { "text/plain".into() },
            first,
        };
        let mut sealer = seal_submission(&head, &self.recipients(), Vec::new()).unwrap();
        sealer.write_all(body).unwrap();
        sealer.finish().unwrap()
    }

    /// The first conversation of the list.
    #[track_caller]
    pub(crate) fn first(&self) -> String {
        self.run("drop list desk --json").json()["conversations"][0]["id"].as_str().unwrap().to_owned()
    }
}

pub(crate) fn today() -> u32 {
    (SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() / 86_400) as u32
}

/// Runs a command line in a folder, on a machine without a TPM.
pub(crate) fn say(folder: &Path, line: &str) -> Spoken {
    say_with(folder, &[("DAYLIGHT_TPM", "/nowhere/tpm")], line)
}

pub(crate) fn say_with(folder: &Path, surroundings: &[(&str, &str)], line: &str) -> Spoken {
    let mut command = Command::new(program());
    command.args(line.split_whitespace()).current_dir(folder).envs(surroundings.iter().copied()).stdin(Stdio::null());
    command.output().unwrap().into()
}

/// A source with its secrets, which are all of one byte.
pub(crate) struct Source {
    pub(crate) lookup: Digest,
    pub(crate) conversation: [u8; 32],
    pub(crate) reply: Identity,
    pub(crate) by_tool: bool,
}

pub(crate) fn source(seed: u8) -> Source {
    let reply = Identity::from_seed(Zeroizing::new([seed; 32]));
    Source { lookup: Digest([seed ^ 0x55; 32]), conversation: [seed; 32], reply, by_tool: true }
}

#[derive(Clone, Copy)]
pub(crate) enum What<'a> {
    Text(&'a str),
    File { file: u8, part: u32, last: bool, name: &'a [u8], body: &'a [u8] },
}

/// A stick with these envelopes, as the drop writes it.
pub(crate) fn stick(folder: &Path, envelopes: &[(Digest, Vec<u8>)]) {
    fs::create_dir_all(folder.join("outbox")).unwrap();
    let mut listed = Vec::new();
    for (lookup, bytes) in envelopes {
        let id = Digest::of(bytes).to_string();
        fs::write(folder.join("outbox").join(&id), bytes).unwrap();
        listed.push(json!({"day": today(), "id": id, "length": bytes.len(), "lookup": lookup.to_string()}));
    }
    listed.sort_by_key(|one| one["id"].as_str().unwrap().to_owned());
    fs::write(folder.join("outbox/list"), json!({"envelopes": listed}).to_string()).unwrap();
}

/// Whether a file below a folder holds these bytes, as they are, in hex or in base64 at whatever place.
pub(crate) fn holds(folder: &Path, canary: &[u8]) -> Option<PathBuf> {
    use base64::Engine as _;
    let mut forms = vec![canary.to_vec(), canary.iter().map(|byte| format!("{byte:02x}")).collect::<String>().into_bytes()];
    for skip in 0..3usize.min(canary.len()) {
        // The characters at the edges depend on what stands beside.
        let text = base64::engine::general_purpose::STANDARD_NO_PAD.encode(&canary[skip..]);
        forms.push(text.as_bytes()[..text.len() - 2].to_vec());
    }
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
                continue;
            }
            let bytes = fs::read(&path).unwrap();
            if forms.iter().any(|form| bytes.windows(form.len()).any(|window| window == form.as_slice())) {
                return Some(path);
            }
        }
    }
    None
}
