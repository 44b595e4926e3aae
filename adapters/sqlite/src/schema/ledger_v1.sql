-- Version 1: transactions and their entries, to which nothing but more is ever done.

CREATE TABLE transactions (
    Sequence INTEGER PRIMARY KEY,
    Id TEXT NOT NULL UNIQUE,
    At TEXT NOT NULL,
    Purpose TEXT NOT NULL
) STRICT;

-- By account first: the balance of an account is that of its last entry.
CREATE TABLE entries (
    Account TEXT NOT NULL,
    Currency TEXT NOT NULL,
    Sequence INTEGER NOT NULL REFERENCES transactions,
    Ordinal INTEGER NOT NULL,
    Amount TEXT NOT NULL,
    Balance TEXT NOT NULL,
    PRIMARY KEY (Account, Currency, Sequence)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX entries_by_transaction ON entries (Sequence, Ordinal);

CREATE TRIGGER transactions_are_not_changed BEFORE UPDATE ON transactions
BEGIN SELECT raise(ABORT, 'a ledger is append-only'); END;

CREATE TRIGGER transactions_are_not_deleted BEFORE DELETE ON transactions
BEGIN SELECT raise(ABORT, 'a ledger is append-only'); END;

CREATE TRIGGER entries_are_not_changed BEFORE UPDATE ON entries
BEGIN SELECT raise(ABORT, 'a ledger is append-only'); END;

CREATE TRIGGER entries_are_not_deleted BEFORE DELETE ON entries
BEGIN SELECT raise(ABORT, 'a ledger is append-only'); END;
