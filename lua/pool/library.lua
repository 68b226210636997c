#!lua name=bursar_pool_@V@
-- The library of the priority pool's functions: the files that lua/pool/ORDER names, one after the other. The loader puts the
-- first eight hex digits of the source's hash for @V@. docs/pool-store.md has the keys, the formats and the rules.
--
-- Times are milliseconds. Redis has its globals only while a function runs, not while a library loads: the first call
-- fills these.
local call, pack, sunpack, sub, floor

local function register(name, callback, flags)
	redis.register_function{
		function_name = 'bursar_pool_' .. name .. '_@V@',
		callback = function(keys, args)
			if not call then
				call, pack, sunpack, floor, sub = redis.call, struct.pack, struct.unpack, math.floor, string.sub
			end
			return callback(keys, args)
		end,
		flags = flags or {},
	}
end
