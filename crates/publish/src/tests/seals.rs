use super::*;
use daylight_archive::ArchiveError;
use daylight_archive::record::Role as FileRole;
use daylight_envelope::SealKey;
use daylight_envelope::slip39::Share;

const LATER: u64 = NOW + 1000;

impl World {
    /// One more message with a file of its own, cleared and not published.
    fn with_more(self) -> Self {
        self.ingest(|trove| {
            let fourth = trove.message(40, "four", &["one"]);
            let file = trove.file(b"a secret annex");
            trove.inside(fourth, 0, file, "annex.txt");
        });
        self.clear_all();
        self
    }

    fn seal(&self) -> Result<Option<Sealed>> {
        let keys = [self.key("ada.key")];
        let what = ToSeal { collection: COUNCIL, title: None, archive: &self.site, editors: &keys, now: LATER };
        Ok(seal(&mut self.desk(), &what, &self.to(), &mut |_| {})?.sealed)
    }

    fn to(&self) -> SealTo<'_> {
        // Leaked: a path that lives as long as the test.
        SealTo { threshold: 2, trustees: 3, file: Box::leak(self.path("council.sealed").into_boxed_path()) }
    }

    fn sealed(&self) -> Vec<Share> {
        let sealed = self.seal().unwrap().unwrap();
        let shares = sealed.shares.clone();
        sealed.finish().unwrap();
        shares
    }

    fn unseal(&self, shares: &[Share]) -> Result<Unsealed> {
        let (key, _) = SealKey::from_shares(shares).unwrap();
        unseal(&self.path("council.sealed"), &key, &self.path("opened"))
    }

    fn publish_unsealed(&self) -> Result<UnsealedOutcome> {
        let keys = [self.key("ada.key")];
        let opened = self.path("opened");
        let job =
            UnsealedJob { unsealed: &opened, archive: &self.site, editors: &keys, request: None, log_key: &self.log_key, now: LATER + 2 };
        publish_unsealed(&job, &mut |_| {})
    }
}

fn records(dir: &Path, serial: u64) -> Vec<(u64, [u8; 32], Vec<Digest>)> {
    let archive = Archive::open(dir).unwrap();
    let lines = archive.lines(serial).unwrap();
    lines
        .map(|line| {
            let line = line.unwrap();
            (line.record.number, line.salt, line.record.files.iter().map(|file| file.sha256).collect())
        })
        .collect()
}

#[test]
fn what_is_sealed_is_opened_and_published_with_the_numbers_and_salts_it_was_sealed_with() {
    let world = World::new();
    world.published();
    let before = world.files();
    let world = world.with_more();
    let shares = world.sealed();
    assert!(world.files() == before, "sealing changes nothing in the archive");
    assert!(!world.path("desk/sealing").exists() && !world.path("council.sealed.part").exists());

    let unsealed = world.unseal(&shares[1..]).unwrap();
    let told = unsealed.told();
    assert_eq!((told.lines, told.serial, told.time, told.title.as_str()), (2, 1, LATER as i64, "Town council"));
    let report = verify(unsealed.archive_dir(), None, &mut |_| {});
    assert!(report.ok() && report.origin.starts_with(&format!("{}/sealed/", told.origin)), "{:?}", report.problems);
    let inside = records(unsealed.archive_dir(), 1);
    assert_eq!(inside.iter().map(|(number, ..)| *number).collect::<Vec<_>>(), [7, 8]);

    let outcome = world.publish_unsealed().unwrap();
    let published = outcome.published.unwrap();
    assert_eq!((published.serial, published.documents, outcome.skipped.len()), (2, 2, 0));
    assert_eq!((outcome.root_version, outcome.approved_by), (1, vec!["ada".to_owned()]));
    world.verify();
    assert_eq!(records(&world.path("archive"), 2), inside);
    let note = world.archive().release(2).unwrap().note.clone();
    assert_eq!((note.time, note.title.as_str()), (LATER as i64 + 2, "Town council"));
    // Once more: all of it is there.
    let again = world.publish_unsealed().unwrap();
    assert!(again.published.is_none() && again.skipped.iter().all(|one| one.why == "it is published already"));
    // The desk, if it comes back, does not know; it publishes the same under the same numbers, and writes no bytes.
    let desk = publish_at(&world, &[world.key("ada.key")], LATER + 9);
    assert_eq!((desk.documents, desk.bytes), (2, 0));
    assert_eq!(records(&world.path("archive"), 3).iter().map(|(number, ..)| *number).collect::<Vec<_>>(), [7, 8]);
}

