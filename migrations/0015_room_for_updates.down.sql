ALTER TABLE usage_windows SET (fillfactor = 80);
ALTER TABLE token_buckets SET (fillfactor = 80);
ALTER TABLE usage_monthly SET (fillfactor = 80);
