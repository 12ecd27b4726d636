//! System tools, run under a second profile: programs that others wrote in other languages, which a hostile file may take over just as well.
//!
//! A tool gets its input as bytes or as an open file, one private folder to write to, the system's libraries and data to read, and nothing else: no network, no
//! other process, no other program, no environment. What it says is bounded, and so is its time. Seccomp alone cannot hold it, since a program cannot
//! live without opening files: where the kernel has no Landlock no tool is run, and that is said.

mod folder;
mod run;

use crate::cage::{self, Paths};
pub use folder::PrivateFolder;
use std::ffi::OsString;
use std::fmt;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Where a system keeps libraries, their list, and data.
const SYSTEM: [&str; 6] = ["/usr", "/lib", "/lib32", "/lib64", "/etc/ld.so.cache", "/etc/fonts"];
/// Devices that programs take for granted.
const DEVICES: [&str; 3] = ["/dev/null", "/dev/zero", "/dev/urandom"];

/// A program of the system, and how it is started.
#[derive(Debug, Clone)]
pub struct Tool {
    /// Its absolute path.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<OsString>,
    /// Files and folders that it may read beside the system's libraries and data.
    pub reads: Vec<PathBuf>,
    /// The folder in which its private folder is made.
    pub scratch: PathBuf,
}

/// What a tool gets on its standard input.
#[derive(Debug, Clone, Copy)]
pub enum ToolInput<'a> {
    /// These bytes.
    Bytes(&'a [u8]),
    /// This file, open for reading only, from its beginning.
    File(&'a File),
}

/// What a tool may use.
#[derive(Debug, Clone, Copy)]
pub struct ToolLimits {
    /// Time by the clock, and on the processor for each second of it.
    pub wall: Duration,
    /// The most bytes that it may say.
    pub output: usize,
    /// The most bytes that its private folder may hold.
    pub folder: u64,
    /// The most address space, in bytes.
    pub memory: u64,
}

/// What a tool gave.
#[derive(Debug)]
pub struct ToolOutput {
    /// What it wrote to its standard output.
    pub stdout: Vec<u8>,
    /// The end of what it wrote to its standard error, at most 4 KiB. It may quote the document.
    pub stderr: Vec<u8>,
    /// Its private folder, which goes when this is dropped.
    pub folder: PrivateFolder,
}

/// Why a tool gave nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ToolDeath {
    /// It was not run: it is missing, or this machine cannot cage it.
    NotRun(String),
    /// It ended with this code, which is not 0, and this on its standard error.
    Exit(i32, String),
    /// A signal ended it.
    Signal(i32),
    /// It took longer than this and was ended.
    TooSlow(Duration),
    /// It said more than this many bytes and was ended.
    TooMuch(usize),
    /// Its folder grew to more than this many bytes and it was ended.
    FolderFull(u64),
}

impl fmt::Display for ToolDeath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ToolDeath::NotRun(why) => write!(f, "the tool was not run: {why}"),
            ToolDeath::Exit(code, why) => write!(f, "the tool ended with exit code {code}: {why}"),
            ToolDeath::Signal(number) => write!(f, "the tool was ended by signal {number}"),
            ToolDeath::TooSlow(most) => write!(f, "the tool took longer than {} s and was ended", most.as_secs_f64()),
            ToolDeath::TooMuch(most) => write!(f, "the tool gave more than {most} bytes of output and was ended"),
            ToolDeath::FolderFull(most) => write!(f, "the tool wrote more than {most} bytes to files and was ended"),
        }
    }
}

impl Tool {
    /// Whether this machine can cage a tool, and if not why.
    pub fn can_be_caged() -> Result<(), String> {
        if cage::landlock_available() { Ok(()) } else { Err("this kernel has no Landlock, without which a tool cannot be caged".into()) }
    }

    /// Runs it once, in its private folder. Nothing of it is left when this returns.
    pub fn run(&self, input: ToolInput<'_>, limits: &ToolLimits) -> Result<ToolOutput, ToolDeath> {
        self.run_in(PrivateFolder::make(&self.scratch).map_err(|error| self.not_run(error))?, input, limits)
    }

    /// Runs it in a private folder that the caller made, to put files of its own there.
    pub fn run_in(&self, folder: PrivateFolder, input: ToolInput<'_>, limits: &ToolLimits) -> Result<ToolOutput, ToolDeath> {
        Self::can_be_caged().map_err(ToolDeath::NotRun)?;
        let paths = self.paths(folder.path()).map_err(|error| self.not_run(error))?;
        let (stdout, stderr) = run::run(self, paths, &folder, (input, None), limits)?;
        Ok(ToolOutput { stdout, stderr, folder })
    }

    /// Runs it once with this file, open for writing, as its standard output, in which at most `limits.folder` bytes come to stand. What it wrote until it
    /// ended stands there however it ended.
    pub fn run_into(&self, output: File, input: ToolInput<'_>, limits: &ToolLimits) -> Result<(), ToolDeath> {
        Self::can_be_caged().map_err(ToolDeath::NotRun)?;
        let folder = PrivateFolder::make(&self.scratch).map_err(|error| self.not_run(error))?;
        let paths = self.paths(folder.path()).map_err(|error| self.not_run(error))?;
        run::run(self, paths, &folder, (input, Some(output)), limits).map(drop)
    }

    fn not_run(&self, why: impl fmt::Display) -> ToolDeath {
        ToolDeath::NotRun(format!("{}: {why}", self.program.display()))
    }

    fn paths(&self, folder: &Path) -> Result<Paths, String> {
        let mut paths = Paths::none()?.run(&self.program)?.change(folder)?;
        for loader in loaders() {
            paths = paths.run(&loader)?;
        }
        for path in SYSTEM.iter().map(Path::new).filter(|path| path.exists()) {
            paths = paths.read(path)?;
        }
        for device in DEVICES.iter().map(Path::new).filter(|path| path.exists()) {
            paths = paths.write(device)?;
        }
        for path in &self.reads {
            paths = paths.read(path)?;
        }
        Ok(paths)
    }
}

/// The programs that load others with their libraries, which a kernel runs in their stead.
fn loaders() -> impl Iterator<Item = PathBuf> {
    let folders = ["/lib", "/lib64"].into_iter().filter_map(|folder| std::fs::read_dir(folder).ok());
    folders.flatten().flatten().map(|entry| entry.path()).filter(|path| {
        let name = path.file_name().unwrap_or_default().as_encoded_bytes();
        name.starts_with(b"ld-") && path.exists()
    })
}
