//! Text on pages that are pictures: drawn in a cage, recognised in another, found by search. Every picture is made here, from a page of words that the
//! program itself draws.

use crate::support::{Spoken, corpora, daylight, program, tool, workplace};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// The program with another environment.
fn with(variable: &str, value: &str, line: &[&str]) -> Spoken {
    Command::new(program()).args(line).env(variable, value).stdin(Stdio::null()).output().unwrap().into()
}

/// A PDF of these objects, the first of which is its catalogue.
fn pdf(objects: &[Vec<u8>]) -> Vec<u8> {
    let mut file = b"%PDF-1.7\n".to_vec();
    let mut places = Vec::new();
    for (number, object) in objects.iter().enumerate() {
        places.push(file.len());
        file.extend(format!("{} 0 obj\n", number + 1).bytes());
        file.extend(object);
        file.extend(b"\nendobj\n");
    }
    let table = file.len();
    file.extend(format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1).bytes());
    for place in places {
        file.extend(format!("{place:010} 00000 n \n").bytes());
    }
    file.extend(format!("trailer\n<< /Size {} /Root 1 0 R >>\nstartxref\n{table}\n%%EOF\n", objects.len() + 1).bytes());
    file
}

fn stream(entries: &str, data: &[u8]) -> Vec<u8> {
    [format!("<< {entries} /Length {} >>\nstream\n", data.len()).as_bytes(), data, b"\nendstream"].concat()
}

/// A PDF whose pages are these: further entries of each, and what it draws. `resources` is shared by all, as are the objects after the pages.
pub(crate) fn pages(pages: &[(&str, &str)], resources: &str, others: &[Vec<u8>]) -> Vec<u8> {
    let first = 3 + others.len();
    let kids: Vec<String> = (0..pages.len()).map(|n| format!("{} 0 R", first + 2 * n)).collect();
    let mut objects = vec![
        b"<< /Type /Catalog /Pages 2 0 R >>".to_vec(),
        format!("<< /Type /Pages /Count {} /Kids [{}] /Resources << {resources} >> >>", pages.len(), kids.join(" ")).into_bytes(),
    ];
    objects.extend(others.iter().cloned());
    for (n, (entries, content)) in pages.iter().enumerate() {
        objects.push(format!("<< /Type /Page /Parent 2 0 R {entries} /Contents {} 0 R >>", first + 2 * n + 1).into_bytes());
        objects.push(stream("", content.as_bytes()));
    }
    pdf(&objects)
}

/// Half a sheet.
pub(crate) const A5: &str = "/MediaBox [0 0 420 595]";

/// A page of large letters.
fn written(lines: &[&str]) -> Vec<u8> {
    let text: String = lines.iter().map(|line| format!("({line}) Tj 0 -40 Td ")).collect();
    let font = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".to_vec();
    pages(&[(A5, &format!("BT /F 24 Tf 40 500 Td {text} ET"))], "/Font << /F 3 0 R >>", &[font])
}

/// A picture as a PNG file has it.
struct Png {
    width: u32,
    height: u32,
    colours: u8,
    packed: Vec<u8>,
}

impl Png {
    fn read(file: &[u8]) -> Self {
        assert!(file.starts_with(b"\x89PNG\r\n\x1a\n"), "{} bytes", file.len());
        let mut png = Self { width: 0, height: 0, colours: 0, packed: Vec::new() };
        let mut rest = &file[8..];
        while rest.len() >= 12 {
            let number = |at: usize| u32::from_be_bytes(rest[at..at + 4].try_into().unwrap());
            let length = number(0) as usize;
            match &rest[4..8] {
                b"IHDR" => (png.width, png.height, png.colours) = (number(8), number(12), rest[17]),
                b"IDAT" => png.packed.extend(&rest[8..8 + length]),
                _ => {}
            }
            rest = &rest[12 + length..];
        }
        png
    }

    /// The same as an image of a PDF, which packs pixels as PNG does.
    fn image(&self) -> Vec<u8> {
        let (space, colours) = if self.colours == 0 { ("/DeviceGray", 1) } else { ("/DeviceRGB", 3) };
        let Self { width, height, .. } = self;
        let entries = format!(
            "/Type /XObject /Subtype /Image /Width {width} /Height {height} /ColorSpace {space} /BitsPerComponent 8 /Filter /FlateDecode \
             /DecodeParms << /Predictor 15 /Colors {colours} /BitsPerComponent 8 /Columns {width} >>"
        );
        stream(&entries, &self.packed)
    }
}

