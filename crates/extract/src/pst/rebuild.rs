//! A thing in a mail store as a message (RFC 5322, MIME). The same store gives the same bytes: nothing in them is made up but the form.

mod write;

use super::ltp::{Heap, Properties, Value};
use super::ndb::{Broken, Node, Result, Store};
use super::rtf;
use crate::output::Problem;
use daylight_model::{FaultCode, Stage};
use write::Writer;

/// Messages in messages are not opened below this depth.
const DEEPEST: u32 = 16;
/// A message is not rebuilt beyond this many bytes.
const LARGEST: usize = 192 << 20;

/// Property numbers ([MS-OXPROPS]).
mod tag {
    pub(super) const CLASS: u16 = 0x001a;
    pub(super) const SUBJECT: u16 = 0x0037;
    pub(super) const SENT: u16 = 0x0039;
    pub(super) const FROM: [u16; 3] = [0x5d02, 0x0065, 0x0042];
    pub(super) const HEADER: u16 = 0x007d;
    pub(super) const RECIPIENT_TYPE: u16 = 0x0c15;
    pub(super) const SENDER: [u16; 3] = [0x5d01, 0x0c1f, 0x0c1a];
    pub(super) const DISPLAYED: [u16; 3] = [0x0e04, 0x0e03, 0x0e02];
    pub(super) const DELIVERED: u16 = 0x0e06;
    pub(super) const BODY: u16 = 0x1000;
    pub(super) const RTF: u16 = 0x1009;
    pub(super) const HTML: u16 = 0x1013;
    pub(super) const MESSAGE_ID: u16 = 0x1035;
    pub(super) const REFERENCES: u16 = 0x1039;
    pub(super) const IN_REPLY_TO: u16 = 0x1042;
    pub(super) const RECIPIENT: [u16; 3] = [0x39fe, 0x3003, 0x3001];
    pub(super) const NAME: u16 = 0x3001;
    pub(super) const HTML_CODE_PAGE: u16 = 0x3fde;
    pub(super) const CODE_PAGE: u16 = 0x3ffd;
    pub(super) const DATA: u16 = 0x3701;
    pub(super) const FILE_NAMES: [u16; 3] = [0x3707, 0x3704, 0x3001];
    pub(super) const METHOD: u16 = 0x3705;
    pub(super) const MEDIA: u16 = 0x370e;
    pub(super) const CONTENT_ID: u16 = 0x3712;
}

/// What is left out of a list of a contact's or an appointment's properties: they are the same for all, or stand in the message already.
const NOT_LISTED: [u16; 9] = [tag::CLASS, tag::SUBJECT, tag::BODY, tag::HTML, tag::HEADER, tag::MESSAGE_ID, 0x0070, 0x0e1d, 0x3008];

/// A message as it was rebuilt.
pub(super) struct Rebuilt {
    pub(super) bytes: Vec<u8>,
    /// What is missing in it.
    pub(super) problems: Vec<Problem>,
}

pub(super) fn message(store: &Store<'_>, node: &Node) -> Result<Rebuilt> {
    let mut rebuilding = Rebuilding { store, out: Writer::default(), problems: Vec::new() };
    rebuilding.message(node, 0)?;
    Ok(Rebuilt { bytes: rebuilding.out.bytes, problems: rebuilding.problems })
}

/// A property's text, in the code page that the message names.
pub(super) fn text(properties: &Properties, tag: u16) -> Option<String> {
    match properties.get(&tag)? {
        Value::Text(text) => Some(text.clone()),
        Value::Bytes8(bytes) => {
            let label = code_page(properties, tag::CODE_PAGE);
            let (text, ..) = encoding_rs::Encoding::for_label(label.as_bytes()).unwrap_or(encoding_rs::WINDOWS_1252).decode(bytes);
            Some(text.trim_end_matches('\0').to_owned())
        }
        _ => None,
    }
    .filter(|text| !text.is_empty())
}

