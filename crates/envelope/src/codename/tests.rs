use super::*;

fn text(codename: &Codename) -> String {
    codename.words().as_str().to_owned()
}

#[test]
fn a_codename_is_read_as_people_type_it() {
    for _ in 0..200 {
        let codename = Codename::generate().unwrap();
        let words = text(&codename);
        assert_eq!(words.split(' ').count(), 10);
        let typed = format!("  {} \r\n", words.to_uppercase().replacen(' ', ",\n ", 3));
        assert_eq!(text(&Codename::parse(&typed).unwrap()), words);
    }
}

#[test]
fn what_is_no_codename_is_said_without_its_words() {
    assert_eq!(Codename::parse("").err(), Some(CodenameError::Count(0)));
    assert_eq!(Codename::parse("abacus zoom").err(), Some(CodenameError::Count(2)));
    assert_eq!(Codename::parse(&"abacus ".repeat(10_000)).err(), Some(CodenameError::Count(147)));
    assert_eq!(Codename::parse(&"abacus ".repeat(10)).err(), Some(CodenameError::Checksum));
    let codename = text(&Codename::generate().unwrap());
    let mut words: Vec<&str> = codename.split(' ').collect();
    (words[2], words[8]) = ("snwoden", "sürprise");
    let refused = Codename::parse(&words.join(" ")).err().unwrap();
    assert_eq!(refused, CodenameError::Unknown(vec![3, 9]));
    assert!(!refused.to_string().contains("snwoden") && refused.to_string().starts_with("words 3 and 9 not"), "{refused}");
}

#[test]
fn one_wrong_word_always_shows_and_one_that_looks_like_the_right_one_is_named() {
    let codename = Codename::generate().unwrap();
    for at in 0..WORDS {
        for other in (0..words::COUNT as u16).step_by(31).filter(|other| *other != codename.0[at]) {
            let mut words = codename.0.clone();
            words[at] = other;
            assert_ne!(sum(&words), SUM, "word {at} as {other}");
            if nearness::alike(words::word(other), words::word(codename.0[at])) {
                assert!(matches!(slip(&words), CodenameError::Slip(places) if places.contains(&(at + 1))));
            }
        }
    }
}

#[test]
fn words_in_the_wrong_order_show_and_neighbours_are_named() {
    let (mut seen, mut all) = (0, 0);
    for _ in 0..200 {
        let codename = Codename::generate().unwrap();
        for at in 0..WORDS - 1 {
            let mut words = codename.0.clone();
            words.swap(at, at + 1);
            if words[at] != words[at + 1] {
                all += 1;
                match slip(&words) {
                    _ if sum(&words) == SUM => {}
                    CodenameError::Slip(places) if places.contains(&(at + 1)) => seen += 1,
                    other => panic!("{other:?}"),
                }
            }
        }
    }
    assert!(all - seen < 20, "{} of {all} were not seen", all - seen);
}

#[test]
fn it_stands_for_other_keys_at_another_newsroom() {
    let codename = Codename::generate().unwrap();
    let (here, there) = (codename.keys(&Newsroom([1; 32])), codename.keys(&Newsroom([2; 32])));
    assert_eq!(here.lookup, codename.keys(&Newsroom([1; 32])).lookup);
    assert!(here.lookup != there.lookup && here.reply.seed() != there.reply.seed() && here.conversation != there.conversation);
    let all = [&here.lookup.0, here.reply.seed(), here.conversation.as_bytes(), here.seed()];
    assert!((0..4).all(|one| (0..one).all(|other| all[one] != all[other])));
    let again = SourceKeys::from_seed(Zeroizing::new(*here.seed()));
    assert!(again.lookup == here.lookup && again.reply.seed() == here.reply.seed() && again.conversation == here.conversation);
}
