-- reset: clears what an account has used. waiting, drain: what waits for the ledger. takeback: reverses an entry that the ledger
-- had already. charge: counts an entry on accounts that it did not name. raise: raises counters to what the ledger knows, and lowers
-- those that an adoption may have set too high.
-- reset:    KEYS marker, out, record, pol of the account's partition. ARGV info; account blob; `i7 window (idempotency)`
--           Reply OK 0, REPEAT 2: `B n, n x (I4 id, B dimension, B unit, i7 lost)`; ABSENT 4, STALE 5, BEHIND 6, CLOCK 7; CONFLICT 3
-- waiting:  KEYS outboxes. Reply OK 0 `I2 n`, for each non-empty one `I2 index of its key, I8 length, str2 id of the oldest entry`
-- drain:    KEYS gen, out. ARGV `I4 count`. Reply an array: generation, outbox length, then id and entry in turn
-- takeback: KEYS out, pol, records. ARGV entry id; `i7 requests, i7 input, i7 output, i7 cost, I6 interface, I6 model` and what it
--           used by the piece (lib/dimensions.lua); per account
--           `i7 day, i7 week, i7 month, B n, n x I4 limit id of a bucket`. Reply OK 0; NOTHING 11 (the entry is gone already)
-- charge:   KEYS pol, records. ARGV as takeback, without the id. Reply OK 0
-- raise:    KEYS record, pol. ARGV `B n, n x (I4 limit id, i7 window_start, i7 settled when it was read, i7 what the ledger knows)`.
--           Reply OK 0 `B raised, B lowered`; ABSENT 4 `I4 mask`
-- counters: KEYS record, pol. Reply OK 0 `B may be above the ledger, B n, n x (I4 limit id, B dimension, B unit, I6 interface,
--           I6 model, i7 window_start, i7 settled, i7 held)`, without unseeded ones; ABSENT 4 `I4 mask`
-- FCALL bursar_drain_V 2 b:{p7}:gen b:{p7}:out <count>
do

local function reply_reset(status, time, lost)
	return pack('<Bi7', status, time) .. lost
end

local function reset(keys, args)
	local time = clock_now()
	local found = call('MGET', keys[1], keys[3])
	local m = found[1] and markers.parse(found[1])
	if m then
		if m[STATE] ~= RESET then
			return answer(CONFLICT, time)
		end
		return reply_reset(REPEAT, time, (markers.info(m)))
	end
	local raw = found[2]
	if not raw then
		return pack('<Bi7I4', ABSENT, time, 1)
	end
	raws[1] = raw
	local why = load_all({ keys[1], keys[1], keys[2], keys[4] }, args, 1, 1, { false, raw }, time)
	if why then
		return why
	end
	local t, p = states[1], plans[1]
	local now, b, n, rows, before = t[NOW], 0, 0, {}, {}
	for k = 1, p.n do
		local s = p.slot[k]
		if p.kind[k] == CALENDAR then
			n = n + 1
			rows[n] = pack('<I4BBi7', p.id[k], p.dim[k] - 1, p.unit[k], t[s])
			before[n] = pack('<BBi7i7', p.dim[k] - 1, p.unit[k], t[DAY + p.unit[k]], t[s])
			t[s], t[s + 1] = 0, 0
		elseif p.kind[k] == BUCKET then
			t[s], t[s + 1] = now, 0
			levels[5 * b + 1], levels[5 * b + 2], levels[5 * b + 3], levels[5 * b + 4], levels[5 * b + 5] =
				p.id[k], now, 0, p.a[k], p.b[k]
			b = b + 1
		end
	end
	-- New windows begin: requests checked earlier settle in the windows of their check.
	t[DAY], t[WEEK], t[MONTH], t[NOTIFIED], t[UNSEEDED] = now, now, now, 0, 0
	entries.part(1, 1, now, now, now, now, b)
	entries.write(keys[2], entries.RESET, 0, FINAL, time, time, 0, 0, 0, 0, args[1], char(n) .. concat(before), 1)
	accounts.save(1, keys[3], raw, 0, keys[4])
	local lost = char(n) .. concat(rows)
	holdings[1] = ''
	m = markers.new(RESET, time, time, NO_DIGEST, NO_DIGEST, 0, 0, lost, 0)
	call('SET', keys[1], markers.pack(m), 'PX', floor(sunpack('<i7', args[3]) / 1000))
	return reply_reset(OK, time, lost)
end

local function drain(keys, args)
	local list, n = { call('GET', keys[1]) or '', call('XLEN', keys[2]) }, 2
	for _, entry in ipairs(call('XRANGE', keys[2], '-', '+', 'COUNT', (sunpack('<I4', args[1])))) do
		list[n + 1], list[n + 2] = entry[1], entry[2][2]
		n = n + 2
	end
	return list
end

