-- Alerts: rules, what they found (events), and its way to people (channels, deliveries). docs/alerts.md explains them,
-- docs/decisions/0017-alerts-behind-the-ledger.md why they are decided behind the ledger.
--
-- Numbers of kinds, states and severities are those of server/domain/alert/alert.h.

-- The first schema had tables for this, which nothing has ever used.
DROP TABLE alert_deliveries, alert_events, alert_rules;

-- Tenant '' holds the shipped rules; a tenant's own rule of the same name goes before them.
CREATE TABLE alert_rules (
	tenant ident NOT NULL,
	name text COLLATE "C" NOT NULL CHECK (octet_length(name) BETWEEN 1 AND 64),
	kind smallint NOT NULL,
	enabled boolean NOT NULL DEFAULT true,
	severity smallint NOT NULL DEFAULT 2 CHECK (severity BETWEEN 1 AND 3), -- info, warning, critical
	-- Whose: '' and {} are all.
	account_kinds smallint[] NOT NULL DEFAULT '{}',
	account ident NOT NULL DEFAULT '',
	tier text COLLATE "C" NOT NULL DEFAULT '', -- of the account itself
	team ident NOT NULL DEFAULT '',            -- users of this team
	-- Which of its calendar limits: a name, a dimension (-1: all), a window (-1: all).
	limit_name text COLLATE "C" NOT NULL DEFAULT '',
	dimension smallint NOT NULL DEFAULT -1,
	unit smallint NOT NULL DEFAULT -1,
	-- When: percents of the limit, or amounts in its own unit.
	percents smallint[] NOT NULL DEFAULT '{}',
	amounts bigint[] NOT NULL DEFAULT '{}',
	percent integer NOT NULL DEFAULT 0,      -- anomaly: of the average; projected: of the limit
	minimum_nano bigint NOT NULL DEFAULT 0,  -- anomaly: today's cost
	after_s bigint NOT NULL DEFAULT 0,       -- ledger lag, starvation; prices and keys: in seconds, too
	-- To whom: names of channels; {} with to_all: all of the tenant's.
	channels text[] COLLATE "C" NOT NULL DEFAULT '{}',
	to_all boolean NOT NULL DEFAULT true,
	updated_at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (tenant, name)
);
CREATE TRIGGER changed AFTER INSERT OR UPDATE OR DELETE ON alert_rules EXECUTE FUNCTION catalog_changed();

INSERT INTO alert_rules (tenant, name, kind, severity, account_kinds, dimension, unit, percents, percent, minimum_nano, after_s, to_all) VALUES
	('', 'limits', 1, 2, '{2,3,4,5}', -1, -1, '{50,80,100}', 0, 0, 0, true),
	('', 'users', 1, 1, '{1}', -1, -1, '{50,80,100}', 0, 0, 0, false),
	('', 'projected', 2, 2, '{2,3,4,5}', 4, 2, '{}', 100, 0, 0, true),
	('', 'anomaly', 3, 2, '{2,3,5}', -1, -1, '{}', 300, 1000000000, 0, true),
	('', 'first-denial', 4, 1, '{1}', -1, -1, '{}', 0, 0, 0, false),
	('', 'suspended', 5, 2, '{}', -1, -1, '{}', 0, 0, 0, true),
	('', 'tier', 6, 1, '{}', -1, -1, '{}', 0, 0, 0, false),
	('', 'starving', 7, 2, '{}', -1, -1, '{}', 0, 0, 60, true),
	('', 'ledger-lag', 8, 3, '{}', -1, -1, '{}', 0, 0, 60, true),
	('', 'drift', 9, 3, '{}', -1, -1, '{}', 0, 0, 0, true),
	('', 'prices-old', 10, 1, '{}', -1, -1, '{}', 0, 0, 10368000, true),
	('', 'unpriced', 11, 2, '{}', -1, -1, '{}', 0, 0, 0, true),
	('', 'keys-end', 12, 2, '{}', -1, -1, '{}', 0, 0, 604800, true);

