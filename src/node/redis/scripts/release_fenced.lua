-- KEYS a lock and its fence, for each lock
-- ARGV how far the last token that was proposed lies from one that was granted, and when the fences may expire, in ms
-- since 1970; then for each lock the id and the last token that was proposed
-- returns for each lock 1 when the id held it, which is deleted; 0 when it did not. The fence is at the last token or
-- beyond in either case, or else at the one that was granted, so that an acquire which comes late is not granted; last of
-- all, since a server out of memory refuses
local SKEW = 5000000
local AHEAD = 1000000
local span, expiry = tonumber(ARGV[1]), ARGV[2]
local values = redis.call('MGET', unpack(KEYS))
local answers, raised = {}, {}
for i = 1, #KEYS / 2 do
  answers[i] = 0
  if values[2 * i - 1] == ARGV[2 * i + 1] then
    answers[i] = redis.call('DEL', KEYS[2 * i - 1])
  end
end
for i = 1, #KEYS / 2 do
  local fence, last = KEYS[2 * i], ARGV[2 * i + 2]
  -- As a rule it is there since the acquire.
  if values[2 * i] ~= last then
    local least, proposed = raised[fence] or tonumber(values[2 * i]) or 0, tonumber(last)
    if proposed > least + AHEAD then
      -- Far ahead of the time an acquire is refused anyway, and must not drag the tokens of others there.
      local time = redis.call('TIME')
      local farthest = math.max(least + AHEAD, time[1] * 1000000 + time[2] + SKEW)
      if proposed > farthest then
        proposed = proposed - span
        last = string.format('%.0f', proposed)
        proposed = proposed <= farthest and proposed or 0
      end
    end
    if proposed > least then
      raised[fence] = proposed
      redis.pcall('SET', fence, last, 'PXAT', expiry)
    end
  end
end
return answers
