-- Takes tokens in all gates or in none; with 'force' it takes or gives back whatever is there. KEYS: leases, gates.
-- ARGV: 'ask' or 'force', now in ticks of 100 ns; for each gate the ticks of so many tokens and of a minute's worth.
local force, now = ARGV[1] == 'force', tonumber(ARGV[2])
local function stands(key)
  return math.max(now, tonumber(redis.call('HGET', key, 'tokens') or '0'))
end
for i = 2, #KEYS do
  local wanted, whole = tonumber(ARGV[2 * i - 1]), tonumber(ARGV[2 * i])
  if not force and stands(KEYS[i]) - now + wanted > whole then
    return {'closed', tostring(i - 2), text(stands(KEYS[i]) - now)}
  end
end
local answer = {'ok'}
for i = 2, #KEYS do
  local after = math.max(now, stands(KEYS[i]) + tonumber(ARGV[2 * i - 1]))
  redis.call('HSET', KEYS[i], 'tokens', text(after))
  table.insert(answer, text(after - now))
end
return answer
