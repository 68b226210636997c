DROP VIEW usage_tiers_costs;
DROP VIEW usage_tiers_meters;
DROP VIEW usage_tiers_daily;
DELETE FROM usage_costs WHERE kind = 6;
DELETE FROM usage_meters WHERE kind = 6;
DELETE FROM usage_shared_daily WHERE kind = 6;
ALTER TABLE usage_costs DROP CONSTRAINT usage_costs_kind_check, ADD CHECK (kind IN (1, 2, 3, 5));
ALTER TABLE usage_meters DROP CONSTRAINT usage_meters_kind_check, ADD CHECK (kind IN (1, 2, 3, 5));
ALTER TABLE usage_shared_daily DROP CONSTRAINT usage_shared_daily_kind_check, ADD CHECK (kind IN (2, 3, 5));
