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

/// A stream of text, two bytes a character.
fn wide(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// Whatever breaks off or is changed must not end the reader.
fn break_everywhere(name: &str, bytes: &[u8]) {
    for at in (0..bytes.len()).step_by(7) {
        hear(name, &bytes[..at]);
        let mut changed = bytes.to_vec();
        changed[at] ^= 0xff;
        hear(name, &changed);
    }
}

#[test]
fn a_workbook_of_records_is_read_as_one_of_markup() {
    let number = |n: usize| if n < 0x80 { vec![n as u8] } else { vec![(n & 0x7f) as u8 | 0x80, (n >> 7) as u8] };
    let record = |kind: usize, data: &[u8]| [number(kind), number(data.len()), data.to_vec()].concat();
    let string = |text: &str| [(text.encode_utf16().count() as u32).to_le_bytes().to_vec(), wide(text)].concat();
    let numbers = |all: &[u32]| all.iter().flat_map(|n| n.to_le_bytes()).collect::<Vec<u8>>();
    let cell = |kind: usize, column: u32, style: u32, value: &[u8]| record(kind, &[numbers(&[column, style]), value.to_vec()].concat());
    let row = |hidden: bool| record(0, &[numbers(&[0, 0]), vec![0, 0, 0, u8::from(hidden) << 4, 0]].concat());
    let book = [
        record(156, &[numbers(&[0, 1]), string("r1"), string("One")].concat()),
        record(156, &[numbers(&[2, 2]), string("r2"), string("Two")].concat()),
        record(39, &[vec![0; 9], string("Rate"), vec![0; 8]].concat()),
    ];
    let styles =
        [record(617, &numbers(&[2])), record(47, &[0; 16]), record(47, &[&[0, 0, 14, 0][..], &[0; 12]].concat()), record(618, &[])];
    let one = [
        record(60, &[numbers(&[1, 1, 0, 0]), vec![1, 0]].concat()),
        row(false),
        cell(7, 0, 0, &numbers(&[0])),
        cell(5, 1, 0, &7_f64.to_le_bytes()),
        cell(2, 2, 1, &numbers(&[43831 << 2 | 2])),
        cell(4, 3, 0, &[1]),
        cell(11, 4, 0, &[7]),
        row(true),
        cell(6, 0, 0, &string("no row")),
        record(479, &[vec![0; 2], string("&L&\"Arial\"Top"), [0xff; 20].to_vec()].concat()),
        record(494, &[vec![0; 16], string("r9"), string(""), string("a tip"), string("")].concat()),
    ];
    let comments = [
        record(632, &string("Ann")),
        record(635, &[numbers(&[0, 0, 0, 0, 0]), vec![0; 16]].concat()),
        record(637, &[vec![0], string("sure?")].concat()),
    ];
    let two = [row(false), cell(9, 0, 0, &0.5_f64.to_le_bytes())];
    let types = "<Types><Default Extension='bin' ContentType='application/vnd.ms-excel.sheet.binary.macroEnabled.main'/>\
        <Override PartName='/xl/worksheets/sheet1.bin' ContentType='application/vnd.ms-excel.worksheet'/>\
        <Override PartName='/xl/worksheets/sheet2.bin' ContentType='application/vnd.ms-excel.worksheet'/>\
        <Override PartName='/xl/sharedStrings.bin' ContentType='application/vnd.ms-excel.sharedStrings'/>\
        <Override PartName='/xl/styles.bin' ContentType='application/vnd.ms-excel.styles'/>\
        <Override PartName='/xl/comments1.bin' ContentType='application/vnd.ms-excel.comments'/></Types>";
    let relations = "<Relationships><Relationship Id='r1' Type='x/worksheet' Target='worksheets/sheet1.bin'/>\
        <Relationship Id='r2' Type='x/worksheet' Target='worksheets/sheet2.bin'/></Relationships>";
    let parts: [(&str, Vec<u8>); 9] = [
        ("[Content_Types].xml", types.as_bytes().to_vec()),
        ("xl/_rels/workbook.bin.rels", relations.as_bytes().to_vec()),
        ("xl/workbook.bin", book.concat()),
        ("xl/sharedStrings.bin", record(19, &[vec![0], string("shared")].concat())),
        ("xl/styles.bin", styles.concat()),
        ("xl/worksheets/sheet1.bin", one.concat()),
        ("xl/worksheets/sheet2.bin", two.concat()),
        (
            "xl/worksheets/_rels/sheet1.bin.rels",
            b"<Relationships><Relationship Id='c' Type='x/comments' Target='../comments1.bin'/></Relationships>".to_vec(),
        ),
        ("xl/comments1.bin", comments.concat()),
    ];
    let zip = |parts: &[(&str, Vec<u8>)]| {
        parts.iter().fold(Writer::default(), |zip, (name, bytes)| zip.with(name.as_bytes(), bytes, false)).finish()
    };
    let heard = hear("x.xlsb", &zip(&parts));
    assert_eq!(said(&heard, Label::Body), "One\nshared\t\t2020-01-01\tTRUE\t#DIV/0!");
    assert_eq!(said(&heard, Label::Hidden), "a tip\n7\nno row\nTwo\n0.5");
    assert_eq!((said(&heard, Label::Margin).as_str(), said(&heard, Label::Comment).as_str()), ("Top", "A1 Ann: sure?"));
    assert_eq!(said(&heard, Label::Property), "name Rate");
    assert!(heard.faults.is_empty() && heard.found.len() == 1, "{:?}", heard.faults);
    let mut cut = parts.clone();
    cut[5].1.truncate(cut[5].1.len() - 3);
    assert!(format!("{:?}", hear("x.xlsb", &zip(&cut)).faults).contains("its records break off"));
    break_everywhere("x.xlsb", &zip(&parts));
}

/// A record of slides with its head: `container` says whether there are records in it.
fn slide_record(kind: u16, instance: u16, container: bool, data: &[u8]) -> Vec<u8> {
    let version = if container { 15 } else { instance & 15 };
    let head = instance & 0xfff0 | version;
    [&head.to_le_bytes()[..], &kind.to_le_bytes(), &(data.len() as u32).to_le_bytes(), data].concat()
}

#[test]
fn a_master_shows_its_own_text_and_word_art_is_text() {
    let text = |text: &str| slide_record(0xf00d, 0, true, &slide_record(0xfa0, 0, false, &wide(text)));
    let keeps_place = slide_record(0xf011, 0, true, &slide_record(0xbc3, 0, false, &[0; 8]));
    let shape = |data: &[u8]| slide_record(0xf004, 0, true, data);
    let art = wide("HAPPY BIRTHDAY");
    let table = [&0x80c0_u16.to_le_bytes()[..], &(art.len() as u32).to_le_bytes(), &art].concat();
    let master = slide_record(
        0x3f8,
        0,
        true,
        &[shape(&[text("Click to edit"), keeps_place].concat()), shape(&text("Town Hall, confidential"))].concat(),
    );
    let slide = slide_record(0x3ee, 0, true, &shape(&slide_record(0xf00b, 0x13, false, &table)));
    let bytes = super::ole::build::of_streams(&[("PowerPoint Document", &[master, slide].concat())]);
    let heard = hear("x.ppt", &bytes);
    assert_eq!(said(&heard, Label::Body), "HAPPY BIRTHDAY");
    assert_eq!(said(&heard, Label::Margin), "Town Hall, confidential");
    break_everywhere("x.ppt", &bytes[bytes.len() / 2..]);
}

#[test]
fn a_compound_file_without_its_directory_says_so() {
    let whole = super::ole::build::of_streams(&[("WordDocument", &[7; 9000])]);
    let heard = hear("x.doc", &whole[..4000]);
    assert_eq!(heard.codes(0), [FaultCode::Malformed]);
    assert!(format!("{:?}", heard.faults).contains("breaks off"));
}

#[test]
fn slides_that_stand_behind_zeros_are_read() {
    let slide = slide_record(0x3ee, 0, true, &slide_record(0xfa0, 0, false, &wide("Drinks at five")));
    let first = slide_record(0x3ee, 0, true, &slide_record(0xfa0, 0, false, &wide("Happy birthday")));
    let stream = [first, vec![0; 501], slide].concat();
    let heard = hear("x.ppt", &super::ole::build::of_streams(&[("PowerPoint Document", &stream)]));
    assert_eq!(said(&heard, Label::Body), "Happy birthday\nDrinks at five");
}

#[test]
fn slides_of_powerpoint_95_are_read_with_their_notes() {
    let record = |kind: u32, holds: bool, data: &[u8]| {
        [&kind.to_le_bytes()[..], &if holds { 0xffff_u32 } else { 0 }.to_le_bytes(), &(data.len() as u32).to_le_bytes(), &[0; 4], data]
            .concat()
    };
    let text = |frame: u32, text: &[u8]| record(frame, true, &record(0xfe0, true, &record(0x7ee, false, text)));
    let notes = record(0x3f0, true, &text(0xbc0, b"say\x85 this"));
    let slide = |title: &[u8], more: &[u8]| record(0x3ee, true, &[text(0xbc2, title), more.to_vec()].concat());
    let master = record(0x3f8, true, &[text(0xbc2, b"Click to edit"), text(0xbc0, b"Town Hall")].concat());
    let list = record(0x7d0, true, &[slide(b"One\rtwo", &notes), slide(b"Three", b"")].concat());
    let bytes = record(3, true, &record(0x3e8, true, &[list, record(0x7d0, true, &master)].concat()));
    let heard = hear("x.ppt", &super::ole::build::of_streams(&[("PowerPoint Document", &bytes)]));
    assert_eq!((said(&heard, Label::Body), said(&heard, Label::Note)), ("One\ntwo\nThree".to_owned(), "say… this".to_owned()));
    assert_eq!(said(&heard, Label::Margin), "Town Hall");
    for length in 0..bytes.len() {
        hear("x.ppt", &super::ole::build::of_streams(&[("PowerPoint Document", &bytes[..length])]));
    }
}

/// A document of Word 6 or 95 with these flags and character set, whose pieces are these places and lengths of `text`, in characters.
fn old_word(flags: u16, set: u16, text: &[u8], pieces: &[(u32, u32)], lengths: &[u32]) -> Vec<u8> {
    let start = 0x300_u32;
    let mut bytes = vec![0; start as usize];
    let end = start + text.len() as u32;
    bytes[..4].copy_from_slice(&[0xdc, 0xa5, 101, 0]);
    bytes[10..12].copy_from_slice(&flags.to_le_bytes());
    bytes[0x14..0x16].copy_from_slice(&set.to_le_bytes());
    bytes[0x18..0x1c].copy_from_slice(&start.to_le_bytes());
    bytes[0x1c..0x20].copy_from_slice(&end.to_le_bytes());
    for (number, length) in lengths.iter().enumerate() {
        bytes[0x34 + number * 4..0x38 + number * 4].copy_from_slice(&length.to_le_bytes());
    }
    bytes.extend(text);
    if !pieces.is_empty() {
        let (mut places, mut descriptors, mut at) = (vec![0_u32], Vec::new(), 0);
        for (place, length) in pieces {
            at += length;
            places.push(at);
            descriptors.extend([0, 0]);
            descriptors.extend((start + place).to_le_bytes());
            descriptors.extend([0, 0]);
        }
        let table = [places.iter().flat_map(|place| place.to_le_bytes()).collect(), descriptors].concat();
        let table = [vec![2], (table.len() as u32).to_le_bytes().to_vec(), table].concat();
        bytes[0x160..0x164].copy_from_slice(&end.to_le_bytes());
        bytes[0x164..0x168].copy_from_slice(&(table.len() as u32).to_le_bytes());
        bytes.extend(table);
    }
    super::ole::build::of_streams(&[("WordDocument", &bytes)])
}

#[test]
fn a_document_of_word_95_is_read_by_its_pieces_and_what_was_taken_out_stays_findable() {
    let text = b"the gauges. Taken out. We read a note";
    let heard = hear("x.doc", &old_word(4, 0, text, &[(23, 8), (0, 12), (31, 6)], &[20, 6]));
    assert_eq!((said(&heard, Label::Body), said(&heard, Label::Note)), ("We read the gauges.".to_owned(), "a note".to_owned()));
    assert_eq!(said(&heard, Label::Hidden), "Taken out.");
    assert_eq!(heard.codes(0), [FaultCode::Malformed], "what was hidden in it is not marked");
    let mac = hear("x.doc", &old_word(0, 256, b"\x8et\x8e", &[], &[3]));
    assert_eq!(said(&mac, Label::Body), "été");
    let two = hear("x.doc", &old_word(0x1004, 0, &wide("thanks for it\u{1092}s \u{4e9e}"), &[(0, 17)], &[17]));
    assert_eq!(said(&two, Label::Body), "thanks for it’s 亞");
    let over: Vec<(u32, u32)> = (0..5000).map(|_| (0, 500)).collect();
    assert!(format!("{:?}", hear("x.doc", &old_word(4, 0, text, &over, &[2_500_000])).faults).contains("lie over each other"));
    break_everywhere("x.doc", &old_word(4, 0, text, &[(23, 8), (0, 12), (31, 6)], &[20, 6])[0x200..]);
}

#[test]
fn text_of_a_publication_stands_in_its_chunks() {
    let story = wide("For sale:\rthe harbour\u{c}Ask Ann\0");
    let entry =
        |kind: &[u8; 4], at: u32, length: u32| [&[0x18, 0][..], b"TEXT", &[0; 6], kind, &at.to_le_bytes(), &length.to_le_bytes()].concat();
    let mut bytes = b"CHNKINK ".to_vec();
    bytes.resize(0x20, 0);
    bytes.extend(entry(b"FDPP", 0x200, 9));
    bytes.extend(entry(b"TEXT", 0x200, story.len() as u32));
    bytes.resize(0x200, 0);
    bytes.extend(&story);
    let file = super::ole::build::of_paths(&[("Quill/QuillSub/CONTENTS", &bytes), ("Escher/EscherStm", b"shapes"), ("Contents", b"pages")]);
    let heard = hear("x.pub", &file);
    assert_eq!(said(&heard, Label::Body), "For sale:\nthe harbour\nAsk Ann");
    assert!(heard.faults.is_empty() && heard.found.len() == 1, "{:?}", heard.faults);
    break_everywhere("x.pub", &file[..file.len().min(20_000)]);
}
