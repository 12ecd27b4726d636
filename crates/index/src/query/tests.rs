use super::*;

/// What a query means in words, or what is wrong and with which part.
fn read(text: &str) -> String {
    match parse(text) {
        Ok(query) => query.explain(),
        Err(error) => format!("{} [{}]", error.message, &text[error.at]),
    }
}

#[track_caller]
fn check(table: &[(&str, &str)]) {
    for (query, expected) in table {
        assert_eq!(read(query), *expected, "{query}");
    }
}

#[test]
fn what_is_understood_is_said_in_words() {
    check(&[
        ("", "Everything"),
        ("  \t\u{3000} ", "Everything"),
        ("reservoir", "reservoir"),
        ("reservoir \"retaining wall\"", "All of: reservoir, “retaining wall”"),
        ("reservoir AND wall", "All of: reservoir, wall"),
        ("“retaining wall”", "“retaining wall”"),
        ("reservoir \"retaining wall\" date:2014-03..2015-06", "All of: reservoir, “retaining wall”; dated March 2014 to June 2015"),
        ("a OR b", "Any of: a, b"),
        ("a b OR c d", "All of: a, d; any of: b, c"),
        ("(a b) OR c", "Any of: (all of: a, b), c"),
        ("a -b", "a; not b"),
        ("lang:DE near:1f0c", "In the language German; nearly the same text as 1f0c"),
        ("-draft", "Not draft"),
        ("NOT draft", "Not draft"),
        ("-(a OR b) c", "c; not (any of: a, b)"),
        ("a OR -b", "Any of: a, not b"),
        ("or and not", "All of: or, and, not"),
        ("wor*", "words that begin with “wor”"),
        ("word~", "words spelled like “word” (one letter off)"),
        ("word~2", "words spelled like “word” (2 letters off)"),
        ("\"two words\"~5", "the words “two words” near each other (at most 5 between them)"),
        ("\"two words\"~0", "“two words”"),
        ("from:alice", "From alice"),
        (
            "From:alice@example.org to:bob cc:\"Carol Day\" person:dan",
            "From alice@example.org; to bob; copied to “Carol Day”; from, to or copied to dan",
        ),
        ("from:(alice OR bob) wall", "wall; any of: from alice, from bob"),
        ("subject:wall body:\"the wall\" file:plan.pdf", "wall in the subject; “the wall” in the body; with a file named plan.pdf"),
        ("type:pdf has:attachment is:unreadable", "Of type pdf; with an attachment; not fully readable"),
        ("type:image/*", "Of type image"),
        ("type:(pdf OR image)", "Any of: of type pdf, of type image"),
        ("date:2015", "Dated 2015"),
        ("date:2015-03-02", "Dated 2 March 2015"),
        ("date:2015..", "Dated 2015 or later"),
        ("date:..2015-02", "Dated February 2015 or earlier"),
        ("after:2014 before:2016-02-29", "Dated after 2014; dated before 29 February 2016"),
        ("collection:council thread:abc@x", "In the collection council; in the conversation abc@x"),
        ("sha256:E3B0C442", "With a SHA-256 that begins with e3b0c442"),
        ("http://example.org/x 12:30 std::vec Re: c:\\dir", "All of: http://example.org/x, 12:30, std::vec, Re:, c:\\dir"),
        ("e-mail f(x)", "All of: e-mail, f, x"),
        ("budget & plan", "All of: budget, plan"),
        ("水库", "水库"),
    ]);
}

