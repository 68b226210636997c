-- Grants what can be granted, and reports it: to the calling worker in the tail of the answer, to the others by PUBLISH.

local me -- the calling worker; "" when there is none
local mine, others -- packed grants to it; worker -> packed grants

local function tell(u, r)
	local line = pack('<I2c0I2c0I4I4', #u.name, u.name, #id_of(r.key), id_of(r.key), r.epoch, r.fence)
	if r.worker == me and me ~= '' then
		mine[#mine + 1] = line
	else
		local list = others[r.worker]
		if not list then
			list = {}
			others[r.worker] = list
		end
		list[#list + 1] = line
	end
end

-- The tail of an answer.
local function tail()
	local bytes = pack('<I2', #mine) .. concat(mine)
	mine = {}
	return bytes
end

local function unescape(text)
	return (string.gsub(text, '%%(%x%x)', function(hex)
		return string.char(tonumber(hex, 16))
	end))
end

local function publish()
	if #mine > 0 then -- the answer had no room for them
		others[me] = mine
	end
	if not next(others) then
		return
	end
	local tenant, name = string.match(K[1], '^b:{pool:([^/]*)/(.*)}:cfg$')
	tenant, name = unescape(tenant), unescape(name)
	local head = pack('<I2c0I2c0', #tenant, tenant, #name, name)
	for worker, list in pairs(others) do
		call('PUBLISH', 'b:g:' .. worker, head .. pack('<I2', #list) .. concat(list))
	end
end

local function fits(seats)
	return S.running + seats <= C.slots
end

local function may_grant()
	return not C.paused and not learning() and S.ready > 0 and S.running < C.slots
end

-- The user that has been eligible longest, if the aged lane is due.
local function pick_aged()
	if C.age_every == 0 or S.since_aged + 1 < C.age_every then
		return nil
	end
	local oldest = call('ZRANGE', K[7], 0, 0, 'WITHSCORES')
	if oldest[1] and tonumber(oldest[2]) <= now - C.age then
		return oldest[1]
	end
	return nil
end

-- The user with the smallest start tag in the level with the smallest start tag.
local function pick_fair()
	local best
	for _, l in ipairs(S.levels) do
		if l.ready > 0 and (not best or l.start < best.start) then
			best = l
		end
	end
	local from = best.priority * LEVEL_SPAN
	local member = call('ZRANGEBYSCORE', K[6], from, format('(%.0f', from + LEVEL_SPAN), 'LIMIT', 0, 1)[1]
	return sub(member, 14)
end

-- The time between two grants of a level while it has ready users: the mean of the first samples, then a moving average.
local function interval_take(l)
	if l.last > 0 then
		l.samples = min(l.samples + 1, 50)
		l.interval = l.interval + max(0.02, 1 / l.samples) * (now - l.last - l.interval)
	end
end

local function grant_one(u, r, aged, self)
	local l = level_of(u.priority)
	interval_take(l)
	dequeue(u, r)
	lease_begin(u, r, r.key == self, aged)
	refresh(u)
	l.last = l.ready > 0 and now or 0
	S.since_aged = aged and 0 or S.since_aged + 1
	S.count[WAITED] = S.count[WAITED] + 1
	S.count[SUM_WAIT] = S.count[SUM_WAIT] + (now - r.enqueued)
	if aged then
		S.count[AGED] = S.count[AGED] + 1
	end
	if r.state == G then
		call('ZADD', K[11], 0, r.worker .. '\2' .. r.key)
		tell(u, r)
	end
end

-- Makes at most `limit` grants. A head that does not fit stays at the front, and nothing passes it; one that would not fit in
-- an empty pool ends. `self`: the request that this call is about; its answer delivers the grant.
local function grant(limit, self)
	while limit > 0 and may_grant() do
		local name = pick_aged()
		local aged = name ~= nil
		local u = user_get(name or pick_fair())
		local r = request_get(u.name .. '\1' .. u.head_id)
		if r.deadline <= now or (r.seats > C.slots and S.running == 0) then
			wait_end(u, r, TIMED_OUT)
		elseif fits(r.seats) then
			grant_one(u, r, aged, self)
		else
			return
		end
		limit = limit - 1
	end
end
