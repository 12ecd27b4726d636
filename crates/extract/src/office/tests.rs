use crate::tests::{Heard, corpora, files_under, hear, request};
use crate::zip::tests::Writer;
use daylight_model::reading::{Label, Request, Task};
use daylight_model::{FaultCode, Kind, Role};
use std::collections::BTreeMap;

fn package(parts: &[(&str, &str)]) -> Vec<u8> {
    parts.iter().fold(Writer::default(), |zip, (name, content)| zip.with(name.as_bytes(), content.as_bytes(), *name != "mimetype")).finish()
}

const TYPES: (&str, &str) = ("[Content_Types].xml", "<Types><Default Extension='xml' ContentType='application/xml'/></Types>");

fn word() -> Vec<u8> {
    let body = "<w:document><w:body><w:p><w:r><w:t>Seen</w:t></w:r><w:ins><w:r><w:t>put in</w:t></w:r></w:ins>\
        <w:del><w:r><w:delText>taken out</w:delText></w:r></w:del><w:r><w:rPr><w:vanish/></w:rPr><w:t>unseen</w:t></w:r></w:p>\
        <w:tbl><w:tr><w:tc><w:p><w:r><w:t>a</w:t></w:r></w:p></w:tc><w:tc><w:p/></w:tc><w:tc><w:p><w:r><w:t>c</w:t></w:r></w:p></w:tc></w:tr>\
        <w:tr><w:tc><w:p><w:r><w:t>d</w:t></w:r></w:p></w:tc></w:tr></w:tbl></w:body></w:document>";
    package(&[
        TYPES,
        ("word/document.xml", body),
        ("word/footnotes.xml", "<w:footnotes><w:footnote><w:p><w:r><w:t>noted</w:t></w:r></w:p></w:footnote></w:footnotes>"),
        (
            "word/comments.xml",
            "<w:comments><w:comment w:author='Ann' w:date='D'><w:p><w:r><w:t>why?</w:t></w:r></w:p></w:comment></w:comments>",
        ),
        ("word/header1.xml", "<w:hdr><w:p><w:r><w:t>at the head</w:t></w:r></w:p></w:hdr>"),
        (
            "docProps/core.xml",
            "<cp:coreProperties><dc:creator>Ann</dc:creator><cp:lastModifiedBy>Bob</cp:lastModifiedBy></cp:coreProperties>",
        ),
        (
            "word/_rels/document.xml.rels",
            "<Relationships><Relationship Id='r1' Type='x/hyperlink' TargetMode='External' Target='http://a.example'/></Relationships>",
        ),
        ("word/media/image1.txt", "a child"),
    ])
}

fn workbook() -> Vec<u8> {
    let cells = "<worksheet><cols><col min='2' max='2' hidden='1'/></cols><sheetData>\
        <row r='1'><c r='A1' t='s'><v>0</v></c><c r='B1'><v>7</v></c><c r='C1' s='1'><v>43831</v></c></row>\
        <row r='2' hidden='1'><c r='A2' t='inlineStr'><is><t>no row</t></is></c></row></sheetData>\
        <headerFooter><oddHeader>&amp;L&amp;\"Arial\"Top</oddHeader></headerFooter></worksheet>";
    package(&[
        TYPES,
        (
            "xl/workbook.xml",
            "<workbook><sheets><sheet name='One' r:id='r1'/><sheet name='Two' state='veryHidden' r:id='r2'/></sheets></workbook>",
        ),
        (
            "xl/_rels/workbook.xml.rels",
            "<Relationships><Relationship Id='r1' Type='x/worksheet' Target='worksheets/sheet1.xml'/><Relationship Id='r2' Type='x/worksheet' Target='/xl/worksheets/sheet2.xml'/></Relationships>",
        ),
        ("xl/sharedStrings.xml", "<sst><si><r><t>sha</t></r><r><t>red</t></r></si></sst>"),
        ("xl/styles.xml", "<styleSheet><cellXfs><xf numFmtId='0'/><xf numFmtId='14'/></cellXfs></styleSheet>"),
        ("xl/worksheets/sheet1.xml", cells),
        ("xl/worksheets/sheet2.xml", "<worksheet><sheetData><row><c><v>0.5</v></c></row></sheetData></worksheet>"),
        (
            "xl/worksheets/_rels/sheet1.xml.rels",
            "<Relationships><Relationship Id='c' Type='x/comments' Target='../comments1.xml'/></Relationships>",
        ),
        (
            "xl/comments1.xml",
            "<comments><authors><author>Ann</author></authors><commentList><comment ref='A1' authorId='0'><text><t>sure?</t></text></comment></commentList></comments>",
        ),
    ])
}

