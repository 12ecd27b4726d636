-- Format 3: what was forgotten, and what of forgetting is still to be done.

-- Bytes that must not come back. mark: SHA-256 over `daylight-forgotten/v1`, a line feed and the digest of the bytes. whole: 1 they were forgotten
-- themselves, 0 they held what was.
CREATE TABLE forgotten (
    mark BLOB PRIMARY KEY,
    time INTEGER NOT NULL,
    whole INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Documents with the bytes of a forgotten one, which came again inside something else: to be forgotten before anything else is done.
CREATE TABLE forgetting (
    seq INTEGER PRIMARY KEY
) STRICT;

-- There is a row while traces of something forgotten may be left in files.
CREATE TABLE sweeping (
    since INTEGER PRIMARY KEY
) STRICT;
