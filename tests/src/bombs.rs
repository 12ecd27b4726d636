//! Files that are small and would take all memory, all time or all disk of who reads them trustingly. Each is read through the cage: the ingest
//! ends, the parent stays small, a fault says what was cut, and what stands beside it is read.

use crate::support::{daylight, program, workplace};
use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

/// A bomb: the file's name, its bytes, and words of the fault by which it is known what became of it. None where it can be read to its end.
struct Bomb(&'static str, Vec<u8>, &'static [&'static str]);

fn bombs() -> Vec<Bomb> {
    [packed(), pictures(), documents(), markup(), old_office(), mail()].into_iter().flatten().collect()
}

#[test]
fn no_bomb_goes_off() {
    let bombs = bombs();
    let next = AtomicUsize::new(0);
    // Two at a time; each on a desk of its own, so that it is known whose fault it is.
    let missing: Vec<String> = thread::scope(|scope| {
        let one =
            || std::iter::from_fn(|| bombs.get(next.fetch_add(1, Relaxed))).filter_map(|bomb| set_off(bomb).err()).collect::<Vec<_>>();
        let running: Vec<_> = (0..2).map(|_| scope.spawn(one)).collect();
        running.into_iter().flat_map(|one| one.join().unwrap()).collect()
    });
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

/// Reads one bomb between two messages that are none, and says what is not as it should be.
fn set_off(Bomb(name, bytes, faults): &Bomb) -> Result<(), String> {
    let work = workplace();
    let (desk, trove) = (work.path().join("desk"), work.path().join("trove"));
    fs::create_dir(&trove).unwrap();
    for name in ["0-before.eml", "z-after.eml"] {
        let message = format!("From: good@x.example\nSubject: {name}\nMessage-ID: <{name}@x>\n\nunharmed\n");
        fs::write(trove.join(name), message).unwrap();
    }
    fs::write(trove.join(name), bytes).unwrap();
    daylight(["init", desk.to_str().unwrap()]).code(0);
    fs::write(desk.join("daylight.toml"), "[reading]\nbudget_mib = 64\nmemory_mib = 1536\nseconds = 120\n").unwrap();
    let most = ingest(&desk, &trove);
    let total = daylight(["search", desk.to_str().unwrap(), "unharmed", "--json"]).json()["total"].as_u64().unwrap();
    let said = daylight(["faults", desk.to_str().unwrap(), "--all"]).code(0).text();
    let absent: Vec<_> = faults.iter().filter(|fault| !said.contains(**fault)).collect();
    // A reader that died is the last resort: it must not be what a bomb that is known comes to.
    let died = said.contains("reader died") || said.contains("took too long");
    if absent.is_empty() && total == 2 && !died && most < 600 << 10 {
        return Ok(());
    }
    Err(format!("{name}: {total} neighbours, {most} KiB, absent {absent:?} in {}", said.lines().take(8).collect::<Vec<_>>().join("\n    ")))
}

/// Reads a trove and says how many KiB of memory the parent had at most.
fn ingest(desk: &Path, trove: &Path) -> u64 {
    let mut command = Command::new(program());
    command.args(["ingest", "--collection", "c", "--jobs", "1"]).args([desk, trove]).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let status = format!("/proc/{}/status", child.id());
    let mut most = 0;
    loop {
        let now = fs::read_to_string(&status).unwrap_or_default();
        let peak = now.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse().ok());
        most = most.max(peak.unwrap_or(0));
        if let Some(ended) = child.try_wait().unwrap() {
            assert!(ended.success(), "{ended}");
            return most;
        }
        thread::sleep(Duration::from_millis(20));
    }
}

// --- packed ---------------------------------------------------------------------------------------------------------------------------------

fn packed() -> Vec<Bomb> {
    let zeros = vec![0; 4 << 20];
    let mut nested = deflate(&zeros);
    let mut zip_of = |_| {
        let inner = std::mem::take(&mut nested);
        let mut zip = Zip::default();
        for n in 0..10 {
            zip.add(&format!("{n}.zip"), &inner.0, inner.1, 8, None);
        }
        nested = deflate(&zip.finish());
    };
    (0..5).for_each(&mut zip_of);
    let mut forty_two = Zip::default();
    forty_two.add("1.zip", &nested.0, nested.1, 8, None);

    // Many entries of one place (Fifield 2019): here each is the same deflated megabyte.
    let (kernel, length) = deflate(&vec![b'\n'; 1 << 20]);
    let mut overlapping = Zip::default();
    overlapping.add("0.txt", &kernel, length, 8, None);
    (1..20_000).for_each(|n| overlapping.add(&format!("{n}.txt"), &kernel, length, 8, Some(0)));

    // The same without any packing, and of zips: each level multiplies what stands below it.
    let mut stored = b"the innermost words".to_vec();
    for _ in 0..18 {
        let mut zip = Zip::default();
        zip.add("0", &stored, stored.len(), 0, None);
        (1..20).for_each(|n| zip.add(&n.to_string(), &stored, stored.len(), 0, Some(0)));
        stored = zip.finish();
    }

    let mut gz = GzEncoder::new(Vec::new(), Compression::best());
    for _ in 0..200 {
        gz.write_all(&vec![b'x'; 1 << 20]).unwrap();
    }
    let mut tar = tar_header("sparse", b'S', 0);
    tar[386..398].copy_from_slice(b"000000000000");
    tar[398..410].copy_from_slice(b"777777777777");
    tar[483..495].copy_from_slice(b"777777777777");
    seal(&mut tar);
    let mut giant = tar_header("giant", b'0', 0);
    giant[124..136].copy_from_slice(b"\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff");
    seal(&mut giant);
    let pax =
        [tar_header("p", b'x', 40), pad(b"40 GNU.sparse.realsize=9223372036854775807\n"[..40].to_vec()), tar_header("f", b'0', 0)].concat();

    // A frame whose window is 2^41 bytes and more (RFC 8878 section 3.1.1.1.2).
    let zstd = b"\x28\xb5\x2f\xfd\x00\xff\x01\x00\x00".to_vec();
    // A dictionary of 4 GiB, less one byte (xz 1.2.1, section 5.3.1).
    let xz = unhex("fd377a585a000004e6d6b446020021012800000000000000");
    // 900,000 zeros a block: its run-length coding is 45 bytes (packed by the book).
    let bzip2 = unhex(BZIP2_ZEROS).repeat(30);
    // A directory that says it has a thousand million files and no streams.
    let header = [&[0x01, 0x05, 0xf0][..], &1_000_000_000u32.to_le_bytes(), &[0x0e, 0x01, 0x80, 0, 0]].concat();
    let seven = seven(&header);

    vec![
        Bomb("forty-two.zip", forty_two.finish(), &["unpack to more than the budget"]),
        Bomb("overlapping.zip", overlapping.finish(), &["unpack to more than the budget"]),
        Bomb("multiplying.zip", stored, &["they overlap"]),
        Bomb("lines.txt.gz", gz.finish().unwrap(), &["past the budget"]),
        Bomb("sparse.tar", pad(tar), &["sparse"]),
        Bomb("giant.tar", pad(giant), &["truncated"]),
        Bomb("pax.tar", pax, &[]),
        Bomb("window.zst", zstd, &["unpack"]),
        Bomb("dictionary.xz", xz, &["unpack"]),
        Bomb("zeros.bz2", bzip2, &[]),
        Bomb("files.7z", seven, &["cannot be read"]),
    ]
}

/// 900,000 zeros, as bzip2 packs them with blocks of 900 kB.
const BZIP2_ZEROS: &str = "425a683931415926535963e3eca20006e4c100c00002000008200030cc09aa6994a136a9284f17724538509063e3eca2";

#[derive(Default)]
struct Zip {
    bytes: Vec<u8>,
    directory: Vec<u8>,
    entries: u64,
}

impl Zip {
    /// Adds an entry, whose bytes are those at an earlier place if one is given.
    fn add(&mut self, name: &str, packed: &[u8], length: usize, method: u16, at: Option<u32>) {
        let offset = at.unwrap_or(self.bytes.len() as u32);
        let mut common = Vec::new();
        for value in [20, 0, method, 0, 0, 0, 0] {
            common.extend(u16::to_le_bytes(value));
        }
        common.extend((packed.len() as u32).to_le_bytes());
        common.extend((length as u32).to_le_bytes());
        common.extend((name.len() as u16).to_le_bytes());
        common.extend([0, 0]);
        if at.is_none() {
            self.bytes.extend(b"PK\x03\x04");
            self.bytes.extend(&common);
            self.bytes.extend(name.as_bytes());
            self.bytes.extend(packed);
        }
        self.directory.extend(b"PK\x01\x02\x14\0");
        self.directory.extend(&common);
        self.directory.extend([0; 10]);
        self.directory.extend(offset.to_le_bytes());
        self.directory.extend(name.as_bytes());
        self.entries += 1;
    }

    fn finish(self) -> Vec<u8> {
        let (at, size) = (self.bytes.len() as u32, self.directory.len() as u32);
        let entries = (self.entries.min(0xffff) as u16).to_le_bytes();
        let end = [&b"PK\x05\x06\0\0\0\0"[..], &entries, &entries, &size.to_le_bytes(), &at.to_le_bytes(), &[0, 0]].concat();
        [self.bytes, self.directory, end].concat()
    }
}

/// Bytes deflated, and how many they were.
fn deflate(bytes: &[u8]) -> (Vec<u8>, usize) {
    let mut packer = DeflateEncoder::new(Vec::new(), Compression::best());
    packer.write_all(bytes).unwrap();
    (packer.finish().unwrap(), bytes.len())
}

fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut packer = ZlibEncoder::new(Vec::new(), Compression::best());
    packer.write_all(bytes).unwrap();
    packer.finish().unwrap()
}

fn tar_header(name: &str, kind: u8, length: usize) -> Vec<u8> {
    let mut block = vec![0; 512];
    block[..name.len()].copy_from_slice(name.as_bytes());
    block[124..136].copy_from_slice(format!("{length:011o}\0").as_bytes());
    block[156] = kind;
    block[257..265].copy_from_slice(b"ustar  \0");
    seal(&mut block);
    block
}

fn seal(block: &mut [u8]) {
    block[148..156].fill(b' ');
    let sum: u32 = block.iter().map(|b| u32::from(*b)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
}

fn pad(mut block: Vec<u8>) -> Vec<u8> {
    block.resize(block.len().next_multiple_of(512), 0);
    block
}

fn seven(header: &[u8]) -> Vec<u8> {
    let mut start = Vec::new();
    start.extend(0u64.to_le_bytes());
    start.extend((header.len() as u64).to_le_bytes());
    start.extend(crc32(header).to_le_bytes());
    [b"7z\xbc\xaf\x27\x1c\0\x04", &crc32(&start).to_le_bytes()[..], &start, header].concat()
}

fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 };
    !bytes.iter().fold(u32::MAX, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), step))
}

