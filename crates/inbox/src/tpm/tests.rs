use super::soft::{Chip, Index, Memory};
use super::wire::{self, Code, Public, Wrong};
use super::{COUNT, FIRST, Found, OURS, Slot, Tpm, TpmError, WRITTEN};
use std::io::{self, Read, Write};
use std::os::unix::net::UnixListener;
use std::path::Path;
use zeroize::Zeroizing;

const MARK: [u8; 32] = [7; 32];

fn foreign(public: Vec<u8>) -> Index {
    Index { public, password: Vec::new(), data: Some(vec![9; 32]) }
}

fn public(handle: u32, attributes: u32, policy: &[u8], size: u16) -> Vec<u8> {
    Public { handle, named_by: wire::SHA256, attributes, policy: policy.to_vec(), size }.to_bytes()[2..].to_vec()
}

#[test]
fn commands_are_the_bytes_that_a_real_one_took() {
    // What swtpm 0.7.1 answered with success.
    let define = [
        &[0x80, 0x02, 0, 0, 0, 0x6d, 0, 0, 0x01, 0x2a, 0x40, 0, 0, 0x01][..],
        &[0, 0, 0, 9, 0x40, 0, 0, 0x09, 0, 0, 0, 0, 0],
        &[0, 32],
        &[b'a'; 32],
        &[0, 46, 0x01, 0xad, 0xa1, 0x23, 0, 0x0b, 0x02, 0x04, 0, 0x04, 0, 32],
        &[b'm'; 32],
        &[0, 32],
    ]
    .concat();
    let ours = Public { handle: 0x01ad_a123, named_by: wire::SHA256, attributes: OURS, policy: vec![b'm'; 32], size: 32 };
    let parameters = [&wire::sized(&[b'a'; 32])[..], &ours.to_bytes()].concat();
    assert_eq!(wire::command(Code::Define, &[wire::OWNER], Some(b""), &parameters)[..], define);
    let ask = wire::command(Code::ReadPublic, &[0x01ad_a123], None, &[]);
    assert_eq!(ask[..], [0x80, 1, 0, 0, 0, 14, 0, 0, 0x01, 0x69, 0x01, 0xad, 0xa1, 0x23]);
    let read = wire::command(Code::Read, &[0x01ad_a123; 2], Some(b"pw"), &[0, 32, 0, 0]);
    let session = [0, 0, 0, 11, 0x40, 0, 0, 9, 0, 0, 0, 0, 2, b'p', b'w'];
    assert_eq!((read.len(), &read[18..33], &read[33..]), (37, &session[..], &[0, 32, 0, 0][..]));
}

/// What swtpm 0.7.1 said of an index, with its name; what it gave of one; and a list.
fn said() -> (Vec<u8>, Vec<u8>, Vec<u8>) {
    let named = [&[0x80, 1, 0, 0, 0, 94, 0, 0, 0, 0, 0, 46][..], &public(0x01ad_a123, OURS | WRITTEN, &[b'm'; 32], 32), &[0, 34], &[3; 34]];
    let read = [&[0x80, 2, 0, 0, 0, 53, 0, 0, 0, 0, 0, 0, 0, 34, 0, 32][..], &[b'k'; 32], &[0, 0, 1, 0, 0]];
    let list = [&[0x80, 1, 0, 0, 0, 27, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2][..], &[1, 0xad, 0xa0, 0, 1, 0xad, 0xa0, 5]];
    (named.concat(), read.concat(), list.concat())
}

