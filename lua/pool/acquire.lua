-- acquire: grants a slot or a place in the queue. When repeated, it returns the current state.
do

local function answer_granted(r)
	local expires = tonumber(call('ZSCORE', K[9], r.key)) or now
	local drain = S.running > C.slots and r.drain or 0
	return pack('<Bi7I4I4i7i7i7', GRANTED, now, r.epoch, r.fence, expires, r.enqueued, drain) .. tail()
end

local function answer_queued(u, r)
	local position, q = position_of(u, r, {})
	return pack('<Bi7I4i7i7i7B', QUEUED, now, position, eta_of(u, r, q, position), r.deadline, r.enqueued, why_of(u, r))
		.. levels_pack() .. tail()
end

local function answer_standing(u, r)
	if r.state == A or r.state == G then
		return answer_granted(r)
	end
	return answer_queued(u, r)
end

local function shed(why, ms)
	S.count[SHEDS + why] = S.count[SHEDS + why] + 1
	return pack('<Bi7Bi7', SHED, now, why, max(1000, ms))
end

-- This answer delivers the grant to the caller, whose worker has the lease from now on.
local function lease_take(r, worker)
	if r.state == G then
		call('ZREM', K[11], r.worker .. '\2' .. r.key)
	end
	r.state, r.worker = A, worker
	request_touch(r)
	call('ZADD', K[9], now + C.lease, r.key)
end

local function wait_take(u, r, worker)
	if r.state == P then
		r.worker = worker
		unpark(u, r)
	elseif r.worker ~= worker then
		call('ZREM', K[11], r.worker .. '\1' .. r.key)
		call('ZADD', K[11], 0, worker .. '\1' .. r.key)
		r.worker = worker
		request_touch(r)
	end
	worker_alive(worker)
end

local function acquire_again(u, r, worker, priority, cap)
	if level_room(priority) then
		user_set(u, priority, cap)
	end
	if r.state == A or r.state == G then
		lease_take(r, worker)
	else
		wait_take(u, r, worker)
	end
	grant(BOUND, r.key)
	if r.state == D then -- wider than the pool has become
		return shed(SHED_PREDICTED, 1000)
	end
	return answer_standing(u, r)
end

-- Why the request is refused, and the predicted wait; nil when it may queue.
local function refused(u, l, seats, wait)
	local ms = predicted(u, l, seats)
	local level_limit = C.limit[l.priority] or C.level_queue_limit
	local user_limit = C.user_queue_limit > 0 and C.user_queue_limit or 2 * u.cap + 8
	if S.waiting >= C.queue_limit then
		return SHED_POOL, ms or C.lease
	elseif l.waiting >= level_limit then
		return SHED_LEVEL, ms or C.lease
	elseif u.waiting >= user_limit then
		return SHED_USER, ms or C.lease
	elseif ms and ms > (C.predicted_wait_max > 0 and min(wait, C.predicted_wait_max) or wait) then
		return SHED_PREDICTED, ms
	end
	return nil
end

local function grant_at_once(u, r)
	local l = level_of(u.priority)
	level_begin(l)
	l.last, u.start = 0, max(l.v, u.finish)
	lease_begin(u, r, true, false)
	S.since_aged = S.since_aged + 1
	S.count[AT_ONCE] = S.count[AT_ONCE] + 1
	return answer_granted(r)
end

local function acquire_new(u, key, worker, seats, wait, again)
	local l = level_of(u.priority)
	local at_once = S.ready == 0 and not C.paused and not learning() and fits(seats) and u.waiting == 0
		and u.running + seats <= u.cap
	if not at_once then
		local why, ms = refused(u, l, seats, wait)
		if why then
			return shed(why, ms)
		end
	end
	if again then
		call('ZREM', K[12], key)
	end
	S.seq = S.seq + 1
	local r = {
		key = key, state = W, priority = u.priority, seats = seats, seq = S.seq, enqueued = now, deadline = now + wait,
		epoch = 0, fence = 0, granted = 0, charged = 0, told = 0, outcome = 0, drain = 0, since = 0, worker = worker,
	}
	if at_once then
		return grant_at_once(u, r)
	end
	enqueue(u, r)
	worker_alive(worker)
	grant(BOUND, key)
	if r.state == D then -- no time to wait at all
		return shed(SHED_PREDICTED, 1000)
	end
	return answer_standing(u, r)
end

serve('acquire', function(args)
	local _, priority, cap, seats, wait = sunpack('<I4BI4I4I4B', args[1])
	local worker, name = args[2], args[3]
	local key = name .. '\1' .. args[4]
	me = worker
	forget(2)
	if S.running + seats > C.slots then
		reap(BOUND)
	end
	local r = request_get(key)
	if r and (r.state == A or r.state == G) and lease_lost(r) then
		reap_one(r)
	end
	grant(BOUND, r and r.seats == seats and key or nil)
	if r and r.gone then
		r = nil
	end
	if r and (r.state == W or r.state == P) and r.deadline <= now then
		wait_end(user_get(name, priority, cap), r, TIMED_OUT)
	end
	if r and not (r.state == D and r.fence == 0) then
		if r.seats ~= seats then
			return status(CONFLICT)
		elseif r.state == D then
			return pack('<Bi7BI4I4', DONE, now, r.outcome, r.epoch, r.fence) .. tail()
		end
		return acquire_again(user_get(name, priority, cap), r, worker, priority, cap)
	end
	if seats > max(C.slots, 1) then
		return pack('<Bi7B', INVALID, now, 1)
	elseif seats > cap then
		return pack('<Bi7B', INVALID, now, 2)
	elseif not level_room(priority) then
		return shed(SHED_LEVELS, C.lease)
	end
	local u = user_get(name, priority, cap)
	user_set(u, priority, cap)
	return acquire_new(u, key, worker, seats, wait > 0 and min(wait, C.wait_max) or C.wait_max, r ~= nil)
end, { gen = true, adds = true })

end
