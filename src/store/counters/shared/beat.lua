-- A sign of life. KEYS: leases. ARGV: lease, how long it holds.
local now = millis()
if not is_held(ARGV[1]) then
  return {'lease'}
end
redis.call('ZADD', KEYS[1], text(now + tonumber(ARGV[2])), ARGV[1])
reap_all(text(now))
return {'ok'}
