//! Verdicts against those of other projects' suites. Each disagreement is one that a standard explains, and is named here.

use crate::support::{corpus, key, keys, verdicts, words};
use daylight_model::{Caution, Outcome, SignatureKind, Verdict};
use serde_json::Value;
use std::fs;

const VALID: &str = "valid";

/// The suite for validators of ARC: 171 messages with the state that their chain should be found in.
#[test]
fn the_arc_suite_agrees_but_for_short_keys() {
    let Some(file) = corpus("dkim/dkim-mailauth/test/fixtures/arc/arc-draft-validation-tests.json") else { return };
    let scenarios: Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
    let (mut agree, mut apart) = (0, Vec::new());
    for scenario in scenarios.as_array().unwrap() {
        let keys: Vec<_> =
            scenario["txt-records"].as_object().unwrap().iter().map(|(name, record)| key(name, record.as_str().unwrap())).collect();
        for (name, test) in scenario["tests"].as_object().unwrap() {
            let found = verdicts(test["message"].as_str().unwrap().as_bytes(), None, &keys);
            let chain = found.iter().find(|verdict| verdict.kind == SignatureKind::ArcSeal);
            let state = chain.map_or("None", |chain| if chain.outcome == Outcome::Valid { "Pass" } else { "Fail" });
            // A chain that says of itself that it failed has no state in the suite: it is not looked at further. Here it is malformed.
            let expected = Some(test["cv"].as_str().unwrap()).filter(|state| !state.is_empty()).unwrap_or("Fail");
            if state == expected { agree += 1 } else { apart.push((name.clone(), chain.cloned())) }
        }
    }
    // RFC 8301 has verifiers refuse keys below 1024 bits. Here the verdict is valid, and marked as weak: whoever reads it decides what it is worth.
    let [(name, Some(chain))] = apart.as_slice() else { panic!("{apart:#?}") };
    assert_eq!((name.as_str(), agree), ("as_fields_b_512", 170));
    assert!(chain.outcome == Outcome::Valid && chain.is_weak() && chain.cautions == [Caution::ShortKey]);
}

/// The suite for those who seal: what a sealer should add to each message is a chain that holds, unless it says itself that it does not.
#[test]
fn what_the_arc_suite_would_have_sealers_write_is_valid() {
    let Some(file) = corpus("dkim/dkim-mailauth/test/fixtures/arc/arc-draft-sign-tests.json") else { return };
    let scenarios: Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
    let (mut valid, mut apart) = (0, Vec::new());
    for scenario in scenarios.as_array().unwrap() {
        let keys: Vec<_> =
            scenario["txt-records"].as_object().unwrap().iter().map(|(name, record)| key(name, record.as_str().unwrap())).collect();
        for (name, test) in scenario["tests"].as_object().unwrap() {
            // The suite folds values to be read; sealed they were on one line.
            let tag = |tag: &str| if tag.starts_with("b=") { tag.replace(['\n', ' '], "") } else { tag.replace('\n', " ") };
            let field = |name: &str| test[name].as_str().unwrap().split(';').map(|one| tag(one.trim())).collect::<Vec<_>>().join("; ");
            let set = ["AS", "AMS", "AAR"].map(field);
            if set.iter().all(String::is_empty) {
                continue;
            }
            let [seal, signature, results] = set;
            let sealed = format!(
                "ARC-Seal: {seal}\nARC-Message-Signature: {signature}\nARC-Authentication-Results: {results}\n{}",
                test["message"].as_str().unwrap()
            );
            let found = verdicts(sealed.as_bytes(), None, &keys);
            match found.iter().find(|verdict| verdict.kind == SignatureKind::ArcSeal).unwrap() {
                chain if chain.outcome == Outcome::Valid => valid += 1,
                chain => apart.push((name.clone(), chain.outcome.word(), chain.detail.clone())),
            }
        }
    }
    let broken =
        |(_, outcome, detail): &(String, &str, String)| *outcome == "malformed" && detail.contains("says that the chain was broken");
    assert!(apart.len() == 2 && apart.iter().all(broken), "{valid} valid, {apart:#?}");
    assert_eq!(valid, 14);
}

