//! What every page of Daylight is made of: the shell around it, its style sheet, the headers that cage it, and the few components that pages share.
//! It knows no domain type and no page: it is handed text and gives markup in which every piece of that text is escaped. There is no script in it
//! and no inline style, so that the headers of [`policy`] can forbid both.
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod chart;
mod facts;
mod pager;
pub mod policy;
mod prose;
mod sheet;
mod shell;
pub mod style;
mod tree;
mod url;

pub use chart::{Bar, histogram, share};
pub use facts::{count, redacted, size, thousands};
pub use maud::{Markup, PreEscaped, html};
pub use pager::{PageSpan, pager};
pub use prose::prose;
pub use sheet::Sheet;
pub use shell::{Frame, Page, Side, SideAt};
pub use tree::{TreeItem, tree};
pub use url::{Href, encode};

#[cfg(test)]
mod tests;
