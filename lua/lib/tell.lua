-- What users have been told: of all processes of a bot, one tells a user of a denial, and none tells it again before its time. What was
-- told is kept in a key beside the user's record, `<the record's key with :t: in place of :a:>`: rows of `c8 of what, and where; c8
-- nonce of the check that was to tell it; i7 until when it is not told again`, the latest last.

local telling = { NOW = 1, NOT_AGAIN = 2 }

do

local ROW, ROW_BYTES, ROWS_MAX = '<c8c8i7', 23, 16
local LEAST, MOST, DAY_MS = 60000000, 3600000000, 86400000

function telling.key(record)
	return (string.gsub(record, ':a:', ':t:', 1))
end

-- The time at which limit `k` would let what is asked pass if nothing else were used: a distant one if it lets nothing pass. 0: in a
-- moment, because it is only held; or never, because too much is asked, and the user's next request may be smaller.
local function passes_at(t, p, k)
	local now, dim, s, a = t[NOW], p.dim[k], p.slot[k], p.a[k]
	local want = asked[dim] > 0 and asked[dim] or 1
	if p.kind[k] == BUCKET then
		local full, rem = later(now, 0, want, a, p.b[k], now)
		if full - now > p.c[k] or full - now == p.c[k] and rem > p.d[k] then
			return p.c[k] + p.d[k] == 0 and now + MOST or 0
		end
		if t[s] >= now then
			full, rem = later(t[s], t[s + 1], want, a, p.b[k], now)
		end
		return full - p.c[k] + (rem > p.d[k] and 1 or 0)
	elseif p.kind[k] == CALENDAR then
		local amount = t[GRACE] > now and with_grace(a, t[PERCENT]) or a
		if amount == 0 then
			return now + MOST
		elseif want > amount or dim ~= REQUESTS and t[s + 1] > 0 and t[s] + want <= amount then
			return 0
		end
		return t[DAY_END + p.unit[k]]
	end
	return a == 0 and now + MOST or 0
end

-- What denies longest, as text: a closed account, or a limit, with its amount and its window, so that it is another one after a reset or an
-- upgrade; and until when it has been told then.
local function longest(keys, count, time)
	local what, last = '', -1
	for i = 1, count do
		local t, p = states[i], plans[i]
		if t[FLAGS] % 4 >= 2 or t[FLAGS] % 32 >= 16 then
			return keys[4 + i] .. pack('<I4', t[VERSION]), time + MOST
		end
		for k = 1, p.n do
			if has_bit(failed[i], p.bit[k]) then
				local at = passes_at(t, p, k)
				if at > last then
					local start = p.kind[k] == CALENDAR and t[DAY + p.unit[k]] or 0
					what, last = keys[4 + i] .. pack('<I4i8i7', p.id[k], p.a[k], start), at
				end
			end
		end
	end
	return what, math.min(math.max(last, time + LEAST), time + MOST)
end

-- The accounts have denied a check: is the user to be told now? Returns NOW or NOT_AGAIN, and until when it is not told again.
-- `where`: `c8 place, i7 for how long (0: while it denies, at least a minute and at most an hour)`.
function telling.claim(keys, count, time, where, nonce)
	local place, span = sunpack('<c8i7', where)
	local what, ends = longest(keys, count, time)
	if span > 0 then
		ends = time + span
	end
	what = sub(redis.sha1hex(what .. place), 1, 8)
	local key = telling.key(keys[5])
	local raw, rows = call('GET', key) or '', {}
	for at = 1, #raw, ROW_BYTES do
		local told, teller, stop = sunpack(ROW, raw, at)
		if stop > time and told == what then
			return teller == nonce and telling.NOW or telling.NOT_AGAIN, stop
		elseif stop > time then
			rows[#rows + 1] = sub(raw, at, at + ROW_BYTES - 1)
		end
	end
	rows[#rows + 1] = pack(ROW, what, nonce, ends)
	call('SET', key, concat(rows, '', math.max(1, #rows - ROWS_MAX + 1)), 'PX', DAY_MS)
	return telling.NOW, ends
end

end
