//! Looking around: whoever asks one site only is shown what that site likes. So when a copy is up to date with one, some others are asked for their
//! checkpoints, for what is newer and for what contradicts.

use super::roots::{Unread, read};
use super::{Ended, Stated, Update};
use crate::address::Address;
use crate::http::Part;
use daylight_archive::paths;

/// So many others are asked at a time, in turn.
const OTHERS: usize = 2;
/// How long a turn is, in seconds.
const TURN: u64 = 3600;
/// The most bytes of a checkpoint.
const SMALL: u64 = 1 << 20;

impl Update<'_> {
    /// Asks some sites that were not asked yet, once each. A newer state is taken; what contradicts this one is kept as evidence; that a site is gone or
    /// behind changes nothing.
    pub(super) fn compare(&mut self, tried: &[Address]) -> Result<(), Ended> {
        let others: Vec<Address> = self.sites.good().into_iter().filter(|site| !tried.contains(site)).collect();
        let Some(turn) = (self.job.now / TURN).checked_rem(others.len() as u64) else { return Ok(()) };
        let from = usize::try_from(turn).unwrap_or(0);
        for site in others.iter().cycle().skip(from).take(OTHERS.min(others.len())) {
            match self.ask(site) {
                Ok(()) => {}
                // What cannot be had of a newer state is no reason to be content with nothing.
                Err(Ended::Failed(what) | Ended::Nowhere(what)) => {
                    self.sites.refuse(site, paths::CHECKPOINT, &format!("its newer state: {what}"), false)
                }
                Err(ended) => return Err(ended),
            }
        }
        Ok(())
    }

    fn ask(&mut self, site: &Address) -> Result<(), Ended> {
        let path = paths::CHECKPOINT;
        let got = self.sites.client().get(site, path, Part::Whole, SMALL).and_then(|answer| answer.bytes());
        let Some(bytes) = self.noted(site, path, got.map_err(Into::into))? else { return Ok(()) };
        let Some(known) = &self.known else { return Ok(()) };
        let checkpoint = match read(&bytes, known.chain()) {
            Ok(checkpoint) => checkpoint,
            // Perhaps a newer root has another key for the log.
            Err(Unread::Unsigned) => return self.bring(site).map(|_| ()),
            Err(Unread::Wrong(what)) => return self.refuse(site, path, &what, true).map(|_: Option<()>| ()),
        };
        self.sites.used(site, bytes.len() as u64);
        match known.root_at(checkpoint.size) {
            None => self.bring(site).map(|_| ()),
            Some(root) if root == checkpoint.root => Ok(()),
            // It is refused, and kept, in the one place where that is done.
            Some(_) => self.may_follow(site, &known.chain().clone(), &Stated { checkpoint, bytes }).map(|_| ()),
        }
    }
}
