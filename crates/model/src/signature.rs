//! Signatures in the header of a message (DKIM, RFC 6376; ARC, RFC 8617): what one claims, and what was found when it was checked.

/// Which sort of signature it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SignatureKind {
    /// `DKIM-Signature`: a domain answers for the message as it sent it.
    Dkim,
    /// `ARC-Message-Signature`: a domain that passed the message on signs it as it was then.
    ArcMessage,
    /// `ARC-Seal`: the same domain signs who passed it on before.
    ArcSeal,
}

impl SignatureKind {
    /// Every kind, in the order of its number on disk and on the wire.
    pub const ALL: [SignatureKind; 3] = [SignatureKind::Dkim, SignatureKind::ArcMessage, SignatureKind::ArcSeal];

    /// The standard's name: a seal and its message signature are judged together.
    pub fn word(self) -> &'static str {
        match self {
            SignatureKind::Dkim => "dkim",
            SignatureKind::ArcMessage | SignatureKind::ArcSeal => "arc",
        }
    }
}

/// How a signature is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SignatureAlgorithm {
    /// RSA with SHA-256.
    RsaSha256,
    /// RSA with SHA-1, which RFC 8301 forbids: shown as weak.
    RsaSha1,
    /// Ed25519 over a SHA-256 digest (RFC 8463).
    Ed25519Sha256,
}

impl SignatureAlgorithm {
    /// Every algorithm, in the order of its number on disk and on the wire.
    pub const ALL: [SignatureAlgorithm; 3] =
        [SignatureAlgorithm::RsaSha256, SignatureAlgorithm::RsaSha1, SignatureAlgorithm::Ed25519Sha256];

    /// Its name in the `a=` tag.
    pub fn word(self) -> &'static str {
        match self {
            SignatureAlgorithm::RsaSha256 => "rsa-sha256",
            SignatureAlgorithm::RsaSha1 => "rsa-sha1",
            SignatureAlgorithm::Ed25519Sha256 => "ed25519-sha256",
        }
    }
}

/// How the body compares with the one that was signed; that needs no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SignedBody {
    /// It is the same.
    Same,
    /// So many bytes of it, as canonicalised, are the same, and more follows that was never signed (`l=`).
    Beginning(u64),
    /// It is another.
    Changed,
    /// This sort of signature covers no body.
    NotSigned,
}

/// What a signature claims, and everything about it that can be found without its key. With the key, the rest is one calculation on these few bytes,
/// so that it can be judged again whenever a key becomes known, without reading the message again.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Signature {
    /// Which sort.
    pub kind: SignatureKind,
    /// Its place in an ARC chain, from 1; 0 for DKIM.
    pub instance: u32,
    /// The domain in whose name it is made (`d=`), lower case.
    pub domain: String,
    /// Which of the domain's keys made it (`s=`).
    pub selector: String,
    /// The user or agent it is made for (`i=`), `@domain` where none is named; empty for ARC.
    pub identity: String,
    /// How it is made.
    pub algorithm: SignatureAlgorithm,
    /// The signature itself (`b=`).
    pub value: Vec<u8>,
    /// The digest of the header fields that it signs.
    pub digest: Vec<u8>,
    /// How the body compares.
    pub body: SignedBody,
    /// The body is the same only after the quoting of `From ` lines, which a mailbox adds, was undone or done.
    pub requoted: bool,
    /// The names of the fields that it signs, lower case, each once, at most 100.
    pub headers: Vec<String>,
    /// Which of From, Date, Subject and To stand in the message at least once without being signed, lower case.
    pub left_out: Vec<String>,
    /// When it says it was made (`t=`).
    pub time: Option<i64>,
    /// When it says it ends (`x=`).
    pub expires: Option<i64>,
    /// Why it cannot be understood, empty if it can.
    pub problem: String,
}

/// A public key as a domain has it in the DNS, and where and when it was seen there.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SignatureKey {
    /// `SELECTOR._domainkey.DOMAIN`, lower case without a dot at its end.
    pub name: String,
    /// The TXT record.
    pub record: String,
    /// Where it was seen, in the words of whoever imported it; they are published with the verdict.
    pub source: String,
    /// When it was seen there, seconds since 1970; `None` if nobody says.
    pub seen: Option<i64>,
    /// The private half is public too: a signature by it could be anybody's.
    pub exposed: bool,
}

/// What was found of a signature: a closed list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Outcome {
    /// It is valid.
    Valid,
    /// It is valid for the beginning of the body; what follows was never signed.
    ValidBeginning,
    /// The body is not what was signed.
    BodyChanged,
    /// The body is what was signed, the header is not; or another key made it than the one that is known.
    HeadersChanged,
    /// The key is not known here, or what is known is no key for it.
    KeyUnknown,
    /// There is no signature.
    Unsigned,
    /// It breaks the rules of its standard.
    Malformed,
}