local function waiting(keys)
	local time, list, n = clock_now(), {}, 0
	for i = 1, #keys do
		local length = call('XLEN', keys[i])
		if length > 0 then
			local oldest = call('XRANGE', keys[i], '-', '+', 'COUNT', 1)[1][1]
			n = n + 1
			list[n] = pack('<I2I8I2c0', i - 1, length, #oldest, oldest)
		end
	end
	return pack('<Bi7I2', OK, time, n) .. concat(list)
end

-- Adds or subtracts `asked` (by `sign`) in the calendar counters of the windows that still run.
local function move_windows(t, p, interface, model, sign, day, week, month)
	for k = 1, p.n do
		local unit = p.unit[k]
		if p.kind[k] == CALENDAR and settling.in_window(t, unit, unit == 0 and day or unit == 1 and week or month)
			and (p.interface[k] == 0 or p.interface[k] == interface) and (p.model[k] == 0 or p.model[k] == model) then
			t[p.slot[k]] = clamp(t[p.slot[k]] + sign * asked[p.dim[k]])
		end
	end
end

local function takeback(keys, args)
	local time = clock_now()
	if call('XDEL', keys[1], args[1]) == 0 then
		return answer(NOTHING, time)
	end
	ask(sunpack('<i7i7i7i7', args[2]))
	local interface, model, at = sunpack('<I6I6', args[2], 29)
	pieces.ask(args[2], at)
	for i = 1, #keys - 2 do
		local raw = call('GET', keys[2 + i])
		local t = accounts.read(i, raw, time, keys[2])
		local p, list = plans[i], args[2 + i]
		if t then
			local day, week, month, n = sunpack('<i7i7i7B', list)
			move_windows(t, p, interface, model, -1, day, week, month)
			for r = 1, n do
				local k = p.index[sunpack('<I4', list, 23 + 4 * (r - 1))]
				local s = k and p.slot[k]
				local amount = k and asked[p.dim[k]]
				if k and p.kind[k] == BUCKET and t[s] >= t[NOW] and amount > 0 then
					t[s], t[s + 1] = earlier(t[s], t[s + 1], amount, p.a[k], p.b[k], t[NOW], SPAN_MAX)
				end
			end
			accounts.save(i, keys[2 + i], raw, 0, keys[2])
		end
	end
	return answer(OK, time)
end

-- Whoever seeds the record between the ledger's commit and this call counts the entry twice: so the record may be high.
local function charge(keys, args)
	local time = clock_now()
	ask(sunpack('<i7i7i7i7', args[1]))
	local interface, model, at = sunpack('<I6I6', args[1], 29)
	pieces.ask(args[1], at)
	for i = 1, #keys - 1 do
		local raw = call('GET', keys[1 + i])
		local t = accounts.read(i, raw, time, keys[1])
		if t then
			move_windows(t, plans[i], interface, model, 1, sunpack('<i7i7i7', args[1 + i]))
			t[FLAGS] = t[FLAGS] + (has_bit(t[FLAGS], FLAG.HIGH) and 0 or FLAG.HIGH)
			accounts.save(i, keys[1 + i], raw, 0, keys[1])
		end
	end
	return answer(OK, time)
end

local function raise(keys, args)
	local time = clock_now()
	local raw = call('GET', keys[1])
	local t = accounts.read(1, raw, time, keys[2])
	if not t then
		return pack('<Bi7I4', ABSENT, time, 1)
	end
	local p, list, raised, lowered, moved = plans[1], args[1], 0, 0, false
	local high = has_bit(t[FLAGS], FLAG.HIGH)
	for r = 1, list:byte(1) do
		local id, start, seen, known = sunpack('<I4i7i7i7', list, 2 + 25 * (r - 1))
		local k = p.index[id]
		local s = k and p.slot[k]
		local runs = k and p.kind[k] == CALENDAR and t[DAY + p.unit[k]] == start and not has_bit(t[UNSEEDED], p.bit[k])
		if not runs or t[s] ~= seen then
			moved = true
		elseif seen < known then
			t[s], raised = known, raised + 1
		elseif seen > known and high then
			t[s], lowered = known, lowered + 1
		end
	end
	if high and not moved then
		t[FLAGS] = t[FLAGS] - FLAG.HIGH
	end
	if raised + lowered > 0 or high and not moved then
		accounts.save(1, keys[1], raw, 0, keys[2])
	end
	return pack('<Bi7BB', OK, time, raised, lowered)
end

local function counters(keys)
	local time = clock_now()
	local t = accounts.read(1, call('GET', keys[1]), time, keys[2])
	if not t then
		return pack('<Bi7I4', ABSENT, time, 1)
	end
	local p, rows, n = plans[1], {}, 0
	for k = 1, p.n do
		local s = p.slot[k]
		if p.kind[k] == CALENDAR and not has_bit(t[UNSEEDED], p.bit[k]) then
			n = n + 1
			rows[n] = pack('<I4BBI6I6i7i7i7', p.id[k], p.dim[k] - 1, p.unit[k], p.interface[k], p.model[k],
				t[DAY + p.unit[k]], t[s], t[s + 1])
		end
	end
	return pack('<Bi7BB', OK, time, has_bit(t[FLAGS], FLAG.HIGH) and 1 or 0, n) .. concat(rows)
end

register('reset', reset, { 'allow-oom' })
register('waiting', waiting, { 'no-writes' })
register('drain', drain, { 'no-writes' })
register('takeback', takeback, { 'allow-oom' })
register('charge', charge, { 'allow-oom' })
register('raise', raise, { 'allow-oom' })
register('counters', counters, { 'no-writes' })

end
