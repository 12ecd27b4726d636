//! The 4,846 signatures of two years of a public list, and changes of them.

use crate::support::{corpus, keys, verdicts};
use daylight_dkim::read;
use daylight_model::{Digest, Outcome, SignatureKey};
use flate2::read::GzDecoder;
use std::collections::HashMap;
use std::fs;
use std::io::Read;

/// The messages of a mailbox in mboxrd.
fn messages(mailbox: &[u8]) -> Vec<Vec<u8>> {
    let mut messages: Vec<Vec<u8>> = Vec::new();
    for line in mailbox.split_inclusive(|b| *b == b'\n') {
        if line.starts_with(b"From ") {
            messages.push(Vec::new());
            continue;
        }
        let quotes = line.iter().take_while(|b| **b == b'>').count();
        let quoted = quotes > 0 && line[quotes..].starts_with(b"From ");
        messages.last_mut().unwrap().extend_from_slice(&line[usize::from(quoted)..]);
    }
    for message in &mut messages {
        if message.ends_with(b"\n\n") {
            message.pop();
        }
    }
    messages
}

fn unzipped(name: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    GzDecoder::new(fs::File::open(corpus("mail")?.join(name)).unwrap()).read_to_end(&mut bytes).unwrap();
    Some(bytes)
}

#[test]
fn every_signature_that_passed_when_it_was_made_is_valid() {
    let Some(table) = corpus("dkim/linux-man-verdicts.tsv") else { return };
    let keys = keys(&corpus("dkim/linux-man-keys.json").unwrap());
    let mut by_name: HashMap<&str, Vec<SignatureKey>> = HashMap::new();
    keys.iter().for_each(|key| by_name.entry(&key.name).or_default().push(key.clone()));
    let table = fs::read_to_string(table).unwrap();
    let expected: HashMap<&str, Vec<&str>> =
        table.lines().skip(1).map(|line| line.split('\t').collect::<Vec<_>>()).map(|row| (row[2], row)).collect();
    let (mut passes, mut fails, mut disagree) = (0, HashMap::<Outcome, usize>::new(), Vec::new());
    for mailbox in ["linux-man-2020.mbox.gz", "linux-man-2021.mbox.gz"] {
        for message in messages(&unzipped(mailbox).unwrap()) {
            let digest = Digest::of(&message).to_string();
            let Some(row) = expected.get(digest.as_str()) else { continue };
            let index: usize = row[3].parse().unwrap();
            let known = by_name.get(row[4].to_lowercase().as_str()).cloned().unwrap_or_default();
            let signature = read(&message).signatures.into_iter().nth(index).unwrap();
            let verdict = &verdicts(&message, signature.time, &known)[index];
            assert_eq!(verdict.key_name(), row[4].to_lowercase());
            match (row[7], verdict.outcome) {
                ("pass", Outcome::Valid) if verdict.cautions.is_empty() => passes += 1,
                ("fail", outcome) if outcome != Outcome::Valid => *fails.entry(outcome).or_default() += 1,
                _ => disagree.push((digest, row[7].to_owned(), verdict.clone())),
            }
        }
    }
    println!("{passes} pass, {fails:?} fail");
    assert!(disagree.is_empty(), "{} disagree, such as {:#?}", disagree.len(), disagree.iter().take(5).collect::<Vec<_>>());
    assert_eq!((passes, fails.values().sum()), (4805, 41));
}

/// Whatever is changed in a message, what comes of it is a verdict; and a changed one is valid only where what was signed says nothing else.
#[test]
fn no_message_is_too_strange() {
    let Some(mailbox) = unzipped("linux-man-2021.mbox.gz") else { return };
    let keys = keys(&corpus("dkim/linux-man-keys.json").unwrap());
    let mut seed = 0x2545_f491u32;
    let mut random = || {
        seed ^= seed << 13;
        seed ^= seed >> 17;
        seed ^= seed << 5;
        seed as usize
    };
    let mut changed = HashMap::<Outcome, usize>::new();
    for message in messages(&mailbox).into_iter().filter(|message| message.len() < 10_000).step_by(12) {
        for _ in 0..6 {
            let mut bytes = message.clone();
            match random() % 3 {
                0 => bytes.truncate(random() % bytes.len()),
                1 => (0..3).for_each(|_| {
                    let at = random() % bytes.len();
                    bytes[at] = random() as u8;
                }),
                _ => {
                    let (at, from) = (random() % bytes.len(), random() % bytes.len());
                    let piece = bytes[from..(from + random() % 200).min(bytes.len())].to_vec();
                    bytes.splice(at..at, piece);
                }
            }
            for verdict in verdicts(&bytes, Some(0), &keys) {
                assert!(!verdict.sentence().is_empty() && !verdict.words().is_empty());
                *changed.entry(verdict.outcome).or_default() += 1;
            }
        }
    }
    println!("{changed:?}");
    assert!(changed.len() >= 5);
}
