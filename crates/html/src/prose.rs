use maud::{Markup, PreEscaped};

/// Plain text, as mail is written, for reading: paragraphs, quoted lines, code, patches and a signature are told apart by their lines alone, and
/// addresses of web pages become links. Nothing is left out but the `>` that marks a quoted line, whose place a rule at its side takes. One pass, in
/// time and space linear in the text.
pub fn prose(text: &str) -> Markup {
    let lines: Vec<&str> = text.lines().collect();
    let signature = signature_start(&lines);
    let mut out = String::with_capacity(text.len() + text.len() / 4);
    let mut at = 0;
    while at < signature {
        let depth = quote_depth(lines[at]);
        let run = lines[at..signature].iter().take_while(|line| quote_depth(line) == depth).count();
        let part = &lines[at..at + run];
        if depth == 0 {
            let answers = lines.get(at + run).is_some_and(|line| quote_depth(line) > 0);
            blocks(part, answers, &mut out);
        } else {
            let inner: Vec<&str> = part.iter().map(|line| unquoted(line)).collect();
            out.push_str(["", "<blockquote class=\"q1\">", "<blockquote class=\"q2\">", "<blockquote class=\"q3\">"][depth.min(3)]);
            blocks(&inner, false, &mut out);
            out.push_str("</blockquote>");
        }
        at += run;
    }
    if signature < lines.len() {
        out.push_str("<div class=\"signature\" dir=\"auto\">");
        push_lines(&lines[signature..], &mut out);
        out.push_str("</div>");
    }
    PreEscaped(out)
}

/// More lines than this under `-- ` are not a signature, but a text with a dashed line in it.
const SIGNATURE_LINES: usize = 30;

/// The line with which the signature begins (RFC 3676 section 4.3), or the number of lines.
fn signature_start(lines: &[&str]) -> usize {
    let from = lines.len().saturating_sub(SIGNATURE_LINES);
    let found = lines[from..].iter().rposition(|line| matches!(*line, "-- " | "--"));
    found.map_or(lines.len(), |at| from + at)
}

/// How many `>` a line begins with, with or without one space between them: `> >` is two marks, `>   >` is one and some indented text.
fn quote_depth(line: &str) -> usize {
    let mut rest = line;
    let mut depth = 0;
    while let Some(after) = rest.strip_prefix('>').or_else(|| if depth > 0 { rest.strip_prefix(" >") } else { None }) {
        depth += 1;
        rest = after;
    }
    depth
}

/// The line without its quote marks. Of the spaces after them the first is theirs; the others indent the text.
fn unquoted(line: &str) -> &str {
    let mut rest = line.strip_prefix('>').unwrap_or(line);
    while let Some(after) = rest.strip_prefix('>').or_else(|| rest.strip_prefix(" >")) {
        rest = after;
    }
    rest.strip_prefix(' ').unwrap_or(rest)
}

/// Writes lines without quote marks as paragraphs, code and patches. `answers`: a quotation follows, which the last paragraph may announce.
fn blocks(lines: &[&str], answers: bool, out: &mut String) {
    let mut at = 0;
    while at < lines.len() {
        if lines[at].trim().is_empty() {
            at += 1;
            continue;
        }
        let rest = &lines[at..];
        let run = if starts_patch(rest) {
            let run = rest.iter().take_while(|line| in_patch(line)).count().max(1);
            patch(&rest[..run], out);
            run
        } else {
            let run = 1 + (1..rest.len()).take_while(|n| !rest[*n].trim().is_empty() && !starts_patch(&rest[*n..])).count();
            let announces = answers && at + run == lines.len();
            paragraph(&rest[..run], announces, out);
            run
        };
        at += run;
    }
}

fn paragraph(lines: &[&str], announces: bool, out: &mut String) {
    let class = if is_drawn(lines) {
        "code"
    } else if announces && lines.len() <= 3 && lines.last().is_some_and(|line| line.trim_end().ends_with(':')) {
        "announces"
    } else if is_wrapped(lines) {
        "flow"
    } else {
        "lines"
    };
    out.push_str("<p class=\"");
    out.push_str(class);
    out.push_str("\" dir=\"auto\">");
    push_lines(lines, out);
    out.push_str("</p>");
}

/// Whether the lines were broken by a mail program to fit about 72 columns, so that a narrow screen may break them anew.
fn is_wrapped(lines: &[&str]) -> bool {
    let Some((last, full)) = lines.split_last() else { return false };
    let plain = |line: &&str| !line.starts_with([' ', '\t', '-', '*', '+', '|', '#']);
    let filled = |line: &&str| line.len() <= 400 && (48..=90).contains(&line.chars().count());
    !full.is_empty() && full.iter().all(filled) && lines.iter().all(plain) && last.len() <= 400
}

