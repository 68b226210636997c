-- Exact arithmetic on integers below 2^53 in doubles.

-- n * num / den as quotient and remainder when the product is too large: long multiplication in a base small enough for
-- every step. Returns 2^53, 0 for a quotient of 2^53 or more.
local function muldiv_long(n, num, den)
	local m = num % den
	local whole = (num - m) / den
	local q = n * whole
	if q >= TWO53 then
		return TWO53, 0
	end
	local base = 1
	while base * den * 4 <= TWO53 do
		base = base * 2
	end
	local part, r, scale = 0, 0, 1
	if base > 1 then
		while scale * base <= n do
			scale = scale * base
		end
		while scale >= 1 do
			local digit = floor(n / scale)
			local sum = r * base + digit * m
			n = n - digit * scale
			r = sum % den
			part = part * base + (sum - r) / den
			scale = scale / base
		end
	else -- den above 2^51: bit by bit, so that no sum of two remainders is ever formed
		while scale * 2 <= n do
			scale = scale * 2
		end
		while scale >= 1 do
			part = part * 2
			if r >= den - r then
				r, part = r - (den - r), part + 1
			else
				r = r + r
			end
			if n >= scale then
				n = n - scale
				if r >= den - m then
					r, part = r - (den - m), part + 1
				else
					r = r + m
				end
			end
			scale = scale / 2
		end
	end
	q = q + part
	if q >= TWO53 then
		return TWO53, 0
	end
	return q, r
end

local function muldiv(n, num, den)
	local product = n * num
	if product < TWO53 then
		local r = product % den
		return (product - r) / den, r
	end
	return muldiv_long(n, num, den)
end

-- full_at + rem/den, delayed by n * num / den; at most SPAN_MAX ahead of now.
local function later(full, rem, n, num, den, now)
	local q, r = muldiv(n, num, den)
	full = full + q
	if rem >= den - r then
		full, rem = full + 1, rem - (den - r)
	else
		rem = rem + r
	end
	if full - now >= SPAN_MAX then
		return now + SPAN_MAX, 0
	end
	return full, rem
end

-- The same, earlier by n * num / den, but by at most `most` microseconds, and never before now.
local function earlier(full, rem, n, num, den, now, most)
	local q, r = muldiv(n, num, den)
	if q >= most then
		q, r = most, 0
	end
	full = full - q
	if rem >= r then
		rem = rem - r
	else
		full, rem = full - 1, rem + (den - r)
	end
	if full < now then
		return now, 0
	end
	return full, rem
end

-- What a calendar limit allows when grace adds `percent` to it.
local function with_grace(amount, percent)
	local more = muldiv(amount, percent, 100)
	if amount + more > COUNT_MAX then
		return COUNT_MAX
	end
	return amount + more
end

-- The use at which a limit begins to warn; `effective` is its amount including grace.
local function warn_from(effective, percent)
	local q, r = muldiv(effective, percent, 100)
	if r > 0 then
		return q + 1
	end
	return q
end

local function clamp(n)
	if n < 0 then
		return 0
	end
	return n > COUNT_MAX and COUNT_MAX or n
end

-- Is this bit (a power of 2) set in the mask?
local function has_bit(mask, bit)
	return floor(mask / bit) % 2 == 1
end