fn unhex(hex: &str) -> Vec<u8> {
    hex.as_bytes().chunks(2).map(|two| u8::from_str_radix(std::str::from_utf8(two).unwrap(), 16).unwrap()).collect()
}

// --- pictures -------------------------------------------------------------------------------------------------------------------------------

fn pictures() -> Vec<Bomb> {
    let chunk = |kind: &[u8], data: &[u8]| {
        let body = [kind, data].concat();
        [&(data.len() as u32).to_be_bytes()[..], &body, &crc32(&body).to_be_bytes()].concat()
    };
    let size = [&65_000u32.to_be_bytes()[..], &65_000u32.to_be_bytes(), &[8, 6, 0, 0, 0]].concat();
    let pixels = zlib(&vec![0; 8 << 20]);
    let words = [b"Comment\0\0", zlib(&vec![b'x'; 64 << 20]).as_slice()].concat();
    let profile = [b"icc\0\0", zlib(&vec![0; 64 << 20]).as_slice()].concat();
    let png = [
        b"\x89PNG\r\n\x1a\n".to_vec(),
        chunk(b"IHDR", &size),
        chunk(b"zTXt", &words),
        chunk(b"iCCP", &profile),
        chunk(b"IDAT", &pixels),
        chunk(b"IEND", b""),
    ]
    .concat();
    let frame = [&b"\x21\xf9\x04\0\0\0\0\0,\0\0\0\0\xff\xff\xff\xff\0\x02\x02\x4c\x01\0"[..]].concat();
    let gif = [b"GIF89a\xff\xff\xff\xff\0\0\0".to_vec(), frame.repeat(100_000), b";".to_vec()].concat();
    // A directory that follows itself, whose one entry leads to itself too.
    let tiff = b"II*\0\x08\0\0\0\x01\0\x69\x87\x04\0\x01\0\0\0\x08\0\0\0\x08\0\0\0".to_vec();
    let exif = [b"Exif\0\0".to_vec(), tiff.clone()].concat();
    let jpeg = [
        &b"\xff\xd8\xff\xe1"[..],
        &(exif.len() as u16 + 2).to_be_bytes(),
        &exif,
        b"\xff\xc0\0\x0b\x08\xff\xff\xff\xff\x01\x01\x11\0\xff\xd9",
    ]
    .concat();
    let icon = [&b"\0\0\x01\0\xff\xff"[..], &[0, 0, 0, 0, 1, 0, 32, 0, 0xff, 0xff, 0xff, 0x7f, 22, 0, 0, 0].repeat(65_535)].concat();
    // A value of 2^32 - 1 strings.
    let long = b"II*\0\x08\0\0\0\x01\0\x0e\x01\x02\0\xff\xff\xff\xff\x08\0\0\0\0\0\0\0".to_vec();
    vec![
        Bomb("pixels.png", png, &[]),
        Bomb("frames.gif", gif, &[]),
        Bomb("loop.tif", tiff, &[]),
        Bomb("loop.jpg", jpeg, &[]),
        Bomb("long.tif", long, &[]),
        Bomb("many.ico", icon, &[]),
    ]
}

