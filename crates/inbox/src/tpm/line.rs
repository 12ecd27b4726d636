use super::TpmError;
use super::wire::{self, HEADER, LONGEST};
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileTypeExt as _;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;
use zeroize::Zeroizing;

/// How long a TPM in software may take for an answer. The kernel has limits of its own.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a TPM is spoken to over.
pub(super) trait Line: Read + Write + Send {}
impl<T: Read + Write + Send> Line for T {}

/// Opens the device, or connects to the socket.
pub(super) fn connect(path: &Path) -> Result<Box<dyn Line>, TpmError> {
    let failed = |error: io::Error| match error.kind() {
        // ENODEV and ENXIO: the device's file is there, and nothing behind it.
        ErrorKind::NotFound => TpmError::None(path.to_owned()),
        _ if matches!(error.raw_os_error(), Some(6 | 19)) => TpmError::None(path.to_owned()),
        ErrorKind::PermissionDenied => TpmError::Forbidden(path.to_owned()),
        _ => TpmError::Io(path.to_owned(), error),
    };
    let kind = std::fs::metadata(path).map_err(failed)?.file_type();
    if kind.is_char_device() {
        return Ok(Box::new(OpenOptions::new().read(true).write(true).open(path).map_err(failed)?));
    }
    if !kind.is_socket() {
        return Err(TpmError::NoTpm(path.to_owned()));
    }
    let stream = UnixStream::connect(path).map_err(failed)?;
    stream.set_read_timeout(Some(PATIENCE)).and_then(|()| stream.set_write_timeout(Some(PATIENCE))).map_err(failed)?;
    // As a file it is read by `read`, which a process that gave up the network still may call.
    Ok(Box::new(File::from(OwnedFd::from(stream))))
}

/// An answer: as long as its header says, which a device gives at once and a socket in pieces.
pub(super) fn receive(line: &mut dyn Line) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut buffer = Zeroizing::new(vec![0; LONGEST]);
    let mut length = 0;
    loop {
        match line.read(&mut buffer[length..]) {
            Ok(0) => return Err(io::Error::new(ErrorKind::UnexpectedEof, "its answer is cut off")),
            Ok(read) => length += read,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        }
        match wire::stated(&buffer[..length]) {
            Some(stated) if !(HEADER..=LONGEST).contains(&stated) || stated < length => {
                return Err(io::Error::new(ErrorKind::InvalidData, "its answer has another length than it states"));
            }
            Some(stated) if stated == length => {
                buffer.truncate(length);
                return Ok(buffer);
            }
            _ => {}
        }
    }
}
