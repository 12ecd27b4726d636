//! A machine's TPM 2.0, as far as it is needed to make old copies of a file worthless: it keeps keys of 32 bytes, each in an index of its non-volatile memory, and removes them
//! for good. Six commands are spoken over the kernel's device, or over a Unix socket to a TPM in software, which takes the same bytes; no program and no library is needed for it.
//!
//! An index is one of ours if its number is in our range, it has exactly our attributes and size, and in the place of a policy, which nothing of ours needs and anybody may read, it has the mark
//! of the file whose key it holds. No other is ever touched. It is read with a password that stands in that file: others who may use the TPM do not get the key without it. It is exempt from the
//! defence against guessing (NO_DA), which would lock other people's keys when a wrong file is opened. No lock keeps it from being written over, for whoever could do that could as well remove it.

mod error;
mod line;
mod wire;

#[cfg(test)]
pub(crate) mod soft;
#[cfg(test)]
mod tests;

use daylight_durable::crash_point;
pub use error::TpmError;
use line::{Line, connect, receive};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use wire::{Code, HANDLES, MANUFACTURER, OWNER, PROPERTIES, Public, SHA256, Wrong};
use zeroize::Zeroizing;

/// Our indices: a piece of the owner's range (0x01800000 to 0x01bfffff, "Registry of Reserved TPM 2.0 Handles and Localities") that nobody else is known to use.
const FIRST: u32 = 0x01ad_a000;
const COUNT: u32 = 0x1000;

/// Written and read by whoever has the password (TPMA_NV_AUTHWRITE, AUTHREAD), without the defence against guessing (NO_DA).
const OURS: u32 = 1 << 2 | 1 << 18 | 1 << 25;
/// What a chip adds once something was written (TPMA_NV_WRITTEN).
const WRITTEN: u32 = 1 << 29;

/// TPM_RC_NV_UNINITIALIZED, NV_SPACE, NV_DEFINED.
const UNWRITTEN: u32 = 0x14a;
const FULL: u32 = 0x14b;
const DEFINED: u32 = 0x14c;

/// A chip that is busy is asked again so often, after so long.
const TRIES: u32 = 40;
const PAUSE: Duration = Duration::from_millis(100);

type Result<T> = std::result::Result<T, TpmError>;

/// A TPM, connected to by the first command. Copies share the connection; one whose process gives up the network and paths must have been connected before.
#[derive(Clone)]
pub struct Tpm {
    path: PathBuf,
    line: Arc<Mutex<Option<Box<dyn Line>>>>,
}

/// Where a key is kept, and by what it is got.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Slot {
    pub(crate) handle: u32,
    /// Of the file whose key it is.
    pub(crate) mark: [u8; 32],
    pub(crate) password: Zeroizing<[u8; 32]>,
}

/// What there is at a slot.
pub(crate) enum Found {
    Key(Zeroizing<[u8; 32]>),
    /// Nothing.
    Nothing,
    /// Something of another file's, or of somebody else's.
    Another,
}

impl Tpm {
    /// The TPM at a path: a device of the kernel's, or a socket.
    pub fn at(path: &Path) -> Self {
        Self { path: path.to_owned(), line: Arc::default() }
    }

    /// Who made it, in four letters or fewer: also whether it is there and answers.
    pub fn maker(&self) -> Result<String> {
        let asked = [PROPERTIES, MANUFACTURER, 1].map(u32::to_be_bytes).concat();
        let answer = self.ask(Code::Capability, &[], None, &asked)?.map_err(|code| refused(code, "say who made it"))?;
        let letters = wire::property(&answer, MANUFACTURER).map_err(|wrong| self.wrong(&wrong))?.to_be_bytes();
        Ok(letters.iter().filter(|letter| letter.is_ascii_graphic()).map(|letter| char::from(*letter)).collect())
    }

    /// Makes a key in an index that is free, with a password of its own, and sees that it can be read again.
    pub(crate) fn keep(&self, mark: &[u8; 32]) -> Result<(Slot, Zeroizing<[u8; 32]>)> {
        let (password, key) = (random()?, random()?);
        let slot = self.define(mark, &password)?;
        // A crash here leaves an index without a key, which no file names: whoever opens the inbox next removes it.
        crash_point("inbox.index-made");
        let data = Zeroizing::new([&wire::sized(&key[..])[..], &[0; 2]].concat());
        self.ask(Code::Write, &[slot.handle; 2], Some(&slot.password[..]), &data)?.map_err(|code| refused(code, "write a key"))?;
        match self.key(&slot)? {
            Found::Key(read) if read == key => Ok((slot, key)),
            _ => Err(TpmError::Form(self.path.clone(), "the key that was written a moment ago is another")),
        }
    }

