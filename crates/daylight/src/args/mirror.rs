//! What can be said of copies: made, kept up to date, and what they found.

use clap::Args;
use daylight_mirror::address::Address;
use daylight_mirror::http::Proxy;
use std::path::PathBuf;
use std::time::Duration;

/// Copies an archive from its site or from any other copy, checking everything on the way; later fetches only what is new.
///
/// Nobody who is asked is trusted. A root that you got elsewhere says whose archive it must be; without one, the first that is seen is pinned. Where a
/// site is gone or lies, the others that the root lists are asked, and it is said who lied. Two states that the log signed and that cannot both be
/// true are kept as evidence. Interrupted at any moment, it goes on from there.
#[derive(Args)]
#[command(
    after_help = "FOLDER is an archive like any other: serve it, verify it, copy it. What the mirror itself needs stands in FOLDER.mirror.\n\
    Exits 1 if nothing could be accepted, or if evidence against the log was found.\n\
    SSL_CERT_FILE may name a file (PEM) with the authorities that are trusted for https:// instead of the web's.\n\
    Example: daylight mirror https://papers.example/ ~/papers --root pinned-root.json\n\
    Example: daylight mirror http://abc…xyz.onion/ ~/papers --socks 127.0.0.1:9050 --every 1h\n\
    Example: daylight mirror https://papers.example/ ~/papers --repair"
)]
pub(crate) struct Mirror {
    /// The address of the site or of a copy that is asked first.
    #[arg(value_name = "URL")]
    pub(crate) from: Address,
    /// The folder of the copy.
    #[arg(value_name = "FOLDER")]
    pub(crate) to: PathBuf,
    /// A root that you trust, from elsewhere than that site.
    #[arg(long, value_name = "FILE")]
    pub(crate) root: Option<PathBuf>,
    /// Cosigns as a witness, with this key, each state that was copied whole: see `daylight witness`.
    #[arg(long, value_name = "KEY")]
    pub(crate) witness: Option<PathBuf>,
    /// The witness's folder, which `daylight witness serve` shows to others; by default FOLDER.witness.
    #[arg(long, value_name = "STATE", requires = "witness")]
    pub(crate) witness_state: Option<PathBuf>,
    /// A file with the passphrase of the witness's key in its first line.
    #[arg(long, value_name = "FILE", requires = "witness")]
    pub(crate) passphrase_file: Option<PathBuf>,
    /// Does it again and again, so long after each time: 30m, 1h, 1d. Ends when it is told to.
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) every: Option<Duration>,
    /// Copies the documents of this collection only, and the whole log; may be given more than once.
    #[arg(long, value_name = "COLLECTION", conflicts_with = "all")]
    pub(crate) only: Vec<String>,
    /// Copies all collections, where the copy was begun with some.
    #[arg(long)]
    pub(crate) all: bool,
    /// Checks every file of the copy, and fetches anew what is damaged or missing; each is replaced only by what was checked.
    #[arg(long)]
    pub(crate) repair: bool,
    #[command(flatten)]
    pub(crate) network: Network,
    /// Prints one JSON object, one for each time.
    #[arg(long)]
    pub(crate) json: bool,
}

/// How others are asked.
#[derive(Args, Clone)]
pub(crate) struct Network {
    /// Asks everybody through this SOCKS 5 proxy, such as Tor's, which also looks their names up.
    #[arg(long, value_name = "HOST:PORT")]
    pub(crate) socks: Option<Proxy>,
    /// The most bytes a second: 500k, 2M.
    #[arg(long, value_name = "BYTES", value_parser = rate)]
    pub(crate) rate: Option<u64>,
    /// The most connections at a time.
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u8).range(1..=64))]
    pub(crate) connections: u8,
}

/// Checks a file of evidence that a log contradicts itself, without any archive: two states that it signed and that cannot both be true.
#[derive(Args)]
#[command(
    after_help = "Exits 0 if it is evidence, 1 if it shows nothing.\nExample: daylight evidence 1f0c9a3b77d2e4a1.daylight-evidence --root pinned-root.json"
)]
pub(crate) struct Evidence {
    /// The file.
    pub(crate) file: PathBuf,
    /// A root that you trust; without it, whose log it is was not checked.
    #[arg(long, value_name = "FILE")]
    pub(crate) root: Option<PathBuf>,
    /// Prints one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

/// A number with `s`, `m`, `h` or `d`.
fn time(text: &str) -> Result<Duration, String> {
    let units = [('s', 1), ('m', 60), ('h', 3600), ('d', 86_400)];
    let (digits, unit) = units.iter().find_map(|(letter, seconds)| Some((text.strip_suffix(*letter)?, *seconds))).unwrap_or((text, 0));
    let seconds = digits.parse::<u64>().ok().and_then(|number| number.checked_mul(unit)).filter(|seconds| *seconds > 0);
    seconds.map(Duration::from_secs).ok_or_else(|| "a time is a number and s, m, h or d, such as 1h".into())
}

/// A number of bytes, perhaps with `k`, `M` or `G` (powers of 1,000).
fn rate(text: &str) -> Result<u64, String> {
    let units = [("k", 1000), ("M", 1_000_000), ("G", 1_000_000_000)];
    let (digits, unit) = units.iter().find_map(|(letter, unit)| Some((text.strip_suffix(letter)?, *unit))).unwrap_or((text, 1));
    let rate = digits.parse::<u64>().ok().and_then(|number| number.checked_mul(unit)).filter(|rate| *rate > 0);
    rate.ok_or_else(|| "a rate is a number of bytes a second, perhaps with k, M or G, such as 500k".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_rates_are_read() {
        assert_eq!(
            (time("90s"), time("1h"), time("2d")),
            (Ok(Duration::from_secs(90)), Ok(Duration::from_secs(3600)), Ok(Duration::from_secs(172_800)))
        );
        assert!(["", "1", "h", "0h", "-1h", "99999999999999999999d", "1hour"].iter().all(|text| time(text).is_err()));
        assert_eq!((rate("1000"), rate("500k"), rate("2M")), (Ok(1000), Ok(500_000), Ok(2_000_000)));
        assert!(["", "k", "0", "-1", "1 k", "99999999999999999999"].iter().all(|text| rate(text).is_err()));
    }
}
