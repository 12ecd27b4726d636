//! What an address on this site means. Nothing of an address is ever the path of a file: it is one of these or it is not found.

use daylight_archive::paths::Name;

/// A page, by the path of its address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Route {
    Home,
    Search,
    Help,
    Verify,
    About,
    Robots,
    Style,
    Favicon,
    /// `/c/<collection>`
    Collection(String),
    /// `/thread/<collection>/<n>`
    Thread(String, u64),
    /// `/c/<collection>/<n>` and what is below it.
    Document(String, u64, Part),
    /// The same address without the slash at its end.
    Moved(String),
    /// A file of the archive itself, under the name that it has there.
    File(Name),
}

/// What of a document is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Page,
    Raw,
    Text,
    View,
    Proof,
    /// `/c/<collection>/<n>/page/<p>`: the picture of a page.
    Picture(u32),
    /// `/c/<collection>/<n>/<collection>-<n>.daylight-proof`
    ProofFile,
}

impl Route {
    /// Reads a path as it came, not percent-decoded: no path of ours needs encoding.
    pub(crate) fn parse(path: &str) -> Option<Self> {
        match path {
            "/" => return Some(Self::Home),
            "/search" => return Some(Self::Search),
            "/help" => return Some(Self::Help),
            "/verify" => return Some(Self::Verify),
            "/about" => return Some(Self::About),
            "/robots.txt" => return Some(Self::Robots),
            "/favicon.ico" => return Some(Self::Favicon),
            "/style.css" | daylight_html::style::PATH => return Some(Self::Style),
            _ => {}
        }
        if let Some(shorter) = path.strip_suffix('/') {
            let known = !shorter.ends_with('/') && Self::parse(shorter).is_some_and(|route| !matches!(route, Self::File(_)));
            return known.then(|| Self::Moved(shorter.to_owned()));
        }
        if let Some(name) = Name::parse(path.strip_prefix('/')?) {
            return Some(Self::File(name));
        }
        let pieces: Vec<&str> = path.strip_prefix('/')?.splitn(6, '/').collect();
        match pieces[..] {
            ["c", collection] => Some(Self::Collection(slug(collection)?)),
            ["thread", collection, n] => Some(Self::Thread(slug(collection)?, number(n)?)),
            ["c", collection, n] => Some(Self::Document(slug(collection)?, number(n)?, Part::Page)),
            ["c", collection, n, part] => {
                let (collection, n) = (slug(collection)?, number(n)?);
                let part = Part::parse(part, &collection, n)?;
                Some(Self::Document(collection, n, part))
            }
            ["c", collection, n, "page", page] => {
                let page = u32::try_from(number(page)?).ok().filter(|page| *page > 0)?;
                Some(Self::Document(slug(collection)?, number(n)?, Part::Picture(page)))
            }
            _ => None,
        }
    }
}

impl Part {
    fn parse(text: &str, collection: &str, n: u64) -> Option<Self> {
        match text {
            "raw" => Some(Self::Raw),
            "text" => Some(Self::Text),
            "view" => Some(Self::View),
            "proof" => Some(Self::Proof),
            _ => (text == proof_name(collection, n)).then_some(Self::ProofFile),
        }
    }
}

/// The name of a document's proof as a file.
pub(crate) fn proof_name(collection: &str, n: u64) -> String {
    format!("{collection}-{n}.daylight-proof")
}

/// A collection's name, and nothing else.
fn slug(text: &str) -> Option<String> {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    ((1..=64).contains(&text.len()) && text.bytes().all(allowed)).then(|| text.to_owned())
}

/// A document's number, in the one way of writing it.
fn number(text: &str) -> Option<u64> {
    let plain = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    plain.then(|| text.parse().ok()).flatten()
}

/// Reads `collection/n`, as an id of a document in an archive is written.
pub(crate) fn document_id(text: &str) -> Option<(String, u64)> {
    let (collection, n) = text.split_once('/')?;
    Some((slug(collection)?, number(n)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_one_of_ours_or_nothing() {
        let document = |part| Some(Route::Document("a-1".into(), 7, part));
        assert_eq!(Route::parse("/c/a-1/7"), document(Part::Page));
        assert_eq!(Route::parse("/c/a-1/7/raw"), document(Part::Raw));
        assert_eq!(Route::parse("/c/a-1/7/a-1-7.daylight-proof"), document(Part::ProofFile));
        assert_eq!(Route::parse("/c/a-1/7/page/12"), document(Part::Picture(12)));
        assert_eq!(Route::parse("/c/a-1/"), Some(Route::Moved("/c/a-1".into())));
        assert_eq!(Route::parse("/checkpoint"), Some(Route::File(Name::Checkpoint)));
        assert_eq!(Route::parse("/release/3/volume/0.zip"), Some(Route::File(Name::Volume(3, 0))));
        let long = format!("/c/{}", "a".repeat(65));
        for path in [
            "",
            "//",
            "/c",
            "/c//",
            "/c/A",
            "/c/..",
            "/c/a/01",
            "/c/a/+1",
            "/c/a/-1",
            "/c/a/1/..",
            "/c/a/1/raw/x",
            "/c/a/1/page",
            "/c/a/1/page/0",
            "/c/a/1/page/01",
            "/c/a/1/page/1/2",
            "/c/a/1/page/99999999999",
            "/c/%61/1",
            "/c/a/1/b-1.daylight-proof",
            "/c/a/99999999999999999999",
            "/thread/a",
            "/c/a/1//",
            "/../etc/passwd",
            "/checkpoint/",
            "/checkpoint.pending",
            "/release/1/../../root/1.json",
            "//root/1.json",
            "/release/1/volume/%30.zip",
            "/c/a\0/1",
            &long,
        ] {
            assert_eq!(Route::parse(path), None, "{path:?}");
        }
    }
}
