use std::io;
use std::path::PathBuf;

/// Why a TPM could not be used.
#[derive(Debug, thiserror::Error)]
pub enum TpmError {
    /// There is none.
    #[error("there is no TPM here: {} does not exist", .0.display())]
    None(PathBuf),
    /// The user may not use it.
    #[error("no permission to use the TPM {}: whoever works with this desk must be in the group tss, whose device it is (on Debian: apt install tpm-udev, adduser NAME tss, and log in again)", .0.display())]
    Forbidden(PathBuf),
    /// What was named is something else.
    #[error("{} is no TPM: neither a device nor a socket", .0.display())]
    NoTpm(PathBuf),
    /// It cannot be read or written.
    #[error("the TPM {path} does not answer: {1}", path = .0.display())]
    Io(PathBuf, #[source] io::Error),
    /// It says what is no answer.
    #[error("the TPM {path} gave an answer that is none: {1}", path = .0.display())]
    Form(PathBuf, &'static str),
    /// The owner's hierarchy cannot be used without its password.
    #[error(
        "the TPM's owner has set a password, without which no key can be made or removed in it: nothing was changed; have its owner take it off"
    )]
    Owned,
    /// The owner's hierarchy was switched off.
    #[error("the TPM's owner hierarchy is switched off: nothing was changed; switch it on in the machine's firmware")]
    Off,
    /// There is no room for another key.
    #[error(
        "the TPM has no room for another key: nothing was changed; remove an index that nobody needs (tpm2_getcap handles-nv-index, tpm2_nvundefine)"
    )]
    Full,
    /// It refused something else.
    #[error("the TPM refused with {code:#x} to {what}")]
    Refused {
        /// The result (TPM_RC).
        code: u32,
        /// What it was asked for.
        what: &'static str,
    },
    /// There were no random bytes for a key.
    #[error("the operating system gave no random bytes for a key")]
    NoRandomness,
}
