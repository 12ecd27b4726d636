use super::*;
use crate::key::Signer;
use crate::tests::{log_key, signer};

fn witness(i: u8) -> Signer {
    signer(&format!("w{i}.example"), 80 + i)
}

fn policy(end: &str) -> String {
    let lines: String = (1..=4).map(|i| format!("witness w{i} {} https://w{i}.example/\n", witness(i).cosigner_key())).collect();
    format!("# witnesses\n\n{lines}{end}")
}

fn cosigned(by: &[u8]) -> Note {
    let mut note = Note::new("archive.example/test\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n").unwrap();
    note.sign(&log_key());
    by.iter().for_each(|i| note.cosign(&witness(*i), 5));
    note
}

#[test]
fn a_quorum_is_met_by_the_witnesses_it_names() {
    let three = Policy::parse(&policy("group g 3 w1 w2 w3 w4\nquorum g\n")).unwrap();
    assert!(three.is_met(&cosigned(&[1, 2, 4])).unwrap());
    assert!(!three.is_met(&cosigned(&[1, 2, 9])).unwrap());
    let nested = Policy::parse(&policy("group a any w1 w2\ngroup b all w3 w4\ngroup g all a b\nquorum\tg \n")).unwrap();
    assert!(nested.is_met(&cosigned(&[2, 3, 4])).unwrap());
    assert!(!nested.is_met(&cosigned(&[1, 2, 3])).unwrap());
    assert!(Policy::none().is_met(&cosigned(&[])).unwrap());
    assert_eq!(Policy::parse("quorum none\n").unwrap(), Policy::none());
    let mut forged = cosigned(&[1, 2]);
    let mut line = cosigned(&[3]).signatures()[1].clone();
    line.bytes[20] ^= 1;
    forged.add_signature(line);
    assert!(three.is_met(&forged).is_err());
}

#[test]
fn a_policy_that_breaks_a_rule_is_refused_with_its_line() {
    let twice = format!("witness again {}\nquorum none\n", witness(1).cosigner_key());
    let wrong_type = format!("witness x {}\nquorum none\n", witness(9).key());
    let wrong = [
        "",
        "quorum none",
        "quorum x\n",
        "quorum none\nquorum none\n",
        "group g 5 w1 w2\nquorum g\n",
        "group g 0 w1\nquorum g\n",
        "group g any w1 w1\nquorum g\n",
        "group g any w9\nquorum g\n",
        "group none any w1\nquorum none\n",
        "group w1 any w2\nquorum none\n",
        "log x\nquorum none\n",
        "frob\nquorum none\n",
        &twice,
        &wrong_type,
    ];
    for end in wrong {
        assert!(Policy::parse(&policy(end)).is_err(), "{end}");
    }
}

#[test]
fn a_policy_says_who_its_witnesses_are_and_what_it_asks_for() {
    let three = Policy::parse(&policy("group g 3 w1 w2 w3 w4\nquorum g\n")).unwrap();
    let member = &three.members()[1];
    assert_eq!((member.name.as_str(), member.url.as_deref()), ("w2", Some("https://w2.example/")));
    assert_eq!(three.members().iter().map(|member| &member.key).collect::<Vec<_>>(), three.witnesses().iter().collect::<Vec<_>>());
    let witnessed = three.witnessed(&cosigned(&[4, 1])).unwrap();
    let times: Vec<_> = witnessed.witnesses.iter().map(|seen| (seen.witness.as_str(), seen.time)).collect();
    assert_eq!(times, [("w1.example", Some(5)), ("w2.example", None), ("w3.example", None), ("w4.example", Some(5))]);
    assert_eq!((witnessed.met, witnessed.count(), witnessed.last(), witnessed.needed.as_str()), (false, 2, Some(5), "3 of 4"));
    assert!(three.witnessed(&cosigned(&[1, 2, 4])).unwrap().met);

    let needed = |end: &str| Policy::parse(&policy(end)).unwrap().needed();
    assert_eq!(needed("group g any w1 w2\nquorum g\n"), "1 of g (w1.example, w2.example)");
    let nested = "group a any w1 w2\ngroup b all w3 w4\ngroup g all a b\nquorum g\n";
    assert_eq!(needed(nested), "2 of g (1 of a (w1.example, w2.example), 2 of b (w3.example, w4.example))");
    assert_eq!(needed("quorum w3\n"), "w3.example");
    assert_eq!((needed("quorum none\n").as_str(), Policy::none().needs_witnesses()), ("", false));
    assert!(Policy::none().witnessed(&cosigned(&[1])).unwrap().met);
}

#[test]
fn a_time_that_has_not_come_is_told_from_clocks_that_differ_a_little() {
    let seen = |time| Seen { witness: "w".into(), time };
    assert!(seen(Some(10_000)).is_ahead_of(6_000));
    assert!(!seen(Some(10_000)).is_ahead_of(6_400) && !seen(None).is_ahead_of(0) && !seen(Some(5)).is_ahead_of(u64::MAX));
}

#[test]
fn numbers_in_a_policy_are_plain_digits() {
    for needed in ["+2", "2.0", "0x2", "２", "99999999999999999999", "-1"] {
        assert!(Policy::parse(&policy(&format!("group g {needed} w1 w2\nquorum g\n"))).is_err(), "{needed}");
    }
    assert!(Policy::parse(&policy("group g 02 w1 w2\nquorum g\n")).is_ok());
}
