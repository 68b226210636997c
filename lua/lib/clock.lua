-- The clock of all decisions: Redis TIME in microseconds, read once per call. tests/lua/clock.lua replaces this file.
-- Everything that depends on real time is here.
local clock_now

do

local second, second_us -- TIME's seconds as text change rarely, and reading a number from text takes time

function clock_now()
	local time = call('TIME')
	if time[1] ~= second then
		second, second_us = time[1], time[1] * 1000000
	end
	return second_us + time[2]
end

end

-- Writes a record that may be deleted at `expires` (s).
local function set_until(key, value, expires)
	call('SET', key, value, 'EXAT', expires)
end
