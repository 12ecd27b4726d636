use super::*;
use crate::tests::{Heard, OnDisk, corpora, hear, hear_with, mutate, request};
use daylight_model::reading::{APART, Label, Request, Standing, Task};
use std::io::Write;

const MAIL: &[u8] = b"From: a@b\nSubject: packed\n\nhello\n";
const XZ: &str = "fd377a585a000004e6d6b4460200210116000000742fe5a301000b68656c6c6f20696e20787a0a00d8580b26cfecf49a0001240ca618d8d81fb6f37d010000000004595a";
/// `hello in xz`, and 300 times a, 4 times b, 20 times all bytes and 1000 times c.
const BZIP2: [&str; 2] = [
    "425a6839314159265359cd2a89f800000251800010400002658050200022003d21003041b79a114bc5dc914e1424334aa27e00",
    "425a6831314159265359a15f909d0003cd7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffd0037e000000126000980009800000000000000000000000000000000000000000000000000000000930004c0004c000000000000000000000000000000000000000000000000000000004980026000260000000000000000000000000000000000000000000000000000000024c0013000130000000000000000000000000000000000000000000000000000000002955521a0001a0000260000000000980001a00000098002600000004c001300000000000026000099b2603faa3004c2498513024c2c986130d261c4c3c988131126244c4c98a1315262c4c5c98c1319260898d131b26384c7498f131f26404c84991132326484c94993132726504ca4995132b27f826584cb49b2e5e4cc0998933226664cd099a9336266e4ce099c933a26764cf099e933e267e4d009a0934226864d109a29346268e4d209a4934a26964d309a6934e269e4d409a8935226a64d509fe49aa935626ae4d609ac935a26b64d709ae935e26be4d809b0936226c64d9099d5fc7cd843064c060ecfb082606c1ece3024c00b6826d24da89b5936c26da4db89b7937026e24dc89b9937426ea4dd89bb937826f24de89bd937c26fa4df89fe89bf938027024e089c19384270a4e189c3938827124e289c593fd938c271a4e389c7939027224e489c99394272a4e589cb939827324e689cd939c273a4e789cf93a027424e889d193a4274a4e989d393a827524ff84ea89d593ac275a4eb89d793b027624ec89d993b4276a4ed89ff49db93b827724ee89dd93bc277a4ef89df93c027824f089e193c4278a4f189e393c827924f289e593cc279a4f389e793d027a24f489e993d427aa4f589eb93d827b24f689ed93dc27ba4f789ef93e027c24f889f193e427ca4e0be627144f9c9f413ff13e927d44fac9f613ed27dc4fbc9f813f127e44fcc9fa13f527ec4fdc9cce0afe09cd13f927ff27f44fec5dc914e14242857e4274",
];
/// It asks for a dictionary of 1 GiB.
const XZ_WIDE: &str =
    "fd377a585a000004e6d6b44602002101240000005e1fc7f901000468656c6c6f00000000b137b9dbe5da1e9b00011d05b82d80af1fb6f37d010000000004595a";
