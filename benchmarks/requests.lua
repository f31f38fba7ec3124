-- SPDX-License-Identifier: GPL-2.0-or-later
-- For wrk: tells in full what its summary rounds, and how long a request is.
local threads = {}

function setup(thread)
	table.insert(threads, thread)
end

function init()
	length = #wrk.format()
end

function done(summary)
	local line = '{"requests": %d, "microseconds": %d, "bytes": %d, "request": %d}\n'
	local request = threads[1]:get("length")
	io.stderr:write(string.format(line, summary.requests, summary.duration, summary.bytes, request))
end
