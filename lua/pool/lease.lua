-- Leases: granting, ending, taking back.

-- A moving average that starts at the first sample.
local function average(old, sample, share)
	return old > 0 and old + share * (sample - old) or sample
end

-- After a failover, an expired lease may have been given to another request in the lost writes: it is not renewed.
local function lease_lost(r)
	return learning() and tonumber(call('ZSCORE', K[9], r.key)) <= now
end

-- The request gets its seats. `acked`: the answer of this call delivers the grant.
local function lease_begin(u, r, acked, aged)
	local l = level_of(u.priority)
	local c = cost(u, r.seats)
	dispatch(u, l, c, aged)
	r.state, r.epoch, r.fence = acked and A or G, S.epoch, fence_next()
	r.granted, r.charged, r.priority = now, c, u.priority
	r.drain, r.since = 0, 0
	request_touch(r)
	call('ZADD', K[9], now + (acked and C.lease or C.ack), r.key)
	level_run(l, r.seats)
	u.running, l.granted = u.running + r.seats, l.granted + 1
end

-- Frees the seats and removes the lease from all indexes. Returns its level and what it used, in seat-ms.
local function lease_free(u, r)
	call('ZREM', K[9], r.key)
	if r.state == G then
		call('ZREM', K[11], r.worker .. '\2' .. r.key)
	end
	local l = level_of(r.priority)
	level_run(l, -r.seats)
	u.running, u.dirty = u.running - r.seats, true
	if r.drain > 0 then
		S.drain, r.drain = max(0, S.drain - 1), 0
	end
	return l, r.seats * (now - r.granted)
end

local function lease_end(u, r, outcome)
	local l, used = lease_free(u, r)
	charge(u, l, used - r.charged, r.seats)
	S.count[SUM_HOLD] = S.count[SUM_HOLD] + used
	if outcome <= EXPIRED then
		local hold = max(1, now - r.granted)
		u.hold, S.hold = average(u.hold, hold, 0.3), average(S.hold, hold, 0.05)
	end
	r.charged = used
	tombstone(r, outcome)
	refresh(u)
end

-- Takes back a grant that nobody acknowledged: it costs nothing, and its request is parked at its place.
local function lease_undo(u, r)
	local l = lease_free(u, r)
	charge(u, l, -r.charged, r.seats)
	r.charged, r.epoch, r.fence, r.granted = 0, 0, 0, 0
	parked_add(u, r)
	refresh(u)
end
