//! How each type of the model is written and read, side by side.

use daylight_model::reading::{Found, Label, Place, Standing};
use daylight_model::{
    Date, DateDoubt, DateSource, Fault, FaultCode, Kind, MessageFacts, Name, Person, Precision, REGISTERS, Role, Signature,
    SignatureAlgorithm, SignatureKind, SignedBody, Sketch, Stage,
};

/// The most entries that all lists of a frame may have together. An entry is larger in memory than on the wire, so that the length of the frame alone
/// is no bound.
const MOST_ENTRIES: u64 = 1_000_000;
/// The most signatures, which are the largest entries by far: no reader gives more than 71.
const MOST_SIGNATURES: u64 = 128;

/// The bytes are not what the encoding allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Garbled(pub(crate) &'static str);

/// What is left of a payload.
pub(super) struct Source<'a> {
    left: &'a [u8],
    /// How many entries its lists may still have.
    entries: u64,
}

impl<'a> Source<'a> {
    pub(super) fn of(payload: &'a [u8]) -> Self {
        Self { left: payload, entries: MOST_ENTRIES }
    }

    fn byte(&mut self) -> Result<u8, Garbled> {
        let (&first, rest) = self.left.split_first().ok_or(Garbled("a frame that ends too early"))?;
        self.left = rest;
        Ok(first)
    }

    fn take(&mut self, length: u64) -> Result<&'a [u8], Garbled> {
        let length = usize::try_from(length).map_err(|_| Garbled("a length beyond its frame"))?;
        let (taken, rest) = self.left.split_at_checked(length).ok_or(Garbled("a length beyond its frame"))?;
        self.left = rest;
        Ok(taken)
    }

    /// Everything that is left.
    pub(super) fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.left)
    }

    /// Gives back the value that was read, if nothing is left over.
    pub(super) fn end<T>(&self, value: T) -> Result<T, Garbled> {
        if self.left.is_empty() { Ok(value) } else { Err(Garbled("a frame with bytes left over")) }
    }
}

/// Text from bytes that must be UTF-8.
pub(super) fn text(bytes: &[u8]) -> Result<String, Garbled> {
    Ok(std::str::from_utf8(bytes).map_err(|_| Garbled("text that is not UTF-8"))?.to_owned())
}

/// Something that can be written and read back.
pub(super) trait Value: Sized {
    fn put(&self, out: &mut Vec<u8>);
    fn get(from: &mut Source<'_>) -> Result<Self, Garbled>;
}

impl Value for u8 {
    fn put(&self, out: &mut Vec<u8>) {
        out.push(*self);
    }

    fn get(from: &mut Source<'_>) -> Result<Self, Garbled> {
        from.byte()
    }
}

impl Value for u64 {
    fn put(&self, out: &mut Vec<u8>) {
        let mut left = *self;
        while left > 0x7f {
            out.push((left & 0x7f) as u8 | 0x80);
            left >>= 7;
        }
        out.push(left as u8);
    }

    fn get(from: &mut Source<'_>) -> Result<Self, Garbled> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = from.byte()?;
            if shift == 63 && byte > 1 {
                break;
            }
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(Garbled("a number of more than 64 bits"))
    }
}

impl Value for u32 {
    fn put(&self, out: &mut Vec<u8>) {
        u64::from(*self).put(out);
    }

    fn get(from: &mut Source<'_>) -> Result<Self, Garbled> {
        Self::try_from(u64::get(from)?).map_err(|_| Garbled("a number of more than 32 bits"))
    }
}

/// Signed numbers alternate, 0, -1, 1, -2, …, so that small ones are short.
impl Value for i64 {
    fn put(&self, out: &mut Vec<u8>) {
        (((self << 1) ^ (self >> 63)) as u64).put(out);
    }

    fn get(from: &mut Source<'_>) -> Result<Self, Garbled> {
        let number = u64::get(from)?;
        Ok((number >> 1) as i64 ^ -((number & 1) as i64))
    }
}

impl Value for i16 {
    fn put(&self, out: &mut Vec<u8>) {
        i64::from(*self).put(out);
    }

