ALTER TABLE policy_changes DROP COLUMN repeat_at;
DROP INDEX accounts_in_grace, accounts_deleted, accounts_bypassed, accounts_suspended, accounts_by_org, accounts_by_team;
