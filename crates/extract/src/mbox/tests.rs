use super::*;
use crate::document::Memory;
use crate::tests::{Heard, OnDisk, hear, request};
use daylight_model::DateSource;
use daylight_model::reading::{Label, Task};

const FROM: &str = "From a@b Mon Jan  3 10:00:00 2005\n";

fn messages(mailbox: &str) -> Vec<String> {
    let split = |heard: &Heard| {
        let children = heard.found.iter().filter(|found| found.parent == Some(0));
        children.map(|found| String::from_utf8_lossy(heard.original(mailbox.as_bytes(), found.index)).into_owned()).collect::<Vec<_>>()
    };
    let heard = hear("x", mailbox.as_bytes());
    let mut streamed = Heard::default();
    crate::read(&request("x", Task::Read { start: 0, skip_first: false }), &OnDisk(mailbox.as_bytes()), &mut streamed).unwrap();
    assert_eq!(split(&heard), split(&streamed), "in memory and from a disk alike");
    assert_eq!(heard.cursors, streamed.cursors);
    split(&heard)
}

#[test]
fn messages_are_split_to_the_byte_and_unquoted() {
    let mailbox = format!("{FROM}A: 1\n\nx\n>From me\n >From you\n\n\n{FROM}A: 2\r\n\r\ny\r\n\r\n{FROM}A: 3\n\nFrom now on, it is text\n");
    assert_eq!(messages(&mailbox), ["A: 1\n\nx\nFrom me\n >From you\n\n", "A: 2\r\n\r\ny\r\n", "A: 3\n\nFrom now on, it is text\n"]);
    let heard = hear("x", mailbox.as_bytes());
    assert_eq!(heard.found[1].place, Place::Follows);
    assert!(matches!(heard.found[2].place, Place::Slice { of: 0, .. }));
    assert_eq!(heard.counted, [(0, None, 3, 0)]);
    let dates = &heard.found[1].message.as_deref().unwrap().dates;
    assert_eq!((dates[0].source, dates[0].seconds), (DateSource::MailboxLine, 1_104_746_400));
    assert_eq!(heard.text(3, Label::Body), "From now on, it is text\n");
}

#[test]
fn a_doubly_quoted_line_anywhere_says_mboxrd() {
    let quoted = format!("{FROM}A: 1\n\n>From a\n");
    assert_eq!(messages(&format!("{quoted}\n{FROM}A: 2\n\n>>From b\n")), ["A: 1\n\nFrom a\n", "A: 2\n\n>From b\n"]);
}

#[test]
fn content_length_is_believed_where_it_fits() {
    let body = format!("x\n\n{FROM}not a message\n>From quoted\n");
    let mailbox = format!("{FROM}Content-Length: {}\n\n{body}\n{FROM}A: 2\nContent-Length: 9999\n\ny\n\n{FROM}A: 3\n\nz\n", body.len());
    assert_eq!(
        messages(&mailbox),
        [format!("Content-Length: {}\n\n{body}", body.len()), "A: 2\nContent-Length: 9999\n\ny\n".into(), "A: 3\n\nz\n".into()]
    );
    let torn = hear("x", format!("{FROM}A: 1\nContent-Length: 9999\n\nx\n").as_bytes());
    assert_eq!(torn.codes(1), [FaultCode::Truncated]);
    assert_eq!(hear("x", format!("{FROM}A: 1\n\nx").as_bytes()).codes(1), [FaultCode::Truncated]);
    assert!(hear("x", format!("{FROM}A: 1\n\nx\n").as_bytes()).faults.is_empty());
}

#[test]
fn reading_goes_on_where_it_stopped() {
    let mailbox: String = (0..50).map(|n| format!("{FROM}Message-ID: <{n}@x>\n\n{}\n\n", "text ".repeat(n * 1000))).collect();
    let whole = hear("x", mailbox.as_bytes());
    assert_eq!((whole.cursors.len(), whole.cursors.last()), (50, Some(&(mailbox.len() as u64))));
    let ordinals: Vec<u64> = whole.found[1..].iter().map(|found| found.ordinal).collect();
    for (n, start) in whole.cursors.iter().enumerate().take(49) {
        for input in [&OnDisk(mailbox.as_bytes()) as &dyn Input, &Memory(mailbox.as_bytes())] {
            let mut rest = Heard::default();
            crate::read(&request("x", Task::Read { start: *start, skip_first: n % 2 == 0 }), input, &mut rest).unwrap();
            assert_eq!(rest.found[1..].iter().map(|found| found.ordinal).collect::<Vec<_>>(), ordinals[n + 1..]);
            assert_eq!(rest.found[1].message.is_none(), n % 2 == 0, "what is skipped is named but not read");
            assert_eq!(rest.original(mailbox.as_bytes(), 1), whole.original(mailbox.as_bytes(), n as u32 + 2));
        }
    }
}

#[test]
fn a_message_beyond_the_limit_is_kept_and_the_next_is_found() {
    let mailbox = format!("{FROM}A: 1\n\n{}\n\n{FROM}A: 2\n\nend\n", "long line\n".repeat(500_000));
    for input in [&OnDisk(mailbox.as_bytes()) as &dyn Input, &Memory(mailbox.as_bytes())] {
        let mut heard = Heard::default();
        let mut out = Output::new(&mut heard, u64::MAX, input.length(), &[]);
        let doc = Doc { place: Place::Whole, parent: None, ..Doc::child(0, 0, 0) };
        read_limited(&mut out, doc, input, Resume::default(), &crate::open::Readers, 1 << 20).unwrap();
        assert_eq!(heard.codes(1), [FaultCode::TooLarge]);
        assert_eq!(heard.original(mailbox.as_bytes(), 1).len(), 5_000_007);
        assert_eq!((heard.text(2, Label::Body), heard.counted[0]), ("end\n".into(), (0, None, 2, 1)));
    }
}

#[test]
fn hostile_mailboxes_cost_no_more_than_their_length() {
    for piece in [
        "From ",
        "\nFrom ",
        "\n\nFrom ",
        "\n\nFrom a\n",
        ">From ",
        ">>>>",
        "From - \nA: b\n",
        "\nFrom x",
        "\n>>From ",
        "\n\nFrom a Mon Jan  3 10:00:00 2005\n",
    ] {
        messages(&format!("{FROM}{}", piece.repeat(100_000 / piece.len())));
    }
}
