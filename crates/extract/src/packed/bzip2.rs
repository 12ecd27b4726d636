//! Bzip2, one member at a time. The format has no paper but Julian Seward's program; what is here follows its version 1.0.8: a block of up to 900,000
//! bytes is turned over (Burrows and Wheeler), its symbols moved to the front, runs counted, and all of it coded by up to six tables of Huffman's.
//! Blocks that versions before 0.9.5 made "random" are not read.

use std::io::{self, BufRead, Read};

/// Symbols between two changes of the table.
const GROUP: usize = 50;
/// No code is longer, in bits.
const LONGEST: usize = 20;
const BLOCK: u64 = 0x3141_5926_5359;
const END: u64 = 0x1772_4538_5090;

/// A member as it unpacks.
pub(super) struct Bzip2<R> {
    bits: Bits<R>,
    /// The most bytes of a block, 0 before the header was read.
    size: usize,
    block: Block,
    sum: u32,
    ended: bool,
}

impl<R: BufRead> Bzip2<R> {
    pub(super) fn new(source: R) -> Self {
        Self { bits: Bits { source, held: 0, count: 0 }, size: 0, block: Block::default(), sum: 0, ended: false }
    }

    /// What stands behind the member, once it was read to its end.
    pub(super) fn into_inner(self) -> R {
        self.bits.source
    }

    fn next_block(&mut self) -> io::Result<()> {
        if self.size == 0 {
            let head = self.bits.take(32)?;
            let digit = head & 0xff;
            if head >> 8 != 0x42_5a68 || !(0x31..=0x39).contains(&digit) {
                return Err(broken("its header is another"));
            }
            self.size = (digit as usize - 0x30) * 100_000;
        }
        match self.bits.take(24)? << 24 | self.bits.take(24)? {
            BLOCK => {
                self.block = Block::read(&mut self.bits, self.size)?;
                self.sum = self.sum.rotate_left(1) ^ self.block.stated;
                Ok(())
            }
            END => {
                self.ended = true;
                if self.bits.take(32)? == u64::from(self.sum) { Ok(()) } else { Err(broken("its checksum is another")) }
            }
            _ => Err(broken("a block does not begin where it should")),
        }
    }
}

impl<R: BufRead> Read for Bzip2<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while !buffer.is_empty() && !self.ended {
            match self.block.give(buffer)? {
                0 => self.next_block()?,
                count => return Ok(count),
            }
        }
        Ok(0)
    }
}

