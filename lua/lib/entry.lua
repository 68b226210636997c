-- The outbox: entries for the ledger.

local RECORD_ENTRY, EXPIRY_ENTRY, RESET_ENTRY, CANCEL_ENTRY = 0, 1, 2, 3
local FINAL, LATE, NEVER_CHECKED = 1, 2, 4

-- What the account at hand counted: flat rows, as many values as their formats have.
local windows, levels = {}, {}
local parts = {}

-- Formats by the number of rows, made when they are first needed.
local window_formats, level_formats = {}, {}

-- One account's part: the first `w` rows of `windows` (id, dimension, start, amount) and `b` of `levels` (id, full_at, rem,
-- num, den).
local function entry_part(i, present, clock, w, b)
	local of_windows, of_levels = window_formats[w], level_formats[b]
	if not of_windows then
		of_windows = '<Bi7B' .. rep('I4Bi7i7', w)
		window_formats[w] = of_windows
	end
	if not of_levels then
		of_levels = '<B' .. rep('I4i7I7i7i7', b)
		level_formats[b] = of_levels
	end
	parts[i] = pack(of_windows, present, clock, w, unpack(windows, 1, 4 * w))
		.. pack(of_levels, b, unpack(levels, 1, 5 * b))
end

local function entry_write(out, kind, attempt, flags, time, started, requests, input, output, cost, info, usage, count)
	call('XADD', out, '*', 'e', pack('<BBBBi7i7i7i7i7i7I2c0I2c0B', 1, kind, attempt, flags, time, started, requests, input,
		output, cost, #info, info, #usage, usage, count) .. concat(parts, '', 1, count))
end
