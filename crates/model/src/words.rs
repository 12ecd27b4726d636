//! What is known of a document's words without reading them again: their language, and a sketch by which the same text is found in another form.

/// How many registers a sketch has.
pub const REGISTERS: usize = 128;

/// How many keys a sketch is looked up by, and how many registers each is made of: of two texts that share 80 % of their runs of words 98 in 100
/// have a key in common, of two that share half 4 in 10.
const BANDS: usize = 8;
const ROWS: usize = 4;

/// From what share of equal registers on two texts are nearly the same.
pub const NEARLY: f64 = 0.8;

/// A sketch of a text (MinHash by one permutation, Li and others 2012, its empty registers filled as by Shrivastava 2017): of two sketches about as
/// many registers are equal as the texts share of their runs of four words. It says nothing else of the text, and nothing that the text does not.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Sketch(pub [u16; REGISTERS]);

impl Sketch {
    /// What share of their words two texts have in common, about: 0 to 1, off by 0.035 as a rule.
    pub fn similarity(&self, other: &Self) -> f64 {
        let equal = self.0.iter().zip(&other.0).filter(|(one, two)| one == two).count();
        equal as f64 / REGISTERS as f64
    }

    /// Whether two texts are nearly the same.
    pub fn is_near(&self, other: &Self) -> bool {
        self.similarity(other) >= NEARLY
    }

    /// The keys by which a sketch is looked up: two texts that are nearly the same have one of them in common, almost always.
    pub fn bands(&self) -> [u64; BANDS] {
        std::array::from_fn(|band| {
            let own = self.0[band * ROWS..][..ROWS].iter().fold(0, |key, register| key << 16 | u64::from(*register));
            // A key of one band is not one of another: each is turned its own way by a constant that is odd.
            (own ^ band as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29).wrapping_mul(0xbf58_476d_1ce4_e5b9) ^ band as u64
        })
    }

    /// Its bytes, each register with its lower byte first.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.0.iter().flat_map(|register| register.to_le_bytes()).collect()
    }

    /// A sketch from its bytes; `None` if they are not as many as a sketch has.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (registers, rest) = bytes.as_chunks::<2>();
        let registers: &[[u8; 2]; REGISTERS] = registers.try_into().ok()?;
        rest.is_empty().then(|| Self(registers.map(u16::from_le_bytes)))
    }
}

impl std::fmt::Debug for Sketch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Sketch({:04x}…)", self.0[0])
    }
}

/// The languages that are told apart, by their codes (ISO 639-1) and names.
pub const LANGUAGES: [(&str, &str); 62] = [
    ("af", "Afrikaans"),
    ("am", "Amharic"),
    ("ar", "Arabic"),
    ("be", "Belarusian"),
    ("bg", "Bulgarian"),
    ("bn", "Bengali"),
    ("ca", "Catalan"),
    ("cs", "Czech"),
    ("cy", "Welsh"),
    ("da", "Danish"),
    ("de", "German"),
    ("el", "Greek"),
    ("en", "English"),
    ("es", "Spanish"),
    ("et", "Estonian"),
    ("fa", "Persian"),
    ("fi", "Finnish"),
    ("fr", "French"),
    ("gu", "Gujarati"),
    ("he", "Hebrew"),
    ("hi", "Hindi"),
    ("hr", "Croatian"),
    ("hu", "Hungarian"),
    ("hy", "Armenian"),
    ("id", "Indonesian"),
    ("is", "Icelandic"),
    ("it", "Italian"),
    ("ja", "Japanese"),
    ("ka", "Georgian"),
    ("km", "Khmer"),
    ("kn", "Kannada"),
    ("ko", "Korean"),
    ("lo", "Lao"),
    ("lt", "Lithuanian"),
    ("lv", "Latvian"),
    ("mk", "Macedonian"),
    ("ml", "Malayalam"),
    ("mr", "Marathi"),
    ("my", "Burmese"),
    ("nb", "Norwegian Bokmål"),
    ("ne", "Nepali"),
    ("nl", "Dutch"),
    ("or", "Odia"),
    ("pa", "Punjabi"),
    ("pl", "Polish"),
    ("pt", "Portuguese"),
    ("ro", "Romanian"),
    ("ru", "Russian"),
    ("si", "Sinhala"),
    ("sk", "Slovak"),
    ("sl", "Slovenian"),
    ("sr", "Serbian"),
    ("sv", "Swedish"),
    ("ta", "Tamil"),
    ("te", "Telugu"),
    ("th", "Thai"),
    ("ti", "Tigrinya"),
    ("tr", "Turkish"),
    ("uk", "Ukrainian"),
    ("ur", "Urdu"),
    ("vi", "Vietnamese"),
    ("yi", "Yiddish"),
];

/// The name of a language by its code, in English; the code itself where it is not one of [`LANGUAGES`].
pub fn language_name(code: &str) -> &str {
    LANGUAGES.iter().find(|(known, _)| *known == code).map_or(code, |(_, name)| name)
}

/// Whether this has the form of a language's code: two or three small letters (ISO 639).
pub fn is_language_code(text: &str) -> bool {
    (2..=3).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sketch_comes_back_from_its_bytes_and_from_no_others() {
        let sketch = Sketch(std::array::from_fn(|at| at as u16 * 509));
        let bytes = sketch.to_bytes();
        assert_eq!((bytes.len(), Sketch::from_bytes(&bytes)), (256, Some(sketch)));
        assert_eq!((Sketch::from_bytes(&bytes[..255]), Sketch::from_bytes(&bytes[..254])), (None, None));
        assert_eq!(Sketch::from_bytes(&[bytes.as_slice(), &[0]].concat()), None);
    }

    #[test]
    fn sketches_share_keys_as_far_as_they_share_registers() {
        let one = Sketch(std::array::from_fn(|at| at as u16));
        let mut other = one;
        other.0[0] = 999;
        assert_eq!(one.bands().iter().zip(other.bands()).filter(|(a, b)| **a == *b).count(), BANDS - 1);
        assert!(one.is_near(&other) && one.similarity(&other) > 0.99);
        let same = Sketch([7; REGISTERS]);
        let mut keys = same.bands().to_vec();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), BANDS, "a key of one band is not one of another");
    }

    #[test]
    fn languages_stand_in_order_and_have_codes() {
        assert!(LANGUAGES.windows(2).all(|pair| pair[0].0 < pair[1].0));
        assert!(LANGUAGES.iter().all(|(code, _)| is_language_code(code)));
        assert_eq!((language_name("de"), language_name("xx")), ("German", "xx"));
        assert!(!is_language_code("deu1") && !is_language_code("DE") && !is_language_code("d"));
    }
}
