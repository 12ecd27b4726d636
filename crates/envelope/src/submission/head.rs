use super::{Head, Kind, SealedBy, SubmissionError};
use crate::codename::ConversationKey;
use crate::hybrid::Recipient;
use crate::newsroom::Newsroom;
use std::io;
use zeroize::Zeroizing;

/// The longest name of a file, in bytes.
pub const LONGEST_NAME: usize = 512;
/// The longest media type, in bytes.
pub const LONGEST_TYPE: usize = 127;

/// How many bytes a head has, whatever it says.
pub(super) const LENGTH: usize = 2_048;
/// What a head begins with.
const FORMAT: &[u8] = b"daylight-submission/v1\n";

/// A head's bytes.
pub(super) type Bytes = Box<Zeroizing<[u8; LENGTH]>>;

impl Head {
    /// Its bytes, filled up with zeros; refused where a name or type is longer than can be.
    pub(super) fn to_bytes(&self) -> io::Result<Bytes> {
        let refused = |why| Err(io::Error::new(io::ErrorKind::InvalidInput, why));
        if self.name.len() > LONGEST_NAME {
            return refused("a file's name is longer than 512 bytes");
        }
        if self.media_type.len() > LONGEST_TYPE || !self.media_type.bytes().all(is_printable) {
            return refused("a media type has at most 127 printable characters");
        }
        if self.kind == Kind::Text && !(self.name.is_empty() && self.media_type.is_empty()) {
            return refused("a text has no name and no media type");
        }
        let mut bytes: Bytes = Box::new(Zeroizing::new([0; LENGTH]));
        let mut left: &mut [u8] = bytes.as_mut_slice();
        let mut put = |part: &[u8]| {
            let (here, after) = std::mem::take(&mut left).split_at_mut(part.len());
            here.copy_from_slice(part);
            left = after;
        };
        put(FORMAT);
        put(&self.newsroom.0);
        put(&self.epoch.to_be_bytes());
        put(self.conversation.as_bytes());
        put(&self.reply.to_bytes());
        put(&self.counter.to_be_bytes());
        put(&[u8::from(self.sealed_by == SealedBy::Tool), u8::from(self.first)]);
        let (kind, file, part, last) = match self.kind {
            Kind::Text => (0, [0; 16], 0, false),
            Kind::File { file, part, last } => (1, file, part, last),
        };
        put(&[kind, u8::from(last)]);
        put(&part.to_be_bytes());
        put(&file);
        put(&(self.name.len() as u16).to_be_bytes());
        put(&self.name);
        put(&[self.media_type.len() as u8]);
        put(self.media_type.as_bytes());
        Ok(bytes)
    }

    /// Reads what [`Head::to_bytes`] writes, and nothing else.
    pub(super) fn from_bytes(bytes: &Bytes) -> Result<Self, SubmissionError> {
        let mut left = Left(bytes.as_slice());
        if left.take(FORMAT.len())? != FORMAT {
            return Err(SubmissionError::Malformed("it begins otherwise"));
        }
        let newsroom = Newsroom(left.array()?);
        let epoch = u32::from_be_bytes(left.array()?);
        let conversation = ConversationKey::new(Zeroizing::new(left.array()?));
        let reply = Recipient::from_bytes(&left.array()?).map_err(|_| SubmissionError::Malformed("its reply key is none"))?;
        let counter = u64::from_be_bytes(left.array()?);
        let sealed_by = if left.flag()? { SealedBy::Tool } else { SealedBy::Page };
        let first = left.flag()?;
        let (is_file, last) = (left.flag()?, left.flag()?);
        let (part, file) = (u32::from_be_bytes(left.array()?), left.array()?);
        let kind = if is_file { Kind::File { file, part, last } } else { Kind::Text };
        let length = usize::from(u16::from_be_bytes(left.array()?));
        let name = left.take(length.min(LENGTH))?.to_vec();
        let [length] = left.array()?;
        let media_type = String::from_utf8_lossy(left.take(usize::from(length))?).into_owned();
        let head = Self { newsroom, epoch, conversation, reply, sealed_by, counter, kind, name, media_type, first };
        // One form only: what would be written otherwise is not read.
        match head.to_bytes() {
            Ok(same) if same == *bytes => Ok(head),
            _ => Err(SubmissionError::Malformed("its head is not in the one form that there is")),
        }
    }
}

fn is_printable(byte: u8) -> bool {
    (b' '..=b'~').contains(&byte)
}

/// What is left to be read of a head.
struct Left<'a>(&'a [u8]);

impl<'a> Left<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], SubmissionError> {
        let (taken, left) = self.0.split_at_checked(length).ok_or(SubmissionError::Malformed("its head is too short"))?;
        self.0 = left;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], SubmissionError> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    fn flag(&mut self) -> Result<bool, SubmissionError> {
        match self.array()? {
            [0] => Ok(false),
            [1] => Ok(true),
            _ => Err(SubmissionError::Malformed("something in its head is neither yes nor no")),
        }
    }
}
