-- KEYS a lock and its fence, for each lock
-- ARGV for each lock: the id, the time to live in ms, the last token, and when the fence may expire, in ms since 1970
-- returns for each lock 1 when the id holds it, which then lives at least that long, with its fence at that token or
-- beyond; 0 when it does not
local values = redis.call('MGET', unpack(KEYS))
local answers = {}
for i = 1, #KEYS / 2 do
  local lock, fence = KEYS[2 * i - 1], KEYS[2 * i]
  local id, ttl, last, expiry = unpack(ARGV, 4 * i - 3, 4 * i)
  answers[i] = 0
  if values[2 * i - 1] == id then
    if redis.call('PTTL', lock) < tonumber(ttl) then
      redis.call('PEXPIRE', lock, ttl)
    end
    if (tonumber(values[2 * i]) or 0) < tonumber(last) then
      redis.call('SET', fence, last, 'PXAT', expiry)
    end
    answers[i] = 1
  end
end
return answers
