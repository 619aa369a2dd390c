-- KEYS the locks, of one holder or many
-- ARGV the id for each key, in the same order
-- returns for each key 1 when the id held the lock, which is deleted; 0 when it did not
local values = redis.call('MGET', unpack(KEYS))
local answers, held = {}, {}
for i, key in ipairs(KEYS) do
  if values[i] == ARGV[i] then
    held[#held + 1] = key
    answers[i] = 1
  else
    answers[i] = 0
  end
end
if #held > 0 then
  redis.call('DEL', unpack(held))
end
return answers
