use super::TILE_WIDTH;
use std::fmt;

/// The path of a tile or of an entry bundle inside the log's folder (c2sp.org/tlog-tiles): `tile/<L>/<N>[.p/<W>]` or
/// `tile/entries/<N>[.p/<W>]`, N in groups of three digits of which all but the last begin with an `x`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TilePath {
    /// The level, 0 for leaves; `None` for a bundle of entries.
    pub level: Option<u8>,
    /// Which one at that level, from 0.
    pub index: u64,
    /// How many hashes or entries it has, 1 to 256.
    pub width: u16,
}

impl TilePath {
    /// The widest tile there is at `index` of `level` in a tree of `size` leaves, if any.
    pub fn widest(level: Option<u8>, index: u64, size: u64) -> Option<Self> {
        let nodes = size.checked_shr(8 * u32::from(level.unwrap_or(0))).unwrap_or(0);
        let start = index.checked_mul(TILE_WIDTH)?;
        let width = nodes.checked_sub(start)?.min(TILE_WIDTH);
        (width > 0).then_some(Self { level, index, width: width as u16 })
    }

    /// Every tile of a tree of `size` leaves, level by level, each in the widest form it has at that size; bundles are not among them.
    pub fn tiles(size: u64) -> impl Iterator<Item = TilePath> {
        let levels = (0..8u8).take_while(move |level| size.checked_shr(8 * u32::from(*level)).unwrap_or(0) > 0);
        levels.flat_map(move |level| {
            let nodes = size >> (8 * u32::from(level));
            (0..nodes.div_ceil(TILE_WIDTH)).filter_map(move |index| Self::widest(Some(level), index, size))
        })
    }

    /// Every entry bundle of a log of `size` entries.
    pub fn bundles(size: u64) -> impl Iterator<Item = TilePath> {
        (0..size.div_ceil(TILE_WIDTH)).filter_map(move |index| Self::widest(None, index, size))
    }

    /// Reads a path and accepts only the one way of writing it.
    pub fn parse(path: &str) -> Option<Self> {
        let rest = path.strip_prefix("tile/")?;
        let (level, rest) = rest.split_once('/')?;
        let level = if level == "entries" { None } else { Some(level.parse().ok().filter(|l| *l < 64)?) };
        let (digits, width) = match rest.split_once(".p/") {
            Some((digits, width)) => (digits, width.parse().ok().filter(|w| (1..256).contains(w))?),
            None => (rest, 256),
        };
        let mut index = 0u64;
        for group in digits.split('/') {
            let group: u64 = group.strip_prefix('x').unwrap_or(group).parse().ok()?;
            index = index.checked_mul(1000)?.checked_add(group)?;
        }
        let parsed = Self { level, index, width };
        (parsed.to_string() == path).then_some(parsed)
    }

    /// The same tile before it had all of these hashes.
    pub fn narrower(self, width: u16) -> Self {
        Self { width, ..self }
    }
}

impl fmt::Display for TilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.level {
            Some(level) => write!(f, "tile/{level}/")?,
            None => f.write_str("tile/entries/")?,
        }
        let mut groups = Vec::new();
        let mut rest = self.index;
        while rest >= 1000 {
            groups.push(rest % 1000);
            rest /= 1000;
        }
        groups.push(rest);
        for (i, group) in groups.iter().enumerate().rev() {
            if i > 0 { write!(f, "x{group:03}/")? } else { write!(f, "{group:03}")? }
        }
        if u64::from(self.width) < TILE_WIDTH { write!(f, ".p/{}", self.width) } else { Ok(()) }
    }
}
