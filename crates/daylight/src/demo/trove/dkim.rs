use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use daylight_model::Digest;
use ed25519_dalek::{Signer as _, SigningKey};

/// The domains that sign, each with the name of its key. The keys are made from these names: they protect nothing.
const SIGNERS: [(&str, &str); 3] = [("brackwater.example", "hall2014"), ("tidewell.example", "mail"), ("orrinpike.example", "dams")];
const SIGNED_HEADERS: [&str; 5] = ["from", "to", "subject", "date", "message-id"];

/// The public keys as lines of a zone file, the form in which keys that were once published are kept.
pub(super) fn records() -> String {
    let line = |(domain, selector): &(&str, &str)| {
        let public = BASE64.encode(key(domain).verifying_key().as_bytes());
        format!("{selector}._domainkey.{domain}. IN TXT \"v=DKIM1; k=ed25519; p={public}\"\n")
    };
    SIGNERS.iter().map(line).collect()
}

fn key(domain: &str) -> SigningKey {
    SigningKey::from_bytes(&Digest::of(format!("daylight demonstration: mail key of {domain}").as_bytes()).0)
}

/// Puts a DKIM signature (RFC 6376, ed25519-sha256 of RFC 8463, relaxed/relaxed) on top of a message whose lines end in LF.
pub(super) fn sign(message: &[u8], domain: &str, seconds: i64) -> Vec<u8> {
    let Some((domain, selector)) = SIGNERS.iter().find(|(name, _)| *name == domain) else { return message.to_vec() };
    let text = String::from_utf8_lossy(message);
    let (head, _) = text.split_once("\n\n").unwrap_or((&text, ""));
    let body = message.windows(2).position(|pair| pair == b"\n\n").map_or(&[][..], |at| &message[at + 2..]);
    let body_hash = BASE64.encode(Digest::of(&relaxed_body(body)).0);
    let names = SIGNED_HEADERS.join(":");
    let value =
        format!("v=1; a=ed25519-sha256; c=relaxed/relaxed;\n d={domain}; s={selector}; t={seconds};\n h={names};\n bh={body_hash};\n b=");
    let mut signed = String::new();
    for name in SIGNED_HEADERS {
        signed.push_str(&relaxed_header(head, name));
        signed.push_str("\r\n");
    }
    signed.push_str(&relaxed_header(&format!("DKIM-Signature: {value}"), "dkim-signature"));
    let signature = BASE64.encode(key(domain).sign(&Digest::of(signed.as_bytes()).0).to_bytes());
    [format!("DKIM-Signature: {value}{signature}\n").as_bytes(), message].concat()
}

/// A header field in relaxed form (RFC 6376 section 3.4.2), without the line's end.
fn relaxed_header(head: &str, name: &str) -> String {
    let unfolded = head.replace("\n ", " ").replace("\n\t", " ");
    let value =
        unfolded.lines().filter_map(|line| line.split_once(':')).find(|(key, _)| key.eq_ignore_ascii_case(name)).map_or("", |(_, v)| v);
    format!("{name}:{}", value.split_ascii_whitespace().collect::<Vec<_>>().join(" "))
}

/// A body in relaxed form (RFC 6376 section 3.4.4).
fn relaxed_body(body: &[u8]) -> Vec<u8> {
    let mut canonical = Vec::with_capacity(body.len() + body.len() / 16);
    for line in body.split(|byte| *byte == b'\n') {
        let words: Vec<&[u8]> = line.split(|byte| matches!(byte, b' ' | b'\t')).collect();
        let mut relaxed = Vec::new();
        for (at, word) in words.iter().enumerate() {
            if at > 0 && (!word.is_empty() || at + 1 == words.len()) && relaxed.last() != Some(&b' ') {
                relaxed.push(b' ');
            }
            relaxed.extend_from_slice(word);
        }
        canonical.extend_from_slice(relaxed.trim_ascii_end());
        canonical.extend_from_slice(b"\r\n");
    }
    while canonical.ends_with(b"\r\n\r\n") {
        canonical.truncate(canonical.len() - 2);
    }
    if canonical == b"\r\n" { Vec::new() } else { canonical }
}
