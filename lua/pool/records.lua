-- The records of requests and users. Each is read at most once per call, and written once at the end.
-- request: `B state (1 W, 2 P, 3 G, 4 A, 5 D), B priority (of the lease), I4 seats, I6 arrival, i7 enqueued, i7 deadline, I4 epoch, I4
--           fence (0: never granted), i7 granted, i7 charged (seat-ms), B told, B outcome, i7 drain by, i7 since (of a parked
--           head: when it became eligible), str1 worker`
-- user:    `B priority, I4 cap, I4 running (seats), I4 waiting, I4 parked, i7 finish tag, i7 start tag, d mean hold (0: none yet), B
--           ready, I6 arrival of the user's head (0: none), I4 its seats, str2 its request id`

local REQUEST = '<BBI4I6i7i7I4I4i7i7BBi7i7Bc0'
local USER = '<BI4I4I4I4i7i7dBI6I4I2c0'

local function request_parse(raw, key)
	local r = { key = key }
	r.state, r.priority, r.seats, r.seq, r.enqueued, r.deadline, r.epoch, r.fence, r.granted, r.charged, r.told,
		r.outcome, r.drain, r.since, r.worker = sunpack(REQUEST, raw)
	return r
end

local function request_get(key)
	local r = requests[key]
	if not r then
		local raw = call('HGET', K[3], key)
		r = raw and request_parse(raw, key) or nil
		requests[key] = r
	end
	return r
end

-- Marks the record to be written at the end of the call.
local function request_touch(r)
	requests[r.key], r.dirty = r, true
end

local function request_pack(r)
	return pack(REQUEST, r.state, r.priority, r.seats, r.seq, r.enqueued, r.deadline, r.epoch, r.fence, r.granted,
		r.charged, r.told, r.outcome, r.drain, r.since, #r.worker, r.worker)
end

local function user_parse(raw, name)
	local u = { name = name, stored = true, resume = 0 }
	u.priority, u.cap, u.running, u.waiting, u.parked, u.finish, u.start, u.hold, u.ready, u.head, u.head_seats,
		u.head_id = sunpack(USER, raw)
	return u
end

-- The user's record; a new one, with that priority and cap, when there is none.
local function user_get(name, priority, cap)
	local u = users[name]
	if u then
		return u
	end
	local raw = call('HGET', K[4], name)
	u = raw and user_parse(raw, name) or {
		name = name, priority = priority, cap = cap, running = 0, waiting = 0, parked = 0, finish = 0, start = 0, hold = 0,
		ready = 0, head = 0, head_seats = 0, head_id = '', resume = 0,
	}
	users[name] = u
	return u
end

local function user_of(key)
	return (string.match(key, '^([^\1]*)\1'))
end

local function id_of(key)
	return (string.match(key, '\1(.*)$'))
end

local function requests_save()
	for key, r in pairs(requests) do
		if r.gone then
			call('HDEL', K[3], key)
		elseif r.dirty then
			call('HSET', K[3], key, request_pack(r))
		end
	end
end

local function users_save()
	for name, u in pairs(users) do
		if u.running + u.waiting + u.parked == 0 then
			if u.stored then
				call('HDEL', K[4], name)
			end
		elseif u.dirty or not u.stored then
			call('HSET', K[4], name, pack(USER, u.priority, u.cap, u.running, u.waiting, u.parked, u.finish, u.start, u.hold,
				u.ready, u.head, u.head_seats, #u.head_id, u.head_id))
		end
	end
end
