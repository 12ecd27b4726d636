//! Who is logged in, as the house knows it: by the name of a cookie that it never sees, and with a seed that is sealed under that cookie.

use crate::hatch::{Flash, Held};
use crate::random::{self, NoRandomness};
use crate::session::keyed;
use daylight_model::Digest;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use zeroize::{Zeroize as _, Zeroizing};

/// How long a session lasts without being used, and at most.
const IDLE: Duration = Duration::from_secs(30 * 60);
const LONGEST: Duration = Duration::from_secs(2 * 60 * 60);
/// How many sessions there may be. Where there are more, those go first that were never used again after they began.
const MOST: usize = 200_000;

/// The name of a cookie: its hash.
type Name = [u8; 32];

struct Session {
    seed: [u8; 32],
    /// In a box: room that is not used would be copied with whatever lay in it.
    words: Option<Box<[u8; 128]>>,
    born: Instant,
    used: Instant,
    again: bool,
    slip: bool,
    fresh: bool,
    told: bool,
    flash: Option<Flash>,
}

impl Session {
    fn is_over(&self) -> bool {
        self.used.elapsed() > IDLE || self.born.elapsed() > LONGEST
    }
}

/// All sessions.
pub(crate) struct Sessions {
    map: Mutex<HashMap<Name, Session>>,
    secret: Zeroizing<[u8; 32]>,
}

impl Sessions {
    pub(crate) fn new() -> Result<Self, NoRandomness> {
        Ok(Self { map: Mutex::default(), secret: Zeroizing::new(random::bytes()?) })
    }

    fn map(&self) -> MutexGuard<'_, HashMap<Name, Session>> {
        self.map.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The token of forms that are filled in before anybody is logged in, for this day.
    pub(crate) fn outer_form(&self, day: u32) -> String {
        Digest(keyed(&self.secret, &[b"outer form", &day.to_le_bytes()])).to_string()
    }

    /// Begins a session.
    pub(crate) fn begin(&self, name: Name, seed: [u8; 32], words: Option<[u8; 128]>, slip: bool) {
        let (now, words, fresh) = (Instant::now(), words.map(Box::new), words.is_some());
        let session = Session { seed, words, born: now, used: now, again: false, slip, fresh, told: false, flash: None };
        let mut map = self.map();
        if map.len() >= MOST {
            make_room(&mut map);
        }
        // A session is never taken over: the name of another's cookie begins nothing.
        map.entry(name).or_insert(session);
    }

    /// What a session holds, if it has not ended.
    pub(crate) fn visit(&self, name: &Name) -> Option<Held> {
        let mut map = self.map();
        let session = map.get_mut(name)?;
        if session.is_over() {
            map.remove(name);
            return None;
        }
        (session.used, session.again) = (Instant::now(), true);
        Some(Held { seed: session.seed, slip: session.slip, fresh: session.fresh, told: session.told })
    }

    /// The sealed words of the codename that was made in this session, as long as they may be shown.
    pub(crate) fn words(&self, name: &Name) -> Option<[u8; 128]> {
        self.map().get(name)?.words.as_deref().copied()
    }

    /// Shows the words no more.
    pub(crate) fn hide_words(&self, name: &Name) {
        if let Some(session) = self.map().get_mut(name) {
            session.words = None;
        }
    }

    /// Notes what came of what was sent.
    pub(crate) fn note(&self, name: &Name, flash: Flash) {
        if let Some(session) = self.map().get_mut(name) {
            session.told |= matches!(flash, Flash::Sent { texts: 1.., .. });
            session.flash = Some(flash);
        }
    }

    /// What is to be said once.
    pub(crate) fn flash(&self, name: &Name) -> Option<Flash> {
        self.map().get_mut(name)?.flash.take()
    }

    /// Ends a session.
    pub(crate) fn end(&self, name: &Name) {
        if let Some(mut session) = self.map().remove(name) {
            session.seed.zeroize();
        }
    }

    /// Removes what has ended by itself.
    pub(crate) fn sweep(&self) {
        self.map().retain(|_, session| !session.is_over());
    }
}

/// Takes away a tenth: first those that were not used again, and of them the oldest.
fn make_room(map: &mut HashMap<Name, Session>) {
    let mut order: Vec<_> = map.iter().map(|(name, session)| (session.again, session.used, *name)).collect();
    order.sort_unstable();
    for (_, _, name) in order.iter().take(MOST / 10) {
        map.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_ends_for_good_and_is_never_taken_over() {
        let sessions = Sessions::new().unwrap();
        sessions.begin([1; 32], [7; 32], Some([9; 128]), false);
        sessions.begin([2; 32], [8; 32], None, true);
        sessions.begin([1; 32], [5; 32], None, true);
        assert_eq!(sessions.visit(&[1; 32]), Some(Held { seed: [7; 32], slip: false, fresh: true, told: false }));
        assert_eq!(sessions.visit(&[2; 32]), Some(Held { seed: [8; 32], slip: true, fresh: false, told: false }));
        assert_eq!((sessions.words(&[1; 32]), sessions.words(&[2; 32])), (Some([9; 128]), None));
        sessions.hide_words(&[1; 32]);
        assert!(sessions.words(&[1; 32]).is_none() && sessions.visit(&[1; 32]).is_some());
        sessions.end(&[1; 32]);
        assert!(sessions.visit(&[1; 32]).is_none() && sessions.visit(&[2; 32]).is_some() && sessions.visit(&[3; 32]).is_none());
    }

    #[test]
    fn a_flash_is_said_once_and_outer_forms_are_of_a_day() {
        let sessions = Sessions::new().unwrap();
        sessions.begin([1; 32], [9; 32], None, false);
        sessions.note(&[1; 32], Flash::Sent { texts: 1, files: 0 });
        assert!(sessions.visit(&[1; 32]).unwrap().told);
        assert_eq!((sessions.flash(&[1; 32]), sessions.flash(&[1; 32])), (Some(Flash::Sent { texts: 1, files: 0 }), None));
        assert_ne!(sessions.outer_form(100), sessions.outer_form(101));
        assert_eq!(sessions.outer_form(100), sessions.outer_form(100));
    }
}
