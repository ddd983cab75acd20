-- A node comes, or comes back. What it knows is laid over what is here: this server may have lost what it had.
-- KEYS: leases, the house. ARGV: the old lease, the new one, process, run of the server, how long a lease holds, how
-- long all nodes have to come back after a new run, now, number of purses, number of gates; for each purse key, end of
-- its period, end and sum and own part of what is known ('' for nothing), sum that it begins with where it is new, what
-- is reserved, what was spent by this process; for each gate key and places.
local now, ms = tonumber(ARGV[7]), millis()
if redis.call('HGET', KEYS[2], 'run') ~= ARGV[4] then
  redis.call('HSET', KEYS[2], 'run', ARGV[4], 'ready', text(ms + tonumber(ARGV[6])))
end
local wait = math.max(0, num(KEYS[2], 'ready') - ms)
local lease, process = ARGV[2], ARGV[3]
part(ARGV[1])
local members = ROOM .. 'lease:' .. lease
local at = 10
for _ = 1, tonumber(ARGV[8]) do
  local key, ends = ARGV[at], tonumber(ARGV[at + 1])
  local known, first = ARGV[at + 2], tonumber(ARGV[at + 5])
  if redis.call('EXISTS', key) == 0 then
    roll(key, now, ends)
    redis.call('HSET', key, 'spent', text(first))
  end
  roll(key, now, ends)
  if known ~= '' and tonumber(known) >= num(key, 'until') then
    redis.call('HSET', key, 'until', known, 'spent', text(math.max(num(key, 'spent'), tonumber(ARGV[at + 3]))))
  end
  if known ~= '' and tonumber(ARGV[at + 4]) > num(key, 'c:' .. process) then
    put(key, 'c:' .. process, tonumber(ARGV[at + 4]))
  end
  local held, own = tonumber(ARGV[at + 6]), tonumber(ARGV[at + 7])
  if held > 0 then
    redis.call('HINCRBY', key, 'reserved', text(held))
    redis.call('HINCRBY', key, 'r:' .. lease, text(held))
    redis.call('SADD', members, key)
  end
  -- Only once all have told what they know, or one sum would hide behind another.
  if wait == 0 and own > num(key, 'c:' .. process) then
    redis.call('HINCRBY', key, 'spent', text(own - num(key, 'c:' .. process)))
    put(key, 'c:' .. process, own)
  end
  at = at + 8
end
for _ = 1, tonumber(ARGV[9]) do
  local places = tonumber(ARGV[at + 1])
  if places > 0 then
    redis.call('HINCRBY', ARGV[at], 'inside', places)
    redis.call('HINCRBY', ARGV[at], 'i:' .. lease, places)
    redis.call('SADD', members, ARGV[at])
  end
  at = at + 2
end
redis.call('ZADD', KEYS[1], text(ms + tonumber(ARGV[5])), lease)
return {'ok', text(wait)}
