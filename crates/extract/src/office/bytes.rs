//! Little-endian numbers at a place in bytes; what is not there is zero.

pub(super) fn u16_at(bytes: &[u8], at: usize) -> u16 {
    at.checked_add(2).and_then(|end| bytes.get(at..end)).map_or(0, |b| u16::from_le_bytes([b[0], b[1]]))
}

pub(super) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    at.checked_add(4).and_then(|end| bytes.get(at..end)).map_or(0, |b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]))
}

pub(super) fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from(u32_at(bytes, at)) | u64::from(u32_at(bytes, at.saturating_add(4))) << 32
}

/// The same number as a place in memory.
pub(super) fn place_at(bytes: &[u8], at: usize) -> usize {
    u32_at(bytes, at) as usize
}

/// So many bytes from a place on, fewer if there are no more.
pub(super) fn stretch(bytes: &[u8], at: usize, length: usize) -> &[u8] {
    let start = at.min(bytes.len());
    &bytes[start..start.saturating_add(length).min(bytes.len())]
}

/// UTF-16 as text, up to the first zero.
pub(super) fn utf16(bytes: &[u8]) -> String {
    let units = bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).take_while(|unit| *unit != 0);
    char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}

/// The encoding of a Windows code page.
pub(super) fn code_page(number: u32) -> &'static encoding_rs::Encoding {
    use encoding_rs as e;
    match number {
        437 | 850 | 866 if number == 866 => e::IBM866,
        874 => e::WINDOWS_874,
        932 => e::SHIFT_JIS,
        936 | 20936 => e::GBK,
        54936 => e::GB18030,
        949 => e::EUC_KR,
        950 => e::BIG5,
        1200 => e::UTF_16LE,
        1250 => e::WINDOWS_1250,
        1251 => e::WINDOWS_1251,
        1253 => e::WINDOWS_1253,
        1254 => e::WINDOWS_1254,
        1255 => e::WINDOWS_1255,
        1256 => e::WINDOWS_1256,
        1257 => e::WINDOWS_1257,
        1258 => e::WINDOWS_1258,
        10000 => e::MACINTOSH,
        20866 => e::KOI8_R,
        21866 => e::KOI8_U,
        28592 => e::ISO_8859_2,
        28595 => e::ISO_8859_5,
        50220..=50222 => e::ISO_2022_JP,
        51932 => e::EUC_JP,
        65001 => e::UTF_8,
        _ => e::WINDOWS_1252,
    }
}

/// The code page of a font's character set ([MS-WMF] section 2.1.1.5, and the same numbers in RTF); `None` where it names none.
pub(super) fn page_of_charset(set: i32) -> Option<u32> {
    Some(match set {
        77 => 10_000,
        128 => 932,
        129 => 949,
        134 => 936,
        136 => 950,
        161 => 1253,
        162 => 1254,
        163 => 1258,
        177 => 1255,
        178 => 1256,
        186 => 1257,
        204 => 1251,
        222 => 874,
        238 => 1250,
        _ => return None,
    })
}

/// Bytes of a code page as text, up to the first zero.
pub(super) fn ansi(bytes: &[u8], page: u32) -> String {
    let end = memchr::memchr(0, bytes).unwrap_or(bytes.len());
    code_page(page).decode_without_bom_handling(&bytes[..end]).0.into_owned()
}
