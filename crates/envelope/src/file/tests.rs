use super::*;
use crate::SealKey;

const CHUNK: usize = 64 << 10;
const TAG: usize = 16;

fn sealed(key: &SealKey, plain: &[u8]) -> Vec<u8> {
    let mut sealer = key.seal(Vec::new()).unwrap();
    sealer.write_all(plain).unwrap();
    assert_eq!(sealer.length(), plain.len() as u64);
    sealer.finish().unwrap()
}

fn opened(key: &SealKey, file: &[u8]) -> Result<Vec<u8>, String> {
    let mut opener = key.open(file).map_err(|error| error.to_string())?;
    let mut plain = Vec::new();
    opener.read_to_end(&mut plain).map_err(|error| error.to_string())?;
    assert_eq!(opener.length(), plain.len() as u64);
    Ok(plain)
}

fn plain(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at ^ at >> 8) as u8).collect()
}

/// How long header and nonce are: everything before the first chunk.
fn head(file: &[u8]) -> usize {
    let at = file.windows(5).position(|bytes| bytes == b"\n--- ").unwrap() + 1;
    at + file[at..].iter().position(|byte| *byte == b'\n').unwrap() + 1 + 16
}

#[test]
fn what_was_sealed_is_opened_at_every_length_around_a_chunk() {
    let key = SealKey::new().unwrap();
    for length in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 2 * CHUNK + 77] {
        assert_eq!(opened(&key, &sealed(&key, &plain(length))).unwrap(), plain(length), "{length}");
    }
}

#[test]
fn a_file_that_is_cut_off_anywhere_is_an_error_and_never_a_shorter_file() {
    let key = SealKey::new().unwrap();
    for length in [0, 5, CHUNK, 2 * CHUNK, 2 * CHUNK + 5] {
        let file = sealed(&key, &plain(length));
        let head = head(&file);
        // Every edge of a chunk, and of its tag, and a byte to either side.
        let edges = (0..=2 * (CHUNK + TAG)).step_by(CHUNK + TAG).flat_map(|chunk| [chunk, chunk + CHUNK, chunk + TAG]);
        let near = edges.flat_map(|edge| [edge.saturating_sub(1), edge, edge + 1]).map(|edge| head + edge);
        // The header is the same whatever follows.
        let within = if length == 0 { 0..=head } else { head..=head };
        for cut in within.chain(near).filter(|cut| *cut < file.len()) {
            let refused = opened(&key, &file[..cut]);
            assert!(refused.is_err(), "{length} bytes, cut at {cut} of {}", file.len());
        }
    }
}

#[test]
fn no_bit_can_be_changed_and_nothing_added() {
    let key = SealKey::new().unwrap();
    let file = sealed(&key, &plain(CHUNK + 300));
    let head = head(&file);
    let places = (0..head + 40).chain(head + CHUNK - 2..head + CHUNK + TAG + 40).chain(file.len() - 20..file.len());
    for place in places {
        let mut changed = file.clone();
        changed[place] ^= 1 << (place % 8);
        assert!(opened(&key, &changed).is_err(), "byte {place}");
    }
    assert!(opened(&key, &[file.as_slice(), b"x"].concat()).is_err());
    let whole = sealed(&key, &plain(CHUNK));
    assert!(opened(&key, &[whole.as_slice(), b"x"].concat()).is_err());
    assert!(opened(&key, &[whole.as_slice(), &whole].concat()).is_err());
}

#[test]
fn chunks_cannot_be_exchanged_left_out_or_taken_from_another_file() {
    let key = SealKey::new().unwrap();
    let (file, other) = (sealed(&key, &plain(3 * CHUNK + 9)), sealed(&key, &plain(3 * CHUNK + 9)));
    let head = head(&file);
    let chunk = |at: usize| head + at * (CHUNK + TAG)..file.len().min(head + (at + 1) * (CHUNK + TAG));
    let build = |chunks: &[(&[u8], usize)]| chunks.iter().fold(file[..head].to_vec(), |all, (from, at)| [&all, &from[chunk(*at)]].concat());
    let same = build(&[(&file, 0), (&file, 1), (&file, 2), (&file, 3)]);
    assert!(same == file && opened(&key, &same).is_ok());
    for wrong in [
        build(&[(&file, 1), (&file, 0), (&file, 2), (&file, 3)]),
        build(&[(&file, 0), (&file, 2), (&file, 3)]),
        build(&[(&file, 0), (&file, 1), (&file, 1), (&file, 2), (&file, 3)]),
        build(&[(&file, 0), (&other, 1), (&file, 2), (&file, 3)]),
        build(&[(&file, 3)]),
        [&other[..head], &file[head..]].concat(),
    ] {
        assert!(opened(&key, &wrong).is_err());
    }
}

#[test]
fn what_is_not_an_age_file_says_so_and_long_headers_end() {
    let key = SealKey::new().unwrap();
    let said = |file: &[u8]| opened(&key, file).unwrap_err();
    for other in [b"".as_slice(), b"PK\x03\x04", b"age-encryption.org/v2\n-> X25519 x\n"] {
        assert_eq!(said(other), "not an age file of version 1");
    }
    let endless = [b"age-encryption.org/v1\n".as_slice(), &b"-> X25519 aaaa\n".repeat(1 << 20)].concat();
    assert_eq!(said(&endless), "its header is damaged, or was altered");
    let file = sealed(&key, b"x");
    let costly = String::from_utf8_lossy(&file[..head(&file) - 16]).replacen(" 10\n", " 30\n", 1);
    let costly = [costly.as_bytes(), &file[head(&file) - 16..]].concat();
    assert_eq!(said(&costly), "it asks for more work to open than any file of daylight's does");
}

#[test]
fn filling_up_hides_the_length() {
    let key = SealKey::new().unwrap();
    let mut sealer = key.seal(Vec::new()).unwrap();
    sealer.write_all(&plain(1000)).unwrap();
    sealer.fill_to(crate::padded(1000)).unwrap();
    sealer.fill_to(7).unwrap();
    let file = sealer.finish().unwrap();
    assert_eq!(opened(&key, &file).unwrap(), [plain(1000), vec![0; 24]].concat());
}

#[test]
fn an_error_stays_one() {
    let key = SealKey::new().unwrap();
    let file = sealed(&key, &plain(CHUNK + 300));
    let mut opener = key.open(&file[..file.len() - 1]).unwrap();
    assert!(opener.read_to_end(&mut Vec::new()).is_err());
    assert!(opener.read(&mut [0; 10]).is_err());
}
