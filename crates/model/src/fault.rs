use std::fmt;

/// Where in the flow something could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// Finding and opening files of a trove.
    Walk,
    /// Taking a container apart.
    Split,
    /// Reading a document.
    Read,
    /// Making a rendition.
    Render,
}

/// What kind of thing went wrong: a closed list, so that faults can be counted and grouped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FaultCode {
    /// The operating system refused to give the bytes.
    Unreadable,
    /// There are no bytes.
    Empty,
    /// No reader for this format exists yet; the document is kept and found by name, type and hash.
    NoReader,
    /// The bytes end before the format says they should.
    Truncated,
    /// The bytes break their format's rules; what could be read was read.
    Malformed,
    /// It is encrypted.
    Encrypted,
    /// Bytes did not fit the character set that was stated or guessed, and were replaced by U+FFFD.
    BadCharset,
    /// A limit on bytes was reached; what lies beyond was not read.
    TooLarge,
    /// A limit on nesting was reached; what lies deeper was not read.
    TooDeep,
    /// A limit on the number of parts, entries or people was reached.
    TooMany,
    /// The limit on time was reached.
    TooSlow,
    /// The reader's process died.
    ReaderDied,
    /// A link, device, socket or pipe: listed, never followed.
    NotAFile,
    /// An entry's name tried to leave its container; the entry is kept under an escaped name.
    UnsafeName,
    /// The file changed while it was read.
    Changed,
    /// Its bytes are not those that were sent: they were put together from what a mail store kept.
    Rebuilt,
    /// Its text stands in pictures, or its characters cannot be told from its bytes: it must be recognised.
    NeedsRecognition,
    /// Its text was recognised in pictures by a machine, and may be wrong.
    Recognised,
    /// It is too long to be read with what holds it, and waits to be read by itself.
    Deferred,
    /// Its bytes were forgotten on this desk, because an editor said so: they themselves, or what stood in them.
    Forgotten,
    /// What was read of it was damaged on the desk's disk, and waits to be read again.
    Damaged,
    /// It is read with a program of the system, which is not installed or cannot be caged here.
    NoProgram,
}

impl FaultCode {
    /// Every code, in the order of its number on disk and on the wire; new ones are added at the end.
    pub const ALL: [FaultCode; 22] = [
        FaultCode::Unreadable,
        FaultCode::Empty,
        FaultCode::NoReader,
        FaultCode::Truncated,
        FaultCode::Malformed,
        FaultCode::Encrypted,
        FaultCode::BadCharset,
        FaultCode::TooLarge,
        FaultCode::TooDeep,
        FaultCode::TooMany,
        FaultCode::TooSlow,
        FaultCode::ReaderDied,
        FaultCode::NotAFile,
        FaultCode::UnsafeName,
        FaultCode::Changed,
        FaultCode::Rebuilt,
        FaultCode::NeedsRecognition,
        FaultCode::Recognised,
        FaultCode::Deferred,
        FaultCode::Forgotten,
        FaultCode::Damaged,
        FaultCode::NoProgram,
    ];

    /// The words for it, as people and JSON see them.
    pub fn words(self) -> &'static str {
        match self {
            FaultCode::Unreadable => "unreadable",
            FaultCode::Empty => "empty",
            FaultCode::NoReader => "no reader yet",
            FaultCode::Truncated => "truncated",
            FaultCode::Malformed => "malformed",
            FaultCode::Encrypted => "encrypted",
            FaultCode::BadCharset => "characters not decodable",
            FaultCode::TooLarge => "too large",
            FaultCode::TooDeep => "nested too deep",
            FaultCode::TooMany => "too many parts",
            FaultCode::TooSlow => "took too long",
            FaultCode::ReaderDied => "reader died",
            FaultCode::NotAFile => "not a file",
            FaultCode::UnsafeName => "unsafe name",
            FaultCode::Changed => "changed while read",
            FaultCode::Rebuilt => "rebuilt",
            FaultCode::NeedsRecognition => "needs text recognition",
            FaultCode::Recognised => "text recognised by a machine",
            FaultCode::Deferred => "waits to be read by itself",
            FaultCode::Forgotten => "forgotten",
            FaultCode::Damaged => "damaged on the desk",
            FaultCode::NoProgram => "needs a program that is not here",
        }
    }

    /// Whether some of the document's words may be missing from search because of it. An empty file has no words to miss, and
    /// what was forgotten is missed by nobody.
    pub fn loses_text(self) -> bool {
        !matches!(self, FaultCode::Empty | FaultCode::UnsafeName | FaultCode::Rebuilt | FaultCode::Recognised | FaultCode::Forgotten)
    }
}

impl Stage {
    /// Every stage, in the order of its number on disk and on the wire.
    pub const ALL: [Stage; 4] = [Stage::Walk, Stage::Split, Stage::Read, Stage::Render];

    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Stage::Walk => "walk",
            Stage::Split => "split",
            Stage::Read => "read",
            Stage::Render => "render",
        }
    }
}

/// What could not be read, and why.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Fault {
    /// Where in the flow.
    pub stage: Stage,
    /// What kind.
    pub code: FaultCode,
    /// The tool that met it and its version, such as `mail 1`.
    pub tool: String,
    /// What happened, in one line, without text of the document.
    pub detail: String,
    /// The limit that was reached, in the unit that `detail` names.
    pub limit: Option<u64>,
    /// The byte of the document at which it happened.
    pub at: Option<u64>,
}

impl Fault {
    /// Whether some of the document's words may be missing from search because of it. What could not be made for publishing has its words all the same.
    pub fn loses_text(&self) -> bool {
        self.stage != Stage::Render && self.code.loses_text()
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code.words())?;
        if !self.detail.is_empty() {
            write!(f, ": {}", self.detail)?;
        }
        if let Some(at) = self.at {
            write!(f, " (at byte {at})")?;
        }
        Ok(())
    }
}
