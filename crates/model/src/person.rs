/// What somebody is to a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// `From`.
    From,
    /// `Sender`.
    Sender,
    /// `Reply-To`.
    ReplyTo,
    /// `To`.
    To,
    /// `Cc`.
    Cc,
    /// `Bcc`.
    Bcc,
}

impl Role {
    /// Every role, in the order of its code on disk and on the wire.
    pub const ALL: [Role; 6] = [Role::From, Role::Sender, Role::ReplyTo, Role::To, Role::Cc, Role::Bcc];

    /// The word for it in JSON and in an archive.
    pub fn word(self) -> &'static str {
        match self {
            Role::From => "from",
            Role::Sender => "sender",
            Role::ReplyTo => "reply-to",
            Role::To => "to",
            Role::Cc => "cc",
            Role::Bcc => "bcc",
        }
    }
}

/// Somebody named by a document.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Person {
    /// What they are to the document.
    pub role: Role,
    /// The name as decoded, empty if none was given.
    pub name: String,
    /// The address as decoded, empty if none was given (an address is not checked to be one).
    pub address: String,
}
