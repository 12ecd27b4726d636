use super::*;

/// A keeper of whom each question is written down, with the answer to every kind of it.
#[derive(Default)]
struct Scribe(Vec<String>);

macro_rules! scribe {
    ($($name:ident($($field:ident: $kind:ty),*) -> $answer:ty = $told:expr;)+) => {
        impl Keeper for Scribe {
            $(fn $name(&mut self, $($field: $kind),*) -> $answer {
                let mut line = String::new();
                line.push_str(stringify!($name));
                $(line.push_str(&format!(" {:?}", $field));)*
                self.0.push(line);
                $told
            })+
        }
    };
}

const D: Digest = Digest([3; 32]);
const L: Lookup = Lookup([4; 32]);
const USAGE: Usage = Usage { envelopes: 1, bytes: 2, replies: 3, accepted: true };
const HELD: Held = Held { seed: [5; 32], slip: true, fresh: false, told: true };

scribe! {
    allows(cost: u8) -> bool = cost == 1;
    place() -> bool = true;
    leave() -> () = ();
    came(bytes: u64) -> () = ();
    mark(mark: u8) -> () = ();
    visit(name: [u8; 32]) -> Option<Held> = Some(HELD);
    begin_session(name: [u8; 32], seed: [u8; 32], words: Option<[u8; 128]>, slip: bool) -> () = ();
    words(name: [u8; 32]) -> Option<[u8; 128]> = None;
    hide_words(name: [u8; 32]) -> () = ();
    note(name: [u8; 32], flash: Flash) -> () = ();
    flash(name: [u8; 32]) -> Option<Flash> = Some(Flash::Broke(7));
    end_session(name: [u8; 32]) -> () = ();
    outer_forms() -> (String, String) = ("today".into(), "yesterday".into());
    usage(lookup: Lookup) -> Usage = USAGE;
    has_room(length: u64) -> bool = false;
    begin(lookup: Lookup) -> Result<(), Refusal> = Ok(());
    push(bytes: Vec<u8>) -> Result<(), Refusal> = Err(Refusal::Full);
    keep() -> Result<Digest, Refusal> = Err(Refusal::Others);
    abandon() -> () = ();
    replies(lookup: Lookup) -> Vec<(Digest, u64)> = vec![(D, 9), (D, 10)];
    reply(id: Digest) -> Result<Vec<u8>, Refusal> = Ok(b"sealed".to_vec());
    read_in_vain() -> Vec<u8> = vec![0; 3];
    forget(lookup: Lookup) -> Result<(), Refusal> = Err(Refusal::Failed);
    recipients() -> (u32, Vec<u8>) = (20_000, vec![1; 1216]);
    editors() -> Vec<[u8; 32]> = vec![[6; 32]];
    directory() -> Option<Vec<u8>> = Some(vec![]);
    is_collector(token: String) -> bool = true;
    open_list() -> Result<u64, Refusal> = Ok(2);
    done(ids: Vec<Digest>) -> Result<(), Refusal> = Ok(());
    accept(lookups: Vec<Lookup>) -> Result<(), Refusal> = Err(Refusal::Unaccepted);
    forget_answers(lookups: Vec<Lookup>) -> Result<(), Refusal> = Ok(());
    put_reply(lookup: Lookup, sealed: Vec<u8>) -> Result<Digest, Refusal> = Ok(D);
    put_directory(bytes: Vec<u8>) -> Option<String> = Some("older".into());
    open_envelope(id: Digest) -> Result<Option<u64>, Refusal> = Ok(Some(1 << 40));
    read() -> Vec<u8> = vec![];
}

/// Answers what comes through a line, and gives what was asked.
fn keeping(mut line: UnixStream) -> Vec<(String, Vec<u8>)> {
    let mut scribe = Scribe::default();
    let mut asked = Vec::new();
    let mut length = [0; 4];
    while line.read_exact(&mut length).is_ok() {
        let mut question = vec![0; u32::from_le_bytes(length) as usize];
        line.read_exact(&mut question).unwrap();
        let told = answer(&mut scribe, &question).unwrap();
        line.write_all(&[&(told.len() as u32).to_le_bytes(), told.as_slice()].concat()).unwrap();
        asked.push((scribe.0.pop().unwrap(), question));
    }
    asked
}

