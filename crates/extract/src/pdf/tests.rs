use crate::tests::{Heard, corpora, files_under, hear, hear_with, mutate};
use daylight_model::FaultCode;
use daylight_model::reading::Label;
use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;

/// Writes a PDF by the book: objects from number 1 on, of which the first is the catalogue, and a table of where they are.
fn pdf(objects: &[Vec<u8>], trailer: &str) -> Vec<u8> {
    let mut bytes = b"%PDF-1.7\n".to_vec();
    let mut table = format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1);
    for (number, object) in (1..).zip(objects) {
        writeln!(table, "{:010} 00000 n ", bytes.len()).unwrap();
        bytes.extend(format!("{number} 0 obj\n").bytes());
        bytes.extend(object);
        bytes.extend(b"\nendobj\n");
    }
    let at = bytes.len();
    bytes.extend(table.bytes());
    bytes.extend(format!("trailer <</Size {} /Root 1 0 R {trailer}>>\nstartxref\n{at}\n%%EOF\n", objects.len() + 1).bytes());
    bytes
}

fn object(text: &str) -> Vec<u8> {
    text.as_bytes().to_vec()
}

fn stream(entries: &str, content: &[u8]) -> Vec<u8> {
    let mut bytes = format!("<<{entries} /Length {}>>\nstream\n", content.len()).into_bytes();
    bytes.extend(content);
    bytes.extend(b"\nendstream");
    bytes
}

fn deflated(content: &[u8]) -> Vec<u8> {
    let mut packer = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(content).unwrap();
    packer.finish().unwrap()
}

const FONT: &str = "<</Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding <</BaseEncoding /WinAnsiEncoding /Differences [1 /fi]>>>>";
const PAGE: &str = "/Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Resources <</Font <</F 3 0 R>>>>";

/// A document whose pages have this content; objects 4, 6, … are the pages.
fn pages(contents: &[&[u8]]) -> Vec<Vec<u8>> {
    let kids: String = (0..contents.len()).map(|n| format!("{} 0 R ", 4 + 2 * n)).collect();
    let mut objects = vec![
        object("<</Type /Catalog /Pages 2 0 R>>"),
        object(&format!("<</Type /Pages /Kids [{kids}] /Count {}>>", contents.len())),
        object(FONT),
    ];
    for content in contents {
        let number = objects.len() + 2;
        objects.push(object(&format!("<<{PAGE} /Contents {number} 0 R>>")));
        objects.push(stream("", content));
    }
    objects
}

fn body(heard: &Heard) -> String {
    heard.text(0, Label::Body)
}

#[test]
fn text_comes_page_by_page_and_line_by_line() {
    let first = b"BT /F 12 Tf 50 700 Td (The \\001rst line) Tj 0 -14 Td (and ) Tj (the second) Tj 0 -40 Td [(k) 20 (er) -300 (ned)] TJ ET";
    let second = b"BT /F 12 Tf 1 0 0 1 50 600 Tm (below) Tj 1 0 0 1 50 700 Tm (above) Tj 0 1 -1 0 300 300 Tm (upwards) Tj ET \
                   BT /F 12 Tf 2 Tr 50 500 Td (bold) Tj 0 Tr 1 0 0 1 50 450 Tm (H) Tj /F 8 Tf 0 -3 Td 8.7 0 Td (2) Tj /F 12 Tf 4.5 3 Td (O) Tj ET";
    let heard = hear("x.pdf", &pdf(&pages(&[first, second]), ""));
    assert_eq!(heard.faults, []);
    let texts: Vec<_> = heard.texts.iter().map(|(.., text)| text.as_str()).collect();
    assert_eq!(texts.len(), 2, "{texts:?}");
    assert!(texts[0].starts_with("The first line\nand the second\n\nker ned\n"), "{texts:?}");
    assert_eq!(heard.pages, [Some(1), Some(2)]);
    assert_eq!(texts[1], "above\n\nbelow\n\nbold\n\nH2O\nupwards\n");
}

