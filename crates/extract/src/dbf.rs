//! Tables of dBASE and its heirs (.dbf), such as stand beside maps: a line for each record, those that were deleted but are still there marked.

use crate::charset;
use crate::document::{self, Doc, load};
use crate::output::{Output, Problem};
use daylight_model::reading::{Input, Label, Stop};
use daylight_model::{FaultCode, Kind, Stage};

pub(crate) const MEDIA: &str = "application/vnd.dbf";
pub(crate) const TOOL: &str = "dbf 1";
/// The first bytes of those that are read: dBASE III to 7 and FoxPro.
const VERSIONS: [u8; 9] = [0x03, 0x04, 0x30, 0x31, 0x32, 0x83, 0x8b, 0xcb, 0xf5];
const FIELD: usize = 32;
/// Text is given in pieces of about this many bytes.
const PIECE: usize = 256 << 10;

/// Whether a file begins as a table does, as far as its first bytes can show it.
pub(crate) fn begins(head: &[u8]) -> bool {
    header(head).is_some_and(|header| !header.fields.is_empty())
}

struct Field {
    name: String,
    kind: u8,
    length: usize,
}

struct Header {
    records: u32,
    start: usize,
    record: usize,
    fields: Vec<Field>,
}

fn header(bytes: &[u8]) -> Option<Header> {
    let number = |at: usize| Some(usize::from(u16::from_le_bytes([*bytes.get(at)?, *bytes.get(at + 1)?])));
    let (start, record) = (number(8)?, number(10)?);
    let records = u32::from_le_bytes([bytes[4], bytes[5], bytes[6], bytes[7]]);
    let dated = bytes.get(2).is_some_and(|month| *month <= 12) && bytes.get(3).is_some_and(|day| *day <= 31);
    if !VERSIONS.contains(&bytes[0]) || !dated || start < 2 * FIELD || record < 2 {
        return None;
    }
    let described = bytes.get(FIELD..start.min(bytes.len()))?.chunks_exact(FIELD).take_while(|field| field[0] != 0x0d);
    let fields: Vec<Field> = described
        .map(|field| {
            let name = field[..11].split(|b| *b == 0).next().unwrap_or_default();
            // Only text is longer than a byte can say.
            let high = if field[11] == b'C' { usize::from(field[17]) << 8 } else { 0 };
            Field { name: String::from_utf8_lossy(name).trim().to_owned(), kind: field[11], length: usize::from(field[16]) | high }
        })
        .collect();
    let plain =
        fields.iter().all(|field| field.kind.is_ascii_graphic() && !field.name.is_empty() && !field.name.contains(char::is_control));
    (plain && fields.iter().map(|field| field.length).sum::<usize>() < record).then_some(Header { records, start, record, fields })
}

/// Reads a table.
pub(crate) fn read(out: &mut Output<'_>, doc: Doc, input: &(dyn Input + '_)) -> Result<(), Stop> {
    let bytes = match load(input) {
        Ok(bytes) => bytes,
        Err(problem) => return document::keep(out, doc, Kind::File, MEDIA, input, problem),
    };
    let index = document::found(out, doc, Kind::File, MEDIA, "", input)?;
    let Some(header) = header(&bytes) else {
        return out.fault(index, Problem::new(Stage::Read, FaultCode::Malformed, TOOL, "its header breaks the rules"));
    };
    let body = bytes.get(header.start..).unwrap_or_default();
    let encoding = charset::guess(body);
    let names: Vec<&str> = header.fields.iter().map(|field| field.name.as_str()).collect();
    out.text(index, Label::Body, names.join("\t") + "\n")?;
    let (mut text, mut label, mut read) = (String::new(), Label::Body, 0);
    for record in body.chunks_exact(header.record).take(header.records as usize) {
        let now = if record[0] == b'*' { Label::Deleted } else { Label::Body };
        if now != label || text.len() > PIECE {
            out.text(index, label, std::mem::take(&mut text))?;
            label = now;
        }
        line(&header.fields, &record[1..], encoding, &mut text);
        read += 1;
    }
    out.text(index, label, text)?;
    if read < header.records {
        let why = format!("{read} of {} records are there", header.records);
        out.fault(index, Problem::new(Stage::Read, FaultCode::Truncated, TOOL, why).at(bytes.len() as u64))?;
    }
    if let Some(field) = header.fields.iter().find(|field| !is_read(field)) {
        let why = format!("fields of type {} are not read: their text stands in another file, or is no text", char::from(field.kind));
        out.fault(index, Problem::new(Stage::Read, FaultCode::NoReader, TOOL, why))?;
    }
    Ok(())
}

fn is_read(field: &Field) -> bool {
    matches!(field.kind, b'C' | b'N' | b'F' | b'D' | b'L' | b'V') || field.kind == b'I' && field.length == 4
}

fn line(fields: &[Field], mut record: &[u8], encoding: &'static encoding_rs::Encoding, text: &mut String) {
    for (number, field) in fields.iter().enumerate() {
        let (value, rest) = record.split_at(field.length.min(record.len()));
        record = rest;
        if number > 0 {
            text.push('\t');
        }
        match (field.kind, value) {
            (b'I', [a, b, c, d]) => text.push_str(&i32::from_le_bytes([*a, *b, *c, *d]).to_string()),
            _ if is_read(field) => {
                let value: Vec<u8> = value.iter().map(|b| if b.is_ascii_control() { b' ' } else { *b }).collect();
                text.push_str(encoding.decode_without_bom_handling(value.trim_ascii()).0.as_ref());
            }
            _ => (),
        }
    }
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use crate::tests::{hear, mutate};
    use daylight_model::FaultCode;
    use daylight_model::reading::Label;

    fn table(records: u32, rows: &[&[u8]]) -> Vec<u8> {
        let mut bytes = vec![0x03, 124, 5, 9];
        bytes.extend(records.to_le_bytes());
        bytes.extend([97, 0, 20, 0]);
        bytes.resize(32, 0);
        for (name, kind, length) in [("NAME", b'C', 15), ("SUM", b'N', 4)] {
            let mut field = name.as_bytes().to_vec();
            field.resize(32, 0);
            (field[11], field[16]) = (kind, length);
            bytes.extend(field);
        }
        bytes.push(0x0d);
        rows.iter().for_each(|row| bytes.extend(*row));
        bytes
    }

    #[test]
    fn records_are_lines_and_deleted_ones_are_marked() {
        let rows: [&[u8]; 3] = [b" M\xfcller GmbH      12", b"*Kahn & Sons     900", b" Stra\xdfe            7"];
        let whole = table(3, &rows);
        let heard = hear("x.dbf", &whole);
        assert_eq!(heard.found[0].media_type, super::MEDIA);
        assert_eq!(heard.text(0, Label::Body), "NAME\tSUM\nMüller GmbH\t12\nStraße\t7\n");
        assert_eq!(heard.text(0, Label::Deleted), "Kahn & Sons\t900\n");
        assert!(heard.faults.is_empty());
        assert_eq!(hear("x.dbf", &table(4, &rows)).codes(0), [FaultCode::Truncated]);
        mutate(&whole, 300, |bytes| {
            hear("x.dbf", bytes);
        });
    }
}
