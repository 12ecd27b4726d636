use super::fixture::{Publisher, message};
use super::*;
use crate::{Library, SearchOptions, build_index};
use std::fs;

fn ids(publisher: &Publisher, query: &str) -> Vec<String> {
    let library = Library::open(&publisher.dir(), &publisher.cache(), &mut |_| ()).unwrap();
    let mut ids: Vec<_> = library.search(query, &SearchOptions::default()).unwrap().hits.iter().map(crate::Hit::id).collect();
    ids.sort();
    ids
}

#[test]
fn a_new_release_adds_only_its_lines_and_replaces_what_it_corrects() {
    let mut publisher = Publisher::new();
    publisher.release("wall", "Wall", vec![message(1, "first", "cormorant"), message(2, "second", "heron")]);
    let build = || build_index(&publisher.dir(), &publisher.cache(), &mut |_| ()).unwrap();
    assert_eq!((build().added, build().added), (2, 0));
    publisher.release(
        "wall",
        "Wall",
        vec![message(2, "second", "kingfisher").with(|r| r.reason = "corrected".into()), message(3, "third", "heron")],
    );
    let built = build_index(&publisher.dir(), &publisher.cache(), &mut |_| ()).unwrap();
    assert_eq!((built.added, built.documents), (2, 3));
    assert_eq!(ids(&publisher, "heron"), ["wall/3"]);
    assert_eq!(ids(&publisher, "kingfisher"), ["wall/2"]);
    assert_eq!(ids(&publisher, "thread:wall/1"), ["wall/1"]);
}

#[test]
fn a_cache_that_is_torn_damaged_or_of_another_archive_is_made_anew() {
    let mut publisher = Publisher::new();
    publisher.release("wall", "Wall", vec![message(1, "first", "cormorant")]);
    build_index(&publisher.dir(), &publisher.cache(), &mut |_| ()).unwrap();
    let whole = fs::read(publisher.cache().join("catalogue")).unwrap();
    // A crash between the index's commit and the catalogue: the index is ahead of an older catalogue, or there is none.
    publisher.release("wall", "Wall", vec![message(2, "second", "heron")]);
    build_index(&publisher.dir(), &publisher.cache(), &mut |_| ()).unwrap();
    fs::write(publisher.cache().join("catalogue"), &whole).unwrap();
    assert_eq!(ids(&publisher, "heron OR cormorant"), ["wall/1", "wall/2"]);
    fs::write(publisher.cache().join("catalogue"), &whole[..whole.len() / 2]).unwrap();
    assert_eq!(ids(&publisher, "heron OR cormorant"), ["wall/1", "wall/2"]);
    fs::remove_dir_all(publisher.cache().join("index")).unwrap();
    assert_eq!(ids(&publisher, "heron"), ["wall/2"]);
    let mut other = Publisher::new();
    other.release("gate", "Gate", vec![message(1, "gate", "plover"), message(2, "gate", "plover")]);
    fs::remove_dir_all(publisher.dir()).unwrap();
    fs::rename(other.dir(), publisher.dir()).unwrap();
    assert_eq!(ids(&publisher, "plover"), ["gate/1", "gate/2"]);
    assert!(ids(&publisher, "heron").is_empty());
}

#[test]
fn two_builders_at_once_make_one_cache_and_none_is_made_inside_the_archive() {
    let mut publisher = Publisher::new();
    publisher.release("wall", "Wall", (1..=40).map(|n| message(n, "wall", "heron")).collect());
    let inside = publisher.dir().join("cache");
    assert!(build_index(&publisher.dir(), &inside, &mut |_| ()).is_err());
    let (dir, cache) = (publisher.dir(), publisher.cache());
    let added: u64 = std::thread::scope(|scope| {
        let builders: Vec<_> = (0..4).map(|_| scope.spawn(|| build_index(&dir, &cache, &mut |_| ()).unwrap().added)).collect();
        builders.into_iter().map(|builder| builder.join().unwrap()).sum()
    });
    assert_eq!(added, 40);
    assert_eq!(ids(&publisher, "heron").len(), 20);
}

#[test]
fn while_the_index_of_a_new_release_is_made_the_state_before_is_shown_and_one_thread_waits_for_it() {
    let mut publisher = Publisher::new();
    publisher.release("wall", "Wall", vec![message(1, "first", "cormorant")]);
    let visit = Visit::to(&publisher);
    publisher.release("wall", "Wall", vec![message(2, "second", "heron")]);
    // Whoever makes an index holds its lock.
    let made_elsewhere = fs::File::open(publisher.cache().join("lock")).unwrap();
    made_elsewhere.lock().unwrap();
    std::thread::scope(|scope| {
        // Given up with this block, also where it fails.
        let held = made_elsewhere;
        let mut opening = scope.spawn(|| visit.site.renew());
        while !visit.site.is_opening() {
            // To look whether it is at it is to be in its way for a moment: then it leaves the work to us, who do not do it.
            if opening.is_finished() {
                opening = scope.spawn(|| visit.site.renew());
            }
            std::thread::yield_now();
        }
        // Others do not wait for it too: threads would run out.
        (0..100).for_each(|_| visit.site.renew());
        let page = visit.get("/c/wall/1");
        assert_eq!((page.status, visit.get("/c/wall/2").status), (StatusCode::OK, StatusCode::NOT_FOUND));
        assert_eq!(page.header("cache-control"), "public, no-cache");
        assert!(!opening.is_finished());
        held.unlock().unwrap();
    });
    assert_eq!(visit.get("/c/wall/2").status, StatusCode::OK);
}

#[test]
fn a_running_site_shows_a_new_release() {
    let mut publisher = Publisher::new();
    publisher.release("wall", "Wall", vec![message(1, "first", "cormorant")]);
    let visit = Visit::to(&publisher);
    assert_eq!(visit.get("/c/wall/2").status, StatusCode::NOT_FOUND);
    publisher.release("wall", "Wall", vec![message(2, "second", "heron")]);
    visit.site.renew();
    assert_eq!(visit.get("/c/wall/2").status, StatusCode::OK);
    assert!(visit.get("/search?q=heron").text().contains("/c/wall/2"));
    fs::remove_file(publisher.dir().join("checkpoint")).unwrap();
    visit.site.renew();
    assert_eq!(visit.get("/c/wall/2").status, StatusCode::OK);
}