#[test]
fn columns_of_prose_are_read_one_after_the_other_and_tables_by_line() {
    let mut prose = String::from("BT /F 10 Tf 1 0 0 1 50 750 Tm (A title that stands across both columns of this page) Tj ");
    let mut table = String::from("BT /F 10 Tf ");
    for line in 0..8 {
        let y = 700 - 12 * line;
        write!(
            prose,
            "1 0 0 1 50 {y} Tm (left column, its line number {line}) Tj 1 0 0 1 300 {y} Tm (right column, its line number {line}) Tj "
        )
        .unwrap();
        write!(table, "1 0 0 1 50 {y} Tm (name{line}) Tj 1 0 0 1 300 {y} Tm (value{line}) Tj ").unwrap();
    }
    let (prose, table) = (prose + "ET", table + "ET");
    let text = body(&hear("x.pdf", &pdf(&pages(&[prose.as_bytes(), table.as_bytes()]), "")));
    let at = |wanted: &str| text.find(wanted).unwrap_or_else(|| panic!("{wanted} in {text}"));
    assert!(at("A title") < at("left column, its line number 0"));
    assert!(at("left column, its line number 7") < at("right column, its line number 0"));
    assert!(text.contains("name3  value3\nname4  value4"));
}

#[test]
fn what_is_not_for_all_to_see_is_marked() {
    let content = b"BT /F 12 Tf 50 700 Td (seen by everybody) Tj 3 Tr 0 -20 Td (invisible) Tj 0 Tr 0 -2000 Td (outside) Tj ET";
    let scan = b"q 600 0 0 800 0 0 cm /I Do Q BT /F 12 Tf 3 Tr 50 700 Td (recognised words) Tj ET";
    let bare = b"q 600 0 0 800 0 0 cm /I Do Q";
    let mut objects = pages(&[content, scan, bare]);
    for page in [5, 7] {
        let text = String::from_utf8(objects[page].clone()).unwrap();
        objects[page] = object(&text.replace("/Resources <<", "/Resources <</XObject <</I 10 0 R>> "));
    }
    objects.push(stream("/Type /XObject /Subtype /Image /Width 1 /Height 1 /ColorSpace /DeviceGray /BitsPerComponent 8", b"\x80"));
    let heard = hear("x.pdf", &pdf(&objects, ""));
    assert_eq!(body(&heard), "seen by everybody\n");
    assert_eq!(heard.text(0, Label::Hidden), "invisible\n\noutside\n");
    assert_eq!(heard.text(0, Label::Recognised), "recognised words\n");
    let [(0, fault)] = heard.faults.as_slice() else { panic!("{:?}", heard.faults) };
    assert_eq!((fault.code, fault.detail.as_str()), (FaultCode::NeedsRecognition, "page 3 has no text but pictures"));
}

#[test]
fn comments_fields_properties_and_attached_files_are_read() {
    let mut objects = pages(&[b"BT /F 12 Tf 50 700 Td (text) Tj ET"]);
    objects[0] = object(
        "<</Type /Catalog /Pages 2 0 R /AcroForm <</Fields [7 0 R 8 0 R]>> /Names <</EmbeddedFiles <</Names [(a) 9 0 R (again) 9 0 R]>>>> \
         /Outlines <</First 12 0 R>>>>",
    );
    objects[3] = object(&format!("<<{PAGE} /Contents 5 0 R /Annots [6 0 R 7 0 R 11 0 R]>>"));
    objects.extend([
        object("<</Type /Annot /Subtype /Text /T (An editor) /Contents <FEFF00C4006E> /Rect [0 0 9 9]>>"),
        object("<</Type /Annot /Subtype /Widget /FT /Tx /T (city) /V (Oslo) /Rect [0 0 9 9]>>"),
        object("<</FT /Tx /T (person) /Kids [15 0 R]>>"),
        object("<</Type /Filespec /F (mail.eml) /EF <</F 10 0 R>>>>"),
        stream("/Type /EmbeddedFile /Filter /FlateDecode", &deflated(b"From: a@b\nSubject: attached\nDate: today\n\nhello from within")),
        object("<</Type /Annot /Subtype /FileAttachment /Contents (see this) /Rect [0 0 9 9] /FS <</F (note.txt) /EF <</F 14 0 R>>>>>>"),
        object("<</Title (Chapter one) /Next 12 0 R>>"),
        object("<</Title (A report) /Author (\\200 Somebody) /CreationDate (D:20200102030405+01'00)>>"),
        stream("/Type /EmbeddedFile", b"a plain note"),
        object("<</T (name) /V (Ada) /Parent 8 0 R>>"),
    ]);
    let heard = hear("x.pdf", &pdf(&objects, "/Info 13 0 R"));
    assert_eq!(heard.faults, []);
    assert_eq!(heard.text(0, Label::Comment), "An editor: Än\nsee this\n");
    assert_eq!(heard.text(0, Label::Form), "city: Oslo\nperson.name: Ada\n");
    let properties = heard.text(0, Label::Property);
    assert_eq!(properties, "title: A report\nauthor: • Somebody\ncreated: 2020-01-02 03:04:05 +01:00\noutline: Chapter one");
    let children: Vec<_> = heard.found[1..].iter().map(|found| (found.ordinal, found.media_type.as_str())).collect();
    assert_eq!(children, [(0, "message/rfc822"), (1, "text/plain")]);
    assert!(heard.text(1, Label::Body).contains("hello from within") && heard.text(2, Label::Body) == "a plain note");
}

