-- What limits count, by dimension. server/domain/limit/dimensions.h has the table; tests/lint/tables compares. A request's amounts are
-- its measured ones (requests, input, output, cost) and, made of them here, the sums.
local REQUESTS, TOKENS, INPUT, OUTPUT, COST = 1, 2, 3, 4, 5 -- a stored dimension + 1; 6 is CONCURRENT

local asked = { 0, 0, 0, 0, 0, 1 } -- by a check; always 1 for a level
local used = { 0, 0, 0, 0, 0, 0 }  -- by a settlement: to be counted
local freed = { 0, 0, 0, 0, 0, 0 } -- to be removed from holds
local net = { 0, 0, 0, 0, 0, 0 }   -- for buckets, which hold by having taken: charged if above 0, returned if below

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
