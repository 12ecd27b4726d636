use crate::key::Key;
use daylight_model::{Caution, KeySeen, Outcome, Signature, SignatureAlgorithm, SignatureKey, SignatureKind, SignedBody, Verdict};

/// How much later than the message's arrival a signature may say it was made, in seconds: clocks differ.
const SLACK: i64 = 86_400;

/// Judges a message's signatures: a verdict for each of DKIM, and one for a chain of ARC. `keys` gives what is known under a name, in the order in
/// which they should be tried; `received` says when the message arrived, by which alone an end (`x=`) is judged.
pub fn judge(signatures: &[Signature], received: Option<i64>, keys: &mut dyn FnMut(&str) -> Vec<SignatureKey>) -> Vec<Verdict> {
    let (dkim, arc): (Vec<_>, Vec<_>) = signatures.iter().partition(|signature| signature.kind == SignatureKind::Dkim);
    let mut verdicts: Vec<Verdict> = dkim.into_iter().map(|signature| one(signature, received, keys)).collect();
    if !arc.is_empty() {
        verdicts.push(chain(&arc, received, keys));
    }
    verdicts
}

/// A verdict that says nothing yet.
fn begin(signature: &Signature) -> Verdict {
    Verdict {
        kind: signature.kind,
        outcome: Outcome::Malformed,
        detail: signature.problem.clone(),
        domain: signature.domain.clone(),
        selector: signature.selector.clone(),
        identity: signature.identity.clone(),
        algorithm: signature.algorithm,
        length: match signature.body {
            SignedBody::Beginning(length) => Some(length),
            SignedBody::Same | SignedBody::Changed | SignedBody::NotSigned => None,
        },
        instance: signature.instance,
        headers: signature.headers.clone(),
        left_out: signature.left_out.clone(),
        time: signature.time,
        expires: signature.expires,
        cautions: cautions_of(signature),
        key: None,
    }
}

fn cautions_of(signature: &Signature) -> Vec<Caution> {
    let sha1 = (signature.algorithm == SignatureAlgorithm::RsaSha1).then_some(Caution::Sha1);
    sha1.into_iter().chain(signature.requoted.then_some(Caution::Requoted)).collect()
}

fn one(signature: &Signature, received: Option<i64>, keys: &mut dyn FnMut(&str) -> Vec<SignatureKey>) -> Verdict {
    let mut verdict = begin(signature);
    if !signature.problem.is_empty() {
        return verdict;
    }
    let tried = attempt(signature, &keys(&verdict.key_name()));
    verdict.outcome = match (signature.body, &tried) {
        // That the body is another shows without any key.
        (SignedBody::Changed, _) => Outcome::BodyChanged,
        (_, Tried::None(_)) => Outcome::KeyUnknown,
        (_, Tried::Fails(..)) => Outcome::HeadersChanged,
        (SignedBody::Beginning(_), Tried::Holds(..)) => Outcome::ValidBeginning,
        (SignedBody::Same | SignedBody::NotSigned, Tried::Holds(..)) => Outcome::Valid,
    };
    if signature.body == SignedBody::Changed && matches!(tried, Tried::Holds(..)) {
        verdict.detail = "its header is as it was signed".into();
    }
    match tried {
        Tried::None(why) => verdict.detail = if signature.body == SignedBody::Changed { String::new() } else { why },
        Tried::Fails(key, seen) | Tried::Holds(key, seen) => rest_on(&mut verdict, &key, seen),
    }
    judge_times(&mut verdict, received);
    verdict
}

/// What came of trying the keys of one name.
enum Tried {
    /// There is none that fits, and why.
    None(String),
    /// It is not by any of them; the first that fits.
    Fails(Box<Key>, SignatureKey),
    /// It is by this one.
    Holds(Box<Key>, SignatureKey),
}

fn attempt(signature: &Signature, known: &[SignatureKey]) -> Tried {
    let mut tried = Tried::None(String::new());
    for seen in known {
        let key = match Key::of(&seen.record).and_then(|key| key.fits(signature).map(|()| key).map_err(str::to_owned)) {
            Ok(key) => Box::new(key),
            Err(why) => {
                if let Tried::None(before) = &mut tried {
                    *before = why;
                }
                continue;
            }
        };
        if key.verifies(&signature.digest, &signature.value) {
            // Somebody may have seen the private half of the very key that others saw as it should be.
            let same = |other: &SignatureKey| Key::of(&other.record).is_ok_and(|other| other.is_same(&key));
            let exposed = known.iter().any(|other| other.exposed && same(other));
            return Tried::Holds(key, SignatureKey { exposed, ..seen.clone() });
        }
        if matches!(tried, Tried::None(_)) {
            tried = Tried::Fails(key, seen.clone());
        }
    }
    tried
}

fn rest_on(verdict: &mut Verdict, key: &Key, seen: SignatureKey) {
    let rsa = verdict.algorithm != SignatureAlgorithm::Ed25519Sha256;
    let mut add = |caution, holds: bool| {
        if holds && !verdict.cautions.contains(&caution) {
            verdict.cautions.push(caution);
        }
    };
    add(Caution::ShortKey, rsa && key.bits < 1024);
    add(Caution::Exposed, seen.exposed);
    add(Caution::Testing, key.testing);
    verdict.key = Some(KeySeen { bits: key.bits, fingerprint: key.fingerprint.clone(), source: seen.source, seen: seen.seen });
}

fn judge_times(verdict: &mut Verdict, received: Option<i64>) {
    let caution = match (received, verdict.time, verdict.expires) {
        (Some(received), _, Some(end)) if received > end => Some(Caution::Expired),
        (Some(received), Some(time), _) if time > received.saturating_add(SLACK) => Some(Caution::Postdated),
        (None, _, Some(_)) => Some(Caution::ArrivalUnknown),
        _ => None,
    };
    verdict.cautions.extend(caution);
    verdict.cautions.sort();
}

/// A chain holds if its last message signature and every seal do (RFC 8617 section 5.2).
fn chain(parts: &[&Signature], received: Option<i64>, keys: &mut dyn FnMut(&str) -> Vec<SignatureKey>) -> Verdict {
    let [message, seals @ ..] = parts else { unreachable!("only called for a chain") };
    if message.kind != SignatureKind::ArcMessage || seals.is_empty() || parts.iter().any(|part| !part.problem.is_empty()) {
        return Verdict { kind: SignatureKind::ArcSeal, ..begin(parts.iter().find(|part| !part.problem.is_empty()).unwrap_or(message)) };
    }
    let mut verdict = one(message, received, keys);
    for seal in seals.iter().rev() {
        let found = one(seal, received, keys);
        for caution in found.cautions {
            if !verdict.cautions.contains(&caution) {
                verdict.cautions.push(caution);
            }
        }
        let worse = matches!(verdict.outcome, Outcome::Valid | Outcome::ValidBeginning) && found.outcome != Outcome::Valid;
        if worse {
            verdict.outcome = found.outcome;
            verdict.detail = format!("the seal of {}, number {} of {}", seal.domain, seal.instance, seals.len());
        }
    }
    if verdict.outcome == Outcome::Valid && seals.len() > 1 {
        let others: Vec<&str> = seals[..seals.len() - 1].iter().map(|seal| seal.domain.as_str()).collect();
        verdict.detail = format!("before it {}", others.join(", "));
    }
    verdict.cautions.sort();
    Verdict { kind: SignatureKind::ArcSeal, ..verdict }
}
