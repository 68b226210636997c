-- Start-time fair queueing over levels, then over the users of a level. Tags of users are in seat-ms, those of levels in seat-ms
-- divided by weight; the virtual time of the pool or of a level is the start tag of the last one served.

local function estimate(u)
	if u.hold > 0 then
		return u.hold
	end
	return S.hold > 0 and S.hold or C.estimate
end

local function cost(u, seats)
	return max(1, floor(seats * estimate(u) + 0.5))
end

local function ready_member(u)
	return format('%013x', u.head) .. u.name
end

local function ready_score(u)
	return u.priority * LEVEL_SPAN + min(u.start, LEVEL_SPAN - 1)
end

-- The level gets its first ready user and begins at the pool's virtual time, so that idle or capped time earns no credit.
local function level_begin(l)
	l.start = max(S.v, l.finish)
	if l.last == 0 then
		l.last = now
	end
end

local function ready_add(u)
	local l = level_of(u.priority)
	if l.ready == 0 then
		level_begin(l)
	end
	l.ready, S.ready = l.ready + 1, S.ready + 1
	u.ready, u.start, u.moved, u.dirty = 1, max(l.v, u.finish), nil, true
	call('ZADD', K[6], ready_score(u), ready_member(u))
	call('ZADD', K[7], u.resume > 0 and u.resume or now, u.name)
	u.resume = 0
end

local function ready_remove(u)
	if u.ready == 0 then
		return
	end
	local l = level_of(u.priority)
	call('ZREM', K[6], ready_member(u))
	call('ZREM', K[7], u.name)
	l.ready, S.ready, u.ready, u.dirty = l.ready - 1, S.ready - 1, 0, true
	if l.ready == 0 then
		l.last = 0
	end
end

-- Makes the user ready or not, depending on their head, cap and running seats: nothing else does.
local function refresh(u)
	if u.head > 0 and u.running + u.head_seats <= u.cap then
		if u.ready == 0 then
			ready_add(u)
		elseif u.moved then
			local start = max(level_of(u.priority).v, u.finish)
			if start ~= u.start then
				u.start, u.dirty = start, true
				call('ZADD', K[6], ready_score(u), ready_member(u))
			end
		end
	else
		ready_remove(u)
	end
	u.moved = nil
end

-- Advances the tags for a grant of cost c. An aged grant is charged, but does not move the virtual time.
local function dispatch(u, l, c, aged)
	if not aged then
		S.v, l.v = l.start, u.start
	end
	u.finish, u.dirty = u.start + c, true
	l.start = l.start + c / weight_of(l.priority)
	l.finish = l.start
end

-- Charges what a lease costs beyond (or below) its estimate. It puts a user at most `debt` estimates ahead.
local function charge(u, l, delta, seats)
	local more = delta / weight_of(l.priority)
	l.start, l.finish = max(S.v, l.start + more), max(S.v, l.finish + more)
	local finish = u.finish + delta
	if delta > 0 then
		finish = min(finish, max(u.finish, floor(level_of(u.priority).v + C.debt * estimate(u) * seats)))
	end
	u.finish, u.moved, u.dirty = max(0, finish), true, true
end

-- Sets a user's current level and cap for everything they have waiting. Their lead moves along to another level.
local function user_set(u, priority, cap)
	if u.priority ~= priority then
		ready_remove(u)
		local from, to = level_of(u.priority), level_of(priority)
		from.waiting, to.waiting = from.waiting - u.waiting, to.waiting + u.waiting
		u.finish = floor(to.v + max(0, u.finish - from.v))
		u.priority, u.dirty = priority, true
	end
	if u.cap ~= cap then
		u.cap, u.dirty = cap, true
	end
	refresh(u)
end
