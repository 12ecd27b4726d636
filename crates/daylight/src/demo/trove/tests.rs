use super::*;

fn read(folder: &Path, into: &mut BTreeMap<String, Vec<u8>>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read(&path, into);
        } else {
            into.insert(path.display().to_string(), std::fs::read(&path).unwrap());
        }
    }
}

fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    read(folder, &mut files);
    let folder = folder.display().to_string();
    files.into_iter().map(|(name, bytes)| (name.replacen(&folder, "", 1), bytes)).collect()
}

#[test]
fn the_trove_is_the_same_every_time_and_holds_a_few_hundred_messages() {
    let work = tempfile::tempdir().unwrap();
    let (one, two) = (work.path().join("one"), work.path().join("two"));
    let summary = write(&one, &work.path().join("keys")).unwrap();
    assert_eq!(write(&two, &work.path().join("keys")).unwrap(), summary);
    let files = files(&one);
    assert_eq!(files, super::tests::files(&two));
    assert!((250..400).contains(&summary.messages), "{summary:?}");
    assert_eq!(summary.bytes, files.values().map(Vec::len).sum::<usize>());
    let mailbox = String::from_utf8_lossy(&files["/works-department.mbox"]).into_owned();
    assert!(mailbox.contains("\n>From the minutes"), "the mailbox quotes lines that look like its own");
    assert_eq!(mailbox.lines().filter(|line| line.starts_with("DKIM-Signature:")).count(), 6);
}

#[test]
fn the_story_is_read_whole_or_its_first_bad_line_is_named() {
    let (people, threads) = story::read(include_str!("story.txt")).unwrap();
    let known = |key: &String| people.iter().any(|person| person.key == *key);
    for letter in threads.iter().flat_map(|thread| &thread.letters) {
        assert!(known(&letter.from) && letter.to.iter().chain(&letter.cc).all(known), "{letter:?}");
        assert!(!letter.to.is_empty() || letter.answers.is_some(), "{letter:?}");
    }
    assert_eq!(story::read("\n== A\n-- x | to=y\ntext\n-- z | at=never\n").unwrap_err(), 5);
}
