//! The bytes of the few commands that are asked of a TPM and of its answers, as "TPM 2.0 Library Specification", parts 2 and 3, have them. All integers are big-endian.
//!
//! ```text
//! command = tag (u16) ‖ length of all (u32) ‖ code (u32) ‖ handles (u32 each) ‖ [length (u32) ‖ session] ‖ parameters
//! answer  = tag (u16) ‖ length of all (u32) ‖ result (u32) ‖ [length of the parameters (u32)] ‖ parameters ‖ [session]
//! ```
//! What is in brackets is there where the tag says that something is authorised, which is by a password each time. A chip is trusted with the key; its bytes are read as anybody
//! else's: what is not exactly of its form is refused.

use zeroize::Zeroizing;

/// The longest command or answer, in bytes: what the kernel passes on (TPM_BUFSIZE).
pub(super) const LONGEST: usize = 4096;

/// The header of a command and of an answer.
pub(super) const HEADER: usize = 10;

/// The owner's hierarchy (TPM_RH_OWNER), in which indices are made and removed.
pub(super) const OWNER: u32 = 0x4000_0001;

/// Authorisation by a password (TPM_RS_PW).
const PASSWORD: u32 = 0x4000_0009;

/// TPM_ST_NO_SESSIONS and TPM_ST_SESSIONS.
const PLAIN: u16 = 0x8001;
const AUTHORISED: u16 = 0x8002;

/// The tag of an answer that begins as those of TPM 1.2 do (TPM_ST_RSP_COMMAND).
const OLD: u16 = 0x00c4;

/// SHA-256 (TPM_ALG_SHA256), by which an index is named.
pub(super) const SHA256: u16 = 0x000b;

/// TPM_CAP_HANDLES, TPM_CAP_TPM_PROPERTIES, and of the latter the manufacturer's four letters (TPM_PT_MANUFACTURER).
pub(super) const HANDLES: u32 = 1;
pub(super) const PROPERTIES: u32 = 6;
pub(super) const MANUFACTURER: u32 = 0x105;

/// The commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub(super) enum Code {
    Undefine = 0x122,
    Define = 0x12a,
    Write = 0x137,
    Read = 0x14e,
    ReadPublic = 0x169,
    Capability = 0x17a,
}

/// Why bytes are no answer that can be used.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Wrong {
    /// The command was refused, with this result (TPM_RC).
    Result(u32),
    /// It is not of an answer's form.
    Form(&'static str),
}

/// What anybody may know of an index (TPMS_NV_PUBLIC).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Public {
    pub(super) handle: u32,
    pub(super) named_by: u16,
    pub(super) attributes: u32,
    pub(super) policy: Vec<u8>,
    pub(super) size: u16,
}

impl Public {
    /// As a parameter: with its length before it.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = self.handle.to_be_bytes().to_vec();
        bytes.extend_from_slice(&self.named_by.to_be_bytes());
        bytes.extend_from_slice(&self.attributes.to_be_bytes());
        bytes.extend_from_slice(&sized(&self.policy));
        bytes.extend_from_slice(&self.size.to_be_bytes());
        sized(&bytes).to_vec()
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let mut rest = Rest(bytes);
        let (handle, named_by, attributes) = (rest.u32()?, rest.u16()?, rest.u32()?);
        let (policy, size) = (rest.sized()?.to_vec(), rest.u16()?);
        rest.end(Self { handle, named_by, attributes, policy, size })
    }
}

/// A command's bytes. With a password it is authorised by it.
pub(super) fn command(code: Code, handles: &[u32], password: Option<&[u8]>, parameters: &[u8]) -> Zeroizing<Vec<u8>> {
    // As long as it will get: a buffer that grows leaves copies of what is in it behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(LONGEST));
    let tag = if password.is_some() { AUTHORISED } else { PLAIN };
    bytes.extend_from_slice(&tag.to_be_bytes());
    bytes.extend_from_slice(&[0; 4]);
    bytes.extend_from_slice(&(code as u32).to_be_bytes());
    handles.iter().for_each(|handle| bytes.extend_from_slice(&handle.to_be_bytes()));
    if let Some(password) = password {
        // A session of no nonce and no attributes, whose HMAC is the password itself.
        bytes.extend_from_slice(&(4 + 2 + 1 + 2 + password.len() as u32).to_be_bytes());
        bytes.extend_from_slice(&PASSWORD.to_be_bytes());
        bytes.extend_from_slice(&[0; 3]);
        bytes.extend_from_slice(&sized(password));
    }
    bytes.extend_from_slice(parameters);
    let length = bytes.len() as u32;
    bytes[2..6].copy_from_slice(&length.to_be_bytes());
    bytes
}

