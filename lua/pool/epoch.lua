-- epoch: PostgreSQL allots them, each one once and greater than all before. A state that is new, or may lack the last writes, takes
-- one before it grants anything, so that no grant that was lost can be greater than one that comes.

serve('epoch', function(args)
	local given, first = sunpack('<I4B', args[1])
	-- What it is asked for: this state, on this process. One that was asked for another state, and comes late, is not taken.
	local claim = S.server .. ':' .. S.birth
	if S.want ~= KEPT and args[2] == claim and given > S.epoch then
		if first == 1 and S.epoch == 0 then -- nobody was ever granted anything: there is nothing to learn
			S.learn = 0
		end
		S.want, S.epoch, S.fence = KEPT, given, 0
		grant(256)
	end
	return pack('<Bi7BI4I2c0', OK, now, S.want, S.epoch, #claim, claim)
end, {})
