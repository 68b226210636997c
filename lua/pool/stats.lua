-- stats: the state of the pool, with lists of everybody's requests or of one user's. Writes nothing.
do

-- How many leases are looked at for those of one user: there is no index of them by user.
local LEASES_MAX = 1000

local function oldest(key)
	local first = call('ZRANGE', key, 0, 0, 'WITHSCORES')[2]
	return first and max(0, now - tonumber(first)) or 0
end

-- Grants that no worker has acknowledged, among the known workers.
local function unacknowledged_count()
	local n = 0
	for _, worker in ipairs(call('ZRANGE', K[10], 0, -1)) do
		n = n + call('ZLEXCOUNT', K[11], '[' .. worker .. '\2', '(' .. worker .. '\3')
	end
	return n
end

-- The longest wait by level, among the 64 longest of all; for a level that is not among them, among its ready users.
local function oldest_by_level()
	local by, rows, missing = {}, call('ZRANGE', K[8], 0, 63, 'WITHSCORES'), 0
	for _, l in ipairs(S.levels) do
		if l.waiting > 0 then
			missing = missing + 1
		end
	end
	for i = 1, #rows, 2 do
		if missing == 0 then
			return by
		end
		local u = user_get(user_of(rows[i]), 0, 0)
		if not by[u.priority] then
			by[u.priority], missing = now - tonumber(rows[i + 1]), missing - 1
		end
	end
	for _, l in ipairs(S.levels) do
		if l.waiting > 0 and not by[l.priority] then
			local from = l.priority * LEVEL_SPAN
			local member = call('ZRANGEBYSCORE', K[6], from, format('(%.0f', from + LEVEL_SPAN), 'LIMIT', 0, 1)[1]
			local since = member and call('ZSCORE', K[7], sub(member, 14))
			by[l.priority] = since and now - tonumber(since) or 0
		end
	end
	return by
end

local function stats_levels()
	local n, by = min(#S.levels, LEVELS_MAX), oldest_by_level()
	local parts = { string.char(n) }
	for i = 1, n do
		local l = S.levels[i]
		parts[i + 1] = pack('<BI4I4I4I4i7i7i7', l.priority, weight_of(l.priority), l.waiting, l.running, l.ready, l.granted,
			l.used + l.running * (now - l.until_ms), by[l.priority] or 0)
	end
	return concat(parts)
end

-- The requests that have waited longest.
local function waiters_of_all(rows)
	return call('ZRANGE', K[8], 0, rows - 1)
end

-- A user's waiting requests in the order in which they are granted.
local function waiters_of(name, rows)
	local list = call('ZRANGEBYLEX', K[5], '[' .. name .. '\1', '(' .. name .. '\2', 'LIMIT', 0, rows)
	for i, member in ipairs(list) do
		list[i] = name .. '\1' .. sub(member, #name + 16)
	end
	return list
end

local function stats_waiters(list)
	local parts, below = { pack('<I2', #list) }, {}
	for i, key in ipairs(list) do
		local name, id, r = user_of(key), id_of(key), request_get(key)
		local u = user_get(name, r.priority, r.seats)
		local position, q = position_of(u, r, below)
		parts[i + 1] = pack('<I2c0I2c0BI4i7BI4i7', #name, name, #id, id, u.priority, r.seats, now - r.enqueued, why_of(u, r),
			position, eta_of(u, r, q, position))
	end
	return concat(parts)
end

-- The leases that end first, and when.
local function leases_of_all(rows)
	return call('ZRANGE', K[9], 0, rows - 1, 'WITHSCORES')
end

-- A user's leases among those that end first.
local function leases_of(name, rows)
	local list, seats, all = {}, user_get(name, 0, 0).running, {}
	if seats > 0 then
		all = call('ZRANGE', K[9], 0, LEASES_MAX - 1, 'WITHSCORES')
	end
	for i = 1, #all, 2 do
		if seats <= 0 or #list == 2 * rows then
			break
		end
		if user_of(all[i]) == name then
			list[#list + 1], list[#list + 2] = all[i], all[i + 1]
			seats = seats - request_get(all[i]).seats
		end
	end
	return list
end

local function stats_leases(list)
	local parts = { pack('<I2', #list / 2) }
	for i = 1, #list, 2 do
		local key = list[i]
		local name, id, r = user_of(key), id_of(key), request_get(key)
		parts[#parts + 1] = pack('<I2c0I2c0BI4i7i7I4I4Bi7', #name, name, #id, id, r.priority, r.seats, now - r.granted,
			tonumber(list[i + 1]), r.epoch, r.fence, r.state - P, S.running > C.slots and r.drain or 0)
	end
	return concat(parts)
end

local function stats_user(name)
	local u = user_get(name, 0, 0)
	return pack('<I4I4I4', u.running, u.waiting, u.parked)
end

-- What follows the figures: the lists that are asked for.
local function stats_lists(rows, name)
	if name == '' then
		return rows > 0 and stats_waiters(waiters_of_all(rows)) .. stats_leases(leases_of_all(rows)) or ''
	end
	local lists = rows > 0 and stats_waiters(waiters_of(name, rows)) .. stats_leases(leases_of(name, rows)) or ''
	return lists .. stats_user(name)
end

serve('stats', function(args)
	local rows = sunpack('<I2', args[1])
	local late, c = now - C.starve, S.count
	local left = max(S.want == NEEDED and 1 or 0, S.learn - now)
	return pack('<Bi7I4i7I4BI4I4I4I4I4I4i7i7I4I4i7', OK, now, S.epoch, left, C.slots, C.flags % 4 + 4 * S.want,
		S.running, call('ZCARD', K[9]), S.waiting, S.parked, unacknowledged_count(), S.running > C.slots and S.drain or 0,
		oldest(K[8]), oldest(K[7]), call('ZCOUNT', K[8], '-inf', late),
		call('ZCOUNT', K[7], '-inf', late), floor(S.hold + 0.5))
		.. pack('<i7i7i7i7i7i7i7i7i7i7i7i7i7i7i7', unpack(c)) .. stats_levels()
		.. stats_lists(rows, args[2])
end, { reads = true })

end
