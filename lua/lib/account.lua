-- Accounts: from record and blob to numbers, and back.

-- By the index of the account in the call. stranger: the caller expected another version than the record's. turned_back: its clock
-- was far ahead of the store's.
local states, plans, wanted, failed, would, notify, stranger, turned_back = {}, {}, {}, {}, {}, {}, {}, {}
local accounts = {}

do

local BLOB = '<I4I4c8Bi7i7i7i7i7i7i7i7i7i7i7i7'
local BLOB_BYTES = 101
local NOTHING_TO_SAY = '\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0' -- three masks, no policy, no profile
local CLOCK_SLACK = 1000000 -- how far (us) the store's clock may step back before an account's clock follows it

-- Moves one unit to the window that begins at `start`. A window that begins for the first time is empty. After the store's clock was
-- ahead for a while, the unit moves back to the current window, and later again to those that had begun too early: only the ledger knows
-- what was used in them; holds stay.
local function move_window(t, p, unit, start, stop)
	local before, clear = t[DAY + unit - 1], p.clear[unit]
	local again = start < before or start <= t[AHEAD] * 1000000
	if start < before and before > t[AHEAD] * 1000000 then
		t[AHEAD] = math.ceil(before / 1000000)
	end
	t[DAY + unit - 1], t[DAY_END + unit - 1] = start, stop
	for i = 1, #clear do
		local k = clear[i]
		local s, bit = p.slot[k], p.bit[k]
		t[s], t[s + 1] = 0, again and t[s + 1] or 0
		if has_bit(t[NOTIFIED], bit) then
			t[NOTIFIED] = t[NOTIFIED] - bit
		end
		if has_bit(t[UNSEEDED], bit) ~= again then
			t[UNSEEDED] = t[UNSEEDED] + (again and bit or -bit)
		end
	end
end

-- The account's clock follows the store's. It waits if the store's has stepped back a little. A clock that was far ahead is set
-- back: buckets then keep what they lack, not the time at which they would have been full. Returns true in that case.
local function clock_follow(t, p, time)
	local now = t[NOW]
	if now <= time then
		t[NOW] = time
	elseif now - time > CLOCK_SLACK then
		t[NOW] = time
		for k = 1, p.n do
			local s = p.slot[k]
			if p.kind[k] == BUCKET and t[s] >= now then
				t[s] = t[s] - (now - time)
			elseif p.kind[k] == BUCKET and t[s] > time then
				t[s], t[s + 1] = time, 0
			end
		end
		return true
	end
	return false
end

-- The start and end of the window that contains `now`, according to the boundaries. 0, 0 when none does.
local function window_of(now, a, b, c, d)
	if now >= b then
		if now < c then
			return b, c
		elseif now < d then
			return c, d
		end
	elseif now >= a then
		return a, b
	end
	return 0, 0
end

-- Does calendar limit `i` of policy `p` count the same as limit `k` of policy `to`, regardless of their names?
local function counts_same(p, i, to, k)
	return p.kind[i] == CALENDAR and p.dim[i] == to.dim[k] and p.unit[i] == to.unit[k]
		and p.interface[i] == to.interface[k] and p.model[i] == to.model[k]
end

-- The limit of policy `p` whose state limit `k` of policy `to` takes over; nil when there is none.
local function convert_from(p, to, k)
	local from = p.index[to.id[k]]
	if to.kind[k] ~= CALENDAR then
		return from and p.kind[from] == to.kind[k] and p.dim[from] == to.dim[k] and from or nil
	elseif from and counts_same(p, from, to, k) then
		return from
	end
	for i = 1, p.n do
		if counts_same(p, i, to, k) then
			return i
		end
	end
end

-- What limit `k` of policy `to` holds: open reservations return their holds to limits by id.
local function convert_held(t, p, to, k)
	local same = p.index[to.id[k]]
	if same and p.kind[same] == CALENDAR and p.dim[same] == to.dim[k] and p.unit[same] == to.unit[k] then
		return t[p.slot[same] + 1]
	end
	return 0
end

