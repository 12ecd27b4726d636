use crate::{style, url::Href};
use maud::{DOCTYPE, Markup, html};

/// What is the same on every page of a site.
#[derive(Debug, Clone)]
pub struct Frame {
    /// The site's name, at the head of every page and in its title.
    pub name: String,
    /// The links at the head: address and words.
    pub nav: Vec<(&'static str, &'static str)>,
    /// What stands at the foot.
    pub foot: Markup,
}

/// Where the side stands on a wide screen. In the source, and so in a text browser, on a phone and for a screen reader, it always follows what is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SideAt {
    /// To the left: what narrows a list.
    Left,
    /// To the right: what stands around a document.
    Right,
}

/// What stands beside what is read.
#[derive(Debug, Clone)]
pub struct Side {
    /// What a screen reader calls it.
    pub label: &'static str,
    /// Where on a wide screen.
    pub at: SideAt,
    /// Its content; its headings begin at `h2`.
    pub body: Markup,
}

/// One page.
#[derive(Debug, Clone)]
pub struct Page<'a> {
    /// Its title; the site's name is added.
    pub title: &'a str,
    /// What stands in the search box.
    pub query: &'a str,
    /// The words of the link over the head, such as "Skip to the text".
    pub skip: &'a str,
    /// What is read; it has the only `h1`.
    pub main: Markup,
    /// What stands beside it.
    pub side: Option<Side>,
    /// Where a search engine should think this page is, if it may be reached in several ways.
    pub canonical: Option<Href>,
    /// Whether a search engine should keep it.
    pub index: bool,
}

impl Page<'_> {
    /// The whole page. Characters that no HTML document may contain are shown by stand-ins.
    pub fn render(&self, frame: &Frame) -> String {
        legal(self.markup(frame).into_string())
    }

    fn markup(&self, frame: &Frame) -> Markup {
        html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    meta name="referrer" content="no-referrer";
                    @if !self.index { meta name="robots" content="noindex"; }
                    title { (self.title) @if self.title != frame.name { " · " (frame.name) } }
                    link rel="stylesheet" href=(style::PATH);
                    @if let Some(canonical) = &self.canonical { link rel="canonical" href=(canonical); }
                }
                body {
                    div { a.skip href="#main" { (self.skip) } }
                    (head(frame, self.query))
                    (self.columns())
                    footer.site { (frame.foot) }
                }
            }
        }
    }

    fn columns(&self) -> Markup {
        let Some(side) = &self.side else {
            return html! { div.columns { main #main tabindex="-1" { (self.main) } } };
        };
        let class = if side.at == SideAt::Left { "columns side-left" } else { "columns side-right" };
        html! {
            div class=(class) {
                main #main tabindex="-1" {
                    (self.main)
                }
                aside.side #side tabindex="-1" aria-label=(side.label) { (side.body) }
            }
        }
    }
}

fn head(frame: &Frame, query: &str) -> Markup {
    html! {
        header.site {
            div { a.name href="/" dir="auto" { (frame.name) } }
            form role="search" action="/search" method="get" {
                label.unseen for="q" { "Search" }
                input #q type="search" name="q" value=(query) maxlength="1000" autocomplete="off" autocapitalize="off" spellcheck="false" dir="auto";
                button type="submit" { "Search" }
            }
            nav.site aria-label="Site" { @for (href, words) in &frame.nav { a href=(href) { (words) } " " } }
        }
    }
}

/// Replaces what the HTML standard (section 13.2.3.5) calls an error wherever it stands: control characters by their pictures or by U+FFFD.
pub(crate) fn legal(page: String) -> String {
    let control = |b: &u8| (*b < 0x20 && !matches!(b, b'\n' | b'\t')) || *b == 0x7f;
    // The first two, or the last two, of the bytes in which UTF-8 writes the other characters that are an error.
    let suspect = |pair: &[u8]| matches!(pair, [0xc2, 0x80..=0x9f] | [0xef, 0xb7] | [0xbf, 0xbe | 0xbf]);
    let bytes = page.as_bytes();
    if bytes.iter().any(control) || bytes.windows(2).any(suspect) { page.chars().map(stand_in).collect() } else { page }
}

fn stand_in(c: char) -> char {
    match c {
        '\n' | '\t' => c,
        '\r' => '\n',
        '\0'..='\u{1f}' => char::from_u32(0x2400 + u32::from(c)).unwrap_or('\u{fffd}'),
        '\u{7f}' => '\u{2421}',
        '\u{80}'..='\u{9f}' | '\u{fdd0}'..='\u{fdef}' => '\u{fffd}',
        c if u32::from(c) & 0xfffe == 0xfffe => '\u{fffd}',
        c => c,
    }
}
