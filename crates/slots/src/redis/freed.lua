-- After the database freed the seats ARGV[1].

local day = known_day()
if not day or is_rebuilding(day) then return '1' end
for at = 1, #ARGV[1], 4 do
  local index = index_of(day, ARGV[1], at)
  if index then
    local seat = seat_at(day, index)
    if sub(day, seat, seat + 1) == LEAVING then put(seat, FREE) end
  end
end
return '1'
