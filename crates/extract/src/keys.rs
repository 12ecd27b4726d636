//! The passwords that are tried on what is encrypted, and how much work that may be. To derive a key from a password is made slow on purpose, so
//! whoever tries one takes what it costs from a budget of the root; what is left untried then is counted and said.
//!
//! Whether a password is right is known before anything it opens is given: by a verifier, a checksum or a seal, never by what comes out looking
//! like something.

/// One unit is about one round of a hash function, a third of a millionth of a second.
const WORK: u64 = 40_000_000;
/// A container that comes further has the work anew, as it has the time, so often.
const RENEWALS: u32 = 63;

/// The passwords of a request.
pub(crate) struct Keys {
    passwords: Vec<String>,
    /// The number of the one that opened something last: it is tried first.
    last: Option<usize>,
    /// One that opened something for the first time, until that is said; and those of which it was said.
    fresh: Option<usize>,
    said: Vec<usize>,
    left: u64,
    renewals: u32,
}

/// Who had to know the password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum By {
    /// Nobody: it is the empty one, or one that every program tries by itself.
    All,
    /// Who gave it with the request.
    Given,
}

impl By {
    /// What is said of a document that was protected by `method`, among its properties.
    pub(crate) fn property(self, method: &str) -> String {
        match self {
            By::All => format!("protected: {method}, opened without a password"),
            By::Given => format!("protected: {method}, opened with a password"),
        }
    }
}

/// Why something was not opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Locked {
    /// How many of the given passwords were tried.
    pub(crate) tried: usize,
    /// How many were not, because the work was too much.
    pub(crate) untried: usize,
}

impl Locked {
    /// The words for it: by which method it is protected, what was tried, and what to do.
    pub(crate) fn detail(self, method: &str) -> String {
        match (self.tried, self.untried) {
            (0, 0) => format!("it is protected by {method}: `daylight unlock` tries passwords"),
            (1, 0) => {
                format!("it is protected by {method}, and the password that was tried does not open it: `daylight unlock` tries others")
            }
            (tried, 0) => {
                format!("it is protected by {method}, and none of the {tried} passwords tried opens it: `daylight unlock` tries others")
            }
            (tried, untried) => format!(
                "it is protected by {method}, and of {} passwords {tried} were tried and {untried} were not, for it would take too long: \
                 `daylight unlock` with fewer tries those",
                tried + untried
            ),
        }
    }
}

/// What of the budget of work is left, for an attempt that turns out to cost more than the first look.
pub(crate) struct Work<'a>(&'a mut u64);

impl Work<'_> {
    /// Takes so many units, or says that they are not there to be taken.
    pub(crate) fn spend(&mut self, units: u64) -> bool {
        match self.0.checked_sub(units) {
            Some(left) => {
                *self.0 = left;
                true
            }
            None => false,
        }
    }
}

impl Keys {
    /// A longer root has more time, so there is more work in it.
    pub(crate) fn new(passwords: &[String], input_length: u64) -> Self {
        Self {
            passwords: passwords.to_vec(),
            last: None,
            fresh: None,
            said: Vec::new(),
            left: WORK.saturating_add(input_length),
            renewals: RENEWALS,
        }
    }

