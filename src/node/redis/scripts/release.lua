-- KEYS[1] the lock
-- ARGV[1] the id
-- returns 1 when the id held the lock, which is deleted; 0 when it did not, whatever type of value the key holds
local value = redis.pcall('GET', KEYS[1])
if type(value) == 'table' and not string.find(value.err, 'WRONGTYPE', 1, true) then
  return value
end
if value ~= ARGV[1] then
  return 0
end
return redis.call('DEL', KEYS[1])
