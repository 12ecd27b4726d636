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
