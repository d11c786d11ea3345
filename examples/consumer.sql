PRAGMA journal_mode = WAL;

-- What the MES wants: parts booked, and when which state began.
CREATE TABLE IF NOT EXISTS booking (
    source TEXT, epoch TEXT, equipment TEXT, counter TEXT, seq INTEGER, order_no TEXT,
    total NUMERIC, quantity NUMERIC,
    PRIMARY KEY (source, epoch, equipment, counter, seq)
);
CREATE VIEW IF NOT EXISTS parts AS
SELECT equipment, counter, order_no, SUM(quantity) AS quantity
FROM booking GROUP BY equipment, counter, order_no;

CREATE TABLE IF NOT EXISTS state (
    source TEXT, epoch TEXT, seq INTEGER, equipment TEXT, order_no TEXT, state TEXT, since TEXT,
    PRIMARY KEY (source, epoch, seq)
);
CREATE VIEW IF NOT EXISTS state_interval AS  -- none begins before the one in front of it
SELECT equipment, state, since, LEAD(since) OVER (
    PARTITION BY source, equipment ORDER BY epoch, seq
) AS until, order_no, source, epoch, seq FROM (
    SELECT source, epoch, seq, equipment, order_no, state, MAX(since) OVER (
        PARTITION BY source, equipment ORDER BY epoch, seq
    ) AS since FROM state
);

-- How far it is. A series is "source epoch", a stream is "source epoch equipment type".
CREATE TABLE IF NOT EXISTS stream (
    stream TEXT PRIMARY KEY, series TEXT,
    streamseq INTEGER DEFAULT 0,  -- everything up to here is booked,
    booked INTEGER DEFAULT 0,     -- which is this seq,
    known INTEGER DEFAULT 0       -- and there are events up to this seq
);
CREATE INDEX IF NOT EXISTS stream_series ON stream (series);
CREATE TABLE IF NOT EXISTS series (
    series TEXT PRIMARY KEY, source TEXT,
    checked INTEGER DEFAULT 0,    -- nothing is missing up to this seq,
    sent INTEGER DEFAULT 0,       -- the gateway had sent so far at its last health,
    newest INTEGER DEFAULT 0,     -- and this was the newest one for us;
    suspect INTEGER DEFAULT 1     -- some may have been dropped on the way
);
CREATE VIEW IF NOT EXISTS late AS  -- the series of which something is missing, or may be
SELECT series, source, checked FROM series WHERE suspect
OR newest > MAX(checked, (SELECT IFNULL(MAX(known), 0) FROM stream AS s WHERE s.series = series.series))
OR EXISTS (SELECT 1 FROM stream AS s WHERE s.series = series.series AND known > booked);
CREATE TRIGGER IF NOT EXISTS check_series AFTER UPDATE OF sent ON series
WHEN NEW.series NOT IN (SELECT series FROM late) BEGIN
    UPDATE series SET checked = MAX(checked, OLD.sent) WHERE series = NEW.series;
END;  -- only what was sent before the last health: the rest may still be on its way

CREATE TABLE IF NOT EXISTS inbox (  -- events after `checked`, booked or behind a hole
    series TEXT, stream TEXT, streamseq INTEGER, seq INTEGER, data TEXT,
    PRIMARY KEY (stream, streamseq)
);
CREATE INDEX IF NOT EXISTS inbox_seq ON inbox (series, seq);
CREATE TRIGGER IF NOT EXISTS trim_inbox AFTER UPDATE OF checked ON series BEGIN
    DELETE FROM inbox WHERE series = NEW.series AND seq <= NEW.checked;
END;
CREATE TABLE IF NOT EXISTS lost (  -- holes that nobody can fill any more
    stream TEXT, first INTEGER, last INTEGER, PRIMARY KEY (stream, first)
);
