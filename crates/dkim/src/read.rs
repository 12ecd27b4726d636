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

#[cfg(test)]
mod tests {
    use super::*;

    const SIGNED: &str = "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=x.example; s=s; h=from; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=AA==\r\n";

    fn problem(header: &str) -> String {
        let read = read(format!("{header}\r\n").as_bytes());
        assert_eq!(read.signatures.len(), 1, "{header}");
        read.signatures[0].problem.clone()
    }

    /// Somebody takes a message that was signed and puts lines into its header that are not signed, so that a program shows what another wrote.
    #[test]
    fn a_header_that_programs_read_differently_is_not_judged() {
        let from = "From: a@x.example\r\n";
        assert_eq!(problem(&format!("{SIGNED}{from}")), "");
        assert_eq!(problem(&format!("From x Mon Jan  3 10:00:00 2005\r\n{SIGNED}{from}X-Spaced : y\r\n z\r\n")), "");
        for (line, header) in [
            // Where these stand together the body begins for most programs.
            (3, format!("{SIGNED}{from}Pay to another account\r\nat once\r\n")),
            (3, format!("{SIGNED}{from}--x: a boundary\r\n")),
            (3, format!("{SIGNED}{from}two words: x\r\n")),
            (3, format!("{SIGNED}{from}\u{e9}: x\r\n")),
            (3, format!("{SIGNED}{from}{}: x\r\n", "x".repeat(300))),
            (3, format!("{SIGNED}{from}x{}: x\r\n", " ".repeat(100))),
            (3, format!("{SIGNED}{from}\r\r\n")),
            (3, format!("{SIGNED}{from}From y Mon Jan  3 10:00:00 2005\r\n")),
            (1, format!(" : x\r\n{SIGNED}{from}")),
            (1, format!(": x\r\n{SIGNED}{from}")),
        ] {
            assert_eq!(problem(&header), format!("line {line} of the header is no field"), "{header}");
        }
        for header in [format!("From: b@y.example\r\n{SIGNED}{from}"), format!("{SIGNED}FROM : b@y.example\r\n{from}")] {
            assert_eq!(problem(&header), "the header has another From field, which is not signed");
        }
        assert_eq!(problem(&format!("{}{from}From: c@x.example\r\n", SIGNED.replace("h=from", "h=from:from"))), "");
    }

    #[test]
    fn fields_that_decide_what_is_shown_of_the_body_are_among_those_that_are_told() {
        let from = "From: a@x.example\r\n";
        let read = read(format!("Content-Type: text/html\r\nCc: b@y.example\r\nX: y\r\n{SIGNED}{from}\r\n").as_bytes());
        assert_eq!(read.signatures[0].left_out, ["cc", "content-type"]);
    }
}
