use std::sync::OnceLock;
use ureq::Agent;

/// An answer of a server, whatever its status.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// A header's value, empty if it is not there.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn is_html(&self) -> bool {
        self.header("content-type").starts_with("text/html")
    }
}

pub(super) fn agent() -> &'static Agent {
    static AGENT: OnceLock<Agent> = OnceLock::new();
    AGENT.get_or_init(|| Agent::config_builder().http_status_as_error(false).max_redirects(0).build().into())
}

/// Gets an address, following nothing.
#[track_caller]
pub(crate) fn get(url: &str, headers: &[(&str, &str)]) -> Answer {
    let request = headers.iter().fold(agent().get(url), |request, (name, value)| request.header(*name, *value));
    let mut answer = request.call().unwrap_or_else(|e| panic!("{url}: {e}"));
    let named =
        answer.headers().iter().map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()));
    let headers = named.collect();
    let body = answer.body_mut().with_config().limit(1 << 30).read_to_vec().unwrap_or_else(|e| panic!("{url}: {e}"));
    Answer { status: answer.status().as_u16(), headers, body }
}
