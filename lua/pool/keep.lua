-- The effects of time: leases expire, workers disappear, tombstones are dropped. All of it bounded.

local function due(key, limit)
	return call('ZRANGEBYSCORE', key, '-inf', now, 'LIMIT', 0, limit)
end

-- Ends an expired lease; takes back a grant that was never acknowledged.
local function reap_one(r)
	local u = user_get(user_of(r.key), r.priority, r.seats)
	if r.state == G then
		lease_undo(u, r)
	else
		lease_end(u, r, EXPIRED)
	end
end

local function reap(limit)
	for _, key in ipairs(due(K[9], limit)) do
		reap_one(request_get(key))
	end
end

-- Drops tombstones, and gives up parked requests that nobody claimed.
local function forget(limit)
	for _, key in ipairs(due(K[12], limit)) do
		local r = request_get(key)
		if r and r.state == P then
			wait_end(user_get(user_of(key), r.priority, r.seats), r, GONE)
		else
			call('ZREM', K[12], key)
			if r then
				r.gone = true
			end
		end
	end
end

-- Parks what waits for this worker, and takes back what it did not acknowledge. True when nothing is left.
local function worker_gone(worker, limit)
	local list = call('ZRANGEBYLEX', K[11], '[' .. worker .. '\1', '(' .. worker .. '\3', 'LIMIT', 0, limit)
	for _, member in ipairs(list) do
		local key = sub(member, #worker + 2)
		local r = request_get(key)
		local u = user_get(user_of(key), r.priority, r.seats)
		if r.state == G then
			lease_undo(u, r)
		else
			park(u, r)
		end
	end
	return #list < limit
end

local function worker_alive(worker)
	if worker ~= '' then
		call('ZADD', K[10], now + C.worker, worker)
	end
end

local function housekeep(limit)
	forget(limit)
	local worker = due(K[10], 1)[1]
	if worker and worker_gone(worker, limit) then
		call('ZREM', K[10], worker)
	end
end

-- ms until the next thing expires: 1 when there is more to do at once, 0 when there is nothing.
local function next_end()
	local first = call('ZRANGE', K[9], 0, 0, 'WITHSCORES')[2]
	local at = first and tonumber(first) or 0
	if may_grant() then
		local u = user_get(pick_aged() or pick_fair())
		if fits(u.head_seats) then
			return 1
		end
	end
	if S.learn > now and S.waiting > 0 and (at == 0 or S.learn < at) then
		at = S.learn
	end
	return at > 0 and max(1, at - now) or 0
end
