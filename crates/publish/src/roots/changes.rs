use crate::{Error, Result};
use daylight_archive::Key;
use daylight_archive::policy::Policy;
use daylight_archive::root::{Quorum, Root};

/// What a root says otherwise than the one before; for the first, all that it says.
#[derive(Debug, Clone, Default)]
pub struct Changes {
    /// All editors, in place of those there were.
    pub editors: Option<Vec<Key>>,
    /// Editors who come.
    pub add: Vec<Key>,
    /// Editors who go, each by the name of the key or its whole text.
    pub remove: Vec<String>,
    /// How many editors must sign.
    pub threshold: Option<usize>,
    /// All recovery keys, in place of those there were.
    pub recovery: Option<Vec<Key>>,
    /// How many recovery keys must sign.
    pub recovery_threshold: Option<usize>,
    /// The witnesses.
    pub witnesses: Option<Policy>,
    /// Mirrors that come.
    pub add_mirrors: Vec<String>,
    /// Mirrors that go.
    pub remove_mirrors: Vec<String>,
    /// Onion addresses that come.
    pub add_onions: Vec<String>,
    /// Onion addresses that go.
    pub remove_onions: Vec<String>,
    /// Whether the log gets a new key.
    pub change_log_key: bool,
}

impl Changes {
    /// The root with these changes; its version, what it retires and its log key are the caller's.
    pub(super) fn apply(&self, old: &Root) -> Result<Root> {
        let mut editors = self.editors.clone().unwrap_or_else(|| old.editors.keys.clone());
        for gone in &self.remove {
            let before = editors.len();
            editors.retain(|key| key.name() != gone && key.to_string() != *gone);
            if editors.len() == before {
                return Err(Error::Root(format!("{gone} is not one of its editors, who are {}", names(&editors))));
            }
        }
        for new in &self.add {
            if editors.contains(new) {
                return Err(Error::Root(format!("{} is one of its editors already", new.name())));
            }
            editors.push(new.clone());
        }
        let recovery = self.recovery.clone().unwrap_or_else(|| old.recovery.keys.clone());
        let same = recovery == old.recovery.keys;
        let recovery_threshold = self.recovery_threshold.unwrap_or(if same {
            old.recovery.threshold
        } else {
            recovery.len() / 2 + usize::from(!recovery.is_empty())
        });
        Ok(Root {
            editors: Quorum { keys: editors, threshold: self.threshold.unwrap_or(old.editors.threshold) },
            recovery: Quorum { keys: recovery, threshold: recovery_threshold },
            witnesses: self.witnesses.clone().unwrap_or_else(|| old.witnesses.clone()),
            mirrors: urls("mirror", &old.mirrors, &self.add_mirrors, &self.remove_mirrors)?,
            onions: urls("onion address", &old.onions, &self.add_onions, &self.remove_onions)?,
            ..old.clone()
        })
    }
}

fn names(keys: &[Key]) -> String {
    keys.iter().map(Key::name).collect::<Vec<_>>().join(", ")
}

fn urls(what: &str, old: &[String], add: &[String], remove: &[String]) -> Result<Vec<String>> {
    if let Some(unknown) = remove.iter().find(|url| !old.contains(url)) {
        return Err(Error::Root(format!("{unknown} is not a {what} of it")));
    }
    if let Some(known) = add.iter().find(|url| old.contains(url)) {
        return Err(Error::Root(format!("{known} is a {what} of it already")));
    }
    let kept = old.iter().filter(|url| !remove.contains(url));
    Ok(kept.chain(add).cloned().collect())
}
