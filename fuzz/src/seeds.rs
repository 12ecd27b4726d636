//! What each target begins with: small, made here, and none of it anybody's document.

use crate::make::{self, unhex};
use crate::targets::{self, DIVIDER, EMF, epoch_key, request};
use daylight_archive::Signer;
use daylight_archive::directory::{DirectoryFile, DirectoryNote};
use daylight_model::Digest;
use daylight_model::reading::{Event, Input, Sink, Stop, Task};
use std::path::Path;
use std::{fs, io};

const MAIL: &[u8] =
    b"From: =?koi8-r?B?8NLJ?= <a@b.example>\nTo: \"B, C\" <c@d.example>, list: e@f.example;\nSubject: =?utf-8?Q?caf=C3=A9?= x\n\
Date: Mon, 3 Jan 2005 10:00:00 +0100\nMessage-ID: <1@b>\nReferences: <0@b> <00@b>\nReceived: from x by y; Mon, 3 Jan 2005 10:00:05 +0100\n\
MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=\"b\"\n\n";
const PARTS: &[u8] = b"--b\nContent-Type: multipart/alternative; boundary=c\n\n--c\nContent-Type: text/plain; charset=utf-8; format=flowed\n\
Content-Transfer-Encoding: quoted-printable\n\ncaf=C3=A9=\n more\n--c\nContent-Type: text/html\n\n<p>x<b hidden>y</b>\n--c--\n\
--b\nContent-Type: application/x; name*0*=utf-8''a%20; name*1=b.bin\nContent-Disposition: attachment; filename=\"=?utf-8?B?eA==?=\"\n\
Content-Transfer-Encoding: base64\n\naGVsbG8=\n--b\nContent-Type: message/rfc822\n\nSubject: in\nFrom: g@h\n\nbegin 644 x\n#86)C\n`\nend\n--b--\n";
const PAGE: &str = "BT /F 12 Tf 1 0 0 1 72 720 Tm (Hello) Tj 0 -14 Td [(wor) -200 (ld)] TJ T* <4142> ' ET q 1 0 0 1 0 0 cm /X Do Q 0 0 9 9 re f /Span <</ActualText (x)>> BDC EMC";
const RTF: &[u8] = b"{\\rtf1\\ansi\\ansicpg1251\\deff0{\\fonttbl{\\f0\\fcharset204 A;}}{\\info{\\author Ann}}\\f0 one\\par \\'e0\\u8212?{\\v hidden}{\\*\\bkmkstart x}\\trowd\\cell\\row{\\footnote n}{\\deleted d}\\bin3 abc{\\pict\\pngblip 8950}}";
const PNG: &str = "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000a49444154789c6360000000020001e221bc330000000049454e44ae426082";
const XZ: &str = "fd377a585a000004e6d6b4460200210116000000742fe5a301000b68656c6c6f20696e20787a0a00d8580b26cfecf49a0001240ca618d8d81fb6f37d010000000004595a";
const GZIP: &str = "1f8b0800000000000203cb48cdc9c957c8cc5348afe2caa0311b00b3beb2de6c000000";
const BZIP2: &str = "425a6839314159265359cd2a89f800000251800010400002658050200022003d21003041b79a114bc5dc914e1424334aa27e00";
/// `a.txt`, `b.txt` and `empty.txt`, in one block.
const SEVEN: &str = "377abcaf271c0004f65cc3fe9b000000000000001500000000000000fef96c73010018666972737420776f7264730a7365636f6e6420776f7264730a00e0009e00765d0000813307ae0fcfd96fbc0fd46a5e7de5d7dd083d7938a4bf24d0f69662e7f34e689facb4dc6274a0a533848ed39d92d8af68e5008fecc1303cbe71da0dc098095c3a23ca8e5ab96e8e7615fa26f9762076cf24c6f633eb9677dd7893659ec7e0a4f9eeb5f68f0e8aea8a95e9828e06d66b5ec00000000017061d01097e00070b010001212101180c809f0000";

