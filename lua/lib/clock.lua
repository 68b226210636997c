-- The clock of all decisions: Redis TIME in microseconds, read once per call. tests/lua/clock.lua replaces this file.
-- Everything that depends on real time is here.
local function clock_now()
	local time = call('TIME')
	return time[1] * 1000000 + time[2]
end

-- Writes a record that may be deleted at `expires` (s).
local function set_until(key, value, expires)
	call('SET', key, value, 'EXAT', expires)
end
