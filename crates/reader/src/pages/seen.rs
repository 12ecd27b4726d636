//! Who has seen this archive: the witnesses whose cosignatures stand under its checkpoint, and those whose do not.

use crate::library::Library;
use crate::when::Civil;
use daylight_archive::{Seen, Witnessed};
use daylight_html::{Markup, count, thousands};
use maud::html;

/// After how many days a reader is told that there may be a newer state elsewhere.
const OLD: u64 = 31;

/// One sentence, for the first page.
pub(super) fn sentence(library: &Library) -> Markup {
    let witnessed = library.archive().witnessed();
    html! {
        @if witnessed.witnesses.is_empty() {
            "No witness watches this archive: what you are shown, nobody else vouches to have seen."
        } @else {
            (witnesses(witnessed)) " it at " (count(library.size(), "log entry", "log entries"))
            @if let Some(last) = witnessed.last() { ", the last on " (day(last)) }
            ". " a href="/verify#witnesses" { "Who they are" }
        }
    }
}

/// `3 of its 4 witnesses have seen`.
fn witnesses(witnessed: &Witnessed) -> Markup {
    let (seen, all) = (witnessed.count(), witnessed.witnesses.len());
    html! {
        @match (seen, all) {
            (1, 1) => { "Its witness has seen" }
            (0, _) => { "None of its witnesses has seen" }
            (1, _) => { "One of its " (all) " witnesses has seen" }
            _ => { (seen) " of its " (all) " witnesses have seen" }
        }
    }
}

/// The whole of it. `now` is the time in seconds since 1970.
pub(super) fn section(library: &Library, now: u64) -> Markup {
    let witnessed = library.archive().witnessed();
    html! {
        h2 #witnesses { "Who has seen this archive" }
        p { "Whoever runs a site could show one history to you and another to everybody else. Witnesses make that visible: each remembers the last state of the log that it saw, "
            "cosigns only what continues it, and says when." }
        @if witnessed.witnesses.is_empty() {
            p { "The root of this archive names no witness. Compare the size and the tree head of the log, above, with another copy." }
        } @else {
            p { (witnesses(witnessed)) " this archive at " (count(library.size(), "log entry", "log entries")) "."
                @if !witnessed.needed.is_empty() { " Its root asks for " (witnessed.needed) "; whoever opens the archive refuses it with fewer." } }
            table {
                thead { tr { th scope="col" { "Witness" } th scope="col" { "Has seen it as it is here" } } }
                tbody { @for seen in &witnessed.witnesses { tr { td.mono { bdi { (seen.witness) } } td { (when(seen, now)) } } } }
            }
            @if let Some(days) = witnessed.last().map(|last| now.saturating_sub(last) / 86_400).filter(|days| *days >= OLD) {
                p.note { "The last of them saw it " (thousands(days)) " days ago. It is as valid as then; there may be a newer state, which another copy or the witnesses have." }
            }
        }
    }
}

fn when(seen: &Seen, now: u64) -> Markup {
    html! {
        @match seen.time {
            None => { span.quiet { "has not cosigned it" } }
            Some(time) => {
                "on " (day(time))
                @if seen.is_ahead_of(now) { " — a day that has not come: its clock is wrong, or this site’s" }
            }
        }
    }
}

/// `14 April 2014, 09:12 UTC`.
fn day(time: u64) -> String {
    let time = i64::try_from(time).unwrap_or(i64::MAX);
    let second = time.rem_euclid(86_400);
    format!("{}, {:02}:{:02} UTC", Civil::of(time).words(), second / 3600, second / 60 % 60)
}
