-- The usual check, compiled. A policy becomes the source of one Lua function, in which its numbers are constants and an account's
-- state are locals: no tables are made and no loop runs over limits. The function decides only what is usual: the record and the
-- caller agree on version, policy and windows, the windows run, nothing is unseeded, no grace, no flag, everything fits and nobody is
-- to be warned. Otherwise it returns nil, nothing has been written, and check takes the general path, which knows all rules. Both
-- must decide alike: tests run every case and every random step on either (tests/lua/general.lua takes the place of this file).

local quick = {} -- with the policies whose functions are counted, and how many limits these have

do

local REQUEST = '<Bi7i7i7i7I6I6i7i7c16c8i7' -- as in check.lua, the two digests in one
local BLOB = '<I4I4c8Bi7i7i7i7i7i7i7i7i7i7i7i7'
-- The head of a record: its parts that rarely change are compared as they are.
local FIXED_BYTES, HEAD_FORMAT = 22, 'I4i7i7c42I4I4I4I4'
local TAKES_MAX = 16 -- functions of a policy whose limits name interfaces and models: one for each set of limits that match
local COMPILED_MAX = 32768 -- limits in all functions together: some 13 MB, which maxmemory does not count
local BLOBS_MAX = 4096
local ALLOWED, OPENED = '\0', '\1' -- bytes of an answer: its status, and the state of the marker
local NOTHING_TO_SAY = '\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0' -- three masks, no policy, no profile
-- What is asked, by dimension. Nothing is asked of the others, which are counted by the piece: their limits are probed.
local WANTS = { 'requests', 'tokens', 'input', 'output', 'cost' }

-- What a caller's blob implies for a record on which it is usual, by blob.
local blobs, blob_count = {}, 0

local function blob_of(blob)
	local version, epoch, pid, flags, _, d1, d2, _, _, w1, w2, _, _, m1, m2 = sunpack(BLOB, blob)
	local p = policies.by_pid[pid]
	if not p then
		return nil -- the general path parses it: only what is used again is compiled
	end
	if blob_count >= BLOBS_MAX then
		blobs, blob_count = {}, 0
	end
	local starts = pack('<i7i7i7', d1, w1, m1)
	local b = {
		pid = pid, starts = starts, windows = starts .. pack('<i7i7i7', d2, w2, m2),
		-- of a record of this version, with no flag but `own policy`, and no grace
		fixed = pack('<c1BBBI2I4I4c8', RECORD_VERSION, flags % 2, p.n, p.levels, 0, version, epoch, pid),
		from = math.max(d1, w1, m1), stop = math.min(d2, w2, m2), ends = { d2, w2, m2 },
	}
	blobs[blob], blob_count = b, blob_count + 1
	return b
end

