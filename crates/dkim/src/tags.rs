//! Lists of tags: `name=value; name=value` (RFC 6376 section 3.2).

use std::borrow::Cow;
use std::ops::Range;

/// A list with more tags than any standard names.
const MOST: usize = 100;

/// The tags of a list, and where each value stands in it.
#[derive(Debug, Default)]
pub(crate) struct Tags<'a> {
    text: &'a str,
    tags: Vec<(&'a str, Range<usize>)>,
}

impl<'a> Tags<'a> {
    /// Reads a list. Names are unique, and no item but the last may be empty.
    pub(crate) fn of(text: &'a str) -> Result<Self, String> {
        let mut tags: Vec<(&str, Range<usize>)> = Vec::new();
        let mut at = 0;
        let items = text.split(';').count();
        for (number, item) in text.split(';').enumerate() {
            let start = at;
            at += item.len() + 1;
            if number + 1 == items && item.trim_matches(is_space).is_empty() {
                break;
            }
            let (name, value) = item.split_once('=').ok_or("a tag without `=`")?;
            let name = name.trim_matches(is_space);
            if !is_name(name) {
                return Err("a tag whose name is none".into());
            }
            if tags.iter().any(|(known, _)| *known == name) {
                return Err(format!("the tag {name} stands twice"));
            }
            if tags.len() >= MOST {
                return Err(format!("more than {MOST} tags"));
            }
            let end = start + item.len();
            tags.push((name, end - value.len()..end));
        }
        Ok(Self { text, tags })
    }

    /// The value of a tag without white space around it.
    pub(crate) fn get(&self, name: &str) -> Option<&'a str> {
        self.place(name).map(|place| self.text[place].trim_matches(is_space))
    }

    /// The value of a tag that must be there and not be empty.
    pub(crate) fn need(&self, name: &str) -> Result<&'a str, String> {
        match self.get(name) {
            None => Err(format!("no {name}= tag")),
            Some("") => Err(format!("an empty {name}= tag")),
            Some(value) => Ok(value),
        }
    }

    /// Where a value stands in the list, white space around it included.
    pub(crate) fn place(&self, name: &str) -> Option<Range<usize>> {
        self.tags.iter().find(|(known, _)| *known == name).map(|(_, place)| place.clone())
    }

    /// The name of the first tag.
    pub(crate) fn first(&self) -> Option<&'a str> {
        self.tags.first().map(|(name, _)| *name)
    }

    /// A number of at most 18 digits.
    pub(crate) fn number(&self, name: &str) -> Result<Option<u64>, String> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let plain = (1..=18).contains(&value.len()) && value.bytes().all(|b| b.is_ascii_digit());
        let number = if plain { value.parse().ok() } else { None };
        number.map(Some).ok_or_else(|| format!("{name}= is not a number"))
    }
}

/// White space of a header, folds included.
pub(crate) fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n')
}

/// Without any white space, as base64 is read.
pub(crate) fn squeezed(value: &str) -> Cow<'_, str> {
    if value.contains(is_space) { Cow::Owned(value.replace(is_space, "")) } else { Cow::Borrowed(value) }
}

fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_read_and_a_broken_one_is_not() {
        let tags = Tags::of(" a = 1 ;b=\r\n x y ; c=;").unwrap();
        assert_eq!((tags.get("a"), tags.get("b"), tags.get("c"), tags.get("d")), (Some("1"), Some("x y"), Some(""), None));
        assert!(tags.need("c").is_err() && tags.need("d").is_err());
        for broken in ["a=1;;b=2", "a=1; a=2", "a", "=1", "1a=1", ";a=1", "a-b=1"] {
            assert!(Tags::of(broken).is_err(), "{broken}");
        }
        assert!(Tags::of("").unwrap().first().is_none());
    }
}
