-- Documents that stand in a draft and of which something that is published was changed since: the next publish looks at these, and not at all there are.
CREATE TABLE stale (
    n INTEGER PRIMARY KEY AUTOINCREMENT,
    seq INTEGER NOT NULL
) STRICT;
CREATE INDEX stale_seq ON stale (seq);

-- Up to which of them all was looked at when the draft was made; NULL where that is not known, and everything is to be looked at.
ALTER TABLE draft ADD COLUMN seen INTEGER;

-- Triggers, so that nobody who writes here can forget it: a place in another document, what was made of it, what was found of its signatures, its bytes.
CREATE TRIGGER stale_placed AFTER INSERT ON occurrence WHEN EXISTS (SELECT 1 FROM draft_line WHERE seq = NEW.child)
BEGIN INSERT INTO stale (seq) VALUES (NEW.child); END;
CREATE TRIGGER stale_replaced AFTER UPDATE ON occurrence WHEN EXISTS (SELECT 1 FROM draft_line WHERE seq = NEW.child)
BEGIN INSERT INTO stale (seq) VALUES (NEW.child); END;
CREATE TRIGGER stale_replaced_by AFTER UPDATE ON occurrence WHEN OLD.child <> NEW.child AND EXISTS (SELECT 1 FROM draft_line WHERE seq = OLD.child)
BEGIN INSERT INTO stale (seq) VALUES (OLD.child); END;
CREATE TRIGGER stale_displaced AFTER DELETE ON occurrence WHEN EXISTS (SELECT 1 FROM draft_line WHERE seq = OLD.child)
BEGIN INSERT INTO stale (seq) VALUES (OLD.child); END;

CREATE TRIGGER stale_made AFTER INSERT ON rendition WHEN EXISTS (SELECT 1 FROM draft_line WHERE seq = NEW.seq)
BEGIN INSERT INTO stale (seq) VALUES (NEW.seq); END;
CREATE TRIGGER stale_remade AFTER UPDATE ON rendition WHEN OLD.blob <> NEW.blob AND EXISTS (SELECT 1 FROM draft_line WHERE seq = NEW.seq)
BEGIN INSERT INTO stale (seq) VALUES (NEW.seq); END;
CREATE TRIGGER stale_unmade AFTER DELETE ON rendition WHEN EXISTS (SELECT 1 FROM draft_line WHERE seq = OLD.seq)
BEGIN INSERT INTO stale (seq) VALUES (OLD.seq); END;

CREATE TRIGGER stale_found AFTER INSERT ON verdict WHEN EXISTS (SELECT 1 FROM draft_line WHERE seq = NEW.seq)
BEGIN INSERT INTO stale (seq) VALUES (NEW.seq); END;
CREATE TRIGGER stale_found_anew AFTER UPDATE ON verdict WHEN OLD.verdicts <> NEW.verdicts AND EXISTS (SELECT 1 FROM draft_line WHERE seq = NEW.seq)
BEGIN INSERT INTO stale (seq) VALUES (NEW.seq); END;
CREATE TRIGGER stale_lost AFTER DELETE ON verdict WHEN EXISTS (SELECT 1 FROM draft_line WHERE seq = OLD.seq)
BEGIN INSERT INTO stale (seq) VALUES (OLD.seq); END;

CREATE TRIGGER stale_bytes AFTER UPDATE OF blob ON document WHEN OLD.blob IS NOT NEW.blob AND EXISTS (SELECT 1 FROM draft_line WHERE seq = NEW.seq)
BEGIN INSERT INTO stale (seq) VALUES (NEW.seq); END;
