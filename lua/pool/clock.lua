-- The clock of all decisions, and the identity of this Redis. tests/lua/pool_clock.lua replaces this file.

-- Redis TIME in whole milliseconds, read once per call.
local function clock_read()
	local time = call('TIME')
	return time[1] * 1000 + floor(time[2] / 1000)
end

-- The run id of this process: 40 hex digits. A library's local variables do not outlive the process, so it is read once.
local run_id

local function server_id()
	if not run_id then
		run_id = string.match(call('INFO', 'server'), 'run_id:(%x+)') or ''
	end
	return run_id
end