fn slides() -> Vec<u8> {
    let slide = |show, text| format!("<p:sld show='{show}'><p:sp><a:p><a:r><a:t>{text}</a:t></a:r></a:p></p:sp></p:sld>");
    package(&[
        TYPES,
        ("ppt/presentation.xml", "<p:presentation><p:sldIdLst><p:sldId r:id='b'/><p:sldId r:id='a'/></p:sldIdLst></p:presentation>"),
        (
            "ppt/_rels/presentation.xml.rels",
            "<Relationships><Relationship Id='a' Type='x/slide' Target='slides/slide1.xml'/><Relationship Id='b' Type='x/slide' Target='slides/slide2.xml'/></Relationships>",
        ),
        ("ppt/slides/slide1.xml", &slide(0, "second")),
        ("ppt/slides/slide2.xml", &slide(1, "first")),
        (
            "ppt/slides/_rels/slide2.xml.rels",
            "<Relationships><Relationship Id='n' Type='x/notesSlide' Target='../notesSlides/notesSlide1.xml'/></Relationships>",
        ),
        ("ppt/notesSlides/notesSlide1.xml", "<p:notes><a:p><a:r><a:t>say this</a:t></a:r></a:p></p:notes>"),
    ])
}

fn open_document() -> Vec<u8> {
    let content = "<office:document-content><office:automatic-styles><style:style style:name='T9'><style:text-properties text:display='none'/></style:style>\
        </office:automatic-styles><office:body><office:text><text:tracked-changes><text:changed-region text:id='c1'><text:deletion><text:p>gone</text:p></text:deletion>\
        </text:changed-region><text:changed-region text:id='c2'><text:insertion/></text:changed-region></text:tracked-changes>\
        <text:p>Seen<text:s text:c='2'/>here<text:change-start text:change-id='c2'/>new<text:change-end text:change-id='c2'/><text:span text:style-name='T9'>unseen</text:span>\
        <office:annotation><dc:creator>Ann</dc:creator><text:p>why?</text:p></office:annotation><text:note><text:note-citation>1</text:note-citation><text:note-body><text:p>noted</text:p></text:note-body></text:note></text:p>\
        </office:text></office:body></office:document-content>";
    package(&[
        ("mimetype", "application/vnd.oasis.opendocument.text"),
        ("content.xml", content),
        ("styles.xml", "<office:document-styles><style:header><text:p>at the head</text:p></style:header></office:document-styles>"),
        ("meta.xml", "<office:document-meta><meta:initial-creator>Ann</meta:initial-creator></office:document-meta>"),
        ("Pictures/1.txt", "a child"),
    ])
}

fn said(heard: &Heard, label: Label) -> String {
    heard.text(0, label).trim().to_owned()
}

#[test]
fn every_piece_of_a_text_document_has_its_label() {
    for (name, bytes, body) in [("x.docx", word(), "Seena\t\tc\nd"), ("x.odt", open_document(), "Seen  here")] {
        let heard = hear(name, &bytes);
        assert_eq!(said(&heard, Label::Body), body, "{name}");
        for (label, text) in [
            (Label::Deleted, ["taken out", "gone"]),
            (Label::Inserted, ["put in", "new"]),
            (Label::Hidden, ["unseen", "unseen"]),
            (Label::Note, ["noted", "noted"]),
            (Label::Comment, ["Ann D:\nwhy?", "Ann why?"]),
            (Label::Margin, ["at the head", "at the head"]),
            (Label::Property, ["creator: Ann\nlast modified by: Bob\nlink: http://a.example", "initial creator: Ann"]),
        ] {
            assert!(text.contains(&said(&heard, label).as_str()), "{name}: {label:?} is {}", said(&heard, label));
        }
        assert_eq!((heard.found.len(), heard.text(1, Label::Body).as_str()), (2, "a child"), "{name}");
        assert!(heard.faults.is_empty(), "{name}: {:?}", heard.faults);
    }
}

