//! Media types by the words that people have for them.

use daylight_model::Kind;

/// The family of a document: the word that stands in facets and that `type:` finds.
pub(crate) fn of(kind: Kind, media_type: &str) -> &'static str {
    match (kind, media_type.split_once('/')) {
        (Kind::Message, _) => "message",
        (Kind::Container, _) => "container",
        (Kind::File, Some((top, sub))) => of_file(top, sub),
        (Kind::File, None) => "other",
    }
}

fn of_file(top: &str, sub: &str) -> &'static str {
    let has = |any: &[&str]| any.iter().any(|word| sub.contains(word));
    match top {
        "image" => return "image",
        "audio" => return "audio",
        "video" => return "video",
        "font" => return "font",
        _ => {}
    }
    if has(&["spreadsheet", "ms-excel", "csv", "tab-separated"]) {
        "spreadsheet"
    } else if has(&["presentation", "ms-powerpoint"]) {
        "presentation"
    } else if has(&["wordprocessing", "msword", "opendocument.text", "rtf"]) {
        "document"
    } else if sub == "pdf" || sub == "x-pdf" {
        "pdf"
    } else if has(&["html"]) {
        "html"
    } else if has(&["calendar"]) {
        "calendar"
    } else if has(&["vcard"]) {
        "contact"
    } else if has(&["pgp", "pkcs7", "signature", "x509", "pem"]) {
        "signature"
    } else if has(&["json", "xml", "sqlite", "parquet", "yaml"]) {
        "data"
    } else if has(&["zip", "x-tar", "gzip", "x-7z", "x-rar", "x-bzip", "x-xz"]) {
        "packed"
    } else if top == "text" {
        "text"
    } else {
        "other"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn office_formats_have_the_names_that_people_use() {
        for (media_type, family) in [
            ("application/pdf", "pdf"),
            ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", "document"),
            ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "spreadsheet"),
            ("application/vnd.oasis.opendocument.spreadsheet", "spreadsheet"),
            ("application/vnd.oasis.opendocument.text", "document"),
            ("application/vnd.ms-powerpoint", "presentation"),
            ("text/csv", "spreadsheet"),
            ("text/html", "html"),
            ("text/x-patch", "text"),
            ("application/pgp-signature", "signature"),
            ("application/octet-stream", "other"),
            ("", "other"),
        ] {
            assert_eq!(of(Kind::File, media_type), family, "{media_type}");
        }
        assert_eq!(of(Kind::Message, "message/rfc822"), "message");
    }
}
