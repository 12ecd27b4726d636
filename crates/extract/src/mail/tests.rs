use crate::tests::hear;
use daylight_model::reading::{Label, Place};
use daylight_model::{DateDoubt, DateSource, FaultCode, Kind, Role};

#[test]
fn a_message_says_who_when_and_what() {
    let message = "Return-Path: <x@y>\r\nReceived: from a by b; Mon, 03 Jan 2005 11:00:00 +0100\r\nFrom: =?utf-8?B?SsO2?= <j@d.e>\r\nTo: Team: a@b.c,\r\n \
        \"B, C\" <b@c.d>;\r\nSubject: =?utf-8?B?w6Q=?=\r\n =?utf-8?Q?_folded?= and =?iso-8859-1?Q?=FC?=\r\nDate: Mon, 03 Jan 2005 02:00:00 -0800\r\n\
        Message-ID: <1@x>\r\nIn-Reply-To: <0@x>\r\nReferences: <a@x>\r\n\t<0@x>\r\nContent-Type: text/plain; charset=iso-8859-1\r\n\
        Content-Transfer-Encoding: quoted-printable\r\n\r\ncaf=E9=\r\n!\r\n";
    let heard = hear("x", message.as_bytes());
    let facts = heard.found[0].message.as_deref().unwrap();
    assert_eq!(facts.subject, "ä folded and ü");
    let people: Vec<_> = facts.people.iter().map(|p| (p.role, p.name.as_str(), p.address.as_str())).collect();
    assert_eq!(people, [(Role::From, "Jö", "j@d.e"), (Role::To, "", "a@b.c"), (Role::To, "B, C", "b@c.d")]);
    let dates: Vec<_> = facts.dates.iter().map(|d| (d.source, d.seconds, d.offset_minutes, d.doubt)).collect();
    assert_eq!(
        dates,
        [(DateSource::DateHeader, 1_104_746_400, Some(-480), None), (DateSource::ReceivedHeader, 1_104_746_400, Some(60), None)]
    );
    assert_eq!((facts.message_id.as_str(), facts.in_reply_to.len(), facts.references.join(" ")), ("1@x", 1, "a@x 0@x".to_owned()));
    assert_eq!(heard.text(0, Label::Body), "café!\r\n");
    assert!(heard.faults.is_empty() && !facts.has_html);
}

#[test]
fn fields_in_broken_encodings_are_read_as_far_as_they_can_be() {
    let subject = |field: &[u8]| {
        let message = [b"From: a@b\nSubject: ", field, b"\nContent-Type: text/plain; charset=koi8-r\n\nx"].concat();
        hear("x.eml", &message).found[0].message.as_deref().unwrap().subject.clone()
    };
    assert_eq!(subject(b"=?utf-8?Q?a=C3?= =?UTF-8?Q?=A9b?="), "aéb", "a character cut in two is joined");
    assert_eq!(subject("naïve é".as_bytes()), "naïve é");
    assert_eq!(subject(b"\xf0\xd2\xc9\xd7\xc5\xd4"), "Привет", "the body's character set");
    assert_eq!(subject(b"=?x-nothing?Q?a?= b =?utf-8?Q?open"), "a b =?utf-8?Q?open");
    assert_eq!(subject(b"=?iso-2022-jp?B?GyRCJSIbKEI=?="), "ア");
    assert_eq!(subject(b"=?utf-8*en?Q?a_b?="), "a b");
}

#[test]
fn dates_that_cannot_be_true_are_doubted() {
    let message = |date: &str| {
        let message = format!("From: a@b\nReceived: x; Mon, 03 Jan 2005 10:00:00 +0000\nDate: {date}\nSubject: x\n\nx");
        hear("x", message.as_bytes()).found[0].message.as_deref().unwrap().dates.iter().map(|d| d.doubt).collect::<Vec<_>>()
    };
    assert_eq!(message("Thu, 01 Jan 1970 00:00:00 +0000"), [Some(DateDoubt::Absurd), None]);
    assert_eq!(message("Mon, 10 Jan 2005 10:00:00 +0000"), [Some(DateDoubt::FarFromReceived), None]);
    assert_eq!(message("last week"), [None]);
}

