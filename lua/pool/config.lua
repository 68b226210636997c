-- The settings, parsed once and cached by their bytes.

local CONFIG = '<BI4I4I4I4I4I4I4I4I4I4I4I4I4I4I4I4I4I4BBB'

local configs, config_count = {}, 0

local function config_parse(raw)
	local c = { weight = {}, limit = {}, age_on = true }
	local version, n, at
	version, c.gen, c.slots, c.queue_limit, c.level_queue_limit, c.user_queue_limit, c.lease, c.ack, c.grace, c.tombstone,
		c.worker, c.age, c.age_every, c.starve, c.predicted_wait_max, c.wait_max, c.estimate, c.learn_margin, c.drain,
		c.debt, c.flags, n, at = sunpack(CONFIG, raw)
	if version ~= 1 then
		error('pool: unsupported version of the settings')
	end
	for _ = 1, n do
		local priority, weight, limit
		priority, weight, limit, at = sunpack('<BI4I4', raw, at)
		c.weight[priority] = max(weight, 1)
		c.limit[priority] = limit > 0 and limit or nil
	end
	c.paused, c.available = c.flags % 2 == 1, floor(c.flags / 2) % 2 == 1
	return c
end

local function config_of(raw)
	local c = configs[raw]
	if not c then
		if config_count >= 256 then
			configs, config_count = {}, 0
		end
		c = config_parse(raw)
		configs[raw], config_count = c, config_count + 1
	end
	return c
end

local function weight_of(priority)
	return C.weight[priority] or max(priority, 1)
end
