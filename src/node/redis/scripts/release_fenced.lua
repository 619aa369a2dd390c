-- KEYS a lock and its fence, for each lock
-- ARGV for each lock: the id, a token that was granted, the last that was proposed, and when the fence may expire, in ms
-- since 1970
-- returns for each lock 1 when the id held it, which is deleted; 0 when it did not. The fence is at the last token or
-- beyond in either case, or else at the one that was granted, so that an acquire which comes late is not granted; last of
-- all, since a server out of memory refuses
local SKEW = 5000000
local AHEAD = 1000000
local values = redis.call('MGET', unpack(KEYS))
local answers, raised = {}, {}
for i = 1, #KEYS / 2 do
  answers[i] = 0
  if values[2 * i - 1] == ARGV[4 * i - 3] then
    answers[i] = redis.call('DEL', KEYS[2 * i - 1])
  end
end
for i = 1, #KEYS / 2 do
  local fence, last = KEYS[2 * i], ARGV[4 * i - 1]
  local least, proposed = raised[fence] or tonumber(values[2 * i]) or 0, tonumber(last)
  if proposed > least + AHEAD then
    -- Far ahead of the time an acquire is refused anyway, and must not drag the tokens of others there.
    local time = redis.call('TIME')
    local farthest = math.max(least + AHEAD, time[1] * 1000000 + time[2] + SKEW)
    if proposed > farthest then
      last = ARGV[4 * i - 2]
      proposed = tonumber(last) <= farthest and tonumber(last) or 0
    end
  end
  if proposed > least then
    raised[fence] = proposed
    redis.pcall('SET', fence, last, 'PXAT', ARGV[4 * i])
  end
end
return answers
