//! Holds ARCHITECTURE.md to the code: which crate may use which, what each must never contain, and that every path the map names exists.

use crate::support::{Source, crates, root};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;

/// The map, as its table of rooms states it.
struct Map {
    text: String,
    /// Each crate with those it may use, in the order of the table.
    rooms: Vec<(String, BTreeSet<String>)>,
}

fn map() -> Map {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let mut rooms: Vec<(String, BTreeSet<String>)> = Vec::new();
    for line in text.lines().filter(|line| line.starts_with("| `") && line.contains("` → ")) {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let (name, uses) = cells[0].split_once(" → ").unwrap();
        let name = name.trim_matches('`').to_owned();
        assert!(
            cells.len() == 3 && cells[1..].iter().all(|cell| cell.len() > 2),
            "the row of {name} says what lives there and what never does"
        );
        let above = rooms.iter().map(|(name, _)| name.clone());
        let mut allowed: BTreeSet<String> = match uses {
            "all" => above.collect(),
            "–" => BTreeSet::new(),
            named => named.split(", ").map(|name| name.trim_matches('`').to_owned()).collect(),
        };
        allowed.insert("model".to_owned());
        rooms.push((name, allowed));
    }
    Map { text, rooms }
}

#[test]
fn every_crate_has_its_room_in_the_map_and_arrows_only_go_down() {
    let rooms = map().rooms;
    let mapped: BTreeSet<String> = rooms.iter().map(|(name, _)| name.clone()).collect();
    let built: BTreeSet<String> = crates().into_keys().collect();
    assert_eq!(mapped, built, "the crates of the map, and those under crates/");
    let mut above = BTreeSet::from(["model".to_owned()]);
    for (name, allowed) in rooms {
        assert!(allowed.is_subset(&above), "{name} may use {allowed:?}, of which some stand below it");
        above.insert(name);
    }
}

#[test]
fn no_crate_uses_one_that_the_map_does_not_allow() {
    let crates = crates();
    for (name, allowed) in map().rooms {
        let manifest: toml::Table = fs::read_to_string(crates[&name].join("Cargo.toml")).unwrap().parse().unwrap();
        let tables = ["dependencies", "build-dependencies"].into_iter().filter_map(|key| manifest.get(key)?.as_table());
        let used: BTreeSet<String> =
            tables.flat_map(|t| t.keys()).filter_map(|key| Some(key.strip_prefix("daylight-")?.to_owned())).collect();
        let refused: Vec<_> = used.difference(&allowed).collect();
        assert!(refused.is_empty(), "{name} uses {refused:?}, which ARCHITECTURE.md does not allow");
    }
}

#[test]
fn every_path_that_the_map_names_exists() {
    let text = map().text;
    let quoted = text.split('`').skip(1).step_by(2);
    let linked = text.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next());
    let top: BTreeSet<String> = fs::read_dir(root()).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    let mut seen = 0;
    for path in quoted.chain(linked) {
        let first = path.split('/').next().unwrap();
        let ours = path.contains('/') && (top.contains(first) || ["crates", "tests", "docs", "bench", "scripts"].contains(&first));
        if ours || path.ends_with(".md") {
            assert!(root().join(path).exists(), "ARCHITECTURE.md names {path}, which does not exist");
            seen += 1;
        }
    }
    assert!(seen >= 5, "the map names only {seen} paths");
}

#[test]
fn only_the_sandbox_starts_processes_or_is_unsafe() {
    for (name, folder) in crates() {
        let sources = Source::of(&folder);
        let top = sources.iter().find(|source| source.module.is_empty()).unwrap();
        let forbids = fs::read_to_string(root().join(&top.path)).unwrap().contains("#![forbid(unsafe_code)]");
        assert!(forbids || name == "sandbox", "{} lacks #![forbid(unsafe_code)]", top.path.display());
        for source in sources.iter().filter(|_| name != "sandbox") {
            assert!(!source.code.contains("Command::new"), "{} starts a process: only sandbox may", source.path.display());
        }
    }
}

#[test]
fn no_library_prints() {
    for (name, folder) in crates().into_iter().filter(|(name, _)| name != "daylight") {
        for source in Source::of(&folder) {
            // The sandbox's worker answers its parent there, in frames.
            let words = ["print!", "println!", "dbg!", "io::stderr()", "io::stdout()"];
            for word in &words[..words.len() - usize::from(name == "sandbox")] {
                assert!(!source.code.contains(word), "{} has {word}: only the binary speaks", source.path.display());
            }
        }
    }
}