#[test]
fn sealing_does_not_hinder_publishing_and_numbers_stay_with_their_documents() {
    let world = World::new();
    world.published();
    let world = world.with_more();
    let shares = world.sealed();
    world.ingest(|trove| _ = trove.message(50, "five", &[]));
    world.clear_all();
    let published = world.published();
    assert_eq!((published.serial, published.documents), (2, 3));
    let numbers: Vec<u64> = records(&world.path("archive"), 2).iter().map(|(number, ..)| *number).collect();
    assert_eq!(numbers, [7, 8, 9]);
    world.unseal(&shares).unwrap();
    let outcome = world.publish_unsealed().unwrap();
    assert!(outcome.published.is_none());
    assert_eq!(outcome.skipped.len(), 2);
}

#[test]
fn what_was_published_later_under_a_number_prevails_over_what_was_sealed() {
    let world = World::new();
    world.published();
    let world = world.with_more();
    let shares = world.sealed();
    // Something else comes to stand under number 7, as after a redaction: here the message with another view.
    let desk = world.desk();
    let seq = desk.resolve(&DocumentId::of(Kind::File, &Digest::of(b"a secret annex"), "").to_string()).unwrap();
    let mut writer = desk.renditions_writer().unwrap();
    writer.put(seq, daylight_store::RenditionRole::Text, "text", 3, "text/plain", b"blacked out").unwrap();
    writer.commit().unwrap();
    drop(writer);
    let keys = [world.key("ada.key")];
    let later = publish_at(&world, &keys, LATER + 5);
    assert_eq!(later.documents, 2);
    world.unseal(&shares).unwrap();
    let outcome = world.publish_unsealed().unwrap();
    assert!(outcome.published.is_none());
    let why: Vec<_> = outcome.skipped.iter().map(|one| (one.number, one.why)).collect();
    let newer = "something else was published under its number after it was sealed";
    assert_eq!(why, [(7, "it is published already"), (8, newer)]);
}

#[test]
fn what_holds_a_document_that_was_replaced_or_withdrawn_later_is_left_out_with_it() {
    let world = World::new();
    world.published();
    let world = world.with_more();
    let shares = world.sealed();
    // The annex is published blacked out, without the letter in which it stands.
    let mut desk = world.desk();
    let seq = |kind, bytes: &[u8]| DocumentId::of(kind, &Digest::of(bytes), "").to_string();
    let letter = desk.resolve(&seq(Kind::Message, b"Subject: About four\r\n\r\nThe words of four.\r\n")).unwrap();
    daylight_review::hold(&mut desk, COUNCIL, &[letter], "Ada", "a name in it", LATER).unwrap();
    let annex = desk.resolve(&seq(Kind::File, b"a secret annex")).unwrap();
    let mut writer = desk.renditions_writer().unwrap();
    writer.put(annex, daylight_store::RenditionRole::Text, "text", 3, "text/plain", b"blacked out").unwrap();
    writer.commit().unwrap();
    drop((writer, desk));
    let keys = [world.key("ada.key")];
    assert_eq!(publish_at(&world, &keys, LATER + 5).documents, 1);
    world.unseal(&shares).unwrap();
    let outcome = world.publish_unsealed().unwrap();
    assert!(outcome.published.is_none());
    let holder = "it holds a document that was withdrawn or replaced after it was sealed";
    assert_eq!(outcome.skipped[0], Skipped { number: 7, why: holder });

    // Withdrawn, it does not come back either.
    let numbers = [8].into();
    let what = withdraw::Withdrawing {
        archive: &world.site,
        collection: COUNCIL,
        numbers: &numbers,
        only_replaced: false,
        copies: daylight_archive::withdraw::Copies::Erase,
        successor: None,
        reason: "a mistake",
        now: LATER + 10,
    };
    let mut request = withdraw::ask(&what).unwrap();
    request.sign(keys[0].signer()).unwrap();
    withdraw::enact(None, &world.site, &world.log_key, &request, LATER + 10, None).unwrap();
    let outcome = world.publish_unsealed().unwrap();
    assert!(outcome.published.is_none());
    let why: Vec<_> = outcome.skipped.iter().map(|one| (one.number, one.why)).collect();
    assert_eq!(why, [(7, holder), (8, "it was withdrawn after it was sealed")]);
}

