//! What is fuzzed, and the small files that fuzzing begins with. `fuzz/README.md` says how.
//!
//! A target takes bytes, has one reader or parser of Daylight's read them, and panics where a rule is broken; libFuzzer sees to the rest: crashes,
//! hangs, memory. The readers are reached as the worker reaches them, by `daylight_extract::read`.

pub mod make;
pub mod seeds;
pub mod targets;
