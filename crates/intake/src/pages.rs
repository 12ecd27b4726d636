//! The drop's pages. Each is a function from what it shows to HTML, and none has a script.

mod mailbox;
mod stop;

pub(crate) use mailbox::{Answer, Mailbox, mailbox};
pub(crate) use stop::{Stop, stop};

use crate::words::{Language, languages};
use daylight_html::{Markup, Sheet, html};

/// What is the same on every page.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Frame<'a> {
    /// The language it is written in.
    pub(crate) language: &'static Language,
    /// The newsroom's name.
    pub(crate) newsroom: &'a str,
    /// The path without the language, `/login`, under which the page stands in the others; none where it answers a form.
    pub(crate) path: Option<&'static str>,
    /// Whether somebody is logged in.
    pub(crate) inside: bool,
}

impl Frame<'_> {
    /// A path in this page's language.
    fn at(&self, path: &str) -> String {
        format!("/{}{path}", self.language.tag)
    }

    /// A message that may name the newsroom.
    fn say(&self, name: &'static str) -> String {
        self.language.say_with(name, &[("title", self.newsroom)])
    }

    fn page(&self, title: &str, main: Markup) -> String {
        let language = self.language;
        let mut nav = vec![(self.at("/"), language.say("nav-start"))];
        nav.push(if self.inside {
            (self.at("/mailbox"), language.say("nav-mailbox"))
        } else {
            (self.at("/login"), language.say("nav-return"))
        });
        Sheet {
            language: language.tag,
            right_to_left: language.right_to_left,
            title,
            site: (&self.say("site"), &self.at("/")),
            skip: language.say("skip"),
            nav_label: language.say("site-nav"),
            nav,
            main,
            foot: self.foot(),
        }
        .render()
    }

    fn foot(&self) -> Markup {
        html! {
            @if let Some(path) = self.path {
                nav aria-label=(self.language.say("languages")) {
                    ul.inline {
                        @for other in languages() {
                            li {
                                a href={ "/" (other.tag) (path) } lang=(other.tag) hreflang=(other.tag) dir=(if other.right_to_left { "rtl" } else { "ltr" })
                                    aria-current=[(other.tag == self.language.tag).then_some("true")] { (other.say("language")) }
                            }
                        }
                    }
                }
            }
            p { (self.language.say("foot")) }
        }
    }
}

/// The hidden field that shows that a form is one of ours.
fn token(token: &str) -> Markup {
    html! { input type="hidden" name="token" value=(token); }
}

/// The first page: what to do first, what is protected, and the two ways in.
pub(crate) fn start(frame: &Frame<'_>, form: &str) -> String {
    let main = html! {
        h1 { (frame.say("site")) }
        p.lead { (frame.say("start-lead")) }
        h2 { (frame.say("first-title")) }
        ol {
            @for name in ["first-tor", "first-network", "first-work", "first-few", "first-files", "first-silence"] { li { (frame.say(name)) } }
        }
        h2 { (frame.say("protect-title")) }
        ul {
            @for name in ["protect-sealed", "protect-not", "protect-tool", "protect-log", "protect-days"] { li { (frame.say(name)) } }
        }
        h2 { (frame.say("begin-title")) }
        p { (frame.say("begin-new-about")) }
        form.fields method="post" action=(frame.at("/new")) { (token(form)) button { (frame.say("begin-new")) } }
        p { a.button href=(frame.at("/login")) { (frame.say("begin-return")) } }
    };
    frame.page(frame.language.say("nav-start"), main)
}

/// The page that shows a new codename, once.
pub(crate) fn codename(frame: &Frame<'_>, form: &str, words: &str) -> String {
    let main = html! {
        h1 { (frame.say("codename-title")) }
        p { (frame.say("codename-about")) }
        p.codename lang="en" dir="ltr" { (words) }
        p { (frame.say("codename-keep")) }
        form.fields method="post" action=(frame.at("/kept")) { (token(form)) button { (frame.say("codename-kept")) } }
    };
    frame.page(frame.language.say("codename-title"), main)
}

/// The page on which a codename is typed.
pub(crate) fn login(frame: &Frame<'_>, form: &str) -> String {
    let main = html! {
        h1 { (frame.say("login-title")) }
        form.fields method="post" action=(frame.at("/login")) {
            (token(form))
            label for="codename" { (frame.say("login-words")) }
            input #codename type="text" name="codename" required maxlength="400" autocomplete="off" autocapitalize="off" autocorrect="off" spellcheck="false"
                lang="en" dir="ltr";
            button { (frame.say("login-go")) }
        }
    };
    frame.page(frame.language.say("login-title"), main)
}

/// What is shown where the words typed are no codename.
pub(crate) fn slip(frame: &Frame<'_>) -> String {
    let main = html! {
        h1 { (frame.say("slip-title")) }
        p { (frame.say("slip-about")) }
        p { a.button href=(frame.at("/login")) { (frame.say("again")) } }
    };
    frame.page(frame.language.say("slip-title"), main)
}

/// The page that asks whether everything is to be deleted.
pub(crate) fn delete(frame: &Frame<'_>, form: &str) -> String {
    let main = html! {
        h1 { (frame.say("delete-title")) }
        p { (frame.say("delete-about")) }
        form.fields method="post" action=(frame.at("/delete")) { (token(form)) button.danger { (frame.say("delete-go")) } }
        p { a.button href=(frame.at("/mailbox")) { (frame.say("delete-back")) } }
    };
    frame.page(frame.language.say("delete-title"), main)
}

/// What is shown after everything was deleted.
pub(crate) fn gone(frame: &Frame<'_>) -> String {
    let main = html! { h1 { (frame.say("gone-title")) } p { (frame.say("gone-about")) } p { (frame.say("bye-about")) } };
    frame.page(frame.language.say("gone-title"), main)
}

/// What is shown after logging out.
pub(crate) fn bye(frame: &Frame<'_>) -> String {
    let main = html! { h1 { (frame.say("bye-title")) } p { (frame.say("bye-about")) } };
    frame.page(frame.language.say("bye-title"), main)
}

/// Fills a page up to a length with a remark, so that how long it is says nothing. A page that is longer is filled up to the next multiple.
pub(crate) fn padded(mut page: String, length: usize) -> String {
    const MARKS: usize = "<!---->".len();
    let target = (page.len() + MARKS).next_multiple_of(length);
    let fill = target - page.len() - MARKS;
    page.reserve(fill + MARKS);
    page.push_str("<!--");
    page.extend(std::iter::repeat_n('0', fill));
    page.push_str("-->");
    page
}
