use super::{RequestError, plain};

/// What a note is, as its first line says. A new type of note is a new variant here, an arm in `Request::build` and one in `words`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `daylight-release/v1`
    Release,
    /// `daylight-root/v1`
    Root,
    /// `daylight-withdraw/v1`
    Withdraw,
    /// `daylight-directory/v1`
    Directory,
    /// `daylight-heartbeat/v1`
    Heartbeat,
}

impl Kind {
    /// All there are.
    pub const ALL: [Kind; 5] = [Kind::Release, Kind::Root, Kind::Withdraw, Kind::Directory, Kind::Heartbeat];

    /// The word for it in the first line of its text, in the log's entries and to people.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Release => "release",
            Kind::Root => "root",
            Kind::Withdraw => "withdraw",
            Kind::Directory => "directory",
            Kind::Heartbeat => "heartbeat",
        }
    }

    /// How many of the editors must sign it, where their threshold is `k`.
    pub fn needed(self, k: usize) -> usize {
        if self == Kind::Heartbeat { 1 } else { k }
    }
}

/// The first line of a text taken off.
pub(super) struct Head {
    pub(super) kind: Kind,
    pub(super) rest: String,
}

pub(super) fn head(text: &str) -> Result<Head, RequestError> {
    let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
    let kind = Kind::ALL.into_iter().find(|kind| first == format!("daylight-{}/v1", kind.word()));
    let shown = || plain(&first.chars().take(100).collect::<String>());
    Ok(Head { kind: kind.ok_or_else(|| RequestError::UnknownType(shown()))?, rest: rest.to_owned() })
}
