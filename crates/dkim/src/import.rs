//! Keys from files: records as zone files, programs and people keep them. Nothing is asked of the DNS.

use crate::encoding::base64;
use crate::key;
use daylight_model::SignatureKey;
use serde_json::Value;

/// What a file gave.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Import {
    /// The keys, in the order of the file.
    pub keys: Vec<SignatureKey>,
    /// What in it looked like a key and is none, in plain words; at most 20.
    pub refused: Vec<String>,
}

/// What is assumed of a key where the file does not say.
#[derive(Debug, Clone, Default)]
pub struct Provenance {
    /// Where the keys were seen.
    pub source: String,
    /// When, seconds since 1970.
    pub seen: Option<i64>,
}

/// So many things that are refused are told.
const MOST_REFUSED: usize = 20;
const MOST_KEYS: usize = 1_000_000;

/// Reads the keys of a file. It is JSON (names with records, or a list of objects with `name` and `record`, and perhaps `source`, `seen`, `exposed`),
/// or lines of a zone file or `NAME RECORD`, or a single record or key whose name is that of the file, such as `sel._domainkey.example.org.txt`.
/// A private key in PEM gives its public half, marked as one whose private half is public.
pub fn import(file: &str, bytes: &[u8], from: &Provenance) -> Import {
    let mut reading = Reading { import: Import::default(), from };
    let text = String::from_utf8_lossy(bytes);
    let text = text.trim_start_matches('\u{feff}');
    let name = name_of_file(file);
    match serde_json::from_str::<Value>(text) {
        Ok(value @ (Value::Object(_) | Value::Array(_))) => reading.json(&value, ""),
        _ if text.contains("-----BEGIN ") => reading.pem(name.as_deref(), text),
        _ => reading.lines(name.as_deref(), text),
    }
    reading.import
}

struct Reading<'a> {
    import: Import,
    from: &'a Provenance,
}

