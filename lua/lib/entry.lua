-- The outbox: entries for the ledger.

local entries = { RECORD = 0, EXPIRY = 1, RESET = 2, CANCEL = 3, ADJUSTMENT = 4 } -- their kinds
local FINAL, LATE, NEVER_CHECKED = 1, 2, 4

-- The bucket levels of the current account: flat rows of five values.
local levels = {}

do

local ENTRY_VERSION = 2

local parts = {}
-- Formats by the number of rows, created on first use.
local part_formats = {}

-- One account's part: the windows in which it was checked, and the first `b` rows of `levels` (id, full_at, rem, num, den).
function entries.part(i, present, clock, day, week, month, b)
	local format = part_formats[b]
	if not format then
		format = '<Bi7i7i7i7B' .. rep('I4i7I7i7i7', b)
		part_formats[b] = format
	end
	parts[i] = pack(format, present, clock, day, week, month, b, unpack(levels, 1, 5 * b))
end

function entries.write(out, kind, attempt, flags, time, started, requests, input, output, cost, info, usage, count)
	call('XADD', out, '*', 'e', pack('<BBBBi7i7i7i7i7i7I2c0I2c0B', ENTRY_VERSION, kind, attempt, flags, time, started,
		requests, input, output, cost, #info, info, #usage, usage, count) .. concat(parts, '', 1, count))
end

end
