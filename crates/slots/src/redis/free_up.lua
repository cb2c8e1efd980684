-- Before the database frees the seats ARGV[1], or lifts the reservation of slot ARGV[2] (two bytes, or none). A rebuild
-- that may have read them before must begin again; so must a day that does not know one of them.

local day = known_day()
if not day then return '1' end
local places, lifted = ARGV[1], ARGV[2]
local is_known = not is_rebuilding(day)
local leaving = {}
if is_known then
  for at = 1, #places, 4 do
    local index = index_of(day, places, at)
    if not index then
      is_known = false
      break
    end
    leaving[#leaving + 1] = seat_at(day, index)
  end
  if #lifted > 0 and number(lifted, 1) >= number(day, SLOT_COUNT_AT) then is_known = false end
end
if not is_known then
  redis.call('DEL', KEYS[1])
  return '1'
end

for _, at in ipairs(leaving) do put(at, LEAVING) end
if #lifted > 0 then put(SLOTS_AT + 4 * number(lifted, 1) + 2, '\0\0') end
local a, b, c, d = byte(day, RELEASES_AT, RELEASES_AT + 3)
local releases = ((a * 256 + b) * 256 + c) * 256 + d + 1
put(RELEASES_AT, struct.pack('>I4', releases % 4294967296))
return '1'
