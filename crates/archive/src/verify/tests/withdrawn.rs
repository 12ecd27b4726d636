use super::*;
use crate::withdraw::{Copies, MemberPlace, WithdrawNote};

const ALL: fn(u64, u64) -> bool = |_, _| true;
const NONE: fn(u64, u64) -> bool = |_, _| false;

fn counts(archive: &TestArchive) -> (Vec<Problem>, u64, u64) {
    let report = check(archive);
    (report.problems, report.withdrawn, report.erased)
}

/// Documents 2 and 4 of five are withdrawn; 4 has its record in a file of its own, and bytes of 2 are referred to by `other/2`, which stays.
fn withdrawn(copies: Copies) -> TestArchive {
    let mut archive = archive();
    archive.withdraw("town", &[2, 4], copies);
    archive
}

#[test]
fn what_is_withdrawn_may_be_here_be_erased_or_half_so_and_is_counted() {
    let archive = withdrawn(Copies::Erase);
    assert_eq!(counts(&archive), (vec![], 2, 0), "not erased here");
    // Bytes of document 2 are those of other/2: they stand first in the line that is withdrawn, and stay.
    let own = |serial: u64, offset: u64| (serial, offset) > (1, 800);
    archive.erase(NONE, own);
    assert_eq!(counts(&archive), (vec![], 2, 0), "killed between bytes and lines");
    archive.erase(|_, line| line == 3, own);
    assert_eq!(counts(&archive), (vec![], 2, 1));
    archive.erase(ALL, own);
    assert_eq!(counts(&archive), (vec![], 2, 2));
    let volume = archive.dir().join("release/1/volume/0.zip");
    if let Ok(out) = std::process::Command::new("unzip").arg("-tqq").arg(volume).output() {
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stdout));
    }
}

#[test]
fn one_flipped_bit_in_any_byte_of_an_erased_archive_is_found_and_its_file_is_named() {
    let mut small = small();
    small.publish("town", &[document(9), document(10)]);
    small.withdraw("town", &[2, 9], Copies::Erase);
    small.erase(ALL, ALL);
    flip_one_bit_in_every(5, &small);
    let archive = withdrawn(Copies::Erase);
    archive.erase(ALL, |serial, offset| (serial, offset) > (1, 800));
    flip_one_bit_in_every(211, &archive);
    // And where it is withdrawn, and erased half or not at all.
    let archive = withdrawn(Copies::Erase);
    archive.erase(|_, line| line == 3, |_, offset| offset > 800);
    assert!(check(&archive).ok());
    flip_one_bit_in_every(307, &archive);
}

#[test]
fn what_is_erased_without_a_withdrawal_that_asks_for_it_is_damaged() {
    let erased = withdrawn(Copies::Erase);
    erased.erase(ALL, |serial, offset| (serial, offset) > (1, 800));
    for other in [archive(), withdrawn(Copies::Keep)] {
        for path in ["release/1/manifest/0", "release/1/volume/0.zip"] {
            let whole = other.read(path);
            other.write(path, &erased.read(path));
            assert_eq!(wrong(&other), [path]);
            other.write(path, &whole);
        }
    }
}

#[test]
fn bytes_that_something_published_refers_to_must_stay_and_others_must_go_with_their_line() {
    let archive = withdrawn(Copies::Erase);
    archive.erase(ALL, ALL);
    let problems = check(&archive).problems;
    assert!(
        problems.iter().any(|problem| problem.what.contains("erased, though a line that is not withdrawn refers to them")),
        "{problems:?}"
    );
    assert_eq!(problems[0].path, "release/1/volume/0.zip");
    let archive = withdrawn(Copies::Erase);
    archive.erase(ALL, NONE);
    let problems = check(&archive).problems;
    assert!(problems[0].path == "release/1/volume/0.zip" && problems[0].what.contains("still here: run `daylight erase`"), "{problems:?}");
}

#[test]
fn bytes_shared_by_two_withdrawals_go_with_the_second() {
    let mut archive = withdrawn(Copies::Erase);
    archive.erase(ALL, |serial, offset| (serial, offset) > (1, 800));
    archive.withdraw("other", &[2], Copies::Erase);
    assert_eq!(counts(&archive).1, 3);
    archive.erase(ALL, ALL);
    assert_eq!(counts(&archive), (vec![], 3, 3));
}

#[test]
fn a_number_that_is_published_again_counts_and_its_earlier_lines_stay_withdrawn() {
    let mut archive = withdrawn(Copies::Erase);
    let mut again = document(2);
    again.raw = b"with a bar over the name".to_vec();
    again.text = b"with a bar".to_vec();
    archive.publish("town", &[again]);
    archive.erase(ALL, |serial, offset| (serial, offset) > (1, 800));
    let report = check(&archive);
    assert_eq!((report.problems, report.withdrawn, report.erased, report.earlier_withdrawn, report.erased_lines), (vec![], 1, 1, 1, 2));
}

#[test]
fn a_withdrawal_that_says_what_is_not_so_is_named() {
    let honest = archive().withdrawal("town", &[2, 4], Copies::Erase);
    type Lie = (&'static str, fn(&mut WithdrawNote));
    let lies: [Lie; 8] = [
        ("another leaf", |note| note.documents[0].lines[0].leaf = Digest::of(b"x")),
        ("another length", |note| note.documents[0].lines[0].length += 1),
        ("another line", |note| note.documents[0].lines[0].line = 0),
        ("another number", |note| note.documents[0].number = 3),
        ("a member less", |note| _ = note.documents[0].lines[0].members.pop()),
        ("a member more", |note| {
            let MemberPlace { volume, offset, length } = note.documents[1].lines[0].members[0];
            note.documents[0].lines[0].members.push(MemberPlace { volume, offset: offset + 114 + length, length });
        }),
        ("a release that is none", |note| note.documents[0].lines[0].release = 9),
        ("a line of another collection", |note| note.documents[0].lines[0].release = 2),
    ];
    for (lie, tell) in lies {
        let mut archive = archive();
        let mut note = honest.clone();
        tell(&mut note);
        archive.log_withdrawal(&note);
        assert!(wrong(&archive).contains(&"entry/1/note".to_owned()), "{lie}: {:?}", check(&archive).problems);
    }
}

#[test]
fn a_withdrawal_needs_as_many_editors_as_a_release() {
    let mut archive = TestArchive::with_root(root(1, &[1, 2, 3], 2), vec![editor(1), editor(3)]);
    archive.publish("town", &[document(1), document(2)]);
    archive.editors = vec![editor(2)];
    archive.withdraw("town", &[1], Copies::Keep);
    assert_eq!(wrong(&archive), ["entry/1/note"]);
    assert_eq!(check(&archive).withdrawn, 0);
}
