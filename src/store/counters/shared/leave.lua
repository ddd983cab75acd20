-- Gives a place in all gates back. KEYS: leases, gates. ARGV: lease.
if not is_held(ARGV[1]) then
  return {'lease'}
end
for i = 2, #KEYS do
  local own = num(KEYS[i], 'i:' .. ARGV[1])
  if own > 0 then
    put(KEYS[i], 'i:' .. ARGV[1], own - 1)
    put(KEYS[i], 'inside', math.max(0, num(KEYS[i], 'inside') - 1))
  end
end
return {'ok'}
