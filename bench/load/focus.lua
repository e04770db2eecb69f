-- What mixes.lua and seed.lua share: names of users, requests, what was answered, the line with the result.
-- Users   0..999   have 20 ended sessions each (read)
--      1000..1999  are initialised and start empty (written to)
--      2000        has 1,000 ended sessions (list)

local threads, prefix, head = {}, nil, nil
local waiting, ending = {}, {}
errors, first_error = 0, ""

focus = { read = 0, write = 1000, users = 1000, list_user = 2000 }

function focus.user(i)
  return string.format("00000000-0000-7000-8000-%012d", i)
end

function focus.any(first)
  return focus.user(first + math.random(0, focus.users - 1))
end

-- wrk.format merges tables of headers in every call; this writes the same request by hand.
function focus.post(action, body)
  if not prefix then
    prefix = "POST " .. wrk.path:gsub("/+$", "") .. "/api/FocusStats/"
    head = " HTTP/1.1\r\nHost: " .. wrk.headers["Host"]
      .. "\r\nContent-Type: application/json\r\nContent-Length: "
  end
  return prefix .. action .. head .. #body .. "\r\n\r\n" .. body
end

function focus.view(user)
  return focus.post("_viewStats", '{"user":"' .. user .. '"}')
end

function focus.list(user)
  return focus.post("_getSessions", '{"user":"' .. user .. '"}')
end

function focus.start(user)
  return focus.post("startSession", '{"user":"' .. user
    .. '","document":"0198f0de-aaaa-7000-8000-00000000d0c5","library":"0198f0de-bbbb-7000-8000-0000000011b5"}')
end

-- A session that this thread started and has not ended yet, or nil.
function focus.open()
  return table.remove(waiting)
end

function focus.finish(session)
  ending[session] = true
  return focus.post("endSession", '{"focusSession":"' .. session .. '"}')
end

function focus.refused(body)
  return body:find('^%s*{%s*"error"') ~= nil
end

-- Keeps the id of a session that was started, and what was refused.
function focus.answered(body)
  if focus.refused(body) then
    errors = errors + 1
    if first_error == "" then first_error = body:sub(1, 160) end
    return
  end
  local id = body:match('^%s*{%s*"focusSession"%s*:%s*"([^"]+)"')
  if not id then return end
  if ending[id] then
    ending[id] = nil
  else
    waiting[#waiting + 1] = id
  end
end

function setup(thread)
  threads[#threads + 1] = thread
  thread:set("number", #threads)
end

function init(arguments)
  math.randomseed(os.time() * 16 + number)
  begin(arguments)
end

function response(status, headers, body)
  focus.answered(body)
end

function done(summary, latency)
  local bad, sample = 0, ""
  for _, thread in ipairs(threads) do
    bad = bad + thread:get("errors")
    if sample == "" then sample = thread:get("first_error") end
  end
  local broken = summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout
  -- wrk does not report a connection that is still waiting at the end. One that starves shows in this alone: the requests in
  -- service on average (rate x mean latency) are fewer than the connections.
  local rate = summary.requests / (summary.duration / 1e6)
  io.write(string.format("RESULT %.1f %.4f %.4f %.1f %d %d %d\n",
    rate, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3, rate * latency.mean / 1e6,
    summary.errors.status, bad, broken))
  if sample ~= "" then io.write("ERROR ", sample, "\n") end
end
