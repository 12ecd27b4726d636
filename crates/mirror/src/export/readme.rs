//! What lies beside the archive in a copy, for a person who was handed it and knows nothing of it.

mod languages;

use daylight_archive::Archive;
use daylight_model::Digest;
use languages::LANGUAGES;
use std::fmt::Write as _;

/// What is typed in the copy's folder, in the order in which the text speaks of it.
const COMMANDS: [&str; 4] =
    ["daylight serve archive", "python3 verify.py archive root.json", "daylight verify archive --root root.json", "sha256sum root.json"];

/// The files beside the archive, with their bytes: the same for the same archive and root. `pinned` is the root that the caller trusts; without one
/// it is the archive's first, of which nothing is known.
pub(super) fn files(archive: &Archive, pinned: Option<&[u8]>) -> Vec<(&'static str, Vec<u8>)> {
    let root = pinned.map_or_else(|| archive.chain().links()[0].json.clone(), <[u8]>::to_vec);
    let facts = Facts::of(archive, &root, pinned.is_some());
    vec![
        ("READ-ME.txt", facts.text().into_bytes()),
        ("READ-ME.html", facts.html().into_bytes()),
        ("HOW-TO-VERIFY.txt", include_bytes!("readme/HOW-TO-VERIFY.txt").to_vec()),
        ("archive-format.md", include_bytes!("../../../../docs/archive-format.md").to_vec()),
        ("verify.py", include_bytes!("../../../../docs/verify.py").to_vec()),
        ("root.json", root),
    ]
}

/// The names of those files.
pub(super) const NAMES: [&str; 6] = ["READ-ME.txt", "READ-ME.html", "HOW-TO-VERIFY.txt", "archive-format.md", "verify.py", "root.json"];

struct Facts {
    origin: String,
    size: u64,
    root: Digest,
    pinned: bool,
    /// Title, collection, documents.
    releases: Vec<(String, String, u64)>,
}

impl Facts {
    fn of(archive: &Archive, root: &[u8], pinned: bool) -> Self {
        let notes = archive.releases().iter().map(|release| &release.note);
        let releases = notes.map(|note| (note.title.clone(), note.collection.clone(), note.lines)).collect();
        Self { origin: archive.origin().to_owned(), size: archive.head(), root: Digest::of(root), pinned, releases }
    }

    fn filled(&self, text: &str) -> String {
        text.replace("{origin}", &self.origin).replace("{size}", &self.size.to_string()).replace("{root}", &self.root.to_string())
    }

    /// Where the root is from.
    fn provenance(&self) -> &'static str {
        match self.pinned {
            true => {
                "root.json was given by whoever made this copy, who says to have it from a place they trust; the archive follows from it."
            }
            false => "root.json was taken from the archive itself when this copy was made: nobody compared it with anything.",
        }
    }

    fn text(&self) -> String {
        let mut text = String::from("READ ME · LIES MICH · LÉEME · LISEZ-MOI · LEIA-ME · ПРОЧТИ\n\n");
        for command in COMMANDS {
            let _ = writeln!(text, "    {command}");
        }
        for language in &LANGUAGES {
            let _ = writeln!(text, "\n\n== {} ==", language.name);
            for paragraph in language.paragraphs {
                let _ = writeln!(text, "\n{}", wrapped(&self.filled(paragraph)));
            }
        }
        let _ = writeln!(text, "\n\n== {} ==\n\n{}\n", self.origin, self.provenance());
        for (serial, (title, collection, documents)) in (1..).zip(&self.releases) {
            let _ = writeln!(text, "release {serial}: {title} ({collection}), {documents} documents");
        }
        text
    }

    fn html(&self) -> String {
        let mut html = String::from(
            "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\n\
             <title>Read me</title>\n<style>body{max-width:42rem;margin:2rem auto;padding:0 1rem;font:1rem/1.5 sans-serif;\
             overflow-wrap:anywhere}pre{background:#eee;color:#111;padding:1rem;white-space:pre-wrap}:root{color-scheme:light dark}</style>\n\
             </head><body>\n<main>\n<h1>Read me</h1>\n<nav><p>",
        );
        let links = LANGUAGES.iter().map(|l| format!("<a href=\"#{0}\" lang=\"{0}\" hreflang=\"{0}\">{1}</a>", l.code, l.name));
        let _ = writeln!(html, "{}</p></nav>\n<pre>{}</pre>", links.collect::<Vec<_>>().join(" · "), COMMANDS.join("\n"));
        for language in &LANGUAGES {
            let _ = writeln!(html, "<section lang=\"{0}\" id=\"{0}\">\n<h2>{1}</h2>", language.code, language.name);
            for paragraph in language.paragraphs {
                let _ = writeln!(html, "<p>{}</p>", escaped(&self.filled(paragraph)));
            }
            html.push_str("</section>\n");
        }
        let _ = writeln!(html, "<section>\n<h2>{}</h2>\n<p>{}</p>\n<ol>", escaped(&self.origin), self.provenance());
        for (title, collection, documents) in &self.releases {
            let _ = writeln!(html, "<li><bdi>{}</bdi> ({collection}), {documents} documents</li>", escaped(title));
        }
        html + "</ol>\n</section>\n</main>\n</body></html>\n"
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// Lines of at most 80 characters, broken at spaces.
fn wrapped(text: &str) -> String {
    let (mut lines, mut width) = (String::new(), 0);
    for word in text.split(' ') {
        let length = word.chars().count();
        if width > 0 && width + 1 + length > 80 {
            lines.push('\n');
            width = 0;
        } else if width > 0 {
            lines.push(' ');
            width += 1;
        }
        lines.push_str(word);
        width += length;
    }
    lines
}