    /// Tries passwords until `attempt` gives something: first those of `own`, which need nobody to know them, then the one that worked last, then
    /// the others in their order. Each costs `cost` units.
    pub(crate) fn open<T>(
        &mut self,
        own: &[&str],
        cost: u64,
        mut attempt: impl FnMut(&str, &mut Work<'_>) -> Option<T>,
    ) -> Result<(T, By), Locked> {
        let all = self.passwords.len();
        for password in own {
            if !Work(&mut self.left).spend(cost) {
                return Err(Locked { tried: 0, untried: all });
            }
            if let Some(opened) = attempt(password, &mut Work(&mut self.left)) {
                return Ok((opened, By::All));
            }
        }
        let order = self.last.into_iter().chain((0..all).filter(|number| Some(*number) != self.last));
        for (tried, number) in order.enumerate() {
            if !Work(&mut self.left).spend(cost) {
                return Err(Locked { tried, untried: all - tried });
            }
            if let Some(opened) = attempt(&self.passwords[number], &mut Work(&mut self.left)) {
                self.last = Some(number);
                self.fresh = Some(number).filter(|number| !self.said.contains(number));
                return Ok((opened, By::Given));
            }
        }
        Err(Locked { tried: all, untried: 0 })
    }

    /// The number of a password that opened something, once for each.
    pub(crate) fn opened(&mut self) -> Option<u32> {
        let number = self.fresh.take()?;
        self.said.push(number);
        u32::try_from(number).ok()
    }

    /// A container came further.
    pub(crate) fn renew(&mut self) {
        if self.left < WORK / 2 && self.renewals > 0 {
            (self.left, self.renewals) = (WORK, self.renewals - 1);
        }
    }

    /// Takes work that is done with a password known to be right; says whether there was enough.
    pub(crate) fn spend(&mut self, units: u64) -> bool {
        Work(&mut self.left).spend(units)
    }
}

/// Characters 128 to 255 of code page 437, which DOS had and in which zip files keep passwords.
const CP437: &str =
    "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{a0}";

/// The bytes that a password may have been where a format does not say which: those of UTF-8, of Windows-1252 and of code page 437, each once.
pub(crate) fn spellings(password: &str) -> Vec<Vec<u8>> {
    let mut spellings = vec![password.as_bytes().to_vec()];
    if password.is_ascii() {
        return spellings;
    }
    let (latin, _, lost) = encoding_rs::WINDOWS_1252.encode(password);
    let dos = password.chars().map(|character| match character {
        '\0'..='\u{7f}' => u8::try_from(character).ok(),
        _ => CP437.chars().position(|known| known == character).and_then(|place| u8::try_from(place + 128).ok()),
    });
    for spelling in [(!lost).then(|| latin.into_owned()), dos.collect()].into_iter().flatten() {
        if !spellings.contains(&spelling) {
            spellings.push(spelling);
        }
    }
    spellings
}

/// A password as Microsoft's formats take it.
pub(crate) fn utf16(password: &str) -> Vec<u8> {
    password.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(count: usize) -> Keys {
        Keys::new(&(0..count).map(|number| number.to_string()).collect::<Vec<_>>(), 0)
    }

    #[test]
    fn the_one_that_worked_last_is_first_and_what_was_not_tried_is_counted() {
        let mut keys = keys(3);
        assert_eq!(keys.open(&[""], 1, |password, _| (password == "2").then_some(7)), Ok((7, By::Given)));
        let mut order = Vec::new();
        assert_eq!(
            keys.open(&["", "own"], 1, |password, _| (order.push(password.to_owned()), None::<()>).1),
            Err(Locked { tried: 3, untried: 0 })
        );
        assert_eq!(order, ["", "own", "2", "0", "1"]);
        assert_eq!(keys.open(&["", "own"], 1, |password, _| (password == "own").then_some(())), Ok(((), By::All)));
        let dear = |keys: &mut Keys, cost| keys.open::<()>(&[], cost, |_, _| None).unwrap_err();
        assert_eq!(dear(&mut keys, WORK / 3), Locked { tried: 2, untried: 1 });
        assert_eq!(dear(&mut keys, u64::MAX), Locked { tried: 0, untried: 3 });
    }

    #[test]
    fn no_words_repeat_a_password() {
        let said = [(0, 0), (1, 0), (5, 0), (5, 2)].map(|(tried, untried)| Locked { tried, untried }.detail("RC4"));
        assert!(said.iter().all(|words| words.contains("RC4") && words.contains("`daylight unlock`")), "{said:?}");
        assert!(said[3].contains("of 7 passwords 5 were tried and 2 were not"));
    }

    #[test]
    fn a_password_is_spelt_in_every_character_set_that_has_it() {
        assert_eq!(CP437.chars().count(), 128);
        assert_eq!(spellings("plain"), [b"plain"]);
        assert_eq!(spellings("Grüße"), ["Grüße".as_bytes(), b"Gr\xfc\xdfe", b"Gr\x81\xe1e"]);
        assert_eq!(spellings("пароль"), ["пароль".as_bytes()]);
        assert_eq!(utf16("a€"), [0x61, 0, 0xac, 0x20]);
    }
}
