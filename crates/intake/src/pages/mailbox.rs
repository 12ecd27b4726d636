//! A source's mailbox: answers, the form to send, and the ways to leave.

use super::{Frame, token};
use crate::hatch::Flash;
use daylight_html::{Markup, html, size};
use std::ops::Range;
use zeroize::Zeroizing;

/// An answer as it is shown.
pub(crate) enum Answer {
    /// One that an editor signed, with the beginning of the editor's key.
    Signed {
        /// The text.
        text: Zeroizing<String>,
        /// Who signed it.
        editor: String,
    },
    /// One that cannot be believed.
    Unread,
}

/// What a mailbox shows.
pub(crate) struct Mailbox {
    /// The answers, and which of them these are, counted from 0; the newest stand first.
    pub(crate) answers: Vec<Answer>,
    /// The place of each answer shown, from the newest.
    pub(crate) shown: Range<usize>,
    /// How many answers there are.
    pub(crate) all: usize,
    /// How many sealed pieces wait, and their length.
    pub(crate) waiting: (u64, u64),
    /// Whether an editor accepted the source.
    pub(crate) accepted: bool,
    /// What came of what was sent last.
    pub(crate) flash: Option<Flash>,
}

impl Mailbox {
    /// One with so many answers to nobody, which is drawn and thrown away: it takes as long to show few answers as many.
    pub(crate) fn filler(count: usize) -> Self {
        let one = |_| Answer::Signed { text: Zeroizing::new("an answer ".repeat(300)), editor: "0".repeat(16) };
        Self { answers: (0..count).map(one).collect(), shown: 0..count, all: count, waiting: (0, 0), accepted: false, flash: None }
    }
}

/// The page.
pub(crate) fn mailbox(frame: &Frame<'_>, form: &str, mailbox: &Mailbox) -> String {
    let main = html! {
        h1 { (frame.say("mailbox-title")) }
        @if let Some(flash) = mailbox.flash { (said(frame, flash)) }
        h2 { (frame.say("mailbox-answers")) }
        (answers(frame, mailbox))
        h2 { (frame.say("send-title")) }
        @if !mailbox.accepted { p { (frame.say("send-unaccepted")) } }
        (send(frame, form))
        @if mailbox.waiting.0 > 0 {
            p.quiet { (frame.language.say_with("mailbox-waiting", &[("n", &mailbox.waiting.0.to_string()), ("size", &size(mailbox.waiting.1))])) }
        }
        h2 { (frame.say("end-title")) }
        form.fields method="post" action=(frame.at("/logout")) { (token(form)) button { (frame.say("end-logout")) } }
        p { a.button href=(frame.at("/delete")) { (frame.say("delete-open")) } }
    };
    frame.page(frame.language.say("mailbox-title"), main)
}

fn said(frame: &Frame<'_>, flash: Flash) -> Markup {
    let words = match flash {
        Flash::Sent { texts, files } => {
            frame.language.say_with("mailbox-sent", &[("texts", &texts.to_string()), ("files", &files.to_string())])
        }
        Flash::Nothing => frame.say("mailbox-nothing"),
        Flash::Broke(parts) => frame.language.say_with("mailbox-broke", &[("n", &parts.to_string())]),
    };
    let class = if matches!(flash, Flash::Sent { .. }) { "said fine" } else { "said" };
    html! { div class=(class) role="status" { p { (words) } } }
}

fn answers(frame: &Frame<'_>, mailbox: &Mailbox) -> Markup {
    let Range { start, end } = mailbox.shown;
    html! {
        @if mailbox.all == 0 { p { (frame.say("mailbox-none")) } }
        @for (place, answer) in (start..end).zip(&mailbox.answers) {
            h3 { (frame.language.say_with("mailbox-answer", &[("n", &(mailbox.all - place).to_string()), ("all", &mailbox.all.to_string())])) }
            @match answer {
                Answer::Signed { text, editor } => {
                    p.letter dir="auto" { (text.as_str()) }
                    p.quiet.small { (frame.language.say_with("mailbox-signed", &[("editor", editor)])) }
                }
                Answer::Unread => p { (frame.say("mailbox-unread")) },
            }
        }
        @if start > 0 { p { a.button href={ (frame.at("/mailbox?from=")) (start.saturating_sub(end - start)) } { (frame.say("mailbox-newer")) } } }
        @if end < mailbox.all { p { a.button href={ (frame.at("/mailbox?from=")) (end) } { (frame.say("mailbox-older")) } } }
    }
}

/// The form to send. The fields that say how the file is to be taken stand before it, because it is sealed as it arrives.
fn send(frame: &Frame<'_>, form: &str) -> Markup {
    html! {
        form.fields method="post" action=(frame.at("/send")) enctype="multipart/form-data" {
            (token(form))
            label for="text" { (frame.say("send-text")) }
            textarea #text name="text" rows="8" autocomplete="off" spellcheck="false" dir="auto" {}
            details {
                summary { (frame.say("send-parts")) }
                label for="part" { (frame.say("send-part")) }
                input #part type="number" name="part" min="1" max="32" aria-describedby="part-about";
                p #part-about .small { (frame.say("send-part-about")) }
                label.check { input type="checkbox" name="piece" value="1"; span { (frame.say("send-piece")) } }
                label.check { input type="checkbox" name="last" value="1"; span { (frame.say("send-last")) } }
                label for="whole" { (frame.say("send-whole")) }
                input #whole type="text" name="whole" maxlength="200" autocomplete="off" dir="auto";
            }
            label for="file" { (frame.say("send-file")) }
            input #file type="file" name="file" multiple aria-describedby="limit";
            p #limit .small { (frame.say("send-limit")) }
            button { (frame.say("send-go")) }
        }
    }
}
