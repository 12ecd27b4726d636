use super::files::File;
use super::story::Person;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use encoding_rs::Encoding;

/// A message that is about to be written.
pub(super) struct Mail<'a> {
    pub(super) from: &'a Person,
    pub(super) to: Vec<&'a Person>,
    pub(super) cc: Vec<&'a Person>,
    pub(super) subject: String,
    /// As it stands in the header.
    pub(super) date: String,
    /// Without angle brackets; none is written where it is empty.
    pub(super) id: String,
    pub(super) references: Vec<String>,
    pub(super) text: String,
    pub(super) html: Option<String>,
    /// Character set and transfer encoding, where the text does not choose them.
    pub(super) encoding: Option<(String, String)>,
    pub(super) files: Vec<File>,
    /// Further header lines, whole.
    pub(super) extra: Vec<String>,
}

impl Mail<'_> {
    /// The message with LF line ends. `boundary` must be unlike any line of it.
    pub(super) fn bytes(&self, boundary: &str) -> Vec<u8> {
        let (charset, transfer) = self.encoding();
        let mut head: Vec<String> = self.extra.clone();
        head.push(format!("From: {}", addresses(&[self.from], &charset)));
        head.push(format!("To: {}", addresses(&self.to, &charset)));
        if !self.cc.is_empty() {
            head.push(format!("Cc: {}", addresses(&self.cc, &charset)));
        }
        head.push(format!("Subject: {}", words(&self.subject, &charset)));
        head.push(format!("Date: {}", self.date));
        if !self.id.is_empty() {
            head.push(format!("Message-ID: <{}>", self.id));
        }
        if let Some(last) = self.references.last() {
            head.push(format!("In-Reply-To: <{last}>"));
            head.push(format!("References: {}", self.references.iter().map(|id| format!("<{id}>")).collect::<Vec<_>>().join("\n ")));
        }
        head.push("MIME-Version: 1.0".to_owned());
        let head = head.join("\n") + "\n";
        [head.into_bytes(), self.content(boundary, &charset, &transfer)].concat()
    }

    /// The body with the headers that describe it.
    fn content(&self, boundary: &str, charset: &str, transfer: &str) -> Vec<u8> {
        let plain = text_part("plain", &self.text, charset, transfer);
        let body = match &self.html {
            Some(html) if self.text.is_empty() => text_part("html", html, charset, transfer),
            Some(html) => {
                let parts = [plain, text_part("html", html, "utf-8", "quoted-printable")];
                multipart("alternative", &format!("{boundary}=a"), &parts)
            }
            None => plain,
        };
        if self.files.is_empty() {
            return body;
        }
        let parts: Vec<Vec<u8>> = std::iter::once(body).chain(self.files.iter().map(file_part)).collect();
        multipart("mixed", boundary, &parts)
    }

    /// What was asked for if the text can be said in it, else the plainest that can.
    fn encoding(&self) -> (String, String) {
        let all = format!("{}{}", self.text, self.subject);
        match &self.encoding {
            Some((charset, transfer)) if encode(&all, charset).is_some() => (charset.clone(), transfer.clone()),
            _ if all.is_ascii() => ("us-ascii".to_owned(), "7bit".to_owned()),
            _ => ("utf-8".to_owned(), "quoted-printable".to_owned()),
        }
    }
}

/// The text in a character set, if it has all the characters.
fn encode(text: &str, charset: &str) -> Option<Vec<u8>> {
    let (bytes, _, lossy) = Encoding::for_label(charset.as_bytes())?.encode(text);
    (!lossy).then(|| bytes.into_owned())
}

fn text_part(subtype: &str, text: &str, charset: &str, transfer: &str) -> Vec<u8> {
    let bytes = encode(text, charset).unwrap_or_else(|| text.as_bytes().to_vec());
    let head = format!("Content-Type: text/{subtype}; charset={charset}\nContent-Transfer-Encoding: {transfer}\n\n");
    let body = match transfer {
        "base64" => base64_lines(&bytes),
        "quoted-printable" => quoted_printable(&bytes),
        _ => bytes,
    };
    [head.into_bytes(), body].concat()
}