/// The picture of a page of words, as the program draws it.
fn picture(work: &Path, lines: &[&str]) -> Vec<u8> {
    let (trove, desk, file) = (work.join("words.pdf"), work.join("drawing-desk"), work.join("page.png"));
    fs::write(&trove, written(lines)).unwrap();
    daylight(["init", path(&desk)]).code(0);
    daylight(["ingest", path(&desk), path(&trove), "--collection", "c"]).code(0);
    let id = only(&desk, "type:file");
    daylight(["show", path(&desk), &id, "--page", "1", "--png", path(&file)]).code(0);
    let picture = fs::read(&file).unwrap();
    for kept in [&trove, &file] {
        fs::remove_file(kept).unwrap();
    }
    fs::remove_dir_all(&desk).unwrap();
    picture
}

const WHOLE: &str = "q 420 0 0 595 0 0 cm /I Do Q";

/// A scan: the picture on each page, turned so.
fn scan(picture: &[u8], turned: &[u32]) -> Vec<u8> {
    let entries: Vec<String> = turned.iter().map(|turned| format!("{A5} /Rotate {turned}")).collect();
    let all: Vec<(&str, &str)> = entries.iter().map(|entries| (entries.as_str(), WHOLE)).collect();
    pages(&all, "/XObject << /I 3 0 R >>", &[Png::read(picture).image()])
}

fn found(desk: &Path, query: &str) -> BTreeSet<String> {
    let found = daylight(["search", path(desk), query, "--json"]).json();
    found["hits"].as_array().unwrap().iter().map(|hit| hit["id"].as_str().unwrap().to_owned()).collect()
}

fn only(desk: &Path, query: &str) -> String {
    let found = found(desk, query);
    assert_eq!(found.len(), 1, "{query}: {found:?}");
    found.into_iter().next().unwrap()
}

/// The reasons of a document's faults, with their details.
fn faults(desk: &Path, id: &str) -> Vec<(String, String)> {
    let facts = daylight(["show", path(desk), id, "--json"]).json();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    facts["faults"].as_array().unwrap().iter().map(|fault| (text(&fault["reason"]), text(&fault["detail"]))).collect()
}

/// How a page is turned is told from its letters: a few would not do.
const LINES: [&str; 8] = [
    "The harbour master",
    "kept a second ledger",
    "about every shipment",
    "of turbine blades.",
    "Nobody asked him why",
    "crates were weighed",
    "twice on the night",
    "before they sailed.",
];

#[test]
fn a_scan_is_found_by_its_words_however_its_pages_lie() {
    if !tool("tesseract") {
        return;
    }
    let work = workplace();
    let picture = picture(work.path(), &LINES);
    let (trove, desk) = (work.path().join("trove"), work.path().join("desk"));
    fs::create_dir(&trove).unwrap();
    fs::write(trove.join("scan.pdf"), scan(&picture, &[0, 90, 180, 270])).unwrap();
    fs::write(trove.join("photo.png"), &picture).unwrap();
    daylight(["init", path(&desk)]).code(0);
    let ingest = ["ingest", path(&desk), path(&trove), "--collection", "c", "--json"];
    // Left for later when asked, and counted; the next ingest does what an earlier one left.
    let later = daylight(ingest.into_iter().chain(["--recognise-later"])).json();
    let waiting = (&later["documents"], &later["recognition"]["pages"], &later["recognition"]["documents_waiting"]);
    assert_eq!(waiting, (&2.into(), &0.into(), &2.into()), "{later}");
    assert!(daylight(["status", path(&desk)]).text().contains("`daylight recognise` does it"));
    assert_eq!(daylight(["status", path(&desk), "--json"]).json()["to_recognise"], 2);
    let told = daylight(ingest).json();
    let recognition = &told["recognition"];
    assert_eq!(
        (&recognition["documents"], &recognition["pages"], &recognition["pages_failed"]),
        (&2.into(), &5.into(), &0.into()),
        "{told}"
    );

    let both = found(&desk, "\"harbour master\" ledger turbine");
    assert_eq!(both.len(), 2);
    let (pdf, png) = (only(&desk, "turbine type:pdf"), only(&desk, "turbine type:image"));
    let text = daylight(["show", path(&desk), &pdf, "--text"]).text();
    let on: Vec<bool> = text.split('\u{c}').map(|page| page.contains("second ledger")).collect();
    assert_eq!(on, [true; 4], "{text}");
    assert!(text.starts_with("[recognised text]\n") && text.trim_end().ends_with("[end of recognised text]"), "{text}");
    let detail = "the text of pages 1-4 was seen by a machine in a picture and may be wrong";
    assert_eq!(faults(&desk, &pdf), [("text recognised by a machine".to_owned(), detail.to_owned())]);
    assert_eq!(faults(&desk, &png).len(), 1);
    assert_eq!(daylight(["status", path(&desk), "--json"]).json()["not_fully_read"], 0);

    // Nothing is left to do, and doing it again by name changes nothing.
    let again = daylight(ingest).json();
    assert_eq!((&again["unchanged"], &again["recognition"]["documents"]), (&2.into(), &0.into()));
    assert!(daylight(["recognise", path(&desk)]).code(0).text().contains("no document waits"));
    let again = daylight(["recognise", path(&desk), &png, "--json"]).json();
    assert_eq!((&again["documents"], &again["pages"]), (&1.into(), &1.into()));
    assert_eq!(daylight(["show", path(&desk), &pdf, "--text"]).text(), text);

    // What is published says what it is.
    let (key, archive) = (work.path().join("key"), work.path().join("archive"));
    daylight(["clear", path(&desk), "--collection", "c", "--all", "--as", "Ana"]).code(0);
    daylight(["key", "new", path(&key)]).code(0);
    daylight(["publish", path(&desk), "--collection", "c", "--to", path(&archive), "--key", path(&key)]).code(0);
    let shown = ["1", "2"].map(|number| daylight(["show", path(&archive), &format!("c/{number}"), "--text"]).text());
    assert!(shown.iter().all(|text| text.contains("[recognised text]") && text.contains("turbine")), "{shown:?}");
}

