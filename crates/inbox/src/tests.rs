//! An inbox against a drop in memory that may lie.

use crate::carrier::{Carrier, Lookup, Waiting};
use crate::tpm::soft::Chip;
use crate::{Inbox, Keyring, LIFE, Offer, Protection, Result, Tpm, day_of, join};
use daylight_archive::Signer;
use daylight_envelope::{
    Authenticated, ConversationKey, Head, Identity, Kind, Newsroom, Recipient, SealedBy, open_reply, open_submission, seal_submission,
};
use daylight_model::Digest;
use ed25519_dalek::SigningKey;
use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use zeroize::Zeroizing;

const TODAY: u32 = 20_785;
const NEWSROOM: Newsroom = Newsroom([9; 32]);

/// A machine that has none.
fn no_tpm() -> Tpm {
    Tpm::at(Path::new("/nowhere/tpm"))
}

fn ana() -> Signer {
    Signer::new("ana", SigningKey::from_bytes(&[3; 32])).unwrap()
}

/// A source, as its tool keeps it.
struct Source {
    lookup: Lookup,
    reply: Identity,
    conversation: [u8; 32],
}

fn source(seed: u8) -> Source {
    Source { lookup: [seed; 32], reply: Identity::from_seed(Zeroizing::new([seed; 32])), conversation: [seed; 32] }
}

impl Source {
    fn head(&self, counter: u64, first: bool) -> Head {
        Head {
            newsroom: NEWSROOM,
            epoch: TODAY,
            conversation: ConversationKey::new(Zeroizing::new(self.conversation)),
            reply: self.reply.recipient(),
            sealed_by: SealedBy::Tool,
            counter,
            kind: Kind::Text,
            name: Vec::new(),
            media_type: String::new(),
            first,
        }
    }
}

fn sealed(head: &Head, to: &[Recipient], body: &[u8]) -> Vec<u8> {
    let mut sealer = seal_submission(head, to, Vec::new()).unwrap();
    sealer.write_all(body).unwrap();
    sealer.finish().unwrap()
}

/// A drop in memory.
#[derive(Default)]
struct Drop {
    envelopes: BTreeMap<Digest, (Lookup, Vec<u8>)>,
    directory: Option<Vec<u8>>,
    replies: Vec<(Lookup, Vec<u8>)>,
    done: Vec<Digest>,
    accepted: Vec<Lookup>,
    forgotten: Vec<Lookup>,
    /// Says that it deleted what it keeps.
    keeps: bool,
    fetched: usize,
    /// Envelopes that it lists and cannot give.
    torn: Vec<Digest>,
    /// Whether what it is given must be carried to it first.
    by_stick: bool,
    /// How many days ago everything came, as it says.
    day: u32,
}

impl Drop {
    fn put(&mut self, lookup: Lookup, bytes: Vec<u8>) -> Digest {
        let id = Digest::of(&bytes);
        self.envelopes.insert(id, (lookup, bytes));
        id
    }
}

impl Carrier for Drop {
    fn directory(&mut self) -> Result<Option<Vec<u8>>> {
        Ok(self.directory.clone())
    }
    fn put_directory(&mut self, file: &[u8]) -> Result<bool> {
        if self.by_stick {
            return Ok(false);
        }
        self.directory = Some(file.to_vec());
        Ok(true)
    }
    fn list(&mut self) -> Result<Vec<Waiting>> {
        let one = |(id, (lookup, bytes)): (&Digest, &(Lookup, Vec<u8>))| Waiting {
            id: *id,
            lookup: *lookup,
            day: TODAY - self.day,
            length: bytes.len() as u64,
        };
        Ok(self.envelopes.iter().map(one).collect())
    }
    fn fetch(&mut self, waiting: &Waiting, to: &mut dyn Write) -> Result<bool> {
        self.fetched += 1;
        if self.torn.contains(&waiting.id) {
            return Err(crate::Error::Carrier("the line broke".into()));
        }
        let Some((_, bytes)) = self.envelopes.get(&waiting.id) else { return Ok(false) };
        to.write_all(bytes).unwrap();
        Ok(true)
    }
    fn done(&mut self, ids: &[Digest]) -> Result<()> {
        self.done.extend(ids);
        if !self.keeps {
            ids.iter().for_each(|id| drop(self.envelopes.remove(id)));
        }
        Ok(())
    }
    fn reply(&mut self, lookup: &Lookup, sealed: &[u8]) -> Result<()> {
        self.replies.push((*lookup, sealed.to_vec()));
        Ok(())
    }
    fn accept(&mut self, lookups: &[Lookup]) -> Result<()> {
        self.accepted.extend(lookups);
        Ok(())
    }
    fn forget(&mut self, lookups: &[Lookup]) -> Result<()> {
        self.forgotten.extend(lookups);
        Ok(())
    }
}