#[test]
fn what_is_encrypted_is_read_if_it_needs_no_password() {
    // Made with `qpdf --encrypt`, as 40 and 128 bits of RC4, 128 and 256 bits of AES; the last with a user password.
    for (bytes, text, code) in [
        (&include_bytes!("encrypted/rc4-40.pdf")[..], "no longer secret\n", None),
        (include_bytes!("encrypted/rc4-128.pdf"), "no longer secret\n", None),
        (include_bytes!("encrypted/aes-128.pdf"), "no longer secret\n", None),
        (include_bytes!("encrypted/aes-256.pdf"), "no longer secret\n", None),
        (include_bytes!("encrypted/password.pdf"), "", Some(FaultCode::Encrypted)),
    ] {
        let heard = hear("x.pdf", bytes);
        assert_eq!((body(&heard).as_str(), heard.codes(0)), (text, Vec::from_iter(code)));
    }
}

/// Made by qpdf 11.3.0 of one page that says `no longer secret`: its user password, its owner's, and how it is protected.
const SEALED: [(&[u8], &str, &str, &str); 5] = [
    (include_bytes!("encrypted/user-rc4-40.pdf"), "user", "owner", "RC4, 40 bits"),
    (include_bytes!("encrypted/user-rc4-128.pdf"), "user", "owner", "RC4, 128 bits"),
    (include_bytes!("encrypted/user-aes-128.pdf"), "user", "owner", "AES-128"),
    (include_bytes!("encrypted/user-aes-256-r5.pdf"), "user", "owner", "AES-256, revision 5"),
    (include_bytes!("encrypted/user-aes-256.pdf"), "Grüße", "Besitzer ß", "AES-256, revision 6"),
];

#[test]
fn what_wants_a_password_is_read_with_the_users_or_the_owners() {
    for (bytes, user, owner, method) in SEALED {
        for password in [user, owner] {
            let heard = hear_with("x.pdf", bytes, &["wrong", password]);
            assert_eq!((body(&heard).as_str(), heard.codes(0)), ("no longer secret\n", vec![]), "{method}");
            assert!(heard.text(0, Label::Property).starts_with(&format!("protected: {method}, opened with a password\n")), "{method}");
        }
        for (passwords, tried) in [(&[][..], "`daylight unlock` tries passwords"), (&["wrong", "bad"], "none of the 2 passwords tried")] {
            let heard = hear_with("x.pdf", bytes, passwords);
            assert_eq!((body(&heard).as_str(), heard.codes(0)), ("", vec![FaultCode::Encrypted]), "{method}");
            let detail = &heard.faults[0].1.detail;
            assert!(detail.contains(method) && detail.contains(tried) && !detail.contains("bad"), "{detail}");
        }
        // Without its table of objects it is as secret.
        let mut damaged = bytes.to_vec();
        let at = memchr::memmem::rfind(&damaged, b"startxref").unwrap();
        damaged[at..].fill(b' ');
        let heard = hear_with("x.pdf", &damaged, &["wrong"]);
        assert!(
            heard.codes(0) == [FaultCode::Encrypted] || method == "AES-128" && !heard.faults.is_empty(),
            "{method}: {:?}",
            heard.faults
        );
    }
}

#[test]
fn no_damage_to_a_protected_pdf_does_harm() {
    for (bytes, user, owner, _) in SEALED {
        mutate(bytes, 60, |changed| drop(hear_with("x.pdf", changed, &[user, owner])));
    }
}