// --- PDF ------------------------------------------------------------------------------------------------------------------------------------

fn pdf(objects: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = b"%PDF-1.7\n".to_vec();
    let mut table = format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1);
    for (number, object) in objects.iter().enumerate() {
        table.push_str(&format!("{:010} 00000 n \n", bytes.len()));
        bytes.extend(format!("{} 0 obj\n", number + 1).bytes());
        bytes.extend(object);
        bytes.extend(b"\nendobj\n");
    }
    let at = bytes.len();
    bytes.extend(table.bytes());
    bytes.extend(format!("trailer <</Size {} /Root 1 0 R>>\nstartxref\n{at}\n%%EOF\n", objects.len() + 1).bytes());
    bytes
}

fn stream(entries: &str, content: &[u8]) -> Vec<u8> {
    [format!("<<{entries} /Length {}>>\nstream\n", content.len()).as_bytes(), content, b"\nendstream"].concat()
}

fn one_page(entries: &str, content: Vec<u8>, more: &[Vec<u8>]) -> Vec<u8> {
    let page = format!(
        "<</Type /Page /Parent 2 0 R /Resources <</Font <</F <</Type /Font /Subtype /Type1 /BaseFont /Helvetica>>>> /XObject <</X 5 0 R>>>> /Contents 4 0 R {entries}>>"
    );
    let mut objects =
        vec![b"<</Type /Catalog /Pages 2 0 R>>".to_vec(), b"<</Type /Pages /Kids [3 0 R] /Count 1>>".to_vec(), page.into_bytes(), content];
    objects.extend_from_slice(more);
    pdf(&objects)
}