impl Reading<'_> {
    fn add(&mut self, name: &str, record: &str, about: Option<&Value>) {
        let Some(name) = key_name(name) else {
            return self.refuse(&format!("{name} is not the name of a key: SELECTOR._domainkey.DOMAIN"));
        };
        let record = record.trim();
        // A key that was withdrawn, or that is of no use here, is still what the domain had: it is kept, and says so in verdicts.
        if !record.contains("p=") || record.len() > key::LONGEST || self.import.keys.len() >= MOST_KEYS {
            return self.refuse(&format!("the record of {name} holds no key"));
        }
        let said = |key: &str| about.and_then(|about| about.get(key));
        let seen = said("seen").and_then(seconds).or(self.from.seen);
        let source = said("source").and_then(Value::as_str).unwrap_or(&self.from.source).to_owned();
        let exposed = said("exposed").and_then(Value::as_bool).unwrap_or(false);
        let key = SignatureKey { name, record: record.to_owned(), source, seen, exposed };
        if !self.import.keys.contains(&key) || self.import.keys.len() > 10_000 {
            self.import.keys.push(key);
        }
    }

    fn refuse(&mut self, why: &str) {
        if self.import.refused.len() < MOST_REFUSED {
            self.import.refused.push(why.chars().filter(|c| !c.is_control()).take(200).collect());
        }
    }

    /// `{"sel._domainkey.example.org": RECORD}` with the record as a string or in pieces, at any depth of names: `{"example.org": {"sel._domainkey": …}}`;
    /// or `[{"name": …, "record": …}]`. The depth is that of the parser, which is bounded.
    fn json(&mut self, value: &Value, within: &str) {
        match value {
            Value::Array(list) => list.iter().for_each(|item| self.json(item, within)),
            Value::Object(object) => {
                let record = ["record", "txt", "value"].into_iter().find_map(|key| object.get(key)).and_then(joined);
                if let (Some(Value::String(name)), Some(record)) = (object.get("name"), record) {
                    return self.add(name, &record, Some(value));
                }
                for (name, inside) in object {
                    let full = if within.is_empty() { name.clone() } else { format!("{name}.{within}") };
                    let records = if key_name(&full).is_some() { records(inside) } else { Vec::new() };
                    match records.as_slice() {
                        [] if inside.is_object() => self.json(inside, &full),
                        // What else the DNS has is no concern of ours.
                        [] => (),
                        records => records.iter().for_each(|record| self.add(&full, record, Some(inside))),
                    }
                }
            }
            _ => (),
        }
    }

    /// Lines of a zone file (RFC 1035 section 5), or a name and its record. Brackets go on over lines; `;` begins a remark outside quotes.
    fn lines(&mut self, file: Option<&str>, text: &str) {
        if let Some(name) = file.filter(|_| single_record(text)) {
            return self.add(name, &unquoted(text).unwrap_or_else(|| text.split_whitespace().collect::<Vec<_>>().join(" ")), None);
        }
        let (mut origin, mut owner) = (String::new(), String::new());
        for line in logical_lines(text) {
            let begins = !line.starts_with([' ', '\t']);
            let words: Vec<&str> = line.split_whitespace().collect();
            match words.as_slice() {
                ["$ORIGIN", name, ..] => origin = name.trim_end_matches('.').to_owned(),
                [name, ..] if begins && !name.starts_with(['#', '$', '"']) => owner = absolute(name, &origin),
                _ => (),
            }
            if key_name(&owner).is_none() {
                continue;
            }
            let rest = if begins { line.trim_start().split_once(char::is_whitespace).map_or("", |(_, rest)| rest) } else { line.as_str() };
            let record = match rest.find('"') {
                Some(_) => unquoted(rest),
                None => Some(rest.trim().to_owned()),
            };
            let zone_record = words.iter().any(|word| word.eq_ignore_ascii_case("TXT")) && rest.contains('"');
            match record {
                Some(record) if zone_record || record.contains("p=") => {
                    // Without quotes what stands before the record in a zone file is time to live, class and type.
                    let from = if zone_record {
                        0
                    } else {
                        record.find("v=DKIM1").or_else(|| record.find("k=")).or_else(|| record.find("p=")).unwrap_or(0)
                    };
                    let record = if words.iter().any(|word| word.eq_ignore_ascii_case("TXT")) { record[from..].to_owned() } else { record };
                    self.add(&owner.clone(), &record, None);
                }
                _ => (),
            }
        }
    }

    /// A key in PEM, public or private, whose name is the file's.
    fn pem(&mut self, file: Option<&str>, text: &str) {
        let Some(name) = file else { return self.refuse("a key whose file is not called SELECTOR._domainkey.DOMAIN") };
        let inside = text.split("-----").nth(2).and_then(base64).unwrap_or_default();
        if text.contains("PRIVATE KEY-----") {
            match key::record_of_private(&inside) {
                Some(record) => {
                    self.add(name, &record, None);
                    self.import.keys.iter_mut().for_each(|key| key.exposed = true);
                }
                None => self.refuse("a private key that is not an RSA key without a passphrase"),
            }
        } else {
            let der: String = text.split("-----").nth(2).unwrap_or("").split_whitespace().collect();
            self.add(name, &format!("v=DKIM1; k=rsa; p={der}"), None);
        }
    }
}

/// The records of a name: a string, pieces of one, a list of either, or an object that has them under `TXT`, `record` or `value`.
fn records(value: &Value) -> Vec<String> {
    match value {
        Value::String(record) => vec![record.clone()],
        Value::Array(list) if list.iter().all(|item| item.as_str().is_some()) => {
            let texts: Vec<&str> = list.iter().filter_map(Value::as_str).collect();
            match texts.as_slice() {
                [kind, rest @ ..] if kind.eq_ignore_ascii_case("txt") => vec![rest.concat()],
                texts if texts.iter().all(|text| text.contains("p=")) => texts.iter().map(|text| (*text).to_owned()).collect(),
                texts => vec![texts.concat()],
            }
        }
        Value::Array(list) => list.iter().flat_map(records).collect(),
        Value::Object(object) => {
            ["TXT", "txt", "record", "value"].into_iter().find_map(|key| object.get(key)).map(records).unwrap_or_default()
        }
        _ => Vec::new(),
    }
}

