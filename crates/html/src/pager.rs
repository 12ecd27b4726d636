use crate::{facts::thousands, url::Href};
use maud::{Markup, html};

/// Which part of a list a page shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageSpan {
    /// The page, from 1.
    pub page: u64,
    /// How many items a page holds; not 0.
    pub per_page: u64,
    /// How many items there are.
    pub total: u64,
    /// The last page that can be reached, where that is not the last there is.
    pub reach: u64,
}

impl PageSpan {
    /// How many pages can be reached: at least 1, for an empty list has a page that says so.
    pub fn pages(&self) -> u64 {
        self.total.div_ceil(self.per_page.max(1)).min(self.reach).max(1)
    }

    /// How many items come before this page.
    pub fn offset(&self) -> u64 {
        (self.page.saturating_sub(1)).saturating_mul(self.per_page)
    }

    /// Whether there is such a page.
    pub fn exists(&self) -> bool {
        (1..=self.pages()).contains(&self.page)
    }
}

/// Links to the pages around this one, nothing where one page holds everything. `href` gives the address of a page.
pub fn pager(span: PageSpan, href: &dyn Fn(u64) -> Href) -> Markup {
    let pages = span.pages();
    if pages <= 1 {
        return html! {};
    }
    html! {
        nav.pager aria-label="Pages" {
            @if span.page > 1 { a.step rel="prev" href=(href(span.page - 1)) { "← Previous" } " " }
            span.where { "Page " (thousands(span.page)) " of " (thousands(pages)) } " "
            @if span.page < pages { a.step rel="next" href=(href(span.page + 1)) { "Next →" } " " }
            @for page in landmarks(span.page, pages) { a.jump href=(href(page)) { (thousands(page)) } " " }
        }
    }
}

/// A handful of pages worth jumping to: the ends, and steps that grow with the distance.
fn landmarks(page: u64, pages: u64) -> Vec<u64> {
    let mut at = vec![1, pages];
    for step in [2, 10, 100, 1000] {
        at.extend([page.saturating_sub(step), page.saturating_add(step)]);
    }
    at.retain(|p| (1..=pages).contains(p) && p.abs_diff(page) > 1);
    at.sort_unstable();
    at.dedup();
    at
}
