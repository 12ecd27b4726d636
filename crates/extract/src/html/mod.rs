//! HTML to text. One pass over its tags without a tree, so that neither nesting nor size can hurt.

mod token;

pub(crate) use token::{Name, Tag, Token, Tokens, decode_entities};

/// A character set is looked for in this many bytes only (HTML Standard, section 13.2.3.2).
const PRESCAN: usize = 1024;

/// The text that a reader of the page sees, and the text that is there but not shown.
pub(crate) fn text(source: &str) -> (String, String) {
    let mut page = Page::new(source.len());
    for token in Tokens::new(source) {
        match token {
            Token::Text(text) => page.text(&decode_entities(text, false)),
            Token::Raw(name, text) => page.raw(&name, text),
            Token::Start(tag) => page.start(&tag),
            Token::End(name) => page.end(&name),
        }
    }
    (page.body.finish(), page.hidden.finish())
}

/// The character set that a `meta` element states.
pub(crate) fn stated_charset(bytes: &[u8]) -> Option<String> {
    let head: String = bytes[..bytes.len().min(PRESCAN)].iter().map(|b| char::from(b & 0x7f)).collect();
    Tokens::new(&head).find_map(|token| {
        let Token::Start(tag) = token else { return None };
        if tag.name.as_str() != "meta" {
            return None;
        }
        tag.attribute("charset").or_else(|| {
            let content = tag.attribute("content")?.to_ascii_lowercase();
            let value = content.split_once("charset=")?.1.trim();
            Some(value.trim_matches(['"', '\'']).split([';', ' ', '"']).next()?.to_owned())
        })
    })
}

/// Whether these bytes say of themselves that they are HTML.
pub(crate) fn begins(bytes: &[u8]) -> bool {
    let start = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start();
    let begins = |mark: &str| start.get(..mark.len()).is_some_and(|b| b.eq_ignore_ascii_case(mark.as_bytes()));
    ["<!doctype html", "<html", "<head>", "<body"].iter().any(|mark| begins(mark))
}

/// Whether an element is there but not shown.
pub(crate) fn is_hidden(tag: &Tag<'_>) -> bool {
    if tag.name.as_str() == "template" {
        return true;
    }
    if tag.attributes.is_empty() {
        return false;
    }
    tag.attributes().any(|(name, value)| {
        name.eq_ignore_ascii_case("hidden")
            || name.eq_ignore_ascii_case("style") && {
                let style: String = value.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_ascii_lowercase()).collect();
                let said = |what: &str| style.split(';').any(|rule| rule.strip_suffix("!important").unwrap_or(rule) == what);
                let zero = ["font-size:0", "font-size:0px", "font-size:0pt", "font-size:0em", "opacity:0"];
                said("display:none") || said("visibility:hidden") || said("mso-hide:all") || zero.iter().any(|rule| said(rule))
            }
    })
}

/// Whether this element ends an open one without saying so: a paragraph ends where any block begins.
pub(crate) fn ends_paragraph(open: &Name, name: &str) -> bool {
    open.as_str() == "p" && name != "br" && matches!(flow(name), Flow::Line | Flow::Paragraph)
}

/// How an element stands in the flow of text.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Flow {
    Inline,
    /// It begins a line.
    Line,
    /// An empty line stands around it.
    Paragraph,
    Cell,
}

fn flow(name: &str) -> Flow {
    match name {
        "p" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "blockquote" | "pre" | "ul" | "ol" | "dl" | "table" | "title" => Flow::Paragraph,
        "div" | "br" | "hr" | "li" | "tr" | "dt" | "dd" | "section" | "article" | "header" | "footer" | "nav" | "aside" | "main"
        | "address" | "caption" | "form" | "fieldset" | "option" | "center" | "figure" | "figcaption" | "details" | "summary" | "body"
        | "html" => Flow::Line,
        "td" | "th" => Flow::Cell,
        _ => Flow::Inline,
    }
}

struct Page {
    body: Flowing,
    hidden: Flowing,
    /// The hidden element that is open, and how many of its name are open in it.
    within: Option<(Name, u32)>,
    preformatted: u32,
}

impl Page {
    fn new(length: usize) -> Self {
        Self { body: Flowing::with_capacity(length / 2), hidden: Flowing::with_capacity(0), within: None, preformatted: 0 }
    }

    fn flowing(&mut self) -> &mut Flowing {
        if self.within.is_some() { &mut self.hidden } else { &mut self.body }
    }

    fn text(&mut self, text: &str) {
        let preformatted = self.preformatted > 0;
        self.flowing().push(text, preformatted);
    }

    /// Text of elements whose content is not HTML: what a script says is no text.
    fn raw(&mut self, name: &Name, text: &str) {
        if matches!(name.as_str(), "title" | "textarea" | "plaintext" | "xmp") {
            self.flowing().flow(flow(name.as_str()));
            self.text(&decode_entities(text, false));
            self.flowing().flow(flow(name.as_str()));
        }
        // Its end tag was read with it. Outlook hides its style elements, and they must not take the page with them.
        self.leave(name);
    }

