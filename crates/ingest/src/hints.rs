//! Words in a trove that may be passwords of something encrypted in it: those that follow a word for a password in what stands near it. The text was
//! taken out of its documents by readers in their cage; here it is only cut into words.

use crate::Error;
use daylight_store::Desk;
use std::collections::HashSet;

/// A word that holds one of these is followed by a password.
const MARKS: [&str; 16] = [
    "password",
    "passwort",
    "passwd",
    "passphrase",
    "passcode",
    "kennwort",
    "passe",
    "contraseña",
    "senha",
    "wachtwoord",
    "hasło",
    "пароль",
    "парол",
    "密码",
    "密碼",
    "パスワード",
];
/// The same, for words that are too short to be looked for within others.
const SHORT_MARKS: [&str; 4] = ["pw", "pwd", "pin", "pass"];
/// How many words after the mark may be it.
const WORDS_AFTER: usize = 6;
/// Longer than passwords are.
const LONGEST: usize = 64;
/// How many words are tried on one document.
pub(crate) const MOST: usize = 256;
/// How many documents near one are looked through, and how much of each.
const DOCUMENTS: usize = 500;
const LONGEST_TEXT: usize = 4 << 20;

/// The words that may open a document, the likeliest first: from the messages that it came with, then their conversations, then what stands beside it,
/// then the files beside its file.
pub(crate) fn of(desk: &Desk, seq: u64) -> Result<Vec<String>, Error> {
    let mut words = Words::default();
    for near in near(desk, seq)? {
        if words.found.len() >= MOST {
            break;
        }
        let Ok(document) = desk.document(near) else { continue };
        words.look(&document.title);
        let mut left = LONGEST_TEXT;
        for segment in desk.text(near)? {
            let text = &segment.text[..segment.text.floor_char_boundary(left)];
            words.look(text);
            left -= text.len();
        }
    }
    words.found.truncate(MOST);
    Ok(words.found)
}

fn near(desk: &Desk, seq: u64) -> Result<Vec<u64>, Error> {
    let (mut above, mut beside, mut talk) = (vec![seq], Vec::new(), Vec::new());
    let mut at = 0;
    while at < above.len() && above.len() < DOCUMENTS {
        for place in desk.parents(above[at])? {
            if !above.contains(&place.parent) {
                above.push(place.parent);
                beside.extend(desk.children(place.parent)?.iter().take(DOCUMENTS).map(|child| child.child));
            }
        }
        at += 1;
    }
    for seq in &above {
        if let Some(thread) = desk.thread_of(*seq)? {
            talk.extend(desk.thread_members(thread)?.iter().take(DOCUMENTS).map(|node| node.seq));
        }
    }
    let mut files = Vec::new();
    for seq in &above {
        files.extend(desk.files_beside(*seq, DOCUMENTS)?);
    }
    let mut met = HashSet::new();
    let all = above.into_iter().chain(talk).chain(beside).chain(files);
    Ok(all.filter(|seq| met.insert(*seq)).take(DOCUMENTS).collect())
}

#[derive(Default)]
struct Words {
    found: Vec<String>,
    met: HashSet<String>,
}

impl Words {
    fn look(&mut self, text: &str) {
        let mut wanted = 0;
        for word in text.split_whitespace() {
            let low = word.to_lowercase();
            if let Some(mark) = MARKS.iter().find(|mark| low.contains(**mark)) {
                wanted = WORDS_AFTER;
                // The word may go on: `password:abc`. Where lower case is of another length, this is no place in the word itself.
                let end = low.find(mark).unwrap_or(0) + mark.len();
                self.add(word.get(end..).unwrap_or_default());
            } else if SHORT_MARKS.contains(&low.trim_matches(|c: char| !c.is_alphanumeric())) {
                wanted = WORDS_AFTER;
            } else if let Some((mark, rest)) = low.split_once([':', '=']).filter(|(mark, _)| SHORT_MARKS.contains(mark)) {
                wanted = WORDS_AFTER;
                self.add(word.get(mark.len() + 1..).unwrap_or(rest));
            } else if wanted > 0 {
                wanted -= 1;
                self.add(word);
            }
        }
    }

    /// The word as it stands, and without what surrounds it.
    fn add(&mut self, word: &str) {
        let bare = word.trim_matches(|c: char| !c.is_alphanumeric());
        let unquoted = word.trim_start_matches([':', '=', '：', '"', '\'', '“', '„', '«', '(', '<', '`']);
        let unquoted = unquoted.trim_end_matches(['.', ',', ';', '"', '\'', '”', '“', '»', ')', '>', '`']);
        for one in [unquoted, bare, word] {
            if !one.is_empty() && one.len() <= LONGEST && self.found.len() < MOST && self.met.insert(one.to_owned()) {
                self.found.push(one.to_owned());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_follows_a_word_for_a_password_is_found_in_many_languages() {
        for (text, password) in [
            ("The password for the file is \"Heron-7!\". Regards", "Heron-7!"),
            ("Password:Heron7", "Heron7"),
            ("Das Passwort lautet Reiher.", "Reiher"),
            ("mot de passe : héron42", "héron42"),
            ("La contraseña es garza", "garza"),
            ("ПАРОЛЬ: цапля9", "цапля9"),
            ("密码：cang1lu", "cang1lu"),
            ("pw: x9", "x9"),
            ("PIN 4711", "4711"),
            ("pwd=s3cret", "s3cret"),
        ] {
            let mut words = Words::default();
            words.look(text);
            assert!(words.found.iter().any(|word| word == password), "{text}: {:?}", words.found);
        }
        let mut words = Words::default();
        words.look(&"password x1 x2 x3 x4 x5 x6 not ".repeat(3));
        assert!(!words.found.iter().any(|word| word == "not"));
        words.look(&(0..1000).map(|n| format!("password a{n} ")).collect::<String>());
        assert_eq!(words.found.len(), MOST);
    }
}
