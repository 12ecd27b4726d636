//! Who is logged in, as an attendant knows it. A session is known to the house by the hash of its cookie, and what it holds there is sealed under that cookie: whoever reads the
//! house's memory learns that somebody is logged in, and not who.
//!
//! Everything that is derived from a cookie (256 random bits) is HKDF-Expand (RFC 5869 section 2.3) of it: a key of one use for what is sealed, and the token of its forms.

use crate::hatch::{Hatch, Held};
use crate::random::{self, NoRandomness};
use daylight_model::Digest;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use zeroize::{Zeroize as _, Zeroizing};

/// Room for the words of a codename.
const WORDS: usize = 128;
/// The cookie's name. Without `Secure` and so without `__Host-`: an onion address is spoken to without TLS, and not every browser would send it then.
pub(crate) const COOKIE: &str = "daylight";

/// A cookie's value.
pub(crate) struct Cookie(Zeroizing<[u8; 32]>);

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

impl Cookie {
    /// A new one.
    pub(crate) fn draw() -> Result<Self, NoRandomness> {
        Ok(Self(Zeroizing::new(random::bytes()?)))
    }

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

    /// By which the house knows it.
    pub(crate) fn name(&self) -> [u8; 32] {
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

    /// Opens what the house holds of its session.
    fn open(&self, held: &Held) -> Visit {
        let mut seed = Zeroizing::new(held.seed);
        self.mask(b"seed", &mut *seed);
        let form = Digest(keyed(&self.0, &[b"form"])).to_string();
        Visit { seed, form, slip: held.slip, fresh: held.fresh, told: held.told }
    }

    fn seal_seed(&self, seed: &[u8; 32]) -> [u8; 32] {
        let mut sealed = *seed;
        self.mask(b"seed", &mut sealed);
        sealed
    }

    fn seal_words(&self, words: &str) -> [u8; WORDS] {
        let mut room = [0; WORDS];
        room.iter_mut().zip(words.bytes()).for_each(|(to, from)| *to = from);
        self.mask(b"words", &mut room);
        room
    }

    fn open_words(&self, sealed: [u8; WORDS]) -> Option<Zeroizing<String>> {
        let mut room = Zeroizing::new(sealed);
        self.mask(b"words", &mut *room);
        let end = room.iter().position(|byte| *byte == 0).unwrap_or(WORDS);
        std::str::from_utf8(&room[..end]).ok().map(|words| Zeroizing::new(words.to_owned()))
    }
}

/// A pseudorandom function of these parts: HMAC-SHA-256.
pub(crate) fn keyed(key: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    // A key of any length is one for HMAC.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return [0; 32] };
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().into()
}

/// Whether two texts are the same, in a time that does not say where they differ.
pub(crate) fn same(one: &str, other: &str) -> bool {
    one.len() == other.len() && one.bytes().zip(other.bytes()).fold(0, |differ, (a, b)| differ | (a ^ b)) == 0
}

/// Sessions, as they are asked for.
impl Hatch {
    /// Begins a session, always under a new cookie. `words` are those of a codename that was just made, `slip` says that what was typed was none.
    pub(crate) fn enter(&self, seed: &[u8; 32], words: Option<&str>, slip: bool) -> Result<Cookie, NoRandomness> {
        let cookie = Cookie::draw()?;
        self.begin_session(cookie.name(), cookie.seal_seed(seed), words.map(|words| cookie.seal_words(words)), slip);
        Ok(cookie)
    }

    /// What a session holds, if it has not ended.
    pub(crate) fn visit_of(&self, cookie: &Cookie) -> Option<Visit> {
        self.visit(cookie.name()).map(|held| cookie.open(&held))
    }

    /// The words of the codename that was made in this session, as long as they may be shown.
    pub(crate) fn words_of(&self, cookie: &Cookie) -> Option<Zeroizing<String>> {
        cookie.open_words(self.words(cookie.name())?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(seed: [u8; 32]) -> Held {
        Held { seed, slip: false, fresh: true, told: false }
    }

    #[test]
    fn a_session_is_opened_by_its_cookie_alone() {
        let (one, other) = (Cookie::draw().unwrap(), Cookie::draw().unwrap());
        let sealed = one.seal_seed(&[7; 32]);
        assert_ne!(sealed, [7; 32]);
        let again = Cookie::read(&format!("other=1; {}", one.header().split(';').next().unwrap())).unwrap();
        assert_eq!(*again.open(&held(sealed)).seed, [7; 32]);
        assert_ne!(*other.open(&held(sealed)).seed, [7; 32]);
        assert_ne!(one.open(&held(sealed)).form, other.open(&held(sealed)).form);
        assert!(one.name() == again.name() && one.name() != other.name() && one.name() != *one.0);
        let words = one.seal_words("abacus zoom");
        assert_ne!(&words[..6], b"abacus");
        assert_eq!(again.open_words(words).unwrap().as_str(), "abacus zoom");
        assert!(other.open_words(words).is_none_or(|words| words.as_str() != "abacus zoom"));
    }

    #[test]
    fn what_is_no_cookie_of_ours_is_none() {
        for wrong in ["", "daylight", "daylight=", "daylight=x", "xdaylight=aa"] {
            assert!(Cookie::read(wrong).is_none(), "{wrong}");
        }
    }
}
