-- KEYS[1] the lock
-- ARGV[1] the id, ARGV[2] the time to live in ms
-- returns 1 when the id holds the lock, which then lives at least that long; 0 when it does not,
-- whatever type of value the key holds
local value = redis.pcall('GET', KEYS[1])
if type(value) == 'table' and not string.find(value.err, 'WRONGTYPE', 1, true) then
  return value
end
if value ~= ARGV[1] then
  return 0
end
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[2]) then
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
end
return 1