fn broken(why: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

/// Bits, the highest of each byte first. No byte is taken before one of its bits is needed.
struct Bits<R> {
    source: R,
    held: u64,
    count: u32,
}

impl<R: BufRead> Bits<R> {
    /// The next bits, at most 32.
    fn take(&mut self, wanted: u32) -> io::Result<u64> {
        while self.count < wanted {
            let Some(byte) = self.source.fill_buf()?.first().copied() else { return Err(io::ErrorKind::UnexpectedEof.into()) };
            self.source.consume(1);
            self.held = self.held << 8 | u64::from(byte);
            self.count += 8;
        }
        self.count -= wanted;
        Ok(self.held >> self.count & ((1 << wanted) - 1))
    }

    fn bit(&mut self) -> io::Result<bool> {
        Ok(self.take(1)? == 1)
    }
}

/// A block, as it is turned back.
#[derive(Default)]
struct Block {
    /// Each byte in the lowest eight bits, and above them where the next one is.
    turned: Vec<u32>,
    at: u32,
    /// How many of its bytes were looked at.
    used: usize,
    last: Option<u8>,
    /// How often the last byte stood there in a row, and how often it is still to be given.
    run: u8,
    repeat: u8,
    stated: u32,
    sum: u32,
}

impl Block {
    fn read<R: BufRead>(bits: &mut Bits<R>, size: usize) -> io::Result<Self> {
        let stated = bits.take(32)? as u32;
        if bits.bit()? {
            return Err(io::Error::new(io::ErrorKind::Unsupported, "a block is of a kind that is no longer made"));
        }
        let origin = bits.take(24)? as usize;
        let mut front = used_bytes(bits)?;
        let mut coded = Coded::read(bits, front.len() + 2)?;
        let mut turned = Vec::with_capacity(size);
        let mut counts = [0u32; 256];
        let (mut run, mut weight) = (0usize, 1usize);
        loop {
            let symbol = coded.next(bits)?;
            if symbol < 2 {
                // Runs are written in a system of twos without a zero.
                run += weight << symbol;
                weight <<= 1;
                if run > size {
                    return Err(broken("a run is too long"));
                }
                continue;
            }
            if run > 0 {
                push(&mut turned, &mut counts, front[0], run, size)?;
                (run, weight) = (0, 1);
            }
            if symbol > front.len() {
                break;
            }
            front[..symbol].rotate_right(1);
            push(&mut turned, &mut counts, front[0], 1, size)?;
        }
        if origin >= turned.len() {
            return Err(broken("a block begins beyond its end"));
        }
        let mut before = 0;
        for count in &mut counts {
            (before, *count) = (before + *count, before);
        }
        for n in 0..turned.len() {
            let place = &mut counts[(turned[n] & 0xff) as usize];
            turned[*place as usize] |= (n as u32) << 8;
            *place += 1;
        }
        let at = turned[origin] >> 8;
        Ok(Self { turned, at, stated, sum: u32::MAX, ..Self::default() })
    }

    /// Gives the block's next bytes; none at its end.
    fn give(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut given = 0;
        while given < buffer.len() {
            if self.repeat > 0 {
                self.repeat -= 1;
            } else if self.used < self.turned.len() {
                let here = self.turned[self.at as usize];
                (self.at, self.used) = (here >> 8, self.used + 1);
                let byte = here as u8;
                // Behind four of a kind stands how many more there are.
                if self.run == 4 {
                    (self.repeat, self.run) = (byte, 0);
                    continue;
                }
                self.run = if self.last == Some(byte) && self.run > 0 { self.run + 1 } else { 1 };
                self.last = Some(byte);
            } else {
                break;
            }
            let byte = self.last.unwrap_or_default();
            self.sum = self.sum << 8 ^ SUMS[usize::from((self.sum >> 24) as u8 ^ byte)];
            buffer[given] = byte;
            given += 1;
        }
        if given == 0 && !self.turned.is_empty() {
            self.turned.clear();
            self.used = 0;
            if !self.sum != self.stated {
                return Err(broken("a block's checksum is another"));
            }
        }
        Ok(given)
    }
}

fn push(turned: &mut Vec<u32>, counts: &mut [u32; 256], byte: u8, times: usize, size: usize) -> io::Result<()> {
    if turned.len() + times > size {
        return Err(broken("a block is too long"));
    }
    turned.resize(turned.len() + times, u32::from(byte));
    counts[usize::from(byte)] += times as u32;
    Ok(())
}

/// Which bytes there are: which sixteenths of them, and which of those.
fn used_bytes<R: BufRead>(bits: &mut Bits<R>) -> io::Result<Vec<u8>> {
    let sixteenths = bits.take(16)?;
    let mut used = Vec::new();
    for high in (0..16u8).filter(|n| sixteenths >> (15 - n) & 1 == 1) {
        let those = bits.take(16)?;
        used.extend((0..16u8).filter(|n| those >> (15 - n) & 1 == 1).map(|low| high << 4 | low));
    }
    if used.is_empty() { Err(broken("a block has no bytes")) } else { Ok(used) }
}

/// The symbols of a block.
struct Coded {
    tables: Vec<Table>,
    selectors: Vec<u8>,
    group: usize,
    left: usize,
}

impl Coded {
    fn read<R: BufRead>(bits: &mut Bits<R>, symbols: usize) -> io::Result<Self> {
        let (tables, count) = (bits.take(3)? as usize, bits.take(15)? as usize);
        if !(2..=6).contains(&tables) || count == 0 {
            return Err(broken("a block has no tables"));
        }
        let mut front: Vec<u8> = (0..tables as u8).collect();
        let mut selectors = Vec::with_capacity(count);
        for _ in 0..count {
            let mut place = 0;
            while bits.bit()? {
                place += 1;
                if place >= tables {
                    return Err(broken("a table is chosen that is not there"));
                }
            }
            front[..=place].rotate_right(1);
            selectors.push(front[0]);
        }
        let tables = (0..tables).map(|_| Table::read(bits, symbols)).collect::<io::Result<_>>()?;
        Ok(Self { tables, selectors, group: 0, left: GROUP })
    }

    fn next<R: BufRead>(&mut self, bits: &mut Bits<R>) -> io::Result<usize> {
        if self.left == 0 {
            (self.group, self.left) = (self.group + 1, GROUP);
        }
        self.left -= 1;
        let Some(selector) = self.selectors.get(self.group) else { return Err(broken("a block does not end")) };
        self.tables[usize::from(*selector)].next(bits)
    }
}

/// A table of Huffman's, in the canonical form: for each length the first code, how many there are, and the symbols in their order.
struct Table {
    counts: [u32; LONGEST + 1],
    symbols: Vec<u16>,
}

impl Table {
    fn read<R: BufRead>(bits: &mut Bits<R>, symbols: usize) -> io::Result<Self> {
        let mut length = bits.take(5)? as usize;
        let mut lengths = Vec::with_capacity(symbols);
        for _ in 0..symbols {
            loop {
                if !(1..=LONGEST).contains(&length) {
                    return Err(broken("a code is too long"));
                }
                if !bits.bit()? {
                    break;
                }
                length = if bits.bit()? { length - 1 } else { length + 1 };
            }
            lengths.push(length);
        }
        let mut counts = [0; LONGEST + 1];
        lengths.iter().for_each(|length| counts[*length] += 1);
        let mut order: Vec<u16> = (0..symbols as u16).collect();
        order.sort_by_key(|symbol| lengths[usize::from(*symbol)]);
        Ok(Self { counts, symbols: order })
    }

    fn next<R: BufRead>(&self, bits: &mut Bits<R>) -> io::Result<usize> {
        let (mut code, mut first, mut before) = (0, 0, 0);
        for count in &self.counts[1..] {
            code = code << 1 | u32::from(bits.bit()?);
            first <<= 1;
            // Too many codes of one length make `first` the larger.
            if code >= first && code - first < *count {
                let place = (before + code - first) as usize;
                return self.symbols.get(place).map(|symbol| usize::from(*symbol)).ok_or_else(|| broken("a code is not in its table"));
            }
            first += count;
            before += count;
        }
        Err(broken("a code is not in its table"))
    }
}

/// CRC-32 with the highest bit first.
const SUMS: [u32; 256] = {
    let mut sums = [0; 256];
    let mut n = 0;
    while n < 256 {
        let mut sum = (n as u32) << 24;
        let mut bit = 0;
        while bit < 8 {
            sum = if sum >> 31 == 1 { sum << 1 ^ 0x04c1_1db7 } else { sum << 1 };
            bit += 1;
        }
        sums[n] = sum;
        n += 1;
    }
    sums
};
