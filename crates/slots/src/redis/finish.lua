-- The rebuilt day ARGV[1], kept for ARGV[2] seconds, if its token still stands.

local day = known_day()
if not day or not is_rebuilding(day) or token_of(day) ~= token_of(ARGV[1]) then return '0' end
redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2])
return '1'
