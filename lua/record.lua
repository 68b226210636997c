-- record: what a request actually used, as one attempt of it; cancel: it used nothing.
-- KEYS  marker, due, out, pol of the user's partition, then the records of the accounts of the check
-- ARGV  record: `B attempt, B flags (1 final, 2 charge even if unknown, 4 and the request has been counted), i7 input, i7 output,
--       i7 cost, I6 interface, I6 model,
--       i7 started_at, i7 window (idempotency), c8 accounts_digest, c8 nonce`, and what was used by the piece
--       (lib/dimensions.lua); usage; info; an account blob each
--       cancel: `B flags (1 only if the check was never repeated, 2 forget it unless something was recorded), i7 window,
--       c8 accounts_digest, c8 nonce, i7 latest`; an account blob each
-- A final record of an attempt that was recorded before is a repeat, and ends the reservation if it is open.
-- Reply OK 0, REPEAT 2: `B status, i7 time, B state, B late, i7 requests, i7 input, i7 output, i7 cost (charged), i7 released_requests,
--       i7 released_input, i7 released_output, i7 released_cost, str2 usage (recorded with this attempt; empty for a cancel and
--       for an attempt whose usage was not kept), B accounts`, account answers; ABSENT 4, CLOCK 7 (for a cancel
--       also after `latest`), UNKNOWN 8, NEEDKEYS 9 `str2 info`, CLOSED 10 `B state`
--       The same call, sent twice, gets OK both times. What it released is kept in held_* of the settled marker.
-- FCALL bursar_record_V 5 b:{p7}:q:acme/ann/r1 b:{p7}:due b:{p7}:out b:{p7}:pol b:{p7}:a:u:acme/ann <record> <usage> <info> <blob>

