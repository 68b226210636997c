-- renew: many leases at once. It reads only the head of the state, unless a lease has exceeded its estimate.
do

-- Charges a lease that exceeds its estimate, as it goes on.
local function pay(r)
	local used = r.seats * (now - r.granted)
	if used <= r.charged then
		return
	end
	state_rest()
	local u = user_get(user_of(r.key), r.priority, r.seats)
	charge(u, level_of(r.priority), used - r.charged, r.seats)
	r.charged = used
	request_touch(r)
	refresh(u)
end

-- The code for a lease that must not be renewed; nil when it may be.
local function not_renewable(r, worker, epoch, fence)
	if not r then
		return learning() and LEARNING or UNKNOWN
	elseif r.state == D then
		if r.fence == 0 then
			return UNKNOWN
		end
		return r.epoch == epoch and r.fence == fence and DONE or FENCED
	elseif worker ~= '' and r.worker ~= worker then
		return MOVED
	elseif r.state == W or r.state == P then
		return learning() and LEARNING or FENCED
	elseif r.epoch ~= epoch or r.fence ~= fence then
		return FENCED
	elseif lease_lost(r) then
		return LEARNING
	end
	return nil
end

local function renew_one(r)
	if r.state == G then
		call('ZREM', K[11], r.worker .. '\2' .. r.key)
		r.state = A
		request_touch(r)
	end
	pay(r)
	return pack('<Bi7i7', 0, now + C.lease, S.running > C.slots and r.drain or 0)
end

local function renew_read(bytes)
	local n, at = sunpack('<I2', bytes)
	local keys, epochs, fences = {}, {}, {}
	for i = 1, n do
		local user, id
		user, id, epochs[i], fences[i], at = sunpack('<I2c0I2c0I4I4', bytes, at)
		keys[i] = user .. '\1' .. id
	end
	return n, keys, epochs, fences
end

local function renew_find(n, keys)
	local raws = n > 0 and call('HMGET', K[3], unpack(keys)) or {}
	local found = {}
	for i = 1, n do
		local key = keys[i]
		found[i] = requests[key] or raws[i] and request_parse(raws[i], key)
	end
	return found
end

serve('renew', function(args)
	local worker = args[1]
	local n, keys, epochs, fences = renew_read(args[2])
	local out, leases = { pack('<Bi7I2', OK, now, n) }, { 'ZADD', K[9] }
	local found = renew_find(n, keys)
	if worker ~= '' then -- a worker repeats what it was told; a caller may send anything
		for i = 1, n do
			local r = found[i]
			if not r or r.epoch ~= epochs[i] or r.fence ~= fences[i] then
				future_check(epochs[i], fences[i])
			end
		end
	end
	for i = 1, n do
		local key, r = keys[i], found[i]
		local code = not_renewable(r, worker, epochs[i], fences[i])
		if code then
			out[i + 1] = pack('<Bi7i7', code, 0, 0)
		else
			leases[#leases + 1], leases[#leases + 2] = now + C.lease, key
			out[i + 1] = renew_one(r)
		end
	end
	if #leases > 2 then
		call(unpack(leases))
	end
	return concat(out)
end, { light = true })

end
