//! When an archive was last heard of, in words and for machines. Age is a warning, never a failure.

use crate::commands::clear::now;
use daylight_archive::archive::SignOfLife;
use daylight_archive::release::format_time;
use serde_json::{Value, json};

/// `last sign of life: 2026-11-22, a release; silent since 12 days`.
pub(crate) fn words(sign: SignOfLife) -> String {
    let date = date(sign);
    let silent = match silent_days(sign) {
        Some(0) => "not silent for a day".to_owned(),
        Some(1) => "silent since 1 day".to_owned(),
        Some(days) => format!("silent since {} days", crate::output::thousands(days)),
        None => "dated in the future by its signers".to_owned(),
    };
    format!("last sign of life: {date}, a {}; {silent}", name(sign))
}

pub(crate) fn json(sign: SignOfLife) -> Value {
    json!({"time": format_time(sign.time), "what": name(sign), "log_index": sign.index, "silent_days": silent_days(sign)})
}

fn name(sign: SignOfLife) -> &'static str {
    if sign.word == "withdraw" { "withdrawal" } else { sign.word }
}

fn date(sign: SignOfLife) -> String {
    format_time(sign.time).and_then(|time| Some(time.split_once('T')?.0.to_owned())).unwrap_or_else(|| sign.time.to_string())
}

/// Whole days since then by our clock; `None` where that is yet to come.
fn silent_days(sign: SignOfLife) -> Option<u64> {
    let now = i64::try_from(now()).unwrap_or(i64::MAX);
    u64::try_from(now.checked_sub(sign.time)?).ok().map(|seconds| seconds / 86_400)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_is_told_in_days() {
        let now = i64::try_from(now()).unwrap();
        let sign = |days: i64| SignOfLife { time: now - days * 86_400 - 5, word: "withdraw", index: 3 };
        assert!(words(sign(0)).ends_with("a withdrawal; not silent for a day"));
        assert!(words(sign(1)).ends_with("silent since 1 day"));
        assert!(words(sign(4000)).ends_with("silent since 4,000 days"));
        assert!(words(sign(-3)).ends_with("dated in the future by its signers"));
        assert!(words(SignOfLife { time: 1_795_372_835, ..sign(0) }).contains("last sign of life: 2026-11-22, a withdrawal"));
    }
}
