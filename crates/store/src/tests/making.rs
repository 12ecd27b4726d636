use super::*;
use std::fs;
use std::os::unix::fs::PermissionsExt;

#[test]
fn a_desk_is_private_and_made_once_and_only_where_nothing_else_is() {
    let (folder, desk) = desk();
    let root = desk.path().to_owned();
    assert_eq!(fs::metadata(&root).unwrap().permissions().mode() & 0o777, 0o700);
    assert!(matches!(Desk::init(&root), Err(Error::AlreadyADesk(_))));
    assert!(matches!(Desk::init(folder.path()), Err(Error::NotEmpty(_))));
    assert!(matches!(Desk::open(folder.path()), Err(Error::NotADesk(_))));
    assert_eq!(desk.settings(), &Settings::default());
}

#[test]
fn what_a_killed_init_left_is_finished() {
    let (_folder, desk) = desk();
    let root = desk.path().to_owned();
    drop(desk);
    fs::remove_file(root.join("daylight.toml")).unwrap();
    assert!(matches!(Desk::open(&root), Err(Error::NotADesk(_))));
    Desk::init(&root).unwrap();
    Desk::open(&root).unwrap();
}

#[test]
fn a_desk_of_a_newer_daylight_is_refused_and_both_formats_are_named() {
    let (_folder, desk) = desk();
    desk.connection.pragma_update(None, "user_version", 9).unwrap();
    let error = Desk::open(desk.path()).err().unwrap().to_string();
    assert!(error.contains("desk format 9") && error.contains("up to 5"), "{error}");
}

#[test]
fn another_database_in_its_place_is_refused() {
    let (_folder, desk) = desk();
    desk.connection.pragma_update(None, "application_id", 5).unwrap();
    assert!(matches!(desk.reopen(), Err(Error::Damaged { .. })));
}

#[test]
fn one_ingest_at_a_time_and_the_second_is_told_who_has_it() {
    let (_folder, desk) = desk();
    let lease = desk.take_ingest_lease().unwrap();
    let error = desk.take_ingest_lease().err().unwrap();
    assert!(matches!(&error, Error::Held(by) if by.contains(&std::process::id().to_string())), "{error}");
    drop(lease);
    desk.take_ingest_lease().unwrap();
}

#[test]
fn collections_have_slugs_for_names() {
    let (_folder, mut desk) = desk();
    let made = desk.create_collection("town-2014").unwrap();
    assert_eq!(desk.create_collection("town-2014").unwrap(), made);
    assert_eq!(desk.collection("town-2014").unwrap(), Some(made));
    assert_eq!(desk.collection("other").unwrap(), None);
    for bad in ["", "Town", "a b", "../x", &"a".repeat(65)] {
        assert!(matches!(desk.create_collection(bad), Err(Error::BadCollectionName(_))), "{bad}");
    }
}

#[test]
fn a_handle_can_go_to_another_thread() {
    fn goes<T: Send>(_: &T) {}
    let (_folder, desk) = desk();
    goes(&desk);
    goes(&desk.take_ingest_lease().unwrap());
}