    /// Makes the first index that is free.
    fn define(&self, mark: &[u8; 32], password: &Zeroizing<[u8; 32]>) -> Result<Slot> {
        let taken = self.indices()?;
        for handle in (FIRST..FIRST + COUNT).filter(|handle| !taken.contains(handle)) {
            let public = Public { handle, named_by: SHA256, attributes: OURS, policy: mark.to_vec(), size: 32 };
            let parameters = Zeroizing::new([&wire::sized(&password[..])[..], &public.to_bytes()].concat());
            match self.ask(Code::Define, &[OWNER], Some(b""), &parameters)? {
                Ok(_) => return Ok(Slot { handle, mark: *mark, password: password.clone() }),
                // Another desk of this machine was faster.
                Err(DEFINED) => {}
                Err(code) => return Err(refused(code, "make an index")),
            }
        }
        Err(TpmError::Full)
    }

    /// The key at a slot.
    pub(crate) fn key(&self, slot: &Slot) -> Result<Found> {
        match self.public(slot.handle)? {
            None => return Ok(Found::Nothing),
            Some(public) if !is_of(&public, &slot.mark) => return Ok(Found::Another),
            Some(_) => {}
        }
        let asked = [(slot.password.len() as u16).to_be_bytes(), [0; 2]].concat();
        match self.ask(Code::Read, &[slot.handle; 2], Some(&slot.password[..]), &asked)? {
            Ok(answer) => Ok(Found::Key(wire::secret(&answer).map_err(|wrong| self.wrong(&wrong))?)),
            // Removed between the two questions, by whoever renewed it.
            Err(code) if is_no_handle(code) => Ok(Found::Nothing),
            Err(code) if is_bad_password(code) => Ok(Found::Another),
            Err(UNWRITTEN) => Ok(Found::Another),
            Err(code) => Err(refused(code, "read a key")),
        }
    }

    /// Destroys the key of this mark at an index. One that is not there any more, or is another's, is left alone.
    pub(crate) fn destroy(&self, handle: u32, mark: &[u8; 32]) -> Result<()> {
        if !self.public(handle)?.is_some_and(|public| is_of(&public, mark)) {
            return Ok(());
        }
        match self.ask(Code::Undefine, &[OWNER, handle], Some(b""), &[])? {
            Err(code) if is_no_handle(code) => Ok(()),
            done => done.map_err(|code| refused(code, "remove an index")).map(drop),
        }
    }

    /// The indices that are ours, of whatever desk of this machine, each with the mark of its file.
    pub(crate) fn ours(&self) -> Result<Vec<(u32, [u8; 32])>> {
        let mut ours = Vec::new();
        for handle in self.indices()? {
            let Some(public) = self.public(handle)? else { continue };
            if let Ok(mark) = <[u8; 32]>::try_from(&public.policy[..])
                && is_of(&public, &mark)
            {
                ours.push((handle, mark));
            }
        }
        Ok(ours)
    }

    /// Every index in our range, whosever it is.
    fn indices(&self) -> Result<Vec<u32>> {
        let (mut all, mut next) = (Vec::new(), FIRST);
        loop {
            let asked = [HANDLES, next, COUNT].map(u32::to_be_bytes).concat();
            let answer = self.ask(Code::Capability, &[], None, &asked)?.map_err(|code| refused(code, "list its indices"))?;
            let (more, some) = wire::handles(&answer).map_err(|wrong| self.wrong(&wrong))?;
            // They rise, so that this ends.
            let rise = some.iter().try_fold(next, |least, handle| (*handle >= least).then_some(handle.saturating_add(1)));
            next = rise.ok_or(TpmError::Form(self.path.clone(), "handles that do not rise"))?;
            let within = some.iter().copied().filter(|handle| *handle < FIRST + COUNT);
            all.extend(within);
            if !more || some.is_empty() || next >= FIRST + COUNT {
                return Ok(all);
            }
        }
    }

