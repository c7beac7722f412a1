-- wrk: pairs of Rank and Reward. A thread of wrk does not know which connection was answered,
-- so the reward of a Rank that was answered is sent by whichever connection is next.
local file = assert(io.open(os.getenv("RANK_REQUEST"), "r"))
local body = file:read("*a")
file:close()
local headers = { ["Content-Type"] = "application/json" }
local rank, answered, first, last

function init()
  rank = wrk.format("POST", "/personalizer/v1.0/rank", headers, body)
  answered, first, last = {}, 1, 0
end

function request()
  if first > last then return rank end
  local event = answered[first]
  answered[first] = nil
  first = first + 1
  local value = event.action == "Cappucino" and '{"value":1}' or '{"value":0}'
  return wrk.format("POST", "/personalizer/v1.0/events/" .. event.id .. "/reward", headers, value)
end

function response(status, _, body)
  if status ~= 201 then return end
  last = last + 1
  answered[last] = { id = body:match('"eventId":"([^"]+)"'), action = body:match('"rewardActionId":"([^"]+)"') }
end

-- Figures that scripts read.
function done(summary, latency)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  print("figure-calls " .. summary.requests)
  print("figure-us " .. summary.duration)
  print("figure-errors " .. failed)
  print("figure-p99-us " .. latency:percentile(99))
end
