use std::fmt::Write as _;

/// An address on this site, built from a path that we wrote and parameters that anybody may have written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Href(String);

impl Href {
    /// A path of our own making; it is not encoded.
    pub fn new(path: &str) -> Self {
        Self(path.to_owned())
    }

    /// Adds a parameter; nothing is added for an empty value.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        if !value.is_empty() {
            self.0.push(if self.0.contains('?') { '&' } else { '?' });
            self.0.push_str(name);
            self.0.push('=');
            self.0.push_str(&encode(value));
        }
        self
    }

    /// Adds where on the page to go.
    pub fn at(mut self, fragment: &str) -> Self {
        self.0.push('#');
        self.0.push_str(&encode(fragment));
        self
    }

    /// The address as it stands in an attribute, not yet escaped for HTML.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl maud::Render for Href {
    fn render_to(&self, out: &mut String) {
        maud::Render::render_to(self.0.as_str(), out);
    }
}

/// Percent-encodes everything but the unreserved characters of RFC 3986 section 2.3.
pub fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            _ => {
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    out
}
