use super::*;

/// The pieces of a text: words as they are, exact forms behind `=`, pairs as they are, single characters behind `.`; with positions.
fn pieces(text: &str) -> String {
    let mut all = Vec::new();
    each(text, &mut |piece, token| {
        let sign = match piece {
            Piece::Word | Piece::Pair => "",
            Piece::Exact => "=",
            Piece::Last | Piece::Lone => ".",
        };
        all.push(format!("{}:{sign}{}", token.position, token.text.trim_start_matches(EXACT)));
    });
    all.join(" ")
}

#[test]
fn words_fold_in_many_scripts() {
    for (text, expected) in [
        ("Hello, WORLD-wide 42", "0:hello 1:world 2:wide 3:42"),
        ("don't pthread_mutex_lock", "0:don 1:t 2:pthread 3:mutex 4:lock"),
        ("alice@mail.example.org", "0:alice 1:mail 2:example 3:org"),
        ("mañana", "0:manana 0:=mañana"),
        ("man\u{303}ana", "0:manana 0:=mañana"),
        ("Straße STRASSE", "0:strasse 0:=straße 1:strasse"),
        (
            "Øresund Łódź Ægir œuvre İstanbul ısı",
            "0:oresund 0:=øresund 1:lodz 1:=łódź 2:aegir 2:=ægir 3:oeuvre 3:=œuvre 4:istanbul 4:=i\u{307}stanbul 5:isi 5:=ısı",
        ),
        ("ﬁne ＡＢＣ", "0:fine 1:abc"),
        ("co\u{ad}operate \u{feff}bom", "0:cooperate 1:bom"),
        ("Ёлка ёлка йод и\u{306}од Київ", "0:елка 0:=ёлка 1:елка 1:=ёлка 2:йод 3:йод 4:київ"),
        ("Μάϊος ΛΟΓΟΣ λόγος", "0:μαιοσ 0:=μάϊοσ 1:λογοσ 2:λογοσ 2:=λόγοσ"),
        // Arabic: hamza on alef, teh marbuta, tatweel, vowels, Persian yeh and kaf, digits.
        ("أحمد مدرسة كتـــاب كِتَاب", "0:احمد 0:=أحمد 1:مدرسه 1:=مدرسة 2:كتاب 3:كتاب 3:=كِتَاب"),
        ("کتابی ٢٠١٥", "0:كتابي 0:=کتابی 1:2015 1:=٢٠١٥"),
        // Hebrew: points go, maqaf parts words.
        ("שָׁלוֹם בית־ספר", "0:שלום 0:=שָׁלוֹם 1:בית 2:ספר"),
        // Vowel signs of Indian scripts stay, and do not end words.
        ("हिन्दी", "0:हिन्दी"),
        ("m² ½", "0:m2 1:12"),
        ("a\u{301}", "0:a 0:=á"),
        ("\u{301} x", "0:x"),
        ("“quoted” naïve—dash", "0:quoted 1:naive 1:=naïve 2:dash"),
    ] {
        assert_eq!(pieces(text), expected, "{text}");
    }
}

#[test]
fn scripts_without_spaces_become_pairs_and_a_last_character() {
    for (text, expected) in [
        ("水库", "0:水库 1:.库"),
        ("水", "0:.水"),
        ("大水库。新", "0:大水 1:水库 2:.库 3:.新"),
        ("カタカナ", "0:カタ 1:タカ 2:カナ 3:.ナ"),
        ("ｶﾞｽ", "0:ガス 1:.ス"),
        ("か\u{3099}く", "0:がく 1:.く"),
        ("학교에서", "0:학교 1:교에 2:에서 3:.서"),
        ("\u{1112}\u{1161}\u{11a8}교", "0:학교 1:.교"),
        ("น้ำ", "0:น\u{e49} 1:\u{e49}ำ 2:.ำ"),
        ("iPhone手机x", "0:iphone 1:手机 2:.机 3:x"),
    ] {
        assert_eq!(pieces(text), expected, "{text}");
    }
}

#[test]
fn offsets_cover_the_text_of_each_piece() {
    let text = "Ça, 水库 wör\u{308}d! ok";
    let mut seen = Vec::new();
    each(text, &mut |_, token| seen.push(&text[token.offset_from..token.offset_to]));
    assert_eq!(seen, ["Ça", "Ça", "水库", "库", "wör\u{308}d", "wör\u{308}d", "ok"]);
}

#[test]
fn long_words_are_cut_and_none_is_dropped() {
    for (text, bytes) in [("x".repeat(70_000), 255), ("é".repeat(70_000), 255), ("я".repeat(70_000), 254), ("\u{fdfa}".repeat(9_000), 255)]
    {
        let mut lengths = Vec::new();
        each(&text, &mut |piece, token| lengths.push((piece, token.text.len())));
        assert_eq!(lengths[0].0, Piece::Word);
        assert!(lengths[0].1 <= 255 && lengths[0].1 > bytes - 4, "{lengths:?}");
        assert!(lengths.iter().all(|(_, length)| *length <= 255));
    }
}

#[test]
fn whole_names_stand_at_the_first_position_of_names_and_addresses() {
    let texts = |also, text: &str| {
        let mut all = Vec::new();
        Words::and(also).token_stream(text).process(&mut |token| all.push((token.position, token.text.clone())));
        let mut taken = Vec::new();
        let mut words = Words::and(also);
        let mut stream = words.token_stream(text);
        while stream.advance() {
            taken.push((stream.token().position, stream.token().text.clone()));
        }
        assert_eq!(all, taken, "taking pieces one by one gives the same");
        all.into_iter().map(|(at, text)| format!("{at}:{text}")).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(texts(Also::Whole, "Plan B.PDF"), "0:\u{2}plan b.pdf 0:plan 1:b 2:pdf");
    assert_eq!(texts(Also::Address, "Ann\u{1f}Ann@X.org "), "0:\u{2}ann@x.org 0:ann 1:ann 2:x 3:org");
    assert_eq!(texts(Also::Address, "Ann\u{1f}"), "0:ann");
    assert_eq!(texts(Also::Nothing, ""), "");
}

#[test]
fn any_text_is_cut_without_panic_and_in_order() {
    let alphabet: Vec<char> =
        "aZ9é水か\u{3099}학\u{1112}\u{1161}ｶﾞน้\u{301}\u{200d}\u{ad}\u{640}أـ שָ@.-_\n\u{0}\u{1}\u{2}\u{1f}\u{fdfa}İ½🙂".chars().collect();
    let mut state = 7u64;
    for _ in 0..3_000 {
        let mut text = String::new();
        for _ in 0..state % 40 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            text.push(alphabet[(state >> 33) as usize % alphabet.len()]);
        }
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407) >> 1;
        let mut last = 0;
        each(&text, &mut |_, token| {
            assert!(!token.text.is_empty() && token.position >= last, "{text:?}");
            assert!(text.is_char_boundary(token.offset_from) && text.is_char_boundary(token.offset_to), "{text:?}");
            last = token.position;
        });
    }
}
