-- erase: drops the record of a user who has nothing open and nothing waiting for the ledger.
-- KEYS due, out, record, floor of the user's partition. ARGV the prefix of the user's marker keys; the tenant and id as in an entry.
-- Reply OK 0 `I4 open reservations, i7 the last one's expiry, I8 waiting entries`: the record is gone when all are 0
-- FCALL bursar_erase_V 4 b:{p7}:due b:{p7}:out b:{p7}:a:u:acme/ann b:{p7}:f:u:acme/ann b:{p7}:q:acme/ann/ <names>
do

local ERASE_LOOK = 1000 -- entries: when more are waiting, all of them count as the user's

local function erase(keys, args)
	local time = clock_now()
	local prefix, names = args[1], args[2]
	local queue = call('ZRANGE', keys[1], 0, -1, 'WITHSCORES')
	local open, last = 0, 0
	for i = 1, #queue, 2 do
		if sub(queue[i], 1, #prefix) == prefix then
			open = open + 1
			last = math.max(last, tonumber(queue[i + 1]))
		end
	end
	local undrained = call('XLEN', keys[2])
	if undrained > 0 and undrained <= ERASE_LOOK then
		local waiting = call('XRANGE', keys[2], '-', '+')
		undrained = 0
		for i = 1, #waiting do
			if waiting[i][2][2]:find(names, 1, true) then
				undrained = undrained + 1
			end
		end
	end
	if open == 0 and undrained == 0 then
		call('DEL', keys[3], keys[4], telling.key(keys[3]))
	end
	return pack('<Bi7I4i7I8', OK, time, open, last, undrained)
end

register('erase', erase, { 'allow-oom' })

end
