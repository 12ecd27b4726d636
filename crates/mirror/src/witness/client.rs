//! Asking witnesses: one request each, and another with the right proof where the witness knows another size than was thought.

use daylight_archive::note::{Note, Signature};
use daylight_archive::policy::Witness;
use daylight_archive::witness::{AddCheckpoint, Answer, SIZE_TYPE, Submission, decimal};
use daylight_model::Digest;
use std::net::SocketAddr;
use std::time::Duration;
use ureq::{Agent, Proxy};

/// The longest answer that is read, in bytes.
const MAX_ANSWER: u64 = 64 << 10;
/// How long one request may take in all; one through Tor takes long.
const PATIENCE: Duration = Duration::from_secs(40);
/// How often one witness is asked: with the size that was thought, with the one that it knows, and once more if somebody else was asking too.
const TRIES: usize = 4;

/// Why nobody can be asked.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The proxy's address.
    #[error("the SOCKS proxy {0} cannot be used: {1}")]
    Proxy(SocketAddr, ureq::Error),
}

/// Asks witnesses, directly or through a proxy that then sees their names alone.
#[derive(Debug, Clone)]
pub struct Client {
    agent: Agent,
}

/// An answer as it came.
struct Said {
    status: u16,
    media_type: String,
    body: Vec<u8>,
}

impl Client {
    /// `socks` is a SOCKS 5 proxy such as Tor's, to which names are given unresolved. Without it connections are made directly, whatever the
    /// environment says of proxies.
    pub fn new(socks: Option<SocketAddr>) -> Result<Self, ClientError> {
        let proxy = |address| Proxy::new(&format!("socks5h://{address}")).map_err(|e| ClientError::Proxy(address, e));
        let proxy = socks.map(proxy).transpose()?;
        let config = Agent::config_builder()
            .proxy(proxy)
            .timeout_global(Some(PATIENCE))
            .max_redirects(0)
            .http_status_as_error(false)
            .user_agent("daylight")
            .build();
        Ok(Self { agent: config.into() })
    }

    /// Asks a witness to cosign a checkpoint, at the address that the policy gives.
    pub fn submit(&self, witness: &Witness, what: &Submission<'_>) -> Answer {
        let Some(url) = &witness.url else { return Answer::Failed("the policy does not say where it can be asked".into()) };
        let url = format!("{}/add-checkpoint", url.trim_end_matches('/'));
        let mut old = what.old;
        for _ in 0..TRIES {
            let Some(proof) = (what.prove)(old) else { return Answer::Failed(format!("there is no proof from size {old} on")) };
            let request = AddCheckpoint { old, proof, checkpoint: what.note.clone() };
            let said = match self.post(&url, &request.to_bytes()) {
                Ok(said) => said,
                Err(why) => return Answer::Failed(why),
            };
            match said.size_known() {
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
        let url = format!("{}/{}/checkpoint", witness.url.as_ref()?.trim_end_matches('/'), Digest::of(origin.as_bytes()));
        let said = said(self.agent.get(&url).call()).ok()?;
        (said.status == 200).then_some(said.body)
    }

    fn post(&self, url: &str, body: &[u8]) -> Result<Said, String> {
        said(self.agent.post(url).content_type("text/plain; charset=utf-8").send(body))
    }
}

fn said(answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Result<Said, String> {
    let mut answer = answer.map_err(|e| format!("it could not be asked: {e}"))?;
    let media_type = answer.headers().get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let body = answer.body_mut().with_config().limit(MAX_ANSWER).read_to_vec().map_err(|e| format!("its answer broke off: {e}"))?;
    Ok(Said { status: answer.status().as_u16(), media_type, body })
}

impl Said {
    /// The size that it knows, where it says that it is another one than was thought.
    fn size_known(&self) -> Option<u64> {
        let is_size = self.status == 409 && self.media_type.split(';').next().is_some_and(|kind| kind.trim() == SIZE_TYPE);
        is_size.then(|| std::str::from_utf8(&self.body).ok()?.strip_suffix('\n').and_then(decimal)).flatten()
    }

    /// Its words, as far as they can be shown.
    fn words(&self) -> String {
        let text = String::from_utf8_lossy(&self.body);
        text.lines().next().unwrap_or_default().chars().filter(|c| !c.is_control()).take(200).collect()
    }
}

/// What an answer means that names no other size.
fn judge(witness: &Witness, what: &Submission<'_>, said: &Said, old: u64) -> Answer {
    match said.status {
        200 => cosignature(witness, what.note, &said.body).map_or_else(Answer::Failed, Answer::Cosigned),
        // Until July 2026 the standard had 409 for two roots of one size.
        422 => Answer::Inconsistent,
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
