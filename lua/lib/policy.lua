-- Policies: packed limits, parsed once and cached by pid. The parsed form has an array for each property of the limits.

-- Slots of the head of a record, and what its first byte and its flags say.
local RECORD_VERSION = '\2' -- its first byte; records of other versions count as absent, except those of the previous release
local FLAGS, STATES, LEVELS, PERCENT, VERSION, EPOCH, PID, EXPIRES, GRACE, NOW = 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
local DAY, WEEK, MONTH, DAY_END, WEEK_END, MONTH_END = 12, 13, 14, 15, 16, 17
local HELD_OPEN, NOTIFIED, UNSEEDED, AHEAD, HEAD_SIZE = 18, 19, 20, 21, 21
-- Bits of FLAGS: the record was made without PostgreSQL; its counters may be above what the ledger knows (adopt)
local FLAG = { PROVISIONAL = 8, HIGH = 64 }

local policies = { by_pid = {} }

do

local LIMIT = '<I4BBBBi8i8i8i8I6I6B'
local LIMIT_SIZE = 61
local HEAD, HEAD_BYTES = '<BBBBI2I4I4c8I4i7i7i7i7i7i7i7i7I4I4I4I4', 98
local KEPT_MAX = 4096

local kept = 0

local function parse(bytes)
	local n = bytes:byte(2)
	local p = {
		bytes = bytes, n = n, all = true, levels = 0, buckets = 0, calendars = 0, clear = { {}, {}, {} }, unit_used = {},
		id = {}, dim = {}, kind = {}, unit = {}, shadow = {}, a = {}, b = {}, c = {}, d = {}, interface = {}, model = {},
		warn = {}, warn_from = {}, slot = {}, bit = {}, index = {}, holding = {},
		takes = {}, take_count = 0, -- of quick.lua
	}
	local slot, format = HEAD_SIZE + 1, { HEAD }
	for k = 1, n do
		local id, dim, kind, unit, flags, a, b, c, d, interface, model, warn =
			sunpack(LIMIT, bytes, 3 + (k - 1) * LIMIT_SIZE)
		p.id[k], p.dim[k], p.kind[k], p.unit[k], p.shadow[k] = id, dim + 1, kind, unit, flags % 2 == 1
		p.a[k], p.b[k], p.c[k], p.d[k], p.interface[k], p.model[k] = a, b, c, d, interface, model
		p.slot[k], p.bit[k], p.index[id] = slot, 2 ^ (k - 1), k
		p.holding[k] = pack('<I4BBB', id, dim, kind, unit)
		if interface ~= 0 or model ~= 0 then
			p.all = false
		end
		if kind == LEVEL then
			p.levels, slot, format[k + 1] = p.levels + 1, slot + 1, 'I4'
		elseif kind == BUCKET then
			p.buckets, slot, format[k + 1] = p.buckets + 1, slot + 2, 'i7I7'
		else
			slot, format[k + 1] = slot + 2, 'i7i7'
			p.calendars = p.calendars + p.bit[k]
			p.unit_used[unit + 1] = true
			local clear = p.clear[unit + 1]
			clear[#clear + 1] = k
			if flags >= 2 and warn > 0 then
				p.warn[k], p.warn_from[k] = warn, warn_from(a, warn)
			end
		end
	end
	p.unpack_format = concat(format) -- its last value is the position of the tail: slot `size`
	p.pack_format = p.unpack_format
	p.size = slot
	p.template = char(n) .. concat(p.holding)
	p.marker_format = '<i7i7i7c0' .. rep('i7', p.buckets)
	return p
end

function policies.keep(pid, bytes)
	if kept >= KEPT_MAX then
		policies.by_pid, kept = {}, 0
	end
	local p = parse(bytes)
	policies.by_pid[pid], kept = p, kept + 1
	return p
end

-- Converts a record of another version to this one; nil when it cannot be read. The previous release stored no ends
-- of windows (0: the next one begins by the boundaries of the next caller), and neither of the two numbers after `notified`.
function policies.record_before(raw)
	if sub(raw, 1, 1) ~= '\1' then
		return nil
	end
	return RECORD_VERSION .. sub(raw, 2, 61) .. rep('\0', 21) .. sub(raw, 62, 69) .. rep('\0', 8) .. sub(raw, 70)
end

-- The policy of a record: cached, or kept in the record after its states, or in the partition's `pol`. nil: lost, or
-- the record has the format of another release.
function policies.of(raw, pid, pol)
	if sub(raw, 1, 1) ~= RECORD_VERSION then
		return nil
	end
	local p = policies.by_pid[pid]
	if p then
		return p
	end
	local n, levels = raw:byte(3, 4)
	local bytes = sunpack('<I2c0', raw, HEAD_BYTES + 14 * (n - levels) + 4 * levels + 1)
	if bytes == '' then
		bytes = call('HGET', pol, pid)
	end
	return bytes and policies.keep(pid, bytes) or nil
end

end
