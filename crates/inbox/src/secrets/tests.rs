use super::*;
use crate::tpm::soft::Chip;
use std::io::Read as _;

/// A machine that has none.
fn none() -> Tpm {
    Tpm::at(Path::new("/nowhere/tpm"))
}

fn add(secrets: &mut Secrets, tag: u32, secret: &[u8; 32]) -> Result<u32> {
    let place = secrets.add_later(tag, secret)?;
    secrets.sync()?;
    Ok(place)
}

#[test]
fn a_secret_is_destroyed_where_it_stands_and_the_others_stay() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.keys");
    let mut secrets = Secrets::create(&path, b"heading", None).unwrap();
    for tag in 0..5 {
        assert_eq!(add(&mut secrets, 100 + tag, &[tag as u8 + 1; 32]).unwrap(), tag);
    }
    secrets.destroy(&[2]).unwrap();
    secrets.destroy(&[2]).unwrap();
    let again = Secrets::open(&path, &none()).unwrap();
    assert_eq!((again.heading(), again.all().count(), again.get(2), again.get(9)), (&b"heading"[..], 4, None, None));
    assert_eq!(again.get(4), Some(&[5; 32]));
    let bytes = std::fs::read(&path).unwrap();
    assert!(!bytes.windows(32).any(|window| window == [3; 32]), "nothing of it is left in the file");
    assert_eq!(add(&mut secrets, 7, &[9; 32]).unwrap(), 2, "its place is taken again");
    assert!(Secrets::create(&path, b"other", None).is_err(), "never over another");
}

#[test]
fn what_a_crash_tore_is_free_and_what_is_no_such_file_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.keys");
    let mut secrets = Secrets::create(&path, b"h", None).unwrap();
    add(&mut secrets, 1, &[1; 32]).unwrap();
    let whole = std::fs::read(&path).unwrap();
    std::fs::write(&path, [whole.as_slice(), &[7; 20]].concat()).unwrap();
    let mut torn = Secrets::open(&path, &none()).unwrap();
    assert_eq!(add(&mut torn, 2, &[2; 32]).unwrap(), 1);
    assert_eq!(Secrets::open(&path, &none()).unwrap().get(1), Some(&[2; 32]));
    for length in 0..25 {
        std::fs::write(&path, &whole[..length]).unwrap();
        assert!(Secrets::open(&path, &none()).is_err(), "{length}");
    }
}

#[test]
fn a_destroyed_secret_is_in_no_old_copy_of_a_sealed_file_once_its_key_is_gone_from_the_chip() {
    let folder = tempfile::tempdir().unwrap();
    let (path, chip) = (folder.path().join("a.keys"), Chip::default());
    let mut secrets = Secrets::create(&path, b"heading", Some(&chip.tpm())).unwrap();
    for tag in 0..5 {
        assert_eq!(add(&mut secrets, 100 + tag, &[tag as u8 + 1; 32]).unwrap(), tag);
    }
    let (old, state) = (std::fs::read(&path).unwrap(), chip.state());
    assert!((1..=5u8).all(|byte| !old.windows(32).any(|window| window == [byte; 32])), "nothing is there in the clear");
    chip.0.lock().unwrap().asked.clear();
    secrets.destroy(&[2, 3, 9]).unwrap();
    let asked = chip.0.lock().unwrap().asked.clone();
    assert_eq!((asked.iter().filter(|code| **code == 0x12a).count(), asked.iter().filter(|code| **code == 0x122).count()), (1, 1));
    secrets.destroy(&[2]).unwrap();
    assert_eq!(chip.handles().len(), 1, "one index for a file");
    let again = Secrets::open(&path, &chip.tpm()).unwrap();
    assert_eq!((again.heading(), again.all().count(), again.get(2), again.get(3)), (&b"heading"[..], 3, None, None));
    assert_eq!(again.get(4), Some(&[5; 32]));

    // The old file with the chip as it is now opens nothing; with the chip as it was it does, so that the test can see.
    let copy = folder.path().join("copy.keys");
    std::fs::write(&copy, &old).unwrap();
    // A file of the same name elsewhere takes no key of this one, nor does what is made after it was moved away.
    let elsewhere = folder.path().join("elsewhere");
    std::fs::create_dir(&elsewhere).unwrap();
    Secrets::create(&elsewhere.join("a.keys"), b"heading", Some(&chip.tpm())).unwrap();
    settle(&elsewhere.join("a.keys"), &chip.tpm(), &chip.tpm().ours().unwrap()).unwrap();
    assert_eq!(chip.handles().len(), 2);
    let said = Secrets::open(&copy, &chip.tpm()).err().unwrap().to_string();
    assert!(said.contains("has no key for it") && !said.contains('\n'), "{said}");
    let then = Chip::default();
    then.0.lock().unwrap().indices = state;
    assert_eq!(Secrets::open(&copy, &then.tpm()).unwrap().get(2), Some(&[3; 32]));
    assert_eq!(add(&mut secrets, 7, &[9; 32]).unwrap(), 2, "its place is taken again");
    assert!(Secrets::create(&path, b"other", Some(&chip.tpm())).is_err(), "never over another");
    assert_eq!(chip.handles().len(), 2);
}

