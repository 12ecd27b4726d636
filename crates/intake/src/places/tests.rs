use super::*;

/// Uploads of which each has moved so many bytes a second, steadily, until now.
fn moving(speeds: &[(u32, u64)], seconds: u64) -> (Held, Instant) {
    let begun = Instant::now();
    let mut held = Held::default();
    for (circuit, speed) in speeds {
        let mut holder = Holder { circuit: Some(*circuit), speed: Speed::begin(begun), gives_way: Arc::default(), leaving: false };
        for second in 1..=seconds {
            holder.speed.came(*speed, begun + Duration::from_secs(second));
        }
        held.by.insert(held.next, holder);
        held.next += 1;
    }
    (held, begun + Duration::from_secs(seconds))
}

#[test]
fn the_slowest_gives_way_and_whoever_moves_enough_never_does() {
    let (held, now) = moving(&[(1, 50_000), (2, 30_000), (3, 99_000), (4, 100_000)], 300);
    assert_eq!(held.slowest(1, now), Some(1));
    let (held, now) = moving(&[(1, 50_000), (2, 4096), (3, 50_000)], 300);
    assert_eq!(held.slowest(1, now), Some(1));
    // Steady and slow gives way only where nothing is slower.
    let (held, now) = moving(&[(1, 50_000), (2, 120_000)], 300);
    assert_eq!(held.slowest(1, now), Some(0));
    let (held, now) = moving(&[(1, 101_000), (2, 200_000)], 300);
    assert_eq!(held.slowest(1, now), None);
}

#[test]
fn what_came_long_ago_does_not_count_and_silence_does() {
    let begun = Instant::now();
    let mut speed = Speed::begin(begun);
    let at = |second| begun + Duration::from_secs(second);
    speed.came(1 << 30, at(1));
    assert!(speed.at(at(20)) > ENOUGH);
    (2..60).for_each(|second| speed.came(10, at(second)));
    assert!(speed.at(at(60)) < 11.0, "{}", speed.at(at(60)));
    // A newcomer is promised a moment, which is over when nothing comes.
    let newcomer = Speed::begin(begun);
    assert!(newcomer.at(begun) >= ENOUGH && newcomer.at(at(4)) < 50_001.0 && newcomer.at(at(36)) < 10_001.0);
}

#[test]
fn a_silent_newcomer_is_slower_than_any_steady_line_after_a_few_seconds() {
    let (mut held, now) = moving(&[(1, 50_000), (2, 20_000)], 300);
    for ago in [1, 5, 17] {
        held.by.insert(
            100 + ago,
            Holder {
                circuit: Some(9),
                speed: Speed::begin(now.checked_sub(Duration::from_secs(ago)).unwrap()),
                gives_way: Arc::default(),
                leaving: false,
            },
        );
    }
    assert_eq!(held.slowest(1, now), Some(117));
    held.by.remove(&117);
    assert_eq!(held.slowest(1, now), Some(1), "one of 20 KB a second waits for sixteen seconds of silence");
    held.by.remove(&1);
    assert_eq!(held.slowest(1, now), Some(105));
}

#[test]
fn who_has_one_is_not_pushed_out_by_who_has_more_and_nobody_is_told_twice() {
    let (mut held, now) = moving(&[(1, 10), (2, 2000), (2, 3000), (3, 4000)], 300);
    assert_eq!(held.slowest(1, now), Some(0));
    assert_eq!(held.slowest(2, now), Some(1), "the first circuit has one place, and the newcomer's would have two");
    assert_eq!(held.slowest(3, now), None);
    held.by.get_mut(&0).unwrap().leaving = true;
    assert_eq!(held.slowest(1, now), Some(1));
    // Who leaves does not count for its circuit any more.
    held.by.get_mut(&1).unwrap().leaving = true;
    assert_eq!(held.slowest(2, now), None);
}

#[tokio::test]
async fn a_newcomer_waits_until_the_place_is_left_and_so_there_are_never_more_than_places() {
    let (places, circuits) = (Arc::new(Places::new(2)), Arc::new(Circuits::default()));
    let first = places.take(&circuits, Some(1)).await.unwrap();
    let second = places.take(&circuits, Some(2)).await.unwrap();
    second.came(10 << 20);
    let (also, theirs) = (places.clone(), circuits.clone());
    let third = tokio::spawn(async move { also.take(&theirs, Some(3)).await });
    first.needed().await;
    first.needed().await;
    assert!(!third.is_finished() && locked(&places.held).by.len() == 2);
    drop(first);
    let third = third.await.unwrap().unwrap();
    third.came(10 << 20);
    assert!(places.take(&circuits, Some(4)).await.is_none(), "both move enough");
    drop(second);
    assert!(places.take(&circuits, Some(4)).await.is_some());
}

#[tokio::test]
async fn pushing_out_is_dear() {
    let (places, circuits) = (Places::new(1), Circuits::default());
    let mut seats = vec![places.take(&circuits, Some(1)).await.unwrap()];
    let mut pushed = 0;
    while places.make_room(&circuits, Some(2)).is_some() {
        pushed += 1;
        seats.clear();
        seats.push(places.take(&circuits, Some(1)).await.unwrap());
    }
    assert_eq!(pushed, 3);
    assert!(places.make_room(&circuits, Some(3)).is_some());
}