-- Converts the state `t` from policy `p` to policy `to`. A calendar limit that counts something new stays unseeded until
-- the ledger's use is adopted.
function accounts.convert(t, p, to, pid, epoch)
	local now, u = t[NOW], {}
	for s = 1, HEAD_SIZE do
		u[s] = t[s]
	end
	u[STATES], u[LEVELS], u[PID], u[EPOCH], u[NOTIFIED], u[UNSEEDED] = to.n, to.levels, pid, epoch, 0, 0
	for k = 1, to.n do
		local s, from, kind = to.slot[k], convert_from(p, to, k), to.kind[k]
		local f = from and p.slot[from]
		if kind == LEVEL then
			u[s] = f and t[f] or 0
		elseif not f then
			u[s], u[s + 1] = 0, 0
			if kind == CALENDAR then
				u[s + 1], u[UNSEEDED] = convert_held(t, p, to, k), u[UNSEEDED] + to.bit[k]
			end
		else
			u[s], u[s + 1] = t[f], kind == BUCKET and t[f + 1] or convert_held(t, p, to, k)
			local num, den, to_num, to_den = p.a[from], p.b[from], to.a[k], to.b[k]
			if kind == BUCKET and t[f] >= now and (num ~= to_num or den ~= to_den) then
				-- used, rounded up: (span * den + rem) / num
				local q, r = muldiv(t[f] - now, den, num)
				local rem = t[f + 1]
				if rem > num - r then
					rem = rem - (num - r)
					r = rem % num
					q = q + 1 + (rem - r) / num + (r > 0 and 1 or 0)
				elseif rem + r > 0 then
					q = q + 1
				end
				if q > COUNT_MAX then
					q = COUNT_MAX
				end
				u[s], u[s + 1] = later(now, 0, q, to_num, to_den, now)
			end
			if has_bit(t[NOTIFIED], p.bit[from]) then
				u[NOTIFIED] = u[NOTIFIED] + to.bit[k]
			end
			if has_bit(t[UNSEEDED], p.bit[from]) then
				u[UNSEEDED] = u[UNSEEDED] + to.bit[k]
			end
		end
	end
	u[to.size] = t[p.size]
	return u
end

