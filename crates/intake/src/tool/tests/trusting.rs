//! What a drop, a log, or somebody with an editor's key can try so that a source seals to a key of theirs.

use super::*;

#[test]
fn a_directory_that_witnesses_saw_is_sealed_to() {
    let (paper, file) = Paper::published();
    let watched = paper.watched().unwrap();
    assert_eq!(watched.newsroom(), paper.newsroom());
    let directory = watched.directory(&file.to_bytes()).unwrap();
    let expected = [identity(50, 0), identity(50, 1)].map(|identity| identity.recipient().to_bytes());
    assert_eq!(directory.recipients(DAY), expected);
    assert!(directory.recipients(DAY + 2).is_empty() && directory.recipients(DAY - 1).is_empty());
}

#[test]
fn a_swapped_omitted_or_hidden_recipient_shows() {
    let (mut paper, file) = Paper::published();
    let watched = paper.watched().unwrap();
    let refused = |bytes: &[u8]| watched.directory(bytes).err().map(|error| error.to_string()).unwrap_or_default();
    let bytes = file.to_bytes();
    // The drop puts a key of its own in the place of a member's, or leaves the last ones out.
    let mut swapped = bytes.clone();
    let at = swapped.len() - 1216;
    swapped[at..].copy_from_slice(&identity(90, 0).recipient().to_bytes());
    assert!(refused(&swapped).contains("not those that its editors signed"));
    assert!(refused(&bytes[..at]).contains("not those that its editors signed"));
    // Somebody with an editor's key signs another directory for one source alone.
    let hidden = paper.directory(1, 90, &signer("ana", 1));
    assert!(refused(&hidden.to_bytes()).contains("hidden from everybody else"));
    let newer = paper.directory(2, 90, &signer("ana", 1));
    assert!(refused(&newer.to_bytes()).contains("hidden from everybody else"));
    assert!(refused(&paper.directory(1, 90, &signer("mallory", 66)).to_bytes()).contains("hidden"));
    // An old one, of which a key may have been stolen since.
    paper.log_directory(&newer);
    paper.publish(&[(1, NOW), (2, NOW)]);
    let old = paper.watched().unwrap().directory(&bytes);
    assert!(matches!(old, Err(TrustError::Directory(DirectoryError::Old { found: 1, newest: 2 }))));
    assert!(refused(b"").contains("not a directory"));
}

#[test]
fn a_state_that_too_few_witnesses_saw_lately_is_not_believed() {
    let (mut paper, _) = Paper::published();
    let stale = NOW - OLDEST - 1;
    for (cosigned, fresh) in [
        (&[][..], 0),
        (&[(1, NOW)][..], 1),
        (&[(1, stale), (2, stale), (3, stale)][..], 0),
        (&[(1, NOW), (2, stale), (3, stale)][..], 1),
        // A clock that is ahead cannot make a state last longer.
        (&[(1, NOW), (2, NOW + 86_400)][..], 1),
        // Who is no witness of the root's does not count.
        (&[(1, NOW), (7, NOW), (8, NOW)][..], 1),
    ] {
        paper.publish(cosigned);
        match paper.watched() {
            Err(TrustError::Unseen { fresh: counted, all: 3, needed }) => assert_eq!((counted, needed.as_str()), (fresh, "2 of 3")),
            other => panic!("{cosigned:?}: {other:?}"),
        }
        assert!(Watched::read(&paper, paper.anchor(), NOW, false).is_ok(), "where it is not asked for");
    }
    paper.publish(&[(1, NOW + 60), (2, NOW - OLDEST)]);
    assert!(paper.watched().is_ok());
    let mut alone = Paper::new(0);
    alone.publish(&[]);
    assert!(matches!(alone.watched(), Err(TrustError::NoWitnesses)));
}

