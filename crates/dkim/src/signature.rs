//! What one signature says (RFC 6376 section 3.5, RFC 8617 section 4.1), and its digest.

use crate::body::Body;
use crate::encoding::base64;
use crate::header::{Field, Form, Header};
use crate::tags::{Tags, is_space};
use daylight_model::{Signature, SignatureAlgorithm, SignatureKind, SignedBody};
use sha1::Sha1;
use sha2::{Digest, Sha256};

/// A longer field is no signature that anybody makes.
const LONGEST: usize = 64 << 10;
/// A signature of the longest RSA key has this many bytes.
const LONGEST_VALUE: usize = 1024;
/// So many names of fields are told.
const MOST_NAMES: usize = 100;
/// The fields that a reader of mail goes by, and those by which programs tell what of the body to show.
const SHOWN: [&str; 7] = ["from", "date", "subject", "to", "cc", "content-type", "content-transfer-encoding"];

/// A signature of which nothing is known but that it is there.
pub(crate) fn empty(kind: SignatureKind) -> Signature {
    Signature {
        kind,
        instance: 0,
        domain: String::new(),
        selector: String::new(),
        identity: String::new(),
        algorithm: SignatureAlgorithm::RsaSha256,
        value: Vec::new(),
        digest: Vec::new(),
        body: SignedBody::NotSigned,
        requoted: false,
        headers: Vec::new(),
        left_out: Vec::new(),
        time: None,
        expires: None,
        problem: String::new(),
    }
}

/// The value of a field as the text that tags stand in.
pub(crate) fn text<'a>(field: &Field<'a>) -> Result<&'a str, String> {
    if field.raw.len() > LONGEST {
        return Err(format!("longer than {LONGEST} bytes"));
    }
    std::str::from_utf8(field.value()).map_err(|_| "not text".to_owned())
}

/// Reads a `DKIM-Signature` field; what cannot be understood says so in its `problem`.
pub(crate) fn dkim(field: &Field<'_>, header: &Header<'_>, body: &mut Body<'_>) -> Signature {
    let mut signature = empty(SignatureKind::Dkim);
    if let Err(problem) = fill_dkim(&mut signature, field, header, body) {
        signature.problem = problem;
    }
    signature
}

fn fill_dkim(signature: &mut Signature, field: &Field<'_>, header: &Header<'_>, body: &mut Body<'_>) -> Result<(), String> {
    let text = text(field)?;
    let tags = Tags::of(text)?;
    // First whose it is, so that what is wrong with it can be said of somebody.
    fill_signer(signature, &tags)?;
    if tags.need("v")? != "1" {
        return Err("v= is not 1".into());
    }
    if !tags.get("q").is_none_or(|query| query.split(':').any(|way| way.trim_matches(is_space) == "dns/txt")) {
        return Err("q= names no known way to its key".into());
    }
    signature.identity = identity(&tags, &signature.domain)?;
    fill_message(signature, &tags, field, header, body)?;
    if !signature.headers.iter().any(|name| name == "from") {
        return Err("From is not signed".into());
    }
    Ok(())
}

/// Who signs, how and when: what DKIM and both parts of ARC have in common.
pub(crate) fn fill_signer(signature: &mut Signature, tags: &Tags<'_>) -> Result<(), String> {
    signature.domain = domain(tags.need("d")?).ok_or("d= is no domain")?;
    signature.selector = domain_part(tags.need("s")?).ok_or("s= is no selector")?;
    signature.algorithm = match tags.need("a")? {
        "rsa-sha256" => SignatureAlgorithm::RsaSha256,
        "rsa-sha1" if signature.kind == SignatureKind::Dkim => SignatureAlgorithm::RsaSha1,
        "ed25519-sha256" => SignatureAlgorithm::Ed25519Sha256,
        _ => return Err("a= is no known algorithm".into()),
    };
    signature.value = base64(tags.need("b")?).filter(|value| value.len() <= LONGEST_VALUE).ok_or("b= is no signature")?;
    signature.time = tags.number("t")?.and_then(|time| i64::try_from(time).ok());
    Ok(())
}

