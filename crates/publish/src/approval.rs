//! What k editors sign when a release is sealed: that these documents may be published for this archive, by whoever opens the seal.

use daylight_archive::note::{Note, NoteError};
use daylight_archive::release::{ReleaseError, ReleaseNote};
use daylight_archive::root::{Chain, Link};

const FORMAT: &str = "daylight-seal/v1\n";
const OF_A_RELEASE: &str = "daylight-release/v1\n";

/// The note's text: that of the release inside the seal, which is the first of an archive of its own, but for the archive that it is meant for, whose
/// origin and root it names. Its first line is another, so it can never be taken for a release's note.
pub fn seal_text(told: &ReleaseNote) -> Result<String, ReleaseError> {
    Ok(told.text()?.replacen(OF_A_RELEASE, FORMAT, 1))
}

/// Reads such a text.
pub fn parse_seal_text(text: &str) -> Result<ReleaseNote, ReleaseError> {
    let rest = text.strip_prefix(FORMAT).ok_or(ReleaseError::Form)?;
    ReleaseNote::parse_text(&format!("{OF_A_RELEASE}{rest}"))
}

/// The name of the archive inside a seal: where the sealed release is published in the end it has another.
pub(crate) fn inner_origin(told: &ReleaseNote) -> String {
    format!("{}/sealed/{}", told.origin, &told.manifest.to_string()[..16])
}

/// The editors of this root who signed it, k of them or more. Signatures count whatever later root retired a key: what is published in the end is
/// signed anew, by the editors of then.
pub(crate) fn check_approval<'a>(link: &'a Link, chain: &Chain, note: &Note) -> Result<Vec<&'a str>, NoteError> {
    let editors = &link.root.editors;
    chain.check_editors(link, note, 0, editors.threshold)?;
    Ok(note.signed_by(&editors.keys)?.iter().map(|signed| editors.keys[signed.key].name()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use daylight_model::Digest;

    #[test]
    fn the_text_is_no_releases_text_and_is_read_back() {
        let told = ReleaseNote {
            origin: "archive.example/a".into(),
            serial: 1,
            root: Digest::of(b"root"),
            collection: "council".into(),
            lines: 7,
            manifest: Digest::of(b"manifest"),
            audit: Digest::of(b"audit"),
            time: 1_795_372_835,
            title: "daylight-release/v1".into(),
        };
        let text = seal_text(&told).unwrap();
        assert!(text.starts_with("daylight-seal/v1\norigin archive.example/a\nserial 1\nroot "));
        assert_eq!(parse_seal_text(&text).unwrap(), told);
        assert!(ReleaseNote::parse_text(&text).is_err());
        assert!(parse_seal_text(&told.text().unwrap()).is_err());
        assert!(inner_origin(&told).starts_with("archive.example/a/sealed/"));
    }
}
