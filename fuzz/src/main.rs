//! One program for all targets, so that all of it is built and linked once: FUZZ_TARGET names the one to run.
#![no_main]

use daylight_fuzz::seeds;
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

/// Where FUZZ_SEEDS names a folder, what each target begins with is written there and nothing is fuzzed. A program of its own could not be linked, for the
/// compiler counts branches in all that it compiles, and only libFuzzer has what they are counted with.
fn write_seeds() {
    let Some(folder) = std::env::var_os("FUZZ_SEEDS") else { return };
    for name in seeds::write(folder.as_ref()).expect("seeds can be written") {
        println!("{name}");
    }
    std::process::exit(0);
}

libfuzzer_sys::fuzz_target!(init: write_seeds(), |data: &[u8]| target()(data));
