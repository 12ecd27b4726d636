/// What a header begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    File,
    /// A file with holes, as GNU tar writes it.
    Sparse,
    Directory,
    /// A link, a device, a pipe: which, in a word.
    Other(&'static str),
    /// Something that describes the next entry.
    Record(Record),
    /// What is of no use here, such as a volume's label.
    Aside,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Record {
    GnuName,
    Pax,
}

/// A header's fields.
pub(super) struct Header {
    pub(super) name: Vec<u8>,
    pub(super) size: u64,
    pub(super) what: What,
    /// 1 if a sparse file's map goes on behind the header.
    pub(super) sparse_blocks: u64,
}

impl Header {
    /// Reads a block of 512 bytes whose checksum holds.
    pub(super) fn parse(block: &[u8]) -> Self {
        let what = match block[156] {
            b'1' => What::Other("hard link"),
            b'2' => What::Other("symbolic link"),
            b'3' | b'4' => What::Other("device"),
            b'5' => What::Directory,
            b'6' => What::Other("pipe"),
            b'L' => What::Record(Record::GnuName),
            b'x' | b'X' => What::Record(Record::Pax),
            b'g' | b'K' | b'V' | b'D' | b'N' => What::Aside,
            b'S' => What::Sparse,
            _ => What::File,
        };
        // GNU tar ends its mark otherwise and has other fields where POSIX has a prefix.
        let posix = &block[257..263] == b"ustar\0";
        let (prefix, own) = (until_zero(&block[345..500]), until_zero(&block[..100]));
        let name = if posix && !prefix.is_empty() { [prefix, b"/", own].concat() } else { own.to_vec() };
        let sparse_blocks = u64::from(what == What::Sparse && block[482] != 0);
        Self { name, size: number(&block[124..136]), what, sparse_blocks }
    }
}

/// What records before an entry say of it.
#[derive(Default)]
pub(super) struct Long {
    pub(super) name: Option<Vec<u8>>,
    pub(super) size: Option<u64>,
    pub(super) sparse: bool,
}

impl Long {
    pub(super) fn take(&mut self, kind: Record, record: &[u8]) {
        match kind {
            Record::GnuName => self.name = Some(until_zero(record).to_vec()),
            Record::Pax => self.pax(record),
        }
    }

    /// Lines of `LENGTH KEY=VALUE\n`, where the length counts the whole line.
    fn pax(&mut self, mut record: &[u8]) {
        while let Some(space) = memchr::memchr(b' ', record) {
            let length = std::str::from_utf8(&record[..space]).ok().and_then(|digits| digits.parse::<usize>().ok());
            let Some(line) = length.and_then(|length| record.get(space + 1..length)) else { return };
            let Some(equals) = memchr::memchr(b'=', line) else { return };
            let value = &line[equals + 1..line.len() - usize::from(line.ends_with(b"\n"))];
            match &line[..equals] {
                b"path" if !self.sparse => self.name = Some(value.to_vec()),
                b"GNU.sparse.name" => (self.name, self.sparse) = (Some(value.to_vec()), true),
                b"size" => self.size = std::str::from_utf8(value).ok().and_then(|digits| digits.parse().ok()),
                key if key.starts_with(b"GNU.sparse.") => self.sparse = true,
                _ => (),
            }
            record = &record[space + 1 + line.len()..];
        }
    }
}

/// Whether the sum of a header's bytes is the one it states, its own field counted as spaces. Some programs summed signed bytes.
pub(super) fn checksum_holds(block: &[u8]) -> bool {
    let field = &block[148..156];
    if !field.iter().all(|b| matches!(b, b'0'..=b'7' | b' ' | 0)) || !field.iter().any(u8::is_ascii_digit) {
        return false;
    }
    let others = || block[..148].iter().chain(&block[156..512]);
    let unsigned = 256 + others().map(|b| i64::from(*b)).sum::<i64>();
    let signed = 256 + others().map(|b| i64::from(b.cast_signed())).sum::<i64>();
    let stated = number(field).cast_signed();
    stated == unsigned || stated == signed
}

/// A number in octal digits, or, where the first bit is set, in base 256.
fn number(field: &[u8]) -> u64 {
    if field[0] & 0x80 != 0 {
        let low = &field[field.len().saturating_sub(8)..];
        return low.iter().fold(0, |sum, b| sum << 8 | u64::from(*b)) & (u64::MAX >> 1);
    }
    let digits = field.iter().skip_while(|b| **b == b' ').take_while(|b| matches!(b, b'0'..=b'7'));
    digits.fold(0, |sum: u64, b| sum << 3 | u64::from(b - b'0'))
}

fn until_zero(field: &[u8]) -> &[u8] {
    &field[..memchr::memchr(0, field).unwrap_or(field.len())]
}
