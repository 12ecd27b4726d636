-- Nothing here tells what was said: that stands in sealed/, under a key of each conversation. What is deleted is written over (secure_delete).
CREATE TABLE conversation (
    n INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,            -- SHA-256 over a tag and the conversation's key
    lookup BLOB NOT NULL,               -- the mailbox at the drop
    place INTEGER NOT NULL,             -- of the storage key in storage.keys
    first_day INTEGER NOT NULL,
    last_day INTEGER NOT NULL,
    submissions INTEGER NOT NULL DEFAULT 0,
    replies INTEGER NOT NULL DEFAULT 0,
    unread INTEGER NOT NULL DEFAULT 0,
    doubtful INTEGER NOT NULL DEFAULT 0, -- messages that may be somebody else's
    bytes INTEGER NOT NULL DEFAULT 0,
    accepted INTEGER NOT NULL DEFAULT 0,
    shared INTEGER NOT NULL DEFAULT 0,  -- another conversation came in the same mailbox
    next_reply INTEGER NOT NULL DEFAULT 1,
    begun INTEGER NOT NULL DEFAULT 0,   -- its first message is here
    deleting INTEGER NOT NULL DEFAULT 0,
    assigned TEXT NOT NULL DEFAULT '',
    identity BLOB                       -- conversation key and reply key, sealed under the storage key
);
CREATE INDEX conversation_lookup ON conversation (lookup);
CREATE INDEX conversation_order ON conversation (unread > 0 DESC, last_day DESC, n DESC);
CREATE TABLE message (
    n INTEGER PRIMARY KEY,
    conversation INTEGER NOT NULL,
    outgoing INTEGER NOT NULL,
    day INTEGER NOT NULL,
    name TEXT NOT NULL UNIQUE,          -- of its file in sealed/, random
    length INTEGER NOT NULL,
    doubt INTEGER NOT NULL DEFAULT 0,   -- 0 none, 1 may be somebody else, 2 the beginning again
    read INTEGER NOT NULL DEFAULT 0,
    sent INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX message_conversation ON message (conversation, n);
-- Envelopes that were taken, by a keyed hash, so that none is taken twice, until no key can open it.
CREATE TABLE seen (mark BLOB PRIMARY KEY, until INTEGER NOT NULL) WITHOUT ROWID;
-- Taken, durable, and the drop was not told yet.
CREATE TABLE done (id BLOB PRIMARY KEY) WITHOUT ROWID;
-- Envelopes that could not be opened: left at the drop, and not fetched again.
CREATE TABLE refused (id BLOB PRIMARY KEY, day INTEGER NOT NULL, length INTEGER NOT NULL, until INTEGER NOT NULL, why TEXT NOT NULL) WITHOUT ROWID;
-- What the drop is to be told: what = 0 reply, 1 accept, 2 forget.
CREATE TABLE queue (n INTEGER PRIMARY KEY, what INTEGER NOT NULL, lookup BLOB NOT NULL, conversation INTEGER, message INTEGER, sealed BLOB);
CREATE INDEX queue_conversation ON queue (conversation);
-- Troves that were made of a conversation: the random folder's name, which stands in the paths of its documents.
CREATE TABLE link (token TEXT PRIMARY KEY, conversation INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX link_conversation ON link (conversation);
-- Directories that this desk made.
CREATE TABLE directory (digest BLOB PRIMARY KEY, serial INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE setting (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
