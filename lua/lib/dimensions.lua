-- What limits count, by dimension. server/domain/limit/dimensions.h has the table; tests/lint/tables compares. A request's amounts are
-- its measured ones (requests, input, output, cost) and, made of them here, the sums.
local REQUESTS, TOKENS, INPUT, OUTPUT, COST = 1, 2, 3, 4, 5 -- a stored dimension + 1; 6 is CONCURRENT

local asked = { 0, 0, 0, 0, 0, 1 } -- by a check; of a level always 1
local used = { 0, 0, 0, 0, 0, 0 }  -- by a settlement: goes into the books
local freed = { 0, 0, 0, 0, 0, 0 } -- leaves what is held
local net = { 0, 0, 0, 0, 0, 0 }   -- for buckets, which hold by having taken: charged above 0, given back below

local function ask(requests, input, output, cost)
	asked[REQUESTS], asked[TOKENS] = requests, input + output
	asked[INPUT], asked[OUTPUT], asked[COST] = input, output, cost
end

-- Once used, freed and net have what is measured.
local function settle_sums()
	used[TOKENS] = used[INPUT] + used[OUTPUT]
	freed[TOKENS] = freed[INPUT] + freed[OUTPUT]
	net[TOKENS] = net[INPUT] + net[OUTPUT]
end