/// Bytes with their length (u16) before them (TPM2B).
pub(super) fn sized(bytes: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut with = Zeroizing::new(Vec::with_capacity(2 + bytes.len()));
    with.extend_from_slice(&(bytes.len() as u16).to_be_bytes());
    with.extend_from_slice(bytes);
    with
}

/// How long an answer says that it is, once its header is there.
pub(super) fn stated(bytes: &[u8]) -> Option<usize> {
    let header: &[u8; HEADER] = bytes.get(..HEADER)?.try_into().ok()?;
    Some(u32::from_be_bytes([header[2], header[3], header[4], header[5]]) as usize)
}

/// The parameters of an answer to a command that was authorised or not.
pub(super) fn parameters(answer: &[u8], authorised: bool) -> Result<&[u8], Wrong> {
    let form = Wrong::Form;
    let mut rest = Rest(answer);
    let header = (rest.u16(), rest.u32(), rest.u32());
    let (Some(tag), Some(length), Some(result)) = header else { return Err(form("it is cut off")) };
    if length as usize != answer.len() || answer.len() > LONGEST {
        return Err(form("its length is not the one that it states"));
    }
    if tag == OLD {
        return Err(form("it is of TPM 1.2, and 2.0 is needed"));
    }
    if result != 0 {
        return if tag == PLAIN && rest.0.is_empty() { Err(Wrong::Result(result)) } else { Err(form("a refusal with more than that")) };
    }
    if tag != if authorised { AUTHORISED } else { PLAIN } {
        return Err(form("it has another tag than its command"));
    }
    if !authorised {
        return Ok(rest.0);
    }
    let parameters = rest.u32().and_then(|length| rest.take(length as usize)).ok_or_else(|| form("its parameters are cut off"))?;
    // To a password the chip answers with an empty nonce, attributes and an empty HMAC.
    match rest.0 {
        [0, 0, _, 0, 0] => Ok(parameters),
        _ => Err(form("its session is none")),
    }
}

/// A list of handles (TPML_HANDLE), and whether there are more.
pub(super) fn handles(parameters: &[u8]) -> Result<(bool, Vec<u32>), Wrong> {
    let list = |mut rest: Rest<'_>| {
        let more = rest.capability(HANDLES)?;
        let count = rest.u32()? as usize;
        let handles = (0..count.min(LONGEST / 4)).map(|_| rest.u32()).collect::<Option<Vec<u32>>>()?;
        (handles.len() == count).then_some(())?;
        rest.end((more, handles))
    };
    list(Rest(parameters)).ok_or(Wrong::Form("no list of handles"))
}

/// The value of one property (TPML_TAGGED_TPM_PROPERTY).
pub(super) fn property(parameters: &[u8], which: u32) -> Result<u32, Wrong> {
    let value = |mut rest: Rest<'_>| {
        rest.capability(PROPERTIES)?;
        (rest.u32()? == 1 && rest.u32()? == which).then_some(())?;
        let value = rest.u32()?;
        rest.end(value)
    };
    value(Rest(parameters)).ok_or(Wrong::Form("not the property that was asked for"))
}

/// What is said of an index, and its name, which is of no use here.
pub(super) fn public(parameters: &[u8]) -> Result<Public, Wrong> {
    let said = |mut rest: Rest<'_>| {
        let public = Public::parse(rest.sized()?)?;
        rest.sized()?;
        rest.end(public)
    };
    said(Rest(parameters)).ok_or(Wrong::Form("it describes no index"))
}

/// The secret that an index holds (TPM2B_MAX_NV_BUFFER).
pub(super) fn secret(parameters: &[u8]) -> Result<Zeroizing<[u8; 32]>, Wrong> {
    let data = |mut rest: Rest<'_>| {
        let data: [u8; 32] = rest.sized()?.try_into().ok()?;
        rest.end(Zeroizing::new(data))
    };
    data(Rest(parameters)).ok_or(Wrong::Form("not the 32 bytes that an index of ours holds"))
}

/// What is still to be read.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn u16(&mut self) -> Option<u16> {
        Some(u16::from_be_bytes(self.take(2)?.try_into().ok()?))
    }

    fn u32(&mut self) -> Option<u32> {
        Some(u32::from_be_bytes(self.take(4)?.try_into().ok()?))
    }

    fn sized(&mut self) -> Option<&'a [u8]> {
        let length = self.u16()?;
        self.take(length.into())
    }

    /// The head of what a chip says of itself, which must be of this kind: whether there is more.
    fn capability(&mut self, kind: u32) -> Option<bool> {
        let more = match self.take(1)? {
            [0] => false,
            [1] => true,
            _ => return None,
        };
        (self.u32()? == kind).then_some(more)
    }

    /// The value, if nothing follows.
    fn end<T>(&self, value: T) -> Option<T> {
        self.0.is_empty().then_some(value)
    }
}
