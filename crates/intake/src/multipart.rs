//! A reader of `multipart/form-data` (RFC 7578, RFC 2046 section 5.1.1) that is pushed bytes as they come, and holds no more of them than a delimiter.
//!
//! What it is given may be anything: it is bounded in how long a head may be, how many fields there are and how long whatever stands before them is, and what it does not
//! understand is an error and never a guess.

/// The longest head of a field, in bytes.
const HEAD: usize = 8 << 10;
/// The longest preamble, which browsers do not send, in bytes.
const PREAMBLE: usize = 1 << 10;
/// How many fields there may be.
const FIELDS: usize = 64;

/// Why a body is not a form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FormError {
    /// The media type has no boundary, or none that may be one.
    #[error("the form has no boundary")]
    Boundary,
    /// The body breaks a rule of the format.
    #[error("the form is malformed")]
    Malformed,
    /// More fields than any form of ours has.
    #[error("the form has too many fields")]
    TooManyFields,
    /// It ends before its end is said.
    #[error("the form broke off")]
    BrokeOff,
}

/// The head of a field.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// The name of the file that it is; bytes, since a browser sends what the file system has.
    pub file_name: Option<Vec<u8>>,
    /// What the browser says the file is.
    pub media_type: Option<String>,
}

/// What was read.
#[derive(Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// A field begins.
    Field(Field),
    /// Bytes of it; never none.
    Data(&'a [u8]),
    /// It ends.
    End,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Preamble,
    AfterDelimiter,
    Head,
    Data,
    Over,
}

/// A form that is being read.
#[derive(Debug)]
pub struct Multipart {
    /// `CR LF - - boundary`.
    delimiter: Vec<u8>,
    state: State,
    /// What has come and is not understood yet.
    held: Vec<u8>,
    passed: usize,
    fields: usize,
}

/// The boundary that a `Content-Type` of a form names (RFC 2046: 1 to 70 characters of a short list).
pub fn boundary(content_type: &str) -> Result<String, FormError> {
    let (media_type, parameters) = content_type.split_once(';').ok_or(FormError::Boundary)?;
    if !media_type.trim().eq_ignore_ascii_case("multipart/form-data") {
        return Err(FormError::Boundary);
    }
    let value = parameters.split(';').find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("boundary").then(|| value.trim().trim_matches('"').to_owned())
    });
    let allowed = |c: char| c.is_ascii_alphanumeric() || "'()+_,-./:=?".contains(c);
    value.filter(|value| (1..=70).contains(&value.len()) && value.chars().all(allowed)).ok_or(FormError::Boundary)
}

impl Multipart {
    /// Begins to read a form whose fields are parted by this boundary.
    pub fn new(boundary: &str) -> Self {
        let delimiter = [b"\r\n--", boundary.as_bytes()].concat();
        // The first delimiter stands at the very beginning, without a line before it.
        Self { delimiter, state: State::Preamble, held: b"\r\n".to_vec(), passed: 0, fields: 0 }
    }

