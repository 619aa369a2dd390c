-- KEYS the locks, of one holder or many
-- ARGV the id for each key, in the same order; behind them the time to live in ms for each key
-- returns for each key 1 when the id holds the lock, which then lives at least that long; 0 when it does not
local values = redis.call('MGET', unpack(KEYS))
local answers = {}
for i, key in ipairs(KEYS) do
  answers[i] = 0
  if values[i] == ARGV[i] then
    local ttl = ARGV[#KEYS + i]
    if redis.call('PTTL', key) < tonumber(ttl) then
      redis.call('PEXPIRE', key, ttl)
    end
    answers[i] = 1
  end
end
return answers