impl Outcome {
    /// Every outcome, in the order of its number on disk.
    pub const ALL: [Outcome; 7] = [
        Outcome::Valid,
        Outcome::ValidBeginning,
        Outcome::BodyChanged,
        Outcome::HeadersChanged,
        Outcome::KeyUnknown,
        Outcome::Unsigned,
        Outcome::Malformed,
    ];

    /// The word for it in JSON, in an archive and in `dkim:`.
    pub fn word(self) -> &'static str {
        match self {
            Outcome::Valid => "valid",
            Outcome::ValidBeginning => "valid-beginning",
            Outcome::BodyChanged => "body-changed",
            Outcome::HeadersChanged => "headers-changed",
            Outcome::KeyUnknown => "key-unknown",
            Outcome::Unsigned => "unsigned",
            Outcome::Malformed => "malformed",
        }
    }

    /// The outcome of this word.
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.word() == word)
    }
}

/// What a reader of a verdict should bear in mind: a closed list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Caution {
    /// The RSA key has less than 1024 bits.
    ShortKey,
    /// It is made with SHA-1.
    Sha1,
    /// It had expired when the message arrived.
    Expired,
    /// It says it was made more than a day after the message arrived.
    Postdated,
    /// It names an end, and nothing says when the message arrived.
    ArrivalUnknown,
    /// The private half of the key is public.
    Exposed,
    /// The domain said that it was only testing (`t=y`).
    Testing,
    /// The quoting of `From ` lines had to be undone or done.
    Requoted,
}

impl Caution {
    /// Every caution, in the order of its number on disk.
    pub const ALL: [Caution; 8] = [
        Caution::ShortKey,
        Caution::Sha1,
        Caution::Expired,
        Caution::Postdated,
        Caution::ArrivalUnknown,
        Caution::Exposed,
        Caution::Testing,
        Caution::Requoted,
    ];

    /// The word for it in JSON, in an archive and in `dkim:`.
    pub fn word(self) -> &'static str {
        match self {
            Caution::ShortKey => "short-key",
            Caution::Sha1 => "sha1",
            Caution::Expired => "expired",
            Caution::Postdated => "postdated",
            Caution::ArrivalUnknown => "arrival-unknown",
            Caution::Exposed => "exposed-key",
            Caution::Testing => "testing",
            Caution::Requoted => "requoted",
        }
    }

    /// The caution of this word.
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|caution| caution.word() == word)
    }

    /// What it means, as a sentence.
    pub fn sentence(self) -> &'static str {
        match self {
            Caution::ShortKey => "Weak: its RSA key is so short (below 1024 bits) that somebody else may have worked it out.",
            Caution::Sha1 => "Weak: it is made with SHA-1, for which forgeries are known.",
            Caution::Expired => "It had expired when the message arrived, if its Received line is right.",
            Caution::Postdated => "It says it was made after the message had arrived.",
            Caution::ArrivalUnknown => "It was good for a limited time only, and nothing says when the message arrived.",
            Caution::Exposed => "The private key is public by now: anybody could have made this signature since.",
            Caution::Testing => "The domain said that it was only testing its signatures.",
            Caution::Requoted => "It holds for the message as it was before a mailbox marked lines that begin with “From ”.",
        }
    }

    /// Whether a signature with it proves little.
    pub fn is_weak(self) -> bool {
        matches!(self, Caution::ShortKey | Caution::Sha1 | Caution::Exposed)
    }
}

/// The key that a verdict rests on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct KeySeen {
    /// How many bits it has.
    pub bits: u32,
    /// The SHA-256 of the key's bytes (`p=`, decoded), in hex.
    pub fingerprint: String,
    /// Where it was seen.
    pub source: String,
    /// When it was seen there, seconds since 1970.
    pub seen: Option<i64>,
}

