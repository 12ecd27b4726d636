use super::*;

fn of(file: &str, text: &str) -> Vec<(String, String)> {
    import(file, text.as_bytes(), &Provenance::default()).keys.into_iter().map(|key| (key.name, key.record)).collect()
}

fn one(name: &str, record: &str) -> Vec<(String, String)> {
    vec![(name.into(), record.into())]
}

#[test]
fn records_are_read_in_every_form() {
    let name = "sel._domainkey.example.org";
    let expected = one(name, "v=DKIM1; k=rsa; p=MIGf");
    for text in [
        "sel._domainkey.example.org. IN TXT \"v=DKIM1; k=rsa; \" \"p=MIGf\" ; a remark\n",
        "; a remark\n$ORIGIN example.org.\n$TTL 60\n@ IN A 192.0.2.1\nsel._domainkey 3600 IN TXT ( \"v=DKIM1; k=rsa; \"\n  \"p=MIGf\" ) ; so\n",
        "Sel._domainkey.Example.ORG\tTXT\tv=DKIM1; k=rsa; p=MIGf\r\n",
        "sel._domainkey.example.org v=DKIM1; k=rsa; p=MIGf\n",
        "{\"sel._domainkey.example.org\": \"v=DKIM1; k=rsa; p=MIGf\"}",
        "{\"example.org\": {\"sel._domainkey\": [[\"txt\", \"v=DKIM1; k=rsa; \", \"p=MIGf\"]]}}",
        "{\"sel._domainkey.example.org\": {\"TXT\": [[\"v=DKIM1; k=rsa; \", \"p=MIGf\"]]}, \"example.org\": {\"TXT\": [[\"v=spf1\"]]}}",
        "[{\"name\": \"sel._domainkey.example.org.\", \"record\": \"v=DKIM1; k=rsa; p=MIGf\"}]",
    ] {
        assert_eq!(of("keys", text), expected, "{text}");
    }
    for (file, text) in [
        ("sel._domainkey.example.org.txt", "v=DKIM1; k=rsa; p=MIGf\n"),
        ("some/sel._domainkey.example.org.key", "\"v=DKIM1; k=rsa; \" \"p=MIGf\""),
    ] {
        assert_eq!(of(file, text), expected, "{file}");
    }
    assert_eq!(of("a._domainkey.b.c.pem", "-----BEGIN PUBLIC KEY-----\nMI\nGf\n-----END PUBLIC KEY-----\n")[0].1, "v=DKIM1; k=rsa; p=MIGf");
    let several = "a._domainkey.x.y. TXT \"p=AA\"\nb._domainkey.x.y. TXT \"p=\"\nmail.x.y. TXT \"p=CC\"\n";
    assert_eq!(of("zone", several), [one("a._domainkey.x.y", "p=AA"), one("b._domainkey.x.y", "p=")].concat());
}

#[test]
fn where_and_when_is_the_files_word_or_the_importers() {
    let from = Provenance { source: "a friend".into(), seen: Some(5) };
    let text = r#"[{"name": "a._domainkey.b.c", "record": "p=AA", "seen": "2021-03-04", "source": "a zone", "exposed": true},
                   {"name": "d._domainkey.b.c", "record": "p=BB"}, {"name": "nonsense", "record": "p=CC"}]"#;
    let import = import("x.json", text.as_bytes(), &from);
    let about: Vec<_> = import.keys.iter().map(|key| (key.source.as_str(), key.seen, key.exposed)).collect();
    assert_eq!(about, [("a zone", Some(1_614_816_000), true), ("a friend", Some(5), false)]);
    assert_eq!(import.refused.len(), 1);
    assert_eq!((day("1970-01-01"), day("2000-02-29"), day("x")), (Some(0), Some(951_782_400), None));
}

#[test]
fn no_file_is_too_strange() {
    let text = "$ORIGIN example.org.\nsel._domainkey 3600 IN TXT ( \"v=DKIM1; k=rsa; \"\n \"p=MIGf\" ) ; so\n{\"a._domainkey.b\": [\"x\"]}\n-----BEGIN PRIVATE KEY-----";
    let mut seed = 7u32;
    for _ in 0..3000 {
        let mut bytes = text.as_bytes().to_vec();
        for _ in 0..4 {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let at = seed as usize / 7 % bytes.len();
            bytes[at] = (seed >> 24) as u8;
        }
        import("a._domainkey.b.c.txt", &bytes, &Provenance::default());
        bytes.truncate(seed as usize % bytes.len());
        import("a._domainkey.b.c.txt", &bytes, &Provenance::default());
    }
}
