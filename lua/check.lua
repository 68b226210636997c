-- check: may this request run? All limits of all its accounts, all or nothing.
-- KEYS  marker, due, out, pol of the user's partition, then the accounts' records, the user first
-- ARGV  request `B flags (1 dry run, 2 probe cost, 4 an expiry charges the estimate, 8 decide without what PostgreSQL knows),
--       i7 requests, i7 input, i7 output, i7 cost, I6 interface, I6 model, i7 ttl, i7 window (idempotency), c8 digest,
--       c8 accounts_digest, c8 nonce, i7 latest`, and what it will use by the piece (lib/dimensions.lua); info; an account blob
--       each. `latest`: the time after which nobody waits for the decision any more; 0 = never. After the blobs, if the caller asks
--       whether a denial is to be told: `c8 place, i7 for how long` (lib/tell.lua)
-- Reply ALLOWED 0, DENIED 1, REPEAT 2: `B status, i7 time, B state (+ 16: decided with flag 8), i7 started_at,
--       i7 expires_at, i7 held_input, i7 held_output, i7 held_cost, B accounts`, account answers. DENIED: `state` is 1 if it is to be
--       told now, 2 if not again, 0 if the caller did not ask; `expires_at` when the first of the user's open reservations expires (0 =
--       unknown); `held_input` until when it is not told again. CONFLICT 3, ABSENT 4, STALE 5, BEHIND 6, CLOCK 7 (also after
--       `latest`), NOT_SEEDED 13, NO_POLICY 14 (call again with the policies in the blobs)
-- FCALL bursar_check_V 5 b:{p7}:q:acme/ann/r1 b:{p7}:due b:{p7}:out b:{p7}:pol b:{p7}:a:u:acme/ann <request> <info> <blob>

local raws, needs = {}, {}

-- Loads all accounts of a call. Returns nil, or the reply that says why it cannot be decided.
local function load_all(keys, args, first, count, found, time, lenient)
	local pol = keys[4]
	local absent, behind, stale, stale_count, clock, no_policy = 0, 0, nil, 0, false, false
	for i = 1, count do
		local raw = found[i + 1]
		raws[i] = raw
		local t, why
		if raw then
			t, why = accounts.load(i, raw, args[first + i], time, pol, lenient)
		else
			why = ABSENT
		end
		if not t then
			if why == ABSENT then
				absent = absent + 2 ^ (i - 1)
			elseif why == BEHIND then
				behind = behind + 2 ^ (i - 1)
			elseif why == CLOCK then
				clock = true
			elseif why == NO_POLICY then
				no_policy = true
			else
				local tail = states[i][plans[i].size]
				local _, at = sunpack('<I2c0', tail)
				stale, stale_count = stale or {}, stale_count + 1
				stale[stale_count] = pack('<BI4', i - 1, states[i][VERSION]) .. sub(tail, at)
			end
		end
	end
	if absent > 0 then
		return pack('<Bi7I4', ABSENT, time, absent)
	elseif stale_count > 0 then
		return pack('<Bi7B', STALE, time, stale_count) .. concat(stale)
	elseif behind > 0 then
		return pack('<Bi7I4', BEHIND, time, behind)
	elseif clock then
		return answer(CLOCK, time)
	elseif no_policy then
		return answer(NO_POLICY, time)
	end
end

-- Lists the accounts whose record was made without PostgreSQL, or that have unseeded calendar limits, which lack the ledger's use;
-- nil when there are none. Each: `B index, i7 day, i7 week, i7 month, B n`, its limits `I4 id, B dimension, B unit, I6 interface,
-- I6 model, i7 settled`.
local function unseeded(count, time)
	local list, n
	for i = 1, count do
		local t, p = states[i], plans[i]
		if t[UNSEEDED] > 0 or has_bit(t[FLAGS], FLAG.PROVISIONAL) then
			local rows, r = {}, 0
			for k = 1, p.n do
				if has_bit(t[UNSEEDED], p.bit[k]) then
					r = r + 1
					rows[r] = pack('<I4BBI6I6i7', p.id[k], p.dim[k] - 1, p.unit[k], p.interface[k], p.model[k], t[p.slot[k]])
				end
			end
			list, n = list or {}, (n or 0) + 1
			list[n] = pack('<Bi7i7i7B', i - 1, t[DAY], t[WEEK], t[MONTH], r) .. concat(rows)
		end
	end
	return list and pack('<Bi7B', NOT_SEEDED, time, n) .. concat(list)
