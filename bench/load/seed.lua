-- A batch of requests, each sent once; one thread. ../wrk.py interrupts wrk when the batch has ended. Arguments:
--   init FIRST COUNT             initUser for COUNT users
--   sessions FIRST COUNT EACH    EACH ended sessions for each of COUNT users
dofile(debug.getinfo(1, "S").source:match("@(.*)/") .. "/focus.lua")

local NOBODY = "nobody"
local batch, size, sent, answers = nil, 0, 0, 0
local batches = {}

function batches.init(first, count)
  size = count
  return function() return focus.post("initUser", '{"user":"' .. focus.user(first + sent) .. '"}') end
end

function batches.sessions(first, count, each)
  local started = 0
  size = 2 * count * each
  return function()
    local session = focus.open()
    if session then return focus.finish(session) end
    if started == count * each then return nil end
    started = started + 1
    return focus.start(focus.user(first + started % count))
  end
end

function begin(arguments)
  batch = batches[arguments[1]](tonumber(arguments[2]), tonumber(arguments[3]), tonumber(arguments[4]))
end

-- wrk makes a first request only to look at it, and never sends it. A connection for which there is nothing to do yet, or any more,
-- asks for a user that there is not; whatever the answer to that is, it does not begin with {"focus.
local checked = false

function request()
  local text = checked and sent < size and batch()
  checked = true
  if not text then return focus.view(NOBODY) end
  sent = sent + 1
  return text
end

function response(status, headers, body)
  if status ~= 200 or focus.refused(body) then
    if body:find(NOBODY, 1, true) then return end
    io.stderr:write("BATCH FAILED ", status, " ", body:sub(1, 160), "\n")
    wrk.thread:stop()
    return
  end
  focus.answered(body)
  if body:find('^%s*{%s*"focus') then answers = answers + 1 end
  if answers == size then
    io.stderr:write("BATCH DONE\n")
    wrk.thread:stop()
  end
end
