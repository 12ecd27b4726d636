//! Every crate that Daylight is built from may be used, changed and passed on: its licence is on the list in deny.toml.

use crate::support::root;
use std::collections::BTreeSet;
use std::process::Command;

#[test]
fn every_crate_we_build_on_has_a_licence_on_the_list() {
    let allowed = allowed();
    let mut refused = Vec::new();
    let packages = packages();
    assert!(packages.len() > 100, "cargo metadata names only {} packages", packages.len());
    for package in packages {
        let text = |key: &str| package[key].as_str().unwrap_or_default().to_owned();
        let (name, licence) = (text("name"), text("license"));
        if !permits(&licence, &allowed) {
            refused.push(format!("{name} {}: {licence:?}", text("version")));
        }
    }
    assert!(refused.is_empty(), "not on the list of licences in deny.toml:\n{}", refused.join("\n"));
}

fn allowed() -> BTreeSet<String> {
    let deny: toml::Table = std::fs::read_to_string(root().join("deny.toml")).unwrap().parse().unwrap();
    deny["licenses"]["allow"].as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()).collect()
}

/// What is built on this machine; what other systems would need is not asked for.
fn packages() -> Vec<serde_json::Value> {
    let rustc = Command::new("rustc").arg("-vV").output().unwrap();
    let version = String::from_utf8(rustc.stdout).unwrap();
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
    let arguments = ["metadata", "--format-version", "1", "--locked", "--filter-platform", host];
    let output = Command::new(env!("CARGO")).args(arguments).current_dir(root()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    serde_json::from_value(metadata["packages"].take()).unwrap()
}

/// Whether an SPDX expression leaves us a choice within the list: any side of an OR, every side of an AND, AND binding closer. Older crates
/// write `/` for OR. What cannot be read permits nothing.
fn permits(expression: &str, allowed: &BTreeSet<String>) -> bool {
    let expression = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let mut words = expression.split_whitespace().peekable();
    let permitted = any(&mut words, allowed);
    permitted == Some(true) && words.next().is_none()
}

type Words<'a> = std::iter::Peekable<std::str::SplitWhitespace<'a>>;

fn any(words: &mut Words<'_>, allowed: &BTreeSet<String>) -> Option<bool> {
    let mut permitted = all(words, allowed)?;
    while words.next_if_eq(&"OR").is_some() {
        permitted |= all(words, allowed)?;
    }
    Some(permitted)
}

fn all(words: &mut Words<'_>, allowed: &BTreeSet<String>) -> Option<bool> {
    let mut permitted = one(words, allowed)?;
    while words.next_if_eq(&"AND").is_some() {
        permitted &= one(words, allowed)?;
    }
    Some(permitted)
}

fn one(words: &mut Words<'_>, allowed: &BTreeSet<String>) -> Option<bool> {
    let word = words.next()?;
    if word == "(" {
        let permitted = any(words, allowed)?;
        return words.next_if_eq(&")").map(|_| permitted);
    }
    if words.next_if_eq(&"WITH").is_some() {
        return Some(allowed.contains(&format!("{word} WITH {}", words.next()?)));
    }
    Some(allowed.contains(word))
}

#[test]
fn an_expression_permits_what_its_ors_and_ands_leave_open() {
    let allowed = ["MIT", "ISC", "Apache-2.0 WITH LLVM-exception"].map(str::to_owned).into();
    for good in ["MIT", "GPL-3.0 OR MIT", "MIT/GPL-2.0", "(GPL-3.0 OR ISC) AND MIT", "Apache-2.0 WITH LLVM-exception"] {
        assert!(permits(good, &allowed), "{good}");
    }
    for bad in ["", "GPL-3.0", "MIT AND GPL-3.0", "MIT OR", "Apache-2.0", "(MIT", "MIT ISC", "GPL-3.0 OR MIT AND GPL-2.0"] {
        assert!(!permits(bad, &allowed), "{bad}");
    }
}