end

do

local UNSURE_STATE = 16 -- added to the state in the answer to a check that was decided without what PostgreSQL knew
local REQUEST = '<Bi7i7i7i7I6I6i7i7c8c8c8i7'

-- Reloads the accounts after a test that spoiled their states.
local function load_again(keys, args, first, count, time)
	for i = 1, count do
		policies.by_pid[states[i][PID]] = plans[i] -- another account's may have emptied the full cache
		accounts.load(i, raws[i], args[first + i], time, keys[4])
	end
end

local function take_all(count, interface, model)
	local passes = true
	for i = 1, count do
		local fits, needed = take(i, interface, model)
		if fits then
			needs[i] = needed
		else
			passes = false
		end
	end
	return passes
end

-- Expires a few overdue reservations on the same accounts. True when there were any: then the states have been
-- written and reloaded.
local function expire_few(keys, args, count, time, window, accounts_digest, estimate)
	local due, out, pol = keys[2], keys[3], keys[4]
	local some = false
	for _, key in ipairs(call('ZRANGEBYSCORE', due, '-inf', time, 'LIMIT', 0, 4)) do
		local raw = call('GET', key)
		local m = raw and markers.parse(raw)
		if not m or m[STATE] ~= OPEN then
			call('ZREM', due, key)
		elseif m[ACCOUNTS] == accounts_digest and m[EXPIRY] <= time then
			if not some then
				load_again(keys, args, 2, count, time)
				some = true
				for i = 1, count do
					needs[i] = 0
				end
			end
			settling.expire(key, m, time, window, estimate, due, out, count, needs)
		end
	end
	if some then
		for i = 1, count do
			local head = accounts.save(i, keys[4 + i], raws[i], needs[i], pol)
			raws[i] = head .. states[i][plans[i].size]
		end
		load_again(keys, args, 2, count, time)
	end
	return some
end

