use std::fmt;

/// The name of a file or attachment as it was given: bytes, which need not be UTF-8, with a display that loses nothing.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(pub Vec<u8>);

impl Name {
    /// The name as text if it is UTF-8 without control characters or backslashes; only then does its display equal its bytes.
    pub fn as_plain(&self) -> Option<&str> {
        let text = std::str::from_utf8(&self.0).ok()?;
        (!text.chars().any(Self::must_escape)).then_some(text)
    }

    /// The extension in lower case ASCII: what follows the last full stop, at most 16 bytes.
    pub fn extension(&self) -> Option<String> {
        let last = self.0.rsplit(|b| *b == b'/').next()?;
        let dot = last.iter().rposition(|b| *b == b'.')?;
        let extension = &last[dot + 1..];
        let short = !extension.is_empty() && extension.len() <= 16 && extension.is_ascii();
        short.then(|| String::from_utf8_lossy(extension).to_ascii_lowercase())
    }

    /// Control characters, the escape character itself, and the characters that reorder what stands around them (Unicode UAX 9), which let
    /// `fdp.exe` be shown as `exe.pdf`.
    pub fn must_escape(c: char) -> bool {
        c.is_control() || c == '\\' || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    }
}

impl From<&str> for Name {
    fn from(text: &str) -> Self {
        Self(text.as_bytes().to_vec())
    }
}

impl fmt::Display for Name {
    /// Bytes that are not UTF-8 appear as `\xNN`, control and reordering characters as `\u{N}`, a backslash as `\\`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for chunk in self.0.utf8_chunks() {
            for c in chunk.valid().chars() {
                match c {
                    '\\' => f.write_str("\\\\")?,
                    c if Self::must_escape(c) => write!(f, "\\u{{{:x}}}", u32::from(c))?,
                    c => write!(f, "{c}")?,
                }
            }
            for byte in chunk.invalid() {
                write!(f, "\\x{byte:02x}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_display_loses_nothing_and_cannot_be_reordered() {
        assert_eq!(Name(b"a\xffb\\\n".to_vec()).to_string(), "a\\xffb\\\\\\u{a}");
        assert_eq!(Name::from("x\u{202e}fdp.exe").to_string(), "x\\u{202e}fdp.exe");
        assert_eq!(Name::from("año.txt").as_plain(), Some("año.txt"));
        assert_eq!(Name::from("dir.d/Report.PDF").extension().as_deref(), Some("pdf"));
        assert_eq!(Name::from("dir.d/none").extension(), None);
    }
}
