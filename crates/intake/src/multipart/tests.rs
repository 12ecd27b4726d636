use super::*;

type Read = Vec<(Field, Vec<u8>)>;

/// Reads a form that comes in pieces of this length.
fn read(body: &[u8], piece: usize) -> Result<Read, FormError> {
    let mut form = Multipart::new("XX");
    let mut fields: Read = Vec::new();
    let mut open = false;
    for piece in body.chunks(piece) {
        form.push(piece, |event| {
            match event {
                Event::Field(field) => {
                    assert!(!std::mem::replace(&mut open, true));
                    fields.push((field, Vec::new()));
                }
                Event::Data(bytes) => {
                    assert!(open && !bytes.is_empty());
                    fields.last_mut().unwrap().1.extend_from_slice(bytes);
                }
                Event::End => assert!(std::mem::replace(&mut open, false)),
            }
            Ok::<_, FormError>(())
        })?;
    }
    form.finish().map(|()| fields)
}

fn form(fields: &[(&str, &[u8])]) -> Vec<u8> {
    let mut out = Vec::new();
    for (head, body) in fields {
        out.extend_from_slice(format!("--XX\r\nContent-Disposition: form-data; {head}\r\n\r\n").as_bytes());
        out.extend_from_slice(body);
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b"--XX--\r\n");
    out
}

#[test]
fn a_form_is_read_alike_in_whatever_pieces_it_comes() {
    let tricky: &[u8] = b"\r\n--X\r\n--\r\n-\r\r\n--XY\0\xff\r\n--";
    let body = form(&[("name=\"a\"", b""), ("name=\"b\"; filename=\"x.bin\"", tricky), ("name=\"c\"", b"end")]);
    let whole = read(&body, body.len()).unwrap();
    assert_eq!(whole.iter().map(|(_, bytes)| &bytes[..]).collect::<Vec<_>>(), [b"", tricky, b"end"]);
    assert_eq!(whole[1].0.file_name.as_deref(), Some(&b"x.bin"[..]));
    for piece in 1..body.len() {
        assert_eq!(read(&body, piece).unwrap(), whole, "pieces of {piece}");
    }
}

#[test]
fn names_are_bytes_that_lead_nowhere() {
    let names = [
        ("../../etc/passwd", &b"../../etc/passwd"[..]),
        ("a%0D%0Ab%22c%41", b"a\r\nb\"c%41"),
        ("nul\0", b"nul\0"),
        ("\u{202e}fdp.exe", "\u{202e}fdp.exe".as_bytes()),
        ("", b""),
    ];
    for (sent, kept) in names {
        let fields = read(&form(&[(&format!("name=\"file\"; filename=\"{sent}\""), b"x")]), 7).unwrap();
        assert_eq!(fields[0].0.file_name.as_deref(), Some(kept));
    }
}

#[test]
fn what_is_no_form_is_an_error_however_it_is_wrong() {
    let cases: &[(&[u8], FormError)] = &[
        (b"", FormError::BrokeOff),
        (b"--XX\r\n", FormError::BrokeOff),
        (b"--XX\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nx", FormError::BrokeOff),
        (b"--XX\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nx\r\n--XX", FormError::BrokeOff),
        (b"--XXY", FormError::Malformed),
        (b"--XX\r\n\r\n\r\nx\r\n--XX--", FormError::Malformed),
        (b"--XX\r\nContent-Disposition: attachment; name=\"a\"\r\n\r\nx\r\n--XX--", FormError::Malformed),
        (b"--XX\r\nContent-Disposition: form-data; name=a\r\n\r\nx\r\n--XX--", FormError::Malformed),
        (b"--XX\r\nContent-Disposition: form-data\r\n\r\nx\r\n--XX--", FormError::Malformed),
    ];
    for (body, error) in cases {
        for piece in [1, 3, 1000] {
            assert_eq!(read(body, piece).unwrap_err(), *error, "{:?}", String::from_utf8_lossy(body));
        }
    }
    assert_eq!(read(&form(&[("name=\"a\"", b"".as_slice()); FIELDS + 1]), 1000).unwrap_err(), FormError::TooManyFields);
    assert_eq!(read(&vec![b'x'; PREAMBLE + 100], 100).unwrap_err(), FormError::Malformed);
    let endless = [b"--XX\r\nX: ".to_vec(), vec![b'y'; HEAD]].concat();
    assert_eq!(read(&endless, 100).unwrap_err(), FormError::Malformed);
}

#[test]
fn no_more_is_held_than_a_delimiter() {
    let mut form = Multipart::new("XX");
    form.push(b"--XX\r\nContent-Disposition: form-data; name=\"f\"\r\n\r\n", |_| Ok::<_, FormError>(())).unwrap();
    for _ in 0..100 {
        form.push(&[b'\r'; 10_000], |_| Ok::<_, FormError>(())).unwrap();
        assert!(form.held.len() < form.delimiter.len());
    }
}

#[test]
fn a_boundary_is_taken_only_if_it_may_be_one() {
    assert_eq!(boundary("multipart/form-data; boundary=----geckoform1a2b").unwrap(), "----geckoform1a2b");
    assert_eq!(boundary("Multipart/Form-Data; charset=utf-8; Boundary=\"x\"").unwrap(), "x");
    for wrong in ["multipart/form-data", "text/plain; boundary=x", "multipart/form-data; boundary=", "multipart/form-data; boundary=a b"] {
        assert_eq!(boundary(wrong), Err(FormError::Boundary), "{wrong}");
    }
    assert!(boundary(&format!("multipart/form-data; boundary={}", "x".repeat(71))).is_err());
}
