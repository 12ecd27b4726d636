//! The style sheet, served under a name that changes with it, so that a browser may keep it for good.

/// The style sheet.
pub const CSS: &str = include_str!("style.css");

/// Where it is served: `/style-<16 hex digits>.css`.
pub const PATH: &str = match std::str::from_utf8(&NAME) {
    Ok(path) => path,
    Err(_) => "/style.css",
};

const NAME: [u8; 27] = name();

const fn name() -> [u8; 27] {
    let mut name = *b"/style-0000000000000000.css";
    let mut hash = fnv(CSS.as_bytes());
    let mut at = 23;
    while at > 7 {
        at -= 1;
        name[at] = b"0123456789abcdef"[(hash & 15) as usize];
        hash >>= 4;
    }
    name
}

/// FNV-1a, 64 bits: it tells versions apart and protects nothing.
const fn fnv(bytes: &[u8]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut at = 0;
    while at < bytes.len() {
        hash = (hash ^ bytes[at] as u64).wrapping_mul(0x0000_0100_0000_01b3);
        at += 1;
    }
    hash
}
