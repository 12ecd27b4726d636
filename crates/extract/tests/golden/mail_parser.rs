//! Stalwart's mail-parser: its expected parse stands beside each message, once for line feeds and once for carriage returns with line feeds.

use crate::compare::{Content, Expected, Explained, Leaf, differences, settle};
use crate::ours::{corpus, files, message, read, words};
use daylight_model::Role;
use serde_json::Value;
use std::fs;

const WHOLE_LINE: &str = "on purpose: RFC 2046 section 5.1.1 lets a delimiter line go on after its boundary, but boundaries that begin as others do are common \
    (Apple-Mail-1 and Apple-Mail-10), so that only white space or two hyphens may follow directly; the words are there either way";
const OUTER: &str =
    "theirs misses the outer delimiter within an inner multipart that was not closed, which RFC 2046 section 5.1.2 has it end";
const WITHOUT_BLANK: &str =
    "theirs leaves a multipart whole whose header runs into its first delimiter without an empty line; we take its parts";

/// Why ours is another, message by message.
const EXPLAINED: &[Explained] = &[
    (
        "malformed/001.",
        "text: ours has more",
        "the line is the delimiter of a multipart that the outer delimiter has ended: text of the part that it stands in",
    ),
    ("malformed/001.", "attachments", "a multipart without parts is kept as it stands, and listed"),
    ("malformed/004.", "text 0", WHOLE_LINE),
    ("malformed/007.", "attachments", WITHOUT_BLANK),
    ("malformed/009.", "text 1", OUTER),
    ("malformed/011.", "text 1", OUTER),
    ("malformed/012.", "attachments", OUTER),
    (
        "malformed/016.",
        "text 2",
        "the inner multiparts were ended by the outer delimiter (RFC 2046 section 5.1.2), their delimiters after it are text",
    ),
    ("malformed/017.", "attachment 0 name", "the disposition is empty, its file's name is not; we take it"),
    (
        "malformed/019.",
        "text 0",
        "a message torn and joined by a fuzzer: of its alternatives we give plain text first, which is in a later piece",
    ),
    ("malformed/020.", "", WITHOUT_BLANK),
    ("malformed/021.", "", WITHOUT_BLANK),
    (
        "thirdparty/002.",
        "text 1",
        "a part that is no base64 at all stays as it is, and another may go on after its padding, as joined ones do",
    ),
    ("thirdparty/005.json", "text 4", "a delimiter begins a line; this one is in the middle of one"),
    (
        "thirdparty/005.crlf",
        "text 0",
        "UTF-16 to which somebody added carriage returns: theirs drops what follows the first, ours goes on with the other parts",
    ),
    ("thirdparty/015.", "attachments", "theirs stops at the first attached message and misses two that the text names"),
];

#[test]
fn every_message_is_read_as_mail_parser_reads_it_or_better() {
    let Some(folder) = corpus("mail/mail-parser/resources/eml") else { return };
    let mut found = Vec::new();
    for path in files(folder.clone(), ".eml") {
        let bytes = fs::read(&path).unwrap();
        let crlf = bytes.iter().fold(Vec::new(), |mut out, byte| {
            if *byte == b'\n' && out.last() != Some(&b'\r') {
                out.push(b'\r');
            }
            out.push(*byte);
            out
        });
        for (ending, bytes) in [("json", bytes), ("crlf.json", crlf)] {
            let beside = path.with_extension(ending);
            let label = beside.strip_prefix(&folder).unwrap().display().to_string();
            let theirs = expected(&serde_json::from_slice(&fs::read(&beside).unwrap()).unwrap());
            let reading = read("x.eml", &bytes);
            let differences = match message(&reading, 0) {
                Some(ours) => differences(&theirs, &ours),
                None => vec!["no message to us".into()],
            };
            found.push((label, differences));
        }
    }
    let (agree, differ) = settle(&found, EXPLAINED);
    println!("mail-parser: {agree} agree, {differ} differ with a reason");
    assert_eq!(agree + differ, 106);
}

