//! The drop's wire, as the collector speaks it: docs/drop.md.

use daylight_archive::directory::MAX_FILE;
use daylight_inbox::carrier::{Lookup, MAX_ENVELOPE, MAX_LIST, parse_list};
use daylight_inbox::{Carrier, Error, Result, Waiting};
use daylight_mirror::address::Address;
use daylight_mirror::http::{Client, Method, Question};
use daylight_model::Digest;
use std::io::Write;
use std::time::Duration;
use zeroize::Zeroizing;

/// How long the drop may take to answer; a large reply is written and synced there first.
const PATIENCE: Duration = Duration::from_secs(180);

/// The longest answer that is only looked at, in bytes.
const SHORT: u64 = 64 << 10;

/// So many ids are told at once.
const LINES: usize = 1000;

/// The drop, over HTTP.
pub(super) struct Wire {
    pub(super) client: Client,
    pub(super) drop: Address,
    /// `Daylight <64 hex>`.
    pub(super) authorization: Zeroizing<String>,
}

impl Wire {
    fn ask(&self, method: Method, path: &str, field: Option<(&str, &str)>, body: Vec<u8>, limit: u64, out: &mut dyn Write) -> Result<u16> {
        let mut fields = vec![("Authorization", self.authorization.as_str())];
        fields.extend(field);
        let question = Question { method, path, fields: &fields, body: Some(body.into()) };
        self.client.query(&self.drop, question, limit, PATIENCE, out).map_err(|error| Error::Carrier(format!("{}: {error}", self.drop)))
    }

    /// Asks for something to be done. Doing it twice is as doing it once, so a drop that was too busy may be asked again by the next collection.
    fn tell(&self, method: Method, path: &str, field: Option<(&str, &str)>, body: Vec<u8>) -> Result<()> {
        let mut answer = Vec::new();
        let status = self.ask(method, path, field, body, SHORT, &mut answer)?;
        if matches!(status, 200 | 201) { Ok(()) } else { Err(refused(path, status, &answer)) }
    }

    fn lines(&self, path: &str, lines: &[[u8; 32]]) -> Result<()> {
        for lines in lines.chunks(LINES) {
            let body: String = lines.iter().map(|line| format!("{}\n", Digest(*line))).collect();
            self.tell(Method::POST, path, None, body.into_bytes())?;
        }
        Ok(())
    }
}

/// What it says of why, as far as it can be shown.
fn refused(path: &str, status: u16, answer: &[u8]) -> Error {
    let text = String::from_utf8_lossy(answer);
    let words: String = text.lines().next().unwrap_or_default().chars().filter(|c| !c.is_control()).take(200).collect();
    let hint = if status == 401 { ": the token is not the one that `daylight drop init` printed" } else { "" };
    Error::Carrier(format!("{path} was answered {status} {}{hint}", crate::commands::search::plain(&words)))
}

impl Carrier for Wire {
    fn directory(&mut self) -> Result<Option<Vec<u8>>> {
        let mut file = Vec::new();
        // As a source asks, without the token: a drop in other hands should not know whom it shows it.
        let question = Question { method: Method::GET, path: "directory", fields: &[], body: None };
        let status = self.client.query(&self.drop, question, MAX_FILE as u64, PATIENCE, &mut file);
        match status.map_err(|error| Error::Carrier(format!("{}: {error}", self.drop)))? {
            200 => Ok(Some(file)),
            404 | 503 => Ok(None),
            status => Err(refused("directory", status, &file)),
        }
    }

    fn put_directory(&mut self, file: &[u8]) -> Result<bool> {
        self.tell(Method::PUT, "collect/directory", None, file.to_vec()).map(|()| true)
    }

    fn list(&mut self) -> Result<Vec<Waiting>> {
        let mut list = Vec::new();
        match self.ask(Method::POST, "collect/list", None, Vec::new(), MAX_LIST as u64, &mut list)? {
            200 => parse_list(&list),
            status => Err(refused("collect/list", status, &list)),
        }
    }

    fn fetch(&mut self, waiting: &Waiting, to: &mut dyn Write) -> Result<bool> {
        let path = format!("collect/{}", waiting.id);
        match self.ask(Method::GET, &path, None, Vec::new(), MAX_ENVELOPE.min(waiting.length.max(SHORT)), to)? {
            200 => Ok(true),
            404 | 410 => Ok(false),
            status => Err(refused(&path, status, b"")),
        }
    }

    fn done(&mut self, ids: &[Digest]) -> Result<()> {
        let ids: Vec<[u8; 32]> = ids.iter().map(|id| id.0).collect();
        self.lines("collect/done", &ids)
    }

    fn reply(&mut self, lookup: &Lookup, sealed: &[u8]) -> Result<()> {
        let lookup = Digest(*lookup).to_string();
        self.tell(Method::PUT, "collect/reply", Some(("Daylight-Lookup", &lookup)), sealed.to_vec())
    }

    fn accept(&mut self, lookups: &[Lookup]) -> Result<()> {
        self.lines("collect/accept", lookups)
    }

    fn forget(&mut self, lookups: &[Lookup]) -> Result<()> {
        self.lines("collect/forget", lookups)
    }
}