fn documents() -> Vec<Bomb> {
    let said = b"BT /F 12 Tf 72 72 Td (words of a page) Tj ET";
    let box_of = "/MediaBox [0 0 600 800]";
    let flate_of_flate = zlib(&zlib(&zlib(&vec![b' '; 512 << 20])));
    let filters = "/Filter [/FlateDecode /FlateDecode /FlateDecode]";
    let kids: String = (0..20_000).map(|n| format!("{} 0 R ", n + 4)).collect();
    let mut pages = vec![
        b"<</Type /Catalog /Pages 2 0 R>>".to_vec(),
        format!("<</Type /Pages /Kids [{kids}] /Count 2000000000 {box_of} /Resources <</Font <</F <</Type /Font /Subtype /Type1 /BaseFont /Helvetica>>>>>>>>").into_bytes(),
        stream("", said),
    ];
    pages.extend((0..20_000).map(|_| b"<</Type /Page /Parent 2 0 R /Contents 3 0 R>>".to_vec()));
    let cycle = pdf(&[
        b"<</Type /Catalog /Pages 2 0 R /Outlines 2 0 R /Names <</EmbeddedFiles 2 0 R>> /AcroForm <</Fields [2 0 R]>>>>".to_vec(),
        b"<</Type /Pages /Kids [2 0 R 3 0 R] /Count 2 /Parent 3 0 R /Names [2 0 R]>>".to_vec(),
        b"<</Type /Pages /Kids [2 0 R 3 0 R 2 0 R] /Count 3 /Parent 2 0 R>>".to_vec(),
    ]);
    let form = stream("/Subtype /Form /BBox [0 0 9 9] /Resources <</XObject <</X 5 0 R>>>>", b"/X Do /X Do /X Do /X Do");
    // Each form draws the next one ten times.
    let forms: Vec<Vec<u8>> = (0..20)
        .map(|n| stream(&format!("/Subtype /Form /BBox [0 0 9 9] /Resources <</XObject <</X {} 0 R>>>>", n + 6), &b"/X Do ".repeat(10)))
        .collect();
    let mut xref = pdf(&[b"<</Type /Catalog /Pages 2 0 R>>".to_vec(), b"<</Type /Pages /Kids [] /Count 0>>".to_vec()]);
    let text = String::from_utf8(xref.clone()).unwrap();
    let at = text.find("xref\n").unwrap();
    xref = text.replace("/Root 1 0 R>>", &format!("/Root 1 0 R /Prev {at} /XRefStm {at}>>")).into_bytes();
    let looping = "%PDF-1.7\n1 0 obj\n<</Type /Catalog /Pages 2 0 R>>\nendobj\n5 0 obj\n<</Type /ObjStm /N 1 /First 4 /Extends 5 0 R /Length 6 0 R>>\nstream\n6 0 5 0 R\nendstream\nendobj\n\
        trailer <</Root 1 0 R>>\nstartxref\n9\n%%EOF\n";
    vec![
        Bomb("flate-of-flate.pdf", one_page(box_of, stream(filters, &flate_of_flate), &[]), &["too large"]),
        Bomb("pages.pdf", pdf(&pages), &[]),
        Bomb("tall.pdf", one_page("/MediaBox [0 0 600 28346457] /UserUnit 75000", stream("", said), &[]), &[]),
        Bomb("xref-loop.pdf", xref, &[]),
        Bomb("object-stream-loop.pdf", looping.into(), &["malformed"]),
        Bomb("cycle.pdf", cycle, &["no words were found"]),
        Bomb("form-in-itself.pdf", one_page(box_of, stream("", b"/X Do"), &[form]), &[]),
        Bomb("forms.pdf", one_page(box_of, stream("", b"/X Do"), &forms), &["too"]),
        Bomb("arrays.pdf", one_page(box_of, [b"[".repeat(1_000_000), b"]".repeat(1_000_000)].concat(), &[]), &[]),
        Bomb("content-arrays.pdf", one_page(box_of, stream("", &b"[".repeat(1_000_000)), &[]), &[]),
    ]
}