-- secret: what is write-only, as JSON: the URL of a chat's webhook, a token, the webhook's signing secrets.
CREATE TABLE alert_channels (
	tenant ident NOT NULL,
	name text COLLATE "C" NOT NULL CHECK (octet_length(name) BETWEEN 1 AND 64),
	kind smallint NOT NULL CHECK (kind BETWEEN 1 AND 7), -- webhook email slack discord teams telegram command
	enabled boolean NOT NULL DEFAULT true,
	system boolean NOT NULL DEFAULT false,   -- also what concerns the whole installation
	least smallint NOT NULL DEFAULT 1,       -- severity
	target text NOT NULL DEFAULT '',         -- what may be shown: a webhook's URL, addresses, a chat's id, a command's name
	secret jsonb NOT NULL DEFAULT '{}',
	language text COLLATE "C" NOT NULL DEFAULT '',
	title text NOT NULL DEFAULT '',          -- templates; '': the built-in ones
	body text NOT NULL DEFAULT '',
	digest_s integer NOT NULL DEFAULT 0,     -- gather for so long; 0: send each at once
	quiet_from smallint NOT NULL DEFAULT 0,  -- minutes of the day in quiet_zone; equal: never quiet
	quiet_to smallint NOT NULL DEFAULT 0,
	quiet_zone text NOT NULL DEFAULT '',
	rate_per_minute integer NOT NULL DEFAULT 0, -- messages; 0: the kind's own
	ordered boolean NOT NULL DEFAULT false,  -- one after the other, each until it is delivered or dead
	-- The circuit of the destination, and the time before which its rate allows nothing.
	failures integer NOT NULL DEFAULT 0,
	open_until timestamptz NOT NULL DEFAULT '-infinity',
	free_at timestamptz NOT NULL DEFAULT '-infinity',
	updated_at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (tenant, name)
);
CREATE TRIGGER changed AFTER INSERT OR DELETE OR UPDATE OF kind, enabled, system, least, target, secret, language, title, body, digest_s,
	quiet_from, quiet_to, quiet_zone, rate_per_minute, ordered ON alert_channels EXECUTE FUNCTION catalog_changed();

-- What happened. seq: the order in which readers see events, given by one process at a time behind the commits, so that a reader who has
-- seen one has seen all before it; NULL: not yet.
CREATE TABLE alert_events (
	id bigserial PRIMARY KEY,
	seq bigint UNIQUE,
	at timestamptz NOT NULL,
	tenant ident NOT NULL, -- '': the whole installation
	rule text COLLATE "C" NOT NULL,
	kind smallint NOT NULL,
	severity smallint NOT NULL,
	account_kind smallint NOT NULL, -- 0: none
	account ident NOT NULL,
	-- What is known of it; which of them say something depends on the kind (server/domain/alert/alert.h).
	limit_name text NOT NULL DEFAULT '',
	dimension smallint NOT NULL DEFAULT -1,
	unit smallint NOT NULL DEFAULT -1,
	window_start_us bigint NOT NULL DEFAULT 0,
	window_end_us bigint NOT NULL DEFAULT 0,
	used bigint NOT NULL DEFAULT 0,
	amount bigint NOT NULL DEFAULT 0,
	percent integer NOT NULL DEFAULT 0,
	threshold bigint NOT NULL DEFAULT 0,
	subject text NOT NULL DEFAULT '',
	before text NOT NULL DEFAULT '',
	after text NOT NULL DEFAULT '',
	lifted boolean NOT NULL DEFAULT false,
	age_us bigint NOT NULL DEFAULT 0,
	count bigint NOT NULL DEFAULT 0
);
-- 1 is the cursor before all events: 0 means "from now on" to a reader.
CREATE SEQUENCE alert_seq START 2;
CREATE INDEX alert_events_new ON alert_events (id) WHERE seq IS NULL;
CREATE INDEX alert_events_by_tenant ON alert_events (tenant, seq);
CREATE INDEX alert_events_by_account ON alert_events (tenant, account_kind, account, seq);
CREATE INDEX alert_events_by_time ON alert_events USING brin (at);

-- What has fired, so that it fires once: a row for each rule, account, key (the limit and the threshold) and window.
CREATE TABLE alert_fired (
	tenant text COLLATE "C" NOT NULL,
	account_kind smallint NOT NULL,
	account text COLLATE "C" NOT NULL,
	rule text COLLATE "C" NOT NULL,
	key text COLLATE "C" NOT NULL,
	window_us bigint NOT NULL, -- its start; 0: no window
	point bigint NOT NULL,     -- the amount at which it fired
	used bigint NOT NULL,      -- what was used then
	expires_at timestamptz NOT NULL, -- may be forgotten
	PRIMARY KEY (tenant, account_kind, account, rule, key, window_us)
) WITH (fillfactor = 80);
CREATE INDEX alert_fired_by_end ON alert_fired (expires_at);

-- Accounts whose use has changed, a row for each batch of the ledger's writer, in its transaction. Who evaluates them takes the row away.
CREATE TABLE alert_due (
	id bigserial PRIMARY KEY,
	tenants text[] COLLATE "C" NOT NULL,
	kinds smallint[] NOT NULL,
	ids text[] COLLATE "C" NOT NULL
);