#[test]
fn sheets_and_slides_have_their_pages_and_what_is_hidden_is_marked() {
    let heard = hear("x.xlsx", &workbook());
    assert_eq!(said(&heard, Label::Body), "One\nshared\t\t2020-01-01");
    assert_eq!(said(&heard, Label::Hidden), "7\nno row\nTwo\n0.5");
    assert_eq!((said(&heard, Label::Margin).as_str(), said(&heard, Label::Comment).as_str()), ("Top", "A1 Ann: sure?"));
    let heard = hear("x.pptx", &slides());
    assert_eq!((said(&heard, Label::Body).as_str(), said(&heard, Label::Hidden).as_str()), ("first", "second"));
    assert_eq!(said(&heard, Label::Note), "say this");
}

#[test]
fn a_sheet_that_says_one_long_string_again_and_again_is_cut_at_the_budget() {
    let shared = format!("<sst><si><t>{}</t></si></sst>", "long ".repeat(200_000));
    let sheet = format!("<worksheet><sheetData>{}</sheetData></worksheet>", "<row><c t='s'><v>0</v></c></row>".repeat(2000));
    let bytes =
        package(&[TYPES, ("xl/workbook.xml", "<workbook/>"), ("xl/sharedStrings.xml", &shared), ("xl/worksheets/sheet1.xml", &sheet)]);
    let mut heard = Heard::default();
    let request = Request { budget: 8 << 20, ..request("x.xlsx", Task::Read { start: 0, skip_first: false }) };
    crate::read(&request, &crate::document::Memory(&bytes), &mut heard).unwrap();
    let length: usize = heard.texts.iter().map(|(.., text)| text.len()).sum();
    assert!(length <= 8 << 20, "{length}");
    assert_eq!(heard.codes(0), [FaultCode::TooLarge]);
}

/// The office documents and messages of the corpora that are small enough to be read many times.
fn samples() -> Vec<(String, Vec<u8>)> {
    let Some(corpora) = corpora() else { return Vec::new() };
    let folders = ["documents/office", "documents/ingest-file", "outlook", "mail/mimekit/tnef", "documents/mailbag"];
    let files = folders.iter().flat_map(|folder| files_under(corpora.join(folder)));
    let wanted = |name: &str| {
        let extension = name.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
        ["doc", "xls", "ppt", "docx", "xlsx", "pptx", "odt", "ods", "odp", "rtf", "msg", "tnef"].contains(&extension.as_str())
    };
    let named = files.map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), path)).filter(|(name, _)| wanted(name));
    named.filter_map(|(name, path)| Some((name, std::fs::read(path).ok()?))).collect()
}

#[test]
fn office_documents_of_the_corpora_are_read() {
    let mut told = BTreeMap::<String, [usize; 4]>::new();
    for (name, bytes) in samples() {
        let heard = hear(&name, &bytes);
        let counts = told.entry(heard.found[0].media_type.clone()).or_default();
        let words = heard.texts.iter().filter(|(index, ..)| *index == 0).map(|(.., text)| text.split_whitespace().count()).sum::<usize>();
        let failed = heard.codes(0).iter().any(|code| matches!(code, FaultCode::Malformed | FaultCode::Truncated | FaultCode::NoReader));
        for (count, more) in counts.iter_mut().zip([1, usize::from(failed), words, heard.found.len() - 1]) {
            *count += more;
        }
    }
    println!("type: files, with faults, words, documents inside\n{told:#?}");
    let read = |kind: &str| told.get(kind).map_or(0, |counts| counts[0] - counts[1]);
    if !told.is_empty() {
        assert!(read("application/vnd.ms-outlook") >= 30 && read("application/vnd.ms-tnef") >= 15, "{told:?}");
    }
}

