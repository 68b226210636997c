-- configure: any worker passes on the settings from PostgreSQL. Creates the state if necessary, which grants nothing until
-- it has an epoch.
do

-- Marks leases in excess, the newest of the lowest priorities, to drain. Walks all leases, but only when the pool has shrunk.
local function drain_mark()
	local excess = S.running - C.slots
	if excess <= 0 and S.drain == 0 then
		return
	end
	local list = {}
	for _, key in ipairs(call('ZRANGE', K[9], 0, -1)) do
		list[#list + 1] = request_get(key)
	end
	table.sort(list, function(a, b)
		if a.priority ~= b.priority then
			return a.priority < b.priority
		end
		return a.epoch > b.epoch or a.epoch == b.epoch and a.fence > b.fence
	end)
	S.drain = 0
	for _, r in ipairs(list) do
		local by = 0
		if excess > 0 then
			by, excess, S.drain = r.drain > 0 and r.drain or now + C.drain, excess - r.seats, S.drain + 1
		end
		if by ~= r.drain then
			r.drain = by
			request_touch(r)
		end
	end
end

local function state_create(raw, birth)
	S = state_new()
	C = config_of(raw)
	now = clock_read()
	S.server, S.birth = sub(server_id(), 1, 255), sub(birth, 1, 255)
	writes_lost()
end

local function configure(keys, args)
	local raw = args[1]
	local there = begin(keys)
	local gen = config_of(raw).gen
	if there and C.gen >= gen then
		state_rest()
		local answer = pack('<Bi7I4', NOTHING, now, C.gen)
		commit()
		return answer
	end
	if there then
		state_rest()
		S.lent = max(S.lent, now + C.lease) -- leases granted until now follow the former settings
		C = config_of(raw)
	else
		state_create(raw, args[2])
	end
	call('SET', K[1], raw)
	drain_mark()
	grant(256)
	commit()
	return pack('<Bi7I4B', OK, now, gen, there and 0 or 1)
end

redis.register_function{
	function_name = 'bursar_pool_configure_@V@',
	callback = configure,
	flags = { 'allow-oom' },
}

end
