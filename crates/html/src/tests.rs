use super::*;
use maud::html;

#[test]
fn prose_tells_quotes_patches_signatures_and_links_apart_and_escapes_everything() {
    let text = "On Monday Ann wrote:\n> Please look at\n> > the <b>wall</b>\n\nSee https://example.org/a(b)?x=1&y=2). Or not.\n\n\
                diff --git a/x b/x\n@@ -1 +1 @@\n-old <i>\n+new\n\n-- \nAnn <script>";
    let out = prose(text).0;
    assert!(out.contains(r#"<p class="announces" dir="auto">On Monday Ann wrote:</p>"#), "{out}");
    assert!(out.contains(r#"<blockquote class="q1"><p class="lines" dir="auto">Please look at</p></blockquote>"#));
    assert!(out.contains(r#"<blockquote class="q2"><p class="lines" dir="auto">the &lt;b&gt;wall&lt;/b&gt;</p></blockquote>"#));
    assert!(out.contains(r#"href="https://example.org/a(b)?x=1&amp;y=2">https://example.org/a(b)?x=1&amp;y=2</a>). Or not."#), "{out}");
    assert!(out.contains("<span class=\"removed\">-old &lt;i&gt;\n</span><span class=\"added\">+new\n</span>"), "{out}");
    assert!(out.contains("<div class=\"signature\" dir=\"auto\">-- \nAnn &lt;script&gt;</div>"));
}

#[test]
fn prose_of_hostile_text_stays_small_and_quick() {
    for unit in ["> ", ">", "http://", "https://(", "@@ -", "--- a\n+++ b\n", "a\n\n", "\u{202e}", "-- \n", "((((", "\t", "http://a "] {
        let text = unit.repeat(200_000 / unit.len());
        let out = prose(&text).0;
        assert!(out.len() < text.len() * 16 + 1024, "{unit:?} grew to {}", out.len());
    }
}

#[test]
fn a_link_must_be_http_and_holds_no_character_that_ends_it() {
    for text in ["javascript:alert(1)", "data:text/html,x", "xhttp://a", "http://", "https:///x", "http://\"onclick"] {
        assert!(!prose(text).0.contains("<a "), "{text}");
    }
    assert!(prose("http://a.example/\"onclick=x").0.contains(r#"href="http://a.example/">"#));
}

#[test]
fn a_tree_of_any_depth_closes_what_it_opens() {
    let deep = (0..10_000).map(|depth| TreeItem { depth, body: html! { "x" }, current: false });
    let jagged = [0, 5, 1, 9, 3, 0, 2].map(|depth| TreeItem { depth, body: html! { "y" }, current: depth == 9 });
    for out in [tree(deep).0, tree(jagged).0, tree([]).0] {
        for tag in ["ol", "li"] {
            assert_eq!(out.matches(&format!("<{tag}")).count(), out.matches(&format!("</{tag}>")).count(), "{tag}");
        }
    }
}

#[test]
fn a_page_escapes_its_text_and_holds_no_character_that_html_forbids() {
    let frame = Frame { name: "<script>".into(), nav: vec![("/help", "Help")], foot: html! { "foot" } };
    let page = Page {
        title: "a\u{0}\u{1b}\u{9b}\u{ffff}<script>",
        query: "\"><script>",
        skip: "Skip",
        main: html! { h1 { "x" } },
        side: None,
        canonical: None,
        index: true,
    };
    let out = page.render(&frame);
    assert!(!out.contains("<script"));
    assert!(out.contains("a␀␛\u{fffd}\u{fffd}&lt;script&gt;"));
    assert!(out.contains(style::PATH) && style::PATH.len() == 27);
}

#[test]
fn pages_have_bounds_and_landmarks() {
    let span = |page, total| PageSpan { page, per_page: 20, total, reach: 500 };
    assert!(span(1, 0).exists() && !span(0, 5).exists() && !span(2, 20).exists() && span(2, 21).exists());
    assert_eq!(span(1, u64::MAX).pages(), 500);
    assert_eq!(span(u64::MAX, 1).offset(), u64::MAX);
    let out = pager(span(3, 4000), &|p| Href::new("/search").with("q", "a b&c").with("page", &p.to_string())).0;
    assert!(out.contains(r#"href="/search?q=a%20b%26c&amp;page=4""#), "{out}");
    assert!(out.contains(">200</a>") && pager(span(1, 3), &|_| Href::new("/")).0.is_empty());
}

#[test]
fn numbers_and_sizes_read_well_and_charts_never_divide_by_nothing() {
    assert_eq!(thousands(1_234_567), "1,234,567");
    assert_eq!(count(1, "document", "documents"), "1 document");
    assert_eq!([size(1), size(999), size(1400), size(48_000), size(999_999)], ["1 byte", "999 bytes", "1.4 KB", "48 KB", "1.0 MB"]);
    assert!(!size(u64::MAX).is_empty());
    let bar = |count| Bar { label: "2014".into(), count, href: Href::new("/search") };
    assert!(histogram(&[bar(0), bar(u64::MAX)]).0.contains("<rect"));
    assert!(share(5, 0).0.contains("width=\"100\""));
}
