//! Who is logged in. A session is known by the hash of its cookie, and what it holds is sealed under that cookie: whoever reads this memory between two requests learns
//! that somebody is logged in, and not who.
//!
//! Everything that is derived from a cookie (256 random bits) is HKDF-Expand (RFC 5869 section 2.3) of it: a key of one use for what is sealed, and the token of its forms.

use crate::pages::Flash;
use crate::random::{self, NoRandomness};
use daylight_model::Digest;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use zeroize::{Zeroize as _, Zeroizing};

/// How long a session lasts without being used, and at most.
const IDLE: Duration = Duration::from_secs(30 * 60);
const LONGEST: Duration = Duration::from_secs(2 * 60 * 60);
/// How many sessions there may be. Where there are more, those go first that were never used again after they began.
const MOST: usize = 200_000;
/// Room for the words of a codename.
const WORDS: usize = 128;
/// The cookie's name. Without `Secure` and so without `__Host-`: an onion address is spoken to without TLS, and not every browser would send it then.
pub(crate) const COOKIE: &str = "daylight";

/// A cookie's value.
pub(crate) struct Cookie(Zeroizing<[u8; 32]>);

struct Session {
    seed: [u8; 32],
    /// In a box: room that is not used would be copied with whatever lay in it.
    words: Option<Box<[u8; WORDS]>>,
    born: Instant,
    used: Instant,
    again: bool,
    slip: bool,
    fresh: bool,
    told: bool,
    flash: Option<Flash>,
}

/// What a request of somebody who is logged in may know.
pub(crate) struct Visit {
    /// From which all keys of the source come.
    pub(crate) seed: Zeroizing<[u8; 32]>,
    /// The token of this session's forms.
    pub(crate) form: String,
    /// Whether what was typed was no codename; then the seed is nobody's.
    pub(crate) slip: bool,
    /// Whether the codename was made in this session.
    pub(crate) fresh: bool,
    /// Whether a text was sent in this session.
    pub(crate) told: bool,
}

/// All sessions.
pub(crate) struct Sessions {
    map: Mutex<HashMap<[u8; 32], Session>>,
    secret: Zeroizing<[u8; 32]>,
}

impl Cookie {
    /// Reads the cookie of a `Cookie` header. Of several with its name the first counts.
    pub(crate) fn read(header: &str) -> Option<Self> {
        let value = header.split(';').find_map(|pair| pair.trim().strip_prefix(COOKIE)?.strip_prefix('='))?;
        value.parse::<Digest>().ok().map(|bytes| Self(Zeroizing::new(bytes.0)))
    }

    /// The `Set-Cookie` header that gives it.
    pub(crate) fn header(&self) -> String {
        format!("{COOKIE}={}; Path=/; HttpOnly; SameSite=Strict", Digest(*self.0))
    }

    /// The header that takes it away.
    pub(crate) fn gone() -> String {
        format!("{COOKIE}=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0")
    }

    fn name(&self) -> [u8; 32] {
        Digest::of(&[b"daylight-drop session name".as_slice(), &*self.0].concat()).0
    }

    /// Combines bytes with a key stream of their own. Each label is used for one text in the life of a cookie.
    fn mask(&self, label: &[u8], bytes: &mut [u8]) {
        for (at, block) in bytes.chunks_mut(32).enumerate() {
            let mut key = keyed(&self.0, &[label, &[at as u8]]);
            block.iter_mut().zip(key.iter()).for_each(|(byte, mask)| *byte ^= mask);
            key.zeroize();
        }
    }

    fn form(&self) -> String {
        Digest(keyed(&self.0, &[b"form"])).to_string()
    }
}

fn keyed(key: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    // A key of any length is one for HMAC.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return [0; 32] };
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().into()
}

/// Whether two texts are the same, in a time that does not say where they differ.
pub(crate) fn same(one: &str, other: &str) -> bool {
    one.len() == other.len() && one.bytes().zip(other.bytes()).fold(0, |differ, (a, b)| differ | (a ^ b)) == 0
}

impl Sessions {
    pub(crate) fn new() -> Result<Self, NoRandomness> {
        Ok(Self { map: Mutex::default(), secret: Zeroizing::new(random::bytes()?) })
    }

    fn map(&self) -> MutexGuard<'_, HashMap<[u8; 32], Session>> {
        self.map.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The token of forms that are filled in before anybody is logged in, for this day.
    pub(crate) fn outer_form(&self, day: u32) -> String {
        Digest(keyed(&self.secret, &[b"outer form", &day.to_le_bytes()])).to_string()
    }

    /// Whether a token is that of today or yesterday.
    pub(crate) fn is_outer_form(&self, token: &str, today: u32) -> bool {
        // Both are always compared.
        same(token, &self.outer_form(today)) | same(token, &self.outer_form(today.saturating_sub(1)))
    }

    /// Begins a session, always under a new cookie. `words` are those of a codename that was just made, `slip` says that what was typed was none.
    pub(crate) fn begin(&self, seed: &[u8; 32], words: Option<&str>, slip: bool) -> Result<Cookie, NoRandomness> {
        let cookie = Cookie(Zeroizing::new(random::bytes()?));
        let mut sealed = *seed;
        cookie.mask(b"seed", &mut sealed);
        let words = words.map(|words| {
            let mut room = Box::new([0; WORDS]);
            room.iter_mut().zip(words.bytes()).for_each(|(to, from)| *to = from);
            cookie.mask(b"words", &mut *room);
            room
        });
        let now = Instant::now();
        let fresh = words.is_some();
        let session = Session { seed: sealed, words, born: now, used: now, again: false, slip, fresh, told: false, flash: None };
        let mut map = self.map();
        if map.len() >= MOST {
            make_room(&mut map);
        }
        map.insert(cookie.name(), session);
        Ok(cookie)
    }

