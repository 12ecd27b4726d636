//! A desk's secret keys under keys in the machine's TPM, and what is said of how they are destroyed.

use super::{date, open, today};
use crate::args::inbox::Protect;
use crate::output::{self, count, remark, say};
use anyhow::{Result, bail};
use daylight_inbox::{Inbox, Protection, TpmError};
use serde_json::json;
use std::path::Path;
use std::process::ExitCode;

/// What an SSD keeps nobody here can see.
const LOGICAL: &str = "keys are destroyed by writing over them; a flash disk may keep a copy where only a laboratory finds it";

pub(crate) fn protect(args: &Protect) -> Result<ExitCode> {
    if args.undo && !args.yes {
        bail!(
            "nothing was changed: --yes says that the desk's keys are to be readable again to whoever has its disk, and that from then on what is deleted may be found on it"
        );
    }
    let mut inbox = open(&args.desk, true)?;
    let held = inbox.hold("drop protect")?;
    let files = if args.undo { inbox.unprotect(&held)? } else { inbox.protect(&held, today())? };
    if args.json {
        output::json(&json!({"protected": !args.undo, "files": files}))?;
    } else if args.undo {
        say!("{} of keys plain again, and no key of this desk is left in the TPM", count(files as u64, "file"))?;
    } else {
        say!("{} of keys sealed under keys in this machine's TPM, as each new one will be", count(files as u64, "file"))?;
    }
    if args.undo {
        remark(format_args!("{LOGICAL}: seal the keys again where the desk moves to, and erase this disk"));
    } else {
        remark(format_args!(
            "the desk opens on this machine alone from now on, and no more if its TPM is cleared; a copy of it opens until the next deletion"
        ));
        if files > 0 {
            remark(format_args!(
                "a flash disk may keep the files as they were until now: keys made from now on are those that are surely destroyed"
            ));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// How the keys of an inbox are destroyed, for whoever makes some.
pub(super) fn keys_are_destroyed(inbox: &Inbox, desk: &Path) -> Result<String> {
    let command = format!("`daylight drop protect {}`", desk.display());
    Ok(match inbox.protection()? {
        Protection::Yes { plain_until } => {
            let but = plain_until.map(|day| format!(" but, perhaps, keys that were there on {}", date(day))).unwrap_or_default();
            format!(
                "keys are sealed under a key in this machine's TPM, which is renewed at each deletion: old blocks of a flash disk open nothing{but}"
            )
        }
        Protection::Partly => format!("{LOGICAL}: not all of this desk's keys are sealed under the TPM yet, {command} goes on with it"),
        Protection::No => match inbox.tpm().maker() {
            Ok(_) => format!("{LOGICAL}: the TPM of this machine can prevent that, see {command}"),
            Err(TpmError::None(_)) => {
                format!("{LOGICAL}, and there is no TPM here to prevent that: keep the desk on an encrypted disk, and off")
            }
            Err(error) => format!("{LOGICAL}: keep the desk on an encrypted disk, and off; {error}"),
        },
    })
}

/// What became of the key of a conversation, which began on this day and was deleted a moment ago.
pub(super) fn destroyed(inbox: &Inbox, began: u32) -> Result<String> {
    Ok(match inbox.protection()? {
        Protection::Yes { plain_until: Some(day) } if began <= day => format!(
            "its key is gone, and was in a plain file until {}; a flash disk may keep a copy of that which only a laboratory finds",
            date(day)
        ),
        Protection::Yes { .. } => "the key under which its key was sealed is gone from the TPM: no old block of a disk opens it".into(),
        Protection::Partly | Protection::No => "its key was written over; a flash disk may keep a copy that only a laboratory finds".into(),
    })
}
