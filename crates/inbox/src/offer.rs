//! What a member gives to whoever puts a directory together: the public halves of the keys for some days, signed with the member's own key, so that
//! nobody on the way can put others in their place.
//!
//! ```text
//! daylight-epoch-keys-file/v1 LF ‖ length of the note (u32 big-endian) ‖ note ‖ keys, 1,216 bytes each, by day
//! ```
//! The note's text: `daylight-epoch-keys/v1`, then lines `newsroom <hex>`, `member <public key>`, `epochs <first> <how many>`, `keys <SHA-256 of the keys>`.

use crate::{Error, Result};
use daylight_archive::directory::{EPOCH_KEY, LAST_EPOCH, MAX_EPOCHS};
use daylight_archive::note::Note;
use daylight_archive::{Key, Signer};
use daylight_envelope::Newsroom;
use daylight_model::Digest;

const FILE: &[u8] = b"daylight-epoch-keys-file/v1\n";
const TEXT: &str = "daylight-epoch-keys/v1";
const MAX_NOTE: usize = 8192;

/// A member's public keys, which the member signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    note: Note,
    member: Key,
    newsroom: [u8; 32],
    first: u32,
    keys: Vec<u8>,
}

impl Offer {
    /// Signs keys of 1,216 bytes each, for the days from `first` on.
    pub(crate) fn sign(newsroom: &Newsroom, first: u32, keys: Vec<u8>, signer: &Signer) -> Result<Self> {
        let days = keys.len() / EPOCH_KEY;
        let text = text(&newsroom.0, &signer.key(), first, days, &Digest::of(&keys));
        let mut note = Note::new(&text).map_err(|error| Error::Refused(error.to_string()))?;
        note.sign(signer);
        Ok(Self { note, member: signer.key(), newsroom: newsroom.0, first, keys })
    }

    /// The file.
    pub fn to_bytes(&self) -> Vec<u8> {
        let note = self.note.to_bytes();
        [FILE, &(note.len() as u32).to_be_bytes(), &note, &self.keys].concat()
    }

    /// Reads such a file and checks that the member who is named in it signed all of it. Errors: in words.
    pub fn parse(bytes: &[u8]) -> std::result::Result<Self, String> {
        let form = || "not a file of a member's keys (daylight-epoch-keys-file/v1)".to_owned();
        let rest = bytes.strip_prefix(FILE).ok_or_else(form)?;
        let (length, rest) = rest.split_first_chunk::<4>().ok_or_else(form)?;
        let length = u32::from_be_bytes(*length) as usize;
        if length > MAX_NOTE || rest.len() > MAX_NOTE + MAX_EPOCHS * EPOCH_KEY {
            return Err(form());
        }
        let (note, keys) = rest.split_at_checked(length).ok_or_else(form)?;
        let note = Note::parse(note).map_err(|error| error.to_string())?;
        let mut lines = note.text().lines().skip(1);
        let mut value = |name: &str| lines.next()?.strip_prefix(name)?.strip_prefix(' ').map(str::to_owned);
        let newsroom = value("newsroom").and_then(|hex| hex.parse::<Digest>().ok()).ok_or_else(form)?;
        let member: Key = value("member").and_then(|text| text.parse().ok()).ok_or_else(form)?;
        let epochs = value("epochs").ok_or_else(form)?;
        let (first, days) =
            epochs.split_once(' ').and_then(|(first, days)| Some((first.parse().ok()?, days.parse().ok()?))).ok_or_else(form)?;
        let days: usize = days;
        let fits = (1..=MAX_EPOCHS).contains(&days) && first <= LAST_EPOCH && keys.len() == days * EPOCH_KEY;
        if !fits || note.text() != text(&newsroom.0, &member, first, days, &Digest::of(keys)) {
            return Err(form());
        }
        note.require(std::slice::from_ref(&member), 1).map_err(|error| error.to_string())?;
        Ok(Self { note, member, newsroom: newsroom.0, first, keys: keys.to_vec() })
    }

    /// Whose they are.
    pub fn member(&self) -> &Key {
        &self.member
    }

    /// For which newsroom.
    pub fn newsroom(&self) -> Newsroom {
        Newsroom(self.newsroom)
    }

    /// The first day, and how many there are.
    pub fn days(&self) -> (u32, u32) {
        (self.first, (self.keys.len() / EPOCH_KEY) as u32)
    }

    /// The key of a day.
    pub fn key(&self, day: u32) -> Option<&[u8]> {
        let place = day.checked_sub(self.first)? as usize;
        self.keys.chunks_exact(EPOCH_KEY).nth(place)
    }
}

fn text(newsroom: &[u8; 32], member: &Key, first: u32, days: usize, keys: &Digest) -> String {
    format!("{TEXT}\nnewsroom {}\nmember {member}\nepochs {first} {days}\nkeys {keys}\n", Digest(*newsroom))
}

/// The members of a directory with their keys for the days that all of them have: the members' keys, the first day, the keys by day and in it by
/// member. Errors, in words: another newsroom's, one member twice, no day in common.
pub fn join(newsroom: &Newsroom, offers: &[Offer], from: u32) -> std::result::Result<(Vec<Key>, u32, Vec<u8>), String> {
    if let Some(other) = offers.iter().find(|offer| offer.newsroom != newsroom.0) {
        return Err(format!("the keys of {} were made for another newsroom", other.member.name()));
    }
    let first = offers.iter().map(|offer| offer.first).chain([from]).max().unwrap_or(from);
    let end = offers.iter().map(|offer| offer.first + offer.days().1).min().unwrap_or(first);
    if offers.is_empty() || end <= first {
        return Err(
            "there is no day from today on for which every member has a key: each makes new ones with `daylight drop directory keys`"
                .into(),
        );
    }
    let mut keys = Vec::new();
    for day in (first..end).take(MAX_EPOCHS) {
        for offer in offers {
            keys.extend_from_slice(offer.key(day).unwrap_or_default());
        }
    }
    Ok((offers.iter().map(|offer| offer.member.clone()).collect(), first, keys))
}