// --- XML, HTML, JSON, CSV, text -----------------------------------------------------------------------------------------------------------

fn package(parts: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut zip = Zip::default();
    for (name, content) in parts {
        let (packed, length) = deflate(content);
        zip.add(name, &packed, length, 8, None);
    }
    zip.finish()
}

fn word(document: String) -> Vec<u8> {
    package(&[("[Content_Types].xml", b"<Types/>".to_vec()), ("word/document.xml", document.into_bytes())])
}

fn workbook(sheet: String) -> Vec<u8> {
    package(&[
        ("[Content_Types].xml", b"<Types/>".to_vec()),
        ("xl/workbook.xml", b"<workbook><sheets><sheet name='One' r:id='r1'/></sheets></workbook>".to_vec()),
        (
            "xl/_rels/workbook.xml.rels",
            b"<Relationships><Relationship Id='r1' Type='x/worksheet' Target='worksheets/sheet1.xml'/></Relationships>".to_vec(),
        ),
        ("xl/worksheets/sheet1.xml", sheet.into_bytes()),
    ])
}

fn open_document(kind: &str, content: String) -> Vec<u8> {
    let mut zip = Zip::default();
    let media = format!("application/vnd.oasis.opendocument.{kind}");
    zip.add("mimetype", media.as_bytes(), media.len(), 0, None);
    let (packed, length) = deflate(content.as_bytes());
    zip.add("content.xml", &packed, length, 8, None);
    zip.finish()
}

