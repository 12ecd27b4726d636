//! A message as others read it, and where ours differs.

use crate::ours::{Attachment, Message, html_words, words};
use daylight_model::Role;

/// A message as somebody else reads it. What they say nothing of is not compared.
#[derive(Debug, Default)]
pub struct Expected {
    pub subject: Option<String>,
    pub people: Vec<(Role, String, String)>,
    pub date: Option<i64>,
    pub id: Option<String>,
    pub references: Vec<String>,
    pub leaves: Vec<Leaf>,
}

/// A part that holds no other parts.
#[derive(Debug)]
pub struct Leaf {
    /// Its media type, lower case, empty if none is stated.
    pub media: String,
    pub name: Option<String>,
    /// It says that it is to be saved.
    pub attached: bool,
    /// It is the whole message.
    pub root: bool,
    pub content: Content,
}

/// What is in a part.
#[derive(Debug)]
pub enum Content {
    Bytes(Vec<u8>),
    Text(String),
    Message(Box<Expected>),
}

impl Leaf {
    /// Whether it is shown as text of the message: plain or HTML, with no name and nothing that says it is to be saved.
    fn is_body(&self) -> bool {
        let text =
            matches!(self.media.as_str(), "" | "text" | "text/plain" | "text/html") || self.root && self.media.starts_with("multipart/");
        text && !matches!(self.content, Content::Message(_)) && (self.root || !self.attached && self.name.is_none())
    }

    fn words(&self) -> Vec<String> {
        let text = match &self.content {
            Content::Text(text) => text.clone(),
            Content::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            Content::Message(_) => String::new(),
        };
        if self.media == "text/html" { html_words(&text) } else { words(&text) }
    }
}

/// Every difference, as `what: theirs, ours`.
pub fn differences(theirs: &Expected, ours: &Message) -> Vec<String> {
    let mut found = Vec::new();
    let mut differ = |what: &str, theirs: &dyn std::fmt::Debug, ours: &dyn std::fmt::Debug| {
        found.push(format!("{what}: theirs {theirs:?}, ours {ours:?}"));
    };
    if let Some(subject) = theirs.subject.as_ref().filter(|subject| words(subject) != words(&ours.subject)) {
        differ("subject", subject, &ours.subject);
    }
    for role in [Role::From, Role::To, Role::Cc, Role::Bcc, Role::Sender, Role::ReplyTo] {
        let of = |people: &[(Role, String, String)]| -> Vec<_> {
            people.iter().filter(|(one, ..)| *one == role).map(|(_, name, address)| (words(name).join(" "), address.clone())).collect()
        };
        let (theirs, ours) = (of(&theirs.people), of(&ours.people));
        if theirs != ours {
            differ(role.word(), &theirs, &ours);
        }
    }
    if theirs.date != ours.date {
        differ("date", &theirs.date, &ours.date);
    }
    if theirs.id.as_ref().is_some_and(|id| *id != ours.id) {
        differ("id", &theirs.id, &ours.id);
    }
    if !theirs.references.is_empty() && theirs.references != ours.references {
        differ("references", &theirs.references, &ours.references);
    }
    found.extend(bodies(theirs, ours));
    found.extend(attachments(theirs, ours));
    found
}

/// Our text must be theirs, part by part; HTML may be left out where plain text says the same.
fn bodies(theirs: &Expected, ours: &Message) -> Option<String> {
    let bodies: Vec<&Leaf> = theirs.leaves.iter().filter(|leaf| leaf.is_body()).collect();
    let plain = bodies.iter().any(|leaf| leaf.media != "text/html" && !leaf.words().is_empty());
    let mut rest = ours.words.as_slice();
    for (number, leaf) in bodies.iter().enumerate() {
        let words = leaf.words();
        match rest.strip_prefix(words.as_slice()) {
            Some(after) => rest = after,
            None if leaf.media == "text/html" && plain => {}
            None => {
                let at = words.iter().zip(rest).take_while(|(a, b)| a == b).count();
                let near = |words: &[String]| words.iter().skip(at.saturating_sub(1)).take(6).cloned().collect::<Vec<_>>();
                return Some(format!("text {number}: at word {at} theirs {:?}, ours {:?}", near(&words), near(rest)));
            }
        }
    }
    (!rest.is_empty()).then(|| format!("text: ours has more: {:?}", rest.iter().take(6).collect::<Vec<_>>()))
}

fn attachments(theirs: &Expected, ours: &Message) -> Vec<String> {
    let leaves: Vec<&Leaf> = theirs.leaves.iter().filter(|leaf| !leaf.is_body()).collect();
    if leaves.len() != ours.attachments.len() {
        let theirs: Vec<_> = leaves.iter().map(|leaf| (&leaf.media, &leaf.name)).collect();
        let ours: Vec<_> = ours.attachments.iter().map(|one| (&one.claimed, &one.name)).collect();
        return vec![format!("attachments: theirs {theirs:?}, ours {ours:?}")];
    }
    let pairs = leaves.iter().zip(&ours.attachments).enumerate();
    pairs
        .flat_map(|(number, (theirs, ours))| attachment(theirs, ours).into_iter().map(move |why| format!("attachment {number} {why}")))
        .collect()
}

fn attachment(theirs: &Leaf, ours: &Attachment) -> Vec<String> {
    let mut found = Vec::new();
    if theirs.name != ours.name {
        found.push(format!("name: theirs {:?}, ours {:?}", theirs.name, ours.name));
    }
    if theirs.media != ours.claimed {
        found.push(format!("type: theirs {:?}, ours {:?}", theirs.media, ours.claimed));
    }
    match (&theirs.content, &ours.message) {
        (Content::Message(theirs), Some(ours)) => found.extend(differences(theirs, ours)),
        (Content::Message(_), None) => found.push("is a message to them, and none to us".into()),
        (Content::Bytes(bytes), _) if *bytes != ours.bytes => {
            found.push(format!("bytes: theirs {}, ours {}", bytes.len(), ours.bytes.len()));
        }
        (Content::Bytes(_), _) => {}
        (Content::Text(text), _) => {
            let bytes = words(&String::from_utf8_lossy(&ours.bytes));
            if words(text) != bytes && theirs.words() != ours.words {
                found.push(format!("text: theirs {:?}, ours {:?}", short(&words(text)), short(&bytes)));
            }
        }
    }
    found
}

fn short(words: &[String]) -> Vec<&String> {
    words.iter().take(8).collect()
}

/// A difference that has its reason: how the file's name begins, how the difference begins, and why ours is right or meant to be another.
pub type Explained = (&'static str, &'static str, &'static str);

/// Fails for every difference that nobody explained, and for every explanation that nothing needs any more. Says how many messages agree in full,
/// and how many differ with a reason.
pub fn settle(found: &[(String, Vec<String>)], explained: &[Explained]) -> (usize, usize) {
    let why = |file: &str, difference: &str| {
        explained.iter().position(|(name, start, _)| file.starts_with(name) && difference.starts_with(start))
    };
    let mut used = vec![false; explained.len()];
    let mut open = Vec::new();
    for (file, differences) in found {
        for difference in differences {
            match why(file, difference) {
                Some(number) => used[number] = true,
                None => open.push(format!("{file}: {difference}")),
            }
        }
    }
    assert!(open.is_empty(), "{} differences without a reason:\n{}", open.len(), open.join("\n"));
    let idle: Vec<_> = explained.iter().zip(used).filter(|(_, used)| !used).collect();
    assert!(idle.is_empty(), "no difference needs these reasons: {idle:#?}");
    let agree = found.iter().filter(|(_, differences)| differences.is_empty()).count();
    (agree, found.len() - agree)
}
