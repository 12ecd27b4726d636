//! What we read, held against what others read in the same files: each difference is either ours to mend, or stands in a table with its reason.
//! These tests need the corpora, and say so where those are not.
#![allow(clippy::unwrap_used, clippy::print_stdout, unreachable_pub)]

mod compare;
mod enmime;
mod fixtures;
mod mail_parser;
mod mailbag;
mod mime4j;
mod ours;
mod programs;
mod silence;
