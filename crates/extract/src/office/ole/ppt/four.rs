//! ppt of PowerPoint 4, of Windows and of the Macintosh. Nothing was published of it. Each text in its stream stands behind its length, and that behind a 1, as was seen in its files;
//! which slide a text belongs to, or whether to the notes or a master, is not known here.

use crate::office::bytes::{code_page, stretch};

/// How the stream begins where its numbers are those of a Macintosh, the highest byte first.
const MACINTOSH: &[u8] = b"\x0b\xad\xde\xed";
const LONGEST: usize = 20_000;

/// The texts in their order.
pub(super) fn read(bytes: &[u8]) -> Vec<String> {
    let mac = bytes.starts_with(MACINTOSH);
    let mut texts = Vec::new();
    let mut at = 0;
    while let Some(head) = bytes.get(at..at + 6) {
        let (one, length) = match (mac, [head[2], head[3], head[4], head[5]]) {
            (true, length) => ([0, 1], u32::from_be_bytes(length)),
            (false, length) => ([1, 0], u32::from_le_bytes(length)),
        };
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let text = if head[..2] == one && (2..LONGEST).contains(&length) { stretch(bytes, at + 6, length) } else { &[] };
        if text.len() < 2 || text.len() != length || !is_text(text) {
            at += 1;
            continue;
        }
        let text = code_page(if mac { 10000 } else { 1252 }).decode_without_bom_handling(text).0;
        texts.push(text.replace(['\r', '\u{b}'], "\n"));
        at += 6 + length;
    }
    texts
}

fn is_text(bytes: &[u8]) -> bool {
    let fits = |byte: &u8| matches!(byte, b'\t' | b'\n' | b'\r' | 0x0b | 0x20..=0x7e | 0x80..);
    bytes.iter().all(fits) && bytes.iter().any(|byte| byte.is_ascii_alphabetic() || *byte >= 0x80)
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn texts_stand_behind_their_lengths() {
        let windows =
            b"\xed\xde\xad\x0b\x64\0\x01\0\x0c\0\0\0Caf\xe9 at five\x01\0\x02\0\0\0\x01\x02\x01\0\xff\0\0\0short\x01\0\x03\0\0\0One";
        assert_eq!(read(windows), ["Café at five", "One"]);
        let mac = b"\x0b\xad\xde\xed\0\x64\0\x01\0\0\0\x08Caf\x8e\rOne";
        assert_eq!(read(mac), ["Café\nOne"]);
        assert!(read(b"\x0b\xad\xde\xed\0\x01\0\0\0\x03123").is_empty());
    }
}