#[test]
fn what_waits_for_a_tool_is_said_once_and_read_when_it_is_there() {
    if !tool("tesseract") {
        return;
    }
    let work = workplace();
    let picture = picture(work.path(), &LINES);
    let (trove, desk) = (work.path().join("trove"), work.path().join("desk"));
    fs::create_dir(&trove).unwrap();
    fs::write(trove.join("photo.png"), &picture).unwrap();
    let grey = stream("/Type /XObject /Subtype /Image /Width 1 /Height 1 /ColorSpace /DeviceGray /BitsPerComponent 8", &[120]);
    fs::write(trove.join("grey.pdf"), pages(&[(A5, WHOLE)], "/XObject << /I 3 0 R >>", &[grey])).unwrap();
    daylight(["init", path(&desk)]).code(0);
    let ingest = ["ingest", path(&desk), path(&trove), "--collection", "c"];
    let without = with("PATH", "/nonexistent", &ingest).code(0).text();
    assert!(without.contains("2 documents to have text recognised") && without.contains("tesseract-ocr"), "{without}");
    let listed = with("PATH", "/nonexistent", &["faults", path(&desk)]).code(0).text();
    assert_eq!(listed.matches("tesseract-ocr ").count(), 1, "{listed}");
    assert!(listed.contains("needs text recognition"), "{listed}");
    assert!(with("PATH", "/nonexistent", &["doctor"]).text().contains("none: no Tesseract is installed"));
    with("PATH", "/nonexistent", &["recognise", path(&desk)]).code(1);
    assert!(found(&desk, "turbine").is_empty());

    let told = daylight(ingest).code(0).text();
    assert!(told.contains("text recognised on 1 page of 2 documents; 1 without a word, 0 not done (recognise 1, tesseract "), "{told}");
    only(&desk, "turbine");
    let wordless = faults(&desk, &only(&desk, "type:pdf"));
    assert_eq!(wordless, [("text recognised by a machine".to_owned(), "no word was seen on page 1".to_owned())]);
    assert!(daylight(["recognise", path(&desk)]).code(0).text().contains("no document waits"));
}

