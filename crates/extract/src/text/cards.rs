//! Calendars (RFC 5545) and cards (RFC 6350, and vCard 2.1 before it): their lines are folded wherever a program thought them too long, in the middle
//! of words and even of characters, so that search would not find them as they stand.

use crate::charset;
use crate::transfer::Transfer;
use encoding_rs::Encoding;

/// The logical lines of a file, each a line, with what is escaped in them as it is meant.
pub(super) fn text(bytes: &[u8], stated: Option<&'static Encoding>) -> String {
    let lines = unfolded(bytes);
    // Guessed of whole characters only, which the folds may have cut.
    let encoding = stated.unwrap_or_else(|| charset::guess(&lines.join(&b'\n')));
    lines.iter().map(|line| plain(line, encoding) + "\n").collect()
}

fn unfolded(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut lines: Vec<Vec<u8>> = Vec::new();
    // Whether the last line is quoted-printable, which is folded in a way of its own, and not yet at its end.
    let mut soft = false;
    for line in bytes.split(|b| *b == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let folded = line.strip_prefix(b" ").or(line.strip_prefix(b"\t"));
        match lines.last_mut() {
            Some(last) if soft => {
                last.pop();
                last.extend_from_slice(line);
            }
            Some(last) if folded.is_some() => last.extend_from_slice(folded.unwrap_or_default()),
            _ => lines.push(line.to_vec()),
        }
        soft = line.ends_with(b"=") && lines.last().is_some_and(|last| is_quoted(last));
    }
    lines
}

/// What stands before a line's colon: its name and parameters.
fn head(line: &[u8]) -> Option<(String, &[u8])> {
    let colon = memchr::memchr(b':', line)?;
    Some((String::from_utf8_lossy(&line[..colon]).to_ascii_uppercase(), &line[colon + 1..]))
}

fn is_quoted(line: &[u8]) -> bool {
    head(line).is_some_and(|(head, _)| head.split([';', '=']).any(|word| word == "QUOTED-PRINTABLE"))
}

fn plain(line: &[u8], encoding: &'static Encoding) -> String {
    if let Some((head, value)) = head(line).filter(|_| is_quoted(line)) {
        let label = head.split(';').find_map(|parameter| parameter.strip_prefix("CHARSET="));
        let value = Transfer::Quoted.decode(value).0;
        return format!("{head}:{}", charset::decode(&value, Some(label.unwrap_or(encoding.name()))).text);
    }
    let text = encoding.decode(line).0;
    let mut out = String::with_capacity(text.len());
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => match letters.next() {
                Some('n' | 'N') => out.push('\n'),
                Some(escaped @ (',' | ';' | '\\' | ':')) => out.push(escaped),
                other => out.extend([letter].into_iter().chain(other)),
            },
            letter => out.push(letter),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use crate::tests::hear;
    use daylight_model::reading::Label;

    #[test]
    fn folded_lines_are_whole_and_escapes_are_what_they_mean() {
        let calendar = "BEGIN:VCALENDAR\r\nSUMMARY:Transfer to Man\r\n tua\\, as agre\r\n\ted\\nPlace: k\u{e4}se\r\nEND:VCALENDAR\r\n";
        // A fold in the middle of a character.
        let cut = calendar.find('ä').unwrap() + 1;
        let torn = [&calendar.as_bytes()[..cut], b"\r\n ", &calendar.as_bytes()[cut..]].concat();
        let heard = hear("x.ics", &torn);
        assert_eq!(heard.found[0].media_type, "text/calendar");
        assert!(heard.text(0, Label::Body).contains("SUMMARY:Transfer to Mantua, as agreed\nPlace: käse\n"), "{:?}", heard.texts);
    }

    #[test]
    fn names_in_old_cards_are_decoded() {
        let card =
            "BEGIN:VCARD\nVERSION:2.1\nFN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:Max M=C3=BC=\n=C3=BCller=\nEMAIL:a@b.c\nEND:VCARD\n";
        let heard = hear("x.vcf", card.replace("ller=\n", "ller\n").as_bytes());
        assert!(heard.text(0, Label::Body).contains("QUOTED-PRINTABLE:Max Müüller\nEMAIL:a@b.c\n"), "{:?}", heard.texts);
        let latin = b"BEGIN:VCARD\nN;QUOTED-PRINTABLE;CHARSET=iso-8859-1:K=E4se=\n\nEND:VCARD";
        assert!(hear("x.vcf", latin).text(0, Label::Body).contains(":Käse\n"));
    }
}
