-- reservations: the open ones of a partition, page by page. reservation: a single one, in any state.
-- reservations: KEYS due. ARGV the prefix of the wanted markers' keys; `i7 expiry, I2 count`; where to continue within that
--               expiry: after a key, or after that many of all keys ('#n'; '': the first). Reply OK 0 `I2 n`, each a row; `B more, i7
--               expiry, str2 where`, to continue. Callers get it, so it is a key of theirs or a number. Examines at most 1,000 keys.
-- reservation:  KEYS marker. Reply OK 0 and a row; UNKNOWN 8
-- A row: `B state, i7 started_at, i7 expires_at, i7 held_requests, i7 held_input, i7 held_output, i7 held_cost, i7 used_input,
--         i7 used_output, i7 used_cost, I4 attempts, str2 info`
-- FCALL_RO bursar_reservations_V 1 b:{p7}:due b:{p7}:q:acme/ <from> <key>
do

local LOOKED_AT, PAGE = 1000, 100

local function row(m)
	local info = markers.info(m)
	local requests, input, output, cost = m[HELD_REQUESTS], m[HELD_INPUT], m[HELD_OUTPUT], m[HELD_COST]
	if m[STATE] ~= OPEN then
		requests, input, output, cost = 0, 0, 0, 0
	end
	return pack('<Bi7i7i7i7i7i7i7i7i7I4I2c0', m[STATE], m[STARTED], m[EXPIRY], requests, input, output, cost,
		m[USED_INPUT], m[USED_OUTPUT], m[USED_COST], m[ATTEMPTS], #info, info)
end

-- The rank of the first key with that expiry, or of a later one.
local function rank_of(due, expiry)
	return call('ZCOUNT', due, '-inf', '(' .. string.format('%.0f', expiry))
end

-- The rank of the first key after `where`, or of the first with its expiry if the key is gone or was renewed.
local function rank_behind(due, expiry, where)
	if sub(where, 1, 1) == '#' then
		local n = tonumber(sub(where, 2)) -- a caller may have invented it
		return rank_of(due, expiry) + (n and n >= 0 and n < 2 ^ 32 and floor(n) or 0)
	elseif where ~= '' and tonumber(call('ZSCORE', due, where)) == expiry then
		return call('ZRANK', due, where) + 1
	end
	return rank_of(due, expiry)
end

local function reservations(keys, args)
	local prefix, where = args[1], args[3]
	local expiry, most = sunpack('<i7I2', args[2])
	local time, rows, n, looked, from, behind = clock_now(), {}, 0, 0, expiry, where
	local rank = rank_behind(keys[1], expiry, where)
	while looked < LOOKED_AT and n < most do
		local page = call('ZRANGE', keys[1], rank, rank + PAGE - 1, 'WITHSCORES')
		if #page == 0 then
			return pack('<Bi7I2', OK, time, n) .. concat(rows) .. pack('<Bi7I2', 0, 0, 0)
		end
		for i = 1, #page, 2 do
			local key, score = page[i], tonumber(page[i + 1])
			rank = rank + 1
			if score > from or key > behind then
				local raw = sub(key, 1, #prefix) == prefix and call('GET', key)
				local m = raw and markers.parse(raw)
				looked, expiry = looked + 1, score
				if m and m[STATE] == OPEN then
					n = n + 1
					rows[n] = row(m)
				end
				if n == most then
					where = key
					break
				end
			end
		end
	end
	where = n == most and where or string.format('#%.0f', rank - rank_of(keys[1], expiry))
	return pack('<Bi7I2', OK, time, n) .. concat(rows) .. pack('<Bi7I2c0', 1, expiry, #where, where)
end

local function reservation(keys)
	local time = clock_now()
	local raw = call('GET', keys[1])
	local m = raw and markers.parse(raw)
	return m and pack('<Bi7', OK, time) .. row(m) or answer(UNKNOWN, time)
end

register('reservations', reservations, { 'no-writes' })
register('reservation', reservation, { 'no-writes' })

end