    fn get(from: &mut Source<'_>) -> Result<Self, Garbled> {
        Self::try_from(i64::get(from)?).map_err(|_| Garbled("a number of more than 16 bits"))
    }
}

impl Value for bool {
    fn put(&self, out: &mut Vec<u8>) {
        out.push(u8::from(*self));
    }

    fn get(from: &mut Source<'_>) -> Result<Self, Garbled> {
        match from.byte()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(Garbled("a yes or no that is neither")),
        }
    }
}

impl Value for Vec<u8> {
    fn put(&self, out: &mut Vec<u8>) {
        (self.len() as u64).put(out);
        out.extend(self);
    }

    fn get(from: &mut Source<'_>) -> Result<Self, Garbled> {
        let length = u64::get(from)?;
        Ok(from.take(length)?.to_vec())
    }
}

impl Value for String {
    fn put(&self, out: &mut Vec<u8>) {
        (self.len() as u64).put(out);
        out.extend(self.as_bytes());
    }

    fn get(from: &mut Source<'_>) -> Result<Self, Garbled> {
        let length = u64::get(from)?;
        text(from.take(length)?)
    }
}

impl<T: Value> Value for Option<T> {
    fn put(&self, out: &mut Vec<u8>) {
        self.is_some().put(out);
        if let Some(value) = self {
            value.put(out);
        }
    }

    fn get(from: &mut Source<'_>) -> Result<Self, Garbled> {
        bool::get(from)?.then(|| T::get(from)).transpose()
    }
}

impl<T: Value> Value for Box<T> {
    fn put(&self, out: &mut Vec<u8>) {
        T::put(self, out);
    }

    fn get(from: &mut Source<'_>) -> Result<Self, Garbled> {
        T::get(from).map(Self::new)
    }
}

impl<T: Value, U: Value> Value for (T, U) {
    fn put(&self, out: &mut Vec<u8>) {
        self.0.put(out);
        self.1.put(out);
    }

    fn get(from: &mut Source<'_>) -> Result<Self, Garbled> {
        Ok((T::get(from)?, U::get(from)?))
    }
}

/// A list grows as its entries are read: what it claims to hold is not reserved.
fn put_list<T: Value>(list: &[T], out: &mut Vec<u8>) {
    (list.len() as u64).put(out);
    list.iter().for_each(|entry| entry.put(out));
}

fn get_list<T: Value>(from: &mut Source<'_>, most: u64) -> Result<Vec<T>, Garbled> {
    let count = u64::get(from)?;
    if count > most.min(from.entries) {
        return Err(Garbled("lists of too many entries"));
    }
    from.entries -= count;
    (0..count).map(|_| T::get(from)).collect()
}

/// Types with few values are the number of the value in a list that only ever grows.
macro_rules! numbered {
    ($($type:ty: $all:expr;)*) => {$(
        impl Value for $type {
            fn put(&self, out: &mut Vec<u8>) {
                // A value that is missing from the list gets a number that nobody reads.
                out.push($all.iter().position(|value| value == self).map_or(u8::MAX, |number| number as u8));
            }

            fn get(from: &mut Source<'_>) -> Result<Self, Garbled> {
                const UNKNOWN: Garbled = Garbled(concat!("an unknown ", stringify!($type)));
                $all.get(usize::from(from.byte()?)).copied().ok_or(UNKNOWN)
            }
        }
    )*};
}

numbered! {
    Kind: Kind::ALL;
    Label: Label::ALL;
    Role: Role::ALL;
    Stage: Stage::ALL;
    FaultCode: FaultCode::ALL;
    Precision: [Precision::Year, Precision::Month, Precision::Day, Precision::Minute, Precision::Second];
    DateSource: [DateSource::DateHeader, DateSource::ReceivedHeader, DateSource::MailboxLine, DateSource::Properties];
    SignatureKind: SignatureKind::ALL;
    SignatureAlgorithm: SignatureAlgorithm::ALL;
    DateDoubt: [DateDoubt::Absurd, DateDoubt::FarFromReceived, DateDoubt::ZoneUnknown, DateDoubt::Malformed];
}

