-- Settles a reservation: first the amounts by dimension (settling.open, .late), then each account (settling.account).

local settling = {}

do

local closing = false -- the reservation is no longer open

-- Once used, freed and net have what is measured.
local function settle_sums()
	used[TOKENS] = used[INPUT] + used[OUTPUT]
	freed[TOKENS] = freed[INPUT] + freed[OUTPUT]
	net[TOKENS] = net[INPUT] + net[OUTPUT]
end

local function settle_dimension(dim, u, h, final)
	local t = u < h and u or h
	used[dim] = u
	freed[dim] = final and h or t
	net[dim] = u - freed[dim]
end

local function note_used(m)
	m[USED_INPUT], m[USED_OUTPUT], m[USED_COST] =
		clamp(m[USED_INPUT] + used[INPUT]), clamp(m[USED_OUTPUT] + used[OUTPUT]), clamp(m[USED_COST] + used[COST])
end

-- The request itself: counted now (`counts`), returned, or settled before.
local function settle_request(m, counts, final)
	local held = m[HELD_REQUESTS]
	if counts and m[COUNTED] % 2 == 0 then
		used[REQUESTS], freed[REQUESTS] = held, held
		m[COUNTED], m[HELD_REQUESTS] = m[COUNTED] + IN_BOOKS, 0
	else
		used[REQUESTS], freed[REQUESTS] = 0, final and held or 0
		if final then
			m[HELD_REQUESTS] = 0
		end
	end
	net[REQUESTS] = used[REQUESTS] - freed[REQUESTS]
end

-- What is counted by the piece: used as `bytes` say from `at` on (nil: nothing), held as the marker says.
local function settle_pieces(m, bytes, at, final)
	local held, where = attempts.held(m)
	local rest = pieces.settle(bytes, at, held, final)
	if rest then
		attempts.hold(m, rest, where)
	end
end

-- An open reservation used this much; `becomes` is its state when final.
function settling.open(m, input, output, cost, final, becomes, bytes, at)
	settle_request(m, becomes ~= CANCELLED, final)
	settle_dimension(INPUT, input, m[HELD_INPUT], final)
	settle_dimension(OUTPUT, output, m[HELD_OUTPUT], final)
	settle_dimension(COST, cost, m[HELD_COST], final)
	settle_sums()
	if bytes or pieces.settled or m[1] >= MARKER_VERSION + pieces.version then
		settle_pieces(m, bytes, at, final)
	end
	closing = final
	if final then
		m[STATE] = becomes
	end
	m[HELD_INPUT], m[HELD_OUTPUT] = m[HELD_INPUT] - freed[INPUT], m[HELD_OUTPUT] - freed[OUTPUT]
	m[HELD_COST] = m[HELD_COST] - freed[COST]
	note_used(m)
end

-- An expired or cancelled one used this much after all. What an expiry charged as an estimate is in held: never anything that is
-- counted by the piece.
function settling.late(m, input, output, cost, final, bytes, at)
	local first = m[COUNTED] % 2 == 0
	used[REQUESTS] = first and 1 or 0
	used[INPUT], used[OUTPUT], used[COST] = input - m[HELD_INPUT], output - m[HELD_OUTPUT], cost - m[HELD_COST]
	for dim = REQUESTS, COST do
		freed[dim], net[dim] = 0, used[dim]
	end
	settle_sums()
	if bytes or pieces.settled then
		pieces.settle(bytes, at)
	end
	closing = false
	m[HELD_INPUT], m[HELD_OUTPUT], m[HELD_COST] = 0, 0, 0
	if first then
		m[COUNTED] = m[COUNTED] + IN_BOOKS
	end
	if final then
		m[STATE] = RECORDED
	end
	note_used(m)
end