#[test]
fn bombs_loops_and_crowds_are_cut_with_a_fault() {
    // A gigabyte of zeros in a content stream, once and packed twice.
    let text: &[u8] = b"BT /F 12 Tf 50 700 Td (before the bomb) Tj ET";
    let mut zeros = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    (0..1 << 10).for_each(|_| zeros.write_all(&[b' '; 1 << 20]).unwrap());
    let once = zeros.finish().unwrap();
    for (bomb, filter) in [(once.clone(), "/FlateDecode"), (deflated(&once), "[/FlateDecode /FlateDecode]")] {
        let mut objects = pages(&[text, b""]);
        objects[6] = stream(&format!("/Filter {filter}"), &bomb);
        let heard = hear("x.pdf", &pdf(&objects, ""));
        assert_eq!((body(&heard).as_str(), heard.codes(0)), ("before the bomb\n", vec![FaultCode::TooLarge]));
    }
    // A tree of pages that holds itself.
    let mut objects = pages(&[text]);
    objects[1] = object("<</Type /Pages /Kids [2 0 R 4 0 R 2 0 R] /Count 3>>");
    assert_eq!(body(&hear("x.pdf", &pdf(&objects, ""))), "before the bomb\n");
    // Forms that draw the next one ten times, and so on: a thousand million in all.
    let mut objects = pages(&[b"BT /F 12 Tf 50 700 Td (before the bomb) Tj ET /X Do"]);
    objects[3] = object(&format!("<<{} /Contents 5 0 R>>", PAGE.replace("/Resources <<", "/Resources <</XObject <</X 6 0 R>> ")));
    for n in 7..16 {
        objects.push(stream(&format!("/Subtype /Form /BBox [0 0 9 9] /Resources <</XObject <</X {n} 0 R>>>>"), &b"/X Do ".repeat(10)));
    }
    objects.push(stream("/Subtype /Form /BBox [0 0 9 9]", b""));
    let heard = hear("x.pdf", &pdf(&objects, ""));
    assert_eq!((body(&heard).as_str(), heard.codes(0)), ("before the bomb\n", vec![FaultCode::TooMany]));
    // Thirty thousand pages, and one that is ten metres high.
    let mut objects = pages(&[text]);
    objects[1] = object(&format!("<</Type /Pages /Kids [{}] /Count 30000>>", format!("<<{PAGE} /Contents 5 0 R>> ").repeat(30_000)));
    let heard = hear("x.pdf", &pdf(&objects, ""));
    assert_eq!((heard.texts.len(), heard.codes(0)), (20_000, vec![FaultCode::TooMany]));
    let mut objects = pages(&[b"BT /F 12 Tf 50 28300 Td (top) Tj 0 -28200 Td (bottom) Tj ET"]);
    objects[3] = object(&format!("<<{} /Contents 5 0 R>>", PAGE.replace("800]", "28346]")));
    assert_eq!(body(&hear("x.pdf", &pdf(&objects, ""))), "top\n\nbottom\n");
    // Brackets without end.
    let mut objects = pages(&[text]);
    objects.push([&b"["[..]].concat().repeat(1_000_000));
    objects[4] = stream("", &[&b"[<<".repeat(300_000)[..], text].concat());
    hear("x.pdf", &pdf(&objects, ""));
}

#[test]
fn lines_from_right_to_left_are_turned_round() {
    for (seen, read) in [("םולש", "שלום"), ("2020 תנשב", "בשנת 2020"), ("abc םולש def ghi", "abc שלום def ghi"), ("plain", "plain")]
    {
        assert_eq!(super::order::logical(seen.into()), read);
    }
}

#[test]
fn damaged_files_do_no_harm() {
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = move |below: usize| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        (seed % below.max(1) as u64) as usize
    };
    let content = deflated(b"BT /F 12 Tf 50 700 Td (some text to read) Tj [(a) 10 (b)] TJ ET q 1 0 0 1 0 0 cm Q 0 0 9 9 re f");
    let mut objects = pages(&[b"", b"BT /F 12 Tf 50 700 Td (more) Tj ET"]);
    objects[4] = stream("/Filter /FlateDecode", &content);
    objects[3] = object(&format!("<<{PAGE} /Contents 5 0 R /Annots [<</Subtype /Text /Contents (c)>>]>>"));
    let whole = pdf(&objects, "/Info <</Title (t)>>");
    for _ in 0..400 {
        let mut bytes = whole.clone();
        for _ in 0..1 + random(8) {
            let at = random(bytes.len());
            match random(3) {
                0 => bytes[at] ^= 1 << random(8),
                1 => bytes[at] = b"<>[]()/ 0129"[random(12)],
                _ => bytes.truncate(at.max(9)),
            }
        }
        hear("x.pdf", &bytes);
    }
}

fn counted(text: &str) -> HashMap<String, usize> {
    let mut words = HashMap::new();
    for c in [('ﬀ', "ff"), ('ﬁ', "fi"), ('ﬂ', "fl"), ('ﬃ', "ffi"), ('ﬄ', "ffl")]
        .iter()
        .fold(text.to_lowercase(), |text, (c, by)| text.replace(*c, by))
        .split_whitespace()
    {
        let word = c.trim_matches(|c: char| !c.is_alphanumeric());
        if !word.is_empty() {
            *words.entry(word.to_owned()).or_insert(0) += 1;
        }
    }
    words
}

