-- Markers: the memory of a request id. m[1..21] are its numbers and digests, m[22] is the tail: info, accounts, attempts and nonces.

local STATE, COUNTED, ASKED, DIGEST, ACCOUNTS, STARTED, EXPIRY = 2, 3, 4, 5, 6, 7, 8
local HELD_REQUESTS, HELD_INPUT, HELD_OUTPUT, HELD_COST, USED_INPUT, USED_OUTPUT, USED_COST = 9, 10, 11, 12, 13, 14, 15
local ATTEMPTS, INTERFACE, MODEL, LAST_INPUT, LAST_OUTPUT, LAST_COST, MARKER_TAIL = 16, 17, 18, 19, 20, 21, 22
-- Bits of COUNTED: the request was counted; the last record was late; that record counted the request; and 8 times its attempt.
local IN_BOOKS, WAS_LATE, COUNTED_IT, ATTEMPT_OF = 1, 2, 4, 8
local MARKER_VERSION = 2 -- 3: decided without what PostgreSQL knew. Either is 2 more if it holds what is counted by the piece
local NO_DIGEST = '\0\0\0\0\0\0\0\0'
-- What a reservation holds on account `i`, in the form kept by the marker: `fulls` are the buckets' full_at after the check.
local holdings, fulls = {}, {}
local markers = {}

do

local MARKER = '<BBBBc8c8i7i7i7i7i7i7i7i7i7I4I6I6i7i7i7'
local MARKER_AND_TAIL = MARKER .. 'c0'

function markers.parse(raw)
	local m = { sunpack(MARKER, raw) }
	m[MARKER_TAIL] = sub(raw, m[MARKER_TAIL])
	if m[1] == 1 then -- of an older bursard: without nonces, and with a 1 if the check was repeated
		m[1], m[ASKED] = 2, m[ASKED] + 1
		m[MARKER_TAIL] = m[MARKER_TAIL] .. rep('\255', 8 * m[ASKED]) -- nonces.somebody
	end
	return m
end

function markers.pack(m)
	return pack(MARKER_AND_TAIL, unpack(m, 1, MARKER_TAIL))
end

-- Info and the position of the number of accounts.
function markers.info(m)
	return sunpack('<I2c0', m[MARKER_TAIL])
end