fn markup() -> Vec<Bomb> {
    let mut laughs = "<!DOCTYPE x [<!ENTITY a0 \"ha\">".to_owned();
    (1..20).for_each(|n| laughs.push_str(&format!("<!ENTITY a{n} \"{}\">", format!("&a{};", n - 1).repeat(10))));
    laughs.push_str("]>");
    let quadratic = format!("<!DOCTYPE x [<!ENTITY a \"{}\">]>", "x".repeat(100_000));
    let paragraph =
        |dtd: &str, inside: &str| format!("{dtd}<w:document><w:body><w:p><w:r><w:t>{inside}</w:t></w:r></w:p></w:body></w:document>");
    let deep =
        |name: &str, inside: &str| format!("{}{inside}{}", format!("<{name}>").repeat(100_000), format!("</{name}>").repeat(100_000));
    let cell = "<table:table-row table:number-rows-repeated='1048576'><table:table-cell table:number-columns-repeated='16384' office:value-type='string'><text:p>x</text:p></table:table-cell></table:table-row>";
    let ods = format!(
        "<office:document-content><office:body><office:spreadsheet><table:table table:name='a'>{}</table:table></office:spreadsheet></office:body></office:document-content>",
        cell.repeat(100)
    );
    let spaces = format!(
        "<office:document-content><office:body><office:text><text:p>{}</text:p></office:text></office:body></office:document-content>",
        "<text:s text:c='2000000000'/>".repeat(1000)
    );
    vec![
        Bomb("laughs.docx", word(paragraph(&laughs, "&a19;")), &[]),
        Bomb("quadratic.docx", word(paragraph(&quadratic, &"&a;".repeat(100_000))), &[]),
        Bomb("laughs.odt", open_document("text", format!("{laughs}<office:document-content><office:body><office:text><text:p>&a19;</text:p></office:text></office:body></office:document-content>")), &[]),
        Bomb("deep.docx", word(format!("<w:document><w:body>{}</w:body></w:document>", deep("w:p", "x"))), &[]),
        Bomb("deep.odt", open_document("text", deep("text:p", "x")), &[]),
        Bomb("one-cell.xlsx", workbook("<worksheet><dimension ref='A1:XFD1048576'/><sheetData><row r='1048576'><c r='XFD1048576'><v>1</v></c></row></sheetData></worksheet>".into()), &[]),
        Bomb("cells.ods", open_document("spreadsheet", ods), &[]),
        Bomb("spaces.odt", open_document("text", spaces), &[]),
        Bomb("deep.html", deep("div", "x").into(), &[]),
        Bomb("deep.xml", deep("a", "x").into(), &[]),
        Bomb("deep.json", [b"[".repeat(1_000_000), b"]".repeat(1_000_000)].concat(), &[]),
        Bomb("deep.rtf", [b"{\\rtf1 ".to_vec(), b"{".repeat(1_000_000), b"x".to_vec(), b"}".repeat(1_000_001)].concat(), &[]),
        Bomb("bin.rtf", b"{\\rtf1 before\\bin2147483647 after}".to_vec(), &[]),
        Bomb("line.csv", b"12,word,".repeat(90 << 17), &["too large"]),
    ]
}

// --- compound files, mail stores, TNEF ----------------------------------------------------------------------------------------------------

/// A compound file by the book, to be broken: streams from sector 0 on, then the directory, then the table of sectors.
fn compound(streams: &[(&str, &[u8])]) -> (Vec<u8>, usize, usize) {
    const END: u32 = 0xffff_fffe;
    let (mut sectors, mut fat, mut starts) = (Vec::new(), Vec::<u32>::new(), Vec::new());
    let mut put = |sectors: &mut Vec<u8>, content: &[u8]| {
        let first = fat.len() as u32;
        let count = content.len().div_ceil(512).max(1) as u32;
        sectors.extend(content);
        sectors.resize((first + count) as usize * 512, 0);
        fat.extend((1..count).map(|n| first + n));
        fat.push(END);
        first
    };
    streams.iter().for_each(|(_, content)| starts.push(put(&mut sectors, content)));
    let entry = |name: &str, kind: u8, links: [u32; 3], start: u32, size: u64| {
        let mut entry: Vec<u8> = name.encode_utf16().take(31).flat_map(u16::to_le_bytes).collect();
        let length = entry.len() as u16 + 2;
        entry.resize(128, 0);
        entry[64..66].copy_from_slice(&length.to_le_bytes());
        entry[66..68].copy_from_slice(&[kind, 1]);
        links.iter().enumerate().for_each(|(n, link)| entry[68 + n * 4..][..4].copy_from_slice(&link.to_le_bytes()));
        entry[116..120].copy_from_slice(&start.to_le_bytes());
        entry[120..128].copy_from_slice(&size.to_le_bytes());
        entry
    };
    let mut directory = entry("Root Entry", 5, [u32::MAX, u32::MAX, 1], END, 0);
    for (at, (name, content)) in streams.iter().enumerate() {
        let next = if at + 1 < streams.len() { at as u32 + 2 } else { u32::MAX };
        directory.extend(entry(name, 2, [u32::MAX, next, u32::MAX], starts[at], content.len() as u64));
    }
    let directory_at = put(&mut sectors, &directory);
    let tables = (fat.len() + 1).div_ceil(127);
    let table_at = fat.len();
    fat.extend((0..tables).map(|_| 0xffff_fffd));
    let mut table: Vec<u8> = fat.iter().flat_map(|n| n.to_le_bytes()).collect();
    table.resize(tables * 512, 0xff);
    sectors.extend(table);
    let mut bytes = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".to_vec();
    bytes.resize(512, 0);
    bytes[24..34].copy_from_slice(&[0x3e, 0, 3, 0, 0xfe, 0xff, 9, 0, 6, 0]);
    bytes[44..48].copy_from_slice(&(tables as u32).to_le_bytes());
    bytes[48..52].copy_from_slice(&directory_at.to_le_bytes());
    bytes[60..64].copy_from_slice(&END.to_le_bytes());
    bytes[68..72].copy_from_slice(&END.to_le_bytes());
    bytes[76..512].fill(0xff);
    (0..tables.min(109)).for_each(|n| bytes[76 + n * 4..][..4].copy_from_slice(&((table_at + n) as u32).to_le_bytes()));
    bytes.extend(sectors);
    (bytes, 512 + directory_at as usize * 512, 512 + table_at * 512)
}

