-- Their limits go with them.
DELETE FROM tiers WHERE tenant = '' AND name IN ('free', 'pro', 'enterprise');
