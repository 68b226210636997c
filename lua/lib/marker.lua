-- Markers: what is remembered of a request id. m[1..21] as in MARKER, m[22] the tail: info and accounts.

local MARKER = '<BBBBc8c8i7i7i7i7i7i7i7i7i7I4I6I6i7i7i7'
local MARKER_AND_TAIL = MARKER .. 'c0'
local STATE, COUNTED, REPEATED, DIGEST, ACCOUNTS, STARTED, EXPIRY = 2, 3, 4, 5, 6, 7, 8
local HELD_REQUESTS, HELD_INPUT, HELD_OUTPUT, HELD_COST, USED_INPUT, USED_OUTPUT, USED_COST = 9, 10, 11, 12, 13, 14, 15
local ATTEMPTS, INTERFACE, MODEL, LAST_INPUT, LAST_OUTPUT, LAST_COST, MARKER_TAIL = 16, 17, 18, 19, 20, 21, 22
-- Bits of COUNTED: the request is in the books; the last record was late; it was the one that counted the request.
local IN_BOOKS, WAS_LATE, COUNTED_IT = 1, 2, 4
local NO_DIGEST = '\0\0\0\0\0\0\0\0'

-- What a reservation holds on account `i`, as the marker keeps it: `fulls` are the buckets' full_at after the check.
local holdings, fulls = {}, {}

local function marker_parse(raw)
	local m = { sunpack(MARKER, raw) }
	m[MARKER_TAIL] = sub(raw, m[MARKER_TAIL])
	return m
end

local function marker_pack(m)
	return pack(MARKER_AND_TAIL, unpack(m, 1, MARKER_TAIL))
end

-- Info and the position of the number of accounts.
local function marker_info(m)
	return sunpack('<I2c0', m[MARKER_TAIL])
end

local function marker_tail(info, count)
	return pack('<I2c0B', #info, info, count) .. (count == 1 and holdings[1] or concat(holdings, '', 1, count))
end

local function marker_new(state, time, expires, digest, accounts_digest, interface, model, info, count)
	return {
		1, state, 0, 0, digest, accounts_digest, time, expires, 0, 0, 0, 0, 0, 0, 0, 0, interface, model, 0, 0, 0,
		marker_tail(info, count),
	}
end