#[test]
fn a_forked_or_forged_archive_is_refused() {
    let (paper, file) = Paper::published();
    let other = Digest::of(b"the root that the source has");
    assert!(matches!(Watched::read(&paper, Anchor(other), NOW, true), Err(TrustError::Stranger)));
    // The log signs another history for one source: witnesses did not see it.
    let mut fork = Paper::new(3);
    fork.log_directory(&fork.directory(1, 90, &signer("ana", 1)));
    fork.publish(&[]);
    assert!(matches!(fork.watched(), Err(TrustError::Unseen { fresh: 0, .. })));
    // Its entries under the checkpoint that witnesses did see; and the entry with the directory left out.
    let with = |path: &str, bytes: Vec<u8>| Paper {
        root: paper.root.clone(),
        entries: Vec::new(),
        files: paper.files.clone().into_iter().chain([(path.to_owned(), bytes)]).collect(),
    };
    let bundle = TilePath { level: None, index: 0, width: 2 }.to_string();
    let said = |paper: Paper| paper.watched().unwrap_err().to_string();
    assert!(said(with(&bundle, fork.files[&bundle].clone())).contains("left out or exchanged"));
    assert!(said(with(&bundle, paper.files[&bundle][..40].to_vec())).contains("not as many entries"));
    let mut checkpoint = String::from_utf8(paper.files[paths::CHECKPOINT].clone()).unwrap();
    checkpoint = checkpoint.replacen("\n2\n", "\n1\n", 1);
    assert!(said(with(paths::CHECKPOINT, checkpoint.into_bytes())).contains("checkpoint"));
    let mut huge = Checkpoint { origin: ORIGIN.into(), size: u64::MAX, root: Digest::of(b"") }.sign(&signer(ORIGIN, 9)).unwrap();
    huge.cosign(&witness(1), NOW);
    assert!(said(with(paths::CHECKPOINT, huge.to_bytes())).contains("more entries than any archive"));
    // A root that its editor did not sign.
    assert!(said(with(&paths::root_json(1), b"{}".to_vec())).contains("not as it was signed"));
    drop(file);
}

#[test]
fn the_root_that_was_logged_last_says_who_must_have_seen_it() {
    let (mut paper, file) = Paper::published();
    // A second root with another log key, put beside the first one and not logged: it changes nothing.
    let log = signer(ORIGIN, 77);
    let digest = paper.put_root(&Paper::root(2, 0, &log));
    assert!(paper.watched().unwrap().directory(&file.to_bytes()).is_ok());
    // Whoever trusts it is not told of a root before it, which may be anybody's whom it could follow from.
    assert!(matches!(Watched::read(&paper, Anchor(digest), NOW, true), Err(TrustError::Stranger)));
    paper.publish_as(&log, &[(1, NOW), (2, NOW)]);
    assert!(
        paper.watched().unwrap_err().to_string().contains("not the log's in the root in force"),
        "a key of a root that is not in force"
    );
    // Logged, it is in force, without witnesses; whoever trusts either root follows. The directory stays, as it was signed before.
    paper.log(&Entry::Root { version: 2, json: digest });
    paper.publish_as(&log, &[(1, NOW), (2, NOW)]);
    for anchor in [paper.anchor(), Anchor(digest)] {
        assert!(matches!(Watched::read(&paper, anchor, NOW, true), Err(TrustError::NoWitnesses)));
        let watched = Watched::read(&paper, anchor, NOW, false).unwrap();
        assert_eq!(watched.newsroom(), paper.newsroom(), "the first root says who the newsroom is");
        assert!(watched.directory(&file.to_bytes()).is_ok());
    }
    paper.publish(&[(1, NOW), (2, NOW)]);
    assert!(paper.watched().unwrap_err().to_string().contains("not the log's in the root in force"), "the key of a root that was replaced");
    // A log with a root that the archive does not have.
    paper.log(&Entry::Root { version: 3, json: Digest::of(b"another") });
    paper.publish_as(&log, &[]);
    assert!(paper.watched().unwrap_err().to_string().contains("root 3 of the log is not the archive's"));
}