    /// What a session holds, if it has not ended.
    pub(crate) fn visit(&self, cookie: &Cookie) -> Option<Visit> {
        let name = cookie.name();
        let mut map = self.map();
        let session = map.get_mut(&name)?;
        if session.used.elapsed() > IDLE || session.born.elapsed() > LONGEST {
            map.remove(&name);
            return None;
        }
        (session.used, session.again) = (Instant::now(), true);
        let mut seed = Zeroizing::new(session.seed);
        cookie.mask(b"seed", &mut *seed);
        Some(Visit { seed, form: cookie.form(), slip: session.slip, fresh: session.fresh, told: session.told })
    }

    /// The words of the codename that was made in this session, as long as they may be shown.
    pub(crate) fn words(&self, cookie: &Cookie) -> Option<Zeroizing<String>> {
        let mut room = Zeroizing::new(**self.map().get(&cookie.name())?.words.as_ref()?);
        cookie.mask(b"words", &mut *room);
        let end = room.iter().position(|byte| *byte == 0).unwrap_or(WORDS);
        std::str::from_utf8(&room[..end]).ok().map(|words| Zeroizing::new(words.to_owned()))
    }

    /// Shows the words no more.
    pub(crate) fn hide_words(&self, cookie: &Cookie) {
        if let Some(session) = self.map().get_mut(&cookie.name()) {
            session.words = None;
        }
    }

    /// Notes what came of what was sent.
    pub(crate) fn note(&self, cookie: &Cookie, flash: Flash) {
        if let Some(session) = self.map().get_mut(&cookie.name()) {
            session.told |= matches!(flash, Flash::Sent { texts: 1.., .. });
            session.flash = Some(flash);
        }
    }

    /// What is to be said once.
    pub(crate) fn flash(&self, cookie: &Cookie) -> Option<Flash> {
        self.map().get_mut(&cookie.name())?.flash.take()
    }

    /// Ends a session.
    pub(crate) fn end(&self, cookie: &Cookie) {
        if let Some(mut session) = self.map().remove(&cookie.name()) {
            session.seed.zeroize();
        }
    }

    /// Removes what has ended by itself.
    pub(crate) fn sweep(&self) {
        self.map().retain(|_, session| session.used.elapsed() <= IDLE && session.born.elapsed() <= LONGEST);
    }
}

/// Takes away a tenth: first those that were not used again, and of them the oldest.
fn make_room(map: &mut HashMap<[u8; 32], Session>) {
    let mut order: Vec<_> = map.iter().map(|(name, session)| (session.again, session.used, *name)).collect();
    order.sort_unstable();
    for (_, _, name) in order.iter().take(MOST / 10) {
        map.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cookie(of: &Cookie) -> Cookie {
        Cookie::read(&format!("other=1; {}", of.header().split(';').next().unwrap())).unwrap()
    }

    #[test]
    fn a_session_is_opened_by_its_cookie_alone_and_ends_for_good() {
        let sessions = Sessions::new().unwrap();
        let one = sessions.begin(&[7; 32], Some("abacus zoom"), false).unwrap();
        let two = sessions.begin(&[8; 32], None, false).unwrap();
        let visit = sessions.visit(&cookie(&one)).unwrap();
        assert_eq!((*visit.seed, visit.fresh, visit.slip), ([7; 32], true, false));
        assert_eq!(*sessions.visit(&two).unwrap().seed, [8; 32]);
        assert_ne!(visit.form, sessions.visit(&two).unwrap().form);
        assert_eq!(sessions.words(&one).unwrap().as_str(), "abacus zoom");
        assert!(sessions.words(&two).is_none());
        sessions.hide_words(&one);
        assert!(sessions.words(&one).is_none() && sessions.visit(&one).is_some());
        sessions.end(&one);
        assert!(sessions.visit(&one).is_none() && sessions.visit(&two).is_some());
    }

    #[test]
    fn a_cookie_that_we_did_not_give_opens_nothing_and_is_never_taken_over() {
        let sessions = Sessions::new().unwrap();
        let planted = Cookie::read(&format!("daylight={}", "a".repeat(64))).unwrap();
        assert!(sessions.visit(&planted).is_none());
        let given = sessions.begin(&[1; 32], None, false).unwrap();
        assert_ne!(*given.0, *planted.0);
        for wrong in ["", "daylight", "daylight=", "daylight=x", "xdaylight=aa"] {
            assert!(Cookie::read(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn the_seed_does_not_stand_in_what_is_held() {
        let sessions = Sessions::new().unwrap();
        let given = sessions.begin(&[9; 32], Some("abacus"), false).unwrap();
        let map = sessions.map();
        let held = &map[&given.name()];
        assert_ne!(held.seed, [9; 32]);
        assert_ne!(&held.words.as_ref().unwrap()[..6], b"abacus");
        assert!(!map.contains_key(&*given.0));
    }

    #[test]
    fn a_flash_is_said_once_and_outer_forms_last_two_days() {
        let sessions = Sessions::new().unwrap();
        let given = sessions.begin(&[9; 32], None, false).unwrap();
        sessions.note(&given, Flash::Sent { texts: 1, files: 0 });
        assert!(sessions.visit(&given).unwrap().told);
        assert_eq!((sessions.flash(&given), sessions.flash(&given)), (Some(Flash::Sent { texts: 1, files: 0 }), None));
        let form = sessions.outer_form(100);
        assert!(sessions.is_outer_form(&form, 100) && sessions.is_outer_form(&form, 101) && !sessions.is_outer_form(&form, 102));
        assert!(!sessions.is_outer_form("", 100));
    }
}
