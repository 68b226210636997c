-- Waiting: entering and leaving the queue, parking and coming back.

local function wait_member(u, r)
	return u.name .. '\1' .. format('%013x', r.seq) .. '\1' .. id_of(r.key)
end

local function tombstone(r, outcome)
	r.state, r.outcome = D, outcome
	request_touch(r)
	call('ZADD', K[12], now + C.tombstone, r.key)
	local at = ENDED + min(outcome, GONE)
	if outcome > GONE then
		at = ENDED + CANCELLED
	end
	S.count[at] = S.count[at] + 1
end

local function head_set(u, r)
	u.head, u.head_seats, u.head_id, u.resume, u.dirty = r.seq, r.seats, id_of(r.key), r.since, true
end

local function head_next(u)
	if u.waiting == 0 then
		u.head, u.head_seats, u.head_id, u.dirty = 0, 0, '', true
		return
	end
	local member = call('ZRANGEBYLEX', K[5], '[' .. u.name .. '\1', '(' .. u.name .. '\2', 'LIMIT', 0, 1)[1]
	head_set(u, request_get(u.name .. '\1' .. sub(member, #u.name + 16)))
end

-- Changes the number of a user's waiting requests, and the counts that include it.
local function waiting_add(u, n)
	local l = level_of(u.priority)
	u.waiting, l.waiting, S.waiting, u.dirty = u.waiting + n, l.waiting + n, S.waiting + n, true
end

local function enqueue(u, r)
	r.state = W
	request_touch(r)
	call('ZADD', K[5], 0, wait_member(u, r))
	call('ZADD', K[8], r.enqueued, r.key)
	call('ZADD', K[11], 0, r.worker .. '\1' .. r.key)
	waiting_add(u, 1)
	if u.head == 0 or r.seq < u.head then
		ready_remove(u)
		head_set(u, r)
	end
	refresh(u)
end

-- Removes the request from the queue; the caller refreshes the user.
local function dequeue(u, r)
	call('ZREM', K[5], wait_member(u, r))
	call('ZREM', K[8], r.key)
	call('ZREM', K[11], r.worker .. '\1' .. r.key)
	waiting_add(u, -1)
	if r.seq == u.head then
		ready_remove(u)
		head_next(u)
	end
end

local function parked_add(u, r)
	r.state = P
	request_touch(r)
	call('ZADD', K[12], now + C.grace, r.key)
	u.parked, S.parked, u.dirty = u.parked + 1, S.parked + 1, true
end

local function parked_remove(u, r)
	call('ZREM', K[12], r.key)
	u.parked, S.parked, u.dirty = u.parked - 1, S.parked - 1, true
end

-- Its worker is gone: it keeps its place and, if it was the user's head, the time since which it has been eligible.
local function park(u, r)
	if u.ready == 1 and r.seq == u.head then
		r.since = tonumber(call('ZSCORE', K[7], u.name)) or 0
	end
	dequeue(u, r)
	parked_add(u, r)
	refresh(u)
end

local function unpark(u, r)
	parked_remove(u, r)
	if r.told == 0 and r.enqueued < S.told then
		S.told = r.enqueued
	end
	enqueue(u, r)
	r.since = 0
end

-- A waiting or parked request ends.
local function wait_end(u, r, outcome)
	if r.state == P then
		parked_remove(u, r)
	else
		dequeue(u, r)
	end
	tombstone(r, outcome)
	refresh(u)
end