/// The files that others take out of each winmail.dat lie beside it: ours have their bytes, but for the ends of lines, and but for embedded
/// messages and objects, whose wrapping those others keep.
#[test]
fn a_winmail_gives_what_others_find_in_it() {
    let Some(corpora) = corpora() else { return };
    let (mut found, mut wanted) = (0, 0);
    for path in files_under(corpora.join("mail/mimekit/tnef")) {
        if path.extension().is_none_or(|extension| extension != "tnef") {
            continue;
        }
        let bytes = std::fs::read(&path).unwrap();
        let heard = hear("winmail.dat", &bytes);
        for file in files_under(path.with_extension("")) {
            let name = file.file_name().unwrap().to_string_lossy().into_owned();
            let content = std::fs::read(&file).unwrap();
            if name.starts_with("message.") || content.is_empty() {
                continue;
            }
            wanted += 1;
            let plain = |bytes: &[u8]| -> Vec<u8> { bytes.iter().copied().filter(|b| *b != b'\r').collect() };
            let ours = (0..heard.found.len()).any(|index| plain(heard.original(&bytes, index as u32)) == plain(&content));
            if !ours {
                println!("{}: {name} is missing", path.display());
            }
            found += usize::from(ours);
        }
    }
    println!("{found} of {wanted} files");
    assert!(found * 3 >= wanted * 2, "{found} of {wanted}");
}

#[test]
fn a_msg_is_a_message_and_those_in_it_are() {
    let all = samples();
    let find = |wanted: &str| all.iter().find(|(name, _)| name == wanted).map(|(name, bytes)| hear(name, bytes));
    let Some(heard) = find("nested simple mail.msg") else { return };
    let facts = heard.found[0].message.as_ref().unwrap();
    assert_eq!((heard.found[0].kind, facts.people[0].role, facts.dates.is_empty()), (Kind::Message, Role::From, false));
    let nested = &heard.found[1];
    assert_eq!((nested.kind, nested.parent, nested.media_type.as_str()), (Kind::Message, Some(0), "application/vnd.ms-outlook"));
    assert_ne!(nested.message.as_ref().unwrap().message_id, facts.message_id);
    assert!(!heard.text(1, Label::Body).is_empty());
    assert!(find("issue-16-rtf-sample-email.msg").unwrap().text(0, Label::Body).len() > 1000, "its body is RTF");
    for encrypted in ["password_protected.xls", "password_protected.xlsx", "encypted_by_libreoffice.odt"] {
        assert_eq!(find(encrypted).unwrap().codes(0), [FaultCode::Encrypted], "{encrypted}");
    }
}

/// Bytes changed and cut by chance, the same every time.
#[test]
fn broken_documents_do_no_harm() {
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = move |below: usize| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        (seed % below.max(1) as u64) as usize
    };
    let own = [("x.docx", word()), ("x.xlsx", workbook()), ("x.pptx", slides()), ("x.odt", open_document())];
    let own = own.into_iter().map(|(name, bytes)| (name.to_owned(), bytes));
    let small = samples().into_iter().filter(|(_, bytes)| bytes.len() < 64 << 10);
    for (name, bytes) in own.chain(small) {
        for round in 0..20 {
            let mut broken = bytes.clone();
            for _ in 0..=next(20) {
                let at = if round % 3 == 0 { next(broken.len().min(1024)) } else { next(broken.len()) };
                broken[at] = [0, 0xff, 1, 0x80, next(256) as u8][next(5)];
            }
            if round % 4 == 3 {
                broken.truncate(next(broken.len()) + 1);
            }
            hear(&name, &broken);
        }
    }
}

