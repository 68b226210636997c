DROP TABLE alert_attempts, alert_deliveries, alert_pending;
DROP TRIGGER alert_note ON accounts;
DROP TRIGGER alert_note_new ON accounts;
DROP FUNCTION alert_note_account, alerts_live;
DROP TABLE alert_notes, alert_due, alert_fired, alert_events, alert_channels, alert_rules;
DROP SEQUENCE alert_seq;

CREATE TABLE alert_rules (
	id bigserial PRIMARY KEY,
	tenant ident NOT NULL,
	name text NOT NULL,
	enabled boolean NOT NULL DEFAULT true,
	condition jsonb NOT NULL,
	target jsonb NOT NULL,
	created_at timestamptz NOT NULL DEFAULT now(),
	UNIQUE (tenant, name)
);
CREATE TABLE alert_events (
	id bigserial PRIMARY KEY,
	rule bigint NOT NULL REFERENCES alert_rules ON DELETE CASCADE,
	dedupe text NOT NULL, -- one event a rule and occasion, whoever sees it first
	at timestamptz NOT NULL DEFAULT now(),
	details jsonb NOT NULL,
	UNIQUE (rule, dedupe)
);
CREATE TABLE alert_deliveries (
	id bigserial PRIMARY KEY,
	event bigint NOT NULL REFERENCES alert_events ON DELETE CASCADE,
	tries integer NOT NULL DEFAULT 0,
	next_try_at timestamptz NOT NULL DEFAULT now(),
	delivered_at timestamptz,
	last_error text NOT NULL DEFAULT ''
);
CREATE INDEX alert_deliveries_due ON alert_deliveries (next_try_at) WHERE delivered_at IS NULL;
