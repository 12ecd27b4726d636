use super::*;
use crate::tests::{document, record};

fn file(role: Role) -> FileRef {
    FileRef { role, release: 1, volume: 0, offset: 114, length: 3, sha256: Digest::of(b"abc"), media_type: "text/plain".into() }
}

#[test]
fn a_record_with_every_field_is_written_in_one_way_and_read_back() {
    let mut full = record(&document(7), vec![file(Role::Raw), file(Role::Other("sound".into()))]);
    full.reason = "less redacted".into();
    full.occurrences.push(Occurrence { parent: None, ordinal: 2, name: Some(Name::from("ação.pdf")) });
    full.occurrences.push(Occurrence { parent: Some(3), ordinal: 4, name: None });
    let json = full.to_json().unwrap();
    assert_eq!(Record::parse(&json).unwrap(), full);
    let expected = concat!(
        r#"{"answers":1,"dates":[{"doubt":"far-from-received","offset":-90,"precision":"second","seconds":1425204000,"source":"date-header"}],"#,
        r#""faults":[{"code":"no-reader","detail":"d","limit":1,"stage":"read","tool":"mail 1"}],"#,
        r#""files":[{"length":3,"media_type":"text/plain","offset":114,"release":1,"role":"raw","sha256":"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad","volume":0},"#,
        r#"{"length":3,"media_type":"text/plain","offset":114,"release":1,"role":"sound","sha256":"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad","volume":0}],"#,
        r#""kind":"message","media_type":"message/rfc822","number":7,"#,
        r#""occurrences":[{"name":{"bytes":"636166e92e656d6c","display":"caf\\xe9.eml"},"ordinal":0,"parent":1},{"name":"ação.pdf","ordinal":2},{"ordinal":4,"parent":3}],"#,
        r#""people":[{"address":"ana0@town.example","name":"Ana 0","role":"to"}],"reason":"less redacted","thread":1,"title":"Água n.º 7 \u0001 \"quoted\"","#,
        r#""verdicts":[{"algorithm":"rsa-sha256","cautions":["short-key","sha1","expired","postdated","arrival-unknown","exposed-key","testing","requoted"],"#,
        r#""detail":"d","domain":"town.example","expires":5,"headers":["from"],"identity":"@town.example","instance":2,"#,
        r#""key":{"bits":2048,"seen":1425204000,"sha256":"abababababababababababababababababababababababababababababababab","source":"a zone"},"#,
        r#""kind":"dkim","length":9,"outcome":"valid","selector":"s1","time":-1,"uncovered":["subject"]}]}"#
    );
    assert_eq!(String::from_utf8(json).unwrap(), expected);
    let least = Record { title: String::new(), people: vec![], ..record(&document(1), vec![]) };
    assert_eq!(Record::parse(&least.to_json().unwrap()).unwrap(), least);
}

#[test]
fn a_field_of_a_later_version_is_passed_over_and_a_lie_about_a_name_is_not() {
    let json = String::from_utf8(record(&document(7), vec![]).to_json().unwrap()).unwrap();
    let newer = json.replace(",\"thread\":1,", ",\"redactions\":[{\"why\":\"personal\"}],\"thread\":1,");
    assert_eq!(Record::parse(newer.as_bytes()).unwrap(), record(&document(7), vec![]));
    for wrong in [
        json.replace("caf\\\\xe9", "cafe"),
        json.replace("\"number\":7", "\"number\":0"),
        json.replace("\"number\":7", "\"number\":7.5"),
        json.replace("message\"", "massage\""),
        json.replace(",\"thread\"", ", \"thread\""),
    ] {
        assert_ne!(wrong, json);
        assert!(Record::parse(wrong.as_bytes()).is_err(), "{wrong}");
    }
}

#[test]
fn a_record_of_fifty_thousand_people_stands_in_a_file_of_its_own() {
    let mut whole = record(&document(7), vec![file(Role::Raw)]);
    whole.title = "é".repeat(900);
    whole.people = vec![whole.people[0].clone(); 50_000];
    let json = whole.to_json().unwrap();
    assert!(json.len() > MAX_RECORD);
    let stub = whole.stub(file(Role::Raw));
    let line = stub.to_json().unwrap();
    assert!(line.len() <= MAX_RECORD && stub.title.len() == 1024);
    let stub = Record::parse(&line).unwrap();
    assert_eq!(stub.unfold(&json).unwrap(), whole);
    let own = stub.own_file().unwrap();
    let essentials = Essentials::unfold(&line, own, &json).unwrap();
    assert_eq!(essentials.files, [file(Role::Raw), file(Role::Record)]);
    let other = Record { number: 8, ..whole.clone() }.to_json().unwrap();
    assert_eq!(stub.unfold(&other), Err(RecordError::Stub));
    assert!(Essentials::unfold(&line, own, &other).is_err());
    let short = Record { people: vec![], ..whole }.to_json().unwrap();
    assert_eq!(stub.unfold(&short), Err(RecordError::Stub), "a record that fits into its line stands there");
}
