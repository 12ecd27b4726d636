//! Verifying an archive where it is, without keeping it: every file is fetched, checked as `daylight verify` checks a folder, and let go.

use crate::address::Address;
use crate::http::Client;
use crate::remote::Remote;
use crate::sites::{Refusal, Sites};
use daylight_archive::{Asked, Progress, Report, verify_from};
use std::path::Path;
use std::sync::atomic::AtomicBool;

/// The longest volume that is read, in bytes: what no format has, so that whatever the manifest says is read.
const LONGEST: u64 = 1 << 53;

/// Verifies the archive at an address. Memory does not grow with it; where a server gives whole files only, two volumes at a time stand in `spool`.
/// Files that were added there are not seen, for a site does not list what it has. Gives also what the site did that no honest one does.
pub fn examine(
    client: &Client,
    from: &Address,
    asked: Asked<'_>,
    spool: &Path,
    stop: &AtomicBool,
    progress: &mut dyn FnMut(Progress),
) -> (Report, Vec<Refusal>) {
    let sites = Sites::new(client, from.clone(), stop).forgiving();
    let remote = Remote::new(&sites, LONGEST, Some(spool.to_owned()));
    let report = verify_from(&remote, asked, progress);
    (report, sites.refusals().into_iter().filter(|refusal| !refusal.missing).collect())
}
