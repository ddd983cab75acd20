-- Takes one request and a place in all gates, or in none. KEYS: leases, members of this lease, gates.
-- ARGV: lease, now in ticks of 100 ns; for each gate its places (-1: any number), and the ticks of one request and of a
-- minute's worth (0: no limit).
if not is_held(ARGV[1]) then
  return {'lease'}
end
local now = tonumber(ARGV[2])
local function ahead(key, field)
  return math.max(0, tonumber(redis.call('HGET', key, field) or '0') - now)
end
for i = 3, #KEYS do
  local places, each, whole = tonumber(ARGV[3 * i - 6]), tonumber(ARGV[3 * i - 5]), tonumber(ARGV[3 * i - 4])
  if places >= 0 and num(KEYS[i], 'inside') >= places then
    return {'crowded', tostring(i - 3), '0'}
  end
  local before = ahead(KEYS[i], 'requests')
  if each > 0 and before + each > whole then
    return {'closed', tostring(i - 3), text(before)}
  end
end
local answer = {'ok'}
for i = 3, #KEYS do
  local each = tonumber(ARGV[3 * i - 5])
  redis.call('HINCRBY', KEYS[i], 'inside', 1)
  redis.call('HINCRBY', KEYS[i], 'i:' .. ARGV[1], 1)
  redis.call('SADD', KEYS[2], KEYS[i])
  local requests = ahead(KEYS[i], 'requests') + each
  if each > 0 then
    redis.call('HSET', KEYS[i], 'requests', text(now + requests))
  end
  table.insert(answer, text(requests))
  table.insert(answer, text(ahead(KEYS[i], 'tokens')))
end
return answer
