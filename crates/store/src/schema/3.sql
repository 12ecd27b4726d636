-- Format 3.

-- Recognition: what a machine saw on the pictures of pages, one row a page that was tried. outcome: 0 words, 1 no word, 2 it could not be done.
-- replaces: the page's own characters do not say what they stand for, and these words stand in their place. The words, if any, are text in a pack.
CREATE TABLE recognised (
    seq INTEGER NOT NULL,
    page INTEGER NOT NULL,
    version INTEGER NOT NULL,
    outcome INTEGER NOT NULL,
    replaces INTEGER NOT NULL,
    tool TEXT NOT NULL,
    code INTEGER,
    detail TEXT NOT NULL,
    most INTEGER,
    pack INTEGER,
    offset INTEGER,
    length INTEGER,
    PRIMARY KEY (seq, page)
) STRICT, WITHOUT ROWID;

-- Reading again. How a document stands in the one that holds it, for reading it by itself; NULL where nothing is said of it, or was by format 2.
ALTER TABLE occurrence ADD COLUMN standing BLOB;

-- How many bytes of the file's budget are left for what of it waits to be read by itself; NULL where nothing does.
ALTER TABLE unit ADD COLUMN remaining INTEGER;

-- Documents that wait to be read by themselves, in the order of their numbers, for the file whose budget they use; how far each has come.
CREATE TABLE deferred (
    seq INTEGER PRIMARY KEY,
    collection INTEGER NOT NULL,
    path BLOB NOT NULL,
    cursor INTEGER NOT NULL
) STRICT;

-- Passwords that opened these bytes: needed whenever they are read again.
CREATE TABLE password (
    blob INTEGER NOT NULL,
    password TEXT NOT NULL,
    PRIMARY KEY (blob, password)
) STRICT, WITHOUT ROWID;

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

-- What is known of documents' words: the language (ISO 639-1, empty if it could not be told), and the sketch of the text, if it is long enough to
-- have one: 128 numbers of 16 bits, little-endian.
CREATE TABLE words (
    seq INTEGER PRIMARY KEY,
    language TEXT NOT NULL,
    sketch BLOB
) STRICT;

-- By which keys a sketch is looked up. Documents up to `upto` are in it; the others are put in, sorted, at the end of the next ingest.
CREATE TABLE near (
    band INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    PRIMARY KEY (band, seq)
) STRICT, WITHOUT ROWID;
CREATE TABLE near_upto (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    upto INTEGER NOT NULL
) STRICT;
INSERT INTO near_upto VALUES (1, 0);
