-- Tests and takes what a request asks of one account.

-- Takes `asked` from the state of account `i` in place and notes what is held in holdings[i]. False when a limit
-- denies: the state is spoiled then, and accounts.load must rebuild it. Sets failed, would and notify, and returns the
-- time (us) until which the record is needed.
local function take(i, interface, model)
	local t, p = states[i], plans[i]
	local now, grace, percent, notified = t[NOW], t[GRACE], t[PERCENT], t[NOTIFIED]
	local flags = t[FLAGS]
	local bypass = floor(flags / 4) % 2 == 1
	local all, kinds, dims, slots, bits, a = p.all, p.kind, p.dim, p.slot, p.bit, p.a
	local denied, would_deny, warned, buckets, needed = 0, 0, 0, 0, 0
	local held, count
	if not all then
		held, count = {}, 0
	end
	for k = 1, p.n do
		if all or (p.interface[k] == 0 or p.interface[k] == interface) and (p.model[k] == 0 or p.model[k] == model) then
			local kind, s = kinds[k], slots[k]
			local dim = dims[k]
			local want, amount = asked[dim], a[k]
			local fits = true
			if kind == CALENDAR then
				local base = t[s] + t[s + 1]
				if grace > now then
					amount = with_grace(amount, percent)
				end
				if want > 0 then
					t[s + 1] = t[s + 1] + want
					fits = base + want <= amount
					if t[s + 1] > COUNT_MAX then
						t[s + 1] = COUNT_MAX
					end
				elseif probes[dim] then
					fits = base + 1 <= amount
				end
				local from = p.warn_from[k]
				if from then
					if grace > now then
						from = warn_from(amount, p.warn[k])
					end
					if t[s] + t[s + 1] >= from and not has_bit(notified, bits[k]) then
						warned = warned + bits[k]
					end
				end
			elseif kind == BUCKET then
				local full, rem = t[s], t[s + 1]
				if full < now then
					full, rem = now, 0
				end
				local den = p.b[k]
				if want > 0 then
					local product = want * amount
					local q, r
					if product < TWO53 then
						r = product % den
						q = (product - r) / den
					else
						q, r = muldiv_long(want, amount, den)
					end
					full = full + q
					if rem >= den - r then
						full, rem = full + 1, rem - (den - r)
					else
						rem = rem + r
					end
					local span, most = full - now, p.c[k]
					fits = span < most or span == most and rem <= p.d[k]
					if span >= SPAN_MAX then
						full, rem = now + SPAN_MAX, 0
					end
				elseif probes[dim] then
					local probed, probed_rem = later(full, rem, 1, amount, den, now)
					local span, most = probed - now, p.c[k]
					fits = span < most or span == most and probed_rem <= p.d[k]
				end
				t[s], t[s + 1] = full, rem
				buckets = buckets + 1
				fulls[buckets] = full
				if full > needed then
					needed = full
				end
			else
				fits = t[s] + 1 <= amount
				t[s] = t[s] + 1
			end
			if not fits then
				if bypass or p.shadow[k] then
					would_deny = would_deny + bits[k]
				else
					denied = denied + bits[k]
				end
			end
			if not all then
				count = count + 1
				held[count] = p.holding[k]
			end
		end
	end
	failed[i], would[i] = denied, would_deny
	if denied > 0 or flags % 4 >= 2 or flags % 32 >= 16 then
		return false
	end
	notify[i] = warned
	t[NOTIFIED], t[HELD_OPEN] = notified + warned, t[HELD_OPEN] + 1
	if all then
		holdings[i] = pack(p.marker_format, t[DAY], t[WEEK], t[MONTH], p.template, unpack(fulls, 1, buckets))
	else
		local template = char(count) .. concat(held)
		holdings[i] = pack('<i7i7i7c0' .. rep('i7', buckets), t[DAY], t[WEEK], t[MONTH], template, unpack(fulls, 1, buckets))
	end
	if p.unit_used[1] and t[DAY_END] > needed then
		needed = t[DAY_END]
	end
	if p.unit_used[2] and t[WEEK_END] > needed then
		needed = t[WEEK_END]
	end
	if p.unit_used[3] and t[MONTH_END] > needed then
		needed = t[MONTH_END]
	end
	if grace > needed then
		needed = grace
	end
	return true, needed
end