-- The tail of a record (policy and meta) with its policy replaced.
local function tail_with(tail, policy)
	local _, at = sunpack('<I2c0', tail)
	return pack('<I2c0', #policy, policy) .. sub(tail, at)
end

-- Moves one unit to the window that contains the account's clock, by the caller's boundaries: but not before the current one has ended.
local function window_follow(t, p, unit, a, b, c, d)
	local now, start, stop = t[NOW], b, c
	if now < b or now >= c then
		start, stop = window_of(now, a, b, c, d)
	end
	local running = t[DAY + unit - 1]
	if start > running and now >= t[DAY_END + unit - 1] or running > now then
		move_window(t, p, unit, start, stop)
	end
end

-- Reads account `i`. Returns nil and a status when it cannot be decided on. `lenient` (settling) accepts another version: the
-- boundaries may be those of another time zone then, so the windows stay as they are.
function accounts.load(i, raw, blob, time, pol, lenient)
	local version, epoch, pid, flags, d0, d1, d2, d3, w0, w1, w2, w3, m0, m1, m2, m3 = sunpack(BLOB, blob)
	local older = sub(raw, 1, 1) ~= RECORD_VERSION
	if older then
		raw = policies.record_before(raw)
		if not raw then
			return nil, ABSENT
		end
	end
	local rpid = sub(raw, 15, 22)
	-- Both at once: a policy that is parsed may empty the full cache.
	local p, to = policies.by_pid[rpid], policies.by_pid[pid]
	if not p then
		if rpid == pid and #blob > BLOB_BYTES then
			p = policies.keep(pid, sub(blob, BLOB_BYTES + 1))
		else
			p = policies.of(raw, rpid, pol)
		end
		if not p then
			return nil, rpid == pid and NO_POLICY or ABSENT
		end
	end
	local size = p.size
	local t = { sunpack(p.unpack_format, raw) }
	t[size] = sub(raw, t[size])
	if older then
		t[UNSEEDED] = p.calendars -- the previous release lost use outside UTC: the ledger knows it
	end
	wanted[i], states[i], plans[i] = pid, t, p
	failed[i], would[i], notify[i], stranger[i] = 0, 0, 0, t[VERSION] ~= version
	if stranger[i] then
		if lenient then
			turned_back[i] = clock_follow(t, p, time)
			return t
		end
		return nil, t[VERSION] > version and STALE or BEHIND
	end
	if time < d0 or time >= d3 or time < w0 or time >= w3 or time < m0 or time >= m3 then
		return nil, CLOCK
	end
	turned_back[i] = clock_follow(t, p, time)
	window_follow(t, p, 1, d0, d1, d2, d3)
	window_follow(t, p, 2, w0, w1, w2, w3)
	window_follow(t, p, 3, m0, m1, m2, m3)
	if epoch > t[EPOCH] then
		if rpid == pid then
			t[EPOCH] = epoch
		else
			to = to or #blob > BLOB_BYTES and policies.keep(pid, sub(blob, BLOB_BYTES + 1))
			if not to then
				return nil, NO_POLICY
			end
			t = accounts.convert(t, p, to, pid, epoch)
			-- flags: 1 the account's own policy, 2 the record must carry its policy
			t[FLAGS] = t[FLAGS] - t[FLAGS] % 2 + flags % 2
			t[to.size] = tail_with(t[to.size], flags > 0 and to.bytes or '')
			states[i], plans[i] = t, to
		end
	end
	return t
end

-- Packs account `i` without its tail: the head of its record, and its part of an answer.
function accounts.pack(i)
	local p = plans[i]
	return pack(p.pack_format, unpack(states[i], 1, p.size - 1))
end

-- Packs and writes account `i` to `key`; it is needed at least until `needed` (us). `raw`: as it is stored. Returns the head.
function accounts.save(i, key, raw, needed, pol)
	local t, p = states[i], plans[i]
	local tail = t[p.size]
	local head
	if sub(raw, 15, 22) ~= t[PID] and sub(tail, 1, 2) == '\0\0' then
		call('HSETNX', pol, t[PID], p.bytes)
	end
	if needed > t[EXPIRES] * 1000000 then
		t[EXPIRES] = floor(needed / 1000000) + 1
		head = accounts.pack(i)
		set_until(key, head .. tail, t[EXPIRES])
	else
		head = accounts.pack(i)
		if #head + #tail == #raw and sub(raw, #head + 1) == tail then
			call('SETRANGE', key, '0', head)
		else
			call('SET', key, head .. tail, 'KEEPTTL')
		end
	end
	return head
end

-- The answer about account `i`. A caller who expected another version gets the profile, which says whose windows these are.
function accounts.answer(i, head)
	local followed, unknown = wanted[i] == states[i][PID], stranger[i]
	if followed and not unknown then
		if failed[i] == 0 and would[i] == 0 and notify[i] == 0 then
			return NOTHING_TO_SAY .. head
		end
		return pack('<I4I4I4I2I2', failed[i], would[i], notify[i], 0, 0) .. head
	end
	local policy, profile = followed and '' or plans[i].bytes, ''
	if unknown then
		local _, at = sunpack('<I2c0', states[i][plans[i].size])
		profile = sunpack('<I2c0', states[i][plans[i].size], at)
	end
	return pack('<I4I4I4I2c0I2c0', failed[i], would[i], notify[i], #policy, policy, #profile, profile) .. head
end

-- Reads account `i` without an expected state: its windows stay as they are. nil when there is no record to read.
function accounts.read(i, raw, time, pol)
	local older = raw and sub(raw, 1, 1) ~= RECORD_VERSION
	if older then
		raw = policies.record_before(raw)
	end
	local pid = raw and sub(raw, 15, 22)
	local p = raw and policies.of(raw, pid, pol)
	if not p then
		states[i], plans[i] = nil, nil
		return nil
	end
	local t = { sunpack(p.unpack_format, raw) }
	t[p.size] = sub(raw, t[p.size])
	if older then
		t[UNSEEDED] = p.calendars
	end
	clock_follow(t, p, time)
	wanted[i], states[i], plans[i] = pid, t, p
	failed[i], would[i], notify[i], stranger[i] = 0, 0, 0, false
	return t
end

end
