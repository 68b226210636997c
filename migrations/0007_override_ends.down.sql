DROP INDEX account_limits_by_end;
ALTER TABLE account_limits DROP COLUMN until_us;