/// A code page's name as mail and encoding_rs have it.
fn code_page(properties: &Properties, tag: u16) -> String {
    match properties.get(&tag) {
        Some(Value::Number(65001)) => "utf-8".into(),
        Some(Value::Number(1200)) => "utf-16le".into(),
        Some(Value::Number(932)) => "shift_jis".into(),
        Some(Value::Number(936)) => "gbk".into(),
        Some(Value::Number(949)) => "euc-kr".into(),
        Some(Value::Number(950)) => "big5".into(),
        Some(Value::Number(20866)) => "koi8-r".into(),
        Some(Value::Number(21866)) => "koi8-u".into(),
        Some(Value::Number(50220..=50222)) => "iso-2022-jp".into(),
        Some(Value::Number(51932)) => "euc-jp".into(),
        Some(Value::Number(54936)) => "gb18030".into(),
        Some(Value::Number(page @ 28592..=28606)) => format!("iso-8859-{}", page - 28590),
        Some(Value::Number(page @ (874 | 1250..=1258))) => format!("windows-{page}"),
        _ => "windows-1252".into(),
    }
}

struct Rebuilding<'a> {
    store: &'a Store<'a>,
    out: Writer,
    problems: Vec<Problem>,
}

/// A body: its media type with its character set, and its bytes.
type Body = (String, Vec<u8>);

impl<'a> Rebuilding<'a> {
    fn message(&mut self, node: &Node, depth: u32) -> Result<()> {
        let heap = Heap::open(self.store, node)?;
        let properties = heap.properties()?;
        self.header(&heap, &properties);
        let (bodies, rtf) = bodies(&properties);
        // Nodes of type 5 are attachments (2.2.2.1).
        let attachments: Vec<&Node> = heap.subnodes.values().filter(|node| node.id & 0x1f == 5).collect();
        if let Some(Broken(why, _)) = heap.broken.take() {
            self.missing(FaultCode::Malformed, why);
        }
        self.out.field("MIME-Version", "1.0");
        if attachments.is_empty() && rtf.is_none() {
            self.bodies(bodies);
            return Ok(());
        }
        let boundary = self.out.begin("multipart/mixed");
        if !bodies.is_empty() {
            self.out.delimiter(&boundary);
            self.bodies(bodies);
        }
        if let Some((name, rtf)) = rtf {
            self.out.delimiter(&boundary);
            self.out.attachment(name, "application/rtf", None, &rtf);
        }
        for attachment in attachments {
            if self.out.bytes.len() > LARGEST {
                self.missing(FaultCode::TooLarge, "further attachments are left out");
                break;
            }
            if let Err(Broken(why, _)) = self.attachment(attachment, &boundary, depth) {
                self.missing(FaultCode::Malformed, &format!("an attachment cannot be read: {why}"));
            }
        }
        self.out.end(&boundary);
        Ok(())
    }

    fn missing(&mut self, code: FaultCode, why: &str) {
        if self.problems.len() < 100 {
            self.problems.push(Problem::new(Stage::Split, code, super::TOOL, why));
        }
    }