/// Why single fields are read otherwise, by suite and number.
const FIELDS: &[Explained] = &[
    (
        "address 9.",
        "",
        "unfolded (RFC 5322 section 2.2.3) the backslash stands before a space, so that the bracket after it closes the comment",
    ),
    ("address 13.", "", "an obsolete route is no part of the address, and white space around its dots neither (RFC 5322 section 4.4)"),
    ("address 14.", "", "white space around a domain's dots is no part of it (RFC 5322 section 4.4)"),
    ("address 42.", "", "a List-Post field, which names nobody; as a name we keep what is written"),
    ("date 10.", "", "a month is a word (RFC 5322 section 3.3); which of two numbers it is cannot be known"),
    ("date 12.", "", "no date, but numbers"),
    ("date 14.", "", "a comment that is not closed is white space to us, the date is whole"),
    ("date 28.", "", "a Received field's value, whose date stands at its end: we read it there (see received), not in a Date field"),
    ("received 13.", "", WAYS),
    ("received 67.", "", ZONES),
    ("received 89.", "", WAYS),
    ("received 90.", "", WAYS),
    ("received 117.", "", WAYS),
    ("received 118.", "", WAYS),
    ("received 128.", "", WAYS),
    ("received 144.", "", "theirs reads the fraction of a second as minutes or seconds"),
    ("received 151.", "", WAYS),
    ("received 163.", "", ZONES),
    ("unstructured 21.", "", SPACE),
    ("unstructured 27.", "", SPACE),
    ("unstructured 28.", "", SPACE),
    ("id 6.", "", "white space in an ID is an accident; what looks like a comment may be a part of it, and stays"),
    ("content_type 34.", "", "white space between encoded words is none (RFC 2047 section 6.2)"),
    ("content_type 42.", "", ABSENT),
    ("content_type 43.", "", "the type is none, its name may be one"),
    ("content_type 55.", "", "a name of nothing but white space is none"),
    ("content_type 56.", "", "a name of nothing but white space is none"),
    ("content_type 57.", "", "a name of nothing but white space is none"),
    ("content_type 62.", "", ABSENT),
    ("content_type 63.", "", ABSENT),
];
const WAYS: &str = "theirs takes a year of two digits, or the order of asctime, for one of the first century; RFC 5322 section 4.3 and habit say otherwise";
const ZONES: &str = "theirs leaves out the zone, which RFC 5322 section 4.3 defines";
const SPACE: &str = "theirs puts a space where none is written; it makes no difference to search";
const ABSENT: &str = "a type of no letters is no type, as if the field were not there";

/// Their cases of single fields: addresses, dates, texts, IDs, media types.
#[test]
fn every_field_is_read_as_mail_parser_reads_it_or_better() {
    let Some(folder) = corpus("mail/mail-parser/resources") else { return };
    let mut found = Vec::new();
    for (suite, name) in [
        ("address", "To"),
        ("date", "Date"),
        ("received", "Received"),
        ("unstructured", "Subject"),
        ("id", "References"),
        ("content_type", "Content-Type"),
    ] {
        let cases: Value = serde_json::from_slice(&fs::read(folder.join(suite).with_extension("json")).unwrap()).unwrap();
        for (number, case) in cases.as_array().unwrap().iter().enumerate() {
            let difference = field(suite, name, case["header"].as_str().unwrap(), &case["expected"]);
            found.push((format!("{suite} {number}."), difference.into_iter().collect()));
        }
    }
    let (agree, differ) = settle(&found, FIELDS);
    println!("mail-parser, single fields: {agree} agree, {differ} differ with a reason");
    assert_eq!(agree + differ, 425);
}

fn field(suite: &str, name: &str, header: &str, theirs: &Value) -> Option<String> {
    let message_of = |header: String| message(&read("x.eml", header.as_bytes()), 0).unwrap();
    let (ours, theirs) = match suite {
        "address" => {
            let clean = |people: Vec<(String, String)>| {
                people.into_iter().map(|(name, address)| (words(&name).join(" "), address)).collect::<Vec<_>>()
            };
            let ours = message_of(format!("{name}: {header}\n")).people.into_iter().map(|(_, name, address)| (name, address)).collect();
            (format!("{:?}", clean(ours)), format!("{:?}", clean(people(theirs))))
        }
        "date" => (format!("{:?}", message_of(format!("{name}: {header}\n")).date), format!("{:?}", seconds(theirs))),
        "received" => {
            let reading = read("x.eml", format!("{name}: {header}\n").as_bytes());
            let date = reading.found[0].message.as_ref().unwrap().dates.first().map(|date| date.seconds);
            (format!("{date:?}"), format!("{:?}", seconds(&theirs["date"])))
        }
        "unstructured" => {
            (words(&message_of(format!("{name}: {header}\n")).subject).join(" "), words(theirs.as_str().unwrap_or_default()).join(" "))
        }
        "id" => {
            let ids: Vec<_> = theirs.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            (format!("{:?}", message_of(format!("{name}: {header}\n")).references), format!("{ids:?}"))
        }
        _ => {
            // As that of an attachment, which has its type and name; a part that is shown has none to be seen.
            let header = format!(
                "Content-Type: multipart/mixed; boundary=zz\n\n--zz\nContent-Disposition: attachment\n{name}: {header}\n\n--zz--\n"
            );
            let message = message_of(header);
            let Some(ours) = message.attachments.first() else { return Some("no part to us".into()) };
            let media = |theirs: &Value| match (theirs["c_type"].as_str(), theirs["c_subtype"].as_str()) {
                (Some(kind), Some(sub)) => format!("{kind}/{sub}").to_lowercase(),
                (Some("text"), None) => "text/plain".into(),
                // What is no type, to them and to us.
                _ => "application/octet-stream".into(),
            };
            let mut attributes = theirs["attributes"].as_array().into_iter().flatten();
            let name = attributes.find(|one| one[0] == "name").and_then(|one| one[1].as_str()).filter(|name| !name.is_empty());
            (format!("{} {:?}", ours.claimed, ours.name.as_deref()), format!("{} {name:?}", media(theirs)))
        }
    };
    (ours != theirs).then(|| format!("theirs {theirs}, ours {ours} of {header:?}"))
}

