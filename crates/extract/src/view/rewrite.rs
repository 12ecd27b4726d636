use crate::html::{self, Name, Tag, Token, Tokens, decode_entities};
use std::collections::{HashMap, HashSet};

/// Elements nested deeper are left out, their text is not.
const DEEPEST: usize = 80;

/// The elements that a view may have.
const ELEMENTS: &[&str] = &[
    "a",
    "abbr",
    "b",
    "bdi",
    "bdo",
    "blockquote",
    "br",
    "caption",
    "center",
    "cite",
    "code",
    "col",
    "colgroup",
    "dd",
    "del",
    "div",
    "dl",
    "dt",
    "em",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "i",
    "ins",
    "li",
    "ol",
    "p",
    "pre",
    "q",
    "s",
    "small",
    "span",
    "strong",
    "sub",
    "sup",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
    "thead",
    "tr",
    "tt",
    "u",
    "ul",
];

/// Attributes of particular elements.
const ATTRIBUTES: &[(&str, &[&str])] =
    &[("a", &["href"]), ("td", &["colspan", "rowspan"]), ("th", &["colspan", "rowspan"]), ("ol", &["start", "type"]), ("col", &["span"])];

/// Attributes of every element: without them text from right to left cannot be read.
const EVERYWHERE: &[&str] = &["dir", "lang"];

/// ammonia, told the same.
pub(super) fn cleaner() -> ammonia::Builder<'static> {
    let mut cleaner = ammonia::Builder::empty();
    let attributes: HashMap<&str, HashSet<&str>> =
        ATTRIBUTES.iter().map(|(element, names)| (*element, names.iter().copied().collect())).collect();
    cleaner
        .tags(ELEMENTS.iter().copied().collect())
        .clean_content_tags(["script", "style"].into())
        .tag_attributes(attributes)
        .generic_attributes(EVERYWHERE.iter().copied().collect())
        .url_schemes(["http", "https", "mailto"].into())
        .url_relative(ammonia::UrlRelative::Deny)
        .link_rel(Some("noopener noreferrer nofollow"))
        .strip_comments(true);
    cleaner
}

/// Writes a page anew: well nested, nothing in it but what a view may have, hidden elements left out.
pub(super) fn rewrite(page: &str) -> String {
    let mut writer = Writer { out: String::with_capacity(page.len()), open: Vec::new(), hidden: None };
    for token in Tokens::new(page) {
        match token {
            Token::Text(text) => writer.text(&decode_entities(text, false)),
            Token::Raw(name, text) if writer.hidden.is_none() && matches!(name.as_str(), "textarea" | "xmp" | "plaintext") => {
                writer.text(&decode_entities(text, false))
            }
            // Its end tag was read with it.
            Token::Raw(name, _) if writer.hidden.is_some() => writer.end(&name),
            Token::Raw(..) => (),
            Token::Start(tag) => writer.start(&tag),
            Token::End(name) => writer.end(&name),
        }
    }
    writer.close_to(0);
    writer.out
}

struct Writer {
    out: String,
    open: Vec<Name>,
    /// The hidden element that is open, and how many of its name are open in it.
    hidden: Option<(Name, u32)>,
}

impl Writer {
    fn text(&mut self, text: &str) {
        if self.hidden.is_some() || text.is_empty() {
            return;
        }
        if !text.trim().is_empty() {
            self.enter_cell();
        } else if self.in_table_structure() {
            return;
        }
        for c in text.chars() {
            match c {
                '&' => self.out.push_str("&amp;"),
                '<' => self.out.push_str("&lt;"),
                '>' => self.out.push_str("&gt;"),
                c => self.out.push(c),
            }
        }
    }

    fn start(&mut self, tag: &Tag<'_>) {
        let name = tag.name;
        if let Some((hidden, depth)) = &mut self.hidden {
            if !html::ends_paragraph(hidden, name.as_str()) {
                *depth += u32::from(*hidden == name);
                return;
            }
            self.hidden = None;
        }
        if html::is_hidden(tag) {
            if !name.is_void() {
                self.hidden = Some((name, 1));
            }
            return;
        }
        if name.as_str() == "img" {
            if let Some(alt) = tag.attribute("alt").filter(|alt| !alt.trim().is_empty()) {
                self.text(&format!("[{}]", alt.trim()));
            }
            return;
        }
        if !ELEMENTS.contains(&name.as_str()) || self.open.len() >= DEEPEST {
            return;
        }
        if !self.make_room(name.as_str()) || self.open.len() >= DEEPEST {
            return;
        }
        self.out.push('<');
        self.out.push_str(name.as_str());
        self.attributes(tag);
        self.out.push('>');
        if !name.is_void() {
            self.open.push(name);
        }
    }

