//! On which day something last was so that an operator must know of: the collector came, all places were taken, the disk was full. It is all that the drop notes of what
//! happens to it: three days, in a file that is written at most three times a day, and nothing of who it was or how often.

use daylight_archive::json::{self, Fields};
use daylight_durable::write_atomic;
use std::fs::{File, FileTimes};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, UNIX_EPOCH};

const FORMAT: &str = "daylight-drop-days/v1";
const FILE: &str = "days";
/// No file of this is longer, in bytes.
const LONGEST: u64 = 400;

/// What is noted by the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mark {
    /// The newsroom's collector came.
    Collected,
    /// All places for uploads were taken when somebody came.
    Crowded,
    /// The disk was as full as it may get when somebody came.
    Full,
}

impl Mark {
    /// All of them, each at the place of its number.
    pub(crate) const ALL: [Self; 3] = [Self::Collected, Self::Crowded, Self::Full];
}

/// The last day of each, counted from 1970-01-01; none if it never was.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LastDays {
    /// The newsroom's collector came, over the wire or by stick.
    pub collected: Option<u32>,
    /// All places for uploads were taken when somebody came, who then got the place of the slowest or had to come back.
    pub crowded: Option<u32>,
    /// The disk was as full as it may get when somebody came.
    pub full: Option<u32>,
}

/// The days of a drop that is running.
#[derive(Debug)]
pub(crate) struct Days {
    path: PathBuf,
    last: Mutex<LastDays>,
}

impl Days {
    pub(crate) fn open(home: &Path) -> Self {
        Self { path: home.join(FILE), last: Mutex::new(read(home)) }
    }

    /// Whether it is noted of this day already.
    pub(crate) fn has(&self, mark: Mark, today: u32) -> bool {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner).of(mark) == Some(today)
    }

    /// Notes it of this day. What cannot be written, on a full disk say, is tried again when it is so again.
    pub(crate) fn note(&self, mark: Mark, today: u32) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let before = *last;
        *last.of(mark) = Some(today);
        if before != *last && write(&self.path, &last, today).is_err() {
            *last = before;
        }
    }
}

impl LastDays {
    fn of(&mut self, mark: Mark) -> &mut Option<u32> {
        match mark {
            Mark::Collected => &mut self.collected,
            Mark::Crowded => &mut self.crowded,
            Mark::Full => &mut self.full,
        }
    }
}

/// What is noted in a drop's folder. A file that is not there, or not of its form, says nothing: it is written anew.
pub(crate) fn read(home: &Path) -> LastDays {
    parse(&home.join(FILE)).unwrap_or_default()
}

fn parse(path: &Path) -> Option<LastDays> {
    let mut bytes = Vec::new();
    File::open(path).ok()?.take(LONGEST).read_to_end(&mut bytes).ok()?;
    let mut fields = Fields::read(&bytes).ok()?;
    fields.format(FORMAT).ok()?;
    let mut day = |name: &'static str| Some(Some(u32::try_from(fields.number(name).ok()?).ok()?).filter(|day| *day > 0));
    Some(LastDays { collected: day("collected")?, crowded: day("crowded")?, full: day("full")? })
}

fn write(path: &Path, last: &LastDays, today: u32) -> io::Result<()> {
    let day = |day: Option<u32>| day.unwrap_or(0);
    let value = serde_json::json!({
        "collected": day(last.collected), "crowded": day(last.crowded), "format": FORMAT, "full": day(last.full),
    });
    write_atomic(path, &json::write(&value).map_err(io::Error::other)?)?;
    // Its time says no more than the day.
    let midnight = UNIX_EPOCH + Duration::from_secs(u64::from(today) * 86_400);
    File::options().write(true).open(path)?.set_times(FileTimes::new().set_modified(midnight).set_accessed(midnight))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::time::SystemTime;

    #[test]
    fn days_are_noted_once_a_day_and_read_again() {
        let home = tempfile::tempdir().unwrap();
        assert_eq!(read(home.path()), LastDays::default());
        let days = Days::open(home.path());
        days.note(Mark::Collected, 20_000);
        days.note(Mark::Full, 20_001);
        let expected = LastDays { collected: Some(20_000), crowded: None, full: Some(20_001) };
        assert_eq!(read(home.path()), expected);
        let again = Days::open(home.path());
        assert!(again.has(Mark::Full, 20_001) && !again.has(Mark::Collected, 20_001) && !again.has(Mark::Crowded, 20_000));
        let time: SystemTime = fs::metadata(home.path().join(FILE)).unwrap().modified().unwrap();
        assert_eq!(time.duration_since(UNIX_EPOCH).unwrap().as_secs(), 20_001 * 86_400);
        // Nothing is written where nothing is new.
        fs::remove_file(home.path().join(FILE)).unwrap();
        again.note(Mark::Full, 20_001);
        assert_eq!(read(home.path()), LastDays::default());
        again.note(Mark::Crowded, 20_002);
        assert_eq!(read(home.path()), LastDays { crowded: Some(20_002), ..expected });
    }

    #[test]
    fn what_is_not_of_its_form_says_nothing() {
        let home = tempfile::tempdir().unwrap();
        for other in ["", "{}", "x", "{\"collected\":99999999999,\"crowded\":0,\"format\":\"daylight-drop-days/v1\",\"full\":0}"] {
            fs::write(home.path().join(FILE), other).unwrap();
            assert_eq!(read(home.path()), LastDays::default(), "{other}");
        }
    }
}
