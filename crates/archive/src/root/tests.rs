use super::*;
use crate::key::Signer;
use crate::tests::{ORIGIN, editor, recovery, root, signed, signer};

fn files(root: &Root, signers: &[Signer]) -> (Vec<u8>, Vec<u8>) {
    (root.to_json().unwrap(), signed(root.note().unwrap(), signers))
}

fn first() -> Chain {
    let (json, sig) = files(&root(1, &[1, 2, 3], 2), &[editor(1), editor(2)]);
    Chain::begin(&json, &sig).unwrap()
}

fn then(next: &Root, signers: &[Signer]) -> Result<Chain, RootError> {
    let mut chain = first();
    let (json, sig) = files(next, signers);
    chain.extend(&json, &sig)?;
    Ok(chain)
}

/// Editor 1 goes, editor 4 comes; editor 1's signatures count no more from log index 40 on.
fn second() -> Root {
    Root { retired: vec![Retired { key: editor(1).key(), size: 40 }], ..root(2, &[2, 3, 4], 2) }
}

#[test]
fn a_root_is_written_in_one_way_and_read_back() {
    let root = second();
    let json = root.to_json().unwrap();
    assert_eq!(Root::parse(&json).unwrap(), root);
    let text = String::from_utf8(json).unwrap();
    assert!(text.starts_with("{\"editors\":[\"editor2.example+"));
    for wrong in [
        text.replace("\"onions\":[],", ""),
        text.replace("\"onions\"", "\"onion\""),
        text.replace("root/v1", "root/v2"),
        text.replace(":2,", ":2.0,"),
        format!("{text} "),
    ] {
        assert!(Root::parse(wrong.as_bytes()).is_err(), "{wrong}");
    }
}

#[test]
fn a_root_that_breaks_a_rule_is_never_written() {
    let good = root(1, &[1, 2, 3], 2);
    assert!(good.to_json().is_ok() && root(1, &[1], 1).to_json().is_ok());
    let alias = signer("alias.example", 11).key();
    let mut two_names = good.clone();
    two_names.editors.keys.push(alias.clone());
    let mut one_name = good.clone();
    one_name.editors.keys[1] = signer("editor1.example", 99).key();
    let mut also_recovery = good.clone();
    also_recovery.recovery.keys.push(alias);
    let mut log_edits = good.clone();
    log_edits.editors.keys[0] = signer("editor1.example", 1).key();
    let wrong = [
        two_names,
        one_name,
        also_recovery,
        log_edits,
        root(1, &[1, 2, 3], 1),
        root(1, &[1, 2, 3], 3),
        root(1, &[1, 2], 2),
        root(1, &[], 0),
        root(0, &[1], 1),
        Root { origin: "other.example".into(), ..good },
    ];
    for wrong in wrong {
        assert!(wrong.to_json().is_err(), "{wrong:?}");
    }
}

#[test]
fn roots_follow_one_another_by_both_the_old_and_the_new_editors() {
    let chain = then(&second(), &[editor(2), editor(3)]).unwrap();
    assert_eq!((chain.links().len(), chain.last().succession), (2, Succession::Editors));
    let chain = then(&second(), &[editor(1), editor(2), editor(3), editor(4)]).unwrap();
    assert!(chain.is_anchored_by(&first().last().json), "an old reader's root still leads to the newest");
    assert!(!chain.is_anchored_by(&root(1, &[1], 1).to_json().unwrap()));

    assert!(
        matches!(then(&second(), &[editor(1), editor(2)]), Err(RootError::Note(NoteError::TooFew { found: 1, needed: 2 }))),
        "only the old"
    );
    assert!(
        matches!(then(&second(), &[editor(3), editor(4)]), Err(RootError::Note(NoteError::TooFew { found: 1, needed: 2 }))),
        "only the new"
    );
    assert!(matches!(then(&second(), &[editor(2), editor(3), editor(9)]), Err(RootError::Note(NoteError::Stray(_)))));
    assert!(
        matches!(then(&root(3, &[1, 2, 3], 2), &[editor(1), editor(2)]), Err(RootError::Version { found: 3, wanted: 2 })),
        "a root skipped"
    );
    assert!(
        matches!(then(&root(1, &[1, 2, 3], 2), &[editor(1), editor(2)]), Err(RootError::Version { found: 1, wanted: 2 })),
        "a root rolled back"
    );
}

#[test]
fn recovery_keys_put_a_root_in_force_alone_and_readers_can_see_it() {
    let retired = [1, 2, 3].map(|i| Retired { key: editor(i).key(), size: 7 }).to_vec();
    let taken_over = Root { retired, ..root(2, &[7, 8, 9], 2) };
    let chain = then(&taken_over, &[recovery(1), recovery(3)]).unwrap();
    assert_eq!(chain.last().succession, Succession::Recovery);
    assert!(then(&taken_over, &[recovery(1)]).is_err());
    assert!(then(&taken_over, &[recovery(1), editor(7), editor(8)]).is_err());
    let mut first_by_recovery = Note::new(&root(1, &[1, 2, 3], 2).signed_text().unwrap()).unwrap();
    [recovery(1), recovery(2)].iter().for_each(|signer| first_by_recovery.sign(signer));
    assert!(Chain::begin(&root(1, &[1, 2, 3], 2).to_json().unwrap(), &first_by_recovery.to_bytes()).is_err());
}

#[test]
fn a_root_names_exactly_the_keys_it_drops_and_keeps_its_origin() {
    let signers = [editor(2), editor(3)];
    assert!(then(&Root { retired: Vec::new(), ..second() }, &signers).is_err(), "a key dropped in silence");
    let kept = Root { retired: vec![Retired { key: editor(2).key(), size: 1 }], ..root(2, &[1, 2, 3], 2) };
    assert!(then(&kept, &signers).is_err(), "a key retired that stays");
    let moved = signer("elsewhere.example", 1);
    let other = Root { origin: "elsewhere.example".into(), log: moved.key(), ..root(2, &[1, 2, 3], 2) };
    assert!(then(&other, &signers).is_err() && ORIGIN != "elsewhere.example");
    let (json, _) = files(&second(), &signers);
    let (_, sig) = files(&root(2, &[1, 2, 3], 2), &signers);
    assert_eq!(first().extend(&json, &sig), Err(RootError::OtherText), "a signature moved to another root");
}

#[test]
fn a_retired_key_counts_before_its_log_size_and_not_after_it() {
    let chain = then(&second(), &[editor(2), editor(3)]).unwrap();
    let mut note = Note::new("daylight-release/v1\n").unwrap();
    [editor(1), editor(2)].iter().for_each(|signer| note.sign(signer));
    let old = &chain.links()[0];
    assert_eq!(chain.check_editors(old, &note, 39, 2), Ok(()));
    assert_eq!(chain.check_editors(old, &note, 40, 2), Err(NoteError::TooFew { found: 1, needed: 2 }));
    assert!(first().check_editors(first().last(), &note, 40, 2).is_ok(), "without the newer root nobody can know");
}
