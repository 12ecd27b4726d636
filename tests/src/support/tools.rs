use super::program::Spoken;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Says why a test is left out, in the one form that `./test` counts.
pub(crate) fn skip(why: &str) {
    println!("skipped: {why}");
}

/// Whether a program that a test needs is here. `./test` sets DAYLIGHT_TESTS_REQUIRE_TOOLS once it has installed all of them: from then on a
/// missing one is a failure, so that a check cannot quietly stop being made.
pub(crate) fn tool(name: &str) -> bool {
    let found = Command::new("sh").args(["-c", "command -v \"$0\"", name]).stdout(Stdio::null()).status().is_ok_and(|s| s.success());
    required(found, name)
}

/// A file that `./test` keeps under target/test-tools.
pub(crate) fn tool_file(name: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("DAYLIGHT_TEST_TOOLS").map_or_else(|| super::root().join("target/test-tools"), PathBuf::from);
    let file = folder.join(name);
    required(file.is_file(), name).then_some(file)
}

/// Runs a script of tests/python with the packages that `./test` installs; `None` where they are not here.
pub(crate) fn python_script<A: AsRef<OsStr>>(script: &str, arguments: impl IntoIterator<Item = A>) -> Option<Spoken> {
    let python = tool_file("python/bin/python")?;
    Some(Command::new(python).arg(super::root().join("tests/python").join(script)).args(arguments).output().unwrap().into())
}

fn required(found: bool, name: &str) -> bool {
    assert!(
        found || std::env::var_os("DAYLIGHT_TESTS_REQUIRE_TOOLS").is_none(),
        "{name} is missing, but ./test said that every tool is here"
    );
    if !found {
        skip(&format!("no {name}"));
    }
    found
}

/// The folder of real documents, where there is one: DAYLIGHT_CORPORA, or `shared/corpora` beside the checkout.
pub(crate) fn corpora() -> Option<PathBuf> {
    let folder = std::env::var_os("DAYLIGHT_CORPORA").map_or_else(|| super::root().join("../shared/corpora"), PathBuf::from);
    if Path::is_dir(&folder) {
        return Some(folder);
    }
    skip("no corpora");
    None
}
