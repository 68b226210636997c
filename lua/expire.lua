-- renew: extends the life of a reservation. overdue: says which partitions have some that are due. due: lists them. expire: ends
-- one of those. giveup: the caller of a check was told that its outcome is unknown, so what it holds is released, unless another
-- check was answered from it since.
-- renew:  KEYS marker, due. ARGV `i7 ttl`. Reply OK 0 `B status, i7 time, i7 expires_at`; UNKNOWN 8; CLOSED 10 `B state`
-- overdue: KEYS dues. Reply OK 0 `I2 n`, each `I2 index of a key with reservations that are due`; `i7 how many are open in all`
-- due:    KEYS due. ARGV `I2 count`. Reply OK 0 `I2 n`, each str2 marker key, str2 info
-- expire: KEYS marker, due, out, pol, the records of its accounts. ARGV `B flags (1 charge the estimate), i7 window (idempotency),
--         c8 accounts_digest`. Reply OK 0; NOTHING 11 (not due, or settled); NEEDKEYS 9 `str2 info`
-- giveup: KEYS as expire. ARGV `c8 accounts_digest, c8 nonce (of the check)`. Reply OK 0; NOTHING 11 (it holds nothing, or what
--         it held was used); NEEDKEYS 9
-- FCALL bursar_renew_V 2 b:{p7}:q:acme/ann/r1 b:{p7}:due <ttl>
do

local function renew(keys, args)
	local time = clock_now()
	local raw = call('GET', keys[1])
	if not raw then
		return answer(UNKNOWN, time)
	end
	local m = markers.parse(raw)
	if m[STATE] ~= OPEN then
		return closed(m, time)
	end
	local expires = time + sunpack('<i7', args[1])
	if expires > m[EXPIRY] then
		m[EXPIRY] = expires
		call('SET', keys[1], markers.pack(m))
		call('ZADD', keys[2], expires, keys[1])
	end
	return pack('<Bi7i7', OK, time, m[EXPIRY])
end

local function overdue(keys)
	local time, list, n, open = clock_now(), {}, 0, 0
	local now = string.format('%.0f', time)
	for i = 1, #keys do
		open = open + call('ZCARD', keys[i])
		if call('ZRANGEBYSCORE', keys[i], '-inf', now, 'LIMIT', 0, 1)[1] then
			n = n + 1
			list[n] = pack('<I2', i - 1)
		end
	end
	return pack('<Bi7I2', OK, time, n) .. concat(list) .. pack('<i7', open)
end

local function due(keys, args)
	local time, list, n = clock_now(), {}, 0
	for _, key in ipairs(call('ZRANGEBYSCORE', keys[1], '-inf', time, 'LIMIT', 0, (sunpack('<I2', args[1])))) do
		local raw = call('GET', key)
		local m = raw and markers.parse(raw)
		if m and m[STATE] == OPEN then
			local info = markers.info(m)
			n = n + 1
			list[n] = pack('<I2c0I2c0', #key, key, #info, info)
		else
			call('ZREM', keys[1], key)
		end
	end
	return pack('<Bi7I2', OK, time, n) .. concat(list)
end

local function expire(keys, args)
	local flags, window, accounts_digest = sunpack('<Bi7c8', args[1])
	local time, count, pol = clock_now(), #keys - 4, keys[4]
	local found = call('MGET', keys[1], unpack(keys, 5))
	local m = found[1] and markers.parse(found[1])
	if not m or m[STATE] ~= OPEN or m[EXPIRY] > time then
		return answer(NOTHING, time)
	elseif m[ACCOUNTS] ~= accounts_digest then
		return need_keys(m, time)
	end
	for i = 1, count do
		raws[i], needs[i] = found[i + 1], 0
		accounts.read(i, raws[i], time, pol)
	end
	settling.expire(keys[1], m, time, window, flags % 2 == 1, keys[2], keys[3], count, needs)
	for i = 1, count do
		if states[i] then
			accounts.save(i, keys[4 + i], raws[i], needs[i], pol)
		end
	end
	return answer(OK, time)
end

local function giveup(keys, args)
	local accounts_digest, nonce = sunpack('<c8c8', args[1])
	local time, count, pol = clock_now(), #keys - 4, keys[4]
	local found = call('MGET', keys[1], unpack(keys, 5))
	local m = found[1] and markers.parse(found[1])
	if not m or m[STATE] ~= OPEN or m[ATTEMPTS] > 0 or not nonces.leave(m, nonce) then
		return answer(NOTHING, time)
	elseif not nonces.all_gone(m) then
		call('SET', keys[1], markers.pack(m), 'KEEPTTL')
		return answer(OK, time)
	elseif m[ACCOUNTS] ~= accounts_digest then
		return need_keys(m, time)
	end
	for i = 1, count do
		raws[i] = found[i + 1]
		accounts.read(i, raws[i], time, pol)
	end
	settling.open(m, 0, 0, 0, true, CANCELLED)
	settling.all(keys, m, count, time)
	call('DEL', keys[1])
	call('ZREM', keys[2], keys[1])
	return answer(OK, time)
end

register('renew', renew, { 'allow-oom' })
register('overdue', overdue, { 'no-writes' })
register('due', due, { 'allow-oom' })
register('expire', expire, { 'allow-oom' })
register('giveup', giveup, { 'allow-oom' })

end