fn expected(theirs: &Value) -> Expected {
    let parts = theirs["parts"].as_array().unwrap();
    let field = |part: &Value, name: &str| -> Vec<Value> {
        let fields = part["headers"].as_array().unwrap().iter();
        fields.filter(|field| field["name"] == name).map(|field| field["value"].clone()).collect()
    };
    let root = &parts[0];
    let text = |name: &str| field(root, name).first().and_then(|value| value["Text"].as_str().map(str::to_owned));
    let mut expected = Expected {
        subject: text("subject"),
        date: field(root, "date").first().and_then(|value| seconds(&value["DateTime"])),
        id: text("message_id"),
        references: field(root, "references").first().map(ids).unwrap_or_default(),
        ..Expected::default()
    };
    for (name, role) in [
        ("from", Role::From),
        ("to", Role::To),
        ("cc", Role::Cc),
        ("bcc", Role::Bcc),
        ("sender", Role::Sender),
        ("reply_to", Role::ReplyTo),
    ] {
        for value in field(root, name) {
            expected.people.extend(people(&value["Address"]).into_iter().map(|(name, address)| (role, name, address)));
        }
    }
    for (number, part) in parts.iter().enumerate() {
        let content = match part["body"].as_object().and_then(|body| body.iter().next()).unwrap() {
            (kind, _) if kind == "Multipart" => continue,
            (kind, inner) if kind == "Message" => Content::Message(Box::new(self::expected(inner))),
            (kind, text) if kind == "Text" || kind == "Html" => Content::Text(text.as_str().unwrap().into()),
            (_, bytes) => Content::Bytes(bytes.as_array().unwrap().iter().map(|byte| byte.as_u64().unwrap() as u8).collect()),
        };
        let typed = field(part, "content_type").first().map(|value| value["ContentType"].clone()).unwrap_or_default();
        let disposed = field(part, "content_disposition").last().map(|value| value["ContentType"].clone()).unwrap_or_default();
        let attribute = |of: &Value, name: &str| -> Option<String> {
            of["attributes"].as_array()?.iter().find(|one| one["name"] == name)?["value"].as_str().map(str::to_owned)
        };
        let media = match (typed["c_type"].as_str(), typed["c_subtype"].as_str()) {
            (Some(kind), Some(sub)) => format!("{kind}/{sub}").to_lowercase(),
            (kind, _) => kind.unwrap_or_default().to_lowercase(),
        };
        expected.leaves.push(Leaf {
            media,
            name: attribute(&disposed, "filename").or_else(|| attribute(&typed, "name")),
            attached: disposed["c_type"] == "attachment",
            root: number == 0,
            content,
        });
    }
    expected
}

/// The names and addresses of a list or of groups.
fn people(value: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let one = |person: &Value| (text(&person["name"]), text(&person["address"]));
    let list = |people: &Value| -> Vec<_> { people.as_array().into_iter().flatten().map(one).collect() };
    match value.get("Group") {
        Some(groups) => groups.as_array().unwrap().iter().flat_map(|group| list(&group["addresses"])).collect(),
        None => list(&value["List"]),
    }
}

fn ids(value: &Value) -> Vec<String> {
    let list = value.get("TextList").and_then(Value::as_array).cloned();
    list.unwrap_or_else(|| vec![value["Text"].clone()]).iter().filter_map(|id| id.as_str().map(str::to_owned)).collect()
}

/// A date of theirs in seconds since 1970.
fn seconds(date: &Value) -> Option<i64> {
    let number = |name: &str| date[name].as_i64();
    let (year, month, day) = (number("year")?, number("month")?, number("day")?);
    let (year, month) = if month <= 2 { (year - 1, month + 9) } else { (year, month - 3) };
    let days = year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + (month * 153 + 2) / 5 + day - 1 - 719_468;
    let east = number("tz_hour")? * 3600 + number("tz_minute")? * 60;
    let east = if date["tz_before_gmt"] == true { -east } else { east };
    Some(days * 86_400 + number("hour")? * 3600 + number("minute")? * 60 + number("second")? - east)
}
