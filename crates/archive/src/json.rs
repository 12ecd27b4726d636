//! Canonical JSON (RFC 8785), of which the archive uses objects, arrays, strings, booleans and whole numbers of at most 2^53 - 1.

mod canonical;

use canonical::{is_canonical, spans};
use serde_json::{Map, Value};

/// The largest whole number that every reader of JSON holds exactly (RFC 7493 section 2.2).
pub const MAX_NUMBER: u64 = (1 << 53) - 1;

/// Why bytes are not a canonical JSON object of ours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JsonError {
    /// Not JSON at all.
    #[error("not JSON: {0}")]
    NotJson(String),
    /// JSON, but not the one way of writing it (RFC 8785).
    #[error("not canonical JSON (RFC 8785)")]
    NotCanonical,
    /// A number that is not whole or too large.
    #[error("a number is not whole or larger than 2^53 - 1")]
    Number,
    /// A field is missing or of the wrong form.
    #[error("field {0:?} is missing or not of its form")]
    Field(&'static str),
    /// A field that the format does not have.
    #[error("unknown field {0:?}")]
    Unknown(String),
    /// The version is not one that this program reads.
    #[error("its format is {found:?}, this program reads {wanted:?}: use a newer daylight")]
    Format {
        /// What it says it is.
        found: String,
        /// What was expected.
        wanted: &'static str,
    },
}

/// Writes a value in its canonical form.
pub fn write(value: &Value) -> Result<Vec<u8>, JsonError> {
    let mut out = Vec::with_capacity(512);
    write_value(value, &mut out)?;
    Ok(out)
}

/// Reads an object and refuses any bytes but its canonical form; so whatever is read is written back as it was, and no key stands twice.
pub fn read_object(bytes: &[u8]) -> Result<Map<String, Value>, JsonError> {
    let value: Value = serde_json::from_slice(bytes).map_err(|e| JsonError::NotJson(e.to_string()))?;
    // Written anew only to say what is wrong.
    if !is_canonical(bytes) {
        write(&value)?;
        return Err(JsonError::NotCanonical);
    }
    match value {
        Value::Object(map) => Ok(map),
        _ => Err(JsonError::NotJson("not an object".into())),
    }
}

/// Reads these fields of an object alone, and refuses any bytes but its canonical form as [`read_object`] does.
fn read_some(bytes: &[u8], wanted: &[&str]) -> Result<Map<String, Value>, JsonError> {
    let Some(spans) = spans(bytes, wanted) else {
        let mut whole = read_object(bytes)?;
        whole.retain(|name, _| wanted.contains(&name.as_str()));
        return Ok(whole);
    };
    let value = |span: &[u8]| serde_json::from_slice(span).map_err(|e| JsonError::NotJson(e.to_string()));
    wanted.iter().zip(spans).filter_map(|(name, span)| Some(value(span?).map(|value| ((*name).to_owned(), value)))).collect()
}

fn write_value(value: &Value, out: &mut Vec<u8>) -> Result<(), JsonError> {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        Value::Number(number) => {
            let whole = number.as_i64().filter(|n| n.unsigned_abs() <= MAX_NUMBER).ok_or(JsonError::Number)?;
            out.extend_from_slice(whole.to_string().as_bytes());
        }
        Value::String(text) => write_string(text, out),
        Value::Array(items) => {
            out.push(b'[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push(b',');
                }
                write_value(item, out)?;
            }
            out.push(b']');
        }
        Value::Object(map) => write_object(map, out)?,
    }
    Ok(())
}

/// Keys go in the order of their UTF-16 code units (RFC 8785 section 3.2.3), whatever order the map keeps them in.
fn write_object(map: &Map<String, Value>, out: &mut Vec<u8>) -> Result<(), JsonError> {
    let mut fields: Vec<(&String, &Value)> = map.iter().collect();
    fields.sort_by(|(a, _), (b, _)| if a.is_ascii() && b.is_ascii() { a.cmp(b) } else { a.encode_utf16().cmp(b.encode_utf16()) });
    out.push(b'{');
    for (i, (key, value)) in fields.into_iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        write_string(key, out);
        out.push(b':');
        write_value(value, out)?;
    }
    out.push(b'}');
    Ok(())
}

/// Only what must be escaped is, in its shortest form (RFC 8785 section 3.2.2.2).
fn write_string(text: &str, out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    out.push(b'"');
    let mut rest = text.as_bytes();
    while let Some(at) = rest.iter().position(|byte| *byte < 32 || *byte == b'"' || *byte == b'\\') {
        out.extend_from_slice(&rest[..at]);
        match rest[at] {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            8 => out.extend_from_slice(b"\\b"),
            9 => out.extend_from_slice(b"\\t"),
            10 => out.extend_from_slice(b"\\n"),
            12 => out.extend_from_slice(b"\\f"),
            13 => out.extend_from_slice(b"\\r"),
            byte => {
                out.extend_from_slice(b"\\u00");
                out.push(HEX[usize::from(byte >> 4)]);
                out.push(HEX[usize::from(byte & 15)]);
            }
        }
        rest = &rest[at + 1..];
    }
    out.extend_from_slice(rest);
    out.push(b'"');
}