    /// Takes the next bytes, and tells `sink` what they are.
    pub fn push<E: From<FormError>>(&mut self, bytes: &[u8], mut sink: impl FnMut(Event<'_>) -> Result<(), E>) -> Result<(), E> {
        self.held.extend_from_slice(bytes);
        let mut held = std::mem::take(&mut self.held);
        let mut at = 0;
        let stepped = loop {
            match self.step(&held[at..], &mut sink) {
                Ok(0) => break Ok(()),
                Ok(used) => at += used,
                Err(error) => break Err(error),
            }
        };
        held.drain(..at);
        self.held = held;
        stepped
    }

    /// Says that nothing more comes.
    pub fn finish(self) -> Result<(), FormError> {
        if self.state == State::Over { Ok(()) } else { Err(FormError::BrokeOff) }
    }

    /// Reads one thing, and says how many bytes it was; 0 if more must come first.
    fn step<E: From<FormError>>(&mut self, held: &[u8], sink: &mut impl FnMut(Event<'_>) -> Result<(), E>) -> Result<usize, E> {
        match self.state {
            State::Preamble | State::Data => self.until_delimiter(held, sink),
            State::AfterDelimiter => Ok(self.after_delimiter(held)?),
            State::Head => self.head(held, sink),
            // The epilogue means nothing.
            State::Over => Ok(held.len()),
        }
    }

    fn until_delimiter<E: From<FormError>>(&mut self, held: &[u8], sink: &mut impl FnMut(Event<'_>) -> Result<(), E>) -> Result<usize, E> {
        let found = memchr::memmem::find(held, &self.delimiter);
        let inside = self.state == State::Data;
        let safe = found.unwrap_or_else(|| (held.len() + 1).saturating_sub(self.delimiter.len()));
        if inside && safe > 0 {
            sink(Event::Data(&held[..safe]))?;
        }
        self.passed += if inside { 0 } else { safe };
        if self.passed > PREAMBLE {
            return Err(FormError::Malformed.into());
        }
        if found.is_none() {
            return Ok(safe);
        }
        if inside {
            sink(Event::End)?;
        }
        self.state = State::AfterDelimiter;
        Ok(safe + self.delimiter.len())
    }

    fn after_delimiter(&mut self, held: &[u8]) -> Result<usize, FormError> {
        match held {
            [b'-', b'-', ..] => self.state = State::Over,
            [b'\r', b'\n', ..] => {
                self.fields += 1;
                if self.fields > FIELDS {
                    return Err(FormError::TooManyFields);
                }
                self.state = State::Head;
            }
            [] | [b'-' | b'\r'] => return Ok(0),
            _ => return Err(FormError::Malformed),
        }
        Ok(2)
    }

    fn head<E: From<FormError>>(&mut self, held: &[u8], sink: &mut impl FnMut(Event<'_>) -> Result<(), E>) -> Result<usize, E> {
        let Some(end) = memchr::memmem::find(&held[..held.len().min(HEAD)], b"\r\n\r\n") else {
            return if held.len() < HEAD { Ok(0) } else { Err(FormError::Malformed.into()) };
        };
        sink(Event::Field(field(&held[..end])?))?;
        self.state = State::Data;
        // The line end that stays may begin the delimiter of an empty field; so it is not part of the head.
        Ok(end + 4)
    }
}

fn field(head: &[u8]) -> Result<Field, FormError> {
    let mut field = None;
    let mut media_type = None;
    for line in head.split(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let colon = line.iter().position(|byte| *byte == b':').ok_or(FormError::Malformed)?;
        let (name, value) = (&line[..colon], &line[colon + 1..]);
        if name.eq_ignore_ascii_case(b"content-disposition") {
            if field.replace(disposition(value)?).is_some() {
                return Err(FormError::Malformed);
            }
        } else if name.eq_ignore_ascii_case(b"content-type") {
            media_type = std::str::from_utf8(value).ok().map(|text| text.trim().to_owned());
        }
    }
    field.map(|field: Field| Field { media_type, ..field }).ok_or(FormError::Malformed)
}

/// `form-data; name="…"; filename="…"`. Browsers write a quote or a line end in a name as `%22`, `%0D`, `%0A` and nothing else so (HTML, "multipart form data").
fn disposition(value: &[u8]) -> Result<Field, FormError> {
    let value = value.trim_ascii();
    let mut rest = value.strip_prefix(b"form-data").ok_or(FormError::Malformed)?.trim_ascii();
    let mut field = Field::default();
    let mut named = false;
    while let Some(parameter) = rest.strip_prefix(b";") {
        let parameter = parameter.trim_ascii_start();
        let equals = parameter.iter().position(|byte| *byte == b'=').ok_or(FormError::Malformed)?;
        let quoted = parameter[equals + 1..].strip_prefix(b"\"").ok_or(FormError::Malformed)?;
        let end = quoted.iter().position(|byte| *byte == b'"').ok_or(FormError::Malformed)?;
        let text = plain(&quoted[..end]);
        match &parameter[..equals] {
            b"name" => {
                field.name = String::from_utf8(text).map_err(|_| FormError::Malformed)?;
                named = true;
            }
            b"filename" => field.file_name = Some(text),
            _ => {}
        }
        rest = quoted[end + 1..].trim_ascii_start();
    }
    if named && rest.is_empty() { Ok(field) } else { Err(FormError::Malformed) }
}

fn plain(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, after)) = rest.split_first() {
        let (byte, used) = match after.first_chunk() {
            Some(b"22") if *first == b'%' => (b'"', 3),
            Some(b"0D" | b"0d") if *first == b'%' => (b'\r', 3),
            Some(b"0A" | b"0a") if *first == b'%' => (b'\n', 3),
            _ => (*first, 1),
        };
        out.push(byte);
        rest = &rest[used..];
    }
    out
}

#[cfg(test)]
mod tests;
