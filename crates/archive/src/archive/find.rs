use super::{Archive, ArchiveError, Release, damaged};
use crate::manifest::{PART_LINES, RawLine};
use crate::paths;
use crate::record::Record;

impl Archive {
    /// The first and the last number of a release.
    pub(super) fn numbers(&self, release: &Release) -> Result<(u64, u64), ArchiveError> {
        let serial = release.note.serial;
        let cell = self.place_of(serial).map(|place| &self.numbers[place]);
        if let Some(known) = cell.and_then(|cell| cell.get()) {
            return Ok(*known);
        }
        let first = self.first_number(serial, 0..release.note.lines)?;
        let last = self.first_number(serial, (0..release.note.lines).rev())?;
        Ok(cell.map_or((first, last), |cell| *cell.get_or_init(|| (first, last))))
    }

    /// The number of the first of these lines that has one.
    pub(super) fn first_number(&self, serial: u64, lines: impl Iterator<Item = u64>) -> Result<u64, ArchiveError> {
        for line in lines {
            if let Some(number) = self.number_at(serial, line)? {
                return Ok(number);
            }
        }
        Ok(0)
    }

    /// The number of a line. What is withdrawn has the number that the withdrawal gives, so that it is found whether or not it was erased here.
    pub(super) fn number_at(&self, serial: u64, line: u64) -> Result<Option<u64>, ArchiveError> {
        if let Some(place) = self.withdrawn_line(serial, line) {
            return Ok(Some(place.number));
        }
        let raw = self.raw_line(serial, line)?;
        match RawLine::parse(&raw) {
            None => Err(damaged(paths::manifest_part(serial, line / PART_LINES), format!("line {line} is not of its form"))),
            Some(RawLine::Erased { .. }) => Ok(None),
            Some(RawLine::Published { record, .. }) => match Record::parse(record) {
                Ok(record) => Ok(Some(record.number)),
                Err(e) => Err(damaged(paths::manifest_part(serial, line / PART_LINES), format!("line {line}: {e}"))),
            },
        }
    }

    /// Finds a number's line: at once where the release has no gaps, by halving otherwise, for lines stand in number order.
    pub(super) fn find_in(&self, release: &Release, number: u64) -> Result<Option<u64>, ArchiveError> {
        let serial = release.note.serial;
        let (first, last) = self.numbers(release)?;
        if number < first || number > last {
            return Ok(None);
        }
        let guess = number - first;
        if guess < release.note.lines && self.number_at(serial, guess)? == Some(number) {
            return Ok(Some(guess));
        }
        let (mut low, mut high) = (0, release.note.lines);
        while low < high {
            let middle = low + (high - low) / 2;
            // An erased line of which no withdrawal tells has no number: the next line that has one decides.
            let mut probe = middle;
            let mut found = None;
            while probe < high && found.is_none() {
                found = self.number_at(serial, probe)?;
                probe += 1;
            }
            match found {
                Some(found) if found == number => return Ok(Some(probe - 1)),
                Some(found) if found < number => low = probe,
                _ => high = middle,
            }
        }
        Ok(None)
    }
}
