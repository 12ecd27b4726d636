use crate::tests::{Heard, OnDisk, hear, hear_with, mutate, request};
use crate::zip::tests::Writer;
use daylight_model::FaultCode;
use daylight_model::reading::{Label, Place, Request, Task};

/// `letter.eml` and `second.txt` under `swordfish`, made by Info-ZIP 3.0, 7-Zip 26.02, minizip (pyminizip 0.2.6) and pyzipper 0.4.0.
const LETTER: &[u8] = b"From: a@b\nSubject: sealed\n\nhello from within\n";
const SECOND: &[u8] = b"the second text, the second text, the second text, the second text\n";
const MADE: [(&str, &[u8], &str); 5] = [
    ("infozip", include_bytes!("../encrypted/infozip.zip"), "ZipCrypto"),
    ("7z-old", include_bytes!("../encrypted/7z-old.zip"), "ZipCrypto"),
    ("minizip", include_bytes!("../encrypted/minizip.zip"), "ZipCrypto"),
    ("7z-aes128", include_bytes!("../encrypted/7z-aes128.zip"), "AES-128 (WinZip)"),
    ("7z-aes192", include_bytes!("../encrypted/7z-aes192.zip"), "AES-192 (WinZip)"),
];
/// The letter packed by LZMA under AES-256, the text under AES-128.
const PYZIPPER: &[u8] = include_bytes!("../encrypted/pyzipper.zip");
/// The letter under `swordfish`, the text under `trombone`, by 7-Zip with AES-256.
const TWO: &[u8] = include_bytes!("../encrypted/two.zip");

#[test]
fn what_others_encrypted_is_opened_and_reads_as_if_it_had_not_been() {
    let plain = hear("x.zip", &Writer::default().with(b"letter.eml", LETTER, true).with(b"second.txt", SECOND, true).finish());
    for (name, zip, method) in MADE {
        let heard = hear_with("x.zip", zip, &["wrong", "swordfish"]);
        assert_eq!(heard.text(0, Label::Property), format!("protected: {method}, opened with a password\n"), "{name}");
        let children = |heard: &Heard| {
            heard.found[1..].iter().map(|found| (found.clone(), heard.original(zip, found.index).to_vec())).collect::<Vec<_>>()
        };
        assert_eq!(children(&heard), children(&plain), "{name}");
        assert_eq!((heard.faults.len(), heard.counted[0]), (0, (0, Some(2), 2, 0)), "{name}");
        let again = |start, patient| {
            let mut heard = Heard::default();
            let request = Request { passwords: vec!["swordfish".into()], ..request("x.zip", Task::Read { start, skip_first: patient }) };
            crate::read(&request, &OnDisk(zip), &mut heard).unwrap();
            heard
        };
        assert_eq!(again(1, false).text(1, Label::Body).as_bytes(), SECOND);
        assert_eq!(again(1, true).codes(1), [FaultCode::ReaderDied]);
    }
    let streamed = hear_with("x.zip", include_bytes!("../encrypted/infozip-stream.zip"), &["swordfish"]);
    assert_eq!(streamed.original(&[], 1), LETTER);
    let heard = hear_with("x.zip", PYZIPPER, &["swordfish"]);
    assert_eq!((heard.original(PYZIPPER, 1), heard.original(PYZIPPER, 2)), (LETTER, SECOND));
    assert_eq!(heard.text(0, Label::Property).lines().count(), 2);
}

#[test]
fn each_entry_may_have_a_password_of_its_own_and_any_character_set() {
    let heard = hear_with("x.zip", TWO, &["swordfish", "trombone"]);
    assert_eq!((heard.original(TWO, 1), heard.original(TWO, 2), heard.faults.len()), (LETTER, SECOND, 0));
    let heard = hear_with("x.zip", TWO, &["trombone"]);
    assert_eq!((heard.codes(1), heard.original(TWO, 2)), (vec![FaultCode::Encrypted], SECOND));
    assert_eq!(heard.counted[0], (0, Some(2), 2, 1));
    for zip in [&include_bytes!("../encrypted/latin.zip")[..], include_bytes!("../encrypted/dos.zip")] {
        assert_eq!(hear_with("x.zip", zip, &["Grüße"]).original(zip, 1), SECOND);
    }
}

#[test]
fn what_stays_shut_is_kept_and_says_how_it_is_shut_and_what_was_tried() {
    for (name, zip, method) in MADE {
        let none = hear("x.zip", zip);
        assert_eq!((none.codes(1), none.codes(2)), (vec![FaultCode::Encrypted], vec![FaultCode::Encrypted]), "{name}");
        assert!(matches!(none.found[1].place, Place::Slice { of: 0, .. }));
        let detail = &none.faults[0].1.detail;
        assert!(detail.contains(method) && detail.contains("`daylight unlock`"), "{detail}");
        // Of this many some hundred pass the first check of the old cipher.
        let wrong: Vec<String> = (0..if method == "ZipCrypto" { 20_000 } else { 50 }).map(|number| format!("hunter{number}")).collect();
        let wrong: Vec<&str> = wrong.iter().map(String::as_str).collect();
        let heard = hear_with("x.zip", zip, &wrong);
        assert_eq!(
            (heard.codes(1), heard.codes(2), heard.texts.len()),
            (vec![FaultCode::Encrypted], vec![FaultCode::Encrypted], 0),
            "{name}"
        );
        let detail = &heard.faults[0].1.detail;
        assert!(detail.contains(&format!("none of the {} passwords", wrong.len())) && !detail.contains("hunter"), "{detail}");
    }
}

#[test]
fn a_damaged_entry_is_not_given_though_its_password_is_right() {
    let at = memchr::memmem::find(TWO, b"letter.eml").unwrap() + 60;
    let mut damaged = TWO.to_vec();
    damaged[at] ^= 1;
    let heard = hear_with("x.zip", &damaged, &["swordfish", "trombone"]);
    assert_eq!((heard.codes(1), heard.original(&damaged, 2)), (vec![FaultCode::Encrypted], SECOND));
    assert!(heard.faults[0].1.detail.contains("a password fits"), "{:?}", heard.faults);
}

#[test]
fn no_damage_to_what_is_encrypted_does_harm() {
    for (_, zip, _) in MADE.into_iter().chain([("", PYZIPPER, ""), ("", TWO, "")]) {
        for password in ["swordfish", "wrong"] {
            mutate(zip, 40, |changed| drop(hear_with("x.zip", changed, &[password])));
        }
    }
}