/// Whether the place of each character matters: indented code, or columns set with spaces.
fn is_drawn(lines: &[&str]) -> bool {
    let indented = |line: &&&str| line.starts_with("    ") || line.starts_with('\t');
    let columns = |line: &&&str| {
        let text = line.trim();
        text.contains("   ") || text.contains('\t') || text.contains(" | ") || text.contains(['│', '└', '├'])
    };
    let all = lines.len();
    lines.iter().filter(indented).count() == all || (all > 1 && lines.iter().filter(|l| columns(l) || indented(l)).count() * 2 > all)
}

fn starts_patch(lines: &[&str]) -> bool {
    let Some(first) = lines.first() else { return false };
    first.starts_with("diff --git ")
        || first.starts_with("@@ -")
        || (*first == "---" && lines.get(1).is_some_and(|line| line.contains(" | ")))
        || (first.starts_with("--- ") && lines.get(1).is_some_and(|line| line.starts_with("+++ ")))
        || (first.starts_with("Index: ") && lines.get(1).is_some_and(|line| line.starts_with("=====")))
}

fn in_patch(line: &str) -> bool {
    const BEGINNINGS: [&str; 18] = [
        " ",
        "\t",
        "+",
        "-",
        "@@",
        "\\ No newline",
        "diff ",
        "index ",
        "Index: ",
        "=====",
        "new file",
        "deleted file",
        "old mode",
        "new mode",
        "similarity ",
        "rename ",
        "copy ",
        "Binary files",
    ];
    line.is_empty() || BEGINNINGS.iter().any(|beginning| line.starts_with(beginning))
}

/// Writes a patch: lines of one kind that follow each other are one element.
fn patch(lines: &[&str], out: &mut String) {
    out.push_str("<pre class=\"patch\" dir=\"ltr\">");
    let mut at = 0;
    while at < lines.len() {
        let kind = patch_kind(lines[at]);
        let run = lines[at..].iter().take_while(|line| patch_kind(line) == kind).count();
        if !kind.is_empty() {
            out.push_str("<span class=\"");
            out.push_str(kind);
            out.push_str("\">");
        }
        push_lines(&lines[at..at + run], out);
        out.push_str(if kind.is_empty() { "\n" } else { "\n</span>" });
        at += run;
    }
    out.push_str("</pre>");
}

fn patch_kind(line: &str) -> &'static str {
    match line.as_bytes() {
        [b'+', b'+', b'+', b' ', ..] | [b'-', b'-', b'-', b' ', ..] | [b'd' | b'i' | b'I' | b'=', ..] => "file",
        [b'@', ..] => "hunk",
        [b'+', ..] => "added",
        [b'-', ..] => "removed",
        _ => "",
    }
}

fn push_lines(lines: &[&str], out: &mut String) {
    for (at, line) in lines.iter().enumerate() {
        if at > 0 {
            out.push('\n');
        }
        push_linked(line, out);
    }
}

/// Writes a line with the web addresses in it as links. They lead to third parties, so they are marked, and never followed by themselves.
fn push_linked(line: &str, out: &mut String) {
    let mut rest = line;
    while let Some(at) = next_address(rest) {
        push_escaped(&rest[..at], out);
        let address = &rest[at..at + address_length(&rest[at..])];
        out.push_str("<a class=\"out\" rel=\"noreferrer noopener nofollow\" href=\"");
        push_escaped(address, out);
        out.push_str("\">");
        push_escaped(address, out);
        out.push_str("</a>");
        rest = &rest[at + address.len()..];
    }
    push_escaped(rest, out);
}

fn next_address(text: &str) -> Option<usize> {
    let mut from = 0;
    while let Some(found) = text[from..].find("http") {
        let at = from + found;
        let rest = &text[at + 4..];
        let tail = rest.strip_prefix("s://").or_else(|| rest.strip_prefix("://"));
        let fresh = !text[..at].ends_with(|c: char| c.is_alphanumeric());
        if fresh && tail.is_some_and(|tail| tail.starts_with(|c: char| c.is_alphanumeric() || c == '[')) {
            return Some(at);
        }
        from = at + 4;
    }
    None
}

/// How much of the text is the address: up to a space or bracket, without the punctuation of the sentence around it.
fn address_length(text: &str) -> usize {
    let ends = |c: char| {
        c.is_whitespace()
            || c.is_control()
            || "<>\"`{}|\\^".contains(c)
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let mut address = &text[..text.find(ends).unwrap_or(text.len())];
    let mut open = address.matches('(').count() as isize - address.matches(')').count() as isize;
    while let Some(last) = address.chars().next_back() {
        match last {
            '.' | ',' | ';' | ':' | '!' | '?' | '\'' | '*' | '_' | ']' | '»' | '”' | '’' | '。' | '、' => {}
            ')' if open < 0 => open += 1,
            _ => break,
        }
        address = &address[..address.len() - last.len_utf8()];
    }
    address.len()
}

fn push_escaped(text: &str, out: &mut String) {
    maud::Render::render_to(text, out);
}