    fn start(&mut self, tag: &Tag<'_>) {
        let name = tag.name.as_str();
        match &mut self.within {
            Some((open, _)) if ends_paragraph(open, name) => self.within = None,
            Some((open, depth)) if *open == tag.name => *depth += 1,
            Some(_) => (),
            None if !tag.name.is_void() && is_hidden(tag) => {
                self.hidden.flow(Flow::Line);
                self.within = Some((tag.name, 1));
            }
            None => (),
        }
        self.preformatted = self.preformatted.saturating_add(u32::from(name == "pre"));
        self.flowing().flow(flow(name));
        if name == "img"
            && let Some(alt) = tag.attribute("alt").filter(|alt| !alt.trim().is_empty())
        {
            self.text(&format!("[{}]", alt.trim()));
        }
    }

    fn end(&mut self, name: &Name) {
        self.preformatted = self.preformatted.saturating_sub(u32::from(name.as_str() == "pre"));
        self.flowing().flow(flow(name.as_str()));
        self.leave(name);
    }

    /// Ends what is hidden where the element that hides it ends.
    fn leave(&mut self, name: &Name) {
        if let Some((open, depth)) = &mut self.within
            && open == name
        {
            *depth -= 1;
            if *depth == 0 {
                self.within = None;
            }
        }
    }
}

/// Text with its white space drawn together as a page does it.
struct Flowing {
    text: String,
    /// What must stand before the next word, if any word comes.
    pending: &'static str,
}

impl Flowing {
    fn with_capacity(capacity: usize) -> Self {
        Self { text: String::with_capacity(capacity), pending: "" }
    }

    fn flow(&mut self, flow: Flow) {
        let wanted = match flow {
            Flow::Inline => return,
            Flow::Line => "\n",
            Flow::Paragraph => "\n\n",
            Flow::Cell => "\t",
        };
        if rank(wanted) > rank(self.pending) {
            self.pending = wanted;
        }
    }

    fn push(&mut self, text: &str, preformatted: bool) {
        if preformatted {
            if !text.is_empty() {
                self.separate();
                self.text.push_str(text);
            }
            return;
        }
        let mut rest = text;
        while !rest.is_empty() {
            let word = rest.find(is_space).unwrap_or(rest.len());
            if word > 0 {
                self.separate();
                self.text.push_str(&rest[..word]);
            }
            let after = rest[word..].trim_start_matches(is_space);
            if after.len() < rest.len() - word && self.pending.is_empty() {
                self.pending = " ";
            }
            rest = after;
        }
    }

    fn separate(&mut self) {
        if !self.text.is_empty() {
            self.text.push_str(self.pending);
        }
        self.pending = "";
    }

    fn finish(mut self) -> String {
        self.text.truncate(self.text.trim_end().len());
        self.text
    }
}

fn rank(separator: &str) -> u8 {
    match separator {
        "" => 0,
        " " => 1,
        "\t" => 2,
        "\n" => 3,
        _ => 4,
    }
}

/// White space that a page draws together: not the no-break space.
fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\n' | '\t' | '\r' | '\x0c')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_becomes_the_text_that_is_seen() {
        let page = "<!DOCTYPE html><html><head><title>Tit&eacute;</title><style>p { color: red }</style><script>if (a</b) 'x'</script></head>\
            <body><!-- no --><h1>Head</h1><p>One  two\n<b>bold</b>ly &amp; &#x41;&#146;<br>next</p><ul><li>a<li>b</ul>\
            <table><tr><td>1<td>2</tr><tr><td>3</td></tr></table><pre>  kept\n  so</pre><a href='http://x'>link</a> 1 < 2 \
            <img src=x alt='a cat'></body></html>";
        let (body, hidden) = text(page);
        assert_eq!(body, "Tité\n\nHead\n\nOne two boldly & A’\nnext\n\na\nb\n\n1\t2\n3\n\n  kept\n  so\n\nlink 1 < 2 [a cat]");
        assert_eq!(hidden, "");
    }

    #[test]
    fn hidden_text_is_kept_apart() {
        let (body, hidden) = text(
            "a<div style='DISPLAY : none !important'>b<div>c</div>d</div>e<span hidden>f</span>g<p style=\"font-size:0\">h<p>i<br style=display:none>j",
        );
        assert_eq!((body.as_str(), hidden.as_str()), ("aeg\n\ni\nj", "b\nc\nd\nf\n\nh"));
        let (body, hidden) = text("<style style='display:none'>p {}</style>seen");
        assert_eq!((body.as_str(), hidden.as_str()), ("seen", ""));
    }

    #[test]
    fn hostile_pages_cost_no_more_than_their_length() {
        for piece in
            ["<div>", "<a b c d=\"", "<", "</", "<!--", "<script>", "&", "&am", "<p style=display:none>", "<a ", "<a x=\">\" ", "\"<a '"]
        {
            text(&piece.repeat(100_000));
        }
        text(&format!("<a {}>x", "b=c ".repeat(300_000)));
    }

    #[test]
    fn a_page_states_its_character_set() {
        assert_eq!(stated_charset(b"<html><meta charset=koi8-r>").as_deref(), Some("koi8-r"));
        let old = b"<META http-equiv='Content-Type' content='text/html; charset=Big5'>\xa4\xa4";
        assert_eq!(stated_charset(old).as_deref(), Some("big5"));
    }
}
