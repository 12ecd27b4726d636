use super::{Kind, Request, RequestError, Statement, plain};
use daylight_archive::key::Key;
use daylight_archive::root::Quorum;

/// Keys of which some must sign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Party {
    /// Whose they are, in words.
    pub who: String,
    /// The keys.
    pub keys: Vec<Key>,
    /// How many distinct ones must sign.
    pub needed: usize,
}

/// How far a request is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The ways in which it can come into force, any of which is enough: the parties that must all have signed, each with the names of those who did.
    pub ways: Vec<Vec<(Party, Vec<String>)>>,
}

impl Standing {
    /// Whether enough have signed.
    pub fn complete(&self) -> bool {
        self.ways.iter().any(|way| way.iter().all(|(party, signed)| signed.len() >= party.needed))
    }

    /// In words: who signed, and who still may, for each of the parties.
    pub fn words(&self) -> Vec<String> {
        let party = |(party, signed): &(Party, Vec<String>)| {
            let signed = if signed.is_empty() { "none yet".to_owned() } else { signed.join(", ") };
            format!("{} of {}: {} needed, signed by {signed}", party.needed, party.names(), party.who)
        };
        let ways = self.ways.iter().map(|way| way.iter().map(party).collect::<Vec<_>>().join("; and "));
        ways.enumerate().map(|(place, way)| if place == 0 { way } else { format!("or {way}") }).collect()
    }
}

impl Party {
    fn of(who: String, quorum: &Quorum) -> Self {
        Self { who, keys: quorum.keys.clone(), needed: quorum.threshold }
    }

    /// The names of its keys.
    pub fn names(&self) -> String {
        self.keys.iter().map(|key| plain(key.name())).collect::<Vec<_>>().join(", ")
    }
}

impl Request {
    /// The ways in which it can come into force: the parties of each must all sign.
    pub fn ways(&self) -> Vec<Vec<Party>> {
        let old = self.chain().map(|chain| &chain.last().root);
        match (self.statement(), old) {
            (Statement::Root(new), None) => vec![vec![Party::of("editors of root 1".into(), &new.editors)]],
            (Statement::Root(new), Some(old)) => {
                let editors = vec![
                    Party::of(format!("editors of root {}", old.version), &old.editors),
                    Party::of(format!("editors of root {}", new.version), &new.editors),
                ];
                let recovery = Party::of(format!("recovery keys of root {}", old.version), &old.recovery);
                if recovery.needed == 0 { vec![editors] } else { vec![editors, vec![recovery]] }
            }
            (_, Some(old)) => {
                let needed = self.kind().needed(old.editors.threshold);
                vec![vec![Party { needed, ..Party::of(format!("editors of root {}", old.version), &old.editors) }]]
            }
            (_, None) => Vec::new(),
        }
    }

    /// Every key whose signature counts, in the order of the roots' lists, each once.
    pub fn may_sign(&self) -> Vec<Key> {
        let mut keys: Vec<Key> = Vec::new();
        for key in self.ways().into_iter().flatten().flat_map(|party| party.keys) {
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
        keys
    }

    /// Who has signed, and whether that is enough.
    pub fn standing(&self) -> Result<Standing, RequestError> {
        let signed = |party: Party| -> Result<(Party, Vec<String>), RequestError> {
            let signed = self.note().signed_by(&party.keys).map_err(RequestError::Signatures)?;
            let names = signed.iter().map(|signed| plain(party.keys[signed.key].name())).collect();
            Ok((party, names))
        };
        let ways = self.ways().into_iter().map(|way| way.into_iter().map(signed).collect::<Result<Vec<_>, _>>());
        Ok(Standing { ways: ways.collect::<Result<_, _>>()? })
    }

    /// Whose keys count, for a message.
    pub(super) fn who_counts(&self) -> String {
        let parties = self.ways().into_iter().flatten().map(|party| format!("{} are {}", party.who, party.names()));
        let mut parties: Vec<String> = parties.collect();
        parties.dedup();
        let unused = if self.kind() == Kind::Root { "" } else { ", and recovery keys sign roots only" };
        format!("{}{unused}", parties.join("; "))
    }
}
