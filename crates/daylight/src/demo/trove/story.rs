use jiff::civil::DateTime;

/// Where a message is found in the trove.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Maildir,
    Mbox,
    Zip,
    Loose,
}

/// Somebody who writes or is written to.
#[derive(Debug, Clone)]
pub(super) struct Person {
    pub(super) key: String,
    pub(super) name: String,
    pub(super) address: String,
    /// The lines under their messages.
    pub(super) signature: Vec<String>,
}

impl Person {
    pub(super) fn domain(&self) -> &str {
        self.address.rsplit('@').next().unwrap_or_default()
    }
}

/// A conversation.
#[derive(Debug, Clone)]
pub(super) struct Thread {
    pub(super) subject: String,
    pub(super) letters: Vec<Letter>,
}

/// One message of a conversation, as it is told.
#[derive(Debug, Clone)]
pub(super) struct Letter {
    pub(super) from: String,
    /// Empty where it simply answers.
    pub(super) to: Vec<String>,
    pub(super) cc: Vec<String>,
    /// Which letter of the conversation it answers.
    pub(super) answers: Option<usize>,
    /// By the clock on Brackwater's town hall.
    pub(super) at: DateTime,
    pub(super) paragraphs: Vec<String>,
    pub(super) attached: Vec<String>,
    /// Character set and transfer encoding; chosen by the text where it is `None`.
    pub(super) encoding: Option<(String, String)>,
    /// The HTML body, if there is one.
    pub(super) html: Option<String>,
    /// Whether the sender's domain signs it (DKIM).
    pub(super) signed: bool,
    pub(super) place: Place,
}

impl Letter {
    pub(super) fn new(from: &str, at: DateTime, place: Place) -> Self {
        Self {
            from: from.to_owned(),
            to: Vec::new(),
            cc: Vec::new(),
            answers: None,
            at,
            paragraphs: Vec::new(),
            attached: Vec::new(),
            encoding: None,
            html: None,
            signed: false,
            place,
        }
    }
}

/// Reads story.txt; what it cannot make sense of is told as the line's number.
pub(super) fn read(text: &str) -> Result<(Vec<Person>, Vec<Thread>), usize> {
    let (mut people, mut threads): (Vec<Person>, Vec<Thread>) = (Vec::new(), Vec::new());
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.starts_with('#')) {
        let understood = if let Some(person) = line.strip_prefix("@ ") {
            read_person(person).map(|person| people.push(person))
        } else if let Some(subject) = line.strip_prefix("== ") {
            threads.push(Thread { subject: subject.to_owned(), letters: Vec::new() });
            Some(())
        } else if let Some(head) = line.strip_prefix("-- ") {
            threads.last_mut().and_then(|thread| read_letter(head, &thread.letters).map(|letter| thread.letters.push(letter)))
        } else if line.is_empty() {
            Some(())
        } else {
            threads.last_mut().and_then(|thread| thread.letters.last_mut()).map(|letter| letter.paragraphs.push(line.to_owned()))
        };
        understood.ok_or(number + 1)?;
    }
    Ok((people, threads))
}

fn read_person(line: &str) -> Option<Person> {
    let mut parts = line.splitn(3, " = ");
    let key = parts.next()?.to_owned();
    let (name, address) = parts.next()?.split_once(" <")?;
    let signature = parts.next()?.split('/').map(str::to_owned).collect();
    Some(Person { key, name: name.to_owned(), address: address.trim_end_matches('>').to_owned(), signature })
}

fn read_letter(head: &str, before: &[Letter]) -> Option<Letter> {
    let mut fields = head.split(" | ");
    let from = fields.next()?;
    let place = before.last().map_or(Place::Maildir, |letter| letter.place);
    let mut letter = Letter::new(from, DateTime::default(), place);
    letter.answers = before.len().checked_sub(1);
    for field in fields {
        let (key, value) = field.split_once('=').unwrap_or((field, ""));
        let list = || value.split(',').map(str::to_owned).collect();
        match key {
            "to" => letter.to = list(),
            "cc" => letter.cc = list(),
            "at" => letter.at = value.replace(' ', "T").parse().ok()?,
            "re" => letter.answers = Some(value.parse::<usize>().ok()?.checked_sub(1).filter(|at| *at < before.len())?),
            "attach" => letter.attached = list(),
            "as" => letter.encoding = value.split_once('/').map(|(charset, transfer)| (charset.to_owned(), transfer.to_owned())),
            "html" => letter.html = Some(String::new()),
            "signed" => letter.signed = true,
            "in" => letter.place = place_named(value)?,
            _ => return None,
        }
    }
    Some(letter)
}

fn place_named(name: &str) -> Option<Place> {
    Some(match name {
        "maildir" => Place::Maildir,
        "mbox" => Place::Mbox,
        "zip" => Place::Zip,
        "loose" => Place::Loose,
        _ => return None,
    })
}
