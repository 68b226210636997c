#!lua name=bursar_@V@
-- The library of Bursar's functions: the files listed in lua/ORDER, concatenated. The loader replaces @V@ by the first eight
-- hex digits of the source's hash. docs/store.md has the formats; server/domain/limit/decision.h has the same rules in C.
--
-- A Lua chunk may have at most 200 locals. So a file keeps what is its own in a block, and shows the others one table of
-- functions (policies, accounts, markers, nonces, attempts, entries, settling) beside constants and tables that are used everywhere;
-- tests/lint/lua counts them.
--
-- Only integers, in doubles: every count is at most 2^53 - 1, and no step leaves that range unnoticed. Tables such as
-- `states` are refilled by each call and kept between calls, because new tables would be garbage to collect.
-- Redis provides its globals only while a function runs, not while a library loads: the first call fills these.
local call, pack, sunpack, unpack, sub, rep, char, concat, floor

local TWO53 = 9007199254740992
local COUNT_MAX = TWO53 - 1
local SPAN_MAX = 3155760000000000 -- 100 years in microseconds: the longest debt of a bucket

local BUCKET, CALENDAR, LEVEL = 0, 1, 2

local OK, DENIED, REPEAT, CONFLICT = 0, 1, 2, 3
local ABSENT, STALE, BEHIND, CLOCK = 4, 5, 6, 7
local UNKNOWN, NEEDKEYS, CLOSED, NOTHING, LOST, NOT_SEEDED, NO_POLICY = 8, 9, 10, 11, 12, 13, 14

local OPEN, RECORDED, CANCELLED, EXPIRED, RESET = 1, 2, 3, 4, 5 -- states of a marker; and 6, an adjustment

local function answer(status, time)
	return pack('<Bi7', status, time)
end

-- flags: 'no-writes' for functions that only read; 'allow-oom' for those that settle, release, renew or end something, which must work on a
-- full Redis too. Functions that take (check) have none.
local function register(name, callback, flags)
	redis.register_function{
		function_name = 'bursar_' .. name .. '_@V@',
		callback = function(keys, args)
			if not call then
				call, pack, sunpack = redis.call, struct.pack, struct.unpack
				unpack, concat, floor = _G.unpack, table.concat, math.floor
				sub, rep, char = string.sub, string.rep, string.char
			end
			return callback(keys, args)
		end,
		flags = flags or {},
	}
end