#[test]
fn words_that_are_seen_stand_in_the_place_of_gibberish() {
    if !tool("tesseract") {
        return;
    }
    let work = workplace();
    let (trove, desk) = (work.path().join("gibberish.pdf"), work.path().join("desk"));
    let map = "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /X def /CMapType 2 def 1 begincodespacerange <00> <ff> \
               endcodespacerange 1 beginbfrange <20> <7e> <e020> endbfrange endcmap end end";
    let font = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /ToUnicode 4 0 R >>".to_vec();
    let text: String = LINES.iter().map(|line| format!("({line}) Tj 0 -40 Td ")).collect();
    let content = format!("BT /F 24 Tf 40 500 Td {text} ET");
    fs::write(&trove, pages(&[(A5, &content)], "/Font << /F 3 0 R >>", &[font, stream("", map.as_bytes())])).unwrap();
    daylight(["init", path(&desk)]).code(0);
    with("PATH", "/nonexistent", &["ingest", path(&desk), path(&trove), "--collection", "c"]).code(0);
    let id = only(&desk, "type:pdf");
    let before = daylight(["show", path(&desk), &id, "--text"]).text();
    assert!(before.contains('\u{e074}') && found(&desk, "turbine").is_empty(), "{before}");
    daylight(["recognise", path(&desk)]).code(0);
    assert_eq!(only(&desk, "\"second ledger\" turbine"), id);
    let after = daylight(["show", path(&desk), &id, "--text"]).text();
    assert!(!after.contains('\u{e074}') && after.contains("turbine"), "{after}");
    assert!(faults(&desk, &id)[0].1.contains("the characters that page 1 had are left out"), "{:?}", faults(&desk, &id));
}

#[test]
fn a_recognition_killed_at_any_step_goes_on_where_it_was() {
    if !tool("tesseract") {
        return;
    }
    let work = workplace();
    let picture = picture(work.path(), &LINES);
    let (trove, ready) = (work.path().join("scan.pdf"), work.path().join("ready"));
    fs::write(&trove, scan(&picture, &[0, 180])).unwrap();
    daylight(["init", path(&ready)]).code(0);
    with("PATH", "/nonexistent", &["ingest", path(&ready), path(&trove), "--collection", "c"]).code(0);
    let seen = |desk: &Path| {
        let id = only(desk, "harbour");
        (daylight(["show", path(desk), &id, "--text"]).text(), faults(desk, &id))
    };
    let copy = |name: &str| {
        let to = work.path().join(name);
        assert!(Command::new("cp").arg("-r").arg(&ready).arg(&to).status().unwrap().success());
        to
    };
    let log = work.path().join("log");
    let undisturbed = copy("undisturbed");
    with("DAYLIGHT_CRASH_LOG", path(&log), &["recognise", path(&undisturbed)]).code(0);
    let expected = seen(&undisturbed);
    let passed = fs::read_to_string(&log).unwrap();
    let names: BTreeSet<&str> = passed.lines().collect();
    assert!(names.contains("store.pack-synced") && names.contains("store.committed"), "{passed}");
    for (number, name) in names.iter().enumerate() {
        let desk = copy(&format!("killed-{number}"));
        let died = with("DAYLIGHT_CRASH_AT", name, &["recognise", path(&desk)]);
        assert_eq!(died.code, None, "it should have died at {name}: {died:?}");
        daylight(["recognise", path(&desk)]).code(0);
        assert_eq!(seen(&desk), expected, "killed at {name}");
        assert_eq!(fs::read_dir(desk.join("blob/tmp")).unwrap().filter(|one| one.as_ref().unwrap().path().is_file()).count(), 0);
    }
}

/// A PNG that says it is this large, and breaks off.
fn png_of(width: u32, height: u32) -> Vec<u8> {
    let head = [b"IHDR".as_slice(), &width.to_be_bytes(), &height.to_be_bytes(), &[8, 6, 0, 0, 0]].concat();
    let mut crc = !0u32;
    for byte in &head {
        crc ^= u32::from(*byte);
        (0..8).for_each(|_| crc = if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 });
    }
    [b"\x89PNG\r\n\x1a\n\0\0\0\x0d".as_slice(), &head, &(!crc).to_be_bytes(), b"\0\0\0\0IDAT\x35\xaf\x06\x1e"].concat()
}

