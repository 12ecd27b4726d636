use crate::{facts::thousands, url::Href};
use maud::{Markup, html};

/// One bar of a histogram.
#[derive(Debug, Clone)]
pub struct Bar {
    /// What it stands for, such as a year.
    pub label: String,
    /// How many.
    pub count: u64,
    /// Where a click on it goes.
    pub href: Href,
}

const STEP: usize = 10;
const HEIGHT: u64 = 100;

/// A histogram as SVG without style or script. It is for the eye and the mouse alone: hidden from assistive technology and from the keyboard, so
/// the same figures must stand in a table or list beside it. Give at least one bar.
pub fn histogram(bars: &[Bar]) -> Markup {
    let most = bars.iter().map(|bar| bar.count).max().unwrap_or(0).max(1);
    let width = bars.len().max(1) * STEP;
    html! {
        svg.chart aria-hidden="true" focusable="false" viewBox={ "0 0 " (width) " " (HEIGHT) } preserveAspectRatio="none" {
            @for (at, bar) in bars.iter().enumerate() {
                a href=(bar.href) tabindex="-1" {
                    title { (bar.label) ": " (thousands(bar.count)) }
                    rect.room x=(at * STEP) y="0" width=(STEP) height=(HEIGHT) {}
                    rect.bar x=(at * STEP) y=(HEIGHT - tall(bar.count, most)) width=(STEP - 2) height=(tall(bar.count, most)) {}
                }
            }
        }
        @if let (Some(first), Some(last)) = (bars.first(), bars.last()) {
            div.axis aria-hidden="true" { span { (first.label) } @if bars.len() > 1 { span { (last.label) } } }
        }
    }
}

/// A thin bar under a facet: how much of the whole it is. For the eye alone; its number stands beside it.
pub fn share(part: u64, whole: u64) -> Markup {
    let width = (u128::from(part) * 100 / u128::from(whole.max(1))).clamp(1, 100);
    html! {
        svg.share aria-hidden="true" focusable="false" viewBox="0 0 100 2" preserveAspectRatio="none" { rect x="0" y="0" width=(width) height="2" {} }
    }
}

/// How tall a bar is: whatever is not nothing can be seen.
fn tall(count: u64, most: u64) -> u64 {
    let exact = u128::from(count) * u128::from(HEIGHT) / u128::from(most);
    let seen = if count > 0 { exact.max(3) } else { 0 };
    u64::try_from(seen).unwrap_or(HEIGHT)
}
