use crate::office::bytes::{stretch, u16_at, u32_at};

/// The strings that the cells of a workbook share, in one text.
#[derive(Default)]
pub(super) struct Strings {
    text: String,
    ends: Vec<usize>,
}

impl Strings {
    pub(super) fn get(&self, number: usize) -> Option<&str> {
        let end = *self.ends.get(number)?;
        let start = number.checked_sub(1).map_or(0, |before| self.ends[before]);
        self.text.get(start..end)
    }

    /// Reads the table (section 2.4.265), which may go on in further records, even within a string.
    pub(super) fn read(records: &[&[u8]]) -> Self {
        let mut strings = Self::default();
        let mut reader = Reader { records, record: 0, at: 8 };
        while let Some(head) = reader.take(3) {
            let count = usize::from(u16_at(&head, 0));
            let flags = head[2];
            let runs = if flags & 8 != 0 { reader.take(2).map_or(0, |n| usize::from(u16_at(&n, 0)) * 4) } else { 0 };
            let phonetic = if flags & 4 != 0 { reader.take(4).map_or(0, |n| u32_at(&n, 0) as usize) } else { 0 };
            reader.characters(count, flags & 1 == 1, &mut strings.text);
            strings.ends.push(strings.text.len());
            reader.skip(runs.saturating_add(phonetic));
        }
        strings
    }
}

struct Reader<'a> {
    records: &'a [&'a [u8]],
    record: usize,
    at: usize,
}

impl<'a> Reader<'a> {
    /// What is left of the record that is being read, or of the next one.
    fn left(&mut self) -> Option<&'a [u8]> {
        loop {
            let record = self.records.get(self.record)?;
            match record.get(self.at..).filter(|left| !left.is_empty()) {
                Some(left) => return Some(left),
                None => (self.record, self.at) = (self.record + 1, 0),
            }
        }
    }

    fn take(&mut self, count: usize) -> Option<Vec<u8>> {
        let mut bytes = Vec::with_capacity(count);
        while bytes.len() < count {
            let left = self.left()?;
            let some = left.len().min(count - bytes.len());
            bytes.extend_from_slice(&left[..some]);
            self.at += some;
        }
        Some(bytes)
    }

    fn skip(&mut self, mut count: usize) {
        while count > 0
            && let Some(left) = self.left()
        {
            let some = left.len().min(count);
            (self.at, count) = (self.at + some, count - some);
        }
    }

    /// Characters: where they go on in another record, that says anew how wide they are.
    fn characters(&mut self, mut count: usize, mut wide: bool, text: &mut String) {
        while count > 0 {
            let record = self.record;
            let Some(left) = self.left() else { return };
            if self.record != record {
                wide = left[0] & 1 == 1;
                self.at += 1;
                continue;
            }
            let width = if wide { 2 } else { 1 };
            let some = (left.len() / width).min(count);
            text.push_str(&characters(&left[..some * width], wide));
            self.at += if some == 0 { left.len() } else { some * width };
            count -= some;
            // A record that ends right behind a string's last character but one goes on in the next with its width.
        }
    }
}

/// Characters of one byte, which are the first of Unicode, or of two.
pub(super) fn characters(bytes: &[u8], wide: bool) -> String {
    if !wide {
        return bytes.iter().map(|b| char::from(*b)).collect();
    }
    let units = bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
    char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}

/// A string behind its length in two bytes and its flags (section 2.5.294).
pub(super) fn string(data: &[u8]) -> String {
    with_flags(usize::from(u16_at(data, 0)), stretch(data, 2, data.len()))
}

/// A string behind its length in one byte and its flags (section 2.5.240).
pub(super) fn short(data: &[u8]) -> String {
    with_flags(usize::from(data.first().copied().unwrap_or(0)), stretch(data, 1, data.len()))
}

fn with_flags(count: usize, data: &[u8]) -> String {
    let flags = data.first().copied().unwrap_or(0);
    let skipped = if flags & 8 != 0 { 2 } else { 0 } + if flags & 4 != 0 { 4 } else { 0 };
    let wide = flags & 1 == 1;
    characters(stretch(data, 1 + skipped, count * if wide { 2 } else { 1 }), wide)
}
