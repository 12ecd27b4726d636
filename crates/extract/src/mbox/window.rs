use crate::document::read_full;
use daylight_model::reading::Input;
use memchr::memmem;
use std::borrow::Cow;
use std::io;
use std::ops::Range;

/// How much is read at once.
const STEP: usize = 1 << 20;

/// A stretch of the input that is in memory; all places are offsets in the input. An input that is in memory is not copied.
pub(super) struct Window<'a> {
    input: &'a (dyn Input + 'a),
    bytes: Cow<'a, [u8]>,
    /// The offset of the first byte in `bytes`.
    base: u64,
    /// What lies before this may be dropped.
    keep: u64,
}

impl<'a> Window<'a> {
    pub(super) fn new(input: &'a (dyn Input + 'a)) -> Self {
        let bytes = input.in_memory().map_or(Cow::Owned(Vec::new()), Cow::Borrowed);
        Self { input, bytes, base: 0, keep: 0 }
    }

    /// The end of what is in memory.
    pub(super) fn end(&self) -> u64 {
        self.base + self.bytes.len() as u64
    }

    /// Lets go of what lies before `at`, and jumps there if nothing that is in memory is wanted.
    pub(super) fn keep_from(&mut self, at: u64) {
        self.keep = at;
        if at >= self.end()
            && let Cow::Owned(bytes) = &mut self.bytes
        {
            bytes.clear();
            self.base = at;
        }
    }

    /// The bytes of a range, as far as they are in memory.
    pub(super) fn get(&self, range: &Range<u64>) -> &[u8] {
        let place = |at: u64| usize::try_from(at.saturating_sub(self.base)).unwrap_or(usize::MAX).min(self.bytes.len());
        let (start, end) = (place(range.start), place(range.end));
        &self.bytes[start..end.max(start)]
    }

    /// All that is in memory from `at` on.
    pub(super) fn from(&self, at: u64) -> &[u8] {
        self.get(&(at..u64::MAX))
    }

    /// The `count` bytes before `at`, or as many as there are.
    pub(super) fn tail(&self, at: u64, count: u64) -> &[u8] {
        self.get(&(at.saturating_sub(count)..at))
    }

    /// Reads on until `at` is in memory or the input ends.
    pub(super) fn fill_to(&mut self, at: u64) -> io::Result<()> {
        while self.end() < at && self.more()? {}
        Ok(())
    }

    /// The first place of `what` that lies wholly between `from` and `to`, reading on as needed.
    pub(super) fn find(&mut self, what: &[u8], mut from: u64, to: u64) -> io::Result<Option<u64>> {
        loop {
            if let Some(place) = memmem::find(self.get(&(from..to)), what) {
                return Ok(Some(from.max(self.base) + place as u64));
            }
            from = from.max(self.end().saturating_sub(what.len() as u64 - 1));
            if self.end() >= to || !self.more()? {
                return Ok(None);
            }
        }
    }

    /// Reads one step more; says whether there was more.
    fn more(&mut self) -> io::Result<bool> {
        let end = self.end();
        let Cow::Owned(bytes) = &mut self.bytes else { return Ok(false) };
        let dropped = usize::try_from(self.keep.saturating_sub(self.base)).unwrap_or(usize::MAX).min(bytes.len());
        // Moving what is kept costs as much as it is long: only worth it when more than that is dropped.
        if dropped > bytes.len() / 2 {
            bytes.drain(..dropped);
            self.base += dropped as u64;
        }
        let length = bytes.len();
        bytes.resize(length + STEP, 0);
        let count = read_full(self.input, end, &mut bytes[length..]);
        bytes.truncate(length + count.as_ref().copied().unwrap_or(0));
        Ok(count? > 0)
    }
}