-- Lua source, line by line. Numbers of the policy are integers below 2^53 in absolute value or their neighbours: %.0f is exact.
local function source()
	local lines = {}
	return lines, function(format, ...)
		lines[#lines + 1] = string.format(format, ...)
	end
end

local function write_bucket(write, p, k)
	local want, num, den, burst, burst_rem = WANTS[p.dim[k]], p.a[k], p.b[k], p.c[k], p.d[k]
	write('if a%d < time then a%d, b%d = time, 0 end', k, k, k)
	if want then
		write('if %s > 0 then', want)
		write('local q, r = %s * %.0f', want, num)
		write('if q < %.0f then', TWO53)
		write('r = q %% %.0f q = (q - r) / %.0f', den, den)
		write('else q, r = muldiv(%s, %.0f, %.0f) end', want, num, den)
		write('a%d = a%d + q', k, k)
		write('if b%d >= %.0f - r then', k, den)
		write('a%d, b%d = a%d + 1, b%d - (%.0f - r)', k, k, k, k, den)
		write('else b%d = b%d + r end', k, k)
		write('local span = a%d - time', k)
		write('if span > %.0f or span == %.0f and b%d > %.0f then return end', burst, burst, k, burst_rem)
		write('if span >= %.0f then return end', SPAN_MAX)
	else
		write('do')
	end
	if p.dim[k] == COST or not want then
		write(want and 'elseif probe then' or '')
		write('local full, rem = later(a%d, b%d, 1, %.0f, %.0f, time)', k, k, num, den)
		write('local span = full - time')
		write('if span > %.0f or span == %.0f and rem > %.0f then return end', burst, burst, burst_rem)
	end
	write('end')
	write('if a%d > needed then needed = a%d end', k, k)
end

local function write_calendar(write, p, k)
	local want, amount = WANTS[p.dim[k]], p.a[k]
	if want then
		write('if %s > 0 then', want)
		write('b%d = b%d + %s', k, k, want)
		write('if a%d + b%d > %.0f then return end', k, k, amount)
		if p.dim[k] == COST then
			write('elseif probe and a%d + b%d + 1 > %.0f then return', k, k, amount)
		end
		write('end')
	else
		write('if a%d + b%d + 1 > %.0f then return end', k, k, amount)
	end
	if p.warn_from[k] then
		write('if a%d + b%d >= %.0f and floor(notified / %.0f) %% 2 == 0 then return end', k, k, p.warn_from[k], p.bit[k])
	end
end

-- The numbers of the state as the function names them, and their format.
local function state_names(p)
	local names, format = {}, { HEAD_FORMAT }
	for k = 1, p.n do
		names[#names + 1] = 'a' .. k
		if p.kind[k] == LEVEL then
			format[k + 1] = 'I4'
		else
			names[#names + 1] = 'b' .. k
			format[k + 1] = p.kind[k] == BUCKET and 'i7I7' or 'i7i7'
		end
	end
	return concat(names, ', '), concat(format)
end

-- A function that takes what is asked from a record of policy `p`, of which only the limits in `matches` count the request. It returns
-- the new head, the second after which the record may be deleted (nil: as before), and what the marker keeps of the account; or nil.
local function compile(p, matches)
	local load = rawget(_G, 'loadstring')
	if not load then
		return nil -- a store that forbids it has the general path
	end
	local lines, write = source()
	local names, format = state_names(p)
	local buckets, held = {}, {}
	if #names > 0 then
		names = ', ' .. names
	end
	write('local pack, sunpack, floor, muldiv, later, template = ...')
	write('return function(raw, b, time, needed, requests, tokens, input, output, cost, probe)')
	write('local expires, grace, now, windows, open, notified, unseeded, ahead%s', names)
	write('= sunpack("<%s", raw, %d)', format, FIXED_BYTES + 1)
	write('if windows ~= b.windows or grace > time or now > time or unseeded > 0 then return end')
	for k = 1, p.n do
		if matches[k] then
			held[#held + 1] = p.holding[k]
			if p.kind[k] == BUCKET then
				write_bucket(write, p, k)
				buckets[#buckets + 1] = 'a' .. k
			elseif p.kind[k] == CALENDAR then
				write_calendar(write, p, k)
			else
				write('a%d = a%d + 1 if a%d > %.0f then return end', k, k, k, p.a[k])
			end
		end
	end
	for unit = 1, 3 do
		if p.unit_used[unit] then
			write('if b.ends[%d] > needed then needed = b.ends[%d] end', unit, unit)
		end
	end
	if p.levels > 0 then
		write('needed = needed + 86400000000') -- a renewed reservation must still find its level
	end
	write('if needed < time + 600000000 then needed = time + 600000000 end')
	write('local until_s if needed > expires * 1000000 then until_s = floor(needed / 1000000) + 1 expires = until_s end')
	write('local head = pack("<c%d%s", b.fixed,', FIXED_BYTES, format)
	write('expires, grace, time, windows, open + 1, notified, 0, ahead%s)', names)
	write('return head, until_s, b.starts .. template%s',
		#buckets > 0 and ' .. pack("<' .. rep('i7', #buckets) .. '", ' .. concat(buckets, ', ') .. ')' or '')
	write('end')
	local template = char(#held) .. concat(held)
	return assert(load(concat(lines, '\n'), '=policy'))(pack, sunpack, floor, muldiv, later, template)
end

-- The name of the set of limits that match, of a policy that has selectors.
local function set_of(p, interface, model)
	local set = 0
	for k = 1, p.n do
		if (p.interface[k] == 0 or p.interface[k] == interface) and (p.model[k] == 0 or p.model[k] == model) then
			set = set + p.bit[k]
		end
	end
	return set
end

-- The function for this policy and request; nil when there are too many.
local function take_of(p, interface, model)
	local set = p.all and 0 or set_of(p, interface, model)
	local f = p.takes[set]
	if f or p.take_count >= TAKES_MAX then
		return f
	end
	if quick.counted ~= policies.by_pid then
		quick.counted, quick.limits = policies.by_pid, 0 -- the full cache was emptied, and the functions are gone with it
	end
	if quick.limits < COMPILED_MAX then
		local matches = {}
		for k = 1, p.n do
			matches[k] = p.all or has_bit(set, p.bit[k])
		end
		f = compile(p, matches)
		p.takes[set], p.take_count, quick.limits = f, p.take_count + 1, quick.limits + p.n
	end
	return f
end

local heads, untils = {}, {}

-- What check answers, if everything about the call is usual and all of it fits. Otherwise nothing is written, and it returns nil,
-- and what it has read: the time and, if it got that far, the accounts' records.
function quick.check(keys, args)
	local request, info, time, count = args[1], args[2], clock_now(), #keys - 4
	local flags, requests, input, output, cost, interface, model, ttl, _, digests, nonce, latest, at =
		sunpack(REQUEST, request)
	if flags % 2 == 1 or latest > 0 and time > latest or #request >= at then
		return nil, time
	end
	local probe, expires = flags % 4 >= 2, time + ttl
	local found = count == 1 and { (call('GET', keys[5])) } or call('MGET', unpack(keys, 5))
	for i = 1, count do
		local raw, blob = found[i], args[2 + i]
		local b = blobs[blob] or blob_of(blob)
		local p = b and policies.by_pid[b.pid]
		if not raw or not p or time < b.from or time >= b.stop or sub(raw, 1, FIXED_BYTES) ~= b.fixed then
			return nil, time, found
		end
		local decide = take_of(p, interface, model)
		if not decide then
			return nil, time, found
		end
		heads[i], untils[i], holdings[i] =
			decide(raw, b, time, expires, requests, input + output, input, output, cost, probe)
		if not heads[i] then
			return nil, time, found
		end
	end
	local times, number = pack('<i7i7', time, expires), char(count)
	local held = count == 1 and holdings[1] or concat(holdings, '', 1, count)
	if call('SET', keys[1], markers.open_from(request, digests, times, info, number, held, nonce), 'NX', 'GET') then
		return nil, time, found -- the id was used before
	end
	for i = 1, count do
		if untils[i] then
			set_until(keys[4 + i], heads[i] .. sub(found[i], #heads[i] + 1), untils[i])
		else
			call('SETRANGE', keys[4 + i], '0', heads[i])
		end
	end
	call('ZADD', keys[2], string.format('%d', expires), keys[1])
	return ALLOWED .. sub(times, 1, 7) .. OPENED .. times .. sub(request, 9, 29) .. number .. NOTHING_TO_SAY
		.. (count == 1 and heads[1] or concat(heads, NOTHING_TO_SAY, 1, count))
end

end
