-- The action lua.bursar of haproxy.cfg: asks /v1/authorize at the given address, and answers what Bursar refuses.
-- HAProxy 2.5 or later, for core.httpclient.

local key = os.getenv("BURSAR_KEY")

-- What belongs to the exchange between HAProxy and Bursar.
local own = { ["content-length"] = true, ["transfer-encoding"] = true, ["connection"] = true, ["date"] = true }

local function refuse(txn, status, headers, body)
	local reply = txn:reply { status = status, body = body }
	for name, values in pairs(headers) do
		for _, value in pairs(values) do
			if not own[name] then
				reply:add_header(name, value)
			end
		end
	end
	txn:done(reply)
end

local function first(headers, name)
	return headers[name] and headers[name][0]
end

local function ask(txn, url)
	local headers = { ["x-bursar-user"] = { txn:get_var("txn.bursar_user") } }
	if key then
		headers["authorization"] = { "Bearer " .. key }
	end
	local answer = core.httpclient():get { url = url, headers = headers, timeout = 2000 }

	if answer.status == 200 then
		txn:set_var("txn.bursar_ratelimit", first(answer.headers, "ratelimit"))
		txn:set_var("txn.bursar_policy", first(answer.headers, "ratelimit-policy"))
	elseif answer.status == 429 or answer.status == 403 then
		refuse(txn, answer.status, answer.headers, answer.body)
	else
		-- Bursar did not answer, or refused the proxy itself. Leave this out to let requests pass then.
		txn:Warning("bursar: " .. tostring(answer.status) .. " " .. tostring(answer.body))
		refuse(txn, 503, { ["retry-after"] = { "1" } }, "please try again\n")
	end
end

core.register_action("bursar", { "http-req" }, ask, 1)