    /// The header that came with the message where there is one, and what it lacks from the properties.
    fn header(&mut self, heap: &Heap<'_>, properties: &Properties) {
        if let Some(header) = text(properties, tag::HEADER) {
            self.out.transported(&header);
        }
        let people = |tags: [u16; 3]| write::mailbox(text(properties, tags[2]), [tags[0], tags[1]].map(|tag| text(properties, tag)));
        let from = people(tag::FROM).or_else(|| people(tag::SENDER));
        self.out.lacking("From", from);
        self.out.lacking("Sender", people(tag::SENDER).filter(|sender| Some(sender) != people(tag::FROM).as_ref()));
        for (n, (field, list)) in ["To", "Cc", "Bcc"].into_iter().zip(recipients(heap)).enumerate() {
            let displayed = || text(properties, tag::DISPLAYED[n]).map(|names| write::names(&names));
            self.out.lacking(field, if list.is_empty() { displayed() } else { Some(list.join(",\r\n ")) });
        }
        // The first character may say how long the prefix is, such as "Re: ".
        let subject = text(properties, tag::SUBJECT).map(|subject| match subject.strip_prefix('\u{1}') {
            Some(rest) => rest.chars().skip(1).collect(),
            None => subject,
        });
        self.out.lacking("Subject", subject.or_else(|| text(properties, tag::NAME)).map(|subject| write::words(&subject)));
        let time = [tag::SENT, tag::DELIVERED].iter().find_map(|tag| properties.get(tag));
        self.out.lacking("Date", time.and_then(|time| if let Value::Time(time) = time { write::date(*time) } else { None }));
        for (field, tag) in [("Message-ID", tag::MESSAGE_ID), ("In-Reply-To", tag::IN_REPLY_TO), ("References", tag::REFERENCES)] {
            self.out.lacking(field, text(properties, tag).map(|id| write::one_line(&id)));
        }
    }

    fn bodies(&mut self, mut bodies: Vec<Body>) {
        if bodies.len() == 2 {
            let boundary = self.out.begin("multipart/alternative");
            for (media, body) in bodies {
                self.out.delimiter(&boundary);
                self.out.body(&media, &body);
            }
            self.out.end(&boundary);
        } else {
            let (media, body) = bodies.pop().unwrap_or_else(|| ("text/plain; charset=utf-8".into(), Vec::new()));
            self.out.body(&media, &body);
        }
    }

    fn attachment(&mut self, node: &Node, boundary: &str, depth: u32) -> Result<()> {
        let heap = Heap::open(self.store, node)?;
        let properties = heap.properties()?;
        let name = tag::FILE_NAMES.iter().find_map(|tag| text(&properties, *tag)).unwrap_or_default();
        let media = text(&properties, tag::MEDIA).unwrap_or_default();
        let content_id = text(&properties, tag::CONTENT_ID);
        let embedded = properties.get(&tag::METHOD) == Some(&Value::Number(5));
        match properties.get(&tag::DATA) {
            Some(Value::Object(id)) => {
                let inner = *heap.subnodes.get(id).ok_or(Broken("its node is missing", u64::from(*id)))?;
                if !embedded {
                    let data = self.store.data(&inner)?.concat();
                    self.file(boundary, &name, &media, content_id.as_deref(), &data);
                    return Ok(());
                }
                if depth >= DEEPEST {
                    self.missing(FaultCode::TooDeep, "a message in a message is left out");
                    return Ok(());
                }
                let before = self.out.bytes.len();
                self.out.delimiter(boundary);
                self.out.begin_message(&name);
                self.message(&inner, depth + 1).inspect_err(|_| self.out.bytes.truncate(before))?;
            }
            Some(Value::Binary(data)) => self.file(boundary, &name, &media, content_id.as_deref(), data),
            Some(Value::Text(data)) => self.file(boundary, &name, &media, content_id.as_deref(), data.as_bytes()),
            _ => match heap.broken.get() {
                Some(broken) => return Err(broken),
                // 2, 4 and 7 name a file that stood elsewhere ([MS-OXCMSG] 2.2.2.9).
                None => self.missing(FaultCode::Truncated, "an attachment is only named: its bytes are not in the store"),
            },
        }
        Ok(())
    }

    fn file(&mut self, boundary: &str, name: &str, media: &str, content_id: Option<&str>, data: &[u8]) {
        if self.out.bytes.len() + data.len() / 2 * 3 > LARGEST {
            self.missing(FaultCode::TooLarge, &format!("an attachment of {} bytes is left out", data.len()));
            return;
        }
        self.out.delimiter(boundary);
        self.out.attachment(name, media, content_id, data);
    }
}

