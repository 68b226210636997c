-- ready: does nothing, and has no flags: Redis refuses it for whatever it would refuse an acquire for (full, a replica, no disk, ...).
-- Reply OK

redis.register_function('bursar_ready_@V@', function()
	return redis.status_reply('OK')
end)
