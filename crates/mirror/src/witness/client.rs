//! Asking witnesses: one request each, and another with the right proof where the witness knows another size than was thought.

use crate::address::Address;
use crate::http::{self, Authorities, Config, Proxy, Said};
use daylight_archive::note::{Note, Signature};
use daylight_archive::policy::Witness;
use daylight_archive::witness::{AddCheckpoint, Answer, SIZE_TYPE, Submission, decimal};
use daylight_model::Digest;
use std::io;
use std::time::Duration;

/// The longest answer that is read, in bytes.
const MAX_ANSWER: usize = 64 << 10;
/// How long one request may take in all; one through Tor takes long.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often one witness is asked: with the size that was thought, with the one that it knows, and once more if somebody else was asking too.
const TRIES: usize = 4;

/// Asks witnesses, directly or through a proxy that then sees their names alone.
#[derive(Debug)]
pub struct Client {
    http: http::Client,
}

impl Client {
    /// `socks` is a SOCKS 5 proxy such as Tor's, to which names are given unresolved. Without it connections are made directly, whatever the
    /// environment says of proxies. Errors: the system gives no threads.
    pub fn new(socks: Option<Proxy>) -> io::Result<Self> {
        Self::trusting(socks, Authorities::default())
    }

    /// The same, believing the certificates of other authorities than those of the web.
    pub fn trusting(socks: Option<Proxy>, authorities: Authorities) -> io::Result<Self> {
        Ok(Self { http: http::Client::new(Config { proxy: socks, authorities, ..Config::default() })? })
    }

    /// Asks a witness to cosign a checkpoint, at the address that the policy gives.
    pub fn submit(&self, witness: &Witness, what: &Submission<'_>) -> Answer {
        let mut old = what.old;
        for _ in 0..TRIES {
            let Some(proof) = (what.prove)(old) else { return Answer::Failed(format!("there is no proof from size {old} on")) };
            let request = AddCheckpoint { old, proof, checkpoint: what.note.clone() };
            let said = match self.ask(witness, "add-checkpoint", Some(request.to_bytes())) {
                Ok(said) => said,
                Err(why) => return Answer::Failed(why),
            };
            match size_known(&said) {
                None => return judge(witness, what, &said, old),
                Some(known) if known > what.checkpoint.size => return Answer::Larger(known),
                Some(known) if known == old => return Answer::Failed(format!("it knows size {known}, and refuses that size all the same")),
                Some(known) => old = known,
            }
        }
        Answer::Failed("it names another size each time that it is asked".into())
    }

    /// The last checkpoint of a log that a witness cosigned, as it shows it (c2sp.org/tlog-witness, monitoring). Nothing of it is checked.
    pub fn shown(&self, witness: &Witness, origin: &str) -> Option<Vec<u8>> {
        let said = self.ask(witness, &format!("{}/checkpoint", Digest::of(origin.as_bytes())), None).ok()?;
        (said.status == 200).then_some(said.body)
    }

    fn ask(&self, witness: &Witness, path: &str, question: Option<Vec<u8>>) -> Result<Said, String> {
        let url = witness.url.as_ref().ok_or("the policy does not say where it can be asked")?;
        let site: Address = url.parse().map_err(|e| format!("it cannot be asked at {url}: {e}"))?;
        self.http.exchange(&site, path, question, MAX_ANSWER, PATIENCE).map_err(|e| format!("it could not be asked: {e}"))
    }
}

/// The size that it knows, where it says that it is another one than was thought.
fn size_known(said: &Said) -> Option<u64> {
    let is_size = said.status == 409 && said.media_type == SIZE_TYPE;
    is_size.then(|| std::str::from_utf8(&said.body).ok()?.strip_suffix('\n').and_then(decimal)).flatten()
}

/// What an answer means that names no other size.
fn judge(witness: &Witness, what: &Submission<'_>, said: &Said, old: u64) -> Answer {
    match said.status {
        200 => cosignature(witness, what.note, &said.body).map_or_else(Answer::Failed, Answer::Cosigned),
        422 => Answer::Inconsistent,
        // Until July 2026 the standard had 409 for two roots of one size.
        409 if old == what.checkpoint.size => Answer::Inconsistent,
        403 => Answer::Failed("it knows another key of the log".into()),
        404 => Answer::Failed("it was not told of this log, or is no witness".into()),
        status => Answer::Failed(format!("it answered with status {status}: {}", said.words())),
    }
}

/// The witness's signature line in its answer, checked; lines of other keys are passed over.
fn cosignature(witness: &Witness, checkpoint: &Note, body: &[u8]) -> Result<Signature, String> {
    let lines = std::str::from_utf8(body).map_err(|_| "its answer is not text".to_owned())?;
    let ours = lines.lines().filter_map(Signature::parse).find(|signature| signature.is_by(&witness.key));
    let signature = ours.ok_or_else(|| "it answered without a signature of its key".to_owned())?;
    let mut note = Note::new(checkpoint.text()).map_err(|e| e.to_string())?;
    note.add_signature(signature.clone());
    match note.require(std::slice::from_ref(&witness.key), 1) {
        Ok(_) => Ok(signature),
        Err(_) => Err("its signature is wrong".into()),
    }
}
