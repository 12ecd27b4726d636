//! Small forms (`application/x-www-form-urlencoded`), whole in memory and wiped after use.

use super::{Head, Site};
use crate::pages::Stop;
use crate::session::{Cookie, Visit, same};
use hyper::body::{Body as _, Bytes, Incoming};
use std::pin::Pin;
use std::time::Duration;
use tokio::time::timeout;
use zeroize::Zeroizing;

/// The longest small form, in bytes.
const LONGEST: usize = 4 << 10;
/// How long one may take to arrive.
const PATIENCE: Duration = Duration::from_secs(20);

/// The fields of a form.
pub(super) struct Form(Vec<(String, Zeroizing<String>)>);

impl Form {
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    fn parse(body: &[u8]) -> Option<Self> {
        let pairs = body.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()).take(16);
        let fields = pairs.map(|pair| {
            let equals = pair.iter().position(|byte| *byte == b'=').unwrap_or(pair.len());
            let value = pair.get(equals + 1..).unwrap_or_default();
            Some((decode(&pair[..equals])?.to_string(), decode(value)?))
        });
        fields.collect::<Option<_>>().map(Self)
    }
}

/// Percent-decoding with `+` for a space (URL, "application/x-www-form-urlencoded parsing").
fn decode(text: &[u8]) -> Option<Zeroizing<String>> {
    let mut out = Zeroizing::new(Vec::with_capacity(text.len()));
    let mut rest = text;
    while let Some((first, after)) = rest.split_first() {
        let digits = after.first_chunk::<2>().filter(|_| *first == b'%');
        let coded = digits.and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok());
        rest = if coded.is_some() { &after[2..] } else { after };
        out.push(coded.unwrap_or(if *first == b'+' { b' ' } else { *first }));
    }
    std::str::from_utf8(&out).ok().map(|text| Zeroizing::new(text.to_owned()))
}

/// The next bytes of a body; nothing at its end.
pub(super) async fn next(body: &mut Incoming) -> Option<Result<Bytes, hyper::Error>> {
    let frame = std::future::poll_fn(|context| Pin::new(&mut *body).poll_frame(context)).await;
    frame.map(|frame| frame.map(|frame| frame.into_data().unwrap_or_default()))
}

/// Reads a body that may not be longer than this.
pub(super) async fn read(mut body: Incoming, longest: usize) -> Result<Zeroizing<Vec<u8>>, Stop> {
    if body.size_hint().lower() > longest as u64 {
        return Err(Stop::Large);
    }
    let mut bytes = Zeroizing::new(Vec::with_capacity(longest.min(LONGEST)));
    let reading = async {
        while let Some(piece) = next(&mut body).await {
            let piece = piece.map_err(|_| Stop::Broke)?;
            if bytes.len() + piece.len() > longest {
                return Err(Stop::Large);
            }
            bytes.extend_from_slice(&piece);
        }
        Ok(())
    };
    timeout(PATIENCE, reading).await.map_err(|_| Stop::Broke)??;
    Ok(bytes)
}

impl Site {
    /// A form that is filled in before anybody is logged in.
    pub(super) async fn outer_form(&self, head: &Head, body: Incoming) -> Result<Form, Stop> {
        let form = small(head, body).await?;
        let (token, (today, yesterday)) = (form.get("token").unwrap_or_default(), self.hatch.outer_forms());
        // Both are always compared.
        if same(token, &today) | same(token, &yesterday) { Ok(form) } else { Err(Stop::Stale) }
    }

    /// A form of somebody who is logged in, which must come from this very session's page.
    pub(super) async fn inner_form(&self, head: &Head, body: Incoming) -> Result<(Cookie, Visit), Stop> {
        let (cookie, visit) = self.visit(head)?;
        let form = small(head, body).await?;
        if same(form.get("token").unwrap_or_default(), &visit.form) { Ok((cookie, visit)) } else { Err(Stop::Stale) }
    }
}

async fn small(head: &Head, body: Incoming) -> Result<Form, Stop> {
    if !head.is_from_here() {
        return Err(Stop::Stale);
    }
    let bytes = read(body, LONGEST).await?;
    Form::parse(&bytes).ok_or(Stop::Broke)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_forms_are_read_as_browsers_write_them() {
        let form = Form::parse(b"token=ab&codename=one+two%20three&x=%C3%A9&x=second&empty=&alone&bad=%zz").unwrap();
        assert_eq!((form.get("codename"), form.get("x"), form.get("empty")), (Some("one two three"), Some("é"), Some("")));
        assert_eq!((form.get("alone"), form.get("bad"), form.get("no")), (Some(""), Some("%zz"), None));
        assert!(Form::parse(b"x=%ff").is_none());
        assert!(Form::parse(b"%").is_some());
    }
}