#[test]
fn answers_are_read_and_whatever_is_not_of_their_form_is_refused() {
    let (named, read, list) = said();
    let parsed = wire::public(wire::parameters(&named, false).unwrap()).unwrap();
    assert_eq!((parsed.handle, parsed.attributes, parsed.size), (0x01ad_a123, 0x2204_0004, 32));
    assert_eq!(*wire::secret(wire::parameters(&read, true).unwrap()).unwrap(), [b'k'; 32]);
    assert_eq!(wire::handles(wire::parameters(&list, false).unwrap()).unwrap(), (false, vec![0x01ad_a000, 0x01ad_a005]));
    assert_eq!(wire::parameters(&[0x80, 1, 0, 0, 0, 10, 0, 0, 1, 0x8b], true), Err(Wrong::Result(0x18b)));
    assert!(matches!(wire::parameters(&[0, 0xc4, 0, 0, 0, 10, 0, 0, 0, 0x1e], true), Err(Wrong::Form(why)) if why.contains("1.2")));
    // A refusal with something behind it, a success with another tag than its command, a session that is none.
    assert!(matches!(wire::parameters(&[0x80, 2, 0, 0, 0, 10, 0, 0, 1, 0x8b], true), Err(Wrong::Form(_))));
    assert!(matches!(wire::parameters(&named, true), Err(Wrong::Form(_))));
    assert!(matches!(wire::parameters(&read, false), Err(Wrong::Form(_))));
    let mut other = read.clone();
    *other.last_mut().unwrap() = 1;
    assert!(matches!(wire::parameters(&other, true), Err(Wrong::Form(_))));
    // Cut off anywhere, with its length as it was and with the one that it has now.
    for whole in [&named, &read, &list] {
        let authorised = whole[1] == 2;
        for length in 0..whole.len() {
            let mut cut = whole[..length].to_vec();
            assert!(wire::parameters(&cut, authorised).is_err());
            if length >= 6 {
                cut[2..6].copy_from_slice(&(length as u32).to_be_bytes());
                let parsed = wire::parameters(&cut, authorised);
                let any = parsed.map(|some| wire::public(some).is_ok() || wire::secret(some).is_ok() || wire::handles(some).is_ok());
                assert!(!any.unwrap_or(false), "{length}");
            }
        }
        // And longer than it should be.
        let mut longer = [whole.as_slice(), &[0]].concat();
        longer[2..6].copy_from_slice(&(whole.len() as u32 + 1).to_be_bytes());
        let parsed = wire::parameters(&longer, authorised);
        let any = parsed.map(|some| wire::public(some).is_ok() || wire::secret(some).is_ok() || wire::handles(some).is_ok());
        assert!(!any.unwrap_or(false));
    }
}

#[test]
fn no_answer_whatever_it_says_does_more_than_be_refused() {
    let (named, read, list) = said();
    // xorshift, so that a failure comes again.
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = move || {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random
    };
    for round in 0..60_000 {
        let mut bytes = [&named, &read, &list][round % 3].clone();
        for _ in 0..=next() % 4 {
            let at = next() as usize % bytes.len();
            match next() % 4 {
                0 => bytes[at] = next() as u8,
                1 => bytes[at] ^= 1 << (next() % 8),
                2 => bytes.truncate(at.max(1)),
                _ => bytes.insert(at, next() as u8),
            }
        }
        if next().is_multiple_of(2) && bytes.len() >= 6 {
            let length = bytes.len() as u32;
            bytes[2..6].copy_from_slice(&length.to_be_bytes());
        }
        for authorised in [false, true] {
            let Ok(parameters) = wire::parameters(&bytes, authorised) else { continue };
            if let Ok(public) = wire::public(parameters) {
                assert!(public.policy.len() < bytes.len());
            }
            if let Ok((_, handles)) = wire::handles(parameters) {
                assert!(handles.len() * 4 < bytes.len());
            }
            let _ = (wire::secret(parameters), wire::property(parameters, wire::MANUFACTURER));
        }
        // As a whole chip that says nothing else.
        if round % 50 == 0 {
            let tpm = saying(bytes);
            let slot = Slot { handle: 0x01ad_a123, mark: [b'm'; 32], password: Zeroizing::new([0; 32]) };
            let _ = (tpm.maker(), tpm.key(&slot), tpm.ours(), tpm.destroy(slot.handle, &slot.mark));
        }
    }
}

/// A chip that gives the same answer once, and then hangs up.
fn saying(answer: Vec<u8>) -> Tpm {
    struct Always(io::Cursor<Vec<u8>>);
    impl Read for Always {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.0.read(buffer)
        }
    }
    impl Write for Always {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.set_position(0);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let tpm = Tpm::at(Path::new("/nowhere"));
    *tpm.line.lock().unwrap() = Some(Box::new(Always(io::Cursor::new(answer))));
    tpm
}

