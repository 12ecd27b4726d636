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