#[test]
fn what_is_too_large_to_draw_ends_in_a_fault_and_its_neighbours_are_read() {
    let work = workplace();
    let (trove, desk) = (work.path().join("trove"), work.path().join("desk"));
    fs::create_dir(&trove).unwrap();
    // A page ten metres tall; forms in forms, ten thousand million of them; pixels beyond all memory; an image that says so of itself.
    let tall = "/MediaBox [0 0 595 28346]";
    let grey = stream("/Type /XObject /Subtype /Image /Width 1 /Height 1 /ColorSpace /DeviceGray /BitsPerComponent 8", &[120]);
    fs::write(trove.join("tall.pdf"), pages(&[(tall, "q 595 0 0 28346 0 0 cm /I Do Q")], "/XObject << /I 3 0 R >>", &[grey])).unwrap();
    let forms: Vec<Vec<u8>> = (0..10)
        .map(|n| {
            let more = if n < 9 { format!("/Resources << /XObject << /I {} 0 R >> >>", 4 + n) } else { String::new() };
            let draws = if n < 9 { "/I Do ".repeat(10) } else { "0 0 400 500 re f ".into() };
            stream(&format!("/Type /XObject /Subtype /Form /BBox [0 0 420 595] {more}"), draws.as_bytes())
        })
        .collect();
    fs::write(trove.join("forms.pdf"), pages(&[(A5, "/I Do"), (A5, "0 0 9 9 re f")], "/XObject << /I 3 0 R >>", &forms)).unwrap();
    fs::write(trove.join("bomb.png"), png_of(60_000, 60_000)).unwrap();
    fs::write(trove.join("icon.png"), png_of(16, 16)).unwrap();
    let lies =
        "/Type /XObject /Subtype /Image /Width 100000 /Height 100000 /ColorSpace /DeviceRGB /BitsPerComponent 16 /Filter /ASCIIHexDecode";
    fs::write(trove.join("lies.pdf"), pages(&[(A5, WHOLE)], "/XObject << /I 3 0 R >>", &[stream(lies, b"00>")])).unwrap();
    daylight(["init", path(&desk)]).code(0);
    let settings = fs::read_to_string(desk.join("daylight.toml")).unwrap().replace("memory_mib = 2048", "memory_mib = 1024");
    fs::write(desk.join("daylight.toml"), settings).unwrap();
    daylight(["ingest", path(&desk), path(&trove), "--collection", "c"]).code(0);

    let draw = |query: &str, page: &str| {
        let file = work.path().join(format!("{}-{page}.png", query.replace(':', "-")));
        let said = daylight(["show", path(&desk), &only(&desk, query), "--page", page, "--png", path(&file)]);
        (said, fs::read(file).ok().map(|file| Png::read(&file)))
    };
    let (_, drawn) = draw("file:tall.pdf", "1");
    let drawn = drawn.unwrap();
    assert!(drawn.height <= 32_001 && drawn.height > 10_000 && u64::from(drawn.width) * u64::from(drawn.height) <= 50_500_000);
    let (said, drawn) = draw("file:bomb.png", "1");
    assert!(drawn.is_none() && said.stderr.contains("60000 by 60000 pixels"), "{said:?}");
    assert!(draw("file:forms.pdf", "2").1.is_some());
    let (said, drawn) = draw("file:lies.pdf", "1");
    assert!(drawn.is_some() || said.stderr.contains("cannot be drawn"), "{said:?}");
    let (said, _) = draw("file:tall.pdf", "2");
    assert!(said.code(1).stderr.contains("there is no such page; the last is 1"));
    if !tool("tesseract") {
        return;
    }
    let reasons = |query: &str| faults(&desk, &only(&desk, query));
    assert!(reasons("file:tall.pdf").iter().any(|(reason, detail)| reason == "too large" && detail.contains("small letters are lost")));
    assert!(
        reasons("file:bomb.png")
            .iter()
            .any(|(reason, detail)| reason == "needs text recognition" && detail.contains("more than is unpacked"))
    );
    assert!(!reasons("file:icon.png").iter().any(|(reason, _)| reason == "needs text recognition"), "{:?}", reasons("file:icon.png"));
}

/// What the suite of Tesseract says it should see, in the order of its files; each word must be found by search.
#[test]
fn scans_of_the_corpora_give_their_words() {
    let Some(corpora) = corpora() else { return };
    if !tool("tesseract") {
        return;
    }
    let work = workplace();
    let (trove, desk) = (work.path().join("trove"), work.path().join("desk"));
    fs::create_dir(&trove).unwrap();
    let files = [
        ("phototest.tif", "\"quick brown dog\""),
        ("phototest-rotated-180.png", "\"quick brown dog\""),
        ("phototest-rotated-L.png", "\"quick brown dog\""),
        ("phototest-rotated-R.png", "\"quick brown dog\""),
        ("eurotext.tif", "\"quick brown\" fox lazy"),
    ];
    for (name, _) in files {
        fs::copy(corpora.join("images").join(name), trove.join(name)).unwrap();
    }
    daylight(["init", path(&desk)]).code(0);
    daylight(["ingest", path(&desk), path(&trove), "--collection", "c"]).code(0);
    for (name, query) in files {
        only(&desk, &format!("{query} file:{name}"));
    }
}
