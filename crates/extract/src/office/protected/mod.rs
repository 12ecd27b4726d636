//! Office documents under a password: packages of the newer form in a compound file ([MS-OFFCRYPTO] sections 2.3.4.5 and 2.3.4.10), documents of the
//! older form, which are encrypted within their streams (sections 2.3.5 to 2.3.7), and OpenDocument, whose parts are encrypted one by one or as a
//! whole (OpenDocument 1.3 part 2, section 3.4).
//!
//! A password is known to be right by the verifier that each form keeps, or by a checksum, before anything is read with it. What is opened is a
//! document of the unprotected form in memory, and is read as that.

mod agile;
mod legacy;
mod odf;
mod standard;

pub(super) use legacy::open as legacy;
pub(super) use odf::{is_protected as is_odf_protected, open as odf};

use super::bytes::{stretch, u16_at, u64_at};
use super::ole::cfb::Compound;
use crate::keys::{By, Keys, Locked};
use crate::output::Problem;
use daylight_model::{FaultCode, Stage};

const TOOL: &str = "protected 1";

/// A document without its protection.
#[derive(Default)]
pub(super) struct Opened {
    /// The document as it would have been without a password.
    pub(super) bytes: Vec<u8>,
    /// What is to be said of how it was protected, for its properties.
    pub(super) property: String,
    /// What is not as it should be although the password is right.
    pub(super) problems: Vec<Problem>,
}

/// Opens the package in a compound file around it, or says why it is not opened. What is not in the form that Office tries by itself has no password
/// that everybody knows.
pub(super) fn package(keys: &mut Keys, file: &Compound<'_>) -> Result<Opened, Problem> {
    let info = file.top("EncryptionInfo").unwrap_or_default();
    let package = file.top("EncryptedPackage").unwrap_or_default();
    let length = usize::try_from(u64_at(&package, 0)).unwrap_or(usize::MAX);
    let body = stretch(&package, 8, package.len());
    if info.is_empty() || body.is_empty() {
        return Err(encrypted("it is protected by rights management or in another way whose key is not in the file, and is not opened"));
    }
    let (mut bytes, by, method, problems) = match (u16_at(&info, 0), u16_at(&info, 2)) {
        (4, 4) => agile::open(keys, &info[8..], &package)?,
        (2..=4, 2) => standard::open(keys, &info, body)?,
        _ => return Err(encrypted("it is protected in an extensible way that is not read")),
    };
    bytes.truncate(length);
    Ok(Opened { bytes, property: by.property(&method), problems })
}

/// The password that Excel tries before it asks: it stands where a workbook is only to be shown in one way, not to be kept secret.
const EXCEL: &str = "VelvetSweatshop";
/// The same of PowerPoint.
const POWERPOINT: &str = "/01Hannes Ruescher/01";

type Plain = (Vec<u8>, By, String, Vec<Problem>);

fn locked(locked: Locked, method: &str) -> Problem {
    encrypted(locked.detail(method))
}

fn encrypted(why: impl Into<String>) -> Problem {
    Problem::new(Stage::Read, FaultCode::Encrypted, TOOL, why)
}

fn malformed(why: &str) -> Problem {
    Problem::new(Stage::Read, FaultCode::Malformed, TOOL, why)
}

#[cfg(test)]
mod tests;
