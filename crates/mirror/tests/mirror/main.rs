//! A mirror against honest sites, and against sites that lie in every way that somebody was once fooled by.
#![allow(clippy::unwrap_used)]

mod honest;
mod lies;
mod publisher;
mod repair;
mod server;
mod ways;
mod withdrawn;

use daylight_archive::{Asked, verify, verify_from};
use daylight_mirror::http::{Client, Config, Patience};
use daylight_mirror::meter::Meter;
use daylight_mirror::report::Report;
use daylight_mirror::update::{Job, update};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// Patience for tests: nobody waits long, and nobody gives up for being slow on a busy machine.
fn patience() -> Patience {
    Patience { tries: 3, first_wait: Duration::from_millis(1), longest_wait: Duration::from_millis(2000), ..Patience::default() }
}

fn client() -> Client {
    Client::new(Config { patience: patience(), ..Config::default() }).unwrap()
}

/// A copy in the making.
struct Copy {
    home: tempfile::TempDir,
}

impl Copy {
    fn new() -> Self {
        Self { home: tempfile::tempdir().unwrap() }
    }

    fn dir(&self) -> PathBuf {
        self.home.path().join("copy")
    }

    fn beside(&self) -> PathBuf {
        self.home.path().join("copy.mirror")
    }

    fn update(&self, from: &str) -> Report {
        self.update_with(&client(), from, None, None)
    }

    fn update_with(&self, client: &Client, from: &str, root: Option<&[u8]>, only: Option<&[String]>) -> Report {
        self.do_with(client, from, root, only, false)
    }

    fn repair(&self, from: &str) -> Report {
        self.do_with(&client(), from, None, None, true)
    }

    fn do_with(&self, client: &Client, from: &str, root: Option<&[u8]>, only: Option<&[String]>, repair: bool) -> Report {
        let (stop, meter) = (AtomicBool::new(false), Meter::default());
        let from = from.parse().unwrap();
        let job = Job { from: &from, to: &self.dir(), root, only, repair, now: 1_800_000_000, stop: &stop, meter: &meter };
        update(client, job).unwrap()
    }
}

/// The copy has all files of the archive but partial tiles of earlier sizes, byte for byte, and no others; and it verifies.
#[track_caller]
fn assert_same(archive: &Path, copy: &Path) {
    let (theirs, ours) = (publisher::files(archive), publisher::files(copy));
    for (path, bytes) in &ours {
        assert_eq!(theirs.get(path), Some(bytes), "{path}");
    }
    for path in theirs.keys().filter(|path| !ours.contains_key(*path)) {
        assert!(path.starts_with("tile/") && path.contains(".p/"), "{path} is missing");
    }
    let report = verify(copy, None, &mut |_| {});
    assert!(report.ok() && !report.is_partial(), "{:?}", report.problems);
}

/// Verifying some collections of a copy.
fn verify_only(copy: &Path, only: &[&str]) -> daylight_archive::Report {
    let only: Vec<String> = only.iter().map(|name| (*name).to_owned()).collect();
    verify_from(&daylight_archive::store::Folder::new(copy), Asked { root: None, only: &only }, &mut |_| {})
}