fn publish_at(world: &World, keys: &[SigningKeyFile], now: u64) -> Published {
    world.publish_with(keys, |job| Job { now, ..job }).unwrap().published.unwrap()
}

#[test]
fn a_seal_with_nothing_in_it_is_not_made_and_nothing_is_written_over() {
    let world = World::new();
    world.published();
    assert!(world.seal().unwrap().is_none());
    assert!(!world.path("council.sealed").exists());
    let world = world.with_more();
    fs::write(world.path("council.sealed"), "mine").unwrap();
    assert!(matches!(world.seal(), Err(Error::Exists(_))));
    assert_eq!(fs::read(world.path("council.sealed")).unwrap(), b"mine");
    fs::remove_file(world.path("council.sealed")).unwrap();
    // Dropped before it was finished: gone, with what was staged.
    drop(world.seal().unwrap().unwrap());
    assert!(!world.path("council.sealed.part").exists() && !world.path("desk/sealing").exists());
}

#[test]
fn a_seal_that_no_k_editors_approved_is_not_published() {
    let world = World::new();
    world.published();
    let world = world.with_more();
    SigningKeyFile::create(&world.path("eve.key"), "eve", None).unwrap();
    let eve = [world.key("eve.key")];
    let what = ToSeal { collection: COUNCIL, title: None, archive: &world.site, editors: &eve, now: LATER };
    assert!(matches!(seal(&mut world.desk(), &what, &world.to(), &mut |_| {}), Err(Error::NotAnEditor { .. })));
    let none = ToSeal { editors: &[], ..what };
    assert!(matches!(seal(&mut world.desk(), &none, &world.to(), &mut |_| {}), Err(Error::TooFewKeys { .. })));

    let shares = world.sealed();
    world.unseal(&shares).unwrap();
    let approval = world.path("opened/seal");
    let text = fs::read_to_string(&approval).unwrap();
    let (body, _) = text.split_once("\n\n").unwrap();
    // Signed by somebody else under the editor's name, then by nobody who counts.
    let mut forged = daylight_archive::note::Note::new(&format!("{body}\n")).unwrap();
    forged.sign(world.key("eve.key").signer());
    fs::write(&approval, forged.to_bytes()).unwrap();
    let error = world.publish_unsealed().unwrap_err().to_string();
    assert!(error.contains("its editors"), "{error}");
    // Another number of documents than were approved.
    fs::write(&approval, text.replacen("lines 2", "lines 1", 1)).unwrap();
    let error = world.publish_unsealed().unwrap_err().to_string();
    assert!(error.contains("approves another release"), "{error}");
    fs::write(&approval, &text).unwrap();
    // A byte of a document that was changed on the disk after opening.
    let volume = world.path("opened/archive/release/1/volume/0.zip");
    let mut bytes = fs::read(&volume).unwrap();
    let at = memchr::memmem::find(&bytes, b"a secret annex").unwrap();
    bytes[at] ^= 1;
    fs::write(&volume, &bytes).unwrap();
    assert!(world.publish_unsealed().is_err());
    bytes[at] ^= 1;
    fs::write(&volume, &bytes).unwrap();
    assert!(world.publish_unsealed().unwrap().published.is_some());
    world.verify();
}

#[test]
fn a_seal_is_for_one_archive() {
    let world = World::new();
    world.published();
    let world = world.with_more();
    let shares = world.sealed();
    world.unseal(&shares).unwrap();
    let other = World::new();
    other.published();
    let keys = [other.key("ada.key")];
    let opened = world.path("opened");
    let job = UnsealedJob { unsealed: &opened, archive: &other.site, editors: &keys, request: None, log_key: &other.log_key, now: LATER };
    assert!(publish_unsealed(&job, &mut |_| {}).is_err());
    let unsealed = Unsealed::open(&opened).unwrap();
    let error = unsealed.approved(&other.archive()).err().unwrap().to_string();
    assert!(error.contains("sealed for the archive"), "{error}");
}