fn joined(value: &Value) -> Option<String> {
    records(value).into_iter().next()
}

/// Seconds since 1970, as a number or as a date `2021-03-04`.
fn seconds(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| day(value.as_str()?))
}

/// The first second of a day, written `2021-03-04`; what follows it is passed over.
pub fn day(text: &str) -> Option<i64> {
    let mut parts = text.get(..10)?.split('-').map(|part| part.parse::<i64>().ok());
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    if parts.next().is_some() || !(1970..=9999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    // Days from a year that begins in March (Hinnant, days_from_civil).
    let (year, month) = if month <= 2 { (year - 1, month + 9) } else { (year, month - 3) };
    let days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 1 - 719_468;
    Some(days * 86_400)
}

/// A key's name in lower case without a dot at its end.
fn key_name(name: &str) -> Option<String> {
    let name = name.trim().trim_end_matches('.').to_lowercase();
    let (selector, domain) = name.split_once("._domainkey.")?;
    let good =
        |part: &str| !part.is_empty() && !part.contains(|c: char| c.is_whitespace() || c.is_control() || matches!(c, '/' | '"' | '\\'));
    (good(selector) && good(domain) && name.len() <= 253).then_some(name)
}

/// The name that a file's name is: `sel._domainkey.example.org`, with or without `.txt`, `.key`, `.pem`, `.dns` or `.pub` at its end.
fn name_of_file(file: &str) -> Option<String> {
    let mut name = file.rsplit(['/', '\\']).next().unwrap_or(file);
    while let Some((rest, ending)) = name.rsplit_once('.') {
        if !["txt", "key", "pem", "dns", "pub"].contains(&ending.to_lowercase().as_str()) {
            break;
        }
        name = rest;
    }
    key_name(name)
}

fn absolute(name: &str, origin: &str) -> String {
    match name {
        "@" => origin.to_owned(),
        name if name.ends_with('.') || origin.is_empty() => name.trim_end_matches('.').to_owned(),
        name => format!("{name}.{origin}"),
    }
}

/// Whether the file is one record and nothing else.
fn single_record(text: &str) -> bool {
    !text.contains("_domainkey") && text.contains("p=")
}

/// The quoted strings of a line as one; `None` if there are none.
fn unquoted(text: &str) -> Option<String> {
    let (mut out, mut inside, mut escaped, mut any) = (String::new(), false, false, false);
    for c in text.chars() {
        match c {
            c if escaped => {
                escaped = false;
                out.push(c);
            }
            '\\' if inside => escaped = true,
            '"' => {
                inside = !inside;
                any = true;
            }
            c if inside => out.push(c),
            _ => (),
        }
    }
    any.then_some(out)
}

/// Lines with those joined that brackets hold together, without remarks. A `;` is a remark only where quotes are used for what is not: a bare record has
/// `;` between its tags.
fn logical_lines(text: &str) -> Vec<String> {
    let (mut lines, mut line, mut depth) = (Vec::new(), String::new(), 0u32);
    for physical in text.lines() {
        let quoted = physical.contains('"') || depth > 0;
        let (mut inside, mut escaped) = (false, false);
        for c in physical.chars() {
            match c {
                '"' if !escaped => inside = !inside,
                '(' if !inside && (quoted || physical.trim_end().ends_with('(')) => {
                    depth += 1;
                    continue;
                }
                ')' if !inside && depth > 0 => {
                    depth -= 1;
                    continue;
                }
                ';' if !inside && (quoted || line.trim().is_empty()) => break,
                _ => (),
            }
            escaped = c == '\\' && !escaped;
            line.push(c);
        }
        if depth == 0 {
            if !line.trim().is_empty() {
                lines.push(std::mem::take(&mut line));
            }
            line.clear();
        } else {
            line.push(' ');
        }
    }
    lines.push(line);
    lines
}

#[cfg(test)]
mod tests;
