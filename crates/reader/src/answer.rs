//! Answers to requests: every one of them leaves through [`Answer::finish`], which sets the headers that cage it.

use crate::body::Body;
use daylight_html::policy;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Response, StatusCode};

/// How long others may keep an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keep {
    /// It must be asked for again.
    No,
    /// As long as they ask each time whether it is still so: pages change when a release is added.
    Compared,
    /// For a minute.
    Minute,
    /// For good: its address changes when it does.
    Forever,
}

/// An answer in the making.
#[derive(Debug)]
pub(crate) struct Answer {
    status: StatusCode,
    policy: &'static str,
    keep: Keep,
    headers: Vec<(HeaderName, String)>,
    body: Body,
}

impl Answer {
    /// A page of ours.
    pub(crate) fn page(status: StatusCode, html: String) -> Self {
        let keep = if status == StatusCode::OK { Keep::Compared } else { Keep::No };
        Self { status, policy: policy::PAGE, keep, headers: vec![], body: Body::full(html) }
            .with(header::CONTENT_TYPE, "text/html; charset=utf-8")
    }

    /// Anything else, of this media type, caged as published bytes are.
    pub(crate) fn bytes(media_type: &str, body: Body) -> Self {
        Self { status: StatusCode::OK, policy: policy::BYTES, keep: Keep::Minute, headers: vec![], body }
            .with(header::CONTENT_TYPE, media_type)
    }

    /// An answer without a body.
    pub(crate) fn empty(status: StatusCode) -> Self {
        Self { status, policy: policy::BYTES, keep: Keep::No, headers: vec![], body: Body::empty() }
    }

    /// Sends the browser elsewhere on this site, for good.
    pub(crate) fn moved(to: &str) -> Self {
        Self::empty(StatusCode::PERMANENT_REDIRECT).with(header::LOCATION, to)
    }

    pub(crate) fn status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    pub(crate) fn policy(mut self, policy: &'static str) -> Self {
        self.policy = policy;
        self
    }

    pub(crate) fn keep(mut self, keep: Keep) -> Self {
        self.keep = keep;
        self
    }

    /// Adds a header. A value that no header may have is left out: values are ours, so this is never more than a slip.
    pub(crate) fn with(mut self, name: HeaderName, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    /// The answer with all its headers. To `HEAD` it has no body, but the length that it would have.
    pub(crate) fn finish(self, method: &Method) -> Response<Body> {
        let length = self.body.length();
        let mut response = Response::new(if method == Method::HEAD { Body::head(length) } else { self.body });
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        for (name, value) in policy::ALWAYS {
            set(headers, HeaderName::from_static(name), value);
        }
        // What says "unchanged" replaces the headers of what is kept (RFC 9111 section 3.2), and that has the policy it needs: with this one's a page
        // would lose its style and its forms.
        if self.status != StatusCode::NOT_MODIFIED {
            set(headers, header::CONTENT_SECURITY_POLICY, self.policy);
        }
        set(headers, HeaderName::from_static("cross-origin-resource-policy"), "same-origin");
        let keep = match self.keep {
            Keep::No => "no-store",
            Keep::Compared => "public, no-cache",
            Keep::Minute => "public, max-age=60",
            Keep::Forever => "public, max-age=31536000, immutable",
        };
        set(headers, header::CACHE_CONTROL, keep);
        // RFC 9110 section 8.6: these two have no body to have a length.
        let bodiless = matches!(self.status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
        if let Some(length) = length.filter(|_| !bodiless) {
            set(headers, header::CONTENT_LENGTH, &length.to_string());
        }
        for (name, value) in self.headers {
            set(headers, name, &value);
        }
        response
    }
}

fn set(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}
