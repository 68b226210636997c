#!lua name=bursar_pool_check
-- What must hold of a pool's state at any time (the invariants I1 to I5, I8 and I9, and every counter), read from the keys by
-- a decoder of its own. KEYS: the twelve of docs/pool-store.md. Reply: "!" and the first fault; "0" when there is no state; or
-- "=" and the state, for the checks that need what was before (tests/pool/call.c reads it).
-- Users are called u<n> and requests r<n>.
local MS_BASE = 70368744177664 -- 2^46

local call, pack, unpack, format

local function fault(...)
	error({fault = format(...)})
end

-- key -> score, and the members in order
local function zset(key)
	local flat, set, list = call('ZRANGE', key, 0, -1, 'WITHSCORES'), {}, {}
	for i = 1, #flat, 2 do
		set[flat[i]] = tonumber(flat[i + 1])
		list[#list + 1] = flat[i]
	end
	return set, list
end


local function show(member)
	return (string.gsub(member, '%c', '|'))
end

-- Both sets have the same members.
local function same(name, set, wanted)
	for member in pairs(wanted) do
		if not set[member] then
			fault('%s: %s is missing in %s', name[1], show(member), name[2])
		end
	end
	for member in pairs(set) do
		if not wanted[member] then
			fault('%s: %s should not be in %s', name[1], show(member), name[2])
		end
	end
end

local function decode_settings(raw)
	local c, at = {}
	c.version, c.gen, c.slots, c.queue, c.level_queue, c.user_queue, c.lease, c.ack, c.grace, c.tombstone, at =
		unpack('<BI4I4I4I4I4I4I4I4I4', raw)
	c.worker, c.age, c.every, c.starve, c.predicted, c.wait_max, c.estimate, c.margin, c.drain, c.debt, c.flags =
		unpack('<I4I4I4I4I4I4I4I4I4BB', raw, at)
	return c
end

local function decode_all(key, decode)
	local flat, all = call('HGETALL', key), {}
	for i = 1, #flat, 2 do
		all[flat[i]] = decode(flat[i + 1])
	end
	return all
end

local function decode_state(raw)
	local s, n, at, _ = {levels = {}}
	s.form, s.now, s.offset, s.learn, _, s.epoch, s.run, s.server, at = unpack('<Bi7i7i7i7I4I4Bc0', raw)
	s.arrivals, s.fence, s.v, s.waiting, s.parked, s.drain, s.since_aged, s.told, s.hold, s.at_once, s.waited, s.aged, at =
		unpack('<I6I4dI4I4I4I4i7di7i7i7', raw, at)
	n, at = unpack('<B', raw, at + 12 * 7)
	for _ = 1, n do
		local l, priority = {}
		priority, l.waiting, l.running, l.ready, _, _, _, _, _, _, _, _, _, at =
			unpack('<BI4I4I4dddBdi7i7i7i7', raw, at)
		s.levels[priority] = l
	end
	return s
end

local STATES = {'W', 'P', 'G', 'A', 'D'}

local function decode_request(raw)
	local r, state = {}
	state, r.level, r.seats, r.arrival, r.enqueued, r.deadline, r.epoch, r.fence, r.granted, r.charged, r.told, r.outcome,
		r.drain, r.since, r.worker = unpack('<BBI4I6i7i7I4I4i7i7BBi7i7Bc0', raw)
	r.state = STATES[state]
	return r
end

local function decode_user(raw)
	local u = {}
	u.level, u.cap, u.running, u.waiting, u.parked = unpack('<BI4I4I4I4', raw)
	return u
end

-- What the requests say about each user and level, and about each of the sets.
local function gather(requests, expect)
	for member, r in pairs(requests) do
		local user = string.match(member, '^(.-)\1')
		local u = expect.users[user] or {running = 0, waiting = 0, parked = 0}
		local live = r.state == 'G' or r.state == 'A'
		expect.users[user] = u
		if live then
			local l = expect.level(r.level)
			expect.lease[member] = true
			expect.drain = expect.drain + (r.drain > 0 and 1 or 0)
			expect.run = expect.run + r.seats
			u.running, l.running = u.running + r.seats, l.running + r.seats
		elseif r.state == 'W' then
			local stored = expect.stored[user]
			local l = expect.level(stored and stored.level or r.level)
			r.level = stored and stored.level or r.level
			expect.wait[format('%s\1%013x\1%s', user, r.arrival, string.match(member, '\1(.*)$'))] = true
			expect.age[member] = true
			expect.waiting = expect.waiting + 1
			u.waiting, l.waiting = u.waiting + 1, l.waiting + 1
			if not u.head or r.arrival < u.head.arrival then
				u.head = r
			end
		elseif r.state == 'P' then
			expect.parked = expect.parked + 1
			u.parked = u.parked + 1
		elseif r.state ~= 'D' then
			fault('%s has the state %s', show(member), tostring(r.state))
		end
		if r.state == 'W' or r.state == 'G' then
			expect.own[r.worker .. (r.state == 'W' and '\1' or '\2') .. member] = true
		elseif r.state == 'D' or r.state == 'P' then
			expect.gc[member] = true
		end
	end
end

-- I5: exactly those users are ready whose head may run beside what runs of theirs.
local function check_ready(expect, users, ready, since)
	local wanted, eligible, count = {}, {}, {}
	for user, u in pairs(expect.users) do
		if u.head and u.running + u.head.seats <= users[user].cap then
			wanted[user], eligible[user] = u, true
			count[u.head.level] = (count[u.head.level] or 0) + 1
		end
	end
	same({'I5', 'since'}, since, eligible)
	local seen = {}
	for member, score in pairs(ready) do
		local user = string.sub(member, 14)
		if not wanted[user] or seen[user] then
			fault('I5: %s should not be in ready', member)
		elseif math.floor(score / MS_BASE) ~= wanted[user].head.level then
			fault('I5: %s is ready in level %d, not %d', member, math.floor(score / MS_BASE), wanted[user].head.level)
		end
		seen[user] = true
	end
	same({'I5', 'ready'}, seen, eligible)
	return count
end

local function check_users(expect, users)
	for user, u in pairs(expect.users) do
		local stored = users[user]
		if not stored then
			if u.running + u.waiting + u.parked > 0 then
				fault('I9: %s has requests and no record', user)
			end
		elseif stored.running ~= u.running then
			fault('I3: %s runs %d seats, the record says %d', user, u.running, stored.running)
		elseif stored.waiting ~= u.waiting then
			fault('I4: %s has %d waiting, the record says %d', user, u.waiting, stored.waiting)
		elseif stored.parked ~= u.parked then
			fault('I9: %s has %d parked, the record says %d', user, u.parked, stored.parked)
		end
	end
	for user in pairs(users) do
		local u = expect.users[user]
		if not u or u.running + u.waiting + u.parked == 0 then
			fault('I9: %s is idle and has a record', user)
		end
	end
end

local function check_state(expect, s, ready)
	if s.run ~= expect.run then
		fault('I1: %d seats run, the state says %d', expect.run, s.run)
	elseif s.waiting ~= expect.waiting then
		fault('I4: %d wait, the state says %d', expect.waiting, s.waiting)
	elseif s.parked ~= expect.parked then
		fault('I9: %d are parked, the state says %d', expect.parked, s.parked)
	elseif s.drain ~= expect.drain then
		fault('%d leases are to drain, the state says %d', expect.drain, s.drain)
	end
	local none = {running = 0, waiting = 0}
	for priority, stored in pairs(s.levels) do
		local l = expect.levels[priority] or none
		if stored.running ~= l.running then
			fault('I1: level %d runs %d seats, the state says %d', priority, l.running, stored.running)
		elseif stored.waiting ~= l.waiting then
			fault('I4: level %d has %d waiting, the state says %d', priority, l.waiting, stored.waiting)
		elseif stored.ready ~= (ready[priority] or 0) then
			fault('I5: level %d has %d ready, the state says %d', priority, ready[priority] or 0, stored.ready)
		end
	end
	for priority in pairs(expect.levels) do
		if not s.levels[priority] then
			fault('I4: level %d is used, and not in the state', priority)
		end
	end
end

local function tell(cfg, s, requests, expect, lease, since, order)
	local out, rows, n = {}, {}, 0
	for member, r in pairs(requests) do
		local user, number = string.match(member, '^u(%d+)\1r(%d+)$')
		local stored = expect.stored[string.match(member, '^(.-)\1')]
		local over = stored and stored.running > stored.cap
		n = n + 1
		rows[n] = pack('<I2BBBI4I4I4I4i7i7i7B', tonumber(number), tonumber(user), string.byte(r.state), r.outcome,
			tonumber(r.worker ~= '' and r.worker or '0', 16), r.epoch, r.fence, r.seats, lease[member] or 0, r.deadline,
			r.arrival, over and 1 or 0)
	end
	for _, user in ipairs(order) do
		out[#out + 1] = pack('<Bi7', tonumber(string.sub(user, 2)), since[user])
	end
	local room = s.run < cfg.slots and #order > 0
	return pack('<c1i7i7I4I4I4I4Bi7i7i7I2I4I4I4I4I4I2', '=', s.now, s.learn, s.epoch, s.fence, cfg.slots, s.run,
		cfg.flags % 4 + (room and 4 or 0) + (s.form == 4 and 8 or 0), s.at_once, s.waited, s.aged, cfg.every, cfg.age, cfg.lease, cfg.worker,
		cfg.tombstone, cfg.grace, n) .. table.concat(rows) .. pack('<I2', #order) .. table.concat(out)
end

local function check(keys)
	local cfg, s = call('GET', keys[1]), call('GET', keys[2])
	if not cfg or not s then
		if s then
			fault('there is a state and no settings')
		end
		return '0'
	end
	cfg, s = decode_settings(cfg), decode_state(s)
	local requests, users = decode_all(keys[3], decode_request), decode_all(keys[4], decode_user)
	local expect = {lease = {}, wait = {}, age = {}, own = {}, gc = {}, users = {}, levels = {}, stored = users,
		run = 0, waiting = 0, parked = 0, drain = 0}
	function expect.level(priority)
		local l = expect.levels[priority] or {running = 0, waiting = 0}
		expect.levels[priority] = l
		return l
	end
	gather(requests, expect)
	local lease = zset(keys[9])
	local since, order = zset(keys[7])
	same({'I2', 'lease'}, lease, expect.lease)
	same({'I4', 'wait'}, zset(keys[5]), expect.wait)
	same({'I4', 'age'}, zset(keys[8]), expect.age)
	same({'I8', 'own'}, zset(keys[11]), expect.own)
	same({'I9', 'gc'}, zset(keys[12]), expect.gc)
	check_users(expect, users)
	check_state(expect, s, check_ready(expect, users, zset(keys[6]), since))
	return tell(cfg, s, requests, expect, lease, since, order)
end

redis.register_function{
	function_name = 'bursar_pool_check',
	flags = {'no-writes'},
	callback = function(keys)
		call, pack, unpack, format = redis.call, struct.pack, struct.unpack, string.format
		local ok, answer = pcall(check, keys)
		if ok then
			return answer
		end
		return '!' .. (type(answer) == 'table' and (answer.fault or answer.err) or tostring(answer))
	end,
}
