//! Damaged files, a seeded sample of what `bench/mutations` reads ten thousand of: whatever was done to a file, the ingest ends well, every file is listed, and
//! nothing is silent: a document has text or a fault, or holds others.

use crate::bombs::samples;
use crate::support::{daylight, skip, workplace};
use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

/// Numbers that are the same at every run (xorshift64*).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % below.max(1)
    }
}

/// One file with bits flipped, cut off, spliced with another, or with what could be a length made extreme.
fn mutated(dice: &mut Dice, bytes: &[u8], other: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    match dice.roll(4) {
        0 => (0..[1, 2, 8, 64][dice.roll(4)]).for_each(|_| {
            let at = dice.roll(bytes.len());
            bytes[at] ^= 1 << dice.roll(8);
        }),
        1 => bytes.truncate(1 + dice.roll(bytes.len() - 1)),
        2 => {
            let rest = bytes.split_off(dice.roll(bytes.len()));
            let start = dice.roll(other.len());
            bytes.extend(&other[start..][..dice.roll(other.len() - start)]);
            bytes.extend(&rest[dice.roll(rest.len())..]);
        }
        _ => (0..1 + dice.roll(4)).for_each(|_| {
            let at = dice.roll(bytes.len().min(4096));
            let extremes: [&[u8]; 5] = [b"\xff\xff\xff\xff", b"\0\0\0\0", b"\xff\xff\xff\x7f", b"\xff", b"9999"];
            let new = extremes[dice.roll(extremes.len())];
            let end = (at + new.len()).min(bytes.len());
            bytes[at..end].copy_from_slice(&new[..end - at]);
        }),
    }
    bytes
}

/// Reads these files, mutated so many times, and checks what became of them.
fn read_mutations(files: &[(String, Vec<u8>)], times: usize, seed: u64) {
    let work = workplace();
    let (desk, trove) = (work.path().join("desk"), work.path().join("trove"));
    fs::create_dir(&trove).unwrap();
    let mut dice = Dice(seed);
    for number in 0..times {
        let (name, bytes) = &files[if number < files.len() { number } else { dice.roll(files.len()) }];
        let (_, other) = &files[dice.roll(files.len())];
        let changed = mutated(&mut dice, bytes, other);
        fs::write(trove.join(format!("{number:03}-{name}")), changed).unwrap();
    }
    let desk = desk.to_str().unwrap();
    daylight(["init", desk]).code(0);
    let summary = daylight(["ingest", desk, trove.to_str().unwrap(), "--collection", "c", "--json"]).code(0).json();
    let all = daylight(["search", desk, "", "--limit", "100000", "--json"]).code(0).json();
    let faults = daylight(["faults", desk, "--all", "--json"]).code(0).text();
    let id_of = |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap()["id"].as_str().unwrap().to_owned();
    let faulty: BTreeSet<String> = faults.lines().map(id_of).collect();
    let mut silent = Vec::new();
    for hit in all["hits"].as_array().unwrap() {
        let id = hit["id"].as_str().unwrap();
        if hit["kind"] != "file" || faulty.contains(id) {
            continue;
        }
        let facts = daylight(["show", desk, id, "--json"]).code(0).json();
        let holds = facts["holds"].as_array().is_some_and(|held| !held.is_empty());
        if !holds && daylight(["show", desk, id, "--text"]).code(0).text().trim().is_empty() {
            silent.push(facts["names"].to_string());
        }
    }
    assert!(silent.is_empty(), "neither text nor fault: {silent:?}");
    assert!(
        !faults.contains("reader died"),
        "{}",
        faults.lines().filter(|line| line.contains("reader died")).collect::<Vec<_>>().join("\n")
    );
    println!("{times} mutations: {summary}");
    let again = daylight(["ingest", desk, trove.to_str().unwrap(), "--collection", "c", "--json"]).code(0).json();
    assert_eq!(again["unchanged"], times as u64, "the ledger has every file as done: {again}");
}

#[test]
fn mutations_of_small_files_lose_nothing_in_silence() {
    read_mutations(&samples(), 120, 7);
}

#[test]
fn mutations_of_real_files_lose_nothing_in_silence() {
    let folder = std::env::var_os("DAYLIGHT_CORPORA")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpora"), PathBuf::from);
    if !folder.is_dir() {
        return skip("no corpora");
    }
    let (mut files, mut folders) = (Vec::new(), vec![folder]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().flatten() {
            let small = entry.metadata().is_ok_and(|metadata| metadata.is_file() && (1..200_000).contains(&metadata.len()));
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if small {
                files.push(path);
            }
        }
    }
    files.sort();
    // Every so many of them, so that each sort is among them.
    let step = files.len().div_ceil(80);
    let chosen = files.iter().step_by(step).map(|path| {
        let plain = |c: char| if c.is_ascii_alphanumeric() || c == '.' { c } else { '_' };
        (path.file_name().unwrap().to_string_lossy().chars().map(plain).collect(), fs::read(path).unwrap())
    });
    read_mutations(&chosen.collect::<Vec<_>>(), 80, 11);
}
