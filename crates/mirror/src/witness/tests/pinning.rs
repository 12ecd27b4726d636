use super::*;
use std::fs;

/// Writes `<version>.json` and its `.sig`, signed by these.
fn write_root(folder: &std::path::Path, root: &Root, signers: &[&Signer]) -> PathBuf {
    let mut note = root.note().unwrap();
    signers.iter().for_each(|signer| note.sign(signer));
    let path = folder.join(format!("{}.json", root.version));
    fs::write(&path, root.to_json().unwrap()).unwrap();
    fs::write(path.with_extension("sig"), note.to_bytes()).unwrap();
    path
}

#[test]
fn a_root_pins_its_logs_key_and_a_later_one_is_followed_where_the_roots_lead_there() {
    let folder = tempfile::tempdir().unwrap();
    let state = State::open_or_create(&folder.path().join("state")).unwrap();
    let (ana, old_log, new_log) = (signer("ana", 2), log_key(), signer(ORIGIN, 5));
    let one = write_root(folder.path(), &root(1, &old_log), &[&ana]);
    let two = write_root(folder.path(), &root(2, &old_log), &[&ana]);
    let three = write_root(folder.path(), &root(3, &new_log), &[&ana]);
    assert_eq!(state.pin_root(&one, false).unwrap(), Pinned { key: old_log.key(), changed: true });
    assert_eq!(state.pin_root(&one, false).unwrap(), Pinned { key: old_log.key(), changed: false });

    let log = Grown::new(5, 5, "");
    state.add_checkpoint(&log.request(0, 3), &witness_key(), NOW).unwrap();
    assert_eq!(state.pin_root(&three, false).unwrap(), Pinned { key: new_log.key(), changed: true });
    let pinned = &state.logs().unwrap()[0];
    assert_eq!((pinned.root_version, pinned.last.as_ref().unwrap().0.size), (Some(3), 3), "what was seen of the log stays");
    assert!(matches!(state.add_checkpoint(&log.request(3, 5), &witness_key(), NOW), Err(Refusal::Untrusted)));
    let mut note = Note::new(&log.checkpoint(5).text()).unwrap();
    note.sign(&new_log);
    let request = AddCheckpoint { old: 3, proof: log.proof(3, 5), checkpoint: note };
    assert!(state.add_checkpoint(&request.to_bytes(), &witness_key(), NOW).is_ok());

    let back = state.pin_root(&two, false).unwrap_err().to_string();
    assert!(back.contains("root 2, where root 3 is pinned") && back.contains("--replace"), "{back}");
    assert!(state.pin_root(&two, true).unwrap().changed);
}

#[test]
fn a_root_that_does_not_follow_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let state = State::open_or_create(&folder.path().join("state")).unwrap();
    let (ana, mallory) = (signer("ana", 2), signer("mallory", 9));
    let refused = |path: &std::path::Path| state.pin_root(path, false).unwrap_err().to_string();
    state.pin_root(&write_root(folder.path(), &root(1, &log_key()), &[&ana]), false).unwrap();
    let unsigned = write_root(folder.path(), &root(2, &signer(ORIGIN, 5)), &[&mallory]);
    assert!(refused(&unsigned).contains("root 2 does not follow"));
    fs::remove_file(unsigned.with_extension("sig")).unwrap();
    assert!(refused(&unsigned).contains("2.sig is needed"));
    fs::remove_file(&unsigned).unwrap();
    let skipped = write_root(folder.path(), &root(3, &signer(ORIGIN, 5)), &[&ana]);
    assert!(refused(&skipped).contains("2.json is needed"));
    assert!(refused(&folder.path().join("nothing")).contains("cannot read"));
    fs::write(folder.path().join("nothing"), "{}").unwrap();
    assert!(!refused(&folder.path().join("nothing")).is_empty());
    assert_eq!(state.logs().unwrap()[0].key, log_key().key());
}

#[test]
fn any_log_can_be_pinned_by_its_key() {
    let folder = tempfile::tempdir().unwrap();
    let state = State::open_or_create(&folder.path().join("state")).unwrap();
    let key = signer("log.example/one", 7);
    let text = key.key().to_string();
    assert!(state.pin_key(&text, false).unwrap().changed && !state.pin_key(&text, false).unwrap().changed);
    let other = signer("log.example/one", 8).key().to_string();
    assert!(matches!(state.pin_key(&other, false), Err(PinError::Other { .. })));
    assert!(state.pin_key(&other, true).unwrap().changed);
    assert!(matches!(state.pin_key(&key.cosigner_key().to_string(), false), Err(PinError::Witness(_))));
    assert!(state.pin_key("log.example", false).is_err());
    // A key takes the place of a root, and a root that of a key.
    let path = write_root(folder.path(), &root(1, &log_key()), &[&signer("ana", 2)]);
    state.pin_root(&path, false).unwrap();
    assert!(state.pin_key(&signer(ORIGIN, 5).key().to_string(), true).unwrap().changed);
    assert!(matches!(state.pin_root(&path, false), Err(PinError::Other { .. })));
    assert!(state.pin_root(&path, true).unwrap().changed);
    assert_eq!(state.logs().unwrap().len(), 2);
}
