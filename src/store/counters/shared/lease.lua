-- Gives up a lease: what it had reserved is free, its places are empty.
local function part(lease)
  local members = ROOM .. 'lease:' .. lease
  for _, key in ipairs(redis.call('SMEMBERS', members)) do
    put(key, 'reserved', math.max(0, num(key, 'reserved') - num(key, 'r:' .. lease)))
    put(key, 'inside', math.max(0, num(key, 'inside') - num(key, 'i:' .. lease)))
    -- Of a period that is over nothing comes back.
    if num(key, 'x:' .. lease) > 0 and num(key, 'p:' .. lease) == num(key, 'until') then
      redis.call('HSET', key, 'spent', text(math.max(0, num(key, 'spent') - num(key, 'x:' .. lease))))
    end
    redis.call('HDEL', key, 'r:' .. lease, 'i:' .. lease, 'x:' .. lease, 'p:' .. lease)
  end
  redis.call('DEL', members)
  redis.call('ZREM', KEYS[1], lease)
end

-- Nobody has heard of a lease for too long: what it had reserved counts as spent, as its calls may have been billed.
-- A node that comes back after all gets it back.
local function reap(lease)
  local members = ROOM .. 'lease:' .. lease
  for _, key in ipairs(redis.call('SMEMBERS', members)) do
    local held = num(key, 'r:' .. lease)
    if held > 0 then
      redis.call('HINCRBY', key, 'spent', text(held))
      put(key, 'x:' .. lease, held)
      put(key, 'p:' .. lease, num(key, 'until'))
      put(key, 'reserved', math.max(0, num(key, 'reserved') - held))
    end
    put(key, 'inside', math.max(0, num(key, 'inside') - num(key, 'i:' .. lease)))
    redis.call('HDEL', key, 'r:' .. lease, 'i:' .. lease)
  end
  redis.call('EXPIRE', members, 604800)
  redis.call('ZREM', KEYS[1], lease)
end

local function reap_all(now)
  for _, lease in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now)) do
    reap(lease)
  end
end