fn file_part(file: &File) -> Vec<u8> {
    let name = if file.name.is_ascii() {
        format!("filename=\"{}\"", file.name)
    } else {
        // RFC 2231 section 4.
        let escaped =
            file.name.bytes().map(|b| if b.is_ascii_alphanumeric() || b == b'.' { char::from(b).to_string() } else { format!("%{b:02X}") });
        format!("filename*=utf-8''{}", escaped.collect::<String>())
    };
    let head = format!("Content-Type: {}\nContent-Disposition: attachment; {name}\n", file.media_type);
    let (transfer, body) = match file.media_type {
        "message/rfc822" => ("8bit", file.bytes.clone()),
        kind if kind.starts_with("text/") => ("quoted-printable", quoted_printable(&file.bytes)),
        _ => ("base64", base64_lines(&file.bytes)),
    };
    [head.into_bytes(), format!("Content-Transfer-Encoding: {transfer}\n\n").into_bytes(), body].concat()
}

fn multipart(subtype: &str, boundary: &str, parts: &[Vec<u8>]) -> Vec<u8> {
    let mut whole = format!("Content-Type: multipart/{subtype}; boundary=\"{boundary}\"\n\n").into_bytes();
    for part in parts {
        whole.extend_from_slice(format!("--{boundary}\n").as_bytes());
        whole.extend_from_slice(part);
        whole.push(b'\n');
    }
    whole.extend_from_slice(format!("--{boundary}--\n").as_bytes());
    whole
}

fn base64_lines(bytes: &[u8]) -> Vec<u8> {
    let encoded = BASE64.encode(bytes);
    encoded.as_bytes().chunks(76).flat_map(|line| line.iter().copied().chain([b'\n'])).collect()
}

/// RFC 2045 section 6.7, with LF as the line's end.
fn quoted_printable(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() + bytes.len() / 8);
    let mut column = 0;
    for (at, byte) in bytes.iter().enumerate() {
        let last = bytes.get(at + 1).is_none_or(|next| *next == b'\n');
        let piece = match byte {
            b'\n' => vec![b'\n'],
            b'=' => b"=3D".to_vec(),
            b' ' if last => b"=20".to_vec(),
            b' '..=b'~' => vec![*byte],
            _ => format!("={byte:02X}").into_bytes(),
        };
        if *byte != b'\n' && column + piece.len() > 75 {
            out.extend_from_slice(b"=\n");
            column = 0;
        }
        column = if *byte == b'\n' { 0 } else { column + piece.len() };
        out.extend_from_slice(&piece);
    }
    out
}

fn addresses(people: &[&Person], charset: &str) -> String {
    people.iter().map(|person| format!("{} <{}>", words(&person.name, charset), person.address)).collect::<Vec<_>>().join(",\n ")
}

/// A header's text: as it is, or as encoded words (RFC 2047) of at most 75 characters, folded.
fn words(text: &str, charset: &str) -> String {
    if text.is_ascii() {
        return text.to_owned();
    }
    let charset = if encode(text, charset).is_some() && charset != "us-ascii" { charset } else { "utf-8" };
    let quoted = text.chars().filter(char::is_ascii).count() * 2 > text.chars().count();
    let mut words = vec![String::new()];
    for c in text.chars() {
        let longer = words.last().map_or(String::new(), |word| format!("{word}{c}"));
        if word(&longer, charset, quoted).len() <= 74 {
            words.pop();
            words.push(longer);
        } else {
            words.push(c.to_string());
        }
    }
    words.iter().map(|text| word(text, charset, quoted)).collect::<Vec<_>>().join("\n ")
}

fn word(text: &str, charset: &str, quoted: bool) -> String {
    let bytes = encode(text, charset).unwrap_or_default();
    if !quoted {
        return format!("=?{charset}?B?{}?=", BASE64.encode(bytes));
    }
    let letter = |byte: &u8| match byte {
        b' ' => "_".to_owned(),
        byte if byte.is_ascii_alphanumeric() => char::from(*byte).to_string(),
        byte => format!("={byte:02X}"),
    };
    format!("=?{charset}?Q?{}?=", bytes.iter().map(letter).collect::<String>())
}
