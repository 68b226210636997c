-- The clock of all decisions: Redis TIME in microseconds, read once a call. tests/lua/clock.lua stands in for this file.
local function clock_now()
	local time = call('TIME')
	return time[1] * 1000000 + time[2]
end
