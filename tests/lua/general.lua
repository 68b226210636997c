-- Stands in for lua/lib/quick.lua in tests: nothing is usual, and every check takes the general path.
local quick = {}

function quick.check()
	return nil
end
