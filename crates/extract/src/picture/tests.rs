use crate::tests::{corpora, files_under, hear, mutate};
use daylight_model::FaultCode;
use daylight_model::reading::Label;

/// A TIFF with a maker, a page of 3 by 2 pixels and a place.
fn tiff(big: bool) -> Vec<u8> {
    let n16 = |n: u16| if big { n.to_be_bytes() } else { n.to_le_bytes() };
    let n32 = |n: u32| if big { n.to_be_bytes() } else { n.to_le_bytes() };
    let field = |tag: u16, kind: u16, count: u32, value: [u8; 4]| [&n16(tag)[..], &n16(kind), &n32(count), &value].concat();
    let small = |n: u16| [n16(n), [0, 0]].concat().try_into().unwrap();
    let mut bytes = if big { b"MM\0*".to_vec() } else { b"II*\0".to_vec() };
    bytes.extend(n32(8));
    bytes.extend(n16(4));
    for one in [field(0x100, 3, 1, small(3)), field(0x101, 3, 1, small(2)), field(0x10f, 2, 4, *b"Own\0"), field(0x8825, 4, 1, n32(62))] {
        bytes.extend(one);
    }
    bytes.extend(n32(0));
    bytes.extend(n16(4));
    for one in [field(1, 2, 2, *b"S\0\0\0"), field(2, 5, 3, n32(116)), field(3, 2, 2, *b"E\0\0\0"), field(4, 5, 3, n32(116))] {
        bytes.extend(one);
    }
    bytes.extend(n32(0));
    for n in [10, 1, 30, 1, 0, 1] {
        bytes.extend(n32(n));
    }
    bytes
}

fn pictures() -> Vec<(Vec<u8>, &'static str)> {
    let exif = [b"Exif\0\0".to_vec(), tiff(true)].concat();
    let length = ((exif.len() + 2) as u16).to_be_bytes();
    let jpeg = [b"\xff\xd8\xff\xe1", &length[..], &exif, b"\xff\xc0\0\x08\x08\0\x02\0\x03\x01\xff\xfe\0\x05odd\xff\xda\0\x02"].concat();
    let chunk = |kind: &[u8], body: &[u8]| [&(body.len() as u32).to_be_bytes()[..], kind, body, &[0; 4]].concat();
    let png = [
        b"\x89PNG\r\n\x1a\n".to_vec(),
        chunk(b"IHDR", b"\0\0\0\x03\0\0\0\x02\x08\0\0\0\0"),
        chunk(b"tEXt", b"Author\0odd"),
        chunk(b"eXIf", &tiff(false)),
        chunk(b"IEND", b""),
    ];
    let gif = b"GIF89a\x03\0\x02\0\0\0\0\x21\xfe\x03odd\0\x2c\0\0\0\0\x03\0\x02\0\0\x02\x01\0\0\x3b".to_vec();
    let webp = [
        b"RIFF\0\0\0\0WEBPVP8X\x0a\0\0\0\x08\0\0\0\x02\0\0\x01\0\0EXIF".to_vec(),
        (tiff(false).len() as u32).to_le_bytes().to_vec(),
        tiff(false),
    ]
    .concat();
    let heic = [&b"\0\0\0\x18ftypheic\0\0\0\0metaispe\0\0\0\0\0\0\0\x03\0\0\0\x02"[..], &exif].concat();
    let camera = "maker: Own\nplace: -10.500000, 10.500000\n";
    let with = |more: &str| -> &'static str { Box::leak(format!("size: 3 x 2, too small to hold words\n{more}").into_boxed_str()) };
    vec![
        (jpeg, with(&format!("{camera}comment: odd\n"))),
        (png.concat(), with(&format!("Author: odd\n{camera}"))),
        (gif, with("comment: odd\n")),
        (webp, with(camera)),
        (tiff(true), with(camera)),
        (tiff(false), with(camera)),
        (heic, with(camera)),
    ]
}

#[test]
fn a_picture_says_its_size_and_what_its_camera_wrote() {
    for (bytes, expected) in pictures() {
        let heard = hear("x", &bytes);
        assert_eq!(heard.text(0, Label::Property), expected, "{}", heard.found[0].media_type);
        // So small a picture has no words to miss.
        assert_eq!((heard.texts.len(), heard.codes(0)), (1, vec![]));
        mutate(&bytes, 1000, |changed| {
            hear("x", changed);
        });
    }
}

#[test]
fn a_picture_that_may_hold_words_says_that_they_are_not_read() {
    let png = |width: u32, height: u32| {
        let head = [&width.to_be_bytes()[..], &height.to_be_bytes(), b"\x08\0\0\0\0\0\0\0\0"].concat();
        [b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".as_slice(), &head, b"\0\0\0\0IEND\0\0\0\0"].concat()
    };
    for (width, height, codes) in [
        (400, 300, vec![FaultCode::NeedsRecognition]),
        (400, 15, vec![]),
        (60, 60, vec![]),
        (u32::MAX, u32::MAX, vec![FaultCode::NeedsRecognition]),
    ] {
        assert_eq!(hear("x", &png(width, height)).codes(0), codes, "{width} x {height}");
    }
    let torn = &png(400, 300)[..40];
    assert_eq!(hear("x", torn).codes(0), [FaultCode::Malformed, FaultCode::NeedsRecognition]);
    let heic = b"\0\0\0\x18ftypheic\0\0\0\0metaispe\0\0\0\0\0\0\x01\0\0\0\x01\0";
    assert_eq!(hear("x", heic).codes(0), [FaultCode::NoReader]);
}

#[test]
fn every_picture_of_the_corpora_says_its_size() {
    let Some(corpora) = corpora() else { return };
    let (mut sized, mut placed, mut taken, mut all) = (0, 0, 0, 0);
    for path in files_under(corpora.join("images")) {
        let heard = hear("x", &std::fs::read(&path).unwrap());
        if !super::is_read(&heard.found[0].media_type) {
            continue;
        }
        let text = heard.text(0, Label::Property);
        all += 1;
        sized += usize::from(text.starts_with("size: "));
        placed += usize::from(text.contains("\nplace: "));
        taken += usize::from(text.contains("\ntaken: "));
        if heard.faults.len() > 1 || !text.starts_with("size: ") {
            println!("{}: {:?}", path.display(), heard.faults);
        }
    }
    println!("{all} pictures: {sized} with a size, {taken} with a time, {placed} with a place");
    assert!(all > 0 && sized * 100 >= all * 98);
}