/// `a.txt`, `b.txt` and `empty.txt`, in one block.
const SEVEN: &str = "377abcaf271c0004f65cc3fe9b000000000000001500000000000000fef96c73010018666972737420776f7264730a7365636f6e6420776f7264730a00e0009e00765d0000813307ae0fcfd96fbc0fd46a5e7de5d7dd083d7938a4bf24d0f69662e7f34e689facb4dc6274a0a533848ed39d92d8af68e5008fecc1303cbe71da0dc098095c3a23ca8e5ab96e8e7615fa26f9762076cf24c6f633eb9677dd7893659ec7e0a4f9eeb5f68f0e8aea8a95e9828e06d66b5ec00000000017061d01097e00070b010001212101180c809f0000";
/// One file under a password.
const SEVEN_SECRET: &str = "377abcaf271c000445988ec17900000000000000140000000000000081d6bdcadeb6f9e3f3cfb856ed3444a2e4f719c2010064010406000109100a0136b65e6c00070b0100022406f1070112530f08b04abf78757e2b4922306381f0aae72121011801000c100c00080a015cbe7c2c00000501110d0061002e007400780074000000140a010020f6f464cf7add01150601002080808100000017061001096900070b010001212101180c650000";
/// The same, its names under the password too.
const SEVEN_UNNAMED: &str = "377abcaf271c00041ecf0c108000000000000000280000000000000094d0ede75351fe3dd20bee3e0ea19fcd728405523a2e95092524f4bcc2b72e4f9b2e8a8924fed491964127401cc4c44668c440131862129899c211b8b27c88a80acbc3bebabe398e55f26f3f65fdf9dcbf2dbca4c3f21a710670a8600f330c2c56e6e8a72404c0aa839f5816677aaa62068643c1a4723929100198e1de3025ae067abaf617061001097000070b0100012406f1070112530fc6e6e65fcbde0aed28606cb0b68028820c650000";

fn unhex(hex: &str) -> Vec<u8> {
    hex.as_bytes().chunks(2).map(|two| u8::from_str_radix(std::str::from_utf8(two).unwrap(), 16).unwrap()).collect()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packer = flate2::GzBuilder::new().write(Vec::new(), flate2::Compression::default());
    packer.write_all(bytes).unwrap();
    packer.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest)
}

/// An entry of a tar by the book.
fn entry(name: &[u8], kind: u8, content: &[u8]) -> Vec<u8> {
    let mut block = vec![0; 512];
    block[..name.len()].copy_from_slice(name);
    block[124..136].copy_from_slice(format!("{:011o}\0", content.len()).as_bytes());
    block[156] = kind;
    block[257..265].copy_from_slice(b"ustar\x0000");
    seal(&mut block);
    block.extend(content);
    block.resize(block.len().next_multiple_of(512), 0);
    block
}

