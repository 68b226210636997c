-- Accounts: from record and blob to numbers, and back.

local BLOB = '<I4I4c8Bi7i7i7i7i7i7i7i7i7i7i7i7'
local BLOB_BYTES = 101
local NOTHING_TO_SAY = '\0\0\0\0\0\0\0\0\0\0\0\0\0\0' -- three masks and no policy

-- By the index of the account in the call.
local states, plans, wanted, failed, would, notify = {}, {}, {}, {}, {}, {}
local day_end, week_end, month_end = {}, {}, {}

-- Empties the calendar limits of one unit.
local function roll_unit(t, p, unit)
	local clear = p.clear[unit]
	for i = 1, #clear do
		local k = clear[i]
		local s = p.slot[k]
		t[s], t[s + 1] = 0, 0
		if has_bit(t[NOTIFIED], p.bit[k]) then
			t[NOTIFIED] = t[NOTIFIED] - p.bit[k]
		end
	end
end

-- The window that holds `now`, of those the boundaries name: its start and end. 0, 0 when none does.
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

-- The state `t` under policy `p`, as it stands under policy `to`.
local function convert(t, p, to, pid, epoch)
	local now, u = t[NOW], {}
	for s = 1, HEAD_SIZE do
		u[s] = t[s]
	end
	u[STATES], u[LEVELS], u[PID], u[EPOCH], u[NOTIFIED] = to.n, to.levels, pid, epoch, 0
	for k = 1, to.n do
		local s, from, kind = to.slot[k], p.index[to.id[k]], to.kind[k]
		if from and (p.kind[from] ~= kind or p.dim[from] ~= to.dim[k]
			or kind == CALENDAR and p.unit[from] ~= to.unit[k]) then
			from = nil
		end
		local f = from and p.slot[from]
		if kind == LEVEL then
			u[s] = f and t[f] or 0
		elseif not f then
			u[s], u[s + 1] = 0, 0
		else
			u[s], u[s + 1] = t[f], t[f + 1]
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
		end
	end
	u[to.size] = t[p.size]
	return u
end

-- The tail of a record (policy and meta) with another policy in it.
local function tail_with(tail, policy)
	local _, at = sunpack('<I2c0', tail)
	return pack('<I2c0', #policy, policy) .. sub(tail, at)
end

-- Reads account `i`. nil and a status when it cannot be decided on; `lenient` (settling) minds only what it must.
local function account_load(i, raw, blob, time, pol, lenient)
	local version, epoch, pid, flags, d0, d1, d2, d3, w0, w1, w2, w3, m0, m1, m2, m3 = sunpack(BLOB, blob)
	local rpid = sub(raw, 15, 22)
	local p = policies[rpid]
	if not p then
		if rpid == pid then
			p = policy_keep(pid, sub(blob, BLOB_BYTES + 1))
		else
			p = policy_of(raw, rpid, pol)
		end
		if not p then
			return nil, ABSENT
		end
	end
	local size = p.size
	local t = { sunpack(p.unpack_format, raw) }
	t[size] = sub(raw, t[size])
	wanted[i], states[i], plans[i] = pid, t, p
	failed[i], would[i], notify[i] = 0, 0, 0
	if t[VERSION] ~= version and not lenient then
		return nil, t[VERSION] > version and STALE or BEHIND
	end
	if time < d0 or time >= d3 or time < w0 or time >= w3 or time < m0 or time >= m3 then
		return nil, CLOCK
	end

	local start
	local now = t[NOW]
	if now < time then
		now, t[NOW] = time, time
	end
	if now >= d1 and now < d2 then
		start, day_end[i] = d1, d2
	else
		start, day_end[i] = window_of(now, d0, d1, d2, d3)
	end
	if start > t[DAY] then
		t[DAY] = start
		roll_unit(t, p, 1)
	end
	if now >= w1 and now < w2 then
		start, week_end[i] = w1, w2
	else
		start, week_end[i] = window_of(now, w0, w1, w2, w3)
	end
	if start > t[WEEK] then
		t[WEEK] = start
		roll_unit(t, p, 2)
	end
	if now >= m1 and now < m2 then
		start, month_end[i] = m1, m2
	else
		start, month_end[i] = window_of(now, m0, m1, m2, m3)
	end
	if start > t[MONTH] then
		t[MONTH] = start
		roll_unit(t, p, 3)
	end

	if epoch > t[EPOCH] and t[VERSION] == version then
		if rpid == pid then
			t[EPOCH] = epoch
		else
			local to = policies[pid] or policy_keep(pid, sub(blob, BLOB_BYTES + 1))
			t = convert(t, p, to, pid, epoch)
			-- flags: 1 the account's own policy, 2 the record is to carry its policy
			t[FLAGS] = t[FLAGS] - t[FLAGS] % 2 + flags % 2
			t[to.size] = tail_with(t[to.size], flags > 0 and to.bytes or '')
			states[i], plans[i] = t, to
		end
	end
	return t
end

-- Packs account `i` without its tail: the head of its record, and what an answer says of it.
local function account_pack(i)
	local p = plans[i]
	return pack(p.pack_format, unpack(states[i], 1, p.size - 1))
end

-- Packs and writes account `i` to `key`; it is needed at least until `needed` (us). `raw`: as it was read. The head.
local function account_save(i, key, raw, needed, pol)
	local t, p = states[i], plans[i]
	local tail = t[p.size]
	local head
	if sub(raw, 15, 22) ~= t[PID] and sub(tail, 1, 2) == '\0\0' then
		call('HSETNX', pol, t[PID], p.bytes)
	end
	if needed > t[EXPIRES] * 1000000 then
		t[EXPIRES] = floor(needed / 1000000) + 1
		head = account_pack(i)
		set_until(key, head .. tail, t[EXPIRES])
	else
		head = account_pack(i)
		call('SET', key, head .. tail, 'KEEPTTL')
	end
	return head
end

-- What an answer says of account `i`.
local function account_answer(i, head)
	if wanted[i] == states[i][PID] then
		if failed[i] == 0 and would[i] == 0 and notify[i] == 0 then
			return NOTHING_TO_SAY .. head
		end
		return pack('<I4I4I4I2', failed[i], would[i], notify[i], 0) .. head
	end
	local policy = plans[i].bytes
	return pack('<I4I4I4I2c0', failed[i], would[i], notify[i], #policy, policy) .. head
end

-- Reads account `i` without a caller's belief: its windows stay as they are. nil when there is no record to read.
local function account_read(i, raw, time, pol)
	local pid = raw and sub(raw, 15, 22)
	local p = raw and policy_of(raw, pid, pol)
	if not p then
		states[i], plans[i] = nil, nil
		return nil
	end
	local t = { sunpack(p.unpack_format, raw) }
	t[p.size] = sub(raw, t[p.size])
	if t[NOW] < time then
		t[NOW] = time
	end
	wanted[i], states[i], plans[i] = pid, t, p
	failed[i], would[i], notify[i] = 0, 0, 0
	return t
end
