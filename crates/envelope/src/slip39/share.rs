use super::checksum;
use super::cipher::Terms;
use super::words::{place, word};
use std::fmt;
use zeroize::Zeroizing;

/// Words before the value: two of terms, two of parameters.
const HEAD: usize = 4;
/// The fewest words: a value of 16 bytes.
const FEWEST: usize = HEAD + 13 + checksum::LENGTH;
/// The most words that are read: a value of 256 bytes. SLIP-0039 names no end.
const MOST: usize = HEAD + 205 + checksum::LENGTH;

/// One share of a split secret. Its words are the secret of whoever holds it, and are wiped when it is dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Share {
    pub(super) terms: Terms,
    pub(super) group: u8,
    pub(super) group_threshold: u8,
    pub(super) groups: u8,
    pub(super) member: u8,
    pub(super) threshold: u8,
    pub(super) value: Zeroizing<Vec<u8>>,
}

/// Why words are not a share.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ShareError {
    /// One that is not in the list; it is not said which, for a message may be written down.
    #[error("word {0} is not one of the words that shares are made of")]
    Unknown(usize),
    /// Fewer than any share has, more than are read, or a number that no share has.
    #[error("{0} words are not a share, which has 20, 33 or another such number")]
    Length(usize),
    /// The checksum does not fit.
    #[error("a word is wrong or two stand in the wrong order: the words do not have the checksum at their end")]
    Checksum,
    /// The checksum fits, but no program writes such a share.
    #[error("the words are not a share: {0}")]
    Form(&'static str),
}

impl Share {
    /// Reads a share's words, divided by white space, in any case.
    pub fn parse(text: &str) -> Result<Self, ShareError> {
        let mut words = Zeroizing::new(Vec::with_capacity(MOST));
        for (at, one) in (1..).zip(text.split_whitespace()) {
            if words.len() == MOST {
                return Err(ShareError::Length(text.split_whitespace().count()));
            }
            words.push(place(one).ok_or(ShareError::Unknown(at))?);
        }
        Self::read(&words)
    }

    fn read(words: &[u16]) -> Result<Self, ShareError> {
        let bits = 10 * words.len().saturating_sub(HEAD + checksum::LENGTH);
        let padding = bits % 16;
        if words.len() < FEWEST || padding > 8 {
            return Err(ShareError::Length(words.len()));
        }
        let head = words[..HEAD].iter().fold(0u64, |head, word| head << 10 | u64::from(*word));
        let nibble = |at: u32| (head >> at & 15) as u8;
        let terms = Terms { identifier: (head >> 25) as u16, extendable: head >> 24 & 1 == 1, exponent: nibble(20) };
        if !checksum::verify(custom(&terms), words) {
            return Err(ShareError::Checksum);
        }
        let value =
            value(&words[HEAD..words.len() - checksum::LENGTH], padding).ok_or(ShareError::Form("bits before its value are set"))?;
        let share = Self {
            terms,
            group: nibble(16),
            group_threshold: nibble(12) + 1,
            groups: nibble(8) + 1,
            member: nibble(4),
            threshold: nibble(0) + 1,
            value,
        };
        if share.group_threshold > share.groups {
            return Err(ShareError::Form("more groups are needed than there are"));
        }
        Ok(share)
    }

    /// The words, divided by one space.
    pub fn words(&self) -> Zeroizing<String> {
        let Terms { identifier, extendable, exponent } = self.terms;
        let head = [exponent, self.group, self.group_threshold - 1, self.groups - 1, self.member, self.threshold - 1];
        let head = head.iter().fold(u64::from(identifier) << 1 | u64::from(extendable), |head, nibble| head << 4 | u64::from(*nibble));
        let mut words = Zeroizing::new(Vec::with_capacity(MOST));
        words.extend([30, 20, 10, 0].map(|shift| (head >> shift & 1023) as u16));
        // The value is a number that stands at the right of its words.
        let (mut held, mut bits) = (0u32, (8 * self.value.len()).next_multiple_of(10) - 8 * self.value.len());
        for byte in self.value.iter() {
            (held, bits) = (held << 8 | u32::from(*byte), bits + 8);
            while bits >= 10 {
                bits -= 10;
                words.push((held >> bits & 1023) as u16);
            }
        }
        let checksum = checksum::create(custom(&self.terms), &words);
        words.extend(checksum);
        // As long as it will get: a string that grows leaves copies of the words behind.
        let mut text = Zeroizing::new(String::with_capacity(9 * words.len()));
        for (at, place) in words.iter().enumerate() {
            text.push_str(if at == 0 { "" } else { " " });
            text.push_str(word(*place));
        }
        text
    }

    /// What all shares of one splitting have in common: their first two words, which are no secret. Shares with other ones belong to another secret.
    pub fn set(&self) -> String {
        let Terms { identifier, extendable, exponent } = self.terms;
        let head = u32::from(identifier) << 5 | u32::from(extendable) << 4 | u32::from(exponent);
        format!("{} {}", word((head >> 10) as u16), word(head as u16))
    }

    /// Which share it is of its group, from 1.
    pub fn number(&self) -> u8 {
        self.member + 1
    }

    /// How many shares of its group are needed.
    pub fn threshold(&self) -> u8 {
        self.threshold
    }
}

impl fmt::Debug for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Share({} …, number {})", self.set(), self.number())
    }
}

fn custom(terms: &Terms) -> &'static [u8] {
    if terms.extendable { b"shamir_extendable" } else { b"shamir" }
}

/// The bytes of a number of 10 bits a word, of which the first `padding` bits are zero; `None` if they are not.
fn value(words: &[u16], padding: usize) -> Option<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(10 * words.len() / 8));
    let (mut held, mut bits) = (0u32, 0);
    for (at, word) in words.iter().enumerate() {
        if at == 0 && usize::from(*word) >> (10 - padding) != 0 {
            return None;
        }
        (held, bits) = (held << 10 | u32::from(*word), bits + 10 - if at == 0 { padding } else { 0 });
        while bits >= 8 {
            bits -= 8;
            bytes.push((held >> bits) as u8);
        }
    }
    Some(bytes)
}