/// What was found of a DKIM signature or of an ARC chain, with all that it names.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Verdict {
    /// Which sort; of an ARC chain always [`SignatureKind::ArcSeal`].
    pub kind: SignatureKind,
    /// What was found.
    pub outcome: Outcome,
    /// What exactly, in plain lower-case words, where there is more to say.
    pub detail: String,
    /// The domain; of an ARC chain the last that passed the message on.
    pub domain: String,
    /// The selector.
    pub selector: String,
    /// The user or agent it is made for, empty for ARC.
    pub identity: String,
    /// How it is made.
    pub algorithm: SignatureAlgorithm,
    /// The bytes of the body that it covers, where it covers only its beginning.
    pub length: Option<u64>,
    /// How many domains passed the message on, for an ARC chain.
    pub instance: u32,
    /// The fields that it signs.
    pub headers: Vec<String>,
    /// Which of From, Date, Subject and To it does not cover.
    pub left_out: Vec<String>,
    /// When it says it was made.
    pub time: Option<i64>,
    /// When it says it ends.
    pub expires: Option<i64>,
    /// What to bear in mind.
    pub cautions: Vec<Caution>,
    /// The key, where one was used.
    pub key: Option<KeySeen>,
}

impl Verdict {
    /// What is said of a message that nobody signed.
    pub fn unsigned() -> Self {
        Self {
            kind: SignatureKind::Dkim,
            outcome: Outcome::Unsigned,
            detail: String::new(),
            domain: String::new(),
            selector: String::new(),
            identity: String::new(),
            algorithm: SignatureAlgorithm::RsaSha256,
            length: None,
            instance: 0,
            headers: Vec::new(),
            left_out: Vec::new(),
            time: None,
            expires: None,
            cautions: Vec::new(),
            key: None,
        }
    }

    /// The words of several, each once: what `dkim:` finds a message by.
    pub fn words_of(verdicts: &[Verdict]) -> Vec<String> {
        let mut words: Vec<String> = verdicts.iter().flat_map(Verdict::words).collect();
        words.sort_unstable();
        words.dedup();
        words
    }

    /// Where the domain has the key: a name in the DNS.
    pub fn key_name(&self) -> String {
        format!("{}._domainkey.{}", self.selector, self.domain).to_lowercase()
    }

    /// Whether it proves little although it may be valid.
    pub fn is_weak(&self) -> bool {
        self.cautions.iter().any(|caution| caution.is_weak())
    }

    /// The words by which it is found: outcome, domain, `weak` and cautions; those of an ARC chain begin with `arc-`. A domain is among them only if
    /// its signature holds: anybody can write a signature in anybody's name.
    pub fn words(&self) -> Vec<String> {
        let arc = self.kind != SignatureKind::Dkim;
        let mark = |word: &str| if arc { format!("arc-{word}") } else { word.to_owned() };
        let mut words = vec![mark(self.outcome.word())];
        words.extend(self.cautions.iter().map(|caution| mark(caution.word())));
        words.extend(self.is_weak().then(|| mark("weak")));
        let holds = matches!(self.outcome, Outcome::Valid | Outcome::ValidBeginning);
        words.extend((holds && !arc).then(|| self.domain.clone()));
        words
    }

    /// What was found, in a sentence for anybody.
    pub fn sentence(&self) -> String {
        let (domain, key) = (&self.domain, self.key_name());
        let arc = self.kind != SignatureKind::Dkim;
        let because = if self.detail.is_empty() { String::new() } else { format!(" ({})", self.detail) };
        match self.outcome {
            Outcome::Valid if arc => format!("{domain} passed this message on and sealed it, and it is as it was then{because}."),
            Outcome::Valid => format!("{domain} signed this message, and what it signed has not changed since."),
            Outcome::ValidBeginning => {
                let length = self.length.unwrap_or(0);
                format!("{domain} signed the first {length} bytes of this message's body; what follows them was never signed.")
            }
            Outcome::BodyChanged if arc => format!("The body is not as it was when {domain} passed this message on{because}."),
            Outcome::BodyChanged => format!("The body is not what was signed in the name of {domain}{because}."),
            Outcome::HeadersChanged => {
                format!("The header is not what was signed in the name of {domain}, or another key made the signature{because}.")
            }
            Outcome::KeyUnknown => {
                format!("It is signed in the name of {domain}, but its key {key} is not known here, so that proves nothing{because}.")
            }
            Outcome::Unsigned => "Nobody signed this message.".to_owned(),
            Outcome::Malformed if domain.is_empty() => format!("It carries a signature that cannot be understood{because}."),
            Outcome::Malformed => format!("It carries a signature in the name of {domain} that cannot be understood{because}."),
        }
    }

    /// What to bear in mind about it, in sentences.
    pub fn remarks(&self) -> Vec<String> {
        let mut remarks: Vec<String> = self.cautions.iter().map(|caution| caution.sentence().to_owned()).collect();
        if !self.left_out.is_empty() && matches!(self.outcome, Outcome::Valid | Outcome::ValidBeginning) {
            remarks.push(format!("It does not cover every {} field: what is shown there may be another's.", self.left_out.join(", ")));
        }
        remarks
    }
}
