//! Media types: what a file's first bytes, its name and its parent's claim say that it is.

/// Types that are told by bytes at a place in the file. Only marks that text cannot begin with by accident are here.
const MARKS: &[(usize, &[u8], &str)] = &[
    (0, b"%PDF-", "application/pdf"),
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"GIF87a", "image/gif"),
    (0, b"GIF89a", "image/gif"),
    (0, b"II*\0", "image/tiff"),
    (0, b"MM\0*", "image/tiff"),
    (8, b"WEBP", "image/webp"),
    (8, b"WAVEfmt", "audio/wav"),
    (8, b"AVI LIST", "video/x-msvideo"),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", OLE),
    (0, b"{\\rtf", "application/rtf"),
    (0, b"\xdb\xa5\x2d\0", WORD_2),
    (0, b"\x1f\x8b\x08", "application/gzip"),
    (0, b"BZh", "application/x-bzip2"),
    (0, b"\xfd7zXZ\0", "application/x-xz"),
    (0, b"\x28\xb5\x2f\xfd", "application/zstd"),
    (0, b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (0, b"Rar!\x1a\x07", "application/vnd.rar"),
    (257, b"ustar", "application/x-tar"),
    (0, b"!BDN", "application/vnd.ms-outlook-pst"),
    (0, b"\x78\x9f\x3e\x22", "application/vnd.ms-tnef"),
    (0, b"ID3", "audio/mpeg"),
    (0, b"\xff\xfb", "audio/mpeg"),
    (4, b"ftypM4A", "audio/mp4"),
    (4, b"ftypqt", "video/quicktime"),
    (4, b"ftypheic", "image/heic"),
    (4, b"ftypavif", "image/avif"),
    (4, b"ftyp", "video/mp4"),
    (0, b"OggS", "audio/ogg"),
    (0, b"fLaC", "audio/flac"),
    (0, b"\x1aE\xdf\xa3", "video/x-matroska"),
    (0, b"\x7fELF", "application/x-elf"),
    (0, b"SQLite format 3\0", "application/vnd.sqlite3"),
    (0, b"%!PS-Adobe", "application/postscript"),
    (0, b"AT&TFORM", "image/vnd.djvu"),
    (0, b"\0\0\0\x0cjP  \r\n\x87\n", "image/jp2"),
    (4, b"Standard Jet DB", "application/x-msaccess"),
    (4, b"Standard ACE DB", "application/x-msaccess"),
    (0, b"\xffWPC", "application/vnd.wordperfect"),
    (0, b"\0\0\x01\0", "image/vnd.microsoft.icon"),
    (0, b"-----BEGIN PGP SIGNATURE-----", "application/pgp-signature"),
    (0, b"-----BEGIN PGP MESSAGE-----", "application/pgp-encrypted"),
    (0, b"age-encryption.org/v1\n", "application/x-age"),
];

/// What Word 2 wrote, before there were compound files.
pub(crate) const WORD_2: &str = "application/x-word-2";

/// Every type of Microsoft's compound files; which one it is stands deep inside, so the name is asked.
pub(crate) const OLE: &str = "application/x-ole-storage";