#[test]
fn a_sealed_file_that_was_changed_or_cut_off_leaves_nothing() {
    let world = World::new();
    world.published();
    let world = world.with_more();
    let shares = world.sealed();
    let path = world.path("council.sealed");
    let whole = fs::read(&path).unwrap();
    let mut wrong = Vec::new();
    for cut in [0, 10, 100, whole.len() / 2, whole.len() - 1] {
        wrong.push(whole[..cut].to_vec());
    }
    for at in [5, 60, 200, whole.len() / 2, whole.len() - 1] {
        let mut changed = whole.clone();
        changed[at] ^= 4;
        wrong.push(changed);
    }
    for bytes in wrong {
        fs::write(&path, &bytes).unwrap();
        assert!(world.unseal(&shares).is_err(), "{} bytes", bytes.len());
        assert_eq!(fs::read_dir(world.path("opened")).map_or(0, Iterator::count), 0);
    }
    fs::write(&path, &whole).unwrap();
    world.unseal(&shares).unwrap();
    // What stands there is not written over.
    assert!(matches!(world.unseal(&shares), Err(Error::NotEmpty(_))));
}

#[test]
fn editors_who_are_elsewhere_approve_on_request() {
    let world = World::new();
    let names = ["ada", "bob", "cyd"];
    for name in &names[1..] {
        SigningKeyFile::create(&world.path(&format!("{name}.key")), name, None).unwrap();
    }
    let keys: Vec<SigningKeyFile> = names.iter().map(|name| world.key(&format!("{name}.key"))).collect();
    publish_at(&world, &keys, NOW);
    let world = world.with_more();
    let what = ToSeal { collection: COUNCIL, title: None, archive: &world.site, editors: &keys[..1], now: LATER };
    assert!(matches!(seal(&mut world.desk(), &what, &world.to(), &mut |_| {}), Err(Error::TooFewKeys { needed: 2, given: 1, .. })));
    let (mut request, staged) = ask_to_seal(&mut world.desk(), &what, &mut |_| {}).unwrap().waiting.unwrap();
    assert!(verify(&staged, None, &mut |_| {}).ok());
    let mut seen = Vec::new();
    let review = staged::review(&request, &staged, &mut |line, _| seen.push(line.record.number)).unwrap();
    assert!(review.problems.is_empty() && seen == [7, 8], "{review:?}");
    let words = request.words().unwrap();
    assert!(words.title.starts_with("a release to be sealed for "), "{words:?}");
    let finish = |request: &request::Request| finish_seal(&mut world.desk(), &world.site, request, &world.to(), &mut |_| {});
    assert!(matches!(finish(&request), Err(Error::Asked(_))));
    request = request::Request::parse(&request.to_bytes().unwrap()).unwrap();
    request.sign(keys[2].signer()).unwrap();
    let sealed = finish(&request).unwrap();
    assert_eq!(sealed.editors, ["ada", "cyd"]);
    let shares = sealed.shares.clone();
    sealed.finish().unwrap();
    let unsealed = world.unseal(&shares[..2]).unwrap();
    assert_eq!(unsealed.approved(&world.archive()).unwrap().editors(), ["ada", "cyd"]);
    assert_eq!(Archive::open(unsealed.archive_dir()).unwrap().record(1, 1).unwrap().record.number, 8);

    // Publishing it waits for signatures as any release does.
    let opened = world.path("opened");
    let job = UnsealedJob {
        unsealed: &opened,
        archive: &world.site,
        editors: &keys[1..2],
        request: None,
        log_key: &world.log_key,
        now: LATER + 3,
    };
    let mut asked = publish_unsealed(&job, &mut |_| {}).unwrap().waiting.unwrap().request;
    asked.sign(keys[2].signer()).unwrap();
    // The time was fixed when it was asked for.
    let job = UnsealedJob { editors: &[], request: Some(&asked), now: LATER + 99, ..job };
    assert_eq!(publish_unsealed(&job, &mut |_| {}).unwrap().published.unwrap().documents, 2);
    world.verify();
    // A request for a seal is none for a release.
    assert!(publish_unsealed(&UnsealedJob { request: Some(&request), ..job }, &mut |_| {}).unwrap().published.is_none());
    assert!(matches!(world.archive().record(2, 9), Err(ArchiveError::NoSuchLine { .. })));
    assert!(world.archive().record(2, 0).unwrap().record.file(&FileRole::Raw).is_some());
}

