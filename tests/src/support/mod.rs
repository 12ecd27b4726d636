//! What several tests need: the program, the demonstration, a browser, the source code, and what this machine has.

mod browser;
mod demo;
mod disk;
pub(crate) mod drop;
mod http;
mod process;
mod program;
mod source;
mod tools;
mod tpm;

pub(crate) use browser::{Browser, Theme};
pub(crate) use demo::{demo, demo_server, workplace};
pub(crate) use disk::SmallDisk;
pub(crate) use http::{Answer, get};
pub(crate) use process::{Ending, started_by};
pub(crate) use program::{Server, Spoken, daylight, program};
pub(crate) use source::{Source, crates, root};
pub(crate) use tools::{corpora, python_script, skip, tool, tool_file};
pub(crate) use tpm::Chip;
