use super::*;
use crate::tests::{ORIGIN, editor, log_key, signed, signer};

fn checkpoint() -> Checkpoint {
    Checkpoint { origin: ORIGIN.into(), size: 70_000, root: Digest::of(b"root") }
}

#[test]
fn a_checkpoint_is_three_lines_signed_by_the_log() {
    let bytes = checkpoint().sign(&log_key()).unwrap().to_bytes();
    let text = String::from_utf8(bytes.clone()).unwrap();
    assert!(
        text.starts_with("archive.example/test\n70000\nSBNJTRN+FjG7owHVrKtuewolZ6dVxa/VLzfdWwHWjIo=\n\n— archive.example/test ")
            || text.starts_with("archive.example/test\n70000\n")
    );
    let (read, note) = Checkpoint::open(&bytes, &log_key().key()).unwrap();
    assert_eq!((read, note.to_bytes()), (checkpoint(), bytes));
    assert!(matches!(checkpoint().sign(&editor(1)), Err(CheckpointError::Origin { .. })));
}

#[test]
fn what_another_key_signed_or_another_log_says_is_refused() {
    let by = |text: &str, who: &Signer| signed(Note::new(text).unwrap(), std::slice::from_ref(who));
    let key = log_key().key();
    let text = checkpoint().text();
    assert!(matches!(Checkpoint::open(&by(&text, &editor(1)), &key), Err(CheckpointError::Note(_))));
    assert!(matches!(Checkpoint::open(&by(&text, &signer(ORIGIN, 2)), &key), Err(CheckpointError::Note(_))), "the same name, another key");
    assert!(matches!(Checkpoint::open(&by(&text.replace("example", "other"), &log_key()), &key), Err(CheckpointError::Origin { .. })));
    for wrong in [
        text.replace("70000", "070000"),
        text.replace("70000", "-1"),
        text.replace("70000", "18446744073709551616"),
        text.replace("=\n", "\n"),
        format!("{text}extension\n"),
        text.replace("archive.example/test", ""),
    ] {
        assert!(Checkpoint::open(&by(&wrong, &log_key()), &key).is_err(), "{wrong}");
    }
    let fast_forward = Checkpoint { size: u64::MAX, ..checkpoint() };
    assert_eq!(Checkpoint::parse_text(&fast_forward.text()).unwrap(), fast_forward, "it can be read; what needs its tiles fails");
}

#[test]
fn no_other_note_of_ours_can_be_a_checkpoint() {
    for header in ["daylight-release/v1", "daylight-root/v1", "daylight-heartbeat/v2", "cosignature/v1", "", "a b", "a+b"] {
        assert!(!check_origin(header), "{header}");
    }
    assert!(check_origin("daylight-demo.example/archive") && check_origin("archive.example/v1"));
}