/// A folder, a file, an encrypted one and a link, in version 5 and in version 4.
const RAR: [&str; 2] = [
    "526172211a070100ed5534d7040100030138f0e4350c0202000100a48302000101641962e914140202050405a483028c1e7d71000105612e747874776f726473e73a564f19020305040404a48302479283480001042e2e2f73040100000f3f3f3f3ff992b71513020306000000a483020001016c05050100017819b23a3503050000",
    "526172211a0700cf907300000d00000000000000bfad74e080210000000000000000000300000000000021461d300100a481000064eb1b74008027000500000005000000038c1e7d71000021461d300700a4810000645c612e747874776f726473353f7404822f00010000000100000003b0c26464000021461d300f00a4810000666f6c6465725c612e780004d007163fb616740080210000000000000000000300000000000021461d300100ffa100006cc43d7b00400700",
];

/// Writes the seeds of every target as `folder/<target>/seed-<number>`, and gives the targets' names.
pub fn write(folder: &Path) -> io::Result<Vec<&'static str>> {
    for (name, _) in targets::ALL {
        fs::create_dir_all(folder.join(name))?;
        for (number, seed) in of(name).iter().enumerate() {
            fs::write(folder.join(name).join(format!("seed-{number}")), seed)?;
        }
    }
    Ok(targets::ALL.iter().map(|(name, _)| *name).collect())
}

