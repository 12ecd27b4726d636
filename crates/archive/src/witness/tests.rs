use super::*;
use crate::tests::{log_key, signer};

/// The example of c2sp.org/tlog-witness.
const EXAMPLE: &str = "old 20852014
PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=
jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=
5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=
/6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=

example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
— example.com/behind-the-sofa opLqBQsREYCgu6xQkYQwJr9fo45a62DN9EdmHXnZdXNqlcVGlCum2Wks+49/V6267UEjw6QUXTS5Rovnzv++qbSzm9Q=
";

#[test]
fn the_example_of_the_standard_is_read_and_written() {
    let request = AddCheckpoint::parse(EXAMPLE.as_bytes()).unwrap();
    assert_eq!((request.old, request.proof.len(), request.checkpoint.signatures().len()), (20_852_014, 4, 2));
    let checkpoint = Checkpoint::parse_text(request.checkpoint.text()).unwrap();
    assert_eq!((checkpoint.origin.as_str(), checkpoint.size), ("example.com/behind-the-sofa", 20_852_163));
    assert_eq!(request.to_bytes(), EXAMPLE.as_bytes());
}

#[test]
fn the_cosignature_of_the_standards_example_has_its_form() {
    // c2sp.org/tlog-cosignature gives a line, not the key that made it: its ID, and the time behind that, as in the text of the example.
    let line =
        "— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==";
    let signature = Signature::parse(line).unwrap();
    assert_eq!((signature.key_id, signature.bytes.len()), ([0x8d, 0x66, 0xcf, 0x3f], 72));
    assert_eq!(u64::from_be_bytes(signature.bytes[..8].try_into().unwrap()), 1_679_315_147);
    assert_eq!(signature.line().trim_end(), line);
}

#[test]
fn what_is_not_a_request_is_refused() {
    let hash = "PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=\n";
    let (head, checkpoint) = EXAMPLE.split_once("\n\n").unwrap();
    let with = |head: &str| AddCheckpoint::parse(format!("{head}\n\n{checkpoint}").as_bytes());
    assert!(with(head).is_ok() && with("old 0").is_ok() && with(&format!("old 5\n{}", hash.repeat(63).trim_end())).is_ok());
    let wrong = [
        "old 020852014",
        "old",
        "old ",
        "old +1",
        "old -1",
        "old 1 ",
        "Old 1",
        "old  1",
        "old 1\r",
        "old 18446744073709551616",
        "20852014",
        "",
        "old 5\nPlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw",
        "old 5\nPlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkax=",
        "old 5\nAAAA",
        "old 5\n PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=",
        "\nold 5",
    ];
    for head in wrong {
        assert!(with(head).is_err(), "{head:?}");
    }
    assert!(with(&format!("old 5\n{}", hash.repeat(64).trim_end())).unwrap_err().contains("63"));
    for wrong in ["", "old 0\n", "old 0\n\n", "old 0\n\nx\n", &EXAMPLE[..EXAMPLE.len() - 1], &EXAMPLE.replace("\n\n", "\n")] {
        assert!(AddCheckpoint::parse(wrong.as_bytes()).is_err(), "{wrong:?}");
    }
    assert!(AddCheckpoint::parse(&[EXAMPLE.as_bytes(), &[0xff]].concat()).is_err());
    assert!(AddCheckpoint::parse(&vec![b'a'; MAX_REQUEST + 1]).is_err());
}

#[test]
fn extension_lines_are_cosigned_with_the_rest_and_are_no_part_of_our_own_checkpoints() {
    let checkpoint = Checkpoint { origin: log_key().name().into(), size: 0, root: crate::log::empty_root() };
    let text = checkpoint.text();
    for (extension, fine) in [("", true), ("a line\n", true), ("a\nb\n", true), ("a", false), ("\n", false), ("a\n\nb\n", false)] {
        let extended = format!("{text}{extension}");
        assert_eq!(Checkpoint::parse_extended(&extended).ok(), fine.then(|| checkpoint.clone()), "{extension:?}");
        assert_eq!(Checkpoint::parse_text(&extended).is_ok(), extension.is_empty());
    }
    let witness = signer("w.example", 90);
    let mut note = Note::new(&format!("{text}extension\n")).unwrap();
    note.cosign(&witness, 7);
    assert!(note.require(&[witness.cosigner_key()], 1).is_ok());
    let mut other = Note::new(&format!("{text}another\n")).unwrap();
    other.add_signature(note.signatures()[0].clone());
    assert!(other.require(&[witness.cosigner_key()], 1).is_err());
}