const MIXED: &str = "From: a@b\nSubject: s\nContent-Type: multipart/mixed; boundary=m\n\n--m\nContent-Type: multipart/alternative; boundary=a\n\n--a\n\n\
    the plain text\n--a\nContent-Type: text/html\n\n<p>the plain text<p style=display:none>secret\n--a--\n--m\nContent-Type: text/csv; name=\"t.csv\"\n\
    Content-Disposition: attachment; filename*=utf-8''t%C3%A9.csv\n\na,b\n--m\nContent-Type: image/png; name=p.png\nContent-Transfer-Encoding: base64\n\n\
    iVBORw0KGgo=\n--m\nContent-Type: message/rfc822\n\nFrom: c@d\nSubject: inner\n\ninner text\n--m\nContent-Type: text/plain\n\na footer\n--m--\n";

#[test]
fn a_message_is_its_text_and_its_attachments_are_documents() {
    let heard = hear("x.eml", MIXED.as_bytes());
    assert!(heard.found[0].message.as_deref().unwrap().has_html);
    assert_eq!(heard.text(0, Label::Body), "the plain texta footer");
    assert_eq!(heard.text(0, Label::Hidden), "secret");
    let children: Vec<_> =
        heard.found[1..].iter().map(|f| (f.ordinal, f.kind, f.media_type.as_str(), f.standing.claimed_type.as_str())).collect();
    let expected = [
        (0, Kind::File, "text/csv", "text/csv"),
        (1, Kind::File, "image/png", "image/png"),
        (2, Kind::Message, "message/rfc822", "message/rfc822"),
    ];
    assert_eq!(children, expected);
    assert_eq!(heard.found[1].name.as_ref().unwrap().as_plain(), Some("té.csv"));
    assert!(matches!(heard.found[1].place, Place::Slice { of: 0, .. }) && heard.found[2].place == Place::Follows);
    assert_eq!(heard.original(MIXED.as_bytes(), 1), b"a,b");
    assert_eq!(heard.original(MIXED.as_bytes(), 2), b"\x89PNG\r\n\x1a\n");
    assert_eq!(heard.original(MIXED.as_bytes(), 3), b"From: c@d\nSubject: inner\n\ninner text");
    assert_eq!(heard.text(3, Label::Body), "inner text");
    assert_eq!(heard.found[3].message.as_deref().unwrap().subject, "inner");
    assert_eq!(heard.faults.len(), 1, "but the picture nothing is unread: {:?}", heard.faults);
}

#[test]
fn html_counts_where_it_is_all_there_is_or_says_much_more() {
    let alternative = |plain: &str, html: &str| {
        let message = format!(
            "From: a@b\nSubject: s\nContent-Type: multipart/alternative; boundary=a\n\n--a\n\n{plain}\n--a\nContent-Type: text/html\n\n{html}\n--a--\n"
        );
        hear("x.eml", message.as_bytes()).text(0, Label::Body)
    };
    assert_eq!(alternative("same", "<p>same"), "same");
    assert_eq!(alternative("", "<p>only"), "only");
    let long = "much more ".repeat(100);
    assert_eq!(alternative("see the HTML", &format!("<p>{long}")), format!("see the HTML{}", long.trim_end()));
}

#[test]
fn what_changed_the_reading_of_an_attachment_is_claimed() {
    let claims = |kind: &str, bytes: &[u8]| {
        let head = format!(
            "From: a@b\nSubject: s\nContent-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: {kind}\nContent-Disposition: attachment\n\n"
        );
        let heard = hear("x.eml", &[head.as_bytes(), bytes, b"\n--a--\n"].concat());
        (heard.found[1].claims.clone(), heard.text(1, Label::Body))
    };
    assert_eq!(claims("text/plain; charset=KOI8-R", b"\xf0\xd2\xc9"), ("text; charset=koi8-r".into(), "При".into()));
    assert_eq!(claims("text/plain; charset=KOI8-R", b"ascii"), (String::new(), "ascii".into()));
    assert_eq!(claims("text/html; charset=koi8-r", b"<b>\xf0</b>"), ("html; charset=koi8-r".into(), "П".into()));
    assert_eq!(claims("text/plain; charset=utf-8", "é".as_bytes()), (String::new(), "é".into()));
}