/// A desk with a keyring of a few days, and the keys of today.
fn desk(folder: &Path) -> (Inbox, Vec<Recipient>) {
    let inbox = Inbox::open(folder, TODAY, &no_tpm()).unwrap();
    let mut keyring = Keyring::create(&inbox.keyring_path("ana"), NEWSROOM, &ana().key(), None).unwrap();
    keyring.fill(TODAY, 3).unwrap();
    let today = Recipient::from_bytes(&keyring.public(TODAY).unwrap()).unwrap();
    (inbox, vec![today])
}

fn collect(inbox: &mut Inbox, drop: &mut Drop) -> crate::Collected {
    let held = inbox.hold("test").unwrap();
    inbox.collect(&held, drop, TODAY, &mut |_, _| {}).unwrap()
}

#[test]
fn what_is_sent_is_collected_once_answered_and_gone_when_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let (mut inbox, keys) = desk(folder.path());
    let (mut drop, one) = (Drop::default(), source(1));
    drop.put(one.lookup, sealed(&one.head(1, true), &keys, b"I have papers CANARY-7f3a"));
    let envelope = sealed(&one.head(2, false), &keys, b"more");
    drop.put(one.lookup, envelope.clone());
    let came = collect(&mut inbox, &mut drop);
    assert_eq!((came.submissions, came.conversations, came.doubtful, came.alarms.len()), (2, 1, 0, 0));
    assert!(drop.envelopes.is_empty(), "the drop was told");
    // The same again, and under another mailbox: nothing comes twice.
    drop.put(one.lookup, envelope.clone());
    assert_eq!((collect(&mut inbox, &mut drop).submissions, drop.envelopes.len()), (0, 0));
    drop.put([77; 32], envelope.clone());
    assert_eq!(collect(&mut inbox, &mut drop).submissions, 0);

    let listed = inbox.list(10, false).unwrap();
    let id = listed[0].id.to_string();
    let whole = inbox.read(&id).unwrap();
    let texts: Vec<_> = whole.messages.iter().map(|message| message.text.clone().unwrap()).collect();
    assert!(texts.contains(&"I have papers CANARY-7f3a".to_owned()) && texts.len() == 2);
    assert!(whole.messages.iter().all(|message| message.heading.by_tool && !message.doubtful));

    let held = inbox.hold("test").unwrap();
    assert!(inbox.accept(&id[..6]).unwrap() && !inbox.accept(&id).unwrap());
    inbox.answer(&id, "Thank you. CANARY-answer", &ana(), TODAY).unwrap();
    let stranger = Signer::new("eve", SigningKey::from_bytes(&[4; 32])).unwrap();
    assert!(inbox.answer(&id, "x", &stranger, TODAY).is_err(), "sources would not believe it");
    std::mem::drop(held);
    let sent = collect(&mut inbox, &mut drop).sent;
    assert_eq!((sent.replies, sent.accepted, drop.accepted.as_slice()), (1, 1, &[one.lookup][..]));
    let reply = open_reply(&one.reply, &NEWSROOM, &[*ana().key().public()], &drop.replies[0].1).unwrap();
    assert_eq!((reply.body.as_str(), reply.counter), ("Thank you. CANARY-answer", 1));

    assert!(!holds(folder.path(), b"CANARY"), "nothing is in the clear");
    let (storage, key) = (inbox.storage().unwrap(), inbox.storage_key(&inbox.known(&id).unwrap()).unwrap());
    assert_eq!(storage.all().count(), 1);
    let held = inbox.hold("test").unwrap();
    inbox.delete(&held, &[listed[0].id]).unwrap();
    std::mem::drop(held);
    for canary in [&key[..], &one.lookup, &listed[0].id.0, &one.conversation] {
        assert!(!holds(&folder.path().join("inbox"), canary) || canary == &one.lookup[..], "{canary:?}");
    }
    collect(&mut inbox, &mut drop);
    assert_eq!(drop.forgotten, [one.lookup]);
    assert!(!holds(&folder.path().join("inbox"), &one.lookup), "nor the mailbox, once the drop knows");
    assert!(inbox.list(10, false).unwrap().is_empty() && inbox.read(&id).is_err());
    // What was deleted does not come back, though the drop gives it again.
    drop.put(one.lookup, envelope);
    assert_eq!(collect(&mut inbox, &mut drop).submissions, 0);
}

