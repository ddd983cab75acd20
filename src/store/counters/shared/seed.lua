-- Says what a purse begins with, where nobody has asked for it. KEYS: leases, purse. ARGV: lease, end of its period, sum.
if not is_held(ARGV[1]) then
  return {'lease'}
end
if redis.call('EXISTS', KEYS[2]) == 0 then
  redis.call('HSET', KEYS[2], 'until', ARGV[2], 'spent', ARGV[3])
end
return {'ok'}