#[test]
fn what_is_held_after_it_was_approved_is_not_sealed() {
    let world = World::new();
    world.published();
    let world = world.with_more();
    let keys = [world.key("ada.key")];
    let what = ToSeal { collection: COUNCIL, title: None, archive: &world.site, editors: &keys, now: LATER };
    let (request, _) = ask_to_seal(&mut world.desk(), &what, &mut |_| {}).unwrap().waiting.unwrap();
    let mut desk = world.desk();
    let seq = desk.resolve(&DocumentId::of(Kind::File, &Digest::of(b"a secret annex"), "").to_string()).unwrap();
    daylight_review::hold(&mut desk, COUNCIL, &[seq], "Ada", "a name in it", LATER).unwrap();
    let refused = finish_seal(&mut desk, &world.site, &request, &world.to(), &mut |_| {});
    assert!(matches!(refused, Err(Error::NoLongerClear(_))));
    assert!(!world.path("council.sealed").exists());
}

/// Trustees who act together have the key, and can seal what they like.
#[test]
fn what_trustees_could_seal_themselves_is_laid_out_only_if_it_is_an_archive() {
    let world = World::new();
    world.published();
    let world = world.with_more();
    let shares = world.sealed();
    let unsealed = world.unseal(&shares).unwrap();
    let whole: Vec<(String, Vec<u8>)> = files(&world.path("opened")).into_iter().collect();
    drop(unsealed);
    fs::remove_dir_all(world.path("opened")).unwrap();
    let (mut inside, checkpoint): (Vec<_>, Vec<_>) = whole.into_iter().partition(|(path, _)| path != "archive/checkpoint");
    let checkpoint = checkpoint.into_iter().next().unwrap();
    let seal = |files: &[&(String, Vec<u8>)]| {
        let (key, _) = SealKey::from_shares(&shares).unwrap();
        let mut sealer = key.seal(Vec::new()).unwrap();
        for (path, bytes) in files {
            tar::append(&mut sealer, &tar::Entry::new(path, bytes.len() as u64).unwrap(), &mut bytes.as_slice()).unwrap();
        }
        tar::end(&mut sealer).unwrap();
        fs::write(world.path("council.sealed"), sealer.finish().unwrap()).unwrap();
    };
    let refused = |files: &[&(String, Vec<u8>)]| {
        seal(files);
        let error = world.unseal(&shares).err().map(|error| error.to_string());
        assert_eq!(fs::read_dir(world.path("opened")).unwrap().count(), 0, "{error:?}");
        error.unwrap()
    };
    let all: Vec<_> = inside.iter().chain([&checkpoint]).collect();
    refused(&[]);
    assert!(refused(&all[..all.len() - 1]).contains("no checkpoint"));
    let twice = [all.as_slice(), &[&checkpoint]].concat();
    assert!(refused(&twice).contains("not the tar file of a sealed release"));
    let again = [&all[..1], all.as_slice()].concat();
    assert!(refused(&again).contains("not the tar file of a sealed release"));
    let elsewhere = ("elsewhere/file".to_owned(), b"x".to_vec());
    assert!(refused(&[&[&elsewhere], all.as_slice()].concat()).contains("not the tar file of a sealed release"));
    let endless = ("archive/checkpoint".to_owned(), vec![b'x'; 2 << 20]);
    assert!(refused(&[&all[..all.len() - 1], &[&endless]].concat()).contains("too long"));
    let added = ("archive/added".to_owned(), b"x".to_vec());
    assert!(refused(&[&all[..all.len() - 1], &[&added, &checkpoint]].concat()).contains("added"));
    let without: Vec<_> = all.iter().copied().filter(|(path, _)| path != "seal").collect();
    seal(&without);
    assert!(world.unseal(&shares).is_err());
    assert_eq!(fs::read_dir(world.path("opened")).unwrap().count(), 0);
    let other = inside.iter_mut().find(|(path, _)| path.ends_with("0.zip")).unwrap();
    other.1[200] ^= 1;
    let changed: Vec<_> = inside.iter().chain([&checkpoint]).collect();
    assert!(refused(&changed).contains("0.zip"));
}
