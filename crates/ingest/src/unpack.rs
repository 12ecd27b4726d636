//! Containers that no reader unpacks: a program of the system does it, in the cage of tools, and what it makes of them is a tar, which a reader takes apart
//! in its own cage. Nothing of that tar is parsed here.
//!
//! bsdtar, of libarchive, is C, and reads RAR of versions 4 and 5. It gets the bytes of one document on its standard input and writes to a file that it
//! cannot name; behind what it wrote the document's own bytes are put, so that the reader can hold one against the other.

use crate::source::{Source, desk_error};
use daylight_model::{Fault, FaultCode, Stage};
use daylight_sandbox::{PrivateFolder, Tool, ToolDeath, ToolInput, ToolLimits};
use daylight_store::Error;
use std::ffi::OsString;
use std::fs::File;
use std::io::{Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What is unpacked so.
const MEDIA: &str = "application/vnd.rar";
/// The step and its version, as it stands in faults.
const STEP: &str = "unpack 1";
/// What a tar may have besides what is in its files: headers, names, the ends of blocks.
const BESIDES: u64 = 256 << 20;
/// A dictionary of RAR may have a gigabyte.
const MEMORY: u64 = 4 << 30;
/// What asking it for its version may cost.
const QUESTION: ToolLimits = ToolLimits { wall: Duration::from_secs(30), output: 64 << 10, folder: 1 << 20, memory: MEMORY };

/// The program that unpacks what no reader does, as it is installed here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unpacker {
    program: PathBuf,
    version: String,
    scratch: PathBuf,
}

/// What was unpacked of a document, in a file that goes with this.
pub(crate) struct Unpacked {
    /// The tar, and behind it the document itself; open for reading alone.
    pub(crate) file: File,
    /// How many bytes of it are the tar.
    pub(crate) tar: u64,
    /// What kept the program from its end.
    pub(crate) fault: Option<Fault>,
    _folder: PrivateFolder,
}

/// Whether a document of this type must be unpacked by a program.
pub(crate) fn is_for(media_type: &str) -> bool {
    media_type == MEDIA
}

impl Unpacker {
    /// Looks for it; its private files will be in `scratch`. The error says what to install.
    pub fn find(scratch: &Path) -> Result<Self, String> {
        let program = program().ok_or("no program that unpacks RAR is installed; on Debian install libarchive-tools")?;
        Tool::can_be_caged()?;
        let tool = Tool { program: program.clone(), args: vec!["--version".into()], reads: Vec::new(), scratch: scratch.to_owned() };
        let said = tool.run(ToolInput::Bytes(&[]), &QUESTION).map_err(|death| format!("bsdtar cannot be asked its version: {death}"))?;
        Ok(Self { program, version: version(&String::from_utf8_lossy(&said.stdout)), scratch: scratch.to_owned() })
    }

    /// Unpacks a document, as far as it goes: to at most so many bytes, and in at most this time. The inner error says why the program was not run at all.
    pub(crate) fn unpack(&self, source: &Source, budget: u64, wall: Duration) -> Result<Result<Unpacked, String>, Error> {
        let broken = desk_error;
        let folder = PrivateFolder::make(&self.scratch).map_err(broken)?;
        let path = folder.path().join("unpacked");
        let mut written = File::create_new(&path).map_err(broken)?;
        // As it stands in the container, whatever its name would lead to: nothing is ever unpacked to a path. Written block by block, for what a program
        // holds back is lost when it meets what it cannot unpack.
        let args = ["-c", "-f", "-", "-b", "1", "-P", "--format=pax", "@-"].into_iter().map(OsString::from).collect();
        let tool = Tool { program: self.program.clone(), args, reads: Vec::new(), scratch: self.scratch.clone() };
        let limits = ToolLimits { wall, output: 0, folder: budget.saturating_add(BESIDES), memory: MEMORY };
        let fault = match tool.run_into(written.try_clone().map_err(broken)?, source.tool_input(), &limits) {
            Ok(()) => None,
            Err(ToolDeath::NotRun(why)) => return Ok(Err(why)),
            Err(death) => Some(self.fault(&death)),
        };
        let tar = written.seek(SeekFrom::End(0)).map_err(broken)?;
        source.copy_to(&mut written)?;
        Ok(Ok(Unpacked { file: File::open(&path).map_err(broken)?, tar, fault, _folder: folder }))
    }

    /// What kept it from its end. What it complains of may quote the document.
    fn fault(&self, death: &ToolDeath) -> Fault {
        let (code, limit) = match death {
            ToolDeath::TooSlow(most) => (FaultCode::TooSlow, Some(most.as_secs())),
            ToolDeath::FolderFull(most) => (FaultCode::TooLarge, Some(*most)),
            ToolDeath::Signal(_) => (FaultCode::ReaderDied, None),
            ToolDeath::Exit(..) | ToolDeath::TooMuch(_) | ToolDeath::NotRun(_) => (FaultCode::Truncated, None),
        };
        let why = if let ToolDeath::Exit(code, _) = death { format!("it ended with exit code {code}") } else { death.to_string() };
        let detail = format!("{self} did not unpack it to its end: {why}");
        Fault { stage: Stage::Split, code, tool: STEP.into(), detail, limit, at: None }
    }
}

/// The fault of a document that waits for such a program.
pub(crate) fn missing(why: &str) -> Fault {
    let detail = format!("{why}; then run `daylight retry`");
    Fault { stage: Stage::Split, code: FaultCode::NoProgram, tool: STEP.into(), detail, limit: None, at: None }
}

impl std::fmt::Display for Unpacker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "bsdtar {}", self.version)
    }
}

fn program() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let mut programs = std::env::split_paths(&path).filter(|folder| folder.is_absolute()).map(|folder| folder.join("bsdtar"));
    programs.find(|program| program.is_file()).and_then(|program| program.canonicalize().ok())
}

/// `bsdtar 3.6.2 - libarchive 3.6.2` and much more.
fn version(said: &str) -> String {
    let word = said.split_whitespace().nth(1).unwrap_or_default();
    let plain: String = word.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-')).take(32).collect();
    if plain.is_empty() { "of an unknown version".into() } else { plain }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_it_says_of_itself_is_understood() {
        assert_eq!(version("bsdtar 3.6.2 - libarchive 3.6.2 zlib/1.2.13\n"), "3.6.2");
        assert_eq!(version("bsdtar \u{1b}[31m;3"), "31m3");
        assert_eq!(version(""), "of an unknown version");
    }
}
