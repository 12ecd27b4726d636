-- Format 2: keys of DKIM and ARC signatures, and what was found of the signatures by them.

-- A key under its name in the DNS, `SELECTOR._domainkey.DOMAIN`, as its TXT record; where and when it was seen there, and when it was imported here.
CREATE TABLE dkim_key (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    record TEXT NOT NULL,
    source TEXT NOT NULL,
    seen INTEGER,
    exposed INTEGER NOT NULL,
    imported INTEGER NOT NULL,
    UNIQUE (name, record, source)
) STRICT;

-- The verdicts of a message that is signed, in their order.
CREATE TABLE verdict (
    seq INTEGER PRIMARY KEY,
    verdicts BLOB NOT NULL
) STRICT;

-- Which documents are signed with the key of a name, whether it is known or not.
CREATE TABLE signed (
    name TEXT NOT NULL,
    seq INTEGER NOT NULL,
    PRIMARY KEY (name, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX signed_seq ON signed (seq);