#[test]
fn a_key_is_kept_read_with_its_password_alone_and_destroyed() {
    let chip = Chip::default();
    let tpm = chip.tpm();
    assert_eq!(tpm.maker().unwrap(), "SOFT");
    let (slot, key) = tpm.keep(&MARK).unwrap();
    let (other, other_key) = tpm.keep(&[8; 32]).unwrap();
    assert_eq!((slot.handle, other.handle), (FIRST, FIRST + 1));
    assert!(key != other_key && slot.password != other.password && *key != [0; 32]);
    assert!(matches!(tpm.key(&slot).unwrap(), Found::Key(read) if read == key));
    let guessed = Slot { password: other.password.clone(), ..slot.clone() };
    assert!(matches!(tpm.key(&guessed).unwrap(), Found::Another));
    assert!(matches!(tpm.key(&Slot { mark: [8; 32], ..slot.clone() }).unwrap(), Found::Another), "of another file");
    tpm.destroy(slot.handle, &[8; 32]).unwrap();
    assert_eq!(chip.handles(), [slot.handle, other.handle], "what is of another file stays");
    tpm.destroy(slot.handle, &MARK).unwrap();
    tpm.destroy(slot.handle, &MARK).unwrap();
    assert!(matches!(tpm.key(&slot).unwrap(), Found::Nothing));
    assert_eq!(tpm.ours().unwrap(), [(other.handle, [8; 32])]);
}

#[test]
fn nobody_elses_index_is_touched_or_taken_for_ours() {
    let chip = Chip::default();
    let others = [
        (FIRST - 1, public(FIRST - 1, OURS | WRITTEN, &MARK, 32)),
        (FIRST, public(FIRST, OURS | WRITTEN | 2, &MARK, 32)),
        (FIRST + 1, public(FIRST + 1, OURS, &[], 32)),
        (FIRST + 2, public(FIRST + 2, OURS, &MARK, 64)),
        (FIRST + 3, public(FIRST + 3, OURS, &MARK[..20], 32)),
        (FIRST + COUNT, public(FIRST + COUNT, OURS | WRITTEN, &MARK, 32)),
    ];
    for (handle, public) in &others {
        chip.0.lock().unwrap().indices.insert(*handle, foreign(public.clone()));
    }
    let tpm = chip.tpm();
    // Listed two at a time.
    chip.0.lock().unwrap().listed = 2;
    assert!(tpm.ours().unwrap().is_empty());
    others.iter().for_each(|(handle, _)| tpm.destroy(*handle, &MARK).unwrap());
    assert_eq!(chip.handles().len(), others.len());
    assert_eq!(tpm.keep(&MARK).unwrap().0.handle, FIRST + 4, "the first that is free");
}

#[test]
fn each_refusal_is_said_in_words() {
    let failed = |memory: Memory| {
        let chip = Chip::default();
        *chip.0.lock().unwrap() = memory;
        let said = chip.tpm().keep(&MARK).err().unwrap();
        let line = said.to_string();
        assert!(!line.contains('\n') && line.starts_with(|c: char| c.is_lowercase()), "{line}");
        (line, chip.handles().len())
    };
    assert!(failed(Memory { owner: b"secret".to_vec(), ..Memory::default() }).0.contains("owner has set a password"));
    assert!(failed(Memory { room: Some(0), ..Memory::default() }).0.contains("no room"));
    assert!(failed(Memory { first: vec![0x185], ..Memory::default() }).0.contains("switched off"));
    assert!(failed(Memory { first: vec![0x100], ..Memory::default() }).0.contains("refused with 0x100"));
    // Busy for a while is no refusal.
    let chip = Chip::default();
    chip.0.lock().unwrap().first = vec![0x922, 0x908];
    chip.tpm().keep(&MARK).unwrap();
}

#[test]
fn what_is_no_tpm_is_told_from_one_that_is_not_there() {
    let folder = tempfile::tempdir().unwrap();
    let said = |path: &Path| Tpm::at(path).maker().unwrap_err().to_string();
    assert!(said(&folder.path().join("none")).contains("there is no TPM here"));
    let file = folder.path().join("file");
    std::fs::write(&file, "kept").unwrap();
    assert!(said(&file).contains("neither a device nor a socket"));
    assert_eq!(std::fs::read(&file).unwrap(), b"kept");
    assert!(said(Path::new("/dev/null")).contains("cut off"));
    // A socket behind which somebody hangs up, or says nonsense; the next question is on a new line.
    let socket = folder.path().join("socket");
    let listener = UnixListener::bind(&socket).unwrap();
    let there = std::thread::spawn(move || {
        for answer in [&b""[..], b"\x80\x01\0\0\0\x09\0\0\0\0", b"\x80\x01\xff\xff\xff\xff\0\0\0\0", b"\x80\x01\0\0\0\x0a\0\0\0\0\0"] {
            let (mut line, _) = listener.accept().unwrap();
            line.read_exact(&mut [0; 22]).unwrap();
            line.write_all(answer).unwrap();
        }
    });
    let tpm = Tpm::at(&socket);
    for _ in 0..4 {
        assert!(matches!(tpm.maker(), Err(TpmError::Io(..))));
    }
    there.join().unwrap();
}
