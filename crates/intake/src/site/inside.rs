//! The pages of somebody who is logged in.

use super::{Head, Site, lookup_of, shown};
use crate::answer::Answer;
use crate::pages::{self, Mailbox, Stop, padded};
use crate::session::Cookie;
use hyper::body::Incoming;
use hyper::header::{self, HeaderName};

/// How many answers a page shows.
const SHOWN: usize = 4;
/// What a mailbox is filled up to, whatever is in it: 256 KiB.
const LENGTH: usize = 256 << 10;

impl Site {
    /// Shows a new codename, as often as it is asked for, until its owner says that it is written down.
    pub(super) fn codename(&self, head: &Head) -> Result<Answer, Stop> {
        let (cookie, visit) = self.visit(head)?;
        let frame = self.frame(head, Some("/codename"), true);
        match self.hatch.words_of(&cookie) {
            Some(words) => Ok(shown(pages::codename(&frame, &visit.form, &words))),
            None => Ok(Answer::see(&head.at("/mailbox"))),
        }
    }

    /// The codename is written down.
    pub(super) async fn kept(&self, head: &Head, body: Incoming) -> Result<Answer, Stop> {
        let (cookie, _) = self.inner_form(head, body).await?;
        self.hatch.hide_words(cookie.name());
        Ok(Answer::see(&head.at("/mailbox")))
    }

    pub(super) fn mailbox(&self, head: &Head) -> Result<Answer, Stop> {
        let (cookie, visit) = self.visit(head)?;
        let from = head.query.strip_prefix("from=").and_then(|from| from.parse::<usize>().ok()).unwrap_or(0);
        let flash = self.hatch.flash(cookie.name());
        let (keys, lookup) = lookup_of(&visit.seed);
        let mut replies = self.hatch.replies(lookup);
        replies.reverse();
        let start = from.min(replies.len());
        let end = replies.len().min(start + SHOWN);
        let sealed: Result<Vec<_>, _> = replies[start..end].iter().map(|(id, _)| self.hatch.reply(*id)).collect();
        // As many files are read and as many answers shown, to nobody, as are missing.
        (end - start..SHOWN).for_each(|_| _ = std::hint::black_box(self.hatch.read_in_vain()));
        let answers = self.open_replies(&keys, &sealed.map_err(|_| Stop::Failed)?, SHOWN);
        let usage = self.hatch.usage(lookup);
        let filler = Mailbox::filler(SHOWN - (end - start));
        let mailbox = Mailbox {
            answers,
            shown: start..end,
            all: replies.len(),
            waiting: (usage.envelopes, usage.bytes),
            accepted: usage.accepted,
            flash,
        };
        let page = pages::mailbox(&self.frame(head, Some("/mailbox"), true), &visit.form, &mailbox);
        let _ = std::hint::black_box(pages::mailbox(&self.frame(head, Some("/mailbox"), true), &visit.form, &filler));
        let slipped = pages::slip(&self.frame(head, Some("/mailbox"), false));
        Ok(shown(padded(if visit.slip { slipped } else { page }, LENGTH)))
    }

    pub(super) fn ask_to_delete(&self, head: &Head) -> Result<Answer, Stop> {
        let (_, visit) = self.visit(head)?;
        Ok(shown(pages::delete(&self.frame(head, Some("/delete"), true), &visit.form)))
    }

    /// Deletes everything of a source, and ends its session.
    pub(super) async fn delete(&self, head: &Head, body: Incoming) -> Result<Answer, Stop> {
        let (cookie, visit) = self.inner_form(head, body).await?;
        self.hatch.forget(lookup_of(&visit.seed).1).map_err(|_| Stop::Failed)?;
        self.hatch.end_session(cookie.name());
        Ok(left(Answer::see(&head.at("/gone"))))
    }

    pub(super) async fn logout(&self, head: &Head, body: Incoming) -> Result<Answer, Stop> {
        let (cookie, _) = self.inner_form(head, body).await?;
        self.hatch.end_session(cookie.name());
        Ok(left(Answer::see(&head.at("/bye"))))
    }
}

/// Has a browser forget what it was shown.
fn left(answer: Answer) -> Answer {
    let answer = answer.with(header::SET_COOKIE, &Cookie::gone()).closing();
    answer.with(HeaderName::from_static("clear-site-data"), "\"cache\", \"cookies\", \"storage\"")
}
