-- Writes the mark of a rebuild, ARGV[1], for ARGV[3] seconds, unless the day is R(eady) or somebody else rebuilds it
-- (B with the token) whose token is not ARGV[2]: an abandoned one.

local day = known_day()
if day then
  if not is_rebuilding(day) then return 'R' end
  if token_of(day) ~= ARGV[2] then return 'B' .. token_of(day) end
end
redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[3])
return 'Y'
