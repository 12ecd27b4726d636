//! Repairing a copy: every file of it is checked, and what is damaged or missing is fetched as if it had never been there, from any of the sites. Until what
//! came is checked with the rest of its release, the damaged file stays where it is; then the one is renamed over the other. So a copy is never worse
//! than it was, and a repair that is killed is gone on with by the next.

use super::{Ended, Update, failed};
use crate::damaged::{Damaged, is_added};
use daylight_archive::store::Folder;
use daylight_archive::{Asked, Problem, verify_from};
use std::sync::Arc;

/// So often a copy is checked and repaired: damage of a release cannot be seen before that of the log is repaired.
const PASSES: usize = 4;

impl Update<'_> {
    /// Brings the copy up to date, and repairs it until nothing is found that is wrong.
    pub(super) fn repair(&mut self) -> Result<(), Ended> {
        let mut found = self.look()?;
        for _ in 0..PASSES {
            self.damaged = Arc::new(Damaged::of(&found));
            self.run()?;
            if found.is_empty() {
                return Ok(());
            }
            found = self.look()?;
            if found.iter().all(is_added) {
                break;
            }
        }
        self.tell_of(&found, |_| false);
        match found.first() {
            None => Ok(()),
            Some(first) => {
                Err(failed(format!("{} cannot be repaired by fetching; the first: {}: {}", found.len(), first.path, first.what)))
            }
        }
    }

    /// Checks every file of the copy, and tells what is wrong.
    fn look(&mut self) -> Result<Vec<Problem>, Ended> {
        // Without a state it is not known whose copy this is to be: it is checked whole before anything is done.
        let Some(state) = self.state.as_ref().filter(|_| !self.home.is_empty().unwrap_or(true)) else { return Ok(Vec::new()) };
        self.job.meter.step("checking every file of the copy");
        let only = self.job.only.unwrap_or(&state.only).to_vec();
        let asked = Asked { root: None, only: &only };
        let found = verify_from(&Folder::new(self.home.copy()), asked, &mut |_| {}).problems;
        if self.sites.is_stopped() {
            return Err(Ended::Stopped);
        }
        self.tell_of(&found, is_added);
        Ok(found)
    }

    /// Notes for the report what was found, once each, but for what is passed over.
    fn tell_of(&mut self, found: &[Problem], passed_over: fn(&Problem) -> bool) {
        for problem in found.iter().filter(|problem| !passed_over(problem)) {
            if !self.report.damaged.iter().any(|known| known.path == problem.path) {
                self.report.damaged.push(problem.clone());
            }
        }
    }
}
