#!lua name=bursar_pool_@V@
-- The library of the priority pool's functions: the files listed in lua/pool/ORDER, concatenated. The loader replaces @V@ by the
-- first eight hex digits of the source's hash. docs/pool-store.md has the keys, the formats and the rules.
--
-- Times are in milliseconds. Redis provides its globals only while a function runs, not while a library loads: the first
-- call fills these.
local call, pack, sunpack, sub, format, concat, floor, max, min

local OK, SHED, REPEAT, CONFLICT, ABSENT, BEHIND, UNKNOWN = 0, 1, 2, 3, 4, 6, 8
local NOTHING, GRANTED, QUEUED, DONE, FENCED, LEARNING, MOVED, INVALID = 11, 20, 21, 23, 25, 26, 27, 28

-- Why a request waits, why one is shed, how one ended.
local WHY_CAP, WHY_SHARE, WHY_LEARNING, WHY_RESIZE, WHY_PAUSED, WHY_PARKED = 1, 2, 3, 4, 5, 6
local SHED_POOL, SHED_LEVEL, SHED_USER, SHED_PREDICTED, SHED_LEVELS = 1, 2, 3, 4, 5
local RELEASED, EXPIRED, CANCELLED, TIMED_OUT, GONE = 1, 2, 3, 4, 5

-- The epoch: up to date; another one is wanted, and grants continue under this one; needed, and nothing is granted without it.
local KEPT, WANTED, NEEDED = 0, 1, 2

-- States of a request: waiting, parked, granted but not acknowledged, active, a tombstone.
local W, P, G, A, D = 1, 2, 3, 4, 5

local LEVELS_MAX = 16
local BOUND = 16 -- leases, waiters or tombstones per call
local LEVEL_SPAN = 2 ^ 46 -- the range of start tags, in the scores of `ready`

-- What this call works on: its keys, the pool's settings and state, its time, and the records that it has touched.
local K, C, S, now
local users, requests

local function bind_globals()
	call, pack, sunpack = redis.call, struct.pack, struct.unpack
	sub, format, concat = string.sub, string.format, table.concat
	floor, max, min = math.floor, math.max, math.min
end
