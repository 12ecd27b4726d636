//! How questions and answers are written: numbers little-endian, bytes and lists behind their length (4 bytes), what may be missing behind a byte that says whether it is there.

use super::{Flash, Held, Refusal};
use crate::store::{Lookup, Usage};
use daylight_model::Digest;

/// What stands in a question or an answer.
pub(crate) trait Part: Sized {
    fn put(&self, out: &mut Vec<u8>);
    /// Takes it off the front; `None` if it does not stand there.
    fn take(from: &mut &[u8]) -> Option<Self>;
}

/// What the bytes are, if they are that and nothing more.
pub(crate) fn whole<P: Part>(mut bytes: &[u8]) -> Option<P> {
    P::take(&mut bytes).filter(|_| bytes.is_empty())
}

/// Takes so many bytes off the front.
fn front<'a>(from: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (front, rest) = from.split_at_checked(length)?;
    *from = rest;
    Some(front)
}

impl Part for () {
    fn put(&self, _: &mut Vec<u8>) {}

    fn take(_: &mut &[u8]) -> Option<Self> {
        Some(())
    }
}

impl Part for bool {
    fn put(&self, out: &mut Vec<u8>) {
        out.push(u8::from(*self));
    }

    fn take(from: &mut &[u8]) -> Option<Self> {
        match u8::take(from)? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }
}

macro_rules! numbers {
    ($($kind:ty),+) => {
        $(impl Part for $kind {
            fn put(&self, out: &mut Vec<u8>) {
                out.extend(self.to_le_bytes());
            }

            fn take(from: &mut &[u8]) -> Option<Self> {
                front(from, size_of::<$kind>())?.try_into().ok().map(<$kind>::from_le_bytes)
            }
        })+
    };
}

numbers!(u8, u32, u64);

impl<const N: usize> Part for [u8; N] {
    fn put(&self, out: &mut Vec<u8>) {
        out.extend(self);
    }

    fn take(from: &mut &[u8]) -> Option<Self> {
        front(from, N)?.try_into().ok()
    }
}

macro_rules! wrapped {
    ($($kind:ident),+) => {
        $(impl Part for $kind {
            fn put(&self, out: &mut Vec<u8>) {
                self.0.put(out);
            }

            fn take(from: &mut &[u8]) -> Option<Self> {
                Part::take(from).map($kind)
            }
        })+
    };
}

wrapped!(Digest, Lookup);

impl Part for Vec<u8> {
    fn put(&self, out: &mut Vec<u8>) {
        (self.len() as u32).put(out);
        out.extend(self);
    }

    fn take(from: &mut &[u8]) -> Option<Self> {
        let length = u32::take(from)? as usize;
        front(from, length).map(<[u8]>::to_vec)
    }
}

impl Part for String {
    fn put(&self, out: &mut Vec<u8>) {
        self.as_bytes().to_vec().put(out);
    }

    fn take(from: &mut &[u8]) -> Option<Self> {
        Self::from_utf8(Part::take(from)?).ok()
    }
}

/// What a list may hold. Bytes are no such thing: they pass in one piece.
trait Item: Part {}

impl Item for Digest {}
impl Item for Lookup {}
impl Item for [u8; 32] {}
impl Item for (Digest, u64) {}

impl<T: Item> Part for Vec<T> {
    fn put(&self, out: &mut Vec<u8>) {
        (self.len() as u32).put(out);
        self.iter().for_each(|item| item.put(out));
    }

    fn take(from: &mut &[u8]) -> Option<Self> {
        let count = u32::take(from)?;
        // Grows with what stands there, whatever the count says.
        (0..count).map(|_| T::take(from)).collect()
    }
}

impl<T: Part> Part for Option<T> {
    fn put(&self, out: &mut Vec<u8>) {
        self.is_some().put(out);
        if let Some(part) = self {
            part.put(out);
        }
    }

    fn take(from: &mut &[u8]) -> Option<Self> {
        if bool::take(from)? { T::take(from).map(Some) } else { Some(None) }
    }
}

impl<T: Part> Part for Result<T, Refusal> {
    fn put(&self, out: &mut Vec<u8>) {
        match self {
            Ok(part) => {
                out.push(0);
                part.put(out);
            }
            Err(refusal) => out.push(1 + *refusal as u8),
        }
    }

    fn take(from: &mut &[u8]) -> Option<Self> {
        let refusals = [Refusal::Full, Refusal::Unaccepted, Refusal::Others, Refusal::Failed];
        match u8::take(from)? {
            0 => T::take(from).map(Ok),
            number => refusals.into_iter().find(|refusal| 1 + *refusal as u8 == number).map(Err),
        }
    }
}

impl<A: Part, B: Part> Part for (A, B) {
    fn put(&self, out: &mut Vec<u8>) {
        self.0.put(out);
        self.1.put(out);
    }

    fn take(from: &mut &[u8]) -> Option<Self> {
        Some((A::take(from)?, B::take(from)?))
    }
}

impl<A: Part, B: Part, C: Part> Part for (A, B, C) {
    fn put(&self, out: &mut Vec<u8>) {
        self.0.put(out);
        self.1.put(out);
        self.2.put(out);
    }

    fn take(from: &mut &[u8]) -> Option<Self> {
        Some((A::take(from)?, B::take(from)?, C::take(from)?))
    }
}

impl Part for Held {
    fn put(&self, out: &mut Vec<u8>) {
        (self.seed, self.slip, (self.fresh, self.told)).put(out);
    }

    fn take(from: &mut &[u8]) -> Option<Self> {
        let (seed, slip, (fresh, told)) = Part::take(from)?;
        Some(Self { seed, slip, fresh, told })
    }
}

impl Part for Usage {
    fn put(&self, out: &mut Vec<u8>) {
        (self.envelopes, self.bytes, (self.replies, self.accepted)).put(out);
    }

    fn take(from: &mut &[u8]) -> Option<Self> {
        let (envelopes, bytes, (replies, accepted)) = Part::take(from)?;
        Some(Self { envelopes, bytes, replies, accepted })
    }
}

impl Part for Flash {
    fn put(&self, out: &mut Vec<u8>) {
        let (kind, one, other) = match self {
            Flash::Sent { texts, files } => (0u8, *texts, *files),
            Flash::Nothing => (1, 0, 0),
            Flash::Broke(parts) => (2, *parts, 0),
        };
        (kind, one, other).put(out);
    }

    fn take(from: &mut &[u8]) -> Option<Self> {
        let (kind, one, other): (u8, u32, u32) = Part::take(from)?;
        match kind {
            0 => Some(Flash::Sent { texts: one, files: other }),
            1 => Some(Flash::Nothing),
            2 => Some(Flash::Broke(one)),
            _ => None,
        }
    }
}
