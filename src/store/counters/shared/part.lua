-- A clean end. KEYS: leases. ARGV: lease.
part(ARGV[1])
return {'ok'}