/// The type for a name's extension; the second half are read as text.
const EXTENSIONS: &[(&str, &str)] = &[
    ("doc", "application/msword"),
    ("xls", "application/vnd.ms-excel"),
    ("ppt", "application/vnd.ms-powerpoint"),
    ("msg", "application/vnd.ms-outlook"),
    ("docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ("pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
    ("odt", "application/vnd.oasis.opendocument.text"),
    ("ods", "application/vnd.oasis.opendocument.spreadsheet"),
    ("odp", "application/vnd.oasis.opendocument.presentation"),
    ("pst", "application/vnd.ms-outlook-pst"),
    ("ost", "application/vnd.ms-outlook-pst"),
    ("p7s", "application/pkcs7-signature"),
    ("p7m", "application/pkcs7-mime"),
    ("pgp", "application/pgp-encrypted"),
    ("gpg", "application/pgp-encrypted"),
    ("sig", "application/pgp-signature"),
    ("bmp", "image/bmp"),
    ("mp3", "audio/mpeg"),
    ("wma", "audio/x-ms-wma"),
    ("wmv", "video/x-ms-wmv"),
    ("exe", "application/vnd.microsoft.portable-executable"),
    ("dll", "application/vnd.microsoft.portable-executable"),
    ("dwg", "image/vnd.dwg"),
    ("mdb", "application/x-msaccess"),
    ("accdb", "application/x-msaccess"),
    ("dbf", "application/vnd.dbf"),
    ("djvu", "image/vnd.djvu"),
    ("wpd", "application/vnd.wordperfect"),
    ("xlsb", "application/vnd.ms-excel.sheet.binary.macroenabled.12"),
    ("eps", "application/postscript"),
    ("ps", "application/postscript"),
    ("pdf", "application/pdf"),
    ("txt", "text/plain"),
    ("html", "text/html"),
    ("htm", "text/html"),
    ("xhtml", "application/xhtml+xml"),
    ("csv", "text/csv"),
    ("tsv", "text/tab-separated-values"),
    ("json", "application/json"),
    ("jsonl", "application/jsonl"),
    ("ndjson", "application/jsonl"),
    ("xml", "application/xml"),
    ("svg", "image/svg+xml"),
    ("md", "text/markdown"),
    ("ics", "text/calendar"),
    ("ical", "text/calendar"),
    ("vcf", "text/vcard"),
    ("css", "text/css"),
    ("js", "text/javascript"),
    ("patch", "text/x-patch"),
    ("diff", "text/x-patch"),
    ("tex", "application/x-tex"),
    ("sh", "application/x-sh"),
    ("sql", "application/sql"),
    ("yaml", "application/yaml"),
    ("yml", "application/yaml"),
    ("toml", "application/toml"),
    ("srt", "application/x-subrip"),
    ("c", "text/x-c"),
    ("h", "text/x-c"),
    ("py", "text/x-python"),
    ("rs", "text/x-rust"),
    ("java", "text/x-java"),
    ("log", "text/plain"),
];

/// Types outside of `text/` and the `+xml` and `+json` families that are text nevertheless.
const TEXTUAL: &[&str] = &[
    "application/json",
    "application/jsonl",
    "application/xml",
    "application/javascript",
    "application/x-javascript",
    "application/x-sh",
    "application/sql",
    "application/yaml",
    "application/x-yaml",
    "application/toml",
    "application/x-tex",
    "application/x-subrip",
    "application/x-patch",
    "application/pgp-keys",
    "application/ics",
    "message/delivery-status",
    "message/disposition-notification",
    "message/external-body",
    "message/partial",
    "message/feedback-report",
    "message/global-delivery-status",
];

/// The type that a file's first bytes tell.
pub(crate) fn by_mark(head: &[u8]) -> Option<&'static str> {
    let marked = |(at, mark, _): &&(usize, &[u8], &str)| head.get(*at..).is_some_and(|rest| rest.starts_with(mark));
    let found = MARKS.iter().find(marked).map(|(.., media)| *media);
    // These two are short enough to stand at the beginning of a text.
    match found {
        Some("application/x-bzip2") if !head.get(4..10).is_some_and(|b| b == b"1AY&SY" || b == b"\x17\x72\x45\x38\x50\x90") => None,
        Some("audio/mpeg") if !head.contains(&0) => None,
        _ if head.starts_with(b"MZ") && head.contains(&0) => Some("application/vnd.microsoft.portable-executable"),
        _ if head.starts_with(b"BM") && head.get(6..10) == Some(&[0; 4]) => Some("image/bmp"),
        found => found,
    }
}

/// The type of a compound file, told by its name or claim if they are of that family.
pub(crate) fn narrowed(media: &'static str, named: Option<&'static str>, claimed: &str) -> String {
    if media != OLE {
        return media.into();
    }
    let ole = |media: &str| media == "application/msword" || media.starts_with("application/vnd.ms-") && !media.ends_with("-pst");
    match named.filter(|media| ole(media)) {
        Some(named) => named.into(),
        None if ole(claimed) => claimed.into(),
        None => media.into(),
    }
}

/// The type that a name's extension tells.
pub(crate) fn by_extension(extension: &str) -> Option<&'static str> {
    EXTENSIONS.iter().find(|(known, _)| *known == extension).map(|(_, media)| *media)
}

/// Whether a type is one that is read as text.
pub(crate) fn is_text(media: &str) -> bool {
    media.starts_with("text/") || media.ends_with("+xml") || media.ends_with("+json") || TEXTUAL.contains(&media)
}

/// Whether a claim says anything.
pub(crate) fn says_something(media: &str) -> bool {
    let well_formed = media.split_once('/').is_some_and(|(a, b)| !a.is_empty() && !b.is_empty());
    let plain = media.len() <= 100 && media.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'+' | b'-' | b'.' | b'_'));
    well_formed
        && plain
        && !matches!(media, "application/octet-stream" | "application/x-unknown" | "application/unknown" | "application/binary")
}