#[test]
fn a_sealed_file_that_was_altered_anywhere_or_cut_off_opens_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (path, chip) = (folder.path().join("a.keys"), Chip::default());
    let mut secrets = Secrets::create(&path, b"h", Some(&chip.tpm())).unwrap();
    add(&mut secrets, 1, &[1; 32]).unwrap();
    let whole = std::fs::read(&path).unwrap();
    for at in 0..whole.len() {
        let mut bad = whole.clone();
        bad[at] ^= 1;
        std::fs::write(&path, &bad).unwrap();
        assert!(Secrets::open(&path, &chip.tpm()).is_err(), "{at}");
        std::fs::write(&path, &whole[..at]).unwrap();
        assert!(Secrets::open(&path, &chip.tpm()).is_err(), "{at}");
    }
    std::fs::write(&path, [whole.as_slice(), &[0]].concat()).unwrap();
    assert!(Secrets::open(&path, &chip.tpm()).is_err());
    std::fs::write(&path, &whole).unwrap();
    assert!(Secrets::open(&path, &none()).is_err(), "without the chip nothing");
    Secrets::open(&path, &chip.tpm()).unwrap();
}

#[test]
fn what_another_process_renewed_or_destroyed_meanwhile_is_neither_lost_nor_back() {
    let folder = tempfile::tempdir().unwrap();
    let (path, chip) = (folder.path().join("a.keys"), Chip::default());
    let mut first = Secrets::create(&path, b"h", Some(&chip.tpm())).unwrap();
    for tag in 0..4 {
        add(&mut first, tag, &[tag as u8 + 1; 32]).unwrap();
    }
    let mut second = Secrets::open(&path, &chip.tpm()).unwrap();
    first.destroy(&[0]).unwrap();
    // The second has the file as it was, with a key that is gone: it goes by what is there now.
    second.destroy(&[1]).unwrap();
    let now = Secrets::open(&path, &chip.tpm()).unwrap();
    assert_eq!(now.all().map(|(place, _, _)| place).collect::<Vec<_>>(), [2, 3]);
    assert_eq!(chip.handles().len(), 1);
    // One that would add to what it had is told to look again.
    first.add_later(9, &[9; 32]).unwrap();
    assert!(first.sync().err().unwrap().to_string().contains("do it again"));
    // A place that was given to another meanwhile stays the other's.
    let mut third = Secrets::open(&path, &chip.tpm()).unwrap();
    second.destroy(&[2]).unwrap();
    let mut fourth = Secrets::open(&path, &chip.tpm()).unwrap();
    let free = fourth.add_later(20, &[20; 32]).unwrap();
    let other = fourth.add_later(21, &[21; 32]).unwrap();
    let last = fourth.add_later(22, &[22; 32]).unwrap();
    fourth.sync().unwrap();
    assert_eq!((free, other, last), (0, 1, 2));
    third.destroy(&[2]).unwrap();
    assert_eq!(Secrets::open(&path, &chip.tpm()).unwrap().get(2), Some(&[22; 32]));
}