#[test]
fn every_question_and_every_answer_comes_through_as_it_was_said() {
    let (ours, theirs) = UnixStream::pair().unwrap();
    let keeper = std::thread::spawn(move || keeping(theirs));
    let hatch = Hatch::new(ours);
    assert!(hatch.allows(1) && !hatch.allows(2) && hatch.place());
    hatch.leave();
    hatch.came(77);
    hatch.mark(2);
    assert_eq!(hatch.visit([1; 32]), Some(HELD));
    hatch.begin_session([1; 32], [2; 32], Some([3; 128]), true);
    assert_eq!(hatch.words([1; 32]), None);
    hatch.hide_words([1; 32]);
    for flash in [Flash::Sent { texts: 1, files: 2 }, Flash::Nothing, Flash::Broke(3)] {
        hatch.note([1; 32], flash);
    }
    assert_eq!(hatch.flash([1; 32]), Some(Flash::Broke(7)));
    hatch.end_session([1; 32]);
    assert_eq!(hatch.outer_forms(), ("today".to_owned(), "yesterday".to_owned()));
    assert_eq!((hatch.usage(L), hatch.has_room(5)), (USAGE, false));
    assert_eq!((hatch.begin(L), hatch.push(vec![8; 3]), hatch.keep()), (Ok(()), Err(Refusal::Full), Err(Refusal::Others)));
    hatch.abandon();
    assert_eq!((hatch.replies(L), hatch.reply(D)), (vec![(D, 9), (D, 10)], Ok(b"sealed".to_vec())));
    assert_eq!((hatch.read_in_vain(), hatch.forget(L)), (vec![0; 3], Err(Refusal::Failed)));
    assert_eq!((hatch.recipients(), hatch.editors(), hatch.directory()), ((20_000, vec![1; 1216]), vec![[6; 32]], Some(vec![])));
    assert!(hatch.is_collector("a token".to_owned()) && hatch.open_list() == Ok(2));
    assert_eq!((hatch.done(vec![D, D]), hatch.accept(vec![L]), hatch.forget_answers(vec![])), (Ok(()), Err(Refusal::Unaccepted), Ok(())));
    assert_eq!((hatch.put_reply(L, vec![1]), hatch.put_directory(vec![2])), (Ok(D), Some("older".to_owned())));
    assert_eq!((hatch.open_envelope(D), hatch.read()), (Ok(Some(1 << 40)), vec![]));
    drop(hatch);
    let asked = keeper.join().unwrap();
    let said = |line: &str| assert!(asked.iter().any(|(asked, _)| asked == line), "{line} in {asked:?}");
    said(
        "note [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1] Sent { texts: 1, files: 2 }",
    );
    said("push [8, 8, 8]");
    said("came 77");
    // What is cut, lengthened or changed is answered with nothing or taken for what it says, and never ends the house.
    for (_, question) in &asked {
        assert_eq!(again(question).as_ref(), Some(question));
        for length in 0..question.len() {
            assert!(answer(&mut Scribe::default(), &question[..length]).is_none(), "{question:?} {length}");
        }
        assert!(answer(&mut Scribe::default(), &[question.as_slice(), &[0]].concat()).is_none(), "{question:?}");
        for at in 0..question.len().min(80) {
            for bit in 0..8 {
                let mut changed = question.clone();
                changed[at] ^= 1 << bit;
                let _ = answer(&mut Scribe::default(), &changed);
            }
        }
    }
}

#[test]
fn a_list_that_says_to_be_longer_than_it_is_is_none() {
    let mut question = vec![52];
    question.extend(u32::MAX.to_le_bytes());
    question.extend([0; 64]);
    assert!(answer(&mut Scribe::default(), &question).is_none());
}

#[test]
fn without_the_house_an_attendant_unwinds() {
    let (ours, theirs) = UnixStream::pair().unwrap();
    drop(theirs);
    let hatch = Hatch::new(ours);
    assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| hatch.allows(1))).is_err());
}