local function tail_of(info, count)
	return pack('<I2c0B', #info, info, count) .. (count == 1 and holdings[1] or concat(holdings, '', 1, count))
end

function markers.new(state, time, expires, digest, accounts_digest, interface, model, info, count)
	return {
		2, state, 0, 0, digest, accounts_digest, time, expires, 0, 0, 0, 0, 0, 0, 0, 0, interface, model,
		0, 0, 0, tail_of(info, count),
	}
end

-- The bytes of a new open reservation: what markers.new and markers.pack would make, without the table.
function markers.open(
	version, digest, accounts_digest, time, expires, requests, input, output, cost, interface, model, info, count, nonce
)
	return pack(MARKER_AND_TAIL, version, OPEN, 0, 1, digest, accounts_digest, time, expires, requests, input, output,
		cost, 0, 0, 0, 0, interface, model, 0, 0, 0, tail_of(info, count) .. nonce)
end

local NEW = '\2\1\0\1' -- MARKER_VERSION, OPEN, nothing counted, asked once
local NOT_USED = '\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0' -- three amounts, no attempts
local NOT_LAST = '\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0'

-- The same for quick.lua, from pieces that have the form of the marker already: the amounts and the selectors of the request.
-- `times`: of the check and of its expiry; `number` of accounts; `held`: what is held on each.
function markers.open_from(request, digests, times, info, number, held, nonce)
	return NEW .. digests .. times .. sub(request, 2, 29) .. NOT_USED .. sub(request, 30, 41) .. NOT_LAST
		.. char(#info % 256, floor(#info / 256)) .. info .. number .. held .. nonce
end

end

-- The tail ends with ASKED nonces: first that of the check that made the marker, or of what settled it since; then those of the checks
-- that were answered from it. A check that gives up leaves `gone`; `somebody`, whose nonce is unknown, never does.
local nonces = { gone = NO_DIGEST, somebody = '\255\255\255\255\255\255\255\255', most = 8 }

-- The position of nonce number `i` in the tail.
function nonces.at(m, i)
	return #m[MARKER_TAIL] - 8 * (m[ASKED] - i + 1) + 1
end

function nonces.put(m, i, nonce)
	local tail, at = m[MARKER_TAIL], nonces.at(m, i)
	m[MARKER_TAIL] = sub(tail, 1, at - 1) .. nonce .. sub(tail, at + 8)
end

-- The number of this nonce; nil when it is not among them.
function nonces.find(m, nonce)
	for i = 1, m[ASKED] do
		local at = nonces.at(m, i)
		if sub(m[MARKER_TAIL], at, at + 7) == nonce then
			return i
		end
	end
end

-- One more check is answered from the reservation.
function nonces.add(m, nonce)
	if m[ASKED] < nonces.most then
		m[ASKED], m[MARKER_TAIL] = m[ASKED] + 1, m[MARKER_TAIL] .. nonce
	else
		nonces.put(m, nonces.most, nonces.somebody)
	end
end

-- The marker belongs to this call from now on.
function nonces.first(m, nonce)
	if m[ASKED] == 0 then
		nonces.add(m, nonce)
	else
		nonces.put(m, 1, nonce)
	end
end

-- The check with this nonce no longer wants the reservation: true if it was one of those that rely on it.
function nonces.leave(m, nonce)
	local i = nonces.find(m, nonce)
	if i then
		nonces.put(m, i, nonces.gone)
	end
	return i ~= nil
end

function nonces.all_gone(m)
	return sub(m[MARKER_TAIL], nonces.at(m, 1)) == rep(nonces.gone, m[ASKED])
end

-- Between the accounts and the nonces are the recorded attempts: `B attempt, B flags (1 late, 2 it counted the request),
-- i7 input, i7 output, i7 cost (charged), str2 usage (of the entry)`. An older bursard writes none, and skips them. ended_again: the
-- number of a row behind them which says that a repeated attempt ended the reservation.
local attempts = { ended_again = 254 }

-- Where they begin in the tail.
function attempts.at(m)
	local tail = m[MARKER_TAIL]
	local _, at = markers.info(m)
	local count = tail:byte(at)
	at = at + 1
	for _ = 1, count do
		local limits = tail:byte(at + 21)
		at = at + 22
		local buckets = 0
		for k = 1, limits do
			if tail:byte(at + 7 * (k - 1) + 5) == BUCKET then
				buckets = buckets + 1
			end
		end
		at = at + 7 * (limits + buckets)
	end
	return at
end

-- The bytes of what the marker holds by the piece: a row like those of attempts, and the first of them, which releases that do not know
-- it pass over.
function attempts.held_row(held)
	return pack('<BBi7i7i7I2c0', 255, 0, 0, 0, 0, #held, held)
end

-- What the marker holds by the piece, and where that begins in the tail; nil when it holds nothing.
function attempts.held(m)
	if m[1] >= MARKER_VERSION + pieces.version then
		local at = attempts.at(m) + 23
		return (sunpack('<I2c0', m[MARKER_TAIL], at)), at + 2
	end
end

-- Puts what stays held there in its place: as many bytes.
function attempts.hold(m, held, at)
	local tail = m[MARKER_TAIL]
	m[MARKER_TAIL] = sub(tail, 1, at - 1) .. held .. sub(tail, at + #held)
end

function attempts.add(m, attempt, late, requests, input, output, cost, usage)
	local tail, at = m[MARKER_TAIL], nonces.at(m, 1)
	local row = pack('<BBi7i7i7I2c0', attempt, (late and 1 or 0) + 2 * requests, input, output, cost, #usage, usage)
	m[MARKER_TAIL] = sub(tail, 1, at - 1) .. row .. sub(tail, at)
end

-- late, requests, input, output, cost and usage of an attempt; if it has no row, only if it was the last; else nothing.
function attempts.find(m, attempt)
	local tail, at, stop = m[MARKER_TAIL], attempts.at(m), nonces.at(m, 1)
	while at < stop do
		local number, flags, input, output, cost, usage, behind = sunpack('<BBi7i7i7I2c0', tail, at)
		if number == attempt then
			return flags % 2 == 1, floor(flags / 2), input, output, cost, usage
		end
		at = behind
	end
	if attempt == floor(m[COUNTED] / ATTEMPT_OF) then
		return has_bit(m[COUNTED], WAS_LATE), has_bit(m[COUNTED], COUNTED_IT) and 1 or 0, m[LAST_INPUT], m[LAST_OUTPUT],
			m[LAST_COST], ''
	end
end

-- Drops what was held on which limits: not needed once nothing can be settled any more.
function attempts.alone(m)
	local tail = m[MARKER_TAIL]
	local info = markers.info(m)
	m[MARKER_TAIL] = pack('<I2c0B', #info, info, 0) .. sub(tail, attempts.at(m))
end
