//! A note for people after each collection: always as long, also when nothing came, so that whoever sees it pass learns nothing.

use crate::collect::Collected;
use daylight_archive::json;

/// The length of a notice, in bytes.
pub const NOTICE: usize = 512;

/// A notice of a collection, or of one that failed: JSON, filled up with spaces, and a line feed.
pub fn notice(day: u32, collected: Option<&Collected>) -> Vec<u8> {
    let number = |count: fn(&Collected) -> u64| collected.map_or(0, count);
    let value = serde_json::json!({
        "alarms": number(|one| one.alarms.len() as u64),
        "collected": collected.is_some(),
        "conversations": number(|one| one.conversations),
        "day": day,
        "doubtful": number(|one| one.doubtful),
        "format": "daylight-notice/v1",
        "refused": number(|one| one.refused.len() as u64),
        "submissions": number(|one| one.submissions),
    });
    let mut bytes = json::write(&value).unwrap_or_default();
    bytes.resize(NOTICE - 1, b' ');
    bytes.push(b'\n');
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notice_is_as_long_whatever_came() {
        let much = Collected { submissions: u64::from(u32::MAX), bytes: 1 << 50, alarms: vec!["x".into(); 1000], ..Collected::default() };
        for collected in [None, Some(&Collected::default()), Some(&much)] {
            let notice = notice(20_000, collected);
            assert_eq!((notice.len(), notice.last()), (NOTICE, Some(&b'\n')));
            assert!(serde_json::from_slice::<serde_json::Value>(&notice).is_ok());
        }
    }
}
