use maud::{Markup, PreEscaped};

/// One line of a tree.
#[derive(Debug, Clone)]
pub struct TreeItem {
    /// How deep it stands, from 0.
    pub depth: usize,
    /// What stands there.
    pub body: Markup,
    /// Whether it is what the page is about.
    pub current: bool,
}

/// How deep lists are put into lists; what is deeper stands at this depth. Browsers stop at some hundreds, readers much earlier.
const DEEPEST: usize = 6;

/// A tree as lists in lists, from its lines in reading order. It is written as it comes, without recursion: a tree of any depth is fine.
pub fn tree(items: impl IntoIterator<Item = TreeItem>) -> Markup {
    let mut out = String::from("<ol class=\"tree\">");
    let mut depth: Option<usize> = None;
    for item in items {
        // A child is at most one deeper than the line before it, whatever it says.
        let next = item.depth.min(DEEPEST).min(depth.map_or(0, |d| d + 1));
        match depth {
            None => {}
            Some(d) if next > d => out.push_str("<ol>"),
            Some(d) => {
                out.push_str("</li>");
                (next..d).for_each(|_| out.push_str("</ol></li>"));
            }
        }
        out.push_str(if item.current { "<li aria-current=\"page\">" } else { "<li>" });
        out.push_str(&item.body.0);
        depth = Some(next);
    }
    if let Some(d) = depth {
        out.push_str("</li>");
        (0..d).for_each(|_| out.push_str("</ol></li>"));
    }
    out.push_str("</ol>");
    PreEscaped(out)
}