impl Value for Name {
    fn put(&self, out: &mut Vec<u8>) {
        self.0.put(out);
    }

    fn get(from: &mut Source<'_>) -> Result<Self, Garbled> {
        Vec::get(from).map(Self)
    }
}

impl Value for Place {
    fn put(&self, out: &mut Vec<u8>) {
        match self {
            Place::Whole => out.push(0),
            Place::Slice { of, offset, length } => {
                out.push(1);
                of.put(out);
                offset.put(out);
                length.put(out);
            }
            Place::Follows => out.push(2),
        }
    }

    fn get(from: &mut Source<'_>) -> Result<Self, Garbled> {
        match from.byte()? {
            0 => Ok(Place::Whole),
            1 => Ok(Place::Slice { of: Value::get(from)?, offset: Value::get(from)?, length: Value::get(from)? }),
            2 => Ok(Place::Follows),
            _ => Err(Garbled("an unknown Place")),
        }
    }
}

/// A sketch is as long as every other.
impl Value for Sketch {
    fn put(&self, out: &mut Vec<u8>) {
        out.extend(self.to_bytes());
    }

    fn get(from: &mut Source<'_>) -> Result<Self, Garbled> {
        Sketch::from_bytes(from.take(2 * REGISTERS as u64)?).ok_or(Garbled("a sketch of another length"))
    }
}

impl Value for SignedBody {
    fn put(&self, out: &mut Vec<u8>) {
        match self {
            SignedBody::Same => out.push(0),
            SignedBody::Beginning(length) => {
                out.push(1);
                length.put(out);
            }
            SignedBody::Changed => out.push(2),
            SignedBody::NotSigned => out.push(3),
        }
    }

    fn get(from: &mut Source<'_>) -> Result<Self, Garbled> {
        match from.byte()? {
            0 => Ok(SignedBody::Same),
            1 => Ok(SignedBody::Beginning(Value::get(from)?)),
            2 => Ok(SignedBody::Changed),
            3 => Ok(SignedBody::NotSigned),
            _ => Err(Garbled("an unknown SignedBody")),
        }
    }
}

/// Types that are their fields one after the other.
macro_rules! fields {
    ($($type:ident { $($field:ident),* })*) => {$(
        impl Value for $type {
            fn put(&self, out: &mut Vec<u8>) {
                let $type { $($field),* } = self;
                $($field.put(out);)*
            }

            fn get(from: &mut Source<'_>) -> Result<Self, Garbled> {
                $(let $field = Value::get(from)?;)*
                Ok($type { $($field),* })
            }
        }
    )*};
}

fields! {
    Date { seconds, offset_minutes, precision, source, doubt }
    Person { role, name, address }
    Fault { stage, code, tool, detail, limit, at }
    Found { index, parent, ordinal, name, kind, place, standing, tool, media_type, claims, message }
    Standing { depth, claimed_type, charset, mailbox_date, is_message }
    MessageFacts { subject, people, dates, message_id, in_reply_to, references, has_html, signatures }
    Signature {
        kind, instance, domain, selector, identity, algorithm, value, digest, body, requoted, headers, left_out, time, expires, problem
    }
}

macro_rules! lists {
    ($($type:ty: $most:expr),*) => {$(
        impl Value for Vec<$type> {
            fn put(&self, out: &mut Vec<u8>) {
                put_list(self, out);
            }

            fn get(from: &mut Source<'_>) -> Result<Self, Garbled> {
                get_list(from, $most)
            }
        }
    )*};
}

lists!(Person: MOST_ENTRIES, Date: MOST_ENTRIES, String: MOST_ENTRIES, Signature: MOST_SIGNATURES, u32: MOST_ENTRIES);
