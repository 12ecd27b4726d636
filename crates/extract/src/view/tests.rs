use super::sanitise;
use crate::tests::{Heard, request};
use daylight_model::reading::Task;

fn view(name: &str, bytes: &str) -> String {
    let mut heard = Heard::default();
    crate::read(&request(name, Task::View), &crate::document::Memory(bytes.as_bytes()), &mut heard).unwrap();
    assert!(heard.found.is_empty());
    heard.view
}

#[test]
fn a_view_keeps_what_is_read_and_drops_what_acts() {
    for (page, expected) in [
        ("<p dir=rtl lang=he style='x' onclick=y class=z>a", "<p dir=\"rtl\" lang=\"he\">a</p>"),
        ("<a href='https://x/?a=1&b'>l</a>", "<a href=\"https://x/?a=1&amp;b\" rel=\"noopener noreferrer nofollow\">l</a>"),
        (
            "<a href='javascript:x'>l</a><a href=' JaVa\tscript:x'>m</a>",
            "<a rel=\"noopener noreferrer nofollow\">l</a><a rel=\"noopener noreferrer nofollow\">m</a>",
        ),
        (
            "<a href='//x/y'>l</a><a href='data:text/html,x'>m</a>",
            "<a rel=\"noopener noreferrer nofollow\">l</a><a rel=\"noopener noreferrer nofollow\">m</a>",
        ),
        ("<img src=http://x alt='a \"cat\"'><img src=cid:1>", "[a \"cat\"]"),
        ("<script>x</script><style>@import url(x)</style><title>t</title>y", "y"),
        ("<base href=http://x><meta http-equiv=refresh content='0;url=x'><link rel=stylesheet href=x>y", "y"),
        ("<form action=x><input value=v><button>b</button></form><iframe src=x>f</iframe><object data=x>o</object>", "bo"),
        ("<svg><a xlink:href=x>s</a><style><img src=x onerror=y></style></svg>", "<a rel=\"noopener noreferrer nofollow\">s</a>"),
        (
            "<table background=x bgcolor=y><tr><td colspan=2>1<td>2</table>",
            "<table><tbody><tr><td colspan=\"2\">1</td><td>2</td></tr></tbody></table>",
        ),
        ("<div style='display:none'>hidden<div>x</div></div>seen", "seen"),
        ("<p>a<p>b<ul><li>1<li>2<ul><li>3</ul></ul>", "<p>a</p><p>b</p><ul><li>1</li><li>2<ul><li>3</li></ul></li></ul>"),
        ("<h1>a</h1><blockquote><pre> b\n c</pre></blockquote>", "<h1>a</h1><blockquote><pre> b\n c</pre></blockquote>"),
        ("1 < 2 &amp;&lt;script&gt;", "1 &lt; 2 &amp;&lt;script&gt;"),
    ] {
        assert_eq!(sanitise(page), expected, "{page}");
    }
}

#[test]
fn no_view_names_anything_to_load() {
    let page = "<body background=//e/1><img src=//e/2 srcset=//e/3 longdesc=//e/4><video poster=//e/5 src=//e/6><audio src=//e/7></audio></video>\
        <td background=//e/8><div style='background:url(//e/9)'><link href=//e/10><object data=//e/11 classid=//e/12></object><embed src=//e/13>\
        <input type=image src=//e/14><svg><image href=//e/15 /><use href=//e/16 /></svg><iframe srcdoc='<img src=//e/17>'></iframe>\
        <math href=//e/18>x</math><blockquote cite=//e/19><q cite=//e/20>x</q><a ping=//e/21 href=mailto:a@b>m</a><!-- <img src=//e/22> -->\
        <noscript><img src=//e/23></noscript><p title='</p><img src=//e/24>'>x<a href='http:x\"><img src=//e/25>'>y";
    let view = sanitise(page);
    let attributes = ["src=", "srcset", "background", "poster", "data=", "cite", "ping", "srcdoc", "xlink", "style", "title="];
    for tag in view.split('<').filter_map(|piece| piece.split_once('>')).map(|(tag, _)| tag) {
        let outside: String = tag.split('"').step_by(2).collect();
        assert!(!attributes.iter().any(|name| outside.contains(name)), "{tag}");
    }
    assert!(!view.contains("<img"), "{view}");
}

#[test]
fn the_view_of_a_message_is_its_html_and_what_stands_beside_it() {
    let message = "From: a@b\nSubject: s\nContent-Type: multipart/mixed; boundary=m\n\n--m\nContent-Type: multipart/alternative; boundary=a\n\n--a\n\nplain\n--a\n\
        Content-Type: text/html; charset=iso-8859-1\nContent-Transfer-Encoding: quoted-printable\n\n<b>caf=E9</b>\n--a--\n--m\n\na <footer>\n--m--\n";
    assert_eq!(view("x.eml", message), "<b>café</b><pre>a &lt;footer&gt;</pre>");
    assert_eq!(view("x.eml", "From: a@b\nSubject: s\n\nonly plain"), "");
    assert_eq!(view("x.html", "<i>x</i>"), "<i>x</i>");
    assert_eq!(view("x.txt", "x"), "");
}

#[test]
fn hostile_pages_are_viewed_in_time() {
    for piece in [
        "<div>",
        "<table>",
        "<b>",
        "<p><b>",
        "<table>x",
        "<table><b>x</b>",
        "<a href=x>",
        "<td>",
        "<li>",
        "<ul><li>",
        "<font a=1>",
        "<tr><tr>",
        "</p>",
        "<svg>",
    ] {
        sanitise(&piece.repeat(30_000));
    }
    let deep = format!("{}x{}", "<div>".repeat(100_000), "</div>".repeat(100_000));
    assert!(sanitise(&deep).contains('x'));
}
