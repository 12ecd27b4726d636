//! The drop: where sources send to, and what its operator does.

use clap::{Args, Subcommand};
use daylight_intake::Listen;
use std::path::PathBuf;

/// The drop, to which sources send, and the newsroom's side of it.
#[derive(Subcommand)]
#[command(after_help = "docs/operate-a-drop.md goes from a bare machine to a running drop.")]
pub(crate) enum Drop {
    Init(DropInit),
    Serve(DropServe),
    Status(DropStatus),
    Export(DropExport),
    Apply(DropApply),
    #[command(flatten)]
    Desk(super::inbox::Inbox),
}

/// Makes a drop for an archive, or gives one that is there other settings and the archive's newer roots. Prints the collector's token, once.
#[derive(Args)]
#[command(
    after_help = "Example: daylight drop init /var/lib/daylight-drop --archive /srv/archive --title \"The Brackwater Courier\" --address http://abc….onion"
)]
pub(crate) struct DropInit {
    /// The drop's folder, made if there is none.
    pub(crate) store: PathBuf,
    /// The archive's folder, or one with its root/ in it: who may sign directories, and what codenames are bound to.
    #[arg(long, value_name = "ARCHIVE")]
    pub(crate) archive: PathBuf,
    /// The newsroom's name, as sources are shown it.
    #[arg(long)]
    pub(crate) title: String,
    /// Where sources reach it: its onion address.
    #[arg(long, value_name = "URL", default_value = "")]
    pub(crate) address: String,
    /// The directory of keys that the newsroom's editors signed; `drop collect` can bring it later.
    #[arg(long, value_name = "FILE")]
    pub(crate) directory: Option<PathBuf>,
    /// How many megabytes of the disk stay free: beyond that the drop says that it is full.
    #[arg(long, value_name = "MB", default_value_t = 1000)]
    pub(crate) reserve: u64,
    /// Prints one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Serves the drop until it is told to end. Nothing is written down about who asks for what.
#[derive(Args)]
#[command(after_help = "Put tor before it (deploy/torrc.drop).\n\
    Example: daylight drop serve /var/lib/daylight-drop --listen unix:/run/daylight-drop/socket")]
pub(crate) struct DropServe {
    /// The drop's folder.
    pub(crate) store: PathBuf,
    /// unix:PATH, or an address of this machine; port 0 picks a free one.
    #[arg(long, value_name = "unix:PATH|ADDR", default_value = "127.0.0.1:8096")]
    pub(crate) listen: Listen,
}

/// Says how a drop is: what waits, whether there is room, how long its keys last, when the collector came. It looks into the folder alone; the drop may be running. Exits 1 where something
/// that came now would not be taken.
#[derive(Args)]
#[command(after_help = "All of it is sums over all sources, and days.\n\
    Example: daylight drop status /var/lib/daylight-drop --at unix:/run/daylight-drop/socket")]
pub(crate) struct DropStatus {
    /// The drop's folder.
    pub(crate) store: PathBuf,
    /// Asks there, too, whether the drop answers: where it listens.
    #[arg(long, value_name = "unix:PATH|ADDR")]
    pub(crate) at: Option<Listen>,
    /// Prints one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Copies the sealed envelopes into a folder, such as a USB stick, for a newsroom that stays offline. The drop may be running.
#[derive(Args)]
#[command(after_help = "Example: daylight drop export /var/lib/daylight-drop /media/usb")]
pub(crate) struct DropExport {
    /// The drop's folder.
    pub(crate) store: PathBuf,
    /// Where to write outbox/.
    pub(crate) to: PathBuf,
    /// Prints one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Does what a newsroom wrote into a folder's inbox/: takes its directory and replies, deletes what the desk has. The drop must not be running.
#[derive(Args)]
#[command(after_help = "Example: daylight drop apply /var/lib/daylight-drop /media/usb")]
pub(crate) struct DropApply {
    /// The drop's folder.
    pub(crate) store: PathBuf,
    /// Where inbox/ is.
    pub(crate) from: PathBuf,
    /// Prints one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}