-- Does a request of the window that began at `start` count in the current one of this unit? In a record made without PostgreSQL, a
-- window that began later is part of the current one; one in the future (the store's clock was ahead) is not.
function settling.in_window(t, unit, start)
	return start >= t[DAY + unit] and start <= t[NOW]
end

-- Adds what was used to calendar limit `k` of account `i`; returns the limit's bit if that makes it warn.
local function settle_calendar(t, p, k, u)
	local s = p.slot[k]
	t[s] = clamp(t[s] + u)
	local from = p.warn_from[k]
	if not from then
		return 0
	end
	if t[GRACE] > t[NOW] then
		from = warn_from(with_grace(p.a[k], t[PERCENT]), p.warn[k])
	end
	return t[s] + t[s + 1] >= from and not has_bit(t[NOTIFIED], p.bit[k]) and p.bit[k] or 0
end

-- Settles a bucket of account `i` by `change`; `full` is its full_at after the check. Returns its current full_at.
function settling.bucket(t, p, k, change, checked_full)
	local s, now = p.slot[k], t[NOW]
	local full, rem = t[s], t[s + 1]
	if full < now then
		full, rem = now, 0
	end
	if change > 0 then
		full, rem = later(full, rem, change, p.a[k], p.b[k], now)
	elseif change < 0 and checked_full > now then
		full, rem = earlier(full, rem, -change, p.a[k], p.b[k], now, checked_full - now)
	end
	if change ~= 0 then
		t[s], t[s + 1] = full, rem
	end
	return full, rem
end

-- Settles account `i`, whose state is loaded (or nil: its record is gone), by what the marker's tail says at `at`, and
-- makes its part of the entry. Each limit releases what it holds for the request; every current calendar limit that
-- `interface` and `model` match counts what was used, if the check's window is still running. Returns the position after the
-- account in the tail, and the time until which its record is needed.
function settling.account(i, tail, at, interface, model)
	local t, p = states[i], plans[i]
	local day, week, month, n = sunpack('<i7i7i7B', tail, at)
	local row = at + 22 -- of the first limit: id, dimension, kind, unit
	local full_row = row + 7 * n
	local b, needed, warned = 0, 0, 0
	local same = t and sub(tail, at + 21, full_row - 1) == p.template
	for h = 1, n do
		local id, dim, kind, unit, k
		if same then
			k, id, dim, kind, unit = h, p.id[h], p.dim[h], p.kind[h], p.unit[h]
		else
			id, dim, kind, unit = sunpack('<I4BBB', tail, row + 7 * (h - 1))
			dim = dim + 1
			k = t and p.index[id]
			if k and (p.dim[k] ~= dim or p.kind[k] ~= kind or p.unit[k] ~= unit) then
				k = nil
			end
		end
		local s = k and p.slot[k]
		if kind == CALENDAR then
			-- A window after the current one began too early: what it holds was kept.
			local start = unit == 0 and day or unit == 1 and week or month
			if k and start >= t[DAY + unit] then
				t[s + 1] = clamp(t[s + 1] - freed[dim])
				if same and settling.in_window(t, unit, start) then
					warned = warned + settle_calendar(t, p, k, used[dim])
				end
			end
		elseif kind == BUCKET then
			if k then
				local full, rem = settling.bucket(t, p, k, net[dim], (sunpack('<i7', tail, full_row)))
				if full > needed then
					needed = full
				end
				levels[5 * b + 1], levels[5 * b + 2], levels[5 * b + 3], levels[5 * b + 4], levels[5 * b + 5] =
					id, full, rem, p.a[k], p.b[k]
				b = b + 1
			end
			full_row = full_row + 7
		elseif k and closing and t[s] > 0 then
			t[s] = t[s] - 1
		end
	end
	if not t then
		entries.part(i, 0, 0, day, week, month, 0)
		return full_row, needed
	end
	for k = 1, same and 0 or p.n do
		local unit = p.unit[k]
		if p.kind[k] == CALENDAR and settling.in_window(t, unit, unit == 0 and day or unit == 1 and week or month)
			and (p.interface[k] == 0 or p.interface[k] == interface) and (p.model[k] == 0 or p.model[k] == model) then
			warned = warned + settle_calendar(t, p, k, used[p.dim[k]])
		end
	end
	if closing and t[HELD_OPEN] > 0 then
		t[HELD_OPEN] = t[HELD_OPEN] - 1
	end
	t[NOTIFIED], notify[i] = t[NOTIFIED] + warned, warned
	entries.part(i, 1, t[NOW], day, week, month, b)
	return full_row, needed
end

-- Expires an open reservation on the loaded accounts, and writes its entry and its marker.
function settling.expire(key, m, time, window, estimate, due, out, count, needs)
	local input, output, cost = 0, 0, 0
	if estimate then
		input, output, cost = m[HELD_INPUT], m[HELD_OUTPUT], m[HELD_COST]
	end
	local requests = m[HELD_REQUESTS]
	settling.open(m, input, output, cost, true, EXPIRED)
	m[HELD_INPUT], m[HELD_OUTPUT], m[HELD_COST] = input, output, cost
	local tail = m[MARKER_TAIL]
	local info, at = markers.info(m)
	at = at + 1
	for i = 1, count do
		local needed
		at, needed = settling.account(i, tail, at, m[INTERFACE], m[MODEL])
		if needed > needs[i] then
			needs[i] = needed
		end
	end
	entries.write(out, entries.EXPIRY, 0, FINAL, time, m[STARTED], requests, input, output, cost, info, '', count)
	call('SET', key, markers.pack(m), 'PX', floor(window / 1000))
	call('ZREM', due, key)
end

end
