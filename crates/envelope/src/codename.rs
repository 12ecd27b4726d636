//! Codenames: what a source keeps instead of an account. Nine words are drawn, the tenth is their checksum.

use crate::newsroom::Newsroom;
use crate::{NoRandomness, fill_random};
use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

mod keys;
mod nearness;
mod words;

pub use keys::{ConversationKey, SourceKeys};

/// How many words a codename has.
const WORDS: usize = 10;

/// What the place of each word in the list counts for in the checksum. Each has an inverse modulo 7,776 = 2^5 · 3^5, so that one wrong word always shows.
const WEIGHTS: [u32; WORDS] = [1, 5, 7, 11, 13, 17, 19, 23, 25, 7_775];

/// What the weighted sum of all ten is, modulo 7,776. It is not 0, so that the same word ten times is no codename.
const SUM: u32 = 4_242;

/// The longest text that is looked at as a codename, in bytes.
const LONGEST: usize = 1_024;

/// A source's codename. What it stands for differs from newsroom to newsroom. It is wiped from memory when dropped, and has no form for debugging.
pub struct Codename(Zeroizing<[u16; WORDS]>);

/// Why a text is no codename. None of its words stand in an error, only their places, counted from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CodenameError {
    /// Not ten words.
    #[error("a codename has ten words, and this has {0}")]
    Count(usize),
    /// Words that no codename has.
    #[error("{} not in the list that codenames are made of: look for a slip there", places(.0))]
    Unknown(Vec<usize>),
    /// The checksum does not fit, and it would if these words were others that look like them, or stood the other way round: each is one explanation.
    #[error("the words do not belong together: {} may be another that looks like it, or stand in another place", places(.0))]
    Slip(Vec<usize>),
    /// The checksum does not fit, and no single slip explains it.
    #[error("the words do not belong together: one of them is another, or two stand in the wrong order; look at each")]
    Checksum,
}

/// "word 3", "words 3 and 7".
fn places(places: &[usize]) -> String {
    match places {
        [] => "a word is".to_owned(),
        [one] => format!("word {one}"),
        [first @ .., last] => {
            let first: Vec<String> = first.iter().map(usize::to_string).collect();
            format!("words {} and {last}", first.join(", "))
        }
    }
}

impl Codename {
    /// A new codename: 116 bits of randomness, so that no slow hash is needed.
    pub fn generate() -> Result<Self, NoRandomness> {
        let mut words = Zeroizing::new([0; WORDS]);
        for word in &mut words[..WORDS - 1] {
            *word = draw()?;
        }
        // The last weight is −1.
        words[WORDS - 1] = ((sum(&words) + words::COUNT - SUM) % words::COUNT) as u16;
        Ok(Self(words))
    }

    /// Reads a codename as people type it: in any case, its words divided by white space or commas.
    pub fn parse(text: &str) -> Result<Self, CodenameError> {
        let text = Zeroizing::new(text[..text.floor_char_boundary(LONGEST)].to_ascii_lowercase());
        let typed: Vec<&str> = text.split(|c: char| c.is_whitespace() || c == ',').filter(|word| !word.is_empty()).collect();
        if typed.len() != WORDS {
            return Err(CodenameError::Count(typed.len()));
        }
        let mut words = Zeroizing::new([0; WORDS]);
        let mut unknown = Vec::new();
        for ((at, word), place) in typed.iter().enumerate().zip(words.iter_mut()) {
            match words::place(word) {
                Some(known) => *place = known,
                None => unknown.push(at + 1),
            }
        }
        // Looked for also where there is none, so that the time it takes does not say whether there was one.
        let slip = std::hint::black_box(slip(&words));
        match () {
            () if !unknown.is_empty() => Err(CodenameError::Unknown(unknown)),
            () if sum(&words) == SUM => Ok(Self(words)),
            () => Err(slip),
        }
    }

    /// Its words in lower case, each divided from the next by one space.
    pub fn words(&self) -> Zeroizing<String> {
        // As long as it will get: a string that grows leaves copies behind.
        let mut text = Zeroizing::new(String::with_capacity(WORDS * 10));
        for (at, place) in self.0.iter().enumerate() {
            if at > 0 {
                text.push(' ');
            }
            text.push_str(words::word(*place));
        }
        text
    }

    /// What it stands for at a newsroom: HKDF (RFC 5869) with SHA-256 of its words, with the newsroom as salt.
    pub fn keys(&self, newsroom: &Newsroom) -> SourceKeys {
        let (prk, _) = Hkdf::<Sha256>::extract(Some(&newsroom.0), self.words().as_bytes());
        let mut seed = Zeroizing::new([0; 32]);
        seed.copy_from_slice(&prk);
        SourceKeys::from_seed(seed)
    }
}

/// A number below 7,776, each as likely as any other.
fn draw() -> Result<u16, NoRandomness> {
    loop {
        let mut bytes = Zeroizing::new([0; 2]);
        fill_random(bytes.as_mut())?;
        let drawn = u32::from(u16::from_le_bytes(*bytes));
        // Eight times the list fits into 16 bits; what is above would make some words likelier.
        if drawn < 8 * words::COUNT {
            return Ok((drawn % words::COUNT) as u16);
        }
    }
}

fn sum(words: &[u16; WORDS]) -> u32 {
    words.iter().zip(WEIGHTS).map(|(word, weight)| u32::from(*word) * weight).sum::<u32>() % words::COUNT
}

/// Where one slip explains that the checksum does not fit. At each place exactly one other word would make it fit; if that looks like the one that is
/// there, somebody may have meant it.
fn slip(words: &[u16; WORDS]) -> CodenameError {
    let mut places = Vec::new();
    for at in 0..WORDS {
        let swapped = (at + 1 < WORDS).then(|| {
            let mut other = Zeroizing::new(*words);
            other.swap(at, at + 1);
            sum(&other) == SUM
        });
        let meant = fitting(words, at);
        if swapped == Some(true) || nearness::alike(words::word(words[at]), words::word(meant)) {
            places.push(at + 1);
        }
    }
    if places.is_empty() { CodenameError::Checksum } else { CodenameError::Slip(places) }
}

/// The word that would make the checksum fit at this place.
fn fitting(words: &[u16; WORDS], at: usize) -> u16 {
    let mut others = Zeroizing::new(*words);
    others[at] = 0;
    let missing = (SUM + words::COUNT - sum(&others)) % words::COUNT;
    // All are tried, whichever it is: see `words::place`.
    let fits = |word: u32| std::hint::black_box(word * WEIGHTS[at] % words::COUNT == missing);
    (0..words::COUNT).fold(0, |found, word| if fits(word) { word } else { found }) as u16
}

#[cfg(test)]
mod tests;