/// Messages with their keys in the lines above them, each of which passes.
#[test]
fn the_messages_of_mail_auth_are_valid() {
    let Some(folder) = corpus("dkim/dkim-mail-auth/resources") else { return };
    let mut count = 0;
    for path in ["dkim/001", "dkim/002", "dkim/003", "dkim/004", "dkim/005", "dkim/006", "arc/001", "arc/002"] {
        let bytes = fs::read(folder.join(path).with_extension("txt")).unwrap();
        let end = bytes.windows(2).position(|pair| pair == b"\n\n").map(|at| (at, at + 2));
        let (end, start) = end.or_else(|| bytes.windows(4).position(|pair| pair == b"\r\n\r\n").map(|at| (at, at + 4))).unwrap();
        let keys = daylight_dkim::import::import("keys", &bytes[..end], &Default::default()).keys;
        let found = words(&bytes[start..], &keys);
        // One message came through a list that added to its body: the sender's signature no longer holds, the list's own and the chain do.
        let changed = usize::from(path == "arc/001");
        assert_eq!(found.iter().filter(|word| **word != VALID).count(), changed, "{path}: {found:?}");
        count += found.len() - changed;
    }
    assert_eq!(count, 13);
}

fn football() -> Vec<daylight_model::SignatureKey> {
    keys(&corpus("dkim/dkim-mailauth/test/dkim/ec/fixtures/dns.json").unwrap())
}

/// RFC 6376's own key stands in the suite of mail-auth, under another name.
fn brisbane() -> Vec<daylight_model::SignatureKey> {
    let text = fs::read_to_string(corpus("dkim/dkim-mail-auth/resources/arc/002.txt").unwrap()).unwrap();
    let record = text.lines().next().unwrap().split_once(' ').unwrap().1.replace("t=s; ", "");
    let strict = record.replace("p=", "t=s; p=");
    vec![key("brisbane._domainkey.example.com", &record), key("s.flags._domainkey.example.com", &strict)]
}

/// mailauth's messages: chains of Google's by the key that mail-auth's suite has, and the two algorithms at once.
#[test]
fn the_messages_of_mailauth_agree() {
    let Some(folder) = corpus("dkim/dkim-mailauth/test") else { return };
    assert_eq!(words(&fs::read(folder.join("dkim/ec/fixtures/signed.eml")).unwrap(), &football()), [VALID, VALID]);
    let text = fs::read_to_string(corpus("dkim/dkim-mail-auth/resources/arc/001.txt").unwrap()).unwrap();
    let (name, record) = text.lines().next().unwrap().split_once(' ').unwrap();
    let google = [key(name, record)];
    let chain = |file: &str| {
        let found = verdicts(&fs::read(folder.join("fixtures").join(file)).unwrap(), None, &google);
        found.into_iter().find(|verdict| verdict.kind == SignatureKind::ArcSeal).unwrap()
    };
    let outcomes =
        ["arc-pass.eml", "arc-pass2.eml", "arc-fail.eml", "arc-fail2.eml", "arc-fail3.eml"].map(|file| chain(file).outcome.word());
    assert_eq!(outcomes, [VALID, VALID, "headers-changed", "headers-changed", "malformed"]);
}

/// dkimpy's messages, with the verdicts that its tests expect.
#[test]
fn the_messages_of_dkimpy_agree() {
    let Some(folder) = corpus("dkim/dkim-dkimpy/dkim/tests/data") else { return };
    let bytes = |name: &str| fs::read(folder.join(name)).unwrap();
    let text = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
    let football = football();
    assert_eq!(words(&bytes("rfc6376.signed.msg"), &football), [VALID, VALID]);
    assert_eq!(words(&bytes("rfc6376.signed.rsa.msg"), &football), [VALID]);
    let gmail = keys(&corpus("dkim/linux-man-keys.json").unwrap());
    assert_eq!(words(&bytes("test2.message"), &gmail), [VALID]);
    assert_eq!(words(&bytes("ed25519test2.msg"), &[key("sed._domainkey.test.ex", &text("eximtest.dns"))]), [VALID]);
    // By another key than the one that made it, the header cannot be what was signed.
    assert_eq!(words(&bytes("ed25519test2.msg"), &[key("sed._domainkey.test.ex", &text("ed25519test.dns"))]), ["headers-changed"]);
    assert_eq!(words(&bytes("test.message.baddomain"), &[]), ["malformed"]);
    for name in ["test.message", "test_extra.message", "test_nofrom.message", "ed25519test.msg", "rfc6376.msg", "rfc6376.w1258.msg"] {
        assert!(words(&bytes(name), &football).is_empty(), "{name} is what its tests begin with, and not signed");
    }
    assert_eq!(words(&bytes("message.mbox"), &football), ["key-unknown"]);
    // dkimpy refuses it too: its header is another than the one that was signed.
    let test = [key("test._domainkey.football.example.com", &text("test.txt"))];
    assert_eq!(words(&bytes("rfc6376.signed.no_t.msg"), &test), ["headers-changed"]);
    let found = |record: &str| verdicts(&bytes("rfc6376.signed.rsa.msg"), None, &[key("test._domainkey.football.example.com", record)]);
    for (file, word) in
        [("test.txt", VALID), ("badk.txt", "key-unknown"), ("badversion.txt", "key-unknown"), ("test_tlsrpt.txt", "key-unknown")]
    {
        let verdict: Vec<Verdict> = found(&text(file));
        assert_eq!(verdict[0].outcome.word(), word, "{file}: {verdict:?}");
    }
}

