use super::*;
use std::io::{Read as _, Write as _};

fn opened(identity: &Identity, stanzas: usize, file: &[u8]) -> Result<Vec<u8>, String> {
    let opening = Opening::new(identity, stanzas);
    let mut plain = Vec::new();
    crate::file::open(&[&opening], file).map_err(|e| e.to_string())?.read_to_end(&mut plain).map_err(|e| e.to_string())?;
    Ok(plain)
}

#[test]
fn every_recipient_opens_a_file_and_its_length_is_known_before() {
    let identities: Vec<Identity> = (0..3).map(|_| Identity::generate().unwrap()).collect();
    let recipients: Vec<Recipient> = identities.iter().map(Identity::recipient).collect();
    for length in [0, 1, 65_535, 65_536, 65_537, 200_000] {
        let plain: Vec<u8> = (0..length).map(|at: u32| (at ^ at >> 8) as u8).collect();
        let mut stream = seal(&recipients, 5, Vec::new()).unwrap();
        stream.write_all(&plain).unwrap();
        let file = stream.finish().unwrap();
        assert_eq!(file.len() as u64, sealed_length(5, length.into()));
        for identity in &identities {
            assert_eq!(opened(identity, 5, &file).unwrap(), plain);
        }
        assert!(opened(&identities[0], 6, &file).is_err(), "a file with another number of stanzas");
        assert!(opened(&Identity::generate().unwrap(), 5, &file).is_err());
    }
    assert!(seal(&recipients, 2, Vec::new()).is_err() && seal(&[], 2, Vec::new()).is_err());
}

#[test]
fn keys_have_the_text_that_age_gives_them() {
    let recipient = Identity::from_seed(Zeroizing::new([7; 32])).recipient();
    let text = recipient.to_string();
    assert!(text.starts_with("age1pq1") && text.len() == 1_959, "{}", text.len());
    assert_eq!(Recipient::parse(&text).unwrap(), recipient);
    assert_eq!(Recipient::from_bytes(&recipient.to_bytes()).unwrap(), recipient);
    let wrong = text.replacen('q', "p", 3);
    for text in ["", "age1pq1", "age1qqqq", &wrong, &text[..text.len() - 1], &"a".repeat(100_000)] {
        assert_eq!(Recipient::parse(text), Err(RecipientError));
    }
    assert_eq!(Recipient::from_bytes(&[255; Recipient::LENGTH]), Err(RecipientError), "numbers that are out of range");
}

/// The example of c2sp.org/age, and a file that another implementation of it sealed (npm `age-encryption` 0.3.1).
#[test]
fn keys_and_files_are_those_of_other_programs() {
    let mut seed = Zeroizing::new([0; 32]);
    let digits = "31bda90fbf9fccdde5cfc0ed5a0378c5ea67ea193d7938b03b8c5dabb9a67de3";
    for (byte, at) in seed.iter_mut().zip((0..64).step_by(2)) {
        *byte = u8::from_str_radix(&digits[at..at + 2], 16).unwrap();
    }
    let identity = Identity::from_seed(seed);
    assert_eq!(identity.recipient().to_string(), include_str!("../../tests/envelope/c2sp-recipient.txt"));
    let file = include_bytes!("../../tests/envelope/age-encryption-0.3.1.age");
    assert_eq!(opened(&identity, 1, file).unwrap(), b"sealed by age-encryption 0.3.1\n");
}

/// As a program that takes files with any stanzas: ours takes none but its own.
struct Lenient(Opening);

impl age::Identity for Lenient {
    fn unwrap_stanza(&self, stanza: &age_core::format::Stanza) -> Option<Result<age_core::format::FileKey, age::DecryptError>> {
        self.0.unwrap_stanza(stanza)
    }
}

/// The Community Cryptography Test Vectors for this type of recipient, each with what must come of it.
#[test]
fn the_vectors_of_c2sp_hold() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/envelope/cctv");
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let (name, bytes) = entry.map(|entry| (entry.file_name().into_string().unwrap(), std::fs::read(entry.path()).unwrap())).unwrap();
        if !name.starts_with("hybrid") {
            continue;
        }
        let end = bytes.windows(2).position(|pair| pair == b"\n\n").unwrap();
        let head = std::str::from_utf8(&bytes[..end]).unwrap();
        let told = |key: &str| head.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(": "));
        let key = CheckedHrpstring::new::<LongBech32>(told("identity").unwrap()).unwrap();
        let seed: Vec<u8> = key.byte_iter().collect();
        let opening = Lenient(Opening::new(&Identity::from_seed(Zeroizing::new(seed.try_into().unwrap())), 1));
        let mut plain = Vec::new();
        let came = match crate::file::open(&[&opening], &bytes[end + 2..]) {
            Ok(mut opened) => opened.read_to_end(&mut plain).map_or("payload failure", |_| "success"),
            Err(crate::OpenError::OtherKey) => "no match",
            Err(_) => "header failure",
        };
        assert_eq!(came, told("expect").unwrap(), "{name}");
        if let Some(payload) = told("payload") {
            assert_eq!(daylight_model::Digest::of(&plain).to_string(), payload, "{name}");
        }
        seen += 1;
    }
    assert!(seen >= 16, "only {seen}");
}