/// The seeds of a target.
pub fn of(target: &str) -> Vec<Vec<u8>> {
    match target {
        "codename" => texts(&[
            "collar slate issuing alfalfa tubular magenta radiantly footwear lumpiness unsnap",
            "collar slate issuing tubular alfalfa magenta radiantly footwear lumpiness unsnap",
            "abacus, zoom",
        ]),
        "stanza" => vec![
            b"\x00mlkem768x25519 AAAA".to_vec(),
            b"\x01".to_vec(),
            b"\x01\x00\x00\x07\x01\x00\x00\x01\x00".to_vec(),
            [b"\x02".as_slice(), &[0; 1120]].concat(),
            b"\x07".to_vec(),
        ],
        "sealed" => vec![
            b"\x00age-encryption.org/v1\n-> known\n\n--- CCCC\nDDDD".to_vec(),
            b"\x01-> known\n\n-> mlkem768x25519 AAAA\nBBBB\n".to_vec(),
            b"\x02\x05\x00\x00\x50\x01".to_vec(),
            b"\x02\x10\x0d\x33\x40\x01".to_vec(),
            b"\x02\x11".to_vec(),
        ],
        "submission" => vec![
            [b"\x00daylight-submission/v1\n".as_slice(), &[0; 2048 - 23 + 4096 + 40]].concat(),
            b"\x01a text".to_vec(),
            b"\x05a file".to_vec(),
            [b"\x02".as_slice(), &[0; 4096 + 40]].concat(),
            [b"\x23\x00\x08\x01\x41".as_slice(), &[0; 28], b"a later text"].concat(),
        ],
        "reply" => vec![
            [b"\x00daylight-reply/v1\n".as_slice(), &[0; 136 + 4096 + 8]].concat(),
            [b"\x01".as_slice(), &[0; 64 + 4096 + 8]].concat(),
            [b"\x02".as_slice(), &[0; 64], b"a text"].concat(),
        ],
        "mail" => vec![[MAIL, PARTS].concat(), b"Subject: x\n\nwords\n".to_vec()],
        "mbox" => vec![
            [MAIL, b"x\n\nFrom c@d Tue Jan  4 10:00:00 2005\n", MAIL, b">From y\n"].concat(),
            b"Content-Length: 3\n\nabc\nFrom x".to_vec(),
        ],
        "mime" => vec![PARTS.to_vec()],
        "dates" => texts(&[
            "Mon, 3 Jan 2005 10:00:00 +0100 (CET)",
            "2005-01-03T10:00:00Z",
            "3 Jan 05 10:00 PST",
            "Mon Jan  3 10:00:00 2005",
            "01/02/2003",
        ]),
        "words" => {
            texts(&["=?koi8-r?B?8NLJ?= =?utf-8?Q?caf=C3=A9_x?=", "=?iso-2022-jp?B?GyRCRnxLXBsoQg==?=", "=?utf-8*en?q?a?=", "\u{e9}"])
        }
        "addresses" => texts(&[
            "\"B, C\" <c@d.example>, e@f (comment (nested)), g: h@i, j@k;",
            "=?utf-8?q?a?= <b@c>",
            "<@r,@s:t@u>",
            "\"unclosed <a@b>",
        ]),
        "zip" => vec![make::zip(&[("a.txt", b"words"), ("b/../c.eml", MAIL)]), make::zip(&[("inner.zip", &make::zip(&[("x", b"y")]))])],
        "tar" => vec![make::tar(&[("a.txt", b'0', b"words"), ("l", b'2', b""), ("p", b'x', b"20 path=long/name\n"), ("b", b'S', b"x")])],
        "gzip" => vec![unhex(GZIP)],
        "bzip2" => vec![unhex(BZIP2)],
        "seven" => vec![unhex(SEVEN), unhex(XZ)],
        "rar" => {
            let tar = make::tar(&[("a.txt", b'0', b"words"), ("d", b'0', b"")]);
            vec![unhex(RAR[0]), unhex(RAR[1]), [&tar, DIVIDER, &unhex(RAR[0])].concat(), [&tar, DIVIDER, &unhex(RAR[1])].concat()]
        }
        "pst" => vec![store()],
        "compound" => vec![make::compound(&[
            ("WordDocument", &words()),
            ("1Table", b"x"),
            ("\u{1}Ole10Native", b"\x09\0\0\0\x02\0a\0b\0\0\0\x03\0\x02\0\0\0a\0\x01\0\0\0z"),
        ])],
        "msg" => vec![[&[0; 32][..], DIVIDER, &utf16("the body"), DIVIDER, b"LZFu"].concat()],
        "doc" => vec![[&words()[..], DIVIDER, b"\x02\x0c\0\0\0\0\0\0\0\0\0\0\0\0\x40\0\0\0", DIVIDER].concat()],
        "xls" => vec![sheet()],
        "ppt" => {
            vec![[&record(0x0f, 1000, &[record(0, 4000, &utf16("slide words")), record(0, 4008, b"bytes")].concat())[..], DIVIDER].concat()]
        }
        "summary" => vec![[&summary()[..], DIVIDER, &summary()].concat()],
        "tnef" => vec![tnef()],
        "rtf" => vec![RTF.to_vec()],
        "docx" => texts(&[
            "<w:document><w:body><w:p><w:r><w:t>Seen &amp; x</w:t></w:r><w:ins><w:r><w:t>in</w:t></w:r></w:ins><w:del><w:r><w:delText>out</w:delText></w:r></w:del>\
            <w:r><w:rPr><w:vanish/></w:rPr><w:t>no</w:t></w:r></w:p><w:tbl><w:tr><w:tc><w:p/></w:tc></w:tr></w:tbl></w:body></w:document>",
            "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>",
        ]),
        "xlsx" => texts(&[
            "<worksheet><dimension ref='A1:XFD1048576'/><cols><col min='2' max='2' hidden='1'/></cols><sheetData><row r='1'><c r='A1' t='s'><v>0</v></c>\
            <c r='B1'><v>7</v></c><c r='C1' s='1'><v>43831.5</v></c></row><row r='2' hidden='1'><c r='A2' t='inlineStr'><is><t>no</t></is></c></row></sheetData></worksheet>",
        ]),
        "pptx" => texts(&["<p:sld show='0'><p:sp><a:p><a:r><a:t>words</a:t></a:r></a:p></p:sp></p:sld>"]),
        "odt" => texts(&[
            "<office:document-content><office:body><office:text><text:p>Seen<text:s text:c='2'/><office:annotation><text:p>why</text:p></office:annotation></text:p></office:text></office:body></office:document-content>",
            "\n=<office:document-content><office:body><office:spreadsheet><table:table table:name='a'><table:table-row table:number-rows-repeated='3'><table:table-cell table:number-columns-repeated='9' office:value-type='float'><text:p>1</text:p></table:table-cell></table:table-row></table:table></office:spreadsheet></office:body></office:document-content>",
        ]),
        "xlsb" => {
            let string = |text: &str| [&(text.len() as u32).to_le_bytes()[..], &utf16(text)].concat();
            let records: [(u8, Vec<u8>); 5] = [
                (0, vec![0; 17]),
                (6, [vec![0; 8], string("words")].concat()),
                (5, [vec![1, 0, 0, 0, 0, 0, 0, 0], 7_f64.to_le_bytes().to_vec()].concat()),
                (2, vec![2, 0, 0, 0, 0, 0, 0, 0, 0x0a, 0, 0, 0]),
                (7, vec![3, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0]),
            ];
            vec![records.iter().flat_map(|(kind, data)| [vec![*kind, data.len() as u8], data.clone()].concat()).collect()]
        }
        "ppt95" => {
            let record = |kind: u32, holds: u32, data: &[u8]| {
                [&kind.to_le_bytes()[..], &holds.to_le_bytes(), &(data.len() as u32).to_le_bytes(), &[0; 4], data].concat()
            };
            let text = record(0xfe0, 0xffff, &record(0x7ee, 0, b"slide words"));
            let notes = record(0x3f0, 0xffff, &text);
            vec![record(3, 0xffff, &record(0x3ee, 0xffff, &[record(0xbc2, 0xffff, &text), notes].concat()))]
        }
        "ppt4" => vec![
            b"\xed\xde\xad\x0b\x01\0\x0b\0\0\0slide words".to_vec(),
            b"\x0b\xad\xde\xed\0\x01\0\0\0\x0bslide words".to_vec(),
        ],
        "word95" => {
            let mut file = vec![0; 0x180];
            file[..4].copy_from_slice(b"\xdc\xa5\x65\0");
            (file[0x0a], file[0x18], file[0x19], file[0x1c], file[0x1d]) = (4, 0x80, 1, 0x8a, 1);
            (file[0x34], file[0x38], file[0x160], file[0x161], file[0x164]) = (6, 4, 0x8a, 1, 33);
            file.extend(b"some words\x02\x1c\0\0\0");
            for number in [0_u32, 5, 10] {
                file.extend(number.to_le_bytes());
            }
            file.extend(b"\0\0\x85\x01\0\0\0\0\0\0\x80\x01\0\0\0\0");
            vec![file]
        }
        "emf" => {
            let text = utf16("drawn words");
            let mut record = vec![84, 0, 0, 0, 98, 0, 0, 0];
            record.resize(76, 0);
            (record[44], record[48]) = (11, 76);
            record.extend(text);
            vec![[&EMF[..], &record].concat()]
        }
        "wmf" => {
            let mut file = b"\xd7\xcd\xc6\x9a".to_vec();
            file.resize(40, 0);
            file.extend(b"\x0c\0\0\0\xfb\x02\0\0\0\0\0\0\0\0\0\0\0\0\0\xcc\0\0\0\0");
            file.extend(b"\x04\0\0\0\x2d\x01\0\0");
            file.extend(b"\x08\0\0\0\x21\x05\x04\0\xd1\xf2\xe5\xed\0\0\0\0");
            vec![file]
        }
        "word2" => {
            let mut file = vec![0; 0x20];
            file[..4].copy_from_slice(b"\xdb\xa5\x2d\0");
            (file[0x18], file[0x1c]) = (0x20, 0x2a);
            vec![[&file[..], b"some words", b"behind"].concat()]
        }
        "dbf" => {
            let mut table = vec![0; 66];
            table[..12].copy_from_slice(&[3, 99, 11, 28, 2, 0, 0, 0, 65, 0, 6, 0]);
            table[32..36].copy_from_slice(b"NAME");
            (table[43], table[48], table[64]) = (b'C', 5, 0x0d);
            table.truncate(65);
            vec![[&table[..], b" wall ", b"*gone ", b"\x1a"].concat()]
        }
        "emlx" => vec![
            [
                &b"11        \n"[..],
                b"A: b\n\nwords",
                b"<?xml version=\"1.0\"?><plist><dict><key>flags</key><integer>1</integer></dict></plist>",
            ]
            .concat(),
        ],
        "calendar" => texts(&[
            "BEGIN:VCALENDAR\r\nSUMMARY;LANGUAGE=en:a lo\r\n ng one\\, with\\nlines\r\nDESCRIPTION;ENCODING=QUOTED-PRINTABLE:a=3Db\r\nEND:VCALENDAR\r\n",
        ]),
        "pdf" => vec![pdf()],
        "page" => texts(&[PAGE]),
        "picture" => vec![
            unhex(PNG),
            tiff(),
            b"GIF89a\x01\0\x01\0\0\0\0,\0\0\0\0\x01\0\x01\0\0\x02\x01\0\0;".to_vec(),
            [&b"\xff\xd8\xff\xe1\0\x40Exif\0\0"[..], &tiff(), b"\xff\xc0\0\x0b\x08\0\x01\0\x01\x01\x01\x11\0\xff\xd9"].concat(),
        ],
        "html" | "view" => texts(&[
            "<html><head><meta charset=utf-8><style>.a{display:none}</style></head><body><p class=a style='display:none'>no<p>yes<table><tr><td>a<td>b</table><a href='http://x.example/'>l</a>\
            <svg><style><img src=x onerror=y></style></svg><math><mi><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=z&gt;'>",
            "<a href=javascript:x><base href=//y><form action=z><meta http-equiv=refresh content='0;url=u'><!--<b>--><noscript><p title='</noscript><img src=x>'>",
        ]),
        "text" => vec![b"plain words\n".to_vec(), b"\xff\xfea\0b\0".to_vec(), b"\x1b$B\x46\x7c\x1b(B".to_vec()],
        "csv" => texts(&["a,b;c\n1,\"two, \"\"x\"\"\n\",3\n", "a\tb\n1\t2\n", "{\"a\":1}\n{\"a\":2}\n"]),
        "signatures" => vec![
            signed("DKIM-Signature", "v=1; a=ed25519-sha256; c=relaxed/relaxed; d=b.example; s=s; h=From:To; l=3; t=1; x=2;"),
            signed("ARC-Seal", "i=1; a=rsa-sha256; cv=none; d=b.example; s=s;"),
        ],
        "keys" => texts(&[
            "s._domainkey.b.example. 300 IN TXT ( \"v=DKIM1; k=rsa; t=y:s; h=sha256; \" \"p=MIGf\" ) ; x\n",
            "{\"b.example\": {\"s._domainkey\": [[\"txt\", \"v=DKIM1; p=AA\"]]}}",
            "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=",
            "-----BEGIN PUBLIC KEY-----\nMCow\n-----END PUBLIC KEY-----",
        ]),
        "wire" => frames(),
        "query" => texts(&[
            "from:okafor \"retaining wall\"~5 date:2014-03..2014-06",
            "(a OR b*) -c~1 has:attachment type:pdf sha256:00ff",
            "is:unreadable thread:12 collection:x dkim:valid after:2014 before:2015-01-02",
        ]),
        "note" => texts(&[
            "x.example/log\n3\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n\u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n",
        ]),
        "archive" => texts(&[
            "{\"format\":\"daylight-entry/v1\",\"json\":\"0000000000000000000000000000000000000000000000000000000000000000\",\"type\":\"root\",\"version\":1}",
            "- 0000000000000000000000000000000000000000000000000000000000000000\n",
            "+ 0000000000000000000000000000000000000000000000000000000000000000 {\"kind\":\"file\",\"number\":1}\n",
            "tile/entries/x001/234.p/5",
            "{\"format\":\"daylight-root/v1\",\"version\":1}",
            "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        ]),
        "directory" => directory(),
        "hatch" => questions(),
        "multipart" => forms(),
        _ => panic!("no seeds for {target}"),
    }
}

/// The note of a directory of one member and two days, as a text, signed, and as a file.
fn directory() -> Vec<Vec<u8>> {
    let signer = Signer::from_text("PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz").unwrap();
    let told = DirectoryNote {
        origin: "x.example/log".into(),
        serial: 1,
        root: Digest::of(b"root"),
        time: 1_795_372_835,
        members: vec![signer.key()],
        first: 20_779,
        epochs: vec![vec![Digest::of(&epoch_key(1))], vec![Digest::of(&epoch_key(2))]],
    };
    let mut note = told.note().unwrap();
    note.sign(&signer);
    let keys = [epoch_key(1), epoch_key(2)].concat();
    let file = DirectoryFile::new(note.clone(), keys).unwrap().to_bytes();
    vec![told.text().unwrap().into_bytes(), note.to_bytes(), file]
}

fn texts(texts: &[&str]) -> Vec<Vec<u8>> {
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// The head of a Word 97 file whose text is one piece of Latin letters.
fn words() -> Vec<u8> {
    let mut head = vec![0; 0x500];
    head[..4].copy_from_slice(&[0xec, 0xa5, 0xc1, 0]);
    head[0x0a..0x0c].copy_from_slice(&[0, 0x12]);
    head[0x18..0x1c].copy_from_slice(&0x400u32.to_le_bytes());
    head[0x1c..0x20].copy_from_slice(&0x40cu32.to_le_bytes());
    head[0x20..0x22].copy_from_slice(&[14, 0]);
    head[0x3e..0x40].copy_from_slice(&[22, 0]);
    head[0x4c..0x50].copy_from_slice(&12u32.to_le_bytes());
    head[0x98..0x9a].copy_from_slice(&[93, 0]);
    head[0x400..0x40c].copy_from_slice(b"Hello words\r");
    head
}

/// A record of PowerPoint: version and instance, type, length.
fn record(version: u16, kind: u16, content: &[u8]) -> Vec<u8> {
    [&version.to_le_bytes()[..], &kind.to_le_bytes(), &(content.len() as u32).to_le_bytes(), content].concat()
}

/// A workbook of Excel 97: one sheet, one shared string, one number.
fn sheet() -> Vec<u8> {
    let one = |kind: u16, content: &[u8]| [&kind.to_le_bytes()[..], &(content.len() as u16).to_le_bytes(), content].concat();
    let strings = [&[1, 0, 0, 0, 1, 0, 0, 0, 5, 0, 0][..], b"words"].concat();
    let globals = [one(0x809, &[0, 6, 5, 0, 0, 0, 0, 0]), one(0xfc, &strings)].concat();
    let at = (globals.len() + 4 + 9 + 4) as u32;
    let bound = one(0x85, &[&at.to_le_bytes()[..], &[0, 0, 1, 0, b'A']].concat());
    let cells = [
        one(0x809, &[0, 6, 0x10, 0, 0, 0, 0, 0]),
        one(0xfd, &[0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
        one(0x203, &[1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f]),
        one(0x0a, &[]),
    ];
    [globals, bound, one(0x0a, &[]), cells.concat()].concat()
}

fn summary() -> Vec<u8> {
    let mut out = vec![0xfe, 0xff, 0, 0, 0, 0, 0, 0];
    out.extend([0; 16]);
    out.extend(1u32.to_le_bytes());
    out.extend(unhex("e0859ff2f94f6810ab9108002b27b3d9"));
    out.extend(48u32.to_le_bytes());
    for number in [40u32, 2, 2, 24, 12, 40] {
        out.extend(number.to_le_bytes());
    }
    out.extend([30, 0, 0, 0, 4, 0, 0, 0, b'a', b'b', b'c', 0, 0, 0, 0, 0, 64, 0, 0, 0, 0, 0x80, 0x3e, 0xd5, 0xde, 0xb1, 0x9d, 1]);
    out
}

fn tnef() -> Vec<u8> {
    let mut out = unhex("789f3e22");
    out.extend([1, 0]);
    let mut put = |level: u8, id: u32, data: &[u8]| {
        out.push(level);
        out.extend(id.to_le_bytes());
        out.extend((data.len() as u32).to_le_bytes());
        out.extend(data);
        out.extend(data.iter().fold(0u16, |sum, byte| sum.wrapping_add(u16::from(*byte))).to_le_bytes());
    };
    put(1, 0x0001_8004, b"subject\0");
    put(1, 0x0006_9003, &[&[1, 0, 0, 0, 0x1f, 0, 0, 0x10, 1, 0, 0, 0, 6, 0, 0, 0][..], &utf16("hi\0"), &[0, 0]].concat());
    put(2, 0x0006_9002, &[0; 14]);
    put(2, 0x0001_8010, b"a.txt\0");
    put(2, 0x0006_800f, b"attached words");
    out
}

fn tiff() -> Vec<u8> {
    let mut out = b"II*\0\x08\0\0\0\x03\0".to_vec();
    for [tag, kind, count, value] in [[0x100u32, 3, 1, 7], [0x101, 3, 1, 7], [0x8769, 4, 1, 50]] {
        out.extend((tag as u16).to_le_bytes());
        out.extend((kind as u16).to_le_bytes());
        out.extend(count.to_le_bytes());
        out.extend(value.to_le_bytes());
    }
    out.extend([0, 0, 0, 0, 1, 0, 0x03, 0x90, 2, 0, 20, 0, 0, 0, 68, 0, 0, 0, 0, 0, 0, 0]);
    out.extend(b"2005:01:03 10:00:00\0");
    out
}

fn pdf() -> Vec<u8> {
    let stream = |entries: &str, content: &str| format!("<<{entries} /Length {}>>\nstream\n{content}\nendstream", content.len());
    make::pdf(&[
        "<</Type /Catalog /Pages 2 0 R /Names <</EmbeddedFiles <</Names [(a) 6 0 R]>>>> /AcroForm <</Fields [8 0 R]>>>>".to_owned(),
        "<</Type /Pages /Kids [4 0 R] /Count 1>>".to_owned(),
        "<</Type /Font /Subtype /Type1 /BaseFont /Helvetica>>".to_owned(),
        "<</Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Resources <</Font <</F 3 0 R>>>> /Contents 5 0 R /Annots [<</Subtype /Text /Contents (why)>>]>>".to_owned(),
        stream("", PAGE),
        "<</Type /Filespec /F (a.txt) /EF <</F 7 0 R>>>>".to_owned(),
        stream("/Type /EmbeddedFile", "attached"),
        "<</FT /Tx /T (n) /V (filled)>>".to_owned(),
    ])
}

fn signed(field: &str, tags: &str) -> Vec<u8> {
    let chain = if field == "ARC-Seal" {
        "ARC-Message-Signature: i=1; a=rsa-sha256; d=b.example; s=s; h=from; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=AA==\r\nARC-Authentication-Results: i=1; x\r\n"
    } else {
        ""
    };
    let body = if chain.is_empty() { "bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; " } else { "" };
    format!("{field}: {tags} {body}b=AAAA\r\n{chain}From: a@b.example\r\nTo: c@d\r\n\r\nFrom x\r\n").into_bytes()
}

/// A mail store of the Unicode form: a header, a tree of nodes with one leaf, a tree of blocks with one.
fn store() -> Vec<u8> {
    let mut out = vec![0; 4096];
    out[..4].copy_from_slice(b"!BDN");
    out[10] = 23;
    out[224..232].copy_from_slice(&1024u64.to_le_bytes());
    out[240..248].copy_from_slice(&1536u64.to_le_bytes());
    for (at, kind, width) in [(1024, 0x81u8, 32u8), (1536, 0x80, 24)] {
        out[at + 488..at + 492].copy_from_slice(&[1, 15, width, 0]);
        out[at + 496..at + 498].copy_from_slice(&[kind, kind]);
    }
    // A message's node, whose data is the block 4 of 64 bytes: a heap with a table of properties in it.
    out[1024..1028].copy_from_slice(&0x0020_0024u32.to_le_bytes());
    out[1032] = 4;
    out[1536] = 4;
    out[1544..1552].copy_from_slice(&2048u64.to_le_bytes());
    out[1552] = 64;
    out[2048..2072].copy_from_slice(&[40, 0, 0xec, 0xbc, 0x20, 0, 0, 0, 0, 0, 0, 0, 0xb5, 2, 6, 0, 0x40, 0, 0, 0, 0x37, 0, 0x1f, 0]);
    out[2088..2098].copy_from_slice(&[2, 0, 0, 0, 12, 0, 20, 0, 28, 0]);
    out
}

/// Frames as a worker writes them about a message.
fn frames() -> Vec<Vec<u8>> {
    struct Frames(Vec<Vec<u8>>);
    impl Sink for Frames {
        fn event(&mut self, event: Event) -> Result<(), Stop> {
            self.0.push(daylight_sandbox::fuzzing::event(&event));
            Ok(())
        }
    }
    struct Bytes(Vec<u8>);
    impl Input for Bytes {
        fn length(&self) -> u64 {
            self.0.len() as u64
        }
        fn read_at(&self, offset: u64, buffer: &mut [u8]) -> std::io::Result<usize> {
            self.0.read_at(offset, buffer)
        }
        fn in_memory(&self) -> Option<&[u8]> {
            Some(&self.0)
        }
    }
    let mut frames = Frames(Vec::new());
    let request = request("x.eml", Task::Read { start: 0, skip_first: false });
    let message = Bytes([&signed("DKIM-Signature", "v=1; a=rsa-sha256; d=b.example; s=s; h=from;")[..], PARTS].concat());
    daylight_extract::read(&request, &message, &mut frames).unwrap();
    frames.0.push(daylight_sandbox::fuzzing::order(&request));
    frames.0
}

/// Questions of an attendant to its house: of every number, and some with all of their fields.
fn questions() -> Vec<Vec<u8>> {
    let framed = |question: &[u8]| [&(question.len() as u32).to_le_bytes()[..], question].concat();
    let begin = [&[11][..], &[1; 32], &[2; 32], &[1], &[3; 128], &[0]].concat();
    let note = [&[14][..], &[1; 32], &[0], &1u32.to_le_bytes(), &2u32.to_le_bytes()].concat();
    let done = [&[52][..], &2u32.to_le_bytes(), &[4; 64]].concat();
    let push = [&[23][..], &3u32.to_le_bytes(), b"abc"].concat();
    let every: Vec<u8> = (0..=60).flat_map(|number| framed(&[&[number][..], &[5; 32]].concat())).collect();
    [begin, note, done, push].iter().map(|question| framed(question)).chain([every]).collect()
}

/// Forms in which the boundary is a single letter, each after the length of the pieces that it comes in.
fn forms() -> Vec<Vec<u8>> {
    let field = |head: &str, body: &str| format!("--b\r\nContent-Disposition: form-data; {head}\r\n\r\n{body}\r\n");
    let text = field("name=\"token\"", "00") + &field("name=\"text\"", "the wall\r\n--is wet") + "--b--\r\n";
    let file =
        field("name=\"file\"; filename=\"a%22b\"\r\nContent-Type: text/plain", "\r\n--\r\n-") + &field("name=\"empty\"", "") + "--b--";
    [text, file].into_iter().flat_map(|form| [1, 7, 255].map(|piece| [&[piece], form.as_bytes()].concat())).collect()
}
