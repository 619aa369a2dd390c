-- KEYS a lock and its fence, for each lock
-- ARGV how far the last token of each block lies from its first, and when the fences may expire, in ms since 1970; then for
-- each lock the id, the time to live in ms, and the last token
-- returns for each lock 1 when it is granted, 0 when another holds it, or, as a string, the token beyond which the
-- client must propose, or, with a minus, the time near which it must
local SKEW = 5000000
local AHEAD = 1000000
local now
local span, expiry = tonumber(ARGV[1]), ARGV[2]
local values = redis.call('MGET', unpack(KEYS))
local answers = {}
for i = 1, #KEYS / 2 do
  local own, fence = values[2 * i - 1], values[2 * i]
  local id, ttl, last = unpack(ARGV, 3 * i, 3 * i + 2)
  local least, first = tonumber(fence) or 0, tonumber(last) - span
  if own and own ~= id then
    answers[i] = 0
  elseif first <= least then
    answers[i] = fence
  else
    if not now then
      local time = redis.call('TIME')
      now = time[1] * 1000000 + time[2]
    end
    -- Too early also beyond the fence: a server that has lost a larger one may have been told of an earlier one since.
    if first < now - SKEW or first > now + SKEW and (not fence or first > least + AHEAD) then
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
