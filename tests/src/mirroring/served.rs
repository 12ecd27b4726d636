//! A running site shows what is published while it runs.

use super::{Newsroom, Server};
use crate::support::get;
use std::time::{Duration, Instant};

#[test]
fn a_running_site_shows_a_new_release_within_seconds_and_pages_are_asked_for_again() {
    let mut room = Newsroom::new();
    room.publish("council");
    let site = Server::start(&room.archive());
    assert_eq!(get(&site.at("/c/council/2"), &[]).status, 404);
    let (page, home) = (get(&site.at("/c/council/1"), &[]), get(&site.at("/"), &[]));
    // A browser that keeps a page asks whether it is still so: otherwise it shows the old one for as long as it may.
    assert_eq!((page.header("cache-control"), home.header("cache-control")), ("public, no-cache", "public, no-cache"));
    let tag = page.header("etag").to_owned();
    assert_eq!(get(&site.at("/c/council/1"), &[("if-none-match", &tag)]).status, 304);
    room.publish("council");
    let begun = Instant::now();
    while get(&site.at("/c/council/2"), &[]).status != 200 {
        // Far more than it takes, so that a busy machine is no fault of the site.
        assert!(begun.elapsed() < Duration::from_secs(120), "it does not show what is new");
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(get(&site.at("/c/council/1"), &[("if-none-match", &tag)]).status, 200);
}
