-- KEYS a lock and its fence, for each lock
-- ARGV for each lock: the id, the time to live in ms, the first and the last token, and when the fence may expire, in
-- ms since 1970
-- returns for each lock 1 when it is granted, 0 when another holds it, or, as a string, the token beyond which the
-- client must propose, or, with a minus, the time near which it must
local SKEW = 5000000
local AHEAD = 1000000
local now
local values = redis.call('MGET', unpack(KEYS))
local answers = {}
for i = 1, #KEYS / 2 do
  local own, fence = values[2 * i - 1], values[2 * i]
  local id, ttl, first, last, expiry = unpack(ARGV, 5 * i - 4, 5 * i)
  local least, proposed = tonumber(fence) or 0, tonumber(first)
  if own and own ~= id then
    answers[i] = 0
  elseif proposed <= least then
    answers[i] = fence
  else
    if not now then
      local time = redis.call('TIME')
      now = time[1] * 1000000 + time[2]
    end
    -- Too early also beyond the fence: a server that has lost a larger one may have been told of an earlier one since.
    if proposed < now - SKEW or proposed > now + SKEW and (not fence or proposed > least + AHEAD) then
      answers[i] = string.format('-%.0f', now)
    elseif own and redis.call('SET', KEYS[2 * i - 1], id, 'PX', ttl)
      or not own and redis.call('SET', KEYS[2 * i - 1], id, 'NX', 'PX', ttl) then
      redis.call('SET', KEYS[2 * i], last, 'PXAT', expiry)
      answers[i] = 1
    else
      answers[i] = 0
    end
  end
end
return answers