-- The reservation counts on other accounts than the caller passed.
local function need_keys(m, time)
	local info = markers.info(m)
	return pack('<Bi7I2c0', NEEDKEYS, time, #info, info)
end

local function closed(m, time)
	return pack('<Bi7B', CLOSED, time, m[STATE])
end

-- Settles all accounts by the tail of the marker and writes them.
function settling.all(keys, m, count, time)
	local _, at = markers.info(m)
	at = at + 1
	for i = 1, count do
		at, needs[i] = settling.account(i, m[MARKER_TAIL], at, m[INTERFACE], m[MODEL])
		if time + 600000000 > needs[i] then
			needs[i] = time + 600000000
		end
	end
	for i = 1, count do
		if states[i] then
			accounts.save(i, keys[4 + i], raws[i], needs[i], keys[4])
		end
	end
end

do

local SETTLE = '<BBi7i7i7I6I6i7i7c8c8'

local function reply_settle(
	status, time, m, late, requests, input, output, cost, r_requests, r_input, r_output, r_cost, usage, count
)
	local heads = {}
	for i = 1, count do
		heads[i] = accounts.answer(i, accounts.pack(i))
	end
	return pack('<Bi7BBi7i7i7i7i7i7i7i7I2c0B', status, time, m[STATE], late and 1 or 0, requests, input,
		output, cost, r_requests, r_input, r_output, r_cost, #usage, usage, count) .. concat(heads, '', 1, count)
end

local function marker_close(keys, m, window)
	if m[STATE] == OPEN then
		call('SET', keys[1], markers.pack(m), 'KEEPTTL')
	else
		call('SET', keys[1], markers.pack(m), 'PX', floor(window / 1000))
		call('ZREM', keys[2], keys[1])
	end
end

-- A marker for a request that was never checked: it holds nothing, on the limits that currently match it.
local function unchecked(count, time, started, interface, model, info, accounts_digest)
	for i = 1, count do
		local t, p = states[i], plans[i]
		local held, n, buckets = {}, 0, 0
		for k = 1, p.n do
			if p.all or (p.interface[k] == 0 or p.interface[k] == interface) and (p.model[k] == 0 or p.model[k] == model) then
				n = n + 1
				held[n] = p.holding[k]
				if p.kind[k] == BUCKET then
					buckets = buckets + 1
				end
			end
		end
		holdings[i] = pack('<i7i7i7', t[DAY], t[WEEK], t[MONTH]) .. char(n) .. concat(held) .. rep('\0', 7 * buckets)
	end
	return markers.new(EXPIRED, started, time, NO_DIGEST, accounts_digest, interface, model, info, count)
end

-- For an attempt of which an older bursard kept nothing, assumes that what the caller reports again was charged.
local function reply_recorded(time, m, attempt, nonce, count, told_input, told_output, told_cost)
	local late, requests, input, output, cost, usage = attempts.find(m, attempt)
	if late == nil then
		late, requests, input, output, cost, usage = false, 0, told_input, told_output, told_cost, ''
	end
	local status, r_input, r_output, r_cost = REPEAT, 0, 0, 0
	if nonces.find(m, nonce) then
		status = attempts.find(m, attempts.ended_again) ~= nil and REPEAT or OK
		if m[STATE] == RECORDED then
			r_input, r_output, r_cost = m[HELD_INPUT], m[HELD_OUTPUT], m[HELD_COST]
		end
	end
	return reply_settle(status, time, m, late, requests, input, output, cost, 0, r_input, r_output, r_cost, usage, count)
end

-- The caller repeats an attempt, now as the last one: nothing is charged, and what is still held goes back.
local function end_again(keys, m, nonce, window, count, time)
	local input, output, cost = m[HELD_INPUT], m[HELD_OUTPUT], m[HELD_COST]
	settling.open(m, 0, 0, 0, true, RECORDED)
	settling.all(keys, m, count, time)
	entries.write(keys[3], entries.CANCEL, 0, FINAL, time, m[STARTED], 0, 0, 0, 0, markers.info(m), '', count)
	m[HELD_INPUT], m[HELD_OUTPUT], m[HELD_COST] = input, output, cost
	attempts.add(m, attempts.ended_again, false, 0, 0, 0, 0, '')
	attempts.alone(m)
	nonces.first(m, nonce)
	marker_close(keys, m, window)
end

local function record(keys, args)
	local attempt, flags, input, output, cost, interface, model, started, window, accounts_digest, nonce, at =
		sunpack(SETTLE, args[1])
	local bytes = #args[1] >= at and args[1] or nil
	local time, count = clock_now(), #keys - 4
	local final, anyway, in_books = flags % 2 == 1, flags >= 2, flags >= 4
	local found = call('MGET', keys[1], unpack(keys, 5))
	local m, unknown = found[1] and markers.parse(found[1]), false
	if m then
		if m[STATE] == RESET then
			return closed(m, time)
		elseif m[ACCOUNTS] ~= accounts_digest then
			return need_keys(m, time)
		end
	elseif not anyway then
		return answer(UNKNOWN, time)
	end
	local bit = 2 ^ attempt
	local repeated = m and has_bit(m[ATTEMPTS], bit)
	if m and m[STATE] == RECORDED and not repeated then
		return closed(m, time)
	end
	-- A request that was never checked counts on the current accounts: the caller must know which they are.
	local why = load_all(keys, args, 3, count, found, time, m and true or false)
	if why then
		return why
	end
	if repeated then
		if final and m[STATE] == OPEN then
			end_again(keys, m, nonce, window, count, time)
		end
		return reply_recorded(time, m, attempt, nonce, count, input, output, cost)
	end
	if not m then
		m, unknown = unchecked(count, time, started > 0 and started or time, interface, model, args[3], accounts_digest), true
		m[COUNTED] = m[COUNTED] + (in_books and IN_BOOKS or 0)
	end

	local late = m[STATE] ~= OPEN
	if m[STATE] == CANCELLED then
		m[HELD_REQUESTS], m[HELD_INPUT], m[HELD_OUTPUT], m[HELD_COST] = 0, 0, 0, 0
	end
	local held_input, held_output, held_cost = m[HELD_INPUT], m[HELD_OUTPUT], m[HELD_COST]
	if late then
		settling.late(m, input, output, cost, final, bytes, at)
	else
		settling.open(m, input, output, cost, final, RECORDED, bytes, at)
	end
	local requests = used[REQUESTS]
	m[ATTEMPTS] = m[ATTEMPTS] + bit
	m[COUNTED] = m[COUNTED] % 2 + (late and not unknown and WAS_LATE or 0) + (requests > 0 and COUNTED_IT or 0)
		+ ATTEMPT_OF * attempt
	m[LAST_INPUT], m[LAST_OUTPUT], m[LAST_COST] = used[INPUT], used[OUTPUT], used[COST]
	settling.all(keys, m, count, time)
	entries.write(keys[3], entries.RECORD, attempt, (final and FINAL or 0) + (late and not unknown and LATE or 0)
		+ (unknown and NEVER_CHECKED or 0), time, m[STARTED], requests, used[INPUT], used[OUTPUT], used[COST],
		markers.info(m), args[2], count)
	local r_input, r_output, r_cost = 0, 0, 0
	if final and not late then
		r_input, r_output, r_cost = clamp(held_input - input), clamp(held_output - output), clamp(held_cost - cost)
		m[HELD_INPUT], m[HELD_OUTPUT], m[HELD_COST] = r_input, r_output, r_cost
	end
	attempts.add(m, attempt, late and not unknown, requests, used[INPUT], used[OUTPUT], used[COST], args[2])
	if m[STATE] == RECORDED then
		attempts.alone(m)
	end
	nonces.first(m, nonce)
	marker_close(keys, m, window)
	return reply_settle(OK, time, m, late and not unknown, requests, used[INPUT], used[OUTPUT], used[COST], 0, r_input,
		r_output, r_cost, args[2], count)
end

local function cancel(keys, args)
	local flags, window, accounts_digest, nonce, latest = sunpack('<Bi7c8c8i7', args[1])
	local time, count = clock_now(), #keys - 4
	if latest > 0 and time > latest then
		return answer(CLOCK, time)
	end
	local found = call('MGET', keys[1], unpack(keys, 5))
	local m = found[1] and markers.parse(found[1])
	if not m then
		return answer(UNKNOWN, time)
	elseif m[STATE] == RECORDED or m[STATE] == EXPIRED or m[STATE] == RESET or flags % 2 == 1 and m[ASKED] > 1 then
		return closed(m, time)
	elseif m[ACCOUNTS] ~= accounts_digest then
		return need_keys(m, time)
	end
	local why = load_all(keys, args, 1, count, found, time, true)
	if why then
		return why
	end
	local requests, input, output, cost = m[HELD_REQUESTS], m[HELD_INPUT], m[HELD_OUTPUT], m[HELD_COST]
	if m[STATE] == CANCELLED and nonces.find(m, nonce) then
		return reply_settle(OK, time, m, false, 0, 0, 0, 0, requests, input, output, cost, '', count)
	elseif m[STATE] == CANCELLED then
		return reply_settle(REPEAT, time, m, false, 0, 0, 0, 0, 0, 0, 0, 0, '', count)
	end
	settling.open(m, 0, 0, 0, true, CANCELLED)
	settling.all(keys, m, count, time)
	if m[ATTEMPTS] > 0 then
		entries.write(keys[3], entries.CANCEL, 0, FINAL, time, m[STARTED], 0, 0, 0, 0, markers.info(m), '', count)
	end
	m[HELD_REQUESTS], m[HELD_INPUT], m[HELD_OUTPUT], m[HELD_COST] = requests, input, output, cost
	nonces.first(m, nonce)
	if flags >= 2 and m[ATTEMPTS] == 0 then
		call('DEL', keys[1])
		call('ZREM', keys[2], keys[1])
	else
		marker_close(keys, m, window)
	end
	return reply_settle(OK, time, m, false, 0, 0, 0, 0, requests, input, output, cost, '', count)
end

register('record', record, { 'allow-oom' })
register('cancel', cancel, { 'allow-oom' })

end
