-- Why a request waits, its position, and how long it may take.

local function why_of(u, r)
	if r.state == P then
		return WHY_PARKED
	elseif C.paused then
		return WHY_PAUSED
	elseif learning() then
		return WHY_LEARNING
	elseif u.ready == 0 or r.seq ~= u.head then
		return WHY_CAP
	elseif S.running > C.slots or not fits(r.seats) and S.running < C.slots or r.seats > C.slots then
		return WHY_RESIZE
	end
	return S.running < C.slots and S.ready > 0 and WHY_RESIZE or WHY_SHARE
end

-- The level's interval between grants; with too few samples, an estimate from the weights.
local function interval_of(l)
	if l.samples >= 5 then
		return l.interval
	end
	local sum, w = 0, weight_of(l.priority)
	for _, other in ipairs(S.levels) do
		if other.waiting > 0 or other == l then
			sum = sum + weight_of(other.priority)
		end
	end
	return (S.hold > 0 and S.hold or C.estimate) * sum / (max(C.slots, 1) * w)
end

-- The wait that the user's own cap implies when q of their own requests come first.
local function own_wait(u, q, seats)
	if u.running + seats > u.cap or q > 0 then
		return (u.running + seats > u.cap and q + 1 or q) / max(1, u.cap) * estimate(u)
	end
	return 0
end

local function eta_of(u, r, q, position)
	if C.paused or C.slots == 0 then
		return max(0, r.deadline - now)
	end
	local ms = max(position * interval_of(level_of(u.priority)), own_wait(u, q, r.seats))
	return floor(ms + max(0, S.learn - now))
end

-- For admission: the rounds of its level, each as long as all users of the level take. nil when nothing can be predicted.
local function predicted(u, l, seats)
	if C.paused or C.slots == 0 then
		return nil
	end
	local rounds = min(C.debt, max(0, u.finish - l.v) / cost(u, seats))
	local ms = (u.waiting + 1 + rounds) * (l.ready + 1) * interval_of(l)
	return floor(max(ms, own_wait(u, u.waiting, seats)) + max(0, S.learn - now))
end

-- Its position in its level, and how many of its user's own requests come first. `below`: per call, members of `ready` before a level.
local function position_of(u, r, below)
	local l = level_of(u.priority)
	local q, all, rank = 0, l.ready
	if r.state ~= W then
		return max(1, l.waiting), 0
	end
	if r.seq ~= u.head then
		local from = u.name .. '\1'
		q = call('ZLEXCOUNT', K[5], '[' .. from, '(' .. from .. format('%013x', r.seq))
	end
	if u.ready == 1 then
		local before = below[u.priority]
		if not before then
			before = call('ZCOUNT', K[6], '-inf', format('(%.0f', u.priority * LEVEL_SPAN))
			below[u.priority] = before
		end
		rank = call('ZRANK', K[6], ready_member(u)) - before + 1
	else
		all = all + 1
		rank = all
	end
	return max(1, min(q * all + rank, l.waiting)), q
end

local function levels_pack()
	local n = min(#S.levels, LEVELS_MAX)
	local parts = { string.char(n) }
	for i = 1, n do
		local l = S.levels[i]
		parts[i + 1] = pack('<BI4I4', l.priority, l.waiting, l.running)
	end
	return concat(parts)
end