#[test]
fn what_is_wrong_with_a_message_is_said() {
    let codes = |message: &[u8]| hear("x.eml", message).codes(0);
    assert_eq!(codes(b"From: a@b\nContent-Type: text/plain; charset=utf-8\n\n\xc3\xa9 \xff"), [FaultCode::BadCharset]);
    assert_eq!(codes(b"From: a@b\nContent-Type: multipart/mixed; boundary=a\n\n--a\n\nx\n"), [FaultCode::Truncated]);
    assert_eq!(codes(b"From: a@b\nContent-Transfer-Encoding: base64\n\naGVs*bG8=\n"), [FaultCode::Malformed]);
    assert_eq!(codes(b"From: a@b\n\n-----BEGIN PGP MESSAGE-----\n"), [FaultCode::Encrypted]);
    assert_eq!(codes(b"From: a@b\nSubject: x\nno field\nTo: c@d\nand a body without an empty line"), []);
}

#[test]
fn messages_in_messages_end_at_the_limit_of_depth() {
    let mut message = "From: a@b\nSubject: innermost\n\nx".to_owned();
    for _ in 0..60 {
        message = format!("From: a@b\nContent-Type: message/rfc822\n\n{message}");
    }
    let heard = hear("x.eml", message.as_bytes());
    assert_eq!(heard.found.len(), 21);
    assert_eq!(heard.codes(20), [FaultCode::TooDeep]);
    assert_eq!(heard.found[20].kind, Kind::Message);
}

#[test]
fn many_people_and_long_headers_are_no_trouble() {
    let people: String = (0..50_000).map(|n| format!("\"P {n}\" <p{n}@x.org>,\n ")).collect();
    let heard = hear("x.eml", format!("From: a@b\nTo: {people}\nSubject: s\n\nx").as_bytes());
    assert_eq!(heard.found[0].message.as_deref().unwrap().people.len(), 50_001);
    let heard = hear("x.eml", format!("From: a@b\nTo: {}\n\nx", "a@b,".repeat(150_000)).as_bytes());
    assert_eq!(heard.codes(0), [FaultCode::TooMany]);
    for field in ["Subject: ", "To: ", "References: ", "Content-Type: a/b;", "Date: ", "Received: ", "X-Long: "] {
        for filler in ["x y ", "=?utf-8?Q?a", "<a@b> ", "name*1=a;", "(", "\n ", "\""] {
            hear("x.eml", format!("From: a@b\n{field}{}\n\nx", filler.repeat((1 << 18) / filler.len())).as_bytes());
        }
    }
}

#[test]
fn what_stands_outside_of_the_parts_is_hidden_text_but_for_notices() {
    let message = "From: a@b.c\nthis line is no field\nSubject: d\nContent-Type: multipart/mixed; boundary=x\n\nThis is a multi-part message in MIME format.\n\
        Mantua at nine\n--x and more\n\nshown\n--x--\na list's footer\n";
    let heard = hear("x.eml", message.as_bytes());
    assert_eq!(heard.text(0, Label::Body), "shown");
    let hidden = heard.text(0, Label::Hidden);
    for words in ["this line is no field", "Mantua at nine", "a list's footer"] {
        assert!(hidden.contains(words), "{words}: {hidden}");
    }
    assert!(!hidden.contains("MIME format"), "{hidden}");
    let plain =
        "From: a@b.c\nContent-Type: multipart/mixed; boundary=x\n\nThis is a multi-part message in MIME format.\n--x\n\nshown\n--x--\n";
    assert!(hear("x.eml", plain.as_bytes()).texts.iter().all(|(_, label, _)| *label == Label::Body));
}
