//! The chain of those who passed a message on (RFC 8617).

use crate::body::Body;
use crate::header::{Field, Form, Header};
use crate::signature::{empty, fill_message, fill_signer, put_itself, text};
use crate::tags::{Tags, is_space};
use daylight_model::{Signature, SignatureKind};
use sha2::{Digest, Sha256};

/// The longest chain that there may be (section 4.2.1).
const LONGEST: usize = 50;

/// The three fields of one who passed it on.
#[derive(Default)]
struct Set<'a> {
    results: Option<Field<'a>>,
    message: Option<Field<'a>>,
    seal: Option<Field<'a>>,
}

/// The signatures of a chain: the last message signature, then every seal from the first. A chain that breaks the rules is one seal with a problem.
pub(crate) fn read(header: &Header<'_>, body: &mut Body<'_>) -> Vec<Signature> {
    let mut broken = empty(SignatureKind::ArcSeal);
    match sets(header) {
        Ok(sets) if sets.is_empty() => Vec::new(),
        Ok(sets) => {
            broken.instance = sets.len() as u32;
            chain(&sets, header, body, &mut broken).unwrap_or_else(|problem| vec![Signature { problem, ..broken }])
        }
        Err(problem) => vec![Signature { problem, ..broken }],
    }
}

/// The sets in their order: every number from 1 once, with each of its three fields once.
fn sets<'a>(header: &Header<'a>) -> Result<Vec<Set<'a>>, String> {
    let mut sets: Vec<Set<'a>> = Vec::new();
    for field in &header.fields {
        let (name, results) = match field {
            field if field.is("ARC-Seal") => ("ARC-Seal", false),
            field if field.is("ARC-Message-Signature") => ("ARC-Message-Signature", false),
            field if field.is("ARC-Authentication-Results") => ("ARC-Authentication-Results", true),
            _ => continue,
        };
        let number = if results { results_number(text(field)?) } else { Tags::of(text(field)?)?.get("i").map(str::to_owned) };
        let number: usize = number.and_then(|number| plain(&number)).ok_or_else(|| format!("an {name} without its number"))?;
        if sets.len() < number {
            sets.resize_with(number, Set::default);
        }
        let set = &mut sets[number - 1];
        let place = match name {
            "ARC-Seal" => &mut set.seal,
            "ARC-Message-Signature" => &mut set.message,
            _ => &mut set.results,
        };
        if place.replace(*field).is_some() {
            return Err(format!("number {number} has two {name} fields"));
        }
    }
    Ok(sets)
}

/// `i=` stands first in these, before the name of who says it.
fn results_number(text: &str) -> Option<String> {
    let (first, _) = text.split_once(';')?;
    let (name, number) = first.split_once('=')?;
    (name.trim_matches(is_space) == "i").then(|| number.trim_matches(is_space).to_owned())
}

fn plain(number: &str) -> Option<usize> {
    let digits = (1..=2).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_digit());
    number.parse().ok().filter(|number| digits && (1..=LONGEST).contains(number))
}

fn chain(sets: &[Set<'_>], header: &Header<'_>, body: &mut Body<'_>, last: &mut Signature) -> Result<Vec<Signature>, String> {
    let mut signatures = Vec::new();
    // What the earlier sets add to what each seal signs, hashed once.
    let mut before = Sha256::new();
    for (at, set) in sets.iter().enumerate() {
        let missing = |name| format!("number {} has no {name} field", at + 1);
        let results = set.results.ok_or_else(|| missing("ARC-Authentication-Results"))?;
        let message = set.message.ok_or_else(|| missing("ARC-Message-Signature"))?;
        let field = set.seal.ok_or_else(|| missing("ARC-Seal"))?;
        let mut bytes = Vec::new();
        results.put(Form::Relaxed, &mut bytes);
        message.put(Form::Relaxed, &mut bytes);
        before.update(&bytes);
        let tags = Tags::of(text(&field)?)?;
        let mut seal = Signature { instance: at as u32 + 1, ..empty(SignatureKind::ArcSeal) };
        fill_signer(&mut seal, &tags)?;
        (last.domain, last.selector) = (seal.domain.clone(), seal.selector.clone());
        check_seal(&tags, at)?;
        bytes.clear();
        put_itself(&field, &tags, Form::Relaxed, &mut bytes);
        seal.digest = before.clone().chain_update(&bytes).finalize().to_vec();
        bytes.clear();
        field.put(Form::Relaxed, &mut bytes);
        before.update(&bytes);
        signatures.push(seal);
        if at + 1 == sets.len() {
            signatures.insert(0, message_signature(&message, at, header, body)?);
        }
    }
    Ok(signatures)
}

fn check_seal(tags: &Tags<'_>, at: usize) -> Result<(), String> {
    if tags.get("h").is_some() {
        return Err("a seal with an h= tag".into());
    }
    match (tags.need("cv")?, at) {
        ("none", 0) | ("pass", 1..) => Ok(()),
        ("fail", _) => Err(format!("number {} says that the chain was broken when it came", at + 1)),
        _ => Err(format!("number {} says of those before it what cannot be", at + 1)),
    }
}

fn message_signature(field: &Field<'_>, at: usize, header: &Header<'_>, body: &mut Body<'_>) -> Result<Signature, String> {
    let tags = Tags::of(text(field)?)?;
    let mut signature = Signature { instance: at as u32 + 1, ..empty(SignatureKind::ArcMessage) };
    fill_signer(&mut signature, &tags)?;
    fill_message(&mut signature, &tags, field, header, body)?;
    if signature.headers.iter().any(|name| name == "arc-seal") {
        return Err("a message signature that signs seals".into());
    }
    Ok(signature)
}