/// Takes the fields of an object apart, one by one, so that what is left over can be refused.
pub struct Fields(pub(crate) Map<String, Value>);

impl Fields {
    /// Takes an object apart that stands in these bytes in its canonical form.
    pub fn read(bytes: &[u8]) -> Result<Self, JsonError> {
        read_object(bytes).map(Self)
    }

    /// These fields alone, of an object that may have others.
    pub(crate) fn read_some(bytes: &[u8], wanted: &[&str]) -> Result<Self, JsonError> {
        read_some(bytes, wanted).map(Self)
    }

    /// Takes a value apart that is the field `name` of something else, and must be an object.
    pub fn of(value: Value, name: &'static str) -> Result<Self, JsonError> {
        match value {
            Value::Object(map) => Ok(Self(map)),
            _ => Err(JsonError::Field(name)),
        }
    }

    /// Refuses what is of another format or version.
    pub fn format(&mut self, wanted: &'static str) -> Result<(), JsonError> {
        let found = self.string("format")?;
        if found == wanted { Ok(()) } else { Err(JsonError::Format { found, wanted }) }
    }

    /// A text that must be there.
    pub fn string(&mut self, name: &'static str) -> Result<String, JsonError> {
        self.optional_string(name)?.ok_or(JsonError::Field(name))
    }

    /// A text, if the field is there.
    pub fn optional_string(&mut self, name: &'static str) -> Result<Option<String>, JsonError> {
        match self.0.remove(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(JsonError::Field(name)),
        }
    }

    /// A number of 0 or more that must be there.
    pub fn number(&mut self, name: &'static str) -> Result<u64, JsonError> {
        self.optional_number(name)?.ok_or(JsonError::Field(name))
    }

    /// A number of 0 or more, if the field is there.
    pub fn optional_number(&mut self, name: &'static str) -> Result<Option<u64>, JsonError> {
        match self.0.remove(name) {
            None => Ok(None),
            Some(value) => value.as_u64().map(Some).ok_or(JsonError::Field(name)),
        }
    }

    /// A number, if the field is there.
    pub fn optional_signed(&mut self, name: &'static str) -> Result<Option<i64>, JsonError> {
        match self.0.remove(name) {
            None => Ok(None),
            Some(value) => value.as_i64().map(Some).ok_or(JsonError::Field(name)),
        }
    }

    /// An array; where the field is absent, an empty one.
    pub fn array(&mut self, name: &'static str) -> Result<Vec<Value>, JsonError> {
        match self.0.remove(name) {
            None => Ok(Vec::new()),
            Some(Value::Array(items)) => Ok(items),
            Some(_) => Err(JsonError::Field(name)),
        }
    }

    /// Any value that must be there.
    pub fn value(&mut self, name: &'static str) -> Result<Value, JsonError> {
        self.0.remove(name).ok_or(JsonError::Field(name))
    }

    /// Texts; where the field is absent, none.
    pub fn strings(&mut self, name: &'static str) -> Result<Vec<String>, JsonError> {
        let items = self.array(name)?.into_iter();
        items.map(|item| item.as_str().map(str::to_owned).ok_or(JsonError::Field(name))).collect()
    }

    /// A digest in hex that must be there.
    pub fn digest(&mut self, name: &'static str) -> Result<daylight_model::Digest, JsonError> {
        self.string(name)?.parse().map_err(|_| JsonError::Field(name))
    }

    /// Refuses fields that nobody asked for.
    pub fn end(self) -> Result<(), JsonError> {
        match self.0.into_iter().next() {
            None => Ok(()),
            Some((name, _)) => Err(JsonError::Unknown(name)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_one_way_to_write_an_object() {
        let canonical = "{\"a\":[1,-2,\"\\u0001\\t\\\"é😀\"],\"é\":true,\"\u{10000}\":null,\"\u{e000}\":{}}".as_bytes();
        let value: Value = serde_json::from_slice(canonical).unwrap();
        assert_eq!(write(&value).unwrap(), canonical, "U+10000 sorts before U+E000, by UTF-16");
        assert!(read_object(canonical).is_ok());
        for other in [
            "{ \"a\":1}",
            "{\"b\":1,\"a\":2}",
            "{\"a\":1,\"a\":1}",
            "{\"a\":\"\\u00e9\"}",
            "{\"a\":1.0}",
            "{\"a\":1e2}",
            "{\"a\":-0}",
            "{\"a\":\"\\/\"}",
            "{\"a\":1}\n",
        ] {
            assert!(read_object(other.as_bytes()).is_err(), "{other}");
        }
        assert_eq!(read_object(b"{\"a\":9007199254740992}"), Err(JsonError::Number));
        assert!(read_object(&[b"{\"a\":".as_slice(), &b"[".repeat(100_000)].concat()).is_err(), "no unbounded recursion");
    }
}
