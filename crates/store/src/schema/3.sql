-- Format 3.

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
