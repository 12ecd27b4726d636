use super::{Archive, ArchiveError, damaged};
use crate::entry::Entry;
use crate::note::Note;
use crate::paths;
use crate::root::{Chain, Succession};
use crate::store::unreadable;

impl Archive {
    /// Where a root stands in the log; `None` for one that is not logged.
    pub fn root_index(&self, version: u64) -> Option<u64> {
        let place = usize::try_from(version.checked_sub(1)?).ok()?;
        self.state.root_indices.get(place).copied()
    }

    /// Whether a root can be logged next: it follows the one in force, and none of the notes in the log would lose a signature that it needs to a key
    /// that the root retires. Says how it comes into force.
    pub fn check_next_root(&self, json: &[u8], sig: &[u8]) -> Result<Succession, ArchiveError> {
        let mut chain = self.logged_chain()?;
        let version = chain.last().root.version + 1;
        chain.extend(json, sig).map_err(|error| damaged(paths::root_json(version), error))?;
        for (index, entry) in (0..).zip(&self.state.entries) {
            self.check_note(&chain, index, entry)?;
        }
        Ok(chain.last().succession)
    }

    /// The roots that the log has; on disk there may be one more.
    fn logged_chain(&self) -> Result<Chain, ArchiveError> {
        let mut links = self.chain().links().iter().take(self.state.root_indices.len());
        let first = links.next().ok_or_else(|| damaged(paths::root_json(1), "not in the log"))?;
        let wrong = |error| damaged(paths::root_json(1), error);
        let mut chain = Chain::begin(&first.json, &first.sig).map_err(wrong)?;
        for link in links {
            chain.extend(&link.json, &link.sig).map_err(wrong)?;
        }
        Ok(chain)
    }

    fn check_note(&self, chain: &Chain, index: u64, entry: &Entry) -> Result<(), ArchiveError> {
        let path = match entry {
            Entry::Root { .. } => return Ok(()),
            Entry::Release { serial, .. } => paths::release_note(*serial),
            Entry::Withdraw(logged) | Entry::Directory(logged) | Entry::Heartbeat(logged) => paths::entry_note(logged.serial),
        };
        let bytes = std::fs::read(self.dir.join(&path)).map_err(|error| damaged(&path, unreadable(&error)))?;
        let note = Note::parse(&bytes).map_err(|error| damaged(&path, error))?;
        let before = self.state.root_indices.iter().take_while(|at| **at < index).count();
        let link = before.checked_sub(1).and_then(|last| chain.links().get(last));
        let link = link.ok_or_else(|| damaged(&path, "no root was in force when it was logged"))?;
        let needed = if matches!(entry, Entry::Heartbeat(_)) { 1 } else { link.root.editors.threshold };
        chain.check_editors(link, &note, index, needed).map_err(|error| damaged(&path, format!("with that root it would be: {error}")))
    }
}