#[test]
fn what_breaks_off_says_so_even_where_no_word_is_left() {
    let whole = br"{\rtf1{\fonttbl{\f0 Arial;}}\f0 words}";
    assert!(hear("x.rtf", whole).faults.is_empty());
    for length in 6..whole.len() {
        assert!(hear("x.rtf", &whole[..length]).codes(0).contains(&FaultCode::Truncated), "cut at {length}");
    }
    assert_eq!(hear("x.rtf", br"{\rtf1{\fonttbl{\f0 Arial;}}}").codes(0), [FaultCode::Empty]);
    assert_eq!(hear("x.html", b"<html><style>p { color: red }</style>").codes(0), [FaultCode::Empty]);
    assert_eq!(hear("x.txt", b" \n\n ").codes(0), [FaultCode::Empty]);
    let Some(corpora) = corpora() else { return };
    let (mut cut, mut all) = (0, 0);
    for (name, bytes) in
        samples().into_iter().filter(|(name, _)| name.ends_with(".xls") || name.ends_with(".doc") || name.ends_with(".ppt"))
    {
        let shortened = &bytes[..bytes.len() * 2 / 3];
        all += 1;
        cut += usize::from(!hear(&name, shortened).codes(0).is_empty());
        assert!(!hear(&name, &bytes).codes(0).contains(&FaultCode::Truncated), "{name} is whole, under {}", corpora.display());
    }
    assert_eq!(cut, all);
}

#[test]
fn what_a_chart_in_an_old_workbook_is_called_is_text() {
    let record = |kind: u16, data: &[u8]| [&kind.to_le_bytes(), &u16::try_from(data.len()).unwrap().to_le_bytes(), data].concat();
    let begin = |what: u16| record(0x809, &[&0x600_u16.to_le_bytes()[..], &what.to_le_bytes(), &[0; 12]].concat());
    let name = |text: &str| [&[u8::try_from(text.len()).unwrap(), 0], text.as_bytes()].concat();
    let end = record(0x0a, &[]);
    let globals = |sheet: u32| {
        let listed = record(0x85, &[&sheet.to_le_bytes()[..], &[0, 0], &name("Rain")].concat());
        [begin(5), listed, end.clone()].concat()
    };
    let chart = [begin(0x20), record(0x100d, &[&[0, 0], &name("Litres a month")[..]].concat()), end.clone()].concat();
    let cell = record(0x204, &[&[0_u8; 6][..], &[4, 0, 0], b"July"].concat());
    let sheet = [begin(0x10), cell, chart, end.clone()].concat();
    let at = u32::try_from(globals(0).len()).unwrap();
    let heard = hear("x.xls", &super::ole::build::of_streams(&[("Workbook", &[globals(at), sheet].concat())]));
    let text = heard.text(0, Label::Body);
    assert!(text.contains("July") && text.contains("Litres a month"), "{text}");
}

#[test]
fn a_document_of_word_2_gives_its_text_and_says_what_it_may_lack() {
    let text = b"The harbour is for sale.\r\x0bNobody was asked.\r";
    let file = |flags: u16| {
        let mut bytes = vec![0; 0x180];
        bytes[..4].copy_from_slice(b"\xdb\xa5\x2d\0");
        bytes[10..12].copy_from_slice(&flags.to_le_bytes());
        bytes[0x18..0x1c].copy_from_slice(&0x180_u32.to_le_bytes());
        bytes[0x1c..0x20].copy_from_slice(&(0x180 + text.len() as u32).to_le_bytes());
        [bytes, text.to_vec(), b"behind the text".to_vec()].concat()
    };
    let heard = hear("NEWS.DOC", &file(0));
    let said = heard.text(0, Label::Body);
    assert!(said.contains("harbour is for sale.\n") && said.contains("Nobody") && !said.contains("behind"), "{said:?}");
    assert_eq!(heard.codes(0), [FaultCode::Malformed]);
    assert!(format!("{:?}", hear("x.doc", &file(4)).faults).contains("saved fast"));
    let locked = hear("x.doc", &file(0x100));
    assert_eq!((locked.text(0, Label::Body), locked.codes(0)), (String::new(), vec![FaultCode::Encrypted]));
    for length in 0..file(0).len() {
        hear("x.doc", &file(0)[..length]);
    }
}
