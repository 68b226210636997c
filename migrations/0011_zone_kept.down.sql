ALTER TABLE accounts DROP COLUMN zone_kept_us;
