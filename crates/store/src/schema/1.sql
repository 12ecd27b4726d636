-- The catalogue of a desk, format 1. Numbers of kinds, stages, codes and labels are their places in the `ALL` lists of `model`.
-- `seq` is a document's identity on this desk and is never used again. `change` rises with every change of what the index should hold of a
-- document, so that an index which remembers the highest change it has can be brought up to date.

CREATE TABLE collection (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;

-- role: 0 written by ingest, 1 by review. length: how many bytes of the file hold; what lies beyond is a torn tail.
CREATE TABLE pack (
    number INTEGER PRIMARY KEY,
    role INTEGER NOT NULL,
    length INTEGER NOT NULL
) STRICT;

-- In a pack: pack and offset of its record. A file of its own: neither. A slice: of (never itself a slice) and offset.
CREATE TABLE blob (
    id INTEGER PRIMARY KEY,
    digest BLOB NOT NULL UNIQUE,
    length INTEGER NOT NULL,
    pack INTEGER,
    of INTEGER,
    offset INTEGER
) STRICT;

-- flags: 1 words may be missing from search, 2 worth another try, 4 no reader yet.
CREATE TABLE document (
    seq INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    change INTEGER NOT NULL UNIQUE,
    kind INTEGER NOT NULL,
    flags INTEGER NOT NULL,
    blob INTEGER,
    length INTEGER NOT NULL,
    step TEXT NOT NULL,
    version INTEGER NOT NULL,
    claims TEXT NOT NULL,
    media_type TEXT NOT NULL,
    title TEXT NOT NULL,
    facts BLOB NOT NULL
) STRICT;

CREATE TABLE deleted (
    change INTEGER PRIMARY KEY,
    seq INTEGER NOT NULL UNIQUE
) STRICT;

CREATE TABLE text (
    seq INTEGER NOT NULL,
    step TEXT NOT NULL,
    version INTEGER NOT NULL,
    pack INTEGER NOT NULL,
    offset INTEGER NOT NULL,
    length INTEGER NOT NULL,
    PRIMARY KEY (seq, step, version)
) STRICT, WITHOUT ROWID;

CREATE TABLE fault (
    seq INTEGER NOT NULL,
    n INTEGER NOT NULL,
    stage INTEGER NOT NULL,
    code INTEGER NOT NULL,
    tool TEXT NOT NULL,
    detail TEXT NOT NULL,
    at INTEGER,
    most INTEGER,
    PRIMARY KEY (seq, n)
) STRICT, WITHOUT ROWID;

CREATE TABLE occurrence (
    parent INTEGER NOT NULL,
    ordinal INTEGER NOT NULL,
    child INTEGER NOT NULL,
    name BLOB,
    PRIMARY KEY (parent, ordinal, child)
) STRICT, WITHOUT ROWID;
CREATE INDEX occurrence_child ON occurrence (child, name);

CREATE TABLE member (
    collection INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    PRIMARY KEY (collection, seq)
) STRICT, WITHOUT ROWID;

-- The work ledger: one file of a trove is one unit.
CREATE TABLE unit (
    collection INTEGER NOT NULL,
    path BLOB NOT NULL,
    state INTEGER NOT NULL,
    cursor INTEGER NOT NULL,
    strikes INTEGER NOT NULL,
    seq INTEGER,
    size INTEGER NOT NULL,
    digest BLOB,
    PRIMARY KEY (collection, path)
) STRICT, WITHOUT ROWID;
CREATE INDEX unit_seq ON unit (seq);

CREATE TABLE thread (
    seq INTEGER PRIMARY KEY,
    thread INTEGER NOT NULL,
    position INTEGER NOT NULL,
    parent INTEGER,
    depth INTEGER NOT NULL
) STRICT;
CREATE INDEX thread_order ON thread (thread, position);

CREATE TABLE audit (
    n INTEGER PRIMARY KEY,
    time INTEGER NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    detail TEXT NOT NULL,
    note TEXT NOT NULL,
    previous BLOB NOT NULL,
    hash BLOB NOT NULL
) STRICT;

-- Every decision ever made; the one with the highest audit entry holds.
CREATE TABLE decision (
    collection INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    audit INTEGER NOT NULL,
    state INTEGER NOT NULL,
    PRIMARY KEY (collection, seq, audit)
) STRICT, WITHOUT ROWID;

CREATE TABLE rendition (
    seq INTEGER NOT NULL,
    role INTEGER NOT NULL,
    step TEXT NOT NULL,
    version INTEGER NOT NULL,
    media_type TEXT NOT NULL,
    blob INTEGER NOT NULL,
    PRIMARY KEY (seq, role, step, version)
) STRICT, WITHOUT ROWID;

-- Permanent numbers: what a document is called in an archive, for ever.
CREATE TABLE number (
    collection INTEGER NOT NULL,
    origin TEXT NOT NULL,
    seq INTEGER NOT NULL,
    number INTEGER NOT NULL,
    PRIMARY KEY (collection, origin, seq),
    UNIQUE (collection, origin, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE draft (
    id INTEGER PRIMARY KEY,
    collection INTEGER NOT NULL,
    origin TEXT NOT NULL,
    serial INTEGER NOT NULL,
    time INTEGER NOT NULL,
    state INTEGER NOT NULL,
    head BLOB NOT NULL,
    title TEXT NOT NULL
) STRICT;

CREATE TABLE draft_line (
    draft INTEGER NOT NULL,
    position INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    number INTEGER NOT NULL,
    salt BLOB NOT NULL,
    parent INTEGER,
    thread INTEGER,
    fingerprint BLOB NOT NULL,
    payload BLOB NOT NULL,
    PRIMARY KEY (draft, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX draft_line_seq ON draft_line (seq);