-- Facts that are no use of a limit: noted by whoever learns of them, in the transaction that makes them so.
CREATE TABLE alert_notes (LIKE alert_events INCLUDING DEFAULTS);
ALTER TABLE alert_notes DROP COLUMN seq, DROP COLUMN rule, DROP COLUMN severity, ALTER COLUMN at SET DEFAULT now(), ALTER COLUMN
	account_kind SET DEFAULT 0, ALTER COLUMN account SET DEFAULT '', ALTER COLUMN id DROP DEFAULT, ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY,
	ADD PRIMARY KEY (id);

-- Whether anybody reads what is noted: a process has had the role alerts within a day. It keeps the lease of this name.
CREATE FUNCTION alerts_live() RETURNS boolean LANGUAGE sql STABLE AS $$
	SELECT EXISTS (SELECT FROM leases WHERE name = 'alerts' AND until > now() - interval '1 day')
$$;

CREATE FUNCTION alert_note_account() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
	suspended_before boolean := coalesce(OLD.suspended, false);
	tier_before text := coalesce(OLD.tier, '');
BEGIN
	IF NOT alerts_live() THEN
		RETURN NULL;
	END IF;
	IF NEW.suspended <> suspended_before THEN
		INSERT INTO alert_notes (tenant, kind, account_kind, account, lifted, subject) VALUES (NEW.tenant, 5, NEW.kind, NEW.id,
			NOT NEW.suspended, NEW.suspended_reason);
	END IF;
	IF NEW.tier <> tier_before THEN
		INSERT INTO alert_notes (tenant, kind, account_kind, account, before, after) VALUES (NEW.tenant, 6, NEW.kind, NEW.id,
			tier_before, NEW.tier);
	END IF;
	-- Limits may have risen above what is used: what has fired is looked at again.
	INSERT INTO alert_due (tenants, kinds, ids) VALUES (ARRAY[NEW.tenant::text], ARRAY[NEW.kind], ARRAY[NEW.id::text]);
	RETURN NULL;
END $$;
CREATE TRIGGER alert_note AFTER UPDATE ON accounts FOR EACH ROW
	WHEN (NEW.version <> OLD.version AND NEW.id = OLD.id) EXECUTE FUNCTION alert_note_account();
-- Rows of version 0 are those of the ledger's writer.
CREATE TRIGGER alert_note_new AFTER INSERT ON accounts FOR EACH ROW WHEN (NEW.version > 0) EXECUTE FUNCTION alert_note_account();

-- Events on their way to a channel, not yet in a message.
CREATE TABLE alert_pending (
	tenant text COLLATE "C" NOT NULL,
	channel text COLLATE "C" NOT NULL,
	event bigint NOT NULL,
	not_before timestamptz NOT NULL,
	PRIMARY KEY (tenant, channel, event)
);
CREATE INDEX alert_pending_due ON alert_pending (tenant, channel, not_before, event);

-- A message to a channel: one event, or several gathered. state: 1 waiting, 2 delivered, 3 dead, 4 cancelled (its channel is gone).
CREATE TABLE alert_deliveries (
	id bigserial PRIMARY KEY,
	message_id text NOT NULL UNIQUE, -- webhook-id: the same in every attempt
	tenant text COLLATE "C" NOT NULL,
	channel text COLLATE "C" NOT NULL,
	events bigint[] NOT NULL,
	more bigint NOT NULL DEFAULT 0, -- events that did not fit, and follow in other messages
	test boolean NOT NULL DEFAULT false,
	state smallint NOT NULL DEFAULT 1,
	attempts integer NOT NULL DEFAULT 0,
	created_at timestamptz NOT NULL,
	give_up_at timestamptz NOT NULL,
	next_at timestamptz NOT NULL,
	claimed_until timestamptz NOT NULL DEFAULT '-infinity', -- somebody is sending it
	ended_at timestamptz,
	status integer NOT NULL DEFAULT 0, -- of the last answer
	error text NOT NULL DEFAULT ''     -- of the last attempt; '': it went well
);
CREATE INDEX alert_deliveries_waiting ON alert_deliveries (next_at) WHERE state = 1;
CREATE INDEX alert_deliveries_waiting_by_channel ON alert_deliveries (tenant, channel, id) WHERE state = 1;
CREATE INDEX alert_deliveries_by_channel ON alert_deliveries (tenant, channel, id);

CREATE TABLE alert_attempts (
	delivery bigint NOT NULL REFERENCES alert_deliveries (id) ON DELETE CASCADE,
	attempt integer NOT NULL,
	at timestamptz NOT NULL,
	took_us bigint NOT NULL,
	status integer NOT NULL, -- HTTP or SMTP; 0: there was no answer
	error text NOT NULL,
	PRIMARY KEY (delivery, attempt)
);
