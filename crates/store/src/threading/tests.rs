use super::*;
use daylight_model::Digest;
use std::collections::BTreeMap;

type Given = (u64, Links);

/// A message of the day `seq`, with these references.
fn message(seq: u64, message_id: &str, references: &[&str], subject: &str) -> Given {
    let links = Links {
        date: Some(seq as i64 * 86_400),
        message_id: message_id.to_owned(),
        in_reply_to: Vec::new(),
        references: references.iter().map(|id| (*id).to_owned()).collect(),
        subject: subject.to_owned(),
    };
    (seq, links)
}

/// Their places, in the order of display.
fn threaded(given: impl IntoIterator<Item = Given>) -> Vec<Threaded> {
    let mut messages = Messages::default();
    for (seq, links) in given {
        messages.add(seq, &DocumentId(Digest::of(&seq.to_be_bytes())), &links);
    }
    let mut places: Vec<Threaded> = thread(messages).by_seq().collect();
    assert!(places.is_sorted_by_key(|place| place.seq));
    places.sort_by_key(|place| (place.thread, place.position));
    places
}

/// Of each message its thread, parent and depth.
fn places(given: Vec<Given>) -> BTreeMap<u64, (u64, Option<u64>, u32)> {
    threaded(given).into_iter().map(|place| (place.seq, (place.thread, place.parent, place.depth))).collect()
}

#[test]
fn replies_stand_under_the_last_reference_that_is_here() {
    let messages = vec![
        message(1, "a", &[], "plan"),
        message(2, "b", &["a"], "Re: plan"),
        message(3, "c", &["a", "b", "gone"], "Re: plan"),
        message(4, "d", &["a"], "Re: plan"),
    ];
    let order: Vec<u64> = threaded(messages.clone()).iter().map(|place| place.seq).collect();
    assert_eq!(order, [1, 2, 3, 4]);
    let places = places(messages);
    assert_eq!((places[&3], places[&4]), ((1, Some(2), 2), (1, Some(1), 1)));
}

#[test]
fn messages_that_answer_the_same_absent_one_share_a_thread() {
    let places = places(vec![message(1, "a", &["gone"], "x"), message(2, "b", &["far", "gone"], "y"), message(3, "c", &["far"], "z")]);
    assert!(places.values().all(|place| *place == (1, None, 0)), "{places:?}");
}

#[test]
fn cycles_and_self_references_are_cut() {
    let mut replies = message(3, "c", &[], "other");
    replies.1.references = vec!["a".into(), "c".into()];
    let messages = vec![message(1, "a", &["b"], "x"), message(2, "b", &["a"], "y"), replies, message(4, "d", &["d"], "alone")];
    let places = places(messages);
    assert_eq!(places[&1], (2, Some(2), 1));
    assert_eq!(places[&2], (2, None, 0));
    assert_eq!(places[&3], (2, Some(1), 2));
    assert_eq!(places[&4], (4, None, 0));
}

#[test]
fn of_several_with_one_message_id_the_first_is_answered_and_the_others_are_its_siblings() {
    let messages = vec![
        message(1, "root", &[], "s"),
        message(2, "twice", &["root"], "s"),
        message(3, "twice", &["root"], "s"),
        message(4, "d", &["twice"], "s"),
        message(5, "root", &[], "s again"),
        message(6, "", &[], "none"),
        message(7, "", &[], "none"),
    ];
    let places = places(messages);
    assert_eq!((places[&2], places[&3], places[&4]), ((1, Some(1), 1), (1, Some(1), 1), (1, Some(2), 2)));
    assert_eq!((places[&5], places[&6].0, places[&7].0), ((1, None, 0), 6, 7));
}

#[test]
fn the_subject_joins_replies_that_name_nothing_for_sixty_days() {
    let messages = vec![
        message(1, "a", &[], "[town] The bridge"),
        message(50, "b", &[], "AW: [town]  the BRIDGE"),
        message(105, "c", &[], "[town] Re[2]: Fwd: The bridge"),
        message(200, "d", &[], "Re: [town] The bridge"),
        message(201, "e", &[], "回复：没有"),
        message(202, "f", &[], "Re:"),
        message(203, "g", &[], "Re:"),
        message(204, "h", &["gone"], "Re: [town] The bridge"),
    ];
    let places = places(messages);
    assert_eq!((places[&50], places[&105]), ((1, Some(1), 1), (1, Some(1), 1)));
    let alone: Vec<u64> = [200, 201, 202, 203, 204].iter().map(|seq| places[seq].0).collect();
    assert_eq!(alone, [200, 201, 202, 203, 204]);
}

#[test]
fn a_chain_of_ten_thousand_is_walked_without_recursion_in_any_order_of_arrival() {
    let name = |seq: u64| format!("m{seq}");
    let chain: Vec<Given> = (1..=10_000).map(|seq| message(seq, &name(seq), &[&name(seq - 1)], "long")).collect();
    let forwards = threaded(chain.clone());
    let backwards = threaded(chain.into_iter().rev());
    assert_eq!(forwards, backwards);
    assert_eq!(forwards[9_999], Threaded { seq: 10_000, thread: 1, position: 9_999, parent: Some(9_999), depth: 9_999 });
}

#[test]
fn a_chain_dated_backwards_still_has_one_root() {
    let name = |seq: u64| format!("m{seq}");
    let chain = (1..=1_000).map(|seq| message(seq, &name(seq), &[&name(seq + 1)], "x"));
    let threaded = threaded(chain);
    let roots = threaded.iter().filter(|place| place.parent.is_none()).count();
    assert_eq!((roots, threaded[0].seq, threaded[999].depth), (1, 1000, 999));
}
