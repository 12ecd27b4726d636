use super::*;

fn noise(count: usize) -> Vec<u8> {
    let mut state = 1u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    (0..count).map(|_| next()).collect()
}

#[test]
fn a_picture_is_packed_in_the_shorter_form_and_carries_nothing_else() {
    let (form, file) = packed(300, 400, &[255; 300 * 400]).unwrap();
    assert!(form == PictureForm::Png && file.starts_with(b"\x89PNG") && file.len() < 2000);
    for chunk in [&b"tEXt"[..], b"eXIf", b"iTXt", b"pHYs", b"tIME"] {
        assert!(!file.windows(4).any(|four| four == chunk));
    }
    let (form, file) = packed(600, 400, &noise(3 * 600 * 400)).unwrap();
    assert!(form == PictureForm::Jpeg && file.starts_with(b"\xff\xd8\xff") && !file.windows(4).any(|four| four == b"Exif"));
    assert!(packed(10, 10, &[0; 99]).is_none() && packed(10, 10, &[0; 200]).is_none());
}

/// What a worker says, and what came of it.
fn heard(said: Vec<Event>, most: u32) -> (Pages, Vec<PagePicture>, Option<&'static str>) {
    let (mut pages, mut given, mut refused) = (Pages::default(), Vec::new(), None);
    for event in said {
        if let Err(why) = pages.take(Said::Event(event), most, &mut |picture, _| given.push(picture)) {
            refused = why;
            break;
        }
    }
    (pages, given, refused)
}

fn counted(of: u64) -> Event {
    Event::Counted { index: 0, expected: Some(of), read: 0, failed: 0 }
}

fn page(width: u32, height: u32, number: u64) -> Vec<Event> {
    let bytes = vec![7; (width * height) as usize];
    vec![Event::Page { width, height, dots_per_inch: 150 }, Event::Bytes { index: 0, bytes }, Event::Cursor(number)]
}

#[test]
fn pages_are_taken_in_order_and_those_that_failed_are_told() {
    let broken = Fault {
        stage: Stage::Read,
        code: FaultCode::Malformed,
        tool: "pages 1".into(),
        detail: "a \x1b[31mbreak".into(),
        limit: None,
        at: None,
    };
    let mut said = vec![counted(9)];
    said.extend(page(20, 30, 1));
    said.extend([Event::Fault { index: 0, fault: broken }, Event::Cursor(2)]);
    said.extend(page(20, 30, 3));
    let (pages, given, refused) = heard(said, 3);
    assert_eq!((given.iter().map(|one| (one.page, one.of)).collect::<Vec<_>>(), refused), (vec![(1, 9), (3, 9)], None));
    let fault = pages.fault().unwrap();
    assert!(fault.detail == "no picture was made of page 2: malformed: a [31mbreak" && !fault.loses_text(), "{fault:?}");
    assert!(pages.steps.contains("page:00003"));
}

#[test]
fn a_captured_worker_gives_no_page_but_those_that_were_asked_for() {
    let too_large = vec![counted(1), Event::Page { width: 10_000, height: 10_000, dots_per_inch: 150 }];
    let mut too_much = vec![counted(1)];
    too_much.extend([Event::Page { width: 10, height: 10, dots_per_inch: 0 }, Event::Bytes { index: 0, bytes: vec![0; 301] }]);
    let beyond: Vec<Event> = std::iter::once(counted(9)).chain(page(20, 20, 4)).collect();
    let twice: Vec<Event> = std::iter::once(counted(9)).chain(page(20, 20, 1)).chain(page(20, 20, 1)).collect();
    let uncounted = page(20, 20, 1);
    let other = vec![Event::View("<p>".into())];
    for (said, why) in [
        (too_large, "a page of a size that is not agreed"),
        (too_much, "more of a page than there is"),
        (beyond, "a page that was not asked for"),
        (twice, "a page that was not asked for"),
        (uncounted, "a page that was not asked for"),
        (other, "what nobody asked"),
    ] {
        assert_eq!(heard(said, 3).2, Some(why));
    }
    let mut half = vec![counted(1), Event::Page { width: 20, height: 20, dots_per_inch: 0 }];
    half.extend([Event::Bytes { index: 0, bytes: vec![0; 399] }, Event::Cursor(1)]);
    let (pages, given, refused) = heard(half, 3);
    assert!(given.is_empty() && refused.is_none() && pages.lost[0].1 == "it was not drawn whole");
}

#[test]
fn pictures_are_stored_when_a_document_has_all_of_them() {
    let (_folder, mut desk) = crate::tests::desk();
    let [whole, half] = crate::tests::ingest(&mut desk, |writer, collection| {
        [b"one", b"two"].map(|bytes| crate::tests::put(writer, collection, daylight_model::Kind::File, bytes, "application/pdf"))
    });
    let fault = |detail: &str| Fault {
        stage: Stage::Render,
        code: FaultCode::Malformed,
        tool: "page 1".into(),
        detail: detail.into(),
        limit: None,
        at: None,
    };
    let mut writer = desk.renditions_writer().unwrap();
    writer.fault(whole, &fault("not yet")).unwrap();
    writer.commit().unwrap();
    let page = |seq, page, of| {
        let picture = PagePicture { form: PictureForm::Png, page, of, width: 20, height: 30 };
        News::Page { seq, picture, file: vec![page as u8; 50] }
    };
    let (tell, news) = sync_channel(9);
    for one in [page(whole, 1, 2), page(half, 1, 2), page(whole, 2, 2)] {
        tell.send(one).unwrap();
    }
    let steps = HashSet::from([step(1), step(2)]);
    tell.send(News::Done { seq: whole, steps, fault: None }).unwrap();
    tell.send(News::Halt(Error::BadTitle)).unwrap();
    assert!(matches!(store(&mut writer, news), Err(Error::BadTitle)));
    // What came before it broke off is whole.
    writer.commit().unwrap();
    let pages = |seq| desk.renditions(seq).unwrap().into_iter().map(|made| made.step).collect::<Vec<_>>();
    assert_eq!((pages(whole), pages(half)), (vec![step(1), step(2)], vec![]));
    assert_eq!(desk.document(whole).unwrap().faults, [], "what was said of its pictures is so no more");
    drop(writer);
    // One page less, and another is missing: what was there of it goes.
    let mut writer = desk.renditions_writer().unwrap();
    let (tell, news) = sync_channel(9);
    tell.send(page(whole, 1, 2)).unwrap();
    tell.send(News::Done { seq: whole, steps: HashSet::from([step(1)]), fault: Some(fault("page 2")) }).unwrap();
    drop(tell);
    assert_eq!(store(&mut writer, news).unwrap(), 1);
    writer.commit().unwrap();
    assert_eq!((pages(whole), desk.document(whole).unwrap().faults), (vec![step(1)], vec![fault("page 2")]));
}
