-- release: ends a lease, identified by its fence. cancel: ends a request in any state.

serve('release', function(args)
	local epoch, fence, flags = sunpack('<I4I4B', args[1])
	local key = args[3] .. '\1' .. args[4]
	me = args[2]
	local r = request_get(key)
	if not r or r.state == D and r.fence == 0 then
		return status(UNKNOWN)
	elseif r.state == D then
		if r.epoch ~= epoch or r.fence ~= fence then
			return status(FENCED)
		end
		grant(BOUND)
		return status(REPEAT) .. tail()
	elseif flags % 2 == 1 and r.worker ~= me then
		return status(MOVED)
	elseif r.state == W or r.state == P or r.epoch ~= epoch or r.fence ~= fence then
		return status(FENCED)
	end
	local held = now - r.granted
	lease_end(user_get(args[3], r.priority, r.seats), r, RELEASED)
	grant(BOUND)
	forget(2)
	return pack('<Bi7i7', OK, now, held) .. tail()
end, {})

serve('cancel', function(args)
	local flags, outcome = sunpack('<BB', args[1])
	me = args[2]
	local r = request_get(args[3] .. '\1' .. args[4])
	if not r then
		return status(UNKNOWN)
	elseif r.state == D then
		return status(REPEAT)
	elseif flags % 2 == 1 and r.worker ~= me then
		return status(MOVED)
	end
	local was = 1
	local u = user_get(args[3], r.priority, r.seats)
	if r.state == A or r.state == G then
		was = 2
		lease_end(u, r, outcome)
	else
		wait_end(u, r, outcome)
	end
	grant(BOUND)
	forget(2)
	return pack('<Bi7B', OK, now, was) .. tail()
end, {})
