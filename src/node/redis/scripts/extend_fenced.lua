-- KEYS a lock and its fence, for each lock
-- ARGV how far the last token of each block lies from its first, and when the fences may expire, in ms since 1970; then for
-- each lock the id, the time to live in ms, and the last token
-- returns for each lock 1 when the id holds it, which then lives at least that long, with its fence at that token or
-- beyond; 0 when it does not
local expiry = ARGV[2]
local values = redis.call('MGET', unpack(KEYS))
local answers = {}
for i = 1, #KEYS / 2 do
  local lock, fence = KEYS[2 * i - 1], KEYS[2 * i]
  local id, ttl, last = unpack(ARGV, 3 * i, 3 * i + 2)
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
