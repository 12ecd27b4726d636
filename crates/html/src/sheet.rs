use crate::shell::legal;
use crate::style;
use maud::{DOCTYPE, Markup, html};

/// A page of forms in any language: no search, no side, and nothing that a search engine should keep.
#[derive(Debug, Clone)]
pub struct Sheet<'a> {
    /// The language that it is written in (BCP 47).
    pub language: &'a str,
    /// Whether that is written from right to left.
    pub right_to_left: bool,
    /// Its title; the site's name is added.
    pub title: &'a str,
    /// The site's name, and where it leads.
    pub site: (&'a str, &'a str),
    /// The words of the link over the head.
    pub skip: &'a str,
    /// What a screen reader calls the links at the head.
    pub nav_label: &'a str,
    /// The links at the head: address and words.
    pub nav: Vec<(String, &'a str)>,
    /// What is read; it has the only `h1`.
    pub main: Markup,
    /// What stands at the foot.
    pub foot: Markup,
}

impl Sheet<'_> {
    /// The whole page. Characters that no HTML document may contain are shown by stand-ins.
    pub fn render(&self) -> String {
        legal(self.markup().into_string())
    }

    fn markup(&self) -> Markup {
        html! {
            (DOCTYPE)
            html lang=(self.language) dir=(if self.right_to_left { "rtl" } else { "ltr" }) {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    meta name="robots" content="noindex";
                    title { (self.title) " · " (self.site.0) }
                    link rel="stylesheet" href=(style::PATH);
                }
                body {
                    div { a.skip href="#main" { (self.skip) } }
                    header.site {
                        div { a.name href=(self.site.1) { (self.site.0) } }
                        nav.site aria-label=(self.nav_label) { @for (href, words) in &self.nav { a href=(href) { (words) } " " } }
                    }
                    div.columns { main #main tabindex="-1" { (self.main) } }
                    footer.site { (self.foot) }
                }
            }
        }
    }
}
