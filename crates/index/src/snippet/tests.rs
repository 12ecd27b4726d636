use super::*;
use crate::query;

/// A snippet with what is marked in brackets.
fn show(query: &str, text: &str, width: usize) -> String {
    let Snippet { runs, .. } = snippet(&query::parse(query).unwrap(), text, width);
    assert!(runs.windows(2).all(|pair| pair[0].1 != pair[1].1), "neighbouring runs differ");
    runs.into_iter().map(|(run, marked)| if marked { format!("[{run}]") } else { run }).collect()
}

#[test]
fn what_the_query_finds_is_marked_as_the_index_sees_it() {
    for (query, text, expected) in [
        ("manana", "Hasta  la\n MAÑANA amigo", "Hasta la [MAÑANA] amigo"),
        ("mañana", "manana", "[manana]"),
        ("wor*", "many words work, sword", "many [words] [work], sword"),
        ("reservoir~1", "the resevoir and the reservoirs", "the [resevoir] and the [reservoirs]"),
        ("recieve~1", "to receive", "to [receive]"),
        ("\"the wall\"", "the dam, the wall, wall", "the dam, [the wall], wall"),
        ("e-mail", "An e-mail and mail", "An [e-mail] and mail"),
        ("\"wall dam\"~5", "a dam of a wall", "a [dam] of a [wall]"),
        ("水库", "大水库的水", "大[水库]的水"),
        ("水", "大水库的水", "大[水]库的[水]"),
        ("水库安全", "保障水库安全运行", "保障[水库安全]运行"),
        ("학교", "우리 학교에서", "우리 [학교]에서"),
        ("كتاب", "هذا كِتَاب جديد", "هذا [كِتَاب] جديد"),
        ("subject:dam body:wall", "dam wall", "[dam] [wall]"),
        ("from:dam type:pdf -wall", "dam wall", "dam wall"),
        ("", "anything at all", "anything at all"),
        ("dam", "", ""),
        ("dam", "\u{202e}a dam\u{0}b", "a [dam] b"),
    ] {
        assert_eq!(show(query, text, 200), expected, "{query} in {text}");
    }
}

#[test]
fn the_piece_that_answers_most_is_shown_cut_between_words() {
    let filler = "lorem ipsum dolor sit amet consectetur ".repeat(40);
    let text = format!("{filler}dam dam dam. {filler}the dam stands by the old wall here. {filler}");
    let shown = show("dam wall", &text, 80);
    assert!(shown.contains("the [dam] stands by the old [wall] here."), "{shown}");
    assert!(shown.starts_with('…') && shown.ends_with('…') && shown.chars().count() < 100, "{shown}");
    assert!(shown.trim_matches('…').split_whitespace().all(|word| text.contains(&format!("{} ", word.replace(['[', ']'], "")))), "{shown}");
    assert_eq!(show("absent", &text, 30), "lorem ipsum dolor sit amet…");
    let end = show("last", &format!("{filler}the last"), 40);
    assert!(end.ends_with("the [last]") && end.chars().count() > 30, "{end}");
    let chinese = show("水库", &format!("{}水库{}", "大".repeat(5000), "小".repeat(5000)), 30);
    assert!(chinese.contains("大[水库]小") && chinese.chars().count() < 40, "{chinese}");
}

#[test]
fn long_and_strange_texts_take_linear_time_and_never_panic() {
    let long = format!("{} needle {}", "hay ".repeat(500_000), "needle ".repeat(50_000));
    assert!(show("needle", &long, 100).contains("[needle"));
    show("\"a a a a a a a a\"", &"a ".repeat(200_000), 100);
    show("x*", &"x".repeat(300_000), 100);
    let parts = ["needle", " ", "水库", "é", "\u{301}", "\u{200d}", "\n", "x", "🙂", "\u{0}", "ｶﾞ", "-"];
    let queries = ["needle", "水库", "é*", "\"needle x\"", "needle~2", "水", "ｶﾞ"].map(|q| query::parse(q).unwrap());
    let mut state = 3u64;
    for round in 0..4_000 {
        let mut text = String::new();
        for _ in 0..round % 60 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            text.push_str(parts[(state >> 33) as usize % parts.len()]);
        }
        snippet(&queries[round % queries.len()], &text, round % 50);
    }
}

#[test]
fn a_phrase_between_two_blocks_is_marked_once() {
    for at in BLOCK - 40..BLOCK + 10 {
        let text = format!("{}old wall {}", "x ".repeat(at / 2), "dam ".repeat(100));
        let shown = show("\"old wall\"", &text, 60);
        assert_eq!(shown.matches("[old wall]").count(), 1, "{at}: {shown}");
    }
}
