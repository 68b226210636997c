DROP TABLE allowance_shares;
DROP TABLE allowance_periods;
DROP TABLE allowance_due;
ALTER TABLE usage_costs DROP COLUMN allowed, DROP COLUMN allowance_nano;
ALTER TABLE ledger DROP COLUMN allowance_nano;
UPDATE model_prices SET more = more - 'allowances' WHERE more ? 'allowances';
