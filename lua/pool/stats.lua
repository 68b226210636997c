-- stats: the state of the pool. Writes nothing.
do

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

local function stats_waiters(rows)
	local list = rows > 0 and call('ZRANGE', K[8], 0, rows - 1) or {}
	local parts = { pack('<I2', #list) }
	for i, key in ipairs(list) do
		local name, id, r = user_of(key), id_of(key), request_get(key)
		local u = user_get(name, r.priority, r.seats)
		parts[i + 1] = pack('<I2c0I2c0BI4i7B', #name, name, #id, id, u.priority, r.seats, now - r.enqueued, why_of(u, r))
	end
	return concat(parts)
end

local function stats_leases(rows)
	local list = rows > 0 and call('ZRANGE', K[9], 0, rows - 1, 'WITHSCORES') or {}
	local parts = { pack('<I2', #list / 2) }
	for i = 1, #list, 2 do
		local key = list[i]
		local name, id, r = user_of(key), id_of(key), request_get(key)
		parts[#parts + 1] = pack('<I2c0I2c0BI4i7i7I4I4Bi7', #name, name, #id, id, r.priority, r.seats, now - r.granted,
			tonumber(list[i + 1]), r.epoch, r.fence, r.state - P, S.running > C.slots and r.drain or 0)
	end
	return concat(parts)
end

serve('stats', function(args)
	local flags, rows = sunpack('<BI2', args[1])
	local late, c = now - C.starve, S.count
	local left = max(S.want == NEEDED and 1 or 0, S.learn - now)
	local answer = pack('<Bi7I4i7I4BI4I4I4I4I4I4i7i7I4I4i7', OK, now, S.epoch, left, C.slots, C.flags % 4 + 4 * S.want,
		S.running, call('ZCARD', K[9]), S.waiting, S.parked, unacknowledged_count(), S.running > C.slots and S.drain or 0,
		oldest(K[8]), oldest(K[7]), call('ZCOUNT', K[8], '-inf', late),
		call('ZCOUNT', K[7], '-inf', late), floor(S.hold + 0.5))
		.. pack('<i7i7i7i7i7i7i7i7i7i7i7i7i7i7i7', unpack(c)) .. stats_levels()
	if flags % 2 == 1 then
		answer = answer .. stats_waiters(rows) .. stats_leases(rows)
	end
	return answer
end, { reads = true })

end
