-- ready: does nothing and has no flags, so Redis refuses it for the same reasons as a check (full, a replica, no disk, ...).
-- Reply OK 0 `B status, i7 time`
-- FCALL bursar_ready_V 0

register('ready', function()
	return answer(OK, clock_now())
end)