/// Whether some file below a folder has these bytes in it, as they are or as base64 or hex.
fn holds(folder: &Path, bytes: &[u8]) -> bool {
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
                continue;
            }
            let found = std::fs::read(&path).unwrap();
            if [bytes, hex.as_bytes()].iter().any(|canary| found.windows(canary.len()).any(|window| window == *canary)) {
                return true;
            }
        }
    }
    false
}

#[test]
fn somebody_else_in_a_mailbox_is_shown_as_such_and_never_gets_the_answers() {
    let folder = tempfile::tempdir().unwrap();
    let (mut inbox, keys) = desk(folder.path());
    let (mut drop, one, other) = (Drop::default(), source(1), source(2));
    drop.put(one.lookup, sealed(&one.head(1, true), &keys, b"first"));
    collect(&mut inbox, &mut drop);
    // A conversation of another's in the same mailbox; the first again with another reply key; a later one without the MAC of its key.
    drop.put(one.lookup, sealed(&other.head(1, true), &keys, b"it is me, write to this key"));
    let swapped = Head { reply: other.reply.recipient(), ..one.head(3, false) };
    drop.put(one.lookup, sealed(&swapped, &keys, b"my reply key is new"));
    drop.put(one.lookup, sealed(&one.head(4, true), &keys, b"first again"));
    let came = collect(&mut inbox, &mut drop);
    assert_eq!((came.submissions, came.conversations, came.doubtful), (3, 1, 2));
    let listed = inbox.list(10, false).unwrap();
    assert!(listed.iter().all(|one| one.shared) && listed.len() == 2);
    let first = listed.iter().find(|conversation| conversation.submissions == 3).unwrap();
    let whole = inbox.read(&first.id.to_string()).unwrap();
    let doubts: BTreeMap<String, (bool, bool)> =
        whole.messages.iter().map(|message| (message.text.clone().unwrap(), (message.doubtful, message.again))).collect();
    assert_eq!((doubts["first"], doubts["my reply key is new"], doubts["first again"]), ((false, false), (true, false), (false, true)));
    inbox.answer(&first.id.to_string(), "hello", &ana(), TODAY).unwrap();
    collect(&mut inbox, &mut drop);
    let sealed = &drop.replies[0].1;
    assert!(open_reply(&one.reply, &NEWSROOM, &[*ana().key().public()], sealed).is_ok());
    assert!(open_reply(&other.reply, &NEWSROOM, &[*ana().key().public()], sealed).is_err(), "the reply key is the first envelope's");
}

#[test]
fn a_later_message_that_a_server_altered_or_another_newsroom_was_sent_is_not_taken() {
    let folder = tempfile::tempdir().unwrap();
    let (mut inbox, keys) = desk(folder.path());
    let (mut drop, one) = (Drop { keeps: true, ..Drop::default() }, source(1));
    let good = sealed(&one.head(1, true), &keys, b"first");
    let mut cases = vec![good[..good.len() - 1].to_vec(), Vec::new(), b"age-encryption.org/v1\n".to_vec()];
    for at in [good.len() - 1, good.len() / 2, 40] {
        let mut bad = good.clone();
        bad[at] ^= 1;
        cases.push(bad);
    }
    let elsewhere = Head { newsroom: Newsroom([8; 32]), ..one.head(1, true) };
    cases.push(sealed(&elsewhere, &keys, b"for others"));
    let stale = Head { epoch: TODAY - 1, ..one.head(1, true) };
    cases.push(sealed(&stale, &keys, b"of another day than its key"));
    cases.push(sealed(&one.head(1, true), &[Identity::generate().unwrap().recipient()], b"to a stranger"));
    let ids: Vec<Digest> = cases.iter().map(|case| drop.put(one.lookup, case.clone())).collect();
    let came = collect(&mut inbox, &mut drop);
    assert_eq!((came.submissions, came.refused.len()), (0, ids.len()), "{came:?}");
    assert!(drop.done.is_empty(), "what was not taken stays at the drop");
    assert!(inbox.list(1, false).unwrap().is_empty() && inbox.storage().unwrap().all().count() == 0);
    assert_eq!(std::fs::read_dir(folder.path().join("inbox/sealed")).unwrap().count(), 0);
    // They are not fetched each day, and are when somebody asks.
    drop.fetched = 0;
    assert_eq!((collect(&mut inbox, &mut drop).refused.len(), drop.fetched), (0, 0));
    let held = inbox.hold("test").unwrap();
    assert_eq!(inbox.try_refused_again(&held).unwrap(), ids.len());
}