#[test]
fn a_file_is_sealed_and_made_plain_again_and_what_a_crash_left_is_removed() {
    let folder = tempfile::tempdir().unwrap();
    let (path, chip) = (folder.path().join("a.keys"), Chip::default());
    let mut plain = Secrets::create(&path, b"h", None).unwrap();
    (0..3).for_each(|tag| _ = add(&mut plain, tag, &[tag as u8 + 1; 32]).unwrap());
    let inode_of_the_plain_one = File::open(&path).unwrap();
    assert!(protect(&path, &chip.tpm()).unwrap() && !protect(&path, &chip.tpm()).unwrap());
    assert!(is_wrapped(&path).unwrap());
    let mut left = Vec::new();
    (&inode_of_the_plain_one).read_to_end(&mut left).unwrap();
    assert_eq!(left, vec![0; left.len()], "the plain one was written over");
    assert_eq!(Secrets::open(&path, &chip.tpm()).unwrap().all().count(), 3);

    // Left by crashes: a key of this file that seals nothing, one of another desk's, files beside.
    let tpm = chip.tpm();
    let bytes = std::fs::read(&path).unwrap();
    let mark = wrapped::head(&path, &bytes).unwrap().1.mark;
    tpm.keep(&mark).unwrap();
    tpm.keep(&[2; 32]).unwrap();
    std::fs::write(path.with_extension("mark"), [2; 32]).unwrap();
    let (others, _) = tpm.keep(&[1; 32]).unwrap();
    std::fs::write(path.with_extension("new"), "half").unwrap();
    std::fs::write(path.with_extension("old"), "plain secrets").unwrap();
    settle(&path, &tpm, &tpm.ours().unwrap()).unwrap();
    assert_eq!((chip.handles().len(), std::fs::read_dir(folder.path()).unwrap().count()), (2, 1));
    assert_eq!(Secrets::open(&path, &tpm).unwrap().get(1), Some(&[2; 32]));
    // A note that was torn is of no key.
    std::fs::write(path.with_extension("mark"), [1; 31]).unwrap();
    settle(&path, &tpm, &tpm.ours().unwrap()).unwrap();
    assert_eq!((chip.handles().len(), std::fs::read_dir(folder.path()).unwrap().count()), (2, 1));
    // An older copy under the same name, whose key is gone, takes nobody's.
    let old = std::fs::read(&path).unwrap();
    Secrets::open(&path, &tpm).unwrap().destroy(&[0]).unwrap();
    let new = std::fs::read(&path).unwrap();
    std::fs::write(&path, &old).unwrap();
    assert!(settle(&path, &tpm, &tpm.ours().unwrap()).is_err());
    assert_eq!(chip.handles().len(), 2);
    std::fs::write(&path, &new).unwrap();

    assert!(unprotect(&path, &tpm).unwrap() && !unprotect(&path, &tpm).unwrap());
    assert_eq!(chip.handles(), [others.handle]);
    assert_eq!(Secrets::open(&path, &none()).unwrap().get(1), Some(&[2; 32]));
    // The same file under two names, as a crash in the middle of either leaves it, is not written over.
    for end in ["new", "old"] {
        std::fs::hard_link(&path, path.with_extension(end)).unwrap();
    }
    settle(&path, &tpm, &tpm.ours().unwrap()).unwrap();
    assert_eq!(Secrets::open(&path, &none()).unwrap().get(1), Some(&[2; 32]));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn a_chip_that_refuses_leaves_the_file_as_it_was_and_the_secret_not_destroyed() {
    let folder = tempfile::tempdir().unwrap();
    let (path, chip) = (folder.path().join("a.keys"), Chip::default());
    let mut secrets = Secrets::create(&path, b"h", Some(&chip.tpm())).unwrap();
    add(&mut secrets, 1, &[1; 32]).unwrap();
    let before = std::fs::read(&path).unwrap();
    chip.0.lock().unwrap().room = Some(1);
    assert!(secrets.destroy(&[0]).err().unwrap().to_string().contains("no room"));
    assert_eq!((std::fs::read(&path).unwrap() == before, secrets.get(0)), (true, Some(&[1; 32])));
    chip.0.lock().unwrap().owner = b"x".to_vec();
    assert!(secrets.destroy(&[0]).err().unwrap().to_string().contains("password"));
    let plain = folder.path().join("b.keys");
    Secrets::create(&plain, b"h", None).unwrap();
    assert!(protect(&plain, &chip.tpm()).is_err() && !is_wrapped(&plain).unwrap());
}
