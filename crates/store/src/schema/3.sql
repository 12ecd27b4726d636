-- Format 3.

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
