//! Requests as files, which go from hand to hand.

use crate::request::{MAX_REQUEST, Request, RequestError};
use crate::{Error, Result};
use daylight_durable::write_atomic;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

/// Reads a request and checks all of it.
pub fn read_request(path: &Path) -> Result<Request> {
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|error| unread(path, error))?;
    file.take(MAX_REQUEST as u64 + 2).read_to_end(&mut bytes).map_err(|error| unread(path, error))?;
    Request::parse(&bytes).map_err(|error| Error::Request { path: path.to_owned(), error })
}

/// Writes a request, whole or not at all. A file that asks for the same keeps its signatures, which are added to the request; one that asks for something
/// else is left alone, for there may be signatures in it.
pub fn write_request(path: &Path, request: &mut Request) -> Result<()> {
    if path.symlink_metadata().is_ok_and(|file| file.len() > 0) {
        match read_request(path).map(|there| request.merge(&there)) {
            Ok(Ok(())) => {}
            Ok(Err(RequestError::OtherText)) | Err(_) => return Err(Error::OtherRequest(path.to_owned())),
            Ok(Err(error)) => return Err(Error::Request { path: path.to_owned(), error }),
        }
    }
    let bytes = request.to_bytes().map_err(|error| Error::Request { path: path.to_owned(), error })?;
    write_atomic(path, &bytes).map_err(Error::io(path))
}

fn unread(path: &Path, error: io::Error) -> Error {
    Error::Unread(path.to_owned(), error)
}
