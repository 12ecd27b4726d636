mod cache;
mod files;
mod fixture;
mod pages;
mod requests;
mod seen;
mod withdrawn;
mod words;

use crate::body::Body;
use crate::site::{Request, Site};
use fixture::Publisher;
use hyper::body::Body as _;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, StatusCode};
use std::pin::Pin;
use std::sync::Arc;

/// An answer that has come.
struct Reply {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Reply {
    fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// A site under test, with threads for it.
struct Visit {
    site: Arc<Site>,
    runtime: tokio::runtime::Runtime,
}

impl Visit {
    fn to(publisher: &Publisher) -> Self {
        let site = Arc::new(Site::open(publisher.dir(), publisher.cache(), &mut |_| ()).unwrap());
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        Self { site, runtime }
    }

    fn get(&self, address: &str) -> Reply {
        self.ask(Method::GET, address, &[])
    }

    fn ask(&self, method: Method, address: &str, headers: &[(&str, &str)]) -> Reply {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_str(value).unwrap());
        }
        let request = Request { method, uri: address.parse().unwrap(), headers: map };
        self.runtime.block_on(async {
            let (head, mut body) = self.site.answer(request).await.into_parts();
            let mut bytes = Vec::new();
            while let Some(frame) = std::future::poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
                bytes.extend_from_slice(&frame.unwrap().into_data().unwrap());
            }
            drop::<Body>(body);
            Reply { status: head.status, headers: head.headers, body: bytes }
        })
    }
}
