-- Rows that the ledger's writer updates again and again: with half of each page left free, 99% of their updates stay on their page
-- and need no new index entries (72% before, with 80). Pages that exist keep what they have, and gain room as rows move. usage_daily
-- stays as it is: its rows are kept for good, and updated on one day only.
ALTER TABLE usage_windows SET (fillfactor = 50);
ALTER TABLE token_buckets SET (fillfactor = 50);
ALTER TABLE usage_monthly SET (fillfactor = 50);
