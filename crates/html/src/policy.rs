//! The headers that cage a page in the browser that shows it. They are the same for every answer, so they stand here once.

/// The policy of our own pages: no script, no font, no request to anybody else. Style, pictures, forms and frames come from the same site alone.
pub const PAGE: &str =
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-src 'self'; base-uri 'none'; frame-ancestors 'none'";

/// The policy of a document's sanitised view, which somebody hostile may have written: an opaque origin without script, forms, pictures or
/// windows. It may stand in a frame of our own pages, and only there.
pub const VIEW: &str = "sandbox; default-src 'none'; style-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'self'";

/// The policy of published bytes: whatever a browser thinks they are, they may do nothing.
pub const BYTES: &str = "sandbox; default-src 'none'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'";

/// The policy of a PDF, which the browser's own viewer shows: no viewer works in a sandbox, but it may load nothing, and nothing may hold it.
pub const PDF: &str = "default-src 'none'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'";

/// What every answer carries beside its `Content-Security-Policy`. No cookie is ever set, so there is none to protect.
pub const ALWAYS: [(&str, &str); 5] = [
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-embedder-policy", "require-corp"),
    (
        "permissions-policy",
        "accelerometer=(), autoplay=(), camera=(), display-capture=(), encrypted-media=(), fullscreen=(), geolocation=(), gyroscope=(), \
         microphone=(), midi=(), payment=(), publickey-credentials-get=(), screen-wake-lock=(), usb=(), web-share=(), xr-spatial-tracking=()",
    ),
];
