//! One program for all targets, so that all of it is built and linked once: FUZZ_TARGET names the one to run.
#![no_main]

use daylight_fuzz::targets::{self, Target};
use std::sync::OnceLock;

fn target() -> Target {
    static TARGET: OnceLock<Target> = OnceLock::new();
    *TARGET.get_or_init(|| {
        let name = std::env::var("FUZZ_TARGET").unwrap_or_default();
        let found = targets::ALL.iter().find(|(known, _)| *known == name);
        let known: Vec<&str> = targets::ALL.iter().map(|(known, _)| *known).collect();
        found.unwrap_or_else(|| panic!("set FUZZ_TARGET to one of {}", known.join(", "))).1
    })
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| target()(data));