    fn attributes(&mut self, tag: &Tag<'_>) {
        let own = ATTRIBUTES.iter().find(|(element, _)| *element == tag.name.as_str()).map_or(&[][..], |(_, names)| names);
        for name in own.iter().chain(EVERYWHERE) {
            let Some(value) = tag.attribute(name) else { continue };
            let fits = if *name == "href" { value.len() <= 8192 } else { value.len() <= 32 };
            if fits {
                self.out.push_str(&format!(" {name}=\"{}\"", value.replace('&', "&amp;").replace('"', "&quot;")));
            }
        }
    }

    fn end(&mut self, name: &Name) {
        if let Some((hidden, depth)) = &mut self.hidden {
            if hidden == name {
                *depth -= 1;
                if *depth == 0 {
                    self.hidden = None;
                }
            }
            return;
        }
        // Only a table's own end may close what a table is in.
        let within = if is_table_part(name.as_str()) || name.as_str() == "table" { self.after_last("table", true) } else { self.cell() };
        if let Some(place) = self.open[within..].iter().rposition(|open| open == name) {
            self.close_to(within + place);
        }
    }

    fn close_to(&mut self, depth: usize) {
        for name in self.open.drain(depth..).rev() {
            self.out.push_str("</");
            self.out.push_str(name.as_str());
            self.out.push('>');
        }
    }

    /// Where what is open in the innermost element of this name begins; 0 if none is open.
    fn after_last(&self, name: &str, itself: bool) -> usize {
        self.open.iter().rposition(|open| open.as_str() == name).map_or(0, |n| n + usize::from(!itself))
    }

    /// Where what is open in the innermost cell begins.
    fn cell(&self) -> usize {
        self.open.iter().rposition(|open| matches!(open.as_str(), "td" | "th" | "caption" | "table")).map_or(0, |n| n + 1)
    }

    /// Closes and opens what must be for this element to stand here; says whether it may.
    fn make_room(&mut self, name: &str) -> bool {
        if is_table_part(name) {
            return self.table_part(name);
        }
        self.enter_cell();
        let cell = self.cell();
        let closes: &[&str] = match name {
            "li" => &["li"],
            "dd" | "dt" => &["dd", "dt"],
            "a" => &["a"],
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => &["p", "h1", "h2", "h3", "h4", "h5", "h6"],
            "p" | "div" | "blockquote" | "center" | "ul" | "ol" | "dl" | "pre" | "table" | "hr" => &["p"],
            _ => return true,
        };
        // An item may hold a list with items of its own.
        let list = self.open[cell..].iter().rposition(|open| matches!(open.as_str(), "ul" | "ol" | "dl")).map_or(cell, |n| cell + n + 1);
        let from = if matches!(name, "li" | "dd" | "dt") { list } else { cell };
        if let Some(place) = self.open[from..].iter().position(|open| closes.contains(&open.as_str())) {
            self.close_to(from + place);
        }
        true
    }

    fn table_part(&mut self, name: &str) -> bool {
        let Some(table) = self.open.iter().rposition(|open| open.as_str() == "table") else { return false };
        let keep = |open: &Name| match name {
            "td" | "th" => matches!(open.as_str(), "tr" | "tbody" | "thead" | "tfoot"),
            "tr" => matches!(open.as_str(), "tbody" | "thead" | "tfoot"),
            "col" => open.as_str() == "colgroup",
            _ => false,
        };
        let kept = self.open[table + 1..].iter().take_while(|open| keep(open)).count();
        self.close_to(table + 1 + kept);
        if matches!(name, "td" | "th") && self.open.last().is_some_and(|open| open.as_str() != "tr") {
            self.open_plain("tr");
        }
        true
    }

    /// Whether what comes next would stand in a table but in none of its cells, from where a parser would have to move it.
    fn in_table_structure(&self) -> bool {
        self.open.last().is_some_and(|open| matches!(open.as_str(), "table" | "tbody" | "thead" | "tfoot" | "tr" | "colgroup"))
    }

    fn enter_cell(&mut self) {
        if self.in_table_structure() {
            self.table_part("td");
            self.open_plain("td");
        }
    }

    fn open_plain(&mut self, name: &str) {
        let tag = format!("<{name}>");
        self.out.push_str(&tag);
        let opened = Tokens::new(&tag).find_map(|token| if let Token::Start(tag) = token { Some(tag.name) } else { None });
        self.open.extend(opened);
    }
}

fn is_table_part(name: &str) -> bool {
    matches!(name, "td" | "th" | "tr" | "tbody" | "thead" | "tfoot" | "caption" | "colgroup" | "col")
}
