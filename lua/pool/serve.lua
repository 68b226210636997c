-- The frame of every function: settings, state, time and identity before its work, all writes after it.

local function begin(keys)
	if not call then
		bind_globals()
	end
	K, users, requests, me, mine, others = keys, {}, {}, '', {}, {}
	local found = call('MGET', keys[1], keys[2])
	if not found[1] or not found[2] then
		return false
	end
	C, S = config_of(found[1]), state_head(found[2])
	clock_set()
	identity_check()
	return true
end

local function commit()
	requests_save()
	users_save()
	state_save()
	publish()
end

local function status(code)
	return pack('<Bi7', code, now)
end

-- options: `gen` the first argument begins with the caller's generation of the settings; `light` the work itself reads what it needs of
-- the state; `reads` it writes nothing; `adds` a full Redis may refuse it. All other functions must work on a full Redis.
local function serve(name, work, options)
	redis.register_function{
		function_name = 'bursar_pool_' .. name .. '_@V@',
		callback = function(keys, args)
			if not begin(keys) then
				return pack('<Bi7', ABSENT, clock_read())
			end
			if not options.light then
				state_rest()
			end
			if options.reads then
				return work(args)
			end
			local answer
			if options.gen and sunpack('<I4', args[1]) > C.gen then
				answer = status(BEHIND)
			else
				answer = work(args)
			end
			commit()
			return answer
		end,
		flags = options.reads and { 'no-writes' } or options.adds and {} or { 'allow-oom' },
	}
end
