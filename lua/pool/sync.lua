-- sync: a worker reports that it lives and what waits with it, and gets the current state. tick: the effects of time alone. resume: ends
-- learning.
do

-- A request that waits with the worker, as it reports. One that was parked although the worker lives gets its place back.
local function attach(key)
	local r = request_get(key)
	if r and r.state == P and r.worker == me then
		unpark(user_get(user_of(key), r.priority, r.seats), r)
	end
	return r
end

local function place(r, below)
	if not r or r.gone or r.state == D and r.fence == 0 and r.outcome == 0 then
		return pack('<BI4i7B', UNKNOWN, 0, 0, 0)
	elseif r.state == D then
		return pack('<BI4i7B', DONE, 0, 0, 0)
	elseif r.worker ~= me then
		return pack('<BI4i7B', MOVED, 0, 0, 0)
	elseif r.state == A or r.state == G then
		return pack('<BI4i7B', GRANTED, 0, 0, 0)
	end
	local u = user_get(user_of(r.key), r.priority, r.seats)
	local position, q = position_of(u, r, below)
	return pack('<BI4i7B', QUEUED, position, eta_of(u, r, q, position), why_of(u, r))
end

-- All grants to this worker that are not acknowledged: it may have missed them.
local function unacknowledged()
	mine = {}
	for _, member in ipairs(call('ZRANGEBYLEX', K[11], '[' .. me .. '\2', '(' .. me .. '\3', 'LIMIT', 0, 256)) do
		local key = sub(member, #me + 2)
		local r = request_get(key)
		tell({ name = user_of(key) }, r)
	end
	return tail()
end

-- Requests that have waited longer than `starve`, each reported once: uses a cursor over `age`, and a mark in the request.
local function starving()
	local out, n = {}, 0
	local rows = call('ZRANGEBYSCORE', K[8], S.told, now - C.starve, 'WITHSCORES', 'LIMIT', 0, 64)
	for i = 1, #rows, 2 do
		local r = request_get(rows[i])
		local enqueued = tonumber(rows[i + 1])
		if r.told == 0 then
			if n == BOUND then
				S.told = enqueued
				return pack('<I2', n) .. concat(out)
			end
			local name, id = user_of(r.key), id_of(r.key)
			local u = user_get(name, r.priority, r.seats)
			n = n + 1
			out[n] = pack('<I2c0I2c0Bi7B', #name, name, #id, id, u.priority, now - enqueued, why_of(u, r))
			r.told = 1
			request_touch(r)
		end
	end
	if #rows == 128 and rows[128] ~= rows[2] then
		S.told = tonumber(rows[128])
	elseif #rows > 0 then
		S.told = tonumber(rows[#rows]) + 1
	end
	return pack('<I2', n) .. concat(out)
end

local function sync_read(bytes)
	local n, at = sunpack('<I2', bytes)
	local keys = {}
	for i = 1, n do
		local user, id
		user, id, at = sunpack('<I2c0I2c0', bytes, at)
		keys[i] = user .. '\1' .. id
	end
	return n, keys
end

-- Reads many records at once.
local function preload(n, keys)
	local raws = n > 0 and call('HMGET', K[3], unpack(keys)) or {}
	local names, asked = {}, {}
	for i = 1, n do
		if raws[i] and not requests[keys[i]] then
			requests[keys[i]] = request_parse(raws[i], keys[i])
		end
		local name = user_of(keys[i])
		if not users[name] and not asked[name] then
			asked[name], names[#names + 1] = true, name
		end
	end
	raws = #names > 0 and call('HMGET', K[4], unpack(names)) or {}
	for i = 1, #names do
		users[names[i]] = raws[i] and user_parse(raws[i], names[i]) or nil
	end
end

serve('sync', function(args)
	local _, flags = sunpack('<I4B', args[1])
	local n, keys = sync_read(args[3])
	me = args[2]
	preload(n, keys)
	reap(BOUND)
	local found = {}
	if flags % 2 == 1 then
		call('ZADD', K[10], 0, me)
		if worker_gone(me, 256) then
			call('ZREM', K[10], me)
		end
	else
		worker_alive(me)
		for i = 1, n do
			attach(keys[i])
		end
	end
	housekeep(BOUND)
	grant(BOUND)
	local below = {}
	for i = 1, n do
		found[i] = place(request_get(keys[i]), below)
	end
	local places = pack('<I2', n) .. concat(found)
	local grants = unacknowledged()
	return pack('<Bi7i7i7B', OK, now, next_end(), max(0, S.learn - now), S.want) .. levels_pack() .. places .. grants
		.. starving()
end, { gen = true })

serve('tick', function()
	reap(BOUND)
	housekeep(BOUND)
	grant(BOUND)
	return pack('<Bi7i7', OK, now, next_end())
end, { gen = true })

serve('resume', function()
	S.learn = 0
	grant(256)
	return status(OK)
end, {})

end
