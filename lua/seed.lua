-- birth: the partition's generation, created when it is missing: Redis has lost data then, or is new. seed: writes a missing
-- record, if no data was lost since birth was called. policy: writes an account's profile and policy through; if there is no
-- record, it leaves its version as a floor, because someone may be about to seed what PostgreSQL had before the change.
-- adopt: gives unseeded calendar limits what the ledger knows about them.
-- birth:  KEYS gen, out. ARGV a fresh generation, 16 characters. Reply OK 0 `c16 generation, i7 birth, I8 outbox length,
--         str2 id of the last entry ever, str2 id of the oldest entry ("": none)`
-- seed:   KEYS gen, record, pol, floor. ARGV `c16 generation, I4 expires_s`; record; pid; policy. Reply OK 0; NOTHING 11 (there is
--         one); LOST 12 (another generation, or the record's version is below the floor: read again)
-- policy: KEYS record, pol, floor. ARGV `I4 version, I4 epoch, B flags (as the record's; 8 a provisional record stays so; 32 keep the
--         policy in the record), I2 grace_percent, i7 grace_until, c8 pid`; policy; meta. Reply OK 0; ABSENT 4 `I4 mask`;
--         NOTHING 11 (its version is not lower; a provisional record accepts an equal one)
-- adopt:  KEYS record, pol. ARGV account blob; `B flags (1 even if something was settled since, which the ledger may have already),
--         i7 day, i7 week, i7 month (starts of the windows of what follows), B n, n x (I4 limit id, i7 settled when it was read, i7
--         what the ledger knows)`. Reply OK 0;
--         NOTHING 11 (something was settled since: read again); ABSENT 4, STALE 5, BEHIND 6, CLOCK 7
-- FCALL bursar_seed_V 4 b:{p7}:gen b:{p7}:a:u:acme/ann b:{p7}:pol b:{p7}:f:u:acme/ann <head> <record> <pid> <policy>
do

local FLOOR_S = 30 -- whoever has read PostgreSQL seeds or gives up within this time

local function birth(keys, args)
	local time = clock_now()
	local mark = call('GET', keys[1])
	if not mark then
		mark = sub(args[1], 1, 16) .. ' ' .. string.format('%.0f', time)
		call('SET', keys[1], mark)
	end
	local length, last, first = call('XLEN', keys[2]), '0-0', ''
	if call('EXISTS', keys[2]) == 1 then
		local about = call('XINFO', 'STREAM', keys[2])
		for i = 1, #about, 2 do
			if about[i] == 'last-generated-id' then
				last = about[i + 1]
			elseif about[i] == 'first-entry' and about[i + 1] then
				first = about[i + 1][1]
			end
		end
	end
	return pack(
		'<Bi7c16i7I8I2c0I2c0', OK, time, sub(mark, 1, 16), tonumber(sub(mark, 18)), length, #last, last, #first, first
	)
end

local function seed(keys, args)
	local time = clock_now()
	local generation, expires = sunpack('<c16I4', args[1])
	local mark = call('GET', keys[1])
	if not mark or sub(mark, 1, 16) ~= generation then
		return answer(LOST, time)
	end
	local old = call('GET', keys[2])
	old = old and (sub(old, 1, 1) == RECORD_VERSION and old or policies.record_before(old))
	if old and policies.of(old, sub(old, 15, 22), keys[3]) then
		return answer(NOTHING, time)
	end
	-- A provisional record admits that it may be outdated.
	local flags, version = args[2]:byte(2), sunpack('<I4', args[2], 7)
	if version < tonumber(call('GET', keys[4]) or 0) and not has_bit(flags, FLAG.PROVISIONAL) then
		return answer(LOST, time)
	end
	if #args[4] > 0 then
		call('HSETNX', keys[3], args[3], args[4])
	end
	set_until(keys[2], args[2], expires)
	return answer(OK, time)
end

local function policy(keys, args)
	local version, epoch, flags, percent, grace, pid = sunpack('<I4I4BI2i7c8', args[1])
	local time = clock_now()
	local raw = call('GET', keys[1])
	local t = accounts.read(1, raw, time, keys[2])
	if not t then
		if version > tonumber(call('GET', keys[3]) or 0) then
			call('SET', keys[3], string.format('%.0f', version), 'EX', FLOOR_S)
		end
		return pack('<Bi7I4', ABSENT, time, 1)
	end
	local provisional = has_bit(t[FLAGS], FLAG.PROVISIONAL)
	if t[VERSION] > version or t[VERSION] == version and not provisional then
		return answer(NOTHING, time)
	end
	if t[PID] ~= pid then
		local to = policies.by_pid[pid] or policies.keep(pid, args[2])
		t = accounts.convert(t, plans[1], to, pid, epoch)
		states[1], plans[1] = t, to
	end
	if has_bit(flags, FLAG.PROVISIONAL) and not provisional then
		flags = flags - FLAG.PROVISIONAL
	end
	local inline = flags % 2 == 1 or flags >= 32
	local bytes = inline and args[2] or ''
	t[VERSION], t[EPOCH], t[PERCENT], t[GRACE] = version, epoch, percent, grace
	t[FLAGS] = flags % 32 + (has_bit(t[FLAGS], FLAG.HIGH) and FLAG.HIGH or 0)
	if provisional then
		t[UNSEEDED] = plans[1].calendars
		t[DAY_END], t[WEEK_END], t[MONTH_END] = 0, 0, 0 -- they were those of UTC, or of an earlier zone
	end
	t[plans[1].size] = pack('<I2c0I2c0', #bytes, bytes, #args[3], args[3])
	if not inline then
		call('HSETNX', keys[2], pid, args[2])
	end
	accounts.save(1, keys[1], raw, grace, keys[2])
	return answer(OK, time)
end

-- Moves the windows of a unit to where the ledger has them, if none of their limits is seeded.
local function adopt_starts(t, p, starts)
	for unit = 1, 3 do
		local all = true
		for _, k in ipairs(p.clear[unit]) do
			all = all and has_bit(t[UNSEEDED], p.bit[k])
		end
		if all and starts[unit] > 0 and starts[unit] <= t[NOW] then
			t[DAY + unit - 1] = starts[unit]
		end
	end
end

local function adopt(keys, args)
	local time, raw = clock_now(), call('GET', keys[1])
	raws[1] = raw
	local why = load_all({ keys[1], keys[1], keys[1], keys[2] }, args, 0, 1, { false, raw }, time)
	if why then
		return why
	end
	local t, p, list = states[1], plans[1], args[2]
	local flags, day, week, month, n = sunpack('<Bi7i7i7B', list)
	local settled, cleared, high = {}, 0, has_bit(t[FLAGS], FLAG.HIGH)
	for r = 1, n do
		local id, seen, known = sunpack('<I4i7i7', list, 24 + 18 * (r - 1))
		local k = p.index[id]
		if k and has_bit(t[UNSEEDED], p.bit[k]) then
			local since = t[p.slot[k]] - seen
			if since ~= 0 and flags == 0 then
				return answer(NOTHING, time)
			end
			settled[k], cleared = clamp(known + (since > 0 and since or 0)), cleared + p.bit[k]
			high = high or since > 0
		end
	end
	adopt_starts(t, p, { day, week, month })
	for k, amount in pairs(settled) do
		t[p.slot[k]] = amount
	end
	t[UNSEEDED] = t[UNSEEDED] - cleared
	if high and not has_bit(t[FLAGS], FLAG.HIGH) then
		t[FLAGS] = t[FLAGS] + FLAG.HIGH
	end
	if t[UNSEEDED] == 0 and has_bit(t[FLAGS], FLAG.PROVISIONAL) then
		t[FLAGS] = t[FLAGS] - FLAG.PROVISIONAL
	end
	accounts.save(1, keys[1], raw, 0, keys[2])
	return answer(OK, time)
end

register('birth', birth, { 'allow-oom' })
register('adopt', adopt, { 'allow-oom' })
register('seed', seed, { 'allow-oom' })
register('policy', policy, { 'allow-oom' })

end