fn old_office() -> Vec<Bomb> {
    let streams: [(&str, &[u8]); 2] = [("WordDocument", &[0xec; 5000]), ("1Table", &[1; 5000])];
    let (whole, directory, table) = compound(&streams);
    let mut fat_loop = whole.clone();
    fat_loop[table..table + 4].copy_from_slice(&0u32.to_le_bytes());
    fat_loop[directory + 128 + 120..][..4].copy_from_slice(&u32::MAX.to_le_bytes());
    let mut difat_loop = whole.clone();
    // The table of tables goes on in the first sector, whose last number leads to itself.
    difat_loop[68..76].copy_from_slice(&[0, 0, 0, 0, 0xff, 0xff, 0xff, 0x7f]);
    difat_loop[512 + 508..1024].copy_from_slice(&0u32.to_le_bytes());
    let mut tree_loop = whole.clone();
    for entry in 0..3 {
        (68..80).step_by(4).for_each(|at| tree_loop[directory + entry * 128 + at..][..4].copy_from_slice(&1u32.to_le_bytes()));
    }
    // A thousand streams that are one: each of them ten megabytes.
    let long = vec![b'x'; 10 << 20];
    let mut many: Vec<(&str, &[u8])> = vec![("__properties_version1.0", &[0; 32]), ("long", &long)];
    many.extend((0..1000).map(|_| ("__substg1.0_37010102", &b"x"[..])));
    let (mut shared, directory, _) = compound(&many);
    let start: [u8; 4] = shared[directory + 2 * 128 + 116..][..4].try_into().unwrap();
    for entry in 3..1003 {
        shared[directory + entry * 128 + 116..][..4].copy_from_slice(&start);
        shared[directory + entry * 128 + 120..][..4].copy_from_slice(&(10u32 << 20).to_le_bytes());
    }
    let mut store = vec![0; 4096];
    store[..4].copy_from_slice(b"!BDN");
    store[10] = 23;
    store[224..232].copy_from_slice(&1024u64.to_le_bytes());
    store[240..248].copy_from_slice(&1024u64.to_le_bytes());
    // A page of 15 children, each of which is the page itself.
    store[1024 + 488..1024 + 492].copy_from_slice(&[15, 15, 32, 1]);
    store[1024 + 496..1024 + 498].copy_from_slice(&[0x81, 0x81]);
    (0..15).for_each(|n| store[1024 + n * 32 + 16..][..8].copy_from_slice(&1024u64.to_le_bytes()));
    let mut tnef = unhex("789f3e220100");
    tnef.extend(unhex("010780060004000000e4040000e800"));
    tnef.extend([2, 0x0f, 0x80, 6, 0, 0xff, 0xff, 0xff, 0xff]);
    vec![
        Bomb("fat-loop.doc", fat_loop, &[""]),
        Bomb("difat-loop.doc", difat_loop, &[""]),
        Bomb("tree-loop.doc", tree_loop, &[""]),
        Bomb("shared.msg", shared, &[]),
        Bomb("loop.pst", store, &["malformed"]),
        Bomb("winmail.dat", tnef, &["truncated"]),
    ]
}

// --- mail ---------------------------------------------------------------------------------------------------------------------------------

