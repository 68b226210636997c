DROP TABLE usage_costs;
DROP INDEX ledger_adjusts;
ALTER TABLE ledger DROP COLUMN list_cost_nano;
ALTER TABLE tenants DROP COLUMN cost_source;