#[test]
fn a_drop_that_lies_about_what_it_has_is_told_of() {
    struct Liar(Drop);
    impl Carrier for Liar {
        fn directory(&mut self) -> Result<Option<Vec<u8>>> {
            Ok(Some(b"a directory that nobody here made".to_vec()))
        }
        fn put_directory(&mut self, file: &[u8]) -> Result<bool> {
            self.0.put_directory(file)
        }
        fn list(&mut self) -> Result<Vec<Waiting>> {
            let mut list = self.0.list()?;
            list.push(Waiting { id: Digest([1; 32]), lookup: [0; 32], day: u32::MAX, length: u64::MAX });
            list.push(Waiting { id: Digest([2; 32]), lookup: [0; 32], day: 0, length: 5 });
            Ok(list)
        }
        fn fetch(&mut self, waiting: &Waiting, to: &mut dyn Write) -> Result<bool> {
            if waiting.id == Digest([2; 32]) {
                to.write_all(b"other").unwrap();
                return Ok(true);
            }
            self.0.fetch(waiting, to)
        }
        fn done(&mut self, ids: &[Digest]) -> Result<()> {
            self.0.done(ids)
        }
        fn reply(&mut self, _: &Lookup, _: &[u8]) -> Result<()> {
            Ok(())
        }
        fn accept(&mut self, _: &[Lookup]) -> Result<()> {
            Ok(())
        }
        fn forget(&mut self, _: &[Lookup]) -> Result<()> {
            Ok(())
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let (mut inbox, keys) = desk(folder.path());
    let mut drop = Liar(Drop::default());
    drop.0.put([1; 32], sealed(&source(1).head(1, true), &keys, b"first"));
    let held = inbox.hold("test").unwrap();
    inbox.keep_directory(&held, b"ours", 3).unwrap();
    let came = inbox.collect(&held, &mut drop, TODAY, &mut |_, _| {}).unwrap();
    assert_eq!((came.submissions, came.alarms.len(), came.directory_put), (1, 3, true), "{:?}", came.alarms);
    assert!(came.alarms[0].contains("did not make") && drop.0.directory.as_deref() == Some(b"ours"));
}

#[test]
fn an_envelope_that_the_drop_cannot_give_keeps_no_other_there() {
    let folder = tempfile::tempdir().unwrap();
    let (mut inbox, keys) = desk(folder.path());
    let mut drop = Drop::default();
    let ids: Vec<Digest> = (0..5).map(|i| drop.put([i; 32], sealed(&source(i).head(1, true), &keys, b"words"))).collect();
    drop.torn = vec![ids[1], ids[3]];
    let came = collect(&mut inbox, &mut drop);
    assert_eq!((came.submissions, came.failed.len(), drop.envelopes.len()), (3, 2, 2), "{came:?}");
    // Where nothing comes any more it is left for the next time.
    for i in 10..20 {
        let id = drop.put([i; 32], sealed(&source(i).head(1, true), &keys, b"words"));
        drop.torn.push(id);
    }
    let came = collect(&mut inbox, &mut drop);
    assert_eq!((came.submissions, came.failed.len()), (0, 3));
    drop.torn.clear();
    assert_eq!(collect(&mut inbox, &mut drop).submissions, 12);
}

#[test]
fn what_is_unread_or_was_just_answered_is_never_too_old() {
    let folder = tempfile::tempdir().unwrap();
    let (mut inbox, keys) = desk(folder.path());
    let (mut drop, one) = (Drop { day: 300, ..Drop::default() }, source(1));
    drop.put(one.lookup, sealed(&one.head(1, true), &keys, b"first"));
    collect(&mut inbox, &mut drop);
    let id = inbox.list(1, false).unwrap()[0].id;
    assert!(inbox.due(30, TODAY).unwrap().is_empty(), "whatever day the drop says");
    assert!(inbox.due(30, TODAY + 40).unwrap().is_empty(), "nobody has read it");
    inbox.mark_read(&id.to_string()).unwrap();
    assert_eq!(inbox.due(30, TODAY + 40).unwrap(), [id]);
    inbox.answer(&id.to_string(), "hello", &ana(), TODAY + 40).unwrap();
    assert!(inbox.due(30, TODAY + 45).unwrap().is_empty());
}

#[test]
fn keys_die_forty_five_days_after_their_day_and_open_nothing_then() {
    let folder = tempfile::tempdir().unwrap();
    let (inbox, keys) = desk(folder.path());
    let path = inbox.keyring_path("ana");
    let envelope = sealed(&source(1).head(1, true), &keys, b"late");
    let open = |today: u32| {
        let (keyring, _) = Keyring::open(&path, today, &no_tpm()).unwrap();
        let opened =
            keyring.identities(today).into_iter().any(|(_, identity)| open_submission(&[&identity], &NEWSROOM, &envelope[..]).is_ok());
        (opened, keyring.span().map(|span| span.keys))
    };
    assert_eq!(open(TODAY + 45), (true, Some(3)));
    assert_eq!(open(TODAY + 46), (false, Some(2)));
    // With the whole image as it is now, the clock set back: nothing.
    assert_eq!(open(TODAY), (false, Some(2)));
    // Opening the inbox for whatever reason destroys what is due.
    drop(Inbox::open(folder.path(), TODAY + 60, &no_tpm()).unwrap());
    assert_eq!(open(TODAY), (false, None));
    assert_eq!(day_of(86_400 * 5 + 86_399), 5);
}

#[test]
fn members_keys_are_joined_for_the_days_that_all_have_and_nobody_can_swap_them() {
    let folder = tempfile::tempdir().unwrap();
    let ben = Signer::new("ben", SigningKey::from_bytes(&[5; 32])).unwrap();
    let offer = |name: &str, signer: &Signer, first: u32, days: u32, newsroom: Newsroom| {
        let mut keyring = Keyring::create(&folder.path().join(name), newsroom, &signer.key(), None).unwrap();
        keyring.fill(first, days).unwrap();
        keyring.offer(first, days, signer).unwrap()
    };
    let (a, b) = (offer("a.keys", &ana(), 10, 5, NEWSROOM), offer("b.keys", &ben, 12, 5, NEWSROOM));
    let (members, first, keys) = join(&NEWSROOM, &[a.clone(), b.clone()], 11).unwrap();
    assert_eq!((members.len(), first, keys.len()), (2, 12, 3 * 2 * 1216));
    assert_eq!(&keys[..1216], a.key(12).unwrap());
    assert!(join(&NEWSROOM, &[a.clone(), b], 15).is_err(), "no day in common");
    assert!(join(&NEWSROOM, &[offer("c.keys", &ben, 10, 5, Newsroom([1; 32]))], 10).is_err(), "another newsroom's");
    let bytes = a.to_bytes();
    assert_eq!(Offer::parse(&bytes).unwrap(), a);
    for at in (0..bytes.len()).step_by(61) {
        let mut wrong = bytes.clone();
        wrong[at] ^= 4;
        assert!(Offer::parse(&wrong).is_err(), "{at}");
    }
}

#[test]
fn authentication_is_of_whoever_has_the_conversations_key() {
    let (one, key) = (source(1), Identity::generate().unwrap());
    let envelope = sealed(&one.head(2, false), &[key.recipient()], b"x");
    let opened = open_submission(&[&key], &NEWSROOM, &envelope[..]).unwrap();
    assert_eq!(opened.copy_to(&mut Vec::new(), None).unwrap().authenticated, Authenticated::Yes);
}

#[test]
fn files_are_unpacked_under_names_that_leave_no_folder() {
    let folder = tempfile::tempdir().unwrap();
    let (mut inbox, keys) = desk(folder.path());
    let (mut drop, one) = (Drop::default(), source(1));
    let names: [&[u8]; 6] = [b"../../../../tmp/x", b"a\0b", "\u{202e}fdp.exe".as_bytes(), b"two\nlines", b"", b"plan.pdf"];
    for (number, name) in names.iter().enumerate() {
        let file = Kind::File { file: [number as u8; 16], part: 0, last: true };
        let head = Head { kind: file, name: name.to_vec(), media_type: "application/pdf".into(), ..one.head(number as u64, number == 0) };
        drop.put(one.lookup, sealed(&head, &keys, format!("body {number}").as_bytes()));
    }
    // Two parts of three, of one file.
    for part in [0, 2] {
        let kind = Kind::File { file: [50; 16], part, last: part == 2 };
        drop.put(one.lookup, sealed(&Head { kind, name: b"big".to_vec(), ..one.head(100 + u64::from(part), false) }, &keys, b"part"));
    }
    collect(&mut inbox, &mut drop);
    let id = inbox.list(1, false).unwrap()[0].id.to_string();
    let held = inbox.hold("test").unwrap();
    let unpacked = inbox.unpack(&held, &id, (false, false)).unwrap();
    assert_eq!((unpacked.files.0, unpacked.left_out.len(), unpacked.left_out[0].missing.as_slice()), (6, 1, &[1][..]));
    let written = unpacked.folder.clone();
    let mut bodies = Vec::new();
    for entry in std::fs::read_dir(&written).unwrap() {
        let files: Vec<_> = std::fs::read_dir(entry.unwrap().path()).unwrap().map(|file| file.unwrap().path()).collect();
        assert_eq!(files.len(), 1);
        bodies.push(std::fs::read_to_string(&files[0]).unwrap());
    }
    assert_eq!(bodies.len(), 6);
    std::mem::drop(unpacked);
    assert!(!written.exists(), "what is in the clear is gone");
}

#[test]
fn a_drop_that_shows_an_older_directory_of_ours_is_told_of_unless_the_newer_one_never_came_there() {
    let folder = tempfile::tempdir().unwrap();
    let (mut inbox, _) = desk(folder.path());
    let mut drop = Drop::default();
    let held = inbox.hold("test").unwrap();
    inbox.keep_directory(&held, b"first", 1).unwrap();
    std::mem::drop(held);
    assert_eq!((collect(&mut inbox, &mut drop).alarms.len(), drop.directory.as_deref()), (0, Some(&b"first"[..])));
    let held = inbox.hold("test").unwrap();
    inbox.keep_directory(&held, b"second", 2).unwrap();
    std::mem::drop(held);
    // Written on a stick that did not come there: the drop shows the first, and rightly.
    drop.by_stick = true;
    for _ in 0..2 {
        assert!(collect(&mut inbox, &mut drop).alarms.is_empty());
    }
    // It came; from now on the first is no more to be shown.
    drop.directory = Some(b"second".to_vec());
    assert!(collect(&mut inbox, &mut drop).alarms.is_empty());
    drop.directory = Some(b"first".to_vec());
    let alarms = collect(&mut inbox, &mut drop).alarms;
    assert!(alarms.len() == 1 && alarms[0].contains("directory 1, though it had directory 2"), "{alarms:?}");
    drop.by_stick = false;
    let came = collect(&mut inbox, &mut drop);
    assert_eq!((came.alarms.len(), came.directory_put, drop.directory.as_deref()), (1, true, Some(&b"second"[..])));
    assert!(collect(&mut inbox, &mut drop).alarms.is_empty(), "it was given the newer one again");
    // Over the wire it counts as there at once.
    drop.directory = Some(b"first".to_vec());
    assert_eq!(collect(&mut inbox, &mut drop).alarms.len(), 1);
}

#[test]
fn several_groups_come_whole_and_a_conversation_that_begins_in_one_goes_on_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let (mut inbox, keys) = desk(folder.path());
    let mut drop = Drop::default();
    for number in 0..150u64 {
        let one = source((number / 3) as u8 + 1);
        drop.put(one.lookup, sealed(&one.head(number % 3 + 1, number % 3 == 0), &keys, format!("words {number}").as_bytes()));
    }
    drop.put([200; 32], b"no envelope".to_vec());
    let came = collect(&mut inbox, &mut drop);
    assert_eq!((came.submissions, came.conversations, came.doubtful, came.refused.len()), (150, 50, 0, 1));
    assert_eq!((drop.done.len(), inbox.storage().unwrap().all().count()), (150, 50));
    assert_eq!(std::fs::read_dir(folder.path().join("inbox/incoming")).unwrap().count(), 0);
    let listed = inbox.list(100, false).unwrap();
    assert!(listed.iter().all(|one| one.submissions == 3 && inbox.read(&one.id.to_string()).unwrap().messages.len() == 3));
}

#[test]
fn what_could_not_be_opened_is_discarded_and_the_drop_told_to_delete_it() {
    let folder = tempfile::tempdir().unwrap();
    let (mut inbox, _) = desk(folder.path());
    let mut drop = Drop::default();
    let ids: Vec<Digest> = [b"one", b"two"].iter().map(|bytes| drop.put([1; 32], bytes.to_vec())).collect();
    assert_eq!(collect(&mut inbox, &mut drop).refused.len(), 2);
    assert!(inbox.find_refused("abc").is_err() && inbox.find_refused("00000000").is_err());
    assert_eq!(inbox.find_refused(&ids[0].to_string()[..8]).unwrap(), ids[0]);
    let held = inbox.hold("test").unwrap();
    assert_eq!(inbox.discard(&held, &[ids[0], Digest([7; 32])], TODAY).unwrap(), 1);
    std::mem::drop(held);
    assert!(drop.done.is_empty());
    collect(&mut inbox, &mut drop);
    assert_eq!((drop.done.as_slice(), drop.envelopes.len()), (&ids[..1], 1));
    assert_eq!(inbox.refused().unwrap().iter().map(|one| one.id).collect::<Vec<_>>(), ids[1..]);
    assert!(!holds(&folder.path().join("inbox"), &ids[0].0), "the desk has forgotten it");
    // A drop that kept it and lists it again is told again, and it is not fetched.
    drop.put([1; 32], b"one".to_vec());
    drop.fetched = 0;
    collect(&mut inbox, &mut drop);
    assert_eq!((drop.fetched, drop.envelopes.len()), (0, 1));
}

#[test]
fn a_carrier_in_another_process_is_as_the_carrier_itself_and_one_that_lies_ends_the_talk() {
    use crate::{Relayed, relay};
    use std::io::Cursor;
    use std::os::unix::net::UnixStream;
    let folder = tempfile::tempdir().unwrap();
    let (mut inbox, keys) = desk(folder.path());
    let (mut drop, one) = (Drop::default(), source(1));
    drop.put(one.lookup, sealed(&one.head(1, true), &keys, &[b'x'; 100_000]));
    let torn = drop.put(one.lookup, b"torn".to_vec());
    drop.torn.push(torn);
    let (ours, theirs) = UnixStream::pair().unwrap();
    let there = std::thread::spawn(move || {
        relay(&mut drop, &mut &theirs, &mut &theirs).unwrap();
        drop
    });
    let held = inbox.hold("test").unwrap();
    inbox.keep_directory(&held, b"ours", 1).unwrap();
    let mut relayed = Relayed::new(ours.try_clone().unwrap(), ours);
    let came = inbox.collect(&held, &mut relayed, TODAY, &mut |_, _| {}).unwrap();
    relayed.reply(&[1; 32], b"sealed").unwrap();
    relayed.accept(&[[1; 32], [2; 32]]).unwrap();
    relayed.forget(&[[3; 32]]).unwrap();
    std::mem::drop(relayed);
    let drop = there.join().unwrap();
    assert_eq!((came.submissions, came.bytes, came.failed.len(), came.directory_put), (1, 100_000, 1, true), "{came:?}");
    assert!(came.failed[0].1.contains("the line broke"));
    assert_eq!((drop.done.len(), drop.replies.len(), drop.accepted.len(), drop.forgotten.len()), (1, 1, 2, 1));
    // Cut off, of no kind, longer than anything, a list with half an entry.
    for lie in [&b""[..], b"+\0\0", b"?\0\0\0\0", b"+\xff\xff\xff\xff", b"+\0\0\0\x05hello"] {
        let mut relayed = Relayed::new(Cursor::new(lie.to_vec()), Vec::new());
        assert!(relayed.list().is_err() && relayed.list().is_err(), "{lie:?}");
    }
}

#[test]
fn texts_are_unpacked_where_somebody_asks_for_them() {
    let folder = tempfile::tempdir().unwrap();
    let (mut inbox, keys) = desk(folder.path());
    let (mut drop, one, other) = (Drop::default(), source(1), source(2));
    drop.put(one.lookup, sealed(&one.head(1, true), &keys, b"first words"));
    collect(&mut inbox, &mut drop);
    let swapped = Head { reply: other.reply.recipient(), ..one.head(2, false) };
    drop.put(one.lookup, sealed(&swapped, &keys, b"another's words"));
    collect(&mut inbox, &mut drop);
    let id = inbox.list(1, false).unwrap()[0].id.to_string();
    let held = inbox.hold("test").unwrap();
    inbox.answer(&id, "our words", &ana(), TODAY).unwrap();
    let none = inbox.unpack(&held, &id, (false, false)).unwrap();
    assert_eq!((none.files.0, none.texts, none.texts_left_out), (0, 0, 0));
    let some = inbox.unpack(&held, &id, (false, true)).unwrap();
    assert_eq!((some.texts, some.texts_left_out), (1, 1));
    assert_eq!(std::fs::read(some.folder.join("text-1/message-1.txt")).unwrap(), b"first words");
    let all = inbox.unpack(&held, &id, (true, true)).unwrap();
    assert_eq!(std::fs::read(all.folder.join("text-2/message-2.txt")).unwrap(), b"another's words");
    assert_eq!((all.texts, all.texts_left_out), (2, 0), "and our own are not the source's");
}

#[test]
fn an_answer_beside_others_is_spared_by_who_tidies_and_not_sent_where_its_conversation_is_deleted_meanwhile() {
    let folder = tempfile::tempdir().unwrap();
    let (mut inbox, keys) = desk(folder.path());
    let (mut drop, one) = (Drop::default(), source(1));
    drop.put(one.lookup, sealed(&one.head(1, true), &keys, b"first"));
    collect(&mut inbox, &mut drop);
    let id = inbox.list(1, false).unwrap()[0].id;
    let known = inbox.known(&id.to_string()).unwrap();
    let files = || std::fs::read_dir(folder.path().join("inbox/sealed")).unwrap().count();
    let held = inbox.hold("test").unwrap();
    let answering = inbox.answering().unwrap();
    let answer = inbox.seal_answer(&known, "thank you", &ana(), TODAY).unwrap();
    inbox.remove_unnamed(&held).unwrap();
    assert_eq!(files(), 2, "it is not named yet, and somebody is about to");
    assert!(inbox.answer(&id.to_string(), "x", &ana(), TODAY).unwrap_err().to_string().contains("(drop answer)"), "one at a time");
    inbox.delete(&held, &[id]).unwrap();
    let said = inbox.queue_answer(&known, &answer, TODAY).unwrap_err().to_string();
    assert!(said.contains("was deleted meanwhile"), "{said}");
    assert_eq!((files(), inbox.totals().unwrap().queued), (0, 0));
    std::mem::drop(answering);
    // What nobody named, and nobody is about to, goes.
    std::fs::write(folder.path().join("inbox/sealed/00"), "left by a crash").unwrap();
    inbox.remove_unnamed(&held).unwrap();
    assert_eq!(files(), 0);
}

#[test]
fn all_keys_that_are_due_and_all_conversations_that_are_deleted_at_once_are_one_renewal() {
    let (folder, chip) = (tempfile::tempdir().unwrap(), Chip::default());
    let defined = || std::mem::take(&mut chip.0.lock().unwrap().asked).into_iter().filter(|code| *code == 0x12a).count();
    let mut inbox = Inbox::open(folder.path(), TODAY, &chip.tpm()).unwrap();
    assert_eq!((inbox.protection().unwrap(), defined()), (Protection::No, 0), "nobody asked for it");
    let held = inbox.hold("test").unwrap();
    assert_eq!(inbox.protect(&held, TODAY).unwrap(), 0);
    std::mem::drop(held);
    let path = inbox.keyring_path("ana");
    let mut keyring = Keyring::create(&path, NEWSROOM, &ana().key(), inbox.seals_under().unwrap()).unwrap();
    keyring.fill(TODAY, 90).unwrap();
    let keys = vec![Recipient::from_bytes(&keyring.public(TODAY).unwrap()).unwrap()];
    assert_eq!((defined(), inbox.protection().unwrap()), (1, Protection::Yes { plain_until: None }));
    let mut drop = Drop::default();
    for number in 1..=5 {
        let one = source(number);
        drop.put(one.lookup, sealed(&one.head(1, true), &keys, b"words"));
    }
    assert_eq!((collect(&mut inbox, &mut drop).conversations, defined(), chip.handles().len()), (5, 1, 2));
    let ids: Vec<Digest> = inbox.list(10, false).unwrap().iter().map(|one| one.id).collect();
    let held = inbox.hold("test").unwrap();
    assert_eq!((inbox.delete(&held, &ids[..4]).unwrap().messages, defined(), chip.handles().len()), (4, 1, 2));
    assert_eq!(inbox.read(&ids[4].to_string()).unwrap().messages.len(), 1);
    std::mem::drop(held);

    // 30 days die on one day on which somebody looks; the file and the whole folder as they were open nothing of it afterwards.
    let old = std::fs::read(&path).unwrap();
    let (_, destroyed) = Keyring::open(&path, TODAY + LIFE + 30, &chip.tpm()).unwrap();
    assert_eq!((destroyed, defined(), chip.handles().len()), (30, 1, 2));
    std::fs::write(&path, old).unwrap();
    assert!(Keyring::open(&path, TODAY, &chip.tpm()).is_err());
    assert!(Inbox::open(folder.path(), TODAY, &chip.tpm()).is_err());
    assert_eq!(chip.handles().len(), 2, "and takes no key with it");

    // It is told until when there were plain ones.
    let other = tempfile::tempdir().unwrap();
    let (mut inbox, _) = (Inbox::open(other.path(), TODAY, &chip.tpm()).unwrap(), desk(other.path()));
    for day in [TODAY, TODAY + 1] {
        let held = inbox.hold("test").unwrap();
        inbox.protect(&held, day).unwrap();
        assert_eq!(inbox.protection().unwrap(), Protection::Yes { plain_until: Some(TODAY) });
    }
}
