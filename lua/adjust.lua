-- adjust: corrects what was counted, for a recorded request or for an account in general.
-- KEYS  marker, due, out, pol of the user's partition, then the records of the accounts on which it counts
-- ARGV  `i7 requests, i7 input, i7 output, i7 cost (signed), I6 interface, I6 model, i7 started_at (0: now), i7 counted_at (0: now),
--       B flags (1 leave counters alone), i7 window (idempotency), c8 digest`, and what is counted by the piece
--       (lib/dimensions.lua); usage; info; an account blob each
-- Reply OK 0; REPEAT 2; CONFLICT 3 (the id was used for something else); DENIED 1 `B index of the account, I4 limit id, i7 settled`: the
--       counter has less than would be taken from it; ABSENT 4, STALE 5, BEHIND 6, CLOCK 7, NOT_SEEDED 13
-- FCALL bursar_adjust_V 5 b:{p7}:r:u:acme/ann/a1 b:{p7}:due b:{p7}:out b:{p7}:pol b:{p7}:a:u:acme/ann <amounts> <usage> <info> <blob>
do

local ADJUSTED, LEDGER_ONLY = 6, 8

-- Does limit `k` count the request, when `n` of its dimension is asked?
local function concerns(p, k, n, interface, model)
	return n and n ~= 0 and p.kind[k] ~= LEVEL and (p.interface[k] == 0 or p.interface[k] == interface)
		and (p.model[k] == 0 or p.model[k] == model)
end

-- The first calendar counter of account `i` that has less than would be taken from it.
local function lacking(i, counted, interface, model)
	local t, p = states[i], plans[i]
	for k = 1, p.n do
		local n = asked[p.dim[k]]
		if p.kind[k] == CALENDAR and concerns(p, k, n, interface, model) and counted >= t[DAY + p.unit[k]]
			and t[p.slot[k]] + n < 0 then
			return k
		end
	end
end

-- Changes the counters of the windows that contain `counted`, and the buckets that have not filled up since; makes the account's part
-- of the entry. Returns the time until which its record is needed.
local function adjust_account(i, counted, interface, model)
	local t, p = states[i], plans[i]
	local now, b, needed, starts = t[NOW], 0, 0, {}
	for k = 1, p.n do
		local n, s = asked[p.dim[k]], p.slot[k]
		local does = concerns(p, k, n, interface, model)
		if does and p.kind[k] == CALENDAR and counted >= t[DAY + p.unit[k]] then
			t[s] = clamp(t[s] + n)
		elseif does and p.kind[k] == BUCKET and now - counted < p.c[k] then
			local full, rem = settling.bucket(t, p, k, n, now + SPAN_MAX)
			if full > needed then
				needed = full
			end
			levels[5 * b + 1], levels[5 * b + 2], levels[5 * b + 3], levels[5 * b + 4], levels[5 * b + 5] =
				p.id[k], full, rem, p.a[k], p.b[k]
			b = b + 1
		end
	end
	for unit = 0, 2 do
		local start, stop = t[DAY + unit], t[DAY_END + unit]
		starts[unit] = counted >= start and start or 0
		if p.unit_used[unit + 1] and stop > needed then
			needed = stop
		end
	end
	entries.part(i, 1, now, starts[0], starts[1], starts[2], b)
	return needed
end

local function adjust(keys, args)
	local requests, input, output, cost, interface, model, started, counted, flags, window, digest, at =
		sunpack('<i7i7i7i7I6I6i7i7Bi7c8', args[1])
	local time, count = clock_now(), #keys - 4
	local found = call('MGET', keys[1], unpack(keys, 5))
	local m = found[1] and markers.parse(found[1])
	if m then
		return answer(m[STATE] == ADJUSTED and m[DIGEST] == digest and REPEAT or CONFLICT, time)
	end
	local why = load_all(keys, args, 3, count, found, time) or unseeded(count, time)
	if why then
		return why
	end
	started, counted = started > 0 and started or time, counted > 0 and counted or time
	ask(requests, input, output, cost)
	pieces.ask(args[1], at)
	for i = 1, count do
		if flags % 2 == 1 then
			entries.part(i, 1, states[i][NOW], 0, 0, 0, 0)
		else
			local k = lacking(i, counted, interface, model)
			if k then
				return pack('<Bi7BI4i7', DENIED, time, i - 1, plans[i].id[k], states[i][plans[i].slot[k]])
			end
		end
	end
	for i = 1, flags % 2 == 1 and 0 or count do
		needs[i] = adjust_account(i, counted, interface, model)
	end
	entries.write(keys[3], entries.ADJUSTMENT, 0, FINAL + (flags % 2 == 1 and LEDGER_ONLY or 0), time, started, requests,
		input, output, cost, args[3], args[2], count)
	for i = 1, flags % 2 == 1 and 0 or count do
		accounts.save(i, keys[4 + i], raws[i], needs[i], keys[4])
	end
	m = markers.new(ADJUSTED, time, time, digest, NO_DIGEST, 0, 0, '', 0)
	call('SET', keys[1], markers.pack(m), 'PX', floor(window / 1000))
	return answer(OK, time)
end

register('adjust', adjust, { 'allow-oom' })

end
