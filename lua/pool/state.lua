-- `st`: a head, which is all that renew reads, the rest, and the levels in descending order of priority.
-- head: `B 2 + whether an epoch is wanted (KEPT, WANTED, NEEDED; 1: written by an earlier version, which made epochs from the
--        clock: WANTED), i7 high-water mark, i7 offset, i7 end of learning, i7 end of the leases granted under former
--        settings, I4 epoch, I4 seats running, str1 run id`
-- body: `I6 arrivals, I4 fence, d virtual time, I4 waiting, I4 parked, I4 marked to drain, I4 grants since an aged one, i7 told, d mean
--        hold`, 15 counters of i7 (those of stats, in order), `B levels`, the levels, `str1 birth` (earlier versions leave it out)
-- level: `B priority, I4 waiting, I4 running (seats), I4 ready, d start, d finish, d virtual time, B samples, d interval, i7 last
--         grant, i7 granted, i7 counted until, i7 seat-ms used`

local HEAD = '<Bi7i7i7i7I4I4Bc0'
local BODY = '<I6I4dI4I4I4I4i7di7i7i7i7i7i7i7i7i7i7i7i7i7i7i7B'
local LEVEL = '<BI4I4I4dddBdi7i7i7i7'

local AT_ONCE, WAITED, AGED, SUM_WAIT, SUM_HOLD = 1, 2, 3, 14, 15
local ENDED, SHEDS = 3, 8 -- before the counters of outcomes 1..5 and of reasons to shed 1..5

local function state_head(raw)
	local s = { raw = raw }
	s.want, s.mark, s.offset, s.learn, s.lent, s.epoch, s.running, s.server, s.at = sunpack(HEAD, raw)
	s.want = s.want == 1 and WANTED or s.want - 2
	return s
end

local function state_new()
	return {
		full = true, want = NEEDED, birth = '', mark = 0, offset = 0, learn = 0, lent = 0, epoch = 0, running = 0,
		server = '', seq = 0, fence = 0, v = 0, waiting = 0, parked = 0, drain = 0, since_aged = 0, told = 0, hold = 0,
		ready = 0, levels = {}, level = {},
		count = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 },
	}
end

local function level_read(raw, at)
	local l = {}
	l.priority, l.waiting, l.running, l.ready, l.start, l.finish, l.v, l.samples, l.interval, l.last, l.granted,
		l.until_ms, l.used, at = sunpack(LEVEL, raw, at)
	return l, at
end

-- Reads what follows the head. Renewals seldom need it.
local function state_rest()
	if S.full then
		return
	end
	local s, c, n, at = S, {}
	s.seq, s.fence, s.v, s.waiting, s.parked, s.drain, s.since_aged, s.told, s.hold, c[1], c[2], c[3], c[4], c[5],
		c[6], c[7], c[8], c[9], c[10], c[11], c[12], c[13], c[14], c[15], n, at = sunpack(BODY, s.raw, s.at)
	s.count, s.levels, s.level, s.ready = c, {}, {}, 0
	for i = 1, n do
		local l
		l, at = level_read(s.raw, at)
		s.levels[i], s.level[l.priority], s.ready = l, l, s.ready + l.ready
	end
	s.birth = at <= #s.raw and sunpack('<Bc0', s.raw, at) or ''
	s.full = true
end

local function state_head_pack()
	local s = S
	s.mark = now
	return pack(HEAD, 2 + s.want, now, s.offset, s.learn, s.lent, s.epoch, s.running, #s.server, s.server)
end

local function state_save()
	local s = S
	if not s.full then
		if s.dirty or now - s.mark > 50 then
			call('SET', K[2], state_head_pack() .. sub(s.raw, s.at))
		end
		return
	end
	local c, n = s.count, #s.levels
	local parts = {
		state_head_pack(),
		pack(BODY, s.seq, s.fence, s.v, s.waiting, s.parked, s.drain, s.since_aged, s.told, s.hold, c[1], c[2], c[3], c[4],
			c[5], c[6], c[7], c[8], c[9], c[10], c[11], c[12], c[13], c[14], c[15], n),
	}
	for i = 1, n do
		local l = s.levels[i]
		parts[i + 2] = pack(LEVEL, l.priority, l.waiting, l.running, l.ready, l.start, l.finish, l.v, l.samples, l.interval,
			l.last, l.granted, l.until_ms, l.used)
	end
	parts[n + 3] = pack('<Bc0', #s.birth, s.birth)
	call('SET', K[2], concat(parts))
end

-- The time of this call: it never goes back; after TIME stepped back, it continues at the rate of TIME.
local function clock_set()
	local raw = clock_read()
	now = raw + S.offset
	if now < S.mark then
		S.offset, now, S.dirty = S.offset + (S.mark - now), S.mark, true
	end
end

-- The state may lack the last writes: nothing is granted until every lease that may have been granted is known or over, nor
-- under an epoch that the lost writes may have used.
local function writes_lost()
	S.want, S.dirty = NEEDED, true
	S.learn = C.available and 0 or max(now + C.lease, S.lent) + C.learn_margin
end

-- Another process wrote the state.
local function identity_check()
	local id = sub(server_id(), 1, 255)
	if id ~= S.server then
		S.server = id
		writes_lost()
	end
end

-- A worker holds a grant newer than any that this state has made: so the state is an older copy.
local function future_check(epoch, fence)
	if S.want == NEEDED then
		return
	end
	state_rest()
	if epoch > S.epoch or epoch == S.epoch and fence > S.fence then
		S.epoch = max(S.epoch, epoch)
		writes_lost()
	end
end

local function learning()
	return S.want == NEEDED or S.learn > now
end

-- The number of the next grant. When half of the 32-bit range is used up, another epoch is wanted; at its end, one is needed.
local function fence_next()
	S.fence = S.fence + 1
	if S.fence >= 2 ^ 32 - 1 then
		S.want = NEEDED
	elseif S.fence >= 2 ^ 31 and S.want == KEPT then
		S.want = WANTED
	end
	return S.fence
end

-- The level of a priority, created when it is missing.
local function level_of(priority)
	local s = S
	local l = s.level[priority]
	if not l then
		l = {
			priority = priority, waiting = 0, running = 0, ready = 0, start = 0, finish = 0, v = 0, samples = 0, interval = 0,
			last = 0, granted = 0, until_ms = now, used = 0,
		}
		local at = 1
		while s.levels[at] and s.levels[at].priority > priority do
			at = at + 1
		end
		table.insert(s.levels, at, l)
		s.level[priority] = l
	end
	return l
end

-- May this priority have a level? If necessary, an unused level makes room.
local function level_room(priority)
	local s = S
	if s.level[priority] or #s.levels < LEVELS_MAX then
		return true
	end
	for i = #s.levels, 1, -1 do
		local l = s.levels[i]
		if l.waiting == 0 and l.running == 0 then
			table.remove(s.levels, i)
			s.level[l.priority] = nil
			return true
		end
	end
	return false
end

-- Adds to the running seats, after counting the seat-time used so far.
local function level_run(l, seats)
	l.used = l.used + l.running * (now - l.until_ms)
	l.until_ms, l.running = now, l.running + seats
	S.running = S.running + seats
end
