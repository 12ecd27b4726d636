use crate::body::Body;
use crate::header::Header;
use crate::{arc, signature};
use daylight_model::{Signature, SignatureKind};

/// So many DKIM signatures of a message are looked at, from the top.
pub const MOST: usize = 20;

/// A header longer than this is not looked at: each signature may sign all of it.
const LONGEST_HEADER: usize = 4 << 20;

/// What was found in a message.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Read {
    /// Its signatures: those of DKIM from the top, then the chain of ARC.
    pub signatures: Vec<Signature>,
    /// There are more than [`MOST`], which were not looked at.
    pub cut: bool,
}

/// Finds the signatures of a message, and everything about them that needs no key. The bytes are the message as it stands; where its lines end in a
/// line feed alone, a carriage return is meant before it. Time and memory are in proportion to the message.
pub fn read(message: &[u8]) -> Read {
    let header = Header::of(message);
    let mut fields = header.fields.iter().filter(|field| field.is("DKIM-Signature")).peekable();
    let any_arc = ["arc-seal", "arc-message-signature", "arc-authentication-results"].iter().any(|name| header.count(name) > 0);
    if fields.peek().is_none() && !any_arc {
        return Read::default();
    }
    if header.length() > LONGEST_HEADER {
        let problem = format!("the header is longer than {LONGEST_HEADER} bytes, it was not checked");
        let kind = if fields.peek().is_some() { SignatureKind::Dkim } else { SignatureKind::ArcSeal };
        return Read { signatures: vec![Signature { problem, ..signature::empty(kind) }], cut: true };
    }
    let mut body = Body::of(header.body);
    let mut signatures: Vec<Signature> = fields.by_ref().take(MOST).map(|field| signature::dkim(field, &header, &mut body)).collect();
    let cut = fields.next().is_some();
    signatures.extend(arc::read(&header, &mut body));
    Read { signatures, cut }
}
