-- Stands in for lua/pool/clock.lua in tests: the time is what the key b:clock says, in microseconds, the run id the key b:run.

local function clock_read()
	return floor(tonumber(call('GET', 'b:clock')) / 1000)
end

local function server_id()
	return call('GET', 'b:run') or 'run'
end
