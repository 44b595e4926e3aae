-- Version 1: editions of price lists, quotes, and what quotes were redeemed for. Nothing but more is ever
-- done to them.

CREATE TABLE editions (
    Name TEXT NOT NULL,
    Edition INTEGER NOT NULL,
    EffectiveFrom TEXT NOT NULL,
    List TEXT NOT NULL,
    PRIMARY KEY (Name, Edition),
    UNIQUE (Name, EffectiveFrom)
) STRICT;

CREATE TABLE quotes (
    Id TEXT NOT NULL PRIMARY KEY,
    Quote TEXT NOT NULL
) STRICT;

CREATE TABLE redemptions (
    Id TEXT NOT NULL PRIMARY KEY REFERENCES quotes,
    Redemption TEXT NOT NULL,
    At TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- What the documents say, as columns. The end of a band is JSON: no number of SQLite holds every one.
CREATE VIEW listed_prices AS
SELECT
    Name,
    Edition,
    EffectiveFrom,
    List ->> '$.tier' AS Tier,
    entry.value ->> '$.model' AS Model,
    entry.value ->> '$.kind' AS Kind,
    band.key + 1 AS Band,
    band.value -> '$[0]' AS UpTo,
    band.value ->> '$[1].cost.amount' AS Cost,
    band.value ->> '$[1].price.amount' AS Price,
    band.value ->> '$[1].price.currency' AS Currency
FROM
    editions,
    json_each(List, '$.entries') AS entry,
    json_each(entry.value, '$.bands') AS band;

CREATE VIEW quoted_prices AS
SELECT
    Id,
    Quote ->> '$.tier' AS Tier,
    Quote ->> '$.model' AS Model,
    Quote ->> '$.kind' AS Kind,
    Quote ->> '$.issued_at' AS IssuedAt,
    Quote ->> '$.expires_at' AS ExpiresAt,
    Quote ->> '$.price.cost.amount' AS Cost,
    Quote ->> '$.price.price.amount' AS Price,
    Quote ->> '$.price.price.currency' AS Currency,
    Redemption,
    At AS RedeemedAt
FROM quotes LEFT JOIN redemptions USING (Id);

CREATE TRIGGER editions_are_not_changed BEFORE UPDATE ON editions
BEGIN SELECT raise(ABORT, 'published prices are append-only'); END;

CREATE TRIGGER editions_are_not_deleted BEFORE DELETE ON editions
BEGIN SELECT raise(ABORT, 'published prices are append-only'); END;

CREATE TRIGGER quotes_are_not_changed BEFORE UPDATE ON quotes
BEGIN SELECT raise(ABORT, 'quotes are append-only'); END;

CREATE TRIGGER quotes_are_not_deleted BEFORE DELETE ON quotes
BEGIN SELECT raise(ABORT, 'quotes are append-only'); END;

CREATE TRIGGER redemptions_are_not_changed BEFORE UPDATE ON redemptions
BEGIN SELECT raise(ABORT, 'redemptions are append-only'); END;

CREATE TRIGGER redemptions_are_not_deleted BEFORE DELETE ON redemptions
BEGIN SELECT raise(ABORT, 'redemptions are append-only'); END;