fn seal(block: &mut [u8]) {
    block[148..156].fill(b' ');
    let sum: u32 = block[..512].iter().map(|b| u32::from(*b)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
}

pub(crate) fn tar(entries: &[(&[u8], u8, &[u8])]) -> Vec<u8> {
    let mut bytes: Vec<u8> = entries.iter().flat_map(|(name, kind, content)| entry(name, *kind, content)).collect();
    bytes.resize(bytes.len() + 1024, 0);
    bytes
}

fn names(heard: &Heard) -> Vec<(u64, String)> {
    heard.found[1..].iter().map(|found| (found.ordinal, found.name.as_ref().map(ToString::to_string).unwrap_or_default())).collect()
}

#[test]
fn a_tar_gives_its_files_and_says_what_is_none() {
    let long = [b"deep/".repeat(30), b"x.eml".to_vec()].concat();
    let pax = b"18 path=na\xc3\xafve.eml\n";
    let tar = tar(&[
        (b"folder/", b'5', b""),
        (b"folder/1.eml", b'0', MAIL),
        (b"../up.txt", 0, b"words"),
        (b"link", b'2', b""),
        (b"././@LongLink", b'L', &long),
        (b"cut", b'0', MAIL),
        (b"pax", b'x', pax),
        (b"short", b'0', b"text"),
        (b"empty", b'0', b""),
    ]);
    for bytes in [tar.clone(), gzip(&tar), zstd(&tar)] {
        let heard = hear("x.tar", &bytes);
        let long = String::from_utf8_lossy(&long).into_owned();
        let expected = [(1, "folder/1.eml"), (2, "../up.txt"), (4, &long), (5, "naïve.eml"), (6, "empty")];
        assert_eq!(names(&heard), expected.map(|(n, name)| (n, name.to_owned())));
        assert_eq!((heard.original(&bytes, 1), heard.text(1, Label::Body).as_str()), (MAIL, "hello\n"));
        assert_eq!([heard.codes(0), heard.codes(2), heard.codes(5)], [[FaultCode::NotAFile], [FaultCode::UnsafeName], [FaultCode::Empty]]);
        assert_eq!((heard.counted, heard.cursors), (vec![(0, None, 5, 0)], vec![2, 3, 5, 6, 7]));
        for start in [0, 4, 7] {
            let mut rest = Heard::default();
            crate::read(&request("x.tar", Task::Read { start, skip_first: true }), &OnDisk(&bytes), &mut rest).unwrap();
            assert_eq!(rest.counted, [(0, None, 5, u64::from(start == 4))]);
            assert_eq!(rest.faults.iter().any(|(_, fault)| fault.code == FaultCode::ReaderDied), start == 4);
        }
    }
}

#[test]
fn a_damaged_tar_gives_what_is_left_of_it() {
    let whole = tar(&[(b"a", b'0', b"first"), (b"b", b'0', b"second"), (b"c", b'0', &[b'x'; 600])]);
    let mut damaged = whole.clone();
    damaged[1024] = b'!';
    let heard = hear("x.tar", &damaged);
    assert_eq!((names(&heard).len(), heard.codes(0)), (2, vec![FaultCode::Malformed]));
    let heard = hear("x.tar", &whole[..2700]);
    assert_eq!((heard.found.len(), heard.codes(3), heard.codes(0)), (4, vec![FaultCode::Truncated], vec![FaultCode::Truncated]));
    let mut holes = entry(b"holes", b'S', b"words");
    holes[482] = 1;
    seal(&mut holes);
    holes.splice(512..512, [0; 512]);
    let heard = hear("x.tar", &[holes, entry(b"next", b'0', b"next")].concat());
    assert_eq!((heard.text(1, Label::Body).as_str(), heard.codes(1)), ("words", vec![FaultCode::Malformed]));
    assert_eq!(heard.text(2, Label::Body), "next");
}

#[test]
fn a_compressed_file_holds_one_document() {
    for (name, packed) in [
        ("x.txt.gz", gzip(b"hello in xz\n")),
        ("x.txt.bz2", unhex(BZIP2[0])),
        ("x.txt.xz", unhex(XZ)),
        ("x.txt.zst", zstd(b"hello in xz\n")),
    ] {
        let heard = hear(name, &packed);
        assert_eq!((names(&heard), heard.text(1, Label::Body).as_str()), (vec![(0, "x.txt".into())], "hello in xz\n"));
        assert_eq!((heard.faults.len(), heard.counted, heard.cursors), (0, vec![(0, Some(1), 1, 0)], vec![1]));
        let twice = hear(name, &[&packed[..], &packed, &[0; 8]].concat());
        assert_eq!((twice.text(1, Label::Body).as_str(), twice.faults.len()), ("hello in xz\nhello in xz\n", 0), "{name}");
        let more = hear(name, &[&packed[..], b"\x01more"].concat());
        assert_eq!((more.text(1, Label::Body).as_str(), more.codes(1)), ("hello in xz\n", vec![FaultCode::Truncated]), "{name}");
        let mut rest = Heard::default();
        crate::read(&request(name, Task::Read { start: 0, skip_first: true }), &OnDisk(&packed), &mut rest).unwrap();
        assert_eq!((rest.original(&packed, 1), rest.codes(1)), (&packed[..], vec![FaultCode::ReaderDied]));
    }
    let runs = [&[b'a'; 300][..], b"bbbb", &(0..=255).collect::<Vec<u8>>().repeat(20), &[b'c'; 1000]].concat();
    let packed = unhex(BZIP2[1]);
    assert_eq!(hear("x.bin.bz2", &packed).original(&packed, 1), runs);
    let named = flate2::GzBuilder::new().filename("inner.eml").write(Vec::new(), flate2::Compression::fast()).finish().unwrap();
    assert_eq!(names(&hear("x.gz", &named)), [(0, "inner.eml".into())]);
    assert_eq!(hear("x.xz", &unhex(XZ_WIDE)).found.len(), 2);
    assert!(!hear("x.xz", &unhex(XZ_WIDE)).faults.is_empty(), "a dictionary of a gibibyte is not held");
}

#[test]
fn a_7z_gives_its_files_and_a_secret_one_says_so() {
    let bytes = unhex(SEVEN);
    let heard = hear("x.7z", &bytes);
    assert_eq!((heard.text(1, Label::Body).as_str(), heard.text(2, Label::Body).as_str()), ("first words\n", "second words\n"));
    assert_eq!((heard.codes(0), heard.counted[0]), (vec![], (0, Some(3), 3, 0)));
    let heard = hear("x.7z", &unhex(SEVEN_SECRET));
    assert_eq!((heard.codes(0), heard.counted[0]), (vec![FaultCode::Encrypted], (0, Some(1), 1, 1)));
    assert_eq!(hear("x.7z", &unhex(SEVEN_UNNAMED)).codes(0), [FaultCode::Encrypted]);
    let mut rest = Heard::default();
    crate::read(&request("x.7z", Task::Read { start: 1, skip_first: true }), &OnDisk(&bytes), &mut rest).unwrap();
    assert_eq!((rest.counted[0], rest.codes(0)), ((0, Some(3), 3, 1), vec![FaultCode::ReaderDied]));
}

/// `letter.eml` and `second.txt` under `swordfish`, by 7-Zip 26.02: packed, packed with its names hidden, and stored.
const SEALED: [&[u8]; 3] =
    [include_bytes!("encrypted/plain-names.7z"), include_bytes!("encrypted/hidden-names.7z"), include_bytes!("encrypted/stored.7z")];

#[test]
fn a_7z_under_a_password_is_opened_with_it_and_not_with_another() {
    for bytes in SEALED {
        let heard = hear_with("x.7z", bytes, &["wrong", "swordfish"]);
        let names: Vec<_> = heard.found[1..].iter().map(|found| found.name.as_ref().unwrap().to_string()).collect();
        assert_eq!((names, heard.faults.len()), (vec!["letter.eml".to_owned(), "second.txt".to_owned()], 0));
        assert_eq!(heard.text(1, Label::Body), "hello from within\n");
        assert_eq!(heard.text(0, Label::Property), "protected: AES-256 (7z), opened with a password\n");
        for wrong in [&[][..], &["wrong", "bad"]] {
            let heard = hear_with("x.7z", bytes, wrong);
            assert_eq!((heard.found.len(), heard.codes(0)), (1, vec![FaultCode::Encrypted]));
            let detail = &heard.faults[0].1.detail;
            assert!(detail.contains("`daylight unlock`") && !detail.contains("bad"), "{detail}");
        }
    }
}

#[test]
fn no_damage_to_a_7z_under_a_password_does_harm() {
    for bytes in SEALED {
        mutate(bytes, 8, |changed| drop(hear_with("x.7z", changed, &["swordfish"])));
    }
}

#[test]
fn bombs_come_out_of_the_budget_and_nesting_ends() {
    let zeros = vec![0; 24 << 20];
    let heard = hear("x.tar", &gzip(&tar(&[(b"1", b'0', &zeros), (b"2", b'0', &zeros), (b"3", b'0', &zeros)])));
    assert_eq!((heard.found.len(), heard.codes(0)), (3, vec![FaultCode::TooLarge]), "so little may not come to so much");
    let heard = hear("x.gz", &gzip(&vec![0; 70 << 20]));
    assert!(heard.found.len() == 2 && heard.codes(1).contains(&FaultCode::TooLarge) && heard.bytes[&1].len() < 70 << 20);
    let mut nested = b"core".to_vec();
    for n in 0..30 {
        nested = if n % 2 == 0 { gzip(&nested) } else { gzip(&tar(&[(b"x.tar.gz", b'0', &nested)])) };
    }
    let heard = hear("x.gz", &nested);
    assert_eq!((heard.found.len(), heard.codes(20)), (21, vec![FaultCode::TooDeep]));
}

#[test]
fn what_is_too_long_to_read_streams_by() {
    let noise: Vec<u8> = (0..APART as u32 / 4 + 1000).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
    let packed = flate2::read::GzEncoder::new(&noise[..], flate2::Compression::none());
    let mut bytes = Vec::new();
    io::Read::read_to_end(&mut { packed }, &mut bytes).unwrap();
    let heard = hear("x.gz", &bytes);
    assert!(heard.original(&bytes, 1) == noise);
    assert_eq!((heard.codes(1), heard.counted[0]), (vec![FaultCode::Deferred], (0, Some(1), 1, 0)));
}

#[test]
fn no_damage_to_what_is_packed_does_harm() {
    let tar = tar(&[(b"folder/1.eml", b'0', MAIL), (b"p", b'x', b"10 path=y\n"), (b"2", b'0', b"text")]);
    for whole in [gzip(&tar), unhex(BZIP2[0]), unhex(BZIP2[1]), zstd(&tar), unhex(XZ), unhex(SEVEN), unhex(SEVEN_SECRET), tar] {
        mutate(&whole, 400, |changed| {
            hear("x", changed);
        });
    }
}

#[test]
fn the_packed_files_of_another_suite_are_read() {
    let Some(corpora) = corpora() else { return };
    let fixtures = corpora.join("documents/ingest-file/tests/fixtures");
    for (name, children, codes) in [
        ("test-documents.tar", 9, vec![]),
        ("500_pages.7z", 1, vec![]),
        ("7z_password.7z", 0, vec![FaultCode::Encrypted]),
        ("test-documents.rar", 0, vec![FaultCode::Deferred]),
    ] {
        let heard = hear(name, &std::fs::read(fixtures.join(name)).unwrap());
        let found = heard.found.iter().filter(|found| found.parent == Some(0)).count();
        println!("{name}: {found} children, {:?}", heard.counted.first());
        assert_eq!((found, heard.codes(0)), (children, codes), "{name}");
    }
    for name in ["badtar.tar", "bad7zip.7z", "badrar.rar", "badzip.zip"] {
        let heard = hear(name, &std::fs::read(fixtures.join(name)).unwrap());
        println!("{name}: {} {:?}", heard.found[0].media_type, heard.codes(0));
        assert!(!heard.faults.is_empty(), "{name}");
    }
}

#[test]
fn a_document_is_read_by_itself_as_it_was_read_in_its_place() {
    let read = |name: &str, standing: Standing, bytes: &[u8]| {
        let all = Task::Read { start: 0, skip_first: false };
        let mut heard = Heard::default();
        crate::read(&Request { standing, ..request(name, all) }, &Memory(bytes), &mut heard).unwrap();
        heard
    };
    let packed = gzip(MAIL);
    let deepest = read("x.gz", Standing { depth: 20, ..Standing::default() }, &packed);
    assert_eq!((deepest.found.len(), deepest.codes(0)), (1, vec![FaultCode::TooDeep]));
    let nearly = read("x.gz", Standing { depth: 19, ..Standing::default() }, &packed);
    assert_eq!((nearly.found.len(), nearly.found[1].standing.depth, nearly.codes(1)), (2, 20, vec![FaultCode::TooDeep]));
    let koi8 = encoding_rs::KOI8_R.encode("протокол").0.into_owned();
    let stated = Standing { charset: Some("koi8-r".into()), claimed_type: "text/plain".into(), ..Standing::default() };
    let text = read("a.txt", stated, &koi8);
    assert_eq!((text.text(0, Label::Body).as_str(), text.found[0].claims.as_str()), ("протокол", "text; charset=koi8-r"));
    let lone = b"X-Note: one field alone\n\nwords\n";
    assert_eq!(read("", Standing::default(), lone).found[0].kind, daylight_model::Kind::File);
    assert_eq!(read("", Standing { is_message: true, ..Standing::default() }, lone).found[0].kind, daylight_model::Kind::Message);
}
