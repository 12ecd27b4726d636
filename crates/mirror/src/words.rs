//! What a person has to know of an error of the disk, and what to do about it.

use std::io;

/// What is said of a file that FAT32 cannot hold.
pub(crate) const TOO_LARGE: &str =
    "the file is too large for this file system: FAT32 holds files of less than 4 GiB; format the disk as exFAT, or take another";

/// An error in words: a full disk is one to make room on, and FAT has no files of 4 GiB.
pub(crate) fn in_words(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "no space is left; make room or take a larger disk, and run it again: it goes on where it was".into()
        }
        io::ErrorKind::FileTooLarge => format!("{TOO_LARGE} (or a limit of this system was reached)"),
        io::ErrorKind::ReadOnlyFilesystem => "it is read-only; nothing can be written there".into(),
        _ => error.to_string(),
    }
}