-- When the first open reservation of the user expires, if it is among the first few of the partition: searching all of them would take
-- longer the more there are. 0 when it is not, or when the user has nothing open.
local function first_end(keys, time)
	if states[1][HELD_OPEN] == 0 then
		return 0
	end
	local tag, name = string.match(keys[5], '^(.-):a:u:(.*)$')
	local own = tag .. ':q:' .. name .. '/'
	local list = call('ZRANGE', keys[2], 0, 15, 'WITHSCORES')
	for i = 1, #list, 2 do
		if sub(list[i], 1, #own) == own then
			local expires = tonumber(list[i + 1])
			return expires > time and expires or time
		end
	end
	return 0
end

local function reply_check(status, time, state, started, expires, input, output, cost, count, heads)
	for i = 1, count do
		heads[i] = accounts.answer(i, heads[i] or accounts.pack(i))
	end
	return pack('<Bi7Bi7i7i7i7i7B', status, time, state, started, expires, input, output, cost, count)
		.. (count == 1 and heads[1] or concat(heads, '', 1, count))
end

-- The id was used before. The same call, sent twice, gets the same answer as the first time.
local function reply_known(key, m, time, nonce, count)
	local state, place = m[STATE], nonces.find(m, nonce)
	if state == OPEN and not place then
		nonces.add(m, nonce)
		call('SET', key, markers.pack(m), 'KEEPTTL')
	end
	local input, output, cost = m[HELD_INPUT], m[HELD_OUTPUT], m[HELD_COST]
	if state == RECORDED or state == CANCELLED then
		input, output, cost = 0, 0, 0
	end
	return reply_check(state == OPEN and place == 1 and OK or REPEAT, time,
		state + (m[1] % 2 == 1 and UNSURE_STATE or 0), m[STARTED], m[EXPIRY], input, output, cost, count, {})
end

-- `time` and `found`, the records of the accounts: as quick.check read them.
local function check(keys, args, time, found)
	local flags, requests, input, output, cost, interface, model, ttl, window, digest, accounts_digest, nonce, latest, at =
		sunpack(REQUEST, args[1])
	local count, dry = #keys - 4, flags % 2 == 1
	time = time or clock_now()
	if latest > 0 and time > latest then
		return answer(CLOCK, time)
	end
	local probe, estimate, anyway = flags % 4 >= 2, flags % 8 >= 4, flags >= 8
	local key = keys[1]
	found = found or call('MGET', unpack(keys, 5))
	table.insert(found, 1, not dry and call('GET', key))
	local m = found[1] and markers.parse(found[1])
	if m and m[STATE] == CANCELLED and m[ATTEMPTS] == 0 then
		m = nil -- cancelled before anything was recorded: nothing is left of it
	end
	if m and m[DIGEST] ~= digest and m[DIGEST] ~= NO_DIGEST then -- recorded without a check: any contents match
		return answer(CONFLICT, time)
	end
	local why = load_all(keys, args, 2, count, found, time)
	if why then
		return why
	end
	-- A denied check stores nothing, except clocks that were set back: otherwise each check would set them back, and buckets never fill.
	for i = 1, dry and 0 or count do
		if turned_back[i] then
			raws[i] = accounts.save(i, keys[4 + i], raws[i], 0, keys[4]) .. states[i][plans[i].size]
		end
	end
	local unsure = unseeded(count, time)
	if unsure and not anyway then
		return unsure
	end
	if m then
		return reply_known(key, m, time, nonce, count)
	end

	local heads = {}
	ask(requests, input, output, cost)
	pieces.ask(args[1], at)
	probes[COST] = probe
	local passes = take_all(count, interface, model)
	if not passes and not dry and expire_few(keys, args, count, time, window, accounts_digest, estimate) then
		ask(requests, input, output, cost)
		passes = take_all(count, interface, model)
	end
	if dry or not passes then
		local masks = {}
		for i = 1, count do
			masks[i] = { failed[i], would[i] }
		end
		load_again(keys, args, 2, count, time)
		for i = 1, count do
			failed[i], would[i] = masks[i][1], masks[i][2]
		end
		if passes then
			return reply_check(OK, time, 0, time, 0, 0, 0, 0, count, heads)
		end
		local tell, told_until = 0, 0
		if args[3 + count] then
			tell, told_until = telling.claim(keys, count, time, args[3 + count], nonce)
		end
		return reply_check(DENIED, time, tell, time, first_end(keys, time), told_until, 0, 0, count, heads)
	end

	local expires = time + ttl
	local pol = keys[4]
	for i = 1, count do
		local needed = needs[i]
		if expires > needed then
			needed = expires
		end
		if plans[i].levels > 0 then
			needed = needed + 86400000000 -- a renewed reservation must still find its level
		end
		if time + 600000000 > needed then
			needed = time + 600000000
		end
		heads[i] = accounts.save(i, keys[4 + i], raws[i], needed, pol)
	end
	local version = MARKER_VERSION + (unsure and 1 or 0)
	if #args[1] >= at then
		version, nonce = version + pieces.version, attempts.held_row(sub(args[1], at)) .. nonce
	end
	call('SET', key, markers.open(version, digest, accounts_digest, time, expires, requests, input, output, cost,
		interface, model, args[2], count, nonce))
	call('ZADD', keys[2], expires, key)
	return reply_check(OK, time, OPEN, time, expires, input, output, cost, count, heads)
end

register('check', function(keys, args)
	local reply, time, found = quick.check(keys, args)
	return reply or check(keys, args, time, found)
end)
-- The same, for dry runs: a full Redis refuses a function that may write before its first line runs.
register('look', function(keys, args)
	return check(keys, args)
end, { 'no-writes' })

end