/// The rest of a signature over a message: its body, its fields, its end.
pub(crate) fn fill_message(
    signature: &mut Signature,
    tags: &Tags<'_>,
    field: &Field<'_>,
    header: &Header<'_>,
    body: &mut Body<'_>,
) -> Result<(), String> {
    // What holds where no form is named is DKIM's rule; those who seal chains take the relaxed forms for granted, as their suite has it.
    let unnamed = if signature.kind == SignatureKind::Dkim { "simple/simple" } else { "relaxed/relaxed" };
    let (header_form, body_form) = forms(tags.get("c").unwrap_or(unnamed))?;
    signature.expires = tags.number("x")?.and_then(|time| i64::try_from(time).ok());
    if let (Some(time), Some(end)) = (signature.time, signature.expires)
        && end < time
    {
        return Err("it ends before it was made".into());
    }
    let names: Vec<String> = tags
        .get("h")
        .ok_or("no h= tag")?
        .split(':')
        .map(|name| name.trim_matches(is_space).to_ascii_lowercase())
        .filter(|name| !name.is_empty())
        .collect();
    for name in &names {
        if !signature.headers.contains(name) && signature.headers.len() < MOST_NAMES {
            signature.headers.push(name.clone());
        }
    }
    if let Some(line) = header.odd {
        // Programs differ on whether the body begins with such a line: what one shows as the message another does not check.
        return Err(format!("line {line} of the header is no field"));
    }
    let unsigned = |name: &&str| header.count(name) > names.iter().filter(|signed| signed == name).count();
    if names.iter().any(|name| name == "from") && unsigned(&"from") {
        // A message has one (RFC 5322 section 3.6); which of several is shown is another program's choice (RFC 6376 section 8.15).
        return Err("the header has another From field, which is not signed".into());
    }
    signature.left_out = SHOWN.iter().filter(|name| unsigned(name)).map(|name| (*name).to_owned()).collect();
    let signed_body = base64(tags.need("bh")?).filter(|digest| matches!(digest.len(), 20 | 32)).ok_or("bh= is no digest")?;
    let mut signed = Vec::new();
    header.put_signed(&names, header_form, &mut signed);
    put_itself(field, tags, header_form, &mut signed);
    signature.digest = digest(signature.algorithm, &signed);
    let compared = body.compare(body_form, signature.algorithm, tags.number("l")?, &signed_body);
    let compared = compared.ok_or("the message carries too many different signatures of a large body to check them all")?;
    (signature.body, signature.requoted) = (compared.body, compared.requoted);
    Ok(())
}

/// Adds a signature's own field as it was when it was made: with nothing in its `b=`, and without the end of its last line.
pub(crate) fn put_itself(field: &Field<'_>, tags: &Tags<'_>, form: Form, out: &mut Vec<u8>) {
    let gap = tags.place("b").unwrap_or(0..0);
    field.put_without(form, &gap, out);
    out.truncate(out.len() - 2);
}

fn digest(algorithm: SignatureAlgorithm, bytes: &[u8]) -> Vec<u8> {
    match algorithm {
        SignatureAlgorithm::RsaSha1 => Sha1::digest(bytes).to_vec(),
        SignatureAlgorithm::RsaSha256 | SignatureAlgorithm::Ed25519Sha256 => Sha256::digest(bytes).to_vec(),
    }
}

fn forms(tag: &str) -> Result<(Form, Form), String> {
    let form = |word: &str| match word {
        "simple" => Ok(Form::Simple),
        "relaxed" => Ok(Form::Relaxed),
        _ => Err("c= is no known canonical form".to_owned()),
    };
    let (header, body) = tag.split_once('/').unwrap_or((tag, "simple"));
    Ok((form(header)?, form(body)?))
}

/// `i=`, which must lie in `d=`; `@` and the domain where it is missing.
fn identity(tags: &Tags<'_>, domain: &str) -> Result<String, String> {
    let Some(identity) = tags.get("i") else { return Ok(format!("@{domain}")) };
    let (_, host) = identity.rsplit_once('@').ok_or("i= is no address")?;
    let host = host.to_lowercase();
    if host != domain && !host.strip_suffix(domain).is_some_and(|below| below.ends_with('.')) {
        return Err("i= does not lie in d=".into());
    }
    if identity.len() > 500 || identity.contains(char::is_control) {
        return Err("i= is no address".into());
    }
    Ok(identity.to_owned())
}

/// A name of the DNS in lower case; letters of any script may stand in it (RFC 8616).
fn domain(text: &str) -> Option<String> {
    domain_part(text).filter(|name| name.contains('.'))
}

fn domain_part(text: &str) -> Option<String> {
    let part = |part: &str| {
        let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_') || !c.is_ascii() && c.is_alphanumeric();
        (1..=63).contains(&part.len()) && part.chars().all(good)
    };
    (text.len() <= 253 && text.split('.').all(part)).then(|| text.to_lowercase())
}
