//! What a source says to a drop, and hears.

use clap::Args;
use daylight_mirror::address::Address;
use daylight_mirror::http::Proxy;
use std::path::PathBuf;

/// How a source knows the newsroom, and reaches it.
#[derive(Args, Clone)]
pub(crate) struct Newsroom {
    /// The newsroom's root that you trust, from elsewhere than the drop: a root's file, or its SHA-256.
    #[arg(long, value_name = "FILE|SHA256")]
    pub(crate) root: Option<String>,
    /// Where the newsroom's archive is, or any copy of it; by default where the root's file says.
    #[arg(long, value_name = "URL|FOLDER")]
    pub(crate) archive: Option<String>,
    /// Goes through this SOCKS 5 proxy: Tor's is 127.0.0.1:9050, that of a running Tor Browser 127.0.0.1:9150.
    #[arg(long, value_name = "HOST:PORT")]
    pub(crate) socks: Option<Proxy>,
    /// A file with the codename, instead of being asked for it. `submit` writes a new one there if there is none.
    #[arg(long, value_name = "FILE")]
    pub(crate) codename_file: Option<PathBuf>,
    /// Takes the archive's word for the keys, though no witnesses saw it lately: you may then be shown keys that nobody else is.
    #[arg(long)]
    pub(crate) without_witnesses: bool,
    /// How often a broken line is tried again, waiting up to a minute each time.
    #[arg(long, value_name = "N", default_value_t = 15, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) tries: u32,
}

impl Newsroom {
    /// Whether anything of it was said.
    pub(crate) fn is_told(&self) -> bool {
        self.root.is_some() || self.archive.is_some() || self.socks.is_some() || self.codename_file.is_some()
    }
}

/// What is sent.
#[derive(Args)]
pub(crate) struct Sent {
    /// A text to the newsroom; - reads it from standard input, where no history of commands keeps it.
    #[arg(long, value_name = "TEXT|-")]
    pub(crate) text: Option<String>,
    /// Files to send. Their names and all that is inside them reach the newsroom as they are.
    #[arg(value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// Goes on with the first file from this part on, where a broken line left off.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) from_part: u32,
}

/// Sends a text and files to a newsroom as a source, sealed on this machine, and gives you a codename with which to read the answer.
///
/// Before anything is sealed, the keys are looked for in the newsroom's archive, up to a state that witnesses saw in the last 48 hours: so nobody, the drop
/// included, can slip in a key of theirs. Nothing is written to this machine's disk unless you ask for it. Use Tor, on a machine and a network that are
/// not your employer's.
#[derive(Args)]
#[command(
    after_help = "The codename is shown once, before anything is sent. Learn it by heart, or keep it where nobody looks; there is no other way back.\n\
    Example: daylight submit http://abc…xyz.onion/ --root newsroom-root.json --socks 127.0.0.1:9050 --text - ledger.pdf"
)]
pub(crate) struct Submit {
    /// The drop's address.
    #[arg(value_name = "DROP")]
    pub(crate) drop: Address,
    #[command(flatten)]
    pub(crate) sent: Sent,
    #[command(flatten)]
    pub(crate) newsroom: Newsroom,
}

/// Sends more as a source who has a codename: an answer to the newsroom, or files.
#[derive(Args)]
#[command(after_help = "Example: daylight reply http://abc…xyz.onion/ --root newsroom-root.json --socks 127.0.0.1:9050 --text -\n\
    Example: daylight reply http://abc…xyz.onion/ archive.tar --from-part 3 --root newsroom-root.json --socks 127.0.0.1:9050")]
pub(crate) struct ToNewsroom {
    /// The drop's address.
    #[arg(value_name = "DROP")]
    pub(crate) drop: Address,
    #[command(flatten)]
    pub(crate) sent: Sent,
    #[command(flatten)]
    pub(crate) newsroom: Newsroom,
}