fn mail() -> Vec<Bomb> {
    let head = "From: a@b\nSubject: s\n";
    let mut nested = head.to_owned();
    (0..10_000).for_each(|n| nested.push_str(&format!("Content-Type: multipart/mixed; boundary=\"b{n}\"\n\n--b{n}\n")));
    let mut forwarded = head.to_owned();
    (0..10_000).for_each(|n| forwarded.push_str(&format!("Content-Type: message/rfc822\n\nFrom: a@b\nSubject: {n}\n")));
    let field = format!("{head}X-Long: {}\n\nwords\n", "x".repeat(20 << 20));
    let parts = format!("{head}Content-Type: multipart/mixed; boundary=b\n\n{}", "--b\n\nx\n".repeat(200_000));
    let words = format!("From: a@b\nSubject: {}\n\nx\n", "=?utf-8?B?eHh4?= ".repeat(100_000));
    let comments = format!("From: {}a@b{}\nSubject: s\n\nx\n", "(".repeat(500_000), ")".repeat(500_000));
    vec![
        Bomb("multiparts.eml", nested.into(), &["nested too deep"]),
        Bomb("forwarded.eml", forwarded.into(), &["nested too deep"]),
        Bomb("long-field.eml", field.into(), &[]),
        Bomb("parts.eml", parts.into(), &["too many parts"]),
        Bomb("encoded-words.eml", words.into(), &[]),
        Bomb("comments.eml", comments.into(), &[]),
    ]
}

// --- small files that are whole, for others to damage --------------------------------------------------------------------------------------

/// One of each sort, with a name that says which.
pub(crate) fn samples() -> Vec<(String, Vec<u8>)> {
    let message = "From: a@b.example\nTo: c@d.example\nSubject: a sample\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nwords\n--b\n\
        Content-Type: text/html\nContent-Transfer-Encoding: quoted-printable\n\n<p>caf=C3=A9\n--b\nContent-Disposition: attachment; filename=a.txt\nContent-Transfer-Encoding: base64\n\naGVsbG8=\n--b--\n";
    let mailbox = format!("From a@b Mon Jan  3 10:00:00 2005\n{message}\nFrom c@d Tue Jan  4 10:00:00 2005\n{message}");
    let mut zip = Zip::default();
    let (packed, length) = deflate(message.as_bytes());
    zip.add("a.eml", &packed, length, 8, None);
    zip.add("b.txt", b"stored words", 12, 0, None);
    let mut tar = tar_header("a.txt", b'0', 5);
    tar.extend(pad(b"words".to_vec()));
    let mut gz = GzEncoder::new(Vec::new(), Compression::best());
    gz.write_all(message.as_bytes()).unwrap();
    let page =
        one_page("/MediaBox [0 0 600 800]", stream("/Filter /FlateDecode", &zlib(b"BT /F 12 Tf 72 72 Td (words of a page) Tj ET")), &[]);
    let document = "<w:document><w:body><w:p><w:r><w:t>words</w:t></w:r></w:p></w:body></w:document>";
    let sheet =
        "<worksheet><sheetData><row r='1'><c r='A1' t='inlineStr'><is><t>words</t></is></c><c><v>7</v></c></row></sheetData></worksheet>";
    let text =
        "<office:document-content><office:body><office:text><text:p>words</text:p></office:text></office:body></office:document-content>";
    let mut old = vec![0; 0x500];
    old[..12].copy_from_slice(&[0xec, 0xa5, 0xc1, 0, 0, 0, 0, 0, 0, 0, 0, 0x12]);
    old[0x400..0x406].copy_from_slice(b"words\r");
    let all: [(&str, Vec<u8>); 17] = [
        ("a.eml", message.into()),
        ("a.mbox", mailbox.into()),
        ("a.zip", zip.finish()),
        ("a.tar", pad([tar, vec![0; 1024]].concat())),
        ("a.eml.gz", gz.finish().unwrap()),
        ("a.bin.bz2", unhex(BZIP2_ZEROS)),
        ("a.pdf", page),
        ("a.docx", word(document.into())),
        ("a.xlsx", workbook(sheet.into())),
        ("a.odt", open_document("text", text.into())),
        ("a.doc", compound(&[("WordDocument", &old), ("1Table", &[0; 600])]).0),
        ("a.msg", compound(&[("__properties_version1.0", &[0; 48]), ("__substg1.0_1000001E", b"words of a message")]).0),
        ("a.rtf", b"{\\rtf1\\ansi{\\fonttbl{\\f0 A;}}\\f0 words\\par more {\\v hidden}}".to_vec()),
        ("a.html", b"<html><head><title>t</title></head><body><p>words<table><tr><td>1<td>2</table></body></html>".to_vec()),
        ("a.csv", b"name,number\nwords,1\n\"more, words\",2\n".to_vec()),
        ("a.txt", "words, and caf\u{e9}\n".repeat(20).into()),
        ("a.tif", b"II*\0\x08\0\0\0\x02\0\0\x01\x03\0\x01\0\0\0\x07\0\0\0\x01\x01\x03\0\x01\0\0\0\x07\0\0\0\0\0\0\0".to_vec()),
    ];
    all.into_iter().map(|(name, bytes)| (name.to_owned(), bytes)).collect()
}
