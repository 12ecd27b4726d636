//! Verdicts on real mail, one program for all of them. They need the corpora, and say so where those are not.
#![allow(clippy::unwrap_used, clippy::print_stdout, unreachable_pub)]

mod linux_man;
mod suites;
mod support;
