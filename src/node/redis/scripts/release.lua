-- KEYS[1] the lock
-- ARGV[1] the id
-- returns 1 when the id held the lock, which is deleted; 0 when it did not
if redis.pcall('GET', KEYS[1]) ~= ARGV[1] then
  return 0
end
return redis.call('DEL', KEYS[1])
