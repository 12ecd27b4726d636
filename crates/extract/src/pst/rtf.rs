//! Compressed RTF ([MS-OXRTFCP]), which mail stores keep bodies in.

/// More than this is not unpacked.
const LARGEST: usize = 64 << 20;
const MASK: usize = 4095;
const BEGINNING: &[u8] =
    b"{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern \\fscript \\fdecor MS Sans SerifSymbolArial\
Times New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n\\par \\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx";

/// Unpacks it, as far as it goes; `None` if it is something else.
pub(super) fn unpacked(packed: &[u8]) -> Option<Vec<u8>> {
    let content = packed.get(16..)?;
    match &packed[8..12] {
        b"MELA" => Some(content.to_vec()),
        b"LZFu" => Some(inflated(content)),
        _ => None,
    }
}

/// Eight tokens to a byte of flags: a byte as it is, or a place in the last 4096 bytes and a length.
fn inflated(packed: &[u8]) -> Vec<u8> {
    let mut ring = [b' '; MASK + 1];
    ring[..BEGINNING.len()].copy_from_slice(BEGINNING);
    let (mut at, mut out) = (BEGINNING.len(), Vec::new());
    let mut bytes = packed.iter().copied();
    while let Some(flags) = bytes.next() {
        for bit in 0..8 {
            let Some(first) = bytes.next() else { return out };
            let (from, count) = if flags >> bit & 1 == 0 {
                ring[at] = first;
                (at, 1)
            } else {
                let Some(second) = bytes.next() else { return out };
                (usize::from(first) << 4 | usize::from(second) >> 4, usize::from(second & 15) + 2)
            };
            if flags >> bit & 1 == 1 && from == at || out.len() > LARGEST {
                return out;
            }
            for n in 0..count {
                let byte = ring[(from + n) & MASK];
                out.push(byte);
                ring[at] = byte;
                at = (at + 1) & MASK;
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_specifications_examples_unpack() {
        // [MS-OXRTFCP] 3.1.1 and 3.1.2
        let simple = b"\x2d\0\0\0\x2b\0\0\0LZFu\xf1\xc5\xc7\xa7\x03\0\x0a\0rcpg125\x42\x32\x0a\xf3 hel\x09\0 bw\x05\xb0ld}\x0a\x80\x0f\xa0";
        assert_eq!(unpacked(simple).unwrap(), b"{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n");
        let crossing = b"\x1a\0\0\0\x1c\0\0\0LZFu\xe2\xd4\x4b\x51\x41\0\x04\x20WXYZ\x0dn}\x01\x0e\xb0";
        assert_eq!(unpacked(crossing).unwrap(), b"{\\rtf1 WXYZWXYZWXYZWXYZWXYZ}");
        assert_eq!(unpacked(b"no"), None);
    }
}