#[test]
fn no_library_reads_or_names_what_its_room_forbids() {
    // The right-hand column of the map, as far as words in the code can show it.
    let never: &[(&str, &[&str])] = &[
        ("model", &["std::fs", "std::net", "SystemTime", "Instant", "async ", "serde::"]),
        ("dkim", &["std::fs", "std::net", "std::process", "SystemTime", "Instant", "daylight_store"]),
        ("extract", &["std::fs", "std::net", "std::process", "thread::spawn", "SystemTime"]),
        ("envelope", &["std::fs", "std::net", "std::process", "SystemTime", "Instant", "std::path"]),
        ("archive", &["fs::write", "File::create", "OpenOptions", "std::net"]),
        ("html", &["std::fs", "std::net"]),
        ("index", &["daylight_store"]),
        ("review", &["std::net", "axum"]),
        ("publish", &["std::net", "ureq", "tokio"]),
        ("mirror", &["daylight_store", "daylight_review", "daylight_publish", "daylight_reader"]),
        ("inbox", &["std::net", "hyper", "tokio", "maud", "std::process", "daylight_publish", "SystemTime"]),
        ("intake", &["daylight_store", "daylight_review", "daylight_publish", "daylight_index", "daylight_extract", "SigningKey"]),
        ("reader", &["daylight_store", "daylight_review", "daylight_extract", "SigningKey"]),
        ("ingest", &["daylight_extract"]),
    ];
    let crates = crates();
    for (name, words) in never {
        for source in Source::of(&crates[*name]) {
            for word in *words {
                assert!(!source.code.contains(word), "{} has {word}, which its room forbids", source.path.display());
            }
        }
    }
}

#[test]
fn no_modules_of_a_crate_form_a_ring() {
    let rings = crates().into_iter().filter_map(|(name, folder)| Some((name, ring(&edges(&Source::of(&folder)))?)));
    let rings: Vec<String> = rings.map(|(name, ring)| format!("{name}: {}", ring.join(" → "))).collect();
    assert!(rings.is_empty(), "modules use each other in a ring in\n{}", rings.join("\n"));
}

/// Which of a crate's outermost modules uses which. What the root only passes on (`pub use date::Date`) counts as its module's; what is written
/// in the root itself belongs to no module.
fn edges(sources: &[Source]) -> BTreeMap<String, BTreeSet<String>> {
    let modules: BTreeSet<&String> = sources.iter().filter_map(|source| source.module.first()).collect();
    let root = sources.iter().find(|source| source.module.is_empty()).unwrap();
    let passed_on: BTreeMap<String, String> =
        modules.iter().flat_map(|m| names_passed_on(&root.code, m).map(|name| (name, (*m).clone()))).collect();
    let mut edges: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for source in sources {
        let Some(from) = source.module.first() else { continue };
        let up = "super::".repeat(source.module.len());
        let paths = source.code.split("crate::").skip(1).chain(source.code.split(&up).skip(1)).flat_map(first_names);
        let used = paths.filter_map(|name| modules.get(&name).map(|m| (*m).clone()).or_else(|| passed_on.get(&name).cloned()));
        edges.entry(from.clone()).or_default().extend(used.filter(|to| to != from));
    }
    edges
}

/// What `crate::` is followed by: one name, or every first name in braces.
fn first_names(rest: &str) -> Vec<String> {
    let name = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let Some(group) = rest.strip_prefix('{') else { return vec![name(rest)] };
    let (mut depth, mut names, mut fresh) = (1, Vec::new(), true);
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 1 => break,
            '}' => depth -= 1,
            ',' if depth == 1 => fresh = true,
            c if fresh && !c.is_whitespace() => {
                names.push(name(&group[at..]));
                fresh = false;
            }
            _ => {}
        }
    }
    names
}

fn names_passed_on(root: &str, module: &str) -> impl Iterator<Item = String> {
    let start = format!("use {module}::");
    let words = |rest: &str| -> Vec<String> {
        let end = rest.find(';').unwrap_or(rest.len());
        rest[..end].split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|word| !word.is_empty()).map(str::to_owned).collect()
    };
    root.split(&start).skip(1).flat_map(words).collect::<Vec<_>>().into_iter()
}

fn ring(edges: &BTreeMap<String, BTreeSet<String>>) -> Option<Vec<String>> {
    // Modules that use nothing that is left are taken away until none is left, or only rings and what leads to them.
    let mut left = edges.clone();
    while let Some(leaf) = left.iter().find(|(_, uses)| uses.iter().all(|to| !left.contains_key(to))).map(|(name, _)| name.clone()) {
        left.remove(&leaf);
    }
    let mut path = vec![left.keys().next()?.clone()];
    loop {
        let next = left[path.last()?].iter().find(|to| left.contains_key(*to))?.clone();
        if let Some(start) = path.iter().position(|name| *name == next) {
            path.push(next);
            return Some(path.split_off(start));
        }
        path.push(next);
    }
}

#[test]
fn a_ring_is_found_through_names_that_the_root_passes_on() {
    let source = |module: &[&str], code: &str| Source {
        path: module.join("/").into(),
        module: module.iter().map(|m| (*m).to_owned()).collect(),
        code: code.to_owned(),
    };
    let straight = [
        source(&[], "mod a; mod b; mod c; pub use b::{Bee, Other as Name};"),
        source(&["a"], "use crate::{Bee, c::{See, Saw}};"),
        source(&["b"], "use crate::c;"),
        source(&["c"], ""),
        source(&["c", "inner"], "use super::See; use crate::c::Saw;"),
    ];
    assert_eq!(ring(&edges(&straight)), None);
    let mut bent = straight;
    bent[4].code.push_str("use crate::Bee;");
    assert_eq!(ring(&edges(&bent)).unwrap(), ["b", "c", "b"]);
    bent[4].code = "use super::super::a;".to_owned();
    assert!(ring(&edges(&bent)).is_some());
}
