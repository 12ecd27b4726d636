//! The archive's own files, so that any site is a source for whoever copies the archive: whole or in part, and none but those of the state shown.

use super::{Edition, attached, is_known, sent};
use crate::answer::{Answer, Keep};
use crate::body::Body;
use crate::pages::Stop;
use crate::range;
use daylight_archive::paths::Name;
use daylight_model::Digest;
use hyper::StatusCode;
use hyper::header::{self, HeaderMap};
use std::fs::{File, Metadata};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::time::UNIX_EPOCH;

impl Edition {
    /// A file of the archive. What a publication that is not finished has written is not given out, nor what a link leads to.
    pub(super) fn archive_file(&self, name: &Name, headers: &HeaderMap) -> Result<Answer, Stop> {
        let archive = self.library.archive();
        if !archive.covers(name) {
            return Err(Stop::NotFound);
        }
        if *name == Name::Checkpoint {
            // The one of this state: the file may be of a later one, of which the rest is not shown yet.
            return Ok(checkpoint(archive.checkpoint_bytes(), headers));
        }
        let path = plain(archive.dir(), name).map_err(|_| Stop::NotFound)?;
        let file = File::open(path).map_err(|_| Stop::NotFound)?;
        let metadata = file.metadata().map_err(|_| Stop::Broken)?;
        let answer = in_part(file, &metadata, (media_type(name), keep(name)), headers)?;
        Ok(match name {
            Name::Volume(serial, number) => attached(answer, &format!("release-{serial}-volume-{number}.zip")),
            _ => answer,
        })
    }
}

fn checkpoint(bytes: &[u8], headers: &HeaderMap) -> Answer {
    let tag = format!("\"{}\"", Digest::of(bytes));
    // "no-cache" would do, but whoever asks for a checkpoint wants to know what there is now.
    let answer = if is_known(headers, &tag) {
        Answer::empty(StatusCode::NOT_MODIFIED)
    } else {
        Answer::bytes(media_type(&Name::Checkpoint), Body::full(bytes.to_vec()))
    };
    answer.keep(Keep::No).with(header::ETAG, &tag)
}

/// Where the file stands, if it and every folder on the way to it is what it seems and no link.
fn plain(dir: &std::path::Path, name: &Name) -> io::Result<PathBuf> {
    let mut path = dir.to_owned();
    let name = name.to_string();
    let mut parts = name.split('/').peekable();
    while let Some(part) = parts.next() {
        path.push(part);
        let metadata = path.symlink_metadata()?;
        let fits = if parts.peek().is_some() { metadata.is_dir() } else { metadata.is_file() };
        if !fits {
            return Err(io::ErrorKind::NotFound.into());
        }
    }
    Ok(path)
}

/// All of a file or the part that is asked for (RFC 9110 section 14). Its tag is of its length and its time: bytes are checked by whoever gets them.
fn in_part(mut file: File, metadata: &Metadata, (media_type, keep): (&str, Keep), headers: &HeaderMap) -> Result<Answer, Stop> {
    let (length, tag) = (metadata.len(), tag(metadata));
    let said = |answer: Answer| answer.with(header::ETAG, &tag).with(header::ACCEPT_RANGES, "bytes");
    let finish = |answer: Answer| said(answer.keep(keep));
    if is_known(headers, &tag) {
        return Ok(finish(Answer::empty(StatusCode::NOT_MODIFIED)));
    }
    let same = headers.get(header::IF_RANGE).is_none_or(|value| value.as_bytes() == tag.as_bytes());
    let range = headers.get(header::RANGE).filter(|_| same).and_then(|value| value.to_str().ok());
    match range::asked(range, length) {
        range::Asked::Nothing => {
            let answer = Answer::empty(StatusCode::RANGE_NOT_SATISFIABLE);
            Ok(said(answer).with(header::CONTENT_RANGE, &format!("bytes */{length}")))
        }
        range::Asked::Part(from, to) => {
            file.seek(SeekFrom::Start(from)).map_err(|_| Stop::Broken)?;
            let answer = Answer::bytes(media_type, sent(file.take(to - from), to - from)).status(StatusCode::PARTIAL_CONTENT);
            Ok(finish(answer).with(header::CONTENT_RANGE, &format!("bytes {from}-{}/{length}", to - 1)))
        }
        range::Asked::All if length <= crate::limits::WHOLE => {
            let mut bytes = Vec::new();
            file.take(length).read_to_end(&mut bytes).map_err(|_| Stop::Broken)?;
            Ok(finish(Answer::bytes(media_type, Body::full(bytes))))
        }
        range::Asked::All => Ok(finish(Answer::bytes(media_type, sent(file.take(length), length)))),
    }
}

fn tag(metadata: &Metadata) -> String {
    let modified = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok()).unwrap_or_default();
    format!("\"{:x}-{:x}\"", metadata.len(), modified.as_nanos())
}

/// A tile of the log never changes, and c2sp.org/tlog-tiles asks for it to be kept long. Of what else never changes a damaged file that was mended is to be
/// seen soon, and what can be erased too.
fn keep(name: &Name) -> Keep {
    if let Name::Tile(_) = name { Keep::Forever } else { Keep::Minute }
}

fn media_type(name: &Name) -> &'static str {
    match name {
        Name::Checkpoint | Name::RootSig(_) | Name::ReleaseNote(_) | Name::EntryNote(_) | Name::Part(..) => "text/plain; charset=utf-8",
        Name::RootJson(_) => "application/json",
        Name::Tile(_) | Name::ReleaseTile(..) | Name::Offsets(..) => "application/octet-stream",
        Name::Volume(..) => "application/zip",
    }
}
