-- ready: does nothing and has no flags, so Redis refuses it for the same reasons as an acquire (full, a replica, no disk, ...).
-- Reply OK

redis.register_function('bursar_ready_@V@', function()
	return redis.status_reply('OK')
end)
