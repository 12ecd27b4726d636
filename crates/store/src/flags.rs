//! What a document's row says of its faults, in bits, so that it can be counted without looking at each.

use daylight_model::{Fault, FaultCode};

/// Words of the document may be missing from search.
pub(crate) const UNREAD: i64 = 1;
/// What went wrong may go right another time: the reader died, or the bytes were withheld.
pub(crate) const WORTH_ANOTHER_TRY: i64 = 2;
/// No reader for the format existed.
pub(crate) const NO_READER: i64 = 4;
/// Pages of it were recognised by a machine.
pub(crate) const RECOGNISED: i64 = 8;

/// The bits of all faults together.
pub(crate) fn flags(faults: &[Fault]) -> i64 {
    faults.iter().map(|fault| flag(fault.code)).fold(0, |all, one| all | one)
}

fn flag(code: FaultCode) -> i64 {
    let unread = if code.loses_text() { UNREAD } else { 0 };
    unread
        | match code {
            FaultCode::ReaderDied
            | FaultCode::TooSlow
            | FaultCode::Unreadable
            | FaultCode::Changed
            | FaultCode::Deferred
            | FaultCode::Damaged
            | FaultCode::NoProgram => WORTH_ANOTHER_TRY,
            FaultCode::NoReader => NO_READER,
            FaultCode::Recognised => RECOGNISED,
            _ => 0,
        }
}