#[test]
fn mistakes_are_answered_with_what_is_wrong_and_where() {
    check(&[
        ("wall \"open", "this quotation mark is never closed [\"open]"),
        ("(a b", "this parenthesis is never closed [(]"),
        ("a) b", "this parenthesis closes nothing [)]"),
        ("a ()", "there is nothing to search for between these parentheses [()]"),
        ("OR a", "OR needs something on both sides; to search for the word, write it small [OR]"),
        ("a OR", "OR needs something on both sides; to search for the word, write it small [OR]"),
        ("(a OR) b", "OR needs something on both sides; to search for the word, write it small [OR]"),
        ("a OR OR b", "OR needs something on both sides; to search for the word, write it small [OR]"),
        ("a AND", "AND needs something on both sides; to search for the word, write it small [AND]"),
        ("a - b", "a minus stands right before what it excludes, as in -draft [-]"),
        ("-", "a minus stands right before what it excludes, as in -draft [-]"),
        ("a -&", "there is no letter or digit to search for here [-&]"),
        ("a OR &", "there is no letter or digit to search for here [&]"),
        ("&&", "there is no letter or digit to search for [&&]"),
        ("\"--\"", "there is no letter or digit to search for in these quotes [\"--\"]"),
        ("from:", "from: needs a value right after the colon [from:]"),
        ("from: alice", "from: needs a value right after the colon [from:]"),
        ("from:&", "there is no letter or digit to search for here [&]"),
        ("*", "a * needs the beginning of a word before it [*]"),
        ("w*rd", "a * can only stand at the end of a word [*]"),
        ("word~3", "close spelling is ~1 or ~2: that many letters off [~3]"),
        ("e-mail~1", "close spelling works on one word; for words near each other, quote them, as in \"two words\"~5 [e-mail~1]"),
        ("水库~1", "close spelling works on words of letters, at most 64 [水库~1]"),
        ("\"a b\"~x", "after a phrase, ~ takes how many words may stand in between, 1 to 100, as in \"two words\"~5 [~]"),
        ("\"a b\"~500", "after a phrase, ~ takes how many words may stand in between, 1 to 100, as in \"two words\"~5 [~500]"),
        (
            "date:yesterday",
            "“yesterday” is not a date; a date is a year, a month or a day, such as 2015, 2015-03 or 2015-03-02 [yesterday]",
        ),
        ("date:2015-3", "“2015-3” is not a date; a date is a year, a month or a day, such as 2015, 2015-03 or 2015-03-02 [2015-3]"),
        (
            "date:2015-02-29",
            "there is no such date as 2015-02-29; a date is a year, a month or a day, such as 2015, 2015-03 or 2015-03-02 [2015-02-29]",
        ),
        (
            "after:2015-13",
            "there is no such date as 2015-13; a date is a year, a month or a day, such as 2015, 2015-03 or 2015-03-02 [2015-13]",
        ),
        ("date:2016..2015", "this range ends before it begins [2016..2015]"),
        ("has:pictures", "has: knows only has:attachment, not “pictures” [pictures]"),
        ("is:good", "is: knows only is:unreadable, not “good” [good]"),
        ("is:redacted", "this archive does not know is:redacted yet; is:unreadable works [redacted]"),
        ("lang:german", "lang: takes the code of a language, such as en or de, not “german” [german]"),
        ("near:abcd*", "* and ~ work on words only, not on this field [abcd*]"),
        ("collection:a*", "* and ~ work on words only, not on this field [a*]"),
        ("sha256:xyz", "sha256: takes a SHA-256 in hexadecimal digits, at least its first 8 [xyz]"),
    ]);
    let fields = "from:, to:, cc:, person:, subject:, body:, file:, type:, lang:, has:, is:, dkim:, date:, after:, before:, collection:, thread:, near: and sha256:";
    assert_eq!(read("a tag:en"), format!("this archive has no field tag: yet; the fields are {fields} [tag:]"));
    let unknown = format!("there is no field foo:; the fields are {fields}; to search for the words themselves, put them in quotes [foo:]");
    assert_eq!(read("wall foo:bar"), unknown);
}

#[test]
fn size_depth_and_number_of_parts_are_bounded() {
    assert!(parse(&"a".repeat(4096)).is_ok());
    assert_eq!(parse(&"a".repeat(4097)).unwrap_err().at, 4096..4097);
    assert!(parse(&format!("{}a{}", "(".repeat(50), ")".repeat(50))).is_ok());
    for deep in ["(".repeat(4000), "-".repeat(4000) + "a", format!("{}a{}", "(".repeat(52), ")".repeat(52)), "NOT ".repeat(900) + "a"] {
        assert_eq!(parse(&deep).unwrap_err().message, "a query is nested at most 50 deep");
    }
    assert!(parse(&"a ".repeat(200)).is_ok());
    assert_eq!(parse(&"a ".repeat(201)).unwrap_err().message, "a query has at most 200 parts; this one has more");
}

#[test]
fn random_queries_never_panic_and_errors_point_into_them() {
    let parts = [
        "a",
        "wall",
        "\"",
        "“",
        "(",
        ")",
        "-",
        " ",
        "OR",
        " OR ",
        "AND",
        "NOT ",
        "*",
        "~",
        "~1",
        "~9",
        ":",
        "from:",
        "date:",
        "2015",
        "-03",
        "..",
        "is:",
        "has:attachment",
        "type:",
        "sha256:",
        "foo:",
        "水",
        "é",
        "\u{301}",
        "\0",
        "\u{1}",
        "@",
        ".",
        "/",
        "thread:",
        "\u{3000}",
        "🙂",
    ];
    let mut state = 1u64;
    let mut next = |n: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 20) as usize % n
    };
    for round in 0..20_000 {
        let text = if round % 4 == 0 {
            let bytes: Vec<u8> = (0..next(60)).map(|_| next(256) as u8).collect();
            String::from_utf8_lossy(&bytes).into_owned()
        } else {
            (0..next(12)).map(|_| parts[next(parts.len())]).collect()
        };
        match parse(&text) {
            Ok(query) => assert!(!query.explain().is_empty()),
            Err(error) => {
                assert!(text.get(error.at.clone()).is_some(), "{text:?} {error:?}");
                assert!(!error.message.contains('\n'), "{text:?}");
            }
        }
    }
}
