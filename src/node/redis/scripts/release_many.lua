-- KEYS the locks, of one holder or many
-- ARGV the id for each key, in the same order
-- returns for each key 1 when the id held the lock, which is deleted; 0 when it did not
local answers = {}
for i, key in ipairs(KEYS) do
  if redis.pcall('GET', key) == ARGV[i] then
    answers[i] = redis.call('DEL', key)
  else
    answers[i] = 0
  end
end
return answers
