//! The keys that open what sources send: one for each day, in a keyring of each member's own. They are destroyed 45 days after their day, whatever
//! happens: whoever opens a keyring for whatever reason destroys first what is due.

use crate::error::random;
use crate::offer::Offer;
use crate::secrets::Secrets;
use crate::tpm::Tpm;
use crate::{Error, Result};
use daylight_archive::directory::MAX_EPOCHS;
use daylight_archive::{Key, Signer};
use daylight_durable::crash_point;
use daylight_envelope::{Identity, Newsroom};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// A key is destroyed so many days after its day.
pub const LIFE: u32 = 45;

/// One member's keys, a secret seed for each day. Nothing of it is ever in a backup.
pub struct Keyring {
    path: PathBuf,
    newsroom: Newsroom,
    member: Key,
    secrets: Secrets,
}

/// How many keys a keyring has, and for which days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// How many.
    pub keys: usize,
    /// The first day.
    pub first: u32,
    /// The last day.
    pub last: u32,
}

impl Keyring {
    /// Makes a keyring without keys for a member, who signs replies with `member`; sealed under a key in the TPM, if one is given.
    pub fn create(path: &Path, newsroom: Newsroom, member: &Key, tpm: Option<&Tpm>) -> Result<Self> {
        let heading = [&newsroom.0[..], member.to_string().as_bytes()].concat();
        let secrets = Secrets::create(path, &heading, tpm)?;
        Ok(Self { path: path.to_owned(), newsroom, member: member.clone(), secrets })
    }

    /// Opens a keyring, and destroys in it what is due on the day `today`, before anything else can be done with it. Gives how many were. The TPM is
    /// needed where the keyring is sealed under a key in it.
    pub fn open(path: &Path, today: u32, tpm: &Tpm) -> Result<(Self, usize)> {
        let secrets = Secrets::open(path, tpm)?;
        let (newsroom, member) = secrets.heading().split_first_chunk::<32>().ok_or_else(|| Error::damaged(path, "its heading"))?;
        let (newsroom, member) = (Newsroom(*newsroom), std::str::from_utf8(member).ok().and_then(|text| text.parse().ok()));
        let member = member.ok_or_else(|| Error::damaged(path, "its member's key"))?;
        let mut keyring = Self { path: path.to_owned(), newsroom, member, secrets };
        let destroyed = keyring.destroy_due(today)?;
        Ok((keyring, destroyed))
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// For which newsroom it is.
    pub fn newsroom(&self) -> Newsroom {
        Newsroom(self.newsroom.0)
    }

    /// Whose it is.
    pub fn member(&self) -> &Key {
        &self.member
    }

    /// How many keys there are; `None` without any.
    pub fn span(&self) -> Option<Span> {
        let days: Vec<u32> = self.secrets.all().map(|(_, day, _)| day).collect();
        Some(Span { keys: days.len(), first: *days.iter().min()?, last: *days.iter().max()? })
    }

    /// Makes the keys that are missing for `days` days from `first` on. Errors: more than 90 days.
    pub fn fill(&mut self, first: u32, days: u32) -> Result<()> {
        if days == 0 || days as usize > MAX_EPOCHS {
            return Err(Error::Refused(format!("keys can be made for 1 to {MAX_EPOCHS} days, not for {days}")));
        }
        let there = self.by_day();
        for day in (first..).take(days as usize).filter(|day| !there.contains_key(day)) {
            let seed = Zeroizing::new(random::<32>()?);
            self.secrets.add_later(day, &seed)?;
        }
        self.secrets.sync()?;
        // A crash here leaves keys that nobody was told of: the same command goes on with them.
        crash_point("inbox.epoch-keys");
        Ok(())
    }

    /// What the others need of it: the public keys from the day `first` on, signed with the member's own key.
    pub fn offer(&self, first: u32, days: u32, signer: &Signer) -> Result<Offer> {
        if signer.key() != self.member {
            return Err(Error::Refused(format!("{} is of {}, not of {}", self.path.display(), self.member.name(), signer.name())));
        }
        let there = self.by_day();
        let mut keys = Vec::new();
        for day in (first..).take(days as usize) {
            let identity = there.get(&day).and_then(|place| self.identity(*place));
            let identity = identity.ok_or_else(|| Error::Refused(format!("the keyring has no key for day {day}")))?;
            keys.extend_from_slice(&identity.recipient().to_bytes());
        }
        Offer::sign(&self.newsroom, first, keys, signer)
    }

    /// The public key of a day, if its secret one is still there.
    pub fn public(&self, day: u32) -> Option<[u8; 1216]> {
        let place = self.by_day().get(&day).copied()?;
        Some(self.identity(place)?.recipient().to_bytes())
    }

    /// Every key that may still open something on the day `today`, the newest day first.
    pub fn identities(&self, today: u32) -> Vec<(u32, Identity)> {
        let days = self.by_day();
        let alive = days.iter().rev().filter(|(day, _)| !is_due(**day, today));
        alive.filter_map(|(day, place)| Some((*day, self.identity(*place)?))).collect()
    }

    fn identity(&self, place: u32) -> Option<Identity> {
        Some(Identity::from_seed(Zeroizing::new(*self.secrets.get(place)?)))
    }

    fn by_day(&self) -> BTreeMap<u32, u32> {
        self.secrets.all().map(|(place, day, _)| (day, place)).collect()
    }

    fn destroy_due(&mut self, today: u32) -> Result<usize> {
        let due: Vec<u32> = self.secrets.all().filter(|(_, day, _)| is_due(*day, today)).map(|(place, _, _)| place).collect();
        self.secrets.destroy(&due)?;
        Ok(due.len())
    }
}

/// Whether a key of that day is to be destroyed.
fn is_due(day: u32, today: u32) -> bool {
    day.saturating_add(LIFE) < today
}

/// The day of a time in seconds since 1970-01-01T00:00:00Z.
pub fn day_of(seconds: u64) -> u32 {
    u32::try_from(seconds / 86_400).unwrap_or(u32::MAX)
}
