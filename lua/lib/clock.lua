-- The clock of all decisions: Redis TIME in microseconds, read once a call. tests/lua/clock.lua stands in for this file.
-- Here is all that minds the real time.
local function clock_now()
	local time = call('TIME')
	return time[1] * 1000000 + time[2]
end

-- Writes a record that may be forgotten at `expires` (s).
local function set_until(key, value, expires)
	call('SET', key, value, 'EXAT', expires)
end
