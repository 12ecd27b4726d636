use super::program::{Server, daylight};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use tempfile::TempDir;

/// A folder to work in, under target/tmp, which `./test` empties.
pub(crate) fn workplace() -> TempDir {
    let place = super::root().join("target/tmp");
    std::fs::create_dir_all(&place).unwrap();
    TempDir::new_in(place).unwrap()
}

/// The demonstration's folder, with `trove`, `desk` and `archive` in it: made once for all tests, which must not change it.
pub(crate) fn demo() -> &'static Path {
    static DEMO: OnceLock<PathBuf> = OnceLock::new();
    DEMO.get_or_init(|| {
        let place = workplace().keep().join("demo");
        daylight(["demo".as_ref(), place.as_os_str(), "--no-serve".as_ref()]).code(0);
        place
    })
}

/// The demonstration's archive, served.
pub(crate) fn demo_server() -> Server {
    Server::start(&demo().join("archive"))
}