/// The messages of the DKIM Verifier for Thunderbird, with what its tests expect of each.
#[test]
fn the_messages_of_dkim_verifier_agree() {
    let Some(folder) = corpus("dkim/dkim-lieser/test/data") else { return };
    let keys = [brisbane(), football()].concat();
    let found = |name: &str| verdicts(&fs::read(folder.join(name)).unwrap(), None, &keys);
    for name in [
        "rfc6376-A.2.eml",
        "rfc6376-A.2-ill_formed-list_id.eml",
        "dkim/alignment-from_not_in_auid.eml",
        "dkim/alignment-from_not_in_sdid.eml",
        "dkim/alignment-signed_by_parent_domain.eml",
        "dkim/flags_s-auid_and_sdid_match.eml",
        "dkim/header_with_non_ascii_char.eml",
        "dkim/unsigned_header-content-type.eml",
        "dkim/unsigned_header-reply_to-in_domain.eml",
        "dkim/unsigned_header-reply_to-invalid.eml",
        "dkim/unsigned_header-reply_to-not_in_domain.eml",
    ] {
        assert_eq!(found(name)[0].outcome, Outcome::Valid, "{name}");
    }
    assert!(found("rfc8463-A.3.eml").iter().all(|verdict| verdict.outcome == Outcome::Valid));
    assert!(found("rfc8463-A.3-key_algo_mismatch.eml").iter().all(|verdict| verdict.outcome == Outcome::KeyUnknown));
    for (name, outcome) in [
        ("rfc6376-A.2-body_modified.eml", Outcome::BodyChanged),
        ("rfc6376-A.2-header_subject_modified.eml", Outcome::HeadersChanged),
        ("rfc6376-A.2-ill_formed-missing_v.eml", Outcome::Malformed),
        ("dkim/flags_s-auid_is_subdomain_of_sdid.eml", Outcome::KeyUnknown),
    ] {
        assert_eq!(found(name)[0].outcome, outcome, "{name}");
    }
    // Made on 2018-06-10; when each arrived its Received line says, with the words that their tests use for it.
    for (name, received, caution) in [
        ("dkim/time-received_after_creation.eml", 1_528_637_999, None),
        ("dkim/time-received_briefly_before_creation.eml", 1_528_637_900, None),
        ("dkim/time-received_long_before_creation.eml", 1_528_500_000, Some(Caution::Postdated)),
    ] {
        let verdict = &verdicts(&fs::read(folder.join(name)).unwrap(), Some(received), &keys)[0];
        assert_eq!((verdict.outcome, verdict.cautions.first().copied()), (Outcome::Valid, caution), "{name}");
    }
    // Those that another server judged, in an Authentication-Results field, which anybody can write: it is not believed, and they are judged as any.
    let judged = crate::support::files(&folder.join("arh"));
    let (valid, others): (Vec<_>, Vec<_>) = judged
        .iter()
        .flat_map(|path| verdicts(&fs::read(path).unwrap(), None, &keys))
        .map(|verdict| verdict.outcome.word())
        .partition(|word| *word == VALID);
    assert_eq!((judged.len(), valid.len(), others.len()), (21, 9, 0));
    // A field added above the signed one is what a program shows: the signature holds, and says that it does not cover it.
    for name in ["date", "subject", "to"] {
        let verdict = &found(&format!("dkim/added_header-{name}.eml"))[0];
        assert_eq!((verdict.outcome, verdict.left_out.as_slice()), (Outcome::Valid, [name.to_owned()].as_slice()), "{name}");
    }
    // Of a second From a remark would not be enough (RFC 6376 section 8.15); the suite warns.
    assert_eq!(found("dkim/added_header-from.eml")[0].outcome, Outcome::Malformed);
}
