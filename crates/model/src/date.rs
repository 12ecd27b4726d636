/// How much of a date was written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Precision {
    /// Only the year.
    Year,
    /// Year and month.
    Month,
    /// The day, without a time.
    Day,
    /// To the minute.
    Minute,
    /// To the second.
    Second,
}

/// Where a date was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DateSource {
    /// The `Date` header of a message (RFC 5322 section 3.6.1).
    DateHeader,
    /// The topmost `Received` header with a date (RFC 5321 section 4.4).
    ReceivedHeader,
    /// The `From ` line of a mailbox (RFC 4155).
    MailboxLine,
    /// The properties inside a document.
    Properties,
}

/// Why a date should not be taken at its word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DateDoubt {
    /// Before 1970-01-02 or after the year 2100: clocks that were never set, or a forger's slip.
    Absurd,
    /// More than 48 hours away from the day on which the message was received.
    FarFromReceived,
    /// The zone was missing or not one that RFC 5322 defines; UTC was assumed.
    ZoneUnknown,
    /// It could be read only by guessing at its form.
    Malformed,
}

/// A moment as a document states it: UTC seconds for searching, and what was written for reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Date {
    /// Seconds since 1970-01-01T00:00:00Z, negative before.
    pub seconds: i64,
    /// Minutes east of UTC as written; `None` where no zone, or `-0000`, was written.
    pub offset_minutes: Option<i16>,
    /// How much was written.
    pub precision: Precision,
    /// Where it was read.
    pub source: DateSource,
    /// Why it should not be taken at its word, if anything speaks against it.
    pub doubt: Option<DateDoubt>,
}
