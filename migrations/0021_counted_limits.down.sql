DROP FUNCTION jsonb_sums;
ALTER TABLE usage_windows DROP COLUMN counted;
DELETE FROM account_limits WHERE dimension > 5;
DELETE FROM tier_limits WHERE dimension > 5;
ALTER TABLE account_limits DROP CONSTRAINT account_limits_dimension_check, ADD CHECK (dimension BETWEEN 0 AND 5);
ALTER TABLE tier_limits DROP CONSTRAINT tier_limits_dimension_check, ADD CHECK (dimension BETWEEN 0 AND 5);
