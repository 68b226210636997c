-- epoch: PostgreSQL allots epochs, each one once and greater than all before. A state that is new, or may lack the last writes, needs
-- one before it grants anything, so that no lost grant can be greater than a later one.

serve('epoch', function(args)
	local given, first = sunpack('<I4B', args[1])
	-- The claim names this state in this process. An epoch requested for another state, which arrives late, is not accepted.
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
