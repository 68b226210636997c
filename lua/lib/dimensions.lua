-- What limits count, by dimension. server/domain/limit/dimensions.h has the table; tests/lint/tables compares. A request's amounts are
-- its measured ones (requests, input, output, cost) and, made of them here, the sums.
local REQUESTS, TOKENS, INPUT, OUTPUT, COST = 1, 2, 3, 4, 5 -- a stored dimension + 1; 6 is CONCURRENT; the rest are counted by the piece

local asked = { 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 } -- by a check; always 1 for a level
local used = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 } -- by a settlement: to be counted
local freed = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 } -- to be removed from holds
-- For buckets, which hold by having taken: charged if above 0, returned if below.
local net = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 }
local probes = {} -- true for a dimension of which it is unknown how much is asked: nothing is held, but a limit that is used up denies

local function ask(requests, input, output, cost)
	asked[REQUESTS], asked[TOKENS] = requests, input + output
	asked[INPUT], asked[OUTPUT], asked[COST] = input, output, cost
end

-- What is counted by the piece (searches, images, ...) is in few calls. Where it is, it follows the numbers of the call:
-- `B n, n x (B dimension, i7 amount)`. Most calls cost one comparison for it.
-- version: added to that of a marker that holds any.
local pieces = { first = 7, last = 20, asked = true, settled = false, version = 2 }

do

-- Calls fn(dim, amount) for what `bytes` say from `at` on.
local function each(bytes, at, fn)
	for r = 1, bytes:byte(at) do
		local dim, amount = sunpack('<Bi7', bytes, at + 1 + 8 * (r - 1))
		fn(dim + 1, amount)
	end
end

local function ask_piece(dim, amount)
	asked[dim], probes[dim] = amount, false
end

-- Asks for what follows `at` in `bytes`. Of what is not named, nothing is asked.
function pieces.ask(bytes, at)
	if pieces.asked then
		for dim = pieces.first, pieces.last do
			asked[dim], probes[dim] = 0, true
		end
		pieces.asked = false
	end
	if #bytes >= at then
		each(bytes, at, ask_piece)
		pieces.asked = true
	end
end

local function use_piece(dim, amount)
	used[dim], net[dim] = amount, amount
end

-- Settles what `bytes` say from `at` on (nil: nothing was used); `held`, in the same form, is what the reservation holds (nil:
-- nothing). Returns what it holds from then on.
function pieces.settle(bytes, at, held, final)
	if pieces.settled then
		for dim = pieces.first, pieces.last do
			used[dim], freed[dim], net[dim] = 0, 0, 0
		end
		pieces.settled = false
	end
	if bytes then
		each(bytes, at, use_piece)
		pieces.settled = true
	end
	if not held then
		return nil
	end
	local rest = { sub(held, 1, 1) }
	each(held, 1, function(dim, h)
		freed[dim] = final and h or used[dim] < h and used[dim] or h
		net[dim] = used[dim] - freed[dim]
		rest[#rest + 1] = pack('<Bi7', dim - 1, h - freed[dim])
	end)
	pieces.settled = true
	return concat(rest)
end

end