/// What poppler makes of a page, with its pages told apart by form feeds; `None` where it is not installed.
fn poppler(path: &Path) -> Option<Vec<String>> {
    let said = Command::new("pdftotext").arg("-q").arg(path).arg("-").output().ok()?;
    Some(String::from_utf8_lossy(&said.stdout).split('\u{c}').map(str::to_owned).collect())
}

#[test]
fn another_reader_finds_the_same_words_on_the_same_pages() {
    let Some(corpora) = corpora() else { return };
    let (mut wanted, mut found, mut files, mut to_recognise) = (0, 0, 0, 0);
    let pdfs = files_under(corpora.join("documents")).into_iter().filter(|path| path.extension().is_some_and(|e| e == "pdf"));
    // Of the many cables every tenth will do.
    for (_, path) in pdfs.enumerate().filter(|(n, path)| n % 10 == 0 || !path.to_string_lossy().contains("cables")) {
        let Some(theirs) = poppler(&path) else { return println!("skipped: no pdftotext") };
        let heard = hear("x.pdf", &std::fs::read(&path).unwrap());
        if heard.codes(0).contains(&FaultCode::NeedsRecognition) {
            to_recognise += 1;
            continue;
        }
        let ours: String = heard.texts.iter().filter(|(index, ..)| *index == 0).map(|(.., text)| format!("{text}\n")).collect();
        let (theirs, ours) = (counted(&theirs.join(" ")), counted(&ours));
        wanted += theirs.values().sum::<usize>();
        found += theirs.iter().map(|(word, count)| count.min(ours.get(word).unwrap_or(&0))).sum::<usize>();
        files += 1;
    }
    println!("{found} of {wanted} words in {files} files; {to_recognise} more need a recogniser");
    assert!(found * 100 >= wanted * 97);
}

/// The fields of a line of CSV.
fn fields(line: &str) -> Vec<String> {
    let (mut fields, mut quoted) = (vec![String::new()], false);
    for c in line.chars() {
        match c {
            '"' => quoted = !quoted,
            ',' if !quoted => fields.push(String::new()),
            c => fields.last_mut().unwrap().push(c),
        }
    }
    fields
}

#[test]
fn cables_hold_the_subjects_that_their_archive_lists() {
    let Some(corpora) = corpora() else { return };
    let folder = corpora.join("documents/declassified-cables");
    let (mut same, mut different, mut to_recognise) = (0, 0, 0);
    let letters = |text: &str| text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_uppercase).collect::<String>();
    for line in std::fs::read_to_string(folder.join("cable_metadata.csv")).unwrap().lines().skip(1).step_by(5) {
        let fields = fields(line);
        let Ok(bytes) = std::fs::read(folder.join("cables-usa").join(&fields[0])) else { continue };
        let heard = hear("x.pdf", &bytes);
        if heard.codes(0).contains(&FaultCode::NeedsRecognition) {
            to_recognise += 1;
        } else if fields[4] == "NA" || letters(&body(&heard)).contains(&letters(&fields[4])) {
            same += 1;
        } else {
            different += 1;
        }
    }
    println!("{same} cables hold their subject, {different} do not, {to_recognise} need a recogniser");
    assert!(same > 20 * different);
}

#[test]
fn a_page_that_is_torn_or_cut_off_is_not_taken_for_a_blank_one() {
    let packed = deflated(b"BT /F 12 Tf 72 72 Td (some words of a page that is torn) Tj ET");
    let whole = |content: &[u8]| {
        let mut objects = pages(&[b""]);
        objects[4] = stream("/Filter /FlateDecode", content);
        pdf(&objects, "")
    };
    assert_eq!(hear("x.pdf", &whole(&packed)).codes(0), []);
    assert_eq!(hear("x.pdf", &whole(&packed[..packed.len() - 4])).codes(0), [], "many a program writes no check");
    for torn in 3..packed.len() - 10 {
        let mut changed = packed.clone();
        changed[torn] ^= 0xff;
        changed.truncate(torn + 4);
        assert!(hear("x.pdf", &whole(&changed)).codes(0).contains(&FaultCode::Malformed), "torn at {torn}");
    }
    let bytes = whole(&packed);
    for length in [bytes.len() / 2, bytes.len() * 3 / 4] {
        assert!(!hear("x.pdf", &bytes[..length]).codes(0).is_empty(), "cut at {length}");
    }
    assert_eq!(hear("x.pdf", &pdf(&pages(&[b""]), "")).codes(0), [FaultCode::Empty]);
}