/// The plain text and the HTML that there is; RTF where there is no HTML, whether it can be unpacked or not.
fn bodies(properties: &Properties) -> (Vec<Body>, Option<(&'static str, Vec<u8>)>) {
    let mut plain = text(properties, tag::BODY).unwrap_or_default();
    if text(properties, tag::CLASS).is_some_and(|class| !is_mail(&class)) {
        plain = [plain, listed(properties)].join("\r\n");
    }
    let html = match properties.get(&tag::HTML) {
        Some(Value::Binary(html) | Value::Bytes8(html)) if !html.is_empty() => {
            Some((format!("text/html; charset={}", code_page(properties, tag::HTML_CODE_PAGE)), html.clone()))
        }
        Some(Value::Text(html)) if !html.is_empty() => Some(("text/html; charset=utf-8".into(), html.clone().into_bytes())),
        _ => None,
    };
    let rtf = match properties.get(&tag::RTF) {
        Some(Value::Binary(packed)) if html.is_none() && !packed.is_empty() => Some(packed),
        _ => None,
    };
    if html.is_none()
        && let Some(html) = rtf.and_then(|packed| rtf_body(packed))
    {
        return ([plain_body(plain), Some(html)].into_iter().flatten().collect(), None);
    }
    let rtf = rtf.map(|packed| match rtf::unpacked(packed) {
        Some(rtf) => ("body.rtf", rtf),
        None => ("body.rtf.packed", packed.clone()),
    });
    ([plain_body(plain), html].into_iter().flatten().collect(), rtf)
}

/// The body that compressed RTF wraps up ([MS-OXRTFEX]): HTML or plain text with its media type. Nothing here reads RTF yet, so that it is
/// attached as it is.
fn rtf_body(_packed: &[u8]) -> Option<Body> {
    None
}

fn plain_body(plain: String) -> Option<Body> {
    (!plain.trim().is_empty()).then(|| ("text/plain; charset=utf-8".into(), plain.into_bytes()))
}

fn is_mail(class: &str) -> bool {
    let begins = |with: &str| class.get(..with.len()).is_some_and(|start| start.eq_ignore_ascii_case(with));
    class.eq_ignore_ascii_case("IPM") || begins("IPM.Note") || begins("REPORT.")
}

/// What is written in a contact, an appointment, a task: a line for each text, number by number.
fn listed(properties: &Properties) -> String {
    let mut lines = String::new();
    for (tag, value) in properties.iter().filter(|(tag, _)| !NOT_LISTED.contains(tag)) {
        let written = match value {
            Value::Text(_) | Value::Bytes8(_) => text(properties, *tag),
            Value::Texts(texts) => Some(texts.join(", ")),
            Value::Time(time) => write::date(*time).filter(|_| *tag >= 0x8000),
            _ => None,
        };
        if let Some(written) = written.filter(|written| !written.trim().is_empty() && written.len() < 1 << 20) {
            lines.push_str(&format!("{tag:04x}: {}\r\n", written.trim()));
        }
    }
    lines
}

/// Who it is to, as primary, copy and blind copy (1, 2 and 3), from the table of recipients.
fn recipients(heap: &Heap<'_>) -> [Vec<String>; 3] {
    let mut lists = [const { Vec::new() }; 3];
    let rows = heap.subnodes.get(&0x692).map(|node| {
        Heap::open(heap.store(), node)
            .and_then(|table| table.rows(&[tag::RECIPIENT_TYPE, tag::RECIPIENT[0], tag::RECIPIENT[1], tag::RECIPIENT[2]]))
    });
    for (_, row) in rows.and_then(Result::ok).unwrap_or_default() {
        let kind = if let Some(Value::Number(kind)) = row.get(&tag::RECIPIENT_TYPE) { kind & 0xf } else { 1 };
        let [smtp, address, name] = tag::RECIPIENT.map(|tag| text(&row, tag));
        let list = usize::try_from(kind - 1).ok().and_then(|n| lists.get_mut(n));
        if let (Some(list), Some(mailbox)) = (list, write::mailbox(name, [smtp, address])) {
            list.push(mailbox);
        }
    }
    lists
}
