-- What is measured; the argument names it.
dofile(debug.getinfo(1, "S").source:match("@(.*)/") .. "/focus.lua")

local mixes = {}

-- _viewStats of any user with 20 ended sessions.
function mixes.read()
  return focus.view(focus.any(focus.read))
end

-- startSession and endSession in turn, over 1,000 users.
function mixes.write()
  local session = focus.open()
  return session and focus.finish(session) or focus.start(focus.any(focus.write))
end

-- 60 % _viewStats, 20 % startSession, 20 % endSession.
function mixes.mixed()
  local dice = math.random()
  if dice < 0.6 then return mixes.read() end
  local session = dice >= 0.8 and focus.open()
  return session and focus.finish(session) or focus.start(focus.any(focus.write))
end

-- _getSessions of a user with 1,000 sessions.
function mixes.list()
  return focus.list(focus.user(focus.list_user))
end

function begin(arguments)
  request = mixes[arguments[1]]
end
