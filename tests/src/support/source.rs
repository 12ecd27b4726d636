use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The top of the checkout.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The crates under `crates/`, by the name of their folder.
pub(crate) fn crates() -> BTreeMap<String, PathBuf> {
    let folders = fs::read_dir(root().join("crates")).unwrap().map(|entry| entry.unwrap().path());
    folders.filter(|path| path.join("Cargo.toml").is_file()).map(|path| (name_of(&path), path)).collect()
}

fn name_of(path: &Path) -> String {
    path.file_stem().unwrap().to_str().unwrap().to_owned()
}

/// A source file that is part of the program: no test, and with neither comments nor the insides of strings.
pub(crate) struct Source {
    /// The file, from the top of the checkout.
    pub(crate) path: PathBuf,
    /// The module it is: `["store", "pack"]` for `src/store/pack.rs`, nothing for the root of the crate.
    pub(crate) module: Vec<String>,
    /// Its code.
    pub(crate) code: String,
}

impl Source {
    /// Every source file of a crate.
    pub(crate) fn of(folder: &Path) -> Vec<Source> {
        let mut sources = Vec::new();
        let mut folders = vec![(folder.join("src"), Vec::new())];
        while let Some((folder, module)) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                let name = name_of(&path);
                if name == "tests" {
                    continue;
                }
                let inner: Vec<String> = module.iter().cloned().chain([name.clone()]).collect();
                if path.is_dir() {
                    folders.push((path, inner));
                } else if path.extension().is_some_and(|e| e == "rs") {
                    let module = if ["lib", "main", "mod"].contains(&name.as_str()) { module.clone() } else { inner };
                    let code = without_tests(&without_prose(&fs::read_to_string(&path).unwrap()));
                    sources.push(Source { path: path.strip_prefix(root()).unwrap().to_owned(), module, code });
                }
            }
        }
        sources.sort_by(|a, b| a.path.cmp(&b.path));
        sources
    }
}

/// Takes out comments and what stands between quotes, so that only code is left to be searched.
fn without_prose(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let skipped = match c {
            '/' if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => rest.find("*/").map_or(rest.len(), |end| end + 2),
            '"' => 1 + end_of_string(&rest[1..]),
            'r' if !code.ends_with(|c: char| c.is_alphanumeric() || c == '_') => raw_string(rest).unwrap_or(0),
            '\'' => character(rest).unwrap_or(0),
            _ => 0,
        };
        if skipped == 0 {
            code.push(c);
            rest = &rest[c.len_utf8()..];
        } else {
            code.push_str(if c == '/' { "" } else { "\"\"" });
            rest = &rest[skipped..];
        }
    }
    code
}

fn end_of_string(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            '"' if !escaped => return at + 1,
            '\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    text.len()
}

fn raw_string(text: &str) -> Option<usize> {
    let hashes = text[1..].bytes().take_while(|b| *b == b'#').count();
    let begin = 1 + hashes;
    text[begin..].starts_with('"').then_some(())?;
    let close = format!("\"{}", "#".repeat(hashes));
    Some(text[begin + 1..].find(&close).map_or(text.len(), |end| begin + 1 + end + close.len()))
}

/// The length of a character literal; `None` where the quote begins a lifetime.
fn character(text: &str) -> Option<usize> {
    let mut chars = text.char_indices().skip(1);
    let (_, first) = chars.next()?;
    if first == '\\' {
        return Some(text[3..].find('\'')? + 4);
    }
    let (at, second) = chars.next()?;
    (second == '\'').then_some(at + 1)
}

/// Takes out what is compiled for tests only: the item that follows `#[cfg(test)]`.
fn without_tests(code: &str) -> String {
    let mut kept = String::with_capacity(code.len());
    let mut rest = code;
    while let Some(at) = rest.find("#[cfg(test)]") {
        kept.push_str(&rest[..at]);
        rest = &rest[at..];
        rest = &rest[end_of_item(rest)..];
    }
    kept + rest
}

fn end_of_item(code: &str) -> usize {
    let mut depth = 0;
    for (at, c) in code.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth <= 1 => return at + 1,
            '}' => depth -= 1,
            ';' if depth == 0 => return at + 1,
            _ => {}
        }
    }
    code.len()
}

#[test]
fn the_searched_code_has_neither_comments_nor_strings_nor_tests() {
    let text = r##"
        /* Command::new */ fn a<'a>(x: &'a str) -> char { let _ = r#"println!("x")"#; '\'' } // unsafe
        #[cfg(test)]
        mod tests { fn b() { Command::new("x"); } }
        fn c() { "a \" println!"; '"'; d() }
    "##;
    let code = without_tests(&without_prose(text));
    for word in ["Command", "println", "unsafe", "tests"] {
        assert!(!code.contains(word), "{code}");
    }
    for word in ["fn a<'a>(x: &'a str)", "fn c()", "d()"] {
        assert!(code.contains(word), "{code}");
    }
}
