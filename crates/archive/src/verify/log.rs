use super::account::Account;
use crate::log::{Builder, TILE_WIDTH, TilePath};
use crate::paths;
use crate::state::State;
use daylight_model::Digest;

/// Checks the log's tiles and bundles, narrower ones left from earlier sizes among them, and claims the notes of its entries.
pub(super) fn check(state: &State, account: &mut Account<'_>) {
    let size = state.leaves.len() as u64;
    if size == state.checkpoint.size {
        check_tiles("", state.leaves.iter().copied(), account);
    } else {
        // The log itself is damaged, which is told already; its tiles cannot be judged.
        account.unclaimed_under("tile/").iter().for_each(|path| _ = account.claim(path));
    }
    for bundle in TilePath::bundles(size) {
        let path = bundle.to_string();
        if account.claim(&path) {
            account.advance(account.length(&path).unwrap_or(0));
        }
    }
    for path in account.unclaimed_under("tile/") {
        check_narrower(&path, size, account);
    }
    claim_notes(state, account);
}

/// Writes a tree's tiles anew and compares them with the files; gives the root.
pub(super) fn check_tiles(prefix: &str, leaves: impl Iterator<Item = Digest>, account: &mut Account<'_>) -> Digest {
    let mut tree = Builder::new();
    for leaf in leaves {
        tree.push(leaf);
        if tree.size().is_multiple_of(TILE_WIDTH) {
            expect_all(prefix, tree.take_full(), account);
        }
    }
    expect_all(prefix, tree.partial(), account);
    tree.root()
}

pub(super) fn expect_all(prefix: &str, tiles: Vec<(String, Vec<u8>)>, account: &mut Account<'_>) {
    for (path, bytes) in tiles {
        account.expect(&format!("{prefix}{path}"), &bytes);
    }
}

/// A partial tile or bundle of an earlier size may stay, if it is the beginning of the one that superseded it.
fn check_narrower(path: &str, size: u64, account: &mut Account<'_>) {
    let Some(narrow) = TilePath::parse(path) else { return };
    let wide = TilePath::widest(narrow.level, narrow.index, size).filter(|wide| wide.width > narrow.width);
    let Some(wide) = wide else { return };
    account.claim(path);
    let agrees = match (account.read(path), account.read(&wide.to_string())) {
        (Ok(narrow_bytes), Ok(wide_bytes)) => wide_bytes.starts_with(&narrow_bytes) && has_width(narrow, &narrow_bytes),
        _ => false,
    };
    if !agrees {
        account.problem(path, format!("damaged: it does not agree with {wide}"));
    }
    account.advance(account.length(path).unwrap_or(0));
}

fn has_width(tile: TilePath, bytes: &[u8]) -> bool {
    let width = usize::from(tile.width);
    match tile.level {
        Some(_) => bytes.len() == 32 * width,
        None => crate::log::parse_bundle(bytes).is_some_and(|entries| entries.len() == width),
    }
}

fn claim_notes(state: &State, account: &mut Account<'_>) {
    use crate::entry::Entry;
    let checked: Vec<u64> = state.releases.iter().map(|release| release.note.serial).collect();
    for entry in &state.entries {
        match entry {
            Entry::Root { .. } => {}
            Entry::Release { serial, .. } => {
                account.claim(&paths::release_note(*serial));
                // Where its note is bad nothing of a release can be judged; that is told already.
                if checked.binary_search(serial).is_err() {
                    account.unclaimed_under(&paths::release_prefix(*serial)).iter().for_each(|path| _ = account.claim(path));
                }
            }
            Entry::Withdraw(logged) | Entry::Directory(logged) | Entry::Heartbeat(logged) => {
                _ = account.claim(&paths::entry_note(logged.serial))
            }
        }
    }
}
