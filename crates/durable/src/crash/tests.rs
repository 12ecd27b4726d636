use super::{crash_point, parse};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, ExitStatus};
use std::{env, fs};

/// Played by this test binary, started again by the test below; on its own it reaches its points and passes.
#[test]
fn a_process_with_three_steps() {
    for _ in 0..2 {
        crash_point("test.one");
        crash_point("test.two");
    }
    crash_point("test.three");
}

fn three_steps(crash_at: &str, log: &std::path::Path) -> ExitStatus {
    let mut child = Command::new(env::current_exe().unwrap());
    child.args(["--exact", "crash::tests::a_process_with_three_steps"]);
    child.env("DAYLIGHT_CRASH_AT", crash_at).env("DAYLIGHT_CRASH_LOG", log);
    child.output().unwrap().status
}

#[test]
fn a_process_aborts_at_the_named_point_the_named_time_and_logs_the_way() {
    const ABORTED: Option<i32> = Some(6);
    let folder = tempfile::tempdir().unwrap();
    let cases = [
        ("test.two", ABORTED, "test.one\ntest.two\n"),
        ("test.one:2", ABORTED, "test.one\ntest.two\ntest.one\n"),
        ("test.one:3", None, "test.one\ntest.two\ntest.one\ntest.two\ntest.three\n"),
        ("test.other", None, "test.one\ntest.two\ntest.one\ntest.two\ntest.three\n"),
    ];
    for (number, (crash_at, signal, way)) in cases.into_iter().enumerate() {
        let log = folder.path().join(number.to_string());
        assert_eq!(three_steps(crash_at, &log).signal(), signal, "{crash_at}");
        assert_eq!(fs::read_to_string(&log).unwrap(), way, "{crash_at}");
    }
}

#[test]
fn a_crash_place_is_a_name_and_perhaps_a_time() {
    assert_eq!(parse("store.pack-synced"), ("store.pack-synced".to_owned(), 1));
    assert_eq!(parse("store.pack-synced:12"), ("store.pack-synced".to_owned(), 12));
}

#[test]
fn a_disk_is_filled_at_the_named_time_by_the_named_file_and_the_process_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let (log, filler) = (folder.path().join("log"), folder.path().join("filler"));
    let mut child = Command::new(env::current_exe().unwrap());
    child.args(["--exact", "crash::tests::a_process_with_three_steps"]);
    child.env("DAYLIGHT_FULL_AT", "test.two:2").env("DAYLIGHT_FULL_BY", &filler).env("DAYLIGHT_CRASH_LOG", &log);
    assert!(child.output().unwrap().status.success());
    assert!(fs::metadata(&filler).unwrap().len() > 0);
    assert!(fs::read_to_string(&log).unwrap().ends_with("test.three\n"));
}