    fn public(&self, handle: u32) -> Result<Option<Public>> {
        match self.ask(Code::ReadPublic, &[handle], None, &[])? {
            Ok(answer) => {
                let public = wire::public(&answer).map_err(|wrong| self.wrong(&wrong))?;
                let right = public.handle == handle;
                if right { Ok(Some(public)) } else { Err(TpmError::Form(self.path.clone(), "it describes another index")) }
            }
            Err(code) if is_no_handle(code) => Ok(None),
            Err(code) => Err(refused(code, "describe an index")),
        }
    }

    /// Asks for something; what comes is the answer's parameters, or the result with which it was refused.
    fn ask(
        &self,
        code: Code,
        handles: &[u32],
        password: Option<&[u8]>,
        parameters: &[u8],
    ) -> Result<std::result::Result<Zeroizing<Vec<u8>>, u32>> {
        let command = wire::command(code, handles, password, parameters);
        for _ in 1..TRIES {
            let answer = self.exchange(&command)?;
            match wire::parameters(&answer, password.is_some()) {
                Ok(parameters) => return Ok(Ok(Zeroizing::new(parameters.to_vec()))),
                Err(Wrong::Result(code)) if is_busy(code) => std::thread::sleep(PAUSE),
                Err(Wrong::Result(code)) => return Ok(Err(code)),
                Err(wrong) => return Err(self.wrong(&wrong)),
            }
        }
        Err(TpmError::Io(self.path.clone(), io::Error::new(ErrorKind::TimedOut, "it is busy")))
    }

    fn exchange(&self, command: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        let mut line = self.line.lock().unwrap_or_else(PoisonError::into_inner);
        let mut open = match line.take() {
            Some(open) => open,
            None => connect(&self.path)?,
        };
        // The whole command is one write, as the device wants it.
        let answer = open.write_all(command).and_then(|()| receive(&mut open)).map_err(|error| TpmError::Io(self.path.clone(), error))?;
        // A line on which something went wrong is not used again: what comes on it next could be the answer to this.
        *line = Some(open);
        Ok(answer)
    }

    fn wrong(&self, wrong: &Wrong) -> TpmError {
        match wrong {
            Wrong::Result(code) => refused(*code, "do as it was asked"),
            Wrong::Form(what) => TpmError::Form(self.path.clone(), what),
        }
    }
}

fn random() -> Result<Zeroizing<[u8; 32]>> {
    let mut bytes = Zeroizing::new([0; 32]);
    getrandom::fill(&mut bytes[..]).map_err(|_| TpmError::NoRandomness)?;
    Ok(bytes)
}

/// Whether an index is one of ours that holds the key of the file with this mark, written or not.
fn is_of(public: &Public, mark: &[u8; 32]) -> bool {
    (FIRST..FIRST + COUNT).contains(&public.handle)
        && public.named_by == SHA256
        && public.attributes & !WRITTEN == OURS
        && public.size == 32
        && public.policy == mark
}

/// What a result means (TPM 2.0 Library, part 2, 6.6): those that say which handle, parameter or session is wrong have bit 7 set and the error in the lower six bits.
fn error_of(code: u32) -> Option<u32> {
    (code & 0x80 != 0).then_some(code & 0x3f)
}

/// TPM_RC_HANDLE: there is nothing of this number.
fn is_no_handle(code: u32) -> bool {
    error_of(code) == Some(0x0b)
}

/// TPM_RC_BAD_AUTH, TPM_RC_AUTH_FAIL.
fn is_bad_password(code: u32) -> bool {
    matches!(error_of(code), Some(0x22 | 0x0e))
}

/// TPM_RC_YIELDED, TESTING, NV_RATE, RETRY, NV_UNAVAILABLE: to be asked again.
fn is_busy(code: u32) -> bool {
    matches!(code, 0x908 | 0x90a | 0x920 | 0x922 | 0x923)
}

fn refused(code: u32, what: &'static str) -> TpmError {
    match (code, error_of(code)) {
        (FULL, _) => TpmError::Full,
        _ if is_bad_password(code) => TpmError::Owned,
        // TPM_RC_HIERARCHY.
        (_, Some(0x05)) => TpmError::Off,
        _ => TpmError::Refused { code, what },
    }
}
